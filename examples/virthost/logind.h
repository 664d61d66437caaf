/* SPDX-License-Identifier: MIT */
/*
 * When logind says that the machine goes down, that is MUSTER_HOST_SHUTDOWN: everything is stopped; what was desired stays so,
 * and the policies decide in the next boot. A lock delays the machine's end for as long as logind allows, and the bus is there.
 * Without libsystemd there is no logind.
 */
#ifndef VIRTHOST_LOGIND_H
#define VIRTHOST_LOGIND_H

struct logind;
struct virthost;

/* 0, or a negative errno: there is no system bus (-ENOTSUP: no libsystemd), and nothing is left behind. */
int logind_open(struct virthost *host);
/* Let the machine end. Also if it isn't open. */
void logind_close(struct virthost *host);

#endif

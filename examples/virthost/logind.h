/* SPDX-License-Identifier: MIT */
/*
 * When logind says that the machine goes down, that is a shutdown of the host: everything is stopped, and started again in
 * the next boot as it was. A lock delays the machine's end for as long as logind allows. Without libsystemd there is no logind.
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

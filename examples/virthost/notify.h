/* SPDX-License-Identifier: MIT */
/*
 * What the service manager is told, by sd_notify(): READY at the end of the roll call, RELOADING, STOPPING; a STATUS with
 * the counts of muster_progress(); and EXTEND_TIMEOUT_USEC with the deadline of each op that is called before READY or on the
 * way down, so that nobody takes a slow pool for a hung daemon. Without NOTIFY_SOCKET, or without libsystemd, nothing is told.
 */
#ifndef VIRTHOST_NOTIFY_H
#define VIRTHOST_NOTIFY_H

struct notify;
struct virthost;

/* Observe the context. NULL: out of memory. */
struct notify *notify_new(struct virthost *host);
/* The loop is about to end: no STATUS comes any more. NULL is accepted, as by notify_free(). */
void notify_end(struct notify *notify);
/* After the context. */
void notify_free(struct notify *notify);

/* A reload has begun; it has ended. */
void notify_reloading(struct notify *notify);
void notify_reloaded(struct notify *notify);

#endif

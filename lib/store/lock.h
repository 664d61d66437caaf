/* SPDX-License-Identifier: MIT */
/*
 * The lock of a store: a file that is locked (OFD) for the life of the store, so that there is one daemon. It says who
 * holds it: "PID START\n", where START is the time that process started, in the words of /proc, for pids are used again.
 */
#ifndef MUSTER__LOCK_H
#define MUSTER__LOCK_H

#include <muster/error.h>

#include "store/journal_calls.h"

struct muster__lock {
    const struct muster__journal_calls *calls;
    /* For messages: "state directory " and "/var/lib/x" are what is locked, "/var/lib/x" and "/lock" the lock file. */
    const char *kind;
    const char *name;
    const char *suffix;
    /* The lock file, open and checked. */
    int fd;
};

/*
 * Lock it, and write there who we are. MUSTER_EBUSY says who holds it: a process, or a child that has inherited it from
 * one that is gone, and that hasn't let go of it (by exec or by its end) within a second. A process of another pid namespace
 * looks like one that is gone. That we can't sign for want of space is no failure.
 */
int muster__lock_take(const struct muster__lock *lock, struct muster_error *error);

/* Give it back, also when children have inherited it. The file stays open, and is empty. */
int muster__lock_release(const struct muster__lock *lock, struct muster_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* What can go wrong with each kind of call, and which of it may go unnoticed. */
#ifndef TESTS_FAULT_PLAN_H
#define TESTS_FAULT_PLAN_H

#include <stdbool.h>

#include "support/failing_calls.h"

/* One way in which a call fails. */
struct plan {
    enum call_effect effect;
    enum call_part part;
    int sys_errno;
    bool forever;
};

#define PLANS 64

/* With so many errnos for a call: all of them and every way to cut it short, or with few a choice. Returns how many. */
#define PLAN_ALL 16
unsigned plan_all(enum call call, unsigned errnos, struct plan plans[PLANS]);
/* The ways to die in it. */
unsigned plan_deaths(enum call call, struct plan plans[PLANS]);

/* "fails with ENOSPC, for ever" */
void plan_text(const struct plan *plan, char *ret_text, size_t size);

/*
 * A failure that the store gets over: no step fails. `how`: any of 1 (fails once), e (for ever), c (cut once), C (cut for
 * ever), z and Z (0 bytes); with f a fresh file must then have taken the journal's place. `files`: one or more, with
 * spaces, NULL: any. `steps`: in which the call was, NULL: any. `sys_errno`: 0: any.
 */
struct tolerated {
    enum call call;
    const char *how;
    const char *files;
    const char *steps;
    int sys_errno;
    const char *reason;
    unsigned hits;
};

/* The row that has it; NULL: it must not go unnoticed. The list ends with an entry without a reason. */
struct tolerated *plan_find(struct tolerated *list, const struct plan *plan, enum call call, const char *file, char step);

#endif

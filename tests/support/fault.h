/* SPDX-License-Identifier: MIT */
/*
 * One countdown for whatever can fail: an allocation, a call to the system, a driver's callback. Whoever stands in for
 * the real thing asks fault_tick() each time, and fails if it says so.
 */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

struct fault {
    /* The one that fails, from 1; 0: none does. */
    size_t n;
    /* And all after it. */
    bool forever;
    bool paused;
    /* How often it was asked, and how often it said yes. */
    size_t count;
    size_t fired;
};

/* Nothing fails, and nothing was counted. */
void fault_init(struct fault *fault);
/* The n-th from now fails; with `forever` those after it, too. */
void fault_arm(struct fault *fault, size_t n, bool forever);
/* Does this one fail? Any thread. */
bool fault_tick(struct fault *fault);
/* Until fault_resume(), nothing fails or is counted. */
void fault_pause(struct fault *fault);
void fault_resume(struct fault *fault);

#endif

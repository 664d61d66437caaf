/* SPDX-License-Identifier: MIT */
/* Each call of a scenario fails in each way, each allocation fails, the process ends at each call; and then all is well. */
#ifndef TESTS_FAULT_SWEEP_H
#define TESTS_FAULT_SWEEP_H

#include "host.h"
#include "image.h"
#include "plan.h"

struct scenario {
    const char *name;
    /* Made once, with this and without faults; NULL: as `change` finds it. */
    const char *before;
    /* Then this is done to what lies in the directory; NULL: nothing. */
    void (*change)(struct image *image, struct model *model);
    const char *steps;
    uint64_t compact_size;
    /* Of call_fault. */
    size_t block;
    /* The process was ended at each call of these steps, too: each directory that this left is tried. */
    const char *cut_off;
};

/* Of all scenarios. */
struct totals {
    unsigned faults;
    unsigned tolerated;
    unsigned deaths;
    unsigned allocations;
};

struct sweep {
    const struct subject *subject;
    struct tolerated *tolerated;
    /* Checks what lies in the directory after all is well again. May be NULL. */
    void (*check_files)(const struct sweep *sweep, const struct model *model);
    /* Allocators beside muster's: blocks that are live in them, and whom they ask. */
    long (*live)(void);
    struct fault *memory_fault;
    /* What makes no sense for this store. May be NULL. */
    bool (*skips)(enum call call, const struct plan *plan);
    /* For plan_all(), without --quick. */
    unsigned errnos;
    bool quick;
    bool verbose;
    char directory[80];
    struct totals totals;
};

/* Over one scenario; a line says what was tried. */
void sweep_scenario(struct sweep *sweep, const struct scenario *scenario);
/*
 * The options of a program, the scenarios that they name, the total line; the exit code: 0, 1: something was lost or
 * isn't as it should be, 2: wrong options. The list ends with a scenario without a name.
 */
int sweep_main(struct sweep *sweep, const struct scenario *scenarios, int argc, char **argv);

/* What is tried just now, for who checks. */
const struct plan *sweep_plan(void);

#endif

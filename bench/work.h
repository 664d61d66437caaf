/* SPDX-License-Identifier: MIT */
/*
 * Work to be done in an order: ops that wait for others and take their time. The same for every subject, and in every run of the
 * same seed. tests/simulation plays it on a virtual clock.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdint.h>

#define WORK_OPS_MAX 1024
#define WORK_NEEDS_MAX 3
#define WORK_MS_MAX 50

enum work_shape {
    /* Each op waits for one to three others, any of those before it. */
    WORK_RANDOM = 0,
    /* Ten layers; each op waits for two of the layer below. */
    WORK_LAYERS = 1,
    /* Each op waits for one other. */
    WORK_TREE = 2,
    WORK_SHAPES = 3
};

struct work_op {
    /* 1 to 50. */
    uint32_t ms;
    /* What it waits for: each once. */
    uint32_t need_count;
    uint32_t needs[WORK_NEEDS_MAX];
};

/* Ops in no order that what they wait for would allow. */
struct work {
    uint32_t count;
    struct work_op ops[WORK_OPS_MAX];
};

const char *work_shape_name(enum work_shape shape);

/* `count` is from 10 to WORK_OPS_MAX. */
void work_make(struct work *work, enum work_shape shape, uint32_t count, uint64_t seed);

/*
 * Under which nobody comes who does `at_once` ops at once (0: all): the longest path, or all of the work divided among them. In
 * ms. (It may be out of reach: few ops can run at the begin of a tree.)
 */
double work_limit(const struct work *work, uint32_t at_once);

#endif

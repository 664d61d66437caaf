/* SPDX-License-Identifier: MIT */
/*
 * The limit: what one writes by hand if nothing but speed counts. All drivers are known before, so nothing grows. It finds the
 * problems that a plan finds (an unknown name, a duplicate, a cycle), and says only that there is one.
 */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <stdint.h>

#include <muster.h>

#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bench_limit {
    struct muster_allocator allocator;
    uint32_t count;
    /* What waits for each: ids[start[id]] to ids[start[id + 1] - 1]. */
    uint32_t *start;
    uint32_t *ids;
    /* For how many each waits. */
    uint32_t *waits_for;
    uint32_t *order;
    /* Of Kahn's way, while it runs: for how many each still waits. */
    uint32_t *left;
    /* Of interning. */
    struct bench_limit_slot *slots;
    uint32_t mask;
    uint32_t shift;
    char *names;
    size_t names_bytes;
    uint32_t *declared;
};

/* A driver's callback: 0 is done. */
typedef int (*bench_limit_call)(void *data);

/* `allocator` may be NULL: malloc. */
void bench_limit_init(struct bench_limit *limit, const struct muster_allocator *allocator);
void bench_limit_fini(struct bench_limit *limit);

/* Names to ids: `declared` is what each needs, one driver's behind the other's; `waits_for` how many. Returns 0 or -1. */
int bench_limit_intern(struct bench_limit *limit, const struct bench_graph *graph);

/* The same, and ids to rows of dependents; `declared` is gone then. Returns 0 or -1. */
int bench_limit_build(struct bench_limit *limit, const struct bench_graph *graph);

/* Kahn's way to `order`. Returns 0, or -1: a cycle. */
int bench_limit_sort(struct bench_limit *limit);

/* The same, and each driver's call when its turn has come; a call that fails ends it. */
int bench_limit_run(struct bench_limit *limit, const bench_limit_call *calls, void *data);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What bench/dispatch compares: ways to make the callbacks of drivers, each after those of the drivers that it needs. A
 * subject calls every callback once, counts the calls, and returns what that took in ns; 0: it failed.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include <stdint.h>

#include "graph.h"
#include "limit.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dispatch_input {
    const struct bench_graph *graph;
    /* Built and sorted: its order is one that the dependencies allow. */
    struct bench_limit *limit;
    /* By driver, for the subjects that call functions directly. */
    bench_limit_call *calls;
};

typedef uint64_t (*dispatch_subject)(const struct dispatch_input *input);

/* When a callback's work ends. */
enum dispatch_completion {
    DISPATCH_SYNC,    /* in the callback */
    DISPATCH_LATER,   /* in a later muster_process() */
    DISPATCH_THREAD,  /* on another thread, which muster doesn't know */
    DISPATCH_THREADED /* in the callback, which is THREADED: on muster's workers */
};

/* dispatch_muster.c: by muster_run(). All but `built` begin with the bring-up of drivers that are added and checked. */
uint64_t dispatch_muster_sync(const struct dispatch_input *input);
uint64_t dispatch_muster_later(const struct dispatch_input *input);
uint64_t dispatch_muster_thread(const struct dispatch_input *input);
uint64_t dispatch_muster_threaded(const struct dispatch_input *input);
uint64_t dispatch_muster_built(const struct dispatch_input *input);

/* dispatch_uv.c: muster on a libuv loop, and one uv_queue_work() a driver. */
uint64_t dispatch_muster_uv_sync(const struct dispatch_input *input);
uint64_t dispatch_muster_uv_later(const struct dispatch_input *input);
uint64_t dispatch_muster_uv_thread(const struct dispatch_input *input);
uint64_t dispatch_muster_uv_threaded(const struct dispatch_input *input);
uint64_t dispatch_uv_queue_work(const struct dispatch_input *input);

/* dispatch_tbb.cpp: a flow graph of continue_nodes on one thread; `light` runs a body where its node becomes ready. */
uint64_t dispatch_tbb(const struct dispatch_input *input);
uint64_t dispatch_tbb_light(const struct dispatch_input *input);
uint64_t dispatch_tbb_built(const struct dispatch_input *input);
uint64_t dispatch_tbb_light_built(const struct dispatch_input *input);

/* dispatch_openmp.c: one `task depend` a driver, made in an order that the dependencies allow; so always built and run. */
uint64_t dispatch_openmp(const struct dispatch_input *input);

#ifdef __cplusplus
}
#endif

#endif

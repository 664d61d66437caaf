/* SPDX-License-Identifier: MIT */
/* A context whose drivers do nothing but be called, for whoever drives it. */
#ifndef DISPATCH_MUSTER_H
#define DISPATCH_MUSTER_H

#include <pthread.h>
#include <stdbool.h>

#include <muster.h>

#include "dispatch.h"

/* Ops that were called and are to be finished, by a later muster_process() or by another thread. */
struct dispatch_pending {
    struct muster_op **ops;
    size_t count;
    bool posted;
    /* Of the other thread. */
    struct muster_op **taken;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    bool quit;
};

struct dispatch_context {
    struct muster *context;
    enum dispatch_completion completion;
    uint64_t called;
    uint64_t begin_ns;
    uint64_t settled_ns;
    int code;
    muster_done_cb down; /* when it is shut down; may be NULL */
    struct dispatch_pending pending;
};

/* A context with a driver for each of the graph, added and not checked. 0 or a code. */
int dispatch_context_init(struct dispatch_context *with, const struct bench_graph *graph,
                          enum dispatch_completion completion);
/* Check, and begin the clock and the bring-up. When it has settled, the context is shut down. 0 or a code. */
int dispatch_context_begin(struct dispatch_context *with);
/* Free it; `code` is what driving it came to. Returns what the bring-up took in ns, or 0. */
uint64_t dispatch_context_end(struct dispatch_context *with, const struct bench_graph *graph, int code);

#endif

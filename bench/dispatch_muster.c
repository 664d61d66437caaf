/* SPDX-License-Identifier: MIT */
#include "dispatch_muster.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* ---- callbacks ----------------------------------------------------------------------------------- */

static int call_sync(struct muster_op *op)
{
    struct dispatch_context *with = muster_op_driver_data(op);
    with->called++;
    return MUSTER_OK;
}

static int call_threaded(struct muster_op *op)
{
    struct dispatch_context *with = muster_op_driver_data(op);
    __atomic_fetch_add(&with->called, 1, __ATOMIC_RELAXED);
    return MUSTER_OK;
}

static void finish_pending(struct muster *context, void *data)
{
    struct dispatch_context *with = data;
    struct dispatch_pending *pending = &with->pending;
    (void)context;
    size_t count = pending->count;
    pending->count = 0;
    pending->posted = false;
    for (size_t i = 0; i < count; i++)
        muster_op_finish(pending->ops[i], MUSTER_OK);
}

static int call_later(struct muster_op *op)
{
    struct dispatch_context *with = muster_op_driver_data(op);
    struct dispatch_pending *pending = &with->pending;
    with->called++;
    pending->ops[pending->count++] = op;
    if (!pending->posted)
        with->code = muster_post(with->context, finish_pending, with);
    pending->posted = true;
    return MUSTER_PENDING;
}

static int call_thread(struct muster_op *op)
{
    struct dispatch_context *with = muster_op_driver_data(op);
    struct dispatch_pending *pending = &with->pending;
    with->called++;
    pthread_mutex_lock(&pending->mutex);
    pending->ops[pending->count++] = op;
    if (pending->count == 1)
        pthread_cond_signal(&pending->work);
    pthread_mutex_unlock(&pending->mutex);
    return MUSTER_PENDING;
}

/* Takes all there is, and finishes it without the lock. */
static void *finisher(void *data)
{
    struct dispatch_pending *pending = data;
    pthread_mutex_lock(&pending->mutex);
    while (!pending->quit || pending->count > 0) {
        if (pending->count == 0) {
            pthread_cond_wait(&pending->work, &pending->mutex);
            continue;
        }
        size_t count = pending->count;
        memcpy(pending->taken, pending->ops, count * sizeof(struct muster_op *));
        pending->count = 0;
        pthread_mutex_unlock(&pending->mutex);
        for (size_t i = 0; i < count; i++)
            muster_op_finish(pending->taken[i], MUSTER_OK);
        pthread_mutex_lock(&pending->mutex);
    }
    pthread_mutex_unlock(&pending->mutex);
    return NULL;
}

/* ---- a context ----------------------------------------------------------------------------------- */

static int pending_init(struct dispatch_pending *pending, uint32_t count, bool thread)
{
    pending->ops = malloc(count * sizeof(struct muster_op *));
    pending->taken = malloc(count * sizeof(struct muster_op *));
    if (pending->ops == NULL || pending->taken == NULL)
        return MUSTER_ENOMEM;
    pthread_mutex_init(&pending->mutex, NULL);
    pthread_cond_init(&pending->work, NULL);
    return thread ? -pthread_create(&pending->thread, NULL, finisher, pending) : 0;
}

static void pending_fini(struct dispatch_pending *pending)
{
    if (pending->thread != 0) {
        pthread_mutex_lock(&pending->mutex);
        pending->quit = true;
        pthread_cond_signal(&pending->work);
        pthread_mutex_unlock(&pending->mutex);
        pthread_join(pending->thread, NULL);
    }
    free(pending->ops);
    free(pending->taken);
}

static int add_drivers(struct dispatch_context *with, const struct bench_graph *graph)
{
    static int (*const callbacks[])(struct muster_op *op) = {call_sync, call_later, call_thread, call_threaded};
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    def.initialize = callbacks[with->completion];
    def.threaded = with->completion == DISPATCH_THREADED ? MUSTER_THREADED(INITIALIZE) : 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        def.name = graph->names[i];
        def.needs = graph->needs[i];
        int code = muster_add_driver(with->context, &def, with, NULL);
        if (code != 0)
            return code;
    }
    return 0;
}

int dispatch_context_init(struct dispatch_context *with, const struct bench_graph *graph,
                          enum dispatch_completion completion)
{
    *with = (struct dispatch_context){.completion = completion};
    int code = pending_init(&with->pending, graph->count, completion == DISPATCH_THREAD);
    if (code == 0)
        code = muster_new(NULL, &with->context);
    if (code == 0)
        code = add_drivers(with, graph);
    return code;
}

static void settled(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct dispatch_context *with = data;
    with->settled_ns = bench_now_ns();
    with->code = code;
    if (code != 0)
        fprintf(stderr, "dispatch: muster: %s\n", muster_error_text(error));
    muster_shutdown(context, MUSTER_DAEMON_RESTART, with->down, with);
}

int dispatch_context_begin(struct dispatch_context *with)
{
    int code = muster_check(with->context);
    if (code != 0)
        return code;
    with->begin_ns = bench_now_ns();
    return muster_bring_up(with->context, settled, with);
}

uint64_t dispatch_context_end(struct dispatch_context *with, const struct bench_graph *graph, int code)
{
    pending_fini(&with->pending);
    muster_free(with->context);
    if (code == 0)
        code = with->code;
    if (code != 0)
        fprintf(stderr, "dispatch: muster: %s\n", muster_code_text(code));
    return code == 0 && with->called == graph->count ? with->settled_ns - with->begin_ns : 0;
}

/* ---- by muster_run() ----------------------------------------------------------------------------- */

static uint64_t run(const struct dispatch_input *input, enum dispatch_completion completion)
{
    struct dispatch_context with;
    int code = dispatch_context_init(&with, input->graph, completion);
    if (code == 0)
        code = dispatch_context_begin(&with);
    if (code == 0)
        code = muster_run(with.context);
    return dispatch_context_end(&with, input->graph, code);
}

uint64_t dispatch_muster_sync(const struct dispatch_input *input)
{
    return run(input, DISPATCH_SYNC);
}

uint64_t dispatch_muster_later(const struct dispatch_input *input)
{
    return run(input, DISPATCH_LATER);
}

uint64_t dispatch_muster_thread(const struct dispatch_input *input)
{
    return run(input, DISPATCH_THREAD);
}

uint64_t dispatch_muster_threaded(const struct dispatch_input *input)
{
    return run(input, DISPATCH_THREADED);
}

uint64_t dispatch_muster_built(const struct dispatch_input *input)
{
    struct dispatch_context with;
    uint64_t begin = bench_now_ns();
    int code = dispatch_context_init(&with, input->graph, DISPATCH_SYNC);
    if (code == 0)
        code = muster_bring_up(with.context, settled, &with);
    if (code == 0)
        code = muster_run(with.context);
    with.begin_ns = begin;
    return dispatch_context_end(&with, input->graph, code);
}

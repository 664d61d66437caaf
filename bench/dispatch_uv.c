/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <muster/uv.h>

#include "bench.h"
#include "dispatch_muster.h"

/* ---- muster on a loop ---------------------------------------------------------------------------- */

static void detach(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)data;
    (void)code;
    (void)error;
    muster_uv_detach(context, NULL, NULL);
}

static int drive(struct dispatch_context *with)
{
    uv_loop_t loop;
    int code = uv_loop_init(&loop);
    if (code != 0)
        return code;
    with->down = detach;
    code = muster_uv_attach(with->context, &loop);
    if (code == 0)
        code = dispatch_context_begin(with);
    if (code != 0)
        muster_uv_detach(with->context, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return code;
}

static uint64_t run(const struct dispatch_input *input, enum dispatch_completion completion)
{
    struct dispatch_context with;
    int code = dispatch_context_init(&with, input->graph, completion);
    if (code == 0)
        code = drive(&with);
    return dispatch_context_end(&with, input->graph, code);
}

uint64_t dispatch_muster_uv_sync(const struct dispatch_input *input)
{
    return run(input, DISPATCH_SYNC);
}

uint64_t dispatch_muster_uv_later(const struct dispatch_input *input)
{
    return run(input, DISPATCH_LATER);
}

uint64_t dispatch_muster_uv_thread(const struct dispatch_input *input)
{
    return run(input, DISPATCH_THREAD);
}

uint64_t dispatch_muster_uv_threaded(const struct dispatch_input *input)
{
    return run(input, DISPATCH_THREADED);
}

/* ---- uv_queue_work() ----------------------------------------------------------------------------- */

struct works {
    const struct bench_limit *limit;
    uint32_t *left;
    uv_work_t *requests;
    bench_limit_call *calls;
    uint64_t called; /* on the pool's threads */
    uint64_t ended;
};

static void work(uv_work_t *request)
{
    struct works *works = request->data;
    uint64_t called = 0;
    works->calls[request - works->requests](&called);
    __atomic_fetch_add(&works->called, called, __ATOMIC_RELAXED);
}

static void ended(uv_work_t *request, int status)
{
    struct works *works = request->data;
    const struct bench_limit *limit = works->limit;
    uint32_t id = (uint32_t)(request - works->requests);
    works->ended += status == 0;
    for (uint32_t i = limit->start[id]; i < limit->start[id + 1]; i++) {
        uint32_t dependent = limit->ids[i];
        if (--works->left[dependent] == 0)
            uv_queue_work(request->loop, &works->requests[dependent], work, ended);
    }
}

static uint64_t run_works(struct works *works)
{
    const struct bench_limit *limit = works->limit;
    uv_loop_t loop;
    if (uv_loop_init(&loop) != 0)
        return 0;
    for (uint32_t id = 0; id < limit->count; id++) {
        works->requests[id].data = works;
        works->left[id] = limit->waits_for[id];
    }
    uint64_t begin = bench_now_ns();
    for (uint32_t id = 0; id < limit->count; id++)
        if (limit->waits_for[id] == 0)
            uv_queue_work(&loop, &works->requests[id], work, ended);
    uv_run(&loop, UV_RUN_DEFAULT);
    uint64_t took = bench_now_ns() - begin;
    uv_loop_close(&loop);
    return works->called == limit->count && works->ended == limit->count ? took : 0;
}

uint64_t dispatch_uv_queue_work(const struct dispatch_input *input)
{
    struct works works = {.limit = input->limit, .calls = input->calls};
    works.left = malloc(input->limit->count * sizeof(*works.left));
    works.requests = calloc(input->limit->count, sizeof(*works.requests));
    uint64_t took = works.left == NULL || works.requests == NULL ? 0 : run_works(&works);
    free(works.left);
    free(works.requests);
    return took;
}

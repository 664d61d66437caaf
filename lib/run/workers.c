/* SPDX-License-Identifier: MIT */
/*
 * THREADED callbacks. An op that waits for a worker stays QUEUED, and its deadline is put off until a worker takes it:
 * waiting in a queue doesn't count. A worker whose callback is past it may never come back: another takes its place.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "run/context.h"

/* No deadline. */
#define WHILE_QUEUED UINT64_MAX

int muster__thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *arg), void *arg)
{
    sigset_t all;
    sigset_t old;
    pthread_t thread;
    sigfillset(&all);
    int code = pthread_sigmask(SIG_SETMASK, &all, &old);
    if (code != 0)
        return -code;
    code = pthread_create(&thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (code != 0)
        return -code;
    pthread_setname_np(thread, name);
    *ret_thread = thread;
    return 0;
}

int muster__workers_init(struct muster *context, size_t max)
{
    struct muster__workers *workers = &context->workers;
    muster__list_init(&workers->queue);
    muster__list_init(&workers->calls);
    workers->max = max;
    return muster__cond_init(&workers->work);
}

void muster__workers_fini(struct muster *context)
{
    pthread_cond_destroy(&context->workers.work);
    muster__free(&context->memory, context->workers.threads);
}

static uint64_t op_timeout(const struct muster *context, const struct muster_op *op)
{
    uint64_t timeout = muster__driver_def(op->driver)->op_timeout_ms;
    return timeout == 0 ? context->op_timeout_ms : timeout;
}

/* The mutex is held. */
static void put_off(struct muster *context, struct muster_op *op, uint64_t ms)
{
    if (op_timeout(context, op) != MUSTER_NO_TIMEOUT)
        muster__op_delay(context, op, ms);
}

/* The mutex is held. False: it isn't to be called any more, and is finished. */
static bool begin(struct muster *context, struct muster_op *op)
{
    int from = MUSTER__OP_QUEUED;
    if (context->abandoned || atomic_load(&op->cancelled)) {
        muster__op_refuse(context, op, MUSTER_ECANCELED, "cancelled before it was called");
        return false;
    }
    if (!atomic_compare_exchange_strong(&op->stage, &from, MUSTER__OP_OUT))
        return false;
    put_off(context, op, op_timeout(context, op));
    return true;
}

/* A worker's call. Its op may be finished, and used again, before the callback returns. */
struct call {
    struct muster__list link;
    const struct muster_op *op;
    bool late;
};

static struct muster_op *pop(struct muster__workers *workers)
{
    struct muster__list *link = muster__list_pop(&workers->queue);
    if (link == NULL)
        return NULL;
    workers->queued--;
    return muster__container(link, struct muster_op, queue);
}

static struct muster_op *take(struct muster__workers *workers)
{
    return workers->in_time < workers->max ? pop(workers) : NULL;
}

/* The mutex is held, but not during the call. */
static void work_on(struct muster *context, struct muster_op *op)
{
    struct muster__workers *workers = &context->workers;
    struct call call = {.op = op};
    if (!begin(context, op))
        return;
    muster__list_push(&workers->calls, &call.link);
    workers->in_time++;
    pthread_mutex_unlock(&context->mutex);
    muster__op_returned(op, op->callback(op));
    pthread_mutex_lock(&context->mutex);
    muster__list_remove(&call.link);
    if (call.late)
        workers->late--;
    else
        workers->in_time--;
}

static void *worker(void *arg)
{
    struct muster *context = arg;
    struct muster__workers *workers = &context->workers;
    struct muster_op *op;
    pthread_mutex_lock(&context->mutex);
    for (;;) {
        while ((op = take(workers)) == NULL && !workers->quit) {
            workers->idle++;
            pthread_cond_wait(&workers->work, &context->mutex);
            workers->idle--;
        }
        if (op == NULL)
            break;
        work_on(context, op);
    }
    context->threads_alive--;
    bool last = muster__context_settle(context);
    pthread_mutex_unlock(&context->mutex);
    if (last)
        muster__context_destroy(context);
    return NULL;
}

/* The mutex is held. */
static int add_worker(struct muster *context)
{
    struct muster__workers *workers = &context->workers;
    void *threads = workers->threads;
    int code = muster__grow(&context->memory, &threads, workers->count, &workers->capacity, sizeof(pthread_t));
    if (code != 0)
        return code;
    workers->threads = threads;
    code = muster__thread_start(&workers->threads[workers->count], "muster-worker", worker, context);
    if (code != 0)
        return code;
    workers->count++;
    context->threads_alive++;
    return 0;
}

static void refuse(struct muster *context, struct muster_op *op, const char *what, int code)
{
    char text[128];
    snprintf(text, sizeof(text), "%s: %s", what, muster_code_text(code));
    muster__op_refuse(context, op, MUSTER_EUNAVAILABLE, text);
}

static bool may_add(const struct muster__workers *workers)
{
    size_t more = workers->late < workers->max ? workers->late : workers->max;
    return workers->queued > workers->idle && workers->count - more < workers->max;
}

/* The mutex is held. See that somebody takes what waits; if there is nobody who ever may, it doesn't wait. */
static void serve(struct muster *context)
{
    struct muster__workers *workers = &context->workers;
    struct muster_op *op;
    int code = may_add(workers) ? add_worker(context) : 0;
    if (workers->count > workers->late) {
        pthread_cond_signal(&workers->work);
        return;
    }
    while ((op = pop(workers)) != NULL)
        if (workers->count == 0)
            refuse(context, op, "no worker could be started", code);
        else
            muster__op_refuse(context, op, MUSTER_EUNAVAILABLE, "all workers are in callbacks past their deadline");
}

static void enqueue(struct muster *context, struct muster_op *op)
{
    struct muster__workers *workers = &context->workers;
    pthread_mutex_lock(&context->mutex);
    muster__list_push(&workers->queue, &op->queue);
    workers->queued++;
    serve(context);
    pthread_mutex_unlock(&context->mutex);
}

/* The latest: the op may have been another one before. */
static struct call *call_of(struct muster__workers *workers, const struct muster_op *op)
{
    for (struct muster__list *link = workers->calls.prev; link != &workers->calls; link = link->prev)
        if (muster__container(link, struct call, link)->op == op)
            return muster__container(link, struct call, link);
    return NULL;
}

void muster__workers_late(struct muster *context, const struct muster_op *op)
{
    struct muster__workers *workers = &context->workers;
    pthread_mutex_lock(&context->mutex);
    struct call *call = call_of(workers, op);
    if (call != NULL && !call->late) {
        call->late = true;
        workers->in_time--;
        workers->late++;
        serve(context);
    }
    pthread_mutex_unlock(&context->mutex);
}

/* When the callback has returned, nothing may be left: the context isn't touched again. */
static void work_for_executor(void *arg)
{
    struct muster_op *op = arg;
    struct muster *context = muster__engine_context(op->engine);
    pthread_mutex_lock(&context->mutex);
    bool begun = begin(context, op);
    bool last = !begun && muster__context_settle(context);
    pthread_mutex_unlock(&context->mutex);
    if (begun)
        muster__op_returned(op, op->callback(op));
    else if (last)
        muster__context_destroy(context);
}

static void hand_over(struct muster *context, struct muster_op *op)
{
    int code = context->executor.submit(context->executor.data, work_for_executor, op);
    if (code >= 0)
        return;
    pthread_mutex_lock(&context->mutex);
    refuse(context, op, "the executor refused it", code);
    pthread_mutex_unlock(&context->mutex);
}

void muster__workers_submit(struct muster *context, struct muster_op *op)
{
    if (op_timeout(context, op) != MUSTER_NO_TIMEOUT) {
        op->effects.extend_ms = WHILE_QUEUED;
        muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_OP_EXTENDED, .op = op});
        op->effects.extend_ms = 0;
    }
    if (context->executor.submit != NULL)
        hand_over(context, op);
    else
        enqueue(context, op);
}

bool muster__workers_withdraw(struct muster *context, struct muster_op *op)
{
    pthread_mutex_lock(&context->mutex);
    bool waits = !muster__list_empty(&op->queue);
    if (waits) {
        muster__list_remove(&op->queue);
        context->workers.queued--;
        muster__op_refuse(context, op, MUSTER_ECANCELED, "cancelled before it was called");
    }
    pthread_mutex_unlock(&context->mutex);
    return waits;
}

void muster__workers_withdraw_all(struct muster *context)
{
    struct muster_op *op;
    while ((op = pop(&context->workers)) != NULL)
        muster__op_refuse(context, op, MUSTER_ECANCELED, "the context was abandoned");
}

/* The mutex is held. */
static void quit(struct muster *context)
{
    context->workers.quit = true;
    pthread_cond_broadcast(&context->workers.work);
}

void muster__workers_join(struct muster *context)
{
    pthread_mutex_lock(&context->mutex);
    quit(context);
    pthread_mutex_unlock(&context->mutex);
    for (size_t i = 0; i < context->workers.count; i++)
        pthread_join(context->workers.threads[i], NULL);
    context->workers.count = 0;
}

void muster__workers_detach(struct muster *context)
{
    quit(context);
    for (size_t i = 0; i < context->workers.count; i++)
        pthread_detach(context->workers.threads[i]);
    context->workers.count = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * THREADED callbacks. An op that waits for a worker stays QUEUED, and its deadline is put off until a worker takes it:
 * waiting in a queue doesn't count.
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

static struct muster_op *take(struct muster__workers *workers)
{
    struct muster__list *link = muster__list_pop(&workers->queue);
    if (link == NULL)
        return NULL;
    workers->queued--;
    return muster__container(link, struct muster_op, queue);
}

/* The mutex is held, but not during the call. */
static void work_on(struct muster *context, struct muster_op *op)
{
    if (!begin(context, op))
        return;
    pthread_mutex_unlock(&context->mutex);
    muster__op_returned(op, op->callback(op));
    pthread_mutex_lock(&context->mutex);
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

static void enqueue(struct muster *context, struct muster_op *op)
{
    struct muster__workers *workers = &context->workers;
    int code = 0;
    pthread_mutex_lock(&context->mutex);
    muster__list_push(&workers->queue, &op->queue);
    workers->queued++;
    if (workers->queued > workers->idle && workers->count < workers->max)
        code = add_worker(context);
    if (workers->count == 0) {
        muster__list_remove(&op->queue);
        workers->queued--;
        refuse(context, op, "no worker could be started", code);
    } else {
        pthread_cond_signal(&workers->work);
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
    while ((op = take(&context->workers)) != NULL)
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

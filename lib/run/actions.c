/* SPDX-License-Identifier: MIT */
#include "run/context.h"

static void call(struct muster *context, const struct muster__action *action)
{
    struct muster_op *op = action->op;
    int (*callback)(struct muster_op *op) = op->callback;
    muster__inbox_forget(context, op);
    if (callback != NULL && op->threaded) {
        muster__workers_submit(context, op);
        return;
    }
    atomic_store_explicit(&op->stage, MUSTER__OP_OUT, memory_order_relaxed);
    context->called = op;
    int outcome = callback == NULL ? MUSTER_OK : callback(op);
    if (outcome == MUSTER_PENDING)
        muster__now(context);
    else
        muster__now_and_then(context);
    context->called = NULL;
    muster__op_returned_on_loop(context, op, outcome);
}

static void cancel(struct muster *context, const struct muster__action *action)
{
    struct muster_op *op = action->op;
    void (*callback)(struct muster_op *op) = muster__driver_def(op->driver)->cancel;
    atomic_store(&op->cancelled, true);
    if (op->timed_out && op->threaded)
        muster__workers_late(context, op);
    if (muster__workers_withdraw(context, op))
        return;
    if (callback != NULL && atomic_load(&op->stage) == MUSTER__OP_OUT)
        callback(op);
}

static void done(struct muster *context, const struct muster__action *action)
{
    if (action->done.cb != NULL)
        action->done.cb(context, action->done.data, action->code, action->error);
    muster__now(context);
}

static void observe(struct muster *context, const struct muster__action *action)
{
    size_t count = context->observer_count;
    for (size_t i = 0; i < count; i++) {
        struct muster__observer observer = context->observers[i];
        observer.cb(context, observer.data, action->observation);
    }
}

static void release(struct muster *context, const struct muster__action *action)
{
    (void)context;
    if (action->release != NULL)
        action->release(action->data);
}

void muster__carry_out(struct muster *context, const struct muster__action *action)
{
    static void (*const ways[])(struct muster *context, const struct muster__action *action) = {
        [MUSTER__ACTION_CALL] = call,
        [MUSTER__ACTION_CANCEL] = cancel,
        [MUSTER__ACTION_LOAD] = muster__store_submit,
        [MUSTER__ACTION_COMMIT] = muster__store_submit,
        [MUSTER__ACTION_CLOSE] = muster__store_submit,
        [MUSTER__ACTION_DONE] = done,
        [MUSTER__ACTION_OBSERVE] = observe,
        [MUSTER__ACTION_RELEASE] = release,
    };
    ways[action->type](context, action);
}

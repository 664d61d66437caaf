/* SPDX-License-Identifier: MIT */
/* The inbox: ops that other threads, or callbacks, have finished or extended, in that order. */
#include "run/context.h"

void muster__inbox_add(struct muster *context, struct muster_op *op, enum muster__news news)
{
    op->news |= news;
    if (!op->in_inbox) {
        op->in_inbox = true;
        muster__list_push(&context->inbox, &op->inbox);
    }
    muster__wake(context);
}

void muster__inbox_forget(struct muster *context, struct muster_op *op)
{
    if (!atomic_load_explicit(&op->in_inbox, memory_order_relaxed))
        return;
    pthread_mutex_lock(&context->mutex);
    muster__list_remove(&op->inbox);
    op->in_inbox = false;
    op->news = 0;
    pthread_mutex_unlock(&context->mutex);
}

/* With the mutex held: op->effects.extend_ms may be written meanwhile. */
static void step_extended(struct muster *context, struct muster_op *op)
{
    muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_OP_EXTENDED, .op = op});
    op->effects.extend_ms = 0;
}

static void step_ended(struct muster *context, struct muster_op *op, unsigned news)
{
    if ((news & MUSTER__NEWS_TWICE) != 0)
        muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_OP_TWICE, .op = op});
    if ((news & MUSTER__NEWS_FINISHED) != 0) {
        muster__op_forget_names(op);
        muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_OP_FINISHED, .op = op});
    }
}

/* The mutex is held. NULL if there is none. */
static struct muster_op *take(struct muster *context, unsigned *ret_news)
{
    struct muster__list *link = muster__list_pop(&context->inbox);
    *ret_news = 0;
    if (link == NULL)
        return NULL;
    struct muster_op *op = muster__container(link, struct muster_op, inbox);
    *ret_news = op->news;
    op->news = 0;
    op->in_inbox = false;
    if ((*ret_news & MUSTER__NEWS_EXTENDED) != 0)
        step_extended(context, op);
    return op;
}

/* What was taken at once, in its order. */
#define BATCH 64
struct batch {
    struct muster_op *ops[BATCH];
    unsigned news[BATCH];
    size_t count;
};

/* An extension is stepped when it is taken: what ended before it must have been stepped by then. */
static bool may_take(const struct muster *context, const struct batch *batch)
{
    if (muster__list_empty(&context->inbox) || batch->count == BATCH)
        return false;
    const struct muster_op *op = muster__container(context->inbox.next, struct muster_op, inbox);
    return batch->count == 0 || (op->news & MUSTER__NEWS_EXTENDED) == 0;
}

void muster__inbox_run(struct muster *context)
{
    struct batch batch;
    do {
        batch.count = 0;
        pthread_mutex_lock(&context->mutex);
        while (may_take(context, &batch)) {
            batch.ops[batch.count] = take(context, &batch.news[batch.count]);
            batch.count++;
        }
        pthread_mutex_unlock(&context->mutex);
        for (size_t i = 0; i < batch.count; i++)
            step_ended(context, batch.ops[i], batch.news[i]);
    } while (batch.count > 0);
}

void muster__inbox_run_locked(struct muster *context)
{
    unsigned news = 0;
    struct muster_op *op;
    while ((op = take(context, &news)) != NULL)
        step_ended(context, op, news);
}

/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

int muster__timer_init(struct muster__engine *engine, struct muster__timer *timer,
                       void (*expired)(struct muster__engine *engine, struct muster__timer *timer))
{
    int code = muster__heap_reserve(&engine->timers);
    if (code != 0)
        return code;
    *timer = (struct muster__timer){.expired = expired};
    return 0;
}

void muster__timer_fini(struct muster__engine *engine, struct muster__timer *timer)
{
    if (timer->expired == NULL)
        return;
    muster__timer_clear(engine, timer);
    muster__heap_unreserve(&engine->timers);
    timer->expired = NULL;
}

void muster__timer_set(struct muster__engine *engine, struct muster__timer *timer, uint64_t at)
{
    muster__heap_push(&engine->timers, &timer->node, at, 0);
}

void muster__timer_clear(struct muster__engine *engine, struct muster__timer *timer)
{
    muster__heap_remove(&engine->timers, &timer->node);
}

void muster__timers_expire(struct muster__engine *engine)
{
    struct muster__heap_node *node;
    while ((node = muster__heap_first(&engine->timers)) != NULL && node->key <= engine->now) {
        struct muster__timer *timer = muster__container(node, struct muster__timer, node);
        muster__timer_clear(engine, timer);
        timer->expired(engine, timer);
    }
}

uint64_t muster__engine_wake_at(const struct muster__engine *engine)
{
    struct muster__heap_node *node = muster__heap_first(&engine->timers);
    return node == NULL ? UINT64_MAX : node->key;
}

uint64_t muster__time_after(uint64_t begin_ms, uint64_t ms)
{
    return ms > UINT64_MAX - begin_ms ? UINT64_MAX : begin_ms + ms;
}

uint64_t muster__backoff(const struct muster__engine *engine, uint32_t tries)
{
    uint64_t pause = engine->options.retry_min_ms;
    while (tries-- > 0 && pause < engine->options.retry_max_ms)
        pause = muster__time_after(pause, pause);
    return pause < engine->options.retry_max_ms ? pause : engine->options.retry_max_ms;
}

uint64_t muster__retry_at(const struct muster__engine *engine, uint32_t *tries)
{
    return muster__time_after(engine->now, muster__backoff(engine, (*tries)++));
}

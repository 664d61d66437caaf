/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "run/context.h"

static uint64_t read_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#ifdef CLOCK_MONOTONIC_COARSE
#define COARSE CLOCK_MONOTONIC_COARSE
#else
#define COARSE CLOCK_MONOTONIC
#endif
/* The coarse clock's longest tick, and one for the rounding. */
#define TICK_MS 11

uint64_t muster__clock_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

/* It was called within the tick in which the clock was read before: a deadline is never early. */
static void correct_called(struct muster *context)
{
    struct muster_op *op = context->called;
    uint64_t latest = context->tick + TICK_MS;
    context->called = NULL;
    if (!context->exact)
        op->called_ms = context->now < latest ? context->now : latest;
}

uint64_t muster__now(struct muster *context)
{
    uint64_t now = muster__clock_ms();
    if (now > context->now)
        context->now = now;
    if (context->called != NULL)
        correct_called(context);
    context->tick = read_ms(COARSE);
    return context->now;
}

void muster__now_and_then(struct muster *context)
{
    if (context->exact || read_ms(COARSE) != context->tick)
        muster__now(context);
}

struct timespec muster__deadline(uint64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    uint64_t seconds = ms / 1000;
    at.tv_sec += (time_t)(seconds < INT32_MAX ? seconds : INT32_MAX);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

int muster__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int code = pthread_condattr_init(&attributes);
    if (code != 0)
        return -code;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    code = pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
    return -code;
}

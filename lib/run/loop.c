/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "run/context.h"

static void write_fd(int fd)
{
    uint64_t one = 1;
    /* EAGAIN: the counter is full, so the fd is readable. */
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

static void drain_fd(int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
}

void muster__wake(struct muster *context)
{
    if (context->awake || context->abandoned)
        return;
    context->awake = true;
    write_fd(context->fd);
}

int muster_fd(const struct muster *context)
{
    int code = muster__enter(context);
    return code != 0 ? code : context->fd;
}

int muster_timeout(const struct muster *context)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (context->stepped)
        return 0;
    uint64_t at = muster__engine_wake_at(context->engine);
    uint64_t now = muster__clock_ms();
    if (at == UINT64_MAX)
        return -1;
    if (at <= now)
        return 0;
    return at - now < INT_MAX ? (int)(at - now) : INT_MAX;
}

int muster_set_loop_data(struct muster *context, void *data)
{
    int code = muster__enter(context);
    if (code == 0)
        context->loop_data = data;
    return code;
}

void *muster_loop_data(const struct muster *context)
{
    return muster__enter(context) == 0 ? context->loop_data : NULL;
}

void muster_request_shutdown(struct muster *context, enum muster_shutdown_kind kind)
{
    if (muster__enter(context) != 0 || (kind != MUSTER_DAEMON_RESTART && kind != MUSTER_HOST_SHUTDOWN))
        return;
    int saved = errno;
    atomic_store(&context->shutdown_wanted, (int)kind + 1);
    write_fd(context->fd);
    errno = saved;
}

static void take_shutdown(struct muster *context)
{
    int wanted = atomic_exchange(&context->shutdown_wanted, 0);
    if (wanted != 0)
        muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_SHUTDOWN, .number = (uint64_t)(wanted - 1)});
}

static void wake_up(struct muster *context)
{
    pthread_mutex_lock(&context->mutex);
    context->awake = true;
    pthread_mutex_unlock(&context->mutex);
    drain_fd(context->fd);
    context->processing = true;
    muster__now(context);
}

/* False: something has come in meanwhile that is to be done first. Posts wait for the next muster_process(). */
static bool go_to_sleep(struct muster *context)
{
    pthread_mutex_lock(&context->mutex);
    bool idle = muster__list_empty(&context->inbox) && muster__list_empty(&context->store_worker.results);
    if (idle) {
        context->processing = false;
        context->stepped = false;
        context->awake = false;
        if (!muster__list_empty(&context->posts))
            muster__wake(context);
    }
    pthread_mutex_unlock(&context->mutex);
    return idle;
}

/* The clock is read first: what isn't in by then has not ended before. */
static void let_time_pass(struct muster *context)
{
    muster__now(context);
    muster__inbox_run(context);
    muster__store_results(context);
    muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_TIME});
}

int muster_process(struct muster *context)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (context->processing || context->ending)
        return MUSTER_EBUSY;
    wake_up(context);
    take_shutdown(context);
    muster__inbox_run(context);
    muster__posts_run(context);
    do {
        struct muster__action action;
        let_time_pass(context);
        while (muster__engine_action(context->engine, &action)) {
            muster__carry_out(context, &action);
            if (muster__engine_wake_at(context->engine) <= context->now)
                let_time_pass(context);
        }
    } while (!go_to_sleep(context));
    return 0;
}

int muster_run(struct muster *context)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (context->processing || context->ending)
        return MUSTER_EBUSY;
    if (muster__engine_state(context->engine) == MUSTER_STATE_NEW)
        return MUSTER_ESTATE;
    while ((code = muster_process(context)) == 0 && muster__engine_state(context->engine) != MUSTER_STATE_DOWN) {
        struct pollfd ready = {.fd = context->fd, .events = POLLIN};
        if (poll(&ready, 1, muster_timeout(context)) < 0 && errno != EINTR)
            return -errno;
    }
    return code != 0 ? code : muster__engine_result(context->engine);
}

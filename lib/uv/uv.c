/* SPDX-License-Identifier: MIT */
/* A context on a libuv loop, by the public functions alone. */
#include <muster/uv.h>

#include <stdbool.h>
#include <stdlib.h>

struct attached {
    struct muster *context;
    uv_poll_t poll;
    uv_timer_t timer;
    int open_handles;
    bool detaching;
    muster_uv_detached_cb cb;
    void *data;
};

static void on_timer(uv_timer_t *timer);

static void arm(struct attached *attached)
{
    int timeout = muster_timeout(attached->context);
    if (timeout < 0)
        uv_timer_stop(&attached->timer);
    else
        uv_timer_start(&attached->timer, on_timer, (uint64_t)timeout, 0);
}

/* A callback may detach. */
static void process(struct attached *attached)
{
    muster_process(attached->context);
    if (!attached->detaching)
        arm(attached);
}

static void on_timer(uv_timer_t *timer)
{
    process(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    process(poll->data);
}

static void on_close(uv_handle_t *handle)
{
    struct attached *attached = handle->data;
    if (--attached->open_handles > 0)
        return;
    muster_uv_detached_cb cb = attached->cb;
    void *data = attached->data;
    free(attached);
    if (cb != NULL)
        cb(data);
}

static void close_handle(struct attached *attached, uv_handle_t *handle)
{
    attached->open_handles++;
    uv_close(handle, on_close);
}

int muster_uv_attach(struct muster *context, uv_loop_t *loop)
{
    int fd = muster_fd(context);
    if (fd < 0)
        return fd;
    if (loop == NULL)
        return MUSTER_EINVAL;
    if (muster_loop_data(context) != NULL)
        return MUSTER_EBUSY;
    struct attached *attached = calloc(1, sizeof(*attached));
    if (attached == NULL)
        return MUSTER_ENOMEM;
    attached->context = context;
    int code = uv_poll_init(loop, &attached->poll, fd);
    if (code != 0) {
        free(attached);
        return code;
    }
    uv_timer_init(loop, &attached->timer);
    attached->poll.data = attached;
    attached->timer.data = attached;
    code = uv_poll_start(&attached->poll, UV_READABLE, on_poll);
    if (code != 0) {
        attached->detaching = true;
        close_handle(attached, (uv_handle_t *)&attached->poll);
        close_handle(attached, (uv_handle_t *)&attached->timer);
        return code;
    }
    muster_set_loop_data(context, attached);
    arm(attached);
    return 0;
}

int muster_uv_detach(struct muster *context, muster_uv_detached_cb cb, void *data)
{
    int fd = muster_fd(context);
    if (fd < 0)
        return fd;
    struct attached *attached = muster_loop_data(context);
    if (attached == NULL)
        return MUSTER_EINVAL;
    attached->detaching = true;
    attached->cb = cb;
    attached->data = data;
    muster_set_loop_data(context, NULL);
    close_handle(attached, (uv_handle_t *)&attached->poll);
    close_handle(attached, (uv_handle_t *)&attached->timer);
    return 0;
}

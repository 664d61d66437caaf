/* SPDX-License-Identifier: MIT */
#include "delay.h"

#include <stdlib.h>

struct delay {
    uv_timer_t timer;
    delay_cb cb;
    void *data;
};

static void on_timer(uv_timer_t *timer)
{
    struct delay *delay = timer->data;
    delay->cb(delay->data);
}

struct delay *delay_new(uv_loop_t *loop, uint64_t ms, delay_cb cb, void *data)
{
    struct delay *delay = calloc(1, sizeof(*delay));
    if (delay == NULL)
        return NULL;
    delay->cb = cb;
    delay->data = data;
    uv_timer_init(loop, &delay->timer);
    delay->timer.data = delay;
    uv_update_time(loop);
    uv_timer_start(&delay->timer, on_timer, ms, 0);
    return delay;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void delay_free(struct delay *delay)
{
    if (delay != NULL)
        uv_close((uv_handle_t *)&delay->timer, on_closed);
}

/* SPDX-License-Identifier: MIT */
/* The input is what QEMU says on its socket, in pieces; what it is answered goes nowhere, since there is no connection. */
#include <stdbool.h>
#include <stdint.h>

#include "fuzz.h"

/* Its reader is what is looked at, and is nobody else's to call. */
#include "qmp.c"

static size_t heard;

static void on_ready(void *data, const char *status)
{
    (void)data;
    heard += strlen(status);
}

static void on_event(void *data, const char *name, const json_t *values)
{
    (void)data;
    heard += strlen(name) + json_object_size(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct qmp_events events = {on_ready, on_event};
    struct qmp *qmp = calloc(1, sizeof(*qmp));
    uv_loop_t loop;
    must(qmp != NULL && uv_loop_init(&loop) == 0 && uv_pipe_init(&loop, &qmp->pipe, 0) == 0);
    qmp->events = &events;
    qmp->loop = &loop;
    qmp->open = true;
    qmp->pipe.data = qmp;
    uv_timer_init(&loop, &qmp->timer);
    qmp->timer.data = qmp;
    for (size_t at = 0; at < size && !uv_is_closing((uv_handle_t *)&qmp->pipe);) {
        uv_buf_t buffer;
        on_alloc((uv_handle_t *)&qmp->pipe, 65536, &buffer);
        size_t count = 1 + data[at] * 8u;
        count = count < size - at ? count : size - at;
        count = count < buffer.len ? count : buffer.len;
        memcpy(buffer.base, data + at, count);
        on_read((uv_stream_t *)&qmp->pipe, (ssize_t)count, &buffer);
        at += count;
    }
    qmp_free(qmp);
    uv_run(&loop, UV_RUN_DEFAULT);
    must(uv_loop_close(&loop) == 0);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "qmp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECONNECT_MS 20
#define LINE_BYTES 16384
/* The id of the one command whose reply counts. */
#define STATUS_ID "status"

struct qmp {
    uv_loop_t *loop;
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_connect_t connect;
    /* The pipe is: from uv_pipe_init() until its close is done. */
    bool open;
    bool freed;
    bool ready;
    const struct qmp_events *events;
    void *data;
    char path[108];
    size_t used;
    char line[LINE_BYTES];
};

struct write_request {
    uv_write_t write;
    char text[128];
};

static void connect_pipe(struct qmp *qmp);

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_timer(uv_timer_t *timer)
{
    connect_pipe(timer->data);
}

static void on_pipe_closed(uv_handle_t *handle)
{
    struct qmp *qmp = handle->data;
    qmp->open = false;
    if (qmp->freed)
        uv_close((uv_handle_t *)&qmp->timer, on_timer_closed);
    else
        uv_timer_start(&qmp->timer, on_timer, RECONNECT_MS, 0);
}

static void hang_up(struct qmp *qmp)
{
    qmp->ready = false;
    if (!uv_is_closing((uv_handle_t *)&qmp->pipe))
        uv_close((uv_handle_t *)&qmp->pipe, on_pipe_closed);
}

/* ---- writing -------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write->data);
}

static int send_command(struct qmp *qmp, const char *command, const char *id)
{
    struct write_request *request = malloc(sizeof(*request));
    if (request == NULL)
        return -ENOMEM;
    int length =
        snprintf(request->text, sizeof(request->text), "{\"execute\":\"%s\",\"id\":\"%s\"}\n", command, id);
    request->write.data = request;
    uv_buf_t buffer = uv_buf_init(request->text, (unsigned int)length);
    int code = uv_write(&request->write, (uv_stream_t *)&qmp->pipe, &buffer, 1, on_written);
    if (code != 0)
        free(request);
    return code;
}

int qmp_send(struct qmp *qmp, const char *command)
{
    return qmp->ready ? send_command(qmp, command, "") : -ENOTCONN;
}

/* ---- reading -------------------------------------------------------------------------------------- */

static void handle_message(struct qmp *qmp, const json_t *message)
{
    const char *event = json_string_value(json_object_get(message, "event"));
    const char *id = json_string_value(json_object_get(message, "id"));
    if (json_object_get(message, "QMP") != NULL) {
        send_command(qmp, "qmp_capabilities", "");
        send_command(qmp, "query-status", STATUS_ID);
    } else if (event != NULL) {
        qmp->events->event(qmp->data, event, json_object_get(message, "data"));
    } else if (id != NULL && strcmp(id, STATUS_ID) == 0) {
        const char *status = json_string_value(json_object_get(json_object_get(message, "return"), "status"));
        qmp->ready = true;
        qmp->events->ready(qmp->data, status == NULL ? "unknown" : status);
    }
}

static void handle_lines(struct qmp *qmp)
{
    size_t begin = 0;
    for (char *end; (end = memchr(qmp->line + begin, '\n', qmp->used - begin)) != NULL && !qmp->freed;) {
        json_t *message = json_loadb(qmp->line + begin, (size_t)(end - qmp->line) - begin, 0, NULL);
        begin = (size_t)(end - qmp->line) + 1;
        if (message != NULL)
            handle_message(qmp, message);
        json_decref(message);
    }
    memmove(qmp->line, qmp->line + begin, qmp->used - begin);
    qmp->used -= begin;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct qmp *qmp = handle->data;
    *buffer = uv_buf_init(qmp->line + qmp->used, (unsigned int)(LINE_BYTES - qmp->used));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    (void)buffer;
    struct qmp *qmp = stream->data;
    if (got > 0) {
        qmp->used += (size_t)got;
        handle_lines(qmp);
    }
    if (got < 0 || qmp->used == LINE_BYTES)
        hang_up(qmp);
}

/* ---- the connection ------------------------------------------------------------------------------- */

static void on_connected(uv_connect_t *connect, int status)
{
    struct qmp *qmp = connect->data;
    if (qmp->freed)
        return;
    if (status != 0 || uv_read_start((uv_stream_t *)&qmp->pipe, on_alloc, on_read) != 0)
        hang_up(qmp);
}

static void connect_pipe(struct qmp *qmp)
{
    qmp->used = 0;
    qmp->open = true;
    uv_pipe_init(qmp->loop, &qmp->pipe, 0);
    qmp->pipe.data = qmp;
    qmp->connect.data = qmp;
    uv_pipe_connect(&qmp->connect, &qmp->pipe, qmp->path, on_connected);
}

struct qmp *qmp_new(uv_loop_t *loop, const char *path, const struct qmp_events *events, void *data)
{
    struct qmp *qmp = calloc(1, sizeof(*qmp));
    if (qmp == NULL)
        return NULL;
    qmp->loop = loop;
    qmp->events = events;
    qmp->data = data;
    snprintf(qmp->path, sizeof(qmp->path), "%s", path);
    uv_timer_init(loop, &qmp->timer);
    qmp->timer.data = qmp;
    connect_pipe(qmp);
    return qmp;
}

void qmp_free(struct qmp *qmp)
{
    if (qmp == NULL)
        return;
    qmp->freed = true;
    qmp->ready = false;
    if (!qmp->open)
        uv_close((uv_handle_t *)&qmp->timer, on_timer_closed);
    else
        hang_up(qmp);
}

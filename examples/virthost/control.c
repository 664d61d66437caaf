/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "process.h"
#include "request.h"
#include "virthost.h"

#define LINE_BYTES 65536
#define BACKLOG 64

struct control {
    uv_pipe_t pipe;
    struct virthost *host;
    struct client *clients;
    char path[108];
};

struct client {
    uv_pipe_t pipe;
    struct control *control;
    struct client *next;
    struct client **link;
    /* Requests that have not been answered, and the pipe itself. */
    int references;
    bool closed;
    size_t used;
    char line[LINE_BYTES];
};

struct reply {
    uv_write_t write;
    char *text;
};

/* ---- clients -------------------------------------------------------------------------------------- */

static void drop(struct client *client)
{
    if (--client->references == 0)
        free(client);
}

static void on_client_closed(uv_handle_t *handle)
{
    drop(handle->data);
}

static void hang_up(struct client *client)
{
    if (client->closed)
        return;
    client->closed = true;
    *client->link = client->next;
    if (client->next != NULL)
        client->next->link = client->link;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    struct reply *reply = write->data;
    free(reply->text);
    free(reply);
}

static void send_reply(struct client *client, const json_t *message)
{
    struct reply *reply = calloc(1, sizeof(*reply));
    char *text = json_dumps(message, JSON_COMPACT);
    size_t length = text == NULL ? 0 : strlen(text);
    if (reply == NULL || text == NULL) {
        free(reply);
        free(text);
        hang_up(client);
        return;
    }
    text[length] = '\n';
    reply->text = text;
    reply->write.data = reply;
    uv_buf_t buffer = uv_buf_init(text, (unsigned int)length + 1);
    if (uv_write(&reply->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) != 0) {
        on_written(&reply->write, 0);
        hang_up(client);
    }
}

/* request.c has finished with a line. */
static void on_answer(void *data, json_t *message)
{
    struct client *client = data;
    if (!client->closed)
        send_reply(client, message);
    json_decref(message);
    drop(client);
}

static void handle_lines(struct client *client)
{
    size_t begin = 0;
    for (char *end;
         (end = memchr(client->line + begin, '\n', client->used - begin)) != NULL && !client->closed;) {
        size_t length = (size_t)(end - client->line) - begin;
        client->references++;
        request_handle(client->control->host, client->line + begin, length, on_answer, client);
        begin += length + 1;
    }
    memmove(client->line, client->line + begin, client->used - begin);
    client->used -= begin;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct client *client = handle->data;
    *buffer = uv_buf_init(client->line + client->used, (unsigned int)(LINE_BYTES - client->used));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    (void)buffer;
    struct client *client = stream->data;
    if (got > 0) {
        client->used += (size_t)got;
        handle_lines(client);
    }
    if (got < 0 || client->used == LINE_BYTES)
        hang_up(client);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control *control = stream->data;
    struct client *client = status == 0 ? calloc(1, sizeof(*client)) : NULL;
    if (client == NULL)
        return;
    client->control = control;
    client->references = 1;
    client->link = &control->clients;
    client->next = control->clients;
    if (client->next != NULL)
        client->next->link = &client->next;
    control->clients = client;
    uv_pipe_init(&control->host->loop, &client->pipe, 0);
    client->pipe.data = client;
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) != 0)
        hang_up(client);
}

/* ---- the socket ----------------------------------------------------------------------------------- */

/*
 * A daemon that was killed between fork and exec leaves a child that has its sockets for a moment: then somebody listens, but who
 * began to is gone.
 */
static bool is_listener_gone(int fd)
{
    struct ucred listener;
    socklen_t bytes = sizeof(listener);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &bytes) == 0 && listener.pid > 0 &&
           process_start_time(listener.pid) == 0;
}

/* A socket that a killed daemon has left is in the way; one that somebody listens on is not to be taken. */
static int clear_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    bool answers = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    bool taken = answers ? !is_listener_gone(fd) : errno != ECONNREFUSED;
    close(fd);
    if (taken)
        return -EADDRINUSE;
    return unlink(path) == 0 ? 0 : -errno;
}

static void on_control_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int control_open(struct virthost *host, const char *path)
{
    int code = clear_path(path);
    if (code != 0)
        return code;
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL)
        return -ENOMEM;
    control->host = host;
    memcpy(control->path, path, strlen(path) + 1);
    uv_pipe_init(&host->loop, &control->pipe, 0);
    control->pipe.data = control;
    mode_t mask = umask(0177);
    code = uv_pipe_bind(&control->pipe, path);
    umask(mask);
    if (code == 0)
        code = uv_listen((uv_stream_t *)&control->pipe, BACKLOG, on_connection);
    if (code != 0) {
        uv_close((uv_handle_t *)&control->pipe, on_control_closed);
        return code;
    }
    host->control = control;
    return 0;
}

void control_close(struct virthost *host)
{
    struct control *control = host->control;
    if (control == NULL)
        return;
    host->control = NULL;
    while (control->clients != NULL)
        hang_up(control->clients);
    /* Closing it also removes the path. */
    uv_close((uv_handle_t *)&control->pipe, on_control_closed);
}

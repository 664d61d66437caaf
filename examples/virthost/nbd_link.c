/* SPDX-License-Identifier: MIT */
#include "nbd_link.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

struct nbd_link {
    uv_poll_t poll;
    /* The first call must not come from nbd_link_new(). */
    uv_idle_t first;
    int open;
    struct nbd_handle *nbd;
    nbd_link_cb cb;
    void *data;
    bool ready;
    bool over;
};

static void on_closed(uv_handle_t *handle)
{
    struct nbd_link *link = handle->data;
    if (--link->open > 0)
        return;
    nbd_close(link->nbd);
    free(link);
}

/* Without the name of libnbd's function. */
static const char *last_error(void)
{
    const char *text = nbd_get_error();
    const char *rest = text == NULL ? NULL : strstr(text, ": ");
    return text == NULL ? "no NBD server answers" : rest == NULL ? text : rest + 2;
}

static void end_link(struct nbd_link *link)
{
    link->over = true;
    uv_poll_stop(&link->poll);
    link->cb(link->data, link->ready ? "the server hung up" : last_error());
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void go_on(struct nbd_link *link)
{
    if (link->over)
        return;
    if (nbd_aio_is_dead(link->nbd) == 1 || nbd_aio_is_closed(link->nbd) == 1) {
        end_link(link);
        return;
    }
    unsigned direction = nbd_aio_get_direction(link->nbd);
    int events = direction & LIBNBD_AIO_DIRECTION_WRITE ? UV_WRITABLE : 0;
    if (direction & LIBNBD_AIO_DIRECTION_READ)
        events |= UV_READABLE;
    uv_poll_start(&link->poll, events | UV_DISCONNECT, on_poll);
    if (!link->ready && nbd_aio_is_ready(link->nbd) == 1) {
        link->ready = true;
        link->cb(link->data, NULL);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct nbd_link *link = poll->data;
    int code = 0;
    unsigned direction = nbd_aio_get_direction(link->nbd);
    if ((direction & LIBNBD_AIO_DIRECTION_READ) && (status != 0 || (events & (UV_READABLE | UV_DISCONNECT))))
        code = nbd_aio_notify_read(link->nbd);
    else if ((direction & LIBNBD_AIO_DIRECTION_WRITE) && (status != 0 || (events & UV_WRITABLE)))
        code = nbd_aio_notify_write(link->nbd);
    if (code != 0)
        end_link(link);
    else
        go_on(link);
}

static void on_first(uv_idle_t *first)
{
    uv_idle_stop(first);
    go_on(first->data);
}

static int configure(struct nbd_handle *nbd, const struct nbd_link_target *target)
{
    if (nbd_set_export_name(nbd, target->export_name) != 0)
        return -1;
    if (target->user == NULL)
        return 0;
    if (nbd_set_tls(nbd, LIBNBD_TLS_REQUIRE) != 0 || nbd_set_tls_username(nbd, target->user) != 0)
        return -1;
    return nbd_set_tls_psk_file(nbd, target->psk_file);
}

struct nbd_link *nbd_link_new(uv_loop_t *loop, const struct nbd_link_target *target, char *error,
                              size_t bytes)
{
    struct nbd_link *link = calloc(1, sizeof(*link));
    struct nbd_handle *nbd = link == NULL ? NULL : nbd_create();
    if (nbd == NULL || configure(nbd, target) != 0 || nbd_aio_connect_unix(nbd, target->socket) != 0 ||
        nbd_aio_get_fd(nbd) < 0 || uv_poll_init(loop, &link->poll, nbd_aio_get_fd(nbd)) != 0) {
        snprintf(error, bytes, "%s", last_error());
        nbd_close(nbd);
        free(link);
        return NULL;
    }
    uv_idle_init(loop, &link->first);
    link->poll.data = link;
    link->first.data = link;
    link->open = 2;
    link->nbd = nbd;
    link->cb = target->cb;
    link->data = target->data;
    uv_idle_start(&link->first, on_first);
    return link;
}

void nbd_link_free(struct nbd_link *link)
{
    if (link == NULL)
        return;
    link->over = true;
    uv_close((uv_handle_t *)&link->poll, on_closed);
    uv_close((uv_handle_t *)&link->first, on_closed);
}

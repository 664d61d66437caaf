/* SPDX-License-Identifier: MIT */
/* A connection to an NBD server, by libnbd on the loop. */
#ifndef VIRTHOST_NBD_LINK_H
#define VIRTHOST_NBD_LINK_H

#include <uv.h>

struct nbd_link;

/*
 * `error` is NULL: the handshake is done, the server is there. Else it failed, or, when the handshake was
 * done before, the connection is lost: no call comes after this one.
 */
typedef void (*nbd_link_cb)(void *data, const char *error);

struct nbd_link_target {
    const char *socket;
    const char *export_name;
    /* Both NULL: no TLS. */
    const char *user;
    const char *psk_file;
    nbd_link_cb cb;
    void *data;
};

/* NULL, with a text in `error`: nothing is called. Otherwise the callback is, later. */
struct nbd_link *nbd_link_new(uv_loop_t *loop, const struct nbd_link_target *target, char *error,
                              size_t bytes);

/* Hang up. Also from inside `cb`; NULL is accepted. */
void nbd_link_free(struct nbd_link *link);

#endif

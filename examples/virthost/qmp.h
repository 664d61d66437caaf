/* SPDX-License-Identifier: MIT */
/* A client of QEMU's QMP socket. */
#ifndef VIRTHOST_QMP_H
#define VIRTHOST_QMP_H

#include <jansson.h>
#include <uv.h>

struct qmp;

struct qmp_events {
    /* QEMU has greeted, and `status` ("running") is what query-status says. Again after each reconnect. */
    void (*ready)(void *data, const char *status);
    /* QEMU tells that something has happened. `values` may be NULL. */
    void (*event)(void *data, const char *name, const json_t *values);
};

/*
 * Connect, and connect again whenever there is no connection: QEMU's socket comes a while after QEMU, and a
 * connection that ends says nothing about the guest. Events come until qmp_free(), which may be called inside
 * them. NULL: out of memory.
 */
struct qmp *qmp_new(uv_loop_t *loop, const char *path, const struct qmp_events *events, void *data);

/* Send a command without arguments. -ENOTCONN: there is no connection now. Its reply is ignored. */
int qmp_send(struct qmp *qmp, const char *command);

/* Hang up. NULL is accepted. */
void qmp_free(struct qmp *qmp);

#endif

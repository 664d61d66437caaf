/* SPDX-License-Identifier: MIT */
/* What a line of the control socket asks for. */
#ifndef VIRTHOST_REQUEST_H
#define VIRTHOST_REQUEST_H

#include <stddef.h>

#include <jansson.h>

struct virthost;

/* Called once for each line, now or later. It owns `message`. */
typedef void (*request_cb)(void *data, json_t *message);

void request_handle(struct virthost *host, const char *line, size_t length, request_cb cb, void *data);

#endif

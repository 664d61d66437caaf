/* SPDX-License-Identifier: MIT */
/* A call after some time. */
#ifndef VIRTHOST_DELAY_H
#define VIRTHOST_DELAY_H

#include <uv.h>

struct delay;
typedef void (*delay_cb)(void *data);

/* Call `cb` once after `ms`. NULL: out of memory. */
struct delay *delay_new(uv_loop_t *loop, uint64_t ms, delay_cb cb, void *data);

/* Also when it has been called; NULL is accepted. */
void delay_free(struct delay *delay);

#endif

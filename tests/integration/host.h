/* SPDX-License-Identifier: MIT */
/* What the tests of the runner share: a context on a real loop, and how to wait for something without sleeping. */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <muster.h>

/* How a request ended; `code` counts once `times` isn't 0. */
struct ending {
    int times;
    int code;
    char text[512];
};

/* A muster_done_cb whose data is a struct ending. */
void note_ending(struct muster *context, void *data, int code, const struct muster_error *error);

/* A context with the boot id "boot-1" and short retries. `store` may be NULL. */
struct muster *new_context(struct muster_store *store);

/* A driver of that name with `initialize`, to which more can be added. */
struct muster_driver_def driver_named(const char *name, int (*initialize)(struct muster_op *op));
struct muster_driver *add_driver(struct muster *context, const struct muster_driver_def *def, void *data);

/* Poll and process until the ending has come; then it came once. */
void wait_for(struct muster *context, struct ending *ending);
/* Poll and process once. */
void turn(struct muster *context);

/* Bring up and wait; the code. */
int bring_up(struct muster *context);
/* Shut down and wait, and free: both must succeed. */
void take_down(struct muster *context);

/* An initialize that returns MUSTER_OK. */
int nothing_to_do(struct muster_op *op);
/* An initialize that adds the resource whose definition is the driver's data. */
int add_the_resource(struct muster_op *op);

enum muster_stage stage_of(struct muster *context, const char *resource);

#endif

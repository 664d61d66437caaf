/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <poll.h>
#include <stdio.h>

void note_ending(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct ending *ending = data;
    (void)context;
    ending->times++;
    ending->code = code;
    snprintf(ending->text, sizeof(ending->text), "%s", muster_error_text(error));
}

struct muster *new_context(struct muster_store *store)
{
    struct muster_options options;
    struct muster *context = NULL;
    MUSTER_OPTIONS_INIT(&options);
    options.store = store;
    options.boot_id = "boot-1";
    options.retry_min_ms = 1;
    options.retry_max_ms = 4;
    assert_int_equal(muster_new(&options, &context), 0);
    return context;
}

struct muster_driver_def driver_named(const char *name, int (*initialize)(struct muster_op *op))
{
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    def.name = name;
    def.initialize = initialize;
    return def;
}

struct muster_driver *add_driver(struct muster *context, const struct muster_driver_def *def, void *data)
{
    struct muster_driver *driver = NULL;
    assert_int_equal(muster_add_driver(context, def, data, &driver), 0);
    return driver;
}

void turn(struct muster *context)
{
    struct pollfd ready = {.fd = muster_fd(context), .events = POLLIN};
    poll(&ready, 1, muster_timeout(context));
    assert_int_equal(muster_process(context), 0);
}

void wait_for(struct muster *context, struct ending *ending)
{
    while (ending->times == 0)
        turn(context);
    assert_int_equal(ending->times, 1);
}

int bring_up(struct muster *context)
{
    struct ending up = {0};
    int code = muster_bring_up(context, note_ending, &up);
    if (code != 0)
        return code;
    assert_int_equal(up.times, 0);
    wait_for(context, &up);
    return up.code;
}

void take_down(struct muster *context)
{
    struct ending down = {0};
    assert_int_equal(muster_shutdown(context, MUSTER_DAEMON_RESTART, note_ending, &down), 0);
    wait_for(context, &down);
    assert_int_equal(down.code, 0);
    assert_int_equal(muster_state(context), MUSTER_STATE_DOWN);
    assert_int_equal(muster_free(context), 0);
}

int nothing_to_do(struct muster_op *op)
{
    (void)op;
    return MUSTER_OK;
}

int add_the_resource(struct muster_op *op)
{
    return muster_op_add_resource(op, muster_op_driver_data(op));
}

enum muster_stage stage_of(struct muster *context, const char *resource)
{
    struct muster_resource_status status;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    assert_int_equal(muster_resource_state(muster_resource_find(context, resource), &status), 0);
    return status.stage;
}

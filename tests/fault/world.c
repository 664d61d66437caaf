/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "host.h"

struct world world;

static const struct muster_resource_def configs[THINGS] = {
    [THING_DISK] = {.name = "disk", .policy = MUSTER_LAST_STATE},
    [THING_WEB] = {.name = "web",
                   .needs = (const char *const[]){"pool/disk", NULL},
                   .after = (const char *const[]){"guest/db", NULL},
                   .policy = MUSTER_LAST_STATE},
    [THING_DB] = {.name = "db", .policy = MUSTER_AUTOSTART},
    [THING_TEMP] = {.name = "temp"},
    [THING_OLD] = {.name = "old"},
    [THING_LATE] = {.name = "late", .needs = (const char *const[]){"guest/db", NULL}},
};

const char *thing_name(enum thing_id id)
{
    static char names[THINGS][32];
    snprintf(names[id], sizeof(names[id]), "%s/%s", id == THING_DISK ? "pool" : "guest", configs[id].name);
    return names[id];
}

void world_reboot(void)
{
    for (int id = 0; id < THINGS; id++)
        world.things[id].live = false;
    world.host_shutdown = false;
}

/* ---- the drivers' callbacks */

static int add(struct muster_op *op, enum thing_id id)
{
    struct muster_resource_def def = configs[id];
    def.size = sizeof(def);
    def.data = &world.things[id];
    return muster_op_add_resource(op, &def);
}

static int add_pools(struct muster_op *op)
{
    return add(op, THING_DISK);
}

static int add_guests(struct muster_op *op)
{
    int code = add(op, THING_WEB);
    if (code == 0)
        code = add(op, THING_DB);
    if (code == 0 && world.first)
        code = add(op, THING_TEMP);
    if (code == 0 && world.first)
        code = add(op, THING_OLD);
    return code;
}

static int read_configs_again(struct muster_op *op)
{
    return add(op, THING_LATE);
}

static int restore(struct muster_op *op)
{
    return strcmp(muster_op_record(op)->name, configs[THING_TEMP].name) == 0 ? add(op, THING_TEMP) : MUSTER_OK;
}

static struct thing *thing_of(const struct muster_op *op)
{
    return muster_op_resource_data(op);
}

static int probe(struct muster_op *op)
{
    return thing_of(op)->live ? MUSTER_ACTIVE : MUSTER_INACTIVE;
}

static int set_handle(struct muster_op *op)
{
    char handle[32];
    snprintf(handle, sizeof(handle), "start %u", thing_of(op)->start);
    return muster_op_set_handle(op, handle);
}

static int start(struct muster_op *op)
{
    struct thing *thing = thing_of(op);
    if (thing->live)
        bad("%s is started, and runs already", muster_op_resource_name(op));
    thing->live = true;
    thing->start++;
    int code = set_handle(op);
    if (code != 0)
        thing->live = false;
    return code;
}

static int stop(struct muster_op *op)
{
    struct thing *thing = thing_of(op);
    if (thing->live && !thing->may_stop && !world.host_shutdown)
        bad("%s is stopped (%s), and nobody has asked for it", muster_op_resource_name(op),
            muster_cause_name(muster_op_cause(op)));
    thing->live = false;
    return MUSTER_OK;
}

static int nothing_to_do(struct muster_op *op)
{
    (void)op;
    return MUSTER_OK;
}

int world_add_drivers(struct muster *context)
{
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    def.name = "pool";
    def.initialize = add_pools;
    def.probe = probe;
    def.adopt = set_handle;
    def.start = start;
    def.stop = stop;
    int code = muster_add_driver(context, &def, NULL, NULL);
    def.name = "guest";
    def.needs = (const char *const[]){"pool", NULL};
    def.provides = (const char *const[]){"machine", NULL};
    def.threaded = MUSTER_THREADED(START) | MUSTER_THREADED(RECONCILE);
    def.initialize = add_guests;
    def.restore = restore;
    def.reconcile = nothing_to_do;
    def.autostart = nothing_to_do;
    def.reload = read_configs_again;
    def.shutdown = nothing_to_do;
    int guest = muster_add_driver(context, &def, NULL, NULL);
    return code != 0 ? code : guest;
}

/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <stdio.h>
#include <string.h>

static struct world_resource *draw_resource(struct world *world)
{
    return world->resource_count == 0 ? NULL : &world->resources[rng_below(&world->rng, world->resource_count)];
}

/* One that muster knows, or NULL. */
static struct world_resource *draw_known(struct world *world)
{
    struct world_resource *resource = draw_resource(world);
    return resource == NULL || world_engine_resource(world, resource) == NULL ? NULL : resource;
}

static bool has_op(const struct world *world, const struct world_resource *resource)
{
    for (unsigned i = 0; i < WORLD_OPS; i++)
        if (world->ops[i].used && world->ops[i].out && world->ops[i].resource == resource)
            return true;
    return false;
}

static void act_start(struct world *world)
{
    struct world_resource *resource = draw_known(world);
    if (resource != NULL)
        world_start(world, resource->full, rng_chance(&world->rng, 40) ? MUSTER_START_DEPENDENCIES : 0);
}

static void act_stop(struct world *world)
{
    struct world_resource *resource = draw_known(world);
    if (resource != NULL)
        world_stop(world, resource->full, rng_chance(&world->rng, 40) ? MUSTER_STOP_CASCADE : 0);
}

static void act_changed(struct world *world)
{
    struct world_resource *resource = draw_known(world);
    if (resource == NULL)
        return;
    if (rng_chance(&world->rng, 30) || has_op(world, resource) || resource->limbo_until != 0)
        world_changed(world, resource->full, MUSTER_CHANGED_UNKNOWN);
    else if (resource->running)
        world_changed(world, resource->full, rng_chance(&world->rng, 50) ? MUSTER_CHANGED_INACTIVE : MUSTER_CHANGED_LOST);
    else
        world_changed(world, resource->full, MUSTER_CHANGED_ACTIVE);
}

static void act_retry(struct world *world)
{
    struct world_resource *resource = draw_known(world);
    struct world_driver *driver = &world->drivers[rng_below(&world->rng, world->driver_count)];
    if (rng_chance(&world->rng, 50) && resource != NULL)
        world_resource_retry(world, resource->full);
    else if (driver->driver != NULL)
        world_driver_retry(world, driver->is.name, rng_chance(&world->rng, 50));
}

static void act_reload(struct world *world)
{
    struct world_resource *resource = draw_resource(world);
    if (resource != NULL && !resource->is.transient && rng_chance(&world->rng, 60))
        resource->configured = !resource->configured;
    world_reload(world);
}

static void act_add(struct world *world)
{
    struct world_resource *resource = draw_resource(world);
    if (resource != NULL && world_engine_resource(world, resource) == NULL && resource->driver->driver != NULL)
        world_resource_add(world, resource->full);
}

static void act_remove(struct world *world)
{
    struct world_resource *resource = draw_known(world);
    if (resource != NULL)
        world_resource_remove(world, resource->full);
}

static void act_set(struct world *world)
{
    struct world_resource *resource = draw_known(world);
    if (resource == NULL)
        return;
    resource->promise = -1;
    world_set_policy(world, resource->full, (enum muster_policy)rng_below(&world->rng, 4));
}

static void act_record(struct world *world)
{
    struct world_resource *resource = draw_resource(world);
    if (resource == NULL)
        return;
    resource->promise = -1;
    unsigned drawn = rng_below(&world->rng, 3);
    if (drawn == 0)
        world_forget(world, resource->full);
    else if (drawn == 1)
        world_resolve(world, resource->full, (enum muster_desired)rng_below(&world->rng, 2));
    else {
        struct world_resource *other = draw_resource(world);
        other->promise = -1;
        world_move(world, resource->full, other->full);
    }
}

static void act_more(struct world *world)
{
    unsigned drawn = rng_below(&world->rng, 8);
    if (drawn < 3)
        world_when(world, (enum muster_milestone)drawn);
    else if (drawn < 7)
        for (unsigned i = 0; i < world->driver_count; i++) {
            struct world_driver *driver = &world->drivers[i];
            if (driver->driver != NULL)
                continue;
            if (world_register(world, driver) == 0)
                driver->registered = true;
        }
    if (drawn >= 6)
        world_bring_up(world);
}

static void act_shutdown(struct world *world)
{
    if (rng_chance(&world->rng, 10))
        world_shutdown(world, (enum muster_shutdown_kind)rng_below(&world->rng, 2));
}

void random_act(struct world *world)
{
    static void (*const acts[])(struct world *) = {
        act_start,  act_start,  act_start, act_start, act_stop,   act_stop, act_stop,   act_changed, act_changed,
        act_retry,  act_retry,  act_add,   act_add,   act_reload, act_set,  act_remove, act_record,  act_more,
        act_shutdown,
    };
    if (world->engine != NULL)
        acts[rng_below(&world->rng, sizeof(acts) / sizeof(acts[0]))](world);
}

/* ---- while there is no daemon ----------------------------------------------------------------------- */

static void change_machine(struct world *world, struct world_resource *resource)
{
    unsigned drawn = rng_below(&world->rng, 100);
    bool outside = (resource->is.flags & MUSTER_VOLATILE) == 0 &&
                   (resource->driver->is.callbacks & WORLD_CALLBACK(PROBE)) != 0;
    if (resource->running && drawn < 8) {
        resource->running = false;
        resource->foreign = drawn < 3;
        resource->promise = -1;
        world_trace(world, "     %s ends%s", resource->full, resource->foreign ? ", and a stranger takes its place" : "");
    } else if (!resource->running && outside && drawn < 3 && resource->limbo_until == 0) {
        resource->running = true;
        resource->began = true;
        resource->foreign = false;
        resource->instance++;
        resource->promise = -1;
        snprintf(resource->handle, sizeof(resource->handle), "h%u", resource->instance);
        world_trace(world, "     %s runs, started by somebody else", resource->full);
    }
}

static void change_record(struct world *world, struct world_resource *resource)
{
    struct stored *stored = fake_store_find(&world->store, resource->full);
    if (stored == NULL || !rng_chance(&world->rng, 2))
        return;
    struct muster_record lost = {.size = sizeof(lost),
                                 .driver = stored->is.driver,
                                 .name = stored->is.name,
                                 .flags = MUSTER_RECORD_QUARANTINED,
                                 .format = MUSTER_RECORD_FORMAT};
    stored_set(stored, &lost);
    resource->promise = -1;
    world_trace(world, "     the record of %s is corrupt", resource->full);
}

/* Durations that nobody has measured: absurd ones must do no harm. */
static void change_durations(struct world *world)
{
    static const char *const texts[] = {
        NULL, "", "start", "start=", "start=0", "start=-5000", "start=nan", "start=1e9", "start=5000,", "start=5000  ",
        "start=18446744073709551616", "start=99999999999999999", "initialize=2592000000000 reconcile=2592000000000",
        "start=5000 start=5000", "probe=5000", "initialize=7000 start=999", "autostart=3600000000 start=2592000000000",
    };
    const struct world_resource *resource = &world->resources[rng_below(&world->rng, world->resource_count)];
    bool of_driver = rng_chance(&world->rng, 30);
    struct muster_record record = {.size = sizeof(record),
                                   .kind = MUSTER_RECORD_HISTORY,
                                   .driver = resource->driver->is.name,
                                   .name = of_driver ? resource->driver->is.name : resource->name,
                                   .flags = rng_chance(&world->rng, 5) ? MUSTER_RECORD_QUARANTINED : 0,
                                   .generation = 1000 * world->life,
                                   .handle = texts[rng_below(&world->rng, sizeof(texts) / sizeof(texts[0]))]};
    if (rng_chance(&world->rng, 5))
        record.name = "nobody";
    fake_store_put(&world->store, &record);
}

void random_interlude(struct world *world)
{
    for (unsigned i = rng_below(&world->rng, 6); i > 0 && world->resource_count > 0; i--)
        change_durations(world);
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *resource = &world->resources[i];
        if (rng_chance(&world->rng, 5) && !resource->is.transient)
            resource->configured = !resource->configured;
        change_machine(world, resource);
        change_record(world, resource);
    }
}

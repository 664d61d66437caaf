/* SPDX-License-Identifier: MIT */
/* What each event is called, and what it does. */
#include "scenario.h"

#include <stdio.h>
#include <string.h>

static const struct event_form forms[] = {
    [EVENT_LIFE] = {.word = "life", .counted = true},
    [EVENT_DIE] = {.word = "die", .counted = true},
    [EVENT_SWEEP] = {.word = "sweep"},
    [EVENT_DOWN] = {.word = "down", .counted = true, .choices = "restart host"},
    [EVENT_REBOOT] = {.word = "reboot"},
    [EVENT_REHEARSE] = {.word = "rehearse"},
    [EVENT_RECOVER] = {.word = "recover"},
    [EVENT_REST] = {.word = "rest", .choices = "restart host"},
    [EVENT_REFUSED] = {.word = "refused"},
    [EVENT_ENDS] = {.word = "ends", .named = true},
    [EVENT_STRANGER] = {.word = "stranger", .named = true},
    [EVENT_BEGINS] = {.word = "begins", .named = true},
    [EVENT_CONFIG] = {.word = "config", .named = true},
    [EVENT_CORRUPT] = {.word = "corrupt", .named = true},
    [EVENT_HISTORY] = {.word = "history", .named = true, .counted = true},
    [EVENT_START] = {.word = "start", .timed = true, .named = true, .choices = "alone dependencies"},
    [EVENT_STOP] = {.word = "stop", .timed = true, .named = true, .choices = "alone cascade"},
    [EVENT_CHANGED] = {.word = "changed", .timed = true, .named = true, .choices = "self loss unknown active"},
    [EVENT_VANISH] = {.word = "vanish", .timed = true, .named = true},
    [EVENT_RETRY] = {.word = "retry", .timed = true, .named = true},
    [EVENT_AGAIN] = {.word = "again", .timed = true, .named = true, .choices = "retry changed"},
    [EVENT_RELOAD] = {.word = "reload", .timed = true, .named = true, .choices = "as-it-is toggled"},
    [EVENT_ADD] = {.word = "add", .timed = true, .named = true},
    [EVENT_REMOVE] = {.word = "remove", .timed = true, .named = true},
    [EVENT_POLICY] = {.word = "policy", .timed = true, .named = true, .choices = "manual autostart unless-stopped last-state"},
    [EVENT_NEEDS] = {.word = "needs", .timed = true, .named = true, .two = true},
    [EVENT_FORGET] = {.word = "forget", .timed = true, .named = true},
    [EVENT_RESOLVE] = {.word = "resolve", .timed = true, .named = true, .choices = "inactive active"},
    [EVENT_MOVE] = {.word = "move", .timed = true, .named = true, .two = true},
    [EVENT_WHEN] = {.word = "when", .timed = true, .choices = "initialized reconciled settled"},
    [EVENT_DRIVERS] = {.word = "drivers", .timed = true},
    [EVENT_CHECK] = {.word = "check", .timed = true},
    [EVENT_BRING_UP] = {.word = "bring-up", .timed = true},
    [EVENT_SHUTDOWN] = {.word = "shutdown", .timed = true, .choices = "restart host"},
    [EVENT_JUMP] = {.word = "jump", .timed = true, .counted = true},
};

const struct event_form *event_form(enum event_kind kind)
{
    return &forms[kind];
}

/* ---- during a life ------------------------------------------------------------------------------------- */

static bool has_op(const struct world *world, const struct world_resource *resource)
{
    for (unsigned i = 0; i < world->op_high; i++)
        if (world->ops[i].used && world->ops[i].out && world->ops[i].resource == resource)
            return true;
    return false;
}

static void report_change(struct world *world, const struct world_resource *resource, unsigned choice)
{
    if (choice == 3 && resource->running)
        world_changed(world, resource->full, MUSTER_CHANGED_ACTIVE);
    else if (choice == 2 || has_op(world, resource) || resource->limbo_until != 0 || resource->deceived)
        world_changed(world, resource->full, MUSTER_CHANGED_UNKNOWN);
    else if (resource->running)
        world_changed(world, resource->full, choice == 0 ? MUSTER_CHANGED_INACTIVE : MUSTER_CHANGED_LOST);
    else
        world_changed(world, resource->full, MUSTER_CHANGED_ACTIVE);
}

static void vanish(struct world *world, struct world_resource *resource)
{
    if (!resource->running || has_op(world, resource))
        return;
    resource->running = false;
    world_deceive(resource);
    world_trace(world, "     %s ends, and nobody has seen it", resource->full);
}

static void need(struct world *world, struct world_resource *resource, const char *other)
{
    const char *needs[] = {other, NULL}, *after[] = {NULL};
    if (world_set_needs(world, resource->full, needs, after) != 0)
        return;
    /* A cascade that is on its way may reach it now, what needs it, and what it needs. */
    for (unsigned i = 0; i < world->resource_count; i++)
        if (&world->resources[i] == resource || check_needs(world, &world->resources[i], resource->full) ||
            check_needs(world, resource, world->resources[i].full))
            world->resources[i].promise = -1;
}

/* One that muster knows. */
static void act_on_known(struct world *world, const struct event *event, struct world_resource *resource)
{
    switch (event->kind) {
    case EVENT_START:
        world_start(world, resource->full, event->choice != 0 ? MUSTER_START_DEPENDENCIES : 0);
        break;
    case EVENT_STOP:
        world_stop(world, resource->full, event->choice != 0 ? MUSTER_STOP_CASCADE : 0);
        break;
    case EVENT_CHANGED:
        report_change(world, resource, event->choice);
        break;
    case EVENT_VANISH:
        vanish(world, resource);
        break;
    case EVENT_RETRY:
        world_resource_retry(world, resource->full);
        break;
    case EVENT_REMOVE:
        world_resource_remove(world, resource->full);
        break;
    case EVENT_POLICY:
        resource->promise = -1;
        world_set_policy(world, resource->full, (enum muster_policy)event->choice);
        break;
    default:
        need(world, resource, event->other);
        break;
    }
}

static void act_on_record(struct world *world, const struct event *event)
{
    struct world_resource *resource = world_resource(world, event->name);
    struct world_resource *other = event->other == NULL ? NULL : world_resource(world, event->other);
    resource->promise = -1;
    resource->late = false;
    resource->asked = true; /* attempts are the record's: they are gone, or another's */
    if (event->kind == EVENT_FORGET)
        world_forget(world, resource->full);
    else if (event->kind == EVENT_RESOLVE)
        world_resolve(world, resource->full, (enum muster_desired)event->choice);
    else if (other != NULL) {
        other->promise = -1;
        other->asked = true;
        char found[sizeof(other->found)];
        memcpy(found, other->found, sizeof(found));
        memcpy(other->found, resource->found, sizeof(found)); /* the record's token comes with it */
        if (!world_move(world, resource->full, other->full)->accepted)
            memcpy(other->found, found, sizeof(found));
    }
}

static void add_drivers(struct world *world)
{
    for (unsigned i = 0; i < world->driver_count; i++) {
        struct world_driver *driver = &world->drivers[i];
        if (driver->driver == NULL && world_register(world, driver) == 0)
            driver->registered = true;
    }
}

/* `name` is written into the configuration before, or taken out of it. */
static void reload(struct world *world, const struct event *event)
{
    struct world_resource *resource = world_resource(world, event->name);
    if (resource != NULL && !resource->is.transient && event->choice != 0)
        resource->configured = !resource->configured;
    world_reload(world);
}

static void act_on_all(struct world *world, const struct event *event)
{
    struct world_driver *driver = event->name == NULL ? NULL : world_driver(world, event->name);
    switch (event->kind) {
    case EVENT_AGAIN:
        if (driver != NULL && driver->driver != NULL)
            world_driver_retry(world, driver->is.name, event->choice != 0);
        break;
    case EVENT_RELOAD:
        reload(world, event);
        break;
    case EVENT_WHEN:
        world_when(world, (enum muster_milestone)event->choice);
        break;
    case EVENT_DRIVERS:
        add_drivers(world);
        break;
    case EVENT_CHECK:
        world_check(world);
        break;
    case EVENT_BRING_UP:
        world_bring_up(world);
        break;
    case EVENT_SHUTDOWN:
        world_shutdown(world, (enum muster_shutdown_kind)event->choice);
        break;
    case EVENT_JUMP:
        world_trace(world, "---- the clock jumps by %llu ms", (unsigned long long)event->number);
        world->now += event->number;
        world->store_failed = world->store_failed || world->store.jobs != NULL; /* it is late now */
        break;
    default:
        break;
    }
}

void event_act(struct world *world, const struct event *event)
{
    struct world_resource *resource = event->name == NULL ? NULL : world_resource(world, event->name);
    if (world->engine == NULL)
        return;
    switch (event->kind) {
    case EVENT_ADD:
        if (resource != NULL && world_engine_resource(world, resource) == NULL && resource->driver->driver != NULL)
            world_resource_add(world, resource->full);
        break;
    case EVENT_START:
    case EVENT_STOP:
    case EVENT_CHANGED:
    case EVENT_VANISH:
    case EVENT_RETRY:
    case EVENT_REMOVE:
    case EVENT_POLICY:
    case EVENT_NEEDS:
        if (resource != NULL && world_engine_resource(world, resource) != NULL)
            act_on_known(world, event, resource);
        break;
    case EVENT_FORGET:
    case EVENT_RESOLVE:
    case EVENT_MOVE:
        if (resource != NULL)
            act_on_record(world, event);
        break;
    default:
        act_on_all(world, event);
        break;
    }
}

/* ---- while there is no daemon ----------------------------------------------------------------------- */

static void end(struct world *world, struct world_resource *resource, bool foreign)
{
    if (!resource->running)
        return;
    resource->running = false;
    resource->foreign = foreign;
    resource->promise = -1;
    world_trace(world, "     %s ends%s", resource->full, foreign ? ", and a stranger takes its place" : "");
}

static void begin(struct world *world, struct world_resource *resource)
{
    bool outside = (resource->is.flags & MUSTER_VOLATILE) == 0 &&
                   (resource->driver->is.callbacks & WORLD_CALLBACK(PROBE)) != 0;
    if (resource->running || !outside || resource->limbo_until != 0)
        return;
    resource->running = true;
    resource->began = true;
    resource->foreign = false;
    resource->instance++;
    resource->promise = -1;
    snprintf(resource->handle, sizeof(resource->handle), "h%u", resource->instance);
    world_trace(world, "     %s runs, started by somebody else", resource->full);
}

static void corrupt(struct world *world, struct world_resource *resource)
{
    struct stored *stored = fake_store_find(&world->store, resource->full);
    if (stored == NULL)
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

/* Absurd ones must do no harm. */
static void change_history(struct world *world, const struct event *event)
{
    static const char *const texts[] = {
        NULL, "", "start", "start=", "start=0", "start=-5000", "start=nan", "start=1e9", "start=5000,", "start=5000  ",
        "start=18446744073709551616", "start=99999999999999999", "initialize=2592000000000 reconcile=2592000000000",
        "start=5000 start=5000", "probe=5000", "initialize=7000 start=999", "autostart=3600000000 start=2592000000000",
    };
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
    const char *slash = strchr(event->name, '/');
    char driver[WORLD_NAME];
    snprintf(driver, sizeof(driver), "%.*s", slash == NULL ? (int)strlen(event->name) : (int)(slash - event->name),
             event->name);
    fake_store_put(&world->store, &(struct muster_record){.size = sizeof(struct muster_record),
                                                          .kind = MUSTER_RECORD_HISTORY,
                                                          .driver = driver,
                                                          .name = slash == NULL ? driver : slash + 1,
                                                          .flags = event->number % 20 == 19 ? MUSTER_RECORD_QUARANTINED : 0,
                                                          .generation = 1000 * world->life,
                                                          .handle = texts[event->number % TEXTS]});
}

void event_change_machine(struct world *world, const struct event *event)
{
    struct world_resource *resource = event->name == NULL ? NULL : world_resource(world, event->name);
    if (event->kind == EVENT_HISTORY)
        change_history(world, event);
    else if (resource == NULL)
        return;
    else if (event->kind == EVENT_ENDS || event->kind == EVENT_STRANGER)
        end(world, resource, event->kind == EVENT_STRANGER);
    else if (event->kind == EVENT_BEGINS)
        begin(world, resource);
    else if (event->kind == EVENT_CONFIG)
        resource->configured = resource->is.transient ? resource->configured : !resource->configured;
    else if (event->kind == EVENT_CORRUPT)
        corrupt(world, resource);
}

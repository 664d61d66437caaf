/* SPDX-License-Identifier: MIT */
/* The virtual clock: what happens next, and the carrying out of actions. */
#include "world.h"

#include <assert.h>
#include <stdio.h>

void world_due(struct world *world, struct due due)
{
    assert(world->due_count < WORLD_DUES);
    due.order = ++world->order;
    world->dues[world->due_count++] = due;
}

void world_at(struct world *world, uint64_t at, void (*act)(struct world *world, const void *data), const void *data)
{
    world_due(world, (struct due){.at = at, .kind = DUE_USER, .act = act, .data = data});
}

/* The index of the first due, or due_count. */
static unsigned first_due(const struct world *world)
{
    unsigned first = world->due_count;
    for (unsigned i = 0; i < world->due_count; i++) {
        const struct due *due = &world->dues[i];
        if (first == world->due_count || due->at < world->dues[first].at ||
            (due->at == world->dues[first].at && due->order < world->dues[first].order))
            first = i;
    }
    return first;
}

static uint64_t next_at(const struct world *world)
{
    unsigned first = first_due(world);
    uint64_t at = world->engine == NULL ? UINT64_MAX : muster__engine_wake_at(world->engine);
    if (first < world->due_count && world->dues[first].at < at)
        at = world->dues[first].at;
    return at;
}

/* ---- actions ------------------------------------------------------------------------------------ */

static const char *resource_full(const struct world *world, struct muster_resource *resource, char *text)
{
    (void)world;
    int used = 0;
    const char *driver = muster_driver_name(muster_resource_driver(resource));
    for (const char *part = driver; *part != '\0'; part++)
        text[used++] = *part;
    text[used++] = '/';
    for (const char *part = muster__resource_name(resource); *part != '\0'; part++)
        text[used++] = *part;
    text[used] = '\0';
    return text;
}

static void trace_state(struct world *world, const struct muster_observation *seen)
{
    char full[2 * WORLD_NAME];
    const char *why = muster_error_text(seen->error);
    const char *colon = why[0] == '\0' ? "" : ": ";
    if (seen->type == MUSTER_OBSERVE_DRIVER)
        world_trace(world, "     driver %s is %s%s%s", muster_driver_name(seen->driver),
                    muster_driver_state_name((enum muster_driver_state)seen->to), colon, why);
    else if (seen->type == MUSTER_OBSERVE_RESOURCE)
        world_trace(world, "     %s is %s%s%s%s%s", resource_full(world, seen->resource, full),
                    muster_stage_name((enum muster_stage)seen->to),
                    seen->condition == MUSTER_CONDITION_NONE ? "" : ", ",
                    seen->condition == MUSTER_CONDITION_NONE ? "" : muster_condition_name(seen->condition), colon, why);
    else if (seen->type == MUSTER_OBSERVE_STATE)
        world_trace(world, "     the context is %s", muster_state_name((enum muster_context_state)seen->to));
}

static const char *const milestone_names[] = {"initialized", "reconciled", "settled"};

static void trace_other(struct world *world, const struct muster_observation *seen)
{
    char full[2 * WORLD_NAME] = "";
    if (seen->resource != NULL)
        resource_full(world, seen->resource, full);
    else if (seen->driver != NULL)
        snprintf(full, sizeof(full), "%s", muster_driver_name(seen->driver));
    const char *why = muster_error_text(seen->error);
    const char *colon = why[0] == '\0' ? "" : ": ";
    static const char *const names[] = {
        [MUSTER_OBSERVE_OP_TIMEOUT] = "timed out",   [MUSTER_OBSERVE_OP_LATE] = "late",
        [MUSTER_OBSERVE_OP_TWICE] = "finished twice", [MUSTER_OBSERVE_UNRECORDED] = "unrecorded",
        [MUSTER_OBSERVE_LOSS] = "lost",              [MUSTER_OBSERVE_STORE] = "the store",
        [MUSTER_OBSERVE_LOST] = "observations are missing",
    };
    switch (seen->type) {
    case MUSTER_OBSERVE_MILESTONE:
        world_trace(world, "==== %s", milestone_names[seen->to]);
        break;
    case MUSTER_OBSERVE_OP_TIMEOUT:
    case MUSTER_OBSERVE_OP_LATE:
    case MUSTER_OBSERVE_OP_TWICE:
    case MUSTER_OBSERVE_UNRECORDED:
    case MUSTER_OBSERVE_LOSS:
    case MUSTER_OBSERVE_STORE:
    case MUSTER_OBSERVE_LOST:
        world_trace(world, "     observed: %s %s%s%s", names[seen->type], full, colon, why);
        break;
    case MUSTER_OBSERVE_UNCLAIMED:
        world_trace(world, "     observed: unclaimed %s", seen->name);
        break;
    case MUSTER_OBSERVE_DEGRADED:
        world_trace(world, "     %s is %s%s%s", full, seen->to ? "degraded" : "degraded no longer", colon, why);
        break;
    default:
        break;
    }
}

void world_milestone(struct world *world, unsigned which)
{
    if (!world->milestones[which] && world->milestone_steps[which] == 0)
        world->milestone_steps[which] = world->steps;
    world->milestones[which] = true;
}

static void observe(struct world *world, const struct muster_observation *seen)
{
    if (seen->type == MUSTER_OBSERVE_MILESTONE)
        world_milestone(world, (unsigned)seen->to);
    if (seen->type == MUSTER_OBSERVE_DRIVER && seen->to == MUSTER_DRIVER_DOWN)
        check_see_down(world, world_driver(world, muster_driver_name(seen->driver)));
    if (!world->trace.on)
        return;
    trace_state(world, seen);
    trace_other(world, seen);
}

static void carry_out(struct world *world, const struct muster__action *action)
{
    switch (action->type) {
    case MUSTER__ACTION_CALL:
        play_call(world, action->op);
        break;
    case MUSTER__ACTION_CANCEL:
        play_cancel(world, action->op);
        break;
    case MUSTER__ACTION_LOAD:
        keep_job(world, STORE_LOAD, action);
        break;
    case MUSTER__ACTION_COMMIT:
        check_commit(world, action);
        keep_job(world, STORE_COMMIT, action);
        break;
    case MUSTER__ACTION_CLOSE:
        keep_job(world, STORE_CLOSE, action);
        break;
    case MUSTER__ACTION_DONE:
        if (action->done.cb != NULL)
            action->done.cb(NULL, action->done.data, action->code, action->error);
        break;
    case MUSTER__ACTION_OBSERVE:
        observe(world, action->observation);
        break;
    case MUSTER__ACTION_RELEASE:
        action->release(action->data);
        break;
    }
}

void world_pump(struct world *world)
{
    struct muster__action action;
    if (world->pumping || world->engine == NULL)
        return;
    world->pumping = true;
    while (muster__engine_action(world->engine, &action))
        carry_out(world, &action);
    world->pumping = false;
    check_step(world);
}

int world_step(struct world *world, struct muster__event *event)
{
    event->now = world->now;
    world->steps++;
    if (event->type == MUSTER__EVENT_TIME && world->now >= world->load_deadline)
        world->load_late = true;
    int code = muster__engine_step(world->engine, event);
    check_see_drivers(world);
    return code;
}

/* ---- time --------------------------------------------------------------------------------------- */

static void do_due(struct world *world, struct due due)
{
    switch (due.kind) {
    case DUE_USER:
        due.act(world, due.data);
        break;
    case DUE_STORE:
        keep_due(world);
        break;
    case DUE_LIMBO:
        if (due.resource->limbo_until == due.at) {
            due.resource->limbo_until = 0;
            due.resource->running = true;
            due.resource->instance++;
            world_trace(world, "     %s now shows", due.resource->full);
        }
        break;
    default:
        play_due(world, &due);
        break;
    }
}

static void wake(struct world *world)
{
    for (unsigned again = 0;; again++) {
        if (again == 1000)
            world_fail(world, "the engine wants to be woken at %llu for ever",
                       (unsigned long long)muster__engine_wake_at(world->engine));
        world_step(world, &(struct muster__event){.type = MUSTER__EVENT_TIME});
        world_pump(world);
        if (world->engine == NULL || muster__engine_wake_at(world->engine) > world->now ||
            first_due(world) < world->due_count)
            return;
    }
}

bool world_next(struct world *world)
{
    world_pump(world);
    uint64_t at = next_at(world);
    if (at == UINT64_MAX) {
        check_quiet(world);
        return false;
    }
    if (at > world->now)
        world->now = at;
    unsigned first = first_due(world);
    if (first == world->due_count || world->dues[first].at > at) {
        wake(world);
        return true;
    }
    struct due due = world->dues[first];
    world->dues[first] = world->dues[--world->due_count];
    do_due(world, due);
    world_pump(world);
    return true;
}

void world_run(struct world *world)
{
    for (unsigned i = 0; world_next(world); i++)
        if (i == 20000)
            world_fail(world, "nothing settles");
}

void world_run_until(struct world *world, uint64_t ms)
{
    world_pump(world);
    while (next_at(world) <= ms)
        world_next(world);
    if (world->now < ms)
        world->now = ms;
}

void world_run_for(struct world *world, uint64_t ms)
{
    world_run_until(world, world->now + ms);
}

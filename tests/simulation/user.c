/* SPDX-License-Identifier: MIT */
/* What users ask for. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static void ended(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    struct request *request = data;
    request->ended++;
    request->code = code;
    world_trace(request->world, "done %s: %s%s%s", request->label, muster_code_name(code), error == NULL ? "" : ": ",
                muster_error_text(error));
    const struct muster_error *next = muster_error_next(error);
    for (; next != NULL; next = muster_error_next(next))
        world_trace(request->world, "     and %s", muster_error_text(next));
    request->world->budget_spent = request->world->budget_spent || strstr(muster_error_text(error), "not down after") != NULL;
    check_done(request->world, request);
}

/* A bring-up begins: with these drivers, and milestones of its own. */
static void plan(struct world *world)
{
    for (unsigned i = 0; i < world->driver_count; i++)
        world->drivers[i].planned = world->drivers[i].driver != NULL;
    memset(world->milestones, 0, sizeof(world->milestones));
}

static void reached(struct muster *context, void *data, int code, const struct muster_error *error)
{
    const struct milestone_wait *wait = data;
    (void)context;
    (void)error;
    if (code == 0)
        world_milestone(wait->world, wait->which);
}

static void wait_for_milestones(struct world *world)
{
    for (unsigned i = 0; i < 3; i++) {
        world->waits[i] = (struct milestone_wait){world, i};
        world_step(world, &(struct muster__event){
                              .type = MUSTER__EVENT_WHEN, .number = i, .done = {reached, &world->waits[i]}});
    }
}

static int user_step(struct world *world, struct muster__event *event)
{
    world->user_step = world->steps + 1;
    return world_step(world, event);
}

static struct request *ask(struct world *world, struct muster__event *event, const char *label)
{
    if (world->request_count == WORLD_REQUESTS)
        world_fail(world, "too many requests");
    struct request *request = &world->requests[world->request_count++];
    *request = (struct request){.type = event->type, .flags = event->number, .world = world};
    snprintf(request->label, sizeof(request->label), "%s", label);
    if (event->name != NULL)
        request->resource = world_resource(world, event->name);
    if (event->new_name != NULL)
        request->moved_to = world_resource(world, event->new_name);
    event->done = (struct muster__done){ended, request};
    world_trace(world, "user %s", label);
    int code = user_step(world, event);
    request->accepted = code == 0;
    request->code = code;
    if (code == 0 && event->type == MUSTER__EVENT_BRING_UP)
        plan(world);
    if (code == 0 && event->type == MUSTER__EVENT_BRING_UP && world->unobserved)
        wait_for_milestones(world);
    if (code != 0)
        world_trace(world, "     refused: %s: %s", muster_code_name(code),
                    muster_error_text(muster__engine_error(world->engine)));
    /* A bring-up that is refused drops the drivers that don't fit those that are up. */
    for (unsigned i = 0; i < world->driver_count && code != 0 && event->type == MUSTER__EVENT_BRING_UP; i++)
        world->drivers[i].driver = muster__engine_find_driver(world->engine, world->drivers[i].is.name);
    if (code > 0 || (code != 0 && request->ended != 0))
        world_fail(world, "%s is refused with %d, and ends", label, code);
    world_pump(world);
    return request;
}

static int tell(struct world *world, struct muster__event *event, const char *label)
{
    world_trace(world, "user %s", label);
    int code = user_step(world, event);
    if (code != 0)
        world_trace(world, "     refused: %s: %s", muster_code_name(code),
                    muster_error_text(muster__engine_error(world->engine)));
    for (const struct muster_error *next = muster_error_next(muster__engine_error(world->engine));
         code != 0 && next != NULL; next = muster_error_next(next))
        world_trace(world, "     and %s", muster_error_text(next));
    world_pump(world);
    return code;
}

struct request *world_bring_up(struct world *world)
{
    if (muster__engine_state(world->engine) == MUSTER_STATE_DOWN)
        world_from_down(world);
    return ask(world, &(struct muster__event){.type = MUSTER__EVENT_BRING_UP}, "bring-up");
}

int world_check(struct world *world)
{
    return tell(world, &(struct muster__event){.type = MUSTER__EVENT_CHECK}, "check");
}

struct request *world_when(struct world *world, enum muster_milestone milestone)
{
    static const char *const labels[] = {"when initialized", "when reconciled", "when settled"};
    return ask(world, &(struct muster__event){.type = MUSTER__EVENT_WHEN, .number = milestone}, labels[milestone]);
}

struct request *world_reload(struct world *world)
{
    return ask(world, &(struct muster__event){.type = MUSTER__EVENT_RELOAD}, "reload");
}

bool world_reloading(const struct world *world)
{
    for (unsigned i = 0; i < world->request_count; i++)
        if (world->requests[i].type == MUSTER__EVENT_RELOAD && world->requests[i].accepted && world->requests[i].ended == 0)
            return true;
    return false;
}

struct request *world_shutdown(struct world *world, enum muster_shutdown_kind kind)
{
    struct muster__event event = {.type = MUSTER__EVENT_SHUTDOWN, .number = kind};
    bool before = world->going_down;
    world->going_down = true;
    world->host_shutdown = world->host_shutdown || kind == MUSTER_HOST_SHUTDOWN;
    uint64_t step_before = world->host_shutdown_step;
    if (kind == MUSTER_HOST_SHUTDOWN && step_before == 0)
        world->host_shutdown_step = world->steps + 1;
    struct request *request =
        ask(world, &event, kind == MUSTER_HOST_SHUTDOWN ? "shutdown of the host" : "shutdown for a restart");
    if (!request->accepted && !before)
        world->going_down = world->host_shutdown = false;
    if (!request->accepted)
        world->host_shutdown_step = step_before;
    return request;
}

static struct request *ask_about(struct world *world, enum muster__event_type type, const char *name, uint64_t flags)
{
    char label[WORLD_NAME];
    struct world_resource *resource = world_resource(world, name);
    struct muster__event event = {
        .type = type, .resource = world_engine_resource(world, resource), .number = flags, .name = name};
    if (event.resource == NULL)
        world_fail(world, "the user asks for %s, which muster doesn't have", name);
    check_unpromise(world, resource, type, flags);
    snprintf(label, sizeof(label), "%s %s%s", type == MUSTER__EVENT_RESOURCE_START ? "start" : "stop", name,
             flags == 0 ? "" : type == MUSTER__EVENT_RESOURCE_START ? " with dependencies" : " with dependents");
    return ask(world, &event, label);
}

struct request *world_start(struct world *world, const char *name, uint64_t flags)
{
    return ask_about(world, MUSTER__EVENT_RESOURCE_START, name, flags);
}

struct request *world_stop(struct world *world, const char *name, uint64_t flags)
{
    return ask_about(world, MUSTER__EVENT_RESOURCE_STOP, name, flags);
}

struct request *world_forget(struct world *world, const char *name)
{
    char label[WORLD_NAME];
    snprintf(label, sizeof(label), "forget %s", name);
    return ask(world, &(struct muster__event){.type = MUSTER__EVENT_RECORD_FORGET, .name = name}, label);
}

struct request *world_move(struct world *world, const char *name, const char *new_name)
{
    char label[WORLD_NAME];
    snprintf(label, sizeof(label), "move %s to %s", name, new_name);
    struct muster__event event = {.type = MUSTER__EVENT_RECORD_MOVE, .name = name, .new_name = new_name};
    return ask(world, &event, label);
}

struct request *world_resolve(struct world *world, const char *name, enum muster_desired desired)
{
    char label[WORLD_NAME];
    snprintf(label, sizeof(label), "resolve %s as %s", name, desired == MUSTER_DESIRED_ACTIVE ? "active" : "inactive");
    struct muster__event event = {.type = MUSTER__EVENT_RECORD_RESOLVE, .name = name, .number = desired};
    return ask(world, &event, label);
}

int world_driver_retry(struct world *world, const char *name, bool changed)
{
    char label[WORLD_NAME];
    struct muster__event event = {.type = MUSTER__EVENT_DRIVER_RETRY,
                                  .driver = muster__engine_find_driver(world->engine, name),
                                  .number = changed ? 1 : 0};
    snprintf(label, sizeof(label), "%s driver %s", changed ? "changed" : "retry", name);
    return tell(world, &event, label);
}

static int tell_about(struct world *world, struct muster__event event, const char *what, const char *name)
{
    char label[WORLD_NAME];
    struct world_resource *resource = world_resource(world, name);
    snprintf(label, sizeof(label), "%s %s", what, name);
    event.resource = world_engine_resource(world, resource);
    if (event.resource == NULL)
        world_fail(world, "the user asks for %s, which muster doesn't have", name);
    return tell(world, &event, label);
}

int world_resource_retry(struct world *world, const char *name)
{
    world_resource(world, name)->asked = true;
    return tell_about(world, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_RETRY}, "retry", name);
}

int world_set_policy(struct world *world, const char *name, enum muster_policy policy)
{
    struct muster__event event = {.type = MUSTER__EVENT_RESOURCE_SET_POLICY, .number = policy};
    struct world_resource *resource = world_resource(world, name);
    bool reloaded = resource->reloaded;
    bool is_up = muster_driver_state(resource->driver->driver) == MUSTER_DRIVER_UP;
    resource->reloaded = reloaded || (world_reloading(world) && is_up && check_is_inactive(world, resource));
    int code = tell_about(world, event, "set policy of", name);
    if (code == 0)
        resource->is.policy = policy;
    else
        resource->reloaded = reloaded;
    return code;
}

int world_set_needs(struct world *world, const char *name, const char *const *needs, const char *const *after)
{
    struct muster__event event = {.type = MUSTER__EVENT_RESOURCE_SET_NEEDS, .needs = needs, .after = after};
    struct world_resource *resource = world_resource(world, name);
    struct resource_config was = resource->is;
    check_keep_stops(world);
    for (unsigned i = 0; needs != NULL && (i == 0 || needs[i - 1] != NULL); i++)
        resource->is.needs[i] = needs[i];
    for (unsigned i = 0; after != NULL && (i == 0 || after[i - 1] != NULL); i++)
        resource->is.after[i] = after[i];
    check_unpromise_pending(world);
    int code = tell_about(world, event, "set needs of", name);
    if (code != 0)
        resource->is = was;
    return code;
}

int world_resource_add(struct world *world, const char *name)
{
    char label[WORLD_NAME];
    struct muster_resource_def def;
    struct world_resource *resource = world_resource(world, name);
    play_define(resource, &def);
    struct muster__event event = {
        .type = MUSTER__EVENT_RESOURCE_ADD, .driver = resource->driver->driver, .resource_def = &def};
    snprintf(label, sizeof(label), "add %s", name);
    bool added = resource->added;
    resource->added = true;
    bool late = muster_driver_state(event.driver) == MUSTER_DRIVER_UP;
    int code = tell(world, &event, label);
    if (code != 0)
        resource->alive--; /* the caller's again */
    resource->added = added || code == 0;
    resource->late = code == 0 && late; /* (what comes in the same step may end the autostart) */
    return code;
}

int world_resource_remove(struct world *world, const char *name)
{
    struct world_resource *resource = world_resource(world, name);
    resource->promise = -1;
    resource->asked = true; /* what is added again has no record, be it that the store still has one */
    bool removed = resource->removed;
    bool told = !resource->start_failed && !(resource->began && world->going_down); /* on the way down nobody listens */
    bool runs = resource->running && !resource->deceived && told;
    resource->removed = removed || (!runs && resource->limbo_until == 0);
    int code = tell_about(world, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_REMOVE}, "remove", name);
    if (code != 0)
        resource->removed = removed;
    return code;
}

int world_changed(struct world *world, const char *name, enum muster_change change)
{
    static const char *const labels[] = {"active:", "inactive:", "lost:", "unknown:"};
    struct muster__event event = {.type = MUSTER__EVENT_RESOURCE_CHANGED, .number = change};
    struct world_resource *resource = world_resource(world, name);
    if (change != MUSTER_CHANGED_ACTIVE || !resource->running)
        resource->promise = -1;
    if (change == MUSTER_CHANGED_ACTIVE && !resource->running) {
        resource->began = true;
        resource->running = true;
        resource->instance++;
        snprintf(resource->handle, sizeof(resource->handle), "h%u", resource->instance);
    } else if (change != MUSTER_CHANGED_UNKNOWN && change != MUSTER_CHANGED_ACTIVE) {
        resource->running = false;
        resource->ended = true;
        resource->last_answer = MUSTER_INACTIVE;
    }
    if (world_engine_resource(world, resource) == NULL)
        return 0;
    return tell_about(world, event, labels[change], name);
}

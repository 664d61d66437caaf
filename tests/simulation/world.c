/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void world_init(struct world *world)
{
    memset(world->drivers, 0, world->driver_count * sizeof(world->drivers[0]));
    memset(world->resources, 0, world->resource_count * sizeof(world->resources[0]));
    memset(world->ops, 0, world->op_high * sizeof(world->ops[0]));
    memset(world, 0, offsetof(struct world, drivers));
    world->boot = 1;
    world->options = (struct muster__engine_options){
        .has_store = true,
        .op_timeout_ms = 60000,
        .store_timeout_ms = 60000,
        .shutdown_timeout_ms = 90000,
        .retry_min_ms = 1000,
        .retry_max_ms = 60000,
        .max_attempts = 3,
    };
    arena_init(&world->arena);
    muster__memory_init(&world->memory, NULL);
    muster__table_init(&world->names, &world->memory);
    fake_store_init(&world->store);
}

void world_fini(struct world *world)
{
    fake_store_fini(&world->store);
    muster__table_fini(&world->names);
    arena_drop(&world->arena);
    trace_fini(&world->trace);
}

bool world_try(struct world *world, void (*act)(struct world *world))
{
    jmp_buf on_failure;
    world->on_failure = &on_failure;
    if (setjmp(on_failure) != 0)
        return false;
    act(world);
    return true;
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(world->failure, sizeof(world->failure), format, args);
    va_end(args);
    world->failure_format = format;
    world_trace(world, "BROKEN %s", world->failure);
    longjmp(*world->on_failure, 1);
}

void world_trace(struct world *world, const char *format, ...)
{
    if (!world->trace.on)
        return;
    va_list args;
    va_start(args, format);
    trace_line(&world->trace, world->now, format, args);
    va_end(args);
}

struct world_driver *world_driver(struct world *world, const char *name)
{
    return strchr(name, '/') != NULL ? NULL : (struct world_driver *)muster__table_find(&world->names, name);
}

struct world_resource *world_resource(struct world *world, const char *name)
{
    return strchr(name, '/') == NULL ? NULL : (struct world_resource *)muster__table_find(&world->names, name);
}

static void add_name(struct world *world, struct muster__table_node *node, const char *key)
{
    node->key = key;
    if (muster__table_find(&world->names, key) != NULL)
        return; /* the first of that name is meant by it */
    if (muster__table_add(&world->names, node) != 0)
        abort();
}

struct world_driver *world_add_driver(struct world *world, const struct driver_config *config)
{
    struct world_driver *driver = &world->drivers[world->driver_count++];
    driver->is = *config;
    if (driver->is.callbacks == 0)
        driver->is.callbacks = WORLD_USUAL;
    driver->registered = true;
    world->after_known = false;
    add_name(world, &driver->node, driver->is.name);
    return driver;
}

struct world_resource *world_add_resource(struct world *world, const struct resource_config *config)
{
    struct world_resource *resource = &world->resources[world->resource_count++];
    char driver[WORLD_NAME];
    snprintf(resource->full, sizeof(resource->full), "%s", config->name);
    resource->name = strchr(resource->full, '/') + 1;
    snprintf(driver, sizeof(driver), "%.*s", (int)(resource->name - resource->full) - 1, resource->full);
    resource->is = *config;
    resource->driver = world_driver(world, driver);
    resource->configured = !config->transient;
    resource->promise = -1;
    add_name(world, &resource->node, resource->full);
    return resource;
}

void world_turn(struct world *world, enum muster_phase phase, const char *name, struct turn turn)
{
    world->turns[world->turn_count++] = (struct script_turn){.phase = phase, .name = name, .turn = turn};
}

void world_store_turn(struct world *world, enum store_job_kind kind, struct store_turn turn)
{
    world->store_turn_kinds[world->store_turn_count] = kind;
    world->store_turns[world->store_turn_count++] = turn;
}

struct muster_resource *world_engine_resource(const struct world *world, const struct world_resource *resource)
{
    return world->engine == NULL ? NULL : muster__engine_find_resource(world->engine, resource->full);
}

/* ---- the daemon --------------------------------------------------------------------------------- */

static int never_called(struct muster_op *op)
{
    (void)op;
    abort();
}

static void set_callbacks(struct muster_driver_def *def, unsigned callbacks)
{
    int (**slots[])(struct muster_op *) = {
        &def->initialize, &def->restore, &def->reconcile, &def->autostart, &def->reload,
        &def->shutdown,   &def->probe,   &def->adopt,     &def->start,     &def->stop,
    };
    for (unsigned i = 0; i < WORLD_PHASES; i++)
        if ((callbacks & (1u << i)) != 0)
            *slots[i] = never_called;
}

int world_register(struct world *world, struct world_driver *driver)
{
    const struct driver_config *is = &driver->is;
    struct muster_driver_def def = {
        .size = sizeof(def),
        .name = is->name,
        .tier = is->tier,
        .priority = is->priority,
        .needs = is->needs,
        .wants = is->wants,
        .after = is->after,
        .before = is->before,
        .provides = is->provides,
        .flags = is->flags,
        .op_timeout_ms = is->op_timeout_ms,
        .max_probes = is->max_probes,
        .max_starts = is->max_starts,
        .start_interval_ms = is->start_interval_ms,
    };
    set_callbacks(&def, is->callbacks);
    struct muster__event event = {
        .type = MUSTER__EVENT_ADD_DRIVER, .driver_def = &def, .data = driver, .ret_driver = &driver->driver};
    world_trace(world, "user adds driver %s", is->name);
    return world_step(world, &event);
}

/* What a bring-up begins with. */
static void forget_bring_up(struct world *world)
{
    for (unsigned i = 0; i < world->driver_count; i++) {
        struct world_driver *driver = &world->drivers[i];
        driver->called = 0;
        driver->initialized = driver->shut_down = driver->excused = driver->has_started = false;
        driver->settled[0] = driver->settled[1] = driver->settled[2] = false;
        memset(driver->calls, 0, sizeof(driver->calls));
        driver->pause = (struct pause){0};
    }
    for (unsigned i = 0; i < world->resource_count; i++) {
        world->resources[i].last_answer = 0;
        world->resources[i].added = world->resources[i].asked = world->resources[i].late = false;
        world->resources[i].stop_asked = world->resources[i].reloaded = false;
        world->resources[i].intent[0] = world->resources[i].called[0] = '\0';
        world->resources[i].last_probe_step = world->resources[i].last_probe_ms = 0;
        world->resources[i].last_stop_step = 0;
        world->resources[i].removed = false;
        world->resources[i].start_failed = world->resources[i].deceived = false;
        world->resources[i].pause = (struct pause){0};
        memset(world->resources[i].calls, 0, sizeof(world->resources[i].calls));
    }
    memset(world->milestones, 0, sizeof(world->milestones));
    memset(world->milestone_steps, 0, sizeof(world->milestone_steps));
    world->calls = 0;
    world->loaded = world->fenced = world->store_doubtful = world->closed = world->store_failed = false;
    world->going_down = world->host_shutdown = world->budget_spent = false;
    world->host_shutdown_step = 0;
    world->load_code = 0;
    world->load_deadline = UINT64_MAX;
    world->load_late = false;
}

static void find_tokens(struct world *world)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *resource = &world->resources[i];
        const struct stored *stored = fake_store_find(&world->store, resource->full);
        const char *token = stored == NULL || stored->is.token == NULL ? "" : stored->is.token;
        snprintf(resource->found, sizeof(resource->found), "%s", token);
        resource->recorded = stored != NULL;
    }
}

static void forget_life(struct world *world)
{
    forget_bring_up(world);
    for (unsigned i = 0; i < world->driver_count; i++) {
        world->drivers[i].driver = NULL;
        world->drivers[i].planned = false;
    }
    for (unsigned i = 0; i < world->resource_count; i++)
        world->resources[i].alive = 0;
    memset(world->ops, 0, world->op_high * sizeof(world->ops[0]));
    world->op_high = 0;
    memset(world->jobs, 0, sizeof(world->jobs));
    world->request_count = 0;
    find_tokens(world);
}

static void end_with_daemon(struct world_resource *resource)
{
    if ((resource->is.flags & MUSTER_VOLATILE) != 0 ||
        (resource->driver->is.callbacks & WORLD_CALLBACK(PROBE)) == 0)
        resource->running = false;
}

void world_from_down(struct world *world)
{
    forget_bring_up(world);
    find_tokens(world);
    for (unsigned i = 0; i < world->resource_count; i++)
        end_with_daemon(&world->resources[i]);
}

void world_daemon(struct world *world)
{
    forget_life(world);
    world->life++;
    snprintf(world->boot_id, sizeof(world->boot_id), "boot-%u", world->boot);
    world->options.memory = &world->arena.memory;
    world->options.seed[0] = muster__hash_mix(world->life, 0x9e3779b97f4a7c15u);
    world->options.seed[1] = world->life;
    world->options.boot_id = world->boot_unknown ? "" : world->boot_id;
    world_trace(world, "---- daemon %u, %s", world->life, world->boot_unknown ? "boot unknown" : world->boot_id);
    if (muster__engine_new(&world->options, &world->engine) != 0)
        world_fail(world, "no engine");
    muster__engine_observe(world->engine, !world->unobserved);
    for (unsigned i = 0; i < world->driver_count; i++)
        if (world->drivers[i].registered && world_register(world, &world->drivers[i]) != 0)
            world_fail(world, "driver %s is refused: %s", world->drivers[i].is.name,
                       muster_error_text(muster__engine_error(world->engine)));
}

struct request *world_boot_daemon(struct world *world)
{
    world_daemon(world);
    return world_bring_up(world);
}

/* What was about to be spawned may come to life after its daemon's death. */
static void leave_in_limbo(struct world *world, struct played *played)
{
    struct world_resource *resource = played->resource;
    if (played->phase != MUSTER_PHASE_START || played->took_effect || (resource->is.flags & MUSTER_VOLATILE) != 0 ||
        (resource->driver->is.callbacks & WORLD_CALLBACK(PROBE)) == 0)
        return;
    if (played->turn.limbo == 0 || played->turn.lies)
        return;
    resource->limbo_until = world->now + played->turn.limbo;
    snprintf(resource->token, sizeof(resource->token), "%s", played->op->token);
    world_due(world, (struct due){.at = resource->limbo_until, .kind = DUE_LIMBO, .resource = resource});
    world_trace(world, "     %s is spawned, and will be seen later", resource->full);
}

static void forget_dues(struct world *world)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < world->due_count; i++)
        if (world->dues[i].kind == DUE_LIMBO || world->dues[i].kind == DUE_USER)
            world->dues[kept++] = world->dues[i];
    world->due_count = kept;
}

void world_kill(struct world *world)
{
    if (world->engine == NULL)
        return;
    world_trace(world, "---- the daemon is killed");
    for (unsigned i = 0; i < world->op_high; i++)
        if (world->ops[i].used && world->ops[i].out)
            leave_in_limbo(world, &world->ops[i]);
    for (unsigned i = 0; i < world->resource_count; i++)
        end_with_daemon(&world->resources[i]);
    fake_store_die(&world->store);
    forget_dues(world);
    arena_drop(&world->arena);
    world->engine = NULL;
    world->pumping = false;
}

void world_free_daemon(struct world *world)
{
    int code = muster__engine_free(world->engine);
    if (code != 0)
        world_fail(world, "the engine can't be freed: %s", muster_error_text(muster__engine_error(world->engine)));
    if (!world->budget_spent)
        check_intents(world);
    world->engine = NULL;
    if (world->arena.live != 0)
        world_fail(world, "%zu blocks leak", world->arena.live);
    for (unsigned i = 0; i < world->resource_count; i++) {
        if (world->resources[i].alive != 0)
            world_fail(world, "%s: its data was not released", world->resources[i].full);
        end_with_daemon(&world->resources[i]);
    }
    fake_store_die(&world->store);
    forget_dues(world);
    world_trace(world, "---- the daemon has ended");
}

void world_drop_users(struct world *world)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < world->due_count; i++)
        if (world->dues[i].kind != DUE_USER)
            world->dues[kept++] = world->dues[i];
    world->due_count = kept;
}

void world_deceive(struct world_resource *resource)
{
    resource->deceived = true;
    resource->promise = -1;
}

void world_reboot(struct world *world)
{
    world_kill(world);
    world->boot++;
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *resource = &world->resources[i];
        resource->running = resource->foreign = false;
        resource->limbo_until = 0;
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < world->due_count; i++)
        if (world->dues[i].kind != DUE_LIMBO)
            world->dues[kept++] = world->dues[i];
    world->due_count = kept;
    world_trace(world, "---- the machine restarts");
}

/* SPDX-License-Identifier: MIT */
/* The runner's and the drivers' part: ops are called, take effect on the machine, and are finished. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static const char *const phase_names[] = {"initialize", "restore", "reconcile", "autostart", "reload",
                                          "shutdown",   "probe",   "adopt",     "start",     "stop"};
static const char *const cause_names[] = {"user", "restore", "autostart", "host-shutdown", "rollback", "cascade"};
static const uint64_t usual_delays[] = {10, 5, 5, 5, 10, 5, 2, 2, 20, 10};

const char *world_phase_name(enum muster_phase phase)
{
    return phase_names[phase];
}

static const char *target(const struct played *played)
{
    return played->resource != NULL ? played->resource->full : played->driver->is.name;
}

static const char *outcome_name(int outcome)
{
    static const char *const names[] = {"OK", "PENDING", "SKIP", "UNAVAILABLE", "ACTIVE", "INACTIVE", "FOREIGN"};
    return outcome < 0 ? muster_code_name(outcome) : names[outcome];
}

static struct played *find_played(struct world *world, const struct muster_op *op)
{
    for (unsigned i = 0; i < world->op_high; i++)
        if (world->ops[i].used && world->ops[i].out && world->ops[i].op == op)
            return &world->ops[i];
    return NULL;
}

/* ---- resources' definitions ------------------------------------------------------------------------ */

static void release(void *data)
{
    struct world_resource *resource = data;
    resource->alive--;
}

int play_define(struct world_resource *resource, struct muster_resource_def *def)
{
    const struct resource_config *is = &resource->is;
    *def = (struct muster_resource_def){
        .size = sizeof(*def),
        .name = resource->name,
        .needs = is->needs,
        .after = is->after,
        .data = resource,
        .release = release,
        .policy = is->policy,
        .priority = is->priority,
        .flags = is->flags,
    };
    resource->alive++;
    return 0;
}

static void add(struct world *world, struct played *played, struct world_resource *resource)
{
    struct muster_resource_def def;
    struct muster_resource *made;
    play_define(resource, &def);
    if (muster__resource_new(&world->arena.memory, &def, &made) != 0)
        world_fail(world, "%s can't be made", resource->full);
    muster__list_push(&played->op->effects.added, muster__resource_link(made));
    resource->reloaded = played->phase == MUSTER_PHASE_RELOAD && world_reloading(world);
    world_trace(world, "     %s adds %s", phase_names[played->phase], resource->full);
}

enum muster_phase play_adds_in(const struct world_resource *resource)
{
    bool late = resource->is.late_added && (resource->driver->is.callbacks & WORLD_CALLBACK(RECONCILE)) != 0;
    return late ? MUSTER_PHASE_RECONCILE : MUSTER_PHASE_INITIALIZE;
}

static void add_configured(struct world *world, struct played *played)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *resource = &world->resources[i];
        if (resource->driver == played->driver && resource->configured &&
            (played->phase == MUSTER_PHASE_RELOAD || played->phase == play_adds_in(resource)) &&
            world_engine_resource(world, resource) == NULL)
            add(world, played, resource);
    }
}

static void add_restored(struct world *world, struct played *played)
{
    char full[2 * WORLD_NAME];
    snprintf(full, sizeof(full), "%s/%s", played->driver->is.name, played->op->record->is.name);
    struct world_resource *resource = world_resource(world, full);
    if (resource != NULL && resource->is.transient)
        add(world, played, resource);
}

static void remove_unconfigured(struct world *world, const struct world_driver *driver)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *resource = &world->resources[i];
        if (resource->driver == driver && !resource->configured && !resource->is.transient &&
            world_engine_resource(world, resource) != NULL)
            world_resource_remove(world, resource->full);
    }
}

/* ---- calling --------------------------------------------------------------------------------------- */

static struct turn scripted(struct world *world, const struct played *played, bool *ret_found)
{
    for (unsigned i = 0; i < world->turn_count; i++) {
        struct script_turn *script = &world->turns[i];
        if (script->taken || script->phase != played->phase || strcmp(script->name, target(played)) != 0)
            continue;
        script->taken = true;
        *ret_found = true;
        return script->turn;
    }
    *ret_found = false;
    return (struct turn){0};
}

static void choose_turn(struct world *world, struct played *played)
{
    bool found;
    played->turn = scripted(world, played, &found);
    if (!found && world->decider != NULL)
        played->turn = world->decider->turn(world, played);
    if (played->turn.delay == 0 && !played->turn.sync)
        played->turn.delay = usual_delays[played->phase];
}

static struct played *new_played(struct world *world, struct muster_op *op)
{
    struct played *played = NULL;
    for (unsigned i = 0; i < WORLD_OPS && played == NULL; i++)
        if (!world->ops[i].used)
            played = &world->ops[i];
    if (played == NULL)
        world_fail(world, "too many ops are out");
    if (world->op_high <= played - world->ops)
        world->op_high = (unsigned)(played - world->ops) + 1;
    *played = (struct played){.used = true, .out = true, .op = op, .phase = op->phase, .cause = op->cause};
    played->called_ms = world->now;
    played->called_step = world->steps;
    played->driver = world_driver(world, muster_driver_name(op->driver));
    if (op->resource != NULL) {
        char full[2 * WORLD_NAME];
        snprintf(full, sizeof(full), "%s/%s", played->driver->is.name, muster__resource_name(op->resource));
        played->resource = world_resource(world, full);
    }
    unsigned *calls = played->resource != NULL ? played->resource->calls : played->driver->calls;
    played->nth = ++calls[played->phase];
    return played;
}

static void schedule(struct world *world, struct played *played)
{
    const struct turn *turn = &played->turn;
    uint64_t end = turn->never ? UINT64_MAX : turn->delay;
    struct due due = {.played = played};
    if (turn->extend_at != 0 && turn->extend_at < end) {
        due.at = world->now + turn->extend_at;
        due.kind = DUE_EXTEND;
        world_due(world, due);
    }
    if (turn->effect != 0 && turn->effect < end) {
        due.at = world->now + turn->effect;
        due.kind = DUE_EFFECT;
        world_due(world, due);
    }
    if (turn->never)
        return;
    due.at = world->now + turn->delay;
    due.kind = DUE_FINISH;
    world_due(world, due);
}

static void trace_call(struct world *world, const struct played *played)
{
    const struct muster_op *op = played->op;
    world_trace(world, "call %s %s (%s)%s%s%s", phase_names[op->phase], target(played), cause_names[op->cause],
                op->handle == NULL ? "" : ", handle ", op->handle == NULL ? "" : op->handle,
                op->token[0] != '\0' && op->phase == MUSTER_PHASE_PROBE ? ", token" : "");
}

static void finish(struct world *world, struct played *played);

void play_call(struct world *world, struct muster_op *op)
{
    struct played *played = new_played(world, op);
    atomic_store(&op->stage, MUSTER__OP_OUT);
    if (op->effects.added.next == NULL)
        muster__list_init(&op->effects.added);
    trace_call(world, played);
    check_call(world, played);
    if (played->phase == MUSTER_PHASE_INITIALIZE) {
        played->driver->called = ++world->calls;
        played->driver->initialized = false;
    } else if (played->phase == MUSTER_PHASE_RELOAD) {
        remove_unconfigured(world, played->driver);
    } else if (played->phase == MUSTER_PHASE_SHUTDOWN) {
        played->driver->shut_down = true;
    } else if (played->phase == MUSTER_PHASE_STOP) {
        played->resource->last_stop_step = world->steps;
    }
    choose_turn(world, played);
    if (played->turn.sync)
        finish(world, played);
    else
        schedule(world, played);
}

/* ---- taking effect --------------------------------------------------------------------------------- */

static bool probes(const struct world_resource *resource)
{
    return (resource->driver->is.callbacks & WORLD_CALLBACK(PROBE)) != 0;
}

/*
 * A stop that fails leaves its resource active, and a driver without a probe can't be asked: if it had its effect
 * all the same, nobody
 * can tell.
 */
static void take_effect(struct world *world, struct played *played)
{
    struct world_resource *resource = played->resource;
    const struct turn *turn = &played->turn;
    if (played->took_effect || (turn->outcome < 0 && !turn->effective))
        return;
    if (turn->outcome == MUSTER_UNAVAILABLE || resource == NULL)
        return;
    played->took_effect = true;
    if (turn->lies || (turn->outcome < 0 && (played->phase == MUSTER_PHASE_STOP || !probes(resource))))
        world_deceive(resource);
    if (turn->lies)
        return;
    if (played->phase == MUSTER_PHASE_START) {
        if (resource->running && !resource->deceived)
            world_fail(world, "%s is started twice", resource->full);
        resource->running = true;
        resource->ended = resource->began = false;
        resource->foreign = false;
        resource->instance++;
        snprintf(resource->token, sizeof(resource->token), "%s", played->op->token);
        snprintf(resource->handle, sizeof(resource->handle), "h%u", resource->instance);
    } else if (played->phase == MUSTER_PHASE_STOP) {
        resource->running = false;
        resource->began = false;
        if (resource->limbo_until != 0)
            world_trace(world, "     what was spawned is ended");
        resource->limbo_until = 0;
    }
}

static int truth(const struct world_resource *resource)
{
    if (resource->limbo_until != 0)
        return MUSTER_UNAVAILABLE;
    return resource->running ? MUSTER_ACTIVE : resource->foreign ? MUSTER_FOREIGN : MUSTER_INACTIVE;
}

/* ---- finishing ------------------------------------------------------------------------------------- */

static int outcome_of(struct played *played)
{
    if (played->turn.outcome != 0)
        return played->turn.outcome;
    if (played->phase != MUSTER_PHASE_PROBE)
        return MUSTER_OK;
    int answer = truth(played->resource);
    if (!played->turn.lies || answer == MUSTER_UNAVAILABLE)
        return answer;
    world_deceive(played->resource);
    return answer == MUSTER_ACTIVE ? MUSTER_INACTIVE : MUSTER_ACTIVE;
}

static void set_effects(struct world *world, struct played *played, int outcome)
{
    struct muster__effects *effects = &played->op->effects;
    effects->outcome = outcome;
    if (outcome < 0)
        snprintf(effects->text, sizeof(effects->text), "made to fail");
    bool ok = outcome == MUSTER_OK;
    if (played->phase == MUSTER_PHASE_INITIALIZE && (ok || played->turn.adds))
        add_configured(world, played);
    if ((played->phase == MUSTER_PHASE_RECONCILE || played->phase == MUSTER_PHASE_RELOAD) && ok)
        add_configured(world, played);
    if (played->phase == MUSTER_PHASE_RESTORE && ok)
        add_restored(world, played);
    if (ok && (played->phase == MUSTER_PHASE_START || played->phase == MUSTER_PHASE_ADOPT)) {
        effects->handle = muster__strdup(&world->arena.memory, played->resource->handle);
        effects->handle_set = true;
    }
}

/* What the world remembers of it. */
static void remember(struct world *world, struct played *played, int outcome)
{
    check_see_try(world, played, outcome);
    /* (One that ends late, when all goes down already, has been given up: it isn't shut down.) */
    bool given_up = played->op->timed_out && muster__engine_state(world->engine) >= MUSTER_STATE_ROLLING_BACK;
    if (played->phase == MUSTER_PHASE_INITIALIZE)
        played->driver->initialized = outcome == MUSTER_OK && !given_up;
    if (played->phase == MUSTER_PHASE_PROBE) {
        played->resource->last_answer = outcome == 0 ? MUSTER_EFAILED : outcome;
        played->resource->last_probe_step = world->steps;
        played->resource->last_probe_ms = world->now;
        /* A reload waits for the first answer; what a later one leads to is not its own, nor what ends by itself after that. */
        bool inactive = outcome == MUSTER_INACTIVE || outcome == MUSTER_FOREIGN;
        if (!inactive || played->op->timed_out)
            played->resource->reloaded = false;
    }
    if (played->phase == MUSTER_PHASE_START || played->phase == MUSTER_PHASE_PROBE)
        played->resource->start_failed = played->phase == MUSTER_PHASE_START && outcome < 0;
    if (played->phase == MUSTER_PHASE_START && outcome == MUSTER_UNAVAILABLE)
        played->resource->asked = true; /* the attempt is taken back */
    if (played->phase == MUSTER_PHASE_START && outcome == MUSTER_OK)
        played->resource->last_answer = MUSTER_ACTIVE;
    if (played->phase == MUSTER_PHASE_STOP && outcome == MUSTER_OK)
        played->resource->last_answer = MUSTER_INACTIVE;
}

static void finish(struct world *world, struct played *played)
{
    int outcome = outcome_of(played);
    if (outcome >= 0 || played->turn.effective)
        take_effect(world, played);
    struct muster_op *op = played->op;
    set_effects(world, played, outcome);
    remember(world, played, outcome);
    world_trace(world, "end %s %s %s%s%s", phase_names[played->phase], target(played), outcome_name(outcome),
                op->effects.handle_set ? ", handle " : "", op->effects.handle_set ? op->effects.handle : "");
    played->out = false;
    atomic_store(&op->stage, MUSTER__OP_FINISHED);
    world_step(world, &(struct muster__event){.type = MUSTER__EVENT_OP_FINISHED, .op = op});
    if (played->turn.twice_after == 0)
        played->used = false;
    else
        world_due(world, (struct due){
                             .at = world->now + played->turn.twice_after, .kind = DUE_TWICE, .played = played});
}

void play_cancel(struct world *world, struct muster_op *op)
{
    struct played *played = find_played(world, op);
    if (played == NULL)
        world_fail(world, "an op that is finished is cancelled");
    world_trace(world, "cancel %s %s", phase_names[played->phase], target(played));
    atomic_store(&op->cancelled, true);
    if (!played->turn.heeds_cancel || played->cancelled)
        return;
    played->cancelled = true;
    for (unsigned i = 0; i < world->due_count; i++)
        if (world->dues[i].played == played)
            world->dues[i--] = world->dues[--world->due_count];
    if (!played->took_effect) {
        played->turn.outcome = MUSTER_ECANCELED;
        played->turn.effective = false;
    }
    world_due(world, (struct due){.at = world->now, .kind = DUE_FINISH, .played = played});
}

static void extend(struct world *world, struct played *played)
{
    played->op->effects.extend_ms = played->turn.extend_ms;
    world_trace(world, "extend %s %s by %llu ms", phase_names[played->phase], target(played),
                (unsigned long long)played->turn.extend_ms);
    world_step(world, &(struct muster__event){.type = MUSTER__EVENT_OP_EXTENDED, .op = played->op});
}

void play_due(struct world *world, const struct due *due)
{
    struct played *played = due->played;
    switch (due->kind) {
    case DUE_EXTEND:
        extend(world, played);
        break;
    case DUE_EFFECT:
        take_effect(world, played);
        break;
    case DUE_FINISH:
        finish(world, played);
        break;
    default:
        world_trace(world, "end %s %s a second time", phase_names[played->phase], target(played));
        played->used = false;
        world_step(world, &(struct muster__event){.type = MUSTER__EVENT_OP_TWICE, .op = played->op});
        break;
    }
}

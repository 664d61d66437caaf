/* SPDX-License-Identifier: MIT */
/* What must hold whatever happens. Each function is a sentence of the design. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static bool has(const struct world_driver *driver, unsigned callback)
{
    return (driver->is.callbacks & callback) != 0;
}

static struct stored *durable(struct world *world, const struct world_resource *resource)
{
    return fake_store_find(&world->store, resource->full);
}

static bool of_this_boot(const struct world *world, const struct stored *stored)
{
    return !world->boot_unknown && stored->is.boot != NULL && strcmp(stored->is.boot, world->boot_id) == 0;
}

static bool out(const struct played *played)
{
    return played->used && played->out;
}

/* Is an op of that phase (or, for -1, of any) out on the resource, and not past its deadline? */
static bool under_way(const struct world *world, const struct world_resource *resource, int phase)
{
    for (unsigned i = 0; i < world->op_high; i++) {
        const struct played *played = &world->ops[i];
        if (out(played) && played->resource == resource && (phase < 0 || played->phase == (enum muster_phase)phase) &&
            !played->op->timed_out)
            return true;
    }
    return false;
}

/* Since an earlier step: what is decided in one step is called in any order. */
static bool under_way_before(const struct world *world, const struct world_resource *resource)
{
    for (unsigned i = 0; i < world->op_high; i++) {
        const struct played *played = &world->ops[i];
        if (out(played) && played->resource == resource && !played->op->timed_out && played->called_step < world->steps)
            return true;
    }
    return false;
}

/* Its op is past its deadline, and out. */
static bool stuck(const struct world *world, const struct world_resource *resource)
{
    for (unsigned i = 0; i < world->op_high; i++)
        if (out(&world->ops[i]) && world->ops[i].resource == resource && world->ops[i].op->timed_out)
            return true;
    return false;
}

/* ---- drivers' order ------------------------------------------------------------------------------- */

static bool names(const char *const *list, const char *name)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static bool names_one_of(const char *const *list, const struct driver_config *provider)
{
    if (names(list, provider->name))
        return true;
    for (const char *const *name = provider->provides; *name != NULL; name++)
        if (names(list, *name))
            return true;
    return false;
}

bool check_depends(const struct driver_config *driver, const struct driver_config *on)
{
    return driver != on && (names_one_of(driver->needs, on) || names_one_of(driver->wants, on) ||
                            names_one_of(driver->after, on) || names_one_of(on->before, driver));
}

static void know_after(struct world *world)
{
    unsigned count = world->driver_count;
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < count; k++)
            world->drivers[i].after[k] = i != k && (check_depends(&world->drivers[i].is, &world->drivers[k].is) ||
                                                    world->drivers[k].is.tier < world->drivers[i].is.tier);
    for (unsigned via = 0; via < count; via++)
        for (unsigned i = 0; i < count; i++)
            for (unsigned k = 0; world->drivers[i].after[via] && k < count; k++)
                world->drivers[i].after[k] = world->drivers[i].after[k] || world->drivers[via].after[k];
    world->after_known = true;
}

static bool is_after(struct world *world, const struct world_driver *driver, const struct world_driver *other)
{
    if (!world->after_known)
        know_after(world);
    return driver != other && driver->after[other - world->drivers];
}

static bool depends(const struct world_driver *driver, const struct world_driver *on)
{
    return on->planned && check_depends(&driver->is, &on->is);
}

static bool fell(enum muster_driver_state state)
{
    return state == MUSTER_DRIVER_SKIPPED || state == MUSTER_DRIVER_FAILED || state == MUSTER_DRIVER_BLOCKED ||
           state == MUSTER_DRIVER_DEFERRED;
}

static bool reached(const struct world_driver *driver, enum muster_driver_state least)
{
    enum muster_driver_state state = muster_driver_state(driver->driver);
    unsigned step = least == MUSTER_DRIVER_INITIALIZED ? 0 : least == MUSTER_DRIVER_RECONCILED ? 1 : 2;
    if (driver->settled[step])
        return true;
    return fell(state) || (state >= least && state <= MUSTER_DRIVER_UP);
}

void check_see_drivers(struct world *world)
{
    for (unsigned i = 0; i < world->driver_count; i++) {
        struct world_driver *driver = &world->drivers[i];
        if (!driver->planned)
            continue;
        driver->settled[0] = reached(driver, MUSTER_DRIVER_INITIALIZED);
        driver->settled[1] = reached(driver, MUSTER_DRIVER_RECONCILED);
        driver->settled[2] = reached(driver, MUSTER_DRIVER_UP);
    }
}

/* It has initialized. (One that failed in a later phase blocks the later phases of others.) */
static bool is_up(const struct world_driver *driver)
{
    return driver->initialized || !has(driver, WORLD_CALLBACK(INITIALIZE));
}

/* "initialize(d) after initialize(x) for every x that d depends on; reconciled(y) for every y of a lower tier" */
static void check_initialize(struct world *world, const struct world_driver *driver)
{
    bool complete = (world->options.flags & MUSTER_COMPLETE_TIERS) != 0;
    if (!world->loaded && world->load_code == 0 && !world->load_late && world->options.has_store)
        world_fail(world, "%s initializes before the records are loaded", driver->is.name);
    for (unsigned i = 0; i < world->driver_count; i++) {
        const struct world_driver *other = &world->drivers[i];
        if (depends(driver, other) && !reached(other, MUSTER_DRIVER_INITIALIZED))
            world_fail(world, "%s initializes before %s has", driver->is.name, other->is.name);
        if (other->planned && other->is.tier < driver->is.tier &&
            !reached(other, complete ? MUSTER_DRIVER_UP : MUSTER_DRIVER_RECONCILED))
            world_fail(world, "%s initializes before %s of a lower tier is through", driver->is.name, other->is.name);
    }
    for (const char *const *need = driver->is.needs; *need != NULL; need++) {
        bool found = false;
        for (unsigned i = 0; i < world->driver_count; i++) {
            const char *only[] = {*need, NULL};
            if (world->drivers[i].planned && names_one_of(only, &world->drivers[i].is))
                found = found || is_up(&world->drivers[i]);
        }
        if (!found)
            world_fail(world, "%s initializes, and nobody who provides %s is up", driver->is.name, *need);
    }
}

static void check_reconcile(struct world *world, const struct world_driver *driver)
{
    if (has(driver, WORLD_CALLBACK(INITIALIZE)) && !driver->initialized)
        world_fail(world, "%s reconciles and has not initialized", driver->is.name);
    for (unsigned i = 0; i < world->driver_count; i++)
        if (depends(driver, &world->drivers[i]) && !reached(&world->drivers[i], MUSTER_DRIVER_RECONCILED))
            world_fail(world, "%s reconciles before %s has", driver->is.name, world->drivers[i].is.name);
}

/* Has every driver (of a tier up to this one, where tiers are complete) reconciled? */
static bool barrier_open(const struct world *world, const struct world_driver *driver)
{
    if (world->milestones[MUSTER_RECONCILED])
        return true;
    if ((world->options.flags & MUSTER_COMPLETE_TIERS) == 0)
        return false;
    for (unsigned i = 0; i < world->driver_count; i++) {
        const struct world_driver *other = &world->drivers[i];
        if (other->planned && other->is.tier <= driver->is.tier && !reached(other, MUSTER_DRIVER_RECONCILED))
            return false;
    }
    return true;
}

/* "when it succeeds the blocked dependents are run" */
void check_blocked(struct world *world)
{
    for (unsigned i = 0; i < world->driver_count; i++) {
        const struct world_driver *driver = &world->drivers[i];
        if (!driver->planned || muster_driver_state(driver->driver) != MUSTER_DRIVER_BLOCKED)
            continue;
        bool missing = false;
        for (const char *const *need = driver->is.needs; *need != NULL; need++) {
            const char *only[] = {*need, NULL};
            bool up = false;
            for (unsigned k = 0; k < world->driver_count; k++)
                up = up || (world->drivers[k].planned && names_one_of(only, &world->drivers[k].is) &&
                            muster_driver_state(world->drivers[k].driver) == MUSTER_DRIVER_UP);
            missing = missing || !up;
        }
        if (!missing)
            world_fail(world, "%s is blocked, and all that it needs is up", driver->is.name);
    }
}

void check_see_down(struct world *world, struct world_driver *driver)
{
    for (unsigned i = 0; i < world->op_high; i++)
        if (out(&world->ops[i]) && world->ops[i].driver == driver && world->ops[i].op->timed_out)
            driver->excused = true;
}

/* "drivers shut down in reverse of the order actually used", one after the other, with no op of theirs out. */
static void check_shutdown(struct world *world, const struct played *played)
{
    const struct world_driver *driver = played->driver;
    for (unsigned i = 0; i < world->op_high; i++) {
        const struct played *other = &world->ops[i];
        if (other == played || !out(other) || other->op->timed_out)
            continue;
        if (other->driver == driver || other->phase == MUSTER_PHASE_SHUTDOWN)
            world_fail(world, "%s shuts down while %s of %s is out", driver->is.name, world_phase_name(other->phase),
                       other->driver->is.name);
    }
    for (unsigned i = 0; i < world->driver_count; i++) {
        struct world_driver *later = &world->drivers[i];
        if (world->unobserved)
            check_see_down(world, later);
        if (driver->called != 0 && later->called > driver->called && !later->shut_down && later->initialized &&
            has(later, WORLD_CALLBACK(SHUTDOWN)) && !later->excused)
            world_fail(world, "%s shuts down before %s, which initialized later", driver->is.name, later->is.name);
    }
}

/* "HOST_SHUTDOWN stops everything active" */
static void check_stopped_all(struct world *world, const struct world_driver *driver)
{
    if (world->host_shutdown_step == 0 || world->budget_spent || !has(driver, WORLD_CALLBACK(STOP)))
        return;
    for (unsigned i = 0; i < world->resource_count; i++) {
        const struct world_resource *resource = &world->resources[i];
        struct muster_resource *known =
            resource->driver == driver ? world_engine_resource(world, resource) : NULL;
        struct muster_resource_status status = {.size = sizeof(status)};
        if (known == NULL || muster_resource_state(known, &status) != 0)
            continue;
        bool shown = resource->last_answer == MUSTER_ACTIVE && resource->running && resource->calls[MUSTER_PHASE_ADOPT] == 0 &&
                     status.condition == MUSTER_CONDITION_PROBING;
        if ((status.stage == MUSTER_STAGE_ACTIVE || shown) && !status.unmanaged && !stuck(world, resource) &&
            resource->last_stop_step < world->host_shutdown_step)
            world_fail(world, "%s shuts down with the host, and %s is active", driver->is.name, resource->full);
    }
}

static void check_driver_call(struct world *world, const struct played *played)
{
    const struct world_driver *driver = played->driver;
    if (played->phase != MUSTER_PHASE_SHUTDOWN && (driver->shut_down || world->going_down))
        world_fail(world, "%s is called to %s while it goes down", driver->is.name, world_phase_name(played->phase));
    if (played->phase == MUSTER_PHASE_INITIALIZE)
        check_initialize(world, driver);
    if (played->phase == MUSTER_PHASE_RECONCILE)
        check_reconcile(world, driver);
    if (played->phase == MUSTER_PHASE_AUTOSTART && !barrier_open(world, driver))
        world_fail(world, "%s autostarts before the barrier", driver->is.name);
    if (played->phase == MUSTER_PHASE_SHUTDOWN) {
        check_shutdown(world, played);
        check_stopped_all(world, driver);
    }
}

/* ---- starts --------------------------------------------------------------------------------------- */

/* "Only starting waits for them to be active." */
static void check_start_dependencies(struct world *world, const struct world_resource *resource)
{
    for (const char *const *need = resource->is.needs; *need != NULL; need++) {
        struct world_resource *other = world_resource(world, *need);
        struct muster_resource *known = other == NULL ? NULL : world_engine_resource(world, other);
        struct muster_resource_status status = {.size = sizeof(status)};
        if (known == NULL)
            world_fail(world, "%s is started, and %s isn't there", resource->full, *need);
        muster_resource_state(known, &status);
        if ((!other->running && !other->deceived) || status.stage != MUSTER_STAGE_ACTIVE)
            world_fail(world, "%s is started, and %s isn't active", resource->full, *need);
    }
    for (const char *const *after = resource->is.after; *after != NULL; after++) {
        struct world_resource *other = world_resource(world, *after);
        if (other != NULL && under_way(world, other, MUSTER_PHASE_START))
            world_fail(world, "%s is started while %s is being started", resource->full, *after);
    }
    if (resource->is.needs[0] != NULL || resource->is.after[0] != NULL)
        return;
    for (unsigned i = 0; i < world->driver_count; i++)
        if (depends(resource->driver, &world->drivers[i]) &&
            !reached(&world->drivers[i], MUSTER_DRIVER_RECONCILED))
            world_fail(world, "%s is started before %s has reconciled", resource->full, world->drivers[i].is.name);
}

/* "Restarting what is recorded active and VOLATILE or record-decided needs no new intent." */
static bool is_restart(struct world *world, const struct played *played)
{
    const struct world_resource *resource = played->resource;
    bool lived_inside =
        (resource->is.flags & MUSTER_VOLATILE) != 0 || !has(resource->driver, WORLD_CALLBACK(PROBE));
    if (!world->options.has_store)
        return lived_inside;
    const struct stored *stored = durable(world, resource);
    return stored != NULL && stored->is.stage == MUSTER_STAGE_ACTIVE && of_this_boot(world, stored) && lived_inside;
}

/* "`starting` is durable before the driver's start is called" */
static void check_intent(struct world *world, const struct played *played)
{
    struct world_resource *resource = played->resource;
    const struct stored *stored = durable(world, resource);
    snprintf(resource->called, sizeof(resource->called), "%s", played->op->token);
    if (!world->options.has_store || is_restart(world, played))
        return;
    if (stored == NULL || stored->is.stage != MUSTER_STAGE_STARTING)
        world_fail(world, "%s is started, and that isn't durable", resource->full);
    if (stored->is.token == NULL || strcmp(stored->is.token, played->op->token) != 0)
        world_fail(world, "%s is started with another token than the durable one", resource->full);
    if (stored->is.attempts == 0)
        world_fail(world, "%s: the start's attempt isn't counted", resource->full);
}

static void check_limits(struct world *world, const struct played *played)
{
    struct world_driver *driver = played->driver;
    unsigned starts = 0;
    for (unsigned i = 0; i < world->op_high; i++)
        if (out(&world->ops[i]) && world->ops[i].driver == driver && world->ops[i].phase == MUSTER_PHASE_START &&
            !world->ops[i].op->timed_out)
            starts++;
    if (driver->is.max_starts != 0 && starts > driver->is.max_starts)
        world_fail(world, "%s has %u starts out", driver->is.name, starts);
    if (driver->has_started && world->now - driver->last_start_ms < driver->is.start_interval_ms)
        world_fail(world, "%s starts %s too soon after the last", driver->is.name, played->resource->full);
    driver->has_started = true;
    driver->last_start_ms = world->now;
}

static void check_start(struct world *world, const struct played *played)
{
    const struct world_resource *resource = played->resource;
    bool probes = has(resource->driver, WORLD_CALLBACK(PROBE));
    if (world->going_down)
        world_fail(world, "%s is started on the way down", resource->full);
    if ((resource->running && !resource->deceived) || resource->limbo_until > world->now)
        world_fail(world, "%s is started, and it runs", resource->full);
    if (world->options.has_store && !world->loaded)
        world_fail(world, "%s is started, and the store can't be read", resource->full);
    if (probes && resource->last_answer != MUSTER_INACTIVE && resource->last_answer != MUSTER_FOREIGN)
        world_fail(world, "%s is started, and no probe has shown it inactive", resource->full);
    check_start_dependencies(world, resource);
    check_intent(world, played);
    uint64_t last_start_ms = resource->driver->has_started ? resource->driver->last_start_ms : 0;
    check_limits(world, played);
    if (is_restart(world, played))
        return;
    bool lived_inside =
        (resource->is.flags & MUSTER_VOLATILE) != 0 || !probes; /* START_NOW with an intent: a resolved record's */
    if (!barrier_open(world, resource->driver) && !(lived_inside && played->cause == MUSTER_CAUSE_RESTORE))
        world_fail(world, "%s is started before the barrier", resource->full);
    bool asked = played->cause == MUSTER_CAUSE_USER || played->cause == MUSTER_CAUSE_CASCADE;
    if (asked || (lived_inside && played->cause == MUSTER_CAUSE_RESTORE))
        return;
    if (resource->promise == MUSTER_DESIRED_INACTIVE)
        world_fail(world, "%s is started by itself, and a user was told that it is stopped", resource->full);
    /* (The engine hears of a probe's end a step later. That step may open the barrier, too.) */
    if (probes && (world->options.flags & MUSTER_COMPLETE_TIERS) == 0 &&
        resource->last_probe_step + 1 < world->milestone_steps[MUSTER_RECONCILED])
        world_fail(world, "%s is started after the barrier with a probe from before it", resource->full);
    /* Of one at a time, whatever was started since had the turn before it. */
    if (probes && resource->driver->is.max_starts == 1 && last_start_ms > resource->last_probe_ms)
        world_fail(world, "%s is started in a turn that it waited for with a probe from before it", resource->full);
}

/* ---- stops ---------------------------------------------------------------------------------------- */

/* Within its driver alone: by `after`, too. */
static bool leads_to(struct world *world, const struct world_resource *resource, const char *on, bool within)
{
    const char *const *lists[] = {resource->is.needs, resource->is.after};
    for (unsigned list = 0; list < (within ? 2 : 1); list++) {
        for (const char *const *name = lists[list]; *name != NULL; name++) {
            if (strcmp(*name, on) == 0)
                return true;
            struct world_resource *other = world_resource(world, *name);
            bool there = other != NULL && world_engine_resource(world, other) != NULL;
            if (other == NULL || other->walk == world->walks || (within && (!there || other->driver != resource->driver)))
                continue;
            other->walk = world->walks;
            if (leads_to(world, other, on, within))
                return true;
        }
    }
    return false;
}

/* What can't be waited for: its driver comes later or at no certain time, or it waits for the one that would wait. */
bool check_is_bad(struct world *world, const struct world_resource *resource, const struct world_resource *on)
{
    world->walks++;
    if (on->driver != resource->driver)
        return !is_after(world, resource->driver, on->driver);
    return on == resource || leads_to(world, on, resource->full, true);
}

bool check_needs(struct world *world, const struct world_resource *resource, const char *on)
{
    world->walks++;
    return leads_to(world, resource, on, false);
}

static bool stop_was_asked(struct world *world, const struct world_resource *resource)
{
    if (resource->stop_asked)
        return true;
    for (unsigned i = 0; i < world->request_count; i++) {
        const struct request *request = &world->requests[i];
        if (request->type != MUSTER__EVENT_RESOURCE_STOP || !request->accepted)
            continue;
        if (request->resource == resource || ((request->flags & MUSTER_STOP_CASCADE) != 0 &&
                                              check_needs(world, resource, request->resource->full)))
            return true;
    }
    return false;
}

void check_keep_stops(struct world *world)
{
    for (unsigned i = 0; i < world->resource_count; i++)
        world->resources[i].stop_asked = stop_was_asked(world, &world->resources[i]);
}

static void check_stop_dependents(struct world *world, const struct world_resource *resource)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        const struct world_resource *other = &world->resources[i];
        if (other == resource || !other->running || other->deceived || !names(other->is.needs, resource->full) ||
            world_engine_resource(world, other) == NULL)
            continue;
        struct muster_resource_status status = {.size = sizeof(status)};
        muster_resource_state(world_engine_resource(world, other), &status);
        if (status.condition == MUSTER_CONDITION_FAILED || other->start_failed || other->began)
            continue; /* its driver said that it couldn't be started, or says only now that it runs: it is taken at its word */
        /* Against the order of drivers: a host goes by that order, and where each needs the other, neither waits. */
        if (check_is_bad(world, other, resource) && (world->host_shutdown || check_needs(world, resource, other->full)))
            continue;
        if (!world->host_shutdown)
            world_fail(world, "%s is stopped under %s, which runs", resource->full, other->full);
        if (under_way(world, other, MUSTER_PHASE_STOP))
            world_fail(world, "%s is stopped before %s, which needs it, has", resource->full, other->full);
    }
}

/* "nothing live ever stopped unasked"; "likewise stopping" of the intent. */
static void check_stop(struct world *world, const struct played *played)
{
    const struct world_resource *resource = played->resource;
    const struct stored *stored = durable(world, resource);
    bool recorded = stored != NULL && stored->is.stage == MUSTER_STAGE_STOPPING;
    bool by_user = recorded && stored->is.reason == MUSTER_REASON_USER;
    if (!world->host_shutdown && !by_user && !stop_was_asked(world, resource))
        world_fail(world, "%s is stopped, and nobody has asked for that", resource->full);
    if (world->options.has_store && !recorded && !world->host_shutdown)
        world_fail(world, "%s is stopped, and that isn't durable", resource->full);
    if (resource->last_answer == MUSTER_FOREIGN && played->op->handle != NULL)
        world_fail(world, "%s is FOREIGN, and its stop is given a handle", resource->full);
    check_stop_dependents(world, resource);
}

/* ---- probes and adoption -------------------------------------------------------------------------- */

static void check_probe(struct world *world, const struct played *played)
{
    const struct stored *stored = durable(world, played->resource);
    const struct muster_op *op = played->op;
    unsigned probes = 0;
    if (op->handle != NULL && stored != NULL && !of_this_boot(world, stored) && world->store.jobs == NULL &&
        world->loaded && !world->store_failed)
        world_fail(world, "%s: a probe is given a handle of another boot", played->resource->full);
    bool was_starting = stored != NULL && world->loaded && stored->is.stage == MUSTER_STAGE_STARTING &&
                        of_this_boot(world, stored) && stored->is.token != NULL;
    if (was_starting && played->resource->last_answer == 0 && world->store.jobs == NULL && !world->store_failed &&
        strcmp(op->token, stored->is.token) != 0)
        world_fail(world, "%s: a probe isn't given the start's token", played->resource->full);
    for (unsigned i = 0; i < world->op_high; i++)
        if (out(&world->ops[i]) && world->ops[i].driver == played->driver &&
            world->ops[i].phase == MUSTER_PHASE_PROBE && !world->ops[i].op->timed_out)
            probes++;
    if (played->driver->is.max_probes != 0 && probes > played->driver->is.max_probes)
        world_fail(world, "%s has %u probes out", played->driver->is.name, probes);
}

/* Its resources are probed. One without initialize may have been blocked before it came to that. */
static bool was_opened(const struct world_driver *driver)
{
    return reached(driver, MUSTER_DRIVER_INITIALIZED) &&
           (driver->initialized ||
            (!has(driver, WORLD_CALLBACK(INITIALIZE)) && !fell(muster_driver_state(driver->driver))));
}

/* "Adopting a live resource waits until its dependencies have settled" */
static void check_adopt(struct world *world, const struct played *played)
{
    const struct world_resource *resource = played->resource;
    if (stop_was_asked(world, resource))
        return; /* what is about to be stopped waits for nothing */
    if (!resource->running && !resource->ended && !resource->deceived)
        world_fail(world, "%s is adopted, and it doesn't run", resource->full);
    const char *const *lists[] = {resource->is.needs, resource->is.after};
    for (unsigned i = 0; i < 2; i++) {
        for (const char *const *name = lists[i]; *name != NULL; name++) {
            struct world_resource *other = world_resource(world, *name);
            if (other == NULL || other->driver->driver == NULL || world_engine_resource(world, other) == NULL)
                continue;
            if (check_is_bad(world, resource, other))
                continue; /* it holds nothing up */
            if (under_way_before(world, other))
                world_fail(world, "%s is adopted, and %s has not settled", resource->full, *name);
            if (!stuck(world, other) && other->last_answer == 0 && has(other->driver, WORLD_CALLBACK(PROBE)) &&
                was_opened(other->driver) &&
                !world->milestones[MUSTER_RECONCILED] && !other->is.transient && !other->is.late_added)
                world_fail(world, "%s is adopted, and %s was not even probed", resource->full, *name);
        }
    }
}

static void check_one_op(struct world *world, const struct played *played)
{
    unsigned all = 0;
    for (unsigned i = 0; i < world->op_high; i++) {
        const struct played *other = &world->ops[i];
        if (!out(other))
            continue;
        if (!other->op->timed_out)
            all++;
        if (other != played && other->driver == played->driver && other->resource == played->resource &&
            (other->phase != MUSTER_PHASE_RESTORE ||
             (played->phase != MUSTER_PHASE_RESTORE && !other->op->timed_out)))
            world_fail(world, "a second op on %s",
                       played->resource == NULL ? played->driver->is.name : played->resource->full);
    }
    if (world->options.max_ops != 0 && all > world->options.max_ops)
        world_fail(world, "%u ops are out", all);
}

void check_call(struct world *world, const struct played *played)
{
    check_one_op(world, played);
    check_pause(world, played);
    if (!has(played->driver, 1u << played->phase))
        world_fail(world, "%s has no %s", played->driver->is.name, world_phase_name(played->phase));
    switch (played->phase) {
    case MUSTER_PHASE_PROBE:
        check_probe(world, played);
        break;
    case MUSTER_PHASE_ADOPT:
        check_adopt(world, played);
        break;
    case MUSTER_PHASE_START:
        check_start(world, played);
        break;
    case MUSTER_PHASE_STOP:
        check_stop(world, played);
        break;
    default:
        check_driver_call(world, played);
        break;
    }
}

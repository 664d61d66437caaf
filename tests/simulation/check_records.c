/* SPDX-License-Identifier: MIT */
/* What must hold of records, of requests, and at the end. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "Attempts are written with the intent and reset by success, by a user's request and by a new boot." */
static void check_attempts(struct world *world, const struct muster_record *record, const struct stored *before)
{
    char full[2 * STORE_TEXT];
    snprintf(full, sizeof(full), "%s/%s", record->driver, record->name);
    const struct world_resource *resource = world_resource(world, full);
    bool again = before != NULL && before->is.boot != NULL && strcmp(before->is.boot, world->boot_id) == 0 &&
                 (before->is.stage == MUSTER_STAGE_STARTING ||
                  (before->is.stage == MUSTER_STAGE_INACTIVE && before->is.reason == MUSTER_REASON_FAILURE));
    bool down = muster__engine_state(world->engine) >= MUSTER_STATE_ROLLING_BACK;
    if (!again || resource == NULL || resource->asked || world->store_failed || down || world->boot_unknown)
        return;
    /* An intent that was withdrawn before its start was called is no attempt. */
    if (before->is.stage == MUSTER_STAGE_STARTING &&
        (before->is.token == NULL || strcmp(before->is.token, resource->called) != 0))
        return;
    if (record->attempts <= before->is.attempts)
        world_fail(world, "%s is started again, and the attempt isn't counted", full);
    if (record->attempts > world->options.max_attempts)
        world_fail(world, "%s is started again after %u attempts", full, (unsigned)before->is.attempts);
}

static bool says_durations(const char *text)
{
    static const char *const words[] = {"initialize=", "reconcile=", "autostart=", "start="};
    size_t i = 0;
    for (; text != NULL && *text != '\0'; text += strspn(text, "0123456789"), text += *text == ' ') {
        while (i < 4 && strncmp(text, words[i], strlen(words[i])) != 0)
            i++;
        if (i == 4)
            return false;
        text += strlen(words[i]);
        if (*text < '1' || *text > '9')
            return false;
    }
    return text != NULL && i < 4;
}

/* Durations of what there is, and of nothing else. */
static void check_history(struct world *world, const struct muster_record *record)
{
    char full[2 * STORE_TEXT];
    snprintf(full, sizeof(full), "%s/%s", record->driver, record->name);
    const struct stored *before = fake_store_like(&world->store, record);
    if ((world->options.flags & MUSTER_FIRST_COME) != 0)
        world_fail(world, "%s: durations are kept, and nobody wants them", full);
    if ((record->flags & MUSTER_RECORD_REMOVED) != 0)
        return;
    if (world_resource(world, full) == NULL && strcmp(record->driver, record->name) != 0)
        world_fail(world, "%s: durations of nothing", full);
    if (record->format != MUSTER_RECORD_FORMAT || !says_durations(record->handle))
        world_fail(world, "%s: its durations are '%s'", full, record->handle == NULL ? "" : record->handle);
    if (before != NULL && record->generation <= before->is.generation)
        world_fail(world, "%s: the generation of its durations doesn't grow", full);
}

static bool has_record(const struct muster__action *action, const char *full)
{
    char name[2 * STORE_TEXT];
    for (size_t i = 0; i < action->count; i++) {
        const struct muster_record *record = action->records[i];
        snprintf(name, sizeof(name), "%s/%s", record->driver, record->name);
        if (record->kind == MUSTER_RECORD_RESOURCE && (record->flags & MUSTER_RECORD_REMOVED) == 0 && strcmp(name, full) == 0)
            return true;
    }
    return false;
}

static bool was_moved_or_forgotten(const struct world *world, const struct world_resource *resource)
{
    for (unsigned i = 0; i < world->request_count; i++) {
        const struct request *request = &world->requests[i];
        if (request->accepted && request->resource == resource &&
            (request->type == MUSTER__EVENT_RECORD_FORGET || request->type == MUSTER__EVENT_RECORD_MOVE))
            return true;
    }
    return false;
}

/*
 * What a user has just asked to be forgotten goes, and what is moved, when it is or comes to be at its new name; what is
 * removed goes if it didn't run; so does the first intent, if that came to nothing. Nothing else.
 */
static bool may_go(struct world *world, const struct muster__action *action, const struct world_resource *resource,
                   const struct stored *before)
{
    bool is_first = !resource->recorded && (before == NULL || before->is.stage != MUSTER_STAGE_ACTIVE);
    if (resource->removed || is_first)
        return true;
    for (unsigned i = 0; i < world->request_count; i++) {
        const struct request *request = &world->requests[i];
        /* (One that is cancelled has been followed by another; what a resource has claimed meanwhile isn't undone.) */
        bool claimed = resource->added || world_engine_resource(world, resource) != NULL;
        bool stands = request->ended == 0 || request->code == MUSTER_ECANCELED || claimed;
        bool pending = request->accepted && stands && request->resource == resource;
        if (pending && request->type == MUSTER__EVENT_RECORD_FORGET)
            return true;
        if (pending && request->type == MUSTER__EVENT_RECORD_MOVE &&
            (request->moved_to == NULL || has_record(action, request->moved_to->full) ||
             was_moved_or_forgotten(world, request->moved_to) ||
             fake_store_find(&world->store, request->moved_to->full) != NULL))
            return true;
    }
    return false;
}

static void check_removed(struct world *world, const struct muster__action *action, const char *full,
                          const struct stored *before)
{
    struct world_resource *resource = world_resource(world, full);
    if (resource == NULL)
        return;
    if (!may_go(world, action, resource, before))
        world_fail(world, "the record of %s is removed, and nobody has asked for that", full);
    resource->recorded = false;
}

/* "stopping (user) that runs is stopped": in this boot, whatever its driver reports before that. */
static void check_stop_goes_on(struct world *world, const struct muster_record *record, const struct stored *before,
                               const struct world_resource *resource)
{
    if (resource == NULL || before == NULL || before->is.stage != MUSTER_STAGE_STOPPING ||
        before->is.reason != MUSTER_REASON_USER || world->boot_unknown || before->is.boot == NULL ||
        strcmp(before->is.boot, world->boot_id) != 0)
        return;
    bool touched = resource->asked || resource->began || resource->calls[MUSTER_PHASE_STOP] > 0;
    if (record->stage == MUSTER_STAGE_ACTIVE && !touched)
        world_fail(world, "%s was being stopped by a user, and is active again", resource->full);
}

static void check_record(struct world *world, const struct muster__action *action, const struct muster_record *record)
{
    char full[2 * STORE_TEXT];
    if (record->kind != MUSTER_RECORD_RESOURCE) {
        check_history(world, record);
        return;
    }
    snprintf(full, sizeof(full), "%s/%s", record->driver, record->name);
    const struct stored *before = fake_store_find(&world->store, full);
    if ((record->flags & MUSTER_RECORD_REMOVED) != 0) {
        check_removed(world, action, full, before);
        return;
    }
    if (record->stage > MUSTER_STAGE_STOPPING || record->desired > MUSTER_DESIRED_ACTIVE ||
        record->reason > MUSTER_REASON_FAILURE || record->format != MUSTER_RECORD_FORMAT)
        world_fail(world, "%s: its record is no record", full);
    if (before != NULL && record->generation <= before->is.generation)
        world_fail(world, "%s: its generation doesn't grow", full);
    bool resolved = before != NULL && (before->is.flags & MUSTER_RECORD_QUARANTINED) != 0;
    if (!resolved && record->stage == MUSTER_STAGE_ACTIVE && (record->flags & MUSTER_RECORD_MARK) == 0)
        world_fail(world, "%s is recorded active without the mark", full);
    if (record->stage == MUSTER_STAGE_STARTING)
        check_attempts(world, record, before);
    if (record->stage == MUSTER_STAGE_STARTING && (record->token == NULL || strlen(record->token) != 32))
        world_fail(world, "%s: an intent without a token", full);
    struct world_resource *resource = world_resource(world, full);
    check_stop_goes_on(world, record, before, resource);
    if (record->stage == MUSTER_STAGE_STARTING && resource != NULL && strcmp(record->token, resource->found) != 0)
        snprintf(resource->intent, sizeof(resource->intent), "%s", record->token);
}

void check_commit(struct world *world, const struct muster__action *action)
{
    if (!world->options.has_store || !world->loaded)
        world_fail(world, "a commit to a store that could not be read");
    if (world->fenced)
        world_fail(world, "a commit after the lock was lost");
    if (world->store_doubtful)
        world_fail(world, "a commit after one that can't be told, without a load");
    if (world->closed || world->store.jobs != NULL)
        world_fail(world, "a commit while the store is %s", world->closed ? "closed" : "busy");
    if (action->count == 0)
        world_fail(world, "an empty commit");
    for (size_t i = 0; i < action->count; i++) {
        check_record(world, action, action->records[i]);
        for (size_t k = 0; k < i; k++)
            if (action->records[i]->kind == action->records[k]->kind &&
                strcmp(action->records[i]->driver, action->records[k]->driver) == 0 &&
                strcmp(action->records[i]->name, action->records[k]->name) == 0)
                world_fail(world, "%s is twice in a batch", action->records[i]->name);
    }
}

/* ---- requests ------------------------------------------------------------------------------------- */

static bool concerns(struct world *world, const struct request *request, const struct world_resource *resource)
{
    if (request->resource == resource)
        return true;
    if (request->type == MUSTER__EVENT_RESOURCE_START)
        return (request->flags & MUSTER_START_DEPENDENCIES) != 0 &&
               check_needs(world, request->resource, resource->full);
    return (request->flags & MUSTER_STOP_CASCADE) != 0 &&
           check_needs(world, resource, request->resource->full);
}

void check_unpromise(struct world *world, struct world_resource *resource, enum muster__event_type type, uint64_t flags)
{
    const struct request asked = {.type = type, .flags = flags, .resource = resource};
    for (unsigned i = 0; i < world->resource_count; i++)
        if (concerns(world, &asked, &world->resources[i])) {
            world->resources[i].promise = -1;
            world->resources[i].asked = true;
        }
}

/* A start or a stop that was not refused. */
static bool is_about(const struct request *request)
{
    return (request->type == MUSTER__EVENT_RESOURCE_START || request->type == MUSTER__EVENT_RESOURCE_STOP) && request->accepted;
}

void check_unpromise_pending(struct world *world)
{
    for (unsigned i = 0; i < world->request_count; i++) {
        const struct request *request = &world->requests[i];
        if (is_about(request) && request->ended == 0)
            check_unpromise(world, request->resource, request->type, request->flags);
    }
}

/* Nothing else that users have asked for is on its way. */
static void promise(struct world *world, struct world_resource *resource, enum muster_desired desired)
{
    for (unsigned i = 0; i < world->request_count; i++) {
        const struct request *request = &world->requests[i];
        /* (A cascade may reach what depends on it after the stop that asked for it was told.) */
        bool pending = request->ended == 0 || request->resource != resource;
        if (is_about(request) && pending && concerns(world, request, resource))
            return;
    }
    /* (A cascade that has reached it stops it, though it needs what is stopped no longer.) */
    if (!resource->deceived && !(desired == MUSTER_DESIRED_ACTIVE && resource->stop_asked))
        resource->promise = (int)desired;
}

static void check_started(struct world *world, struct world_resource *resource)
{
    const struct stored *stored = fake_store_find(&world->store, resource->full);
    if (resource->ended)
        return;
    if (!resource->running && !resource->deceived)
        world_fail(world, "a user hears that %s is started, and it doesn't run", resource->full);
    if (!world->options.has_store)
        return;
    if (stored == NULL || stored->is.stage != MUSTER_STAGE_ACTIVE || stored->is.desired != MUSTER_DESIRED_ACTIVE)
        world_fail(world, "a user hears that %s is started before that is durable", resource->full);
    if (!resource->began && stored->is.handle != NULL && strcmp(stored->is.handle, resource->handle) != 0 && !resource->deceived)
        world_fail(world, "%s: an old handle is recorded", resource->full);
    promise(world, resource, MUSTER_DESIRED_ACTIVE);
}

static void check_stopped(struct world *world, struct world_resource *resource)
{
    const struct stored *stored = fake_store_find(&world->store, resource->full);
    if (resource->began)
        return;
    if (resource->running && !resource->deceived)
        world_fail(world, "a user hears that %s is stopped, and it runs", resource->full);
    if (!world->options.has_store)
        return;
    if (stored == NULL || stored->is.stage != MUSTER_STAGE_INACTIVE || stored->is.reason != MUSTER_REASON_USER ||
        stored->is.desired != MUSTER_DESIRED_INACTIVE)
        world_fail(world, "a user hears that %s is stopped before that is durable", resource->full);
    if (!world->boot_unknown && (stored->is.boot == NULL || strcmp(stored->is.boot, world->boot_id) != 0))
        world_fail(world, "%s is stopped in another boot", resource->full);
    promise(world, resource, MUSTER_DESIRED_INACTIVE);
}

/* "A failed stop durably returns to active before the caller hears of it." -EIO is what drivers fail with here. */
static void check_stop_failed(struct world *world, const struct world_resource *resource)
{
    const struct stored *stored = fake_store_find(&world->store, resource->full);
    const struct store_job *job = world->store.jobs;
    bool is_late = job != NULL && job->turn.delay >= world->options.store_timeout_ms; /* whoever waits for it may be told so */
    if (!world->options.has_store || !world->loaded || world->store_failed || is_late || world->going_down)
        return;
    struct muster_resource_status status = {.size = sizeof(status)};
    struct muster_resource *known = world_engine_resource(world, resource);
    if (known == NULL || muster_resource_state(known, &status) != 0 || status.stage != MUSTER_STAGE_ACTIVE)
        return;
    if (stored != NULL && stored->is.stage == MUSTER_STAGE_STOPPING)
        world_fail(world, "a user hears that %s could not be stopped before it is active again", resource->full);
}

bool check_is_inactive(struct world *world, const struct world_resource *resource)
{
    struct muster_resource *known = world_engine_resource(world, resource);
    struct muster_resource_status status = {.size = sizeof(status)};
    return known != NULL && muster_resource_state(known, &status) == 0 && status.stage == MUSTER_STAGE_INACTIVE &&
           status.condition == MUSTER_CONDITION_NONE;
}

static const struct stored *stored_in_this_boot(struct world *world, const struct world_resource *resource)
{
    const struct stored *stored = fake_store_find(&world->store, resource->full);
    return stored != NULL && stored->is.boot != NULL && strcmp(stored->is.boot, world->boot_id) == 0 ? stored : NULL;
}

static bool is_marked(struct world *world, const struct world_resource *resource)
{
    const struct stored *stored = stored_in_this_boot(world, resource);
    return stored != NULL && (stored->is.flags & MUSTER_RECORD_MARK) != 0;
}

static bool was_stopped(struct world *world, const struct world_resource *resource)
{
    const struct stored *stored = stored_in_this_boot(world, resource);
    return stored != NULL && stored->is.reason == MUSTER_REASON_USER &&
           (stored->is.stage == MUSTER_STAGE_INACTIVE || stored->is.stage == MUSTER_STAGE_STOPPING);
}

/*
 * After a death, what it has added or changed is not started by its policy: the mark is durable. (What a user has stopped stays
 * so for this boot without one.)
 */
static void check_reloaded(struct world *world, int code)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *resource = &world->resources[i];
        bool told = resource->reloaded && code == 0 && world->options.has_store && world->loaded && !world->boot_unknown;
        resource->reloaded = false;
        if (told && check_is_inactive(world, resource) && !is_marked(world, resource) && !was_stopped(world, resource))
            world_fail(world, "the reload has ended, and %s may be started by the next daemon", resource->full);
    }
}

void check_done(struct world *world, const struct request *request)
{
    if (request->ended != 1)
        world_fail(world, "%s ends a second time", request->label);
    if (request->type == MUSTER__EVENT_RESOURCE_START && request->code == 0)
        check_started(world, request->resource);
    if (request->type == MUSTER__EVENT_RESOURCE_STOP && request->code == 0)
        check_stopped(world, request->resource);
    if (request->type == MUSTER__EVENT_RESOURCE_STOP && request->code == -EIO)
        check_stop_failed(world, request->resource);
    if (request->type == MUSTER__EVENT_RELOAD)
        check_reloaded(world, request->code);
    if (request->type == MUSTER__EVENT_SHUTDOWN && request->code == 0 && muster__engine_ops_out(world->engine) > 0)
        world_fail(world, "%s ends well, and ops are out", request->label);
}

/* ---- after every step ------------------------------------------------------------------------------ */

/* "every acknowledged request survives a death": what a user was told is what the store says. */
static void check_promise(struct world *world, const struct world_resource *resource)
{
    if (resource->promise < 0)
        return;
    const struct stored *stored = fake_store_find(&world->store, resource->full);
    if (stored == NULL || stored->is.desired != (uintptr_t)resource->promise)
        world_fail(world, "%s: a user was told that it is %s, and the store says otherwise", resource->full,
                   resource->promise == MUSTER_DESIRED_ACTIVE ? "active" : "inactive");
}

static void check_barrier(struct world *world)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        const struct world_resource *resource = &world->resources[i];
        if (world_engine_resource(world, resource) == NULL || resource->last_answer != 0 || resource->added ||
            (resource->driver->is.callbacks & WORLD_CALLBACK(PROBE)) == 0)
            continue;
        enum muster_driver_state state = muster_driver_state(resource->driver->driver);
        bool stuck = false;
        for (unsigned k = 0; k < world->op_high; k++)
            if (world->ops[k].used && world->ops[k].out && world->ops[k].resource == resource)
                stuck = world->ops[k].op->timed_out;
        if (!stuck && state >= MUSTER_DRIVER_RECONCILED && state <= MUSTER_DRIVER_UP)
            world_fail(world, "the barrier opens, and %s has not been probed", resource->full);
    }
}

void check_step(struct world *world)
{
    if (world->engine == NULL)
        return;
    size_t out = 0;
    check_see_drivers(world);
    check_blocked(world);
    for (unsigned i = 0; i < world->op_high; i++)
        if (world->ops[i].used && world->ops[i].out)
            out++;
    if (muster__engine_ops_out(world->engine) != out)
        world_fail(world, "%zu ops are out, and the engine counts %zu", out, muster__engine_ops_out(world->engine));
    if (muster__engine_deadlocks(world->engine) > 0)
        world_fail(world, "a deadlock had to be broken");
    if (((muster__engine_holds(world->engine) & MUSTER_HOLDS_OPS) != 0) != (out != 0))
        world_fail(world, "muster_holds() doesn't know of the ops that are out");
    for (unsigned i = 0; i < world->resource_count && world->options.has_store; i++)
        check_promise(world, &world->resources[i]);
    if (world->milestones[MUSTER_RECONCILED] && world->milestone_steps[MUSTER_RECONCILED] == world->steps)
        check_barrier(world);
}

/* ---- at the end ------------------------------------------------------------------------------------ */

static bool fell(enum muster_driver_state state)
{
    return state >= MUSTER_DRIVER_SKIPPED && state <= MUSTER_DRIVER_DEFERRED;
}

void check_intents(struct world *world)
{
    for (unsigned i = 0; i < world->resource_count && !world->store_failed; i++) {
        const struct world_resource *resource = &world->resources[i];
        const struct stored *stored = resource->intent[0] == '\0' ? NULL : fake_store_find(&world->store, resource->full);
        if (stored != NULL && stored->is.stage == MUSTER_STAGE_STARTING && stored->is.token != NULL &&
            strcmp(stored->is.token, resource->intent) == 0 && strcmp(resource->called, resource->intent) != 0)
            world_fail(world, "%s: an intent is left, and its start was never called", resource->full);
    }
}

/* "once the autostart phase is over, adding an inactive resource sets [the mark] too" (One that runs may be stopped first.) */
static void check_late(struct world *world, const struct world_resource *resource)
{
    if (resource->late && !resource->asked && !world->store_failed && world->loaded && !world->boot_unknown &&
        check_is_inactive(world, resource) && !is_marked(world, resource) && !was_stopped(world, resource))
        world_fail(world, "%s was added when autostart was over, and is not marked", resource->full);
}

void check_quiet(struct world *world)
{
    if (world->engine == NULL)
        return;
    for (unsigned i = 0; i < world->resource_count && world->options.has_store; i++)
        check_late(world, &world->resources[i]);
    if (world->options.has_store && muster__engine_state(world->engine) == MUSTER_STATE_UP)
        check_intents(world);
    for (unsigned i = 0; i < world->request_count; i++)
        if (world->requests[i].accepted && world->requests[i].ended != 1)
            world_fail(world, "%s never ends", world->requests[i].label);
    for (unsigned i = 0; i < world->resource_count && muster__engine_state(world->engine) == MUSTER_STATE_UP; i++) {
        struct muster_resource *known = world_engine_resource(world, &world->resources[i]);
        struct muster_resource_status status = {.size = sizeof(status)};
        if (known == NULL || muster_resource_state(known, &status) != 0)
            continue;
        if (status.condition == MUSTER_CONDITION_DEFERRED)
            world_fail(world, "%s is deferred, and never tried again", world->resources[i].full);
    }
}

/* For sure, with all drivers up: what isn't there, comes later, or waits for this one. */
static const char *bad_dependency(struct world *world, const struct world_resource *resource)
{
    for (unsigned list = 0; list < 2; list++) {
        const char *const *names = list == 0 ? resource->is.needs : resource->is.after;
        for (; *names != NULL; names++) {
            const struct world_resource *other = world_resource(world, *names);
            if (other == NULL || other->driver->driver == NULL ||
                muster_driver_state(other->driver->driver) != MUSTER_DRIVER_UP)
                continue;
            if (world_engine_resource(world, other) == NULL || check_is_bad(world, resource, other))
                return *names;
        }
    }
    return NULL;
}

/* "a bad edge, a cycle, a dependency that doesn't exist: degraded, never started, and says why" */
static void check_bad_dependency(struct world *world, const struct world_resource *resource,
                                 const struct muster_resource_status *status)
{
    const char *bad = bad_dependency(world, resource);
    if (bad != NULL && status->stage == MUSTER_STAGE_INACTIVE && status->condition == MUSTER_CONDITION_NONE &&
        !status->degraded)
        world_fail(world, "%s is inactive, can't have %s, and doesn't say so", resource->full, bad);
}

static void check_resource_settled(struct world *world, const struct world_resource *resource)
{
    struct muster_resource *known = world_engine_resource(world, resource);
    struct muster_resource_status status = {.size = sizeof(status)};
    if (known == NULL)
        return;
    muster_resource_state(known, &status);
    const char *why = muster_error_text(muster_resource_get_error(known));
    enum muster_driver_state driver = muster_driver_state(resource->driver->driver);
    if (status.condition == MUSTER_CONDITION_PROBING && driver == MUSTER_DRIVER_UP)
        world_fail(world, "%s is being probed for ever", resource->full);
    if (status.condition != MUSTER_CONDITION_NONE && why[0] == '\0' && driver == MUSTER_DRIVER_UP)
        world_fail(world, "%s is %s, and nobody says why", resource->full, muster_condition_name(status.condition));
    if (status.condition == MUSTER_CONDITION_NONE &&
        (status.stage == MUSTER_STAGE_STARTING || status.stage == MUSTER_STAGE_STOPPING))
        world_fail(world, "%s is %s for ever", resource->full, muster_stage_name(status.stage));
    if (status.condition == MUSTER_CONDITION_NONE && driver == MUSTER_DRIVER_UP && !status.unmanaged && !resource->deceived &&
        (status.stage == MUSTER_STAGE_ACTIVE) != resource->running)
        world_fail(world, "%s is %s, and it %s", resource->full, muster_stage_name(status.stage),
                   resource->running ? "runs" : "doesn't run");
    if (!status.durable && world->loaded && !world->fenced)
        world_fail(world, "%s isn't durable", resource->full);
    if (driver == MUSTER_DRIVER_UP)
        check_bad_dependency(world, resource, &status);
}

void check_settled(struct world *world)
{
    for (unsigned i = 0; i < world->op_high; i++)
        if (world->ops[i].used && world->ops[i].out && !world->ops[i].turn.never)
            world_fail(world, "an op is still out");
    for (unsigned i = 0; i < world->request_count; i++)
        if (world->requests[i].accepted && world->requests[i].ended != 1)
            world_fail(world, "%s never ends", world->requests[i].label);
    if (muster__engine_state(world->engine) != MUSTER_STATE_UP)
        return;
    for (unsigned i = 0; i < 3; i++)
        if (!world->milestones[i])
            world_fail(world, "milestone %u was never reached", i);
    for (unsigned i = 0; i < world->resource_count; i++)
        check_resource_settled(world, &world->resources[i]);
    for (unsigned i = 0; i < world->driver_count; i++) {
        const struct world_driver *driver = &world->drivers[i];
        if (!driver->planned)
            continue;
        enum muster_driver_state state = muster_driver_state(driver->driver);
        if (state < MUSTER_DRIVER_UP)
            world_fail(world, "%s is %s for ever", driver->is.name, muster_driver_state_name(state));
        if (fell(state) && muster_error_text(muster_driver_get_error(driver->driver))[0] == '\0')
            world_fail(world, "%s is %s, and nobody says why", driver->is.name, muster_driver_state_name(state));
    }
}

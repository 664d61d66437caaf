/* SPDX-License-Identifier: MIT */
/* Stopping: the intent, the wait for what depends on it, the call, its end. */
#include "engine/internal.h"

#include <stdio.h>

/* ---- what depends on it ------------------------------------------------------------------------------------------ */

/* Is `dependent` on its way to be stopped? One whose turn hasn't come may be waiting for this one's driver. */
static bool is_stopping(const struct muster_resource *dependent)
{
    switch (dependent->state) {
    case MUSTER__STOP_COMMIT:
    case MUSTER__STOP_WAIT:
    case MUSTER__STOPPING:
        return true;
    default:
        return dependent->state != MUSTER__NEW && muster__request_is_stopping(dependent);
    }
}

/* Its op is past its deadline, and may never end. */
static bool is_hung(const struct muster_resource *dependent)
{
    return dependent->op != NULL && dependent->op->timed_out;
}

/* It waits to be stopped as well, and in vain: nobody has asked for that in this life. */
static bool is_stuck(const struct muster_resource *dependent)
{
    return dependent->state == MUSTER__STOP_WAIT && dependent->stuck && muster__barrier_open(dependent->driver) &&
           !muster__request_is_stopping(dependent);
}

/* It doesn't move before this one has settled, or its driver's turn has come. */
static bool stays(const struct muster_resource *dependent)
{
    return dependent->state == MUSTER__NEW || dependent->state == MUSTER__ADOPT_WAIT || dependent->state == MUSTER__START_WAIT;
}

/* A dependent that keeps it from being stopped. */
static struct muster_resource *blocker(struct muster_resource *resource)
{
    struct muster__list *cursor = NULL;
    struct muster_resource *dependent;
    while ((dependent = muster__edges_last_live_dependent(resource, &cursor)) != NULL) {
        struct muster__edge *edge = muster__container(cursor, struct muster__edge, in_to);
        /* An edge against the order of drivers counts, unless each would wait for the other; a host goes by that order. */
        bool bad = muster__edge_state(edge) == MUSTER__EDGE_BAD &&
                   (resource->host_stop || muster__edges_reach(resource, dependent));
        bool gone_on = resource->host_stop && (!is_stopping(dependent) || is_hung(dependent));
        if (!bad && !gone_on)
            return dependent;
    }
    return NULL;
}

/* ---- the intent ----------------------------------------------------------------------------------------------- */

static struct muster__record *stop_record(struct muster_resource *resource, enum muster_stage stage)
{
    const struct muster__engine *engine = resource->engine;
    const struct muster__record *old = resource->entry->record;
    bool same_boot = old != NULL && muster__boot_of(engine, old) == MUSTER__BOOT_SAME;
    bool keep = stage == MUSTER_STAGE_STOPPING && same_boot;
    bool host = resource->host_stop && !resource->user_stop;
    struct muster__record *record = muster__resource_new_version(
        resource, stage, host ? MUSTER_REASON_HOST_SHUTDOWN : MUSTER_REASON_USER,
        keep ? old->is.handle : NULL, keep ? old->is.token : NULL);
    if (record == NULL)
        return NULL;
    if (!host) {
        record->is.desired = MUSTER_DESIRED_INACTIVE;
        record->is.attempts = 0;
    }
    return record;
}

static void refuse(struct muster_resource *resource, int code, const char *why)
{
    struct muster_error *error = muster__error_new(resource->engine->memory, code, NULL, "%s '%s': stop: %s",
                                                   muster_driver_name(resource->driver), resource->name, why);
    muster__request_done(resource, code, error);
    muster__error_unref(error);
}

/* It is known not to run: the record alone changes. */
static void record_inactive(struct muster_resource *resource, struct muster__record *record)
{
    const struct muster__record *old = resource->entry->record;
    if (old != NULL && muster__record_same(&old->is, &record->is))
        muster__record_unref(record);
    else
        muster__entry_write(resource->engine, resource->entry, record);
    resource->ended_badly = false;
    muster__resource_set_error(resource, NULL);
    muster__resource_move(resource, MUSTER__INACTIVE_COMMIT);
}

/* What it is to be again if the stop fails. One whose stop an earlier daemon had begun is active then, if it runs. */
static void remember(struct muster_resource *resource)
{
    bool begun = resource->state == MUSTER__STOP_WAIT && resource->answer == MUSTER__ANSWER_ACTIVE;
    const struct muster__record *old = resource->entry->record;
    muster__record_unref(resource->previous);
    resource->came_from = begun ? MUSTER__ACTIVE : resource->state;
    resource->previous = begun && old != NULL ? muster__resource_new_version(resource, MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER,
                                                                             old->is.handle, old->is.token)
                                              : NULL;
    if (resource->previous != NULL) {
        resource->previous->is.desired = MUSTER_DESIRED_ACTIVE;
        resource->previous->is.flags |= MUSTER_RECORD_MARK; /* it has been active in this boot */
    } else {
        resource->previous = muster__record_ref(resource->entry->record);
    }
}

void muster__stop_begin(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    const struct muster_error *refusal = resource->host_stop ? NULL : muster__store_refuses(engine);
    bool at_once = resource->shown_inactive && blocker(resource) == NULL;
    struct muster__record *record =
        refusal == NULL ? stop_record(resource, at_once ? MUSTER_STAGE_INACTIVE : MUSTER_STAGE_STOPPING) : NULL;
    if (record == NULL && !resource->host_stop) {
        refuse(resource, refusal == NULL ? MUSTER_ENOMEM : refusal->code,
               refusal == NULL ? "out of memory" : refusal->text);
        return;
    }
    remember(resource);
    if (at_once) {
        record_inactive(resource, record);
        return;
    }
    if (record != NULL)
        muster__entry_write(engine, resource->entry, record);
    muster__resource_move(resource, MUSTER__STOP_COMMIT);
}

/* ---- the wait --------------------------------------------------------------------------------------------------- */

/* Host shutdown: what declares nothing depends on all that its driver comes after. */
static bool waits_for_drivers(const struct muster_resource *resource)
{
    const struct muster__engine *engine = resource->engine;
    const struct muster_driver *driver = resource->driver;
    struct muster__ids dependents = muster__graph_dependents(engine->graph, driver->id);
    for (uint32_t tier = driver->tier + 1; tier < engine->tier_count; tier++)
        if (engine->tiers[tier].stopping > 0)
            return true;
    for (uint32_t i = 0; i < dependents.count; i++)
        if (muster__driver_at(engine, dependents.ids[i])->rest->stopping > 0)
            return true;
    return false;
}

/* The stop comes to nothing: the record, and the caller after it, hear what is true. */
static void back_out(struct muster_resource *resource, struct muster_error *error)
{
    bool was_active = resource->came_from == MUSTER__ACTIVE;
    muster__resource_revert(resource);
    muster__resource_set_error(resource, error);
    resource->ended_badly = true;
    muster__stop_counted(resource);
    if (was_active) {
        muster__resource_move(resource, MUSTER__ACTIVE_COMMIT);
        return;
    }
    resource->ended_badly = false;
    if (muster__going_down(resource->engine))
        muster__resource_move(resource, MUSTER__HELD);
    else
        muster__reconcile_defer(resource, MUSTER__HELD);
    muster__request_done_durably(resource, error->code, error);
}

static struct muster_error *depended_on(const struct muster_resource *resource, const struct muster_resource *by)
{
    enum muster_stage stage = muster__resource_stage(by);
    bool is_known = stage != MUSTER_STAGE_INACTIVE;
    /* Its error is no cause: that may be this resource's own. */
    struct muster_error *error = muster__error_new(
        resource->engine->memory, MUSTER_EDEPENDENCY, NULL, "%s '%s': stop: %s/%s needs it and %s%s",
        muster_driver_name(resource->driver), resource->name, muster_driver_name(by->driver), by->name,
        is_known ? "is " : "may be running", is_known ? muster_stage_name(stage) : "");
    return resource->deadlocked ? muster__deadlock_error(resource, "stop", error) : error;
}

static void stopped(struct muster_resource *resource)
{
    struct muster__record *record = stop_record(resource, MUSTER_STAGE_INACTIVE);
    resource->entry->left_active = false;
    resource->shown_inactive = true;
    resource->answered = true;
    resource->answer = MUSTER__ANSWER_INACTIVE;
    resource->ended_badly = false;
    muster__resource_set_error(resource, NULL);
    if (record != NULL)
        muster__entry_write(resource->engine, resource->entry, record);
    muster__stop_counted(resource);
    muster__resource_move(resource, MUSTER__INACTIVE_COMMIT);
    muster__edges_touch_dependents(resource);
    muster__stop_touch_needs(resource);
}

void muster__stop_wait(struct muster_resource *resource)
{
    bool asked = resource->request != NULL || resource->host_stop;
    struct muster_resource *dependent = blocker(resource);
    resource->stuck = !asked && !muster__barrier_open(resource->driver);
    if (resource->stuck || (muster__going_down(resource->engine) && !resource->host_stop) ||
        (resource->host_stop && waits_for_drivers(resource)))
        return;
    if (dependent == NULL && resource->shown_inactive) {
        stopped(resource);
        return;
    }
    if (dependent == NULL) {
        muster__resource_move(resource, MUSTER__STOPPING);
        muster__dispatch_queue(resource, &resource->driver->rest->roster->calls);
        return;
    }
    bool hung = is_hung(dependent);
    if (is_stopping(dependent) && !hung && !is_stuck(dependent) && !resource->deadlocked)
        return;
    bool in_vain = hung || stays(dependent) || muster__resource_at_rest(dependent) || resource->deadlocked;
    if (resource->request != NULL && in_vain) {
        back_out(resource, depended_on(resource, dependent));
        return;
    }
    resource->stuck = dependent->settled || stays(dependent) || resource->deadlocked;
    if (resource->stuck)
        muster__resource_set_error(resource, depended_on(resource, dependent));
}

bool muster__stop_may_call(struct muster_resource *resource)
{
    if (resource->host_stop || blocker(resource) == NULL)
        return true;
    muster__resource_move(resource, MUSTER__STOP_WAIT);
    return false;
}

void muster__stop_withdraw(struct muster_resource *resource)
{
    back_out(resource, muster__error_new(resource->engine->memory, MUSTER_ECANCELED, NULL, "%s '%s': stop: cancelled",
                                         muster_driver_name(resource->driver), resource->name));
}

void muster__stop_refused(struct muster_resource *resource, const struct muster_error *error)
{
    if (resource->host_stop) {
        muster__resource_move(resource, MUSTER__STOP_WAIT); /* the host goes down, recorded or not */
        return;
    }
    struct muster_error *kept = muster__error_new(resource->engine->memory, error->code, error, "%s '%s': not stopped",
                                                  muster_driver_name(resource->driver), resource->name);
    muster__resource_revert(resource);
    if (resource->came_from == MUSTER__DEFERRED)
        muster__reconcile_defer(resource, MUSTER__DEFERRED);
    else
        muster__resource_move(resource, resource->came_from);
    muster__request_done(resource, kept->code, kept);
    muster__error_unref(kept);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

void muster__stop_await(struct muster_resource *resource)
{
    struct muster_driver *driver = resource->driver;
    resource->stop_awaited = true;
    resource->engine->tiers[driver->tier].stopping++;
    driver->rest->stopping += resource->edge_count == 0;
}

void muster__stop_counted(struct muster_resource *resource)
{
    struct muster_driver *driver = resource->driver;
    if (!resource->stop_awaited)
        return;
    resource->stop_awaited = false;
    bool last_of_tier = --resource->engine->tiers[driver->tier].stopping == 0;
    bool last_of_driver = resource->edge_count == 0 && --driver->rest->stopping == 0;
    if (last_of_tier || last_of_driver)
        muster__shutdown_touch(resource->engine);
}

void muster__stop_finished(struct muster_resource *resource, struct muster_op *op)
{
    struct muster_error *error = muster__op_error(op);
    if (error != NULL)
        back_out(resource, error);
    else
        stopped(resource);
}

/* What it needed may be stopped now, or never. */
void muster__stop_touch_needs(struct muster_resource *resource)
{
    for (size_t i = 0; i < resource->edge_count; i++) {
        struct muster_resource *to = resource->edges[i].to->resource;
        if (to != NULL && to->state == MUSTER__STOP_WAIT)
            muster__resource_touch(to);
    }
}

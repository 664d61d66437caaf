/* SPDX-License-Identifier: MIT */
/* Starting: the wait, the turn, the intent, the call, its end. */
#include "engine/internal.h"

enum wait { READY, COMING, STUCK };

static bool driver_is_fallen(const struct muster_driver *driver)
{
    return driver->rest->error != NULL;
}

/* What holds up a start that nobody has asked for just now. */
static enum wait wait_for_driver(const struct muster_resource *resource)
{
    const struct muster_driver *driver = resource->driver;
    if (driver_is_fallen(driver))
        return STUCK;
    if (resource->request != NULL) /* another bring-up may have closed the barrier since */
        return muster__barrier_open(driver) ? READY : COMING;
    if (resource->edge_count == 0 && muster__driver_waits(driver, MUSTER__STEP_RECONCILE))
        return COMING;
    if (resource->decision.verdict != MUSTER__START_LATER)
        return READY;
    if (!muster__barrier_open(driver) || !driver->done[MUSTER__STEP_RECONCILE])
        return STUCK;
    return resource->edge_count > 0 || muster__driver_can_start_waiting(driver) ? READY : COMING;
}

static enum wait wait_for_edge(struct muster__edge *edge)
{
    switch (muster__edge_state(edge)) {
    case MUSTER__EDGE_ACTIVE:
        return READY;
    case MUSTER__EDGE_COMING:
        return COMING;
    case MUSTER__EDGE_SETTLED:
        return edge->need ? STUCK : READY;
    default:
        return STUCK;
    }
}

static enum wait wait_of(struct muster_resource *resource, struct muster__edge **ret_edge)
{
    enum wait wait = wait_for_driver(resource);
    *ret_edge = NULL;
    if (resource->deadlocked && wait == COMING)
        wait = STUCK;
    for (size_t i = 0; i < resource->edge_count && wait != STUCK; i++) {
        enum wait edge = wait_for_edge(&resource->edges[i]);
        if (resource->deadlocked && edge == COMING)
            edge = STUCK;
        if (edge == STUCK)
            *ret_edge = &resource->edges[i];
        if (edge > wait)
            wait = edge;
    }
    return wait;
}

static void set_wait_error(struct muster_resource *resource, const struct muster__edge *edge)
{
    const struct muster__memory *memory = resource->engine->memory;
    struct muster_driver *driver = resource->driver;
    struct muster_error *error = NULL;
    if (edge != NULL) {
        struct muster_error *inner = muster__edge_error(edge);
        error = muster__error_new(memory, inner->code, inner, "%s '%s': not started", muster_driver_name(driver),
                                  resource->name);
        muster__error_unref(inner);
    } else if (driver_is_fallen(driver)) {
        error = muster__error_new(memory, MUSTER_EDEPENDENCY, driver->rest->error, "%s '%s': not started",
                                  muster_driver_name(driver), resource->name);
    }
    if (resource->deadlocked)
        error = muster__deadlock_error(resource, "start", error);
    muster__resource_set_error(resource, error);
}

/* A request that can't be carried out ends, and the resource is what it was. */
static void give_back(struct muster_resource *resource, int code, const struct muster_error *error)
{
    enum muster__resource_state back = resource->came_from;
    if (back == MUSTER__DEFERRED)
        muster__reconcile_defer(resource, back);
    else if (back != MUSTER__START_WAIT || resource->state != back)
        muster__resource_move(resource, back);
    muster__request_done(resource, code, error);
}

void muster__start_wait(struct muster_resource *resource)
{
    struct muster__edge *edge;
    if (muster__going_down(resource->engine))
        return;
    enum wait wait = wait_of(resource, &edge);
    bool was_stuck = resource->stuck;
    resource->stuck = wait == STUCK;
    if (wait == READY && resource->waited) {
        resource->waited = false;
        muster__reconcile_probe(resource);
    } else if (wait == READY) {
        muster__resource_set_error(resource, NULL);
        muster__resource_move(resource, MUSTER__START_READY);
        resource->ready_ms = resource->engine->now;
        if (resource->has_start_slot)
            muster__start_turn(resource);
        else
            muster__dispatch_queue(resource, &resource->driver->rest->roster->starts);
    } else {
        resource->waited = true;
        muster__dispatch_release(resource);
        if (wait == STUCK || was_stuck)
            set_wait_error(resource, edge);
        if (wait == STUCK && resource->request != NULL)
            give_back(resource, MUSTER_EDEPENDENCY, resource->error);
    }
}

/* ---- the intent ------------------------------------------------------------------------------------------- */

static struct muster__record *intent(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    const struct muster__record *old = resource->entry->record;
    char token[33];
    muster__token_new(engine, token);
    struct muster__record *record =
        muster__resource_new_version(resource, MUSTER_STAGE_STARTING, MUSTER_REASON_USER, NULL, token);
    if (record == NULL)
        return NULL;
    bool counted = old != NULL && !resource->attempts_reset && resource->request == NULL &&
                   muster__boot_of(engine, old) == MUSTER__BOOT_SAME;
    record->is.attempts = counted ? old->is.attempts + 1 : 1;
    record->is.desired = MUSTER_DESIRED_ACTIVE;
    return record;
}

static void call(struct muster_resource *resource)
{
    resource->shown_inactive = false;
    muster__resource_move(resource, MUSTER__STARTING);
    muster__dispatch_queue(resource, &resource->driver->rest->roster->calls);
}

static void refuse_code(struct muster_resource *resource, int code, const char *why)
{
    struct muster_error *error =
        muster__error_new(resource->engine->memory, code, NULL, "%s '%s': start: %s",
                          muster_driver_name(resource->driver), resource->name, why);
    muster__start_refused(resource, error);
    muster__error_unref(error);
}

void muster__start_turn(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    struct muster__edge *edge;
    const struct muster_error *refusal = muster__store_refuses(engine);
    muster__record_unref(resource->previous);
    resource->previous = muster__record_ref(resource->entry->record);
    if (wait_of(resource, &edge) != READY) {
        muster__dispatch_release(resource);
        muster__resource_move(resource, MUSTER__START_WAIT);
        return;
    }
    if (resource->waited || engine->now > resource->ready_ms) { /* what was true then may not be now */
        resource->waited = false;
        muster__reconcile_probe(resource);
        return;
    }
    if (resource->decision.verdict == MUSTER__START_NOW && muster__entry_acknowledged(engine, resource->entry)) {
        call(resource);
        return;
    }
    struct muster__record *record = refusal == NULL ? intent(resource) : NULL;
    if (record == NULL) {
        refuse_code(resource, refusal == NULL ? MUSTER_ENOMEM : refusal->code,
                    refusal == NULL ? "out of memory" : refusal->text);
        return;
    }
    resource->intended = true;
    muster__entry_write(engine, resource->entry, record);
    muster__resource_move(resource, MUSTER__START_COMMIT);
}

/* The intent is of no use any more: the record says again what it said. */
static void take_back(struct muster_resource *resource)
{
    muster__dispatch_release(resource);
    if (resource->intended)
        muster__resource_revert(resource);
    resource->intended = false;
}

void muster__start_committed(struct muster_resource *resource)
{
    struct muster__edge *edge;
    if (muster__going_down(resource->engine) || muster__request_is_stopping(resource)) {
        muster__start_withdraw(resource);
    } else if (wait_of(resource, &edge) == READY) {
        call(resource);
    } else {
        take_back(resource);
        muster__resource_move(resource, MUSTER__START_WAIT);
    }
}

bool muster__start_may_call(struct muster_resource *resource)
{
    struct muster__edge *edge;
    if (wait_of(resource, &edge) == READY)
        return true;
    take_back(resource);
    muster__resource_move(resource, MUSTER__START_WAIT);
    return false;
}

bool muster__start_is_ahead(const struct muster_resource *resource)
{
    switch (resource->state) {
    case MUSTER__START_WAIT:
    case MUSTER__START_READY:
    case MUSTER__START_COMMIT:
    case MUSTER__STARTING:
        return resource->op == NULL;
    default:
        return false;
    }
}

void muster__start_overtaken(struct muster_resource *resource)
{
    resource->intended = false;
    muster__dispatch_release(resource);
    muster__reconcile_active(resource, NULL, false);
}

void muster__start_withdraw(struct muster_resource *resource)
{
    take_back(resource);
    muster__resource_set_error(resource, NULL);
    muster__resource_move(resource, MUSTER__INACTIVE);
    muster__request_done(resource, MUSTER_ECANCELED, NULL);
}

void muster__start_refused(struct muster_resource *resource, const struct muster_error *error)
{
    struct muster_error *kept = muster__error_new(resource->engine->memory, error->code, error, "%s '%s': not started",
                                                  muster_driver_name(resource->driver), resource->name);
    take_back(resource);
    muster__resource_set_error(resource, kept);
    if (muster__going_down(resource->engine))
        muster__start_withdraw(resource);
    else if (resource->request != NULL)
        give_back(resource, kept->code, kept);
    else
        muster__reconcile_defer(resource, MUSTER__DEFERRED);
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static void failed(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    const struct muster__record *old = resource->entry->record;
    struct muster__record *record = muster__resource_new_version(resource, MUSTER_STAGE_INACTIVE,
                                                                 MUSTER_REASON_FAILURE, NULL,
                                                                 old == NULL ? NULL : old->is.token);
    if (record != NULL) {
        record->is.desired = MUSTER_DESIRED_ACTIVE;
        record->is.attempts += resource->decision.verdict == MUSTER__START_NOW;
        muster__entry_write(engine, resource->entry, record);
    }
    resource->intended = false;
    resource->ended_badly = true;
    muster__resource_move(resource, MUSTER__INACTIVE_COMMIT);
}

void muster__start_finished(struct muster_resource *resource, struct muster_op *op)
{
    struct muster_error *error = muster__op_error(op);
    if (error == NULL) {
        resource->intended = false;
        muster__reconcile_active(resource, op->effects.handle, op->effects.handle_set);
        return;
    }
    muster__resource_set_error(resource, error);
    if (muster__going_down(resource->engine)) {
        muster__start_withdraw(resource); /* it was asked to end early: no fault of its own */
    } else if (op->effects.outcome == MUSTER_UNAVAILABLE) {
        take_back(resource);
        muster__reconcile_defer(resource, MUSTER__DEFERRED);
        muster__request_done(resource, error->code, error);
    } else {
        failed(resource);
    }
}

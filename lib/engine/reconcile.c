/* SPDX-License-Identifier: MIT */
/* From the probe to what the rules say: adopt, start, leave, hold, defer. */
#include "engine/internal.h"

#include <string.h>

/* ---- what the rules are asked ----------------------------------------------------------------------------- */

enum muster__boot muster__boot_of(const struct muster__engine *engine, const struct muster__record *record)
{
    if (engine->store == MUSTER__STORE_NONE)
        return MUSTER__BOOT_SAME;
    if (engine->boot_id == NULL)
        return MUSTER__BOOT_UNKNOWN;
    if (record == NULL)
        return MUSTER__BOOT_SAME;
    if (record->is.boot == NULL || record->is.boot[0] == '\0')
        return MUSTER__BOOT_UNKNOWN;
    return strcmp(record->is.boot, engine->boot_id) == 0 ? MUSTER__BOOT_SAME : MUSTER__BOOT_NEW;
}

static enum muster__kept kept_inactive(uintptr_t reason)
{
    static const enum muster__kept kept[] = {
        [MUSTER_REASON_USER] = MUSTER__KEPT_INACTIVE_USER,     [MUSTER_REASON_SELF] = MUSTER__KEPT_INACTIVE_SELF,
        [MUSTER_REASON_HOST_SHUTDOWN] = MUSTER__KEPT_INACTIVE_HOST, [MUSTER_REASON_LOSS] = MUSTER__KEPT_INACTIVE_LOSS,
        [MUSTER_REASON_FAILURE] = MUSTER__KEPT_INACTIVE_FAILURE,
    };
    return reason <= MUSTER_REASON_FAILURE ? kept[reason] : MUSTER__KEPT_QUARANTINED;
}

static enum muster__kept kept_of(const struct muster__engine *engine, const struct muster__record *record)
{
    if (engine->records_unknown)
        return MUSTER__KEPT_QUARANTINED;
    if (record == NULL) /* it may be one of those that were lost */
        return engine->records_incomplete ? MUSTER__KEPT_QUARANTINED : MUSTER__KEPT_NONE;
    if ((record->is.flags & MUSTER_RECORD_QUARANTINED) != 0)
        return MUSTER__KEPT_QUARANTINED;
    switch (record->is.stage) {
    case MUSTER_STAGE_INACTIVE:
        return kept_inactive(record->is.reason);
    case MUSTER_STAGE_STARTING:
        return MUSTER__KEPT_STARTING;
    case MUSTER_STAGE_ACTIVE:
        return MUSTER__KEPT_ACTIVE;
    case MUSTER_STAGE_STOPPING:
        return record->is.reason == MUSTER_REASON_HOST_SHUTDOWN ? MUSTER__KEPT_STOPPING_HOST
                                                                : MUSTER__KEPT_STOPPING_USER;
    default:
        return MUSTER__KEPT_QUARANTINED;
    }
}

static struct muster__situation situation_of(const struct muster_resource *resource)
{
    const struct muster__engine *engine = resource->engine;
    const struct muster__record *record = resource->entry->record;
    enum muster__boot boot = muster__boot_of(engine, record);
    return (struct muster__situation){
        .kept = kept_of(engine, record),
        .desired_active = record != NULL && record->is.desired == MUSTER_DESIRED_ACTIVE,
        .answer = resource->answer,
        .boot = boot,
        .policy = resource->policy,
        .is_volatile = (resource->flags & MUSTER_VOLATILE) != 0,
        .restart_on_loss = (resource->flags & MUSTER_RESTART_ON_LOSS) != 0,
        .adopt_unmanaged = (resource->flags & MUSTER_ADOPT_UNMANAGED) != 0 ||
                           (resource->request != NULL && resource->request->type == MUSTER__EVENT_RESOURCE_START),
        .marked = record != NULL && boot == MUSTER__BOOT_SAME && (record->is.flags & MUSTER_RECORD_MARK) != 0,
        .attempts_remain =
            record == NULL || resource->attempts_reset || record->is.attempts < engine->options.max_attempts,
    };
}

/* ---- what the rules said ------------------------------------------------------------------------------------- */

static struct muster_error *about(const struct muster_resource *resource, int code, const char *text)
{
    return muster__error_new(resource->engine->memory, code, NULL, "%s '%s': %s",
                             muster_driver_name(resource->driver), resource->name, text);
}

void muster__reconcile_defer(struct muster_resource *resource, enum muster__resource_state state)
{
    struct muster__engine *engine = resource->engine;
    muster__resource_move(resource, state);
    muster__timer_set(engine, &resource->retry, muster__retry_at(engine, &resource->tries));
}

void muster__reconcile_retry(struct muster__engine *engine, struct muster__timer *timer)
{
    struct muster_resource *resource = muster__container(timer, struct muster_resource, retry);
    if (muster__going_down(engine) || resource->op != NULL)
        return;
    if (resource->state == MUSTER__HELD || resource->state == MUSTER__DEFERRED)
        muster__reconcile_probe(resource);
}

static void hold(struct muster_resource *resource, const char *why)
{
    muster__resource_set_error(resource, about(resource, MUSTER_EUNKNOWN, why));
    muster__resource_move(resource, MUSTER__HELD);
}

static void hold_by_rule(struct muster_resource *resource, const struct muster__situation *situation)
{
    hold(resource, resource->engine->records_unknown
                       ? "held: the store could not be read, so it isn't known whether it was active"
                   : situation->kept == MUSTER__KEPT_QUARANTINED
                       ? "held: its record is quarantined, and it isn't running: resolve the record, or start or stop it"
                   : situation->boot == MUSTER__BOOT_UNKNOWN
                       ? "held: it isn't known whether the machine has booted since: start or stop it"
                   : situation->answer == MUSTER__ANSWER_FOREIGN
                       ? "held: it was being started, and what is there now may be it: stop it, or retry"
                       : "held: its record says nothing that can be acted on: start or stop it");
}

static void no_memory(struct muster_resource *resource)
{
    muster__resource_set_error(resource, about(resource, MUSTER_ENOMEM, "out of memory"));
    muster__reconcile_defer(resource, MUSTER__DEFERRED);
}

/* Inactive, recorded so if that is new. */
static void leave(struct muster_resource *resource, const struct muster__decision *decision)
{
    struct muster__engine *engine = resource->engine;
    resource->ended_badly = false;
    muster__resource_set_error(resource, NULL);
    if (decision->rewrite == MUSTER__WRITE_INACTIVE) {
        struct muster__record *record =
            muster__resource_new_version(resource, MUSTER_STAGE_INACTIVE, decision->reason, NULL, NULL);
        if (record == NULL) {
            no_memory(resource);
            return;
        }
        if (decision->reason == MUSTER_REASON_USER || decision->reason == MUSTER_REASON_SELF)
            record->is.desired = MUSTER_DESIRED_INACTIVE;
        if (!engine->records_unknown)
            muster__entry_write(engine, resource->entry, record);
        else
            muster__record_unref(record);
    }
    if (resource->late && muster__reconcile_mark(resource) != 0) {
        no_memory(resource);
        return;
    }
    muster__resource_move(resource, MUSTER__INACTIVE_COMMIT);
}

int muster__reconcile_mark(struct muster_resource *resource)
{
    const struct muster__record *old = resource->entry->record;
    struct muster__engine *engine = resource->engine;
    bool marked = old != NULL && (old->is.flags & MUSTER_RECORD_MARK) != 0 &&
                  muster__boot_of(engine, old) == MUSTER__BOOT_SAME;
    if (marked || engine->records_unknown || engine->store == MUSTER__STORE_NONE)
        return 0;
    struct muster__record *record = muster__resource_new_version(
        resource, MUSTER_STAGE_INACTIVE, old == NULL ? MUSTER_REASON_USER : (enum muster_reason)old->is.reason,
        old == NULL ? NULL : old->is.handle, old == NULL ? NULL : old->is.token);
    if (record == NULL)
        return MUSTER_ENOMEM;
    record->is.flags |= MUSTER_RECORD_MARK;
    muster__entry_write(engine, resource->entry, record);
    return 0;
}

static void begin_start(struct muster_resource *resource, const struct muster__decision *decision)
{
    resource->cause = resource->attempts_reset ? MUSTER_CAUSE_USER : decision->cause;
    /* Autostart is over for what is added, or is to be started by its policy, later. */
    if (resource->late && decision->cause == MUSTER_CAUSE_AUTOSTART && resource->request == NULL) {
        leave(resource, &(struct muster__decision){.verdict = MUSTER__LEAVE});
        return;
    }
    muster__resource_move(resource, MUSTER__START_WAIT);
}

static void tell_loss(struct muster_resource *resource)
{
    if (!resource->loss_told)
        muster__observe_about(resource, MUSTER_OBSERVE_LOSS, 0, NULL);
    resource->loss_told = true;
}

static void warn(struct muster_resource *resource, const struct muster__decision *decision)
{
    if (decision->unrecorded) {
        struct muster_error *error =
            about(resource, MUSTER_EUNKNOWN,
                  decision->verdict == MUSTER__UNMANAGED ? "runs, and there is no record of it: left alone"
                                                         : "runs, and was not recorded active: adopted");
        muster__observe_about(resource, MUSTER_OBSERVE_UNRECORDED, 0, error);
        if (decision->verdict == MUSTER__UNMANAGED)
            muster__resource_set_error(resource, muster__error_ref(error));
        muster__error_unref(error);
    }
    if (decision->lost)
        tell_loss(resource);
}

/* ---- deciding ---------------------------------------------------------------------------------------------------- */

/* What a user has asked for goes before what the record and the policy say. */
static void decide_request(struct muster_resource *resource, struct muster__decision *decision,
                           const struct muster__situation *situation)
{
    bool running = situation->answer == MUSTER__ANSWER_ACTIVE;
    bool silent = situation->answer == MUSTER__ANSWER_UNAVAILABLE || situation->answer == MUSTER__ANSWER_ERROR;
    if (running)
        *decision = (struct muster__decision){.verdict = MUSTER__ADOPT, .unrecorded = decision->unrecorded};
    else if (!silent && !(situation->answer == MUSTER__ANSWER_FOREIGN && decision->verdict == MUSTER__HOLD))
        *decision = (struct muster__decision){.verdict = MUSTER__START_LATER, .cause = resource->request->cause};
}

static void decide(struct muster_resource *resource)
{
    struct muster__situation situation = situation_of(resource);
    struct muster__decision decision = muster__decide(&situation);
    if (resource->request != NULL)
        decide_request(resource, &decision, &situation);
    resource->decision = decision;
    warn(resource, &decision);
    switch (decision.verdict) {
    case MUSTER__DEFER:
        muster__reconcile_defer(resource, MUSTER__DEFERRED);
        break;
    case MUSTER__HOLD:
        hold_by_rule(resource, &situation);
        break;
    case MUSTER__HOLD_PROBE:
        muster__reconcile_defer(resource, MUSTER__HELD);
        break;
    case MUSTER__ADOPT:
        muster__resource_move(resource, MUSTER__ADOPT_WAIT);
        break;
    case MUSTER__UNMANAGED:
        muster__resource_move(resource, MUSTER__LEFT_ALONE);
        break;
    case MUSTER__FINISH_STOP:
        muster__resource_set_error(resource, NULL);
        resource->cause = MUSTER_CAUSE_RESTORE;
        resource->came_from = MUSTER__HELD; /* if it fails, it is still to be finished */
        muster__record_unref(resource->previous);
        resource->previous = muster__record_ref(resource->entry->record);
        muster__resource_move(resource, MUSTER__STOP_WAIT);
        break;
    case MUSTER__LEAVE:
        leave(resource, &decision);
        break;
    default:
        begin_start(resource, &decision);
        break;
    }
    if (resource->state != MUSTER__START_WAIT)
        muster__dispatch_release(resource); /* it had its turn, and has no use for it */
    /* A start that asks for a fresh probe hears why it came to nothing. */
    if (resource->request != NULL && muster__resource_is_resting(resource))
        muster__request_done(resource, MUSTER_EUNKNOWN, resource->error);
}

bool muster__reconcile_autostarts(const struct muster_resource *resource)
{
    if (resource->intended)
        return resource->decision.cause == MUSTER_CAUSE_AUTOSTART;
    struct muster__situation situation = situation_of(resource);
    situation.answer = MUSTER__ANSWER_INACTIVE;
    struct muster__decision decision = muster__decide(&situation);
    return decision.verdict == MUSTER__START_LATER && decision.cause == MUSTER_CAUSE_AUTOSTART;
}

void muster__reconcile_begin(struct muster_resource *resource)
{
    resource->cause = MUSTER_CAUSE_RESTORE;
    muster__reconcile_probe(resource);
}

static bool can_be_asked(const struct muster_resource *resource)
{
    return resource->driver->rest->def.probe != NULL;
}

void muster__reconcile_probe(struct muster_resource *resource)
{
    if (can_be_asked(resource)) {
        muster__resource_move(resource, MUSTER__PROBE);
        muster__dispatch_queue(resource, &resource->driver->rest->roster->probes);
        return;
    }
    /* One that was removed while active, and comes back in the same run, has not stopped meanwhile. */
    resource->answer = resource->entry->left_active ? MUSTER__ANSWER_ACTIVE : MUSTER__ANSWER_RECORD;
    resource->answered = true;
    if (resource->state == MUSTER__NEW || resource->state == MUSTER__START_WAIT ||
        resource->state == MUSTER__START_READY || muster__resource_is_resting(resource))
        decide(resource);
}

static enum muster__answer answer_of(const struct muster_op *op)
{
    switch (op->effects.outcome) {
    case MUSTER_ACTIVE:
        return MUSTER__ANSWER_ACTIVE;
    case MUSTER_INACTIVE:
        return MUSTER__ANSWER_INACTIVE;
    case MUSTER_FOREIGN:
        return MUSTER__ANSWER_FOREIGN;
    case MUSTER_UNAVAILABLE:
        return MUSTER__ANSWER_UNAVAILABLE;
    default:
        return MUSTER__ANSWER_ERROR;
    }
}

static bool has_ended(const struct muster_resource *resource)
{
    return resource->change_pending && (resource->change == MUSTER_CHANGED_INACTIVE || resource->change == MUSTER_CHANGED_LOST);
}

void muster__reconcile_probed(struct muster_resource *resource, struct muster_op *op)
{
    bool going_down = muster__going_down(resource->engine);
    /* What runs may have to be stopped. */
    if (going_down && (op->effects.outcome != MUSTER_ACTIVE || has_ended(resource)))
        return;
    bool was_silent = !resource->answered;
    resource->answer = answer_of(op);
    resource->answered =
        resource->answer != MUSTER__ANSWER_UNAVAILABLE && resource->answer != MUSTER__ANSWER_ERROR;
    resource->shown_inactive = resource->answer == MUSTER__ANSWER_INACTIVE;
    /* What the driver reported while it was being asked is newer than the answer. */
    if (resource->change_pending && !going_down) {
        resource->change_pending = false;
        muster__reconcile_probe(resource);
        return;
    }
    struct muster_error *error = muster__op_error(op);
    muster__resource_set_error(resource, error);
    /* One that is lost again and again is started with growing pauses: see lost(). */
    if (resource->answered && was_silent && (resource->flags & MUSTER_RESTART_ON_LOSS) == 0)
        resource->tries = 0;
    decide(resource);
}

/* ---- adopting ---------------------------------------------------------------------------------------------------- */

static bool waits_for_dependency(const struct muster_resource *resource)
{
    for (size_t i = 0; i < resource->edge_count; i++)
        if (muster__edge_state(&resource->edges[i]) == MUSTER__EDGE_COMING)
            return true;
    return false;
}

void muster__reconcile_adopt_wait(struct muster_resource *resource)
{
    const struct muster_driver *driver = resource->driver;
    if (muster__going_down(resource->engine) || waits_for_dependency(resource) ||
        (resource->edge_count == 0 && muster__driver_waits(driver, MUSTER__STEP_RECONCILE)))
        return;
    resource->cause = resource->request != NULL ? resource->request->cause : MUSTER_CAUSE_RESTORE;
    if (driver->rest->def.adopt == NULL) {
        muster__reconcile_active(resource, NULL, false);
        return;
    }
    muster__resource_move(resource, MUSTER__ADOPTING);
    muster__dispatch_queue(resource, &resource->driver->rest->roster->probes);
}

bool muster__reconcile_may_call(struct muster_resource *resource)
{
    if (resource->state != MUSTER__ADOPTING || !waits_for_dependency(resource))
        return true;
    muster__resource_move(resource, MUSTER__ADOPT_WAIT);
    return false;
}

void muster__reconcile_adopted(struct muster_resource *resource, struct muster_op *op)
{
    struct muster_error *error = muster__op_error(op);
    if (error == NULL) {
        muster__reconcile_active(resource, op->effects.handle, op->effects.handle_set);
        return;
    }
    if (muster__going_down(resource->engine)) { /* it runs all the same */
        muster__error_unref(error);
        return;
    }
    muster__resource_set_error(resource, error);
    muster__reconcile_defer(resource, op->effects.outcome == MUSTER_UNAVAILABLE ? MUSTER__DEFERRED : MUSTER__HELD);
    muster__request_done(resource, error->code, error);
}

void muster__reconcile_active(struct muster_resource *resource, const char *handle, bool handle_set)
{
    struct muster__engine *engine = resource->engine;
    const struct muster__record *old = resource->entry->record;
    bool same_boot = old != NULL && muster__boot_of(engine, old) == MUSTER__BOOT_SAME;
    /* The recorded handle is a stranger's by now. */
    bool foreign = resource->answered && resource->answer == MUSTER__ANSWER_FOREIGN;
    resource->entry->left_active = false; /* from here on its state says so */
    resource->shown_inactive = false;
    resource->answered = true;
    resource->answer = MUSTER__ANSWER_ACTIVE;
    resource->attempts_reset = false;
    resource->ended_badly = false;
    if ((resource->flags & MUSTER_RESTART_ON_LOSS) == 0)
        resource->tries = 0;
    muster__resource_set_error(resource, NULL);
    struct muster__record *record = muster__resource_new_version(
        resource, MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER,
        handle_set || !same_boot || foreign ? handle : old->is.handle, same_boot ? old->is.token : NULL);
    if (record == NULL) {
        /* It runs, whatever is recorded; the record is written when it next changes. */
        muster__resource_move(resource, MUSTER__ACTIVE_COMMIT);
        return;
    }
    record->is.desired = MUSTER_DESIRED_ACTIVE;
    record->is.attempts = 0;
    record->is.flags |= MUSTER_RECORD_MARK;
    if (old != NULL && muster__record_same(&record->is, &old->is))
        muster__record_unref(record);
    else
        muster__entry_write(engine, resource->entry, record);
    muster__resource_move(resource, MUSTER__ACTIVE_COMMIT);
}

/* ---- what drivers report ------------------------------------------------------------------------------------------- */

static bool runs(const struct muster_resource *resource)
{
    return resource->state == MUSTER__ACTIVE || resource->state == MUSTER__LEFT_ALONE;
}

/* A loss that is to be mended goes by the rules: its record stays active, and after a pause it is probed. */
static void lost(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    tell_loss(resource);
    if (engine->now - resource->active_since > engine->options.retry_max_ms)
        resource->tries = 0;
    if ((resource->flags & MUSTER_RESTART_ON_LOSS) != 0) {
        muster__resource_set_error(resource, about(resource, MUSTER_EFAILED, "was lost, and is started again"));
        muster__reconcile_defer(resource, MUSTER__DEFERRED);
        return;
    }
    leave(resource, &(struct muster__decision){.rewrite = MUSTER__WRITE_INACTIVE, .reason = MUSTER_REASON_LOSS});
}

/* It doesn't run any more. */
static void ended(struct muster_resource *resource)
{
    bool by_itself = resource->change != MUSTER_CHANGED_LOST;
    resource->entry->left_active = false;
    if (!runs(resource))
        return;
    resource->shown_inactive = true;
    if (resource->state == MUSTER__LEFT_ALONE)
        leave(resource, &(struct muster__decision){.verdict = MUSTER__LEAVE});
    else if (by_itself)
        leave(resource, &(struct muster__decision){.rewrite = MUSTER__WRITE_INACTIVE, .reason = MUSTER_REASON_SELF});
    else
        lost(resource);
}

/* It runs. A user's stop that has begun goes on all the same. */
static void came_up(struct muster_resource *resource)
{
    if (runs(resource))
        return;
    if (kept_of(resource->engine, resource->entry->record) != MUSTER__KEPT_STOPPING_USER) {
        muster__reconcile_active(resource, NULL, false);
        return;
    }
    resource->answer = MUSTER__ANSWER_ACTIVE;
    resource->answered = true;
    resource->shown_inactive = false;
    decide(resource);
}

void muster__reconcile_change(struct muster_resource *resource)
{
    resource->change_pending = false;
    if (muster__going_down(resource->engine))
        return;
    switch (resource->change) {
    case MUSTER_CHANGED_UNKNOWN:
        muster__reconcile_probe(resource);
        break;
    case MUSTER_CHANGED_ACTIVE:
        came_up(resource);
        break;
    default:
        ended(resource);
        break;
    }
}

void muster__reconcile_drop_change(struct muster_resource *resource)
{
    if (resource->change_pending && resource->change == MUSTER_CHANGED_ACTIVE && !can_be_asked(resource))
        resource->entry->left_active = true;
    resource->change_pending = false;
}

/* That it runs may have been so before the stop that is out had its effect, or after it. */
static void doubt_change(struct muster_resource *resource)
{
    if (resource->op == NULL || resource->op->phase != MUSTER_PHASE_STOP || resource->change != MUSTER_CHANGED_ACTIVE)
        return;
    if (can_be_asked(resource))
        resource->change = MUSTER_CHANGED_UNKNOWN;
    else
        muster__reconcile_drop_change(resource);
}

int muster__resource_changed_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_resource *resource = event->resource;
    if (event->number > MUSTER_CHANGED_UNKNOWN)
        return muster__refuse(engine, MUSTER_EINVAL, "resource '%s': there is no change %llu", resource->entry->node.key,
                              (unsigned long long)event->number);
    /* Without a probe nobody can tell more than the record, and what was reported. */
    bool says_nothing = event->number == MUSTER_CHANGED_UNKNOWN && !can_be_asked(resource);
    if (muster__going_down(engine) || says_nothing)
        return 0;
    if (resource->state == MUSTER__NEW) {
        /* The probe will tell; without one this is all that does. */
        if (event->number != MUSTER_CHANGED_UNKNOWN)
            resource->entry->left_active = !can_be_asked(resource) && event->number == MUSTER_CHANGED_ACTIVE;
        return 0;
    }
    if (muster__start_is_ahead(resource)) {
        if (event->number == MUSTER_CHANGED_ACTIVE)
            muster__start_overtaken(resource);
        return 0;
    }
    resource->change = (enum muster_change)event->number;
    resource->change_pending = true;
    doubt_change(resource);
    muster__resource_touch(resource);
    return 0;
}

int muster__resource_retry_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_resource *resource = event->resource;
    if (resource->op != NULL)
        return muster__refuse(engine, MUSTER_EBUSY, "resource '%s': %s is out", resource->entry->node.key,
                              muster_phase_name(resource->op->phase));
    bool retriable = resource->state == MUSTER__HELD || resource->state == MUSTER__DEFERRED ||
                     resource->state == MUSTER__FAILED || resource->state == MUSTER__START_WAIT;
    if (!retriable || resource->request != NULL || muster__going_down(engine))
        return muster__refuse(engine, MUSTER_ESTATE, "resource '%s' is not held, deferred, failed or waiting",
                              resource->entry->node.key);
    resource->tries = 0;
    resource->attempts_reset = true;
    resource->cause = MUSTER_CAUSE_USER;
    resource->waited = false;
    muster__reconcile_probe(resource);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Which op is called next: of the driver whose turn it is (turn.c), by the ranks of begin_next(). */
#include "engine/internal.h"

static bool probe_slot(const struct muster_driver *driver)
{
    const struct muster__driver_rest *rest = driver->rest;
    return rest->def.max_probes == 0 || rest->roster->probes_out + rest->restores_out < rest->def.max_probes;
}

/* The interval is from call to call: no turn is taken while a start that had its turn hasn't been called. */
static bool start_slot(const struct muster_driver *driver)
{
    const struct muster_driver_def *def = &driver->rest->def;
    const struct muster__roster *roster = driver->rest->roster;
    bool paused = def->start_interval_ms > 0 && (roster->starts_due > 0 || driver->engine->now < roster->next_start_ms);
    return !paused && (def->max_starts == 0 || roster->starts_out < def->max_starts);
}

static struct muster_resource *first(const struct muster__heap *heap)
{
    return muster__container(muster__heap_first(heap), struct muster_resource, queued);
}

static bool may_restore(const struct muster_driver *driver)
{
    return driver->restoring && !muster__list_empty(&driver->rest->restores) && probe_slot(driver);
}

/* *ret_own: the driver has something of its own to call; else the resource of which something is called next, or NULL. */
static struct muster_resource *next(const struct muster_driver *driver, bool *ret_own)
{
    *ret_own = driver->op_wanted || (driver->resource_count == 0 && may_restore(driver));
    if (*ret_own || driver->resource_count == 0)
        return NULL;
    const struct muster__roster *roster = driver->rest->roster;
    if (roster->calls.count > 0)
        return first(&roster->calls);
    if (roster->starts.count > 0 && start_slot(driver))
        return first(&roster->starts);
    *ret_own = may_restore(driver);
    return !*ret_own && roster->probes.count > 0 && probe_slot(driver) ? first(&roster->probes) : NULL;
}

static void set_pause(struct muster__roster *roster, struct muster__engine *engine)
{
    if (roster->starts.count > 0 && engine->now < roster->next_start_ms)
        muster__timer_set(engine, &roster->start_pause, roster->next_start_ms);
}

void muster__dispatch_update_now(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    if (driver->state == MUSTER_DRIVER_WAITING && !muster__going_down(engine))
        return; /* it may be in line for its initialize */
    if (driver->resource_count > 0)
        set_pause(driver->rest->roster, engine);
    bool own;
    struct muster_resource *resource = next(driver, &own);
    muster__turn_update(driver, own, resource);
}

void muster__dispatch_queue(struct muster_resource *resource, struct muster__heap *heap)
{
    muster__dispatch_unqueue(resource);
    muster__heap_push(heap, &resource->queued, muster__turn_key(resource), muster__turn_tie(resource));
    resource->heap = heap;
    muster__dispatch_update(resource->driver);
}

void muster__dispatch_unqueue(struct muster_resource *resource)
{
    if (resource->heap == NULL)
        return;
    muster__heap_remove(resource->heap, &resource->queued);
    resource->heap = NULL;
    muster__dispatch_update(resource->driver);
}

static void clear_due(struct muster_resource *resource)
{
    resource->driver->rest->roster->starts_due -= resource->start_due;
    resource->start_due = false;
}

void muster__dispatch_release_probe(struct muster_resource *resource)
{
    if (!resource->has_probe_slot)
        return;
    resource->has_probe_slot = false;
    resource->driver->rest->roster->probes_out--;
    muster__dispatch_update(resource->driver);
}

void muster__dispatch_release(struct muster_resource *resource)
{
    clear_due(resource);
    muster__dispatch_release_probe(resource);
    if (!resource->has_start_slot)
        return;
    resource->has_start_slot = false;
    resource->driver->rest->roster->starts_out--;
    muster__dispatch_update(resource->driver);
}

void muster__dispatch_clear(struct muster__engine *engine)
{
    for (size_t i = 0; i < engine->driver_count; i++) {
        struct muster_driver *driver = muster__driver_at(engine, i);
        driver->op_wanted = false;
        while (!muster__list_empty(&driver->rest->restores))
            muster__list_pop(&driver->rest->restores);
        struct muster__list *head = &driver->rest->roster->resources;
        for (struct muster__list *link = head->next; link != head; link = link->next)
            muster__dispatch_unqueue(muster__container(link, struct muster_resource, in_driver));
        if (driver->id < engine->checked)
            muster__dispatch_update(driver);
    }
}

/* ---- beginning an op ------------------------------------------------------------------------------ */

static enum muster_phase driver_phase(const struct muster_driver *driver, enum muster_cause *ret_cause)
{
    *ret_cause = MUSTER_CAUSE_RESTORE;
    switch (driver->state) {
    case MUSTER_DRIVER_INITIALIZING:
        return MUSTER_PHASE_INITIALIZE;
    case MUSTER_DRIVER_RECONCILING:
        return MUSTER_PHASE_RECONCILE;
    case MUSTER_DRIVER_AUTOSTARTING:
        *ret_cause = MUSTER_CAUSE_AUTOSTART;
        return MUSTER_PHASE_AUTOSTART;
    case MUSTER_DRIVER_SHUTTING_DOWN:
        *ret_cause = driver->engine->down_cause;
        return MUSTER_PHASE_SHUTDOWN;
    default:
        *ret_cause = MUSTER_CAUSE_USER;
        return MUSTER_PHASE_RELOAD;
    }
}

static struct muster_op *begin_driver(struct muster_driver *driver)
{
    enum muster_cause cause;
    enum muster_phase phase = driver_phase(driver, &cause);
    driver->op = muster__op_begin(driver, NULL, phase, cause, NULL);
    if (driver->op == NULL)
        return NULL;
    driver->op_wanted = false;
    if (phase == MUSTER_PHASE_INITIALIZE)
        muster__driver_use(driver);
    return driver->op;
}

static struct muster_op *begin_restore(struct muster_driver *driver)
{
    struct muster__entry *entry =
        muster__container(driver->rest->restores.next, struct muster__entry, restoring);
    struct muster_op *op =
        muster__op_begin(driver, NULL, MUSTER_PHASE_RESTORE, MUSTER_CAUSE_RESTORE, entry->record);
    if (op == NULL)
        return NULL;
    muster__list_remove(&entry->restoring);
    driver->rest->restores_out++;
    return op;
}

static bool same_boot(const struct muster__engine *engine, const struct muster__record *record)
{
    return muster__boot_of(engine, record) == MUSTER__BOOT_SAME;
}

static struct muster_op *begin_resource(struct muster_resource *resource)
{
    static const struct {
        enum muster__resource_state state;
        enum muster_phase phase;
    } phases[] = {{MUSTER__PROBE, MUSTER_PHASE_PROBE},
                  {MUSTER__ADOPTING, MUSTER_PHASE_ADOPT},
                  {MUSTER__STARTING, MUSTER_PHASE_START},
                  {MUSTER__STOPPING, MUSTER_PHASE_STOP}};
    struct muster__engine *engine = resource->engine;
    struct muster__record *record = resource->entry->record;
    enum muster_phase phase = MUSTER_PHASE_PROBE;
    for (size_t i = 0; i < 4; i++)
        if (phases[i].state == resource->state)
            phase = phases[i].phase;
    struct muster_op *op = muster__op_begin(resource->driver, resource, phase, resource->cause, record);
    if (op == NULL)
        return NULL;
    if ((phase == MUSTER_PHASE_PROBE && record != NULL && !same_boot(engine, record)) ||
        (phase == MUSTER_PHASE_STOP && resource->answered && resource->answer == MUSTER__ANSWER_FOREIGN))
        op->handle = NULL;
    resource->op = op;
    if (phase == MUSTER_PHASE_STOP)
        muster__reconcile_drop_change(resource);
    else if (phase == MUSTER_PHASE_PROBE)
        resource->change_pending = false; /* the answer is newer than the report */
    if (phase == MUSTER_PHASE_START) {
        clear_due(resource);
        resource->driver->rest->roster->next_start_ms =
            muster__time_after(engine->now, resource->driver->rest->def.start_interval_ms);
    }
    muster__dispatch_unqueue(resource);
    if (phase == MUSTER_PHASE_PROBE || phase == MUSTER_PHASE_ADOPT) {
        resource->has_probe_slot = true;
        resource->driver->rest->roster->probes_out++;
    }
    return op;
}

/* A start's turn has come; it isn't called before its intent is durable. */
static void begin_start(struct muster_driver *driver)
{
    struct muster_resource *resource = first(&driver->rest->roster->starts);
    muster__dispatch_unqueue(resource);
    resource->has_start_slot = true;
    driver->rest->roster->starts_out++;
    resource->start_due = true;
    driver->rest->roster->starts_due++;
    muster__start_turn(resource);
}

/* The driver's own callback, then what has its turn already, then starts, restores and probes. */
static struct muster_op *begin_next(struct muster_driver *driver, bool *ret_again)
{
    *ret_again = driver->state == MUSTER_DRIVER_WAITING;
    if (*ret_again)
        muster__driver_take_turn(driver);
    if (driver->op_wanted) {
        *ret_again = false;
        return begin_driver(driver);
    }
    if (*ret_again) /* it was blocked while it was in line */
        return NULL;
    if (driver->rest->roster->calls.count > 0) {
        struct muster_resource *resource = first(&driver->rest->roster->calls);
        bool may_call = resource->state == MUSTER__STARTING ? muster__start_may_call(resource)
                                                           : muster__stop_may_call(resource);
        *ret_again = !may_call;
        return may_call ? begin_resource(resource) : NULL;
    }
    if (driver->rest->roster->starts.count > 0 && start_slot(driver)) {
        begin_start(driver);
        *ret_again = true;
        return NULL;
    }
    if (!muster__list_empty(&driver->rest->restores))
        return begin_restore(driver);
    *ret_again = true;
    if (driver->rest->roster->probes.count == 0) {
        muster__driver_touch(driver); /* the records that were to be restored are gone */
        return NULL;
    }
    struct muster_resource *resource = first(&driver->rest->roster->probes);
    *ret_again = !muster__reconcile_may_call(resource);
    return *ret_again ? NULL : begin_resource(resource);
}

bool muster__dispatch(struct muster__engine *engine, struct muster__action *ret_action)
{
    struct muster_driver *driver;
    if (engine->path_changes > 0)
        muster__path_look(engine);
    while ((engine->options.max_ops == 0 || muster__ops_awaited(engine) < engine->options.max_ops) &&
           (driver = muster__step_next(engine)) != NULL) {
        bool again;
        struct muster_op *op = begin_next(driver, &again);
        muster__dispatch_update(driver);
        if (op != NULL) {
            ret_action->type = MUSTER__ACTION_CALL;
            ret_action->op = op;
            return true;
        }
        if (!again)
            return false;
        muster__settle(engine);
        if (!muster__list_empty(&engine->actions))
            return false; /* what that led to is told before the next call */
    }
    return false;
}

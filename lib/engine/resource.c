/* SPDX-License-Identifier: MIT */
/* Resources: their states, their place in drivers, and what a look at one does. */
#include "engine/internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/def.h"
#include "base/name.h"

#define TO(state) (1u << MUSTER__##state)
/* Any rest may lead back to the probe, to a stop, and to what a driver reports. */
#define FROM_REST                                                                                  \
    (TO(PROBE) | TO(STOP_COMMIT) | TO(STOP_WAIT) | TO(INACTIVE_COMMIT) | TO(ACTIVE_COMMIT) | TO(START_WAIT) |             \
     TO(ADOPT_WAIT) | TO(HELD) | TO(DEFERRED) | TO(INACTIVE) | TO(ACTIVE) | TO(LEFT_ALONE))

/* Which states may follow each. */
static const unsigned successors[MUSTER__RESOURCE_STATES] = {
    [MUSTER__NEW] = FROM_REST,
    [MUSTER__PROBE] = FROM_REST,
    [MUSTER__ADOPT_WAIT] = TO(ADOPTING) | FROM_REST,
    [MUSTER__ADOPTING] = FROM_REST,
    [MUSTER__START_WAIT] = TO(START_READY) | TO(FAILED) | FROM_REST,
    [MUSTER__START_READY] = TO(START_COMMIT) | TO(STARTING) | TO(FAILED) | FROM_REST,
    [MUSTER__START_COMMIT] = TO(STARTING) | TO(FAILED) | FROM_REST,
    [MUSTER__STARTING] = TO(FAILED) | FROM_REST,
    [MUSTER__ACTIVE_COMMIT] = TO(ACTIVE) | TO(STOP_COMMIT),
    [MUSTER__ACTIVE] = FROM_REST,
    [MUSTER__STOP_COMMIT] = TO(FAILED) | FROM_REST,
    [MUSTER__STOP_WAIT] = TO(STOPPING) | TO(FAILED) | FROM_REST,
    [MUSTER__STOPPING] = TO(FAILED) | FROM_REST,
    [MUSTER__INACTIVE_COMMIT] = TO(INACTIVE) | TO(FAILED),
    [MUSTER__INACTIVE] = FROM_REST,
    [MUSTER__HELD] = FROM_REST,
    [MUSTER__DEFERRED] = FROM_REST,
    [MUSTER__FAILED] = FROM_REST,
    [MUSTER__LEFT_ALONE] = FROM_REST,
};

void muster__resource_touch(struct muster_resource *resource)
{
    if (muster__list_empty(&resource->touched))
        muster__list_push(&resource->engine->touched_resources, &resource->touched);
}

void muster__resource_move(struct muster_resource *resource, enum muster__resource_state state)
{
    bool may_follow = (successors[resource->state] & (1u << state)) != 0;
    assert(may_follow);
    (void)may_follow;
    muster__dispatch_unqueue(resource);
    muster__timer_clear(resource->engine, &resource->retry);
    resource->deadlocked = false;
    if (resource->state == MUSTER__ACTIVE || state == MUSTER__ACTIVE)
        muster__edges_touch_dependents(resource);
    if (state == MUSTER__ACTIVE) {
        resource->active_since = resource->engine->now;
        resource->loss_told = false;
    }
    resource->state = state;
    if (state == MUSTER__ADOPT_WAIT || state == MUSTER__START_WAIT || muster__resource_is_inactive(resource))
        muster__stop_touch_needs(resource); /* a stop may be waiting to know */
    muster__observe_resource(resource);
    muster__resource_touch(resource);
}

void muster__resource_set_error(struct muster_resource *resource, struct muster_error *error)
{
    muster__error_replace(&resource->error, error);
}

enum muster_stage muster__resource_stage(const struct muster_resource *resource)
{
    switch (resource->state) {
    case MUSTER__START_COMMIT:
    case MUSTER__STARTING:
        return MUSTER_STAGE_STARTING;
    case MUSTER__ADOPT_WAIT:
    case MUSTER__ADOPTING:
    case MUSTER__ACTIVE_COMMIT:
    case MUSTER__ACTIVE:
    case MUSTER__LEFT_ALONE:
        return MUSTER_STAGE_ACTIVE;
    case MUSTER__STOP_COMMIT:
    case MUSTER__STOP_WAIT:
    case MUSTER__STOPPING:
        return MUSTER_STAGE_STOPPING;
    default:
        return MUSTER_STAGE_INACTIVE;
    }
}

bool muster__resource_is_inactive(const struct muster_resource *resource)
{
    switch (resource->state) {
    case MUSTER__INACTIVE:
    case MUSTER__INACTIVE_COMMIT:
    case MUSTER__FAILED:
        return true;
    case MUSTER__START_WAIT:
    case MUSTER__START_READY:
    case MUSTER__START_COMMIT:
        return resource->shown_inactive || resource->answer != MUSTER__ANSWER_ACTIVE;
    case MUSTER__HELD:
    case MUSTER__DEFERRED:
        return resource->shown_inactive;
    default:
        return false;
    }
}

bool muster__resource_is_resting(const struct muster_resource *resource)
{
    return ((1u << resource->state) & (TO(ACTIVE) | TO(INACTIVE) | TO(HELD) | TO(DEFERRED) | TO(FAILED) | TO(LEFT_ALONE))) != 0;
}

bool muster__resource_at_rest(const struct muster_resource *resource)
{
    bool waits = resource->state == MUSTER__START_WAIT || resource->state == MUSTER__STOP_WAIT;
    return resource->op == NULL && resource->request == NULL && (waits || muster__resource_is_resting(resource));
}

/* ---- life --------------------------------------------------------------------------------------------- */

static const char *invalid_path(const char *const *paths)
{
    char driver[MUSTER__NAME_MAX + 1];
    for (; paths != NULL && *paths != NULL; paths++)
        if (!muster__entry_driver_part(*paths, driver))
            return *paths;
    return NULL;
}

static const char *invalid_dependency(const char *const *needs, const char *const *after)
{
    const char *bad = invalid_path(needs);
    return bad == NULL ? invalid_path(after) : bad;
}

static void free_names(const struct muster__memory *memory, char **names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        muster__free(memory, names[i]);
    muster__free(memory, names);
}

static char **copy_names(const struct muster__memory *memory, const char *const *names)
{
    size_t count = 0;
    while (names != NULL && names[count] != NULL)
        count++;
    char **copy = muster__alloc(memory, count + 1, sizeof(*copy));
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = muster__strdup(memory, names[i]);
        if (copy[i] == NULL) {
            free_names(memory, copy);
            return NULL;
        }
    }
    return copy;
}

static int check_def(const struct muster_resource_def *def)
{
    bool valid = muster__name_valid(def->name) && def->policy <= MUSTER_LAST_STATE &&
                 invalid_dependency(def->needs, def->after) == NULL &&
                 (def->flags & ~(uintptr_t)(MUSTER_VOLATILE | MUSTER_RESTART_ON_LOSS | MUSTER_ADOPT_UNMANAGED)) == 0;
    return valid ? 0 : MUSTER_EINVAL;
}

void muster__resource_refusal(const struct muster_resource_def *def, int code, char *text, size_t bytes)
{
    const char *name = def->name == NULL ? "" : def->name;
    const char *bad = code == MUSTER_EINVAL ? invalid_dependency(def->needs, def->after) : NULL;
    if (bad != NULL)
        snprintf(text, bytes, "the definition of resource '%.80s': '%.80s' is no name: it takes driver/name", name, bad);
    else
        snprintf(text, bytes, "the definition of resource '%.80s': %s", name, muster_code_text(code));
}

int muster__resource_new(const struct muster__memory *memory, const struct muster_resource_def *given,
                         struct muster_resource **ret_resource)
{
    struct muster_resource_def def;
    if (muster__def_copy(&def, sizeof(def), given, sizeof(def)) != 0 || check_def(&def) != 0)
        return MUSTER_EINVAL;
    struct muster_resource *resource = muster__new(memory, struct muster_resource);
    if (resource == NULL)
        return MUSTER_ENOMEM;
    resource->memory = memory;
    muster__list_init(&resource->item.link);
    muster__list_init(&resource->in_driver);
    muster__list_init(&resource->touched);
    muster__list_init(&resource->walking);
    muster__list_init(&resource->requests);
    resource->name = muster__strdup(memory, def.name);
    resource->declared_needs = copy_names(memory, def.needs);
    resource->declared_after = copy_names(memory, def.after);
    resource->data = def.data;
    resource->policy = (enum muster_policy)def.policy;
    resource->priority = def.priority;
    resource->flags = def.flags;
    if (resource->name == NULL || resource->declared_needs == NULL || resource->declared_after == NULL) {
        muster__resource_free(resource);
        return MUSTER_ENOMEM;
    }
    resource->release = def.release;
    *ret_resource = resource;
    return 0;
}

void muster__resource_free(struct muster_resource *resource)
{
    muster__error_unref(resource->error);
    muster__record_unref(resource->previous);
    free_names(resource->memory, resource->declared_needs);
    free_names(resource->memory, resource->declared_after);
    muster__free(resource->memory, resource->name);
    muster__free(resource->memory, resource);
}

void muster__resource_discard(struct muster__engine *engine, struct muster_resource *resource)
{
    muster__action_push(engine, &resource->item, MUSTER__ACTION_RELEASE);
}

void muster__resource_released(struct muster__engine *engine, struct muster_resource *resource)
{
    struct muster__entry *entry = resource->entry; /* NULL: it was never inserted */
    muster__resource_free(resource);
    if (entry == NULL)
        return;
    entry->leaving--;
    muster__entry_drop(engine, entry);
}

const char *muster__resource_name(const struct muster_resource *resource)
{
    return resource->name;
}

struct muster__list *muster__resource_link(struct muster_resource *resource)
{
    return &resource->in_driver;
}

struct muster_resource *muster__resource_of_link(struct muster__list *link)
{
    return muster__container(link, struct muster_resource, in_driver);
}

/* Room for one more in whatever the driver may queue it in. */
static int reserve(struct muster_driver *driver, struct muster_resource *resource)
{
    struct muster__roster *roster = driver->rest->roster;
    struct muster__heap *heaps[] = {&roster->probes, &roster->starts, &roster->calls};
    for (size_t i = 0; i < 3; i++)
        if (muster__heap_reserve(heaps[i]) != 0) {
            while (i-- > 0)
                muster__heap_unreserve(heaps[i]);
            return MUSTER_ENOMEM;
        }
    if (muster__timer_init(driver->engine, &resource->retry, muster__reconcile_retry) == 0)
        return 0;
    for (size_t i = 0; i < 3; i++)
        muster__heap_unreserve(heaps[i]);
    return MUSTER_ENOMEM;
}

static void unreserve(struct muster_resource *resource)
{
    struct muster_driver *driver = resource->driver;
    muster__dispatch_unqueue(resource);
    muster__timer_fini(driver->engine, &resource->retry);
    muster__heap_unreserve(&driver->rest->roster->probes);
    muster__heap_unreserve(&driver->rest->roster->starts);
    muster__heap_unreserve(&driver->rest->roster->calls);
}

/* Somebody waits for the driver to have accounted for its resources. */
static bool is_counted(const struct muster_driver *driver)
{
    return driver->state <= MUSTER_DRIVER_RECONCILING || driver->engine->reload != NULL;
}

static void count(struct muster_resource *resource)
{
    if (resource->counted || !is_counted(resource->driver))
        return;
    resource->counted = true;
    resource->driver->rest->unsettled++;
    if (resource->engine->reload_called)
        resource->engine->reload_at = 0; /* it may have passed the driver */
}

static void uncount(struct muster_resource *resource)
{
    if (!resource->counted)
        return;
    resource->counted = false;
    if (--resource->driver->rest->unsettled > 0)
        return;
    muster__driver_touch(resource->driver);
    muster__reload_look(resource->engine);
}

int muster__resource_insert(struct muster_driver *driver, struct muster_resource *resource)
{
    struct muster__engine *engine = driver->engine;
    struct muster__entry *entry = muster__entry_get(engine, muster_driver_name(driver), resource->name);
    if (entry == NULL)
        return MUSTER_ENOMEM;
    if (entry->resource != NULL)
        return MUSTER_EEXIST;
    resource->engine = engine;
    resource->driver = driver;
    int code = muster__edges_make(resource, (const char *const *)resource->declared_needs,
                                  (const char *const *)resource->declared_after);
    if (code == 0 && (muster__driver_roster(driver) != 0 || reserve(driver, resource) != 0)) {
        muster__edges_free(resource);
        code = MUSTER_ENOMEM;
    }
    if (code != 0) {
        muster__entry_drop(engine, entry);
        return code;
    }
    resource->entry = entry;
    entry->resource = resource;
    muster__entry_claimed(engine, entry);
    muster__list_remove(&entry->restoring);
    resource->number = engine->resources_added++;
    resource->late = driver->state == MUSTER_DRIVER_UP;
    count(resource);
    driver->resource_count++;
    muster__list_push(&driver->rest->roster->resources, &resource->in_driver);
    if (driver->done[MUSTER__STEP_INITIALIZE]) /* else all are checked when that is over */
        muster__edges_close(resource);
    muster__path_changed(resource);
    muster__resource_touch(resource);
    muster__edges_touch_dependents(resource);
    return 0;
}

void muster__resource_detach(struct muster_resource *resource)
{
    struct muster_driver *driver = resource->driver;
    struct muster__entry *entry = resource->entry;
    muster__requests_forget(resource);
    muster__stop_counted(resource);
    muster__trail_detach(resource);
    muster__edges_touch_dependents(resource);
    muster__stop_touch_needs(resource);
    muster__dispatch_release(resource);
    unreserve(resource);
    muster__edges_free(resource);
    entry->resource = NULL;
    if (resource->state != MUSTER__NEW)
        entry->left_active = resource->state == MUSTER__ACTIVE || resource->state == MUSTER__LEFT_ALONE;
    if (muster__going_down(driver->engine))
        entry->left_active = false;
    entry->leaving++;
    muster__list_remove(&resource->in_driver);
    muster__list_remove(&resource->touched);
    driver->resource_count--;
    uncount(resource);
    muster__resource_discard(driver->engine, resource);
}

/* ---- looks -------------------------------------------------------------------------------------------------- */

static bool is_settled(const struct muster_resource *resource)
{
    if (resource->op != NULL)
        return resource->op->timed_out;
    if (resource->request != NULL || !muster__list_empty(&resource->requests))
        return false;
    switch (resource->state) {
    case MUSTER__NEW: /* its driver has fallen, and may never come to it */
        return resource->driver->rest->error != NULL && !resource->driver->open;
    case MUSTER__START_WAIT:
    case MUSTER__STOP_WAIT:
        return resource->stuck;
    default:
        return muster__resource_is_resting(resource);
    }
}

static void update_settled(struct muster_resource *resource)
{
    bool settled = is_settled(resource);
    if (settled != resource->settled) {
        muster__edges_touch_dependents(resource);
        muster__stop_touch_needs(resource);
    }
    resource->settled = settled;
    if (settled)
        uncount(resource);
}

/* What is inactive needs nothing now; but it can't be started by a bad dependency. */
static bool is_broken(struct muster__edge *edge, bool active)
{
    enum muster__edge_state state = muster__edge_state(edge);
    return state == MUSTER__EDGE_BAD || (active && edge->need && state != MUSTER__EDGE_ACTIVE);
}

/* Its error says why it is degraded. */
static void update_degraded(struct muster_resource *resource)
{
    struct muster__edge *broken = NULL;
    for (size_t i = 0; i < resource->edge_count && broken == NULL; i++)
        if (is_broken(&resource->edges[i], resource->state == MUSTER__ACTIVE))
            broken = &resource->edges[i];
    bool degraded = broken != NULL;
    if (degraded == resource->degraded && !degraded)
        return;
    struct muster_error *error = NULL;
    if (degraded) {
        struct muster_error *inner = muster__edge_error(broken);
        error = muster__error_new(resource->engine->memory, inner->code, inner, "%s '%s': degraded",
                                  muster_driver_name(resource->driver), resource->name);
        muster__error_unref(inner);
    }
    bool same = error != NULL && resource->error != NULL && strcmp(error->text, resource->error->text) == 0;
    muster__resource_set_error(resource, error);
    if (degraded != resource->degraded || !same) {
        resource->degraded = degraded;
        muster__observe_about(resource, MUSTER_OBSERVE_DEGRADED, degraded, error);
    }
}

/* The store has not taken what a reload is about: it says so. */
static void tell_reload(const struct muster_resource *resource, const struct muster_error *error)
{
    struct muster__engine *engine = resource->engine;
    if (error == NULL || engine->reload == NULL || !resource->counted)
        return;
    struct muster_error *told = muster__error_wrap(engine->memory, error, "%s '%s': not recorded",
                                                   muster_driver_name(resource->driver), resource->name);
    muster__problem(engine, told);
    muster__error_unref(told);
}

/* What came of it is durable: the caller may hear. */
static void end_commit(struct muster_resource *resource, enum muster__resource_state state)
{
    bool unrecorded = !muster__entry_acknowledged(resource->engine, resource->entry);
    const struct muster_error *error = resource->ended_badly ? resource->error
                                       : unrecorded          ? resource->engine->store_error
                                                             : NULL;
    tell_reload(resource, unrecorded ? resource->engine->store_error : NULL);
    muster__resource_move(resource, state);
    muster__request_done(resource, muster_error_code(error), error);
    resource->ended_badly = false;
}

static void look_committing(struct muster_resource *resource)
{
    const struct muster_error *refusal = muster__store_refuses(resource->engine);
    bool intent = resource->state == MUSTER__START_COMMIT || resource->state == MUSTER__STOP_COMMIT;
    if (!muster__entry_durable(resource->engine, resource->entry))
        return;
    if (intent && refusal != NULL && resource->entry->record != resource->entry->durable) {
        muster__resource_write_refused(resource, refusal);
        return;
    }
    switch (resource->state) {
    case MUSTER__START_COMMIT:
        muster__start_committed(resource);
        break;
    case MUSTER__STOP_COMMIT:
        muster__resource_move(resource, MUSTER__STOP_WAIT);
        break;
    case MUSTER__ACTIVE_COMMIT:
        end_commit(resource, MUSTER__ACTIVE);
        break;
    default:
        end_commit(resource, resource->ended_badly ? MUSTER__FAILED : MUSTER__INACTIVE);
        break;
    }
}

static void look_by_state(struct muster_resource *resource)
{
    switch (resource->state) {
    case MUSTER__NEW:
        if (resource->driver->open && !muster__going_down(resource->engine))
            muster__reconcile_begin(resource);
        break;
    case MUSTER__ADOPT_WAIT:
        muster__reconcile_adopt_wait(resource);
        break;
    case MUSTER__START_WAIT:
        muster__start_wait(resource);
        break;
    case MUSTER__STOP_WAIT:
        muster__stop_wait(resource);
        break;
    case MUSTER__START_COMMIT:
    case MUSTER__STOP_COMMIT:
    case MUSTER__ACTIVE_COMMIT:
    case MUSTER__INACTIVE_COMMIT:
        look_committing(resource);
        break;
    case MUSTER__ACTIVE:
    case MUSTER__INACTIVE:
        if (!muster__request_is_stopping(resource))
            update_degraded(resource);
        break;
    default:
        break;
    }
}

/* What the driver has reported while it couldn't be heeded. */
static void take_change(struct muster_resource *resource)
{
    if (resource->change_pending && muster__resource_at_rest(resource))
        muster__reconcile_change(resource);
}

void muster__resource_look(struct muster_resource *resource)
{
    take_change(resource); /* before a start that is due, too */
    look_by_state(resource);
    if (resource->state != MUSTER__ACTIVE && resource->state != MUSTER__INACTIVE && resource->degraded) {
        resource->degraded = false;
        muster__observe_about(resource, MUSTER_OBSERVE_DEGRADED, 0, NULL);
    }
    take_change(resource);
    muster__requests_look(resource);
    update_settled(resource);
}

void muster__resource_write_refused(struct muster_resource *resource, const struct muster_error *error)
{
    switch (resource->state) {
    case MUSTER__START_COMMIT:
        muster__start_refused(resource, error);
        break;
    case MUSTER__STOP_COMMIT:
        muster__stop_refused(resource, error);
        break;
    case MUSTER__ACTIVE_COMMIT:
        muster__resource_move(resource, MUSTER__ACTIVE);
        muster__request_done(resource, error->code, error);
        break;
    case MUSTER__INACTIVE_COMMIT:
        tell_reload(resource, error);
        muster__resource_move(resource, resource->ended_badly ? MUSTER__FAILED : MUSTER__INACTIVE);
        muster__request_done(resource, error->code, error);
        break;
    default:
        break;
    }
}

void muster__resource_revert(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    struct muster__entry *entry = resource->entry;
    struct muster__record *previous = resource->previous;
    resource->previous = NULL;
    bool untouched = previous == entry->durable && !entry->in_batch;
    if (untouched || previous == NULL || entry->record == NULL) {
        muster__entry_write(engine, entry, previous);
        return;
    }
    struct muster_record next = previous->is;
    next.generation = entry->generation + 1;
    struct muster__record *record = muster__record_new(engine->memory, &next);
    muster__entry_write(engine, entry, record == NULL ? muster__record_ref(previous) : record);
    muster__record_unref(previous);
}

/* ---- ops --------------------------------------------------------------------------------------------------------- */

void muster__resource_op_finished(struct muster_resource *resource, struct muster_op *op)
{
    resource->op = NULL;
    if (op->phase == MUSTER_PHASE_PROBE)
        muster__dispatch_release_probe(resource);
    else
        muster__dispatch_release(resource);
    switch (op->phase) {
    case MUSTER_PHASE_PROBE:
        muster__reconcile_probed(resource, op);
        break;
    case MUSTER_PHASE_ADOPT:
        muster__reconcile_adopted(resource, op);
        break;
    case MUSTER_PHASE_START:
        muster__start_finished(resource, op);
        break;
    default:
        muster__stop_finished(resource, op);
        break;
    }
    if (op->timed_out && muster__going_down(resource->engine))
        muster__shutdown_late(resource);
    muster__resource_touch(resource);
}

void muster__resource_op_outlived(struct muster_resource *resource)
{
    resource->op = NULL;
    muster__resource_detach(resource);
}

void muster__resource_op_timed_out(struct muster_resource *resource, struct muster_op *op)
{
    struct muster__engine *engine = resource->engine;
    struct muster_error *error =
        muster__error_new(engine->memory, MUSTER_ETIMEDOUT, NULL,
                          "%s '%s': %s: not finished after %llu ms, state unknown", muster_driver_name(resource->driver),
                          resource->name, muster_phase_name(op->phase),
                          (unsigned long long)(engine->now - op->called_ms));
    muster__observe_op(op, MUSTER_OBSERVE_OP_TIMEOUT, MUSTER_ETIMEDOUT, error);
    muster__resource_set_error(resource, error);
    resource->answered = false;
    resource->shown_inactive = false;
    muster__dispatch_release(resource);
    muster__stop_counted(resource); /* a host that goes down doesn't wait for it */
    muster__request_done(resource, MUSTER_ETIMEDOUT, error);
    muster__resource_touch(resource);
}

/* ---- the user's events --------------------------------------------------------------------------------------------- */

struct muster__record *muster__resource_new_version(const struct muster_resource *resource, enum muster_stage stage,
                                                    enum muster_reason reason, const char *handle, const char *token)
{
    const struct muster__engine *engine = resource->engine;
    struct muster_record next = {.size = sizeof(next), .kind = MUSTER_RECORD_RESOURCE};
    const struct muster__record *old = resource->entry->record;
    if (old != NULL)
        next = old->is;
    if (muster__boot_of(engine, old) != MUSTER__BOOT_SAME)
        next.flags &= ~(uintptr_t)MUSTER_RECORD_MARK;
    next.driver = muster_driver_name(resource->driver);
    next.name = resource->name;
    next.flags &= (uintptr_t)MUSTER_RECORD_MARK;
    next.stage = stage;
    next.reason = reason;
    next.boot = engine->boot_id;
    next.generation = resource->entry->generation + 1;
    next.token = token;
    next.handle = handle;
    next.format = MUSTER_RECORD_FORMAT;
    return muster__record_new(engine->memory, &next);
}

int muster__resource_add_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_driver *driver = event->driver;
    struct muster_resource *resource;
    if (muster__going_down(engine) || driver->state == MUSTER_DRIVER_DOWN)
        return muster__refuse(engine, MUSTER_ESTATE, "driver '%s': the context is going down", muster_driver_name(driver));
    int code = muster__resource_new(engine->memory, event->resource_def, &resource);
    if (code != 0) {
        char text[MUSTER__OP_TEXT];
        muster__resource_refusal(event->resource_def, code, text, sizeof(text));
        return muster__refuse(engine, code, "driver '%s': %s", muster_driver_name(driver), text);
    }
    code = muster__resource_insert(driver, resource);
    if (code != 0) {
        muster__resource_free(resource);
        return muster__refuse(engine, code, "resource '%s/%.255s': %s", muster_driver_name(driver),
                              event->resource_def->name, muster_code_text(code));
    }
    if (event->ret_resource != NULL)
        *event->ret_resource = resource;
    return 0;
}

int muster__resource_remove_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_resource *resource = event->resource;
    bool busy = resource->op != NULL || resource->request != NULL || !muster__list_empty(&resource->requests) ||
                (!muster__resource_at_rest(resource) && resource->state != MUSTER__NEW);
    if (busy)
        return muster__refuse(engine, MUSTER_EBUSY, "resource '%s': an op on it is out, or a request is under way",
                              resource->entry->node.key);
    struct muster__entry *entry = resource->entry;
    if (muster__edges_leave(resource) != 0)
        return muster__refuse(engine, MUSTER_ENOMEM, "resource '%s': out of memory", entry->node.key);
    if (muster__resource_is_inactive(resource) && entry->record != NULL)
        muster__entry_write(engine, entry, NULL);
    if (entry->record == NULL)
        muster__history_forget(engine, entry->node.key);
    muster__resource_detach(resource);
    return 0;
}

int muster__resource_set_needs_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_resource *resource = event->resource;
    const char *bad = invalid_dependency(event->needs, event->after);
    if (bad != NULL)
        return muster__refuse(engine, MUSTER_EINVAL, "resource '%s': '%.80s' is no name: it takes driver/name",
                              resource->entry->node.key, bad);
    muster__stop_touch_needs(resource); /* what waits for it to stop may not have to any more */
    bool awaited = resource->stop_awaited;
    muster__stop_counted(resource);
    int code = muster__edges_leave(resource);
    if (code == 0)
        code = muster__edges_make(resource, event->needs, event->after);
    muster__edges_close(resource); /* the old ones, if there was no memory */
    if (awaited)
        muster__stop_await(resource); /* whether it declares anything counts */
    if (code != 0)
        return muster__refuse(engine, code, "resource '%s': out of memory", resource->entry->node.key);
    muster__path_changed(resource);
    muster__resource_touch(resource);
    muster__edges_touch_dependents(resource);
    return 0;
}

int muster__resource_set_policy_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_resource *resource = event->resource;
    if (event->number > MUSTER_LAST_STATE)
        return muster__refuse(engine, MUSTER_EINVAL, "resource '%s': there is no policy %llu",
                              resource->entry->node.key, (unsigned long long)event->number);
    bool is_up = resource->driver->state == MUSTER_DRIVER_UP;
    if (is_up && resource->state == MUSTER__INACTIVE) {
        if (muster__reconcile_mark(resource) != 0)
            return muster__refuse(engine, MUSTER_ENOMEM, "resource '%s': out of memory", resource->entry->node.key);
        if (!muster__entry_acknowledged(engine, resource->entry))
            muster__resource_move(resource, MUSTER__INACTIVE_COMMIT);
    }
    if (is_up && !muster__reconcile_autostarts(resource))
        resource->late = true;
    if (resource->state == MUSTER__START_WAIT || resource->state == MUSTER__START_READY)
        resource->waited = true;
    count(resource);
    muster__resource_touch(resource);
    resource->policy = (enum muster_policy)event->number;
    return 0;
}

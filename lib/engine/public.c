/* SPDX-License-Identifier: MIT */
/* The public functions that only read what the engine knows, names, and the structs' initial values. */
#include "engine/internal.h"

#include <string.h>

#include <muster/driver.h>
#include <muster/resource.h>

static void init(void *object, size_t size)
{
    memset(object, 0, size);
    memcpy(object, &size, sizeof(size));
}

void muster_driver_def_init(struct muster_driver_def *def, size_t size)
{
    init(def, size);
}

void muster_resource_def_init(struct muster_resource_def *def, size_t size)
{
    init(def, size);
}

void muster_resource_status_init(struct muster_resource_status *status, size_t size)
{
    init(status, size);
}

void muster_request_options_init(struct muster_request_options *options, size_t size)
{
    init(options, size);
}

void muster_options_init(struct muster_options *options, size_t size)
{
    init(options, size);
}

/* ---- names ------------------------------------------------------------------------------------------------- */

static const char *pick(const char *const *names, size_t count, size_t index)
{
    return index < count ? names[index] : "unknown";
}

#define PICK(names, index) pick((names), sizeof(names) / sizeof((names)[0]), (size_t)(index))

const char *muster_driver_state_name(enum muster_driver_state state)
{
    static const char *const names[] = {"waiting",     "initializing", "initialized", "reconciling", "reconciled",
                                        "autostarting", "up",           "skipped",     "failed",      "blocked",
                                        "deferred",    "shutting down", "down"};
    return PICK(names, state);
}

const char *muster_state_name(enum muster_context_state state)
{
    static const char *const names[] = {"new", "bringing up", "up", "rolling back", "shutting down", "down"};
    return PICK(names, state);
}

const char *muster_phase_name(enum muster_phase phase)
{
    static const char *const names[] = {"initialize", "restore", "reconcile", "autostart", "reload",
                                        "shutdown",   "probe",   "adopt",     "start",     "stop"};
    return PICK(names, phase);
}

const char *muster_cause_name(enum muster_cause cause)
{
    static const char *const names[] = {"user", "restore", "autostart", "host-shutdown", "rollback", "cascade"};
    return PICK(names, cause);
}

const char *muster_stage_name(enum muster_stage stage)
{
    static const char *const names[] = {"inactive", "starting", "active", "stopping"};
    return PICK(names, stage);
}

const char *muster_desired_name(enum muster_desired desired)
{
    static const char *const names[] = {"inactive", "active"};
    return PICK(names, desired);
}

const char *muster_reason_name(enum muster_reason reason)
{
    static const char *const names[] = {"user", "self", "host-shutdown", "loss", "failure"};
    return PICK(names, reason);
}

const char *muster_condition_name(enum muster_condition condition)
{
    static const char *const names[] = {"none", "probing", "waiting", "held", "deferred", "failed"};
    return PICK(names, condition);
}

const char *muster_policy_name(enum muster_policy policy)
{
    static const char *const names[] = {"manual", "autostart", "unless-stopped", "last-state"};
    return PICK(names, policy);
}

/* ---- drivers ------------------------------------------------------------------------------------------------ */

const char *muster_driver_name(const struct muster_driver *driver)
{
    return muster__graph_name(driver->engine->graph, driver->id);
}

void *muster_driver_data(const struct muster_driver *driver)
{
    return driver->data;
}

enum muster_driver_state muster_driver_state(const struct muster_driver *driver)
{
    return driver->state;
}

const struct muster_error *muster_driver_get_error(const struct muster_driver *driver)
{
    return driver->rest->error;
}

struct muster__engine *muster__driver_engine(const struct muster_driver *driver)
{
    return driver->engine;
}

const struct muster_driver_def *muster__driver_def(const struct muster_driver *driver)
{
    return &driver->rest->def;
}

size_t muster__engine_driver_count(const struct muster__engine *engine)
{
    return engine->driver_count;
}

bool muster__engine_has_complete_tiers(const struct muster__engine *engine)
{
    return (engine->options.flags & MUSTER_COMPLETE_TIERS) != 0;
}

uint32_t muster__driver_id(const struct muster_driver *driver)
{
    return driver->id;
}

int64_t muster__driver_tier(const struct muster_driver *driver)
{
    return muster__graph_tier(driver->engine->graph, driver->id);
}

int muster__driver_dependencies(const struct muster_driver *driver, const uint32_t **ret_ids, uint32_t *ret_count)
{
    struct muster__ids found = {.ids = NULL};
    int code = driver->id < driver->engine->checked ? muster__graph_dependencies(driver->engine->graph, driver->id, &found) : 0;
    *ret_ids = found.ids;
    *ret_count = found.count;
    return code;
}

int muster_resource_foreach(struct muster_driver *driver, muster_resource_cb cb, void *data)
{
    int code = 0;
    if (driver == NULL || cb == NULL)
        return MUSTER_EINVAL;
    struct muster__list *head = &driver->rest->roster->resources;
    for (struct muster__list *link = head->next; link != head && code == 0; link = link->next)
        code = cb(muster__container(link, struct muster_resource, in_driver), data);
    return code;
}

/* ---- resources ------------------------------------------------------------------------------------------------ */

const char *muster_resource_name(const struct muster_resource *resource)
{
    return resource->name;
}

struct muster_driver *muster_resource_driver(const struct muster_resource *resource)
{
    return resource->driver;
}

struct muster__engine *muster__resource_engine(const struct muster_resource *resource)
{
    return resource->engine;
}

void *muster_resource_data(const struct muster_resource *resource)
{
    return resource->data;
}

const struct muster_error *muster_resource_get_error(const struct muster_resource *resource)
{
    return resource->error;
}

const char *muster_resource_handle(const struct muster_resource *resource)
{
    return resource->entry->record == NULL ? NULL : resource->entry->record->is.handle;
}

int muster_resource_foreach_dependency(const struct muster_resource *resource, muster_dependency_cb cb, void *data)
{
    int code = 0;
    if (resource == NULL || cb == NULL)
        return MUSTER_EINVAL;
    for (size_t i = 0; i < resource->edge_count && code == 0; i++)
        code = cb(resource->edges[i].to->node.key, resource->edges[i].need, data);
    return code;
}

static enum muster_condition condition_of(const struct muster_resource *resource)
{
    if (resource->op != NULL && resource->op->timed_out)
        return MUSTER_CONDITION_HELD;
    switch (resource->state) {
    case MUSTER__NEW:
    case MUSTER__PROBE:
        return MUSTER_CONDITION_PROBING;
    case MUSTER__ADOPT_WAIT:
    case MUSTER__ADOPTING:
    case MUSTER__START_WAIT:
    case MUSTER__START_READY:
    case MUSTER__STOP_WAIT:
        return MUSTER_CONDITION_WAITING;
    case MUSTER__HELD:
        return MUSTER_CONDITION_HELD;
    case MUSTER__DEFERRED:
        return MUSTER_CONDITION_DEFERRED;
    case MUSTER__FAILED:
        return MUSTER_CONDITION_FAILED;
    default:
        return MUSTER_CONDITION_NONE;
    }
}

int muster_resource_state(const struct muster_resource *resource, struct muster_resource_status *ret_status)
{
    if (resource == NULL || ret_status == NULL || ret_status->size < sizeof(size_t))
        return MUSTER_EINVAL;
    const struct muster__engine *engine = resource->engine;
    const struct muster__entry *entry = resource->entry;
    const struct muster_record *record = entry->record == NULL ? NULL : &entry->record->is;
    struct muster_resource_status status = {
        .size = ret_status->size,
        .desired = record == NULL ? MUSTER_DESIRED_INACTIVE : (enum muster_desired)record->desired,
        .stage = muster__resource_stage(resource),
        .reason = record == NULL ? MUSTER_REASON_USER : (enum muster_reason)record->reason,
        .condition = condition_of(resource),
        .policy = resource->policy,
        .degraded = resource->degraded,
        .unmanaged = resource->state == MUSTER__LEFT_ALONE,
        .durable = muster__entry_acknowledged(engine, entry),
        .flags = (uintptr_t)resource->flags,
        .attempts = record == NULL ? 0 : (uintptr_t)record->attempts,
        .handle = record == NULL ? NULL : record->handle,
    };
    memcpy(ret_status, &status, ret_status->size < sizeof(status) ? ret_status->size : sizeof(status));
    return 0;
}

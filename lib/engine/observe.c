/* SPDX-License-Identifier: MIT */
/* Observations: made only while somebody listens. */
#include "engine/internal.h"

static struct muster__observed *observe(struct muster__engine *engine, enum muster_observation_type type)
{
    if (!engine->observed)
        return NULL;
    struct muster__observed *observed = muster__new(engine->memory, struct muster__observed);
    if (observed == NULL) {
        engine->observations_lost = true;
        return NULL;
    }
    if (engine->observations_lost) {
        engine->observations_lost = false;
        muster__observe_engine(engine, MUSTER_OBSERVE_LOST, 0, 0);
    }
    observed->is = (struct muster_observation){
        .size = sizeof(struct muster_observation), .type = type, .time_ms = engine->now};
    muster__action_push(engine, &observed->item, MUSTER__ACTION_OBSERVE);
    return observed;
}

static void set_error(struct muster__observed *observed, const struct muster_error *error)
{
    observed->error = muster__error_ref(error);
    observed->is.error = error;
    if (observed->is.code == 0)
        observed->is.code = muster_error_code(error);
}

void muster__engine_observe(struct muster__engine *engine, bool wanted)
{
    engine->observed = wanted;
}

void muster__observe_driver(struct muster_driver *driver, enum muster_driver_state from)
{
    struct muster__observed *observed = observe(driver->engine, MUSTER_OBSERVE_DRIVER);
    if (observed == NULL)
        return;
    observed->is.driver = driver;
    observed->is.from = (int)from;
    observed->is.to = (int)driver->state;
    set_error(observed, driver->rest->error);
}

static struct muster__observed *about(struct muster_resource *resource, enum muster_observation_type type, int to,
                                      const struct muster_error *error)
{
    struct muster__observed *observed = observe(resource->engine, type);
    if (observed == NULL)
        return NULL;
    struct muster_resource_status status = {.size = sizeof(status)};
    muster_resource_state(resource, &status);
    observed->is.driver = resource->driver;
    observed->is.resource = resource;
    observed->is.condition = status.condition;
    observed->is.to = to;
    set_error(observed, error);
    return observed;
}

void muster__observe_about(struct muster_resource *resource, enum muster_observation_type type, int to,
                           const struct muster_error *error)
{
    about(resource, type, to, error);
}

void muster__observe_resource(struct muster_resource *resource)
{
    struct muster_resource_status status = {.size = sizeof(status)};
    enum muster_stage from = resource->told_stage;
    if (!resource->engine->observed)
        return;
    muster_resource_state(resource, &status);
    if (status.stage == from && status.condition == resource->told_condition)
        return;
    resource->told_stage = status.stage;
    resource->told_condition = status.condition;
    struct muster__observed *observed =
        about(resource, MUSTER_OBSERVE_RESOURCE, (int)status.stage, resource->error);
    if (observed != NULL)
        observed->is.from = (int)from;
}

static struct muster__observed *about_op(const struct muster_op *op, enum muster_observation_type type)
{
    struct muster__observed *observed = observe(op->engine, type);
    if (observed == NULL)
        return NULL;
    observed->is.driver = op->driver;
    observed->is.resource = op->resource;
    observed->is.phase = op->phase;
    observed->is.cause = op->cause;
    return observed;
}

void muster__observe_op(const struct muster_op *op, enum muster_observation_type type, int code,
                        const struct muster_error *error)
{
    struct muster__observed *observed = about_op(op, type);
    if (observed == NULL)
        return;
    observed->is.code = code;
    set_error(observed, error);
}

void muster__observe_deadline(const struct muster_op *op, enum muster_observation_type type, uint64_t deadline_ms)
{
    struct muster__observed *observed = about_op(op, type);
    if (observed != NULL)
        observed->is.deadline_ms = deadline_ms;
}

void muster__observe_engine(struct muster__engine *engine, enum muster_observation_type type, int from, int to)
{
    struct muster__observed *observed = observe(engine, type);
    if (observed == NULL)
        return;
    observed->is.from = from;
    observed->is.to = to;
}

void muster__observe_store(struct muster__engine *engine, int code, const struct muster_error *error)
{
    struct muster__observed *observed = observe(engine, MUSTER_OBSERVE_STORE);
    if (observed == NULL)
        return;
    observed->is.code = code;
    set_error(observed, error);
}

void muster__observe_unclaimed(struct muster__engine *engine, const struct muster__entry *entry,
                               const struct muster_error *error)
{
    struct muster__observed *observed = observe(engine, MUSTER_OBSERVE_UNCLAIMED);
    if (observed == NULL)
        return;
    observed->name = muster__strdup(engine->memory, entry->node.key);
    observed->is.name = observed->name == NULL ? "" : observed->name;
    set_error(observed, error);
}

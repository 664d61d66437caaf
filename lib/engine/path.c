/* SPDX-License-Identifier: MIT */
/*
 * How much remains to be done after each driver's step and each resource's start: the longest path of what waits for it. What
 * was measured counts as long as it takes, all else as little as there is; so without a history a path is as long as it has ops.
 */
#include "engine/internal.h"

#include <string.h>

/* What a resource that is new doesn't see at once: paths are measured again when a fourth is new. */
#define CHANGES_MOST(resources) ((resources) / 4)
#define BARRIER UINT64_MAX

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- drivers --------------------------------------------------------------------------------------------- */

/* What waits for the driver to have settled the step. */
static uint64_t after(const struct muster_driver *driver, enum muster__step step)
{
    const struct muster__engine *engine = driver->engine;
    struct muster__ids dependents = muster__graph_dependents(engine->graph, driver->id);
    uint64_t longest = 0;
    for (uint32_t i = 0; i < dependents.count; i++)
        longest = larger(longest, muster__driver_at(engine, dependents.ids[i])->rest->remaining[step]);
    return longest;
}

/* Until its path is measured, `remaining` is what the step itself takes. */
static void take_durations(struct muster_driver *driver, const char *name, const uint64_t us[MUSTER__MEASURES])
{
    uint64_t *own = driver->rest->remaining;
    if (strcmp(name, muster_driver_name(driver)) == 0) {
        own[MUSTER__STEP_INITIALIZE] = larger(own[MUSTER__STEP_INITIALIZE], us[MUSTER__MEASURE_INITIALIZE]);
        own[MUSTER__STEP_RECONCILE] = larger(own[MUSTER__STEP_RECONCILE], us[MUSTER__MEASURE_RECONCILE]);
        own[MUSTER__STEP_AUTOSTART] = larger(own[MUSTER__STEP_AUTOSTART], us[MUSTER__MEASURE_AUTOSTART]);
    }
    /* A resource that was active is started in reconcile, or after the barrier. */
    own[MUSTER__STEP_RECONCILE] = larger(own[MUSTER__STEP_RECONCILE], us[MUSTER__MEASURE_START]);
    own[MUSTER__STEP_AUTOSTART] = larger(own[MUSTER__STEP_AUTOSTART], us[MUSTER__MEASURE_START]);
}

void muster__path_drivers(struct muster__engine *engine)
{
    for (uint32_t i = 0; i < engine->checked; i++) {
        struct muster_driver *driver = muster__driver_at(engine, i);
        driver->rest->remaining[MUSTER__STEP_INITIALIZE] = driver->rest->def.initialize != NULL;
        driver->rest->remaining[MUSTER__STEP_RECONCILE] = driver->rest->def.reconcile != NULL;
        driver->rest->remaining[MUSTER__STEP_AUTOSTART] = driver->rest->def.autostart != NULL;
    }
    muster__history_foreach(engine, take_durations);
    for (uint32_t i = engine->checked; i-- > 0;) {
        struct muster_driver *driver = muster__driver_at(engine, engine->order[i]);
        uint64_t *remaining = driver->rest->remaining;
        uint64_t initialize = remaining[MUSTER__STEP_INITIALIZE];
        for (int step = 0; step < MUSTER__STEPS; step++)
            remaining[step] = sum(remaining[step], after(driver, (enum muster__step)step));
        remaining[MUSTER__STEP_INITIALIZE] =
            larger(remaining[MUSTER__STEP_INITIALIZE], sum(initialize, remaining[MUSTER__STEP_RECONCILE]));
    }
}

/* ---- resources ------------------------------------------------------------------------------------------- */

static uint64_t start_takes(const struct muster_resource *resource)
{
    uint64_t us = muster__history_us(resource->engine, resource->entry->node.key, MUSTER__MEASURE_START);
    return us == 0 ? 1 : us;
}

static bool waits_for_other(const struct muster__edge *edge)
{
    return edge->to->resource != NULL && edge->to->resource != edge->from;
}

static uint32_t count_dependents(const struct muster_resource *resource)
{
    const struct muster__list *head = &resource->entry->dependents;
    uint32_t count = 0;
    for (const struct muster__list *link = head->next; link != head; link = link->next)
        count += waits_for_other(muster__container(link, struct muster__edge, in_to));
    return count;
}

/* Those that nobody waits for come into the queue. */
static void begin_driver(struct muster_driver *driver, struct muster__list *queue)
{
    uint64_t follows = 0;
    if (driver->id < driver->engine->checked)
        follows = after(driver, muster__barrier_open(driver) ? MUSTER__STEP_AUTOSTART : MUSTER__STEP_RECONCILE);
    struct muster__list *head = &driver->rest->roster->resources;
    for (struct muster__list *link = head->next; link != head; link = link->next) {
        struct muster_resource *resource = muster__container(link, struct muster_resource, in_driver);
        resource->remaining = follows;
        resource->dependents_left = count_dependents(resource);
        if (resource->dependents_left == 0)
            muster__list_push(queue, &resource->walking);
    }
}

static void measure(struct muster_resource *resource, struct muster__list *queue)
{
    resource->remaining = sum(resource->remaining, start_takes(resource));
    for (size_t i = 0; i < resource->edge_count; i++) {
        struct muster_resource *to = resource->edges[i].to->resource;
        if (!waits_for_other(&resource->edges[i]))
            continue;
        to->remaining = larger(to->remaining, resource->remaining);
        if (--to->dependents_left == 0)
            muster__list_push(queue, &to->walking);
    }
}

/* What is on a cycle, or before one, has come to no end. Whatever is queued has a new place. */
static void end_driver(struct muster_driver *driver)
{
    struct muster__list *head = &driver->rest->roster->resources;
    for (struct muster__list *link = head->next; link != head; link = link->next) {
        struct muster_resource *resource = muster__container(link, struct muster_resource, in_driver);
        if (resource->dependents_left > 0)
            resource->remaining = sum(resource->remaining, start_takes(resource));
        if (resource->heap != NULL)
            muster__dispatch_queue(resource, resource->heap);
    }
}

static void measure_all(struct muster__engine *engine)
{
    struct muster__list queue;
    muster__list_init(&queue);
    if (!engine->by_path)
        muster__path_drivers(engine);
    for (size_t i = 0; i < engine->driver_count; i++)
        begin_driver(muster__driver_at(engine, i), &queue);
    for (struct muster__list *link; (link = muster__list_pop(&queue)) != NULL;)
        measure(muster__container(link, struct muster_resource, walking), &queue);
    for (size_t i = 0; i < engine->driver_count; i++)
        end_driver(muster__driver_at(engine, i));
}

void muster__path_changed(struct muster_resource *resource)
{
    if (resource->remaining == 0)
        resource->remaining = start_takes(resource);
    if (resource->engine->path_changes < BARRIER)
        resource->engine->path_changes++;
}

void muster__path_at_barrier(struct muster__engine *engine)
{
    engine->path_changes = BARRIER;
}

void muster__path_look(struct muster__engine *engine)
{
    if (engine->path_changes <= CHANGES_MOST(engine->entries.count))
        return;
    engine->path_changes = 0;
    if (muster__turn_by_path(engine) && engine->entries.count > 0)
        measure_all(engine);
}

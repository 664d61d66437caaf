/* SPDX-License-Identifier: MIT */
/* How far a bring-up or a shutdown is. */
#include "engine/internal.h"

#define US_A_MS 1000u

static uint64_t without_elapsed(uint64_t us, const struct muster_op *op)
{
    uint64_t elapsed = op == NULL ? 0 : (op->engine->now - op->called_ms) * US_A_MS;
    return us > elapsed ? us - elapsed : 0;
}

static void take_estimate(uint64_t *estimate_us, uint64_t us)
{
    *estimate_us = us > *estimate_us ? us : *estimate_us;
}

/* Once its resources are at it, they tell. */
static uint64_t driver_us(const struct muster_driver *driver)
{
    bool at_resources = driver->op == NULL && !driver->op_wanted &&
                        (driver->state == MUSTER_DRIVER_RECONCILING || driver->state == MUSTER_DRIVER_AUTOSTARTING);
    return at_resources ? 0 : without_elapsed(driver->rest->remaining[muster__driver_step(driver)], driver->op);
}

static uint64_t resource_us(const struct muster_resource *resource)
{
    bool starts = resource->state >= MUSTER__START_WAIT && resource->state <= MUSTER__STARTING && !resource->stuck;
    return starts ? without_elapsed(resource->remaining, resource->op) : 0;
}

static bool has_fallen(const struct muster_driver *driver)
{
    return driver->state >= MUSTER_DRIVER_SKIPPED && driver->state <= MUSTER_DRIVER_DEFERRED;
}

static void count_driver(const struct muster_driver *driver, struct muster_progress_counts *counts, uint64_t *us)
{
    bool over = driver->state == (muster__going_down(driver->engine) ? MUSTER_DRIVER_DOWN : MUSTER_DRIVER_UP);
    if (driver->op != NULL && !driver->op->timed_out)
        counts->running++;
    else if (has_fallen(driver))
        counts->failed++;
    else if (over)
        counts->done++;
    else
        counts->waiting++;
    if (!over && !has_fallen(driver))
        take_estimate(us, driver_us(driver));
}

static void count_resource(const struct muster_resource *resource, struct muster_progress_counts *counts, uint64_t *us)
{
    if (resource->op != NULL && !resource->op->timed_out)
        counts->running++;
    else if (resource->error != NULL && (resource->settled || resource->stuck))
        counts->failed++;
    else if (resource->settled)
        counts->done++;
    else
        counts->waiting++;
    take_estimate(us, resource_us(resource));
}

static bool can_estimate(const struct muster__engine *engine)
{
    return engine->durations_known && !muster__going_down(engine);
}

void muster__engine_progress(const struct muster__engine *engine, struct muster_progress_counts *ret_counts)
{
    struct muster_progress_counts counts = {.size = ret_counts->size};
    uint64_t us = 0;
    for (size_t i = 0; i < engine->driver_count; i++) {
        const struct muster_driver *driver = muster__driver_at(engine, i);
        const struct muster__list *head = &driver->rest->roster->resources;
        count_driver(driver, &counts, &us);
        for (const struct muster__list *link = head->next; link != head; link = link->next)
            count_resource(muster__container(link, struct muster_resource, in_driver), &counts, &us);
    }
    if (counts.running + counts.waiting > 0)
        counts.estimate_ms = !can_estimate(engine) ? MUSTER_REPORT_NEVER : us < US_A_MS ? 1 : us / US_A_MS;
    *ret_counts = counts;
}

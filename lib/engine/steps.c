/* SPDX-License-Identifier: MIT */
/* The steps of drivers that others wait for: who waits for how many, tiers, the barrier. */
#include "engine/internal.h"

#include <string.h>

/* ---- who waits ---------------------------------------------------------------------------------------- */

static void touch_resources(struct muster_driver *driver)
{
    struct muster__list *head = &driver->rest->roster->resources;
    for (struct muster__list *link = head->next; link != head; link = link->next)
        muster__resource_touch(muster__container(link, struct muster_resource, in_driver));
}

/* Those that a bring-up has accepted. (Ids ascend: others are the last.) */
static struct muster__ids dependents_of(const struct muster_driver *driver)
{
    struct muster__ids ids = muster__graph_dependents(driver->engine->graph, driver->id);
    while (ids.count > 0 && ids.ids[ids.count - 1] >= driver->engine->checked)
        ids.count--;
    return ids;
}

/* None of its dependents waits for it. */
static void discount(const struct muster_driver *driver, enum muster__step step)
{
    struct muster__ids dependents = dependents_of(driver);
    for (uint32_t i = 0; i < dependents.count; i++)
        driver->engine->waiting[step][dependents.ids[i]]--;
}

/* May a driver that waits for nobody any more be looked at when its turn to be called comes, since that is all there is to it? */
static bool waits_in_line(const struct muster__engine *engine)
{
    return !engine->observed && engine->behind_count == 0 && engine->callless_count == 0 && engine->tier_count == 1;
}

void muster__step_begin(struct muster__engine *engine, uint32_t id)
{
    if (engine->counted[MUSTER__STEP_INITIALIZE] && engine->waiting[MUSTER__STEP_INITIALIZE][id] > 0)
        return;
    struct muster_driver *driver = muster__driver_at(engine, id);
    if (driver == engine->looked_at) /* it asks whether it waits, and goes on by itself */
        return;
    if (driver->state == MUSTER_DRIVER_WAITING && waits_in_line(engine))
        muster__ready_add(&engine->ready, muster__turn_position(engine, MUSTER__STEP_INITIALIZE, id));
    else
        muster__driver_look_early(driver);
}

static void count(struct muster__engine *engine, enum muster__step step)
{
    engine->counted[step] = true;
    for (uint32_t id = 0; id < engine->checked; id++)
        engine->waiting[step][id] = muster__graph_dependency_count(engine->graph, id);
    for (uint32_t id = 0; engine->pending[step] < engine->checked && id < engine->checked; id++)
        if (muster__driver_at(engine, id)->settled[step])
            discount(muster__driver_at(engine, id), step);
}

/* Some have to wait: who doesn't may begin. */
static void end_line(struct muster__engine *engine)
{
    count(engine, MUSTER__STEP_INITIALIZE);
    for (uint32_t i = 0; engine->begun && i < engine->checked; i++)
        muster__step_begin(engine, engine->order[i]);
}

void muster__steps_count(struct muster__engine *engine)
{
    if (!engine->counted[MUSTER__STEP_INITIALIZE])
        end_line(engine);
    for (int step = MUSTER__STEP_RECONCILE; step < MUSTER__STEPS; step++)
        if (!engine->counted[step])
            count(engine, (enum muster__step)step);
}

void muster__steps_recount(struct muster__engine *engine)
{
    for (int step = 0; step < MUSTER__STEPS; step++)
        if (engine->counted[step])
            count(engine, (enum muster__step)step);
}

/* The first in the plan's order that hasn't settled the step: it waits for none, and nobody had to be counted. NULL: all have. */
static struct muster_driver *next_in_line(struct muster__engine *engine, enum muster__step step)
{
    for (; engine->passed[step] < engine->checked; engine->passed[step]++) {
        struct muster_driver *driver = muster__driver_at(engine, engine->order[engine->passed[step]]);
        if (!driver->settled[step])
            return driver;
    }
    return NULL;
}

struct muster_driver *muster__step_next(struct muster__engine *engine)
{
    struct muster_driver *ready = muster__turn_is_nobodys(engine) ? NULL : muster__turn_first(engine);
    if (engine->counted[MUSTER__STEP_INITIALIZE] || engine->state != MUSTER_STATE_BRINGING_UP || !engine->begun)
        return ready;
    struct muster_driver *next = next_in_line(engine, MUSTER__STEP_INITIALIZE);
    uint32_t place = engine->passed[MUSTER__STEP_INITIALIZE];
    if (next == NULL || (ready != NULL && muster__turn_position(engine, MUSTER__STEP_INITIALIZE, ready->id) < place))
        return ready;
    if (next->state == MUSTER_DRIVER_WAITING) {
        muster__drivers_fetch(engine, engine->order, place, engine->checked);
        return next;
    }
    end_line(engine);
    return muster__turn_first(engine);
}

bool muster__driver_waits_uncounted(const struct muster_driver *driver, enum muster__step step)
{
    if (next_in_line(driver->engine, step) == driver)
        return false;
    if (step == MUSTER__STEP_INITIALIZE)
        end_line(driver->engine);
    else
        count(driver->engine, step);
    return muster__driver_waits(driver, step);
}

/* (The resources that declare nothing wait for the driver's own dependencies; the others' looks are cheap.) */
static void released(struct muster__engine *engine, uint32_t id, enum muster__step step)
{
    if (step == MUSTER__STEP_INITIALIZE && waits_in_line(engine)) {
        muster__ready_add(&engine->ready, muster__turn_position(engine, MUSTER__STEP_INITIALIZE, id));
        return;
    }
    muster__queue_push(&engine->touched_drivers, id);
    if (step == MUSTER__STEP_RECONCILE)
        touch_resources(muster__driver_at(engine, id));
}

static void count_off(struct muster_driver *driver, enum muster__step step)
{
    struct muster__engine *engine = driver->engine;
    struct muster__ids dependents = dependents_of(driver);
    uint32_t *waiting = engine->waiting[step];
    for (uint32_t i = 0; i < dependents.count; i++) {
        if (--waiting[dependents.ids[i]] == 0)
            released(engine, dependents.ids[i], step);
    }
}

/* It has settled the step before, and recovers: who is blocked by it may go on. */
static void tell_again(struct muster_driver *driver, enum muster__step step)
{
    struct muster__ids dependents = dependents_of(driver);
    for (uint32_t i = 0; i < dependents.count; i++)
        released(driver->engine, dependents.ids[i], step);
}

void muster__step_tell(struct muster_driver *driver, enum muster__step step, bool first)
{
    if (first)
        count_off(driver, step);
    else
        tell_again(driver, step);
}

/* ---- tiers, the barrier --------------------------------------------------------------------------------- */

static bool complete_tiers(const struct muster__engine *engine)
{
    return (engine->options.flags & MUSTER_COMPLETE_TIERS) != 0;
}

bool muster__barrier_open(const struct muster_driver *driver)
{
    const struct muster__engine *engine = driver->engine;
    if (!complete_tiers(engine))
        return engine->pending[MUSTER__STEP_RECONCILE] == 0;
    return driver->tier <= engine->open_tier && engine->tiers[driver->tier].pending[MUSTER__STEP_RECONCILE] == 0;
}

static void touch_tier(struct muster__engine *engine, const struct muster__tier *tier)
{
    const uint32_t *ids = engine->order + tier->first;
    for (uint32_t i = 0; i < tier->count; i++) {
        uint32_t id = ids[i];
        muster__drivers_fetch(engine, ids, i, tier->count);
        muster__step_begin(engine, id);
        if (engine->entries.count > 0)
            touch_resources(muster__driver_at(engine, id));
    }
}

/* Drivers of the next tier may initialize. */
static void open_next_tier(struct muster__engine *engine)
{
    enum muster__step step = complete_tiers(engine) ? MUSTER__STEP_AUTOSTART : MUSTER__STEP_RECONCILE;
    while (engine->open_tier + 1 < engine->tier_count && engine->tiers[engine->open_tier].pending[step] == 0) {
        engine->open_tier++;
        touch_tier(engine, &engine->tiers[engine->open_tier]);
    }
}

static void open_barriers(struct muster__engine *engine)
{
    bool opened = false;
    for (uint32_t i = 0; i < engine->tier_count; i++) {
        struct muster__tier *tier = &engine->tiers[i];
        if (tier->barrier_open || !muster__barrier_open(muster__driver_at(engine, engine->order[tier->first])))
            continue;
        tier->barrier_open = true;
        opened = true;
        touch_tier(engine, tier);
    }
    if (opened)
        muster__path_at_barrier(engine);
    if (opened || engine->tier_count == 0)
        muster__requests_release(engine);
}

void muster__steps_open(struct muster__engine *engine)
{
    open_next_tier(engine);
    open_barriers(engine);
}

/* ---- laying out -------------------------------------------------------------------------------------------- */

static uint32_t count_tiers(const struct muster__engine *engine, const uint32_t *order, uint32_t count)
{
    uint32_t tiers = 0;
    int64_t last = 0;
    if (count > 0 && muster__graph_tier(engine->graph, order[0]) == muster__graph_tier(engine->graph, order[count - 1]))
        return 1; /* as usual: they ascend */
    for (uint32_t i = 0; i < count; i++) {
        int64_t number = muster__graph_tier(engine->graph, order[i]);
        tiers += i == 0 || number != last;
        last = number;
    }
    return tiers;
}

void muster__steps_reset(struct muster__engine *engine)
{
    for (int step = 0; step < MUSTER__STEPS; step++)
        engine->pending[step] = engine->checked;
}

/* The usual case: every driver's tier is 0, the first, from the beginning. */
static void fill_only_tier(struct muster__engine *engine)
{
    struct muster__tier *tier = engine->tiers;
    *tier = (struct muster__tier){.number = muster__graph_tier(engine->graph, engine->order[0]), .count = engine->checked};
    memcpy(tier->pending, engine->pending, sizeof(tier->pending));
}

/* The plan's order is by level, so that the drivers of a tier stand together. */
static void fill_tiers(struct muster__engine *engine)
{
    struct muster__tier *tier = engine->tiers - 1;
    for (uint32_t i = 0; i < engine->checked; i++) {
        struct muster_driver *driver = muster__driver_at(engine, engine->order[i]);
        int64_t number = muster__graph_tier(engine->graph, driver->id);
        if (i == 0 || number != tier->number)
            *++tier = (struct muster__tier){.number = number, .first = i};
        tier->count++;
        driver->tier = (uint32_t)(tier - engine->tiers);
        for (int step = 0; step < MUSTER__STEPS; step++)
            tier->pending[step] += !driver->settled[step];
    }
}

/* An observer is told in the order of the looks, which goes by who waits for whom. */
static void reset_counts(struct muster__engine *engine)
{
    memset(engine->passed, 0, sizeof(engine->passed));
    memset(engine->counted, 0, sizeof(engine->counted));
    bool lined = waits_in_line(engine) && !engine->by_path && engine->options.shuffle_seed == 0;
    bool told = engine->observed || engine->behind_count > 0;
    for (int step = 0; step < MUSTER__STEPS; step++)
        if (told || (step == MUSTER__STEP_INITIALIZE && !lined))
            count(engine, (enum muster__step)step);
}

/* Two blocks, of so many numbers for each driver: what each bring-up touches, and what may stay new memory, which costs. */
#define USUAL_NUMBERS 2
#define OTHER_NUMBERS ((size_t)3 * MUSTER__STEPS)

static void carve(struct muster__engine *engine, uint32_t *usual, uint32_t *other, size_t count)
{
    engine->order = usual;
    engine->used = usual + count;
    engine->places = other;
    engine->position[0] = other + MUSTER__STEPS * count;
    for (size_t step = 0; step < MUSTER__STEPS; step++)
        engine->waiting[step] = other + ((size_t)2 * MUSTER__STEPS + step) * count;
}

int muster__steps_lay_out(struct muster__engine *engine)
{
    uint32_t count = (uint32_t)engine->driver_count;
    const uint32_t *order = muster__graph_order(engine->graph);
    uint32_t tier_count = count_tiers(engine, order, count);
    struct muster__tier *tiers = muster__alloc(engine->memory, tier_count, sizeof(*tiers));
    uint32_t *usual = muster__realloc(engine->memory, NULL, count, USUAL_NUMBERS * sizeof(*usual));
    uint32_t *other = muster__realloc(engine->memory, NULL, count, OTHER_NUMBERS * sizeof(*other));
    if (tiers == NULL || usual == NULL || other == NULL || count > UINT32_MAX / MUSTER__STEPS ||
        muster__ready_resize(&engine->ready, count * MUSTER__STEPS) != 0) {
        muster__free(engine->memory, tiers);
        muster__free(engine->memory, usual);
        muster__free(engine->memory, other);
        return MUSTER_ENOMEM;
    }
    if (engine->used_count > 0)
        memcpy(usual + count, engine->used, engine->used_count * sizeof(*usual));
    muster__free(engine->memory, engine->tiers);
    muster__free(engine->memory, engine->order);
    muster__free(engine->memory, engine->places);
    memcpy(usual, order, count * sizeof(*order));
    carve(engine, usual, other, count);
    engine->tiers = tiers;
    engine->tier_count = tier_count;
    for (int step = 0; step < MUSTER__STEPS; step++)
        engine->pending[step] += count - engine->checked;
    uint32_t before = engine->checked;
    engine->checked = count;
    engine->open_tier = 0;
    engine->milestone_due = true;
    if (tier_count == 1)
        fill_only_tier(engine);
    else
        fill_tiers(engine);
    muster__turn_order(engine);
    for (uint32_t id = 0; id < before; id++)
        muster__dispatch_update(muster__driver_at(engine, id));
    reset_counts(engine);
    return 0;
}

void muster__steps_renew(struct muster__engine *engine)
{
    muster__turn_order(engine);
    reset_counts(engine);
}

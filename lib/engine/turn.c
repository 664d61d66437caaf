/* SPDX-License-Identifier: MIT */
/* Whose turn it is: the order among drivers, and among the resources of one. */
#include "engine/internal.h"

#include <string.h>

/* A path and who is first among equals, in one number: 2^40 us are 12 days. */
#define PATH_BITS 40
#define NUMBER_BITS 24

bool muster__turn_by_path(const struct muster__engine *engine)
{
    return (engine->options.flags & MUSTER_FIRST_COME) == 0 && engine->options.shuffle_seed == 0;
}

/* Higher first: the sign bit turned makes it an unsigned order. */
static uint64_t by_priority(int64_t priority)
{
    return ~((uint64_t)priority ^ ((uint64_t)1 << 63));
}

static uint64_t by_path(uint64_t remaining, uint64_t number)
{
    const uint64_t most = ((uint64_t)1 << PATH_BITS) - 1;
    uint64_t path = most - (remaining < most ? remaining : most);
    return path << NUMBER_BITS | (number & (((uint64_t)1 << NUMBER_BITS) - 1));
}

/* ---- the order of drivers -------------------------------------------------------------------------------- */

static void shuffle(struct muster__engine *engine, uint32_t *ids, uint32_t count)
{
    uint64_t state = engine->options.shuffle_seed;
    for (uint32_t i = count; i > 1; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint32_t k = (uint32_t)((state >> 33) % i);
        uint32_t kept = ids[i - 1];
        ids[i - 1] = ids[k];
        ids[k] = kept;
    }
}

static void order_as_planned(struct muster__engine *engine)
{
    uint32_t count = engine->checked;
    engine->position_count = count;
    engine->positions = engine->order;
    engine->numbered = false;
    if (engine->options.shuffle_seed == 0)
        return;
    memcpy(engine->places, engine->order, count * sizeof(*engine->order));
    shuffle(engine, engine->places, count);
    engine->positions = engine->places;
}

void muster__turn_number(struct muster__engine *engine)
{
    engine->numbered = true;
    for (uint32_t i = 0; i < engine->position_count; i++)
        engine->position[0][engine->positions[i]] = i;
    for (int step = 0; step < MUSTER__STEPS; step++)
        engine->position[step] = engine->position[0];
}

/* Of the step number `place % MUSTER__STEPS` of the driver `place / MUSTER__STEPS`. */
static uint64_t path_key(const struct muster__engine *engine, uint32_t place)
{
    return ~muster__driver_at(engine, place / MUSTER__STEPS)->rest->remaining[place % MUSTER__STEPS];
}

static uint64_t priority_key(const struct muster__engine *engine, uint32_t place)
{
    return by_priority(muster__driver_at(engine, place / MUSTER__STEPS)->rest->def.priority);
}

typedef uint64_t (*key_cb)(const struct muster__engine *engine, uint32_t place);

/* Sort by one byte of the key. What is equal stays in its order. */
static void sort_by_byte(const struct muster__engine *engine, key_cb key, unsigned shift, const uint32_t *from, uint32_t *to)
{
    uint32_t count = engine->position_count;
    uint32_t begins[257] = {0};
    for (uint32_t i = 0; i < count; i++)
        begins[(key(engine, from[i]) >> shift & 0xff) + 1]++;
    for (unsigned i = 1; i < 256; i++)
        begins[i] += begins[i - 1];
    for (uint32_t i = 0; i < count; i++)
        to[begins[key(engine, from[i]) >> shift & 0xff]++] = from[i];
}

/* By the bytes in which keys differ, the last first. Returns where the result is; the other is scratch. */
static uint32_t *sort(const struct muster__engine *engine, key_cb key, uint32_t *places, uint32_t *scratch)
{
    uint64_t differ = 0;
    for (uint32_t i = 1; i < engine->position_count; i++)
        differ |= key(engine, places[i]) ^ key(engine, places[0]);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((differ >> shift & 0xff) == 0)
            continue;
        sort_by_byte(engine, key, shift, places, scratch);
        uint32_t *swapped = places;
        places = scratch;
        scratch = swapped;
    }
    return places;
}

static void order_by_paths(struct muster__engine *engine)
{
    uint32_t count = engine->checked * MUSTER__STEPS;
    engine->position_count = count;
    uint32_t *places = engine->places;
    for (uint32_t i = 0; i < count; i++)
        places[i] = i;
    uint32_t *sorted = sort(engine, path_key, places, engine->position[0]);
    sorted = sort(engine, priority_key, sorted, sorted == engine->position[0] ? places : engine->position[0]);
    if (sorted != places)
        memcpy(places, sorted, count * sizeof(*sorted));
    for (uint32_t step = 0; step < MUSTER__STEPS; step++)
        engine->position[step] = engine->position[0] + (size_t)step * engine->checked;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = places[i] / MUSTER__STEPS;
        engine->position[places[i] % MUSTER__STEPS][id] = i;
        places[i] = id;
    }
    engine->positions = places;
    engine->numbered = true;
}

/* Can one driver's op take the time of another's: has it to be called later for that, or is it known to take any? */
static bool drivers_compete(const struct muster__engine *engine)
{
    return engine->options.max_ops > 0 || engine->threaded_count > 0 || engine->history.spans.count > 0;
}

void muster__turn_order(struct muster__engine *engine)
{
    engine->by_path = muster__turn_by_path(engine) && drivers_compete(engine);
    engine->durations_known = engine->by_path && engine->history.spans.count > 0;
    if (!engine->by_path) {
        order_as_planned(engine);
        return;
    }
    muster__path_drivers(engine);
    order_by_paths(engine);
}

/* ---- whose turn it is ------------------------------------------------------------------------------------ */

uint64_t muster__turn_key(const struct muster_resource *resource)
{
    return by_priority(resource->priority);
}

/* A stop goes against the paths, and is nothing but one op more. */
static uint64_t remaining_of(const struct muster_resource *resource)
{
    return resource->state == MUSTER__STOPPING ? 1 : resource->remaining;
}

uint64_t muster__turn_tie(const struct muster_resource *resource)
{
    if (!muster__turn_by_path(resource->engine))
        return resource->number;
    return by_path(remaining_of(resource), resource->number);
}

static void set_own(struct muster_driver *driver, bool own)
{
    struct muster__engine *engine = driver->engine;
    enum muster__step step = engine->by_path ? muster__driver_step(driver) : MUSTER__STEP_INITIALIZE;
    uint32_t position = muster__turn_position(engine, step, driver->id);
    if (own)
        muster__ready_add(&engine->ready, position);
    else
        muster__ready_remove(&engine->ready, position);
}

/* Among drivers, as their own ops go. */
static void set_turn(struct muster_driver *driver, const struct muster_resource *resource)
{
    struct muster__engine *engine = driver->engine;
    if (engine->by_path)
        muster__heap_push(&engine->turns, &driver->rest->roster->turn, by_priority(driver->rest->def.priority),
                          by_path(remaining_of(resource), driver->id));
    else
        muster__heap_push(&engine->turns, &driver->rest->roster->turn, 0,
                          muster__turn_position(engine, MUSTER__STEP_INITIALIZE, driver->id));
}

void muster__turn_update(struct muster_driver *driver, bool own, const struct muster_resource *resource)
{
    set_own(driver, own);
    if (resource != NULL)
        set_turn(driver, resource);
    else if (driver->engine->turns.count > 0)
        muster__heap_remove(&driver->engine->turns, &driver->rest->roster->turn);
}

/* Does what the driver does itself come before what a resource of another does? */
static bool comes_before(const struct muster_driver *driver, const struct muster__heap_node *turn)
{
    if (!driver->engine->by_path)
        return muster__turn_position(driver->engine, MUSTER__STEP_INITIALIZE, driver->id) < turn->tie;
    uint64_t priority = by_priority(driver->rest->def.priority);
    uint64_t path = by_path(driver->rest->remaining[muster__driver_step(driver)], driver->id);
    return priority != turn->key ? priority < turn->key : path <= turn->tie;
}

struct muster_driver *muster__turn_first(struct muster__engine *engine)
{
    const struct muster__heap_node *turn = muster__heap_first(&engine->turns);
    uint32_t position;
    if (!muster__ready_first(&engine->ready, &position))
        return turn == NULL ? NULL : muster__container(turn, struct muster__roster, turn)->driver;
    struct muster_driver *driver = muster__driver_at(engine, engine->positions[position]);
    if (turn != NULL && !comes_before(driver, turn))
        return muster__container(turn, struct muster__roster, turn)->driver;
    muster__drivers_fetch(engine, engine->positions, position, engine->position_count);
    return driver;
}

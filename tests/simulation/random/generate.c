/* SPDX-License-Identifier: MIT */
/* A scenario from a seed: drivers, resources, options. */
#include "generate.h"

#include <stdio.h>
#include <string.h>

enum { DRIVER_NAMES = 6 };

static const struct size sizes[] = {
    {.percent = 93, .drivers = 6, .resources = 12, .acts = 14, .steps = 300},
    {.percent = 6, .drivers = 12, .resources = 60, .acts = 30, .steps = 800},
    {.percent = 1, .drivers = 30, .resources = 300, .acts = 80, .steps = 3000},
};

static const struct size *draw_size(struct rng *rng)
{
    unsigned drawn = rng_below(rng, 100);
    const struct size *size = sizes;
    for (; drawn >= size->percent; size++)
        drawn -= size->percent;
    return size;
}

static const char *driver_name(unsigned number)
{
    static const char *const names[DRIVER_NAMES] = {"secret", "network", "storage", "device", "guest", "backup"};
    char name[WORLD_NAME];
    if (number < DRIVER_NAMES)
        return scenario_name(names[number]);
    snprintf(name, sizeof(name), "%s%u", names[number % DRIVER_NAMES], number / DRIVER_NAMES + 1);
    return scenario_name(name);
}

static const char *resource_name(const struct scenario *scenario, unsigned driver, unsigned number)
{
    char name[WORLD_NAME];
    snprintf(name, sizeof(name), "%s/r%u", scenario->drivers[driver].name, number);
    return scenario_name(name);
}

static void push(const char **list, const char *name)
{
    for (unsigned i = 0; i < WORLD_LIST - 1; i++) {
        if (list[i] != NULL && strcmp(list[i], name) == 0)
            return;
        if (list[i] == NULL) {
            list[i] = name;
            return;
        }
    }
}

static unsigned draw_callbacks(struct rng *rng)
{
    static const struct {
        unsigned bit;
        unsigned percent;
    } callbacks[] = {
        {WORLD_CALLBACK(INITIALIZE), 95}, {WORLD_CALLBACK(RESTORE), 30}, {WORLD_CALLBACK(RECONCILE), 25},
        {WORLD_CALLBACK(AUTOSTART), 20},  {WORLD_CALLBACK(RELOAD), 50},  {WORLD_CALLBACK(SHUTDOWN), 70},
        {WORLD_CALLBACK(PROBE), 75},      {WORLD_CALLBACK(ADOPT), 50},   {WORLD_CALLBACK(START), 100},
        {WORLD_CALLBACK(STOP), 100},
    };
    unsigned drawn = 0;
    for (unsigned i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++)
        if (rng_chance(rng, callbacks[i].percent))
            drawn |= callbacks[i].bit;
    return drawn;
}

/* Edges go from higher ranks to lower ones, so that there is no cycle; tiers grow with the rank. Of many, each has some. */
static void draw_edges(struct rng *rng, struct driver_config *drivers, const unsigned *rank, unsigned count)
{
    unsigned among = count <= DRIVER_NAMES ? 100 : 100 * count / DRIVER_NAMES;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < count; k++) {
            if (rank[k] >= rank[i])
                continue;
            unsigned drawn = rng_below(rng, among);
            if (drawn < 2) /* and it needs it */
                push(drivers[i].after, drivers[k].name);
            if (drawn < 25)
                push(drivers[i].needs, drivers[k].name);
            else if (drawn < 35)
                push(drivers[i].wants, drivers[k].name);
            else if (drawn < 42)
                push(drivers[i].after, drivers[k].name);
            else if (drawn < 48)
                push(drivers[k].before, drivers[i].name);
        }
    }
}

static void shuffle(struct rng *rng, unsigned *numbers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        numbers[i] = i;
    for (unsigned i = count; i > 1; i--) {
        unsigned k = rng_below(rng, i);
        unsigned kept = numbers[i - 1];
        numbers[i - 1] = numbers[k];
        numbers[k] = kept;
    }
}

static void draw_drivers(struct scenario *scenario, struct rng *rng, unsigned count)
{
    unsigned rank[WORLD_DRIVERS];
    intptr_t tier[WORLD_DRIVERS] = {0};
    shuffle(rng, rank, count);
    for (unsigned i = 1; i < count; i++)
        tier[i] = tier[i - 1] + (rng_chance(rng, count <= DRIVER_NAMES ? 15 : 4) ? 1 : 0);
    for (unsigned i = 0; i < count; i++) {
        struct driver_config *driver = &scenario->drivers[i];
        driver->name = driver_name(i);
        driver->tier = tier[rank[i]];
        driver->priority = (intptr_t)rng_below(rng, 3) - 1;
        driver->callbacks = draw_callbacks(rng);
        driver->flags = rng_chance(rng, count <= DRIVER_NAMES ? 5 : 1) ? MUSTER_ESSENTIAL : 0;
        driver->op_timeout_ms = rng_chance(rng, 30) ? 500 : 0;
        driver->max_probes = rng_chance(rng, 20) ? 1 + rng_below(rng, 2) : 0;
        driver->max_starts = rng_chance(rng, 20) ? 1 + rng_below(rng, 2) : 0;
        driver->start_interval_ms = rng_chance(rng, 10) ? 50 : 0;
        scenario->later[i] = rng_chance(rng, 5);
    }
    scenario->driver_count = count;
    draw_edges(rng, scenario->drivers, rank, count);
    for (unsigned i = 0; i < count; i++)
        if (rng_chance(rng, 20))
            push(scenario->drivers[i].provides, scenario_name("net"));
}

/* Who isn't there yet can't be needed. */
static void settle_later(struct scenario *scenario)
{
    for (unsigned i = 0; i < scenario->driver_count; i++)
        for (unsigned k = 0; k < scenario->driver_count; k++)
            if (check_depends(&scenario->drivers[i], &scenario->drivers[k]) || scenario->drivers[k].tier != 0)
                scenario->later[k] = false;
}

/* ---- resources --------------------------------------------------------------------------------------- */

static void find_order(const struct scenario *scenario, bool after[WORLD_DRIVERS][WORLD_DRIVERS])
{
    unsigned count = scenario->driver_count;
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < count; k++)
            after[i][k] = i == k || check_depends(&scenario->drivers[i], &scenario->drivers[k]) ||
                          scenario->drivers[k].tier < scenario->drivers[i].tier;
    for (unsigned via = 0; via < count; via++)
        for (unsigned i = 0; i < count; i++)
            for (unsigned k = 0; after[i][via] && k < count; k++)
                after[i][k] = after[i][k] || after[via][k];
}

static void draw_needs(const struct scenario *scenario, struct rng *rng, struct resource_config *config, const bool *after,
                       const unsigned *owners)
{
    unsigned among = scenario->resource_count <= 12 ? 100 : 100 * scenario->resource_count / 12;
    for (unsigned i = 0; i < scenario->resource_count; i++) {
        if (!after[owners[i]] && !rng_chance(rng, 1))
            continue;
        unsigned drawn = rng_below(rng, among);
        if (drawn < 25)
            push(config->needs, scenario->resources[i].name);
        else if (drawn < 32)
            push(config->after, scenario->resources[i].name);
    }
    if (rng_chance(rng, 2))
        push(config->needs, scenario_name("storage/nothing"));
}

static void draw_resources(struct scenario *scenario, struct rng *rng, unsigned count)
{
    bool after[WORLD_DRIVERS][WORLD_DRIVERS] = {{false}};
    unsigned owners[WORLD_RESOURCES];
    find_order(scenario, after);
    for (unsigned i = 0; i < count; i++) {
        unsigned driver = owners[i] = rng_below(rng, scenario->driver_count);
        struct resource_config *config = &scenario->resources[i];
        config->name = resource_name(scenario, driver, i);
        config->policy = rng_below(rng, 4);
        config->flags = (rng_chance(rng, 20) ? (uintptr_t)MUSTER_VOLATILE : 0) |
                        (rng_chance(rng, 15) ? (uintptr_t)MUSTER_RESTART_ON_LOSS : 0) |
                        (rng_chance(rng, 10) ? (uintptr_t)MUSTER_ADOPT_UNMANAGED : 0);
        config->priority = (intptr_t)rng_below(rng, 3);
        config->transient = rng_chance(rng, 8);
        config->late_added = rng_chance(rng, 10);
        draw_needs(scenario, rng, config, after[driver], owners);
        scenario->unconfigured[i] = rng_chance(rng, 8);
        scenario->runs[i] = rng_chance(rng, 4) && (config->flags & MUSTER_VOLATILE) == 0 &&
                            (scenario->drivers[driver].callbacks & WORLD_CALLBACK(PROBE)) != 0;
        scenario->resource_count++;
    }
}

static void draw_options(struct scenario *scenario, struct rng *rng)
{
    static const struct chances profiles[] = {
        {0},
        {.sync = 30, .slow = 10},
        {.fail = 8, .unavailable = 8, .hang = 1, .slow = 10, .sync = 10, .twice = 3, .store = 4, .limbo = 30, .effective = 20},
        {.fail = 20, .unavailable = 15, .hang = 6, .slow = 20, .sync = 20, .twice = 5, .store = 25, .limbo = 60, .effective = 40},
        {.fail = 10, .unavailable = 5, .hang = 3, .slow = 10, .sync = 10, .store = 5, .limbo = 30, .lie = 10, .effective = 50},
        {.store = 30, .limbo = 50},
    };
    scenario->chances = profiles[rng_below(rng, sizeof(profiles) / sizeof(profiles[0]))];
    scenario->no_store = rng_chance(rng, 6);
    scenario->boot_unknown = rng_chance(rng, 4);
    scenario->unobserved = rng_chance(rng, 50);
    scenario->flags =
        (rng_chance(rng, 15) ? MUSTER_COMPLETE_TIERS : 0) | (rng_chance(rng, 20) ? MUSTER_FIRST_COME : 0);
    scenario->max_ops = rng_chance(rng, 15) ? 1 + rng_below(rng, 4) : 0;
    scenario->op_timeout_ms = rng_chance(rng, 30) ? 1000 : 0;
    scenario->store_timeout_ms = rng_chance(rng, 30) ? 1000 : 0;
    scenario->shuffle_seed = rng_chance(rng, 30) ? rng_next(rng) : 0;
}

/* A mistake that every check must find. */
static void spoil(struct scenario *scenario, struct rng *rng)
{
    unsigned number = rng_below(rng, scenario->driver_count);
    struct driver_config *driver = &scenario->drivers[number];
    driver->needs[WORLD_LIST - 2] = NULL;
    scenario->later[number] = false;
    push(driver->needs, rng_chance(rng, 50) ? scenario_name("nobody") : driver->name);
}

void scenario_generate(struct scenario *scenario, uint64_t seed)
{
    struct rng rng = {seed};
    scenario->driver_count = scenario->resource_count = scenario->event_count = 0;
    scenario->turn_count = scenario->job_count = 0;
    memset(scenario->drivers, 0, sizeof(scenario->drivers));
    const struct size *size = draw_size(&rng);
    draw_options(scenario, &rng);
    draw_drivers(scenario, &rng, 1 + rng_below(&rng, size->drivers));
    settle_later(scenario);
    unsigned resources = rng_below(&rng, size->resources + 1);
    memset(scenario->resources, 0, resources * sizeof(scenario->resources[0]));
    draw_resources(scenario, &rng, resources);
    scenario->drawn = true;
    scenario->seed = rng_next(&rng);
    if (rng_chance(&rng, 98)) {
        generate_events(scenario, &rng, size);
        return;
    }
    spoil(scenario, &rng);
    scenario->events[scenario->event_count++] = (struct event){.kind = EVENT_REFUSED};
}

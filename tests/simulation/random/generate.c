/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <stdio.h>
#include <string.h>

enum { MOST_DRIVERS = 6, MOST_RESOURCES = 12 };

static const char *const driver_names[MOST_DRIVERS] = {"secret", "network", "storage", "device", "guest", "backup"};
static char resource_names[MOST_DRIVERS][MOST_RESOURCES][WORLD_NAME];

static const char *resource_name(unsigned driver, unsigned number)
{
    char *name = resource_names[driver][number];
    snprintf(name, WORLD_NAME, "%s/r%u", driver_names[driver], number);
    return name;
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

/* Edges go from higher ranks to lower ones, so that there is no cycle; tiers grow with the rank. */
static void draw_edges(struct rng *rng, struct driver_config *configs, const unsigned *rank, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < count; k++) {
            if (rank[k] >= rank[i])
                continue;
            unsigned drawn = rng_below(rng, 100);
            if (drawn < 25)
                push(configs[i].needs, configs[k].name);
            else if (drawn < 35)
                push(configs[i].wants, configs[k].name);
            else if (drawn < 42)
                push(configs[i].after, configs[k].name);
            else if (drawn < 48)
                push(configs[k].before, configs[i].name);
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

static void draw_drivers(struct world *world, unsigned count)
{
    struct rng *rng = &world->rng;
    struct driver_config configs[MOST_DRIVERS] = {{0}};
    unsigned rank[MOST_DRIVERS];
    intptr_t tier[MOST_DRIVERS] = {0};
    shuffle(rng, rank, count);
    for (unsigned i = 1; i < count; i++)
        tier[i] = tier[i - 1] + (rng_chance(rng, 15) ? 1 : 0);
    for (unsigned i = 0; i < count; i++) {
        configs[i].name = driver_names[i];
        configs[i].tier = tier[rank[i]];
        configs[i].priority = (intptr_t)rng_below(rng, 3) - 1;
        configs[i].callbacks = draw_callbacks(rng);
        configs[i].flags = rng_chance(rng, 5) ? MUSTER_ESSENTIAL : 0;
        configs[i].op_timeout_ms = rng_chance(rng, 30) ? 500 : 0;
        configs[i].max_probes = rng_chance(rng, 20) ? 1 + rng_below(rng, 2) : 0;
        configs[i].max_starts = rng_chance(rng, 20) ? 1 + rng_below(rng, 2) : 0;
        configs[i].start_interval_ms = rng_chance(rng, 10) ? 50 : 0;
    }
    draw_edges(rng, configs, rank, count);
    for (unsigned i = 0; i < count; i++)
        if (rng_chance(rng, 20))
            push(configs[i].provides, "net");
    for (unsigned i = 0; i < count; i++) {
        struct world_driver *driver = world_add_driver(world, &configs[i]);
        driver->registered = !rng_chance(rng, 5);
    }
}

static void draw_needs(struct world *world, struct resource_config *config, unsigned driver)
{
    struct rng *rng = &world->rng;
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *other = &world->resources[i];
        bool good = other->driver == &world->drivers[driver] ||
                    check_is_after(world, &world->drivers[driver], other->driver);
        if (!good && !rng_chance(rng, 1))
            continue;
        unsigned drawn = rng_below(rng, 100);
        if (drawn < 25)
            push(config->needs, other->full);
        else if (drawn < 32)
            push(config->after, other->full);
    }
    if (rng_chance(rng, 2))
        push(config->needs, "storage/nothing");
}

static void draw_resources(struct world *world, unsigned count)
{
    struct rng *rng = &world->rng;
    for (unsigned i = 0; i < count; i++) {
        unsigned driver = rng_below(rng, world->driver_count);
        struct resource_config config = {.name = resource_name(driver, i)};
        config.policy = rng_below(rng, 4);
        config.flags = (rng_chance(rng, 20) ? (uintptr_t)MUSTER_VOLATILE : 0) |
                       (rng_chance(rng, 15) ? (uintptr_t)MUSTER_RESTART_ON_LOSS : 0) |
                       (rng_chance(rng, 10) ? (uintptr_t)MUSTER_ADOPT_UNMANAGED : 0);
        config.priority = (intptr_t)rng_below(rng, 3);
        config.transient = rng_chance(rng, 8);
        draw_needs(world, &config, driver);
        struct world_resource *resource = world_add_resource(world, &config);
        resource->configured = resource->configured && !rng_chance(rng, 8);
        if (rng_chance(rng, 4) && (config.flags & MUSTER_VOLATILE) == 0 &&
            (world->drivers[driver].is.callbacks & WORLD_CALLBACK(PROBE)) != 0) {
            resource->running = true;
            resource->instance = 1;
            snprintf(resource->handle, sizeof(resource->handle), "h1");
        }
    }
}

static void draw_chances(struct world *world)
{
    struct rng *rng = &world->rng;
    static const struct chances profiles[] = {
        {0},
        {.sync = 30, .slow = 10},
        {.fail = 8, .unavailable = 8, .hang = 1, .slow = 10, .sync = 10, .twice = 3, .store = 4, .limbo = 30},
        {.fail = 20, .unavailable = 15, .hang = 6, .slow = 20, .sync = 20, .twice = 5, .store = 25, .limbo = 60},
        {.store = 30, .limbo = 50},
    };
    world->chances = profiles[rng_below(rng, sizeof(profiles) / sizeof(profiles[0]))];
    world->options.has_store = !rng_chance(rng, 6);
    world->boot_unknown = rng_chance(rng, 4);
    world->options.flags = (rng_chance(rng, 15) ? MUSTER_COMPLETE_TIERS : 0) | (rng_chance(rng, 20) ? MUSTER_FIRST_COME : 0);
    world->options.max_ops = rng_chance(rng, 15) ? 1 + rng_below(rng, 4) : 0;
    world->options.op_timeout_ms = rng_chance(rng, 30) ? 1000 : 60000;
    world->options.store_timeout_ms = rng_chance(rng, 30) ? 1000 : 60000;
    world->options.shuffle_seed = rng_chance(rng, 30) ? rng_next(rng) : 0;
}

/* A mistake that every check must find. */
static void spoil(struct world *world)
{
    struct world_driver *driver = &world->drivers[rng_below(&world->rng, world->driver_count)];
    driver->registered = true;
    if (rng_chance(&world->rng, 50))
        driver->is.needs[WORLD_LIST - 2] = NULL, push(driver->is.needs, "nobody");
    else
        driver->is.needs[WORLD_LIST - 2] = NULL, push(driver->is.needs, driver->is.name);
}

/* Who isn't registered yet can't be needed. */
static void settle_registration(struct world *world)
{
    for (unsigned i = 0; i < world->driver_count; i++)
        for (unsigned k = 0; k < world->driver_count; k++)
            if (check_depends(&world->drivers[i], &world->drivers[k]) || world->drivers[k].is.tier != 0)
                world->drivers[k].registered = true;
}

static const char *join(char *text, size_t bytes, const char *const *names)
{
    size_t used = 0;
    text[0] = '\0';
    for (; *names != NULL && used < bytes; names++)
        used += (size_t)snprintf(text + used, bytes - used, " %s", *names);
    return text;
}

static void tell(struct world *world)
{
    char needs[256], wants[256], after[256], before[256];
    for (unsigned i = 0; i < world->driver_count; i++) {
        const struct driver_config *is = &world->drivers[i].is;
        world_trace(world, "driver %s: tier %d, needs%s; wants%s; after%s; before%s; callbacks %x%s%s", is->name,
                    (int)is->tier, join(needs, sizeof(needs), is->needs), join(wants, sizeof(wants), is->wants),
                    join(after, sizeof(after), is->after), join(before, sizeof(before), is->before), is->callbacks,
                    is->flags != 0 ? ", essential" : "", world->drivers[i].registered ? "" : ", later");
    }
    for (unsigned i = 0; i < world->resource_count; i++) {
        const struct resource_config *is = &world->resources[i].is;
        world_trace(world, "resource %s: needs%s; after%s; policy %d, flags %d%s%s%s", is->name,
                    join(needs, sizeof(needs), is->needs), join(after, sizeof(after), is->after), (int)is->policy,
                    (int)is->flags, is->transient ? ", transient" : "",
                    world->resources[i].configured ? "" : ", not configured", world->resources[i].running ? ", runs" : "");
    }
}

bool random_generate(struct world *world)
{
    draw_chances(world);
    draw_drivers(world, 1 + rng_below(&world->rng, MOST_DRIVERS));
    settle_registration(world);
    draw_resources(world, rng_below(&world->rng, MOST_RESOURCES + 1));
    bool good = !rng_chance(&world->rng, 2);
    if (!good)
        spoil(world);
    tell(world);
    return good;
}

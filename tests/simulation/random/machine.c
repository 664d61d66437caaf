/* SPDX-License-Identifier: MIT */
/* What is there while no daemon is: the machine, the store, what users were told; kept, so that a daemon can be
   tried out on it. */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

struct snapshot {
    struct fake_store store;
    uint64_t now;
    uint64_t order;
    unsigned boot;
    unsigned due_count;
    struct due dues[WORLD_DUES];
    bool registered[WORLD_DRIVERS];
    struct world_resource resources[];
};

struct snapshot *snapshot_take(const struct world *world)
{
    size_t resources = world->resource_count * sizeof(world->resources[0]);
    struct snapshot *snapshot = malloc(sizeof(*snapshot) + resources);
    if (snapshot == NULL)
        abort();
    snapshot->now = world->now;
    snapshot->order = world->order;
    snapshot->boot = world->boot;
    snapshot->due_count = world->due_count;
    memcpy(snapshot->dues, world->dues, world->due_count * sizeof(world->dues[0]));
    for (unsigned i = 0; i < world->driver_count; i++)
        snapshot->registered[i] = world->drivers[i].registered;
    memcpy(snapshot->resources, world->resources, resources);
    fake_store_init(&snapshot->store);
    fake_store_copy(&snapshot->store, &world->store);
    return snapshot;
}

void snapshot_restore(const struct snapshot *snapshot, struct world *world)
{
    world->now = snapshot->now;
    world->order = snapshot->order;
    world->boot = snapshot->boot;
    world->due_count = snapshot->due_count;
    memcpy(world->dues, snapshot->dues, snapshot->due_count * sizeof(world->dues[0]));
    for (unsigned i = 0; i < world->driver_count; i++)
        world->drivers[i].registered = snapshot->registered[i];
    memcpy(world->resources, snapshot->resources, world->resource_count * sizeof(world->resources[0]));
    fake_store_fini(&world->store);
    fake_store_init(&world->store);
    fake_store_copy(&world->store, &snapshot->store);
}

void snapshot_free(struct snapshot *snapshot)
{
    fake_store_fini(&snapshot->store);
    free(snapshot);
}

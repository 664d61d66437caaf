/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <string.h>

/* For a number of steps, or until nothing happens any more. */
static void live(struct world *world, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++)
        if (!world_next(world))
            return;
}

static void plan_users(struct world *world)
{
    unsigned count = rng_below(&world->rng, 14);
    for (unsigned i = 0; i < count; i++)
        world_at(world, world->now + rng_below(&world->rng, rng_chance(&world->rng, 70) ? 300 : 6000), random_act);
}

static bool is_down(const struct world *world)
{
    return world->engine != NULL && muster__engine_state(world->engine) == MUSTER_STATE_DOWN;
}

/* An orderly end, with the faults that there are: it may hang, and is then killed. */
static void go_down(struct world *world, enum muster_shutdown_kind kind)
{
    world_shutdown(world, kind);
    live(world, 2000);
    if (is_down(world) && muster__engine_ops_out(world->engine) == 0 && world->store.jobs == NULL)
        world_free_daemon(world);
    else
        world_kill(world);
}

static void end_life(struct world *world)
{
    unsigned drawn = rng_below(&world->rng, 100);
    if (drawn < 15)
        go_down(world, MUSTER_DAEMON_RESTART);
    else if (drawn < 25)
        go_down(world, MUSTER_HOST_SHUTDOWN);
    else
        world_kill(world);
    for (unsigned i = 0; i < world->resource_count; i++)
        if (world->resources[i].limbo_until != 0 && rng_chance(&world->rng, 50))
            world->resources[i].promise = -1;
    if ((drawn >= 15 && drawn < 45) && !rng_chance(&world->rng, 30)) {
        for (unsigned i = 0; i < world->resource_count; i++)
            if (world->resources[i].is.policy == MUSTER_AUTOSTART)
                world->resources[i].promise = -1;
        world_reboot(world);
    }
}

static void drop_users(struct world *world)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < world->due_count; i++)
        if (world->dues[i].kind != DUE_USER)
            world->dues[kept++] = world->dues[i];
    world->due_count = kept;
}

/* What was spawned before a death comes to light. */
static void wait_out_limbo(struct world *world)
{
    while (world_next(world))
        continue;
}

static void recover(struct world *world)
{
    wait_out_limbo(world);
    random_predict(world);
    world_boot_daemon(world);
    world_run(world);
    if (muster__engine_state(world->engine) != MUSTER_STATE_UP)
        world_fail(world, "a bring-up without faults ended with %s",
                   muster_code_name(muster__engine_result(world->engine)));
    random_compare(world);
    check_settled(world);
}

static void end_calmly(struct world *world, enum muster_shutdown_kind kind)
{
    bool ran[WORLD_RESOURCES];
    struct muster_resource_status status[WORLD_RESOURCES] = {{0}};
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct muster_resource *known = world_engine_resource(world, &world->resources[i]);
        ran[i] = world->resources[i].running;
        status[i].size = sizeof(status[i]);
        if (known != NULL)
            muster_resource_state(known, &status[i]);
    }
    struct request *request = world_shutdown(world, kind);
    world_run(world);
    if (!is_down(world) || request->ended != 1 || request->code != 0)
        world_fail(world, "a shutdown without faults ended with %s", muster_code_name(request->code));
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct world_resource *resource = &world->resources[i];
        bool stops = kind == MUSTER_HOST_SHUTDOWN && status[i].stage == MUSTER_STAGE_ACTIVE && !status[i].unmanaged;
        if (kind == MUSTER_HOST_SHUTDOWN && status[i].stage == MUSTER_STAGE_STOPPING)
            stops = true; /* a stop of a user that had to wait */
        if (!stops && resource->running != ran[i])
            world_fail(world, "the shutdown ended %s", resource->full);
        if (stops && resource->running)
            world_fail(world, "the host's shutdown left %s running", resource->full);
        const struct stored *stored = fake_store_find(&world->store, resource->full);
        if (world->options.has_store && status[i].stage == MUSTER_STAGE_ACTIVE && stored != NULL &&
            stored->is.desired != (uintptr_t)status[i].desired)
            world_fail(world, "the shutdown changed what is desired of %s", resource->full);
    }
    world_free_daemon(world);
}

/* No faults any more: everything must come out as the rules say, twice. */
static void finale(struct world *world)
{
    drop_users(world);
    world->chances = (struct chances){.sync = 20};
    recover(world);
    enum muster_shutdown_kind kind = (enum muster_shutdown_kind)rng_below(&world->rng, 2);
    end_calmly(world, kind);
    if (kind == MUSTER_HOST_SHUTDOWN) {
        for (unsigned i = 0; i < world->resource_count; i++)
            world->resources[i].promise = -1;
        world_reboot(world);
    }
    recover(world);
    end_calmly(world, MUSTER_DAEMON_RESTART);
}

static void refuse(struct world *world)
{
    world_daemon(world);
    struct request *request = world_bring_up(world);
    if (request->accepted)
        world_fail(world, "drivers with a mistake are brought up");
    if (world->calls != 0 || world->store.jobs != NULL)
        world_fail(world, "something is called before a mistake is found");
    world_free_daemon(world);
}

void random_run(struct world *world)
{
    world->random = true;
    world->unobserved = world->rng.state % 2 == 1; /* (the seed) */
    if (!random_generate(world)) {
        refuse(world);
        return;
    }
    unsigned lives = 1 + rng_below(&world->rng, 3);
    for (unsigned i = 0; i < lives; i++) {
        world_boot_daemon(world);
        plan_users(world);
        live(world, 1 + rng_below(&world->rng, rng_chance(&world->rng, 50) ? 60 : 300));
        end_life(world);
        random_interlude(world);
    }
    finale(world);
}

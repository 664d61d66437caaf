/* SPDX-License-Identifier: MIT */
#include "story.h"

/* UNAVAILABLE defers; when the device comes, what it has blocked is run. */
void story_a_late_device(struct world *world)
{
    DRIVER(world, .name = "device");
    DRIVER(world, .name = "guest", .needs = {"device"});
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART);
    TURN(world, INITIALIZE, "device", .outcome = MUSTER_UNAVAILABLE);
    TURN(world, INITIALIZE, "device", .outcome = MUSTER_UNAVAILABLE);
    struct request *request = world_boot_daemon(world);
    world_run_until(world, 500);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, story_driver(world, "device") == MUSTER_DRIVER_DEFERRED);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    check_settled(world);
}

void story_a_late_device_announced(struct world *world)
{
    world->options.retry_min_ms = 60000;
    DRIVER(world, .name = "device");
    DRIVER(world, .name = "guest", .needs = {"device"});
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART);
    TURN(world, INITIALIZE, "device", .outcome = MUSTER_UNAVAILABLE);
    world_boot_daemon(world);
    world_run_until(world, 2000);
    EXPECT(world, world_driver_retry(world, "device", true) == 0);
    world_run_until(world, 3000);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, world_driver_retry(world, "device", true) == 0);
    world_run(world);
    check_settled(world);
}

/* A pool that can't be told now defers; what was recorded active with it waits for it, and is then decided afresh. */
void story_a_late_pool(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool0"});
    TURN(world, PROBE, "storage/pool0", .outcome = MUSTER_UNAVAILABLE);
    TURN(world, PROBE, "storage/pool0", .outcome = MUSTER_UNAVAILABLE);
    struct request *request = world_boot_daemon(world);
    world_run_until(world, 500);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, story_status(world, "storage/pool0").condition == MUSTER_CONDITION_DEFERRED);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    check_settled(world);
}

/* One hung pool delays its own guests alone. */
void story_a_slow_pool_delays_its_own_guests(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/slow", .flags = MUSTER_VOLATILE);
    RESOURCE(world, .name = "storage/fast", .flags = MUSTER_VOLATILE);
    RESOURCE(world, .name = "guest/a", .needs = {"storage/slow"});
    RESOURCE(world, .name = "guest/b", .needs = {"storage/fast"});
    static const char *const active[] = {"storage/slow", "storage/fast", "guest/a", "guest/b"};
    for (unsigned i = 0; i < 4; i++) {
        struct muster_record record = story_record(world, active[i], MUSTER_STAGE_ACTIVE);
        fake_store_put(&world->store, &record);
        world_resource(world, active[i])->running = i >= 2;
    }
    TURN(world, START, "storage/slow", .delay = 5000);
    world_boot_daemon(world);
    world_run_until(world, 200);
    EXPECT(world, story_status(world, "guest/b").stage == MUSTER_STAGE_ACTIVE);
    EXPECT(world, story_status(world, "guest/b").condition == MUSTER_CONDITION_NONE);
    world_run(world);
    EXPECT(world, story_status(world, "guest/a").stage == MUSTER_STAGE_ACTIVE);
    check_settled(world);
}

void story_limits_on_starts(struct world *world)
{
    DRIVER(world, .name = "guest", .max_starts = 2, .start_interval_ms = 8);
    RESOURCE(world, .name = "guest/a", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/b", .policy = MUSTER_AUTOSTART, .priority = 5);
    RESOURCE(world, .name = "guest/c", .policy = MUSTER_AUTOSTART, .priority = -5);
    RESOURCE(world, .name = "guest/d", .policy = MUSTER_AUTOSTART);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/c")->running);
    check_settled(world);
}

void story_limits_on_probes_and_ops(struct world *world)
{
    world->options.max_ops = 2;
    DRIVER(world, .name = "storage", .max_probes = 1);
    DRIVER(world, .name = "network");
    DRIVER(world, .name = "secret");
    RESOURCE(world, .name = "storage/a");
    RESOURCE(world, .name = "storage/b");
    RESOURCE(world, .name = "storage/c");
    RESOURCE(world, .name = "network/a");
    RESOURCE(world, .name = "network/b");
    world_boot_daemon(world);
    world_run(world);
    check_settled(world);
}

/* The first daemon learns that one pool is slow; after a reboot the second starts it before the others. */
void story_the_longest_path_first(struct world *world)
{
    DRIVER(world, .name = "storage", .max_starts = 1);
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/fast", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "storage/slow", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/web", .needs = {"storage/fast"}, .policy = MUSTER_AUTOSTART);
    TURN(world, START, "storage/slow", .delay = 500);
    TURN(world, START, "storage/slow", .delay = 500);
    world_boot_daemon(world);
    world_run(world);
    const struct muster_record key = {.kind = MUSTER_RECORD_HISTORY, .driver = "storage", .name = "slow"};
    const struct stored *learnt = fake_store_like(&world->store, &key);
    EXPECT(world, learnt != NULL && strcmp(learnt->is.handle, "start=500000") == 0);
    world_reboot(world);
    world_boot_daemon(world);
    world_run_for(world, 100);
    EXPECT(world, story_status(world, "storage/slow").stage == MUSTER_STAGE_STARTING);
    EXPECT(world, story_status(world, "storage/fast").stage == MUSTER_STAGE_INACTIVE);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    check_settled(world);
}

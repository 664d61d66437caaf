/* SPDX-License-Identifier: MIT */
#include "story.h"

static void three_layers(struct world *world)
{
    DRIVER(world, .name = "secret");
    DRIVER(world, .name = "storage", .needs = {"secret"});
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool0");
    RESOURCE(world, .name = "storage/idle");
    RESOURCE(world, .name = "guest/web", .needs = {"storage/pool0"});
    world_boot_daemon(world);
    world_run(world);
    world_start(world, "guest/web", MUSTER_START_DEPENDENCIES);
    world_run(world);
}

/* Resources stay; drivers go in reverse; what a driver reports on its way down is no loss. */
void story_shutdown_for_a_daemon_restart(struct world *world)
{
    three_layers(world);
    struct request *shutdown = world_shutdown(world, MUSTER_DAEMON_RESTART);
    world_resource(world, "guest/web")->promise = MUSTER_DESIRED_ACTIVE;
    struct muster__event lost = {.type = MUSTER__EVENT_RESOURCE_CHANGED,
                                 .resource = muster__engine_find_resource(world->engine, "guest/web"),
                                 .number = MUSTER_CHANGED_LOST};
    world_step(world, &lost);
    world_run(world);
    EXPECT(world, shutdown->ended == 1 && shutdown->code == 0);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, fake_store_find(&world->store, "guest/web")->is.stage == MUSTER_STAGE_ACTIVE);
    world_free_daemon(world);
}

/* Dependents first; what was desired stays so, and the next boot starts what its policy lets it. */
void story_shutdown_of_the_host(struct world *world)
{
    three_layers(world);
    world_set_policy(world, "storage/pool0", MUSTER_LAST_STATE);
    world_run(world);
    struct request *shutdown = world_shutdown(world, MUSTER_HOST_SHUTDOWN);
    world_run(world);
    EXPECT(world, shutdown->ended == 1 && shutdown->code == 0);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    EXPECT(world, !world_resource(world, "storage/pool0")->running);
    EXPECT(world, fake_store_find(&world->store, "guest/web")->is.desired == MUSTER_DESIRED_ACTIVE);
    world_free_daemon(world);
    world_reboot(world);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "storage/pool0")->running);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    check_settled(world);
}

void story_shutdown_during_bring_up(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    TURN(world, START, "storage/pool0", .delay = 100, .heeds_cancel = true);
    struct request *bring_up = world_boot_daemon(world);
    struct request *when = world_when(world, MUSTER_SETTLED);
    world_run_until(world, 60);
    struct request *shutdown = world_shutdown(world, MUSTER_DAEMON_RESTART);
    world_run(world);
    EXPECT(world, bring_up->ended == 1 && bring_up->code == MUSTER_ECANCELED);
    EXPECT(world, when->ended == 1 && when->code == MUSTER_ECANCELED);
    EXPECT(world, shutdown->ended == 1 && shutdown->code == 0);
    world_free_daemon(world);
}

/* A stop that hangs doesn't hold the shutdown up for ever: the ops that are still out are named. */
void story_shutdown_that_runs_out_of_time(struct world *world)
{
    world->options.shutdown_timeout_ms = 5000;
    three_layers(world);
    TURN(world, STOP, "guest/web", .never = true);
    struct request *shutdown = world_shutdown(world, MUSTER_HOST_SHUTDOWN);
    world_run(world);
    EXPECT(world, shutdown->ended == 1 && shutdown->code == MUSTER_ETIMEDOUT);
    EXPECT(world, muster__engine_free(world->engine) == MUSTER_EBUSY);
    world_kill(world);
}

/* SPDX-License-Identifier: MIT */
#include "story.h"

static void pools_and_guests(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool0");
    RESOURCE(world, .name = "guest/web", .needs = {"storage/pool0"});
    RESOURCE(world, .name = "guest/mail", .needs = {"storage/pool0"});
}

static void bring_up(struct world *world)
{
    world_boot_daemon(world);
    world_run(world);
}

void story_requests_before_the_barrier(struct world *world)
{
    pools_and_guests(world);
    TURN(world, PROBE, "guest/mail", .delay = 500);
    world_boot_daemon(world);
    world_run_until(world, 100);
    EXPECT(world, !world->milestones[MUSTER_RECONCILED]);
    struct request *start = world_start(world, "storage/pool0", 0);
    world_run_until(world, 400);
    EXPECT(world, start->accepted && start->ended == 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == 0);
    EXPECT(world, world_resource(world, "storage/pool0")->running);
    check_settled(world);
}

/* It survives the roll call, and is then stopped, since a user has asked for that meanwhile. */
void story_stop_during_bring_up(struct world *world)
{
    pools_and_guests(world);
    struct muster_record record = story_record(world, "guest/web", MUSTER_STAGE_ACTIVE);
    fake_store_put(&world->store, &record);
    world_resource(world, "guest/web")->running = true;
    TURN(world, PROBE, "guest/web", .delay = 100);
    world_boot_daemon(world);
    world_run_until(world, 50);
    struct request *stop = world_stop(world, "guest/web", 0);
    world_run(world);
    EXPECT(world, stop->ended == 1 && stop->code == 0);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    check_settled(world);
}

/* It waits for its pool; a stop ends the waiting, and the pool's coming starts nothing. */
void story_stop_of_what_waits_to_start(struct world *world)
{
    pools_and_guests(world);
    world_resource(world, "guest/web")->is.policy = MUSTER_AUTOSTART;
    bring_up(world);
    EXPECT(world, story_status(world, "guest/web").condition == MUSTER_CONDITION_WAITING);
    struct request *stop = world_stop(world, "guest/web", 0);
    world_run(world);
    EXPECT(world, stop->ended == 1 && stop->code == 0);
    struct request *start = world_start(world, "storage/pool0", 0);
    world_run(world);
    EXPECT(world, start->code == 0);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    EXPECT(world, story_status(world, "guest/web").condition == MUSTER_CONDITION_NONE);
    check_settled(world);
}

void story_start_with_dependencies(struct world *world)
{
    pools_and_guests(world);
    bring_up(world);
    struct request *start = world_start(world, "guest/web", MUSTER_START_DEPENDENCIES);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == 0);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, !world_resource(world, "guest/mail")->running);
    check_settled(world);
}

void story_start_without_dependencies(struct world *world)
{
    pools_and_guests(world);
    bring_up(world);
    struct request *start = world_start(world, "guest/web", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == MUSTER_EDEPENDENCY);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    check_settled(world);
}

void story_cascade_stop(struct world *world)
{
    pools_and_guests(world);
    bring_up(world);
    world_start(world, "guest/web", MUSTER_START_DEPENDENCIES);
    world_start(world, "guest/mail", MUSTER_START_DEPENDENCIES);
    world_run(world);
    struct request *refused = world_stop(world, "storage/pool0", 0);
    world_run(world);
    EXPECT(world, refused->ended == 1 && refused->code == MUSTER_EDEPENDENCY);
    EXPECT(world, world_resource(world, "storage/pool0")->running);
    struct request *stop = world_stop(world, "storage/pool0", MUSTER_STOP_CASCADE);
    world_run(world);
    EXPECT(world, stop->ended == 1 && stop->code == 0);
    EXPECT(world, !world_resource(world, "storage/pool0")->running);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    check_settled(world);
}

void story_a_failed_stop(struct world *world)
{
    pools_and_guests(world);
    bring_up(world);
    world_start(world, "guest/web", MUSTER_START_DEPENDENCIES);
    world_run(world);
    TURN(world, STOP, "guest/web", .outcome = -EIO);
    struct request *stop = world_stop(world, "guest/web", 0);
    world_run(world);
    EXPECT(world, stop->ended == 1 && stop->code == -EIO);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, story_status(world, "guest/web").stage == MUSTER_STAGE_ACTIVE);
    EXPECT(world, story_status(world, "guest/web").desired == MUSTER_DESIRED_ACTIVE);
    check_settled(world);
}

void story_a_failed_start(struct world *world)
{
    pools_and_guests(world);
    bring_up(world);
    TURN(world, START, "storage/pool0", .outcome = -EIO);
    struct request *start = world_start(world, "storage/pool0", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == -EIO);
    EXPECT(world, story_status(world, "storage/pool0").condition == MUSTER_CONDITION_FAILED);
    check_settled(world);
    start = world_start(world, "storage/pool0", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == 0);
    check_settled(world);
}

/* A stop and a start of the same, and of two that depend on each other, made at the same moment. */
void story_two_resources_racing(struct world *world)
{
    pools_and_guests(world);
    bring_up(world);
    struct request *pool = world_start(world, "storage/pool0", 0);
    struct request *web = world_start(world, "guest/web", 0);
    struct request *mail = world_start(world, "guest/mail", MUSTER_START_DEPENDENCIES);
    world_run(world);
    EXPECT(world, pool->ended == 1 && web->ended == 1 && mail->ended == 1);
    EXPECT(world, pool->code == 0 && mail->code == 0);
    check_settled(world);
    struct request *stop = world_stop(world, "guest/mail", 0);
    struct request *start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, stop->ended == 1 && start->ended == 1);
    EXPECT(world, world_resource(world, "guest/mail")->running == (start->code == 0));
    check_settled(world);
    stop = world_stop(world, "storage/pool0", MUSTER_STOP_CASCADE);
    start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, stop->ended == 1 && start->ended == 1);
    EXPECT(world, !world_resource(world, "storage/pool0")->running || world_resource(world, "guest/mail")->running ||
                      stop->code != 0);
    check_settled(world);
}

/* Edges against the drivers' order, and a cycle within a driver: the adds are not refused, nothing of it is started. */
void story_a_resource_cycle_across_drivers(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/on-guest", .needs = {"guest/server"}, .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/server", .needs = {"storage/on-guest"}, .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/a", .needs = {"guest/b"}, .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/b", .needs = {"guest/c"}, .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/c", .needs = {"guest/a"}, .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/lonely", .needs = {"storage/nothing"}, .policy = MUSTER_AUTOSTART);
    struct muster_record record = story_record(world, "guest/b", MUSTER_STAGE_ACTIVE);
    fake_store_put(&world->store, &record);
    world_resource(world, "guest/b")->running = true;
    bring_up(world);
    EXPECT(world, story_status(world, "guest/b").stage == MUSTER_STAGE_ACTIVE);
    EXPECT(world, story_status(world, "guest/b").degraded);
    EXPECT(world, !world_resource(world, "guest/a")->running && !world_resource(world, "guest/c")->running);
    EXPECT(world, !world_resource(world, "guest/server")->running);
    EXPECT(world, !world_resource(world, "guest/lonely")->running);
    check_settled(world);
}

/* Adds and removes; starts nothing that was stopped, also not at the next restart. */
void story_reload(struct world *world)
{
    DRIVER(world, .name = "storage", .callbacks = WORLD_USUAL | WORLD_CALLBACK(RELOAD));
    RESOURCE(world, .name = "storage/stopped", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "storage/removed");
    RESOURCE(world, .name = "storage/added", .policy = MUSTER_AUTOSTART);
    world_resource(world, "storage/added")->configured = false;
    bring_up(world);
    world_stop(world, "storage/stopped", 0);
    world_run(world);
    world_resource(world, "storage/added")->configured = true;
    world_resource(world, "storage/removed")->configured = false;
    struct request *reload = world_reload(world);
    world_run(world);
    EXPECT(world, reload->ended == 1 && reload->code == 0);
    EXPECT(world, !world_resource(world, "storage/stopped")->running);
    EXPECT(world, !world_resource(world, "storage/added")->running);
    EXPECT(world, muster__engine_find_resource(world->engine, "storage/removed") == NULL);
    check_settled(world);
    world_kill(world);
    bring_up(world);
    EXPECT(world, !world_resource(world, "storage/stopped")->running);
    EXPECT(world, !world_resource(world, "storage/added")->running);
    check_settled(world);
}

void story_resources_added_and_removed(struct world *world)
{
    pools_and_guests(world);
    RESOURCE(world, .name = "guest/live");
    world_resource(world, "guest/live")->configured = false;
    struct muster_record record = story_record(world, "guest/live", MUSTER_STAGE_ACTIVE);
    fake_store_put(&world->store, &record);
    world_resource(world, "guest/live")->running = true;
    bring_up(world);
    EXPECT(world, world_resource_add(world, "guest/live") == 0);
    world_run(world);
    EXPECT(world, story_status(world, "guest/live").stage == MUSTER_STAGE_ACTIVE);
    EXPECT(world, world_resource_add(world, "guest/live") == MUSTER_EEXIST);
    EXPECT(world, world_resource_remove(world, "guest/live") == 0);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/live")->running);
    EXPECT(world, fake_store_find(&world->store, "guest/live") != NULL);
    EXPECT(world, world_resource_remove(world, "guest/mail") == 0);
    world_run(world);
    EXPECT(world, fake_store_find(&world->store, "guest/mail") == NULL);
    check_settled(world);
}

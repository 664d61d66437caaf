/* SPDX-License-Identifier: MIT */
#include "story.h"

/* An op completes exactly once; a second completion is caught and reported, and changes nothing. */
void story_double_completion(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    TURN(world, INITIALIZE, "storage", .twice_after = 3);
    TURN(world, START, "storage/pool0", .twice_after = 4);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_driver(world, "guest")->called == 2);
    EXPECT(world, world_resource(world, "storage/pool0")->instance == 1);
    check_settled(world);
}

/* Past its deadline a start is of unknown end: no second one is made while it is out; its end counts when it comes. */
void story_timeout_and_late_completion(struct world *world)
{
    DRIVER(world, .name = "guest", .op_timeout_ms = 1000);
    RESOURCE(world, .name = "guest/web");
    TURN(world, START, "guest/web", .delay = 5000, .effect = 4000);
    world_boot_daemon(world);
    world_run(world);
    struct request *first = world_start(world, "guest/web", 0);
    world_run_for(world, 2000);
    EXPECT(world, first->ended == 1 && first->code == MUSTER_ETIMEDOUT);
    struct request *second = world_start(world, "guest/web", 0);
    world_run_for(world, 1000);
    EXPECT(world, !second->accepted || second->code != 0);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, world_resource(world, "guest/web")->instance == 1);
    EXPECT(world, story_status(world, "guest/web").stage == MUSTER_STAGE_ACTIVE);
    check_settled(world);
}

void story_a_hung_probe_holds_nothing_up(struct world *world)
{
    DRIVER(world, .name = "storage", .op_timeout_ms = 1000);
    DRIVER(world, .name = "guest", .needs = {"storage"}, .op_timeout_ms = 1000);
    RESOURCE(world, .name = "storage/hung");
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART);
    TURN(world, PROBE, "storage/hung", .never = true);
    struct request *request = world_boot_daemon(world);
    world_run_until(world, 30000);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, story_status(world, "storage/hung").condition == MUSTER_CONDITION_HELD);
    struct request *start = world_start(world, "storage/hung", 0);
    world_run_for(world, 1000);
    EXPECT(world, !start->accepted || start->code < 0);
}

void story_an_extended_deadline(struct world *world)
{
    DRIVER(world, .name = "storage", .op_timeout_ms = 1000);
    TURN(world, INITIALIZE, "storage", .delay = 2500, .extend_at = 900, .extend_ms = 2000);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_driver(world, "storage") == MUSTER_DRIVER_UP);
    check_settled(world);
}

/* SPDX-License-Identifier: MIT */
#include "story.h"

static void guests(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/web");
    RESOURCE(world, .name = "guest/mail");
}

static void leave_web_running(struct world *world)
{
    struct muster_record record = story_record(world, "guest/web", MUSTER_STAGE_ACTIVE);
    fake_store_put(&world->store, &record);
    world_resource(world, "guest/web")->running = true;
}

/* If the store can't take an intent, the start is refused with its error; nothing running is touched. */
void story_store_full(struct world *world)
{
    guests(world);
    leave_web_running(world);
    world_boot_daemon(world);
    world_run(world);
    STORE_TURN(world, COMMIT, .code = -ENOSPC);
    struct request *start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == -ENOSPC);
    EXPECT(world, world_resource(world, "guest/mail")->instance == 0);
    STORE_TURN(world, COMMIT, .code = -ENOSPC);
    struct request *stop = world_stop(world, "guest/web", 0);
    world_run(world);
    EXPECT(world, stop->ended == 1 && stop->code == -ENOSPC);
    EXPECT(world, world_resource(world, "guest/web")->running);
    start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == 0);
    check_settled(world);
}

/* Probe and adopt, start nothing, say so. */
void story_store_unreadable(struct world *world)
{
    guests(world);
    RESOURCE(world, .name = "guest/new", .policy = MUSTER_AUTOSTART);
    leave_web_running(world);
    STORE_TURN(world, LOAD, .code = -EIO);
    struct request *request = world_boot_daemon(world);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, world_resource(world, "guest/new")->instance == 0);
    EXPECT(world, world_resource(world, "guest/web")->running);
    struct request *start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code < 0);
    EXPECT(world, world_resource(world, "guest/mail")->instance == 0);
}

void story_store_of_another_daemon(struct world *world)
{
    guests(world);
    STORE_TURN(world, LOAD, .code = MUSTER_EBUSY);
    struct request *request = world_boot_daemon(world);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == MUSTER_EBUSY);
    EXPECT(world, world->calls == 0);
    world_free_daemon(world);
}

/* Load before writing again: once it had been applied, once it had not. */
void story_a_commit_that_cannot_be_told(struct world *world)
{
    guests(world);
    world_boot_daemon(world);
    world_run(world);
    STORE_TURN(world, COMMIT, .code = MUSTER_EINDETERMINATE, .applied = true);
    struct request *start = world_start(world, "guest/web", 0);
    world_run(world);
    EXPECT(world, start->ended == 1);
    EXPECT(world, world_resource(world, "guest/web")->running == (start->code == 0));
    check_settled(world);
    STORE_TURN(world, COMMIT, .code = MUSTER_EINDETERMINATE);
    start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, start->ended == 1);
    EXPECT(world, world_resource(world, "guest/mail")->running == (start->code == 0));
    check_settled(world);
    STORE_TURN(world, COMMIT, .code = MUSTER_EAGAIN);
    start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == 0);
    check_settled(world);
}

/* EFENCED: never write again; what runs is left alone. */
void story_a_store_that_lost_its_lock(struct world *world)
{
    guests(world);
    leave_web_running(world);
    world_boot_daemon(world);
    world_run(world);
    STORE_TURN(world, COMMIT, .code = MUSTER_EFENCED);
    struct request *start = world_start(world, "guest/mail", 0);
    world_run(world);
    EXPECT(world, start->ended == 1 && start->code == MUSTER_EFENCED);
    struct request *stop = world_stop(world, "guest/web", 0);
    world_run(world);
    EXPECT(world, stop->ended == 1 && stop->code == MUSTER_EFENCED);
    EXPECT(world, world_resource(world, "guest/web")->running);
}

/* Records that come while a commit is under way go together in the next one. */
void story_records_that_come_together(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/a");
    RESOURCE(world, .name = "guest/b");
    RESOURCE(world, .name = "guest/c");
    world_boot_daemon(world);
    world_run(world);
    unsigned before = world->store.commits;
    STORE_TURN(world, COMMIT, .delay = 50);
    world_start(world, "guest/a", 0);
    world_run_for(world, 10);
    world_start(world, "guest/b", 0);
    world_start(world, "guest/c", 0);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/c")->running);
    EXPECT(world, world->store.commits - before <= 4);
    check_settled(world);
}

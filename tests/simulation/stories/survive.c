/* SPDX-License-Identifier: MIT */
#include "story.h"

static void record(struct world *world, const char *name, enum muster_stage stage, enum muster_reason reason)
{
    struct muster_record left = story_record(world, name, stage);
    left.reason = reason;
    fake_store_put(&world->store, &left);
}

/* The main job: whatever the autostart flags say, all is as it was. */
void story_a_killed_daemon_comes_back(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "dir", .callbacks = WORLD_USUAL & ~WORLD_CALLBACK(PROBE));
    DRIVER(world, .name = "guest", .needs = {"storage", "dir"}, .callbacks = WORLD_USUAL | WORLD_CALLBACK(ADOPT));
    RESOURCE(world, .name = "storage/rbd", .flags = MUSTER_VOLATILE);
    RESOURCE(world, .name = "storage/export");
    RESOURCE(world, .name = "dir/images");
    RESOURCE(world, .name = "dir/stopped", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/web", .needs = {"storage/rbd"});
    RESOURCE(world, .name = "guest/mail", .needs = {"dir/images"});
    RESOURCE(world, .name = "guest/idle", .policy = MUSTER_AUTOSTART);
    world_boot_daemon(world);
    world_run(world);
    static const char *const wanted[] = {"storage/rbd", "storage/export", "dir/images", "guest/web", "guest/mail"};
    for (unsigned i = 0; i < 5; i++)
        world_start(world, wanted[i], MUSTER_START_DEPENDENCIES);
    world_stop(world, "dir/stopped", 0);
    world_stop(world, "guest/idle", 0);
    world_run(world);
    world_kill(world);
    struct request *request = world_boot_daemon(world);
    world_run(world);
    EXPECT(world, request->code == 0);
    for (unsigned i = 0; i < 5; i++)
        EXPECT(world, world_resource(world, wanted[i])->running);
    EXPECT(world, world_resource(world, "guest/web")->instance == 1);
    EXPECT(world, world_resource(world, "guest/mail")->instance == 1);
    EXPECT(world, !world_resource(world, "dir/stopped")->running);
    EXPECT(world, !world_resource(world, "guest/idle")->running);
    check_settled(world);
}

/* The intent's token finds what was spawned before the handle was durable. */
void story_death_between_spawn_and_handle(struct world *world)
{
    DRIVER(world, .name = "guest", .callbacks = WORLD_USUAL | WORLD_CALLBACK(ADOPT));
    RESOURCE(world, .name = "guest/web");
    TURN(world, START, "guest/web", .delay = 100, .effect = 10);
    world_boot_daemon(world);
    world_run(world);
    world_start(world, "guest/web", 0);
    world_run_for(world, 50);
    EXPECT(world, world_resource(world, "guest/web")->running);
    world_kill(world);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->instance == 1);
    EXPECT(world, story_status(world, "guest/web").stage == MUSTER_STAGE_ACTIVE);
    check_settled(world);
}

/* A start that was cut off is tried again, and not for ever. */
void story_starts_that_kill_the_daemon(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/web");
    world_boot_daemon(world);
    world_run(world);
    for (unsigned i = 0; i < 3; i++)
        TURN(world, START, "guest/web", .delay = 1000);
    world_start(world, "guest/web", 0);
    for (unsigned i = 0; i < 3; i++) {
        world_run_for(world, 100);
        world_kill(world);
        world_boot_daemon(world);
    }
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->instance == 0);
    EXPECT(world, story_status(world, "guest/web").reason == MUSTER_REASON_FAILURE);
    EXPECT(world, story_status(world, "guest/web").desired == MUSTER_DESIRED_ACTIVE);
    check_settled(world);
}

/* Dependencies gate starting, never survival. */
void story_a_live_guest_without_its_pool(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool0", .flags = MUSTER_VOLATILE);
    RESOURCE(world, .name = "guest/live", .needs = {"storage/pool0"});
    RESOURCE(world, .name = "guest/new", .needs = {"storage/pool0"}, .policy = MUSTER_AUTOSTART);
    record(world, "storage/pool0", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    record(world, "guest/live", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    world_resource(world, "guest/live")->running = true;
    TURN(world, START, "storage/pool0", .outcome = -EIO);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_status(world, "guest/live").stage == MUSTER_STAGE_ACTIVE);
    EXPECT(world, story_status(world, "guest/live").degraded);
    EXPECT(world, !world_resource(world, "guest/new")->running);
    check_settled(world);
    EXPECT(world, world_resource_retry(world, "storage/pool0") == 0);
    world_run(world);
    EXPECT(world, !story_status(world, "guest/live").degraded);
    EXPECT(world, world_resource(world, "guest/new")->running);
    EXPECT(world, world_resource(world, "guest/live")->instance == 0);
    check_settled(world);
}

static const char *const policies[] = {"guest/manual", "guest/auto", "guest/unless", "guest/last"};

/* In a new boot the policies speak. */
void story_reboot(struct world *world)
{
    DRIVER(world, .name = "guest");
    for (unsigned i = 0; i < 4; i++)
        RESOURCE(world, .name = policies[i], .policy = i);
    RESOURCE(world, .name = "guest/stopped-auto", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/stopped-unless", .policy = MUSTER_UNLESS_STOPPED);
    RESOURCE(world, .name = "guest/stopped-last", .policy = MUSTER_LAST_STATE);
    for (unsigned i = 0; i < 4; i++)
        record(world, policies[i], MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    record(world, "guest/stopped-auto", MUSTER_STAGE_INACTIVE, MUSTER_REASON_USER);
    record(world, "guest/stopped-unless", MUSTER_STAGE_INACTIVE, MUSTER_REASON_USER);
    record(world, "guest/stopped-last", MUSTER_STAGE_INACTIVE, MUSTER_REASON_USER);
    world_reboot(world);
    world_boot_daemon(world);
    world_run(world);
    for (unsigned i = 0; i < 4; i++)
        EXPECT(world, world_resource(world, policies[i])->running == (i != MUSTER_MANUAL));
    EXPECT(world, world_resource(world, "guest/stopped-auto")->running);
    EXPECT(world, !world_resource(world, "guest/stopped-unless")->running);
    EXPECT(world, !world_resource(world, "guest/stopped-last")->running);
    EXPECT(world, story_status(world, "guest/manual").desired == MUSTER_DESIRED_ACTIVE);
    check_settled(world);
    world_kill(world);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, !world_resource(world, "guest/manual")->running);
    check_settled(world);
}

/* Nothing is started and no handle trusted while the boot isn't known; what lives is adopted. */
void story_boot_unknown(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/live");
    RESOURCE(world, .name = "guest/gone");
    RESOURCE(world, .name = "guest/new", .policy = MUSTER_AUTOSTART);
    record(world, "guest/live", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    record(world, "guest/gone", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    world_resource(world, "guest/live")->running = true;
    world->boot_unknown = true;
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_status(world, "guest/live").stage == MUSTER_STAGE_ACTIVE);
    EXPECT(world, story_status(world, "guest/gone").condition == MUSTER_CONDITION_HELD);
    EXPECT(world, story_status(world, "guest/new").condition == MUSTER_CONDITION_HELD);
    check_settled(world);
}

static void quarantine(struct world *world, const char *name)
{
    struct muster_record lost = story_record(world, name, MUSTER_STAGE_INACTIVE);
    lost.flags = MUSTER_RECORD_QUARANTINED;
    lost.boot = NULL;
    lost.generation = 0;
    fake_store_put(&world->store, &lost);
}

void story_quarantined_records(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/live");
    RESOURCE(world, .name = "guest/silent", .policy = MUSTER_AUTOSTART);
    quarantine(world, "guest/live");
    quarantine(world, "guest/silent");
    world_resource(world, "guest/live")->running = true;
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_status(world, "guest/live").stage == MUSTER_STAGE_ACTIVE);
    EXPECT(world, story_status(world, "guest/silent").condition == MUSTER_CONDITION_HELD);
    check_settled(world);
    struct request *request = world_resolve(world, "guest/silent", MUSTER_DESIRED_INACTIVE);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, story_status(world, "guest/silent").condition == MUSTER_CONDITION_NONE);
    EXPECT(world, !world_resource(world, "guest/silent")->running);
    check_settled(world);
}

/* Its record is kept, unclaimed; nobody touches the guest; when its config is back it is adopted. */
void story_removed_config_with_a_live_guest(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/web");
    record(world, "guest/web", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    world_resource(world, "guest/web")->running = true;
    world_resource(world, "guest/web")->configured = false;
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, fake_store_find(&world->store, "guest/web") != NULL);
    world_kill(world);
    world_resource(world, "guest/web")->configured = true;
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    EXPECT(world, story_status(world, "guest/web").stage == MUSTER_STAGE_ACTIVE);
    check_settled(world);
}

/* restore adds what only the record remembers; what it doesn't add stays unclaimed, and can be forgotten. */
void story_a_transient_guest_is_restored(struct world *world)
{
    DRIVER(world, .name = "guest", .callbacks = WORLD_USUAL | WORLD_CALLBACK(RESTORE));
    RESOURCE(world, .name = "guest/transient", .transient = true);
    RESOURCE(world, .name = "guest/old");
    record(world, "guest/transient", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    record(world, "guest/old", MUSTER_STAGE_INACTIVE, MUSTER_REASON_USER);
    world_resource(world, "guest/old")->configured = false;
    world_resource(world, "guest/transient")->running = true;
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_status(world, "guest/transient").stage == MUSTER_STAGE_ACTIVE);
    struct request *request = world_forget(world, "guest/old");
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, fake_store_find(&world->store, "guest/old") == NULL);
    check_settled(world);
}

void story_an_unmanaged_guest(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/foreign");
    RESOURCE(world, .name = "guest/wanted", .flags = MUSTER_ADOPT_UNMANAGED);
    world_resource(world, "guest/foreign")->running = true;
    world_resource(world, "guest/wanted")->running = true;
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_status(world, "guest/foreign").unmanaged);
    EXPECT(world, !story_status(world, "guest/wanted").unmanaged);
    struct request *request = world_start(world, "guest/foreign", 0);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, world_resource(world, "guest/foreign")->instance == 0);
    EXPECT(world, !story_status(world, "guest/foreign").unmanaged);
    check_settled(world);
}

void story_a_stop_cut_off_by_death(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool0");
    RESOURCE(world, .name = "guest/web", .needs = {"storage/pool0"});
    record(world, "storage/pool0", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    record(world, "guest/web", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    world_resource(world, "storage/pool0")->running = true;
    world_resource(world, "guest/web")->running = true;
    world_boot_daemon(world);
    world_run(world);
    TURN(world, STOP, "guest/web", .delay = 1000);
    world_stop(world, "storage/pool0", MUSTER_STOP_CASCADE);
    world_run_for(world, 100);
    world_kill(world);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    EXPECT(world, !world_resource(world, "storage/pool0")->running);
    EXPECT(world, story_status(world, "guest/web").desired == MUSTER_DESIRED_INACTIVE);
    check_settled(world);
}

void story_loss_and_restart_on_loss(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/lost");
    RESOURCE(world, .name = "guest/restarts", .flags = MUSTER_RESTART_ON_LOSS);
    record(world, "guest/lost", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    record(world, "guest/restarts", MUSTER_STAGE_ACTIVE, MUSTER_REASON_USER);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_status(world, "guest/lost").reason == MUSTER_REASON_LOSS);
    EXPECT(world, world_resource(world, "guest/restarts")->running);
    struct request *request = world_start(world, "guest/lost", 0);
    world_run(world);
    EXPECT(world, request->code == 0);
    world_changed(world, "guest/lost", MUSTER_CHANGED_LOST);
    world_changed(world, "guest/restarts", MUSTER_CHANGED_LOST);
    world_run(world);
    EXPECT(world, !world_resource(world, "guest/lost")->running);
    EXPECT(world, world_resource(world, "guest/restarts")->running);
    check_settled(world);
}

/* It stays off in this boot; what autostart was for has happened. */
void story_a_guest_that_powers_itself_off(struct world *world)
{
    DRIVER(world, .name = "guest");
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    world_changed(world, "guest/web", MUSTER_CHANGED_INACTIVE);
    world_run(world);
    EXPECT(world, story_status(world, "guest/web").reason == MUSTER_REASON_SELF);
    world_kill(world);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, !world_resource(world, "guest/web")->running);
    world_reboot(world);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    check_settled(world);
}

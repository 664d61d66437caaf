/* SPDX-License-Identifier: MIT */
#include "story.h"

void story_bring_up_in_order(struct world *world)
{
    DRIVER(world, .name = "guest", .needs = {"storage"}, .wants = {"network"});
    DRIVER(world, .name = "storage", .after = {"secret"}, .callbacks = WORLD_USUAL | WORLD_CALLBACK(RECONCILE));
    DRIVER(world, .name = "secret");
    DRIVER(world, .name = "network", .before = {"firewall"});
    DRIVER(world, .name = "firewall", .callbacks = WORLD_USUAL | WORLD_CALLBACK(AUTOSTART));
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool0"});
    struct request *request = world_boot_daemon(world);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, world_resource(world, "guest/web")->running);
    check_settled(world);
}

void story_a_cycle_and_other_mistakes(struct world *world)
{
    DRIVER(world, .name = "storage", .needs = {"secret"});
    DRIVER(world, .name = "secret", .needs = {"qemu"});
    DRIVER(world, .name = "qemu", .needs = {"storage"});
    DRIVER(world, .name = "network", .needs = {"dhcp"});
    DRIVER(world, .name = "device", .needs = {"device"});
    DRIVER(world, .name = "nodedev", .provides = {"device2"});
    world_daemon(world);
    struct world_driver *twin = DRIVER(world, .name = "network");
    world_register(world, twin);
    EXPECT(world, world_check(world) < 0);
    struct request *request = world_bring_up(world);
    EXPECT(world, !request->accepted);
    EXPECT(world, world->calls == 0 && world->store.jobs == NULL);
    world_free_daemon(world);
}

void story_a_tier_that_needs_a_higher_one(struct world *world)
{
    DRIVER(world, .name = "storage", .tier = 0, .needs = {"guest"});
    DRIVER(world, .name = "guest", .tier = 1);
    world_daemon(world);
    EXPECT(world, world_check(world) == MUSTER_ECYCLE);
    EXPECT(world, !world_bring_up(world)->accepted);
}

void story_a_blocked_chain(struct world *world)
{
    DRIVER(world, .name = "secret");
    DRIVER(world, .name = "storage", .needs = {"secret"});
    DRIVER(world, .name = "guest", .needs = {"storage"});
    DRIVER(world, .name = "network", .wants = {"secret"});
    RESOURCE(world, .name = "network/br0", .policy = MUSTER_AUTOSTART);
    TURN(world, INITIALIZE, "secret", .outcome = -EACCES);
    struct request *request = world_boot_daemon(world);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, story_driver(world, "guest") == MUSTER_DRIVER_BLOCKED);
    EXPECT(world, world_resource(world, "network/br0")->running);
    check_settled(world);
    EXPECT(world, world_driver_retry(world, "secret", false) == 0);
    world_run(world);
    EXPECT(world, story_driver(world, "guest") == MUSTER_DRIVER_UP);
    check_settled(world);
}

void story_a_driver_that_skips(struct world *world)
{
    DRIVER(world, .name = "xen");
    DRIVER(world, .name = "xenstore", .needs = {"xen"});
    DRIVER(world, .name = "qemu", .wants = {"xen"});
    TURN(world, INITIALIZE, "xen", .outcome = MUSTER_SKIP);
    struct request *request = world_boot_daemon(world);
    world_run(world);
    EXPECT(world, request->code == 0);
    EXPECT(world, story_driver(world, "xen") == MUSTER_DRIVER_SKIPPED);
    EXPECT(world, story_driver(world, "xenstore") == MUSTER_DRIVER_BLOCKED);
    EXPECT(world, story_driver(world, "qemu") == MUSTER_DRIVER_UP);
    check_settled(world);
}

void story_two_providers_of_one_capability(struct world *world)
{
    DRIVER(world, .name = "guest", .needs = {"hypervisor"});
    DRIVER(world, .name = "qemu", .provides = {"hypervisor"});
    DRIVER(world, .name = "xen", .provides = {"hypervisor"});
    TURN(world, INITIALIZE, "xen", .outcome = MUSTER_EFAILED, .delay = 50);
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, story_driver(world, "guest") == MUSTER_DRIVER_UP);
    check_settled(world);
}

void story_complete_tiers(struct world *world)
{
    world->options.flags = MUSTER_COMPLETE_TIERS;
    DRIVER(world, .name = "storage", .tier = 0);
    DRIVER(world, .name = "guest", .tier = 1);
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool0"});
    world_boot_daemon(world);
    world_run(world);
    EXPECT(world, world_resource(world, "guest/web")->running);
    check_settled(world);
}

void story_bring_up_again_with_a_new_driver(struct world *world)
{
    DRIVER(world, .name = "storage");
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    world_boot_daemon(world);
    world_run(world);
    struct world_driver *guest = DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool0"});
    EXPECT(world, world_register(world, guest) == 0);
    struct request *request = world_bring_up(world);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == 0);
    EXPECT(world, world_resource(world, "guest/web")->running);
    struct world_driver *early = DRIVER(world, .name = "firewall", .before = {"storage"});
    EXPECT(world, world_register(world, early) == 0);
    EXPECT(world, !world_bring_up(world)->accepted);
}

/* What lives is left alive; the drivers are taken down in reverse. */
void story_rollback_of_an_essential_failure(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "network");
    DRIVER(world, .name = "guest", .needs = {"storage", "network"}, .flags = MUSTER_ESSENTIAL);
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    struct muster_record record = story_record(world, "storage/pool0", MUSTER_STAGE_ACTIVE);
    fake_store_put(&world->store, &record);
    world_resource(world, "storage/pool0")->running = true;
    TURN(world, INITIALIZE, "guest", .outcome = -ENODEV, .delay = 30);
    TURN(world, SHUTDOWN, "network", .outcome = -EIO);
    struct request *request = world_boot_daemon(world);
    world_run(world);
    EXPECT(world, request->ended == 1 && request->code == -ENODEV);
    EXPECT(world, world_resource(world, "storage/pool0")->running);
    EXPECT(world, world_driver(world, "storage")->shut_down);
    world_free_daemon(world);
}

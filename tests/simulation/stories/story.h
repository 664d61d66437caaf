/* SPDX-License-Identifier: MIT */
/*
 * Stories: one behaviour each, told in a world without chance. The trace of each is compared with
 * tests/data/golden/NAME.trace, word for word; `stories --update` writes it anew, to be read before it is committed.
 */
#ifndef SIMULATION_STORY_H
#define SIMULATION_STORY_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define STORIES(X)                                                                                 \
    /* order.c */                                                                                  \
    X(bring_up_in_order)                                                                           \
    X(a_cycle_and_other_mistakes)                                                                  \
    X(a_tier_that_needs_a_higher_one)                                                              \
    X(a_blocked_chain)                                                                             \
    X(a_driver_that_skips)                                                                         \
    X(two_providers_of_one_capability)                                                             \
    X(complete_tiers)                                                                              \
    X(bring_up_again_with_a_new_driver)                                                            \
    X(rollback_of_an_essential_failure)                                                            \
    /* late.c */                                                                                   \
    X(a_late_device)                                                                               \
    X(a_late_device_announced)                                                                     \
    X(a_late_pool)                                                                                 \
    X(a_slow_pool_delays_its_own_guests)                                                           \
    X(limits_on_starts)                                                                            \
    X(limits_on_probes_and_ops)                                                                    \
    X(the_longest_path_first)                                                                      \
    /* ops.c */                                                                                    \
    X(double_completion)                                                                           \
    X(timeout_and_late_completion)                                                                 \
    X(a_hung_probe_holds_nothing_up)                                                               \
    X(an_extended_deadline)                                                                        \
    /* survive.c */                                                                                \
    X(a_killed_daemon_comes_back)                                                                  \
    X(death_between_spawn_and_handle)                                                              \
    X(starts_that_kill_the_daemon)                                                                 \
    X(a_live_guest_without_its_pool)                                                               \
    X(reboot)                                                                                      \
    X(boot_unknown)                                                                                \
    X(quarantined_records)                                                                         \
    X(removed_config_with_a_live_guest)                                                            \
    X(a_transient_guest_is_restored)                                                               \
    X(an_unmanaged_guest)                                                                          \
    X(a_stop_cut_off_by_death)                                                                     \
    X(loss_and_restart_on_loss)                                                                    \
    X(a_guest_that_powers_itself_off)                                                              \
    /* requests.c */                                                                               \
    X(requests_before_the_barrier)                                                                 \
    X(stop_during_bring_up)                                                                        \
    X(stop_of_what_waits_to_start)                                                                 \
    X(start_with_dependencies)                                                                     \
    X(start_without_dependencies)                                                                  \
    X(cascade_stop)                                                                                \
    X(a_failed_stop)                                                                               \
    X(a_failed_start)                                                                              \
    X(two_resources_racing)                                                                        \
    X(a_resource_cycle_across_drivers)                                                             \
    X(reload)                                                                                      \
    X(resources_added_and_removed)                                                                 \
    /* faults.c */                                                                                 \
    X(store_full)                                                                                  \
    X(store_unreadable)                                                                            \
    X(store_of_another_daemon)                                                                     \
    X(a_commit_that_cannot_be_told)                                                                \
    X(a_store_that_lost_its_lock)                                                                  \
    X(records_that_come_together)                                                                  \
    /* down.c */                                                                                   \
    X(shutdown_for_a_daemon_restart)                                                               \
    X(shutdown_of_the_host)                                                                        \
    X(shutdown_during_bring_up)                                                                    \
    X(shutdown_that_runs_out_of_time)

#define STORY_PROTOTYPE(name) void story_##name(struct world *world);
STORIES(STORY_PROTOTYPE)
#undef STORY_PROTOTYPE

#define EXPECT(world, condition)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            world_fail((world), "%s:%d: %s", __func__, __LINE__, #condition);                      \
    } while (0)

/* What muster says of a resource. */
struct muster_resource_status story_status(struct world *world, const char *name);
enum muster_driver_state story_driver(struct world *world, const char *name);
/* A record that an earlier daemon has left, in the present boot. */
struct muster_record story_record(struct world *world, const char *name, enum muster_stage stage);

#endif

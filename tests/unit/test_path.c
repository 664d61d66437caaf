/* SPDX-License-Identifier: MIT */
/* The longest path first: among drivers, and among resources. */
#include "engine_fixture.h"

#include <stdio.h>

#include "engine/internal.h"

/* One op at a time: the order of calls is the order of turns. */
static struct fixture *narrow(void **state)
{
    struct fixture *f = *state;
    f->options.max_ops = 1;
    return f;
}

#define STEPS(f, ...) DRIVER((f), .initialize = called, .name = __VA_ARGS__)

static void without_a_history_the_longest_count_goes_first(void **state)
{
    struct fixture *f = narrow(state);
    STEPS(f, "alone");
    STEPS(f, "a");
    STEPS(f, "b", .needs = NAMES("a"));
    STEPS(f, "c", .needs = NAMES("b"));
    STEPS(f, "x");
    STEPS(f, "y", .needs = NAMES("x"));
    bring_up(f);
    assert_calls(f, "a initialize, b initialize, x initialize, alone initialize, c initialize, y initialize");
}

static void with_a_history_the_longest_path_goes_first(void **state)
{
    struct fixture *f = narrow(state);
    STEPS(f, "a");
    STEPS(f, "b", .needs = NAMES("a"));
    STEPS(f, "c", .needs = NAMES("b"));
    STEPS(f, "quick");
    STEPS(f, "slow");
    DURATIONS(f, "slow/slow", "initialize=50000");
    DURATIONS(f, "b/b", "initialize=20000");
    DURATIONS(f, "c/c", "initialize=20000");
    bring_up(f);
    assert_calls(f, "slow initialize, a initialize, b initialize, c initialize, quick initialize");
}

static void priority_goes_before_the_path(void **state)
{
    struct fixture *f = narrow(state);
    STEPS(f, "a", .priority = -1);
    STEPS(f, "b", .needs = NAMES("a"));
    STEPS(f, "alone");
    STEPS(f, "first", .priority = INTPTR_MAX);
    STEPS(f, "last", .priority = INTPTR_MIN);
    DURATIONS(f, "last/last", "initialize=50000");
    bring_up(f);
    assert_calls(f, "first initialize, alone initialize, a initialize, b initialize, last initialize");
}

static void registration_breaks_ties(void **state)
{
    struct fixture *f = narrow(state);
    STEPS(f, "c");
    STEPS(f, "a");
    STEPS(f, "b");
    DURATIONS(f, "a/a", "initialize=7000");
    DURATIONS(f, "b/b", "initialize=7000");
    DURATIONS(f, "c/c", "initialize=7000");
    bring_up(f);
    assert_calls(f, "c initialize, a initialize, b initialize");
}

/* Nobody waits but for what it depends on. */
static void with_nothing_to_wait_for_the_plan_s_order_holds(void **state)
{
    struct fixture *f = *state;
    STEPS(f, "alone");
    STEPS(f, "a");
    STEPS(f, "b", .needs = NAMES("a"));
    bring_up(f);
    assert_calls(f, "alone initialize, a initialize, b initialize");
    assert_false(f->engine->by_path);
}

static void known_durations_count_without_a_limit(void **state)
{
    struct fixture *f = *state;
    STEPS(f, "alone");
    STEPS(f, "a");
    STEPS(f, "b", .needs = NAMES("a"));
    DURATIONS(f, "b/b", "initialize=2000");
    bring_up(f);
    assert_calls(f, "a initialize, b initialize, alone initialize");
}

/* Workers are a limit, too. */
static void threaded_callbacks_go_by_paths(void **state)
{
    struct fixture *f = *state;
    STEPS(f, "alone");
    STEPS(f, "a", .threaded = MUSTER_THREADED(INITIALIZE));
    STEPS(f, "b", .needs = NAMES("a"));
    bring_up(f);
    assert_calls(f, "a initialize, alone initialize, b initialize");
}

static void first_come_goes_by_the_plan(void **state)
{
    struct fixture *f = narrow(state);
    f->options.flags = MUSTER_FIRST_COME;
    STEPS(f, "alone");
    STEPS(f, "a");
    STEPS(f, "b", .needs = NAMES("a"));
    STEPS(f, "slow");
    DURATIONS(f, "slow/slow", "initialize=50000");
    bring_up(f);
    assert_calls(f, "alone initialize, a initialize, slow initialize, b initialize");
}

/* What a driver does later counts for what it does now, and each step has a path of its own. */
static void later_steps_count(void **state)
{
    struct fixture *f = narrow(state);
    STEPS(f, "a", .reconcile = called, .autostart = called);
    STEPS(f, "b", .reconcile = called, .autostart = called);
    STEPS(f, "c");
    DURATIONS(f, "b/b", "reconcile=9000");
    DURATIONS(f, "c/c", "initialize=5000");
    DURATIONS(f, "a/a", "autostart=8000");
    bring_up(f);
    assert_calls(f, "b initialize, b reconcile, c initialize, a initialize, a reconcile, a autostart, b autostart");
}

static struct fixture *resources(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .max_starts = 1, .initialize = called, .start = called, .stop = called);
    DRIVER(f, .name = "vm", .needs = NAMES("pool"), .max_starts = 1, .initialize = called, .start = called, .stop = called);
    return f;
}

/* The pool that most guests' time waits for. */
static void the_resource_with_the_longest_path_starts_first(void **state)
{
    struct fixture *f = resources(state);
    RESOURCE(f, "pool", .name = "none", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "one", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "two", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "vm", .name = "web", .needs = NAMES("pool/one"), .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "vm", .name = "db", .needs = NAMES("pool/two"), .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "vm", .name = "app", .needs = NAMES("vm/db"), .policy = MUSTER_AUTOSTART);
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    bring_up(f);
    assert_calls(f, "pool initialize, vm initialize, pool/two start");
    finish(f, "pool/two start", MUSTER_OK);
    assert_calls(f, "pool/one start, vm/db start");
    cancel_out(f);
}

static void a_resource_s_history_goes_before_its_count(void **state)
{
    struct fixture *f = resources(state);
    RESOURCE(f, "pool", .name = "one", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "slow", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "wanted", .policy = MUSTER_AUTOSTART, .priority = 1);
    RESOURCE(f, "vm", .name = "web", .needs = NAMES("pool/one"), .policy = MUSTER_AUTOSTART);
    DURATIONS(f, "pool/slow", "start=3000");
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    bring_up(f);
    assert_calls(f, "pool initialize, vm initialize, pool/wanted start");
    finish(f, "pool/wanted start", MUSTER_OK);
    finish(f, "pool/slow start", MUSTER_OK);
    assert_calls(f, "pool/slow start, pool/one start");
    cancel_out(f);
}

/* Where the context's limit is what they wait for, a resource goes before another driver's. */
static void paths_count_across_drivers(void **state)
{
    struct fixture *f = narrow(state);
    DRIVER(f, .name = "net", .initialize = called, .start = called, .stop = called);
    DRIVER(f, .name = "pool", .initialize = called, .start = called, .stop = called);
    RESOURCE(f, "net", .name = "a", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "net", .name = "b", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "c", .policy = MUSTER_AUTOSTART);
    DURATIONS(f, "net/a", "start=9000");
    DURATIONS(f, "net/b", "start=7000");
    DURATIONS(f, "pool/c", "start=8000");
    bring_up(f);
    assert_calls(f, "net initialize, pool initialize, net/a start, pool/c start, net/b start");
}

static void a_resource_may_go_before_a_driver(void **state)
{
    struct fixture *f = narrow(state);
    STEPS(f, "short");
    DRIVER(f, .name = "vm", USUAL);
    STEPS(f, "long");
    RESOURCE(f, "vm", .name = "slow");
    DURATIONS(f, "vm/slow", "start=9000");
    DURATIONS(f, "vm/vm", "initialize=3000");
    DURATIONS(f, "long/long", "initialize=10000");
    bring_up(f);
    assert_calls(f, "vm initialize, long initialize, vm/slow probe, short initialize");
}

/* One guest among many resources, and all that waits for the barrier knows of it. */
static void paths_are_known_at_the_barrier(void **state)
{
    struct fixture *f = resources(state);
    static char names[8][4];
    for (unsigned i = 0; i < 8; i++) {
        snprintf(names[i], sizeof(names[i]), "p%u", i);
        RESOURCE(f, "pool", .name = names[i], .policy = MUSTER_AUTOSTART);
    }
    RESOURCE(f, "vm", .name = "web", .needs = NAMES("pool/p7"));
    bring_up(f);
    assert_calls(f, "pool initialize, vm initialize, pool/p7 start, pool/p0 start, pool/p1 start, pool/p2 start, "
                    "pool/p3 start, pool/p4 start, pool/p5 start, pool/p6 start");
}

static void what_is_on_a_cycle_has_an_end(void **state)
{
    struct fixture *f = resources(state);
    RESOURCE(f, "pool", .name = "a", .needs = NAMES("pool/b"), .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "b", .needs = NAMES("pool/a"), .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "self", .needs = NAMES("pool/self"), .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "fine", .policy = MUSTER_AUTOSTART);
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_state(f, "pool/fine", "active");
}

static void what_a_cycle_waits_for_has_a_path_of_its_own(void **state)
{
    struct fixture *f = resources(state);
    RESOURCE(f, "pool", .name = "quick", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "pool", .name = "slow", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "vm", .name = "a", .needs = NAMES("vm/b", "pool/slow"));
    RESOURCE(f, "vm", .name = "b", .needs = NAMES("vm/a"));
    DURATIONS(f, "pool/quick", "start=4000");
    DURATIONS(f, "pool/slow", "start=5000");
    bring_up(f);
    assert_calls(f, "pool initialize, vm initialize, pool/slow start, pool/quick start");
}

/* Longer than what places a driver among others: 30 in a row, each as slow as can be believed. */
static void paths_without_end_are_as_long_as_can_be(void **state)
{
    struct fixture *f = narrow(state);
    static char names[FIXTURE_MAX][8];
    static char paths[FIXTURE_MAX][20];
    for (size_t i = 0; i < 30; i++) {
        snprintf(names[i], sizeof(names[i]), "d%zu", i);
        snprintf(paths[i], sizeof(paths[i]), "d%zu/d%zu", i, i);
        STEPS(f, names[i], .needs = i == 0 ? NULL : NAMES(names[i - 1]));
        DURATIONS(f, paths[i], "initialize=2592000000000");
    }
    STEPS(f, "alone");
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_text(f->calls, "d0 initialize, d1 initialize");
    assert_text(f->calls, "d29 initialize, alone initialize");
}

static void the_same_history_gives_the_same_order(void **state)
{
    struct fixture *f = narrow(state);
    char first[FIXTURE_TEXT] = "";
    for (unsigned round = 0; round < 3; round++) {
        f->driver_count = 0;
        f->calls[0] = '\0';
        for (unsigned i = 0; i < 20; i++) {
            static char names[20][8];
            snprintf(names[i], sizeof(names[i]), "d%u", i);
            STEPS(f, names[i], .needs = i % 3 == 0 ? NULL : NAMES(names[i / 2]));
        }
        for (unsigned i = 0; round == 0 && i < 20; i += 4) {
            char path[24];
            snprintf(path, sizeof(path), "d%u/d%u", i, i);
            DURATIONS(f, path, i % 8 == 0 ? "initialize=4000" : "initialize=6000");
        }
        f->options.flags = 0;
        f->commit_code = MUSTER_EIO; /* so that the history stays as it is */
        bring_up(f);
        if (round == 0)
            snprintf(first, sizeof(first), "%s", f->calls);
        assert_string_equal(f->calls, first);
        shut_down(f, MUSTER_DAEMON_RESTART);
        end_daemon(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(without_a_history_the_longest_count_goes_first),
        engine_test(with_a_history_the_longest_path_goes_first),
        engine_test(priority_goes_before_the_path),
        engine_test(registration_breaks_ties),
        engine_test(with_nothing_to_wait_for_the_plan_s_order_holds),
        engine_test(known_durations_count_without_a_limit),
        engine_test(threaded_callbacks_go_by_paths),
        engine_test(first_come_goes_by_the_plan),
        engine_test(later_steps_count),
        engine_test(the_resource_with_the_longest_path_starts_first),
        engine_test(a_resource_s_history_goes_before_its_count),
        engine_test(paths_count_across_drivers),
        engine_test(a_resource_may_go_before_a_driver),
        engine_test(paths_are_known_at_the_barrier),
        engine_test(what_is_on_a_cycle_has_an_end),
        engine_test(what_a_cycle_waits_for_has_a_path_of_its_own),
        engine_test(paths_without_end_are_as_long_as_can_be),
        engine_test(the_same_history_gives_the_same_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

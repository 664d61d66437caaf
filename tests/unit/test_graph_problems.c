/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <muster/driver.h>

#include "support/graph_build.h"

static void all_are_found_in_one_check(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "storage: needs=secrets,storage");
    graph_add(graph, "storage:");
    graph_add(graph, "a: needs=b");
    graph_add(graph, "b: needs=a,gone");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ENOENT);
    assert_string_equal(graph_problems(graph), "ENOENT: storage needs 'secrets', which no driver provides\n"
                                               "EINVAL: storage needs itself\n"
                                               "EEXIST: there are two drivers named 'storage'\n"
                                               "ENOENT: b needs 'gone', which no driver provides\n"
                                               "ECYCLE: dependency cycle: a needs b, b needs a");
}

static void two_drivers_of_one_name_are_told_though_all_else_is_right(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "storage:");
    graph_add(graph, "guests: needs=storage");
    graph_add(graph, "storage:");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_EEXIST);
    assert_string_equal(graph_problems(graph), "EEXIST: there are two drivers named 'storage'");
}

static void each_unknown_name_is_told_once_a_driver(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: needs=x,x,y");
    graph_add(graph, "b: needs=x");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ENOENT);
    assert_string_equal(graph_problems(graph), "ENOENT: a needs 'x', which no driver provides\n"
                                               "ENOENT: a needs 'y', which no driver provides\n"
                                               "ENOENT: b needs 'x', which no driver provides");
}

static void self_dependencies_of_each_kind(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: wants=a");
    graph_add(graph, "b: after=b");
    graph_add(graph, "c: before=c");
    graph_add(graph, "d: needs=x provides=x");
    graph_add(graph, "e: provides=e");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_EINVAL);
    assert_string_equal(graph_problems(graph), "EINVAL: a wants itself\n"
                                               "EINVAL: b is after itself\n"
                                               "EINVAL: c is before itself\n"
                                               "EINVAL: d needs 'x', which it alone provides");
}

static void drivers_that_are_up_cannot_come_to_wait(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "up: wants=x");
    graph_add(graph, "high: tier=3");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    graph_add(graph, "early: before=up tier=3");
    graph_add(graph, "provider: provides=x tier=1");
    assert_int_equal(muster__graph_check(graph, 2), MUSTER_ESTATE);
    assert_string_equal(
        graph_problems(graph),
        "ESTATE: early comes too late: up waits for early (early is before up), and up is up already\n"
        "ESTATE: provider comes too late: up wants x (provided by provider), and up is up already\n"
        "ESTATE: provider (tier 1) comes too late: high (tier 3) is up already\n"
        "ECYCLE: dependency cycle: up wants x (provided by provider), provider (tier 1) comes after up (tier "
        "0)");
}

static void each_driver_that_is_up_and_would_wait_is_told(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: wants=x");
    graph_add(graph, "b: after=x");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    graph_add(graph, "x:");
    graph_add(graph, "c: needs=x");
    assert_int_equal(muster__graph_check(graph, 2), MUSTER_ESTATE);
    assert_string_equal(graph_problems(graph), "ESTATE: x comes too late: a wants x, and a is up already\n"
                                               "ESTATE: x comes too late: b is after x, and b is up already");
}

static void drivers_that_are_up_may_be_waited_for(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "up: tier=3");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    graph_add(graph, "later: needs=up tier=3");
    assert_int_equal(muster__graph_check(graph, 1), 0);
    assert_null(muster__graph_problems(graph));
}

static void what_was_added_last_is_found_at_once(void **state)
{
    struct muster__graph *graph = *state;
    uint32_t id;
    graph_add(graph, "storage: needs=secret");
    assert_true(muster__graph_find(graph, "storage", &id));
    assert_int_equal(id, 0);
    assert_false(muster__graph_find(graph, "secret", &id));
    graph_add(graph, "secret:");
    assert_string_equal(muster__graph_name(graph, 1), "secret");
    graph_add(graph, "storage: needs=gone");
    muster__graph_truncate(graph, 2);
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "secret storage");
}

static void what_a_forgotten_driver_declared_is_forgotten(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "z:");
    graph_add(graph, "a:");
    graph_add(graph, "b: needs=a");
    muster__graph_truncate(graph, 2);
    graph_add(graph, "b: needs=z");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_names(graph, muster__graph_dependents(graph, 0)), "b");
    assert_int_equal(muster__graph_dependents(graph, 1).count, 0);
    assert_int_equal(muster__graph_level(graph, 2), 1);
}

#define MANY 300

/* More names than are looked up together, the last of them invalid. */
static void a_refused_driver_leaves_nothing(void **state)
{
    struct muster__graph *graph = *state;
    static char texts[MANY][8];
    const char *names[MANY + 1] = {NULL};
    struct muster_driver_def def = {.name = "refused", .needs = names, .wants = names};
    uint32_t id;
    graph_add(graph, "n7: needs=first");
    graph_add(graph, "first:");
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof(texts[i]), "n%u", (unsigned)i);
        names[i] = texts[i];
    }
    for (uint32_t bad = 0; bad < MANY; bad++) {
        names[bad] = "a/b";
        assert_int_equal(muster__graph_add(graph, &def), MUSTER_EINVAL);
        names[bad] = texts[bad];
    }
    def.name = "a/b";
    assert_int_equal(muster__graph_add(graph, &def), MUSTER_EINVAL);
    assert_int_equal(muster__graph_count(graph), 2);
    assert_false(muster__graph_find(graph, "refused", &id));
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "first n7");
    assert_int_equal(muster__graph_dependents(graph, 1).count, 1);
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(all_are_found_in_one_check),
        GRAPH_TEST(two_drivers_of_one_name_are_told_though_all_else_is_right),
        GRAPH_TEST(each_unknown_name_is_told_once_a_driver),
        GRAPH_TEST(self_dependencies_of_each_kind),
        GRAPH_TEST(drivers_that_are_up_cannot_come_to_wait),
        GRAPH_TEST(each_driver_that_is_up_and_would_wait_is_told),
        GRAPH_TEST(drivers_that_are_up_may_be_waited_for),
        GRAPH_TEST(what_was_added_last_is_found_at_once),
        GRAPH_TEST(what_a_forgotten_driver_declared_is_forgotten),
        GRAPH_TEST(a_refused_driver_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(all_are_found_in_one_check),
        GRAPH_TEST(each_unknown_name_is_told_once_a_driver),
        GRAPH_TEST(self_dependencies_of_each_kind),
        GRAPH_TEST(drivers_that_are_up_cannot_come_to_wait),
        GRAPH_TEST(each_driver_that_is_up_and_would_wait_is_told),
        GRAPH_TEST(drivers_that_are_up_may_be_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

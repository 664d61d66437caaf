/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/graph_build.h"

static void higher_tiers_come_after_all_lower_ones(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "qemu: tier=10");
    graph_add(graph, "storage: needs=secret");
    graph_add(graph, "secret:");
    graph_add(graph, "last: tier=11");
    graph_add(graph, "early: tier=-5");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "early secret storage qemu last");
    assert_int_equal(muster__graph_level(graph, graph_id(graph, "qemu")), 3);
    assert_int_equal(muster__graph_level(graph, graph_id(graph, "last")), 4);
}

static void tiers_are_no_declared_dependencies(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a:");
    graph_add(graph, "b: tier=1");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_int_equal(muster__graph_dependency_count(graph, 1), 0);
    assert_int_equal(muster__graph_dependents(graph, 0).count, 0);
}

static void a_tier_alone_changes_nothing(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: tier=7 needs=b");
    graph_add(graph, "b: tier=7");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "b a");
}

static void extreme_tiers_sort(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "high: tier=9223372036854775807");
    graph_add(graph, "low: tier=-9223372036854775808");
    graph_add(graph, "minus: tier=-1");
    graph_add(graph, "zero:");
    graph_add(graph, "big: tier=65536");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "low minus zero big high");
}

static void after_goes_by_tier_too(void **state)
{
    struct muster__graph *graph = *state;
    bool after;
    graph_add(graph, "a:");
    graph_add(graph, "b: tier=1");
    graph_add(graph, "c: tier=1 needs=b");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    muster__graph_is_after(graph, 2, 0, &after);
    assert_true(after);
    muster__graph_is_after(graph, 0, 2, &after);
    assert_false(after);
    muster__graph_is_after(graph, 2, 1, &after);
    assert_true(after);
    muster__graph_is_after(graph, 1, 2, &after);
    assert_false(after);
}

static void a_tier_that_needs_a_higher_one_is_a_cycle(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "between: tier=5");
    graph_add(graph, "secret: tier=10");
    graph_add(graph, "storage: needs=secret");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    assert_string_equal(graph_problems(graph),
                        "ECYCLE: dependency cycle: secret (tier 10) comes after storage (tier 0), "
                        "storage needs secret");
}

static void two_of_one_tier_may_need_the_same_higher_one(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: needs=top");
    graph_add(graph, "b: needs=a");
    graph_add(graph, "mid: tier=1 needs=top");
    graph_add(graph, "top: tier=2");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    assert_string_equal(graph_problems(graph),
                        "ECYCLE: dependency cycle: a needs top, top (tier 2) comes after a (tier 0)");
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(higher_tiers_come_after_all_lower_ones),
        GRAPH_TEST(tiers_are_no_declared_dependencies),
        GRAPH_TEST(a_tier_alone_changes_nothing),
        GRAPH_TEST(extreme_tiers_sort),
        GRAPH_TEST(after_goes_by_tier_too),
        GRAPH_TEST(a_tier_that_needs_a_higher_one_is_a_cycle),
        GRAPH_TEST(two_of_one_tier_may_need_the_same_higher_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

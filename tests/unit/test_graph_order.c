/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/graph_build.h"

static void dependencies_come_first(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "guests: needs=storage,network");
    graph_add(graph, "storage: needs=secret");
    graph_add(graph, "network:");
    graph_add(graph, "secret:");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "network secret storage guests");
    assert_int_equal(muster__graph_level(graph, graph_id(graph, "network")), 0);
    assert_int_equal(muster__graph_level(graph, graph_id(graph, "storage")), 1);
    assert_int_equal(muster__graph_level(graph, graph_id(graph, "guests")), 2);
}

static void all_four_kinds_order(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "d: after=c");
    graph_add(graph, "c: wants=b");
    graph_add(graph, "b: needs=a");
    graph_add(graph, "a:");
    graph_add(graph, "first: before=a");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "first a b c d");
}

static void unknown_names_matter_to_needs_alone(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: wants=x after=y before=z");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "a");
    assert_int_equal(muster__graph_dependency_count(graph, 0), 0);
}

static void ties_go_by_priority_then_by_registration(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: priority=-1");
    graph_add(graph, "b:");
    graph_add(graph, "c: priority=9223372036854775807");
    graph_add(graph, "d:");
    graph_add(graph, "e: priority=300 needs=a");
    graph_add(graph, "f: priority=-9223372036854775808");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "c b d a f e");
}

static void equal_edges_count_once(void **state)
{
    struct muster__graph *graph = *state;
    struct muster__ids ids;
    graph_add(graph, "a: before=b,b");
    graph_add(graph, "b: needs=a,a wants=a after=a");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_int_equal(muster__graph_dependency_count(graph, 1), 1);
    assert_string_equal(graph_names(graph, muster__graph_dependents(graph, 0)), "b");
    assert_int_equal(muster__graph_dependencies(graph, 1, &ids), 0);
    assert_string_equal(graph_names(graph, ids), "a");
}

static void equal_edges_count_alike_on_both_sides_without_before(void **state)
{
    struct muster__graph *graph = *state;
    struct muster__ids ids;
    graph_add(graph, "a:");
    graph_add(graph, "b: needs=a,a wants=a");
    graph_add(graph, "c: needs=b,a after=b");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_names(graph, muster__graph_dependents(graph, 0)), "b b b c");
    assert_string_equal(graph_names(graph, muster__graph_dependents(graph, 1)), "c c");
    assert_int_equal(muster__graph_dependency_count(graph, 1), 3);
    assert_int_equal(muster__graph_dependency_count(graph, 2), 3);
    assert_int_equal(muster__graph_dependencies(graph, 2, &ids), 0);
    assert_string_equal(graph_names(graph, ids), "a b");
    assert_string_equal(graph_order(graph), "a b c");
}

static void dependents_and_dependencies_ascend(void **state)
{
    struct muster__graph *graph = *state;
    struct muster__ids ids;
    graph_add(graph, "z: needs=d,b,c before=y");
    graph_add(graph, "y: needs=c before=x");
    graph_add(graph, "x: needs=c");
    graph_add(graph, "b:");
    graph_add(graph, "c:");
    graph_add(graph, "d: before=x,y");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_names(graph, muster__graph_dependents(graph, graph_id(graph, "c"))), "z y x");
    assert_string_equal(graph_names(graph, muster__graph_dependents(graph, graph_id(graph, "d"))), "z y x");
    assert_int_equal(muster__graph_dependencies(graph, graph_id(graph, "x"), &ids), 0);
    assert_string_equal(graph_names(graph, ids), "y c d");
}

static void an_empty_graph_is_in_order(void **state)
{
    uint32_t id;
    muster__graph_free(NULL);
    assert_false(muster__graph_find(*state, "a", &id));
    assert_int_equal(muster__graph_check(*state, 0), 0);
    assert_int_equal(muster__graph_count(*state), 0);
    assert_null(muster__graph_problems(*state));
}

static void after_is_told_through_others(void **state)
{
    struct muster__graph *graph = *state;
    bool after;
    graph_add(graph, "a:");
    graph_add(graph, "b: needs=a");
    graph_add(graph, "c: needs=b");
    graph_add(graph, "d: needs=a");
    graph_add(graph, "e: needs=d,b");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    const struct {
        uint32_t id, other;
        bool after;
    } expected[] = {{2, 0, true}, {0, 2, false}, {2, 3, false}, {4, 0, true},
                    {4, 3, true}, {4, 2, false}, {1, 1, false}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(muster__graph_is_after(graph, expected[i].id, expected[i].other, &after), 0);
        assert_int_equal(after, expected[i].after);
    }
}

static void drivers_are_added_later(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: wants=late");
    graph_add(graph, "b: needs=a");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    graph_add(graph, "c: needs=b");
    assert_int_equal(muster__graph_level(graph, 1), 1);
    assert_int_equal(muster__graph_check(graph, 2), 0);
    assert_string_equal(graph_order(graph), "a b c");
}

static void a_failed_check_keeps_what_was_found_before(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a:");
    graph_add(graph, "b: needs=a");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    graph_add(graph, "c: needs=nothing provides=a");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ENOENT);
    assert_int_equal(muster__graph_dependency_count(graph, 1), 1);
    muster__graph_truncate(graph, 2);
    assert_string_equal(graph_order(graph), "a b");
    assert_int_equal(muster__graph_check(graph, 2), 0);
    assert_string_equal(graph_order(graph), "a b");
}

static void truncated_drivers_are_forgotten(void **state)
{
    struct muster__graph *graph = *state;
    uint32_t id;
    graph_add(graph, "a:");
    graph_add(graph, "b: needs=a before=a provides=x");
    graph_add(graph, "a: tier=3 priority=2");
    muster__graph_truncate(graph, 1);
    assert_false(muster__graph_find(graph, "b", &id));
    assert_true(muster__graph_find(graph, "a", &id));
    graph_add(graph, "c: wants=b,x");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "a c");
    assert_int_equal(muster__graph_tier(graph, 1), 0);
    muster__graph_truncate(graph, 1);
    assert_null(muster__graph_order(graph));
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(dependencies_come_first),
        GRAPH_TEST(all_four_kinds_order),
        GRAPH_TEST(unknown_names_matter_to_needs_alone),
        GRAPH_TEST(ties_go_by_priority_then_by_registration),
        GRAPH_TEST(equal_edges_count_once),
        GRAPH_TEST(equal_edges_count_alike_on_both_sides_without_before),
        GRAPH_TEST(dependents_and_dependencies_ascend),
        GRAPH_TEST(an_empty_graph_is_in_order),
        GRAPH_TEST(after_is_told_through_others),
        GRAPH_TEST(drivers_are_added_later),
        GRAPH_TEST(a_failed_check_keeps_what_was_found_before),
        GRAPH_TEST(truncated_drivers_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

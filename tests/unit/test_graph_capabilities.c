/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/graph_build.h"

static void a_capability_means_all_its_providers(void **state)
{
    struct muster__graph *graph = *state;
    struct muster__ids ids;
    graph_add(graph, "guests: needs=hypervisor");
    graph_add(graph, "qemu: provides=hypervisor");
    graph_add(graph, "other:");
    graph_add(graph, "xen: provides=hypervisor");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "qemu other xen guests");
    assert_string_equal(muster__graph_need(graph, 0, 0, &ids), "hypervisor");
    assert_string_equal(graph_names(graph, ids), "qemu xen");
    assert_null(muster__graph_need(graph, 0, 1, &ids));
    assert_int_equal(muster__graph_dependency_count(graph, 0), 2);
}

static void a_name_is_a_capability_of_its_driver(void **state)
{
    struct muster__graph *graph = *state;
    struct muster__ids ids;
    graph_add(graph, "a:");
    graph_add(graph, "b: provides=a");
    graph_add(graph, "c: needs=a");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    muster__graph_need(graph, 2, 0, &ids);
    assert_string_equal(graph_names(graph, ids), "a b");
}

static void needs_are_told_in_the_order_declared(void **state)
{
    struct muster__graph *graph = *state;
    struct muster__ids ids;
    graph_add(graph, "b:");
    graph_add(graph, "a:");
    graph_add(graph, "c: needs=b,a wants=b");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(muster__graph_need(graph, 2, 0, NULL), "b");
    assert_string_equal(muster__graph_need(graph, 2, 1, &ids), "a");
    assert_string_equal(graph_names(graph, ids), "a");
    assert_null(muster__graph_need(graph, 2, 2, NULL));
    assert_null(muster__graph_need(graph, 0, 0, NULL));
}

static void a_capability_is_no_driver(void **state)
{
    struct muster__graph *graph = *state;
    uint32_t id;
    graph_add(graph, "a: provides=x");
    assert_false(muster__graph_find(graph, "x", &id));
    assert_false(muster__graph_find(graph, "y", &id));
}

static void a_driver_that_provides_what_it_needs_waits_for_the_others(void **state)
{
    struct muster__graph *graph = *state;
    struct muster__ids ids;
    graph_add(graph, "overlay: needs=network provides=network");
    graph_add(graph, "bridge: provides=network");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "bridge overlay");
    assert_int_equal(muster__graph_dependency_count(graph, 0), 1);
    muster__graph_need(graph, 0, 0, &ids);
    assert_string_equal(graph_names(graph, ids), "overlay bridge");
}

static void providing_twice_is_providing_once(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: provides=x,x,a");
    graph_add(graph, "b: needs=x,a");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_int_equal(muster__graph_dependency_count(graph, 1), 1);
    assert_string_equal(graph_names(graph, muster__graph_dependents(graph, 0)), "b");
}

static void before_a_capability_is_before_all_its_providers(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "b: provides=x");
    graph_add(graph, "c: provides=x");
    graph_add(graph, "a: before=x");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_string_equal(graph_order(graph), "a b c");
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(a_capability_means_all_its_providers),
        GRAPH_TEST(a_name_is_a_capability_of_its_driver),
        GRAPH_TEST(needs_are_told_in_the_order_declared),
        GRAPH_TEST(a_capability_is_no_driver),
        GRAPH_TEST(a_driver_that_provides_what_it_needs_waits_for_the_others),
        GRAPH_TEST(providing_twice_is_providing_once),
        GRAPH_TEST(before_a_capability_is_before_all_its_providers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

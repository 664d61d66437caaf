/* SPDX-License-Identifier: MIT */
/* What is built with limits.h of its own: see meson.build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <muster/driver.h>

#include "graph/internal.h"
#include "graph/limits.h"
#include "support/graph_build.h"

/* Far more than fit. */
#define TOO_MANY 100000u

/* Adds until memory counts as full; what was added then stands. Returns how many those are. */
static uint32_t fill(struct muster__graph *graph, void (*write)(struct muster_driver_def *def, uint32_t i))
{
    uint32_t added = 0, before = muster__graph_count(graph);
    int code = 0;
    for (; code == 0 && added < TOO_MANY; added += code == 0) {
        struct muster_driver_def def = {0};
        write(&def, added);
        code = muster__graph_add(graph, &def);
    }
    assert_int_equal(code, MUSTER_ENOMEM);
    assert_int_equal(muster__graph_count(graph), before + added);
    return added;
}

/* The first `count` are as good as before. */
static void goes_on(struct muster__graph *graph, uint32_t count)
{
    muster__graph_truncate(graph, count);
    assert_int_equal(muster__graph_check(graph, 0), 0);
    for (uint32_t id = 0; id < count; id++) {
        uint32_t found;
        assert_true(muster__graph_find(graph, muster__graph_name(graph, id), &found));
        assert_int_equal(found, id);
    }
}

static void write_short(struct muster_driver_def *def, uint32_t i)
{
    static char text[24];
    snprintf(text, sizeof(text), "d%u", i);
    def->name = text;
}

static void write_long(struct muster_driver_def *def, uint32_t i)
{
    static char text[256];
    memset(text, 'n', sizeof(text) - 1);
    snprintf(text, sizeof(text), "d%u", i);
    text[strlen(text)] = '-';
    def->name = text;
}

static void write_same(struct muster_driver_def *def, uint32_t i)
{
    (void)i;
    def->name = "same";
}

static void write_needs(struct muster_driver_def *def, uint32_t i)
{
    static const char *const needs[] = {"x", "x", "x", "x", "x", "x", "x", "x", "x", "x", NULL};
    write_short(def, i);
    def->needs = needs;
}

static void more_names_than_ids_are_refused(void **state)
{
    uint32_t added = fill(*state, write_short);
    assert_in_range(added, MUSTER__NAMES_MAX - 2 * MUSTER__NAMES_WINDOW, MUSTER__NAMES_MAX);
    goes_on(*state, added);
}

static void more_text_than_places_is_refused(void **state)
{
    uint32_t added = fill(*state, write_long);
    assert_in_range(added, MUSTER__ARENA_MAX / 300 * 9 / 10, MUSTER__ARENA_MAX / 256);
    goes_on(*state, added);
}

static void more_nodes_than_ids_are_refused(void **state)
{
    uint32_t added = fill(*state, write_same);
    assert_in_range(added, MUSTER__NODES_MAX - 2 * MUSTER__NAMES_WINDOW, MUSTER__NODES_MAX);
    goes_on(*state, 1);
}

static void more_declarations_than_places_are_refused(void **state)
{
    graph_add(*state, "x:");
    uint32_t added = fill(*state, write_needs);
    assert_in_range(added * 10, MUSTER__DECLARED_MAX - 2 * MUSTER__NAMES_WINDOW, MUSTER__DECLARED_MAX);
    goes_on(*state, 9);
}

/* Few declarations may be many edges. */
static void more_edges_than_places_are_refused(void **state)
{
    struct muster__graph *graph = *state;
    char line[64];
    graph_add(graph, "first:");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    for (uint32_t i = 0; i <= MUSTER__EDGES_MAX / 20; i++) {
        snprintf(line, sizeof(line), i < 20 ? "p%u: provides=x" : "u%u: needs=x", i);
        assert_int_equal(graph_add(graph, line), 0);
    }
    for (uint32_t i = 0; i < 20; i++) {
        snprintf(line, sizeof(line), "more%u: needs=x", i);
        assert_int_equal(graph_add(graph, line), 0);
    }
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ENOMEM);
    assert_null(muster__graph_problems(graph));
    assert_int_equal(muster__graph_level(graph, 0), 0);
    goes_on(graph, 30);
}

/* Each walk has its number: after the last one they begin anew, and nothing counts as visited. */
static void more_walks_than_numbers_go_on(void **state)
{
    struct muster__graph *graph = *state;
    bool after = false;
    graph_add(graph, "a:");
    graph_add(graph, "b: needs=a");
    graph_add(graph, "c: needs=b");
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_int_equal(muster__graph_is_after(graph, 2, 0, &after), 0);
    assert_true(after);
    assert_int_equal(graph->checked.walk, 1);
    graph->checked.walk = UINT32_MAX;
    after = false;
    assert_int_equal(muster__graph_is_after(graph, 2, 0, &after), 0);
    assert_true(after);
    assert_int_equal(graph->checked.walk, 1);
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(more_names_than_ids_are_refused),
        GRAPH_TEST(more_text_than_places_is_refused),
        GRAPH_TEST(more_nodes_than_ids_are_refused),
        GRAPH_TEST(more_declarations_than_places_are_refused),
        GRAPH_TEST(more_edges_than_places_are_refused),
        GRAPH_TEST(more_walks_than_numbers_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

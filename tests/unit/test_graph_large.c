/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include <muster/driver.h>

#include "support/graph_build.h"

#define MANY 1000000u

static const char *name_of(char *text, uint32_t i)
{
    snprintf(text, 24, "d%u", i);
    return text;
}

static void a_chain_of_a_million(void **state)
{
    struct muster__graph *graph = *state;
    char name[24], needed[24];
    for (uint32_t i = 0; i < MANY; i++) {
        const char *needs[] = {name_of(needed, i + 1), NULL};
        struct muster_driver_def def = {.name = name_of(name, i), .needs = i + 1 < MANY ? needs : NULL};
        assert_int_equal(muster__graph_add(graph, &def), 0);
    }
    assert_int_equal(muster__graph_check(graph, 0), 0);
    assert_int_equal(muster__graph_level(graph, 0), MANY - 1);
    assert_int_equal(muster__graph_order(graph)[0], MANY - 1);
    bool after;
    assert_int_equal(muster__graph_is_after(graph, 0, MANY - 1, &after), 0);
    assert_true(after);
}

/* So many set free at once that their rows are asked for ahead. */
static void a_star_of_many(void **state)
{
    struct muster__graph *graph = *state;
    char name[24], needed[24];
    const char *needs[] = {"center", NULL};
    graph_add(graph, "center:");
    for (uint32_t i = 0; i < MANY / 100; i++) {
        struct muster_driver_def def = {.name = name_of(name, i), .needs = needs};
        assert_int_equal(muster__graph_add(graph, &def), 0);
        needs[0] = i % 2 == 0 ? name_of(needed, i) : "center";
    }
    assert_int_equal(muster__graph_check(graph, 0), 0);
    for (uint32_t i = 0; i < MANY / 100; i++)
        assert_int_equal(muster__graph_level(graph, i + 1), i % 2 + 1);
}

static void a_ring_of_a_million(void **state)
{
    struct muster__graph *graph = *state;
    char name[24], needed[24];
    for (uint32_t i = 0; i < MANY; i++) {
        const char *needs[] = {name_of(needed, (i + 1) % MANY), NULL};
        struct muster_driver_def def = {.name = name_of(name, i), .needs = needs};
        assert_int_equal(muster__graph_add(graph, &def), 0);
    }
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    const char *text = muster_error_text(muster__graph_problems(graph));
    assert_non_null(strstr(text, " more), d999999 needs d0"));
    assert_null(muster_error_next(muster__graph_problems(graph)));
}

static void a_tier_for_each_of_many(void **state)
{
    struct muster__graph *graph = *state;
    char name[24], above[24];
    for (uint32_t i = 0; i < MANY / 5; i++) {
        const char *needs[] = {name_of(above, i + 1), NULL};
        struct muster_driver_def def = {.name = name_of(name, i), .tier = i, .needs = i % 2 == 0 ? needs : NULL};
        assert_int_equal(muster__graph_add(graph, &def), 0);
    }
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    uint32_t problems = 0;
    const struct muster_error *problem = muster__graph_problems(graph);
    for (; problem != NULL; problem = muster_error_next(problem))
        problems++;
    assert_int_equal(problems, MANY / 10);
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(a_chain_of_a_million),
        GRAPH_TEST(a_star_of_many),
        GRAPH_TEST(a_ring_of_a_million),
        GRAPH_TEST(a_tier_for_each_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

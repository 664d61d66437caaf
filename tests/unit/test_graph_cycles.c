/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "support/graph_build.h"

static void a_cycle_names_every_edge(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "storage: needs=secret");
    graph_add(graph, "secret: needs=qemu");
    graph_add(graph, "qemu: needs=storage");
    graph_add(graph, "behind: needs=qemu");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    assert_string_equal(graph_problems(graph), "ECYCLE: dependency cycle: storage needs secret, "
                                               "secret needs qemu, qemu needs storage");
}

static void edges_are_told_as_they_were_declared(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: wants=b");
    graph_add(graph, "b: after=caps");
    graph_add(graph, "c: provides=caps");
    graph_add(graph, "d: before=c,late");
    graph_add(graph, "e: provides=late before=f");
    graph_add(graph, "f: before=d");
    graph_add(graph, "x: before=y needs=a");
    graph_add(graph, "y: before=c");
    graph_add(graph, "z: before=a");
    graph_add(graph, "w: before=z needs=a");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    assert_string_equal(
        graph_problems(graph),
        "ECYCLE: dependency cycle: a waits for z (z is before a), z waits for w (w is before z), "
        "w needs a\n"
        "ECYCLE: dependency cycle: d waits for f (f is before d), f waits for e (e is before f), "
        "e waits for d (d is before late, provided by e)");
}

static void capabilities_say_who_provides_them(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "storage: needs=secrets");
    graph_add(graph, "qemu: provides=secrets wants=storage");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    assert_string_equal(graph_problems(graph), "ECYCLE: dependency cycle: storage needs secrets (provided by "
                                               "qemu), qemu wants storage");
}

static void each_component_gives_its_shortest(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: needs=b");
    graph_add(graph, "b: needs=c");
    graph_add(graph, "c: needs=d,b");
    graph_add(graph, "d: needs=a");
    graph_add(graph, "bridge: needs=a");
    graph_add(graph, "p: needs=q,bridge");
    graph_add(graph, "q: after=p");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    assert_string_equal(graph_problems(graph), "ECYCLE: dependency cycle: b needs c, c needs b\n"
                                               "ECYCLE: dependency cycle: p needs q, q is after p");
}

static void a_long_cycle_is_cut_in_the_middle(void **state)
{
    struct muster__graph *graph = *state;
    for (int i = 0; i < 100; i++) {
        char line[64];
        snprintf(line, sizeof(line), "driver%02d: needs=driver%02d", i, (i + 1) % 100);
        graph_add(graph, line);
    }
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    const char *text = muster_error_text(muster__graph_problems(graph));
    const char *begin = "dependency cycle: driver00 needs driver01, driver01 needs driver02, ";
    const char *end = ", driver16 needs driver17, ... (82 more), driver99 needs driver00";
    assert_memory_equal(text, begin, strlen(begin));
    assert_true(strlen(text) <= 511);
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void long_names_are_cut_at_a_character(void **state)
{
    struct muster__graph *graph = *state;
    char a[256] = "", b[256] = "", line[1024];
    for (int i = 0; i < 60; i++) {
        strcat(a, "\xe2\x82\xac");
        strcat(b, "\xc3\xa4");
    }
    snprintf(line, sizeof(line), "%s: needs=%s", a, b);
    graph_add(graph, line);
    snprintf(line, sizeof(line), "%s: needs=%s", b, a);
    graph_add(graph, line);
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    const char *text = muster_error_text(muster__graph_problems(graph));
    assert_non_null(strstr(text, "\xe2\x82\xac... needs \xc3\xa4"));
}

/* An edge of five long names doesn't fit into a message: that ends with a whole character wherever it is cut. */
static void a_message_is_cut_at_a_character(void **state)
{
    for (int shift = 0; shift < 3; shift++) {
        struct muster__graph *graph = *state;
        char a[256] = "", b[256] = "", line[1024];
        memset(a, 'a', (size_t)shift);
        memset(b, 'b', (size_t)shift);
        for (int i = 0; i < 60; i++) {
            strcat(a, "\xe2\x82\xac");
            strcat(b, "\xe2\x82\xad");
        }
        snprintf(line, sizeof(line), "%s: before=%.*sx provides=%.*sy", a, 180 + shift, b, 180 + shift, a);
        graph_add(graph, line);
        snprintf(line, sizeof(line), "%s: before=%.*sy provides=%.*sx", b, 180 + shift, a, 180 + shift, b);
        graph_add(graph, line);
        assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
        const char *text = muster_error_text(muster__graph_problems(graph));
        assert_in_range(strlen(text), 509, 511);
        assert_null(strchr(text, '?')); /* what an error shows of half a character */
        muster__graph_truncate(graph, 0);
    }
}

static void a_cycle_behind_the_barrier_is_found_once(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "low: needs=low2");
    graph_add(graph, "low2: needs=low");
    graph_add(graph, "high: tier=1 needs=high2");
    graph_add(graph, "high2: tier=1 needs=high");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ECYCLE);
    assert_string_equal(graph_problems(graph),
                        "ECYCLE: dependency cycle: low needs low2, low2 needs low\n"
                        "ECYCLE: dependency cycle: high needs high2, high2 needs high");
}

static void the_message_is_the_same_each_time(void **state)
{
    struct muster__graph *graph = *state;
    graph_add(graph, "a: needs=b,c");
    graph_add(graph, "b: needs=a");
    graph_add(graph, "c: needs=a,unknown,c");
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ENOENT);
    char *first = strdup(graph_problems(graph));
    assert_int_equal(muster__graph_check(graph, 0), MUSTER_ENOENT);
    assert_string_equal(graph_problems(graph), first);
    free(first);
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(a_cycle_names_every_edge),
        GRAPH_TEST(edges_are_told_as_they_were_declared),
        GRAPH_TEST(capabilities_say_who_provides_them),
        GRAPH_TEST(each_component_gives_its_shortest),
        GRAPH_TEST(a_long_cycle_is_cut_in_the_middle),
        GRAPH_TEST(long_names_are_cut_at_a_character),
        GRAPH_TEST(a_message_is_cut_at_a_character),
        GRAPH_TEST(a_cycle_behind_the_barrier_is_found_once),
        GRAPH_TEST(the_message_is_the_same_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

#include "support/failing_memory.h"
#include "support/graph_build.h"

/* Each allocation fails once; afterwards the same again succeeds, and nothing is lost. */

struct sweep {
    struct failing_memory state;
    struct muster__memory memory;
    struct muster__graph *graph;
};

static void begin(struct sweep *sweep)
{
    sweep->state = (struct failing_memory){0};
    sweep->memory = failing_memory(&sweep->state);
    assert_int_equal(muster__graph_new(&sweep->memory, &sweep->graph), 0);
}

static void end(struct sweep *sweep)
{
    muster__graph_free(sweep->graph);
    assert_int_equal(sweep->state.live, 0);
}

static const char *const good[] = {
    "guests: needs=storage,hypervisor wants=network tier=4",
    "storage: needs=secret priority=3",
    "secret: before=network",
    "qemu: provides=hypervisor tier=2",
    "xen: provides=hypervisor tier=2",
    "network:",
};

static const char *const bad[] = {
    "a: needs=b,gone,a", "b: needs=a", "c: needs=d tier=1", "d: needs=c tier=1", "d:",
};

static const char order_of_good[] = "secret storage network qemu xen guests";

static void add_all(struct muster__graph *graph, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t before = muster__graph_count(graph);
        if (graph_add(graph, lines[i]) != 0) {
            assert_int_equal(muster__graph_count(graph), before);
            assert_int_equal(graph_add(graph, lines[i]), 0);
        }
    }
}

static void adding_survives(void **state)
{
    bool fired = true;
    (void)state;
    for (size_t n = 1; fired; n++) {
        struct sweep sweep;
        begin(&sweep);
        sweep.state.countdown = n;
        add_all(sweep.graph, good, 6);
        fired = sweep.state.fired;
        sweep.state.countdown = 0;
        assert_int_equal(muster__graph_check(sweep.graph, 0), 0);
        assert_string_equal(graph_order(sweep.graph), order_of_good);
        end(&sweep);
    }
}

/* Each driver has more names than are looked up together. */
static void adding_much_survives(void **state)
{
    static char texts[300][8];
    const char *needs[301] = {NULL};
    bool fired = true;
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(texts[i], sizeof(texts[i]), "n%u", (unsigned)i);
        needs[i] = texts[i];
    }
    for (size_t n = 1; fired; n++) {
        struct sweep sweep;
        begin(&sweep);
        sweep.state.countdown = n;
        for (uint32_t i = 0; i <= 300; i++) {
            struct muster_driver_def def = {.name = i == 300 ? "all" : texts[i], .needs = i == 300 ? needs : NULL};
            if (muster__graph_add(sweep.graph, &def) != 0)
                assert_int_equal(muster__graph_add(sweep.graph, &def), 0);
        }
        fired = sweep.state.fired;
        sweep.state.countdown = 0;
        assert_int_equal(muster__graph_check(sweep.graph, 0), 0);
        assert_int_equal(muster__graph_count(sweep.graph), 301);
        assert_int_equal(muster__graph_order(sweep.graph)[300], 300);
        assert_int_equal(muster__graph_dependency_count(sweep.graph, 300), 300);
        end(&sweep);
    }
}

static void checking_survives(void **state)
{
    bool fired = true;
    (void)state;
    for (size_t n = 1; fired; n++) {
        struct sweep sweep;
        struct muster__ids ids;
        bool after;
        begin(&sweep);
        add_all(sweep.graph, good, 6);
        sweep.state.countdown = n;
        int code = muster__graph_check(sweep.graph, 0);
        if (code == 0)
            code = muster__graph_dependencies(sweep.graph, 1, &ids);
        if (code == 0)
            code = muster__graph_is_after(sweep.graph, 4, 3, &after);
        fired = sweep.state.fired;
        assert_true(code == 0 || (fired && code == MUSTER_ENOMEM));
        sweep.state.countdown = 0;
        assert_int_equal(muster__graph_check(sweep.graph, 0), 0);
        assert_string_equal(graph_order(sweep.graph), order_of_good);
        end(&sweep);
    }
}

static void reporting_survives(void **state)
{
    bool fired = true;
    (void)state;
    for (size_t n = 1; fired; n++) {
        struct sweep sweep;
        begin(&sweep);
        add_all(sweep.graph, bad, 5);
        sweep.state.countdown = n;
        assert_int_not_equal(muster__graph_check(sweep.graph, 0), 0);
        fired = sweep.state.fired;
        sweep.state.countdown = 0;
        assert_int_equal(muster__graph_check(sweep.graph, 0), MUSTER_ENOENT);
        assert_string_equal(graph_problems(sweep.graph), "ENOENT: a needs 'gone', which no driver provides\n"
                                                         "EINVAL: a needs itself\n"
                                                         "EEXIST: there are two drivers named 'd'\n"
                                                         "ECYCLE: dependency cycle: a needs b, b needs a\n"
                                                         "ECYCLE: dependency cycle: c needs d, d needs c");
        end(&sweep);
    }
}

static void a_graph_needs_memory(void **state)
{
    struct failing_memory failing = {.countdown = 1};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__graph *graph = NULL;
    (void)state;
    assert_int_equal(muster__graph_new(&memory, &graph), MUSTER_ENOMEM);
    assert_null(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_survives),
        cmocka_unit_test(adding_much_survives),
        cmocka_unit_test(checking_survives),
        cmocka_unit_test(reporting_survives),
        cmocka_unit_test(a_graph_needs_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

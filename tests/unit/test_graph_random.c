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

/* Small random graphs against a plain statement of what check promises, by matrices. */

#define NODES 9
#define CAPABILITIES 3
#define NAMES (NODES + CAPABILITIES + 1) /* the last is nobody's */
#define RUNS 20000
#define FAR 1000u

enum { NEEDS, WANTS, AFTER, BEFORE, PROVIDES, KINDS };

struct model {
    uint32_t count;
    int64_t tier[NODES];
    int64_t priority[NODES];
    bool declares[KINDS][NODES][NAMES];
    bool waits[NODES][NODES];        /* by what is declared */
    uint32_t distance[NODES][NODES]; /* along waits and tiers; FAR: none */
};

static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 11) % bound;
}

static void make(struct model *model)
{
    static const uint32_t rarity[] = {2, 5, 12, 40};
    uint32_t rare = rarity[random_below(4)];
    uint32_t tiers = 1 + random_below(3) / 2 * 2;
    bool priorities = random_below(2) == 0;
    bool downwards = random_below(2) == 0; /* only to names below its own: no cycles but by tiers */
    bool capabilities = random_below(2) == 0;
    *model = (struct model){.count = 1 + random_below(NODES)};
    for (uint32_t i = 0; i < model->count; i++) {
        model->tier[i] = downwards ? i * tiers / NODES : random_below(tiers);
        model->priority[i] = priorities ? (int64_t)random_below(3) - 1 : 0;
        for (uint32_t name = 0; name < NAMES; name++) {
            bool driver = name < NODES;
            if (random_below(rare) == 0)
                model->declares[NEEDS][i][name] = driver ? !downwards || name < i : random_below(12) == 0;
            if (random_below(rare * 3) == 0)
                model->declares[WANTS][i][name] = !downwards || name < i;
            if (random_below(rare * 3) == 0)
                model->declares[AFTER][i][name] = !downwards || name < i || name == NAMES - 1;
            if (random_below(rare * 4) == 0)
                model->declares[BEFORE][i][name] = downwards ? driver && name > i : true;
            if (capabilities && random_below(4) == 0)
                model->declares[PROVIDES][i][name] = !driver && name < NAMES - 1;
        }
    }
}

static bool provides(const struct model *model, uint32_t node, uint32_t name)
{
    return node < model->count && (node == name || model->declares[PROVIDES][node][name]);
}

static void measure(struct model *model)
{
    uint32_t n = model->count;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            for (uint32_t name = 0; name < NAMES && i != j; name++) {
                bool own = model->declares[NEEDS][i][name] || model->declares[WANTS][i][name] ||
                           model->declares[AFTER][i][name];
                model->waits[i][j] |= own && provides(model, j, name);
                model->waits[i][j] |= model->declares[BEFORE][j][name] && provides(model, i, name);
            }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            model->distance[i][j] = model->waits[i][j] || model->tier[i] > model->tier[j] ? 1 : FAR;
    for (uint32_t via = 0; via < n; via++)
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = 0; j < n; j++)
                if (model->distance[i][via] + model->distance[via][j] < model->distance[i][j])
                    model->distance[i][j] = model->distance[i][via] + model->distance[via][j];
}

static const char *name_of(uint32_t name)
{
    static char names[NAMES][16];
    snprintf(names[name], sizeof(names[name]), "n%02u", name);
    return names[name];
}

static void build(const struct model *model, struct muster__graph *graph)
{
    const char *lists[KINDS][NAMES + 1];
    for (uint32_t i = 0; i < model->count; i++) {
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            uint32_t length = 0;
            for (uint32_t name = 0; name < NAMES; name++)
                if (model->declares[kind][i][name])
                    lists[kind][length++] = name_of(name);
            lists[kind][length] = NULL;
        }
        struct muster_driver_def def = {.name = name_of(i),
                                        .tier = model->tier[i],
                                        .priority = model->priority[i],
                                        .needs = lists[0],
                                        .wants = lists[1],
                                        .after = lists[2],
                                        .before = lists[3],
                                        .provides = lists[4]};
        assert_int_equal(muster__graph_add(graph, &def), 0);
    }
}

/* ---- what is wrong with it ----------------------------------------------------------------------- */

static uint32_t providers(const struct model *model, uint32_t name)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->count; i++)
        count += provides(model, i, name);
    return count;
}

static uint32_t count_unknown(const struct model *model)
{
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < model->count; i++)
        for (uint32_t name = 0; name < NAMES; name++)
            unknown += model->declares[NEEDS][i][name] && providers(model, name) == 0;
    return unknown;
}

static uint32_t count_selves(const struct model *model)
{
    uint32_t selves = 0;
    for (uint32_t i = 0; i < model->count; i++)
        for (uint32_t name = 0; name < NAMES; name++) {
            bool declared = false;
            for (uint32_t kind = NEEDS; kind < PROVIDES; kind++)
                declared |= model->declares[kind][i][name];
            selves += declared && provides(model, i, name) && providers(model, name) == 1;
        }
    return selves;
}

/* The length of the shortest cycle in the component of `i`, or 0 if `i` isn't its first node, or there is
 * none. */
static uint32_t shortest_from(const struct model *model, uint32_t i)
{
    uint32_t shortest = FAR;
    for (uint32_t j = 0; j < model->count; j++) {
        bool together = j == i || (model->distance[i][j] < FAR && model->distance[j][i] < FAR);
        if (together && j < i)
            return 0;
        if (together && model->distance[j][j] < shortest)
            shortest = model->distance[j][j];
    }
    return shortest == FAR ? 0 : shortest;
}

static uint32_t take_number(const char **at)
{
    uint32_t number = (uint32_t)strtoul(*at + 1, NULL, 10);
    const char *comma = strstr(*at, ", ");
    while (comma != NULL && strncmp(comma, ", provided", strlen(", provided")) == 0)
        comma = strstr(comma + 2, ", ");
    *at = comma == NULL ? NULL : comma + 2;
    return number;
}

/* Each driver that the message begins an edge with waits for the next one. Returns the cycle's component. */
static uint32_t assert_true_cycle(const struct model *model, const char *text)
{
    uint32_t cycle[NODES];
    uint32_t length = 0;
    const char *at = text + strlen("dependency cycle: ");
    for (; at != NULL; length++) {
        assert_true(length < NODES);
        cycle[length] = take_number(&at);
        assert_true(cycle[length] < model->count);
    }
    for (uint32_t i = 0; i < length; i++)
        assert_int_equal(model->distance[cycle[i]][cycle[(i + 1) % length]], 1);
    uint32_t first = cycle[0];
    for (uint32_t i = 0; i < model->count; i++)
        if (model->distance[first][i] < FAR && model->distance[i][first] < FAR && i < first)
            first = i;
    assert_int_equal(length, shortest_from(model, first));
    return first;
}

static uint32_t check_problems(const struct model *model, const struct muster__graph *graph)
{
    uint32_t unknown = 0, selves = 0, cycles = 0, components = 0, last = 0;
    const struct muster_error *problem = muster__graph_problems(graph);
    for (; problem != NULL; problem = muster_error_next(problem)) {
        unknown += muster_error_code(problem) == MUSTER_ENOENT;
        selves += muster_error_code(problem) == MUSTER_EINVAL;
        if (muster_error_code(problem) != MUSTER_ECYCLE)
            continue;
        uint32_t component = assert_true_cycle(model, muster_error_text(problem));
        assert_true(cycles == 0 || component > last);
        last = component;
        cycles++;
    }
    for (uint32_t i = 0; i < model->count; i++)
        components += shortest_from(model, i) != 0;
    assert_int_equal(unknown, count_unknown(model));
    assert_int_equal(selves, count_selves(model));
    assert_int_equal(cycles, components);
    return unknown + selves + cycles;
}

/* ---- what is right with it ----------------------------------------------------------------------- */

static void check_levels(const struct model *model, struct muster__graph *graph)
{
    for (uint32_t i = 0; i < model->count; i++) {
        uint32_t level = 0;
        for (uint32_t j = 0; j < model->count; j++)
            if (model->distance[i][j] == 1 && muster__graph_level(graph, j) >= level)
                level = muster__graph_level(graph, j) + 1;
        assert_int_equal(muster__graph_level(graph, i), level);
    }
}

static void check_order(const struct model *model, struct muster__graph *graph)
{
    const uint32_t *order = muster__graph_order(graph);
    bool seen[NODES] = {false};
    for (uint32_t i = 0; i < model->count; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        if (i == 0)
            continue;
        uint32_t a = order[i - 1], b = order[i];
        uint32_t level_a = muster__graph_level(graph, a), level_b = muster__graph_level(graph, b);
        assert_true(level_a < level_b ||
                    (level_a == level_b && (model->priority[a] > model->priority[b] ||
                                            (model->priority[a] == model->priority[b] && a < b))));
    }
}

static void check_edges(const struct model *model, struct muster__graph *graph)
{
    uint32_t counted[NODES] = {0};
    for (uint32_t i = 0; i < model->count; i++) {
        struct muster__ids dependents = muster__graph_dependents(graph, i);
        struct muster__ids dependencies;
        uint32_t in = 0, out = 0;
        assert_int_equal(muster__graph_dependencies(graph, i, &dependencies), 0);
        for (uint32_t j = 0; j < model->count; j++) {
            bool after;
            if (model->waits[i][j])
                assert_int_equal(dependencies.ids[in++], j);
            uint32_t equal = 0;
            for (; out < dependents.count && dependents.ids[out] == j; out++)
                equal++;
            assert_int_equal(equal > 0, model->waits[j][i]);
            counted[j] += equal;
            assert_int_equal(muster__graph_is_after(graph, i, j, &after), 0);
            assert_int_equal(after, model->distance[i][j] < FAR);
        }
        assert_int_equal(dependencies.count, in);
        assert_int_equal(dependents.count, out);
    }
    for (uint32_t i = 0; i < model->count; i++)
        assert_int_equal(muster__graph_dependency_count(graph, i), counted[i]);
}

static void random_graphs_agree_with_the_model(void **state)
{
    struct muster__memory memory;
    uint32_t right = 0;
    (void)state;
    assert_int_equal(muster__memory_init(&memory, NULL), 0);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct muster__graph *graph;
        struct model model;
        random_state = seed * 0x9e3779b97f4a7c15u;
        make(&model);
        measure(&model);
        assert_int_equal(muster__graph_new(&memory, &graph), 0);
        build(&model, graph);
        int code = muster__graph_check(graph, 0);
        uint32_t problems = check_problems(&model, graph);
        assert_int_equal(code == 0, problems == 0);
        if (code == 0) {
            check_levels(&model, graph);
            check_order(&model, graph);
            check_edges(&model, graph);
            right++;
        }
        muster__graph_free(graph);
    }
    assert_true(right > RUNS / 10 && right < RUNS / 10 * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <muster/error.h>

#include "graph/internal.h"

static int find_problems(struct muster__graph *graph, const struct muster__checked *checked, bool suspect,
                         uint32_t settled)
{
    if (suspect || graph->duplicates > 0) {
        int code = muster__problems_declared(graph, checked);
        if (code != 0)
            return code;
    }
    if (settled > 0)
        muster__problems_settled(graph, checked, settled);
    return 0;
}

static int sort(struct muster__graph *graph, struct muster__checked *checked, uint32_t *ret_left)
{
    int code = muster__sort_tiers(graph, checked);
    return code == 0 ? muster__sort(graph, checked, ret_left) : code;
}

/* The usual case. What is wrong shows in the end: a driver that depends on itself, or a cycle, is left out. */
static int sort_by_name(struct muster__graph *graph, struct muster__checked *checked, uint32_t *ret_left)
{
    int code = muster__rows_by_name(graph, checked);
    if (code == 0)
        code = sort(graph, checked, ret_left);
    if (code == 0 && *ret_left == 0)
        return 0;
    muster__checked_fini(graph->memory, checked);
    checked->count = graph->count;
    return code;
}

static int sort_by_driver(struct muster__graph *graph, struct muster__checked *checked, uint32_t settled)
{
    bool suspect = false;
    uint32_t left = 0;
    int code = muster__rows_providers(graph, checked);
    if (code == 0)
        code = muster__rows_dependents(graph, checked, &suspect);
    if (code == 0)
        code = sort(graph, checked, &left);
    if (code == 0)
        code = find_problems(graph, checked, suspect, settled);
    if (code == 0 && left > 0)
        code = muster__cycles_report(graph, checked);
    return code;
}

static int check(struct muster__graph *graph, struct muster__checked *checked, uint32_t settled)
{
    uint32_t left = 1;
    int code = settled == 0 && muster__rows_are_by_name(graph) ? sort_by_name(graph, checked, &left) : 0;
    return code == 0 && left > 0 ? sort_by_driver(graph, checked, settled) : code;
}

static void drop_problems(struct muster__graph *graph)
{
    muster__error_replace(&graph->problems, NULL);
    graph->last_problem = NULL;
}

static void trim(struct muster__graph *graph)
{
    muster__names_trim(&graph->names);
    muster__trim(graph->memory, &graph->name, &graph->name_capacity, graph->count, sizeof(uint32_t));
    muster__trim(graph->memory, &graph->declared_start, &graph->declared_start_capacity,
                 (size_t)graph->count + 1, sizeof(uint32_t));
    muster__trim(graph->memory, &graph->declared, &graph->declared_capacity, graph->declared_count,
                 sizeof(uint32_t));
}

int muster__graph_check(struct muster__graph *graph, uint32_t settled)
{
    struct muster__checked checked = {.count = graph->count};
    drop_problems(graph);
    muster__graph_settle(graph);
    trim(graph);
    int code = check(graph, &checked, settled);
    if (code != 0)
        drop_problems(graph);
    else
        code = muster_error_code(graph->problems);
    if (code != 0) {
        muster__checked_fini(graph->memory, &checked);
        return code;
    }
    muster__checked_fini(graph->memory, &graph->checked);
    graph->checked = checked;
    return 0;
}

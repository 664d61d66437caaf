/* SPDX-License-Identifier: MIT */
/* What the files of lib/graph share. */
#ifndef MUSTER__GRAPH_INTERNAL_H
#define MUSTER__GRAPH_INTERNAL_H

#include "graph/graph.h"
#include "graph/names.h"

/* What is declared about a name, in the top bits beside its id. Lists are kept in this order. */
enum muster__kind {
    MUSTER__NEEDS,
    MUSTER__WANTS,
    MUSTER__AFTER,
    MUSTER__BEFORE,
    MUSTER__PROVIDES,
    MUSTER__KINDS
};

static inline enum muster__kind muster__declared_kind(uint32_t declared)
{
    return (enum muster__kind)(declared >> MUSTER__TAG_SHIFT);
}

static inline uint32_t muster__declared_name(uint32_t declared)
{
    return declared & ((UINT32_C(1) << MUSTER__TAG_SHIFT) - 1);
}

/* Lists of ids, one behind the other: those of x are ids[start[x]] to ids[start[x + 1] - 1]. */
struct muster__rows {
    uint32_t *start;
    uint32_t *ids;
};

static inline struct muster__ids muster__row(const struct muster__rows *rows, uint32_t x)
{
    return (struct muster__ids){rows->ids + rows->start[x], rows->start[x + 1] - rows->start[x]};
}

/* Tiers by rank: 0 is the lowest in use. All NULL if there is one tier only. */
struct muster__tiers {
    uint32_t count; /* 1 with one tier */
    uint32_t *rank;
    struct muster__rows members;
};

/* What a check finds out. */
struct muster__checked {
    uint32_t count; /* of nodes */
    struct muster__rows dependents;
    bool by_name; /* a row of dependents is a name's, and each declaration a dependency */
    struct muster__rows dependencies; /* start is NULL: not built yet */
    struct muster__rows providers;    /* by name; start is NULL: a name is its driver's alone */
    struct muster__tiers tiers;
    uint32_t *dependency_count; /* NULL by name */
    uint32_t *level;
    uint32_t *order;
    /* For walks, made on the first: where the last ones have been. */
    uint32_t *visited;
    uint32_t *queue;
    uint32_t walk;
};

struct muster__graph {
    const struct muster__memory *memory;
    struct muster__names names;
    /* By node. Those of 64 bits are NULL as long as all are 0. */
    uint32_t count;
    uint32_t *name;
    size_t name_capacity;
    uint32_t *declared_start; /* and one behind the last */
    size_t declared_start_capacity;
    int64_t *tier;
    size_t tier_capacity;
    int64_t *priority;
    size_t priority_capacity;
    /* Of all nodes, one behind the other. */
    uint32_t *declared;
    uint32_t declared_count;
    size_t declared_capacity;
    /* How many are of each kind, those included that another one makes needless. */
    size_t kinds[MUSTER__KINDS];
    uint32_t settled; /* nodes whose names no longer wait to be interned */
    uint32_t duplicates; /* nodes that aren't the first of their name */

    struct muster__checked checked;
    struct muster_error *problems;
    struct muster_error *last_problem;
};

static inline struct muster__ids muster__providers(const struct muster__graph *graph,
                                                   const struct muster__checked *checked, uint32_t name)
{
    if (checked->providers.start != NULL)
        return muster__row(&checked->providers, name);
    const uint32_t *driver = &muster__name_of(&graph->names, name)->driver;
    return (struct muster__ids){driver, *driver < checked->count ? 1 : 0};
}

static inline struct muster__ids muster__dependents(const struct muster__graph *graph,
                                                    const struct muster__checked *checked, uint32_t node)
{
    return muster__row(&checked->dependents, checked->by_name ? graph->name[node] : node);
}

static inline uint32_t muster__dependency_count(const struct muster__graph *graph,
                                                const struct muster__checked *checked, uint32_t node)
{
    return checked->by_name ? graph->declared_start[node + 1] - graph->declared_start[node]
                            : checked->dependency_count[node];
}

/* Intern what the last nodes declare: before anything looks at names. */
void muster__graph_settle(struct muster__graph *graph);

void muster__checked_fini(const struct muster__memory *memory, struct muster__checked *checked);

/* ---- rows.c: 0 or MUSTER_ENOMEM ------------------------------------------------------------------ */

void muster__rows_fini(const struct muster__memory *memory, struct muster__rows *rows);
/* checked->providers, if anybody declares any. */
int muster__rows_providers(const struct muster__graph *graph, struct muster__checked *checked);
/* Is each name one driver's alone, and each declaration an edge from it? */
bool muster__rows_are_by_name(const struct muster__graph *graph);
/* checked->dependents by name, where that is so: in one pass, with edges that are equal, or lead back to where they begin. */
int muster__rows_by_name(const struct muster__graph *graph, struct muster__checked *checked);
/*
 * checked->dependents and ->dependency_count by driver, without such edges. *ret_suspect: a `needs` is unknown, or a driver
 * depends on itself.
 */
int muster__rows_dependents(const struct muster__graph *graph, struct muster__checked *checked,
                            bool *ret_suspect);
/* checked->dependencies: the dependents turned round. */
int muster__rows_dependencies(const struct muster__graph *graph, struct muster__checked *checked);

/* ---- sort.c -------------------------------------------------------------------------------------- */

/* checked->tiers. */
int muster__sort_tiers(const struct muster__graph *graph, struct muster__checked *checked);
/*
 * checked->level and ->order, by waves. *ret_left is how many are left out by cycles: then there is no order, and
 * the level is MUSTER__NONE of those left out alone.
 */
int muster__sort(const struct muster__graph *graph, struct muster__checked *checked, uint32_t *ret_left);

/* ---- cycle.c ------------------------------------------------------------------------------------- */

/* Report a cycle of each strongly connected component among the nodes that the sort has left out. */
int muster__cycles_report(struct muster__graph *graph, const struct muster__checked *checked);

/* ---- problem.c: reports go to graph->problems ---------------------------------------------------- */

/* Duplicate names, unknown needs, self-dependencies, by node. */
int muster__problems_declared(struct muster__graph *graph, const struct muster__checked *checked);
/* The first `settled` nodes that come to wait for others. */
void muster__problems_settled(struct muster__graph *graph, const struct muster__checked *checked,
                              uint32_t settled);
/* Each node of the cycle waits for the next, the last for the first. */
void muster__problems_cycle(struct muster__graph *graph, const struct muster__checked *checked,
                            const uint32_t *cycle, uint32_t length);

#endif

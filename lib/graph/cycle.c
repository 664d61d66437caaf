/* SPDX-License-Identifier: MIT */
/*
 * The cycles of what couldn't be ordered: strongly connected components (Tarjan's, without recursion), and in
 * each a shortest cycle by a breadth-first search from each of its nodes.
 */
#include <assert.h>
#include <string.h>

#include <muster/error.h>

#include "graph/internal.h"

struct cycles {
    struct muster__graph *graph;
    const struct muster__checked *checked;
    uint32_t nodes; /* and a barrier behind each tier but the last: see successor() */
    uint32_t *component;
    uint32_t components;

    /* Tarjan's */
    uint32_t *index; /* 0: not seen yet */
    uint32_t *low;
    uint32_t *next; /* the successor to look at next */
    uint32_t *path;
    uint32_t *stack;
    uint32_t depth;
    uint32_t stacked;
    uint32_t seen;

    /* The search's; arrays above that are used up serve again. */
    struct muster__rows members; /* of components, without the barriers */
    uint32_t *shortest;
    uint32_t shortest_length;
    uint32_t *parent;
    uint32_t *visited; /* by which search */
    uint32_t *queue;
    uint32_t search;
    uint64_t steps;
};

/* ---- components ---------------------------------------------------------------------------------- */

/* Tier r's members lead to the barrier nodes + r, which leads to those of tier r + 1: not n * n edges. */
static uint32_t successor(const struct cycles *cycles, uint32_t node, uint32_t i)
{
    const struct muster__tiers *tiers = &cycles->checked->tiers;
    struct muster__ids ids;
    uint32_t barrier = MUSTER__NONE;
    if (node >= cycles->nodes) {
        ids = muster__row(&tiers->members, node - cycles->nodes + 1);
    } else {
        ids = muster__dependents(cycles->graph, cycles->checked, node);
        if (tiers->rank != NULL && tiers->rank[node] + 1 < tiers->count)
            barrier = cycles->nodes + tiers->rank[node];
    }
    if (i < ids.count)
        return ids.ids[i];
    return i == ids.count ? barrier : MUSTER__NONE;
}

static void enter(struct cycles *cycles, uint32_t node)
{
    cycles->index[node] = cycles->low[node] = ++cycles->seen;
    cycles->next[node] = 0;
    cycles->stack[cycles->stacked++] = node;
    cycles->path[cycles->depth++] = node;
}

static void leave(struct cycles *cycles, uint32_t node)
{
    cycles->depth--;
    if (cycles->depth > 0) {
        uint32_t *low = &cycles->low[cycles->path[cycles->depth - 1]];
        if (cycles->low[node] < *low)
            *low = cycles->low[node];
    }
    if (cycles->low[node] != cycles->index[node])
        return;
    uint32_t member;
    do {
        member = cycles->stack[--cycles->stacked];
        cycles->component[member] = cycles->components;
    } while (member != node);
    cycles->components++;
}

/* What depends on a node that was left out was left out, too. */
static void find_components_from(struct cycles *cycles, uint32_t root)
{
    enter(cycles, root);
    while (cycles->depth > 0) {
        uint32_t node = cycles->path[cycles->depth - 1];
        uint32_t to = successor(cycles, node, cycles->next[node]++);
        if (to == MUSTER__NONE)
            leave(cycles, node);
        else if (cycles->index[to] == 0)
            enter(cycles, to);
        else if (cycles->component[to] == MUSTER__NONE && cycles->index[to] < cycles->low[node])
            cycles->low[node] = cycles->index[to];
    }
}

/* members: the nodes of each component, ascending. */
static int collect_members(struct cycles *cycles)
{
    const struct muster__memory *memory = cycles->graph->memory;
    struct muster__rows *members = &cycles->members;
    members->start = muster__alloc(memory, (size_t)cycles->components + 2, sizeof(uint32_t));
    members->ids = muster__realloc(memory, NULL, cycles->nodes, sizeof(uint32_t));
    if (members->start == NULL || members->ids == NULL)
        return MUSTER_ENOMEM;
    for (uint32_t node = 0; node < cycles->nodes; node++)
        if (cycles->component[node] != MUSTER__NONE)
            members->start[cycles->component[node] + 2]++;
    for (uint32_t i = 1; i < cycles->components; i++)
        members->start[i + 1] += members->start[i];
    for (uint32_t node = 0; node < cycles->nodes; node++)
        if (cycles->component[node] != MUSTER__NONE)
            members->ids[members->start[cycles->component[node] + 1]++] = node;
    return 0;
}

/* ---- the shortest cycle of a component ----------------------------------------------------------- */

/* A search from each node while steps are few; a large component is left with those from its first nodes. */
static uint64_t steps_allowed(uint64_t edges)
{
    return 1000000 + 64 * edges;
}

static void keep_if_shorter(struct cycles *cycles, uint32_t from, uint32_t last)
{
    uint32_t length = 1;
    for (uint32_t node = last; node != from; node = cycles->parent[node])
        length++;
    if (cycles->shortest_length != 0 && length >= cycles->shortest_length)
        return;
    cycles->shortest_length = length;
    cycles->shortest[0] = from;
    for (uint32_t i = 1, node = last; node != from; node = cycles->parent[node])
        cycles->shortest[i++] = node;
}

/* Go on from `node` to those of `ids` in its component. True: one of them is where the search began. */
static bool spread(struct cycles *cycles, uint32_t node, struct muster__ids ids, uint32_t *queued)
{
    uint32_t from = cycles->queue[0];
    for (uint32_t i = 0; i < ids.count; i++) {
        uint32_t to = ids.ids[i];
        cycles->steps++;
        if (cycles->component[to] != cycles->component[node])
            continue;
        if (to == from)
            return true;
        if (cycles->visited[to] == cycles->search)
            continue;
        cycles->visited[to] = cycles->search;
        cycles->parent[to] = node;
        cycles->queue[(*queued)++] = to;
    }
    return false;
}

/* From a node to all of the higher tiers that lead back to it, but to each tier once in a search. */
static bool spread_tiers(struct cycles *cycles, uint32_t node, uint32_t *reached, uint32_t *queued)
{
    const struct muster__tiers *tiers = &cycles->checked->tiers;
    const uint32_t *barriers = cycles->component + cycles->nodes;
    if (tiers->rank == NULL)
        return false;
    uint32_t above = tiers->rank[node] + 1;
    for (uint32_t tier = above; tier < *reached && barriers[tier - 1] == cycles->component[node]; tier++)
        if (spread(cycles, node, muster__row(&tiers->members, tier), queued))
            return true;
    if (above < *reached)
        *reached = above;
    return false;
}

/* The shortest cycle through `from`: there is one, since its component has more nodes. */
static void search(struct cycles *cycles, uint32_t from)
{
    uint32_t reached = cycles->checked->tiers.count;
    uint32_t queued = 1;
    cycles->queue[0] = from;
    cycles->search++;
    for (uint32_t i = 0;; i++) {
        assert(i < queued);
        uint32_t node = cycles->queue[i];
        if (spread(cycles, node, muster__dependents(cycles->graph, cycles->checked, node), &queued) ||
            spread_tiers(cycles, node, &reached, &queued)) {
            keep_if_shorter(cycles, from, node);
            return;
        }
    }
}

/* The shortest begins with its first driver: through an earlier one, it would have been found from that. */
static void search_component(struct cycles *cycles, struct muster__ids members)
{
    uint64_t edges = 0;
    for (uint32_t i = 0; i < members.count; i++)
        edges += muster__dependents(cycles->graph, cycles->checked, members.ids[i]).count;
    cycles->shortest_length = 0;
    cycles->steps = 0;
    for (uint32_t i = 0; i < members.count; i++) {
        search(cycles, members.ids[i]);
        if (cycles->shortest_length == 2 || cycles->steps > steps_allowed(edges))
            break;
    }
}

/* ---- all together -------------------------------------------------------------------------------- */

static int begin(struct cycles *cycles)
{
    const struct muster__memory *memory = cycles->graph->memory;
    size_t all = (size_t)cycles->nodes + cycles->checked->tiers.count;
    uint32_t **const arrays[] = {&cycles->component, &cycles->index, &cycles->low,
                                 &cycles->next,      &cycles->path,  &cycles->stack};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        *arrays[i] = muster__alloc(memory, all, sizeof(uint32_t));
        if (*arrays[i] == NULL)
            return MUSTER_ENOMEM;
    }
    memset(cycles->component, 0xff, all * sizeof(uint32_t));
    return 0;
}

static void end(struct cycles *cycles)
{
    const struct muster__memory *memory = cycles->graph->memory;
    muster__free(memory, cycles->component);
    muster__free(memory, cycles->index);
    muster__free(memory, cycles->low);
    muster__free(memory, cycles->next);
    muster__free(memory, cycles->path);
    muster__free(memory, cycles->stack);
    muster__rows_fini(memory, &cycles->members);
}

static void report_cycles(struct cycles *cycles)
{
    cycles->shortest = cycles->low;
    cycles->parent = cycles->next;
    cycles->queue = cycles->path;
    cycles->visited = cycles->index;
    memset(cycles->visited, 0, cycles->nodes * sizeof(uint32_t));
    for (uint32_t node = 0; node < cycles->nodes; node++) {
        if (cycles->component[node] == MUSTER__NONE)
            continue;
        struct muster__ids members = muster__row(&cycles->members, cycles->component[node]);
        if (members.count < 2 || members.ids[0] != node)
            continue;
        search_component(cycles, members);
        muster__problems_cycle(cycles->graph, cycles->checked, cycles->shortest, cycles->shortest_length);
    }
}

int muster__cycles_report(struct muster__graph *graph, const struct muster__checked *checked)
{
    struct cycles cycles = {.graph = graph, .checked = checked, .nodes = checked->count};
    int code = begin(&cycles);
    if (code != 0)
        goto out;
    for (uint32_t node = 0; node < cycles.nodes; node++)
        if (checked->level[node] == MUSTER__NONE && cycles.index[node] == 0)
            find_components_from(&cycles, node);
    code = collect_members(&cycles);
    if (code == 0)
        report_cycles(&cycles);
out:
    end(&cycles);
    return code;
}

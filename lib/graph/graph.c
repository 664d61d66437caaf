/* SPDX-License-Identifier: MIT */
#include "graph/graph.h"

#include <assert.h>
#include <string.h>

#include <muster/error.h>

#include "graph/internal.h"

#define NODES_MAX (UINT32_MAX / 4)

int muster__graph_new(const struct muster__memory *memory, struct muster__graph **ret_graph)
{
    struct muster__graph *graph = muster__new(memory, struct muster__graph);
    if (graph == NULL)
        return MUSTER_ENOMEM;
    graph->memory = memory;
    muster__names_init(&graph->names, memory);
    *ret_graph = graph;
    return 0;
}

void muster__checked_fini(const struct muster__memory *memory, struct muster__checked *checked)
{
    muster__rows_fini(memory, &checked->dependents);
    muster__rows_fini(memory, &checked->dependencies);
    muster__rows_fini(memory, &checked->providers);
    muster__rows_fini(memory, &checked->tiers.members);
    muster__free(memory, checked->tiers.rank);
    muster__free(memory, checked->dependency_count);
    muster__free(memory, checked->level);
    muster__free(memory, checked->order);
    muster__free(memory, checked->visited);
    muster__free(memory, checked->queue);
    *checked = (struct muster__checked){0};
}

void muster__graph_free(struct muster__graph *graph)
{
    if (graph == NULL)
        return;
    muster__checked_fini(graph->memory, &graph->checked);
    muster__error_unref(graph->problems);
    muster__names_fini(&graph->names);
    muster__free(graph->memory, graph->name);
    muster__free(graph->memory, graph->declared_end);
    muster__free(graph->memory, graph->tier);
    muster__free(graph->memory, graph->priority);
    muster__free(graph->memory, graph->declared);
    muster__free(graph->memory, graph);
}

/* ---- adding -------------------------------------------------------------------------------------- */

static size_t list_length(const char *const *list)
{
    size_t length = 0;
    while (list != NULL && list[length] != NULL)
        length++;
    return length;
}

/* A column that exists from its first value other than 0 on. */
static int reserve_value(const struct muster__graph *graph, int64_t **column, size_t *capacity, int64_t value)
{
    if (*column == NULL && value == 0)
        return 0;
    bool first = *column == NULL;
    int code = muster__reserve(graph->memory, column, capacity, graph->count + 1, sizeof(**column));
    if (code == 0 && first)
        memset(*column, 0, graph->count * sizeof(**column));
    return code;
}

static int reserve_node(struct muster__graph *graph, const struct muster__node *node, size_t declared)
{
    size_t wanted = graph->count + 1;
    size_t declared_wanted = graph->declared_count + declared;
    if (wanted > NODES_MAX || declared_wanted > UINT32_MAX)
        return MUSTER_ENOMEM;
    int code = muster__reserve(graph->memory, &graph->name, &graph->name_capacity, wanted, sizeof(uint32_t));
    if (code == 0)
        code = muster__reserve(graph->memory, &graph->declared_end, &graph->declared_end_capacity, wanted,
                               sizeof(uint32_t));
    if (code == 0)
        code = muster__reserve(graph->memory, &graph->declared, &graph->declared_capacity,
                               declared_wanted + 1, sizeof(uint32_t));
    if (code == 0)
        code = reserve_value(graph, &graph->tier, &graph->tier_capacity, node->tier);
    if (code == 0)
        code = reserve_value(graph, &graph->priority, &graph->priority_capacity, node->priority);
    return code;
}

static void append_node(struct muster__graph *graph, const struct muster__node *node, uint32_t name)
{
    uint32_t id = graph->count++;
    graph->name[id] = name;
    graph->declared_end[id] = (uint32_t)graph->declared_count;
    if (graph->tier != NULL)
        graph->tier[id] = node->tier;
    if (graph->priority != NULL)
        graph->priority[id] = node->priority;
    if (graph->names.driver[name] == MUSTER__NONE)
        graph->names.driver[name] = id;
    else
        graph->duplicates++;
}

int muster__graph_add(struct muster__graph *graph, const struct muster__node *node)
{
    const char *const *lists[MUSTER__KINDS] = {node->needs, node->wants, node->after, node->before,
                                               node->provides};
    size_t lengths[MUSTER__KINDS];
    size_t total = 0;
    for (size_t kind = 0; kind < MUSTER__KINDS; kind++)
        total += lengths[kind] = list_length(lists[kind]);
    int code = reserve_node(graph, node, total);
    uint32_t name = 0;
    if (code == 0)
        code = muster__names_intern(&graph->names, &node->name, 1, &name);
    if (code != 0)
        return code;
    uint32_t *declared = graph->declared + graph->declared_count;
    for (uint32_t kind = 0; kind < MUSTER__KINDS && code == 0; kind++) {
        code = muster__names_intern(&graph->names, lists[kind], lengths[kind], declared);
        for (size_t i = 0; i < lengths[kind] && code == 0; i++)
            *declared++ |= kind << MUSTER__KIND_SHIFT;
    }
    if (code != 0)
        return code;
    for (size_t kind = 0; kind < MUSTER__KINDS; kind++)
        graph->kinds[kind] += lengths[kind];
    graph->declared_count += total;
    append_node(graph, node, name);
    return 0;
}

static void remove_last(struct muster__graph *graph)
{
    uint32_t id = --graph->count;
    uint32_t start = muster__declared_start(graph, id);
    while (graph->declared_count > start)
        graph->kinds[muster__declared_kind(graph->declared[--graph->declared_count])]--;
    uint32_t *driver = &graph->names.driver[graph->name[id]];
    if (*driver == id)
        *driver = MUSTER__NONE;
    else
        graph->duplicates--;
}

void muster__graph_truncate(struct muster__graph *graph, uint32_t count)
{
    while (graph->count > count)
        remove_last(graph);
    if (graph->checked.count > count)
        muster__checked_fini(graph->memory, &graph->checked);
}

/* ---- asking -------------------------------------------------------------------------------------- */

struct muster_error *muster__graph_problems(const struct muster__graph *graph)
{
    return graph->problems;
}

uint32_t muster__graph_count(const struct muster__graph *graph)
{
    return graph->count;
}

const char *muster__graph_name(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->count);
    return muster__names_text(&graph->names, graph->name[id]);
}

int64_t muster__graph_tier(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->count);
    return graph->tier == NULL ? 0 : graph->tier[id];
}

int64_t muster__graph_priority(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->count);
    return graph->priority == NULL ? 0 : graph->priority[id];
}

bool muster__graph_find(const struct muster__graph *graph, const char *name, uint32_t *ret_id)
{
    uint32_t found = muster__names_find(&graph->names, name);
    if (found == MUSTER__NONE || graph->names.driver[found] == MUSTER__NONE)
        return false;
    *ret_id = graph->names.driver[found];
    return true;
}

const uint32_t *muster__graph_order(const struct muster__graph *graph)
{
    return graph->checked.order;
}

uint32_t muster__graph_level(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->checked.count);
    return graph->checked.level[id];
}

struct muster__ids muster__graph_dependents(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->checked.count);
    return muster__row(&graph->checked.dependents, id);
}

uint32_t muster__graph_dependency_count(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->checked.count);
    return graph->checked.dependency_count[id];
}

int muster__graph_dependencies(struct muster__graph *graph, uint32_t id, struct muster__ids *ret_ids)
{
    struct muster__checked *checked = &graph->checked;
    assert(id < checked->count);
    if (checked->dependencies.start == NULL) {
        int code = muster__rows_transpose(graph->memory, &checked->dependents, checked->count,
                                          &checked->dependencies);
        if (code != 0)
            return code;
    }
    *ret_ids = muster__row(&checked->dependencies, id);
    return 0;
}

const char *muster__graph_need(const struct muster__graph *graph, uint32_t id, uint32_t i,
                               struct muster__ids *ret_providers)
{
    assert(id < graph->checked.count);
    uint32_t start = muster__declared_start(graph, id);
    if (i >= graph->declared_end[id] - start ||
        muster__declared_kind(graph->declared[start + i]) != MUSTER__NEEDS)
        return NULL;
    uint32_t name = muster__declared_name(graph->declared[start + i]);
    if (ret_providers != NULL)
        *ret_providers = muster__providers(graph, &graph->checked, name);
    return muster__names_text(&graph->names, name);
}

/* ---- walking ------------------------------------------------------------------------------------- */

static int begin_walk(const struct muster__graph *graph, struct muster__checked *checked)
{
    if (checked->queue == NULL)
        checked->queue = muster__alloc(graph->memory, checked->count, sizeof(uint32_t));
    if (checked->visited == NULL)
        checked->visited = muster__alloc(graph->memory, checked->count, sizeof(uint32_t));
    if (checked->queue == NULL || checked->visited == NULL)
        return MUSTER_ENOMEM;
    if (++checked->walk == 0) {
        memset(checked->visited, 0, checked->count * sizeof(uint32_t));
        checked->walk = 1;
    }
    return 0;
}

/* Within one tier; levels only rise along the way, so those at or above the goal's lead nowhere. */
static bool reaches(struct muster__checked *checked, uint32_t from, uint32_t goal)
{
    uint32_t waiting = 0;
    checked->queue[waiting++] = from;
    while (waiting > 0) {
        struct muster__ids next = muster__row(&checked->dependents, checked->queue[--waiting]);
        for (uint32_t i = 0; i < next.count; i++) {
            uint32_t id = next.ids[i];
            if (id == goal)
                return true;
            if (checked->level[id] >= checked->level[goal] || checked->visited[id] == checked->walk)
                continue;
            checked->visited[id] = checked->walk;
            checked->queue[waiting++] = id;
        }
    }
    return false;
}

int muster__graph_is_after(struct muster__graph *graph, uint32_t id, uint32_t other, bool *ret_after)
{
    struct muster__checked *checked = &graph->checked;
    assert(id < checked->count && other < checked->count);
    if (checked->level[id] <= checked->level[other]) {
        *ret_after = false;
        return 0;
    }
    if (checked->tiers.rank != NULL && checked->tiers.rank[id] != checked->tiers.rank[other]) {
        *ret_after = checked->tiers.rank[id] > checked->tiers.rank[other];
        return 0;
    }
    int code = begin_walk(graph, checked);
    if (code == 0)
        *ret_after = reaches(checked, other, id);
    return code;
}

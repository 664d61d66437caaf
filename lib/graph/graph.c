/* SPDX-License-Identifier: MIT */
#include "graph/graph.h"

#include <assert.h>
#include <string.h>

#include <muster/driver.h>
#include <muster/error.h>

#include "graph/internal.h"
#include "graph/limits.h"

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
    muster__free(graph->memory, graph->declared_start);
    muster__free(graph->memory, graph->tier);
    muster__free(graph->memory, graph->priority);
    muster__free(graph->memory, graph->declared);
    muster__free(graph->memory, graph);
}

/* ---- adding -------------------------------------------------------------------------------------- */

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

static __attribute__((noinline)) int reserve_values(struct muster__graph *graph, const struct muster_driver_def *def)
{
    int code = reserve_value(graph, &graph->tier, &graph->tier_capacity, def->tier);
    return code == 0 ? reserve_value(graph, &graph->priority, &graph->priority_capacity, def->priority) : code;
}

static __attribute__((noinline)) void set_values(struct muster__graph *graph, const struct muster_driver_def *def)
{
    if (graph->tier != NULL)
        graph->tier[graph->count] = def->tier;
    if (graph->priority != NULL)
        graph->priority[graph->count] = def->priority;
}

void muster__graph_settle(struct muster__graph *graph)
{
    struct muster__names *names = &graph->names;
    uint32_t drivers = names->drivers.count;
    uint32_t mentions = names->mentions.count;
    if (drivers + mentions == 0)
        return;
    graph->duplicates += muster__names_settle(names, graph->name + graph->settled, graph->settled,
                                              graph->declared + graph->declared_count - mentions);
    graph->settled += drivers;
}

/* Room for some more names, be they those of nodes or what is declared about others. */
static int reserve_window(struct muster__graph *graph)
{
    muster__graph_settle(graph);
    size_t nodes = (size_t)graph->settled + MUSTER__NAMES_WINDOW + 1;
    size_t declared = (size_t)graph->declared_count + MUSTER__NAMES_WINDOW + 1;
    if (nodes > MUSTER__NODES_MAX || declared > MUSTER__DECLARED_MAX)
        return MUSTER_ENOMEM;
    int code = muster__reserve(graph->memory, &graph->name, &graph->name_capacity, nodes, sizeof(uint32_t));
    if (code == 0)
        code = muster__reserve(graph->memory, &graph->declared_start, &graph->declared_start_capacity, nodes,
                               sizeof(uint32_t));
    if (code == 0)
        code = muster__reserve(graph->memory, &graph->declared, &graph->declared_capacity, declared, sizeof(uint32_t));
    if (code == 0)
        graph->declared_start[0] = 0;
    return code == 0 ? muster__names_reserve(&graph->names) : code;
}

static int put_list(struct muster__graph *graph, const char *const *list, enum muster__kind kind)
{
    while (*list != NULL) {
        int code = graph->names.has_room ? 0 : reserve_window(graph);
        if (code != 0)
            return code;
        size_t count = muster__names_put(&graph->names, list, kind);
        graph->kinds[kind] += count;
        graph->declared_count += (uint32_t)count;
        list += count;
        if (*list != NULL && graph->names.has_room)
            return MUSTER_EINVAL;
    }
    return 0;
}

static __attribute__((noinline)) int put_others(struct muster__graph *graph, const struct muster_driver_def *def)
{
    const char *const *lists[MUSTER__KINDS] = {NULL, def->wants, def->after, def->before, def->provides};
    int code = 0;
    for (uint32_t kind = MUSTER__WANTS; kind < MUSTER__KINDS && code == 0; kind++)
        if (lists[kind] != NULL)
            code = put_list(graph, lists[kind], (enum muster__kind)kind);
    return code;
}

static bool declares_others(const struct muster_driver_def *def)
{
    return def->wants != NULL || def->after != NULL || def->before != NULL || def->provides != NULL;
}

/* A long name may find no room where another would. */
static int put_name(struct muster__graph *graph, const char *name)
{
    while (!muster__names_put_driver(&graph->names, name)) {
        int code = graph->names.has_room ? MUSTER_EINVAL : reserve_window(graph);
        if (code != 0)
            return code;
    }
    return 0;
}

/* Most have a name and needs: what others have isn't inlined. */
int muster__graph_add(struct muster__graph *graph, const struct muster_driver_def *def)
{
    bool has_values = graph->tier != NULL || graph->priority != NULL || (def->tier | def->priority) != 0;
    int code = has_values ? reserve_values(graph, def) : 0;
    if (code == 0)
        code = put_name(graph, def->name);
    if (code != 0)
        return code;
    if (has_values)
        set_values(graph, def);
    if (def->needs != NULL)
        code = put_list(graph, def->needs, MUSTER__NEEDS);
    if (code == 0 && declares_others(def))
        code = put_others(graph, def);
    graph->declared_start[++graph->count] = graph->declared_count;
    if (code != 0)
        muster__graph_truncate(graph, graph->count - 1);
    return code;
}

static void remove_last(struct muster__graph *graph)
{
    uint32_t id = --graph->count;
    struct muster__name *name = muster__name_of(&graph->names, graph->name[id]);
    while (graph->declared_count > graph->declared_start[id]) {
        uint32_t declared = graph->declared[--graph->declared_count];
        graph->kinds[muster__declared_kind(declared)]--;
        muster__name_of(&graph->names, muster__declared_name(declared))->mentions--;
    }
    if (name->driver == id)
        name->driver = MUSTER__NONE;
    else
        graph->duplicates--;
}

void muster__graph_truncate(struct muster__graph *graph, uint32_t count)
{
    muster__graph_settle(graph);
    while (graph->count > count)
        remove_last(graph);
    graph->settled = graph->count;
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

const char *muster__graph_name(struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->count);
    if (id >= graph->settled)
        muster__graph_settle(graph);
    return muster__names_show(&graph->names, graph->name[id]);
}

int64_t muster__graph_tier(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->count);
    return graph->tier == NULL ? 0 : graph->tier[id];
}

bool muster__graph_find(struct muster__graph *graph, const char *name, uint32_t *ret_id)
{
    muster__graph_settle(graph);
    uint32_t found = muster__names_find(&graph->names, name);
    uint32_t driver = found == MUSTER__NONE ? MUSTER__NONE : muster__name_of(&graph->names, found)->driver;
    if (driver == MUSTER__NONE)
        return false;
    *ret_id = driver;
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
    return muster__dependents(graph, &graph->checked, id);
}

uint32_t muster__graph_dependency_count(const struct muster__graph *graph, uint32_t id)
{
    assert(id < graph->checked.count);
    return muster__dependency_count(graph, &graph->checked, id);
}

int muster__graph_dependencies(struct muster__graph *graph, uint32_t id, struct muster__ids *ret_ids)
{
    struct muster__checked *checked = &graph->checked;
    assert(id < checked->count);
    if (checked->dependencies.start == NULL) {
        int code = muster__rows_dependencies(graph, checked);
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
    uint32_t start = graph->declared_start[id];
    if (i >= graph->declared_start[id + 1] - start ||
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
static bool reaches(const struct muster__graph *graph, uint32_t from, uint32_t goal)
{
    const struct muster__checked *checked = &graph->checked;
    uint32_t waiting = 0;
    checked->queue[waiting++] = from;
    while (waiting > 0) {
        struct muster__ids next = muster__dependents(graph, checked, checked->queue[--waiting]);
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
        *ret_after = reaches(graph, other, id);
    return code;
}

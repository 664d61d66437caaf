/* SPDX-License-Identifier: MIT */
/* Lists of ids, built by counting. */
#include <string.h>

#include <muster/error.h>

#include "graph/internal.h"
#include "graph/limits.h"

void muster__rows_fini(const struct muster__memory *memory, struct muster__rows *rows)
{
    muster__free(memory, rows->start);
    muster__free(memory, rows->ids);
    *rows = (struct muster__rows){0};
}

/* start[x] holds how many ids x gets; afterwards where they begin. Returns their sum. */
static size_t sum_up(uint32_t *start, uint32_t count)
{
    size_t sum = 0;
    for (uint32_t x = 0; x < count; x++) {
        uint32_t own = start[x];
        start[x] = (uint32_t)sum;
        sum += own;
    }
    start[count] = (uint32_t)sum;
    return sum;
}

/* `start` has counted `rows`; make the lists. */
static int begin_fill(const struct muster__memory *memory, struct muster__rows *rows, uint32_t count,
                      uint32_t *cursor)
{
    size_t sum = sum_up(rows->start, count);
    rows->ids = muster__realloc(memory, NULL, sum, sizeof(*rows->ids));
    if (rows->ids == NULL)
        return MUSTER_ENOMEM;
    memcpy(cursor, rows->start, count * sizeof(*cursor));
    return 0;
}

/* Put `id` at the end of row x, unless it is there already: rows are filled in the order of the ids. */
static inline bool put(const struct muster__rows *rows, uint32_t *cursor, uint32_t x, uint32_t id)
{
    uint32_t at = cursor[x];
    if (at > rows->start[x] && rows->ids[at - 1] == id)
        return false;
    rows->ids[at] = id;
    cursor[x] = at + 1;
    return true;
}

/* Rows end at their cursors: move them together. */
static void end_fill(const struct muster__memory *memory, struct muster__rows *rows, uint32_t count,
                     const uint32_t *cursor)
{
    size_t before = rows->start[count];
    uint32_t to = 0;
    for (uint32_t x = 0; x < count; x++) {
        uint32_t length = cursor[x] - rows->start[x];
        memmove(rows->ids + to, rows->ids + rows->start[x], length * sizeof(*rows->ids));
        rows->start[x] = to;
        to += length;
    }
    rows->start[count] = to;
    muster__trim(memory, &rows->ids, &before, to, sizeof(*rows->ids));
}

/* ---- providers ----------------------------------------------------------------------------------- */

static void count_provided(const struct muster__graph *graph, uint32_t *start)
{
    for (uint32_t node = 0; node < graph->count; node++)
        start[graph->name[node]]++;
    for (size_t i = 0; i < graph->declared_count; i++)
        if (muster__declared_kind(graph->declared[i]) == MUSTER__PROVIDES)
            start[muster__declared_name(graph->declared[i])]++;
}

static void fill_provided(const struct muster__graph *graph, const struct muster__rows *rows,
                          uint32_t *cursor)
{
    for (uint32_t node = 0; node < graph->count; node++) {
        if (muster__name_of(&graph->names, graph->name[node])->driver == node)
            put(rows, cursor, graph->name[node], node);
        for (uint32_t i = graph->declared_start[node]; i < graph->declared_start[node + 1]; i++)
            if (muster__declared_kind(graph->declared[i]) == MUSTER__PROVIDES)
                put(rows, cursor, muster__declared_name(graph->declared[i]), node);
    }
}

int muster__rows_providers(const struct muster__graph *graph, struct muster__checked *checked)
{
    struct muster__rows *rows = &checked->providers;
    uint32_t names = graph->names.count;
    if (graph->kinds[MUSTER__PROVIDES] == 0)
        return 0;
    uint32_t *cursor = muster__realloc(graph->memory, NULL, names, sizeof(*cursor));
    rows->start = muster__alloc(graph->memory, (size_t)names + 1, sizeof(*rows->start));
    int code = MUSTER_ENOMEM;
    if (cursor == NULL || rows->start == NULL)
        goto out;
    count_provided(graph, rows->start);
    code = begin_fill(graph->memory, rows, names, cursor);
    if (code != 0)
        goto out;
    fill_provided(graph, rows, cursor);
    end_fill(graph->memory, rows, names, cursor);
out:
    muster__free(graph->memory, cursor);
    return code;
}

/* ---- transposing --------------------------------------------------------------------------------- */

static bool fill_transposed(const struct muster__rows *rows, const uint32_t *index, uint32_t count,
                            const struct muster__rows *turned, uint32_t *cursor)
{
    bool merged = false;
    for (uint32_t x = 0; x < count; x++) {
        struct muster__ids row = muster__row(rows, index == NULL ? x : index[x]);
        for (uint32_t i = 0; i < row.count; i++)
            if (!put(turned, cursor, row.ids[i], x))
                merged = true;
    }
    return merged;
}

/* Turn the edges round; equal ones are merged, and rows come out ascending. The row of x is index[x], if there is one. */
static int transpose(const struct muster__memory *memory, const struct muster__rows *rows, const uint32_t *index,
                     uint32_t count, struct muster__rows *ret_rows)
{
    struct muster__rows turned = {0};
    uint32_t *cursor = muster__realloc(memory, NULL, count, sizeof(*cursor));
    turned.start = muster__alloc(memory, (size_t)count + 1, sizeof(*turned.start));
    int code = MUSTER_ENOMEM;
    if (cursor == NULL || turned.start == NULL)
        goto out;
    for (uint32_t i = 0; i < rows->start[count]; i++)
        turned.start[rows->ids[i]]++;
    code = begin_fill(memory, &turned, count, cursor);
    if (code != 0)
        goto out;
    if (fill_transposed(rows, index, count, &turned, cursor))
        end_fill(memory, &turned, count, cursor);
    *ret_rows = turned;
    turned = (struct muster__rows){0};
out:
    muster__rows_fini(memory, &turned);
    muster__free(memory, cursor);
    return code;
}

int muster__rows_dependencies(const struct muster__graph *graph, struct muster__checked *checked)
{
    return transpose(graph->memory, &checked->dependents, checked->by_name ? graph->name : NULL, checked->count,
                     &checked->dependencies);
}

/* ---- dependents, by name ------------------------------------------------------------------------- */

bool muster__rows_are_by_name(const struct muster__graph *graph)
{
    return graph->kinds[MUSTER__BEFORE] == 0 && graph->kinds[MUSTER__PROVIDES] == 0 &&
           graph->duplicates == 0 && graph->names.count == graph->count;
}

/* start[name] is where its row ends: as long as it was mentioned. */
static void sum_up_mentions(const struct muster__graph *graph, uint32_t *start)
{
    uint32_t sum = 0;
    for (uint32_t name = 0; name < graph->names.count; name++)
        start[name] = sum += muster__name_of(&graph->names, name)->mentions;
    start[graph->names.count] = sum;
}

/* From their ends to where they begin: so the last driver comes first. */
static void fill_by_name(const struct muster__graph *graph, const struct muster__rows *rows)
{
    if (graph->declared_count == 0)
        return; /* nor is there an array */
    const uint32_t *declared = graph->declared + graph->declared_count;
    uint32_t *start = rows->start;
    uint32_t *ids = rows->ids;
    for (uint32_t node = graph->count; node-- > 0;) {
        const uint32_t *own = graph->declared + graph->declared_start[node];
        while (declared > own)
            ids[--start[muster__declared_name(*--declared)]] = node;
    }
}

int muster__rows_by_name(const struct muster__graph *graph, struct muster__checked *checked)
{
    struct muster__rows *rows = &checked->dependents;
    rows->start = muster__realloc(graph->memory, NULL, (size_t)graph->names.count + 1, sizeof(*rows->start));
    rows->ids = muster__realloc(graph->memory, NULL, graph->declared_count, sizeof(*rows->ids));
    if (rows->start == NULL || rows->ids == NULL)
        return MUSTER_ENOMEM;
    sum_up_mentions(graph, rows->start);
    fill_by_name(graph, rows);
    checked->by_name = true;
    return 0;
}

/* ---- dependents, by driver ----------------------------------------------------------------------- */

/* How many ids each row may get, at most. MUSTER_ENOMEM if there are too many. */
static int count_edges(const struct muster__graph *graph, const struct muster__checked *checked,
                       uint32_t *start, bool *ret_suspect)
{
    bool suspect = false;
    size_t total = 0;
    for (uint32_t node = 0, i = 0; node < graph->count; node++) {
        for (; i < graph->declared_start[node + 1]; i++) {
            enum muster__kind kind = muster__declared_kind(graph->declared[i]);
            if (kind == MUSTER__PROVIDES)
                continue;
            struct muster__ids others =
                muster__providers(graph, checked, muster__declared_name(graph->declared[i]));
            total += others.count;
            if (total > MUSTER__EDGES_MAX)
                return MUSTER_ENOMEM;
            suspect |= kind == MUSTER__NEEDS && others.count == 0;
            for (uint32_t k = 0; k < others.count; k++) {
                suspect |= others.ids[k] == node;
                start[kind == MUSTER__BEFORE ? node : others.ids[k]] += others.ids[k] != node;
            }
        }
    }
    *ret_suspect = suspect;
    return 0;
}

/* Returns whether edges were merged. */
static bool fill_edges(const struct muster__graph *graph, struct muster__checked *checked, uint32_t *cursor)
{
    bool merged = false;
    for (uint32_t node = 0, i = 0; node < graph->count; node++) {
        for (; i < graph->declared_start[node + 1]; i++) {
            enum muster__kind kind = muster__declared_kind(graph->declared[i]);
            if (kind == MUSTER__PROVIDES)
                continue;
            struct muster__ids others =
                muster__providers(graph, checked, muster__declared_name(graph->declared[i]));
            for (uint32_t k = 0; k < others.count; k++) {
                uint32_t other = others.ids[k];
                uint32_t dependency = kind == MUSTER__BEFORE ? node : other;
                uint32_t dependent = kind == MUSTER__BEFORE ? other : node;
                if (other == node)
                    continue;
                if (put(&checked->dependents, cursor, dependency, dependent))
                    checked->dependency_count[dependent]++;
                else
                    merged = true;
            }
        }
    }
    return merged;
}

/* `before` fills rows out of order: turning them round twice sorts them and finds what is equal. */
static int sort_rows(const struct muster__graph *graph, struct muster__checked *checked)
{
    struct muster__rows unsorted = checked->dependents;
    struct muster__rows sorted;
    int code = transpose(graph->memory, &unsorted, NULL, checked->count, &checked->dependencies);
    if (code != 0)
        return code;
    code = transpose(graph->memory, &checked->dependencies, NULL, checked->count, &sorted);
    if (code != 0)
        return code;
    muster__rows_fini(graph->memory, &unsorted);
    checked->dependents = sorted;
    for (uint32_t node = 0; node < checked->count; node++)
        checked->dependency_count[node] = muster__row(&checked->dependencies, node).count;
    return 0;
}

static int make_by_driver(const struct muster__graph *graph, struct muster__checked *checked, uint32_t *cursor,
                          bool *ret_suspect)
{
    struct muster__rows *rows = &checked->dependents;
    rows->start = muster__alloc(graph->memory, (size_t)graph->count + 1, sizeof(*rows->start));
    checked->dependency_count = muster__alloc(graph->memory, graph->count, sizeof(uint32_t));
    if (cursor == NULL || rows->start == NULL || checked->dependency_count == NULL)
        return MUSTER_ENOMEM;
    int code = count_edges(graph, checked, rows->start, ret_suspect);
    if (code == 0)
        code = begin_fill(graph->memory, rows, graph->count, cursor);
    if (code != 0)
        return code;
    if (fill_edges(graph, checked, cursor))
        end_fill(graph->memory, rows, graph->count, cursor);
    return graph->kinds[MUSTER__BEFORE] == 0 ? 0 : sort_rows(graph, checked);
}

int muster__rows_dependents(const struct muster__graph *graph, struct muster__checked *checked, bool *ret_suspect)
{
    uint32_t *cursor = muster__realloc(graph->memory, NULL, graph->count, sizeof(*cursor));
    int code = make_by_driver(graph, checked, cursor, ret_suspect);
    muster__free(graph->memory, cursor);
    return code;
}

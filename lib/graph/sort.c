/* SPDX-License-Identifier: MIT */
/* Levels, order and tiers, in linear time. */
#include <string.h>

#include <muster/error.h>

#include "graph/internal.h"

/* Up to so many nodes, they are in the cache anyway; with more, a row is asked for so many nodes before it is needed. */
#define NODES_NEAR 4000
#define AHEAD 8

static uint64_t sortable(int64_t key, bool descending)
{
    uint64_t bits = (uint64_t)key ^ (UINT64_C(1) << 63);
    return descending ? ~bits : bits;
}

static uint64_t differing_bits(const int64_t *keys, uint32_t count)
{
    uint64_t differing = 0;
    for (uint32_t id = 0; id < count; id++)
        differing |= (uint64_t)keys[id] ^ (uint64_t)keys[0];
    return differing;
}

/* The ids 0 to count - 1 by their keys, equal ones by id: one pass for each byte in which keys differ. */
static uint32_t *sort_by_key(const struct muster__memory *memory, const int64_t *keys, uint32_t count,
                             bool descending)
{
    uint64_t differing = differing_bits(keys, count);
    uint32_t *ids = muster__realloc(memory, NULL, count, sizeof(*ids));
    uint32_t *other = muster__realloc(memory, NULL, count, sizeof(*other));
    if (ids == NULL || other == NULL) {
        muster__free(memory, ids);
        muster__free(memory, other);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        ids[i] = i;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint32_t place[257] = {0};
        if ((differing >> shift & 0xff) == 0)
            continue;
        for (uint32_t i = 0; i < count; i++)
            place[(sortable(keys[i], descending) >> shift & 0xff) + 1]++;
        for (size_t digit = 1; digit < 257; digit++)
            place[digit] += place[digit - 1];
        for (uint32_t i = 0; i < count; i++)
            other[place[sortable(keys[ids[i]], descending) >> shift & 0xff]++] = ids[i];
        uint32_t *sorted = other;
        other = ids;
        ids = sorted;
    }
    muster__free(memory, other);
    return ids;
}

/* ---- tiers --------------------------------------------------------------------------------------- */

static uint32_t count_tiers(const int64_t *tier, const uint32_t *sorted, uint32_t count)
{
    uint32_t tiers = 1;
    for (uint32_t i = 1; i < count; i++)
        tiers += tier[sorted[i]] != tier[sorted[i - 1]];
    return tiers;
}

static void rank_nodes(const int64_t *tier, uint32_t count, struct muster__tiers *tiers)
{
    const uint32_t *sorted = tiers->members.ids;
    uint32_t rank = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && tier[sorted[i]] != tier[sorted[i - 1]])
            tiers->members.start[++rank] = i;
        tiers->rank[sorted[i]] = rank;
    }
    tiers->members.start[rank + 1] = count;
}

int muster__sort_tiers(const struct muster__graph *graph, struct muster__checked *checked)
{
    struct muster__tiers *tiers = &checked->tiers;
    tiers->count = 1;
    if (graph->tier == NULL || differing_bits(graph->tier, graph->count) == 0)
        return 0;
    tiers->members.ids = sort_by_key(graph->memory, graph->tier, graph->count, false);
    if (tiers->members.ids == NULL)
        return MUSTER_ENOMEM;
    tiers->count = count_tiers(graph->tier, tiers->members.ids, graph->count);
    tiers->members.start = muster__alloc(graph->memory, (size_t)tiers->count + 1, sizeof(uint32_t));
    tiers->rank = muster__realloc(graph->memory, NULL, graph->count, sizeof(uint32_t));
    if (tiers->members.start == NULL || tiers->rank == NULL)
        return MUSTER_ENOMEM;
    rank_nodes(graph->tier, graph->count, tiers);
    return 0;
}

/* ---- waves --------------------------------------------------------------------------------------- */

struct waves {
    const struct muster__graph *graph;
    const struct muster__checked *checked;
    uint32_t *left;      /* what each node still waits for; a lower tier counts as one */
    uint32_t *tier_left; /* by rank: how many of its members aren't ordered yet; NULL with one tier */
    uint32_t *queue;     /* with room for one more */
    uint32_t queued;
    uint32_t *begin; /* by wave, in the queue: so many nodes are of lower levels */
};

/* Without a branch to guess: each node is written behind the queue, and stays if it is counted. */
static inline void release(struct waves *waves, struct muster__ids nodes)
{
    uint32_t *left = waves->left;
    uint32_t *queue = waves->queue;
    uint32_t queued = waves->queued;
    for (const uint32_t *id = nodes.ids; id < nodes.ids + nodes.count; id++) {
        uint32_t node = *id;
        queue[queued] = node;
        queued += --left[node] == 0;
    }
    waves->queued = queued;
}

static inline void leave(struct waves *waves, uint32_t node)
{
    const struct muster__tiers *tiers = &waves->checked->tiers;
    release(waves, muster__dependents(waves->graph, waves->checked, node));
    if (tiers->rank == NULL)
        return;
    uint32_t rank = tiers->rank[node];
    if (--waves->tier_left[rank] == 0 && rank + 1 < tiers->count)
        release(waves, muster__row(&tiers->members, rank + 1));
}

static int begin_tiers(struct waves *waves)
{
    const struct muster__tiers *tiers = &waves->checked->tiers;
    if (tiers->rank == NULL)
        return 0;
    waves->tier_left = muster__realloc(waves->graph->memory, NULL, tiers->count, sizeof(uint32_t));
    if (waves->tier_left == NULL)
        return MUSTER_ENOMEM;
    for (uint32_t rank = 0; rank < tiers->count; rank++)
        waves->tier_left[rank] = muster__row(&tiers->members, rank).count;
    return 0;
}

static void begin_waves(struct waves *waves)
{
    const uint32_t *rank = waves->checked->tiers.rank;
    for (uint32_t node = 0; node < waves->checked->count; node++) {
        uint32_t left = muster__dependency_count(waves->graph, waves->checked, node) + (rank != NULL && rank[node] > 0);
        waves->left[node] = left;
        waves->queue[waves->queued] = node;
        waves->queued += left == 0;
    }
}

/* (Else it is dropped by the compiler, which sees no effect.) */
static inline __attribute__((always_inline)) void prefetch_dependents(const struct waves *waves, uint32_t i)
{
    if (i < waves->queued)
        __builtin_prefetch(muster__dependents(waves->graph, waves->checked, waves->queue[i]).ids);
}

/*
 * Each wave is what the ones before it have set free. A node that leaves waits for nothing any more: from then on its
 * place holds its level.
 */
static void run_waves(struct waves *waves)
{
    const uint32_t ahead = waves->checked->count > NODES_NEAR ? AHEAD : waves->checked->count;
    uint32_t *level = waves->left;
    uint32_t wave = 0;
    for (uint32_t i = 0; i < waves->queued; wave++) {
        waves->begin[wave] = i;
        for (uint32_t end = waves->queued; i < end; i++) {
            level[waves->queue[i]] = wave;
            prefetch_dependents(waves, i + ahead);
            leave(waves, waves->queue[i]);
        }
    }
}

static void mark_left(const struct waves *waves)
{
    memset(waves->left, 0xff, waves->checked->count * sizeof(*waves->left));
    for (uint32_t i = 0; i < waves->queued; i++)
        waves->left[waves->queue[i]] = 0;
}

/* By level; in a level as they come: by id, or as `first` has them. `place` is where each level begins. */
static void order_by_level(const struct muster__checked *checked, const uint32_t *first, uint32_t *place)
{
    for (uint32_t i = 0; i < checked->count; i++) {
        uint32_t node = first == NULL ? i : first[i];
        checked->order[place[checked->level[node]]++] = node;
    }
}

static int order(const struct waves *waves)
{
    const struct muster__graph *graph = waves->graph;
    uint32_t *first = NULL;
    if (graph->priority != NULL) {
        first = sort_by_key(graph->memory, graph->priority, graph->count, true);
        if (first == NULL)
            return MUSTER_ENOMEM;
    }
    order_by_level(waves->checked, first, waves->begin);
    muster__free(graph->memory, first);
    return 0;
}

int muster__sort(const struct muster__graph *graph, struct muster__checked *checked, uint32_t *ret_left)
{
    checked->level = muster__realloc(graph->memory, NULL, checked->count, sizeof(uint32_t));
    checked->order = muster__realloc(graph->memory, NULL, (size_t)checked->count + 1, sizeof(uint32_t));
    struct waves waves = {.graph = graph, .checked = checked, .left = checked->level, .queue = checked->order};
    waves.begin = muster__realloc(graph->memory, NULL, checked->count, sizeof(uint32_t));
    bool has_room = checked->level != NULL && checked->order != NULL && waves.begin != NULL;
    int code = has_room ? begin_tiers(&waves) : MUSTER_ENOMEM;
    if (code == 0) {
        begin_waves(&waves);
        run_waves(&waves);
        *ret_left = checked->count - waves.queued;
        if (*ret_left == 0)
            code = order(&waves);
        else
            mark_left(&waves);
    }
    muster__free(graph->memory, waves.tier_left);
    muster__free(graph->memory, waves.begin);
    return code;
}

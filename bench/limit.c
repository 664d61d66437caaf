/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Texts looked up together, so that their cache misses overlap. */
#define BATCH 64
#define ID_BYTES sizeof(uint32_t)
#define UNKNOWN UINT32_MAX

/* `place` of the name in `names`, its id before it; 0: empty. */
struct bench_limit_slot {
    uint32_t hash;
    uint32_t place;
};

struct batch {
    const char *texts[BATCH];
    size_t lengths[BATCH];
    uint32_t hashes[BATCH];
    uint32_t count;
};

static void *plain_alloc(void *data, size_t bytes)
{
    (void)data;
    return malloc(bytes);
}

static void plain_free(void *data, void *old)
{
    (void)data;
    free(old);
}

void bench_limit_init(struct bench_limit *limit, const struct muster_allocator *allocator)
{
    *limit = (struct bench_limit){.allocator = {.alloc = plain_alloc, .free = plain_free}};
    if (allocator != NULL)
        limit->allocator = *allocator;
}

static void *take(const struct bench_limit *limit, size_t bytes)
{
    return limit->allocator.alloc(limit->allocator.data, bytes > 0 ? bytes : 1);
}

static void drop(const struct bench_limit *limit, void *block)
{
    if (block != NULL)
        limit->allocator.free(limit->allocator.data, block);
}

void bench_limit_fini(struct bench_limit *limit)
{
    drop(limit, limit->start);
    drop(limit, limit->ids);
    drop(limit, limit->waits_for);
    drop(limit, limit->order);
    drop(limit, limit->left);
    drop(limit, limit->slots);
    drop(limit, limit->names);
    drop(limit, limit->declared);
}

/* ---- interning ----------------------------------------------------------------------------------- */

/* Multiply and fold (wyhash's mixing step; public domain, Wang Yi). */
static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

struct ends {
    uint64_t first;
    uint64_t last;
};

/* The first and the last bytes, which may overlap: all of a text of 16 bytes or fewer. */
static inline struct ends read_ends(const char *text, size_t length)
{
    struct ends ends;
    if (length >= 8) {
        memcpy(&ends.first, text, 8);
        memcpy(&ends.last, text + length - 8, 8);
        return ends;
    }
    if (length >= 4) {
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, text + length - 4, 4);
        return (struct ends){first, last};
    }
    if (length == 0)
        return (struct ends){0, 0};
    uint64_t first = (unsigned char)text[0] | (uint64_t)(unsigned char)text[length / 2] << 8;
    return (struct ends){first, (unsigned char)text[length - 1]};
}

static inline uint32_t hash_text(const char *text, size_t length)
{
    struct ends ends = read_ends(text, length);
    uint64_t seed = 0x9e3779b97f4a7c15u ^ length;
    for (size_t at = 8; at + 8 < length; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, 8);
        seed = mix(seed ^ word, 0xd6e8feb86659fd93u);
    }
    return (uint32_t)(mix(ends.first ^ seed, ends.last ^ 0xa0761d6478bd642fu) >> 32);
}

/* `texts` are NUL-terminated; a 0 at the candidate's end says that they are of one length. */
static inline bool same_text(const char *candidate, const char *text, size_t length)
{
    if (length > 16)
        return memcmp(candidate, text, length + 1) == 0;
    struct ends a = read_ends(candidate, length);
    struct ends b = read_ends(text, length);
    return a.first == b.first && a.last == b.last && candidate[length] == '\0';
}

static inline void put_text(const struct bench_limit *limit, struct batch *batch, const char *text)
{
    uint32_t i = batch->count++;
    batch->texts[i] = text;
    batch->lengths[i] = strlen(text);
    batch->hashes[i] = hash_text(text, batch->lengths[i]);
    __builtin_prefetch(&limit->slots[batch->hashes[i] >> limit->shift]);
}

static void prefetch_names(const struct bench_limit *limit, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        __builtin_prefetch(limit->names + limit->slots[batch->hashes[i] >> limit->shift].place);
}

static inline struct bench_limit_slot *find_slot(const struct bench_limit *limit, const struct batch *batch, uint32_t i)
{
    for (uint32_t at = batch->hashes[i] >> limit->shift;; at = (at + 1) & limit->mask) {
        struct bench_limit_slot *slot = &limit->slots[at];
        if (slot->place == 0)
            return slot;
        if (slot->hash == batch->hashes[i] &&
            same_text(limit->names + slot->place + ID_BYTES, batch->texts[i], batch->lengths[i]))
            return slot;
    }
}

/* All names first: their ids are the drivers' own. */
static int intern_batch(struct bench_limit *limit, struct batch *batch, uint32_t *id)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct bench_limit_slot *slot = find_slot(limit, batch, i);
        if (slot->place != 0)
            return -1;
        slot->hash = batch->hashes[i];
        slot->place = (uint32_t)limit->names_bytes;
        memcpy(limit->names + slot->place, id, ID_BYTES);
        memcpy(limit->names + slot->place + ID_BYTES, batch->texts[i], batch->lengths[i] + 1);
        limit->names_bytes += ID_BYTES + batch->lengths[i] + 1;
        ++*id;
    }
    batch->count = 0;
    return 0;
}

static int intern_names(struct bench_limit *limit, const struct bench_graph *graph)
{
    struct batch batch = {.count = 0};
    uint32_t id = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        put_text(limit, &batch, graph->names[i]);
        if (batch.count == BATCH && intern_batch(limit, &batch, &id) != 0)
            return -1;
    }
    return intern_batch(limit, &batch, &id);
}

static int find_batch(const struct bench_limit *limit, struct batch *batch, uint32_t **declared)
{
    prefetch_names(limit, batch);
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t place = find_slot(limit, batch, i)->place;
        if (place == 0)
            return -1;
        uint32_t id;
        memcpy(&id, limit->names + place, ID_BYTES);
        limit->start[id]++;
        *(*declared)++ = id;
    }
    batch->count = 0;
    return 0;
}

static int find_needs(struct bench_limit *limit, const struct bench_graph *graph)
{
    struct batch batch = {.count = 0};
    uint32_t *declared = limit->declared;
    for (uint32_t i = 0; i < graph->count; i++) {
        const char *const *need = graph->needs[i];
        for (; *need != NULL; need++) {
            put_text(limit, &batch, *need);
            if (batch.count == BATCH && find_batch(limit, &batch, &declared) != 0)
                return -1;
        }
        limit->waits_for[i] = (uint32_t)(need - graph->needs[i]);
    }
    return find_batch(limit, &batch, &declared);
}

/* ---- rows ---------------------------------------------------------------------------------------- */

/* From how many to where each ends, then filled from the end: start is where it begins. */
static void fill_rows(struct bench_limit *limit, size_t edges)
{
    uint32_t sum = 0;
    for (uint32_t id = 0; id < limit->count; id++)
        limit->start[id] = sum += limit->start[id];
    limit->start[limit->count] = sum;
    const uint32_t *declared = limit->declared + edges;
    for (uint32_t id = limit->count; id-- > 0;)
        for (uint32_t i = 0; i < limit->waits_for[id]; i++)
            limit->ids[--limit->start[*--declared]] = id;
}

static size_t count_names_bytes(const struct bench_graph *graph)
{
    size_t bytes = ID_BYTES;
    for (uint32_t i = 0; i < graph->count; i++)
        bytes += ID_BYTES + strlen(graph->names[i]) + 1;
    return bytes;
}

static int take_tables(struct bench_limit *limit, const struct bench_graph *graph)
{
    size_t slots = 64;
    limit->shift = 26;
    for (; slots / 2 < graph->count; slots *= 2)
        limit->shift--;
    limit->count = graph->count;
    limit->mask = (uint32_t)(slots - 1);
    limit->names_bytes = ID_BYTES;
    limit->slots = take(limit, slots * sizeof(*limit->slots));
    limit->names = take(limit, count_names_bytes(graph));
    limit->declared = take(limit, graph->edges * sizeof(uint32_t));
    limit->start = take(limit, ((size_t)graph->count + 1) * sizeof(uint32_t));
    limit->waits_for = take(limit, graph->count * sizeof(uint32_t));
    if (!limit->slots || !limit->names || !limit->declared || !limit->start || !limit->waits_for)
        return -1;
    memset(limit->slots, 0, slots * sizeof(*limit->slots));
    memset(limit->start, 0, ((size_t)graph->count + 1) * sizeof(uint32_t));
    return 0;
}

int bench_limit_intern(struct bench_limit *limit, const struct bench_graph *graph)
{
    if (take_tables(limit, graph) != 0 || intern_names(limit, graph) != 0 || find_needs(limit, graph) != 0)
        return -1;
    drop(limit, limit->slots);
    limit->slots = NULL;
    return 0;
}

int bench_limit_build(struct bench_limit *limit, const struct bench_graph *graph)
{
    if (bench_limit_intern(limit, graph) != 0)
        return -1;
    limit->ids = take(limit, graph->edges * sizeof(uint32_t));
    if (limit->ids == NULL)
        return -1;
    fill_rows(limit, graph->edges);
    drop(limit, limit->declared);
    limit->declared = NULL;
    limit->order = take(limit, ((size_t)graph->count + 1) * sizeof(uint32_t));
    limit->left = take(limit, graph->count * sizeof(uint32_t));
    return limit->order == NULL || limit->left == NULL ? -1 : 0;
}

/* ---- Kahn ---------------------------------------------------------------------------------------- */

static uint32_t begin_queue(const struct bench_limit *limit)
{
    uint32_t queued = 0;
    memcpy(limit->left, limit->waits_for, limit->count * sizeof(*limit->left));
    for (uint32_t id = 0; id < limit->count; id++)
        if (limit->left[id] == 0)
            limit->order[queued++] = id;
    return queued;
}

static uint32_t release(const struct bench_limit *limit, uint32_t id, uint32_t queued)
{
    for (uint32_t i = limit->start[id]; i < limit->start[id + 1]; i++) {
        uint32_t to = limit->ids[i];
        limit->order[queued] = to; /* no branch to guess: it is kept if it is counted */
        queued += --limit->left[to] == 0;
    }
    return queued;
}

int bench_limit_sort(struct bench_limit *limit)
{
    uint32_t queued = begin_queue(limit);
    for (uint32_t i = 0; i < queued; i++)
        queued = release(limit, limit->order[i], queued);
    return queued == limit->count ? 0 : -1;
}

int bench_limit_run(struct bench_limit *limit, const bench_limit_call *calls, void *data)
{
    uint32_t queued = begin_queue(limit);
    for (uint32_t i = 0; i < queued; i++) {
        uint32_t id = limit->order[i];
        if (calls[id](data) != 0)
            return -1;
        queued = release(limit, id, queued);
    }
    return queued == limit->count ? 0 : -1;
}

/* SPDX-License-Identifier: MIT */
#include "work.h"

#include <stdbool.h>

#define LAYERS 10

/* splitmix64 (public domain, Sebastiano Vigna). */
static uint32_t below(uint64_t *state, uint32_t end)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % end);
}

const char *work_shape_name(enum work_shape shape)
{
    static const char *const names[WORK_SHAPES] = {"random", "layers", "tree"};
    return names[shape];
}

/* A rank for the op of `rank` to wait for. */
static uint32_t choose(enum work_shape shape, uint32_t count, uint32_t rank, uint64_t *state)
{
    uint32_t width = count / LAYERS;
    return shape == WORK_LAYERS ? (rank / width - 1) * width + below(state, width) : below(state, rank);
}

static uint32_t wanted(enum work_shape shape, uint32_t count, uint32_t rank, uint64_t *state)
{
    switch (shape) {
    case WORK_LAYERS:
        return rank < count / LAYERS ? 0 : 2;
    case WORK_TREE:
        return rank > 0;
    default:
        return rank == 0 ? 0 : 1 + below(state, WORK_NEEDS_MAX);
    }
}

static void add_need(struct work_op *op, uint32_t id)
{
    for (uint32_t i = 0; i < op->need_count; i++)
        if (op->needs[i] == id)
            return;
    op->needs[op->need_count++] = id;
}

void work_make(struct work *work, enum work_shape shape, uint32_t count, uint64_t seed)
{
    uint32_t ids[WORK_OPS_MAX];
    uint64_t state = seed * WORK_SHAPES + shape;
    work->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = below(&state, i + 1);
        ids[i] = ids[k];
        ids[k] = i;
    }
    for (uint32_t rank = 0; rank < count; rank++) {
        struct work_op *op = &work->ops[ids[rank]];
        *op = (struct work_op){.ms = 1 + below(&state, WORK_MS_MAX)};
        for (uint32_t left = wanted(shape, count, rank, &state); left > 0; left--)
            add_need(op, ids[choose(shape, count, rank, &state)]);
    }
}

/* As there is no cycle, `count` rounds are enough; a round that changes nothing ends it. */
static uint32_t longest_path(const struct work *work)
{
    uint32_t ends[WORK_OPS_MAX] = {0};
    uint32_t longest = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < work->count; i++) {
            const struct work_op *op = &work->ops[i];
            uint32_t begin = 0;
            for (uint32_t k = 0; k < op->need_count; k++)
                begin = ends[op->needs[k]] > begin ? ends[op->needs[k]] : begin;
            changed = changed || ends[i] != begin + op->ms;
            ends[i] = begin + op->ms;
            longest = ends[i] > longest ? ends[i] : longest;
        }
    }
    return longest;
}

double work_limit(const struct work *work, uint32_t at_once)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < work->count; i++)
        all += work->ops[i].ms;
    double longest = longest_path(work);
    double divided = at_once == 0 ? 0 : (double)all / at_once;
    return longest > divided ? longest : divided;
}

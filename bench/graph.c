/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEEDS_MAX 7
#define LAYERS 10
/* "driver-4294967295" and its end. */
#define TEXT_BYTES 18

/* splitmix64 (public domain, Sebastiano Vigna). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t below(uint64_t *state, uint32_t end)
{
    return (uint32_t)(next_random(state) % end);
}

const char *bench_shape_name(enum bench_shape shape)
{
    static const char *const names[] = {"random", "chain", "layers"};
    return names[shape];
}

/* The ranks of what the driver of `rank` needs. Returns how many. */
static uint32_t choose(enum bench_shape shape, uint32_t count, uint32_t rank, uint64_t *state,
                       uint32_t needs[NEEDS_MAX])
{
    uint32_t width = count / LAYERS;
    uint32_t layer = rank / width;
    uint32_t wanted = 0;
    switch (shape) {
    case BENCH_RANDOM:
        wanted = 3 + below(state, NEEDS_MAX - 2);
        wanted = wanted < rank ? wanted : rank;
        for (uint32_t i = 0; i < wanted; i++)
            needs[i] = below(state, rank);
        break;
    case BENCH_CHAIN:
        wanted = rank > 0;
        needs[0] = rank - 1;
        break;
    case BENCH_LAYERS:
        wanted = layer > 0 ? 5 : 0;
        for (uint32_t i = 0; i < wanted; i++)
            needs[i] = (layer - 1) * width + below(state, width);
        break;
    }
    return wanted;
}

/* rank[driver] and driver[rank]: a permutation and its inverse. */
static void shuffle(uint32_t count, uint32_t *rank, uint32_t *driver, uint64_t *state)
{
    for (uint32_t i = 0; i < count; i++)
        rank[i] = i;
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other = below(state, i + 1);
        uint32_t swapped = rank[i];
        rank[i] = rank[other];
        rank[other] = swapped;
    }
    for (uint32_t i = 0; i < count; i++)
        driver[rank[i]] = i;
}

static const char *write_name(char **text, uint32_t id)
{
    char *begin = *text;
    *text += snprintf(begin, TEXT_BYTES, "driver-%u", (unsigned)id) + 1;
    return begin;
}

static void fill(struct bench_graph *graph, enum bench_shape shape, const uint32_t *rank,
                 const uint32_t *driver)
{
    uint64_t state = 1;
    const char **list = graph->lists;
    char *text = graph->texts;
    for (uint32_t id = 0; id < graph->count; id++) {
        uint32_t needs[NEEDS_MAX];
        uint32_t wanted = choose(shape, graph->count, rank[id], &state, needs);
        graph->names[id] = write_name(&text, id);
        graph->needs[id] = list;
        for (uint32_t i = 0; i < wanted; i++) {
            graph->ids[graph->edges++] = driver[needs[i]];
            *list++ = write_name(&text, driver[needs[i]]);
        }
        *list++ = NULL;
        graph->first[id + 1] = (uint32_t)graph->edges;
    }
}

struct bench_graph *bench_graph_new(enum bench_shape shape, uint32_t count)
{
    struct bench_graph *graph = calloc(1, sizeof(*graph));
    uint32_t *rank = malloc(count * sizeof(*rank));
    uint32_t *driver = malloc(count * sizeof(*driver));
    if (graph == NULL || rank == NULL || driver == NULL)
        goto fail;
    size_t texts = (size_t)count * (NEEDS_MAX + 1);
    graph->count = count;
    graph->names = malloc(count * sizeof(*graph->names));
    graph->needs = malloc(count * sizeof(*graph->needs));
    graph->first = calloc((size_t)count + 1, sizeof(*graph->first));
    graph->ids = malloc(texts * sizeof(*graph->ids));
    graph->lists = malloc(texts * sizeof(*graph->lists));
    graph->texts = malloc(texts * TEXT_BYTES);
    if (!graph->names || !graph->needs || !graph->first || !graph->ids || !graph->lists || !graph->texts)
        goto fail;
    uint64_t state = count;
    shuffle(count, rank, driver, &state);
    fill(graph, shape, rank, driver);
    free(rank);
    free(driver);
    return graph;
fail:
    free(rank);
    free(driver);
    bench_graph_free(graph);
    return NULL;
}

void bench_graph_free(struct bench_graph *graph)
{
    if (graph == NULL)
        return;
    free(graph->names);
    free(graph->needs);
    free(graph->first);
    free(graph->ids);
    free(graph->lists);
    free(graph->texts);
    free(graph);
}

bool bench_graph_is_order(const struct bench_graph *graph, const uint32_t *order)
{
    bool *done = calloc(graph->count, sizeof(*done));
    bool good = done != NULL;
    for (uint32_t i = 0; i < graph->count && good; i++) {
        uint32_t id = order[i];
        good = id < graph->count && !done[id];
        for (uint32_t k = good ? graph->first[id] : 0; good && k < graph->first[id + 1]; k++)
            good = done[graph->ids[k]];
        if (good)
            done[id] = true;
    }
    free(done);
    return good;
}

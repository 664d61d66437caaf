/* SPDX-License-Identifier: MIT */
/* Drivers to bring in order: the same for every subject, and in every run. */
#ifndef BENCH_GRAPH_H
#define BENCH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bench_shape {
    /* Each driver needs three to seven others, five on the average. */
    BENCH_RANDOM = 0,
    /* Each needs one other: as many levels as drivers. */
    BENCH_CHAIN = 1,
    /* Ten levels; each driver needs five of the level below. */
    BENCH_LAYERS = 2
};

/* Drivers in no order that the dependencies would allow. */
struct bench_graph {
    uint32_t count;
    size_t edges;
    const char **names;
    /* What each needs: ends with NULL. Every mention of a name is a text of its own. */
    const char *const **needs;
    /* The same as ids, all in one, for who checks an order; `first` has count + 1 places. */
    uint32_t *first;
    uint32_t *ids;
    /* The memory behind names and needs. */
    const char **lists;
    char *texts;
};

const char *bench_shape_name(enum bench_shape shape);

/* NULL: out of memory. */
struct bench_graph *bench_graph_new(enum bench_shape shape, uint32_t count);
/*
 * From a file of names, one a line, and one of pairs "dependent dependency". An edge whose opposite came before is left
 * out, and counted in *ret_dropped. NULL: a file can't be read, or memory is out.
 */
struct bench_graph *bench_graph_read(const char *nodes, const char *edges, uint32_t *ret_dropped);
void bench_graph_free(struct bench_graph *graph);

/* Whether each driver is in `order` once, and after all that it needs. Also false if memory is out. */
bool bench_graph_is_order(const struct bench_graph *graph, const uint32_t *order);

#ifdef __cplusplus
}
#endif

#endif

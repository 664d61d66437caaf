/* SPDX-License-Identifier: MIT */
/* The peers of the plan. Each is timed once; 0: it failed. `order_good` may be NULL: the order isn't checked. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Behind the limit's own interning: Boost.Graph's compressed_sparse_row_graph and topological_sort. */
uint64_t bench_peer_boost(const struct bench_graph *graph, bool *order_good);
/* Behind the limit's own interning: igraph_create and igraph_topological_sorting. */
uint64_t bench_peer_igraph(const struct bench_graph *graph, bool *order_good);
/* A plain version: std::unordered_map<std::string>, vectors, Kahn's way. */
uint64_t bench_peer_map(const struct bench_graph *graph, bool *order_good);
/* coreutils' tsort, a process of its own: its time is that of start, reading, sorting, writing to /dev/null. */
uint64_t bench_peer_tsort(const struct bench_graph *graph, bool *order_good);

/* Count what malloc hands out, in bytes as it rounds them, from now on; the second returns the peak. Needs glibc. */
void bench_heap_begin(void);
size_t bench_heap_end(void);

#ifdef __cplusplus
}
#endif

#endif

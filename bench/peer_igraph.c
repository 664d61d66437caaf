/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <igraph.h>

#include "bench.h"
#include "limit.h"
#include "peers.h"

static void fill_edges(const struct bench_limit *limit, igraph_vector_int_t *edges)
{
    const uint32_t *declared = limit->declared;
    igraph_integer_t place = 0;
    for (uint32_t id = 0; id < limit->count; id++) {
        for (uint32_t i = 0; i < limit->waits_for[id]; i++) {
            VECTOR(*edges)[place++] = *declared++;
            VECTOR(*edges)[place++] = id;
        }
    }
}

static bool is_order(const struct bench_graph *graph, const igraph_vector_int_t *order)
{
    uint32_t *ids = malloc(graph->count * sizeof(*ids));
    bool good = ids != NULL && igraph_vector_int_size(order) == graph->count;
    for (uint32_t i = 0; i < graph->count && good; i++)
        ids[i] = (uint32_t)VECTOR(*order)[i];
    good = good && bench_graph_is_order(graph, ids);
    free(ids);
    return good;
}

/* igraph ends the process where it runs out of memory: that is its default. */
uint64_t bench_peer_igraph(const struct bench_graph *graph, bool *order_good)
{
    struct bench_limit limit;
    igraph_vector_int_t edges, order;
    igraph_t sorted;
    uint64_t begin = bench_now_ns();
    bench_limit_init(&limit, NULL);
    if (bench_limit_intern(&limit, graph) != 0) {
        bench_limit_fini(&limit);
        return 0;
    }
    igraph_vector_int_init(&edges, (igraph_integer_t)graph->edges * 2);
    igraph_vector_int_init(&order, 0);
    fill_edges(&limit, &edges);
    igraph_create(&sorted, &edges, graph->count, IGRAPH_DIRECTED);
    igraph_topological_sorting(&sorted, &order, IGRAPH_OUT);
    uint64_t took = bench_now_ns() - begin;
    if (order_good != NULL)
        *order_good = is_order(graph, &order);
    igraph_destroy(&sorted);
    igraph_vector_int_destroy(&order);
    igraph_vector_int_destroy(&edges);
    bench_limit_fini(&limit);
    return took;
}

// SPDX-License-Identifier: MIT
#include <iterator>
#include <utility>
#include <vector>

#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/topological_sort.hpp>

#include "bench.h"
#include "limit.h"
#include "peers.h"

using csr = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                               boost::no_property, uint32_t, uint32_t>;

static std::vector<uint32_t> sort(const bench_limit &limit, size_t edge_count)
{
    std::vector<std::pair<uint32_t, uint32_t>> edges;
    edges.reserve(edge_count);
    const uint32_t *declared = limit.declared;
    for (uint32_t id = 0; id < limit.count; id++)
        for (uint32_t i = 0; i < limit.waits_for[id]; i++)
            edges.emplace_back(id, *declared++);
    csr graph(boost::edges_are_sorted, edges.begin(), edges.end(), limit.count, static_cast<uint32_t>(edge_count));
    std::vector<uint32_t> order;
    order.reserve(limit.count);
    boost::topological_sort(graph, std::back_inserter(order)); // from dependents to dependencies: these come out first
    return order;
}

uint64_t bench_peer_boost(const bench_graph *graph, bool *order_good)
{
    bench_limit limit;
    uint64_t begin = bench_now_ns();
    bench_limit_init(&limit, nullptr);
    if (bench_limit_intern(&limit, graph) != 0) {
        bench_limit_fini(&limit);
        return 0;
    }
    std::vector<uint32_t> order = sort(limit, graph->edges);
    uint64_t took = bench_now_ns() - begin;
    if (order_good != nullptr)
        *order_good = order.size() == graph->count && bench_graph_is_order(graph, order.data());
    bench_limit_fini(&limit);
    return took;
}

// SPDX-License-Identifier: MIT
#include <string>
#include <unordered_map>
#include <vector>

#include "bench.h"
#include "peers.h"

// As one writes it first: it reads well, and copies each name.
static std::vector<uint32_t> sort(const bench_graph &graph)
{
    std::unordered_map<std::string, uint32_t> ids;
    for (uint32_t id = 0; id < graph.count; id++)
        ids.emplace(graph.names[id], id);
    std::vector<std::vector<uint32_t>> dependents(graph.count);
    std::vector<uint32_t> left(graph.count);
    for (uint32_t id = 0; id < graph.count; id++) {
        for (const char *const *need = graph.needs[id]; *need != nullptr; need++) {
            dependents[ids.at(*need)].push_back(id);
            left[id]++;
        }
    }
    std::vector<uint32_t> order;
    for (uint32_t id = 0; id < graph.count; id++)
        if (left[id] == 0)
            order.push_back(id);
    for (size_t i = 0; i < order.size(); i++)
        for (uint32_t dependent : dependents[order[i]])
            if (--left[dependent] == 0)
                order.push_back(dependent);
    return order;
}

uint64_t bench_peer_map(const bench_graph *graph, bool *order_good)
{
    uint64_t begin = bench_now_ns();
    std::vector<uint32_t> order = sort(*graph);
    uint64_t took = bench_now_ns() - begin;
    if (order_good != nullptr)
        *order_good = order.size() == graph->count && bench_graph_is_order(graph, order.data());
    return took;
}

/* SPDX-License-Identifier: MIT */
#include <cstdint>
#include <deque>
#include <new>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>

#include <muster.h>

extern "C" {
#include "bench.h"
#include "dispatch.h"
}

namespace {

namespace flow = oneapi::tbb::flow;
using message = flow::continue_msg;

/* As the drivers of muster: one callback a node, by a pointer that only the node knows. */
template <typename Policy> struct network {
    using node = flow::continue_node<message, Policy>;

    flow::graph graph;
    flow::broadcast_node<message> begin{graph};
    std::deque<node> nodes;
    std::uint64_t called = 0;

    explicit network(const dispatch_input &input)
    {
        const bench_limit &limit = *input.limit;
        for (std::uint32_t id = 0; id < limit.count; id++) {
            bench_limit_call call = input.calls[id];
            nodes.emplace_back(graph, [this, call](const message &) { call(&called); });
        }
        for (std::uint32_t id = 0; id < limit.count; id++) {
            if (limit.waits_for[id] == 0)
                flow::make_edge(begin, nodes[id]);
            for (std::uint32_t i = limit.start[id]; i < limit.start[id + 1]; i++)
                flow::make_edge(nodes[id], nodes[limit.ids[i]]);
        }
    }

    void run()
    {
        begin.try_put(message());
        graph.wait_for_all();
    }
};

/* One thread, as muster's loop is one. */
struct one_thread {
    oneapi::tbb::global_control control{oneapi::tbb::global_control::max_allowed_parallelism, 1};
};

template <typename Policy> std::uint64_t prebuilt(const dispatch_input &input)
{
    one_thread alone;
    network<Policy> net(input);
    std::uint64_t begin = bench_now_ns();
    net.run();
    std::uint64_t took = bench_now_ns() - begin;
    return net.called == input.limit->count ? took : 0;
}

template <typename Policy> std::uint64_t built(const dispatch_input &input)
{
    one_thread alone;
    std::uint64_t begin = bench_now_ns();
    network<Policy> net(input);
    net.run();
    std::uint64_t took = bench_now_ns() - begin;
    return net.called == input.limit->count ? took : 0;
}

} // namespace

std::uint64_t dispatch_tbb(const dispatch_input *input)
{
    return prebuilt<flow::queueing>(*input);
}

std::uint64_t dispatch_tbb_light(const dispatch_input *input)
{
    return prebuilt<flow::lightweight>(*input);
}

std::uint64_t dispatch_tbb_built(const dispatch_input *input)
{
    return built<flow::queueing>(*input);
}

std::uint64_t dispatch_tbb_light_built(const dispatch_input *input)
{
    return built<flow::lightweight>(*input);
}

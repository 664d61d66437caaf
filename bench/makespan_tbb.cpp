/* SPDX-License-Identifier: MIT */
/* A flow graph of oneTBB whose nodes sleep, in an arena of so many threads. */
#include "makespan_peer.h"

#include <atomic>
#include <cerrno>
#include <ctime>
#include <memory>
#include <vector>

#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

namespace {

using node = tbb::flow::continue_node<tbb::flow::continue_msg>;

double now_ms()
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void sleep_ms(uint32_t ms)
{
    timespec left = {0, static_cast<long>(ms) * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        continue;
}

double run(const work *work)
{
    std::atomic<uint32_t> ended{0};
    tbb::flow::graph graph;
    std::vector<std::unique_ptr<node>> nodes;
    for (uint32_t i = 0; i < work->count; i++) {
        uint32_t ms = work->ops[i].ms;
        nodes.push_back(std::make_unique<node>(graph, [ms, &ended](const tbb::flow::continue_msg &message) {
            sleep_ms(ms);
            ended++;
            return message;
        }));
    }
    for (uint32_t i = 0; i < work->count; i++)
        for (uint32_t k = 0; k < work->ops[i].need_count; k++)
            tbb::flow::make_edge(*nodes[work->ops[i].needs[k]], *nodes[i]);
    double begin = now_ms();
    for (uint32_t i = 0; i < work->count; i++)
        if (work->ops[i].need_count == 0)
            nodes[i]->try_put(tbb::flow::continue_msg());
    graph.wait_for_all();
    return ended == work->count ? now_ms() - begin : 0;
}

} // namespace

const char *peer_name(void)
{
    return "oneTBB";
}

double peer_makespan(const work *work, uint32_t workers)
{
    double took = 0;
    tbb::global_control most(tbb::global_control::max_allowed_parallelism, workers);
    tbb::task_arena arena(static_cast<int>(workers));
    arena.execute([&] { took = run(work); });
    return took;
}

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "bench.h"
#include "dispatch.h"

/* One task a driver; `place` is what its dependents depend on. It may run on any thread of the team: it counts its own. */
static void run_tasks(const struct dispatch_input *input, uint64_t *called, char *place)
{
    const struct bench_graph *graph = input->graph;
    const bench_limit_call *calls = input->calls;
    (void)place; /* (compilers don't see what only `depend` mentions) */
#pragma omp parallel num_threads(2)
#pragma omp single
    for (uint32_t at = 0; at < graph->count; at++) {
        uint32_t id = input->limit->order[at];
        const uint32_t *needs = graph->ids + graph->first[id];
        uint32_t count = graph->first[id + 1] - graph->first[id];
        (void)needs;
        (void)count;
#pragma omp task firstprivate(id) depend(iterator(uint32_t i = 0 : count), in : place[needs[i]]) depend(out : place[id])
        calls[id](&called[id]);
    }
}

uint64_t dispatch_openmp(const struct dispatch_input *input)
{
    uint32_t count = input->graph->count;
    uint64_t *called = calloc(count, sizeof(*called));
    char *place = malloc(count);
    uint64_t took = 0;
    if (called != NULL && place != NULL) {
        uint64_t begin = bench_now_ns();
        run_tasks(input, called, place);
        took = bench_now_ns() - begin;
        for (uint32_t id = 0; id < count; id++)
            took = called[id] == 1 ? took : 0;
    }
    free(called);
    free(place);
    return took;
}

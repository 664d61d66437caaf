/* SPDX-License-Identifier: MIT */
/* From definitions with names to a validated order: the plan beside the limit. */
#include <stdio.h>

#include "bench.h"
#include "graph.h"
#include "limit.h"

/* Small cases are run until a repeat has seen this many drivers. */
#define DRIVERS_A_REPEAT 20000

/* Time one subject once, in ns; 0: it failed. `order_good` may be NULL: it isn't checked. */
typedef uint64_t (*subject_cb)(const struct bench_graph *graph, const struct muster_allocator *allocator,
                               bool *order_good);

static uint64_t run_limit(const struct bench_graph *graph, const struct muster_allocator *allocator,
                          bool *order_good)
{
    struct bench_limit limit;
    uint64_t begin = bench_now_ns();
    bench_limit_init(&limit, allocator);
    int code = bench_limit_build(&limit, graph);
    if (code == 0)
        code = bench_limit_sort(&limit);
    uint64_t took = bench_now_ns() - begin;
    if (code == 0 && order_good != NULL)
        *order_good = bench_graph_is_order(graph, limit.order);
    bench_limit_fini(&limit);
    return code == 0 ? took : 0;
}

static int add_drivers(struct muster_plan *plan, const struct bench_graph *graph)
{
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    for (uint32_t i = 0; i < graph->count; i++) {
        def.name = graph->names[i];
        def.needs = graph->needs[i];
        int code = muster_plan_add(plan, &def);
        if (code != 0)
            return code;
    }
    return 0;
}

static uint64_t run_muster(const struct bench_graph *graph, const struct muster_allocator *allocator,
                           bool *order_good)
{
    struct muster_plan *plan = NULL;
    uint64_t begin = bench_now_ns();
    int code = muster_plan_new(allocator, &plan);
    if (code == 0)
        code = add_drivers(plan, graph);
    if (code == 0)
        code = muster_plan_sort(plan);
    uint64_t took = bench_now_ns() - begin;
    if (code == 0 && order_good != NULL)
        *order_good = bench_graph_is_order(graph, muster_plan_order(plan));
    if (code != 0)
        fprintf(stderr, "plan: muster: %s\n", muster_code_text(code));
    muster_plan_free(plan);
    return code == 0 ? took : 0;
}

#define SUBJECTS 2
static const struct {
    const char *name;
    subject_cb run;
} subjects[SUBJECTS] = {{"limit", run_limit}, {"muster", run_muster}};

static int measure_time(const struct bench *bench, const struct bench_graph *graph, const char *name)
{
    struct bench_samples samples[SUBJECTS] = {{.count = 0}};
    uint32_t loops = graph->count < DRIVERS_A_REPEAT ? DRIVERS_A_REPEAT / graph->count : 1;
    for (unsigned repeat = 0; repeat < bench->repeats; repeat++) {
        for (size_t turn = 0; turn < SUBJECTS; turn++) {
            size_t s = (turn + repeat) % SUBJECTS;
            uint64_t sum = 0;
            for (uint32_t loop = 0; loop < loops; loop++) {
                uint64_t took = subjects[s].run(graph, NULL, NULL);
                if (took == 0)
                    return -1;
                sum += took;
            }
            bench_add(&samples[s], (double)sum / loops / (double)(graph->count + graph->edges));
        }
    }
    for (size_t s = 0; s < SUBJECTS; s++) {
        const char *const labels[] = {name, subjects[s].name, "ns/node+edge"};
        bench_report(bench, labels, &samples[s], &samples[0]);
    }
    return 0;
}

/* Counts memory, and checks the orders. */
static int measure_bytes(const struct bench *bench, const struct bench_graph *graph, const char *name)
{
    struct bench_samples samples[SUBJECTS] = {{.count = 0}};
    for (size_t s = 0; s < SUBJECTS; s++) {
        const char *const labels[] = {name, subjects[s].name, "bytes/node"};
        struct bench_counter counter;
        struct muster_allocator allocator;
        bool good = false;
        bench_counter_init(&counter, &allocator);
        if (subjects[s].run(graph, &allocator, &good) == 0 || !good || counter.live != 0) {
            fprintf(stderr, "plan: %s: %s: %s\n", name, subjects[s].name, good ? "leaks" : "no order, or a wrong one");
            return -1;
        }
        bench_add(&samples[s], (double)counter.peak / graph->count);
        bench_report(bench, labels, &samples[s], &samples[0]);
    }
    return 0;
}

static int measure(const struct bench *bench, enum bench_shape shape, uint32_t count)
{
    char name[32];
    snprintf(name, sizeof(name), "%s %u", bench_shape_name(shape), (unsigned)count);
    struct bench_graph *graph = bench_graph_new(shape, count);
    if (graph == NULL) {
        fprintf(stderr, "plan: %s: out of memory\n", name);
        return -1;
    }
    int code = measure_bytes(bench, graph, name);
    if (code == 0)
        code = measure_time(bench, graph, name);
    bench_graph_free(graph);
    return code;
}

int main(int argc, char **argv)
{
    struct bench bench = {.name = "plan"};
    int exit_code;
    if (bench_begin(&bench, "plan: from definitions with names to a validated order", argc, argv, &exit_code) != 0)
        return exit_code;
    uint32_t most = bench.full ? 1000000 : 100000;
    for (enum bench_shape shape = BENCH_RANDOM; shape <= BENCH_LAYERS; shape++)
        for (uint32_t count = 100; count <= most && count <= bench.max; count *= 10)
            if (measure(&bench, shape, count) != 0)
                return 1;
    return 0;
}

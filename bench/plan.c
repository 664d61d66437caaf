/* SPDX-License-Identifier: MIT */
/*
 * From definitions with names to a validated order: the plan beside the limit and its peers. Bytes are the peak of what is
 * asked of the allocator; those of the peers are what malloc hands out, rounded, on the same way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "graph.h"
#include "limit.h"
#include "peers.h"

/* Small cases are run until a repeat has seen this many drivers. */
#define DRIVERS_A_REPEAT 20000
/* The largest cases are repeated less often. */
#define LARGE 1000000
#define REPEATS_OF_LARGE 5

/* Time one subject once, in ns; 0: it failed. `order_good` may be NULL: it isn't checked. */
typedef uint64_t (*subject_cb)(const struct bench_graph *graph, const struct muster_allocator *allocator,
                               bool *order_good);
typedef uint64_t (*peer_cb)(const struct bench_graph *graph, bool *order_good);

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

/* One plan and nothing else, for who counts instructions: its name is callgrind's --toggle-collect. */
uint64_t bench_plan_once(const struct bench_graph *graph);
__attribute__((noinline)) uint64_t bench_plan_once(const struct bench_graph *graph)
{
    return run_muster(graph, NULL, NULL);
}

static const struct subject {
    const char *name;
    subject_cb run; /* NULL: a peer */
    peer_cb run_peer;
    uint32_t max; /* it takes too long, or too much, beyond this many drivers */
} subjects[] = {
    {"limit", run_limit, NULL, UINT32_MAX},
    {"muster", run_muster, NULL, UINT32_MAX},
#ifdef BENCH_BOOST
    {"boost", NULL, bench_peer_boost, UINT32_MAX},
#endif
#ifdef BENCH_IGRAPH
    {"igraph", NULL, bench_peer_igraph, UINT32_MAX},
#endif
#ifdef BENCH_CPP
    {"map", NULL, bench_peer_map, UINT32_MAX},
#endif
    {"tsort", NULL, bench_peer_tsort, 100000},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void name_missing(void)
{
#ifndef BENCH_BOOST
    fprintf(stderr, "plan: left out: boost (libboost-graph-dev wasn't there, or no C++ compiler)\n");
#endif
#ifndef BENCH_IGRAPH
    fprintf(stderr, "plan: left out: igraph (libigraph-dev wasn't there)\n");
#endif
#ifndef BENCH_CPP
    fprintf(stderr, "plan: left out: map (no C++ compiler)\n");
#endif
    if (system("command -v tsort >/dev/null") != 0)
        fprintf(stderr, "plan: left out: tsort (coreutils)\n");
}

/* The time of one run, small ones repeated; 0: it failed. */
static double run_often(const struct subject *subject, const struct bench_graph *graph)
{
    bool is_process = subject->run_peer == bench_peer_tsort;
    uint32_t loops = graph->count < DRIVERS_A_REPEAT && !is_process ? DRIVERS_A_REPEAT / graph->count : 1;
    uint64_t sum = 0;
    for (uint32_t loop = 0; loop < loops; loop++) {
        uint64_t took = subject->run != NULL ? subject->run(graph, NULL, NULL) : subject->run_peer(graph, NULL);
        if (took == 0)
            return 0;
        sum += took;
    }
    return (double)sum / loops;
}

static void measure_time(const struct bench *bench, const struct bench_graph *graph, const char *name)
{
    struct bench_samples samples[SUBJECTS] = {{.count = 0}};
    unsigned repeats = graph->count >= LARGE ? REPEATS_OF_LARGE : bench->repeats;
    for (unsigned repeat = 0; repeat < repeats; repeat++) {
        for (size_t turn = 0; turn < SUBJECTS; turn++) {
            size_t s = (turn + repeat) % SUBJECTS;
            double took = graph->count <= subjects[s].max ? run_often(&subjects[s], graph) : 0;
            if (took > 0)
                bench_add(&samples[s], took / (double)(graph->count + graph->edges));
        }
    }
    for (size_t s = 0; s < SUBJECTS; s++) {
        const char *const labels[] = {name, subjects[s].name, "ns/node+edge"};
        bench_report(bench, labels, &samples[s], &samples[0]);
    }
}

/* The peak in bytes; 0: it failed. Checks the order. */
static size_t count_bytes(const struct subject *subject, const struct bench_graph *graph)
{
    struct bench_counter counter;
    struct muster_allocator allocator;
    bool good = false;
    if (subject->run == NULL) {
        bench_heap_begin();
        bool done = subject->run_peer(graph, &good) != 0;
        size_t peak = bench_heap_end();
        return done && good ? peak : 0;
    }
    bench_counter_init(&counter, &allocator);
    return subject->run(graph, &allocator, &good) != 0 && good && counter.live == 0 ? counter.peak : 0;
}

static int measure_bytes(const struct bench *bench, const struct bench_graph *graph, const char *name)
{
    struct bench_samples samples[SUBJECTS] = {{.count = 0}};
    for (size_t s = 0; s < SUBJECTS; s++) {
        const char *const labels[] = {name, subjects[s].name, "bytes/node"};
        if (subjects[s].run_peer == bench_peer_tsort || graph->count > subjects[s].max)
            continue;
        size_t bytes = count_bytes(&subjects[s], graph);
        if (bytes == 0) {
            fprintf(stderr, "plan: %s: %s: a leak, no order, or a wrong one\n", name, subjects[s].name);
            return -1;
        }
        bench_add(&samples[s], (double)bytes / graph->count);
        bench_report(bench, labels, &samples[s], &samples[0]);
    }
    return 0;
}

/* Takes the graph, which is NULL if memory was short. */
static int measure(const struct bench *bench, struct bench_graph *graph, const char *name)
{
    if (graph == NULL) {
        fprintf(stderr, "plan: %s: out of memory\n", name);
        return -1;
    }
    int code = measure_bytes(bench, graph, name);
    if (code == 0)
        measure_time(bench, graph, name);
    bench_graph_free(graph);
    return code;
}

static int measure_shapes(const struct bench *bench)
{
    uint32_t most = bench->full ? 1000000 : 100000;
    for (enum bench_shape shape = BENCH_RANDOM; shape <= BENCH_LAYERS; shape++) {
        for (uint32_t count = 100; count <= most && count <= bench->max; count *= 10) {
            char name[32];
            snprintf(name, sizeof(name), "%s %u", bench_shape_name(shape), (unsigned)count);
            if (measure(bench, bench_graph_new(shape, count), name) != 0)
                return -1;
        }
    }
    return 0;
}

/* One that isn't there is left out, and named. */
static int measure_real(const struct bench *bench)
{
    static const char *const names[] = {"spdk", "grout", "managarm-thor", "vpp-all"};
    const char *directory = getenv("BENCH_GRAPHS");
    if (directory == NULL)
        directory = "../shared/graphs";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char nodes[512], edges[512], name[64];
        uint32_t dropped = 0;
        snprintf(nodes, sizeof(nodes), "%s/%s.nodes", directory, names[i]);
        snprintf(edges, sizeof(edges), "%s/%s.edges", directory, names[i]);
        struct bench_graph *graph = bench_graph_read(nodes, edges, &dropped);
        if (graph == NULL) {
            fprintf(stderr, "plan: left out: %s (no %s; BENCH_GRAPHS says where they are)\n", names[i], edges);
            continue;
        }
        snprintf(name, sizeof(name), dropped > 0 ? "%s -%u edges" : "%s", names[i], (unsigned)dropped);
        if (measure(bench, graph, name) != 0)
            return -1;
    }
    return 0;
}

static int run_once(const char *text)
{
    char *end;
    unsigned long count = strtoul(text, &end, 10);
    if (*end != '\0' || count < 100 || count > UINT32_MAX / 16) {
        fprintf(stderr, "plan: --once wants a number from 100 on, not '%s'\n", text);
        return 2;
    }
    struct bench_graph *graph = bench_graph_new(BENCH_RANDOM, (uint32_t)count);
    int code = graph != NULL && bench_plan_once(graph) != 0 ? 0 : 1;
    bench_graph_free(graph);
    return code;
}

int main(int argc, char **argv)
{
    struct bench bench = {.name = "plan"};
    int exit_code;
    if (argc == 3 && strcmp(argv[1], "--once") == 0)
        return run_once(argv[2]);
    if (bench_begin(&bench, "plan: from definitions with names to a validated order", argc, argv, &exit_code) != 0)
        return exit_code;
    name_missing();
    return measure_shapes(&bench) == 0 && measure_real(&bench) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * One callback, in order: drivers whose initialize does nothing. Both subjects know the order before the clock starts:
 * muster_bring_up() has checked, the limit has built its rows. It stops when everything has settled.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "graph.h"
#include "limit.h"

#define DRIVERS_A_REPEAT 20000

struct input {
    const struct bench_graph *graph;
    struct bench_limit limit;
    bench_limit_call *calls;
};

struct bring_up {
    uint64_t called;
    uint64_t settled_ns;
    int code;
};

static int count_call(void *data)
{
    ++*(uint64_t *)data;
    return 0;
}

static int initialize(struct muster_op *op)
{
    struct bring_up *bring_up = muster_op_driver_data(op);
    bring_up->called++;
    return MUSTER_OK;
}

static void settled(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct bring_up *bring_up = data;
    bring_up->settled_ns = bench_now_ns();
    bring_up->code = code;
    if (code != 0)
        fprintf(stderr, "dispatch: muster: %s\n", muster_error_text(error));
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static int add_drivers(struct muster *context, const struct bench_graph *graph, struct bring_up *bring_up)
{
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    def.initialize = initialize;
    for (uint32_t i = 0; i < graph->count; i++) {
        def.name = graph->names[i];
        def.needs = graph->needs[i];
        int code = muster_add_driver(context, &def, bring_up, NULL);
        if (code != 0)
            return code;
    }
    return 0;
}

/* In ns; 0: it failed. */
static uint64_t run_muster(struct input *input)
{
    struct bring_up bring_up = {.code = MUSTER_EFAILED};
    struct muster *context = NULL;
    uint64_t begin = 0;
    int code = muster_new(NULL, &context);
    if (code == 0)
        code = add_drivers(context, input->graph, &bring_up);
    if (code == 0)
        code = muster_bring_up(context, settled, &bring_up);
    if (code == 0) {
        begin = bench_now_ns();
        code = muster_run(context);
    }
    if (code != 0)
        fprintf(stderr, "dispatch: muster: %s\n", muster_code_text(code));
    muster_free(context);
    bool good = code == 0 && bring_up.code == 0 && bring_up.called == input->graph->count;
    return good ? bring_up.settled_ns - begin : 0;
}

static uint64_t run_limit(struct input *input)
{
    uint64_t called = 0;
    uint64_t begin = bench_now_ns();
    int code = bench_limit_run(&input->limit, input->calls, &called);
    uint64_t took = bench_now_ns() - begin;
    return code == 0 && called == input->graph->count ? took : 0;
}

#define SUBJECTS 2
static const struct {
    const char *name;
    uint64_t (*run)(struct input *input);
} subjects[SUBJECTS] = {{"limit", run_limit}, {"muster", run_muster}};

static int measure_input(const struct bench *bench, struct input *input, const char *name)
{
    struct bench_samples samples[SUBJECTS] = {{.count = 0}};
    uint32_t count = input->graph->count;
    uint32_t loops = count < DRIVERS_A_REPEAT ? DRIVERS_A_REPEAT / count : 1;
    for (unsigned repeat = 0; repeat < bench->repeats; repeat++) {
        for (size_t turn = 0; turn < SUBJECTS; turn++) {
            size_t s = (turn + repeat) % SUBJECTS;
            uint64_t sum = 0;
            for (uint32_t loop = 0; loop < loops; loop++) {
                uint64_t took = subjects[s].run(input);
                if (took == 0)
                    return -1;
                sum += took;
            }
            bench_add(&samples[s], (double)sum / loops / count);
        }
    }
    for (size_t s = 0; s < SUBJECTS; s++) {
        const char *const labels[] = {name, subjects[s].name, "ns/callback"};
        bench_report(bench, labels, &samples[s], &samples[0]);
    }
    return 0;
}

static int measure(const struct bench *bench, uint32_t count)
{
    char name[32];
    snprintf(name, sizeof(name), "random %u", (unsigned)count);
    struct bench_graph *graph = bench_graph_new(BENCH_RANDOM, count);
    struct input input = {.graph = graph, .calls = malloc(count * sizeof(*input.calls))};
    int code = -1;
    bench_limit_init(&input.limit, NULL);
    if (graph != NULL && input.calls != NULL && bench_limit_build(&input.limit, graph) == 0) {
        for (uint32_t i = 0; i < count; i++)
            input.calls[i] = count_call;
        code = measure_input(bench, &input, name);
    }
    if (code != 0)
        fprintf(stderr, "dispatch: %s: failed\n", name);
    bench_limit_fini(&input.limit);
    free(input.calls);
    bench_graph_free(graph);
    return code;
}

int main(int argc, char **argv)
{
    struct bench bench = {.name = "dispatch"};
    int exit_code;
    if (bench_begin(&bench, "dispatch: callbacks that do nothing, in order", argc, argv, &exit_code) != 0)
        return exit_code;
    uint32_t most = bench.full ? 1000000 : 100000;
    /* The largest two up to 100,000 count; --max wants some small one, too. */
    uint32_t least = bench.max < 10000 ? 100 : 10000;
    for (uint32_t count = least; count <= most && count <= bench.max; count *= 10)
        if (measure(&bench, count) != 0)
            return 1;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * One callback, in order: drivers whose callback does nothing. The subjects know the order before the clock starts, but
 * those that are built and run; the clock stops when everything has settled.
 */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Small cases are run until a repeat has seen this many drivers; those with threads sooner. */
#define DRIVERS_A_REPEAT 20000
#define THREADS_A_REPEAT 1000
#define SUBJECTS_MAX 12

static int count_call(void *data)
{
    ++*(uint64_t *)data;
    return 0;
}

/* ---- by hand --------------------------------------------------------------------------------------- */

static uint64_t run_calls(const struct dispatch_input *input)
{
    uint64_t called = 0;
    uint64_t begin = bench_now_ns();
    for (uint32_t i = 0; i < input->limit->count; i++)
        input->calls[input->limit->order[i]](&called);
    uint64_t took = bench_now_ns() - begin;
    return called == input->graph->count ? took : 0;
}

static uint64_t run_limit(const struct dispatch_input *input)
{
    uint64_t called = 0;
    uint64_t begin = bench_now_ns();
    int code = bench_limit_run(input->limit, input->calls, &called);
    uint64_t took = bench_now_ns() - begin;
    return code == 0 && called == input->graph->count ? took : 0;
}

/* ---- cases ----------------------------------------------------------------------------------------- */

struct subject {
    const char *name;
    dispatch_subject run;
};

/* The limit, Kahn's way and a direct call, is the first of each. */
struct dispatch_case {
    const char *name;
    uint32_t most;     /* drivers */
    uint32_t a_repeat;
    struct subject subjects[SUBJECTS_MAX];
};

static const struct dispatch_case cases[] = {
    {"sync",
     UINT32_MAX,
     DRIVERS_A_REPEAT,
     {{"limit", run_limit},
      {"calls", run_calls},
      {"muster", dispatch_muster_sync},
#ifdef DISPATCH_UV
      {"muster, uv", dispatch_muster_uv_sync},
#endif
#ifdef DISPATCH_TBB
      {"tbb", dispatch_tbb},
      {"tbb light", dispatch_tbb_light},
#endif
      {NULL, NULL}}},
    {"built + run",
     UINT32_MAX,
     DRIVERS_A_REPEAT,
     {{"limit", run_limit},
      {"muster", dispatch_muster_built},
#ifdef DISPATCH_TBB
      {"tbb", dispatch_tbb_built},
      {"tbb light", dispatch_tbb_light_built},
#endif
#ifdef DISPATCH_OPENMP
      {"openmp", dispatch_openmp},
#endif
      {NULL, NULL}}},
    {"later",
     UINT32_MAX,
     DRIVERS_A_REPEAT,
     {{"limit", run_limit},
      {"muster", dispatch_muster_later},
#ifdef DISPATCH_UV
      {"muster, uv", dispatch_muster_uv_later},
#endif
      {NULL, NULL}}},
    {"thread",
     10000,
     THREADS_A_REPEAT,
     {{"limit", run_limit},
      {"muster", dispatch_muster_thread},
#ifdef DISPATCH_UV
      {"muster, uv", dispatch_muster_uv_thread},
#endif
      {NULL, NULL}}},
    {"threaded",
     10000,
     THREADS_A_REPEAT,
     {{"limit", run_limit},
      {"muster", dispatch_muster_threaded},
#ifdef DISPATCH_UV
      {"muster, uv", dispatch_muster_uv_threaded},
      {"uv work", dispatch_uv_queue_work},
#endif
      {NULL, NULL}}},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void say_what_is_missing(void)
{
#ifndef DISPATCH_UV
    fprintf(stderr, "dispatch: built without libuv: no loop of it, and no uv_queue_work()\n");
#endif
#ifndef DISPATCH_TBB
    fprintf(stderr, "dispatch: built without oneTBB (libtbb-dev, a C++ compiler): no flow graph\n");
#endif
#ifndef DISPATCH_OPENMP
    fprintf(stderr, "dispatch: built without OpenMP: no task depend\n");
#endif
}

/* ---- measuring ------------------------------------------------------------------------------------- */

/* In ns a callback; negative: it failed. */
static double run_loops(const struct dispatch_input *input, dispatch_subject run, uint32_t drivers)
{
    uint32_t count = input->graph->count;
    uint32_t loops = count < drivers ? drivers / count : 1;
    uint64_t sum = 0;
    for (uint32_t loop = 0; loop < loops; loop++) {
        uint64_t took = run(input);
        if (took == 0)
            return -1;
        sum += took;
    }
    return (double)sum / loops / count;
}

static void report(const struct bench *bench, const struct dispatch_case *is, uint32_t count,
                   const struct bench_samples *samples)
{
    char name[32];
    snprintf(name, sizeof(name), "%s %u", is->name, (unsigned)count);
    for (size_t s = 0; is->subjects[s].name != NULL; s++) {
        const char *const labels[] = {name, is->subjects[s].name, "ns/callback"};
        bench_report(bench, labels, &samples[s], &samples[0]);
    }
}

static int measure_case(const struct bench *bench, const struct dispatch_input *input, const struct dispatch_case *is)
{
    struct bench_samples samples[SUBJECTS_MAX] = {{.count = 0}};
    size_t subjects = 0;
    while (is->subjects[subjects].name != NULL)
        subjects++;
    for (unsigned repeat = 0; repeat < bench->repeats; repeat++) {
        for (size_t turn = 0; turn < subjects; turn++) {
            size_t s = (turn + repeat) % subjects;
            double value = run_loops(input, is->subjects[s].run, is->a_repeat);
            if (value < 0) {
                fprintf(stderr, "dispatch: %s: %s failed\n", is->name, is->subjects[s].name);
                return -1;
            }
            bench_add(&samples[s], value);
        }
    }
    report(bench, is, input->graph->count, samples);
    return 0;
}

/* ---- inputs ---------------------------------------------------------------------------------------- */

static void input_fini(struct dispatch_input *input)
{
    if (input->limit != NULL)
        bench_limit_fini(input->limit);
    free(input->limit);
    free(input->calls);
    bench_graph_free((struct bench_graph *)(uintptr_t)input->graph);
}

static int input_init(struct dispatch_input *input, uint32_t count)
{
    input->graph = bench_graph_new(BENCH_RANDOM, count);
    input->calls = malloc(count * sizeof(*input->calls));
    input->limit = malloc(sizeof(*input->limit));
    if (input->limit != NULL)
        bench_limit_init(input->limit, NULL);
    if (input->graph == NULL || input->calls == NULL || input->limit == NULL ||
        bench_limit_build(input->limit, input->graph) != 0 || bench_limit_sort(input->limit) != 0)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        input->calls[i] = count_call;
    return 0;
}

static int measure(const struct bench *bench, uint32_t count)
{
    struct dispatch_input input = {NULL, NULL, NULL};
    int code = input_init(&input, count);
    if (code != 0)
        fprintf(stderr, "dispatch: out of memory\n");
    for (size_t i = 0; i < CASES && code == 0; i++)
        if (count <= cases[i].most)
            code = measure_case(bench, &input, &cases[i]);
    input_fini(&input);
    return code;
}

/* For a profiler: one bring-up, and as little else as can be. */
static int run_once(const char *text)
{
    struct dispatch_input input = {NULL, NULL, NULL};
    unsigned long count = strtoul(text, NULL, 10);
    if (count < 1 || count > 10000000) {
        fprintf(stderr, "dispatch: --once wants a number of drivers, not '%s'\n", text);
        return 2;
    }
    int code = input_init(&input, (uint32_t)count);
    uint64_t took = code == 0 ? dispatch_muster_sync(&input) : 0;
    input_fini(&input);
    if (took > 0)
        printf("%.1f ns/callback\n", (double)took / (double)count);
    return took > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const char about[] = "dispatch: callbacks that do nothing, in order (--once DRIVERS: one bring-up, for a profiler)";
    struct bench bench = {.name = "dispatch"};
    int exit_code;
    if (argc == 3 && strcmp(argv[1], "--once") == 0)
        return run_once(argv[2]);
    if (bench_begin(&bench, about, argc, argv, &exit_code) != 0)
        return exit_code;
    say_what_is_missing();
    uint32_t most = bench.full ? 1000000 : 100000;
    /* The largest two up to 100,000 count; --max wants some small one, too. */
    uint32_t least = bench.max < 10000 ? 100 : 10000;
    for (uint32_t count = least; count <= most && count <= bench.max; count *= 10)
        if (measure(&bench, count) != 0)
            return 1;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* simulate: seeded random runs. A run that fails is run again with its trace, and the command that repeats it is printed. */
#include "random.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_JOBS = 64, TAIL_LINES = 60 };

struct options {
    uint64_t runs;
    uint64_t seed;
    unsigned jobs;
    bool trace;
    const char *program;
};

/* What a job tells its parent. */
struct progress {
    _Atomic uint64_t runs;
    _Atomic uint64_t seed;
    _Atomic uint64_t steps;
};

static uint64_t run_one(uint64_t seed, bool trace, bool *ret_broken)
{
    static struct world world;
    world_init(&world, seed);
    world.trace.on = trace;
    *ret_broken = !world_try(&world, random_run);
    if (*ret_broken && trace)
        fprintf(stderr, "%s\nseed %llu, step %llu: %s\n", trace_tail(&world.trace, TAIL_LINES),
                (unsigned long long)seed, (unsigned long long)world.steps, world.failure);
    uint64_t steps = world.steps;
    world_fini(&world);
    return steps;
}

static int work(const struct options *options, unsigned job, struct progress *progress)
{
    for (uint64_t run = job; run < options->runs; run += options->jobs) {
        bool broken;
        progress->seed = options->seed + run;
        progress->steps += run_one(options->seed + run, false, &broken);
        if (broken)
            return 1;
        progress->runs++;
    }
    return 0;
}

/* The failing run again, in a process of its own: it may crash. */
static void replay(const struct options *options, uint64_t seed)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bool broken;
        run_one(seed, true, &broken);
        _exit(broken ? 1 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    fprintf(stderr, "\nrepeat it with: %s --runs 1 --seed %llu --trace\n", options->program, (unsigned long long)seed);
}

static void show(const struct options *options, const struct progress *progress, const char *end)
{
    uint64_t runs = 0;
    for (unsigned i = 0; i < options->jobs; i++)
        runs += progress[i].runs;
    fprintf(stderr, "\r%llu of %llu runs%s", (unsigned long long)runs, (unsigned long long)options->runs, end);
}

static int wait_for_jobs(const struct options *options, pid_t *children, struct progress *progress)
{
    int failures = 0;
    bool terminal = isatty(STDERR_FILENO) != 0;
    for (unsigned left = options->jobs; left > 0;) {
        int status;
        pid_t child = waitpid(-1, &status, terminal ? WNOHANG : 0);
        if (child == 0) {
            show(options, progress, "");
            nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
            continue;
        }
        left--;
        for (unsigned i = 0; i < options->jobs; i++) {
            if (children[i] != child || status == 0)
                continue;
            if (failures++ == 0)
                replay(options, progress[i].seed);
        }
    }
    if (terminal)
        show(options, progress, "\n");
    return failures;
}

static int run_all(const struct options *options)
{
    pid_t children[MOST_JOBS];
    struct progress *progress = mmap(NULL, sizeof(*progress) * options->jobs, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return 2;
    for (unsigned i = 0; i < options->jobs; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(work(options, i, &progress[i]));
        if (children[i] < 0)
            return 2;
    }
    int failures = wait_for_jobs(options, children, progress);
    uint64_t runs = 0, steps = 0;
    for (unsigned i = 0; i < options->jobs; i++) {
        runs += progress[i].runs;
        steps += progress[i].steps;
    }
    printf("%llu runs from seed %llu, %llu steps: %s\n", (unsigned long long)runs, (unsigned long long)options->seed,
           (unsigned long long)steps, failures == 0 ? "all invariants hold" : "BROKEN");
    return failures == 0 ? 0 : 1;
}

static void usage(FILE *stream)
{
    fputs("usage: simulate [--runs N] [--seed S] [--jobs J] [--trace]\n"
          "  --runs N   how many worlds; each has the seed S, S+1, ... (default 1000)\n"
          "  --seed S   the first seed (default 1)\n"
          "  --jobs J   processes at once (default: one a processor)\n"
          "  --trace    one run, with its trace on the standard output\n",
          stream);
}

static int trace_run(const struct options *options)
{
    static struct world world;
    world_init(&world, options->seed);
    world.trace.on = true;
    int code = world_try(&world, random_run) ? 0 : 1;
    fputs(world.trace.text == NULL ? "" : world.trace.text, stdout);
    world_fini(&world);
    return code;
}

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {{"runs", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'},
                                          {"jobs", required_argument, NULL, 'j'}, {"trace", no_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 'n')
            options->runs = strtoull(optarg, NULL, 10);
        else if (option == 's')
            options->seed = strtoull(optarg, NULL, 10);
        else if (option == 'j')
            options->jobs = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 't')
            options->trace = true;
        else {
            usage(option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
    }
    return optind == argc && options->jobs > 0 && options->jobs <= MOST_JOBS;
}

int main(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {.runs = 1000, .seed = 1, .jobs = processors < 1 ? 1 : (unsigned)processors};
    options.program = argv[0];
    if (options.jobs > MOST_JOBS)
        options.jobs = MOST_JOBS;
    if (!parse(argc, argv, &options)) {
        usage(stderr);
        return 2;
    }
    return options.trace ? trace_run(&options) : run_all(&options);
}

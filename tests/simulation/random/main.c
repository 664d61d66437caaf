/* SPDX-License-Identifier: MIT */
/* simulate: seeded random runs, and kept ones. One that fails is made as short as it can be, and printed as a list of events. */
#include "jobs.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TAIL_LINES = 60 };

struct options {
    struct order order;
    double shrink_seconds;
    bool trace;
    bool print;
    bool replay;
    bool shrink;
};

static struct world world;
static struct scenario scenario;

/* ---- one run ---------------------------------------------------------------------------------------------- */

/* In this process, with its trace: all of it, or what comes last and to the standard error. */
static int trace_run(struct scenario *played, bool all)
{
    struct run run = {.scenario = played, .trace = true};
    bool held = run_play(&run, &world);
    if (all)
        fputs(world.trace.text == NULL ? "" : world.trace.text, stdout);
    else
        fputs(trace_tail(&world.trace, TAIL_LINES), stderr);
    world_fini(&world);
    return held ? 0 : 1;
}

/* The same in a process of its own: it may crash. */
static void trace_apart(struct scenario *played)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_limit();
        trace_run(played, false);
        exit(0);
    }
    waitpid(child, NULL, 0);
}

/* What a run does, as a list of its own. It is gathered in memory that outlives a crash. */
static void record(struct scenario *from, struct scenario *ret_record)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct run run = {.scenario = from, .record = ret_record};
        run_limit();
        run_play(&run, &world);
        exit(0);
    }
    waitpid(child, NULL, 0);
}

static void tell_case(const struct options *options, struct scenario *from, const char *kind, const char *name)
{
    struct scenario *list =
        mmap(NULL, sizeof(*list), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char again[512];
    if (list == MAP_FAILED)
        return;
    record(from, list);
    scenario_try(list, again, sizeof(again));
    if (strcmp(again, kind) != 0) {
        fprintf(stderr, "its list of events does not repeat it: '%s'\n", again);
        trace_apart(from);
        return;
    }
    struct shrinking shrinking = {.kind = kind, .seconds = options->shrink_seconds};
    unsigned events = list->event_count, turns = list->turn_count;
    scenario_shrink(list, &shrinking);
    trace_apart(list);
    fprintf(stderr,
            "\nof %u events %u are left, of %u turns %u, after %llu tries. Keep the lines below as tests/simulation/kept/NAME;\n"
            "simulate --replay FILE [--trace] repeats them.\n\n",
            events, list->event_count, turns, list->turn_count, (unsigned long long)shrinking.tries);
    printf("# %s\n", name);
    scenario_print(list, stdout);
}

/* ---- many --------------------------------------------------------------------------------------------------- */

static int run_all(const struct options *options)
{
    struct tally tally;
    const struct order *order = &options->order;
    if (jobs_run(order, &tally) != 0)
        return 2;
    const char *end = tally.failures > 0 ? "BROKEN" : tally.interrupted ? "interrupted" : "all invariants hold";
    printf("%llu runs from seed %llu, %llu deaths, %llu steps: %s\n", (unsigned long long)tally.runs,
           (unsigned long long)order->seed, (unsigned long long)tally.deaths, (unsigned long long)tally.steps, end);
    if (tally.interrupted)
        printf("go on with --seed %llu --runs %llu\n", (unsigned long long)tally.below,
               (unsigned long long)(order->seed + order->runs - tally.below));
    if (tally.failures == 0)
        return tally.interrupted ? 1 : 0;
    fprintf(stderr, "\nseed %llu: %s\n\n", (unsigned long long)tally.seed, tally.failure);
    scenario_generate(&scenario, tally.seed);
    if (options->shrink)
        tell_case(options, &scenario, tally.kind, tally.failure);
    return 1;
}

/* ---- kept ones --------------------------------------------------------------------------------------------- */

static int read_scenario(const char *path)
{
    FILE *stream = fopen(path, "r");
    if (stream == NULL) {
        fprintf(stderr, "simulate: %s can't be read\n", path);
        return 2;
    }
    unsigned line = scenario_parse(&scenario, stream);
    fclose(stream);
    if (line == 0)
        return 0;
    fprintf(stderr, "%s:%u: this can't be read\n", path, line);
    return 2;
}

static int replay(const struct options *options, int count, char **paths)
{
    int worst = 0;
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char kind[512] = "";
        int code = read_scenario(paths[i]);
        if (code == 0)
            scenario_try(&scenario, kind, sizeof(kind));
        if (code == 0 && kind[0] != '\0')
            code = 1;
        const char *slash = strrchr(paths[i], '/');
        printf("%sok %d - %s%s%s\n", code == 0 ? "" : "not ", i + 1, slash == NULL ? paths[i] : slash + 1,
               kind[0] == '\0' ? "" : ": ", kind);
        if (code == 1 && options->shrink)
            tell_case(options, &scenario, kind, kind);
        worst = code > worst ? code : worst;
    }
    return worst;
}

/* ---- options -------------------------------------------------------------------------------------------------- */

static void usage(FILE *stream)
{
    fputs("usage: simulate [--runs N] [--seed S] [--jobs J] [--keep-going] [--no-shrink] [--shrink-seconds N]\n"
          "       simulate --seed S --trace | --print\n"
          "       simulate --replay FILE... [--trace] [--no-shrink]\n"
          "  --runs N            how many worlds; each has the seed S, S+1, ... (default 1000)\n"
          "  --seed S            the first seed (default 1)\n"
          "  --jobs J            processes at once (default: one a processor)\n"
          "  --keep-going        after a failure, too: the seed of each is told\n"
          "  --no-shrink         don't look for the shortest list of events that fails so, don't print it\n"
          "  --shrink-seconds N  how long to look (default 60)\n"
          "  --trace             one run, with its trace on the standard output\n"
          "  --print             what the seed stands for, as far as it is known before the run\n"
          "  --replay FILE...    play lists of events that were kept\n"
          "Exit 0: all held; 1: something is broken, or was interrupted; 2: wrong usage.\n",
          stream);
}

static const struct option option_names[] = {
    {"runs", required_argument, NULL, 'n'},
    {"seed", required_argument, NULL, 's'},
    {"jobs", required_argument, NULL, 'j'},
    {"keep-going", no_argument, NULL, 'k'},
    {"no-shrink", no_argument, NULL, 'l'},
    {"shrink-seconds", required_argument, NULL, 'm'},
    {"trace", no_argument, NULL, 't'},
    {"print", no_argument, NULL, 'p'},
    {"replay", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool number(const char *text, uint64_t *ret_number)
{
    char *end;
    *ret_number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool take_option(int option, struct options *options)
{
    uint64_t taken = 0;
    switch (option) {
    case 'n':
        return number(optarg, &options->order.runs) && options->order.runs > 0;
    case 's':
        return number(optarg, &options->order.seed);
    case 'j':
        if (!number(optarg, &taken) || taken == 0 || taken > MOST_JOBS)
            return false;
        options->order.jobs = (unsigned)taken;
        return true;
    case 'm':
        if (!number(optarg, &taken))
            return false;
        options->shrink_seconds = (double)taken;
        return true;
    case 'k':
        options->order.keep_going = true;
        return true;
    case 'l':
        options->shrink = false;
        return true;
    case 't':
        options->trace = true;
        return true;
    case 'p':
        options->print = true;
        return true;
    case 'r':
        options->replay = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {.order = {.runs = 1000, .seed = 1}, .shrink_seconds = 60, .shrink = true};
    options.order.jobs = processors < 1 ? 1 : processors > MOST_JOBS ? MOST_JOBS : (unsigned)processors;
    for (int option; (option = getopt_long(argc, argv, "", option_names, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (!take_option(option, &options)) {
            usage(stderr);
            return 2;
        }
    }
    if (options.replay != (optind < argc) || (options.trace && optind + 1 < argc)) {
        usage(stderr);
        return 2;
    }
    if (options.replay && !options.trace)
        return replay(&options, argc - optind, argv + optind);
    if (options.replay && read_scenario(argv[optind]) != 0)
        return 2;
    if (!options.replay && (options.print || options.trace))
        scenario_generate(&scenario, options.order.seed);
    if (options.print)
        scenario_print(&scenario, stdout);
    return options.trace ? trace_run(&scenario, true) : options.print ? 0 : run_all(&options);
}

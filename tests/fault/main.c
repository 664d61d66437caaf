/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep.h"

static void usage(FILE *stream, const char *program)
{
    fprintf(stream,
            "usage: %s [--quick] [--verbose] [--only SCENARIO]\n"
            "       %s --list | --help\n\n"
            "Fails each call and each allocation of each scenario in each way, once and for ever, and ends the process at each\n"
            "call. Exit 0: nothing is lost, 1: something is, or isn't as it should be, 2: wrong options.\n\n"
            "  --quick           one errno for each kind of call, and few ways to cut it short\n"
            "  --verbose         the failures that the store got over, and why that is right; all that is wrong\n"
            "  --only SCENARIO   only those whose name begins so\n"
            "  --list            the scenarios\n",
            program, program);
}

static void list_tolerated(const struct sweep *sweep)
{
    for (const struct tolerated *row = sweep->tolerated; row->reason != NULL; row++)
        printf("%8u  %s of %s: %s\n", row->hits, call_names[row->call], row->files == NULL ? "any file" : row->files,
               row->reason);
}

/* A row that nothing needs hides what comes later. */
static void check_tolerated(const struct sweep *sweep)
{
    for (const struct tolerated *row = sweep->tolerated; row->reason != NULL; row++)
        if (row->hits == 0)
            bad("no failure of %s was tolerated because: %s", call_names[row->call], row->reason);
}

static int run_all(struct sweep *sweep, const struct scenario *scenarios, const char *only)
{
    char top[64];
    unsigned count = 0;
    snprintf(top, sizeof(top), "%s/muster-fault-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(top) == NULL) {
        perror(top);
        return 1;
    }
    snprintf(sweep->directory, sizeof(sweep->directory), "%s/state", top);
    printf("%-40s %6s %9s %6s %11s\n", "", "faults", "tolerated", "deaths", "allocations");
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        if (strncmp(scenario->name, only, strlen(only)) == 0) {
            sweep_scenario(sweep, scenario);
            count++;
        }
    if (!sweep->quick && only[0] == '\0')
        check_tolerated(sweep);
    if (sweep->verbose)
        list_tolerated(sweep);
    image_remove(sweep->directory);
    rmdir(top);
    if (count == 0)
        fprintf(stderr, "no scenario '%s', see --list\n", only);
    return count == 0 ? 2 : bad_count > 0;
}

int sweep_main(struct sweep *sweep, const struct scenario *scenarios, int argc, char **argv)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},  {"verbose", no_argument, NULL, 'v'},
                                            {"only", required_argument, NULL, 'o'}, {"list", no_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},   {NULL, 0, NULL, 0}};
    const char *only = "";
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'q':
            sweep->quick = true;
            break;
        case 'v':
            sweep->verbose = true;
            bad_limit = UINT_MAX;
            break;
        case 'o':
            only = optarg;
            break;
        case 'l':
            for (; scenarios->name != NULL; scenarios++)
                printf("%s\n", scenarios->name);
            return 0;
        case 'h':
            usage(stdout, argv[0]);
            return 0;
        default:
            usage(stderr, argv[0]);
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr, argv[0]);
        return 2;
    }
    int code = run_all(sweep, scenarios, only);
    const struct totals *totals = &sweep->totals;
    if (code != 2)
        printf("fault: %u faults (%u tolerated), %u deaths, %u allocations: %u lost\n", totals->faults, totals->tolerated,
               totals->deaths, totals->allocations, bad_count);
    return code;
}

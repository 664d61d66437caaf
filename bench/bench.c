/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print_help(const struct bench *bench, const char *about)
{
    printf("usage: %s [--quick | --full] [--max DRIVERS] [--json]%s\n\n%s\n\n"
           "  --quick        few repeats, up to 100,000 drivers (the default)\n"
           "  --full         more repeats, and the largest cases too\n"
           "  --max DRIVERS  leave out the cases with more drivers, or records\n"
           "  --json         one JSON object a line\n",
           bench->name, bench->on_disk ? " [--directory DIR]" : "", about);
    if (bench->on_disk)
        printf("  --directory DIR  work in a new directory in DIR, on a real disk (default $TMPDIR, or /var/tmp)\n");
    printf("  --help         this\n\n"
           "Each subject runs beside the hand-written limit, by turns. Only the ratios of one run count.\n%s%s",
           bench->details == NULL ? "" : "\n", bench->details == NULL ? "" : bench->details);
}

static int parse_max(const char *text, uint32_t *ret_max)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || value < 100 || value > UINT32_MAX)
        return -1;
    *ret_max = (uint32_t)value;
    return 0;
}

static int take_option(struct bench *bench, int option, const char *about)
{
    switch (option) {
    case 'q':
        bench->full = false;
        return 0;
    case 'f':
        bench->full = true;
        return 0;
    case 'j':
        bench->json = true;
        return 0;
    case 'm':
        if (parse_max(optarg, &bench->max) == 0)
            return 0;
        fprintf(stderr, "%s: --max wants a number from 100 on, not '%s'\n", bench->name, optarg);
        return 2;
    case 'd':
        if (!bench->on_disk) {
            fprintf(stderr, "%s: --directory: nothing is written here\n", bench->name);
            return 2;
        }
        bench->directory = optarg;
        return 0;
    case 'h':
        print_help(bench, about);
        return -1;
    default:
        fprintf(stderr, "%s: see --help\n", bench->name);
        return 2;
    }
}

int bench_begin(struct bench *bench, const char *about, int argc, char **argv, int *ret_exit)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
                                            {"full", no_argument, NULL, 'f'},
                                            {"max", required_argument, NULL, 'm'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"directory", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bench->max = UINT32_MAX;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        int code = take_option(bench, option, about);
        if (code != 0) {
            *ret_exit = code < 0 ? 0 : code;
            return -1;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected '%s', see --help\n", bench->name, argv[optind]);
        *ret_exit = 2;
        return -1;
    }
    bench->repeats = bench->full ? 31 : 11;
    if (!bench->json)
        printf("%s\n%-18s %-10s %10s  %-16s %8s %8s\n", about, "case", "subject", "median", "unit", "spread",
               "ratio");
    return 0;
}

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- medians ------------------------------------------------------------------------------------- */

void bench_add(struct bench_samples *samples, double value)
{
    if (samples->count < BENCH_REPEATS_MAX)
        samples->values[samples->count++] = value;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static struct bench_samples sorted(const struct bench_samples *samples)
{
    struct bench_samples copy = *samples;
    qsort(copy.values, copy.count, sizeof(copy.values[0]), compare);
    return copy;
}

static double median(const struct bench_samples *samples)
{
    struct bench_samples copy = sorted(samples);
    return (copy.values[(copy.count - 1) / 2] + copy.values[copy.count / 2]) / 2;
}

/* How far the middle half of the repeats is apart, in per cent of the median. */
static double spread(const struct bench_samples *samples)
{
    struct bench_samples copy = sorted(samples);
    unsigned quarter = copy.count / 4;
    double middle = median(samples);
    return middle > 0 ? (copy.values[copy.count - 1 - quarter] - copy.values[quarter]) / middle * 100 : 0;
}

static double median_ratio(const struct bench_samples *samples, const struct bench_samples *limit)
{
    struct bench_samples ratios = {.count = samples->count};
    for (unsigned i = 0; i < samples->count; i++)
        ratios.values[i] = limit->values[i] > 0 ? samples->values[i] / limit->values[i] : 0;
    return median(&ratios);
}

void bench_report(const struct bench *bench, const char *const labels[3], const struct bench_samples *samples,
                  const struct bench_samples *limit)
{
    if (samples->count == 0 || limit->count != samples->count)
        return;
    bench_report_value(bench, labels, (const double[]){median(samples), spread(samples), median_ratio(samples, limit)});
}

void bench_report_value(const struct bench *bench, const char *const labels[3], const double figures[3])
{
    if (bench->json)
        printf("{\"bench\":\"%s\",\"case\":\"%s\",\"subject\":\"%s\",\"value\":%.2f,\"unit\":\"%s\","
               "\"ratio_to_limit\":%.4f,\"spread\":%.1f}\n",
               bench->name, labels[BENCH_CASE], labels[BENCH_SUBJECT], figures[0], labels[BENCH_UNIT], figures[2],
               figures[1]);
    else
        printf("%-18s %-10s %10.1f  %-16s %6.1f %% %8.2f\n", labels[BENCH_CASE], labels[BENCH_SUBJECT], figures[0],
               labels[BENCH_UNIT], figures[1], figures[2]);
    fflush(stdout);
}

/* ---- counting ------------------------------------------------------------------------------------ */

#define HEAD _Alignof(max_align_t)

static void *counted(struct bench_counter *counter, char *block, size_t bytes)
{
    if (block == NULL)
        return NULL;
    memcpy(block, &bytes, sizeof(bytes));
    counter->live += bytes;
    if (counter->live > counter->peak)
        counter->peak = counter->live;
    return block + HEAD;
}

static size_t bytes_of(const void *block)
{
    size_t bytes;
    memcpy(&bytes, (const char *)block - HEAD, sizeof(bytes));
    return bytes;
}

static void *counting_alloc(void *data, size_t bytes)
{
    return counted(data, malloc(HEAD + bytes), bytes);
}

static void counting_free(void *data, void *old)
{
    struct bench_counter *counter = data;
    if (old == NULL)
        return;
    counter->live -= bytes_of(old);
    free((char *)old - HEAD);
}

static void *counting_realloc(void *data, void *old, size_t bytes)
{
    struct bench_counter *counter = data;
    if (old == NULL)
        return counting_alloc(data, bytes);
    size_t before = bytes_of(old);
    char *grown = realloc((char *)old - HEAD, HEAD + bytes);
    if (grown == NULL)
        return NULL;
    counter->live -= before;
    return counted(counter, grown, bytes);
}

void bench_counter_init(struct bench_counter *counter, struct muster_allocator *allocator)
{
    *counter = (struct bench_counter){0};
    *allocator = (struct muster_allocator){sizeof(*allocator), counter, counting_alloc, counting_realloc,
                                           counting_free};
}

/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks share: options, clock, medians, reports. Times depend on the machine and on what else it does:
 * only the ratios of subjects that took turns in one run count.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster.h>

#define BENCH_REPEATS_MAX 64

/* One program's run. */
struct bench {
    const char *name;
    /* Lines of JSON instead of a table. */
    bool json;
    /* --full: larger, and more repeats. */
    bool full;
    /* No case has more drivers, or records, than this. */
    uint32_t max;
    unsigned repeats;
    /* It writes files, and takes --directory, which is NULL if it wasn't given. */
    bool on_disk;
    const char *directory;
    /* NULL, or what --help says at its end. */
    const char *details;
};

/* What each repeat took. */
struct bench_samples {
    double values[BENCH_REPEATS_MAX];
    unsigned count;
};

/* Take the command line. `about` is a sentence for --help. Returns 0; or -1 if the process is to end, with `*ret_exit`. */
int bench_begin(struct bench *bench, const char *about, int argc, char **argv, int *ret_exit);

uint64_t bench_now_ns(void);
void bench_add(struct bench_samples *samples, double value);

/*
 * Report the median of `samples`. Its ratio to the limit is the median of the repeats' own ratios, so that what slows a while
 * of the run down slows both. `limit` has as many repeats; it may be `samples` itself.
 */
void bench_report(const struct bench *bench, const char *const labels[3], const struct bench_samples *samples,
                  const struct bench_samples *limit);
/* The same for what is no median: the value, the spread in per cent, and the ratio to the limit. */
void bench_report_value(const struct bench *bench, const char *const labels[3], const double figures[3]);
/* In the order of `labels`. */
enum bench_label { BENCH_CASE = 0, BENCH_SUBJECT = 1, BENCH_UNIT = 2 };

/* Bytes as they were asked for; the allocator's own overhead isn't in. */
struct bench_counter {
    size_t live;
    size_t peak;
};

/* Fill `allocator`, which counts in `counter` and takes from malloc. For one thread. */
void bench_counter_init(struct bench_counter *counter, struct muster_allocator *allocator);

#endif

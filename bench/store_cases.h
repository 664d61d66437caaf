/* SPDX-License-Identifier: MIT */
/* What `store` does with its subjects. */
#ifndef BENCH_STORE_CASES_H
#define BENCH_STORE_CASES_H

#include "bench.h"
#include "store.h"

#define STORE_SUBJECTS_MAX 8

/* A run: the subjects, the limit first, and a directory of the run's own. */
struct store_run {
    const struct bench *bench;
    const struct store_subject *subjects[STORE_SUBJECTS_MAX];
    size_t count;
    char directory[2048];
    /* Of the order of turns. */
    uint64_t seed;
};

/* Each returns 0; or -1, and stderr says why. */

/* One record a commit, into a store of 1,000: p50 and p99. */
int store_measure_single(struct store_run *run);
/* So many records in one commit, into an empty store. */
int store_measure_batch(struct store_run *run, size_t count);
/* Open and load so many records, with a warm page cache. */
int store_measure_load(struct store_run *run, size_t count);

/* Remove a directory and all that is in it. */
void store_remove(const char *directory);

#endif

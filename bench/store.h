/* SPDX-License-Identifier: MIT */
/*
 * What `store` measures: keepers of records, all with the same calls and the same records, all durable when commit returns.
 */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include <stddef.h>
#include <stdint.h>

#include <muster.h>

/* ---- records: the same for every subject, and in every run */

struct store_records {
    size_t count;
    struct muster_record *records;
    const struct muster_record **pointers;
    char *texts;
};

/* -1: out of memory. */
int store_records_init(struct store_records *records, size_t count);
void store_records_fini(struct store_records *records);

/* What a load has told. Equal tallies: the same records, in any order. */
struct store_tally {
    size_t count;
    uint64_t sum;
};

/* For loads; `data` is a struct store_tally. 0. */
int store_tally_add(void *data, const struct muster_record *record);

/* A record with all of its content as bytes of fixed form, no more than needed: what a peer without columns keeps. */
#define STORE_PACKED_MAX 1024

/* How many bytes; `bytes` has room for STORE_PACKED_MAX. */
size_t store_pack(const struct muster_record *record, char *bytes);
/* Its strings lie in `bytes`. Returns how many bytes it was. */
size_t store_unpack(const char *bytes, struct muster_record *ret_record);

/* ---- subjects */

/* Each returns 0, or -1 after it has said on stderr what is wrong. */
struct store_subject {
    const char *name;
    /* What it does, for --help. */
    const char *about;
    /* Larger batches take too long; 0: none does. */
    size_t most;
    /* `directory` is empty, and its own. MUSTER_ENOTSUP: this build doesn't have it. */
    int (*make)(const char *directory, void **ret_self);
    int (*open)(void *self);
    int (*commit)(void *self, const struct muster_record *const *records, size_t count);
    int (*load)(void *self, struct store_tally *tally);
    int (*close)(void *self);
    void (*free)(void *self);
};

extern const struct store_subject store_limit;
extern const struct store_subject store_journal;
extern const struct store_subject store_sqlite;
extern const struct store_subject store_memory;
extern const struct store_subject store_lmdb;
extern const struct store_subject store_sqlite_direct;
extern const struct store_subject store_rename;

/* "limit: write DIRECTORY/FILE: No space left on device" on stderr. -1. */
int store_failed(const char *subject, const char *operation, const char *text);

#endif

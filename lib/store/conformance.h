/* SPDX-License-Identifier: MIT */
/*
 * What the checks of the conformance kit have in common: a store under test, and a model of what it should
 * hold. Functions return 0, or a code with the reason in kit->text.
 */
#ifndef MUSTER__CONFORMANCE_H
#define MUSTER__CONFORMANCE_H

#include <stdbool.h>

#include <muster/testing.h>

#include "base/error.h"
#include "base/memory.h"

struct muster__kit_entry {
    struct muster_record is;
    /* The strings. */
    char *block;
    size_t bytes;
    /* By the load under way. */
    bool seen;
};

struct muster__kit_list {
    struct muster__kit_entry *entries;
    size_t count;
    size_t capacity;
};

struct muster__kit {
    const struct muster_testing_store_def *def;
    struct muster__memory memory;
    /* NULL: none is made. */
    struct muster_store *store;
    bool open;
    struct muster__kit_list model;
    /* What the last commit was given, overwritten since: it tells who reads it still. */
    struct muster__kit_list passed;
    /* Of the store's last call. */
    struct muster_error error;
    /* What the last load has found: 0 or MUSTER_EFAILED. */
    int found;
    /* For checks that count. */
    uint64_t step;
    char text[MUSTER__ERROR_TEXT];
};

struct muster__kit_check {
    const char *name;
    int (*run)(struct muster__kit *kit);
    /* It makes no sense for a store that forgets. */
    bool reopens;
};

/* Ends with an entry without a name. */
extern const struct muster__kit_check muster__kit_record_checks[];
extern const struct muster__kit_check muster__kit_call_checks[];
extern const struct muster__kit_check muster__kit_place_checks[];
extern const struct muster__kit_check muster__kit_fault_checks[];

/* muster_testing_store() with one check alone; NULL: all. */
int muster__testing_store(const struct muster_testing_store_def *def, const char *only);

/* Set the reason. Returns `code`. */
int muster__kit_fail(struct muster__kit *kit, int code, const char *format, ...) MUSTER_PRINTF(3, 4);
/* The store's call returned `code`, which isn't 0, and should have been. */
int muster__kit_failed(struct muster__kit *kit, int code, const char *call);

/* A new store, not open. */
int muster__kit_make(struct muster__kit *kit, struct muster_store **ret_store);
/* Make and open the store under test. */
int muster__kit_open(struct muster__kit *kit);
/* Close it if it is open, and free it. */
int muster__kit_close(struct muster__kit *kit);
/* Close and open again, and compare, unless the store forgets. */
int muster__kit_reopen(struct muster__kit *kit);
/* Open, and take what is there as the model. */
int muster__kit_begin(struct muster__kit *kit);
/* Close; with `clean` remove what is there before. */
void muster__kit_end(struct muster__kit *kit, bool clean);

/* A record with every member set; its strings are static, but for the name. */
struct muster_record muster__kit_record(const char *name, uint64_t generation);
/* Commit, and change the model. */
int muster__kit_commit(struct muster__kit *kit, const struct muster_record *records, size_t count);
/* Change the model alone: somebody else has committed them. */
int muster__kit_expect(struct muster__kit *kit, const struct muster_record *records, size_t count);
/*
 * Commit what can't be kept: MUSTER_EINVAL with a text and nothing applied, or, unless `must_refuse`, kept as it
 * is.
 */
int muster__kit_refuse(struct muster__kit *kit, const struct muster_record *records, size_t count, bool must_refuse);
/* Load, and compare with the model: what load returned. Where that is 0, kit->found is what the comparison has found. */
int muster__kit_load(struct muster__kit *kit);
/* The same, where load must succeed and nothing be found. */
int muster__kit_compare(struct muster__kit *kit);

/*
 * Run it in a process of its own, which then ends by SIGKILL. What it does to the kit's memory is lost, but
 * for its text and code.
 */
int muster__kit_in_child(struct muster__kit *kit, int (*run)(struct muster__kit *kit));

#endif

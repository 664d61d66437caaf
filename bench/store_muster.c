/* SPDX-License-Identifier: MIT */
/* The stores of muster, through its public functions. */
#include <stdio.h>

#include "store.h"

static int failed(struct muster_store *store, const char *operation)
{
    return store_failed("muster", operation, muster_error_text(muster_store_get_error(store)));
}

static int made(int code, struct muster_store *store, void **ret_self)
{
    if (code == 0)
        *ret_self = store;
    else if (code != MUSTER_ENOTSUP)
        code = store_failed("muster", "make", muster_code_text(code));
    return code;
}

static int make_journal(const char *directory, void **ret_self)
{
    char path[4096];
    struct muster_store *store = NULL;
    snprintf(path, sizeof(path), "%s/state", directory);
    int code = muster_store_journal_new(path, NULL, &store);
    return made(code, store, ret_self);
}

static int make_sqlite(const char *directory, void **ret_self)
{
    char path[4096];
    struct muster_store *store = NULL;
    snprintf(path, sizeof(path), "%s/records", directory);
    int code = muster_store_sqlite_new(path, NULL, &store);
    return made(code, store, ret_self);
}

static int make_memory(const char *directory, void **ret_self)
{
    struct muster_store *store = NULL;
    (void)directory;
    int code = muster_store_memory_new(NULL, &store);
    return made(code, store, ret_self);
}

static int open_store(void *self)
{
    return muster_store_open(self, 0) == 0 ? 0 : failed(self, "open");
}

static int commit(void *self, const struct muster_record *const *records, size_t count)
{
    return muster_store_commit(self, records, count) == 0 ? 0 : failed(self, "commit");
}

static int load(void *self, struct store_tally *tally)
{
    int code = muster_store_load(self, store_tally_add, tally);
    return code == 0 && muster_error_code(muster_store_get_error(self)) == 0 ? 0 : failed(self, "load");
}

static int close_store(void *self)
{
    return muster_store_close(self) == 0 ? 0 : failed(self, "close");
}

static void free_store(void *self)
{
    muster_store_free(self);
}

#define CALLS .open = open_store, .commit = commit, .load = load, .close = close_store, .free = free_store

const struct store_subject store_journal = {
    .name = "journal", .about = "muster's journal store", .make = make_journal, CALLS};

const struct store_subject store_sqlite = {
    .name = "sqlite", .about = "muster's sqlite store", .make = make_sqlite, CALLS};

const struct store_subject store_memory = {
    .name = "memory", .about = "muster's memory store; nothing is durable", .make = make_memory, CALLS};

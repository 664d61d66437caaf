/* SPDX-License-Identifier: MIT */
/*
 * A journal in a directory of its own, what a load of it told, and system calls that fail when they are told
 * to (support/failing_calls.h).
 */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/journal.h"
#include "store/store.h"
#include "support/failing_calls.h"

#define LOADED_MAX 64

struct loaded {
    struct muster_record is;
    char *driver, *name, *boot, *token, *handle, *extra;
};

struct journal_fixture {
    char top[64];
    char directory[80];
    struct muster_journal_options options;
    struct muster_store *store;
    struct muster_error error;
    struct loaded loaded[LOADED_MAX];
    size_t count;
};

int journal_setup(void **state);
int journal_teardown(void **state);

/*
 * Make a store and open it, with the calls that can fail. The code of the open; on failure the store is
 * freed.
 */
int journal_open(struct journal_fixture *fixture);
/* Load into fixture->loaded. */
int journal_load(struct journal_fixture *fixture);
void journal_close(struct journal_fixture *fixture);
/* Without closing, as a daemon that dies. */
void journal_die(struct journal_fixture *fixture);
/* Open, load, and check that both succeed. */
void journal_must_open(struct journal_fixture *fixture);
/* Close, open again and load. */
void journal_reopen(struct journal_fixture *fixture);

/* Commit one active record guest/name of that generation; generation 0 removes it. */
int journal_put(struct journal_fixture *fixture, const char *name, uint64_t generation);
/* The same, of generation 1, with a handle of one's own. */
int journal_put_handle(struct journal_fixture *fixture, const char *name, const char *handle);
/* The record guest/name of the last load, or NULL. */
const struct muster_record *journal_find(const struct journal_fixture *fixture, const char *name);

/* Files in the state directory. The bytes are the caller's to free, and end with a NUL. */
char *journal_get_file(const struct journal_fixture *fixture, const char *file, size_t *ret_size);
void journal_set_file(const struct journal_fixture *fixture, const char *file, const char *bytes, size_t size);
/* How many files there are whose name begins so. */
size_t journal_count_files(const struct journal_fixture *fixture, const char *prefix);
void journal_remove_files(const struct journal_fixture *fixture, const char *prefix);

#endif

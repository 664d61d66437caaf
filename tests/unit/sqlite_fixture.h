/* SPDX-License-Identifier: MIT */
/* A sqlite store in a directory of its own, and files of sqlite that fail when they are told to. */
#ifndef TESTS_SQLITE_FIXTURE_H
#define TESTS_SQLITE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/sqlite.h"
#include "store/store.h"

struct fault_of_files {
    enum { WRITE, SYNC } call;
    unsigned n; /* the call that fails, from 1; 0: none does */
    int result;
    bool forever;
    unsigned count;
    bool fired;
};
extern struct fault_of_files fault;

/* From now on each of those calls fails. */
void set_fault(int call, int result);
/* For the whole group: the files that can fail, and a sqlite that doesn't sleep. */
int set_up_vfs(void **state);

struct fixture {
    char directory[64];
    char file[80];
    struct muster_store *store;
    struct muster_error error;
    size_t count;
    size_t quarantined;
    char names[256];
};

int setup(void **state);
int teardown(void **state);

/* Make a store and open it. The code of the open; on failure the store is freed. */
int try_open(struct fixture *fixture);
void must_open(struct fixture *fixture);
void must_close(struct fixture *fixture);
/* Of the error. */
void says(const struct fixture *fixture, const char *text);
/* An open fails with this code, a text that says so, and the file's name. */
void refused(struct fixture *fixture, int code, const char *text);

struct muster_record record_of(const char *name, uint64_t generation);
/* a and b are changed, c comes; generation 0 removes them. */
int put_three(struct fixture *fixture, uint64_t generation);
/* Open, put three of generation 1, close. */
void make_three(struct fixture *fixture);
/* Of a load: counts and names. */
int see(void *data, const struct muster_record *record);
/* "a1 b1 c1 ": the names and generations that a load tells. */
const char *loaded(struct fixture *fixture);

/* What anybody may do with the file. */
sqlite3 *connection(const struct fixture *fixture);
void run_sql(const struct fixture *fixture, const char *sql);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Files that nobody means well with, each opened as a daemon would. What a group of them does is done in a child, so that a
 * crash or a hang is one more thing to be counted. The last line is `hostile: N files: N crashed, N lost`.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/store.h>

#include "store/journal_calls.h"

struct hostile_group {
    const char *name;
    void (*run)(void);
    /* Of the processor's time, before it counts as hanging; 0: two minutes. */
    unsigned seconds;
};

/* Run all of them, up to one without a name. The exit code of a test: 0, 1, or 77 where some were skipped. */
int hostile_main(const struct hostile_group *groups);

/* In a group: one more file, described so. */
void hostile_file(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* It must be so, or the file has not the outcome that is documented. */
bool hostile_expect(bool so, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A record that must be there is. */
void hostile_keep(bool kept, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* This group can't run here: the program is skipped, unless it has failed. Doesn't return. */
void hostile_skip(const char *reason) __attribute__((noreturn));

/* ---- a state directory of the group */

/* "state" below a directory of its own, which goes when the group ends. */
const char *hostile_directory(void);
const char *hostile_top(void);
/* A file of the state directory: its path, in turns of four rooms. */
const char *hostile_path(const char *file);
/* Make the directory, 0700, and a file in it, 0600, in place of what was there. */
void hostile_put(const char *file, const char *bytes, size_t size);
/* The bytes are the caller's to free, and end with a NUL. NULL: there is none. */
char *hostile_get(const char *file, size_t *ret_size);
/* Remove the state directory and all that is in it. */
void hostile_clean(void);
/* Files in it whose names begin so. */
size_t hostile_count(const char *prefix);

/* A call that must end with 0, or the group crashes here. */
void hostile_must(int result);

/* What may stand in the place of a file. The link is to the file "kept" beside it. */
struct hostile_stranger {
    const char *what;
    void (*make)(const char *path);
};

#define HOSTILE_STRANGERS 7
extern const struct hostile_stranger hostile_strangers[HOSTILE_STRANGERS];

/* ---- what a daemon sees */

#define HOSTILE_RECORDS 64

struct hostile_record {
    char name[32];
    bool quarantined;
    uint64_t generation;
    /* Of all that it holds. */
    uint64_t hash;
};

struct hostile_result {
    /* Of open; all else only where it is 0. */
    int code;
    /* Of what load leaves: 0 or MUSTER_ECORRUPT. */
    int lost;
    char text[512];
    struct hostile_record records[HOSTILE_RECORDS];
    size_t count;
};

extern struct muster_journal_options hostile_options;
/* The journal's system calls; another table than the system's makes what can't be had otherwise. */
extern const struct muster__journal_calls *hostile_calls;
/* The store is not the journal, but the database state/records. */
extern bool hostile_sqlite;

/* Open, load, close. */
void hostile_open(struct hostile_result *ret_result);
void hostile_load(struct muster_store *store, struct hostile_result *ret_result);
struct muster_store *hostile_store(void);
/* NULL: there is none. */
const struct hostile_record *hostile_find(const struct hostile_result *result, const char *name);
bool hostile_same(const struct hostile_result *one, const struct hostile_result *other);
/* Commit guest/name, active, of a generation; 0 removes it. */
int hostile_commit(struct muster_store *store, const char *name, uint64_t generation);
/* It is refused with that code, whose text says that, and no file has changed. */
void hostile_refused(int code, const char *text);
/* It opens, a commit works, and it opens again with that and nothing to report. */
void hostile_goes_on(const struct hostile_result *before);

#endif

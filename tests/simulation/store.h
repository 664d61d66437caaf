/* SPDX-License-Identifier: MIT */
/*
 * A store whose content outlives the daemon, with a worker that does one job at a time. What becomes of a job is told
 * by a turn: a code, a delay, and whether the batch was applied after all.
 */
#ifndef SIMULATION_STORE_H
#define SIMULATION_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/store.h>

#include "base/table.h"

enum { STORE_RECORDS = 1024, STORE_TEXT = 96 };

/* A record with room for its strings. */
struct stored {
    struct muster__table_node node;
    char key[2 * STORE_TEXT + 2]; /* its kind, driver and name */
    struct muster_record is;
    char driver[STORE_TEXT];
    char name[STORE_TEXT];
    char boot[STORE_TEXT];
    char token[STORE_TEXT];
    char handle[STORE_TEXT];
    char extra[STORE_TEXT];
};

enum store_job_kind { STORE_LOAD, STORE_COMMIT, STORE_CLOSE };

struct store_turn {
    int code; /* 0: done */
    uint64_t delay;
    bool applied; /* with a code: it was applied all the same */
    bool lands;   /* if the daemon dies meanwhile: it was applied */
};

struct store_job {
    enum store_job_kind kind;
    struct store_turn turn;
    struct stored *batch;
    size_t count;
    struct store_job *next;
};

struct fake_store {
    struct muster__memory memory;
    struct muster__table keys;
    struct stored *records[STORE_RECORDS];
    size_t count;
    struct store_job *jobs; /* the first is under way */
    unsigned commits;       /* batches applied */
};

void fake_store_init(struct fake_store *store);
void fake_store_fini(struct fake_store *store);
/* `store` has nothing yet. */
void fake_store_copy(struct fake_store *store, const struct fake_store *from);

void stored_set(struct stored *stored, const struct muster_record *record);

/* The one of the same kind, driver and name; NULL if there is none. */
struct stored *fake_store_like(struct fake_store *store, const struct muster_record *key);
/* A resource's; NULL if there is none. `name` is "driver/name". */
struct stored *fake_store_find(struct fake_store *store, const char *name);
/* As a commit would. */
void fake_store_put(struct fake_store *store, const struct muster_record *record);

/* Queue a job with a copy of the batch. True if it is the first, which its end has to be scheduled for. */
bool fake_store_queue(struct fake_store *store, struct store_job job, const struct muster_record *const *records);
/* Apply the first job, if its turn says so; it stays the first. */
void fake_store_apply(struct fake_store *store);
/* Forget the first job. */
void fake_store_pop(struct fake_store *store);
/* The daemon dies. */
void fake_store_die(struct fake_store *store);

#endif

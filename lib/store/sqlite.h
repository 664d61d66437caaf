/* SPDX-License-Identifier: MIT */
/*
 * The sqlite store: one table in one database file, in WAL mode. Beside it lies FILE-lock, locked for the life
 * of the store, so that there is one daemon, while others may still read (`sqlite3 FILE`).
 */
#ifndef MUSTER__SQLITE_H
#define MUSTER__SQLITE_H

#include <stdbool.h>
#include <sys/types.h>

#include <sqlite3.h>

#include <muster/store.h>

#include "base/memory.h"
#include "store/journal_calls.h"

/* PRAGMA user_version, and PRAGMA application_id: "mstr". */
#define MUSTER__SQLITE_FORMAT 1
#define MUSTER__SQLITE_ID 0x6d737472
#define MUSTER__SQLITE_COLUMNS 14

enum muster__sqlite_statement {
    MUSTER__SQLITE_BEGIN,
    MUSTER__SQLITE_COMMIT,
    MUSTER__SQLITE_ROLLBACK,
    MUSTER__SQLITE_PUT,
    MUSTER__SQLITE_REMOVE,
    MUSTER__SQLITE_LOAD,
    MUSTER__SQLITE_STATEMENTS
};

struct muster__sqlite {
    struct muster__memory memory;
    const struct muster__journal_calls *calls;
    char *file;
    /* sqlite's. */
    char *log_file;
    char *lock_file;
    int lock_fd;
    /* No lock is held, and nothing is changed. */
    bool read_only;
    /* Who opened it: in a child after fork the connection must not be touched. */
    pid_t owner;
    /* NULL: not open. */
    sqlite3 *db;
    sqlite3_stmt *statements[MUSTER__SQLITE_STATEMENTS];
    /* It is to a copy in memory of a file that nobody had open. */
    bool copied;
    /* It can't be told what the last commit did: the connection is done with, a fresh one will tell. */
    bool indeterminate;
};

/* muster_store_sqlite_new() with system calls of one's own, which must outlive the store. */
int muster__sqlite_new(const char *file, const struct muster_allocator *allocator, const struct muster__journal_calls *calls,
                       struct muster_store **ret_store);

/* ---- sqlite_file.c */

/* Take the lock. MUSTER_EBUSY says who has it. On failure nothing stays open. */
int muster__sqlite_lock(struct muster__sqlite *store, struct muster_error *error);
/* Give it back, also when children have inherited it. */
int muster__sqlite_unlock(struct muster__sqlite *store, struct muster_error *error);
/*
 * Make the file if it isn't there, unless it is only to be read; MUSTER_EINVAL: it isn't a file of ours alone, or,
 * to be read, no file.
 */
int muster__sqlite_check_file(const struct muster__sqlite *store, struct muster_error *error);
/*
 * Write sqlite's log over itself, and make its name durable: the next sync of the log reaches all of it, even what a sync has
 * failed for. For who has begun to write.
 */
int muster__sqlite_renew_log(const struct muster__sqlite *store, struct muster_error *error);

/* ---- sqlite_database.c */

/*
 * Fill `error`: "commit /var/lib/x/records: database or disk is full". Returns the code that stands for
 * sqlite's `result`.
 */
int muster__sqlite_failed(const struct muster__sqlite *store, struct muster_error *error, int result, const char *operation);
/*
 * Open the database, made if it is new, unless it is only to be read; what it then holds is durable. On failure
 * nothing stays open. Never MUSTER_EBUSY.
 */
int muster__sqlite_connect(struct muster__sqlite *store, struct muster_error *error);
/* Close the connection, if there is one. sqlite's result. */
int muster__sqlite_disconnect(struct muster__sqlite *store);
/* Run statements that return nothing that counts. sqlite's result. */
int muster__sqlite_run(const struct muster__sqlite *store, const char *sql);
/* MUSTER_ECORRUPT: what sqlite finds wrong with the file. */
int muster__sqlite_check_integrity(const struct muster__sqlite *store, struct muster_error *error);

/* ---- sqlite_record.c */

/* May it be kept? MUSTER_EINVAL: a text says why not. */
int muster__sqlite_check_record(const struct muster_record *record, struct muster_error *error);
/* Bind every column, or the key alone. sqlite's result. */
int muster__sqlite_bind(sqlite3_stmt *statement, const struct muster_record *record, bool key_alone);
/*
 * The record of a row; its strings live as long as the row. MUSTER_EUNKNOWN: a value isn't what it should be, the
 * record is quarantined. MUSTER_ECORRUPT: its key can't be told. MUSTER_ENOMEM.
 */
int muster__sqlite_read(sqlite3_stmt *statement, struct muster_record *ret_record);

#endif

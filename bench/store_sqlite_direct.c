/* SPDX-License-Identifier: MIT */
/* SQLite without a store around it: WAL, synchronous = FULL, prepared statements, a column for each member. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store.h"

enum statement { BEGIN, COMMIT, PUT, LOAD, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [PUT] = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, driver, name)"
            " DO UPDATE SET flags = excluded.flags, desired = excluded.desired, stage = excluded.stage,"
            " reason = excluded.reason, boot = excluded.boot, attempts = excluded.attempts,"
            " generation = excluded.generation, token = excluded.token, handle = excluded.handle,"
            " format = excluded.format, extra = excluded.extra",
    [LOAD] = "SELECT * FROM records",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS records (kind INTEGER, driver TEXT, name TEXT, flags INTEGER, desired INTEGER, stage INTEGER,"
    " reason INTEGER, boot TEXT, attempts INTEGER, generation INTEGER, token TEXT, handle TEXT, format INTEGER, extra TEXT,"
    " PRIMARY KEY (kind, driver, name))";

struct peer {
    char path[4096];
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
};

static int failed(const struct peer *peer, const char *operation)
{
    return store_failed("SQLite", operation, sqlite3_errmsg(peer->db));
}

static int make(const char *directory, void **ret_self)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return store_failed("SQLite", "make", "out of memory");
    snprintf(peer->path, sizeof(peer->path), "%s/records", directory);
    *ret_self = peer;
    return 0;
}

static int open_database(void *self)
{
    struct peer *peer = self;
    int result = sqlite3_open_v2(peer->path, &peer->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(peer->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL, NULL, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(peer->db, schema, NULL, NULL, NULL);
    for (int i = 0; i < STATEMENTS && result == SQLITE_OK; i++)
        result = sqlite3_prepare_v3(peer->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &peer->statements[i], NULL);
    return result == SQLITE_OK ? 0 : failed(peer, "open");
}

static int step(const struct peer *peer, enum statement which)
{
    int result = sqlite3_step(peer->statements[which]);
    sqlite3_reset(peer->statements[which]);
    return result == SQLITE_DONE ? 0 : failed(peer, texts[which]);
}

static int put(const struct peer *peer, const struct muster_record *record)
{
    sqlite3_stmt *statement = peer->statements[PUT];
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)record->kind);
    sqlite3_bind_text(statement, 2, record->driver, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, record->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)record->flags);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)record->desired);
    sqlite3_bind_int64(statement, 6, (sqlite3_int64)record->stage);
    sqlite3_bind_int64(statement, 7, (sqlite3_int64)record->reason);
    sqlite3_bind_text(statement, 8, record->boot, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 9, (sqlite3_int64)record->attempts);
    sqlite3_bind_int64(statement, 10, (sqlite3_int64)record->generation);
    sqlite3_bind_text(statement, 11, record->token, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 12, record->handle, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 13, (sqlite3_int64)record->format);
    sqlite3_bind_text(statement, 14, record->extra, -1, SQLITE_STATIC);
    return step(peer, PUT);
}

/* A single record needs no transaction around it. */
static int commit(void *self, const struct muster_record *const *records, size_t count)
{
    struct peer *peer = self;
    if (count == 1)
        return put(peer, records[0]);
    if (step(peer, BEGIN) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (put(peer, records[i]) != 0)
            return -1;
    return step(peer, COMMIT);
}

static void read_row(sqlite3_stmt *row, struct muster_record *ret_record)
{
    MUSTER_RECORD_INIT(ret_record);
    ret_record->kind = (uintptr_t)sqlite3_column_int64(row, 0);
    ret_record->driver = (const char *)sqlite3_column_text(row, 1);
    ret_record->name = (const char *)sqlite3_column_text(row, 2);
    ret_record->flags = (uintptr_t)sqlite3_column_int64(row, 3);
    ret_record->desired = (uintptr_t)sqlite3_column_int64(row, 4);
    ret_record->stage = (uintptr_t)sqlite3_column_int64(row, 5);
    ret_record->reason = (uintptr_t)sqlite3_column_int64(row, 6);
    ret_record->boot = (const char *)sqlite3_column_text(row, 7);
    ret_record->attempts = (uint64_t)sqlite3_column_int64(row, 8);
    ret_record->generation = (uint64_t)sqlite3_column_int64(row, 9);
    ret_record->token = (const char *)sqlite3_column_text(row, 10);
    ret_record->handle = (const char *)sqlite3_column_text(row, 11);
    ret_record->format = (uint64_t)sqlite3_column_int64(row, 12);
    ret_record->extra = (const char *)sqlite3_column_text(row, 13);
}

static int load(void *self, struct store_tally *tally)
{
    struct peer *peer = self;
    struct muster_record record;
    int result;
    while ((result = sqlite3_step(peer->statements[LOAD])) == SQLITE_ROW) {
        read_row(peer->statements[LOAD], &record);
        store_tally_add(tally, &record);
    }
    sqlite3_reset(peer->statements[LOAD]);
    return result == SQLITE_DONE ? 0 : failed(peer, "load");
}

static int close_database(void *self)
{
    struct peer *peer = self;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(peer->statements[i]);
    if (sqlite3_close(peer->db) != SQLITE_OK)
        return failed(peer, "close");
    peer->db = NULL;
    return 0;
}

const struct store_subject store_sqlite_direct = {
    .name = "SQLite",
    .about = "used directly: WAL, synchronous = FULL, prepared statements, one transaction a batch, a column for each member",
    .make = make,
    .open = open_database,
    .commit = commit,
    .load = load,
    .close = close_database,
    .free = free,
};

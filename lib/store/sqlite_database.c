/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/sqlite.h"

/* How long to wait for somebody else who writes, in milliseconds. */
#define PATIENCE 5000

#define STRING(x) #x
#define DIGITS(x) STRING(x)

/* The view is for people. */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE records ("
    " kind INTEGER NOT NULL, driver TEXT NOT NULL, name TEXT NOT NULL, flags INTEGER NOT NULL, desired INTEGER NOT NULL,"
    " stage INTEGER NOT NULL, reason INTEGER NOT NULL, boot TEXT, attempts INTEGER NOT NULL, generation INTEGER NOT NULL,"
    " token TEXT, handle TEXT, format INTEGER NOT NULL, extra TEXT, PRIMARY KEY (kind, driver, name));"
    "CREATE VIEW resources AS SELECT driver, name,"
    " CASE desired WHEN 0 THEN 'inactive' WHEN 1 THEN 'active' ELSE desired END AS desired,"
    " CASE stage WHEN 0 THEN 'inactive' WHEN 1 THEN 'starting' WHEN 2 THEN 'active' WHEN 3 THEN 'stopping' ELSE stage END"
    "  AS stage,"
    " CASE reason WHEN 0 THEN 'user' WHEN 1 THEN 'self' WHEN 2 THEN 'host-shutdown' WHEN 3 THEN 'loss' WHEN 4 THEN 'failure'"
    "  ELSE reason END AS reason,"
    " flags & 1 AS quarantined, (flags & 4) / 4 AS mark, boot, attempts, generation, token, handle, extra"
    " FROM records WHERE kind = 0 ORDER BY driver, name;"
    "PRAGMA application_id = " DIGITS(MUSTER__SQLITE_ID) ";"
    "PRAGMA user_version = " DIGITS(MUSTER__SQLITE_FORMAT) ";"
    "COMMIT";

static const char *const texts[MUSTER__SQLITE_STATEMENTS] = {
    [MUSTER__SQLITE_BEGIN] = "BEGIN IMMEDIATE",
    [MUSTER__SQLITE_COMMIT] = "COMMIT",
    [MUSTER__SQLITE_ROLLBACK] = "ROLLBACK",
    [MUSTER__SQLITE_PUT] =
        ("INSERT INTO records (kind, driver, name, flags, desired, stage, reason, boot, attempts, generation, token, handle,"
         " format, extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, driver, name) DO UPDATE SET"
         " flags = excluded.flags, desired = excluded.desired, stage = excluded.stage, reason = excluded.reason,"
         " boot = excluded.boot, attempts = excluded.attempts, generation = excluded.generation, token = excluded.token,"
         " handle = excluded.handle, format = excluded.format, extra = excluded.extra"),
    [MUSTER__SQLITE_REMOVE] = "DELETE FROM records WHERE kind = ? AND driver = ? AND name = ?",
    [MUSTER__SQLITE_LOAD] =
        ("SELECT kind, driver, name, flags, desired, stage, reason, boot, attempts, generation, token, handle, format, extra,"
         " rowid FROM records ORDER BY rowid"),
};

static int code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return MUSTER_EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    /* The statements are right, so the tables are not. */
    case SQLITE_ERROR:
        return MUSTER_ECORRUPT;
    case SQLITE_NOMEM:
        return MUSTER_ENOMEM;
    case SQLITE_TOOBIG:
        return MUSTER_EINVAL;
    default:
        return MUSTER_EIO;
    }
}

int muster__sqlite_failed(const struct muster__sqlite *store, struct muster_error *error, int result, const char *operation)
{
    int kind = result & 0xff;
    int sys_errno = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN ? sqlite3_system_errno(store->db) : 0;
    bool current = store->db != NULL && sqlite3_extended_errcode(store->db) == result;
    return muster_error_set(error, code_of(result), sys_errno, "%s %s: %s", operation, store->file,
                            current ? sqlite3_errmsg(store->db) : sqlite3_errstr(result));
}

int muster__sqlite_run(const struct muster__sqlite *store, const char *sql)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

/*
 * The first value of the first row: as a number, and as text where `room` isn't 0. What the statement changes is committed
 * after that row, and may fail then.
 */
static int ask(const struct muster__sqlite *store, const char *sql, int64_t *ret_number, char *text, size_t room)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (result != SQLITE_OK)
        return result;
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *ret_number = sqlite3_column_int64(statement, 0);
        const unsigned char *found = sqlite3_column_text(statement, 0);
        snprintf(text, room, "%s", found == NULL ? "" : (const char *)found);
        result = SQLITE_OK;
    } else if (result == SQLITE_DONE) {
        result = SQLITE_CORRUPT;
    }
    int ended = sqlite3_finalize(statement);
    return result == SQLITE_OK ? ended : result;
}

/* Is it ours, and of our format? *ret_new: it is empty. */
static int identify(const struct muster__sqlite *store, bool *ret_new, struct muster_error *error)
{
    int64_t id = 0;
    int64_t format = 0;
    int64_t things = 0;
    if (!store->read_only && sqlite3_db_readonly(store->db, "main") == 1)
        return muster_error_set(error, MUSTER_EIO, EACCES, "open %s: it can't be written: chmod 0600 it", store->file);
    int result = ask(store, "SELECT count(*) FROM sqlite_master", &things, NULL, 0);
    if (result == SQLITE_OK)
        result = ask(store, "PRAGMA application_id", &id, NULL, 0);
    if (result == SQLITE_OK)
        result = ask(store, "PRAGMA user_version", &format, NULL, 0);
    if (result != SQLITE_OK)
        return muster__sqlite_failed(store, error, result, "open");
    *ret_new = things == 0 && id == 0 && format == 0;
    if (*ret_new)
        return 0;
    if (id != MUSTER__SQLITE_ID)
        return muster_error_set(error, MUSTER_EINVAL, 0, "open %s: it is another program's database: name another file",
                                store->file);
    if (format > MUSTER__SQLITE_FORMAT)
        return muster_error_set(error, MUSTER_ENOTSUP, 0, "open %s: it has format %lld, and this muster knows up to %d",
                                store->file, (long long)format, MUSTER__SQLITE_FORMAT);
    if (format < 1)
        return muster_error_set(error, MUSTER_ECORRUPT, 0, "open %s: format %lld never was", store->file, (long long)format);
    return 0;
}

/*
 * Into the database with all that the log has. *ret_busy: somebody needs what is there now, to read or to write; whoever reads
 * may do so for hours.
 */
static int checkpoint(const struct muster__sqlite *store, bool *ret_busy)
{
    int64_t busy = 0;
    sqlite3_busy_timeout(store->db, 0);
    int result = ask(store, "PRAGMA wal_checkpoint(FULL)", &busy, NULL, 0);
    sqlite3_busy_timeout(store->db, PATIENCE);
    *ret_busy = busy != 0 || (result & 0xff) == SQLITE_BUSY;
    return *ret_busy ? SQLITE_OK : result;
}

/*
 * What was written by whoever came before, and what of it was never synced, is durable after this. A commit syncs all of the log,
 * and stands where a commit that failed may have left its own.
 */
static int make_durable(const struct muster__sqlite *store, struct muster_error *error)
{
    bool busy;
    int result = checkpoint(store, &busy);
    if (result == SQLITE_OK && busy)
        result = muster__sqlite_run(store, "BEGIN IMMEDIATE");
    if (result == SQLITE_OK && busy) {
        int code = muster__sqlite_renew_log(store, error);
        if (code != 0)
            return code;
        result = muster__sqlite_run(store, "PRAGMA user_version = " DIGITS(MUSTER__SQLITE_FORMAT) "; COMMIT");
    }
    return result == SQLITE_OK ? 0 : muster__sqlite_failed(store, error, result, "open");
}

static int prepare(struct muster__sqlite *store)
{
    int result = SQLITE_OK;
    for (int i = 0; i < MUSTER__SQLITE_STATEMENTS && result == SQLITE_OK; i++)
        result = sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);
    return result;
}

/* Where its tables aren't what they should be, nothing is changed. */
static int set_up(struct muster__sqlite *store, bool is_new, struct muster_error *error)
{
    int64_t ignored;
    char mode[16] = "";
    int result = is_new ? SQLITE_OK : prepare(store);
    if (result == SQLITE_OK)
        result = ask(store, "PRAGMA journal_mode = WAL", &ignored, mode, sizeof(mode));
    if (result == SQLITE_OK && strcmp(mode, "wal") != 0)
        return muster_error_set(error, MUSTER_ENOTSUP, 0, "open %s: no write-ahead log on this file system", store->file);
    if (result == SQLITE_OK)
        result = muster__sqlite_run(store, "PRAGMA synchronous = FULL");
    if (result == SQLITE_OK && is_new)
        result = muster__sqlite_run(store, schema);
    if (result == SQLITE_OK && is_new)
        result = prepare(store);
    int code = result == SQLITE_OK ? make_durable(store, error) : muster__sqlite_failed(store, error, result, "open");
    if (code == 0)
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return code;
}

static int open_file(struct muster__sqlite *store, const char *options)
{
    size_t bytes = strlen("file:") + 3 * strlen(store->file) + strlen(options) + 1;
    char *name = muster__alloc(&store->memory, 1, bytes);
    if (name == NULL)
        return SQLITE_NOMEM;
    char *end = name + snprintf(name, bytes, "file:");
    for (const char *c = store->file; *c != '\0'; c++)
        end += snprintf(end, 4, "%%%02x", (unsigned)(unsigned char)*c);
    snprintf(end, bytes - (size_t)(end - name), "%s", options);
    int result = sqlite3_open_v2(name, &store->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    muster__free(&store->memory, name);
    return result;
}

/* Go on with a copy in memory. */
static int copy_file(struct muster__sqlite *store)
{
    sqlite3 *file = store->db;
    int result = sqlite3_open_v2(":memory:", &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_backup *copying = result == SQLITE_OK ? sqlite3_backup_init(store->db, "main", file, "main") : NULL;
    if (result == SQLITE_OK && copying == NULL)
        result = sqlite3_errcode(store->db);
    if (copying != NULL) {
        sqlite3_backup_step(copying, -1);
        result = sqlite3_backup_finish(copying);
    }
    sqlite3_close(file);
    return result;
}

/* False: what was read may belong to different times. */
static bool is_as_it_was(const struct muster__sqlite *store, const struct stat *before)
{
    struct stat now;
    return access(store->log_file, F_OK) != 0 && store->calls->fstatat(AT_FDCWD, store->file, &now, 0) == 0 &&
           now.st_ino == before->st_ino && now.st_dev == before->st_dev && now.st_size == before->st_size &&
           memcmp(&now.st_mtim, &before->st_mtim, sizeof(now.st_mtim)) == 0;
}

/* How often a file is read that changes while it is, at most. */
#define LOOKS 8

/*
 * To look at a database in WAL mode sqlite makes FILE-wal and FILE-shm where they aren't there. That is so when nobody has it
 * open. Then sqlite is told that the file doesn't change, and that must be seen to: a daemon may come.
 */
static int open_read_only(struct muster__sqlite *store)
{
    struct stat before;
    for (int looks = 0; looks < LOOKS; looks++) {
        store->copied = access(store->log_file, F_OK) != 0;
        if (!store->copied)
            return open_file(store, "");
        if (store->calls->fstatat(AT_FDCWD, store->file, &before, 0) != 0)
            return SQLITE_CANTOPEN;
        int result = open_file(store, "?immutable=1");
        if (result == SQLITE_OK)
            result = copy_file(store);
        if (is_as_it_was(store, &before))
            return result;
        sqlite3_close(store->db);
        store->db = NULL;
    }
    return SQLITE_BUSY;
}

/* Until it is known to be ours, nothing of it is changed, not even when it is closed. */
static int open_database(struct muster__sqlite *store)
{
    int result;
    if (store->read_only)
        result = open_read_only(store);
    else
        result = sqlite3_open_v2(store->file, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_extended_result_codes(store->db, 1);
    if (result == SQLITE_OK)
        result = sqlite3_busy_timeout(store->db, PATIENCE);
    if (result == SQLITE_OK)
        result = sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return result;
}

/* Loading is all that there is to prepare. */
static int set_up_read_only(struct muster__sqlite *store, bool is_new, struct muster_error *error)
{
    if (is_new)
        return muster_error_set(error, MUSTER_EINVAL, 0, "open %s: it is empty, and not a store yet", store->file);
    int result = sqlite3_prepare_v2(store->db, texts[MUSTER__SQLITE_LOAD], -1, &store->statements[MUSTER__SQLITE_LOAD], NULL);
    return result == SQLITE_OK ? 0 : muster__sqlite_failed(store, error, result, "open");
}

int muster__sqlite_connect(struct muster__sqlite *store, struct muster_error *error)
{
    bool is_new = false;
    int result = open_database(store);
    int code = result == SQLITE_OK ? identify(store, &is_new, error) : muster__sqlite_failed(store, error, result, "open");
    if (code == 0)
        code = (store->read_only ? set_up_read_only : set_up)(store, is_new, error);
    if (code != 0)
        muster__sqlite_disconnect(store);
    /* That would be another daemon, and it has no lock. */
    return code == MUSTER_EBUSY ? (error->code = MUSTER_EIO) : code;
}

int muster__sqlite_disconnect(struct muster__sqlite *store)
{
    for (int i = 0; i < MUSTER__SQLITE_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    memset(store->statements, 0, sizeof(store->statements));
    int result = sqlite3_close(store->db);
    store->db = NULL;
    store->copied = false;
    return result;
}

int muster__sqlite_check_integrity(const struct muster__sqlite *store, struct muster_error *error)
{
    char text[256];
    int64_t ignored;
    int result = ask(store, "PRAGMA integrity_check(1)", &ignored, text, sizeof(text));
    if (result != SQLITE_OK)
        return muster__sqlite_failed(store, error, result, "verify");
    if (strcmp(text, "ok") != 0)
        return muster_error_set(error, MUSTER_ECORRUPT, 0, "verify %s: %s", store->file, text);
    return 0;
}

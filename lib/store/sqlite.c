/* SPDX-License-Identifier: MIT */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* ---- commit */

static int step(struct muster__sqlite *store, enum muster__sqlite_statement which)
{
    sqlite3_stmt *statement = store->statements[which];
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int put(struct muster__sqlite *store, const struct muster_record *record)
{
    bool removed = (record->flags & MUSTER_RECORD_REMOVED) != 0;
    enum muster__sqlite_statement which = removed ? MUSTER__SQLITE_REMOVE : MUSTER__SQLITE_PUT;
    int result = muster__sqlite_bind(store->statements[which], record, removed);
    if (result == SQLITE_OK)
        result = step(store, which);
    sqlite3_clear_bindings(store->statements[which]);
    return result;
}

/* If even that fails, the next call makes a fresh connection. */
static void roll_back(struct muster__sqlite *store)
{
    if (!sqlite3_get_autocommit(store->db))
        step(store, MUSTER__SQLITE_ROLLBACK);
    if (!sqlite3_get_autocommit(store->db))
        store->indeterminate = true;
}

/* sqlite has undone it, and nothing of it can come back: the log lacks the end of the transaction. */
static bool surely_undone(int result)
{
    return (result & 0xff) == SQLITE_FULL || (result & 0xff) == SQLITE_BUSY;
}

static int write_batch(struct muster__sqlite *store, const struct muster_record *const *records, size_t count,
                       struct muster_error *error)
{
    const char *operation = "begin to write";
    int result = step(store, MUSTER__SQLITE_BEGIN);
    bool begun = result == SQLITE_OK;
    for (size_t i = 0; i < count && result == SQLITE_OK; i++) {
        operation = "write";
        result = put(store, records[i]);
    }
    bool sent = result == SQLITE_OK;
    if (sent) {
        operation = "commit";
        result = step(store, MUSTER__SQLITE_COMMIT);
    }
    if (result == SQLITE_OK)
        return 0;
    int code = muster__sqlite_failed(store, error, result, operation);
    if (code == MUSTER_EBUSY)
        code = muster_error_set(error, MUSTER_EAGAIN, 0, "%s %s: somebody else is writing to it", operation, store->file);
    if (begun)
        roll_back(store);
    if (sent && !surely_undone(result)) {
        store->indeterminate = true;
        code = error->code = MUSTER_EINDETERMINATE;
    }
    return code;
}

/* ---- load */

/* A fresh connection, where one is needed: what it reads is durable, and is all there is. */
static int settle(struct muster__sqlite *store, struct muster_error *error)
{
    if (store->db != NULL && !store->indeterminate && !store->copied)
        return 0;
    muster__sqlite_disconnect(store);
    int code = muster__sqlite_connect(store, error);
    store->indeterminate = code != 0;
    return code;
}

struct tally {
    size_t quarantined;
    size_t lost;
};

/* A page that stands where another one did: sqlite has no checksums. */
static bool in_order(sqlite3_stmt *rows, int64_t *last)
{
    int64_t row = sqlite3_column_int64(rows, MUSTER__SQLITE_COLUMNS);
    bool order = row > *last;
    *last = row;
    return order;
}

static int load_rows(struct muster__sqlite *store, muster_load_cb cb, void *data, struct muster_error *error)
{
    sqlite3_stmt *rows = store->statements[MUSTER__SQLITE_LOAD];
    struct tally tally = {0};
    struct muster_record record;
    int64_t last = INT64_MIN;
    int code = 0;
    int result = SQLITE_DONE;
    while (code == 0 && (result = sqlite3_step(rows)) == SQLITE_ROW) {
        if (!in_order(rows, &last)) {
            code = muster_error_set(error, MUSTER_ECORRUPT, 0, "load %s: its rows are out of order", store->file);
            break;
        }
        int found = muster__sqlite_read(rows, &record);
        if (found == MUSTER_ENOMEM)
            code = muster_error_set(error, found, 0, "load %s: %s", store->file, muster_code_text(found));
        else if (found == MUSTER_ECORRUPT)
            tally.lost++;
        else
            code = cb(data, &record);
        tally.quarantined += found == MUSTER_EUNKNOWN;
    }
    if (code == 0 && result != SQLITE_DONE)
        code = muster__sqlite_failed(store, error, result, "load");
    sqlite3_reset(rows);
    if (code == 0 && tally.lost + tally.quarantined > 0)
        muster_error_set(error, MUSTER_ECORRUPT, 0, "load %s: %zu records are quarantined, and %zu have no key that can be read",
                         store->file, tally.quarantined, tally.lost);
    return code;
}

/* ---- the callbacks */

static int check_open(const struct muster__sqlite *store, const char *operation, struct muster_error *error)
{
    if (store->lock_fd >= 0 || store->read_only)
        return 0;
    return muster_error_set(error, MUSTER_ESTATE, 0, "%s: %s isn't open", operation, store->file);
}

static int commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct muster__sqlite *store = self;
    int code = check_open(store, "commit", error);
    for (size_t i = 0; i < count && code == 0; i++)
        code = muster__sqlite_check_record(records[i], error);
    if (code == 0)
        code = settle(store, error);
    return code != 0 || count == 0 ? code : write_batch(store, records, count, error);
}

static int load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct muster__sqlite *store = self;
    int code = check_open(store, "load", error);
    if (code == 0)
        code = settle(store, error);
    return code != 0 ? code : load_rows(store, cb, data, error);
}

static int open_store(void *self, struct muster_error *error)
{
    struct muster__sqlite *store = self;
    struct muster_error ignored = {0};
    if (check_open(store, "open", &ignored) == 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "open: %s is open already", store->file);
    int code = muster__sqlite_lock(store, error);
    if (code != 0)
        return code;
    store->owner = getpid();
    code = muster__sqlite_check_file(store, error);
    if (code == 0)
        code = muster__sqlite_connect(store, error);
    if (code != 0)
        muster__sqlite_unlock(store, &ignored);
    return code;
}

static int open_read_only(void *self, struct muster_error *error)
{
    struct muster__sqlite *store = self;
    struct muster_error ignored = {0};
    if (check_open(store, "open", &ignored) == 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "open: %s is open already", store->file);
    store->read_only = true;
    store->owner = getpid();
    int code = muster__sqlite_check_file(store, error);
    if (code == 0)
        code = muster__sqlite_connect(store, error);
    store->read_only = code == 0;
    return code;
}

static int close_store(void *self, struct muster_error *error)
{
    struct muster__sqlite *store = self;
    int code = check_open(store, "close", error);
    if (code != 0)
        return code;
    int result = muster__sqlite_disconnect(store);
    if (result != SQLITE_OK)
        code = muster__sqlite_failed(store, error, result, "close");
    int unlocked = store->read_only ? 0 : muster__sqlite_unlock(store, error);
    store->indeterminate = store->read_only = false;
    return code != 0 ? code : unlocked;
}

static int ignore(void *data, const struct muster_record *record)
{
    (void)data;
    (void)record;
    return 0;
}

static int verify(void *self, struct muster_error *error)
{
    struct muster__sqlite *store = self;
    int code = load(store, ignore, NULL, error);
    if (code == 0)
        code = error->code;
    return code != 0 ? code : muster__sqlite_check_integrity(store, error);
}

static int compact(void *self, struct muster_error *error)
{
    struct muster__sqlite *store = self;
    int code = check_open(store, "compact", error);
    if (code == 0)
        code = settle(store, error);
    if (code != 0)
        return code;
    int result = muster__sqlite_run(store, "VACUUM");
    if (result == SQLITE_OK)
        result = muster__sqlite_run(store, "PRAGMA wal_checkpoint(TRUNCATE)");
    return result == SQLITE_OK ? 0 : muster__sqlite_failed(store, error, result, "compact");
}

/* A child after fork leaves the connection alone: to close it would write, and drop its parent's locks. */
static void destroy(void *self)
{
    struct muster__sqlite *store = self;
    struct muster__memory memory = store->memory;
    if (store->db != NULL && store->owner == getpid()) {
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        muster__sqlite_disconnect(store);
    }
    if (store->lock_fd >= 0)
        store->calls->close(store->lock_fd);
    muster__free(&memory, store->file);
    muster__free(&memory, store->log_file);
    muster__free(&memory, store->lock_file);
    muster__free(&memory, store);
}

static void after_fork(void *self)
{
    struct muster__sqlite *store = self;
    if (store->lock_fd >= 0)
        store->calls->close(store->lock_fd);
}

/* ---- making one */

/* sqlite gives a meaning to some names without a directory. */
static char *new_path(const struct muster__memory *memory, const char *file, const char *suffix)
{
    const char *before = strchr(file, '/') == NULL ? "./" : "";
    size_t bytes = strlen(before) + strlen(file) + strlen(suffix) + 1;
    char *path = muster__alloc(memory, 1, bytes);
    if (path != NULL)
        snprintf(path, bytes, "%s%s%s", before, file, suffix);
    return path;
}

int muster__sqlite_new(const char *file, const struct muster_allocator *allocator, const struct muster__journal_calls *calls,
                       struct muster_store **ret_store)
{
    static const struct muster_store_ops ops = {
        .size = sizeof(ops),
        .name = "sqlite",
        .destroy = destroy,
        .open = open_store,
        .load = load,
        .commit = commit,
        .close = close_store,
        .verify = verify,
        .compact = compact,
        .open_read_only = open_read_only,
        .after_fork = after_fork,
    };
    struct muster__memory memory;
    if (file == NULL || file[0] == '\0' || ret_store == NULL || muster__memory_init(&memory, allocator) != 0)
        return MUSTER_EINVAL;
    struct muster__sqlite *store = muster__new(&memory, struct muster__sqlite);
    if (store == NULL)
        return MUSTER_ENOMEM;
    *store = (struct muster__sqlite){.memory = memory, .calls = calls, .lock_fd = -1};
    store->file = new_path(&memory, file, "");
    store->log_file = new_path(&memory, file, "-wal");
    store->lock_file = new_path(&memory, file, "-lock");
    bool complete = store->file != NULL && store->log_file != NULL && store->lock_file != NULL;
    int code = complete ? muster_store_new(&ops, store, ret_store) : MUSTER_ENOMEM;
    if (code != 0)
        destroy(store);
    return code;
}

int muster_store_sqlite_new(const char *file, const struct muster_allocator *allocator, struct muster_store **ret_store)
{
    return muster__sqlite_new(file, allocator, &muster__journal_system, ret_store);
}

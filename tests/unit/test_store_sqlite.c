/* SPDX-License-Identifier: MIT */
/* What the sqlite store does beyond the conformance kit: what it refuses, and what happens when its file fails. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/sqlite.h"
#include "store/store.h"
#include "support/failing_memory.h"

/* ---- a file system that fails when it is told to ------------------------------------------------ */

static struct {
    enum { WRITE, SYNC } call;
    unsigned n; /* the call that fails, from 1; 0: none does */
    int result;
    bool forever;
    unsigned count;
    bool fired;
} fault;

/* Databases and logs have different methods; those that can fail are the same. */
static const sqlite3_io_methods *real_methods;
static sqlite3_io_methods database_methods;
static sqlite3_io_methods log_methods;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

static bool fails(int call)
{
    if (fault.n == 0 || (int)fault.call != call)
        return false;
    fault.count++;
    bool now = fault.count == fault.n || (fault.forever && fault.count > fault.n);
    fault.fired = fault.fired || now;
    return now;
}

static void set_fault(int call, int result)
{
    memset(&fault, 0, sizeof(fault));
    fault.call = call == WRITE ? WRITE : SYNC;
    fault.n = 1;
    fault.result = result;
    fault.forever = true;
}

static int failing_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    return fails(WRITE) ? fault.result : real_methods->xWrite(file, bytes, count, offset);
}

static int failing_sync(sqlite3_file *file, int flags)
{
    return fails(SYNC) ? fault.result : real_methods->xSync(file, flags);
}

static int failing_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)self;
    int result = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (result != SQLITE_OK || file->pMethods == NULL)
        return result;
    sqlite3_io_methods *methods = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? &database_methods : &log_methods;
    real_methods = file->pMethods;
    *methods = *real_methods;
    methods->xWrite = failing_write;
    methods->xSync = failing_sync;
    file->pMethods = methods;
    return SQLITE_OK;
}

/* It says how long it wants to wait, and counts that alone. */
static int no_sleep(sqlite3_vfs *self, int microseconds)
{
    (void)self;
    return microseconds;
}

static int set_up_vfs(void **state)
{
    (void)state;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "failing";
    vfs.xOpen = failing_open;
    vfs.xSleep = no_sleep;
    return sqlite3_vfs_register(&vfs, 1);
}

/* ---- the fixture -------------------------------------------------------------------------------- */

struct fixture {
    char directory[64];
    char file[80];
    struct muster_store *store;
    struct muster_error error;
    size_t count;
    size_t quarantined;
    char names[256];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL)
        return -1;
    memset(&fault, 0, sizeof(fault));
    snprintf(fixture->directory, sizeof(fixture->directory), "%s/muster-sqlite-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(fixture->directory) == NULL)
        return -1;
    snprintf(fixture->file, sizeof(fixture->file), "%s/records", fixture->directory);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[96];
    memset(&fault, 0, sizeof(fault));
    muster_store_free(fixture->store);
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->directory);
    int result = system(command);
    free(fixture);
    return result;
}

static int try_open(struct fixture *fixture)
{
    assert_int_equal(muster_store_sqlite_new(fixture->file, NULL, &fixture->store), 0);
    int code = muster__store_open(fixture->store, &fixture->error);
    if (code != 0) {
        muster_store_free(fixture->store);
        fixture->store = NULL;
    }
    return code;
}

static void must_open(struct fixture *fixture)
{
    if (try_open(fixture) != 0)
        fail_msg("%s", fixture->error.text);
}

static void must_close(struct fixture *fixture)
{
    if (muster__store_close(fixture->store, &fixture->error) != 0)
        fail_msg("%s", fixture->error.text);
    muster_store_free(fixture->store);
    fixture->store = NULL;
}

static void says(const struct fixture *fixture, const char *text)
{
    if (strstr(fixture->error.text, text) == NULL)
        fail_msg("\"%s\" doesn't say \"%s\"", fixture->error.text, text);
}

static void refused(struct fixture *fixture, int code, const char *text)
{
    assert_string_equal(muster_code_name(try_open(fixture)), muster_code_name(code));
    says(fixture, text);
    says(fixture, fixture->file);
}

static struct muster_record record_of(const char *name, uint64_t generation)
{
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "guest";
    record.name = name;
    record.stage = MUSTER_STAGE_ACTIVE;
    record.generation = generation;
    record.flags = generation == 0 ? MUSTER_RECORD_REMOVED : 0;
    return record;
}

/* a and b are changed, c comes; generation 0 removes them. */
static int put_three(struct fixture *fixture, uint64_t generation)
{
    const struct muster_record records[] = {
        record_of("a", generation),
        record_of("b", generation),
        record_of("c", generation),
    };
    const struct muster_record *pointers[] = {&records[0], &records[1], &records[2]};
    return muster__store_commit(fixture->store, pointers, 3, &fixture->error);
}

static int see(void *data, const struct muster_record *record)
{
    struct fixture *fixture = data;
    char text[64];
    fixture->count++;
    fixture->quarantined += (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    snprintf(text, sizeof(text), "%s%d ", record->name, (int)record->generation);
    strncat(fixture->names, text, sizeof(fixture->names) - strlen(fixture->names) - 1);
    return 0;
}

static const char *loaded(struct fixture *fixture)
{
    fixture->count = fixture->quarantined = 0;
    fixture->names[0] = '\0';
    if (muster__store_load(fixture->store, see, fixture, &fixture->error) != 0)
        fail_msg("%s", fixture->error.text);
    return fixture->names;
}

static void make_three(struct fixture *fixture)
{
    must_open(fixture);
    assert_int_equal(put_three(fixture, 1), 0);
    must_close(fixture);
}

/* What anybody may do with the file. */
static sqlite3 *connection(const struct fixture *fixture)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture->file, &db), SQLITE_OK);
    return db;
}

static void run_sql(const struct fixture *fixture, const char *sql)
{
    sqlite3 *db = connection(fixture);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static char *bytes_of(const struct fixture *fixture, size_t *ret_size)
{
    FILE *file = fopen(fixture->file, "rb");
    char *bytes = calloc(1, 1 << 20);
    assert_non_null(file);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void set_bytes(const struct fixture *fixture, long offset, const char *bytes, size_t size)
{
    FILE *file = fopen(fixture->file, access(fixture->file, F_OK) == 0 ? "r+b" : "wb");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(fixture->file, 0600), 0);
}

/* Refused, and as it was. */
static void refused_untouched(struct fixture *fixture, int code, const char *text)
{
    size_t before_size, after_size;
    char *before = bytes_of(fixture, &before_size);
    refused(fixture, code, text);
    char *after = bytes_of(fixture, &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
    free(before);
    free(after);
}

/* ---- a file for people -------------------------------------------------------------------------- */

static void a_person_can_query_it_while_a_daemon_has_it(void **state)
{
    struct fixture *fixture = *state;
    sqlite3_stmt *rows;
    must_open(fixture);
    assert_int_equal(put_three(fixture, 7), 0);
    sqlite3 *db = connection(fixture);
    const char *sql = "SELECT stage, generation FROM resources WHERE driver = 'guest' AND name = 'b'";
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(rows, 0), "active");
    assert_int_equal(sqlite3_column_int(rows, 1), 7);
    assert_int_equal(put_three(fixture, 8), 0);
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static void it_is_for_its_owner_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stat is;
    make_three(fixture);
    assert_int_equal(stat(fixture->file, &is), 0);
    assert_int_equal(is.st_mode & 07777, 0600);
}

static void a_clean_close_leaves_one_file_and_the_lock(void **state)
{
    struct fixture *fixture = *state;
    char path[96];
    make_three(fixture);
    snprintf(path, sizeof(path), "%s-wal", fixture->file);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof(path), "%s-lock", fixture->file);
    assert_int_equal(access(path, F_OK), 0);
}

static void somebody_else_who_writes_means_try_again(void **state)
{
    struct fixture *fixture = *state;
    must_open(fixture);
    assert_int_equal(put_three(fixture, 1), 0);
    struct muster__sqlite *inside = fixture->store->self;
    assert_int_equal(sqlite3_busy_timeout(inside->db, 0), SQLITE_OK);
    sqlite3 *db = connection(fixture);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(put_three(fixture, 2), MUSTER_EAGAIN);
    says(fixture, fixture->file);
    sqlite3_close(db);
    assert_int_equal(put_three(fixture, 2), 0);
    assert_string_equal(loaded(fixture), "a2 b2 c2 ");
}

/* ---- a daemon that comes while others have it ----------------------------------------------------- */

/* A daemon has died, and somebody reads what was there before its last commit. */
static sqlite3_stmt *reader_of_the_past(struct fixture *fixture)
{
    sqlite3_stmt *rows;
    must_open(fixture);
    assert_int_equal(put_three(fixture, 1), 0);
    sqlite3 *db = connection(fixture);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT generation FROM resources", -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    assert_int_equal(put_three(fixture, 2), 0);
    muster_store_free(fixture->store);
    fixture->store = NULL;
    return rows;
}

static void end_reader(sqlite3_stmt *rows)
{
    sqlite3 *db = sqlite3_db_handle(rows);
    assert_int_equal(sqlite3_column_int(rows, 0), 1);
    sqlite3_finalize(rows);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_reader_keeps_no_daemon_from_its_records(void **state)
{
    struct fixture *fixture = *state;
    sqlite3_stmt *rows = reader_of_the_past(fixture);
    must_open(fixture);
    assert_string_equal(loaded(fixture), "a2 b2 c2 ");
    assert_int_equal(put_three(fixture, 3), 0);
    must_close(fixture);
    must_open(fixture);
    assert_string_equal(loaded(fixture), "a3 b3 c3 ");
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    end_reader(rows);
    must_close(fixture);
    must_open(fixture);
    assert_string_equal(loaded(fixture), "a3 b3 c3 ");
}

static ssize_t no_write(int fd, const void *bytes, size_t count, off_t offset)
{
    (void)fd;
    (void)bytes;
    (void)count;
    (void)offset;
    errno = ENOSPC;
    return -1;
}

static int no_sync(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

static void open_fails_at(struct fixture *fixture, const struct muster__journal_calls *calls, const char *text)
{
    assert_int_equal(muster__sqlite_new(fixture->file, NULL, calls, &fixture->store), 0);
    assert_int_equal(muster__store_open(fixture->store, &fixture->error), MUSTER_EIO);
    says(fixture, text);
    muster_store_free(fixture->store);
    fixture->store = NULL;
}

/* The last commit may be in the page cache alone, even with a failed sync behind it. */
static void what_a_reader_keeps_in_the_log_is_made_durable(void **state)
{
    struct fixture *fixture = *state;
    struct muster__journal_calls calls = muster__journal_system;
    sqlite3_stmt *rows = reader_of_the_past(fixture);
    calls.pwrite = no_write;
    open_fails_at(fixture, &calls, "write");
    calls = muster__journal_system;
    calls.fsync = no_sync;
    open_fails_at(fixture, &calls, "fsync");
    set_fault(SYNC, SQLITE_IOERR_FSYNC);
    refused(fixture, MUSTER_EIO, "disk I/O error");
    fault.n = 0;
    must_open(fixture);
    assert_string_equal(loaded(fixture), "a2 b2 c2 ");
    end_reader(rows);
}

/* "Busy" is for a daemon that has it: with that a bring-up fails. */
static void somebody_who_writes_is_no_daemon(void **state)
{
    struct fixture *fixture = *state;
    make_three(fixture);
    sqlite3 *db = connection(fixture);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    refused(fixture, MUSTER_EIO, "locked");
    sqlite3_close(db);
    must_open(fixture);
    assert_string_equal(loaded(fixture), "a1 b1 c1 ");
}

/* ---- what is refused ---------------------------------------------------------------------------- */

static void a_second_daemon_is_told_who_has_it(void **state)
{
    struct fixture *fixture = *state;
    struct muster_store *second;
    char text[32];
    must_open(fixture);
    assert_int_equal(muster_store_sqlite_new(fixture->file, NULL, &second), 0);
    assert_int_equal(muster__store_open(second, &fixture->error), MUSTER_EBUSY);
    snprintf(text, sizeof(text), "process %ld", (long)getpid());
    says(fixture, text);
    muster_store_free(second);
}

static void a_format_of_the_future(void **state)
{
    struct fixture *fixture = *state;
    make_three(fixture);
    run_sql(fixture, "PRAGMA user_version = 2");
    refused_untouched(fixture, MUSTER_ENOTSUP, "format 2");
}

static void the_database_of_another_program(void **state)
{
    struct fixture *fixture = *state;
    run_sql(fixture, "CREATE TABLE records (a)");
    assert_int_equal(chmod(fixture->file, 0600), 0);
    refused_untouched(fixture, MUSTER_EINVAL, "another program's");
}

static void a_file_that_is_no_database(void **state)
{
    struct fixture *fixture = *state;
    char text[8192];
    memset(text, 'x', sizeof(text));
    set_bytes(fixture, 0, text, sizeof(text));
    refused_untouched(fixture, MUSTER_ECORRUPT, "not a database");
}

static void a_database_that_was_cut(void **state)
{
    struct fixture *fixture = *state;
    make_three(fixture);
    assert_int_equal(truncate(fixture->file, 4096), 0);
    refused_untouched(fixture, MUSTER_ECORRUPT, "malformed");
}

static void a_broken_page_fails_load_and_verify(void **state)
{
    struct fixture *fixture = *state;
    char text[4096];
    make_three(fixture);
    memset(text, 0xa5, sizeof(text));
    set_bytes(fixture, 4096, text, sizeof(text));
    must_open(fixture);
    assert_int_equal(muster__store_load(fixture->store, see, fixture, &fixture->error), MUSTER_ECORRUPT);
    says(fixture, "load");
    says(fixture, "malformed");
    assert_int_equal(muster__store_verify(fixture->store, &fixture->error), MUSTER_ECORRUPT);
}

static void an_empty_file_is_a_new_one(void **state)
{
    struct fixture *fixture = *state;
    set_bytes(fixture, 0, "", 0);
    must_open(fixture);
    assert_string_equal(loaded(fixture), "");
}

static void files_that_are_not_ours_alone(void **state)
{
    struct fixture *fixture = *state;
    char other[96];
    snprintf(other, sizeof(other), "%s/other", fixture->directory);
    make_three(fixture);
    assert_int_equal(chmod(fixture->file, 0666), 0);
    refused_untouched(fixture, MUSTER_EINVAL, "chmod 0600");
    assert_int_equal(chmod(fixture->file, 0600), 0);
    assert_int_equal(link(fixture->file, other), 0);
    refused_untouched(fixture, MUSTER_EINVAL, "more than one link");
    assert_int_equal(unlink(fixture->file), 0);
    assert_int_equal(symlink(other, fixture->file), 0);
    refused_untouched(fixture, MUSTER_EINVAL, "isn't a regular file");
    assert_int_equal(unlink(fixture->file), 0);
    assert_int_equal(mkfifo(fixture->file, 0600), 0);
    refused(fixture, MUSTER_EINVAL, "isn't a regular file");
    assert_int_equal(unlink(fixture->file), 0);
    assert_int_equal(mkdir(fixture->file, 0700), 0);
    refused(fixture, MUSTER_EINVAL, "isn't a regular file");
}

static void a_directory_that_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    strcat(fixture->file, "/below/it");
    refused(fixture, MUSTER_EIO, "No such file or directory");
}

static void bad_arguments(void **state)
{
    (void)state;
    struct muster_store *store = NULL;
    assert_int_equal(muster_store_sqlite_new(NULL, NULL, &store), MUSTER_EINVAL);
    assert_int_equal(muster_store_sqlite_new("", NULL, &store), MUSTER_EINVAL);
    assert_int_equal(muster_store_sqlite_new("x", NULL, NULL), MUSTER_EINVAL);
}

static void making_one_without_memory(void **state)
{
    struct fixture *fixture = *state;
    struct failing_memory memory = {0};
    struct muster_allocator allocator = failing_allocator(&memory);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct muster_store *store = NULL;
        memory = (struct failing_memory){.countdown = n};
        int code = muster_store_sqlite_new(fixture->file, &allocator, &store);
        fired = memory.fired;
        assert_int_equal(code, fired ? MUSTER_ENOMEM : 0);
        muster_store_free(store);
        assert_int_equal(memory.live, 0);
    }
}

/* ---- rows by another's hand ---------------------------------------------------------------------- */

static void a_value_of_the_wrong_type_quarantines_its_record(void **state)
{
    struct fixture *fixture = *state;
    make_three(fixture);
    run_sql(fixture, "UPDATE records SET handle = x'00ff' WHERE name = 'a';"
                     "UPDATE records SET token = CAST(x'ff' AS TEXT) WHERE name = 'b'");
    must_open(fixture);
    loaded(fixture);
    assert_int_equal(fixture->count, 3);
    assert_int_equal(fixture->quarantined, 2);
    assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
    assert_int_equal(muster__store_verify(fixture->store, &fixture->error), MUSTER_ECORRUPT);
    assert_int_equal(put_three(fixture, 2), 0);
    assert_string_equal(loaded(fixture), "a2 b2 c2 ");
    assert_int_equal(fixture->quarantined, 0);
}

static void a_key_that_can_t_be_read_is_told(void **state)
{
    struct fixture *fixture = *state;
    make_three(fixture);
    run_sql(fixture, "UPDATE records SET name = CAST(x'ff' AS TEXT) WHERE name = 'a'");
    must_open(fixture);
    assert_string_equal(loaded(fixture), "b1 c1 ");
    assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
    says(fixture, "1 have no key");
}

/* ---- failures ------------------------------------------------------------------------------------ */

static const char *const before = "a1 b1 c1 ";
static const char *const after = "a2 b2 c2 ";

/* Commit with the fault set, and check that what was answered is the truth, now and after a reopen. */
static void commit_under_fault(struct fixture *fixture)
{
    char told[sizeof(fixture->names)];
    int code = put_three(fixture, 2);
    bool fired = fault.fired;
    fault.n = 0;
    assert_true(fired || code == 0);
    if (code != 0)
        says(fixture, fixture->file);
    snprintf(told, sizeof(told), "%s", loaded(fixture));
    if (code == 0)
        assert_string_equal(told, after);
    else if (code != MUSTER_EINDETERMINATE)
        assert_string_equal(told, before);
    else
        assert_true(strcmp(told, before) == 0 || strcmp(told, after) == 0);
    muster_store_free(fixture->store);
    must_open(fixture);
    assert_string_equal(loaded(fixture), told);
    assert_int_equal(put_three(fixture, 3), 0);
    assert_string_equal(loaded(fixture), "a3 b3 c3 ");
}

static unsigned sweep(struct fixture *fixture, int call, int result, bool forever)
{
    bool fired = true;
    unsigned faults = 0;
    for (unsigned n = 1; fired; n++) {
        must_open(fixture);
        assert_int_equal(put_three(fixture, 1), 0);
        memset(&fault, 0, sizeof(fault));
        fault.call = call == WRITE ? WRITE : SYNC;
        fault.n = n;
        fault.result = result;
        fault.forever = forever;
        commit_under_fault(fixture);
        fired = fault.fired;
        faults += fired;
        assert_int_equal(put_three(fixture, 0), 0);
        must_close(fixture);
    }
    return faults;
}

static void a_failing_write_or_sync_is_told_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    assert_true(sweep(fixture, WRITE, SQLITE_IOERR_WRITE, false) > 0);
    assert_true(sweep(fixture, WRITE, SQLITE_IOERR_WRITE, true) > 0);
    assert_true(sweep(fixture, SYNC, SQLITE_IOERR_FSYNC, false) > 0);
    assert_true(sweep(fixture, SYNC, SQLITE_IOERR_FSYNC, true) > 0);
    assert_true(sweep(fixture, WRITE, SQLITE_FULL, true) > 0);
}

static void a_failing_sync_leaves_it_open_whether_it_was_applied(void **state)
{
    struct fixture *fixture = *state;
    must_open(fixture);
    assert_int_equal(put_three(fixture, 1), 0);
    set_fault(SYNC, SQLITE_IOERR_FSYNC);
    assert_int_equal(put_three(fixture, 2), MUSTER_EINDETERMINATE);
    says(fixture, "commit");
    says(fixture, "disk I/O error");
    assert_int_equal(muster__store_load(fixture->store, see, fixture, &fixture->error), MUSTER_EIO);
    assert_int_equal(put_three(fixture, 2), MUSTER_EIO);
    fault.n = 0;
    assert_int_equal(put_three(fixture, 3), 0);
    assert_string_equal(loaded(fixture), "a3 b3 c3 ");
}

/* In the other mode a commit is acknowledged before the end of its rollback journal is durable. */
static void is_in_wal_mode(const struct fixture *fixture)
{
    size_t size;
    char *bytes = bytes_of(fixture, &size);
    assert_true(size > 19);
    assert_int_equal(bytes[18], 2);
    assert_int_equal(bytes[19], 2);
    free(bytes);
}

static void a_first_open_fails_or_is_in_wal_mode(void **state)
{
    struct fixture *fixture = *state;
    unsigned refused_opens = 0;
    bool fired = true;
    for (unsigned n = 1; fired; n++) {
        set_fault(SYNC, SQLITE_IOERR_FSYNC);
        fault.n = n;
        fault.forever = false;
        int code = try_open(fixture);
        fired = fault.fired;
        fault.n = 0;
        if (code != 0)
            refused_opens++;
        if (code != 0)
            must_open(fixture);
        is_in_wal_mode(fixture);
        must_close(fixture);
        assert_int_equal(unlink(fixture->file), 0);
    }
    assert_true(refused_opens > 0);
}

static void a_full_disk_applies_nothing(void **state)
{
    struct fixture *fixture = *state;
    must_open(fixture);
    assert_int_equal(put_three(fixture, 1), 0);
    set_fault(WRITE, SQLITE_FULL);
    assert_int_equal(put_three(fixture, 2), MUSTER_EIO);
    says(fixture, "disk is full");
    assert_string_equal(loaded(fixture), before);
    fault.n = 0;
    assert_int_equal(put_three(fixture, 2), 0);
    assert_string_equal(loaded(fixture), after);
}

static void a_child_that_frees_it_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct muster_store *second;
    int status;
    must_open(fixture);
    assert_int_equal(put_three(fixture, 1), 0);
    pid_t child = fork();
    if (child == 0) {
        muster_store_free(fixture->store);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(muster_store_sqlite_new(fixture->file, NULL, &second), 0);
    assert_int_equal(muster__store_open(second, &fixture->error), MUSTER_EBUSY);
    muster_store_free(second);
    assert_int_equal(put_three(fixture, 2), 0);
    assert_string_equal(loaded(fixture), after);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_person_can_query_it_while_a_daemon_has_it),
        TEST(it_is_for_its_owner_alone),
        TEST(a_clean_close_leaves_one_file_and_the_lock),
        TEST(somebody_else_who_writes_means_try_again),
        TEST(a_reader_keeps_no_daemon_from_its_records),
        TEST(what_a_reader_keeps_in_the_log_is_made_durable),
        TEST(somebody_who_writes_is_no_daemon),
        TEST(a_second_daemon_is_told_who_has_it),
        TEST(a_format_of_the_future),
        TEST(the_database_of_another_program),
        TEST(a_file_that_is_no_database),
        TEST(a_database_that_was_cut),
        TEST(a_broken_page_fails_load_and_verify),
        TEST(an_empty_file_is_a_new_one),
        TEST(files_that_are_not_ours_alone),
        TEST(a_directory_that_is_not_there),
        TEST(bad_arguments),
        TEST(making_one_without_memory),
        TEST(a_value_of_the_wrong_type_quarantines_its_record),
        TEST(a_key_that_can_t_be_read_is_told),
        TEST(a_failing_write_or_sync_is_told_as_it_is),
        TEST(a_failing_sync_leaves_it_open_whether_it_was_applied),
        TEST(a_first_open_fails_or_is_in_wal_mode),
        TEST(a_full_disk_applies_nothing),
        TEST(a_child_that_frees_it_changes_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_vfs, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The sqlite store beside others who have the file: a daemon beside readers, a reader beside daemons. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sqlite_fixture.h"

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

/* ---- to read only --------------------------------------------------------------------------------- */

/* With a handle that fills pages, so that what a load finds in its cache isn't all there is. */
static int put_many(struct fixture *fixture, uint64_t generation)
{
    enum { MANY = 400 };
    static char names[MANY][16];
    static char handle[1000];
    static struct muster_record records[MANY];
    const struct muster_record *pointers[MANY];
    memset(handle, (int)('a' + generation), sizeof(handle) - 1);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "n%d", i);
        records[i] = record_of(names[i], generation);
        records[i].handle = handle;
        pointers[i] = &records[i];
    }
    return muster__store_commit(fixture->store, pointers, MANY, &fixture->error);
}

/* A daemon comes, writes and goes; the database is a file alone before and after. */
static void daemon_writes(struct fixture *fixture, uint64_t generation)
{
    must_open(fixture);
    assert_int_equal(put_many(fixture, generation), 0);
    must_close(fixture);
}

struct generations {
    size_t of[8];
    struct fixture *fixture;
};

static int count_generation(void *data, const struct muster_record *record)
{
    struct generations *count = data;
    count->of[record->generation]++;
    if (count->fixture != NULL)
        daemon_writes(count->fixture, record->generation + 1);
    count->fixture = NULL;
    return 0;
}

static void a_database_without_a_daemon_may_get_one(void **state)
{
    struct fixture *fixture = *state;
    struct muster_store *reader;
    daemon_writes(fixture, 1);
    assert_int_equal(muster_store_sqlite_new(fixture->file, NULL, &reader), 0);
    assert_int_equal(muster_store_open(reader, MUSTER_STORE_READ_ONLY), 0);
    for (uint64_t generation = 1; generation < 4; generation++) {
        struct generations count = {0};
        assert_int_equal(muster_store_load(reader, count_generation, &count), 0);
        assert_int_equal(count.of[generation], 400);
        assert_int_equal(muster_store_verify(reader), 0);
        daemon_writes(fixture, generation + 1);
    }
    must_open(fixture);
    assert_int_equal(put_many(fixture, 5), 0);
    struct generations count = {0};
    assert_int_equal(muster_store_load(reader, count_generation, &count), 0);
    assert_int_equal(count.of[5], 400);
    muster_store_free(reader);
}

static void a_daemon_that_comes_during_a_load_isn_t_seen_half(void **state)
{
    struct fixture *fixture = *state;
    struct generations count = {.fixture = fixture};
    struct muster_store *reader;
    daemon_writes(fixture, 1);
    assert_int_equal(muster_store_sqlite_new(fixture->file, NULL, &reader), 0);
    assert_int_equal(muster_store_open(reader, MUSTER_STORE_READ_ONLY), 0);
    assert_int_equal(muster_store_load(reader, count_generation, &count), 0);
    assert_int_equal(count.of[1], 400);
    assert_int_equal(muster_store_verify(reader), 0);
    muster_store_free(reader);
}

static struct fixture *of_stats;
static uint64_t stats;

/* Whenever the file is looked at again it has just changed, three times. */
static int change_and_stat(int directory, const char *path, struct stat *ret_stat, int flags)
{
    if (stats++ >= 2 && stats < 6)
        daemon_writes(of_stats, stats);
    return muster__journal_system.fstatat(directory, path, ret_stat, flags);
}

static void a_file_that_changes_while_it_is_copied_is_copied_again(void **state)
{
    struct fixture *fixture = of_stats = *state;
    struct muster__journal_calls calls = muster__journal_system;
    struct generations count = {0};
    struct muster_store *reader;
    daemon_writes(fixture, 1);
    stats = 0;
    calls.fstatat = change_and_stat;
    assert_int_equal(muster__sqlite_new(fixture->file, NULL, &calls, &reader), 0);
    assert_int_equal(muster_store_open(reader, MUSTER_STORE_READ_ONLY), 0);
    assert_true(stats > 6);
    assert_int_equal(muster_store_load(reader, count_generation, &count), 0);
    assert_int_equal(count.of[5], 400);
    muster_store_free(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_reader_keeps_no_daemon_from_its_records),
        TEST(what_a_reader_keeps_in_the_log_is_made_durable),
        TEST(somebody_who_writes_is_no_daemon),
        TEST(a_database_without_a_daemon_may_get_one),
        TEST(a_daemon_that_comes_during_a_load_isn_t_seen_half),
        TEST(a_file_that_changes_while_it_is_copied_is_copied_again),
    };
    return cmocka_run_group_tests(tests, set_up_vfs, NULL);
}

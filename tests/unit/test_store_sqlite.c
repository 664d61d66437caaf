/* SPDX-License-Identifier: MIT */
/* What the sqlite store does beyond the conformance kit: what it refuses, and what happens when its file fails. */
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

#include "sqlite_fixture.h"
#include "support/failing_memory.h"

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

/* Such a record could never be written again, nor could any other in a batch with it. */
static void what_is_too_long_to_be_written_quarantines_its_record(void **state)
{
    struct fixture *fixture = *state;
    make_three(fixture);
    run_sql(fixture, "UPDATE records SET extra = '{\"f\":\"' || hex(zeroblob(1 << 20)) || '\"}' WHERE name = 'a';"
                     "UPDATE records SET handle = hex(zeroblob(1 << 19)) WHERE name = 'b';"
                     "UPDATE records SET driver = hex(zeroblob(1 << 20)) WHERE name = 'c'");
    must_open(fixture);
    loaded(fixture);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(fixture->quarantined, 1);
    assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
    says(fixture, "1 records are quarantined, and 1 have no key");
    assert_int_equal(muster__store_verify(fixture->store, &fixture->error), MUSTER_ECORRUPT);
    assert_int_equal(put_three(fixture, 2), 0);
    assert_string_equal(loaded(fixture), "a2 b2 c2 ");
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
        TEST(what_is_too_long_to_be_written_quarantines_its_record),
        TEST(a_key_that_can_t_be_read_is_told),
        TEST(a_failing_write_or_sync_is_told_as_it_is),
        TEST(a_failing_sync_leaves_it_open_whether_it_was_applied),
        TEST(a_first_open_fails_or_is_in_wal_mode),
        TEST(a_full_disk_applies_nothing),
        TEST(a_child_that_frees_it_changes_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_vfs, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the journal does when a call fails, where there is more to say of it than that nothing is lost (which
 * fault_journal shows of every call).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/journal_fixture.h"

/*
 * What a host knows: the generation of both records that is acknowledged, and one that may be there instead.
 */
struct model {
    uint64_t acknowledged;
    uint64_t possible;
};

/* Forces the file to grow. */
static char large[300 * 1024];

/* Two records in a batch, "x" and "y". */
static int put_both(struct journal_fixture *fixture, uint64_t generation, const char *handle)
{
    struct muster_record records[2];
    const struct muster_record *pointers[2];
    for (unsigned i = 0; i < 2; i++) {
        MUSTER_RECORD_INIT(&records[i]);
        records[i].driver = "guest";
        records[i].name = i == 0 ? "x" : "y";
        records[i].generation = generation;
        records[i].handle = i == 0 ? handle : NULL;
        records[i].extra = "{\"new\":\"\\u00fc\"}";
        pointers[i] = &records[i];
    }
    return muster__store_commit(fixture->store, pointers, 2, &fixture->error);
}

/* Both records are of one batch, and of one that may be there. */
static void check(const struct journal_fixture *fixture, struct model *model)
{
    const struct muster_record *x = journal_find(fixture, "x");
    const struct muster_record *y = journal_find(fixture, "y");
    assert_int_equal(fixture->error.code, 0);
    assert_non_null(x);
    assert_non_null(y);
    assert_true(x->flags == 0 && x->generation == y->generation);
    assert_true(x->generation == model->acknowledged || x->generation == model->possible);
    *model = (struct model){x->generation, x->generation};
}

/* A disk that is full: nothing is applied, nothing lost, and later there is room again. */
static void a_full_disk_is_determinate(void **state)
{
    struct journal_fixture *fixture = *state;
    struct model model = {1, 1};
    journal_must_open(fixture);
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0);
    memset(call_fault.count, 0, sizeof(call_fault.count));
    call_fault.call = CALL_PWRITE;
    call_fault.effect = CALL_IS_TORN;
    call_fault.part = PART_HALF;
    call_fault.sys_errno = ENOSPC;
    fault_arm(&call_fault.at, 1, true);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(put_both(fixture, 2 + i, large), MUSTER_EIO);
        assert_non_null(strstr(fixture->error.text, "write"));
        assert_non_null(strstr(fixture->error.text, fixture->directory));
        assert_non_null(strstr(fixture->error.text, "No space left on device"));
        assert_int_equal(fixture->error.sys_errno, ENOSPC);
        assert_int_equal(journal_load(fixture), 0);
        check(fixture, &model);
    }
    fault_init(&call_fault.at);
    memset(call_fault.count, 0, sizeof(call_fault.count));
    assert_int_equal(put_both(fixture, 9, large), 0);
    assert_int_equal(call_fault.count[CALL_RENAMEAT], 1); /* the file in which a write failed is done with */
    assert_int_equal(call_fault.count[CALL_FDATASYNC], 0);
    journal_reopen(fixture);
    model = (struct model){9, 9};
    check(fixture, &model);
}

/*
 * Once fdatasync has failed the file isn't synced again: a fresh one takes its place, and the commit
 * succeeds.
 */
static void a_failed_fdatasync_is_not_tried_again(void **state)
{
    struct journal_fixture *fixture = *state;
    struct model model = {2, 2};
    journal_must_open(fixture);
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0);
    memset(call_fault.count, 0, sizeof(call_fault.count));
    call_fault.call = CALL_FDATASYNC;
    call_fault.sys_errno = EIO;
    fault_arm(&call_fault.at, 1, false);
    assert_int_equal(put_both(fixture, 2, "pid 42"), 0);
    assert_int_equal(call_fault.count[CALL_FDATASYNC], 1);
    assert_int_equal(call_fault.count[CALL_RENAMEAT], 1);
    journal_die(fixture);
    journal_must_open(fixture);
    check(fixture, &model);
}

/* The rename happened, and isn't known to be durable. */
static void a_failed_sync_of_the_directory_is_indeterminate(void **state)
{
    struct journal_fixture *fixture = *state;
    struct model model = {1, 2};
    journal_must_open(fixture);
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0);
    memset(call_fault.count, 0, sizeof(call_fault.count));
    call_fault = (struct call_fault){.call = CALL_FDATASYNC, .at = {.n = 1}, .sys_errno = EIO};
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0); /* a fresh file, and the next sync of a directory is its second */
    call_fault = (struct call_fault){.call = CALL_FSYNC, .at = {.n = 2, .forever = true}, .sys_errno = EIO};
    assert_int_equal(muster__store_compact(fixture->store, &fixture->error), MUSTER_EINDETERMINATE);
    call_fault = (struct call_fault){.call = CALL_FSYNC, .at = {.n = 2, .forever = true}, .sys_errno = EIO};
    assert_int_equal(put_both(fixture, 2, "pid 42"), MUSTER_EINDETERMINATE);
    assert_int_equal(journal_load(fixture), MUSTER_EIO);
    call_fault = (struct call_fault){0};
    assert_int_equal(journal_load(fixture), 0);
    check(fixture, &model);
    journal_die(fixture);
    journal_must_open(fixture);
    check(fixture, &model);
}

static void a_file_that_can_t_be_read_is_left_alone(void **state)
{
    struct journal_fixture *fixture = *state;
    size_t size, size_after;
    journal_must_open(fixture);
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0);
    journal_close(fixture);
    char *before = journal_get_file(fixture, "journal", &size);
    call_fault = (struct call_fault){.call = CALL_PREAD, .at = {.n = 2, .forever = true}, .sys_errno = EIO};
    assert_int_equal(journal_open(fixture), MUSTER_EIO);
    assert_non_null(strstr(fixture->error.text, "Input/output error"));
    char *after = journal_get_file(fixture, "journal", &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
    free(before);
    free(after);
}

/* Interrupted calls are called again. */
static void interruptions_are_nothing(void **state)
{
    struct journal_fixture *fixture = *state;
    for (unsigned n = 1; n < 12; n++) {
        call_fault = (struct call_fault){
            .call = n % 2 ? CALL_PWRITE : CALL_PREAD, .at = {.n = n}, .sys_errno = EINTR, .part = PART_HALF,
            .effect = n % 2 && n % 3 == 0 ? CALL_IS_TORN : CALL_FAILS};
        journal_must_open(fixture);
        assert_int_equal(put_both(fixture, n, "pid 41"), 0);
        assert_int_equal(call_fault.count[CALL_RENAMEAT], n == 1);
        journal_close(fixture);
    }
}

/* A file that ends before its size can't be read: that isn't a torn tail. */
static void a_short_read_is_no_torn_tail(void **state)
{
    struct journal_fixture *fixture = *state;
    struct model model = {1, 1};
    journal_must_open(fixture);
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0);
    journal_close(fixture);
    call_fault = (struct call_fault){.call = CALL_PREAD, .at = {.n = 2}, .effect = CALL_IS_CUT};
    assert_int_equal(journal_open(fixture), MUSTER_EIO);
    assert_non_null(strstr(fixture->error.text, "read"));
    call_fault = (struct call_fault){0};
    journal_must_open(fixture);
    check(fixture, &model);
}

#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, journal_setup, journal_teardown)

int main(void)
{
    memset(large, 'l', sizeof(large) - 1);
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_full_disk_is_determinate),
        JOURNAL_TEST(a_failed_fdatasync_is_not_tried_again),
        JOURNAL_TEST(a_failed_sync_of_the_directory_is_indeterminate),
        JOURNAL_TEST(a_file_that_can_t_be_read_is_left_alone),
        JOURNAL_TEST(interruptions_are_nothing),
        JOURNAL_TEST(a_short_read_is_no_torn_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

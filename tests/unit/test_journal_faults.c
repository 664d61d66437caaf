/* SPDX-License-Identifier: MIT */
/*
 * Each call of each kind fails, once and for ever, and so does each allocation: what was acknowledged is
 * never lost, what wasn't is whole or absent, and with the fault gone all goes on.
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

#include "journal_fixture.h"
#include "support/failing_memory.h"

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

/* False: the host may not write any more. */
static bool commit_step(struct journal_fixture *fixture, uint64_t generation, struct model *model)
{
    int code = put_both(fixture, generation, generation % 4 == 0 ? large : "pid 42");
    if (code != 0)
        assert_true(fixture->error.text[0] != '\0');
    if (code == 0) {
        *model = (struct model){generation, generation};
    } else if (code == MUSTER_EINDETERMINATE) {
        model->possible = generation;
        if (journal_load(fixture) != 0)
            return false;
        check(fixture, model);
    }
    return true;
}

/* The run in which something fails. */
static void run(struct journal_fixture *fixture, struct model *model, bool die)
{
    struct muster_error error;
    if (journal_open(fixture) != 0) {
        assert_true(fixture->error.text[0] != '\0');
        return;
    }
    if (journal_load(fixture) == 0)
        check(fixture, model);
    bool goes_on = true;
    for (uint64_t generation = 2; generation < 8 && goes_on; generation++) {
        goes_on = commit_step(fixture, generation, model);
        if (generation == 5)
            muster__store_compact(fixture->store, &error);
    }
    muster__store_verify(fixture->store, &error);
    if (!die)
        muster__store_close(fixture->store, &error);
    journal_die(fixture);
}

/* All is well again: what is there is what the model says, and a commit goes through. */
static void recover(struct journal_fixture *fixture, struct model *model)
{
    journal_must_open(fixture);
    check(fixture, model);
    assert_int_equal(put_both(fixture, 100, "pid 43"), 0);
    journal_reopen(fixture);
    *model = (struct model){100, 100};
    check(fixture, model);
    journal_close(fixture);
    assert_int_equal(journal_count_files(fixture, ""), 4); /* ".", "..", journal, lock */
}

/* False: the fault was beyond the last call. */
static bool run_with_fault(struct call_fault fault, bool die)
{
    void *state;
    struct model model = {1, 1};
    assert_int_equal(journal_setup(&state), 0);
    struct journal_fixture *fixture = state;
    journal_must_open(fixture);
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0);
    journal_close(fixture);
    call_fault = fault;
    run(fixture, &model, die);
    bool fired = call_fault.fired;
    call_fault = (struct call_fault){0};
    recover(fixture, &model);
    journal_teardown(&state);
    return fired;
}

static void sweep(int sys_errno, bool torn)
{
    unsigned fired = 0;
    for (unsigned call = 0; call < CALLS; call++)
        for (unsigned forever = 0; forever < 2; forever++)
            for (unsigned n = 1;; n++, fired++)
                if (!run_with_fault((struct call_fault){.call = call,
                                                        .n = n,
                                                        .sys_errno = sys_errno,
                                                        .forever = forever == 1,
                                                        .torn = torn},
                                    (n + forever) % 2 == 0))
                    break;
    assert_true(fired > 100);
}

static void every_call_fails_with_eio(void **state)
{
    (void)state;
    sweep(EIO, false);
}

static void every_call_fails_with_enospc_and_half_of_it_written(void **state)
{
    (void)state;
    sweep(ENOSPC, true);
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
    call_fault.n = 1;
    call_fault.sys_errno = ENOSPC;
    call_fault.forever = call_fault.torn = true;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(put_both(fixture, 2 + i, large), MUSTER_EIO);
        assert_non_null(strstr(fixture->error.text, "write"));
        assert_non_null(strstr(fixture->error.text, fixture->directory));
        assert_non_null(strstr(fixture->error.text, "No space left on device"));
        assert_int_equal(fixture->error.sys_errno, ENOSPC);
        assert_int_equal(journal_load(fixture), 0);
        check(fixture, &model);
    }
    call_fault.n = 0;
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
    call_fault.n = 1;
    call_fault.sys_errno = EIO;
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
    call_fault = (struct call_fault){.call = CALL_FDATASYNC, .n = 1, .sys_errno = EIO};
    assert_int_equal(put_both(fixture, 1, "pid 41"), 0); /* a fresh file, and the next sync of a directory is its second */
    call_fault = (struct call_fault){.call = CALL_FSYNC, .n = 2, .sys_errno = EIO, .forever = true};
    assert_int_equal(muster__store_compact(fixture->store, &fixture->error), MUSTER_EINDETERMINATE);
    call_fault = (struct call_fault){.call = CALL_FSYNC, .n = 2, .sys_errno = EIO, .forever = true};
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
    call_fault = (struct call_fault){.call = CALL_PREAD, .n = 2, .sys_errno = EIO, .forever = true};
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
            .call = n % 2 ? CALL_PWRITE : CALL_PREAD, .n = n, .sys_errno = EINTR, .torn = n % 3 == 0};
        journal_must_open(fixture);
        assert_int_equal(put_both(fixture, n, "pid 41"), 0);
        assert_int_equal(call_fault.count[CALL_RENAMEAT], n == 1);
        journal_close(fixture);
    }
}

static void every_allocation_fails(void **state)
{
    (void)state;
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        void *inner;
        struct failing_memory memory = {0};
        struct model model = {1, 1};
        struct muster_allocator allocator = failing_allocator(&memory);
        assert_int_equal(journal_setup(&inner), 0);
        struct journal_fixture *fixture = inner;
        fixture->options.allocator = &allocator;
        journal_must_open(fixture);
        assert_int_equal(put_both(fixture, 1, "pid 41"), 0);
        journal_close(fixture);
        memory.countdown = n;
        run(fixture, &model, false);
        fired = memory.fired;
        memory.countdown = 0;
        recover(fixture, &model);
        assert_int_equal(memory.live, 0);
        journal_teardown(&inner);
    }
}

#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, journal_setup, journal_teardown)

int main(void)
{
    memset(large, 'l', sizeof(large) - 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_fails_with_eio),
        cmocka_unit_test(every_call_fails_with_enospc_and_half_of_it_written),
        JOURNAL_TEST(a_full_disk_is_determinate),
        JOURNAL_TEST(a_failed_fdatasync_is_not_tried_again),
        JOURNAL_TEST(a_failed_sync_of_the_directory_is_indeterminate),
        JOURNAL_TEST(a_file_that_can_t_be_read_is_left_alone),
        JOURNAL_TEST(interruptions_are_nothing),
        cmocka_unit_test(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

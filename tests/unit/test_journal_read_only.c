/* SPDX-License-Identifier: MIT */
/* A journal that is only read: beside a daemon that writes, and without a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_fixture.h"

/* ---- calls that only read, and what they find */

static struct {
    /* So many reads find the line of guest/b half written, and that of guest/c whole. */
    unsigned half;
    /* So many calls from now one fails; 0: none does. */
    unsigned fail_at;
    unsigned reads;
} reading;

static bool fails(void)
{
    errno = EIO;
    return reading.fail_at > 0 && --reading.fail_at == 0;
}

static int open_to_read(int directory, const char *path, int flags, mode_t mode)
{
    assert_int_equal(flags & (O_ACCMODE | O_CREAT | O_TRUNC), O_RDONLY);
    return fails() ? -1 : muster__journal_system.openat(directory, path, flags, mode);
}

static int stat_file(int fd, struct stat *ret_stat)
{
    return fails() ? -1 : muster__journal_system.fstat(fd, ret_stat);
}

static ssize_t read_half(int fd, void *bytes, size_t count, off_t offset)
{
    if (fails())
        return -1;
    ssize_t got = muster__journal_system.pread(fd, bytes, count, offset);
    char *line = got <= 0 ? NULL : memmem(bytes, (size_t)got, "{\"seq\":2,", 9);
    if (line != NULL && reading.reads++ < reading.half)
        memset(line + 20, '\n', 20 + reading.reads);
    return got;
}

static int close_file(int fd)
{
    return muster__journal_system.close(fd);
}

static int is_locked(int fd)
{
    return muster__journal_system.is_locked(fd);
}

/* Whatever isn't here would end the test: nothing else may be called. */
static const struct muster__journal_calls only_reading = {
    .openat = open_to_read,
    .fstat = stat_file,
    .pread = read_half,
    .close = close_file,
    .is_locked = is_locked,
};

/* ---- tests */

/* Three records, each with a line of its own; the daemon stays alive. */
static struct muster_store *set_up(struct journal_fixture *fixture, unsigned half)
{
    struct muster_store *store;
    journal_must_open(fixture);
    assert_int_equal(journal_put(fixture, "a", 1), 0);
    assert_int_equal(journal_put(fixture, "b", 2), 0);
    assert_int_equal(journal_put(fixture, "c", 3), 0);
    memset(&reading, 0, sizeof(reading));
    reading.half = half;
    assert_int_equal(muster__journal_new(fixture->directory, NULL, &only_reading, &store), 0);
    return store;
}

static int count_sound(void *data, const struct muster_record *record)
{
    *(size_t *)data += (record->flags & MUSTER_RECORD_QUARANTINED) == 0;
    return 0;
}

static size_t sound(struct muster_store *store)
{
    size_t count = 0;
    assert_int_equal(muster_store_load(store, count_sound, &count), 0);
    return count;
}

static void it_only_reads_and_takes_no_lock(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_store *store = set_up(fixture, 0);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), 0);
    assert_int_equal(sound(store), 3);
    assert_int_equal(muster_store_verify(store), 0);
    assert_int_equal(reading.reads, 2);
    assert_int_equal(journal_put(fixture, "d", 1), 0);
    assert_int_equal(muster_store_close(store), 0);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), 0);
    assert_int_equal(sound(store), 4);
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

static void a_line_that_is_seen_half_is_looked_at_again(void **state)
{
    struct muster_store *store = set_up(*state, 3);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), 0);
    assert_int_equal(muster_error_code(muster_store_get_error(store)), 0);
    assert_int_equal(sound(store), 3);
    assert_int_equal(muster_error_code(muster_store_get_error(store)), 0);
    assert_int_equal(reading.reads, 4);
    reading.reads = 0;
    assert_int_equal(muster_store_verify(store), 0);
    assert_int_equal(reading.reads, 4);
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

static void damage_that_stays_is_told_by_line(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_store *store = set_up(fixture, 0);
    size_t size;
    char *bytes = journal_get_file(fixture, "journal", &size);
    char *line = memmem(bytes, size, "{\"seq\":2,", 9);
    assert_non_null(line);
    memset(line, 'x', 4);
    journal_set_file(fixture, "journal", bytes, size);
    free(bytes);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), 0);
    assert_int_equal(sound(store), 1);
    assert_int_equal(muster_error_code(muster_store_get_error(store)), MUSTER_ECORRUPT);
    assert_int_equal(muster_store_verify(store), MUSTER_ECORRUPT);
    const struct muster_error *problem = muster_error_next(muster_store_get_error(store));
    assert_string_equal(muster_error_text(problem), "line 3: damaged: its checksum or its form is wrong");
    problem = muster_error_next(problem);
    assert_string_equal(muster_error_text(problem), "line 4: before this, batch 2 is missing");
    assert_null(muster_error_next(problem));
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

static void verify_says(struct muster_store *store, int code, const char *text)
{
    assert_int_equal(muster_store_verify(store), code);
    if (strstr(muster_error_text(muster_store_get_error(store)), text) == NULL)
        fail_msg("\"%s\" doesn't say \"%s\"", muster_error_text(muster_store_get_error(store)), text);
}

/* A daemon writes a batch's first sector last. Without a daemon it is a commit that was cut off, where its line had to begin. */
static void a_torn_tail_is_a_daemon_s_that_writes(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_store *store = set_up(fixture, 0);
    char text[64];
    size_t size;
    char *bytes = journal_get_file(fixture, "journal", &size);
    char *end = memmem(bytes, size, "\n\n", 2);
    assert_non_null(end);
    memset(end + 5000, 'x', 100);
    journal_set_file(fixture, "journal", bytes, size);
    snprintf(text, sizeof(text), "has a torn tail at byte %zu, in line 5", (size_t)(end + 1 - bytes));
    free(bytes);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), 0);
    verify_says(store, 0, "");
    journal_die(fixture);
    verify_says(store, MUSTER_ECORRUPT, text);
    journal_remove_files(fixture, "lock");
    verify_says(store, MUSTER_ECORRUPT, text);
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

static void any_call_may_fail(void **state)
{
    struct muster_store *store = set_up(*state, 1);
    bool fired = true;
    for (unsigned n = 1; fired; n++) {
        reading.reads = 0;
        reading.fail_at = n;
        int code = muster_store_open(store, MUSTER_STORE_READ_ONLY);
        if (code == 0)
            code = muster_store_verify(store);
        fired = reading.fail_at == 0;
        reading.fail_at = 0;
        assert_int_equal(code, fired ? MUSTER_EIO : 0);
        if (fired)
            assert_int_equal(muster_error_errno(muster_store_get_error(store)), EIO);
        if (muster_store_close(store) == 0)
            continue;
        assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), 0);
        assert_int_equal(sound(store), 3);
        assert_int_equal(muster_store_close(store), 0);
    }
    muster_store_free(store);
}

static void what_is_not_there_is_not_made(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_store *store;
    memset(&reading, 0, sizeof(reading));
    assert_int_equal(muster__journal_new(fixture->directory, NULL, &only_reading, &store), 0);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), MUSTER_EIO);
    assert_int_equal(muster_error_errno(muster_store_get_error(store)), ENOENT);
    muster_store_free(store);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, journal_setup, journal_teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_only_reads_and_takes_no_lock),   TEST(a_line_that_is_seen_half_is_looked_at_again),
        TEST(damage_that_stays_is_told_by_line), TEST(any_call_may_fail),
        TEST(a_torn_tail_is_a_daemon_s_that_writes), TEST(what_is_not_there_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

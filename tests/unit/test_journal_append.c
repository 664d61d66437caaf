/* SPDX-License-Identifier: MIT */
/* Batches that are too long for one chunk: what is in the file when, and what is left when they end in the middle. */
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

/* Some chunks long: a record has about 150 bytes. */
#define MANY 5500
#define LONG ((size_t)1000 * 1000)

struct many {
    struct muster_record records[MANY];
    const struct muster_record *pointers[MANY];
    char names[MANY][16];
    char handle[LONG + 1];
};

static struct many many;

static void fill(uint64_t generation)
{
    memset(many.handle, 'h', LONG);
    for (unsigned i = 0; i < MANY; i++) {
        MUSTER_RECORD_INIT(&many.records[i]);
        snprintf(many.names[i], sizeof(many.names[i]), "web%u", i);
        many.records[i].driver = "guest";
        many.records[i].name = many.names[i];
        many.records[i].generation = generation;
        many.pointers[i] = &many.records[i];
    }
}

static int commit_many(struct journal_fixture *fixture, uint64_t generation)
{
    fill(generation);
    return muster__store_commit(fixture->store, many.pointers, MANY, &fixture->error);
}

/* Of all records that a load tells: how many, and the least and greatest generation. */
struct told {
    size_t count;
    uint64_t least;
    uint64_t most;
};

static int tell(void *data, const struct muster_record *record)
{
    struct told *told = data;
    told->least = told->count == 0 || record->generation < told->least ? record->generation : told->least;
    told->most = record->generation > told->most ? record->generation : told->most;
    told->count++;
    return 0;
}

/* All of one generation, which is returned; 0: there are none. */
static uint64_t generation_of_all(struct journal_fixture *fixture)
{
    struct told told = {0};
    struct muster_error error;
    assert_int_equal(muster__store_load(fixture->store, tell, &told, &error), 0);
    if (error.code != 0)
        fail_msg("load: %s", error.text);
    assert_true(told.count == 0 || told.count == MANY);
    assert_true(told.least == told.most);
    return told.most;
}

static void open_again(struct journal_fixture *fixture)
{
    if (journal_open(fixture) != 0)
        fail_msg("open: %s", fixture->error.text);
}

static void reopen(struct journal_fixture *fixture)
{
    journal_close(fixture);
    open_again(fixture);
}

static void begin(struct journal_fixture *fixture)
{
    open_again(fixture);
    assert_int_equal(commit_many(fixture, 1), 0);
    memset(call_fault.count, 0, sizeof(call_fault.count));
}

static void it_is_written_in_chunks_and_synced_once(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_error error;
    begin(fixture);
    assert_int_equal(commit_many(fixture, 2), 0);
    assert_true(call_fault.count[CALL_PWRITE] > 3);
    assert_int_equal(call_fault.count[CALL_SYNC_FILE_RANGE], 1);
    assert_int_equal(call_fault.count[CALL_FDATASYNC], 1);
    assert_int_equal(muster__store_verify(fixture->store, &error), 0);
    reopen(fixture);
    assert_int_equal(generation_of_all(fixture), 2);
}

/* Behind the last line there are newlines alone. */
static void ends_well(const struct journal_fixture *fixture)
{
    size_t size;
    char *bytes = journal_get_file(fixture, "journal", &size);
    while (size > 0 && bytes[size - 1] == '\n')
        size--;
    assert_true(size > 3 && bytes[size] == '\n');
    assert_memory_equal(bytes + size - 3, "}]}", 3);
    free(bytes);
}

/* The length of all has more or fewer digits than the first chunk makes one think: so has the frame, and all moves. */
static void a_wrong_guess_is_made_good(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_error error;
    begin(fixture);
    for (unsigned end = 0; end < 2; end++) {
        fill(2 + end);
        many.records[end == 0 ? 0 : MANY - 1].handle = many.handle;
        many.records[MANY - 1].handle = many.handle + (end == 0 ? LONG * 4 / 5 : 0);
        memset(call_fault.count, 0, sizeof(call_fault.count));
        assert_int_equal(muster__store_commit(fixture->store, many.pointers, MANY, &fixture->error), 0);
        assert_int_equal(call_fault.count[CALL_FDATASYNC], 2);
        ends_well(fixture);
        assert_int_equal(muster__store_verify(fixture->store, &error), 0);
        reopen(fixture);
        assert_int_equal(generation_of_all(fixture), 2 + end);
    }
}

/* Found only when much has been written: the batch isn't there, and a daemon that dies or goes on has lost nothing. */
static void what_is_refused_at_the_end_leaves_nothing(void **state)
{
    struct journal_fixture *fixture = *state;
    begin(fixture);
    for (unsigned dies = 0; dies < 2; dies++) {
        fill(99);
        many.records[MANY - 1].handle = "\xff";
        assert_int_equal(muster__store_commit(fixture->store, many.pointers, MANY, &fixture->error), MUSTER_EINVAL);
        assert_int_equal(generation_of_all(fixture), 1 + dies);
        if (dies == 0) {
            memset(call_fault.count, 0, sizeof(call_fault.count));
            assert_int_equal(commit_many(fixture, 2), 0);
            /* To a fresh file: the next line must not be torn over what is left. */
            assert_int_equal(call_fault.count[CALL_FDATASYNC], 0);
            reopen(fixture);
        } else {
            journal_die(fixture);
            open_again(fixture);
        }
        assert_int_equal(generation_of_all(fixture), 2);
    }
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
}

/* One call fails and with it all later ones, or it does alone; whoever comes next finds the whole batch, or the one before. */
static void fail_once(struct journal_fixture *fixture, enum call call, size_t n, bool gone)
{
    uint64_t before = generation_of_all(fixture);
    call_fault.call = call;
    call_fault.effect = gone ? CALL_FAILS_WITH_ALL : CALL_IS_TORN;
    call_fault.part = PART_HALF;
    call_fault.sys_errno = EIO;
    fault_arm(&call_fault.at, n, false);
    int code = commit_many(fixture, before + 1);
    bool fired = call_fault.at.fired > 0;
    if (gone)
        journal_die(fixture);
    fault_init(&call_fault.at);
    if (!gone)
        journal_close(fixture);
    open_again(fixture);
    uint64_t after = generation_of_all(fixture);
    assert_true(after == before + 1 || (code != 0 && after == before));
    assert_true(code == 0 || code == MUSTER_EINDETERMINATE || after == before);
    assert_true(fired || code == 0);
}

static void all_or_nothing_wherever_it_fails(void **state)
{
    struct journal_fixture *fixture = *state;
    static const enum call calls[] = {CALL_PWRITE, CALL_SYNC_FILE_RANGE, CALL_FDATASYNC};
    unsigned tried = 0;
    begin(fixture);
    for (unsigned c = 0; c < sizeof(calls) / sizeof(calls[0]); c++)
        for (size_t n = 1; n <= (calls[c] == CALL_PWRITE ? 16 : 2); n++)
            for (unsigned gone = 0; gone < 2; gone++, tried++)
                fail_once(fixture, calls[c], n, gone);
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
    print_message("%u failures in the middle of a batch of %d records\n", tried, MANY);
}

/* ---- what a power failure leaves of it */

#define SECTOR 512
#define LOOKS 16

/* The file before each write to it, and at the end. */
struct look {
    char *bytes;
    size_t size;
};

static struct look looks[LOOKS];
static size_t looked;
static const struct journal_fixture *watched;

static void look(enum call call, int fd, const char *path)
{
    (void)fd;
    (void)path;
    if (call != CALL_PWRITE)
        return;
    assert_true(looked < LOOKS - 1);
    looks[looked].bytes = journal_get_file(watched, "journal", &looks[looked].size);
    looked++;
}

static void watch(struct journal_fixture *fixture, uint64_t generation)
{
    looked = 0;
    watched = fixture;
    call_observer = look;
    assert_int_equal(commit_many(fixture, generation), 0);
    look(CALL_PWRITE, -1, NULL);
    call_observer = NULL;
}

/* Zeros where the file ends before. */
static void get_sector(const struct look *look, size_t at, char ret_bytes[SECTOR])
{
    memset(ret_bytes, 0, SECTOR);
    if (at < look->size)
        memcpy(ret_bytes, look->bytes + at, look->size - at < SECTOR ? look->size - at : SECTOR);
}

static bool same_sector(const struct look *one, const struct look *other, size_t at)
{
    char a[SECTOR], b[SECTOR];
    get_sector(one, at, a);
    get_sector(other, at, b);
    return memcmp(a, b, SECTOR) == 0;
}

/* All was written but this sector, which is as it was when somebody looked. */
static void lose_sector(struct journal_fixture *fixture, const struct look *then, const struct look *end, size_t at)
{
    char kept[SECTOR];
    get_sector(end, at, kept);
    get_sector(then, at, end->bytes + at);
    journal_set_file(fixture, "journal", end->bytes, end->size);
    open_again(fixture);
    uint64_t found = generation_of_all(fixture);
    assert_true(found == 1 || found == 2);
    journal_close(fixture);
    memcpy(end->bytes + at, kept, SECTOR);
}

/* Of sectors that were written more than once; and of one in each chunk that was written at once. */
static void a_sector_that_is_missing_is_a_torn_tail(void **state)
{
    struct journal_fixture *fixture = *state;
    unsigned tried = 0;
    fixture->options.compact_size = (uint64_t)1 << 30;
    fixture->step = 8192;
    begin(fixture);
    watch(fixture, 2);
    journal_close(fixture);
    const struct look *end = &looks[looked - 1];
    for (size_t i = 0; i + 1 < looked; i++) {
        bool one = false;
        for (size_t at = 0; at + SECTOR <= end->size; at += SECTOR) {
            bool half = i > 0 && !same_sector(&looks[i], end, at) && !same_sector(&looks[i], &looks[i - 1], at);
            bool first = !one && !same_sector(&looks[i], &looks[i + 1], at) && same_sector(&looks[i + 1], end, at);
            if (half || first)
                lose_sector(fixture, &looks[i], end, at);
            tried += half || first;
            one = one || first;
        }
    }
    assert_true(tried >= looked - 1 && looked > 5);
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
    for (size_t i = 0; i < looked; i++)
        free(looks[i].bytes);
    print_message("%u sectors were lost in %zu writes\n", tried, looked - 1);
}

#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, journal_setup, journal_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(it_is_written_in_chunks_and_synced_once),
        JOURNAL_TEST(a_wrong_guess_is_made_good),
        JOURNAL_TEST(what_is_refused_at_the_end_leaves_nothing),
        JOURNAL_TEST(all_or_nothing_wherever_it_fails),
        JOURNAL_TEST(a_sector_that_is_missing_is_a_torn_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/name.h"
#include "journal_fixture.h"

static struct muster_record full_record(const char *name)
{
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "guest";
    record.name = name;
    record.flags = MUSTER_RECORD_MARK;
    record.desired = MUSTER_DESIRED_ACTIVE;
    record.stage = MUSTER_STAGE_STOPPING;
    record.reason = MUSTER_REASON_HOST_SHUTDOWN;
    record.boot = "0c5d6f9a-5f5e-4b52-9ef3-0d0a1b2c3d4e";
    record.attempts = 3;
    record.generation = UINT64_MAX;
    record.token = "00112233445566778899aabbccddeeff";
    record.handle = "{\"pid\":42,\"socket\":\"/run/a b\\n\"}\n\t\x01";
    record.format = 7;
    record.extra = "{\"color\":\"blau\",\"nested\":{\"a\":[1,2.5,null,true]}}";
    return record;
}

static void must_commit(struct journal_fixture *fixture, const struct muster_record *record)
{
    if (muster__store_commit(fixture->store, &record, 1, &fixture->error) != 0)
        fail_msg("%s", fixture->error.text);
}

static void same_record(const struct muster_record *a, const struct muster_record *b)
{
    assert_non_null(a);
    assert_int_equal(a->kind, b->kind);
    assert_string_equal(a->driver, b->driver);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->desired, b->desired);
    assert_int_equal(a->stage, b->stage);
    assert_int_equal(a->reason, b->reason);
    assert_string_equal(a->boot, b->boot);
    assert_true(a->attempts == b->attempts);
    assert_true(a->generation == b->generation);
    assert_string_equal(a->token, b->token);
    assert_string_equal(a->handle, b->handle);
    assert_true(a->format == b->format);
    assert_string_equal(a->extra, b->extra);
}

static void a_record_comes_back_as_it_was(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_record record = full_record("web1");
    struct muster_error error;
    journal_must_open(fixture);
    assert_int_equal(fixture->count, 0);
    must_commit(fixture, &record);
    journal_reopen(fixture);
    same_record(journal_find(fixture, "web1"), &record);
    assert_int_equal(muster__store_compact(fixture->store, &error), 0);
    journal_reopen(fixture);
    assert_int_equal(fixture->count, 1);
    same_record(journal_find(fixture, "web1"), &record);
    assert_int_equal(muster__store_verify(fixture->store, &error), 0);
}

static void values_that_nobody_knows_are_kept(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_record record = full_record("lease");
    journal_must_open(fixture);
    record.kind = 77;
    record.stage = 9;
    must_commit(fixture, &record);
    journal_reopen(fixture);
    same_record(journal_find(fixture, "lease"), &record);
}

static void any_utf_8_is_a_name(void **state)
{
    static const char *const names[] = {"a/b", "a", "b/a", "gästé", "日本", "with \"quotes\" \\ and \n", "\xf0\x9f\x90\xa7"};
    struct journal_fixture *fixture = *state;
    journal_must_open(fixture);
    for (uint64_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(journal_put(fixture, names[i], i + 1), 0);
    journal_reopen(fixture);
    assert_int_equal(fixture->count, sizeof(names) / sizeof(names[0]));
    for (uint64_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(journal_find(fixture, names[i])->generation, i + 1);
}

static void a_driver_and_a_name_make_one_key(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_record record = full_record("b/c");
    journal_must_open(fixture);
    record.driver = "a";
    must_commit(fixture, &record);
    record.driver = "a/b";
    record.name = "c";
    must_commit(fixture, &record);
    journal_reopen(fixture);
    assert_int_equal(fixture->count, 2);
}

static void a_handle_may_have_a_mebibyte(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_record record = full_record("big");
    const struct muster_record *pointer = &record;
    char *handle = malloc(MUSTER__HANDLE_MAX + 2);
    assert_non_null(handle);
    memset(handle, '"', MUSTER__HANDLE_MAX + 1);
    handle[MUSTER__HANDLE_MAX + 1] = '\0';
    record.handle = handle;
    journal_must_open(fixture);
    assert_int_equal(muster__store_commit(fixture->store, &pointer, 1, &fixture->error), MUSTER_EINVAL);
    handle[MUSTER__HANDLE_MAX] = '\0';
    must_commit(fixture, &record);
    journal_reopen(fixture);
    same_record(journal_find(fixture, "big"), &record);
    free(handle);
}

static void refused(struct journal_fixture *fixture, const struct muster_record *record)
{
    assert_int_equal(muster__store_commit(fixture->store, &record, 1, &fixture->error), MUSTER_EINVAL);
    assert_int_equal(journal_load(fixture), 0);
    assert_int_equal(fixture->count, 0);
}

static void what_could_not_be_read_again_is_refused(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_record record = full_record("x");
    char deep[128];
    journal_must_open(fixture);
    record.handle = "\xff\xfe";
    refused(fixture, &record);
    record = full_record("x");
    record.extra = "{\"a\":1,\"a\":2}";
    refused(fixture, &record);
    record.extra = "[1]";
    refused(fixture, &record);
    record.extra = "{\"a\":";
    refused(fixture, &record);
    snprintf(deep, sizeof(deep), "{\"a\":%.*s%.*s}", 30, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 30, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    record.extra = deep;
    refused(fixture, &record);
    record = full_record("x");
    record.flags = 1u << 20;
    refused(fixture, &record);
    record = full_record("x");
    record.driver = NULL;
    refused(fixture, &record);
    assert_int_equal(journal_put(fixture, "y", 1), 0);
    journal_reopen(fixture);
    assert_int_equal(fixture->count, 1);
}

static void known_members_in_extra_give_way(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_record record = full_record("web1");
    record.extra = "{\"stage\":\"paused\",\"check\":\"x\",\"new\":1}";
    journal_must_open(fixture);
    must_commit(fixture, &record);
    journal_reopen(fixture);
    assert_string_equal(journal_find(fixture, "web1")->extra, "{\"new\":1}");
    assert_int_equal(journal_find(fixture, "web1")->stage, MUSTER_STAGE_STOPPING);
}

static void what_is_removed_stays_removed(void **state)
{
    struct journal_fixture *fixture = *state;
    journal_must_open(fixture);
    assert_int_equal(journal_put(fixture, "a", 1), 0);
    assert_int_equal(journal_put(fixture, "b", 1), 0);
    assert_int_equal(journal_put(fixture, "a", 0), 0);
    assert_int_equal(journal_put(fixture, "never", 0), 0);
    journal_reopen(fixture);
    assert_int_equal(fixture->count, 1);
    assert_non_null(journal_find(fixture, "b"));
}

/* What jq would do: every line that isn't blank is JSON. */
static void every_line_is_json(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_record record = full_record("web1");
    size_t size;
    unsigned lines = 0;
    journal_must_open(fixture);
    must_commit(fixture, &record);
    assert_int_equal(journal_put(fixture, "a", 1), 0);
    assert_int_equal(journal_put(fixture, "a", 0), 0);
    char *bytes = journal_get_file(fixture, "journal", &size);
    assert_int_equal(size, strlen(bytes));
    char *save;
    for (char *line = strtok_r(bytes, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save), lines++) {
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        if (lines == 1)
            assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(json, "records"), 0), "stage")),
                                "stopping");
        json_decref(json);
    }
    assert_int_equal(lines, 4);
    free(bytes);
}

/* What is counted isn't timed: one write and one fdatasync, and the size stays. */
static void a_commit_is_one_write_and_one_fdatasync(void **state)
{
    struct journal_fixture *fixture = *state;
    size_t before, after;
    journal_must_open(fixture);
    free(journal_get_file(fixture, "journal", &before));
    memset(call_fault.count, 0, sizeof(call_fault.count));
    assert_int_equal(journal_put(fixture, "a", 1), 0);
    for (unsigned call = 0; call < CALLS; call++)
        assert_int_equal(call_fault.count[call], call == CALL_PWRITE || call == CALL_FDATASYNC);
    free(journal_get_file(fixture, "journal", &after));
    assert_int_equal(before, after);
}

/* A batch that the space ahead is too short for is written once and synced once, with new space behind it. */
static void a_commit_that_needs_space_is_synced_once(void **state)
{
    struct journal_fixture *fixture = *state;
    static char handle[2 * MUSTER__JOURNAL_STEP];
    struct muster_record record;
    size_t size;
    memset(handle, 'h', sizeof(handle) - 1);
    MUSTER_RECORD_INIT(&record);
    record.driver = "guest";
    record.name = "large";
    record.handle = handle;
    journal_must_open(fixture);
    memset(call_fault.count, 0, sizeof(call_fault.count));
    must_commit(fixture, &record);
    assert_int_equal(call_fault.count[CALL_FDATASYNC], 1);
    assert_int_equal(call_fault.count[CALL_FSYNC], 0);
    assert_true(call_fault.count[CALL_PWRITE] <= 1 + MUSTER__JOURNAL_STEP / 8192);
    free(journal_get_file(fixture, "journal", &size));
    assert_int_equal(size % MUSTER__JOURNAL_STEP, 0);
    assert_true(size > sizeof(handle));
    journal_reopen(fixture);
    assert_string_equal(journal_find(fixture, "large")->handle, handle);
}

/* Death before the batch was written: the file is longer, with zero bytes where the batch was to be. */
static void space_without_its_batch_is_a_torn_tail(void **state)
{
    struct journal_fixture *fixture = *state;
    const size_t gaps[] = {1, 100, 4096, 3 * MUSTER__JOURNAL_STEP};
    size_t size;
    for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
        journal_must_open(fixture);
        assert_int_equal(journal_put(fixture, "a", 1 + i), 0);
        journal_close(fixture);
        char *before = journal_get_file(fixture, "journal", &size);
        char *after = calloc(1, size + gaps[i] + MUSTER__JOURNAL_STEP);
        memcpy(after, before, size);
        memset(after + size + gaps[i], '\n', MUSTER__JOURNAL_STEP);
        journal_set_file(fixture, "journal", after, size + gaps[i] + MUSTER__JOURNAL_STEP);
        free(before);
        free(after);
        journal_must_open(fixture);
        assert_int_equal(fixture->error.code, 0);
        assert_int_equal(muster__store_verify(fixture->store, &fixture->error), 0);
        assert_int_equal(journal_find(fixture, "a")->generation, 1 + i);
        assert_int_equal(journal_put(fixture, "b", 1 + i), 0);
        journal_reopen(fixture);
        assert_int_equal(fixture->count, 2);
        journal_close(fixture);
    }
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
}

static void the_file_is_compacted_before_it_grows_for_ever(void **state)
{
    struct journal_fixture *fixture = *state;
    size_t size;
    fixture->options.compact_size = 16 * 1024;
    journal_must_open(fixture);
    for (uint64_t i = 1; i <= 2000; i++)
        assert_int_equal(journal_put(fixture, i % 2 ? "a" : "b", i), 0);
    free(journal_get_file(fixture, "journal", &size));
    assert_true(size <= MUSTER__JOURNAL_STEP);
    assert_true(call_fault.count[CALL_RENAMEAT] > 5 && call_fault.count[CALL_RENAMEAT] < 200);
    journal_reopen(fixture);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(journal_find(fixture, "a")->generation, 1999);
    assert_int_equal(journal_find(fixture, "b")->generation, 2000);
}

static void a_full_journal_is_said_and_loses_nothing(void **state)
{
    struct journal_fixture *fixture = *state;
    char name[32];
    uint64_t taken = 0;
    fixture->options.max_size = 8192;
    journal_must_open(fixture);
    for (int code = 0; code == 0; taken += code == 0) {
        snprintf(name, sizeof(name), "vm%d", (int)taken);
        code = journal_put(fixture, name, 1);
        assert_true(code == 0 || code == MUSTER_EIO);
    }
    assert_non_null(strstr(fixture->error.text, "max_size is reached"));
    assert_int_equal(journal_put(fixture, "vm0", 0), 0);
    journal_reopen(fixture);
    assert_int_equal(fixture->count, taken - 1);
}

static void the_callbacks_want_an_open_store(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_error error;
    assert_int_equal(muster__journal_new(fixture->directory, &fixture->options, &failing_calls, &fixture->store), 0);
    assert_int_equal(journal_put(fixture, "a", 1), MUSTER_ESTATE);
    assert_int_equal(journal_load(fixture), MUSTER_ESTATE);
    assert_int_equal(muster__store_close(fixture->store, &error), MUSTER_ESTATE);
    assert_int_equal(muster__store_verify(fixture->store, &error), MUSTER_ESTATE);
    assert_int_equal(muster__store_compact(fixture->store, &error), MUSTER_ESTATE);
    assert_int_equal(muster__store_open(fixture->store, &error), 0);
    assert_int_equal(muster__store_open(fixture->store, &error), MUSTER_ESTATE);
    assert_int_equal(journal_put(fixture, "a", 1), 0);
}

static void refuses_bad_options(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_store *store = NULL;
    struct muster_journal_options options = fixture->options;
    assert_int_equal(muster_store_journal_new(NULL, NULL, &store), MUSTER_EINVAL);
    assert_int_equal(muster_store_journal_new("", NULL, &store), MUSTER_EINVAL);
    assert_int_equal(muster_store_journal_new(fixture->directory, NULL, NULL), MUSTER_EINVAL);
    options.size = 8;
    assert_int_equal(muster_store_journal_new(fixture->directory, &options, &store), MUSTER_EINVAL);
    options = fixture->options;
    options.max_size = 1;
    assert_int_equal(muster_store_journal_new(fixture->directory, &options, &store), MUSTER_EINVAL);
    assert_null(store);
    assert_int_equal(muster_store_journal_new(fixture->directory, NULL, &store), 0);
    muster_store_free(store);
}

#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, journal_setup, journal_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_record_comes_back_as_it_was),
        JOURNAL_TEST(values_that_nobody_knows_are_kept),
        JOURNAL_TEST(any_utf_8_is_a_name),
        JOURNAL_TEST(a_driver_and_a_name_make_one_key),
        JOURNAL_TEST(a_handle_may_have_a_mebibyte),
        JOURNAL_TEST(what_could_not_be_read_again_is_refused),
        JOURNAL_TEST(known_members_in_extra_give_way),
        JOURNAL_TEST(what_is_removed_stays_removed),
        JOURNAL_TEST(every_line_is_json),
        JOURNAL_TEST(a_commit_is_one_write_and_one_fdatasync),
        JOURNAL_TEST(a_commit_that_needs_space_is_synced_once),
        JOURNAL_TEST(space_without_its_batch_is_a_torn_tail),
        JOURNAL_TEST(the_file_is_compacted_before_it_grows_for_ever),
        JOURNAL_TEST(a_full_journal_is_said_and_loses_nothing),
        JOURNAL_TEST(the_callbacks_want_an_open_store),
        JOURNAL_TEST(refuses_bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Damaged files: torn tails are cut, corruption is told from them, and nothing is believed that could be
 * wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal_fixture.h"

/* The file's bytes and where its lines begin; the last place is where the next line would. */
struct image {
    char *bytes;
    size_t size;
    size_t lines[32];
    size_t count;
};

static struct image take_image(struct journal_fixture *fixture)
{
    struct image image = {0};
    image.bytes = journal_get_file(fixture, "journal", &image.size);
    for (size_t at = 0; at < image.size && image.bytes[at] != '\n';) {
        image.lines[image.count++] = at;
        at += (size_t)(strchr(image.bytes + at, '\n') - (image.bytes + at)) + 1;
        image.lines[image.count] = at;
    }
    return image;
}

/* Line 0 is the header; then a 1, b 1, a 2, c 1. */
static struct image four_commits(struct journal_fixture *fixture)
{
    journal_must_open(fixture);
    assert_int_equal(journal_put(fixture, "a", 1), 0);
    assert_int_equal(journal_put(fixture, "b", 1), 0);
    assert_int_equal(journal_put(fixture, "a", 2), 0);
    assert_int_equal(journal_put(fixture, "c", 1), 0);
    journal_close(fixture);
    struct image image = take_image(fixture);
    assert_int_equal(image.count, 5);
    return image;
}

/* The generation of a record in the last load; 0: there is none; -1: it is quarantined. */
static int found(const struct journal_fixture *fixture, const char *name)
{
    const struct muster_record *record = journal_find(fixture, name);
    if (record == NULL)
        return 0;
    return (record->flags & MUSTER_RECORD_QUARANTINED) != 0 ? -1 : (int)record->generation;
}

static void expect(const struct journal_fixture *fixture, int a, int b, int c)
{
    assert_int_equal(found(fixture, "a"), a);
    assert_int_equal(found(fixture, "b"), b);
    assert_int_equal(found(fixture, "c"), c);
}

/* Open a file of these bytes. */
static void open_bytes(struct journal_fixture *fixture, const char *bytes, size_t size)
{
    journal_set_file(fixture, "journal", bytes, size);
    journal_must_open(fixture);
}

static void a_torn_tail_is_cut_at_every_byte(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    size_t start = image.lines[4], end = image.lines[5];
    char *bytes = malloc(image.size);
    for (unsigned way = 0; way < 3; way++)
        for (size_t cut = start; cut < end; cut++) {
            /* What is missing: the end, with the space ahead; the end of the file; all but the end. */
            memcpy(bytes, image.bytes, image.size);
            memset(bytes + (way == 2 ? start : cut), '\n', way == 2 ? cut - start : end - cut);
            open_bytes(fixture, bytes, way == 1 ? cut : image.size);
            assert_int_equal(fixture->error.code, 0);
            assert_int_equal(muster__store_verify(fixture->store, &fixture->error), 0);
            bool whole = cut == (way == 2 ? start : end - 1);
            expect(fixture, 2, 1, whole ? 1 : 0);
            assert_int_equal(journal_put(fixture, "d", 5), 0);
            journal_reopen(fixture);
            assert_int_equal(fixture->error.code, 0);
            expect(fixture, 2, 1, whole ? 1 : 0);
            assert_int_equal(found(fixture, "d"), 5);
            journal_close(fixture);
        }
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
    free(bytes);
    free(image.bytes);
}

/* A commit that spans many sectors, of which any run is missing: never reported, and the next commit works. */
static void a_commit_without_some_of_its_sectors_is_a_torn_tail(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    char handle[3000];
    free(image.bytes);
    memset(handle, 'h', sizeof(handle) - 1);
    handle[sizeof(handle) - 1] = '\0';
    /* What looks like lines, and is not. */
    memcpy(handle, "{\"seq\":6}", 9);
    journal_must_open(fixture);
    assert_int_equal(journal_put_handle(fixture, "c", handle), 0);
    journal_close(fixture);
    image = take_image(fixture);
    size_t start = image.lines[5], end = image.lines[6], count = 0;
    char *bytes = malloc(image.size);
    for (size_t from = start / 512; from <= end / 512; from++)
        for (size_t to = from + 1; to <= end / 512 + 1; to++)
            for (unsigned nul = 0; nul < 2; nul++, count++) {
                size_t first = from * 512 < start ? start : from * 512, last = to * 512 > end ? end : to * 512;
                if (first >= end - 1)
                    continue;
                memcpy(bytes, image.bytes, image.size);
                memset(bytes + first, nul ? '\0' : '\n', last - first);
                open_bytes(fixture, bytes, image.size);
                assert_int_equal(fixture->error.code, 0);
                expect(fixture, 2, 1, 1);
                assert_int_equal(journal_put(fixture, "c", 7), 0);
                journal_reopen(fixture);
                expect(fixture, 2, 1, 7);
                journal_close(fixture);
            }
    print_message("%zu runs of sectors were missing\n", count);
    assert_true(count > 40);
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
    free(bytes);
    free(image.bytes);
}

/* Whatever single bit is wrong: it is reported, an old version is never taken for the newest, and a second open is clean. */
static void a_flipped_bit_anywhere_is_never_believed(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    for (size_t at = 0; at < image.lines[5]; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            char saved = image.bytes[at];
            image.bytes[at] = (char)(saved ^ (1 << bit));
            open_bytes(fixture, image.bytes, image.size);
            assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
            int a = found(fixture, "a"), b = found(fixture, "b"), c = found(fixture, "c");
            assert_true(a == 2 || a == -1);
            assert_true(b == 1 || b == -1 || (b == 0 && at < image.lines[3] && at >= image.lines[2]));
            assert_true(c == 1 || (at >= image.lines[4] && (c == -1 || (c == 0 && a == -1 && b == -1))) ||
                        (c == -1 && at < image.lines[1]));
            journal_reopen(fixture);
            assert_int_equal(fixture->error.code, 0);
            assert_int_equal(found(fixture, "a"), a);
            assert_int_equal(found(fixture, "b"), b);
            assert_int_equal(found(fixture, "c"), c);
            journal_close(fixture);
            journal_remove_files(fixture, "quarantine");
            image.bytes[at] = saved;
        }
    free(image.bytes);
}

static void damage_to_the_last_line_is_told_from_a_torn_tail(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    char *last = image.bytes + image.lines[4];
    /* Its key is unharmed: nothing else is lost. */
    strstr(last, "pid 42")[0] = 'P';
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, 2, 1, -1);
    journal_close(fixture);
    /* So it is where the frame is damaged, or has no newline behind it. */
    memcpy(strstr(last, "\"len\":"), "\"LEN\":", 6);
    open_bytes(fixture, image.bytes, image.lines[5] - 1);
    expect(fixture, 2, 1, -1);
    journal_close(fixture);
    /* Two of them, the second torn. */
    memcpy(image.bytes + image.lines[5], "{\"seq\":5,\"len\":300,", 20);
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, 2, 1, -1);
    assert_non_null(strstr(fixture->error.text, "1 batches lost"));
    journal_close(fixture);
    /* A name that can't be sure: it may have been any record. */
    strstr(last, "\"name\":\"c\"")[8] = 'd';
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, -1, -1, 0);
    free(image.bytes);
}

static void corruption_keeps_the_good_and_quarantines_what_the_bad_line_names(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    size_t size;
    /* In the handle of a 2: its key is unharmed. */
    char *handle = strstr(image.bytes + image.lines[3], "pid 42");
    *handle = 'P';
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, -1, 1, 1);
    assert_null(journal_find(fixture, "a")->handle);
    assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
    assert_non_null(strstr(fixture->error.text, "1 records are quarantined"));
    assert_non_null(strstr(fixture->error.text, "quarantine-4-0"));
    char *kept = journal_get_file(fixture, "quarantine-4-0", &size);
    assert_int_equal(size, image.size);
    assert_memory_equal(kept, image.bytes, size);
    free(kept);
    journal_reopen(fixture);
    expect(fixture, -1, 1, 1);
    assert_int_equal(fixture->error.code, 0);
    assert_int_equal(journal_put(fixture, "a", 9), 0);
    journal_reopen(fixture);
    expect(fixture, 9, 1, 1);
    free(image.bytes);
}

static void where_a_key_can_t_be_read_all_that_is_older_is_quarantined(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    /* The name of a 2 becomes that of another record. */
    strstr(image.bytes + image.lines[3], "\"name\":\"a\"")[8] = 'b';
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, -1, -1, 1);
    free(image.bytes);
}

static void a_gap_in_the_sequence_is_corruption(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    size_t length = image.lines[4] - image.lines[3];
    memmove(image.bytes + image.lines[3], image.bytes + image.lines[4], image.size - image.lines[4]);
    open_bytes(fixture, image.bytes, image.size - length);
    expect(fixture, -1, -1, 1);
    assert_non_null(strstr(fixture->error.text, "without a trace"));
    free(image.bytes);
}

static void a_line_that_stands_there_twice_changes_nothing(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    size_t first = image.lines[1], length = image.lines[2] - first;
    char *bytes = malloc(image.size + length);
    memcpy(bytes, image.bytes, image.lines[4]);
    memcpy(bytes + image.lines[4], image.bytes + first, length);
    memcpy(bytes + image.lines[4] + length, image.bytes + image.lines[4], image.size - image.lines[4]);
    open_bytes(fixture, bytes, image.size + length);
    expect(fixture, 2, 1, 1);
    assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
    free(bytes);
    free(image.bytes);
}

static void a_line_of_another_journal_is_not_believed(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image old = four_commits(fixture);
    struct muster_error error;
    journal_must_open(fixture);
    assert_int_equal(muster__store_compact(fixture->store, &error), 0);
    journal_close(fixture);
    struct image fresh = take_image(fixture);
    size_t length = old.lines[5] - old.lines[4];
    memcpy(fresh.bytes + fresh.lines[fresh.count], old.bytes + old.lines[4], length);
    /* Whose place it has taken can't be told. */
    open_bytes(fixture, fresh.bytes, fresh.size);
    expect(fixture, -1, -1, -1);
    assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
    free(old.bytes);
    free(fresh.bytes);
}

/* Those lines were durable before the file had its name: the last one can't be torn. */
static void a_line_written_with_the_file_is_never_a_torn_tail(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    struct muster_error error;
    free(image.bytes);
    journal_must_open(fixture);
    assert_int_equal(muster__store_compact(fixture->store, &error), 0);
    journal_close(fixture);
    image = take_image(fixture);
    assert_int_equal(image.count, 4);
    strstr(image.bytes + image.lines[3], "pid 42")[0] = 'P';
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, 2, 1, -1);
    journal_close(fixture);
    strstr(image.bytes + image.lines[3], "Pid 42")[0] = 'p';
    open_bytes(fixture, image.bytes, image.lines[3]);
    expect(fixture, 2, 1, 0);
    assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
    journal_close(fixture);
    /* One of them that can't be read takes no other with it. */
    memset(image.bytes + image.lines[2], 'x', 40);
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, 2, 0, 1);
    free(image.bytes);
}

static void a_lost_header_costs_no_record(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    strstr(image.bytes, "\"whole\"")[1] = 'W';
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, 2, 1, 1);
    assert_non_null(strstr(fixture->error.text, "header lost"));
    journal_close(fixture);
    /* Without the id no line can be checked. */
    strstr(image.bytes, "\"id\":\"")[7] ^= 1;
    open_bytes(fixture, image.bytes, image.size);
    expect(fixture, -1, -1, -1);
    free(image.bytes);
}

static void garbage_is_kept_and_begun_anew(void **state)
{
    static const char *const garbage[] = {
        "",
        "\n",
        "x",
        "{",
        "{}\n",
        "[[[[\n{\"seq\":1}\n",
        "{\"muster-journal\":1,\"id\":\"",
        "{\"seq\":1,\"len\":0,\"crc\":\"00000000\",\"records\":}\n",
    };
    struct journal_fixture *fixture = *state;
    free(four_commits(fixture).bytes);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        open_bytes(fixture, garbage[i], strlen(garbage[i]));
        assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
        assert_int_equal(fixture->count, 0);
        assert_int_equal(journal_count_files(fixture, "quarantine-"), i + 1);
        assert_int_equal(journal_put(fixture, "a", 1), 0);
        journal_reopen(fixture);
        expect(fixture, 1, 0, 0);
        journal_close(fixture);
    }
}

/* ---- lines that are whole, and say what we don't understand */

/* A journal whose only line has this array. */
static void open_payload(struct journal_fixture *fixture, const char *payload)
{
    struct muster__memory memory;
    assert_int_equal(muster__memory_init(&memory, NULL), 0);
    struct muster__buffer buffer = {.memory = &memory};
    struct muster__journal_header header = {.first = 1};
    muster__journal_put_header(&buffer, &header);
    muster__journal_put_frame(&buffer, &header.id, 1, payload, strlen(payload));
    /* One more, so that the first can't be a torn tail. */
    muster__journal_put_frame(&buffer, &header.id, 2, "[]", 2);
    open_bytes(fixture, buffer.bytes, buffer.used);
    muster__buffer_fini(&buffer);
}

static void a_word_from_the_future_quarantines_its_record_and_is_kept(void **state)
{
    struct journal_fixture *fixture = *state;
    journal_must_open(fixture);
    journal_close(fixture);
    open_payload(fixture, "[{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"a\",\"stage\":\"paused\",\"generation\":4},"
                          "{\"kind\":9,\"driver\":\"guest\",\"name\":\"b\",\"generation\":1}]");
    assert_int_equal(fixture->error.code, 0);
    expect(fixture, -1, 1, 0);
    journal_reopen(fixture);
    struct muster_error error;
    assert_int_equal(muster__store_compact(fixture->store, &error), 0);
    journal_reopen(fixture);
    expect(fixture, -1, 1, 0);
    assert_string_equal(journal_find(fixture, "a")->extra, "{\"stage\":\"paused\",\"generation\":4}");
    assert_int_equal(journal_find(fixture, "b")->kind, 9);
}

static void what_is_no_batch_of_records_is_corrupt(void **state)
{
    static const char *const payloads[] = {
        "{}",
        "[1]",
        "[{\"kind\":0,\"driver\":\"guest\"}]",
        "[{\"kind\":\"lease\",\"driver\":\"guest\",\"name\":\"a\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"a\",\"name\":\"a\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"a\\u0000b\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"a\"},{\"kind\":0,\"driver\":\"guest\",\"name\":\"a\"}]",
        "[{\"kind\":1E5,\"driver\":\"guest\",\"name\":\"a\"}]",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    };
    struct journal_fixture *fixture = *state;
    journal_must_open(fixture);
    journal_close(fixture);
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        open_payload(fixture, payloads[i]);
        assert_int_equal(fixture->error.code, MUSTER_ECORRUPT);
        assert_true(found(fixture, "a") <= 0);
        journal_close(fixture);
    }
}

static void verify_tells_without_touching(void **state)
{
    struct journal_fixture *fixture = *state;
    struct image image = four_commits(fixture);
    struct muster_error error;
    size_t size;
    char path[256];
    journal_must_open(fixture);
    assert_int_equal(muster__store_verify(fixture->store, &error), 0);
    snprintf(path, sizeof(path), "%s/journal", fixture->directory);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)image.lines[2] + 100, SEEK_SET), 0);
    assert_true(fputc('~', file) != EOF && fclose(file) == 0);
    assert_int_equal(muster__store_verify(fixture->store, &error), MUSTER_ECORRUPT);
    char *bytes = journal_get_file(fixture, "journal", &size);
    assert_int_equal(bytes[image.lines[2] + 100], '~');
    free(bytes);
    free(image.bytes);
}

#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, journal_setup, journal_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_torn_tail_is_cut_at_every_byte),
        JOURNAL_TEST(a_commit_without_some_of_its_sectors_is_a_torn_tail),
        JOURNAL_TEST(a_flipped_bit_anywhere_is_never_believed),
        JOURNAL_TEST(damage_to_the_last_line_is_told_from_a_torn_tail),
        JOURNAL_TEST(corruption_keeps_the_good_and_quarantines_what_the_bad_line_names),
        JOURNAL_TEST(where_a_key_can_t_be_read_all_that_is_older_is_quarantined),
        JOURNAL_TEST(a_gap_in_the_sequence_is_corruption),
        JOURNAL_TEST(a_line_that_stands_there_twice_changes_nothing),
        JOURNAL_TEST(a_line_of_another_journal_is_not_believed),
        JOURNAL_TEST(a_line_written_with_the_file_is_never_a_torn_tail),
        JOURNAL_TEST(a_lost_header_costs_no_record),
        JOURNAL_TEST(garbage_is_kept_and_begun_anew),
        JOURNAL_TEST(a_word_from_the_future_quarantines_its_record_and_is_kept),
        JOURNAL_TEST(what_is_no_batch_of_records_is_corrupt),
        JOURNAL_TEST(verify_tells_without_touching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

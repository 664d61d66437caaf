/* SPDX-License-Identifier: MIT */
/* A batch is read record by record: what is between them counts as it does to jansson, which is given the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/journal_json.h"
#include "support/failing_memory.h"

#define DEPTH 32

struct decoded {
    struct failing_memory failing;
    struct muster__memory memory;
    struct muster__batch batch;
    int code;
};

/* From a text that is gone afterwards. */
static void decode(struct decoded *decoded, const char *text, size_t length, size_t max_depth)
{
    char *copy = malloc(length + 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    decoded->memory = failing_memory(&decoded->failing);
    decoded->code = muster__journal_decode(
        &decoded->memory, &(struct muster__journal_line){.payload = copy, .length = length}, max_depth, &decoded->batch);
    free(copy);
}

static void decoded_fini(struct decoded *decoded)
{
    if (decoded->code == 0)
        muster__batch_fini(&decoded->memory, &decoded->batch);
    assert_int_equal(decoded->failing.live, 0);
}

static int code_of(const char *text, size_t max_depth)
{
    struct decoded decoded = {.code = 0};
    decode(&decoded, text, strlen(text), max_depth);
    decoded_fini(&decoded);
    return decoded.code;
}

#define A "{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"a\"}"
#define B "{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"b\",\"x\":[{\"y\":\"]},{\"}]}"

static void between_records_is_a_comma_and_perhaps_space(void **state)
{
    (void)state;
    static const char *const good[] = {"[]", "[" A "]", "[" A "," B "]", " [ " A "\t,\r" B "\r\t ] ", "[ ]"};
    static const char *const bad[] = {
        "",           "[",        "]",        A,            "[" A,         "[" A ",",     "[" A ",]",  "[," A "]",
        "[" A B "]",  "[" A "}",  "[" A "]]", "[" A "]" A,  "[" A "]x",    "x[" A "]",    "[1," A "]", "[" A ",1]",
        "[null]",     "[\"\"]",   "[}",       "{" A "}",    "[" A ",," B "]", "[" A "x," B "]", "[[" A "]]", "[" A " " B "]",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(code_of(good[i], DEPTH), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(code_of(bad[i], DEPTH), MUSTER_ECORRUPT);
}

/* The line and the array are around each record. */
static void too_deep_is_corrupt(void **state)
{
    (void)state;
    assert_int_equal(code_of("[" B "]", 5), 0);
    assert_int_equal(code_of("[" B "]", 4), MUSTER_ECORRUPT);
    assert_int_equal(code_of("[" A "," B "]", 4), MUSTER_ECORRUPT);
    assert_int_equal(code_of("[]", 2), 0);
    assert_int_equal(code_of("[]", 1), MUSTER_ECORRUPT);
}

static void texts_outlive_what_they_were_read_from(void **state)
{
    (void)state;
    struct decoded decoded = {.code = 0};
    static const char text[] = "[{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"a\",\"boot\":\"b1\",\"token\":\"t1\","
                               "\"handle\":\"pid 1\",\"lease\":3}," B "]";
    decode(&decoded, text, strlen(text), DEPTH);
    assert_int_equal(decoded.code, 0);
    assert_int_equal(decoded.batch.count, 2);
    const struct muster_record *const *records = decoded.batch.pointers;
    assert_string_equal(records[0]->driver, "guest");
    assert_string_equal(records[0]->name, "a");
    assert_string_equal(records[0]->boot, "b1");
    assert_string_equal(records[0]->token, "t1");
    assert_string_equal(records[0]->handle, "pid 1");
    assert_string_equal(records[0]->extra, "{\"lease\":3}");
    assert_string_equal(records[1]->name, "b");
    assert_null(records[1]->handle);
    assert_string_equal(records[1]->extra, "{\"x\":[{\"y\":\"]},{\"}]}");
    decoded_fini(&decoded);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    static const char text[] = "[" A "," B "]";
    for (size_t n = 1;; n++) {
        struct decoded decoded = {.failing = {.countdown = n}};
        decode(&decoded, text, strlen(text), DEPTH);
        assert_int_equal(decoded.code, decoded.failing.fired ? MUSTER_ENOMEM : 0);
        decoded_fini(&decoded);
        if (!decoded.failing.fired) {
            assert_true(n > 3);
            return;
        }
    }
}

/* ---- beside jansson ------------------------------------------------------------------------------------------ */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % below;
}

/* Some characters less, more or other ones. */
static size_t spoil(char *text, size_t length, uint32_t *seed)
{
    static const char characters[] = "[]{},:\" \\1ax";
    for (uint32_t changes = 1 + draw(seed, 3); changes > 0; changes--) {
        size_t at = draw(seed, (uint32_t)length);
        char character = characters[draw(seed, sizeof(characters) - 1)];
        uint32_t how = draw(seed, 3);
        if (how == 0) {
            memmove(text + at, text + at + 1, length - at);
            length--;
        } else if (how == 1) {
            memmove(text + at + 1, text + at, length - at);
            text[at] = character;
            length++;
        } else {
            text[at] = character;
        }
    }
    return length;
}

static bool each_alone_is_a_record(const json_t *array)
{
    bool all = true;
    for (size_t i = 0; i < json_array_size(array); i++) {
        char *one = json_dumps(json_array_get(array, i), JSON_COMPACT | JSON_ENCODE_ANY);
        char text[300] = "[";
        assert_non_null(one);
        assert_true(strlen(one) + 3 < sizeof(text));
        strcat(strcat(text, one), "]");
        all = code_of(text, DEPTH) == 0 && all;
        free(one);
    }
    return all;
}

static void what_jansson_takes_as_a_whole_is_taken(void **state)
{
    (void)state;
    size_t taken = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t seed = i;
        char text[300] = "[" A "," B "," A "]";
        size_t length = spoil(text, strlen(text), &seed);
        struct decoded decoded = {.code = 0};
        decode(&decoded, text, length, DEPTH);
        json_t *whole = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
        bool expected = json_is_array(whole) && each_alone_is_a_record(whole);
        if ((decoded.code == 0) != expected)
            fail_msg("%.*s: %d", (int)length, text, decoded.code);
        if (expected)
            assert_int_equal(decoded.batch.count, json_array_size(whole));
        taken += expected;
        json_decref(whole);
        decoded_fini(&decoded);
    }
    assert_in_range(taken, 1000, 19000);
}

/* ---- jansson's allocations: behind each block is a quote, far off, and what is written up to it is seen */

enum { BEHIND = 200 };

static struct {
    size_t fails; /* this one, from 1 */
    size_t count;
    bool overrun;
} guarded;

static void *guarded_malloc(size_t bytes)
{
    if (++guarded.count == guarded.fails)
        return NULL;
    unsigned char *block = malloc(sizeof(size_t) + bytes + BEHIND);
    assert_non_null(block);
    memcpy(block, &bytes, sizeof(bytes));
    memset(block + sizeof(size_t), 'x', bytes + BEHIND - 1);
    block[sizeof(size_t) + bytes + BEHIND - 1] = '"';
    return block + sizeof(size_t);
}

static void guarded_free(void *given)
{
    if (given == NULL)
        return;
    unsigned char *block = (unsigned char *)given - sizeof(size_t);
    size_t bytes;
    memcpy(&bytes, block, sizeof(bytes));
    for (size_t i = 0; i < BEHIND - 1; i++)
        guarded.overrun = guarded.overrun || ((unsigned char *)given)[bytes + i] != 'x';
    free(block);
}

static void no_string_is_written_past_its_end_where_memory_is_short(void **state)
{
    (void)state;
    char text[200];
    json_set_alloc_funcs(guarded_malloc, guarded_free);
    for (int length = 1; length < 130; length++) {
        snprintf(text, sizeof(text), "{\"a\":\"%.*s\"}", length, "initialize=100 reconcile=20000 autostart=3000000 start=40000"
                 "000000 initialize=100 reconcile=20000 autostart=3000000 start=40000000000");
        json_t *json;
        guarded.fails = guarded.count = 0;
        assert_int_equal(muster__json_load(text, strlen(text), &json), 0);
        assert_int_equal(json_string_length(json_object_get(json, "a")), length);
        json_decref(json);
        size_t all = guarded.count;
        for (size_t n = 1; n <= all; n++) {
            guarded.count = 0;
            guarded.fails = n;
            int code = muster__json_load(text, strlen(text), &json);
            assert_true(code == 0 || code == MUSTER_ENOMEM);
            if (code == 0)
                json_decref(json);
        }
    }
    json_set_alloc_funcs(malloc, free);
    assert_false(guarded.overrun);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_records_is_a_comma_and_perhaps_space),
        cmocka_unit_test(too_deep_is_corrupt),
        cmocka_unit_test(texts_outlive_what_they_were_read_from),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(what_jansson_takes_as_a_whole_is_taken),
        cmocka_unit_test(no_string_is_written_past_its_end_where_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

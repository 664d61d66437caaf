/* SPDX-License-Identifier: MIT */
/* A payload is read without a tree if it is as muster writes it; what comes of it is what jansson makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/name.h"
#include "engine/record.h"
#include "store/journal_json.h"
#include "support/failing_memory.h"

static struct failing_memory failing;
static struct muster__memory memory;

static bool same(const struct muster__batch *a, const struct muster__batch *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!muster__record_same(a->pointers[i], b->pointers[i]) ||
            a->pointers[i]->generation != b->pointers[i]->generation)
            return false;
    return true;
}

/* Both ways. Is it plain? */
static bool is_plain(const char *text, size_t length)
{
    const struct muster__journal_line line = {.payload = text, .length = length};
    struct muster__batch plain = {0};
    struct muster__batch tree = {0};
    bool taken = false;
    assert_int_equal(muster__journal_decode_plain(&memory, &line, &plain, &taken), 0);
    if (taken) {
        if (muster__journal_decode_tree(&memory, &line, 32, &tree) != 0)
            fail_msg("jansson doesn't take: %.*s", (int)length, text);
        if (!same(&plain, &tree))
            fail_msg("jansson makes something else of: %.*s", (int)length, text);
        muster__batch_fini(&memory, &plain);
        muster__batch_fini(&memory, &tree);
    }
    assert_int_equal(failing.live, 0);
    return taken;
}

static bool text_is_plain(const char *text)
{
    return is_plain(text, strlen(text));
}

/* What the encoder makes of a few records, as much of it different as can be. */
static struct muster__buffer encoded(unsigned number)
{
    static const char *const texts[] = {NULL, "", "plain", "{\"pid\":4711}", "a\\b\"c/\n\t\r\b\f",
                                        "träńk 中 \xf0\x9f\x98\x80", "\x7f"};
    const size_t most = sizeof(texts) / sizeof(texts[0]);
    struct muster__buffer buffer = {.memory = &memory};
    muster__buffer_puts(&buffer, "[");
    for (unsigned i = 0; i <= number % 3; i++) {
        struct muster_record record = {.size = sizeof(record), .kind = number / 3 % 2, .driver = "guest", .name = "web1"};
        record.flags = number % 7 == 1 ? MUSTER_RECORD_MARK : number % 7 == 2 ? MUSTER_RECORD_REMOVED : 0;
        record.desired = number % 2;
        record.stage = number / 2 % 4;
        record.reason = number / 5 % 5;
        record.handle = texts[number % most];
        record.boot = texts[number / 2 % most];
        record.token = texts[number / 3 % most];
        record.name = number % 11 == 0 ? "träńk \"/\\" : record.name;
        record.attempts = number % 4;
        record.generation = (uint64_t)number * 1000003 * (number % 13 == 5 ? 1000003 : 1);
        record.format = MUSTER_RECORD_FORMAT;
        if (i > 0)
            muster__buffer_puts(&buffer, ",");
        muster__journal_encode(&buffer, &record, number);
    }
    muster__buffer_puts(&buffer, "]");
    assert_int_equal(buffer.code, 0);
    return buffer;
}

static void what_muster_writes_is_plain(void **state)
{
    unsigned plain = 0;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct muster__buffer buffer = encoded(i);
        struct muster__batch batch;
        const struct muster__journal_line line = {.payload = buffer.bytes, .length = buffer.used};
        bool taken = false;
        assert_int_equal(muster__journal_decode_plain(&memory, &line, &batch, &taken), 0);
        if (!taken)
            fail_msg("isn't plain: %.*s", (int)buffer.used, buffer.bytes);
        muster__batch_fini(&memory, &batch);
        char *copy = malloc(buffer.used);
        size_t length = buffer.used;
        memcpy(copy, buffer.bytes, length);
        muster__buffer_fini(&buffer);
        plain += is_plain(copy, length);
        free(copy);
    }
    assert_int_equal(plain, 1000);
}

#define KEY "[{\"check\":\"0\",\"kind\":\"resource\",\"driver\":\"a\",\"name\":\"b\""

static bool handle_is_plain(size_t length)
{
    struct muster__buffer buffer = {.memory = &memory};
    muster__buffer_puts(&buffer, KEY ",\"handle\":\"");
    while (length-- > 0)
        muster__buffer_put(&buffer, "x", 1);
    muster__buffer_puts(&buffer, "\"}]");
    char *text = strndup(buffer.bytes, buffer.used);
    muster__buffer_fini(&buffer);
    assert_non_null(text);
    bool plain = text_is_plain(text);
    free(text);
    return plain;
}

static void whatever_else_is_left_to_jansson(void **state)
{
    static const char *const others[] = {
        "", "[]", "[", "{}", "null", KEY, KEY "}", KEY "}]]", KEY "}] ", " " KEY "}]", KEY "},]", KEY ",}]", KEY "}{]",
        "[{\"kind\":\"resource\",\"driver\":\"a\",\"name\":\"b\"}]", /* no check */
        "[{\"check\":\"0\",\"kind\":\"resource\",\"driver\":\"a\"}]", "[{\"check\":\"0\",\"name\":\"a\"}]",
        KEY ",\"name\":\"b\"}]", KEY ",\"check\":\"0\"}]", KEY ",\"later\":1}]", KEY ",\"stage\":\"future\"}]",
        KEY ",\"stage\":2}]",
        KEY ",\"attempts\":01}]", KEY ",\"attempts\":-1}]", KEY ",\"attempts\":1.0}]", KEY ",\"attempts\":}]",
        KEY ",\"attempts\":1000000000000000000}]", KEY ",\"attempts\":\"1\"}]", KEY ",\"attempts\": 1}]",
        KEY ",\"quarantined\":true}]", KEY ",\"mark\":false}]", KEY ",\"mark\":1}]", KEY ",\"handle\":null}]",
        KEY ",\"handle\":\"\\u0041\"}]", KEY ",\"handle\":\"\\x\"}]", KEY ",\"handle\":\"\x01\"}]", KEY ",\"handle\":\"\xff\"}]",
        KEY ",\"handle\":\"\xed\xa0\x80\"}]", KEY ",\"handle\":\"}]", KEY ",\"handle\":\"\\", KEY ",\"handle\":\"\\\"}]",
    };
    (void)state;
    assert_true(text_is_plain(KEY "}]"));
    assert_true(text_is_plain(KEY ",\"attempts\":0,\"generation\":999999999999999999}]"));
    assert_true(text_is_plain("[{\"check\":\"0\",\"name\":\"b\",\"handle\":\"\\/\",\"mark\":true,\"driver\":\"a\"}]"));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (text_is_plain(others[i]))
            fail_msg("is taken as plain: %s", others[i]);
    assert_true(handle_is_plain(MUSTER__HANDLE_MAX));
    assert_false(handle_is_plain(MUSTER__HANDLE_MAX + 1));
    assert_false(is_plain(KEY ",\"handle\":\"a\0b\"}]", sizeof(KEY ",\"handle\":\"a\0b\"}]") - 1));
}

/* A byte is changed, left out, or comes twice; a piece is doubled. */
static size_t mutate(char *text, size_t length, uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    size_t at = (*random >> 33) % length;
    size_t count = 1 + (*random >> 20) % 24;
    static const char bytes[] = "\"\\{}[],: 0a\x7f\x80\xc3\x1f";
    count = at + count > length ? length - at : count;
    switch (*random >> 60 & 3) {
    case 0:
        text[at] = bytes[(*random >> 40) % (sizeof(bytes) - 1)];
        return length;
    case 1:
        memmove(text + at, text + at + 1, length - at - 1);
        return length - 1;
    case 2:
        text[at] = (char)(*random >> 50);
        return length;
    default:
        memmove(text + at + count, text + at, length - at);
        return length + count;
    }
}

static void both_ways_agree_on_whatever_has_been_spoilt(void **state)
{
    uint64_t random = 1;
    unsigned plain = 0;
    const unsigned tries = 200000;
    (void)state;
    for (unsigned i = 0; i < tries; i++) {
        char text[4096];
        struct muster__buffer buffer = encoded(i % 1000);
        size_t length = buffer.used;
        memcpy(text, buffer.bytes, length);
        muster__buffer_fini(&buffer);
        for (unsigned k = 0; k <= i % 3; k++)
            length = mutate(text, length, &random);
        plain += is_plain(text, length);
    }
    assert_true(plain > tries / 100 && plain < tries);
    print_message("%u payloads spoilt, %u of them still plain\n", tries, plain);
}

static void no_memory_is_no_verdict(void **state)
{
    struct muster__buffer buffer = encoded(2);
    const struct muster__journal_line line = {.payload = buffer.bytes, .length = buffer.used};
    int code = MUSTER_ENOMEM;
    unsigned nth = 1;
    (void)state;
    for (; code == MUSTER_ENOMEM; nth++) {
        struct muster__batch batch = {0};
        bool plain = false;
        size_t live = failing.live;
        failing.countdown = nth;
        code = muster__journal_decode_plain(&memory, &line, &batch, &plain);
        failing.countdown = 0;
        assert_int_equal(plain, code == 0);
        if (code == 0)
            muster__batch_fini(&memory, &batch);
        assert_int_equal(failing.live, live);
    }
    assert_true(nth > 3);
    muster__buffer_fini(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_muster_writes_is_plain),
        cmocka_unit_test(whatever_else_is_left_to_jansson),
        cmocka_unit_test(both_ways_agree_on_whatever_has_been_spoilt),
        cmocka_unit_test(no_memory_is_no_verdict),
    };
    memory = failing_memory(&failing);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

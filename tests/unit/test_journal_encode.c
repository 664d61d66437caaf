/* SPDX-License-Identifier: MIT */
/* What is written by hand, for speed, is the JSON that jansson reads: every byte at every place, every length of a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/journal_json.h"
#include "support/failing_memory.h"

struct encoder {
    struct failing_memory failing;
    struct muster__memory memory;
    struct muster__buffer buffer;
    struct muster_record record;
};

static void encoder_init(struct encoder *encoder)
{
    *encoder = (struct encoder){.failing = {0}};
    encoder->memory = failing_memory(&encoder->failing);
    encoder->buffer.memory = &encoder->memory;
    MUSTER_RECORD_INIT(&encoder->record);
    encoder->record.driver = "guest";
    encoder->record.name = "web1";
}

static void encoder_fini(struct encoder *encoder)
{
    muster__buffer_fini(&encoder->buffer);
    assert_int_equal(encoder->failing.live, 0);
}

/* The caller's to release. */
static json_t *encode(struct encoder *encoder, uint32_t check)
{
    muster__buffer_reset(&encoder->buffer);
    muster__journal_encode(&encoder->buffer, &encoder->record, check);
    assert_int_equal(encoder->buffer.code, 0);
    json_t *json = json_loadb(encoder->buffer.bytes, encoder->buffer.used, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static void expect_text(struct encoder *encoder, const char *text)
{
    encoder->record.handle = text;
    json_t *json = encode(encoder, 0);
    assert_string_equal(json_string_value(json_object_get(json, "handle")), text);
    json_decref(json);
}

static void any_byte_may_be_anywhere(void **state)
{
    struct encoder encoder;
    unsigned tried = 0;
    (void)state;
    encoder_init(&encoder);
    for (size_t length = 1; length <= 20; length++)
        for (size_t place = 0; place < length; place++)
            for (int byte = 1; byte < 0x80; byte++, tried++) {
                char text[32] = {0};
                memset(text, byte % 2 == 0 ? ' ' : '~', length);
                text[place] = (char)byte;
                expect_text(&encoder, text);
            }
    printf("%u texts\n", tried);
    encoder_fini(&encoder);
}

static void what_is_not_ascii_is_checked(void **state)
{
    struct encoder encoder;
    (void)state;
    encoder_init(&encoder);
    expect_text(&encoder, "");
    expect_text(&encoder, "\xc3\xbc");
    expect_text(&encoder, "socket \xe2\x82\xac \xf0\x9f\x98\x80 \"\\");
    for (size_t place = 0; place < 20; place++)
        for (int byte = 0x80; byte <= 0xff; byte++) {
            char text[32] = "aaaaaaaaaaaaaaaaaaaa";
            text[place] = (char)byte;
            encoder.record.handle = text;
            muster__buffer_reset(&encoder.buffer);
            muster__journal_encode(&encoder.buffer, &encoder.record, 0);
            assert_int_equal(encoder.buffer.code, MUSTER_EINVAL);
        }
    encoder_fini(&encoder);
}

static void expect_number(struct encoder *encoder, uint64_t number)
{
    char text[32];
    encoder->record.generation = number;
    json_t *json = encode(encoder, (uint32_t)number);
    const json_t *value = json_object_get(json, "generation");
    snprintf(text, sizeof(text), "%ju", (uintmax_t)number);
    if (number > INT64_MAX)
        assert_string_equal(json_string_value(value), text);
    else
        assert_int_equal(json_integer_value(value), number);
    snprintf(text, sizeof(text), "%08x", (unsigned)(uint32_t)number);
    assert_string_equal(json_string_value(json_object_get(json, MUSTER__MEMBER_CHECK)), text);
    json_decref(json);
}

static void any_number_is_written_whole(void **state)
{
    struct encoder encoder;
    (void)state;
    encoder_init(&encoder);
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10)
        for (int more = -1; more <= 1; more++)
            expect_number(&encoder, power * 10 + (uint64_t)more);
    for (unsigned bit = 0; bit < 64; bit++)
        for (int more = -1; more <= 1; more++)
            expect_number(&encoder, ((uint64_t)1 << bit) + (uint64_t)more);
    encoder_fini(&encoder);
}

/* 70,000 times 0.1, which is written as 0.10000000000000001: what is limited is what the next open measures. */
static void what_grows_when_it_is_written_counts_as_written(void **state)
{
    enum { COUNT = 70000, MOST = (int)MUSTER__EXTRA_MAX };
    static char extra[COUNT * 4 + 32];
    static char longest[MOST + 1];
    struct encoder encoder;
    (void)state;
    encoder_init(&encoder);
    char *end = extra + sprintf(extra, "{\"future\":[");
    for (int i = 0; i < COUNT; i++)
        end += sprintf(end, "0.1%c", i + 1 < COUNT ? ',' : ']');
    strcpy(end, "}");
    encoder.record.extra = extra;
    muster__journal_encode(&encoder.buffer, &encoder.record, 0);
    assert_int_equal(encoder.buffer.code, MUSTER_EINVAL);
    encoder.record.flags = MUSTER_RECORD_QUARANTINED;
    json_decref(encode(&encoder, 0));
    encoder.record.flags = 0;
    memset(longest, 'x', MOST);
    memcpy(longest, "{\"a\":\"", 6);
    memcpy(longest + MOST - 2, "\"}", 2);
    encoder.record.extra = longest;
    json_decref(encode(&encoder, 0));
    encoder_fini(&encoder);
}

/* Each allocation that fails is said, and what was there before is still the caller's. */
static void without_memory_it_says_so(void **state)
{
    struct encoder encoder;
    static char handle[9000];
    unsigned failed = 0;
    (void)state;
    memset(handle, 'h', sizeof(handle) - 1);
    for (int code = MUSTER_ENOMEM; code != 0; failed++) {
        encoder_init(&encoder);
        encoder.record.handle = handle;
        encoder.failing.countdown = failed + 1;
        muster__journal_encode(&encoder.buffer, &encoder.record, 0);
        code = encoder.buffer.code;
        assert_true(code == 0 || code == MUSTER_ENOMEM);
        encoder_fini(&encoder);
    }
    assert_true(failed > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_byte_may_be_anywhere),
        cmocka_unit_test(what_is_not_ascii_is_checked),
        cmocka_unit_test(any_number_is_written_whole),
        cmocka_unit_test(what_grows_when_it_is_written_counts_as_written),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

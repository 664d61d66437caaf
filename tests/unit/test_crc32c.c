/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/crc32c.h"

static void both_give(const void *bytes, size_t length, uint32_t crc)
{
    assert_int_equal(muster__crc32c(0, bytes, length), crc);
    assert_int_equal(muster__crc32c_portable(0, bytes, length), crc);
}

static void gives_the_values_of_rfc_3720(void **state)
{
    (void)state;
    unsigned char bytes[32] = {0};
    both_give(bytes, 32, 0x8a9136aa);
    memset(bytes, 0xff, 32);
    both_give(bytes, 32, 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    both_give(bytes, 32, 0x46dd794e);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    both_give(bytes, 32, 0x113fdb5c);
    static const unsigned char command[48] = {
        0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
        0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    };
    both_give(command, 48, 0xd9963a56);
    both_give("123456789", 9, 0xe3069283);
}

static void goes_on_from_any_place(void **state)
{
    (void)state;
    const char *text = "assemble in order, and account for everyone who was present";
    uint32_t whole = muster__crc32c(0, text, strlen(text));
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        assert_int_equal(muster__crc32c(muster__crc32c(0, text, cut), text + cut, strlen(text) - cut), whole);
        assert_int_equal(muster__crc32c_portable(muster__crc32c(0, text, cut), text + cut, strlen(text) - cut), whole);
    }
}

/* Long ones are summed in parts. */
static void both_give_the_same_for_any_length(void **state)
{
    (void)state;
    static unsigned char bytes[64 * 1024 + 16];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)((random = random * 1664525 + 1013904223) >> 24);
    for (size_t length = 1; length < 64 * 1024; length += length < 12200 ? 1211 : length < 12320 ? 1 : 1777)
        assert_int_equal(muster__crc32c(7, bytes + length % 9, length), muster__crc32c_portable(7, bytes + length % 9, length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_values_of_rfc_3720),
        cmocka_unit_test(goes_on_from_any_place),
        cmocka_unit_test(both_give_the_same_for_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

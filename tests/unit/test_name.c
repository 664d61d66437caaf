/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/name.h"

static void utf8_is_as_the_rfc_has_it(void **state)
{
    (void)state;
    static const char *const valid[] = {"",
                                        "a",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "x\xe2\x82\xacy"};
    static const char *const invalid[] = {"\x80",
                                          "\xbf",
                                          "\xc0\x80",
                                          "\xc1\xbf",
                                          "\xe0\x9f\xbf",
                                          "\xed\xa0\x80",
                                          "\xf0\x8f\xbf\xbf",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xff",
                                          "\xc2",
                                          "\xe2\x82",
                                          "\xf0\x90\x80",
                                          "\xc2g",
                                          "\xe2\x28\xa1",
                                          "a\xe2\x82"};
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
        assert_true(muster__utf8_valid(valid[i], strlen(valid[i])));
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
        assert_false(muster__utf8_valid(invalid[i], strlen(invalid[i])));
    assert_true(muster__utf8_valid("a\xe2\x82", 1));
}

static void names_have_1_to_255_bytes(void **state)
{
    char name[300];
    (void)state;
    memset(name, 'x', sizeof(name));
    name[256] = '\0';
    assert_false(muster__name_valid(name));
    name[255] = '\0';
    assert_true(muster__name_valid(name));
    name[254] = '\xc3';
    assert_false(muster__name_valid(name));
    name[1] = '\0';
    assert_true(muster__name_valid(name));
    assert_false(muster__name_valid(""));
    assert_false(muster__name_valid(NULL));
}

static void names_have_no_control_characters(void **state)
{
    (void)state;
    assert_false(muster__name_valid("a\nb"));
    assert_false(muster__name_valid("a\x1f"));
    assert_false(muster__name_valid("\x7f"));
    assert_false(muster__name_valid("a\xc2\x80"));
    assert_false(muster__name_valid("\xc2\x9b" "31m"));
    assert_false(muster__driver_name_valid("\xc3\xa4\xc2\x9f"));
    assert_true(muster__name_valid("a b ~ 'c' \xc3\xa4\xc2\xa0\xc3\x82\xc3\x9b"));
}

static void a_driver_has_no_slash(void **state)
{
    (void)state;
    assert_true(muster__name_valid("pools/a"));
    assert_false(muster__driver_name_valid("pools/a"));
    assert_true(muster__driver_name_valid("stage:arm.boot"));
    assert_false(muster__driver_name_valid(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_as_the_rfc_has_it),
        cmocka_unit_test(names_have_1_to_255_bytes),
        cmocka_unit_test(names_have_no_control_characters),
        cmocka_unit_test(a_driver_has_no_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

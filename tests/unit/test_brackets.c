/* SPDX-License-Identifier: MIT */
/* Brackets of a JSON text are told from those in its strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/brackets.h"

static size_t depth(const char *text)
{
    return muster__brackets_depth(text, strlen(text));
}

static bool closed(const char *text)
{
    return muster__brackets_closed(text, strlen(text));
}

static void the_deepest_place_counts(void **state)
{
    (void)state;
    assert_int_equal(depth(""), 0);
    assert_int_equal(depth("1"), 0);
    assert_int_equal(depth("[]"), 1);
    assert_int_equal(depth("{\"a\":[1,[2]],\"b\":{}}"), 3);
    assert_int_equal(depth("[[[["), 4);
    assert_int_equal(depth("]]["), 1);
}

static void strings_have_none(void **state)
{
    (void)state;
    assert_int_equal(depth("[\"[[[\"]"), 1);
    assert_int_equal(depth("[\"\\\"[[\"]"), 1);
    assert_int_equal(depth("[\"\\\\\",[1]]"), 2);
    assert_true(closed("[\"]\"]"));
    assert_true(closed("{\"\\\"}\":1}"));
    assert_false(closed("[\"\\\\\"]]"));
}

static void what_closes_does_so_at_the_end_alone(void **state)
{
    (void)state;
    assert_true(closed("{\"a\":[1,2]}"));
    assert_false(closed("{\"a\":[1,2]"));
    assert_false(closed("{\"a\":[1,2]} "));
    assert_false(closed("[1][2]"));
    assert_false(closed("[\"a]"));
    assert_false(closed(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deepest_place_counts),
        cmocka_unit_test(strings_have_none),
        cmocka_unit_test(what_closes_does_so_at_the_end_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Brackets of a JSON text are told from those in its strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/brackets.h"

static size_t depth(const char *text)
{
    return muster__brackets_depth(text, strlen(text));
}

static size_t end_and_depth(const char *text, size_t *depth)
{
    return muster__brackets_end(text, strlen(text), depth);
}

static bool closed(const char *text)
{
    size_t depth;
    size_t end = end_and_depth(text, &depth);
    return end > 0 && end == strlen(text);
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

static void what_follows_the_end_is_not_looked_at(void **state)
{
    (void)state;
    size_t depth = 7;
    assert_int_equal(end_and_depth("{\"a\":[1]},[[[[1]]]]", &depth), strlen("{\"a\":[1]}"));
    assert_int_equal(depth, 2);
    assert_int_equal(end_and_depth("{}", &depth), 2);
    assert_int_equal(depth, 1);
    assert_int_equal(end_and_depth("[[1]", &depth), 0);
    assert_int_equal(depth, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deepest_place_counts),
        cmocka_unit_test(strings_have_none),
        cmocka_unit_test(what_closes_does_so_at_the_end_alone),
        cmocka_unit_test(what_follows_the_end_is_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

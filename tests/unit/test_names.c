/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/names.h"

#define NEEDED 0
#define BEFORE 3

struct state {
    struct muster__memory memory;
    struct muster__names names;
    uint32_t mentions[MUSTER__NAMES_WINDOW + 1];
    struct muster__names_settled settled;
};

static int setup(void **state)
{
    struct state *s = calloc(1, sizeof(*s));
    muster__memory_init(&s->memory, NULL);
    muster__names_init(&s->names, &s->memory);
    s->settled.mentions = s->mentions;
    *state = s;
    return muster__names_reserve(&s->names);
}

static int teardown(void **state)
{
    struct state *s = *state;
    muster__names_fini(&s->names);
    free(s);
    return 0;
}

static void settle(struct state *s)
{
    muster__names_settle(&s->names, &s->settled);
}

static void names_of_all_lengths_are_told_apart(void **state)
{
    struct state *s = *state;
    char text[2][256];
    uint32_t tried = 0;
    for (size_t length = 1; length <= 255; length++) {
        for (size_t at = 0; at < length; at += length < 40 ? 1 : 13) {
            assert_int_equal(muster__names_reserve(&s->names), 0);
            memset(text[0], 'a', length);
            text[0][length] = '\0';
            memcpy(text[1], text[0], length + 1);
            text[1][at] = 'b';
            assert_true(muster__names_put_first(&s->names, text[0]));
            assert_true(muster__names_put_first(&s->names, text[1]));
            assert_true(muster__names_put_first(&s->names, text[0]));
            settle(s);
            assert_int_equal(s->settled.first_count, 3);
            assert_int_equal(s->settled.first[0], s->settled.first[2]);
            assert_int_not_equal(s->settled.first[0], s->settled.first[1]);
            assert_string_equal(muster__names_text(&s->names, s->settled.first[1]), text[1]);
            assert_int_equal(muster__names_find(&s->names, text[1]), s->settled.first[1]);
            tried++;
        }
    }
    printf("%u pairs of names\n", tried);
}

static void names_that_are_not_valid_are_refused_wherever_it_is(void **state)
{
    struct state *s = *state;
    const char bad[] = {'/', '\x1f', '\x01', '\x7f', '\x80', '\xff', '\n'};
    const char good[] = {' ', '~', '.', '0', '-', '_'};
    uint32_t tried = 0;
    for (size_t length = 1; length <= 40; length++) {
        for (size_t at = 0; at < length; at++) {
            char text[64];
            memset(text, 'a', length);
            text[length] = '\0';
            for (size_t i = 0; i < sizeof(bad); i++, tried++) {
                text[at] = bad[i];
                assert_false(muster__names_put_first(&s->names, text));
            }
            for (size_t i = 0; i < sizeof(good); i++, tried++) {
                text[at] = good[i];
                assert_true(muster__names_put_first(&s->names, text));
                settle(s);
                assert_int_equal(muster__names_reserve(&s->names), 0);
            }
        }
    }
    char longest[257];
    memset(longest, 'a', 256);
    longest[256] = '\0';
    assert_false(muster__names_put_first(&s->names, longest));
    assert_false(muster__names_put_first(&s->names, ""));
    assert_true(muster__names_put_first(&s->names, "\xc3\xa4ther-network"));
    printf("%u names\n", tried + 3);
}

static void a_name_twice_in_a_group_comes_out_once(void **state)
{
    struct state *s = *state;
    const char *const needed[] = {"secret", "storage", "secret", NULL};
    const char *const before[] = {"secret", "secret", NULL};
    assert_true(muster__names_put_first(&s->names, "guests"));
    assert_int_equal(muster__names_put(&s->names, needed, NEEDED), 3);
    muster__names_next_group(&s->names);
    assert_int_equal(muster__names_put(&s->names, before, BEFORE), 2);
    assert_true(muster__names_put_first(&s->names, "others"));
    assert_int_equal(muster__names_put(&s->names, needed, NEEDED), 3);
    settle(s);
    const uint32_t secret_before = 1u | (uint32_t)BEFORE << MUSTER__TAG_SHIFT;
    const uint32_t expected[] = {1, 2, secret_before, 1, 2};
    assert_int_equal(s->settled.mention_count, 5);
    assert_memory_equal(s->mentions, expected, sizeof(expected));
    assert_int_equal(s->settled.begin[0], 0);
    assert_int_equal(s->settled.begin[1], 3);
    assert_int_equal(muster__name_of(&s->names, 1)->mentions, 3);
    assert_int_equal(muster__name_of(&s->names, 0)->mentions, 1);
}

static void a_name_twice_in_a_group_over_two_windows_comes_out_once(void **state)
{
    struct state *s = *state;
    const char *const needed[] = {"secret", NULL};
    assert_true(muster__names_put_first(&s->names, "guests"));
    muster__names_put(&s->names, needed, NEEDED);
    settle(s);
    assert_int_equal(s->settled.mention_count, 1);
    assert_int_equal(muster__names_reserve(&s->names), 0);
    muster__names_put(&s->names, needed, NEEDED);
    settle(s);
    assert_int_equal(s->settled.mention_count, 0);
}

static void groups_are_counted_anew_before_they_wrap(void **state)
{
    struct state *s = *state;
    const char *const needed[] = {"secret", NULL};
    const char *const other[] = {"storage", NULL};
    muster__names_put_first(&s->names, "a");
    muster__names_put(&s->names, other, NEEDED);
    settle(s);
    muster__names_reserve(&s->names);
    muster__name_of(&s->names, 1)->group = 1; /* as it was four thousand million groups ago */
    s->names.group = UINT32_MAX - 100;
    muster__names_reserve(&s->names);
    muster__names_put_first(&s->names, "b");
    muster__names_put(&s->names, needed, NEEDED);
    settle(s);
    assert_int_equal(s->names.waiting_room, 0);
    s->names.group = muster__name_of(&s->names, 3)->group = UINT32_MAX - 100;
    muster__names_reserve(&s->names);
    assert_true(s->names.group < 10);
    muster__names_put(&s->names, needed, NEEDED);
    muster__names_put(&s->names, other, NEEDED);
    settle(s);
    assert_int_equal(s->settled.mention_count, 1);
    assert_int_equal(s->mentions[0], 1);
}

static void no_more_wait_than_there_is_room_for(void **state)
{
    struct state *s = *state;
    const char *many[MUSTER__NAMES_WINDOW + 9];
    for (size_t i = 0; i < MUSTER__NAMES_WINDOW + 8; i++)
        many[i] = "x";
    many[MUSTER__NAMES_WINDOW + 8] = NULL;
    assert_int_equal(muster__names_put(&s->names, many, NEEDED), MUSTER__NAMES_WINDOW);
    assert_int_equal(muster__names_put(&s->names, many, NEEDED), 0);
    settle(s);
    assert_int_equal(s->settled.mention_count, 1);
}

#define NAMES_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(names_of_all_lengths_are_told_apart),
        NAMES_TEST(names_that_are_not_valid_are_refused_wherever_it_is),
        NAMES_TEST(a_name_twice_in_a_group_comes_out_once),
        NAMES_TEST(a_name_twice_in_a_group_over_two_windows_comes_out_once),
        NAMES_TEST(groups_are_counted_anew_before_they_wrap),
        NAMES_TEST(no_more_wait_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/name.h"
#include "graph/names.h"

#define MANY 300000u
#define NEEDED 0
#define BEFORE 3

struct state {
    struct muster__memory memory;
    struct muster__names names;
    uint32_t ids[MUSTER__NAMES_WINDOW];
    uint32_t mentions[MUSTER__NAMES_WINDOW];
    uint32_t first;
    uint32_t duplicates;
};

static int setup(void **state)
{
    struct state *s = calloc(1, sizeof(*s));
    muster__memory_init(&s->memory, NULL);
    muster__names_init(&s->names, &s->memory);
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
    uint32_t count = s->names.drivers.count;
    s->duplicates += muster__names_settle(&s->names, s->ids, s->first, s->mentions);
    s->first += count;
}

/* Three of the longest may not have room together. */
static void put_three(struct state *s, const char *a, const char *b, const char *c)
{
    const char *const texts[] = {a, b, c};
    assert_int_equal(muster__names_reserve(&s->names), 0);
    for (size_t i = 0; i < 3; i++) {
        if (!muster__names_put_driver(&s->names, texts[i])) {
            settle(s);
            assert_int_equal(muster__names_reserve(&s->names), 0);
            assert_true(muster__names_put_driver(&s->names, texts[i]));
        }
    }
    settle(s);
}

static void names_of_all_lengths_are_told_apart(void **state)
{
    struct state *s = *state;
    char text[2][256];
    uint32_t tried = 0;
    for (size_t length = 1; length <= 255; length++) {
        for (size_t at = 0; at < length; at += length < 40 ? 1 : 13) {
            memset(text[0], 'a', length);
            text[0][length] = '\0';
            memcpy(text[1], text[0], length + 1);
            text[1][at] = 'b';
            uint32_t known = s->names.count;
            put_three(s, text[0], text[1], text[0]);
            assert_int_equal(s->names.count, known + (at == 0 ? 2 : 1));
            uint32_t id = muster__names_find(&s->names, text[1]);
            assert_int_equal(id, s->names.count - 1);
            assert_string_equal(muster__names_text(&s->names, id), text[1]);
            assert_int_not_equal(muster__names_find(&s->names, text[0]), id);
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
                assert_false(muster__names_put_driver(&s->names, text));
            }
            for (size_t i = 0; i < sizeof(good); i++, tried++) {
                text[at] = good[i];
                assert_true(muster__names_put_driver(&s->names, text));
                settle(s);
                assert_int_equal(muster__names_reserve(&s->names), 0);
            }
        }
    }
    char longest[257];
    memset(longest, 'a', 256);
    longest[256] = '\0';
    assert_false(muster__names_put_driver(&s->names, longest));
    assert_false(muster__names_put_driver(&s->names, ""));
    assert_true(muster__names_put_driver(&s->names, "\xc3\xa4ther-network"));
    printf("%u names\n", tried + 3);
}

static void what_is_too_long_for_a_name_is_none(void **state)
{
    struct state *s = *state;
    char text[MUSTER__NAME_MAX + 2];
    memset(text, 'l', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(muster__names_find(&s->names, text), MUSTER__NONE);
    names_of_all_lengths_are_told_apart(state);
    assert_int_equal(muster__names_find(&s->names, text), MUSTER__NONE);
}

static void mentions_come_out_with_their_tags_in_the_order_they_came(void **state)
{
    struct state *s = *state;
    const char *const needed[] = {"secret", "a-name-of-more-than-one-block", "secret", NULL};
    const char *const before[] = {"secret", NULL};
    assert_true(muster__names_put_driver(&s->names, "guests"));
    assert_int_equal(muster__names_put(&s->names, needed, NEEDED), 3);
    assert_int_equal(muster__names_put(&s->names, before, BEFORE), 1);
    assert_true(muster__names_put_driver(&s->names, "secret"));
    settle(s);
    const uint32_t before_tag = (uint32_t)BEFORE << MUSTER__TAG_SHIFT;
    const uint32_t expected[] = {1, 2, 1, 1 | before_tag};
    assert_memory_equal(s->mentions, expected, sizeof(expected));
    assert_int_equal(muster__name_of(&s->names, 1)->mentions, 3);
    assert_int_equal(muster__name_of(&s->names, 0)->mentions, 0);
    assert_int_equal(muster__name_of(&s->names, 2)->driver, MUSTER__NONE);
}

static void a_name_is_the_first_drivers_of_that_name(void **state)
{
    struct state *s = *state;
    assert_true(muster__names_put_driver(&s->names, "a"));
    assert_true(muster__names_put_driver(&s->names, "b"));
    settle(s);
    assert_int_equal(muster__names_reserve(&s->names), 0);
    assert_true(muster__names_put_driver(&s->names, "b"));
    assert_true(muster__names_put_driver(&s->names, "c"));
    settle(s);
    assert_int_equal(s->duplicates, 1);
    assert_int_equal(muster__name_of(&s->names, 1)->driver, 1);
    assert_int_equal(muster__name_of(&s->names, 2)->driver, 3);
}

/* With all of 300 names in them, long and short. */
static void a_trim_forgets_no_name(void **state)
{
    struct state *s = *state;
    char text[40];
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), i % 2 == 0 ? "%u" : "a-name-of-more-than-one-block-%u", i);
        assert_true(muster__names_put_driver(&s->names, text));
        settle(s);
        if (i % 64 == 0)
            muster__names_trim(&s->names);
        assert_int_equal(muster__names_reserve(&s->names), 0);
    }
    muster__names_trim(&s->names);
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), i % 2 == 0 ? "%u" : "a-name-of-more-than-one-block-%u", i);
        assert_int_equal(muster__names_find(&s->names, text), i);
    }
    assert_int_equal(muster__names_find(&s->names, "300"), MUSTER__NONE);
}

static int compare_hashes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Among so many names there are some whose hashes are equal. */
static void names_of_one_hash_are_told_apart(void **state)
{
    struct state *s = *state;
    uint32_t *hashes = calloc(MANY, sizeof(*hashes)), equal = 0;
    char text[40];
    assert_non_null(hashes);
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "a-name-of-more-than-one-block-%u", i);
        assert_true(muster__names_put_driver(&s->names, text));
        settle(s);
        assert_int_equal(muster__names_reserve(&s->names), 0);
    }
    assert_int_equal(s->names.count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        hashes[i] = muster__name_of(&s->names, i)->hash;
        snprintf(text, sizeof(text), "a-name-of-more-than-one-block-%u", i);
        assert_int_equal(muster__names_find(&s->names, text), i);
    }
    qsort(hashes, MANY, sizeof(*hashes), compare_hashes);
    for (uint32_t i = 1; i < MANY; i++)
        equal += hashes[i] == hashes[i - 1];
    assert_true(equal > 0);
    printf("%u of %u have the hash of another one\n", equal, MANY);
    free(hashes);
}

static void long_names_stay_as_they_are_while_they_wait(void **state)
{
    struct state *s = *state;
    const char *const needed[] = {"a-name-of-more-than-one-block", "a-name-of-more-blocks-than-only-two", "short", NULL};
    assert_int_equal(muster__names_put(&s->names, needed, NEEDED), 3);
    for (char name[] = "a"; name[0] <= 'f'; name[0]++)
        assert_true(muster__names_put_driver(&s->names, name));
    assert_true(muster__names_put_driver(&s->names, "the-longest-of-all-names-that-are-put-here-has-many-more-blocks"));
    settle(s);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(muster__names_text(&s->names, s->mentions[i]), needed[i]);
    assert_string_equal(muster__names_text(&s->names, s->ids[0]), "a");
    assert_int_equal(muster__names_find(&s->names, needed[1]), s->mentions[1]);
}

static void *no_memory(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return NULL;
}

static void names_are_found_without_memory(void **state)
{
    struct state *s = *state;
    assert_true(muster__names_put_driver(&s->names, "storage"));
    assert_true(muster__names_put_driver(&s->names, "a-name-of-more-than-one-block"));
    settle(s);
    muster__names_trim(&s->names);
    s->memory.alloc = no_memory;
    assert_int_equal(muster__names_find(&s->names, "storage"), 0);
    assert_int_equal(muster__names_find(&s->names, "a-name-of-more-than-one-block"), 1);
    assert_int_equal(muster__names_find(&s->names, "secret"), MUSTER__NONE);
}

static void what_was_shown_stays_where_it_is(void **state)
{
    struct state *s = *state;
    char text[16];
    const char *shown[3];
    put_three(s, "storage", "a name that is longer than a block of the arena", "secret");
    settle(s);
    uint32_t first = s->ids[0];
    for (uint32_t i = 0; i < 3; i++)
        shown[i] = muster__names_show(&s->names, first + i);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "driver%u", i);
        assert_int_equal(muster__names_reserve(&s->names), 0);
        assert_true(muster__names_put_driver(&s->names, text));
        settle(s);
        if (i % 5000 == 0)
            assert_string_equal(muster__names_show(&s->names, s->ids[0]), text);
    }
    muster__names_trim(&s->names);
    assert_string_equal(shown[0], "storage");
    assert_string_equal(shown[1], "a name that is longer than a block of the arena");
    assert_string_equal(shown[2], "secret");
    assert_int_equal(muster__names_find(&s->names, "storage"), first);
    assert_int_equal(muster__names_find(&s->names, "driver19999"), s->ids[0]);
}

static void *no_more_memory(void *data, void *old, size_t bytes)
{
    (void)old;
    return no_memory(data, bytes);
}

static void what_was_shown_stays_where_memory_is_short(void **state)
{
    struct state *s = *state;
    char text[16];
    put_three(s, "storage", "pool", "secret");
    settle(s);
    uint32_t first = s->ids[0];
    const char *shown = muster__names_show(&s->names, first);
    s->memory.realloc = no_more_memory;
    for (unsigned i = 0; muster__names_reserve(&s->names) == 0; i++) {
        snprintf(text, sizeof(text), "driver%u", i);
        assert_true(muster__names_put_driver(&s->names, text));
        settle(s);
    }
    assert_ptr_equal(muster__names_show(&s->names, first), shown);
    assert_string_equal(shown, "storage");
    assert_int_equal(muster__names_find(&s->names, "secret"), first + 2);
}

static void no_more_wait_than_there_is_room_for(void **state)
{
    struct state *s = *state;
    const char *many[MUSTER__NAMES_WINDOW + 9];
    for (size_t i = 0; i < MUSTER__NAMES_WINDOW + 8; i++)
        many[i] = i % 2 == 0 ? "x" : "a-driver";
    many[MUSTER__NAMES_WINDOW + 8] = NULL;
    assert_int_equal(muster__names_put(&s->names, many, NEEDED), MUSTER__NAMES_WINDOW);
    assert_int_equal(muster__names_put(&s->names, many, NEEDED), 0);
    assert_false(muster__names_put_driver(&s->names, "x"));
    settle(s);
    assert_int_equal(muster__name_of(&s->names, 0)->mentions, MUSTER__NAMES_WINDOW / 2);
}

/* Names of 255 bytes take sixteen times the room. */
static void long_names_wait_for_room(void **state)
{
    struct state *s = *state;
    char text[256];
    uint32_t put = 0;
    memset(text, 'a', 255);
    text[255] = '\0';
    for (uint32_t i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%0255u", i);
        while (!muster__names_put_driver(&s->names, text)) {
            assert_false(s->names.has_room);
            settle(s);
            assert_int_equal(muster__names_reserve(&s->names), 0);
        }
        put++;
    }
    settle(s);
    assert_int_equal(s->names.count, put);
    assert_int_equal(s->first, put);
    assert_string_equal(muster__names_text(&s->names, 999), text);
}

#define NAMES_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(names_of_all_lengths_are_told_apart),
        NAMES_TEST(names_that_are_not_valid_are_refused_wherever_it_is),
        NAMES_TEST(what_is_too_long_for_a_name_is_none),
        NAMES_TEST(mentions_come_out_with_their_tags_in_the_order_they_came),
        NAMES_TEST(a_name_is_the_first_drivers_of_that_name),
        NAMES_TEST(a_trim_forgets_no_name),
        NAMES_TEST(names_of_one_hash_are_told_apart),
        NAMES_TEST(names_are_found_without_memory),
        NAMES_TEST(long_names_stay_as_they_are_while_they_wait),
        NAMES_TEST(what_was_shown_stays_where_it_is),
        NAMES_TEST(what_was_shown_stays_where_memory_is_short),
        NAMES_TEST(no_more_wait_than_there_is_room_for),
        NAMES_TEST(long_names_wait_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

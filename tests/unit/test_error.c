/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/error.h"
#include "base/name.h"
#include "support/failing_memory.h"

static struct failing_memory failing;
static struct muster__memory memory;

static int setup(void **state)
{
    (void)state;
    failing = (struct failing_memory){0};
    memory = failing_memory(&failing);
    return 0;
}

static int nothing_is_left(void **state)
{
    (void)state;
    return failing.live == 0 ? 0 : -1;
}

static void codes_have_names_and_texts(void **state)
{
    (void)state;
    assert_string_equal(muster_code_name(MUSTER_OK), "MUSTER_OK");
    assert_string_equal(muster_code_name(MUSTER_ECYCLE), "MUSTER_ECYCLE");
    assert_string_equal(muster_code_text(MUSTER_ECYCLE), "dependency cycle");
    assert_string_equal(muster_code_name(-EIO), "EIO");
    assert_string_equal(muster_code_text(-EIO), strerror(EIO));
    assert_string_equal(muster_code_text(0), "success");
    const int unknown[] = {1, -4095, -9999, INT32_MIN};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_string_equal(muster_code_name(unknown[i]), "unknown");
        assert_string_equal(muster_code_text(unknown[i]), "unknown error");
    }
}

static void nothing_has_no_error(void **state)
{
    (void)state;
    assert_int_equal(muster_error_code(NULL), 0);
    assert_string_equal(muster_error_text(NULL), "");
    assert_int_equal(muster_error_errno(NULL), 0);
    assert_null(muster_error_cause(NULL));
    assert_null(muster_error_next(NULL));
    muster__error_unref(NULL);
    assert_null(muster__error_ref(NULL));
}

static void messages_wrap_outward(void **state)
{
    (void)state;
    struct muster_error *secret = muster__error_new(&memory, MUSTER_ENOENT, NULL, "secret '%s'", "ceph");
    struct muster_error *pool = muster__error_new(&memory, MUSTER_EDEPENDENCY, secret, "pool 'rbd0'");
    muster__error_unref(secret);
    assert_string_equal(muster_error_text(pool), "pool 'rbd0': secret 'ceph'");
    assert_int_equal(muster_error_code(pool), MUSTER_EDEPENDENCY);
    assert_int_equal(muster_error_code(muster_error_cause(pool)), MUSTER_ENOENT);
    muster__error_unref(pool);
}

static void an_embedded_error_is_copied_when_wrapped(void **state)
{
    (void)state;
    struct muster_error inner;
    muster__error_init(&inner);
    assert_int_equal(muster_error_set(&inner, MUSTER_EIO, ENOSPC, "write"), MUSTER_EIO);
    struct muster_error *outer = muster__error_wrap(&memory, &inner, "store '%s'", "journal");
    assert_string_equal(muster_error_text(outer), "store 'journal': write: No space left on device");
    assert_int_equal(muster_error_errno(outer), ENOSPC);
    assert_int_equal(muster_error_code(outer), MUSTER_EIO);
    muster__error_unref(outer);
    muster__error_init(&inner);
    inner.code = MUSTER_EBUSY;
    outer = muster__error_wrap(&memory, &inner, "store");
    assert_string_equal(muster_error_text(outer), "store: busy");
    muster__error_unref(outer);
    assert_int_equal(muster_error_set(NULL, MUSTER_EIO, 0, "ignored"), MUSTER_EIO);
}

static void a_message_is_one_line_and_cut(void **state)
{
    (void)state;
    struct muster_error error;
    char longer[1000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    muster_error_set(&error, MUSTER_EIO, 0, "a\nb\tc\x7f");
    assert_string_equal(muster_error_text(&error), "a b c ");
    muster_error_set(&error, MUSTER_EIO, 0, "a\xc2\x9b" "2J\xc2\x80 \xc2\xa0 \xc3\x82");
    assert_string_equal(muster_error_text(&error), "a  2J   \xc2\xa0 \xc3\x82");
    muster_error_set(&error, MUSTER_EIO, EIO, "%s", longer);
    assert_int_equal(strlen(muster_error_text(&error)), 511);
}

/* A character may be cut, and what comes from outside may be none. */
static void a_message_is_text(void **state)
{
    (void)state;
    struct muster_error error;
    char longer[1000] = "x";
    for (size_t at = 1; at < sizeof(longer) - 2; at += 2)
        memcpy(longer + at, "\xc3\xa9", 2);
    for (size_t from = 0; from < 2; from++) {
        muster_error_set(&error, MUSTER_EIO, 0, "%.700s", longer + from);
        size_t length = strlen(muster_error_text(&error));
        assert_int_equal(length, 511);
        assert_true(muster__utf8_valid(muster_error_text(&error), length));
        struct muster_error *outer = muster__error_wrap(&memory, &error, "pool");
        assert_true(muster__utf8_valid(muster_error_text(outer), strlen(muster_error_text(outer))));
        muster__error_unref(outer);
    }
    muster_error_set(&error, MUSTER_EIO, 0, "a\xffz \xc3( \xe2\x82 \xc3\xa9");
    assert_string_equal(muster_error_text(&error), "a?z ?( ?? \xc3\xa9");
}

static void siblings_are_appended_in_order(void **state)
{
    (void)state;
    struct muster_error *list = NULL;
    muster__error_append(&list, muster__error_new(&memory, MUSTER_ENOENT, NULL, "first"));
    muster__error_append(&list, muster__error_new(&memory, MUSTER_ENOENT, NULL, "second"));
    assert_string_equal(muster_error_text(list), "first");
    assert_string_equal(muster_error_text(muster_error_next(list)), "second");
    failing.countdown = 1;
    muster__error_append(&list, muster__error_new(&memory, MUSTER_ENOENT, NULL, "memory is short for the third"));
    muster__error_append(&list, muster__error_new(&memory, MUSTER_ENOENT, NULL, "has no place behind it"));
    const struct muster_error *third = muster_error_next(muster_error_next(list));
    assert_int_equal(muster_error_code(third), MUSTER_ENOENT);
    assert_null(muster_error_next(third));
    muster__error_replace(&list, NULL);
    assert_null(list);
}

static void a_shared_error_lives_as_long_as_its_last_holder(void **state)
{
    (void)state;
    struct muster_error *error = muster__error_new(&memory, MUSTER_EBUSY, NULL, "shared");
    struct muster_error *slot = muster__error_ref(error);
    muster__error_unref(error);
    assert_string_equal(muster_error_text(slot), "shared");
    muster__error_replace(&slot, muster__error_new(&memory, MUSTER_EIO, NULL, "other"));
    assert_string_equal(muster_error_text(slot), "other");
    muster__error_unref(slot);
}

/* Each driver needs the one before, and the first has failed. */
static void a_chain_of_any_length_is_let_go_of(void **state)
{
    (void)state;
    struct muster_error *last = muster__error_new(&memory, MUSTER_EFAILED, NULL, "no");
    for (int i = 0; i < 300000; i++) {
        struct muster_error *cause = last;
        last = muster__error_new(&memory, MUSTER_EDEPENDENCY, cause, "needs");
        muster__error_unref(cause);
    }
    muster__error_unref(last);
}

static void what_others_hold_is_left_to_them(void **state)
{
    (void)state;
    struct muster_error *cause = muster__error_new(&memory, MUSTER_EFAILED, NULL, "cause");
    muster__error_append(&cause, muster__error_new(&memory, MUSTER_EFAILED, NULL, "its sibling"));
    struct muster_error *list = muster__error_new(&memory, MUSTER_EDEPENDENCY, cause, "first");
    muster__error_unref(cause);
    muster__error_append(&list, muster__error_new(&memory, MUSTER_EDEPENDENCY, cause, "second"));
    struct muster_error *third = muster__error_new(&memory, MUSTER_EIO, NULL, "third");
    muster__error_append(&list, muster__error_ref(third));
    muster__error_append(&list, muster__error_new(&memory, MUSTER_EIO, NULL, "fourth"));
    muster__error_unref(list);
    assert_string_equal(muster_error_text(third), "third");
    assert_string_equal(muster_error_text(muster_error_next(third)), "fourth");
    muster__error_unref(third);
}

static void short_memory_leaves_the_code(void **state)
{
    (void)state;
    struct muster_error inner = {.code = MUSTER_EFENCED, .text = "lost"};
    failing.countdown = 1;
    struct muster_error *error = muster__error_new(&memory, MUSTER_ECYCLE, NULL, "details");
    assert_int_equal(muster_error_code(error), MUSTER_ECYCLE);
    assert_non_null(strstr(muster_error_text(error), "dependency cycle"));
    muster__error_unref(error);
    failing.countdown = 1;
    error = muster__error_wrap(&memory, &inner, "store");
    assert_int_equal(muster_error_code(error), MUSTER_EFENCED);
    muster__error_unref(muster__error_ref(error));
    muster__error_unref(error);
    failing.countdown = 1;
    error = muster__error_new(&memory, -EIO, NULL, "a code of the system");
    assert_int_equal(muster_error_code(error), MUSTER_ENOMEM);
}

#define ERROR_TEST(test) cmocka_unit_test_setup_teardown(test, setup, nothing_is_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ERROR_TEST(codes_have_names_and_texts),
        ERROR_TEST(nothing_has_no_error),
        ERROR_TEST(messages_wrap_outward),
        ERROR_TEST(an_embedded_error_is_copied_when_wrapped),
        ERROR_TEST(a_message_is_one_line_and_cut),
        ERROR_TEST(a_message_is_text),
        ERROR_TEST(siblings_are_appended_in_order),
        ERROR_TEST(a_shared_error_lives_as_long_as_its_last_holder),
        ERROR_TEST(a_chain_of_any_length_is_let_go_of),
        ERROR_TEST(what_others_hold_is_left_to_them),
        ERROR_TEST(short_memory_leaves_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

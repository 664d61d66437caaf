/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <muster/error.h>

#include "base/def.h"

/* A definition as three versions of a header have it. */
struct first {
    size_t size;
    const char *name;
};

struct ours {
    size_t size;
    const char *name;
    uintptr_t flags;
};

struct later {
    size_t size;
    const char *name;
    uintptr_t flags;
    uintptr_t more;
};

static int copy(struct ours *ours, const void *def)
{
    return muster__def_copy(ours, sizeof(*ours), def, sizeof(struct first));
}

static void an_older_definition_gets_defaults(void **state)
{
    (void)state;
    struct first def = {sizeof(def), "a"};
    struct ours ours = {1, "x", 77};
    assert_int_equal(copy(&ours, &def), 0);
    assert_int_equal(ours.size, sizeof(ours));
    assert_string_equal(ours.name, "a");
    assert_int_equal(ours.flags, 0);
}

static void our_own_definition_is_copied(void **state)
{
    (void)state;
    struct ours def = {sizeof(def), "a", 3}, ours;
    assert_int_equal(copy(&ours, &def), 0);
    assert_int_equal(ours.flags, 3);
}

static void a_later_one_must_leave_zero_what_we_do_not_know(void **state)
{
    (void)state;
    struct later def = {sizeof(def), "a", 3, 0};
    struct ours ours = {0};
    assert_int_equal(copy(&ours, &def), 0);
    assert_int_equal(ours.size, sizeof(ours));
    def.more = 1;
    ours = (struct ours){0};
    assert_int_equal(copy(&ours, &def), MUSTER_EINVAL);
    assert_null(ours.name);
}

static void one_that_is_too_short_is_refused(void **state)
{
    (void)state;
    struct first def = {sizeof(def) - 1, "a"};
    struct ours ours;
    assert_int_equal(copy(&ours, &def), MUSTER_EINVAL);
    def.size = 0;
    assert_int_equal(copy(&ours, &def), MUSTER_EINVAL);
    assert_int_equal(copy(&ours, NULL), MUSTER_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_definition_gets_defaults),
        cmocka_unit_test(our_own_definition_is_copied),
        cmocka_unit_test(a_later_one_must_leave_zero_what_we_do_not_know),
        cmocka_unit_test(one_that_is_too_short_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

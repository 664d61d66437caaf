/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <muster.h>

#include "support/failing_memory.h"

static int plan_setup(void **state)
{
    return muster_plan_new(NULL, (struct muster_plan **)state);
}

static int plan_teardown(void **state)
{
    muster_plan_free(*state);
    return 0;
}

static int add(struct muster_plan *plan, const char *name, const char *const *needs)
{
    struct muster_driver_def def = {.size = sizeof(def), .name = name, .needs = needs};
    return muster_plan_add(plan, &def);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_plan_tells_order_level_and_what_is_waited_for(void **state)
{
    struct muster_plan *plan = *state;
    const uint32_t *ids;
    size_t count;
    assert_int_equal(add(plan, "guests", NAMES("storage", "network")), 0);
    assert_int_equal(add(plan, "storage", NULL), 0);
    assert_int_equal(add(plan, "network", NULL), 0);
    assert_int_equal(muster_plan_sort(plan), 0);
    assert_null(muster_plan_get_error(plan));
    assert_int_equal(muster_plan_count(plan), 3);
    assert_memory_equal(muster_plan_order(plan), ((uint32_t[]){1, 2, 0}), 3 * sizeof(uint32_t));
    assert_string_equal(muster_plan_name(plan, 0), "guests");
    assert_int_equal(muster_plan_level(plan, 0), 1);
    assert_int_equal(muster_plan_waits_for(plan, 0, &ids, &count), 0);
    assert_int_equal(count, 2);
    assert_memory_equal(ids, ((uint32_t[]){1, 2}), 2 * sizeof(uint32_t));
}

static void a_bad_definition_is_refused_by_name(void **state)
{
    struct muster_plan *plan = *state;
    struct muster_driver_def def = {.size = sizeof(def) - 1, .name = "a"};
    assert_int_equal(muster_plan_add(plan, &def), MUSTER_EINVAL);
    assert_int_equal(muster_plan_add(plan, NULL), MUSTER_EINVAL);
    assert_int_equal(add(plan, NULL, NULL), MUSTER_EINVAL);
    assert_string_equal(muster_error_text(muster_plan_get_error(plan)), "a driver has no name");
    assert_int_equal(add(plan, "a/b", NULL), MUSTER_EINVAL);
    assert_non_null(strstr(muster_error_text(muster_plan_get_error(plan)), "'a/b'"));
    assert_int_equal(add(plan, "a", NAMES("b", "")), MUSTER_EINVAL);
    assert_non_null(strstr(muster_error_text(muster_plan_get_error(plan)), "a needs ''"));
    const struct muster_driver_def provider = {
        .size = sizeof(provider), .name = "a", .needs = NAMES("b"), .provides = NAMES("c", "d/e")};
    assert_int_equal(muster_plan_add(plan, &provider), MUSTER_EINVAL);
    assert_non_null(strstr(muster_error_text(muster_plan_get_error(plan)), "a provides 'd/e'"));
    const struct muster_driver_def follower = {.size = sizeof(follower), .name = "a", .wants = NAMES(""), .after = NAMES("b/")};
    assert_int_equal(muster_plan_add(plan, &follower), MUSTER_EINVAL);
    assert_non_null(strstr(muster_error_text(muster_plan_get_error(plan)), "a wants ''"));
    assert_int_equal(muster_plan_count(plan), 0);
    assert_int_equal(add(plan, "a", NULL), 0);
    assert_null(muster_plan_get_error(plan));
}

static void problems_are_siblings(void **state)
{
    struct muster_plan *plan = *state;
    assert_int_equal(add(plan, "a", NAMES("b")), 0);
    assert_int_equal(add(plan, "a", NAMES("c")), 0);
    assert_int_equal(muster_plan_sort(plan), MUSTER_ENOENT);
    const struct muster_error *error = muster_plan_get_error(plan);
    assert_string_equal(muster_error_text(error), "a needs 'b', which no driver provides");
    error = muster_error_next(error);
    assert_int_equal(muster_error_code(error), MUSTER_EEXIST);
    error = muster_error_next(error);
    assert_int_equal(muster_error_code(error), MUSTER_ENOENT);
    assert_null(muster_error_next(error));
    assert_null(muster_plan_order(plan));
}

static void a_change_takes_the_order_back(void **state)
{
    struct muster_plan *plan = *state;
    const uint32_t *ids;
    size_t count;
    assert_null(muster_plan_order(plan));
    assert_int_equal(add(plan, "a", NULL), 0);
    assert_int_equal(muster_plan_waits_for(plan, 0, &ids, &count), MUSTER_EINVAL);
    assert_int_equal(muster_plan_sort(plan), 0);
    assert_non_null(muster_plan_order(plan));
    assert_int_equal(add(plan, "b", NAMES("a")), 0);
    assert_null(muster_plan_order(plan));
    assert_int_equal(muster_plan_level(plan, 1), 0);
    assert_int_equal(muster_plan_sort(plan), 0);
    assert_int_equal(muster_plan_level(plan, 1), 1);
    assert_null(muster_plan_name(plan, 2));
    assert_int_equal(muster_plan_level(plan, 2), 0);
    assert_int_equal(muster_plan_waits_for(plan, 2, &ids, &count), MUSTER_EINVAL);
    assert_int_equal(muster_plan_waits_for(plan, 1, NULL, &count), MUSTER_EINVAL);
    assert_int_equal(muster_plan_waits_for(plan, 1, &ids, NULL), MUSTER_EINVAL);
}

static void nothing_is_no_plan(void **state)
{
    (void)state;
    struct muster_allocator incomplete = {.size = sizeof(incomplete)};
    struct muster_plan *plan;
    muster_plan_free(NULL);
    assert_int_equal(muster_plan_new(NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_plan_new(&incomplete, &plan), MUSTER_EINVAL);
    assert_int_equal(muster_plan_add(NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_plan_sort(NULL), MUSTER_EINVAL);
    assert_int_equal(muster_plan_count(NULL), 0);
    assert_null(muster_plan_order(NULL));
    assert_null(muster_plan_name(NULL, 0));
    assert_int_equal(muster_plan_level(NULL, 0), 0);
    assert_null(muster_plan_get_error(NULL));
}

/* Not each allocation is missed: giving room back is one, too. */
static void memory_that_is_short_is_an_error_like_others(void **state)
{
    (void)state;
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct failing_memory failing = {.countdown = n};
        struct muster_allocator allocator = failing_allocator(&failing);
        struct muster_plan *plan = NULL;
        const uint32_t *ids;
        size_t count;
        int code = muster_plan_new(&allocator, &plan);
        if (code == 0)
            code = add(plan, "a", NULL);
        if (code == 0)
            code = add(plan, "b", NAMES("a"));
        if (code == 0)
            code = muster_plan_sort(plan);
        if (code == 0)
            code = muster_plan_waits_for(plan, 1, &ids, &count);
        fired = failing.fired;
        assert_true(code == 0 || (fired && code == MUSTER_ENOMEM));
        if (code != 0 && plan != NULL)
            assert_int_equal(muster_error_code(muster_plan_get_error(plan)), MUSTER_ENOMEM);
        muster_plan_free(plan);
        assert_int_equal(failing.live, 0);
    }
}

#define PLAN_TEST(test) cmocka_unit_test_setup_teardown(test, plan_setup, plan_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAN_TEST(a_plan_tells_order_level_and_what_is_waited_for),
        PLAN_TEST(a_bad_definition_is_refused_by_name),
        PLAN_TEST(problems_are_siblings),
        PLAN_TEST(a_change_takes_the_order_back),
        cmocka_unit_test(nothing_is_no_plan),
        cmocka_unit_test(memory_that_is_short_is_an_error_like_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/record.h"
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

static int teardown(void **state)
{
    (void)state;
    return failing.live == 0 ? 0 : -1;
}

static struct muster_record full(void)
{
    return (struct muster_record){.size = sizeof(struct muster_record),
                                  .driver = "guest",
                                  .name = "web",
                                  .flags = MUSTER_RECORD_MARK,
                                  .desired = MUSTER_DESIRED_ACTIVE,
                                  .stage = MUSTER_STAGE_ACTIVE,
                                  .reason = MUSTER_REASON_SELF,
                                  .boot = "boot-1",
                                  .attempts = 2,
                                  .generation = 9,
                                  .token = "0123",
                                  .handle = "pid 7",
                                  .format = 1,
                                  .extra = "{\"colour\":\"red\"}"};
}

static void a_copy_outlives_what_it_was_made_from(void **state)
{
    char name[] = "web";
    struct muster_record source = full();
    (void)state;
    source.name = name;
    struct muster__record *record = muster__record_new(&memory, &source);
    name[0] = 'x';
    assert_string_equal(record->is.name, "web");
    assert_string_equal(record->is.extra, "{\"colour\":\"red\"}");
    assert_int_equal(record->is.generation, 9);
    muster__record_unref(record);
}

static void the_last_reference_frees(void **state)
{
    struct muster_record source = full();
    (void)state;
    struct muster__record *record = muster__record_new(&memory, &source);
    assert_ptr_equal(muster__record_ref(record), record);
    muster__record_unref(record);
    assert_int_equal(failing.live, 1);
    muster__record_unref(record);
    assert_int_equal(failing.live, 0);
    assert_null(muster__record_ref(NULL));
    muster__record_unref(NULL);
}

static void no_memory_no_record(void **state)
{
    struct muster_record source = full();
    (void)state;
    failing.countdown = 1;
    assert_null(muster__record_new(&memory, &source));
}

static void texts_that_are_not_there_stay_so(void **state)
{
    struct muster_record source = {.driver = "guest", .name = "web"};
    (void)state;
    struct muster__record *record = muster__record_new(&memory, &source);
    assert_null(record->is.boot);
    assert_null(record->is.token);
    assert_null(record->is.handle);
    assert_null(record->is.extra);
    assert_int_equal(record->is.size, sizeof(struct muster_record));
    muster__record_unref(record);
}

static void any_difference_but_the_generation_counts(void **state)
{
    struct muster_record same = full();
    struct muster_record others[12];
    const struct muster_record is = full();
    (void)state;
    same.generation = 10;
    assert_true(muster__record_same(&is, &same));
    for (size_t i = 0; i < 12; i++)
        others[i] = full();
    others[0].kind = MUSTER_RECORD_HISTORY;
    others[1].flags = 0;
    others[2].desired = MUSTER_DESIRED_INACTIVE;
    others[3].stage = MUSTER_STAGE_STOPPING;
    others[4].reason = MUSTER_REASON_USER;
    others[5].attempts = 3;
    others[6].format = 2;
    others[7].driver = "pool";
    others[8].name = "db";
    others[9].boot = "boot-2";
    others[10].token = NULL;
    others[11].handle = "pid 8";
    for (size_t i = 0; i < 12; i++) {
        assert_false(muster__record_same(&is, &others[i]));
        assert_false(muster__record_same(&others[i], &is));
    }
    same.extra = "{}";
    assert_false(muster__record_same(&is, &same));
}

static void nothing_is_the_same_as_nothing_alone(void **state)
{
    const struct muster_record is = full();
    (void)state;
    assert_true(muster__record_same(NULL, NULL));
    assert_false(muster__record_same(&is, NULL));
    assert_false(muster__record_same(NULL, &is));
}

#define record_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        record_test(a_copy_outlives_what_it_was_made_from),
        record_test(the_last_reference_frees),
        record_test(no_memory_no_record),
        record_test(texts_that_are_not_there_stay_so),
        record_test(any_difference_but_the_generation_counts),
        record_test(nothing_is_the_same_as_nothing_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

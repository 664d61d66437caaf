/* SPDX-License-Identifier: MIT */
/* The public functions that only read, names, and the structs' initial values. */
#include "engine_fixture.h"

#include <muster.h>
#include <muster/testing.h>
#include <stdio.h>

static void every_value_has_a_name_and_no_other_has_one(void **state)
{
    (void)state;
    for (int i = 0; i <= 13; i++) {
        assert_int_equal(strcmp(muster_driver_state_name((enum muster_driver_state)i), "unknown") == 0, i > 12);
        assert_int_equal(strcmp(muster_state_name((enum muster_context_state)i), "unknown") == 0, i > 5);
        assert_int_equal(strcmp(muster_phase_name((enum muster_phase)i), "unknown") == 0, i > 9);
        assert_int_equal(strcmp(muster_cause_name((enum muster_cause)i), "unknown") == 0, i > 5);
        assert_int_equal(strcmp(muster_stage_name((enum muster_stage)i), "unknown") == 0, i > 3);
        assert_int_equal(strcmp(muster_desired_name((enum muster_desired)i), "unknown") == 0, i > 1);
        assert_int_equal(strcmp(muster_reason_name((enum muster_reason)i), "unknown") == 0, i > 4);
        assert_int_equal(strcmp(muster_condition_name((enum muster_condition)i), "unknown") == 0, i > 5);
        assert_int_equal(strcmp(muster_policy_name((enum muster_policy)i), "unknown") == 0, i > 3);
    }
    assert_string_equal(muster_driver_state_name(MUSTER_DRIVER_DEFERRED), "deferred");
    assert_string_equal(muster_policy_name(MUSTER_LAST_STATE), "last-state");
}

#define assert_init(name, init)                                                                                \
    do {                                                                                                       \
        struct name is, zero;                                                                                  \
        memset(&is, 0x55, sizeof(is));                                                                         \
        memset(&zero, 0, sizeof(zero));                                                                        \
        zero.size = sizeof(zero);                                                                              \
        init(&is);                                                                                             \
        assert_memory_equal(&is, &zero, sizeof(is));                                                           \
    } while (0)

static void an_initialized_struct_has_its_size_and_nothing_else(void **state)
{
    (void)state;
    assert_init(muster_driver_def, MUSTER_DRIVER_DEF_INIT);
    assert_init(muster_resource_def, MUSTER_RESOURCE_DEF_INIT);
    assert_init(muster_resource_status, MUSTER_RESOURCE_STATUS_INIT);
    assert_init(muster_request_options, MUSTER_REQUEST_OPTIONS_INIT);
    assert_init(muster_options, MUSTER_OPTIONS_INIT);
    assert_init(muster_progress_counts, MUSTER_PROGRESS_COUNTS_INIT);
    assert_init(muster_report_options, MUSTER_REPORT_OPTIONS_INIT);
    assert_init(muster_record, MUSTER_RECORD_INIT);
    assert_init(muster_journal_options, MUSTER_JOURNAL_OPTIONS_INIT);
    assert_init(muster_testing_store_def, MUSTER_TESTING_STORE_DEF_INIT);
}

static int count(struct muster_resource *resource, void *data)
{
    (void)resource;
    return ++*(int *)data == 2 ? 9 : 0;
}

static int is_never_told(const char *name, int is_need, void *data)
{
    (void)is_need;
    (void)data;
    fail_msg("%s", name);
    return 0;
}

static void what_was_given_can_be_asked_for(void **state)
{
    struct fixture *f = *state;
    struct muster_resource_status status = {.size = sizeof(status)}, shorter;
    int seen = 0;
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "a", .policy = MUSTER_LAST_STATE, .flags = MUSTER_VOLATILE);
    RESOURCE(f, "pool", .name = "b");
    RESOURCE(f, "pool", .name = "c");
    assert_ended(bring_up(f), 0);
    struct muster_resource *a = find(f, "pool/a");
    assert_string_equal(muster_resource_name(a), "a");
    assert_ptr_equal(muster_resource_driver(a), find_driver(f, "pool"));
    assert_ptr_equal(muster_resource_data(a), f);
    assert_null(muster_driver_data(find_driver(f, "pool")));
    assert_ptr_equal(muster__driver_engine(find_driver(f, "pool")), f->engine);
    assert_ptr_equal(muster__resource_engine(a), f->engine);
    assert_true(muster__driver_def(find_driver(f, "pool"))->probe == called);
    assert_null(muster__engine_context(f->engine));
    assert_int_equal(muster_resource_foreach(find_driver(f, "pool"), count, &seen), 9);
    assert_int_equal(seen, 2);
    assert_null(muster_resource_handle(a));
    assert_null(muster__engine_find_resource(f->engine, "pool/none"));
    assert_null(muster__engine_find_driver(f->engine, "none"));

    answer(f, "pool/a start", MUSTER_PENDING);
    start(f, "pool/a", 0);
    finish_handle(f, "pool/a start", "socket 4");
    assert_string_equal(muster_resource_handle(a), "socket 4");
    assert_int_equal(muster_resource_state(a, &status), 0);
    assert_int_equal(status.policy, MUSTER_LAST_STATE);
    assert_int_equal(status.flags, MUSTER_VOLATILE);
    assert_int_equal(status.desired, MUSTER_DESIRED_ACTIVE);
    assert_int_equal(status.durable, 1);
    assert_string_equal(status.handle, "socket 4");

    memset(&shorter, 0x55, sizeof(shorter));
    shorter.size = offsetof(struct muster_resource_status, flags);
    assert_int_equal(muster_resource_state(a, &shorter), 0);
    assert_int_equal(shorter.stage, MUSTER_STAGE_ACTIVE);
    assert_int_equal(((const unsigned char *)&shorter.flags)[0], 0x55); /* an older caller's end */
    shorter.size = 2;
    assert_int_equal(muster_resource_state(a, &shorter), MUSTER_EINVAL);
    assert_int_equal(muster_resource_state(a, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_resource_state(NULL, &status), MUSTER_EINVAL);
    assert_int_equal(muster_resource_foreach(NULL, count, &seen), MUSTER_EINVAL);
    assert_int_equal(muster_resource_foreach(find_driver(f, "pool"), NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_resource_foreach_dependency(NULL, is_never_told, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_resource_foreach_dependency(a, NULL, NULL), MUSTER_EINVAL);
}

static void a_driver_s_name_stays_where_it_is(void **state)
{
    struct fixture *f = *state;
    char name[32];
    DRIVER(f, .name = "pool", USUAL);
    const char *shown = muster_driver_name(find_driver(f, "pool"));
    for (int i = 0; i < 3000; i++) {
        struct muster_driver_def def = {.size = sizeof(def), .name = name};
        snprintf(name, sizeof(name), "driver%d", i);
        assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_ADD_DRIVER, .driver_def = &def}), 0);
        if (i % 1000 == 0)
            assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_CHECK}), 0);
    }
    assert_string_equal(shown, "pool");
    assert_ended(bring_up(f), 0);
    assert_string_equal(shown, "pool");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(every_value_has_a_name_and_no_other_has_one),
        engine_test(a_driver_s_name_stays_where_it_is),
        engine_test(an_initialized_struct_has_its_size_and_nothing_else),
        engine_test(what_was_given_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* From the probe to what the rules say. (The rules themselves: test_rules.c.) */
#include "engine_fixture.h"

static struct fixture *guest(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .initialize = called, .probe = called, .adopt = called, .start = called,
           .stop = called);
    RESOURCE(f, "guest", .name = "web");
    return f;
}

static void what_runs_is_adopted_under_its_record(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE, .handle = "pid 7",
           .token = "0123");
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    f->outcomes[MUSTER_PHASE_ADOPT] = MUSTER_PENDING;
    struct ending *up = bring_up(f);
    assert_string_equal(out(f, "guest/web probe")->handle, "pid 7");
    assert_string_equal(out(f, "guest/web probe")->token, "0123");
    assert_state(f, "guest/web", "inactive, probing");
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_waits(up);
    finish_handle(f, "guest/web adopt", "pid 7, again");
    assert_ended(up, 0);
    assert_state(f, "guest/web", "active");
    assert_commits(f, "guest/web active");
    assert_string_equal(stored(f, "guest/web")->handle, "pid 7, again");
    assert_string_equal(stored(f, "guest/web")->token, "0123");
    assert_int_equal(stored(f, "guest/web")->flags, MUSTER_RECORD_MARK);
    assert_int_equal(stored(f, "guest/web")->generation, 2);
    assert_calls(f, "guest initialize, guest/web probe, guest/web adopt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(what_runs_is_adopted_under_its_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

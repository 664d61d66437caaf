/* SPDX-License-Identifier: MIT */
/* Starting: the wait, the intent, the call, its end. */
#include "engine_fixture.h"

static struct fixture *guest(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "web");
    return f;
}

static struct fixture *up(void **state)
{
    struct fixture *f = guest(state);
    assert_ended(bring_up(f), 0);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void the_intent_is_durable_before_the_call_and_the_end_before_the_caller_hears(void **state)
{
    struct fixture *f = up(state);
    answer(f, "guest/web start", MUSTER_PENDING);
    f->store_held = true;
    struct ending *started = start(f, "guest/web", 0);
    assert_state(f, "guest/web", "starting");
    assert_calls(f, "");
    store_answers(f, 0);
    assert_calls(f, "guest/web start");
    const char *token = stored(f, "guest/web")->token;
    assert_int_equal(strlen(token), 32);
    assert_string_equal(out(f, "guest/web start")->token, token);
    assert_int_equal(stored(f, "guest/web")->attempts, 1);
    assert_int_equal(stored(f, "guest/web")->desired, MUSTER_DESIRED_ACTIVE);
    finish_handle(f, "guest/web start", "pid 7");
    assert_waits(started);
    store_answers(f, 0);
    assert_ended(started, 0);
    assert_state(f, "guest/web", "active");
    assert_string_equal(stored(f, "guest/web")->handle, "pid 7");
    assert_int_equal(stored(f, "guest/web")->attempts, 0);
    assert_int_equal(stored(f, "guest/web")->flags, MUSTER_RECORD_MARK);
}

static void each_start_has_its_own_token(void **state)
{
    struct fixture *f = up(state);
    char first[33];
    answer(f, "guest/web start", -5);
    assert_ended(start(f, "guest/web", 0), -5);
    memcpy(first, stored(f, "guest/web")->token, 33);
    assert_ended(start(f, "guest/web", 0), -5);
    assert_string_not_equal(stored(f, "guest/web")->token, first);
}

/* It lives inside the daemon: a restart needs no intent, and has the token of the start before, if there was one. */
static void a_restart_in_the_same_boot_has_the_token_that_is_recorded(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "adopted", .flags = MUSTER_VOLATILE);
    RESOURCE(f, "pool", .name = "started", .flags = MUSTER_VOLATILE);
    RECORD(f, "pool/adopted", .stage = MUSTER_STAGE_ACTIVE, .desired = MUSTER_DESIRED_ACTIVE);
    RECORD(f, "pool/started", .stage = MUSTER_STAGE_ACTIVE, .desired = MUSTER_DESIRED_ACTIVE, .token = "0123");
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    bring_up(f);
    assert_commits(f, "");
    assert_string_equal(out(f, "pool/adopted start")->token, ""); /* (what muster_op_token() says as NULL) */
    assert_string_equal(out(f, "pool/started start")->token, "0123");
}

static void a_failed_start_is_recorded_and_can_be_retried(void **state)
{
    struct fixture *f = up(state);
    answer(f, "guest/web start", MUSTER_PENDING);
    struct ending *started = start(f, "guest/web", 0);
    finish_with(f, "guest/web start", -12, "no room for a guest");
    assert_ended(started, -12);
    assert_string_equal(started->text, "guest 'web': start: no room for a guest");
    assert_state(f, "guest/web", "inactive, failed");
    assert_commits(f, "guest/web starting; guest/web inactive failure desired");
    answer(f, "guest/web start", MUSTER_OK);
    f->calls[0] = '\0';
    assert_int_equal(retry(f, "guest/web"), 0);
    assert_calls(f, "guest/web probe, guest/web start");
    assert_state(f, "guest/web", "active");
}

static void a_start_that_must_wait_is_deferred_and_told_to_who_asked(void **state)
{
    struct fixture *f = guest(state);
    RESOURCE(f, "guest", .name = "db", .policy = MUSTER_AUTOSTART);
    f->outcomes[MUSTER_PHASE_START] = MUSTER_UNAVAILABLE;
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/db", "inactive, deferred");
    assert_null(stored(f, "guest/db")); /* the intent is taken back */
    assert_ended(start(f, "guest/web", 0), MUSTER_EUNAVAILABLE);
    assert_state(f, "guest/web", "inactive, deferred");
    f->outcomes[MUSTER_PHASE_START] = MUSTER_OK;
    pass(f, 100);
    assert_state(f, "guest/db", "active");
}

static void a_start_that_must_wait_again_and_again_is_tried_with_growing_pauses(void **state)
{
    struct fixture *f = guest(state);
    f->resources[0].def.policy = MUSTER_AUTOSTART;
    answer(f, "guest/web start", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    for (uint64_t pause = 100; pause <= 800; pause *= 2) {
        f->calls[0] = '\0';
        pass(f, pause - 1);
        assert_calls(f, "");
        pass(f, 1);
        assert_calls(f, "guest/web probe, guest/web start");
    }
    answer(f, "guest/web start", MUSTER_OK);
    pass(f, 1600);
    assert_state(f, "guest/web", "active");
}

static void what_was_cut_off_is_started_again_up_to_the_bound(void **state)
{
    struct fixture *f = guest(state);
    RESOURCE(f, "guest", .name = "db");
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_STARTING, .attempts = 2);
    RECORD(f, "guest/db", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_STARTING, .attempts = 3);
    answer(f, "guest/web start", -5);
    assert_ended(bring_up(f), 0);
    assert_int_equal(stored(f, "guest/web")->attempts, 3);
    assert_state(f, "guest/db", "inactive");
    assert_int_equal(stored(f, "guest/db")->reason, MUSTER_REASON_FAILURE);
    assert_int_equal(stored(f, "guest/db")->desired, MUSTER_DESIRED_ACTIVE);
}

static void a_user_s_start_counts_from_one(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_INACTIVE,
           .reason = MUSTER_REASON_FAILURE, .attempts = 3);
    answer(f, "guest/web start", -5);
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/web", 0), -5);
    assert_int_equal(stored(f, "guest/web")->attempts, 1);
}

static void a_start_that_has_waited_is_decided_again(void **state)
{
    struct fixture *f = guest(state);
    DRIVER(f, .name = "slow", USUAL);
    RESOURCE(f, "slow", .name = "disk");
    f->resources[0].def.policy = MUSTER_AUTOSTART;
    answer(f, "slow/disk probe", MUSTER_PENDING);
    struct ending *started = bring_up(f);
    assert_state(f, "guest/web", "inactive, waiting");
    answer(f, "guest/web probe", MUSTER_ACTIVE); /* somebody has started it meanwhile */
    f->calls[0] = '\0';
    finish(f, "slow/disk probe", MUSTER_INACTIVE);
    assert_calls(f, "guest/web probe");
    assert_state(f, "guest/web", "active, unmanaged");
    assert_ended(started, 0);
}

static void a_start_past_its_deadline_leaves_the_state_unknown(void **state)
{
    struct fixture *f = up(state);
    answer(f, "guest/web start", MUSTER_PENDING);
    struct ending *started = start(f, "guest/web", 0);
    pass(f, 1000);
    assert_ended(started, MUSTER_ETIMEDOUT);
    assert_string_equal(started->text, "guest 'web': start: not finished after 1000 ms, state unknown");
    assert_calls(f, "guest/web start, cancel guest/web start");
    assert_state(f, "guest/web", "starting, held");
    assert_ended(start(f, "guest/web", 0), MUSTER_EUNKNOWN); /* no second one beside it */
    assert_ended(stop(f, "guest/web", 0), MUSTER_EBUSY);
    finish(f, "guest/web start", MUSTER_OK);
    assert_true(saw(f, "late guest/web"));
    assert_state(f, "guest/web", "active");
}

static void a_late_failure_is_a_failure(void **state)
{
    struct fixture *f = up(state);
    answer(f, "guest/web start", MUSTER_PENDING);
    start(f, "guest/web", 0);
    pass(f, 1000);
    finish(f, "guest/web start", -5);
    assert_state(f, "guest/web", "inactive, failed");
    assert_int_equal(stored(f, "guest/web")->reason, MUSTER_REASON_FAILURE);
}

static void a_policy_s_start_waits_for_its_own_driver_s_autostart(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .initialize = called, .autostart = called, .probe = called, .start = called);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART);
    answer(f, "guest autostart", MUSTER_PENDING);
    struct ending *ended = bring_up(f);
    assert_state(f, "guest/web", "inactive, waiting");
    finish(f, "guest autostart", MUSTER_OK);
    assert_state(f, "guest/web", "active");
    assert_ended(ended, 0);
}

static void what_waits_says_for_what(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART, .needs = NAMES("guest/disk"));
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, waiting");
    assert_string_equal(why(f, "guest/web"), "guest 'web': not started: needs guest/disk, which is inactive");
    assert_ended(start(f, "guest/disk", 0), 0); /* and goes on when it comes */
    assert_state(f, "guest/web", "active");
    assert_string_equal(why(f, "guest/web"), "");
}

static void a_volatile_one_that_fails_again_and_again_reaches_the_bound(void **state)
{
    struct fixture *f = guest(state);
    f->resources[0].def.flags = MUSTER_VOLATILE;
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/web start", -5);
    assert_ended(bring_up(f), 0);
    assert_int_equal(stored(f, "guest/web")->attempts, 1);
    for (uint64_t life = 2; life <= 3; life++) {
        end_daemon(f);
        assert_ended(bring_up(f), 0);
        assert_int_equal(stored(f, "guest/web")->attempts, life);
    }
    end_daemon(f);
    f->calls[0] = '\0';
    assert_ended(bring_up(f), 0);
    assert_calls(f, "guest initialize, guest/web probe");
    assert_int_equal(stored(f, "guest/web")->desired, MUSTER_DESIRED_ACTIVE);
}

static void a_policy_s_start_that_the_store_refuses_is_tried_again(void **state)
{
    struct fixture *f = guest(state);
    f->resources[0].def.policy = MUSTER_AUTOSTART;
    f->commit_code = -28;
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, deferred");
    assert_text(why(f, "guest/web"), "guest 'web': not started: store: the fake store says ENOSPC");
    f->commit_code = 0;
    pass(f, 1000);
    assert_state(f, "guest/web", "active");
}

static void what_becomes_active_by_itself_before_the_call_is_not_started(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *started = start(f, "guest/web", 0);
    changed(f, "guest/web", MUSTER_CHANGED_ACTIVE);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, 0);
    assert_calls(f, "");
    assert_state(f, "guest/web", "active");
}

static void a_user_s_start_that_is_refused_leaves_a_deferred_one_deferred(void **state)
{
    struct fixture *f = guest(state);
    f->resources[0].def.policy = MUSTER_AUTOSTART;
    answer(f, "guest/web start", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    f->commit_code = -28;
    assert_ended(start(f, "guest/web", 0), -28);
    assert_state(f, "guest/web", "inactive, deferred");
    f->commit_code = 0;
    answer(f, "guest/web start", MUSTER_OK);
    pass(f, 10000);
    assert_state(f, "guest/web", "active");
}

static void a_user_s_start_of_what_waits_in_vain_leaves_it_waiting(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART, .needs = NAMES("guest/disk"));
    assert_ended(bring_up(f), 0);
    answer(f, "guest/disk start", -5);
    assert_ended(start(f, "guest/web", MUSTER_START_DEPENDENCIES), MUSTER_EDEPENDENCY);
    assert_state(f, "guest/web", "inactive, waiting");
}

/* disk runs, web needs it, and other holds the one place there is. */
static struct fixture *crowded(void **state, uint64_t max_ops, uintptr_t max_starts)
{
    struct fixture *f = *state;
    f->options.max_ops = max_ops;
    DRIVER(f, .name = "guest", .max_starts = max_starts, USUAL);
    RESOURCE(f, "guest", .name = "disk");
    RESOURCE(f, "guest", .name = "other");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("guest/disk"));
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/disk", 0), 0);
    answer(f, "guest/other start", MUSTER_PENDING);
    start(f, "guest/other", 0);
    f->calls[0] = '\0';
    return f;
}

static void what_it_needs_may_go_while_it_waits_for_its_turn(void **state)
{
    struct fixture *f = crowded(state, 0, 1);
    struct ending *started = start(f, "guest/web", 0);
    changed(f, "guest/disk", MUSTER_CHANGED_LOST);
    finish(f, "guest/other start", MUSTER_OK);
    assert_ended(started, MUSTER_EDEPENDENCY);
    assert_calls(f, "");
}

static void what_it_needs_may_go_while_its_call_waits(void **state)
{
    struct fixture *f = crowded(state, 1, 0);
    struct ending *started = start(f, "guest/web", 0);
    changed(f, "guest/disk", MUSTER_CHANGED_LOST);
    finish(f, "guest/other start", MUSTER_OK);
    assert_ended(started, MUSTER_EDEPENDENCY);
    assert_calls(f, "");
    assert_null(stored(f, "guest/web"));
}

static void the_shutdown_comes_before_a_start_that_waits_for_its_turn_or_its_call(void **state)
{
    struct fixture *f = crowded(state, 0, 1);
    struct ending *started = start(f, "guest/web", 0);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_ended(started, MUSTER_ECANCELED);
    finish(f, "guest/other start", MUSTER_ECANCELED);
    assert_ended(down, 0);
    assert_null(stored(f, "guest/web"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(the_intent_is_durable_before_the_call_and_the_end_before_the_caller_hears),
        engine_test(each_start_has_its_own_token),
        engine_test(a_restart_in_the_same_boot_has_the_token_that_is_recorded),
        engine_test(a_failed_start_is_recorded_and_can_be_retried),
        engine_test(a_start_that_must_wait_is_deferred_and_told_to_who_asked),
        engine_test(a_start_that_must_wait_again_and_again_is_tried_with_growing_pauses),
        engine_test(what_was_cut_off_is_started_again_up_to_the_bound),
        engine_test(a_user_s_start_counts_from_one),
        engine_test(a_start_that_has_waited_is_decided_again),
        engine_test(a_start_past_its_deadline_leaves_the_state_unknown),
        engine_test(a_late_failure_is_a_failure),
        engine_test(a_policy_s_start_waits_for_its_own_driver_s_autostart),
        engine_test(what_waits_says_for_what),
        engine_test(a_volatile_one_that_fails_again_and_again_reaches_the_bound),
        engine_test(a_policy_s_start_that_the_store_refuses_is_tried_again),
        engine_test(what_becomes_active_by_itself_before_the_call_is_not_started),
        engine_test(a_user_s_start_that_is_refused_leaves_a_deferred_one_deferred),
        engine_test(a_user_s_start_of_what_waits_in_vain_leaves_it_waiting),
        engine_test(what_it_needs_may_go_while_it_waits_for_its_turn),
        engine_test(what_it_needs_may_go_while_its_call_waits),
        engine_test(the_shutdown_comes_before_a_start_that_waits_for_its_turn_or_its_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

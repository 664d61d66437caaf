/* SPDX-License-Identifier: MIT */
/* Stopping: the intent, the wait for what depends on it, the call, its end. */
#include "engine_fixture.h"

/* guest/web runs on pool/disk. */
static struct fixture *running(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), USUAL);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/web", MUSTER_START_DEPENDENCIES), 0);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void the_intent_is_durable_before_the_call_and_the_end_before_the_caller_hears(void **state)
{
    struct fixture *f = running(state);
    f->store_held = true;
    struct ending *stopped = stop(f, "guest/web", 0);
    assert_state(f, "guest/web", "stopping");
    assert_calls(f, "");
    store_answers(f, 0);
    assert_calls(f, "guest/web stop");
    assert_waits(stopped);
    store_answers(f, 0);
    assert_ended(stopped, 0);
    assert_commits(f, "guest/web stopping user; guest/web inactive user");
    assert_state(f, "guest/web", "inactive");
}

static void what_was_shown_inactive_is_recorded_stopped_without_a_call(void **state)
{
    struct fixture *f = running(state);
    assert_ended(stop(f, "guest/web", 0), 0);
    f->calls[0] = f->commits[0] = '\0';
    assert_ended(stop(f, "guest/web", 0), 0);
    assert_calls(f, "");
    assert_commits(f, "");
}

static void what_was_never_active_is_recorded_stopped(void **state)
{
    struct fixture *f = running(state);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "new", .policy = MUSTER_AUTOSTART), 0);
    f->calls[0] = f->commits[0] = '\0';
    assert_ended(stop(f, "pool/new", 0), 0);
    assert_calls(f, "");
    assert_string_equal(stored(f, "pool/new")->boot, "boot-1");
    assert_int_equal(stored(f, "pool/new")->reason, MUSTER_REASON_USER);
}

static void a_held_one_is_stopped_by_a_call(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web probe", -5);
    changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
    assert_state(f, "guest/web", "inactive, held");
    f->calls[0] = '\0';
    assert_ended(stop(f, "guest/web", 0), 0);
    assert_calls(f, "guest/web stop");
    assert_state(f, "guest/web", "inactive");
}

static void what_others_need_is_not_stopped(void **state)
{
    struct fixture *f = running(state);
    struct ending *stopped = stop(f, "pool/disk", 0);
    assert_ended(stopped, MUSTER_EDEPENDENCY);
    assert_string_equal(stopped->text,
                        "pool 'disk': stop: needed by guest/web: stop it first, or cascade");
    assert_commits(f, "");
    assert_state(f, "pool/disk", "active");
}

static void a_cascade_is_one_batch_of_intents_dependents_first(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "pool/disk", MUSTER_STOP_CASCADE);
    assert_calls(f, "guest/web stop");
    assert_int_equal(out(f, "guest/web stop")->cause, MUSTER_CAUSE_CASCADE);
    assert_commits(f, "pool/disk stopping user, guest/web stopping user");
    finish(f, "guest/web stop", MUSTER_OK);
    assert_calls(f, "pool/disk stop");
    assert_ended(stopped, 0);
}

static void a_cascade_whose_first_stop_fails_leaves_the_rest_running(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", -16);
    struct ending *stopped = stop(f, "pool/disk", MUSTER_STOP_CASCADE);
    assert_ended(stopped, MUSTER_EDEPENDENCY);
    assert_text(stopped->text, "pool 'disk': stop: guest/web needs it and is active");
    assert_calls(f, "guest/web stop");
    assert_state(f, "pool/disk", "active");
    assert_state(f, "guest/web", "active");
    assert_int_equal(stored(f, "pool/disk")->stage, MUSTER_STAGE_ACTIVE);
    assert_int_equal(stored(f, "pool/disk")->desired, MUSTER_DESIRED_ACTIVE);
}

static void a_failed_stop_is_active_again_before_the_caller_hears(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "guest/web", 0);
    f->store_held = true;
    finish(f, "guest/web stop", -16);
    assert_waits(stopped);
    store_answers(f, 0);
    assert_ended(stopped, -16);
    assert_string_equal(stopped->text, "guest 'web': stop: Device or resource busy");
    assert_commits(f, "guest/web stopping user; guest/web active");
    assert_state(f, "guest/web", "active");
}

static void a_failed_stop_of_what_was_held_is_held_again(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web probe", -5);
    answer(f, "guest/web stop", -16);
    changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
    assert_ended(stop(f, "guest/web", 0), -16);
    assert_state(f, "guest/web", "inactive, held");
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    pass(f, 200); /* the second try */
    assert_state(f, "guest/web", "active");
}

static void a_stop_past_its_deadline_leaves_the_state_unknown(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "guest/web", 0);
    pass(f, 1000);
    assert_ended(stopped, MUSTER_ETIMEDOUT);
    assert_state(f, "guest/web", "stopping, held");
    finish(f, "guest/web stop", MUSTER_OK);
    assert_state(f, "guest/web", "inactive");
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_INACTIVE);
}

static void a_foreign_one_is_stopped_without_a_handle(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "web");
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_STARTING, .handle = "pid 7");
    answer(f, "guest/web probe", MUSTER_FOREIGN);
    answer(f, "guest/web stop", MUSTER_PENDING);
    assert_ended(bring_up(f), 0);
    stop(f, "guest/web", 0);
    assert_null(out(f, "guest/web stop")->handle);
}

/* The last daemon was about to stop the disk, and web needs it. */
static struct fixture *in_a_stop(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), USUAL);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    RECORD(f, "pool/disk", .stage = MUSTER_STAGE_STOPPING);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_ACTIVE;
    assert_ended(bring_up(f), 0);
    return f;
}

static void a_finished_stop_of_the_last_daemon_waits_for_dependents(void **state)
{
    struct fixture *f = in_a_stop(state);
    assert_null(strstr(f->calls, "stop"));
    assert_state(f, "pool/disk", "stopping, waiting");
    assert_text(why(f, "pool/disk"), "guest/web needs it and is active");
    assert_ended(stop(f, "guest/web", 0), 0);
    assert_state(f, "pool/disk", "inactive");
}

static void a_finished_stop_of_the_last_daemon_goes_on_when_its_dependent_ends_itself(void **state)
{
    struct fixture *f = in_a_stop(state);
    changed(f, "guest/web", MUSTER_CHANGED_INACTIVE);
    assert_state(f, "pool/disk", "inactive");
}

static void a_cascade_from_what_is_lost_ends_after_its_dependents(void **state)
{
    struct fixture *f = running(state);
    assert_int_equal(changed(f, "pool/disk", MUSTER_CHANGED_LOST), 0);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *ended = stop(f, "pool/disk", MUSTER_STOP_CASCADE);
    assert_calls(f, "guest/web stop");
    assert_waits(ended);
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(ended, 0);
    assert_calls(f, "");
    assert_state(f, "pool/disk", "inactive");
    assert_int_equal(stored(f, "pool/disk")->reason, MUSTER_REASON_USER);
    assert_int_equal(stored(f, "guest/web")->reason, MUSTER_REASON_USER);
}

static void a_cascade_from_what_is_lost_tells_that_a_dependent_runs_on(void **state)
{
    struct fixture *f = running(state);
    assert_int_equal(changed(f, "pool/disk", MUSTER_CHANGED_LOST), 0);
    answer(f, "guest/web stop", -5);
    assert_ended(stop(f, "pool/disk", MUSTER_STOP_CASCADE), MUSTER_EDEPENDENCY);
    assert_int_equal(stored(f, "pool/disk")->reason, MUSTER_REASON_LOSS);
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_ACTIVE);
}

static void a_cascade_does_not_wait_for_a_dependent_whose_op_is_past_its_deadline(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web probe", MUSTER_PENDING);
    changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
    pass(f, 1000);
    struct ending *stopped = stop(f, "pool/disk", MUSTER_STOP_CASCADE);
    assert_ended(stopped, MUSTER_EDEPENDENCY);
    assert_text(stopped->text, "guest/web needs it");
    assert_state(f, "pool/disk", "active");
    f->outcomes[MUSTER_PHASE_STOP] = MUSTER_OK;
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(stop(f, "pool/disk", MUSTER_STOP_CASCADE), 0);
}

static void a_cascade_ends_when_a_dependent_s_stop_is_past_its_deadline(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "pool/disk", MUSTER_STOP_CASCADE);
    pass(f, 1000);
    assert_ended(stopped, MUSTER_EDEPENDENCY);
    assert_state(f, "pool/disk", "active");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(the_intent_is_durable_before_the_call_and_the_end_before_the_caller_hears),
        engine_test(what_was_shown_inactive_is_recorded_stopped_without_a_call),
        engine_test(what_was_never_active_is_recorded_stopped),
        engine_test(a_held_one_is_stopped_by_a_call),
        engine_test(what_others_need_is_not_stopped),
        engine_test(a_cascade_is_one_batch_of_intents_dependents_first),
        engine_test(a_cascade_whose_first_stop_fails_leaves_the_rest_running),
        engine_test(a_failed_stop_is_active_again_before_the_caller_hears),
        engine_test(a_failed_stop_of_what_was_held_is_held_again),
        engine_test(a_stop_past_its_deadline_leaves_the_state_unknown),
        engine_test(a_foreign_one_is_stopped_without_a_handle),
        engine_test(a_finished_stop_of_the_last_daemon_waits_for_dependents),
        engine_test(a_finished_stop_of_the_last_daemon_goes_on_when_its_dependent_ends_itself),
        engine_test(a_cascade_from_what_is_lost_ends_after_its_dependents),
        engine_test(a_cascade_from_what_is_lost_tells_that_a_dependent_runs_on),
        engine_test(a_cascade_does_not_wait_for_a_dependent_whose_op_is_past_its_deadline),
        engine_test(a_cascade_ends_when_a_dependent_s_stop_is_past_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

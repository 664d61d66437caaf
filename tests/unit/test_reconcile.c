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

static void what_runs_unrecorded_is_left_alone_until_a_user_starts_it(void **state)
{
    struct fixture *f = guest(state);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "active, unmanaged");
    assert_text(why(f, "guest/web"), "there is no record of it");
    assert_null(stored(f, "guest/web"));
    assert_true(saw(f, "unrecorded guest/web"));
    f->calls[0] = '\0';
    assert_ended(start(f, "guest/web", 0), 0);
    assert_calls(f, "guest/web adopt");
    assert_state(f, "guest/web", "active");
}

static void the_handle_of_another_boot_is_not_given_to_probe(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE, .handle = "pid 7",
           .boot = "boot-0");
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    bring_up(f);
    assert_null(out(f, "guest/web probe")->handle);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_string_equal(stored(f, "guest/web")->boot, "boot-1");
    assert_null(stored(f, "guest/web")->handle);
}

static void unavailable_defers_and_is_asked_again(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/web probe", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, deferred");
    assert_text(why(f, "guest/web"), "guest 'web': probe: not available yet");
    f->calls[0] = '\0';
    pass(f, 100 + 200 - 1);
    assert_calls(f, "guest/web probe");
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    pass(f, 1);
    assert_state(f, "guest/web", "active");
}

static void an_answer_that_says_nothing_holds(void **state)
{
    static const int answers[] = {MUSTER_OK, -5, MUSTER_SKIP, 77};
    struct fixture *f = guest(state);
    answer(f, "guest/web probe", answers[0]);
    bring_up(f);
    for (size_t i = 0; i < 4; i++) {
        answer(f, "guest/web probe", answers[i]);
        assert_int_equal(retry(f, "guest/web"), 0);
        assert_state(f, "guest/web", "inactive, held");
        assert_ended(start(f, "guest/web", 0), MUSTER_EUNKNOWN);
    }
    assert_text(why(f, "guest/web"), "the callback returned 77, which answers nothing");
}

static void a_probe_past_its_deadline_holds_and_its_late_answer_counts(void **state)
{
    struct fixture *f = guest(state);
    answer(f, "guest/web probe", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    pass(f, 1000);
    assert_ended(up, 0);
    assert_state(f, "guest/web", "inactive, held");
    assert_string_equal(why(f, "guest/web"), "guest 'web': probe: not finished after 1000 ms, state unknown");
    assert_int_equal(retry(f, "guest/web"), MUSTER_EBUSY);
    finish(f, "guest/web probe", MUSTER_INACTIVE);
    assert_state(f, "guest/web", "inactive");
}

static void a_lost_one_is_recorded_and_told(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive");
    assert_true(saw(f, "loss guest/web"));
    assert_commits(f, "guest/web inactive loss desired");
}

static void a_volatile_one_is_started_again_in_reconcile_without_an_intent(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "rbd", .flags = MUSTER_VOLATILE);
    RECORD(f, "pool/rbd", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "pool/rbd start", MUSTER_PENDING);
    struct ending *reconciled = when(f, MUSTER_RECONCILED);
    bring_up(f);
    assert_commits(f, "");
    assert_int_equal(out(f, "pool/rbd start")->cause, MUSTER_CAUSE_RESTORE);
    assert_waits(reconciled);
    finish(f, "pool/rbd start", MUSTER_OK);
    assert_ended(reconciled, 0);
    assert_state(f, "pool/rbd", "active");
}

static void without_a_probe_the_record_decides(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "secret", .initialize = called, .start = called);
    RESOURCE(f, "secret", .name = "key");
    RESOURCE(f, "secret", .name = "other");
    RECORD(f, "secret/key", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_calls(f, "secret initialize, secret/key start");
    assert_state(f, "secret/key", "active");
    assert_state(f, "secret/other", "inactive");
}

static void what_was_starting_and_is_foreign_is_held(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_STARTING, .attempts = 1);
    answer(f, "guest/web probe", MUSTER_FOREIGN);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, held");
    assert_ended(start(f, "guest/web", 0), MUSTER_EUNKNOWN);
}

static void an_unknown_boot_trusts_nothing(void **state)
{
    struct fixture *f = *state;
    f->options.boot_id = "";
    guest(state);
    RESOURCE(f, "guest", .name = "db", .policy = MUSTER_AUTOSTART);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, held");
    assert_text(why(f, "guest/web"), "it isn't known whether the machine has booted since");
    assert_state(f, "guest/db", "inactive, held");
}

static void a_stop_of_the_last_daemon_is_finished_after_the_barrier(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .stage = MUSTER_STAGE_STOPPING, .reason = MUSTER_REASON_USER);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_calls(f, "guest initialize, guest/web probe, guest/web stop");
    assert_commits(f, "guest/web inactive user");
}

static void a_stop_of_the_last_daemon_that_fails_is_still_to_be_finished(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .stage = MUSTER_STAGE_STOPPING, .reason = MUSTER_REASON_USER, .handle = "pid 7");
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    answer(f, "guest/web stop", -5);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, held");
    assert_commits(f, "");
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_STOPPING);
    assert_string_equal(stored(f, "guest/web")->handle, "pid 7");
    answer(f, "guest/web stop", MUSTER_OK);
    assert_int_equal(retry(f, "guest/web"), 0);
    assert_state(f, "guest/web", "inactive");
    assert_commits(f, "guest/web inactive user");
}

/* A user's stop that the last daemon began, and a driver that holds the barrier. */
static struct fixture *in_a_stop(void **state)
{
    struct fixture *f = guest(state);
    DRIVER(f, .name = "slow", .initialize = called);
    RECORD(f, "guest/web", .stage = MUSTER_STAGE_STOPPING, .reason = MUSTER_REASON_USER);
    answer(f, "slow initialize", MUSTER_PENDING);
    return f;
}

static void a_report_that_it_runs_does_not_undo_a_stop_that_waits_for_the_barrier(void **state)
{
    struct fixture *f = in_a_stop(state);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    struct ending *up = bring_up(f);
    assert_state(f, "guest/web", "stopping, waiting");
    changed(f, "guest/web", MUSTER_CHANGED_ACTIVE);
    assert_state(f, "guest/web", "stopping, waiting");
    finish(f, "slow initialize", MUSTER_OK);
    assert_ended(up, 0);
    assert_commits(f, "guest/web inactive user");
    assert_calls(f, "guest initialize, guest/web probe, slow initialize, guest/web stop");
}

static void a_report_that_it_runs_leads_to_the_stop_that_no_probe_could_decide(void **state)
{
    struct fixture *f = in_a_stop(state);
    answer(f, "guest/web probe", MUSTER_UNAVAILABLE);
    struct ending *up = bring_up(f);
    assert_state(f, "guest/web", "inactive, deferred");
    changed(f, "guest/web", MUSTER_CHANGED_ACTIVE);
    assert_state(f, "guest/web", "stopping, waiting");
    finish(f, "slow initialize", MUSTER_OK);
    assert_ended(up, 0);
    assert_commits(f, "guest/web inactive user");
}

static void an_adoption_that_fails_holds_one_that_must_wait_defers(void **state)
{
    struct fixture *f = guest(state);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    answer(f, "guest/web adopt", -111);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, held");
    assert_text(why(f, "guest/web"), "guest 'web': adopt: Connection refused");
    answer(f, "guest/web adopt", MUSTER_UNAVAILABLE);
    assert_int_equal(retry(f, "guest/web"), 0);
    assert_state(f, "guest/web", "inactive, deferred");
    answer(f, "guest/web adopt", MUSTER_OK);
    pass(f, 100);
    assert_state(f, "guest/web", "active");
}

/* ---- what drivers report ------------------------------------------------------------------------- */

static struct fixture *running(void **state, uintptr_t flags)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "web", .flags = flags);
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/web", 0), 0);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void what_ends_itself_is_recorded_so(void **state)
{
    struct fixture *f = running(state, 0);
    assert_int_equal(changed(f, "guest/web", MUSTER_CHANGED_INACTIVE), 0);
    assert_commits(f, "guest/web inactive self");
    assert_state(f, "guest/web", "inactive");
}

static void what_is_lost_stays_desired(void **state)
{
    struct fixture *f = running(state, 0);
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    assert_commits(f, "guest/web inactive loss desired");
    assert_true(saw(f, "loss guest/web"));
}

static void restart_on_loss_starts_again_after_a_growing_pause(void **state)
{
    struct fixture *f = running(state, MUSTER_RESTART_ON_LOSS);
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    assert_state(f, "guest/web", "inactive, deferred");
    assert_text(why(f, "guest/web"), "was lost, and is started again");
    pass(f, 100);
    assert_state(f, "guest/web", "active");
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    pass(f, 199);
    assert_state(f, "guest/web", "inactive, deferred");
    pass(f, 1);
    assert_state(f, "guest/web", "active");
    pass(f, 1601);
    changed(f, "guest/web", MUSTER_CHANGED_LOST); /* it has run for long: from the first pause again */
    pass(f, 100);
    assert_state(f, "guest/web", "active");
}

static void what_nobody_can_tell_is_probed(void **state)
{
    struct fixture *f = running(state, 0);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
    assert_calls(f, "guest/web probe");
    assert_state(f, "guest/web", "active");
}

static void what_comes_to_life_by_itself_is_active(void **state)
{
    struct fixture *f = running(state, 0);
    assert_ended(stop(f, "guest/web", 0), 0);
    f->commits[0] = '\0';
    changed(f, "guest/web", MUSTER_CHANGED_ACTIVE);
    assert_state(f, "guest/web", "active");
    assert_commits(f, "guest/web active");
    changed(f, "guest/web", MUSTER_CHANGED_ACTIVE);
    assert_commits(f, "");
}

/* While its stop is out, guest/web is reported to be lost, and to run. */
static void report_during_a_stop(struct fixture *f, int outcome)
{
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "guest/web", 0);
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    changed(f, "guest/web", MUSTER_CHANGED_ACTIVE);
    finish(f, "guest/web stop", outcome);
    assert_ended(stopped, outcome);
}

static void a_report_that_it_runs_does_not_undo_a_stop_that_is_out(void **state)
{
    struct fixture *f = running(state, 0);
    report_during_a_stop(f, MUSTER_OK);
    assert_calls(f, "guest/web stop, guest/web probe"); /* it may have come up again since */
    assert_state(f, "guest/web", "inactive");
    assert_commits(f, "guest/web stopping user; guest/web inactive user");
}

static void without_a_probe_the_end_of_a_stop_is_newer_than_a_report_during_it(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .start = called, .stop = called);
    assert_int_equal(ADD_RESOURCE(f, "guest", .name = "web"), 0);
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/web", 0), 0);
    report_during_a_stop(f, MUSTER_OK);
    assert_state(f, "guest/web", "inactive");
    assert_ended(start(f, "guest/web", 0), 0);
    report_during_a_stop(f, -5);
    assert_state(f, "guest/web", "active");
}

static void a_report_during_an_op_counts_when_it_has_ended(void **state)
{
    struct fixture *f = running(state, 0);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "guest/web", 0);
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    finish(f, "guest/web stop", -5);
    assert_ended(stopped, -5);
    assert_state(f, "guest/web", "inactive");
    assert_int_equal(stored(f, "guest/web")->reason, MUSTER_REASON_LOSS);
}

static void a_report_during_a_probe_makes_its_answer_old(void **state)
{
    struct fixture *f = running(state, 0);
    answer(f, "guest/web probe", MUSTER_PENDING);
    changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    answer(f, "guest/web probe", MUSTER_INACTIVE);
    f->calls[0] = '\0';
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_calls(f, "guest/web probe");
    assert_state(f, "guest/web", "inactive");
}

static void an_unmanaged_one_that_ends_is_inactive(void **state)
{
    struct fixture *f = guest(state);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    bring_up(f);
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    assert_state(f, "guest/web", "inactive");
}

static void what_is_no_change_is_refused(void **state)
{
    struct fixture *f = running(state, 0);
    assert_int_equal(changed(f, "guest/web", (enum muster_change)4), MUSTER_EINVAL);
}

static void what_is_simply_active_is_not_retried(void **state)
{
    struct fixture *f = running(state, 0);
    assert_int_equal(retry(f, "guest/web"), MUSTER_ESTATE);
    assert_text(muster_error_text(muster__engine_error(f->engine)), "is not held, deferred, failed or waiting");
}

/* ---- marks ------------------------------------------------------------------------------------------ */

static void what_is_added_late_is_marked_and_not_started(void **state)
{
    struct fixture *f = running(state, 0);
    assert_int_equal(ADD_RESOURCE(f, "guest", .name = "new", .policy = MUSTER_AUTOSTART), 0);
    assert_state(f, "guest/new", "inactive");
    assert_int_equal(stored(f, "guest/new")->flags, MUSTER_RECORD_MARK);
}

static void a_changed_policy_starts_nothing_now_or_at_the_next_restart(void **state)
{
    struct fixture *f = running(state, 0);
    assert_int_equal(ADD_RESOURCE(f, "guest", .name = "new"), 0);
    changed(f, "guest/web", MUSTER_CHANGED_INACTIVE);
    assert_int_equal(set_policy(f, "guest/web", MUSTER_AUTOSTART), 0);
    assert_int_equal(set_policy(f, "guest/web", (enum muster_policy)4), MUSTER_EINVAL);
    assert_state(f, "guest/web", "inactive");
    end_daemon(f);
    RESOURCE(f, "guest", .name = "new", .policy = MUSTER_AUTOSTART);
    f->resources[0].def.policy = MUSTER_AUTOSTART;
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive");
}

static void a_changed_policy_starts_no_deferred_one(void **state)
{
    struct fixture *f = guest(state);
    answer(f, "guest/web probe", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    assert_int_equal(set_policy(f, "guest/web", MUSTER_AUTOSTART), 0);
    answer(f, "guest/web probe", MUSTER_INACTIVE);
    pass(f, 1000);
    assert_state(f, "guest/web", "inactive");
    assert_int_equal(stored(f, "guest/web")->flags, MUSTER_RECORD_MARK); /* nor does the next restart start it */
}

static void what_autostart_could_not_start_yet_is_started_under_another_policy_that_would(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_UNLESS_STOPPED);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE, .boot = "boot-0");
    answer(f, "guest/web probe", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    assert_int_equal(set_policy(f, "guest/web", MUSTER_AUTOSTART), 0);
    assert_int_equal(set_policy(f, "guest/web", MUSTER_AUTOSTART), 0);
    answer(f, "guest/web probe", MUSTER_INACTIVE);
    pass(f, 1000);
    assert_state(f, "guest/web", "active");
}

static void a_policy_set_again_during_its_start_does_not_end_what_is_due(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "guest", .name = "db", .policy = MUSTER_AUTOSTART);
    answer(f, "guest/web probe", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    answer(f, "guest/web probe", MUSTER_INACTIVE);
    answer(f, "guest/web start", MUSTER_PENDING);
    pass(f, 100);
    assert_int_equal(set_policy(f, "guest/web", MUSTER_AUTOSTART), 0);
    answer(f, "guest/web start", MUSTER_OK);
    finish(f, "guest/web start", MUSTER_UNAVAILABLE); /* its device comes late */
    pass(f, 1000);
    assert_state(f, "guest/web", "active");
}

static void without_a_store_nothing_is_started_late_either(void **state)
{
    struct fixture *f = *state;
    f->options.has_store = false;
    guest(state);
    assert_ended(bring_up(f), 0);
    assert_int_equal(set_policy(f, "guest/web", MUSTER_AUTOSTART), 0);
    for (int i = 0; i < 2; i++) {
        changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
        assert_state(f, "guest/web", "inactive");
    }
}

static void a_changed_policy_starts_no_unmanaged_one_that_has_ended(void **state)
{
    struct fixture *f = guest(state);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "active, unmanaged");
    assert_int_equal(set_policy(f, "guest/web", MUSTER_AUTOSTART), 0);
    answer(f, "guest/web probe", MUSTER_INACTIVE);
    changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
    assert_state(f, "guest/web", "inactive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(what_runs_is_adopted_under_its_record),
        engine_test(what_runs_unrecorded_is_left_alone_until_a_user_starts_it),
        engine_test(the_handle_of_another_boot_is_not_given_to_probe),
        engine_test(unavailable_defers_and_is_asked_again),
        engine_test(an_answer_that_says_nothing_holds),
        engine_test(a_probe_past_its_deadline_holds_and_its_late_answer_counts),
        engine_test(a_lost_one_is_recorded_and_told),
        engine_test(a_volatile_one_is_started_again_in_reconcile_without_an_intent),
        engine_test(without_a_probe_the_record_decides),
        engine_test(what_was_starting_and_is_foreign_is_held),
        engine_test(an_unknown_boot_trusts_nothing),
        engine_test(a_stop_of_the_last_daemon_is_finished_after_the_barrier),
        engine_test(a_stop_of_the_last_daemon_that_fails_is_still_to_be_finished),
        engine_test(a_report_that_it_runs_does_not_undo_a_stop_that_waits_for_the_barrier),
        engine_test(a_report_that_it_runs_leads_to_the_stop_that_no_probe_could_decide),
        engine_test(an_adoption_that_fails_holds_one_that_must_wait_defers),
        engine_test(what_ends_itself_is_recorded_so),
        engine_test(what_is_lost_stays_desired),
        engine_test(restart_on_loss_starts_again_after_a_growing_pause),
        engine_test(what_nobody_can_tell_is_probed),
        engine_test(what_comes_to_life_by_itself_is_active),
        engine_test(a_report_that_it_runs_does_not_undo_a_stop_that_is_out),
        engine_test(without_a_probe_the_end_of_a_stop_is_newer_than_a_report_during_it),
        engine_test(a_report_during_an_op_counts_when_it_has_ended),
        engine_test(a_report_during_a_probe_makes_its_answer_old),
        engine_test(an_unmanaged_one_that_ends_is_inactive),
        engine_test(what_is_no_change_is_refused),
        engine_test(what_is_simply_active_is_not_retried),
        engine_test(what_is_added_late_is_marked_and_not_started),
        engine_test(a_changed_policy_starts_nothing_now_or_at_the_next_restart),
        engine_test(a_changed_policy_starts_no_deferred_one),
        engine_test(what_autostart_could_not_start_yet_is_started_under_another_policy_that_would),
        engine_test(a_policy_set_again_during_its_start_does_not_end_what_is_due),
        engine_test(without_a_store_nothing_is_started_late_either),
        engine_test(a_changed_policy_starts_no_unmanaged_one_that_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

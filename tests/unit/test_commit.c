/* SPDX-License-Identifier: MIT */
/* Batches of records on their way to the store, and what its answers mean. */
#include "engine_fixture.h"

static struct fixture *pools(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "a");
    RESOURCE(f, "pool", .name = "b");
    RESOURCE(f, "pool", .name = "c");
    assert_ended(bring_up(f), 0);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void what_changes_during_a_commit_goes_together_in_the_next(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    struct ending *a = start(f, "pool/a", 0);
    assert_commits(f, "pool/a starting");
    start(f, "pool/b", 0);
    struct ending *c = start(f, "pool/c", 0);
    assert_calls(f, "");
    store_answers(f, 0);
    assert_calls(f, "pool/a start");
    assert_commits(f, "pool/b starting, pool/c starting, pool/a active");
    assert_waits(a);
    store_answers(f, 0);
    assert_ended(a, 0);
    assert_calls(f, "pool/b start, pool/c start");
    assert_commits(f, "pool/b active, pool/c active");
    assert_waits(c);
    store_answers(f, 0);
    assert_ended(c, 0);
    assert_commits(f, "");
}

static void again_is_tried_again(void **state)
{
    struct fixture *f = pools(state);
    f->commit_code = MUSTER_EAGAIN;
    struct ending *started = start(f, "pool/a", 0);
    pass(f, 99);
    assert_commits(f, "pool/a starting");
    f->commit_code = 0;
    pass(f, 1);
    assert_commits(f, "pool/a starting; pool/a active");
    assert_ended(started, 0);
}

static void again_for_ever_is_a_failure(void **state)
{
    struct fixture *f = pools(state);
    f->commit_code = MUSTER_EAGAIN;
    struct ending *started = start(f, "pool/a", 0);
    pass(f, 100 + 200 + 400 + 800);
    assert_waits(started);
    pass(f, 1600);
    assert_ended(started, MUSTER_EAGAIN);
    assert_text(started->text, "pool 'a': not started");
    assert_text(started->text, "the fake store says MUSTER_EAGAIN");
    assert_calls(f, "");
    assert_state(f, "pool/a", "inactive");
    assert_null(stored(f, "pool/a"));
}

static void a_refused_intent_starts_nothing(void **state)
{
    struct fixture *f = pools(state);
    f->commit_code = -28;
    struct ending *started = start(f, "pool/a", 0);
    assert_ended(started, -28);
    assert_true(saw(f, "store"));
    assert_calls(f, "");
    assert_state(f, "pool/a", "inactive");
    f->commit_code = 0;
    assert_ended(start(f, "pool/a", 0), 0); /* a new record doesn't wait for the pause's end */
    assert_state(f, "pool/a", "active");
}

static void a_refused_stop_leaves_it_running(void **state)
{
    struct fixture *f = pools(state);
    assert_ended(start(f, "pool/a", 0), 0);
    f->calls[0] = '\0';
    f->commit_code = -28;
    struct ending *stopped = stop(f, "pool/a", 0);
    assert_ended(stopped, -28);
    assert_text(stopped->text, "pool 'a': not stopped");
    assert_calls(f, "");
    assert_state(f, "pool/a", "active");
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_ACTIVE);
    assert_int_equal(stored(f, "pool/a")->desired, MUSTER_DESIRED_ACTIVE);
}

static void what_runs_and_could_not_be_recorded_is_recorded_later(void **state)
{
    struct fixture *f = pools(state);
    struct muster_resource_status status = {.size = sizeof(status)};
    answer(f, "pool/a start", MUSTER_PENDING);
    struct ending *started = start(f, "pool/a", 0);
    f->commit_code = -28;
    finish(f, "pool/a start", MUSTER_OK);
    assert_ended(started, -28);
    assert_state(f, "pool/a", "active");
    muster_resource_state(find(f, "pool/a"), &status);
    assert_int_equal(status.durable, 0);
    assert_true((muster__engine_holds(f->engine) & MUSTER_HOLDS_RECORDS) != 0);
    f->commit_code = 0;
    pass(f, 100);
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_ACTIVE);
    assert_int_equal(muster__engine_holds(f->engine), 0);
}

static void what_was_stopped_and_could_not_be_recorded_is_recorded_later(void **state)
{
    struct fixture *f = pools(state);
    assert_ended(start(f, "pool/a", 0), 0);
    answer(f, "pool/a stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "pool/a", 0);
    f->commit_code = -28;
    finish(f, "pool/a stop", MUSTER_OK);
    assert_ended(stopped, -28);
    assert_state(f, "pool/a", "inactive");
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_STOPPING);
    f->commit_code = 0;
    pass(f, 100);
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_INACTIVE);
}

static void indeterminate_and_applied_goes_on(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    store_applies(f);
    store_answers(f, MUSTER_EINDETERMINATE);
    assert_true(f->store_busy && f->store_call == MUSTER__ACTION_LOAD);
    assert_calls(f, "");
    f->store_held = false;
    store_answers(f, 0);
    assert_calls(f, "pool/a start");
    assert_ended(started, 0);
}

static void indeterminate_and_not_applied_is_refused(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    store_answers(f, MUSTER_EINDETERMINATE);
    assert_waits(started);
    store_answers(f, 0);
    assert_ended(started, MUSTER_EINDETERMINATE);
    assert_calls(f, "");
    assert_state(f, "pool/a", "inactive");
    assert_false(f->store_busy);
}

static void a_reload_that_fails_is_tried_again(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    store_applies(f);
    store_answers(f, MUSTER_EINDETERMINATE);
    store_answers(f, -5);
    assert_ended(started, -5);
    struct ending *other = start(f, "pool/b", 0);
    assert_ended(other, -5);
    f->store_held = false;
    pass(f, 100);
    assert_null(stored(f, "pool/a")); /* what was applied and refused is taken back */
    assert_commits(f, "pool/a starting; pool/a removed");
    assert_ended(start(f, "pool/b", 0), 0);
}

static void a_reload_past_its_deadline_refuses_and_counts_when_it_ends(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    store_applies(f);
    store_answers(f, MUSTER_EINDETERMINATE);
    pass(f, 999);
    assert_waits(started);
    pass(f, 1);
    assert_ended(started, MUSTER_ETIMEDOUT);
    assert_text(started->text, "the load is not finished after 1000 ms");
    assert_ended(start(f, "pool/b", 0), MUSTER_ETIMEDOUT);
    pass(f, 10000); /* one call of the store at a time */
    f->store_held = false;
    store_answers(f, 0);
    assert_null(stored(f, "pool/a")); /* what was applied and refused is taken back */
    assert_commits(f, "pool/a starting; pool/a removed");
    assert_ended(start(f, "pool/b", 0), 0);
}

static void a_reload_that_fails_past_its_deadline_is_tried_again(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    start(f, "pool/a", 0);
    store_answers(f, MUSTER_EINDETERMINATE);
    pass(f, 1000);
    store_answers(f, -5);
    assert_ended(start(f, "pool/b", 0), -5);
    f->store_held = false;
    pass(f, 100);
    assert_ended(start(f, "pool/b", 0), 0);
}

static void a_shutdown_does_not_wait_for_a_reload_past_its_deadline(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    start(f, "pool/a", 0);
    store_answers(f, MUSTER_EINDETERMINATE);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    pass(f, 999);
    assert_waits(down);
    pass(f, 1);
    assert_ended(down, 0);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(bring_up(f), 0);
}

static void a_record_without_a_valid_name_is_nobodys_when_they_are_compared(void **state)
{
    struct fixture *f = pools(state);
    char path[2000];
    memset(path, 'n', sizeof(path));
    memcpy(path, "pool/", 5);
    path[sizeof(path) - 1] = '\0';
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    store_applies(f);
    RECORD(f, path, .stage = MUSTER_STAGE_ACTIVE);
    store_answers(f, MUSTER_EINDETERMINATE);
    f->seen[0] = '\0';
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, 0);
    assert_true(saw(f, "store"));
    assert_non_null(stored(f, path));
}

static void a_fenced_store_is_never_written_again(void **state)
{
    struct fixture *f = pools(state);
    assert_ended(start(f, "pool/a", 0), 0);
    f->calls[0] = f->commits[0] = '\0';
    f->commit_code = MUSTER_EFENCED;
    assert_ended(start(f, "pool/b", 0), MUSTER_EFENCED);
    assert_commits(f, "pool/b starting");
    f->commit_code = 0;
    assert_ended(start(f, "pool/c", 0), MUSTER_EFENCED);
    assert_ended(stop(f, "pool/a", 0), MUSTER_EFENCED);
    pass(f, 100000);
    assert_commits(f, "");
    assert_calls(f, "");
    assert_state(f, "pool/a", "active");
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
}

static void a_commit_past_its_deadline_refuses_and_is_compared_when_it_ends(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    pass(f, 999);
    assert_waits(started);
    pass(f, 1);
    assert_ended(started, MUSTER_EINDETERMINATE);
    assert_text(started->text, "the commit is not finished after 1000 ms");
    assert_state(f, "pool/a", "inactive");
    f->store_held = false;
    store_answers(f, 0); /* late, and applied: what was refused is taken back */
    assert_null(stored(f, "pool/a"));
    assert_commits(f, "pool/a starting; pool/a removed");
    assert_ended(start(f, "pool/a", 0), 0);
}

/* The clock has gone past its deadline, and something else is told first. */
static void a_commit_that_ended_before_time_is_told_to_have_passed_is_in_time(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    f->now += 2000;
    set_policy(f, "pool/b", MUSTER_AUTOSTART);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, 0);
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_ACTIVE);
}

/* a is in it, b waits for the next, c is asked for later, d's op is out. */
static void nobody_waits_for_a_commit_that_is_past_its_deadline(void **state)
{
    struct fixture *f = *state;
    f->options.op_timeout_ms = 5000;
    RESOURCE(f, "pool", .name = "d");
    RECORD(f, "pool/old", .stage = MUSTER_STAGE_ACTIVE);
    pools(state);
    answer(f, "pool/d start", MUSTER_PENDING);
    struct ending *d = start(f, "pool/d", 0);
    f->store_held = true;
    struct ending *a = start(f, "pool/a", 0);
    struct ending *b = start(f, "pool/b", 0);
    f->calls[0] = '\0';
    pass(f, 1000);
    assert_ended(a, MUSTER_EINDETERMINATE);
    assert_ended(b, MUSTER_EINDETERMINATE);
    struct ending *c = start(f, "pool/c", 0);
    assert_ended(c, MUSTER_EINDETERMINATE);
    assert_text(c->text, "the commit is not finished after 1000 ms");
    assert_ended(stop(f, "pool/b", 0), MUSTER_EINDETERMINATE);
    assert_int_equal(forget(f, "pool/old")->refused, MUSTER_EINDETERMINATE);
    finish(f, "pool/d start", MUSTER_OK);
    assert_ended(d, MUSTER_EINDETERMINATE);
    assert_state(f, "pool/d", "active");
    assert_calls(f, "");
    f->store_held = false;
    store_answers(f, 0);
    assert_null(stored(f, "pool/a"));
    assert_null(stored(f, "pool/b"));
    assert_int_equal(stored(f, "pool/d")->stage, MUSTER_STAGE_ACTIVE);
    assert_ended(start(f, "pool/b", 0), 0);
    assert_ended(forget(f, "pool/old"), 0);
}

static void a_removal_is_a_record_of_its_own_kind(void **state)
{
    struct fixture *f = pools(state);
    assert_ended(stop(f, "pool/a", 0), 0);
    assert_non_null(stored(f, "pool/a"));
    f->commits[0] = '\0';
    assert_int_equal(remove_resource(f, "pool/a"), 0);
    assert_commits(f, "pool/a removed");
    assert_null(stored(f, "pool/a"));
}

static void what_comes_back_while_it_is_removed_is_written_anew(void **state)
{
    struct fixture *f = pools(state);
    assert_ended(stop(f, "pool/a", 0), 0);
    f->commits[0] = '\0';
    f->store_held = true;
    remove_resource(f, "pool/a");
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "a"), 0);
    struct ending *started = start(f, "pool/a", 0);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, 0);
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_ACTIVE);
}

static void what_changes_back_before_its_turn_is_not_written(void **state)
{
    struct fixture *f = pools(state);
    f->store_held = true;
    start(f, "pool/a", 0);
    start(f, "pool/b", 0);
    struct ending *stopped = stop(f, "pool/b", 0);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(stopped, 0);
    assert_state(f, "pool/b", "inactive");
    assert_int_equal(stored(f, "pool/b")->desired, MUSTER_DESIRED_INACTIVE);
}

static void a_commit_without_a_deadline_is_awaited(void **state)
{
    struct fixture *f = *state;
    f->options.store_timeout_ms = UINT64_MAX;
    pools(state);
    pass(f, 1);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    pass(f, 1000000);
    assert_waits(started);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, 0);
}

static void a_context_without_a_store_commits_nothing(void **state)
{
    struct fixture *f = *state;
    f->options.has_store = false;
    pools(state);
    assert_ended(start(f, "pool/a", 0), 0);
    assert_ended(stop(f, "pool/a", 0), 0);
    assert_int_equal(remove_resource(f, "pool/a"), 0);
    assert_commits(f, "");
    assert_false(f->store_busy);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
}

static void what_waits_to_be_written_hears_that_it_never_will_be(void **state)
{
    struct fixture *f = *state;
    RECORD(f, "pool/old", .stage = MUSTER_STAGE_ACTIVE);
    pools(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/a", 0);
    struct ending *forgotten = forget(f, "pool/old");
    assert_waits(forgotten);
    store_answers(f, MUSTER_EFENCED);
    assert_ended(started, MUSTER_EFENCED);
    assert_ended(forgotten, MUSTER_EFENCED);
    f->store_held = false;
}

static void what_was_taken_back_outdoes_what_was_applied_late(void **state)
{
    struct fixture *f = pools(state);
    assert_ended(start(f, "pool/a", 0), 0);
    f->store_held = true;
    struct ending *stopped = stop(f, "pool/a", 0);
    pass(f, 1000);
    assert_ended(stopped, MUSTER_EINDETERMINATE);
    assert_state(f, "pool/a", "active");
    store_answers(f, 0);
    uint64_t applied = stored(f, "pool/a")->generation;
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_STOPPING);
    f->store_held = false;
    store_answers(f, 0);
    assert_int_equal(stored(f, "pool/a")->stage, MUSTER_STAGE_ACTIVE);
    assert_true(stored(f, "pool/a")->generation > applied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(what_changes_during_a_commit_goes_together_in_the_next),
        engine_test(again_is_tried_again),
        engine_test(again_for_ever_is_a_failure),
        engine_test(a_refused_intent_starts_nothing),
        engine_test(a_refused_stop_leaves_it_running),
        engine_test(what_runs_and_could_not_be_recorded_is_recorded_later),
        engine_test(what_was_stopped_and_could_not_be_recorded_is_recorded_later),
        engine_test(indeterminate_and_applied_goes_on),
        engine_test(indeterminate_and_not_applied_is_refused),
        engine_test(a_reload_that_fails_is_tried_again),
        engine_test(a_reload_past_its_deadline_refuses_and_counts_when_it_ends),
        engine_test(a_reload_that_fails_past_its_deadline_is_tried_again),
        engine_test(a_shutdown_does_not_wait_for_a_reload_past_its_deadline),
        engine_test(a_record_without_a_valid_name_is_nobodys_when_they_are_compared),
        engine_test(a_fenced_store_is_never_written_again),
        engine_test(a_commit_past_its_deadline_refuses_and_is_compared_when_it_ends),
        engine_test(a_commit_that_ended_before_time_is_told_to_have_passed_is_in_time),
        engine_test(nobody_waits_for_a_commit_that_is_past_its_deadline),
        engine_test(a_removal_is_a_record_of_its_own_kind),
        engine_test(what_comes_back_while_it_is_removed_is_written_anew),
        engine_test(what_changes_back_before_its_turn_is_not_written),
        engine_test(a_commit_without_a_deadline_is_awaited),
        engine_test(a_context_without_a_store_commits_nothing),
        engine_test(what_waits_to_be_written_hears_that_it_never_will_be),
        engine_test(what_was_taken_back_outdoes_what_was_applied_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

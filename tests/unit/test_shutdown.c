/* SPDX-License-Identifier: MIT */
/* The two ways down. */
#include "engine_fixture.h"

/* guest/web runs on pool/disk, which declares nothing; so does net/lan, of a driver that guest comes after. */
static struct fixture *running(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "net", .shutdown = called, USUAL);
    DRIVER(f, .name = "pool", .shutdown = called, USUAL);
    DRIVER(f, .name = "guest", .needs = NAMES("pool", "net"), .shutdown = called, USUAL);
    RESOURCE(f, "net", .name = "lan");
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    RESOURCE(f, "guest", .name = "free");
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/web", MUSTER_START_DEPENDENCIES), 0);
    assert_ended(start(f, "net/lan", 0), 0);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void a_daemon_restart_leaves_resources_as_they_are(void **state)
{
    struct fixture *f = running(state);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_ended(down, 0);
    assert_calls(f, "guest shutdown, pool shutdown, net shutdown");
    assert_commits(f, "");
    assert_int_equal(muster__engine_state(f->engine), MUSTER_STATE_DOWN);
    assert_int_equal(f->held, 0);
}

static void a_host_shutdown_stops_dependents_first_and_keeps_what_was_desired(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    assert_int_equal(out(f, "guest/web stop")->cause, MUSTER_CAUSE_HOST_SHUTDOWN);
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(down, 0);
    assert_text(f->calls, "guest shutdown, pool shutdown, net shutdown");
    assert_true(strstr(f->calls, "guest/web stop") < strstr(f->calls, "pool/disk stop"));
    assert_int_equal(stored(f, "guest/web")->desired, MUSTER_DESIRED_ACTIVE);
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_INACTIVE);
    assert_int_equal(stored(f, "guest/web")->reason, MUSTER_REASON_HOST_SHUTDOWN);
}

static void what_declares_nothing_is_stopped_after_all_that_may_use_it(void **state)
{
    struct fixture *f = running(state);
    assert_ended(start(f, "guest/free", 0), 0);
    answer(f, "guest/free stop", MUSTER_PENDING);
    f->calls[0] = '\0';
    shut_down(f, MUSTER_HOST_SHUTDOWN);
    assert_null(strstr(f->calls, "net/lan stop"));
    finish(f, "guest/free stop", MUSTER_OK);
    assert_text(f->calls, "net/lan stop");
}

static void a_stop_that_fails_does_not_hold_the_host_up(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", -16);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    assert_ended(down, 0);
    assert_text(f->calls, "pool/disk stop");
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_ACTIVE);
}

static void a_host_shutdown_goes_on_without_the_store(void **state)
{
    struct fixture *f = running(state);
    f->commit_code = -28;
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    pass(f, 10000);
    assert_int_equal(down->times, 1);
    assert_text(f->calls, "guest/web stop, pool/disk stop");
    assert_int_equal(stored(f, "guest/web")->desired, MUSTER_DESIRED_ACTIVE);
}

static void what_the_store_has_put_off_is_written_within_the_budget(void **state)
{
    struct fixture *f = running(state);
    f->commit_code = MUSTER_EAGAIN;
    assert_int_equal(changed(f, "guest/web", MUSTER_CHANGED_INACTIVE), 0);
    assert_commits(f, "guest/web inactive self");
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_commits(f, "guest/web inactive self");
    assert_waits(down);
    pass(f, 199);
    assert_waits(down);
    f->commit_code = 0;
    pass(f, 1);
    assert_ended(down, 0);
    assert_commits(f, "guest/web inactive self");
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_INACTIVE);
}

static void a_store_that_puts_off_for_ever_is_not_awaited_for_ever(void **state)
{
    struct fixture *f = running(state);
    f->commit_code = MUSTER_EAGAIN;
    changed(f, "guest/web", MUSTER_CHANGED_INACTIVE);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    pass(f, 5000);
    assert_ended(down, 0);
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_ACTIVE);
}

static void what_the_store_has_refused_is_tried_once_more(void **state)
{
    struct fixture *f = running(state);
    f->commit_code = -28;
    changed(f, "guest/web", MUSTER_CHANGED_INACTIVE);
    changed(f, "net/lan", MUSTER_CHANGED_INACTIVE);
    f->commits[0] = '\0';
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_commits(f, "guest/web inactive self, net/lan inactive self");
}

static void a_user_s_pending_stop_stays_a_user_s_stop(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *stopped = stop(f, "pool/disk", MUSTER_STOP_CASCADE);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    answer(f, "guest/web stop", MUSTER_OK);
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(down, 0);
    assert_ended(stopped, 0);
    assert_int_equal(stored(f, "pool/disk")->desired, MUSTER_DESIRED_INACTIVE);
    assert_int_equal(stored(f, "pool/disk")->reason, MUSTER_REASON_USER);
    assert_int_equal(stored(f, "guest/web")->desired, MUSTER_DESIRED_INACTIVE);
    assert_int_equal(stored(f, "net/lan")->desired, MUSTER_DESIRED_ACTIVE);
}

/* guest/web and guest/db run, one op is out at a time, and the first is a probe of guest/web. */
static struct fixture *one_by_one(void **state)
{
    struct fixture *f = *state;
    f->options.max_ops = 1;
    DRIVER(f, .name = "net", .priority = 1, USUAL);
    DRIVER(f, .name = "guest", .adopt = called, USUAL);
    RESOURCE(f, "guest", .name = "web");
    RESOURCE(f, "guest", .name = "db");
    RECORD(f, "guest/web", .stage = MUSTER_STAGE_ACTIVE, .desired = MUSTER_DESIRED_ACTIVE, .handle = "pid 3");
    RECORD(f, "guest/db", .stage = MUSTER_STAGE_ACTIVE, .desired = MUSTER_DESIRED_ACTIVE);
    answer(f, "guest/web probe", MUSTER_PENDING);
    answer(f, "guest/db probe", MUSTER_ACTIVE);
    return f;
}

static void a_host_shutdown_stops_what_is_being_adopted(void **state)
{
    struct fixture *f = one_by_one(state);
    answer(f, "guest/web adopt", MUSTER_PENDING);
    answer(f, "guest/web stop", MUSTER_PENDING);
    bring_up(f);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish_handle(f, "guest/web adopt", "pid 4");
    assert_string_equal(out(f, "guest/web stop")->handle, "pid 4");
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(down, 0);
    assert_int_equal(stored(f, "guest/web")->reason, MUSTER_REASON_HOST_SHUTDOWN);
}

static void a_host_shutdown_stops_what_a_probe_that_is_out_shows_to_run(void **state)
{
    struct fixture *f = one_by_one(state);
    bring_up(f);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "adopt"));
    assert_text(f->calls, "guest/web stop");
    assert_int_equal(stored(f, "guest/web")->reason, MUSTER_REASON_HOST_SHUTDOWN);
}

static void a_host_shutdown_stops_what_such_a_probe_shows_though_it_is_doubted(void **state)
{
    struct fixture *f = one_by_one(state);
    bring_up(f);
    changed(f, "guest/web", MUSTER_CHANGED_UNKNOWN);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(down, 0);
    assert_text(f->calls, "guest/web stop");
}

static void a_host_shutdown_leaves_what_has_ended_during_such_a_probe(void **state)
{
    struct fixture *f = one_by_one(state);
    bring_up(f);
    changed(f, "guest/web", MUSTER_CHANGED_LOST);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "guest/web stop"));
}

static void a_host_shutdown_leaves_what_nobody_manages(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "web");
    answer(f, "guest/web probe", MUSTER_PENDING);
    bring_up(f);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "stop"));
    assert_null(stored(f, "guest/web"));
}

static void a_host_shutdown_stops_what_was_about_to_be_adopted(void **state)
{
    struct fixture *f = one_by_one(state);
    answer(f, "net/lan probe", MUSTER_PENDING);
    bring_up(f);
    assert_int_equal(ADD_RESOURCE(f, "net", .name = "lan"), 0);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "net/lan probe", MUSTER_INACTIVE);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "adopt"));
    assert_text(f->calls, "guest/web stop");
}

static void a_host_shutdown_stops_what_could_not_be_adopted_any_more(void **state)
{
    struct fixture *f = one_by_one(state);
    answer(f, "guest/web adopt", MUSTER_PENDING);
    bring_up(f);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "guest/web adopt", MUSTER_ECANCELED);
    assert_ended(down, 0);
    assert_text(f->calls, "guest/web stop");
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_INACTIVE);
}

static void a_daemon_restart_leaves_what_is_being_adopted(void **state)
{
    struct fixture *f = one_by_one(state);
    answer(f, "guest/web adopt", MUSTER_PENDING);
    bring_up(f);
    finish(f, "guest/web probe", MUSTER_ACTIVE);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    finish(f, "guest/web adopt", MUSTER_ECANCELED);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "stop"));
    assert_commits(f, "");
}

static void a_user_s_stop_whose_turn_has_not_come_is_called_by_a_host_shutdown(void **state)
{
    struct fixture *f = one_by_one(state);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *first = stop(f, "guest/web", 0);
    struct ending *second = stop(f, "guest/db", 0);
    assert_int_equal(stored(f, "guest/db")->stage, MUSTER_STAGE_STOPPING);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(down, 0);
    assert_ended(first, 0);
    assert_ended(second, 0);
    assert_text(f->calls, "guest/db stop");
    assert_int_equal(stored(f, "guest/db")->desired, MUSTER_DESIRED_INACTIVE);
    assert_int_equal(stored(f, "guest/db")->reason, MUSTER_REASON_USER);
}

static void a_user_s_stop_that_is_not_recorded_yet_is_called_by_a_host_shutdown(void **state)
{
    struct fixture *f = one_by_one(state);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    f->commit_code = MUSTER_EAGAIN;
    struct ending *stopped = stop(f, "guest/db", 0);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    f->commit_code = 0;
    pass(f, 1000);
    assert_ended(down, 0);
    assert_ended(stopped, 0);
    assert_text(f->calls, "guest/db stop");
    assert_int_equal(stored(f, "guest/db")->reason, MUSTER_REASON_USER);
}

static void what_is_removed_meanwhile_does_not_hold_a_host_shutdown_up(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    assert_int_equal(remove_resource(f, "net/lan"), 0);
    assert_int_equal(remove_resource(f, "pool/disk"), 0);
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "pool/disk stop"));
}

/* net/lan declares nothing; guest/free, which may use it, comes to need pool/disk. */
static void what_comes_to_need_something_meanwhile_does_not_hold_a_host_shutdown_up(void **state)
{
    struct fixture *f = running(state);
    assert_ended(start(f, "guest/free", 0), 0);
    answer(f, "guest/free stop", MUSTER_PENDING);
    f->calls[0] = '\0';
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    assert_int_equal(set_needs(f, "guest/free", NAMES("pool/disk"), NULL), 0);
    assert_text(f->calls, "net/lan stop"); /* it says now that it doesn't need this */
    assert_null(strstr(f->calls, "pool/disk stop"));
    finish(f, "guest/free stop", MUSTER_OK);
    assert_ended(down, 0);
    assert_text(f->calls, "pool/disk stop");
}

static void what_comes_to_need_nothing_meanwhile_may_use_all_in_a_host_shutdown(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    answer(f, "net/lan stop", MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    finish(f, "net/lan stop", MUSTER_OK);
    assert_int_equal(set_needs(f, "guest/web", NULL, NULL), 0);
    assert_null(strstr(f->calls, "pool/disk stop"));
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(down, 0);
    assert_text(f->calls, "pool/disk stop");
}

static void a_daemon_restart_takes_a_stop_back_that_was_not_called(void **state)
{
    struct fixture *f = running(state);
    f->store_held = true;
    struct ending *stopped = stop(f, "guest/web", 0);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(stopped, MUSTER_ECANCELED);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "stop"));
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_ACTIVE);
    assert_int_equal(stored(f, "guest/web")->desired, MUSTER_DESIRED_ACTIVE);
}

static void a_start_that_was_not_called_is_taken_back(void **state)
{
    struct fixture *f = running(state);
    f->store_held = true;
    struct ending *started = start(f, "guest/free", 0);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, MUSTER_ECANCELED);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "guest/free start"));
    assert_null(stored(f, "guest/free"));
}

static void an_op_that_is_out_is_cancelled_and_awaited(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/free start", MUSTER_PENDING);
    struct ending *started = start(f, "guest/free", 0);
    f->calls[0] = '\0';
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_calls(f, "cancel guest/free start");
    assert_waits(down);
    finish(f, "guest/free start", MUSTER_OK);
    assert_ended(started, 0);
    assert_ended(down, 0);
    assert_int_equal(stored(f, "guest/free")->stage, MUSTER_STAGE_ACTIVE);
}

static void what_a_driver_reports_on_the_way_down_alters_no_record(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest shutdown", MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_int_equal(changed(f, "guest/web", MUSTER_CHANGED_LOST), 0);
    finish(f, "guest shutdown", MUSTER_OK);
    assert_ended(down, 0);
    assert_int_equal(stored(f, "guest/web")->stage, MUSTER_STAGE_ACTIVE);
}

static void a_budget_that_is_spent_ends_it_with_the_names_of_what_is_out(void **state)
{
    struct fixture *f = *state;
    f->options.op_timeout_ms = 100000;
    running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    pass(f, 4999);
    assert_waits(down);
    pass(f, 1);
    assert_ended(down, MUSTER_ETIMEDOUT);
    assert_text(down->text, "not down after 5000 ms; still out: guest 'web': stop");
    assert_int_equal(muster__engine_state(f->engine), MUSTER_STATE_DOWN);
    assert_int_equal(muster__engine_free(f->engine), MUSTER_EBUSY);
    assert_text(muster_error_text(muster__engine_error(f->engine)), "ops are out: guest 'web': stop");
    assert_int_equal(bring_up(f)->refused, MUSTER_EBUSY);
    finish(f, "guest/web stop", MUSTER_OK);
}

static void a_budget_without_end_is_never_spent(void **state)
{
    struct fixture *f = *state;
    f->options.op_timeout_ms = MUSTER_NO_TIMEOUT;
    f->options.shutdown_timeout_ms = UINT64_MAX;
    running(state);
    answer(f, "guest/web stop", MUSTER_PENDING);
    pass(f, 1);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    pass(f, 1000000);
    assert_waits(down);
    finish(f, "guest/web stop", MUSTER_OK);
    assert_ended(down, 0);
}

static void an_op_past_its_deadline_is_not_awaited(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/free start", MUSTER_PENDING);
    start(f, "guest/free", 0);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    f->calls[0] = '\0';
    pass(f, 1000);
    assert_ended(down, MUSTER_ETIMEDOUT);
    assert_text(down->text, "down, and still out: guest 'free': start");
    assert_int_equal(muster__engine_result(f->engine), MUSTER_ETIMEDOUT);
    assert_null(strstr(f->calls, "guest shutdown")); /* an op of it is out */
    assert_text(f->calls, "pool shutdown");
    finish(f, "guest/free start", MUSTER_OK);
}

static void a_driver_whose_shutdown_fails_or_hangs_does_not_hold_the_others_up(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest shutdown", MUSTER_PENDING);
    answer(f, "pool shutdown", -5);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    pass(f, 1000);
    assert_ended(down, MUSTER_ETIMEDOUT);
    assert_text(down->text, "down, and still out: driver 'guest': shutdown");
    const struct muster_error *failed = muster_error_next(muster__engine_error(f->engine));
    assert_text(muster_error_text(failed), "driver 'guest': shutdown: not finished after 1000 ms");
    assert_text(muster_error_text(muster_error_next(failed)), "driver 'pool': shutdown");
    assert_text(f->calls, "net shutdown");
    finish(f, "guest shutdown", MUSTER_OK);
}

static void what_ended_late_but_before_the_end_is_not_out(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest/free start", MUSTER_PENDING);
    start(f, "guest/free", 0);
    pass(f, 1000);
    answer(f, "pool shutdown", MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_waits(down);
    finish(f, "guest/free start", MUSTER_OK);
    finish(f, "pool shutdown", MUSTER_OK);
    assert_ended(down, 0);
}

/* net/wan is past the deadline of its start; a host shutdown waits for `call`. */
static struct ending *late_start(struct fixture *f, const char *call)
{
    assert_int_equal(ADD_RESOURCE(f, "net", .name = "wan"), 0);
    answer(f, "net/wan start", MUSTER_PENDING);
    start(f, "net/wan", 0);
    pass(f, 1000);
    answer(f, call, MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    assert_waits(down);
    f->calls[0] = '\0';
    return down;
}

static void assert_stopped_late(struct fixture *f, struct ending *down, const char *call)
{
    finish(f, "net/wan start", MUSTER_OK);
    finish(f, call, MUSTER_OK);
    assert_ended(down, 0);
    assert_text(f->calls, "net/wan stop");
    assert_int_equal(stored(f, "net/wan")->stage, MUSTER_STAGE_INACTIVE);
    assert_int_equal(stored(f, "net/wan")->reason, MUSTER_REASON_HOST_SHUTDOWN);
}

static void what_ends_late_and_runs_is_stopped_with_the_others(void **state)
{
    struct fixture *f = running(state);
    assert_stopped_late(f, late_start(f, "guest/web stop"), "guest/web stop");
}

static void what_ends_late_and_runs_is_stopped_before_its_driver_is_shut_down(void **state)
{
    struct fixture *f = running(state);
    assert_stopped_late(f, late_start(f, "guest shutdown"), "guest shutdown");
    assert_true(strstr(f->calls, "net/wan stop") < strstr(f->calls, "net shutdown"));
}

static void a_commit_past_its_deadline_is_told(void **state)
{
    struct fixture *f = running(state);
    f->store_held = true;
    start(f, "guest/free", 0);
    pass(f, f->options.store_timeout_ms);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    pass(f, f->options.shutdown_timeout_ms - 1);
    assert_ended(down, MUSTER_ETIMEDOUT);
    assert_text(down->text, "down, and still out: the store");
    f->store_held = false;
    store_answers(f, 0);
}

static void a_store_that_does_not_close_is_not_awaited_for_ever(void **state)
{
    struct fixture *f = running(state);
    f->store_held = true;
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    pass(f, 5000);
    assert_ended(down, MUSTER_ETIMEDOUT);
    assert_text(down->text, "still out: the store");
    f->store_held = false;
    store_answers(f, -5);
    assert_true(saw(f, "store"));
}

static void one_way_down_at_a_time(void **state)
{
    struct fixture *f = running(state);
    answer(f, "guest shutdown", MUSTER_PENDING);
    shut_down(f, MUSTER_DAEMON_RESTART);
    assert_int_equal(shut_down(f, MUSTER_HOST_SHUTDOWN)->refused, MUSTER_ESTATE);
    assert_int_equal(DRIVER(f, .name = "new"), MUSTER_ESTATE);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "new"), MUSTER_ESTATE);
    assert_int_equal(retry_driver(f, "pool"), MUSTER_ESTATE);
    assert_int_equal(retry(f, "guest/free"), MUSTER_ESTATE);
    assert_int_equal(reload(f)->refused, MUSTER_ESTATE);
    finish(f, "guest shutdown", MUSTER_OK);
    assert_int_equal(shut_down(f, MUSTER_DAEMON_RESTART)->refused, MUSTER_ESTATE);
}

static void there_are_two_kinds(void **state)
{
    struct fixture *f = running(state);
    assert_int_equal(shut_down(f, (enum muster_shutdown_kind)2)->refused, MUSTER_EINVAL);
}

static void what_never_was_brought_up_goes_down_at_once(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .shutdown = called);
    assert_ended(shut_down(f, MUSTER_HOST_SHUTDOWN), 0);
    assert_calls(f, "");
}

static void a_driver_that_initializes_on_the_way_down_is_shut_down(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .shutdown = called);
    answer(f, "pool initialize", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_ended(up, MUSTER_ECANCELED);
    OP_ADDS(f, "pool initialize", .name = "disk");
    finish(f, "pool initialize", MUSTER_OK);
    assert_calls(f, "pool initialize, cancel pool initialize, pool shutdown");
    assert_ended(down, 0);
    assert_int_equal(f->held, 0);
}

/* The budget is spent while an op of the driver is out; that adds a resource, and ends well. */
static void outlive_a_shutdown(struct fixture *f, const char *call)
{
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    pass(f, 0);
    assert_ended(down, MUSTER_ETIMEDOUT);
    OP_ADDS(f, call, .name = "late");
    finish(f, call, MUSTER_OK);
    assert_driver(f, "guest", "down");
    assert_null(muster__engine_find_resource(f->engine, "guest/late"));
    assert_int_equal(f->held, 0);
    RESOURCE(f, "guest", .name = "late");
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_string_equal(up->text, "");
    assert_driver(f, "guest", "up");
}

static void a_reload_that_outlives_a_shutdown_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    f->options.shutdown_timeout_ms = 0;
    DRIVER(f, .name = "guest", .reload = called, USUAL);
    assert_ended(bring_up(f), 0);
    answer(f, "guest reload", MUSTER_PENDING);
    reload(f);
    outlive_a_shutdown(f, "guest reload");
}

static void a_restore_that_outlives_a_shutdown_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    f->options.shutdown_timeout_ms = 0;
    DRIVER(f, .name = "guest", .restore = called, USUAL);
    RECORD(f, "guest/late", .stage = MUSTER_STAGE_ACTIVE, .desired = MUSTER_DESIRED_ACTIVE);
    answer(f, "guest/late restore", MUSTER_PENDING);
    bring_up(f);
    outlive_a_shutdown(f, "guest/late restore");
}

static void what_is_added_on_the_way_down_is_let_go(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .reload = called, .shutdown = called, USUAL);
    assert_ended(bring_up(f), 0);
    answer(f, "guest reload", MUSTER_PENDING);
    answer(f, "guest shutdown", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_ended(reloaded, MUSTER_ECANCELED);
    OP_ADDS(f, "guest reload", .name = "late");
    finish(f, "guest reload", MUSTER_OK);
    assert_int_equal(f->held, 0);
    finish(f, "guest shutdown", MUSTER_OK);
    assert_ended(down, 0);
    assert_string_equal(down->text, "");
}

static void a_shutdown_during_the_load_waits_for_it(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    f->store_held = true;
    bring_up(f);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_waits(down);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(down, 0);
    assert_calls(f, "");
}

static void what_holds_an_exit_up_is_told(void **state)
{
    struct fixture *f = running(state);
    assert_int_equal(muster__engine_holds(f->engine), 0);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "rbd", .flags = MUSTER_VOLATILE), 0);
    answer(f, "pool/rbd start", MUSTER_PENDING);
    start(f, "pool/rbd", 0);
    assert_int_equal(muster__engine_holds(f->engine), MUSTER_HOLDS_OPS);
    finish(f, "pool/rbd start", MUSTER_OK);
    assert_int_equal(muster__engine_holds(f->engine), MUSTER_HOLDS_VOLATILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(a_daemon_restart_leaves_resources_as_they_are),
        engine_test(a_host_shutdown_stops_dependents_first_and_keeps_what_was_desired),
        engine_test(what_declares_nothing_is_stopped_after_all_that_may_use_it),
        engine_test(a_stop_that_fails_does_not_hold_the_host_up),
        engine_test(a_host_shutdown_goes_on_without_the_store),
        engine_test(what_the_store_has_put_off_is_written_within_the_budget),
        engine_test(a_store_that_puts_off_for_ever_is_not_awaited_for_ever),
        engine_test(what_the_store_has_refused_is_tried_once_more),
        engine_test(a_user_s_pending_stop_stays_a_user_s_stop),
        engine_test(a_host_shutdown_stops_what_is_being_adopted),
        engine_test(a_host_shutdown_stops_what_a_probe_that_is_out_shows_to_run),
        engine_test(a_host_shutdown_stops_what_such_a_probe_shows_though_it_is_doubted),
        engine_test(a_host_shutdown_leaves_what_has_ended_during_such_a_probe),
        engine_test(a_host_shutdown_leaves_what_nobody_manages),
        engine_test(a_host_shutdown_stops_what_was_about_to_be_adopted),
        engine_test(a_host_shutdown_stops_what_could_not_be_adopted_any_more),
        engine_test(a_daemon_restart_leaves_what_is_being_adopted),
        engine_test(a_user_s_stop_whose_turn_has_not_come_is_called_by_a_host_shutdown),
        engine_test(a_user_s_stop_that_is_not_recorded_yet_is_called_by_a_host_shutdown),
        engine_test(what_is_removed_meanwhile_does_not_hold_a_host_shutdown_up),
        engine_test(what_comes_to_need_something_meanwhile_does_not_hold_a_host_shutdown_up),
        engine_test(what_comes_to_need_nothing_meanwhile_may_use_all_in_a_host_shutdown),
        engine_test(a_daemon_restart_takes_a_stop_back_that_was_not_called),
        engine_test(a_start_that_was_not_called_is_taken_back),
        engine_test(an_op_that_is_out_is_cancelled_and_awaited),
        engine_test(what_a_driver_reports_on_the_way_down_alters_no_record),
        engine_test(a_budget_that_is_spent_ends_it_with_the_names_of_what_is_out),
        engine_test(a_budget_without_end_is_never_spent),
        engine_test(an_op_past_its_deadline_is_not_awaited),
        engine_test(a_driver_whose_shutdown_fails_or_hangs_does_not_hold_the_others_up),
        engine_test(what_ended_late_but_before_the_end_is_not_out),
        engine_test(what_ends_late_and_runs_is_stopped_with_the_others),
        engine_test(what_ends_late_and_runs_is_stopped_before_its_driver_is_shut_down),
        engine_test(a_commit_past_its_deadline_is_told),
        engine_test(a_store_that_does_not_close_is_not_awaited_for_ever),
        engine_test(one_way_down_at_a_time),
        engine_test(there_are_two_kinds),
        engine_test(what_never_was_brought_up_goes_down_at_once),
        engine_test(a_driver_that_initializes_on_the_way_down_is_shut_down),
        engine_test(a_reload_that_outlives_a_shutdown_leaves_nothing),
        engine_test(a_restore_that_outlives_a_shutdown_leaves_nothing),
        engine_test(what_is_added_on_the_way_down_is_let_go),
        engine_test(a_shutdown_during_the_load_waits_for_it),
        engine_test(what_holds_an_exit_up_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

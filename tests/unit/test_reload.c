/* SPDX-License-Identifier: MIT */
/* Reload adds and removes resources, and starts nothing. */
#include "engine_fixture.h"

static struct fixture *up(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), .reload = called, USUAL);
    DRIVER(f, .name = "none", .initialize = called);
    DRIVER(f, .name = "pool", .reload = called, USUAL);
    RESOURCE(f, "pool", .name = "disk", .policy = MUSTER_AUTOSTART);
    assert_ended(bring_up(f), 0);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void drivers_reload_one_after_the_other_in_order(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    assert_calls(f, "pool reload");
    assert_int_equal(out(f, "pool reload")->cause, MUSTER_CAUSE_USER);
    assert_int_equal(reload(f)->refused, MUSTER_ESTATE);
    assert_int_equal(bring_up(f)->refused, MUSTER_ESTATE);
    finish(f, "pool reload", MUSTER_OK);
    assert_calls(f, "guest reload");
    assert_ended(reloaded, 0);
}

/* A check of what was added since puts it into the plan's order; what is up keeps its own. */
static void a_driver_that_was_added_and_checked_since_leaves_nobody_out(void **state)
{
    struct fixture *f = up(state);
    DRIVER(f, .name = "first", .priority = 9, .reload = called, USUAL);
    assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_CHECK}), 0);
    assert_ended(reload(f), 0);
    assert_calls(f, "pool reload, guest reload");
}

static void what_a_reload_adds_is_accounted_for_and_not_started(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    answer(f, "pool/live probe", MUSTER_ACTIVE);
    struct ending *reloaded = reload(f);
    OP_ADDS(f, "pool reload", .name = "new", .policy = MUSTER_AUTOSTART);
    OP_ADDS(f, "pool reload", .name = "live", .flags = MUSTER_ADOPT_UNMANAGED);
    finish(f, "pool reload", MUSTER_OK);
    assert_ended(reloaded, 0);
    assert_null(strstr(f->calls, "start"));
    assert_state(f, "pool/new", "inactive");
    assert_int_equal(stored(f, "pool/new")->flags, MUSTER_RECORD_MARK);
    assert_state(f, "pool/live", "active");
}

static void a_reload_ends_when_what_it_added_is_durable(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    answer(f, "pool/new probe", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    OP_ADDS(f, "pool reload", .name = "new", .policy = MUSTER_AUTOSTART);
    finish(f, "pool reload", MUSTER_OK);
    assert_calls(f, "pool reload, pool/new probe, guest reload");
    assert_int_equal(reloaded->times, 0);
    f->store_held = true;
    finish(f, "pool/new probe", MUSTER_INACTIVE);
    assert_int_equal(reloaded->times, 0);
    store_answers(f, 0);
    assert_ended(reloaded, 0);
    assert_int_equal(stored(f, "pool/new")->flags, MUSTER_RECORD_MARK);
}

static void a_reload_ends_when_a_policy_that_it_changed_is_durable(void **state)
{
    RESOURCE((struct fixture *)*state, "pool", .name = "spare", .policy = MUSTER_MANUAL);
    struct fixture *f = up(state);
    assert_null(stored(f, "pool/spare"));
    f->store_held = true;
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    assert_int_equal(set_policy(f, "pool/spare", MUSTER_AUTOSTART), 0);
    finish(f, "pool reload", MUSTER_OK);
    assert_calls(f, "pool reload, guest reload");
    assert_state(f, "pool/spare", "inactive");
    assert_int_equal(reloaded->times, 0);
    store_answers(f, 0);
    assert_ended(reloaded, 0);
    assert_int_equal(stored(f, "pool/spare")->flags, MUSTER_RECORD_MARK);
}

/* Nothing was said to be durable that isn't. */
static void a_reload_whose_mark_the_store_refuses_tells(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    OP_ADDS(f, "pool reload", .name = "new", .policy = MUSTER_AUTOSTART);
    f->commit_code = -28;
    finish(f, "pool reload", MUSTER_OK);
    assert_ended(reloaded, -28);
    assert_text(reloaded->text, "pool 'new': ");
    assert_state(f, "pool/new", "inactive");
    f->commit_code = 0;
    pass(f, 100);
    assert_int_equal(stored(f, "pool/new")->flags, MUSTER_RECORD_MARK);
}

/* A probe past its deadline is accounted for as far as it can be. */
static void a_reload_does_not_wait_for_a_probe_that_hangs(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    answer(f, "pool/new probe", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    OP_ADDS(f, "pool reload", .name = "new");
    finish(f, "pool reload", MUSTER_OK);
    assert_int_equal(reloaded->times, 0);
    pass(f, 1000);
    assert_ended(reloaded, 0);
    finish(f, "pool/new probe", MUSTER_INACTIVE);
    assert_state(f, "pool/new", "inactive");
}

static void what_the_user_stopped_stays_stopped(void **state)
{
    struct fixture *f = up(state);
    assert_ended(stop(f, "pool/disk", 0), 0);
    assert_ended(reload(f), 0);
    assert_state(f, "pool/disk", "inactive");
}

static void a_removed_config_leaves_what_runs_and_its_record(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    assert_int_equal(remove_resource(f, "pool/disk"), 0);
    finish(f, "pool reload", MUSTER_OK);
    assert_ended(reloaded, 0);
    assert_null(strstr(f->calls, "stop"));
    assert_int_equal(stored(f, "pool/disk")->stage, MUSTER_STAGE_ACTIVE);
}

static void a_failed_reload_goes_on_and_tells(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    OP_ADDS(f, "pool reload", .name = "new");
    finish_with(f, "pool reload", -22, "line 4 is no config");
    assert_ended(reloaded, -22);
    assert_text(reloaded->text, "driver 'pool': reload: line 4 is no config");
    assert_calls(f, "pool reload, guest reload");
    assert_null(muster__engine_find_resource(f->engine, "pool/new"));
    assert_driver(f, "pool", "up");
}

static void what_is_added_twice_is_told(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    OP_ADDS(f, "pool reload", .name = "disk");
    finish(f, "pool reload", MUSTER_OK);
    assert_ended(reloaded, MUSTER_EEXIST);
    assert_text(reloaded->text, "pool 'disk': exists already");
}

static void a_reload_past_its_deadline_does_not_hold_the_others_up(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    pass(f, 1000);
    assert_ended(reloaded, MUSTER_ETIMEDOUT);
    assert_calls(f, "pool reload, cancel pool reload, guest reload");
    OP_ADDS(f, "pool reload", .name = "late");
    finish(f, "pool reload", MUSTER_OK);
    assert_state(f, "pool/late", "inactive");
    answer(f, "pool reload", MUSTER_OK);
    assert_ended(reload(f), 0);
}

static void only_what_is_up_reloads(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .reload = called);
    struct ending *early = reload(f);
    assert_int_equal(early->refused, MUSTER_ESTATE);
    assert_text(early->text, "the context isn't up");
    answer(f, "pool initialize", -5);
    assert_ended(bring_up(f), 0);
    f->calls[0] = '\0';
    assert_ended(reload(f), 0);
    assert_calls(f, "");
}

static void a_shutdown_ends_a_reload(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_ended(reloaded, MUSTER_ECANCELED);
    finish(f, "pool reload", MUSTER_OK);
    assert_ended(down, 0);
    assert_null(strstr(f->calls, "guest reload"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(drivers_reload_one_after_the_other_in_order),
        engine_test(a_driver_that_was_added_and_checked_since_leaves_nobody_out),
        engine_test(what_a_reload_adds_is_accounted_for_and_not_started),
        engine_test(a_reload_ends_when_what_it_added_is_durable),
        engine_test(a_reload_ends_when_a_policy_that_it_changed_is_durable),
        engine_test(a_reload_whose_mark_the_store_refuses_tells),
        engine_test(a_reload_does_not_wait_for_a_probe_that_hangs),
        engine_test(what_the_user_stopped_stays_stopped),
        engine_test(a_removed_config_leaves_what_runs_and_its_record),
        engine_test(a_failed_reload_goes_on_and_tells),
        engine_test(what_is_added_twice_is_told),
        engine_test(a_reload_past_its_deadline_does_not_hold_the_others_up),
        engine_test(only_what_is_up_reloads),
        engine_test(a_shutdown_ends_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

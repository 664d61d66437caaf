/* SPDX-License-Identifier: MIT */
/* Where nobody listens, the engine goes shorter ways: the calls and the ends are the same. */
#include "engine_fixture.h"

#include "engine/internal.h"

/* Four drivers, the third of which needs the second. */
static struct fixture *quiet(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "a", .initialize = called);
    muster__engine_observe(f->engine, false);
    DRIVER(f, .name = "b", .initialize = called);
    DRIVER(f, .name = "c", .initialize = called, .needs = NAMES("b"));
    DRIVER(f, .name = "d", .initialize = called);
    return f;
}

static void callbacks_that_end_at_once_are_called_in_the_plan_s_order(void **state)
{
    struct fixture *f = quiet(state);
    struct ending *up = bring_up(f);
    assert_calls(f, "a initialize, b initialize, d initialize, c initialize");
    assert_ended(up, 0);
    assert_false(f->engine->counted[MUSTER__STEP_INITIALIZE]); /* nobody had to wait */
    assert_false(f->engine->counted[MUSTER__STEP_AUTOSTART]);
    assert_driver(f, "a", "up");
    assert_driver(f, "c", "up");
}

static void one_that_is_awaited_holds_up_its_dependents_alone(void **state)
{
    struct fixture *f = quiet(state);
    answer(f, "b initialize", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_calls(f, "a initialize, b initialize, d initialize");
    assert_true(f->engine->counted[MUSTER__STEP_INITIALIZE]);
    assert_driver(f, "d", "reconciled");
    assert_driver(f, "c", "waiting");
    finish(f, "b initialize", MUSTER_OK);
    assert_calls(f, "c initialize");
    assert_ended(up, 0);
}

static void what_fails_in_the_row_blocks_its_dependents(void **state)
{
    struct fixture *f = quiet(state);
    answer(f, "b initialize", -5);
    struct ending *up = bring_up(f);
    assert_calls(f, "a initialize, b initialize, d initialize");
    assert_ended(up, 0);
    assert_driver(f, "b", "failed");
    assert_driver(f, "c", "blocked");
    assert_driver(f, "d", "up");
    answer(f, "b initialize", MUSTER_OK);
    assert_int_equal(retry_driver(f, "b"), 0);
    assert_calls(f, "b initialize, c initialize");
    assert_driver(f, "c", "up");
}

/* What has become ready meanwhile has its place in the plan. */
static void one_that_fails_while_it_stands_in_line_lets_the_next_go(void **state)
{
    struct fixture *f = quiet(state);
    DRIVER(f, .name = "e", .initialize = called, .needs = NAMES("c"));
    f->options.max_ops = 0;
    answer(f, "a initialize", MUSTER_PENDING);
    answer(f, "c initialize", -5);
    struct ending *up = bring_up(f);
    assert_calls(f, "a initialize, b initialize, d initialize, c initialize");
    assert_driver(f, "e", "blocked");
    finish(f, "a initialize", MUSTER_OK);
    assert_ended(up, 0);
}

static void a_tier_that_goes_through_at_once_opens_the_next(void **state)
{
    struct fixture *f = *state;
    f->options.flags = MUSTER_COMPLETE_TIERS;
    DRIVER(f, .name = "low", .initialize = called);
    muster__engine_observe(f->engine, false);
    DRIVER(f, .name = "none", .tier = 1);
    DRIVER(f, .name = "high", .tier = 2, .initialize = called);
    answer(f, "low initialize", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_calls(f, "low initialize");
    finish(f, "low initialize", MUSTER_OK);
    assert_calls(f, "high initialize");
    assert_ended(up, 0);
    assert_driver(f, "none", "up");
}

static void an_autostart_callback_holds_up_its_dependents_alone(void **state)
{
    struct fixture *f = quiet(state);
    DRIVER(f, .name = "e", .initialize = called, .autostart = called);
    DRIVER(f, .name = "f", .initialize = called, .needs = NAMES("e"));
    answer(f, "e autostart", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_calls(f, "a initialize, b initialize, d initialize, e initialize, c initialize, f initialize, e autostart");
    assert_driver(f, "c", "up");
    assert_driver(f, "f", "reconciled");
    finish(f, "e autostart", MUSTER_OK);
    assert_ended(up, 0);
    assert_driver(f, "f", "up");
}

/* It was blocked while nobody had been counted; what blocked it recovers without asking. */
static void who_is_blocked_by_a_reconcile_past_its_deadline_follows_when_that_ends_well(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "a", .initialize = called, .reconcile = called);
    muster__engine_observe(f->engine, false);
    DRIVER(f, .name = "b", .initialize = called, .reconcile = called, .needs = NAMES("a"));
    answer(f, "a reconcile", MUSTER_PENDING);
    answer(f, "b initialize", MUSTER_PENDING);
    bring_up(f);
    pass(f, 900);
    struct muster_op *op = out(f, "b initialize");
    op->effects.extend_ms = 1000;
    step(f, (struct muster__event){.type = MUSTER__EVENT_OP_EXTENDED, .op = op});
    pass(f, 100);
    assert_driver(f, "a", "failed");
    finish(f, "b initialize", MUSTER_OK);
    assert_driver(f, "b", "blocked");
    finish(f, "a reconcile", MUSTER_OK);
    assert_text(f->calls, "b reconcile");
    assert_driver(f, "a", "up");
    assert_driver(f, "b", "up");
}

static void nobody_in_line_is_called_once_it_goes_down(void **state)
{
    struct fixture *f = *state;
    f->options.max_ops = 1;
    f->options.flags = MUSTER_FIRST_COME;
    quiet(state);
    answer(f, "a initialize", MUSTER_PENDING);
    bring_up(f);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_calls(f, "a initialize, cancel a initialize");
    finish(f, "a initialize", MUSTER_OK);
    assert_calls(f, "");
    assert_ended(down, 0);
    f->answer_count = 0;
    assert_ended(bring_up(f), 0); /* from the bottom again */
    assert_calls(f, "a initialize, b initialize, d initialize, c initialize");
}

/* One at a time, and b has c behind it: nobody is in line, and all is called as it is where somebody listens. */
static void the_longest_path_goes_first(void **state)
{
    struct fixture *f = *state;
    f->options.max_ops = 1;
    quiet(state);
    DRIVER(f, .name = "e", .initialize = called, .autostart = called);
    answer(f, "c initialize", -5);
    struct ending *up = bring_up(f);
    assert_calls(f, "b initialize, a initialize, c initialize, d initialize, e initialize, e autostart");
    assert_ended(up, 0);
    assert_driver(f, "c", "failed");
    assert_driver(f, "d", "up");
}

static void who_is_blocked_has_a_turn_once_what_it_needs_recovers(void **state)
{
    struct fixture *f = *state;
    f->options.max_ops = 2;
    quiet(state);
    DRIVER(f, .name = "e", .initialize = called, .needs = NAMES("c"));
    answer(f, "a initialize", MUSTER_PENDING);
    answer(f, "c initialize", -5);
    struct ending *up = bring_up(f);
    assert_calls(f, "b initialize, c initialize, a initialize, d initialize");
    assert_driver(f, "e", "blocked");
    finish(f, "a initialize", MUSTER_OK);
    assert_ended(up, 0);
    answer(f, "c initialize", MUSTER_OK);
    assert_int_equal(retry_driver(f, "c"), 0);
    assert_calls(f, "c initialize, e initialize");
    assert_driver(f, "e", "up");
}

/* Its deadline is set when its call is over and it isn't, and counts from the call. */
static void an_op_that_goes_on_has_its_deadline_and_others_never_had(void **state)
{
    struct fixture *f = quiet(state);
    answer(f, "d initialize", MUSTER_PENDING);
    bring_up(f);
    assert_int_equal(muster__engine_wake_at(f->engine), f->now + 1000);
    assert_int_equal(f->engine->timers.count, 1);
    pass(f, 999);
    assert_driver(f, "d", "initializing");
    pass(f, 1);
    assert_driver(f, "d", "failed");
    finish(f, "d initialize", MUSTER_OK);
    assert_driver(f, "d", "up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(callbacks_that_end_at_once_are_called_in_the_plan_s_order),
        engine_test(one_that_is_awaited_holds_up_its_dependents_alone),
        engine_test(what_fails_in_the_row_blocks_its_dependents),
        engine_test(one_that_fails_while_it_stands_in_line_lets_the_next_go),
        engine_test(a_tier_that_goes_through_at_once_opens_the_next),
        engine_test(an_autostart_callback_holds_up_its_dependents_alone),
        engine_test(who_is_blocked_by_a_reconcile_past_its_deadline_follows_when_that_ends_well),
        engine_test(nobody_in_line_is_called_once_it_goes_down),
        engine_test(the_longest_path_goes_first),
        engine_test(who_is_blocked_has_a_turn_once_what_it_needs_recovers),
        engine_test(an_op_that_goes_on_has_its_deadline_and_others_never_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

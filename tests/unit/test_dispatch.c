/* SPDX-License-Identifier: MIT */
/* Which op is called next, and how many at once. */
#include "engine_fixture.h"

/* Three resources of one driver; probes and starts are finished by the test. */
static struct fixture *limited(void **state, const struct muster_driver_def *limits)
{
    static const char *const names[] = {"a", "b", "c"};
    struct fixture *f = *state;
    struct muster_driver_def def = *limits;
    def.name = "vm";
    def.initialize = def.probe = def.start = def.stop = called;
    add_driver(f, &def);
    for (size_t i = 0; i < 3; i++)
        RESOURCE(f, "vm", .name = names[i], .policy = MUSTER_AUTOSTART);
    return f;
}

static void probes_beyond_the_limit_wait_for_one_to_end(void **state)
{
    struct fixture *f = limited(state, &(struct muster_driver_def){.max_probes = 2});
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    bring_up(f);
    assert_calls(f, "vm initialize, vm/a probe, vm/b probe");
    finish(f, "vm/b probe", MUSTER_INACTIVE);
    assert_calls(f, "vm/c probe");
}

static void a_probe_past_its_deadline_gives_its_place_up(void **state)
{
    struct fixture *f = limited(state, &(struct muster_driver_def){.max_probes = 1});
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    bring_up(f);
    assert_calls(f, "vm initialize, vm/a probe");
    pass(f, 1000);
    assert_calls(f, "cancel vm/a probe, vm/b probe");
}

static void starts_beyond_the_limit_wait_for_one_to_end(void **state)
{
    struct fixture *f = limited(state, &(struct muster_driver_def){.max_starts = 1});
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    struct ending *up = bring_up(f);
    f->calls[0] = '\0';
    assert_commits(f, "vm/a starting");
    assert_true(is_out(f, "vm/a start"));
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/b start");
    finish(f, "vm/b start", -5);
    assert_calls(f, "vm/c start");
    finish(f, "vm/c start", MUSTER_OK);
    assert_ended(up, 0);
}

/* ---- what has waited for its turn ------------------------------------------------------------------- */

/* vm/a is being started, vm/b and vm/c have waited for their turn for a while. */
static struct fixture *in_line(void **state, const struct muster_driver_def *limits)
{
    struct fixture *f = limited(state, limits);
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    bring_up(f);
    assert_text(f->calls, "vm/a start");
    pass(f, 10);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void a_start_that_waited_for_its_turn_is_probed_again(void **state)
{
    struct fixture *f = in_line(state, &(struct muster_driver_def){.max_starts = 1});
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/b probe, vm/b start");
    assert_text(f->commits, "vm/a active, vm/b starting");
    pass(f, 10);
    finish(f, "vm/b start", -5);
    assert_calls(f, "vm/c probe, vm/c start");
}

static void what_began_to_run_meanwhile_is_not_started_and_the_next_has_its_turn(void **state)
{
    struct fixture *f = in_line(state, &(struct muster_driver_def){.max_starts = 1});
    answer(f, "vm/b probe", MUSTER_ACTIVE);
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/b probe, vm/c probe, vm/c start");
    assert_state(f, "vm/b", "active, unmanaged");
    assert_null(strstr(f->commits, "vm/b starting"));
}

static void its_turn_is_kept_while_it_is_probed(void **state)
{
    struct fixture *f = in_line(state, &(struct muster_driver_def){.max_starts = 1});
    answer(f, "vm/b probe", MUSTER_PENDING);
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/b probe");
    pass(f, 10);
    finish(f, "vm/b probe", MUSTER_INACTIVE);
    assert_calls(f, "vm/b start");
}

static void those_that_have_their_turn_are_probed_at_once(void **state)
{
    struct fixture *f = in_line(state, &(struct muster_driver_def){.max_starts = 2});
    assert_int_equal(ADD_RESOURCE(f, "vm", .name = "d"), 0);
    start(f, "vm/d", 0);
    pass(f, 10);
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    finish(f, "vm/a start", MUSTER_OK);
    finish(f, "vm/b start", MUSTER_OK);
    assert_calls(f, "vm/d probe, vm/c probe, vm/d probe");
    finish(f, "vm/d probe", MUSTER_INACTIVE);
    finish(f, "vm/c probe", MUSTER_INACTIVE);
    assert_calls(f, "vm/d start, vm/c start");
}

static void a_probe_that_hangs_gives_the_turn_up(void **state)
{
    struct fixture *f = in_line(state, &(struct muster_driver_def){.max_starts = 1});
    answer(f, "vm/b probe", MUSTER_PENDING);
    finish(f, "vm/a start", MUSTER_OK);
    f->calls[0] = '\0';
    pass(f, 1000);
    assert_calls(f, "cancel vm/b probe, vm/c probe, vm/c start");
}

static void one_that_can_not_be_told_gives_the_turn_up(void **state)
{
    struct fixture *f = in_line(state, &(struct muster_driver_def){.max_starts = 1});
    answer(f, "vm/b probe", MUSTER_UNAVAILABLE);
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/b probe, vm/c probe, vm/c start");
    assert_state(f, "vm/b", "inactive, deferred");
}

static void in_its_turn_it_is_probed_within_the_limit_of_probes(void **state)
{
    struct fixture *f = in_line(state, &(struct muster_driver_def){.max_starts = 1, .max_probes = 1});
    answer(f, "vm/x probe", MUSTER_PENDING);
    assert_int_equal(ADD_RESOURCE(f, "vm", .name = "x"), 0);
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/x probe");
    finish(f, "vm/x probe", MUSTER_INACTIVE);
    assert_calls(f, "vm/b probe, vm/b start");
}

static void a_start_whose_policy_has_changed_is_decided_again(void **state)
{
    struct fixture *f = limited(state, &(struct muster_driver_def){.max_starts = 1});
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    bring_up(f);
    assert_int_equal(set_policy(f, "vm/b", MUSTER_MANUAL), 0);
    f->calls[0] = '\0';
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/b probe, vm/c start");
    assert_state(f, "vm/b", "inactive");
}

static void where_the_record_decides_it_is_asked_again(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "vm", .max_starts = 1, .initialize = called, .start = called, .stop = called);
    RESOURCE(f, "vm", .name = "a", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "vm", .name = "b", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "vm", .name = "c", .policy = MUSTER_AUTOSTART);
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    bring_up(f);
    set_policy(f, "vm/b", MUSTER_MANUAL);
    pass(f, 10);
    f->calls[0] = '\0';
    finish(f, "vm/a start", MUSTER_OK);
    assert_calls(f, "vm/c start");
    assert_state(f, "vm/b", "inactive");
}

static void a_user_s_start_that_waited_is_probed_again(void **state)
{
    struct fixture *f = limited(state, &(struct muster_driver_def){.max_starts = 1});
    answer(f, "vm/b start", -5);
    bring_up(f);
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    answer(f, "vm/b start", MUSTER_PENDING);
    assert_ended(stop(f, "vm/a", 0), 0);
    struct ending *first = start(f, "vm/a", 0);
    struct ending *second = start(f, "vm/b", 0);
    pass(f, 10);
    answer(f, "vm/b probe", MUSTER_ACTIVE);
    f->calls[0] = '\0';
    finish(f, "vm/a start", MUSTER_OK);
    assert_ended(first, 0);
    assert_ended(second, 0);
    assert_calls(f, "vm/b probe");
}

static void the_interval_is_from_call_to_call(void **state)
{
    struct fixture *f = limited(state, &(struct muster_driver_def){.start_interval_ms = 50});
    bring_up(f);
    assert_text(f->calls, "vm/c probe, vm/a start"); /* (each is probed again after its wait for the barrier) */
    f->calls[0] = '\0';
    pass(f, 49);
    assert_calls(f, "");
    f->store_held = true;
    pass(f, 1);
    assert_calls(f, "vm/b probe"); /* its intent is on its way */
    pass(f, 7);
    f->store_held = false;
    store_answers(f, 0);
    assert_calls(f, "vm/b start");
    pass(f, 49);
    assert_calls(f, "");
    pass(f, 1);
    assert_calls(f, "vm/c probe, vm/c start");
}

static void an_interval_without_end_leaves_one_start(void **state)
{
    struct fixture *f = limited(state, &(struct muster_driver_def){.start_interval_ms = UINTPTR_MAX});
    pass(f, 1);
    bring_up(f);
    assert_text(f->calls, "vm/a start");
    pass(f, 1000000);
    assert_null(strstr(f->calls, "vm/b start"));
}

static void no_more_ops_are_out_than_the_context_allows(void **state)
{
    struct fixture *f = *state;
    f->options.max_ops = 2;
    DRIVER(f, .name = "vm", USUAL);
    DRIVER(f, .name = "other", .initialize = called);
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    f->outcomes[MUSTER_PHASE_INITIALIZE] = MUSTER_PENDING;
    bring_up(f);
    assert_calls(f, "vm initialize, other initialize");
    assert_int_equal(muster__engine_ops_out(f->engine), 2);
    OP_ADDS(f, "vm initialize", .name = "x");
    OP_ADDS(f, "vm initialize", .name = "y");
    finish(f, "vm initialize", MUSTER_OK);
    assert_calls(f, "vm/x probe");
    finish(f, "other initialize", MUSTER_OK);
    assert_calls(f, "vm/y probe");
}

static void the_higher_priority_comes_first_then_the_order_of_adding(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "vm", .max_probes = 1, USUAL);
    RESOURCE(f, "vm", .name = "last", .priority = -5);
    RESOURCE(f, "vm", .name = "one");
    RESOURCE(f, "vm", .name = "two");
    RESOURCE(f, "vm", .name = "first", .priority = 9);
    bring_up(f);
    assert_calls(f, "vm initialize, vm/first probe, vm/one probe, vm/two probe, vm/last probe");
}

static void what_is_reported_before_a_probe_is_called_needs_no_second_one(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "vm", .max_probes = 1, USUAL);
    RESOURCE(f, "vm", .name = "one");
    RESOURCE(f, "vm", .name = "two");
    answer(f, "vm/one probe", MUSTER_PENDING);
    answer(f, "vm/two probe", MUSTER_UNAVAILABLE);
    bring_up(f);
    changed(f, "vm/two", MUSTER_CHANGED_UNKNOWN);
    f->calls[0] = '\0';
    finish(f, "vm/one probe", MUSTER_INACTIVE);
    assert_calls(f, "vm/two probe");
    assert_state(f, "vm/two", "inactive, deferred");
}

static void drivers_of_a_higher_priority_go_first(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "low", .initialize = called);
    DRIVER(f, .name = "high", .initialize = called, .priority = 1);
    DRIVER(f, .name = "also-low", .initialize = called);
    bring_up(f);
    assert_calls(f, "high initialize, low initialize, also-low initialize");
}

static void a_shuffle_changes_the_order_of_what_is_not_ordered_alone(void **state)
{
    struct fixture *f = *state;
    f->options.shuffle_seed = 3;
    DRIVER(f, .name = "a", .initialize = called);
    DRIVER(f, .name = "b", .initialize = called);
    DRIVER(f, .name = "c", .initialize = called);
    DRIVER(f, .name = "d", .initialize = called);
    DRIVER(f, .name = "e", .initialize = called, .needs = NAMES("a", "b", "c", "d"));
    bring_up(f);
    assert_string_not_equal(f->calls, "a initialize, b initialize, c initialize, d initialize, e initialize");
    assert_text(f->calls, ", e initialize");
}

static void restores_count_as_probes(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "vm", .max_probes = 1, .initialize = called, .restore = called);
    RECORD(f, "vm/one", .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "vm/two", .stage = MUSTER_STAGE_ACTIVE);
    f->outcomes[MUSTER_PHASE_RESTORE] = MUSTER_PENDING;
    struct ending *up = bring_up(f);
    assert_calls(f, "vm initialize, vm/one restore");
    finish(f, "vm/one restore", MUSTER_OK);
    assert_calls(f, "vm/two restore");
    finish(f, "vm/two restore", MUSTER_OK);
    assert_ended(up, 0);
}

static void a_record_that_goes_while_it_waits_to_be_restored_leaves_nothing_to_call(void **state)
{
    struct fixture *f = *state;
    f->options.max_ops = 2;
    DRIVER(f, .name = "other", .priority = 1, .initialize = called);
    DRIVER(f, .name = "vm", .initialize = called, .restore = called);
    RECORD(f, "vm/one", .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "vm/two", .stage = MUSTER_STAGE_ACTIVE);
    f->outcomes[MUSTER_PHASE_RESTORE] = MUSTER_PENDING;
    answer(f, "other initialize", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_calls(f, "other initialize, vm initialize, vm/one restore");
    assert_ended(forget(f, "vm/two"), 0);
    finish(f, "other initialize", MUSTER_OK);
    assert_calls(f, "");
    finish(f, "vm/one restore", MUSTER_OK);
    assert_ended(up, 0);
}

static void a_start_that_lost_what_it_needs_before_its_call_waits_again(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "vm", USUAL);
    RESOURCE(f, "vm", .name = "disk");
    RESOURCE(f, "vm", .name = "guest", .needs = NAMES("vm/disk"));
    bring_up(f);
    assert_ended(start(f, "vm/disk", 0), 0);
    f->store_held = true;
    f->calls[0] = '\0';
    struct ending *started = start(f, "vm/guest", 0);
    changed(f, "vm/disk", MUSTER_CHANGED_LOST);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, MUSTER_EDEPENDENCY);
    assert_calls(f, "");
    assert_null(stored(f, "vm/guest"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(probes_beyond_the_limit_wait_for_one_to_end),
        engine_test(a_probe_past_its_deadline_gives_its_place_up),
        engine_test(starts_beyond_the_limit_wait_for_one_to_end),
        engine_test(a_start_that_waited_for_its_turn_is_probed_again),
        engine_test(what_began_to_run_meanwhile_is_not_started_and_the_next_has_its_turn),
        engine_test(its_turn_is_kept_while_it_is_probed),
        engine_test(those_that_have_their_turn_are_probed_at_once),
        engine_test(a_probe_that_hangs_gives_the_turn_up),
        engine_test(one_that_can_not_be_told_gives_the_turn_up),
        engine_test(in_its_turn_it_is_probed_within_the_limit_of_probes),
        engine_test(a_start_whose_policy_has_changed_is_decided_again),
        engine_test(where_the_record_decides_it_is_asked_again),
        engine_test(a_user_s_start_that_waited_is_probed_again),
        engine_test(the_interval_is_from_call_to_call),
        engine_test(an_interval_without_end_leaves_one_start),
        engine_test(no_more_ops_are_out_than_the_context_allows),
        engine_test(the_higher_priority_comes_first_then_the_order_of_adding),
        engine_test(what_is_reported_before_a_probe_is_called_needs_no_second_one),
        engine_test(drivers_of_a_higher_priority_go_first),
        engine_test(a_shuffle_changes_the_order_of_what_is_not_ordered_alone),
        engine_test(restores_count_as_probes),
        engine_test(a_record_that_goes_while_it_waits_to_be_restored_leaves_nothing_to_call),
        engine_test(a_start_that_lost_what_it_needs_before_its_call_waits_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

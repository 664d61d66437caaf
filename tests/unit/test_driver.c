/* SPDX-License-Identifier: MIT */
/* Drivers: their states, failure, and late recovery. */
#include "engine_fixture.h"

static struct fixture *lone(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .reconcile = called, .autostart = called, .shutdown = called);
    for (size_t i = 0; i < FIXTURE_PHASES; i++)
        f->outcomes[i] = MUSTER_PENDING;
    return f;
}

static void a_driver_goes_through_its_phases(void **state)
{
    struct fixture *f = lone(state);
    assert_driver(f, "pool", "waiting");
    struct ending *up = bring_up(f);
    assert_driver(f, "pool", "initializing");
    finish(f, "pool initialize", MUSTER_OK);
    assert_driver(f, "pool", "reconciling");
    finish(f, "pool reconcile", MUSTER_OK);
    assert_driver(f, "pool", "autostarting");
    finish(f, "pool autostart", MUSTER_OK);
    assert_driver(f, "pool", "up");
    assert_ended(up, 0);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_driver(f, "pool", "shutting down");
    finish(f, "pool shutdown", MUSTER_OK);
    assert_driver(f, "pool", "down");
    assert_ended(down, 0);
    assert_calls(f, "pool initialize, pool reconcile, pool autostart, pool shutdown");
}

static void one_without_callbacks_is_up_at_once(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool");
    assert_ended(bring_up(f), 0);
    assert_driver(f, "pool", "up");
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_driver(f, "pool", "down");
}

/* secret <- pool <- guest, and net beside them. */
static struct fixture *chain(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "secret", .initialize = called);
    DRIVER(f, .name = "pool", .initialize = called, .needs = NAMES("secret"));
    DRIVER(f, .name = "guest", .initialize = called, .needs = NAMES("pool"));
    DRIVER(f, .name = "net", .initialize = called);
    return f;
}

static void a_failure_blocks_those_that_need_it_with_the_chain(void **state)
{
    struct fixture *f = chain(state);
    answer(f, "secret initialize", -5);
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_driver(f, "secret", "failed");
    assert_driver(f, "pool", "blocked");
    assert_driver(f, "guest", "blocked");
    assert_driver(f, "net", "up");
    assert_calls(f, "secret initialize, net initialize");
    assert_string_equal(why_driver(f, "guest"), "driver 'guest': needs pool: driver 'pool': needs secret: "
                                                "driver 'secret': initialize: Input/output error");
    assert_text(up->text, "driver 'secret': initialize");
}

static void what_a_driver_says_of_its_failure_is_kept(void **state)
{
    struct fixture *f = chain(state);
    answer(f, "secret initialize", MUSTER_PENDING);
    bring_up(f);
    finish_with(f, "secret initialize", -5, "the vault is sealed");
    assert_string_equal(why_driver(f, "secret"), "driver 'secret': initialize: the vault is sealed");
    assert_int_equal(muster_error_code(muster_driver_get_error(find_driver(f, "secret"))), -5);
}

static void a_failed_driver_can_be_retried_and_what_it_blocked_follows(void **state)
{
    struct fixture *f = chain(state);
    answer(f, "secret initialize", -5);
    bring_up(f);
    answer(f, "secret initialize", MUSTER_OK);
    f->calls[0] = '\0';
    assert_int_equal(retry_driver(f, "secret"), 0);
    assert_calls(f, "secret initialize, pool initialize, guest initialize");
    assert_driver(f, "guest", "up");
    assert_string_equal(why_driver(f, "guest"), "");
}

static void skip_blocks_with_the_reason(void **state)
{
    struct fixture *f = chain(state);
    answer(f, "pool initialize", MUSTER_SKIP);
    assert_ended(bring_up(f), 0);
    assert_driver(f, "pool", "skipped");
    assert_string_equal(why_driver(f, "guest"),
                        "driver 'guest': needs pool: driver 'pool': initialize: not usable on this machine");
    assert_int_equal(muster_error_code(muster_driver_get_error(find_driver(f, "pool"))), MUSTER_ESKIPPED);
    answer(f, "pool initialize", MUSTER_OK);
    assert_int_equal(retry_driver(f, "pool"), 0);
    assert_driver(f, "guest", "up");
}

static void skip_is_for_initialize_alone(void **state)
{
    struct fixture *f = lone(state);
    bring_up(f);
    finish(f, "pool initialize", MUSTER_OK);
    finish(f, "pool reconcile", MUSTER_SKIP);
    assert_driver(f, "pool", "failed");
    assert_text(why_driver(f, "pool"), "driver 'pool': reconcile: the callback returned 2, which answers nothing");
}

static void unavailable_is_tried_again_with_growing_pauses(void **state)
{
    struct fixture *f = chain(state);
    answer(f, "secret initialize", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    assert_driver(f, "secret", "deferred");
    assert_driver(f, "guest", "blocked");
    f->calls[0] = '\0';
    pass(f, 99);
    assert_calls(f, "");
    pass(f, 1);
    assert_calls(f, "secret initialize");
    pass(f, 199);
    assert_calls(f, "");
    answer(f, "secret initialize", MUSTER_OK);
    pass(f, 1);
    assert_calls(f, "secret initialize, pool initialize, guest initialize");
    assert_driver(f, "guest", "up");
}

static void a_device_that_came_is_tried_at_once(void **state)
{
    struct fixture *f = chain(state);
    answer(f, "secret initialize", MUSTER_UNAVAILABLE);
    bring_up(f);
    answer(f, "secret initialize", MUSTER_OK);
    struct muster__event event = {.type = MUSTER__EVENT_DRIVER_RETRY, .number = 1, .driver = find_driver(f, "net")};
    assert_int_equal(step(f, event), 0); /* not deferred: not touched */
    assert_driver(f, "secret", "deferred");
    event.driver = find_driver(f, "secret");
    assert_int_equal(step(f, event), 0);
    assert_driver(f, "guest", "up");
}

static void what_is_up_or_blocked_is_not_retried(void **state)
{
    struct fixture *f = chain(state);
    answer(f, "secret initialize", -5);
    assert_int_equal(retry_driver(f, "net"), MUSTER_ESTATE);
    bring_up(f);
    assert_int_equal(retry_driver(f, "net"), MUSTER_ESTATE);
    assert_text(muster_error_text(muster__engine_error(f->engine)), "driver 'net' is up");
    assert_int_equal(retry_driver(f, "pool"), MUSTER_ESTATE);
}

static void reconcile_and_autostart_are_retried_where_they_failed(void **state)
{
    struct fixture *f = lone(state);
    struct ending *up = bring_up(f);
    finish(f, "pool initialize", MUSTER_OK);
    finish(f, "pool reconcile", MUSTER_UNAVAILABLE);
    assert_ended(up, 0);
    f->calls[0] = '\0';
    pass(f, 100);
    assert_calls(f, "pool reconcile");
    finish(f, "pool reconcile", MUSTER_OK);
    finish(f, "pool autostart", -5);
    assert_driver(f, "pool", "failed");
    assert_int_equal(retry_driver(f, "pool"), 0);
    finish(f, "pool autostart", MUSTER_OK);
    assert_driver(f, "pool", "up");
    assert_calls(f, "pool autostart, pool autostart");
}

static void an_op_past_its_deadline_fails_the_driver_and_is_asked_to_end(void **state)
{
    struct fixture *f = lone(state);
    struct ending *up = bring_up(f);
    pass(f, 1000);
    assert_driver(f, "pool", "failed");
    assert_string_equal(why_driver(f, "pool"),
                        "driver 'pool': initialize: not finished after 1000 ms, state unknown");
    assert_calls(f, "pool initialize, cancel pool initialize");
    assert_true(saw(f, "timeout pool"));
    assert_ended(up, 0);
    assert_int_equal(retry_driver(f, "pool"), MUSTER_EBUSY);
}

static void a_late_success_recovers(void **state)
{
    struct fixture *f = lone(state);
    bring_up(f);
    pass(f, 1000);
    OP_ADDS(f, "pool initialize", .name = "disk");
    finish(f, "pool initialize", MUSTER_OK);
    assert_true(saw(f, "late pool"));
    assert_driver(f, "pool", "reconciling");
    pass(f, 1000);
    assert_driver(f, "pool", "failed");
    finish(f, "pool reconcile", MUSTER_OK);
    pass(f, 1000);
    assert_driver(f, "pool", "failed");
    finish(f, "pool autostart", MUSTER_OK);
    assert_driver(f, "pool", "up");
    assert_state(f, "pool/disk", "inactive");
}

static void a_late_failure_changes_nothing(void **state)
{
    struct fixture *f = lone(state);
    bring_up(f);
    pass(f, 1000);
    OP_ADDS(f, "pool initialize", .name = "disk");
    finish(f, "pool initialize", -5);
    assert_driver(f, "pool", "failed");
    assert_text(why_driver(f, "pool"), "not finished after 1000 ms");
    assert_int_equal(f->held, 0);
    assert_int_equal(retry_driver(f, "pool"), 0);
}

static void one_of_several_providers_is_enough(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "nfs", .initialize = called, .provides = NAMES("storage"));
    DRIVER(f, .name = "rbd", .initialize = called, .provides = NAMES("storage"));
    DRIVER(f, .name = "guest", .initialize = called, .needs = NAMES("storage"));
    answer(f, "nfs initialize", -5);
    answer(f, "rbd initialize", MUSTER_PENDING);
    bring_up(f);
    assert_driver(f, "guest", "waiting");
    finish(f, "rbd initialize", MUSTER_OK);
    assert_driver(f, "guest", "up");
}

static void no_provider_blocks(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "nfs", .initialize = called, .provides = NAMES("storage"));
    DRIVER(f, .name = "rbd", .initialize = called, .provides = NAMES("storage"));
    DRIVER(f, .name = "guest", .initialize = called, .needs = NAMES("storage"));
    f->outcomes[MUSTER_PHASE_INITIALIZE] = -5;
    assert_ended(bring_up(f), 0);
    assert_driver(f, "guest", "blocked");
    assert_text(why_driver(f, "guest"), "driver 'guest': needs storage: driver 'nfs'");
}

static void wants_and_after_tolerate_a_failure(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .initialize = called, .wants = NAMES("net", "nobody"), .after = NAMES("log"));
    DRIVER(f, .name = "net", .initialize = called);
    DRIVER(f, .name = "log", .initialize = called, .before = NAMES("net"));
    answer(f, "net initialize", -5);
    answer(f, "log initialize", -5);
    assert_ended(bring_up(f), 0);
    assert_calls(f, "log initialize, net initialize, guest initialize");
    assert_driver(f, "guest", "up");
}

static void restore_may_bring_a_transient_resource_back(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .restore = called, USUAL);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE, .handle = "pid 3");
    RECORD(f, "guest/dust", .stage = MUSTER_STAGE_INACTIVE);
    answer(f, "guest/web restore", MUSTER_PENDING);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    struct ending *up = bring_up(f);
    assert_driver(f, "guest", "initializing");
    assert_string_equal(out(f, "guest/web restore")->handle, "pid 3");
    OP_ADDS(f, "guest/web restore", .name = "web");
    finish(f, "guest/web restore", MUSTER_OK);
    assert_ended(up, 0);
    assert_state(f, "guest/web", "active");
    assert_true(saw(f, "unclaimed guest/dust"));
    assert_non_null(stored(f, "guest/dust"));
}

static void a_restore_that_fails_or_hangs_keeps_the_record(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .restore = called, USUAL);
    RECORD(f, "guest/web", .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "guest/db", .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/web restore", -5);
    answer(f, "guest/db restore", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_true(saw(f, "unclaimed guest/web"));
    pass(f, 1000);
    assert_ended(up, 0);
    assert_text(up->text, "guest");
    assert_driver(f, "guest", "up");
    answer(f, "guest/db probe", MUSTER_ACTIVE);
    OP_ADDS(f, "guest/db restore", .name = "db");
    finish(f, "guest/db restore", MUSTER_OK);
    assert_state(f, "guest/db", "active"); /* late, and as good */
    assert_non_null(stored(f, "guest/web"));
}

static void what_is_added_twice_fails_the_driver(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "pool", .name = "disk");
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_text(up->text, "pool 'disk': exists already");
    assert_driver(f, "pool", "failed");
    assert_int_equal(f->held, 0);
}

static void resources_of_a_driver_that_failed_later_are_adopted_all_the_same(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .initialize = called, .reconcile = called, .probe = called, .start = called);
    RESOURCE(f, "guest", .name = "web");
    RESOURCE(f, "guest", .name = "db", .policy = MUSTER_AUTOSTART);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest reconcile", -5);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_driver(f, "guest", "failed");
    assert_state(f, "guest/web", "active");
    assert_state(f, "guest/db", "inactive, waiting");
    assert_text(why(f, "guest/db"), "guest 'db': not started: driver 'guest': reconcile");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(a_driver_goes_through_its_phases),
        engine_test(one_without_callbacks_is_up_at_once),
        engine_test(a_failure_blocks_those_that_need_it_with_the_chain),
        engine_test(what_a_driver_says_of_its_failure_is_kept),
        engine_test(a_failed_driver_can_be_retried_and_what_it_blocked_follows),
        engine_test(skip_blocks_with_the_reason),
        engine_test(skip_is_for_initialize_alone),
        engine_test(unavailable_is_tried_again_with_growing_pauses),
        engine_test(a_device_that_came_is_tried_at_once),
        engine_test(what_is_up_or_blocked_is_not_retried),
        engine_test(reconcile_and_autostart_are_retried_where_they_failed),
        engine_test(an_op_past_its_deadline_fails_the_driver_and_is_asked_to_end),
        engine_test(a_late_success_recovers),
        engine_test(a_late_failure_changes_nothing),
        engine_test(one_of_several_providers_is_enough),
        engine_test(no_provider_blocks),
        engine_test(wants_and_after_tolerate_a_failure),
        engine_test(restore_may_bring_a_transient_resource_back),
        engine_test(a_restore_that_fails_or_hangs_keeps_the_record),
        engine_test(what_is_added_twice_fails_the_driver),
        engine_test(resources_of_a_driver_that_failed_later_are_adopted_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

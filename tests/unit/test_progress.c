/* SPDX-License-Identifier: MIT */
/* How far a bring-up is, and how much longer it takes. */
#include "engine_fixture.h"

#include <errno.h>

static struct muster_progress_counts progress(struct fixture *f)
{
    struct muster_progress_counts counts = {.size = sizeof(counts)};
    muster__engine_progress(f->engine, &counts);
    return counts;
}

#define assert_counts(f, is_done, is_running, is_waiting, has_failed)                                      \
    do {                                                                                                   \
        struct muster_progress_counts counts = progress(f);                                                \
        assert_int_equal(counts.done, (is_done));                                                          \
        assert_int_equal(counts.running, (is_running));                                                    \
        assert_int_equal(counts.waiting, (is_waiting));                                                    \
        assert_int_equal(counts.failed, (has_failed));                                                     \
    } while (0)

static struct fixture *two(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), USUAL);
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "disk", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART, .needs = NAMES("pool/disk"));
    return f;
}

static void each_is_counted_once(void **state)
{
    struct fixture *f = two(state);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_counts(f, 0, 1, 3, 0);
    finish(f, "pool/disk start", MUSTER_OK);
    assert_ended(up, 0);
    assert_counts(f, 4, 0, 0, 0);
    assert_int_equal(progress(f).estimate_ms, 0);
}

static void what_failed_and_what_it_holds_up_has_failed(void **state)
{
    struct fixture *f = two(state);
    answer(f, "pool/disk start", -EIO);
    assert_ended(bring_up(f), 0);
    assert_counts(f, 2, 0, 0, 2);
}

static void nothing_is_estimated_without_durations(void **state)
{
    struct fixture *f = two(state);
    answer(f, "pool initialize", MUSTER_PENDING);
    bring_up(f);
    assert_true(progress(f).estimate_ms == MUSTER_REPORT_NEVER);
    pass(f, 5000);
    finish(f, "pool initialize", MUSTER_OK);
}

/* What this bring-up has measured itself says nothing of what is still to be done. */
static void one_duration_that_is_new_is_no_estimate(void **state)
{
    struct fixture *f = *state;
    f->options.op_timeout_ms = 60000;
    two(state);
    answer(f, "pool initialize", MUSTER_PENDING);
    answer(f, "guest initialize", MUSTER_PENDING);
    bring_up(f);
    pass(f, 5000);
    finish(f, "pool initialize", MUSTER_OK);
    assert_int_equal(progress(f).running, 1);
    assert_true(progress(f).estimate_ms == MUSTER_REPORT_NEVER);
    finish(f, "guest initialize", MUSTER_OK);
}

static void an_op_that_has_timed_out_does_not_run_any_more(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .op_timeout_ms = 1000);
    answer(f, "pool initialize", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_counts(f, 0, 1, 0, 0);
    pass(f, 1000);
    assert_ended(up, 0);
    assert_counts(f, 0, 0, 0, 1);
    assert_int_equal(progress(f).estimate_ms, 0);
    finish(f, "pool initialize", MUSTER_OK);
}

/* The longest path: the pool's start, then the guest's. */
static void durations_estimate_what_remains(void **state)
{
    struct fixture *f = *state;
    f->options.op_timeout_ms = 60000;
    two(state);
    DURATIONS(f, "pool/disk", "start=5000000");
    DURATIONS(f, "guest/web", "start=2000000");
    answer(f, "pool/disk start", MUSTER_PENDING);
    answer(f, "guest/web start", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_int_equal(progress(f).estimate_ms, 7000);
    pass(f, 3000);
    assert_int_equal(progress(f).estimate_ms, 4000);
    finish(f, "pool/disk start", MUSTER_OK);
    assert_int_equal(progress(f).estimate_ms, 2000);
    pass(f, 5000);
    assert_int_equal(progress(f).estimate_ms, 1); /* 0 would say that all is over */
    finish(f, "guest/web start", MUSTER_OK);
    assert_ended(up, 0);
}

static void on_the_way_down_drivers_count(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), .initialize = called, .shutdown = called);
    DRIVER(f, .name = "pool", .initialize = called, .shutdown = called);
    assert_ended(bring_up(f), 0);
    answer(f, "guest shutdown", MUSTER_PENDING);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_counts(f, 0, 1, 1, 0);
    finish(f, "guest shutdown", MUSTER_OK);
    assert_ended(down, 0);
    assert_counts(f, 2, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(each_is_counted_once),
        engine_test(what_failed_and_what_it_holds_up_has_failed),
        engine_test(nothing_is_estimated_without_durations),
        engine_test(one_duration_that_is_new_is_no_estimate),
        engine_test(an_op_that_has_timed_out_does_not_run_any_more),
        engine_test(durations_estimate_what_remains),
        engine_test(on_the_way_down_drivers_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

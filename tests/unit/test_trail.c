/* SPDX-License-Identifier: MIT */
/* What the engine keeps for a report: each op once, with its times, its end and its error; nothing more. */
#include "engine_fixture.h"

#include <errno.h>

#include "engine/trail.h"

static const struct muster__trail *trail_of(struct fixture *f, enum muster__trail_kind kind)
{
    const struct muster__trail *trail = muster__engine_trail(f->engine, kind);
    assert_non_null(trail);
    return trail;
}

static const struct muster__trail_op *op_at(const struct muster__trail *trail, size_t at)
{
    assert_true(at < trail->op_count);
    return muster__trail_op_at(trail, at);
}

static const char *name_at(const struct muster__trail *trail, size_t at)
{
    const struct muster__trail_more more = muster__trail_more_of(trail, op_at(trail, at));
    return more.entry == NULL ? "" : muster__entry_path(more.entry);
}

static struct fixture *two(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), .reload = called, .shutdown = called, USUAL);
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "disk", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART, .needs = NAMES("pool/disk"));
    return f;
}

static void each_op_is_there_once_with_its_times(void **state)
{
    struct fixture *f = two(state);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    pass(f, 70);
    finish(f, "pool/disk start", MUSTER_OK);
    assert_ended(up, 0);
    const struct muster__trail *trail = trail_of(f, MUSTER__TRAIL_BRING_UP);
    assert_true(trail->ended);
    assert_int_equal(op_at(trail, 0)->phase, MUSTER_PHASE_INITIALIZE);
    assert_string_equal(name_at(trail, 0), "");
    size_t starts = 0;
    for (size_t i = 0; i < trail->op_count; i++) {
        assert_true(op_at(trail, i)->end_ms != MUSTER__TRAIL_NEVER);
        assert_null(muster__trail_more_of(trail, op_at(trail, i)).error);
        if (op_at(trail, i)->phase != MUSTER_PHASE_START)
            continue;
        assert_string_equal(name_at(trail, i), starts == 0 ? "pool/disk" : "guest/web");
        assert_int_equal(op_at(trail, i)->begin_ms, starts == 0 ? 0 : 70);
        assert_int_equal(op_at(trail, i)->end_ms, 70);
        starts++;
    }
    assert_int_equal(starts, 2);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(trail->milestones[i], i == MUSTER_SETTLED ? 70 : 0);
    assert_true(trail->commit_count > 0);
    assert_false(trail->committing);
}

static void an_error_is_kept_of_what_failed_alone(void **state)
{
    struct fixture *f = two(state);
    answer(f, "pool/disk start", -EIO);
    assert_ended(bring_up(f), 0);
    const struct muster__trail *trail = trail_of(f, MUSTER__TRAIL_BRING_UP);
    size_t failures = 0;
    for (size_t i = 0; i < trail->op_count; i++) {
        const struct muster__trail_more more = muster__trail_more_of(trail, op_at(trail, i));
        bool failed = more.outcome == -EIO;
        assert_int_equal(more.error != NULL, failed);
        failures += failed;
        if (failed)
            assert_text(muster_error_text(more.error), "pool 'disk': start");
    }
    assert_int_equal(failures, 1);
}

static void names_outlive_their_resources(void **state)
{
    struct fixture *f = two(state);
    assert_ended(bring_up(f), 0);
    assert_ended(shut_down(f, MUSTER_HOST_SHUTDOWN), 0);
    const struct muster__trail *trail = trail_of(f, MUSTER__TRAIL_SHUTDOWN);
    assert_int_equal(trail->op_count, 3);
    assert_string_equal(name_at(trail, 0), "guest/web");
    assert_string_equal(name_at(trail, 1), "pool/disk");
    assert_int_equal(trail->edge_count, 1);
    assert_string_equal(muster__entry_path(trail->edges[0].from), "guest/web");
    assert_string_equal(muster__entry_path(trail->edges[0].to), "pool/disk");
    assert_true(trail_of(f, MUSTER__TRAIL_BRING_UP)->ended);
}

static void what_a_user_asks_for_later_is_no_part_of_it(void **state)
{
    struct fixture *f = two(state);
    assert_ended(bring_up(f), 0);
    size_t before = trail_of(f, MUSTER__TRAIL_BRING_UP)->op_count;
    assert_ended(stop(f, "guest/web", 0), 0);
    assert_ended(start(f, "guest/web", 0), 0);
    assert_int_equal(trail_of(f, MUSTER__TRAIL_BRING_UP)->op_count, before);
}

static void retries_that_come_late_are_taken_up_to_a_bound(void **state)
{
    struct fixture *f = *state;
    f->options.retry_min_ms = f->options.retry_max_ms = 10;
    DRIVER(f, .name = "device", .initialize = called);
    answer(f, "device initialize", MUSTER_UNAVAILABLE);
    assert_ended(bring_up(f), 0);
    for (unsigned i = 0; i < MUSTER__TRAIL_LATE + 50; i++) {
        pass(f, 10);
        f->calls[0] = '\0';
    }
    const struct muster__trail *trail = trail_of(f, MUSTER__TRAIL_BRING_UP);
    assert_int_equal(trail->op_count, 1 + MUSTER__TRAIL_LATE);
    assert_true(trail->lost >= 49);
}

/* As muster_get_report() promises. */
static void an_entry_is_small(void **state)
{
    (void)state;
    assert_in_range(sizeof(struct muster__trail_op), 1, 16);
    assert_in_range(sizeof(struct muster__trail_more), 1, 24);
    assert_in_range(sizeof(struct muster__trail_commit), 1, 16);
    assert_in_range(sizeof(struct muster__trail_edge), 1, 16);
}

/* The trail that it began in is gone when it ends. */
static void an_op_may_outlive_its_trail(void **state)
{
    struct fixture *f = two(state);
    assert_ended(bring_up(f), 0);
    answer(f, "guest reload", MUSTER_PENDING);
    struct ending *first = reload(f);
    pass(f, 100000);
    assert_ended(first, MUSTER_ETIMEDOUT);
    assert_int_equal(trail_of(f, MUSTER__TRAIL_RELOAD)->op_count, 1);
    assert_true(op_at(trail_of(f, MUSTER__TRAIL_RELOAD), 0)->timed_out);
    assert_ended(reload(f), 0);
    assert_int_equal(trail_of(f, MUSTER__TRAIL_RELOAD)->op_count, 0);
    finish(f, "guest reload", MUSTER_OK);
    assert_int_equal(trail_of(f, MUSTER__TRAIL_RELOAD)->op_count, 0);
}

static void a_next_bring_up_begins_anew(void **state)
{
    struct fixture *f = two(state);
    assert_ended(bring_up(f), 0);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_ended(bring_up(f), 0);
    const struct muster__trail *trail = trail_of(f, MUSTER__TRAIL_BRING_UP);
    assert_int_equal(op_at(trail, 0)->phase, MUSTER_PHASE_INITIALIZE);
    size_t initialized = 0;
    for (size_t i = 0; i < trail->op_count; i++)
        initialized += op_at(trail, i)->phase == MUSTER_PHASE_INITIALIZE;
    assert_int_equal(initialized, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(each_op_is_there_once_with_its_times),
        engine_test(an_error_is_kept_of_what_failed_alone),
        engine_test(names_outlive_their_resources),
        engine_test(what_a_user_asks_for_later_is_no_part_of_it),
        engine_test(retries_that_come_late_are_taken_up_to_a_bound),
        engine_test(an_entry_is_small),
        engine_test(an_op_may_outlive_its_trail),
        engine_test(a_next_bring_up_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

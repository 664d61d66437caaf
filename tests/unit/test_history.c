/* SPDX-License-Identifier: MIT */
/* How long ops have taken: what is measured, when it is written, what is believed, and when it is forgotten. */
#include "engine_fixture.h"

/* A driver whose starts take their time: the test finishes them. */
static struct fixture *vm(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "vm", .initialize = called, .start = called, .stop = called);
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    return f;
}

/* Its initialize, too; it then adds no resources. */
static struct fixture *slow(void **state)
{
    struct fixture *f = vm(state);
    f->outcomes[MUSTER_PHASE_INITIALIZE] = MUSTER_PENDING;
    return f;
}

static void take(struct fixture *f, const char *call, uint64_t ms)
{
    pass(f, ms);
    finish(f, call, MUSTER_OK);
}

static const char *durations(struct fixture *f, const char *path)
{
    const struct muster_record *record = stored_durations(f, path);
    return record == NULL ? "none" : record->handle;
}

static void restart(struct fixture *f)
{
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    end_daemon(f);
    f->driver_count = 0;
    f->resource_count = 0;
    f->calls[0] = f->commits[0] = '\0';
}

static void a_start_s_duration_goes_with_the_record_that_is_written_anyway(void **state)
{
    struct fixture *f = vm(state);
    RESOURCE(f, "vm", .name = "web");
    bring_up(f);
    assert_commits(f, "");
    start(f, "vm/web", 0);
    assert_commits(f, "vm/web starting");
    take(f, "vm/web start", 40);
    assert_commits(f, "vm/web active, vm/web start=40000");
    assert_int_equal(stored_durations(f, "vm/web")->kind, MUSTER_RECORD_HISTORY);
    assert_int_equal(stored_durations(f, "vm/web")->format, MUSTER_RECORD_FORMAT);
}

static void what_went_with_nothing_is_written_when_the_bring_up_ends(void **state)
{
    struct fixture *f = slow(state);
    struct ending *up = bring_up(f);
    take(f, "vm initialize", 30);
    assert_ended(up, 0);
    assert_commits(f, "vm/vm initialize=30000");
}

static void what_comes_after_the_bring_up_is_written_by_the_shutdown_at_the_latest(void **state)
{
    struct fixture *f = slow(state);
    struct ending *up = bring_up(f);
    finish(f, "vm initialize", MUSTER_UNAVAILABLE);
    assert_ended(up, 0);
    pass(f, 100);
    take(f, "vm initialize", 20);
    assert_commits(f, "");
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_commits(f, "vm/vm initialize=20000");
}

/* false: the shutdown needed fewer allocations. */
static bool shut_down_short_of_memory(size_t nth)
{
    void *state;
    assert_int_equal(fixture_setup(&state), 0);
    struct fixture *f = slow(&state);
    bring_up(f);
    finish(f, "vm initialize", MUSTER_UNAVAILABLE);
    pass(f, 100);
    take(f, "vm initialize", 20);
    f->failing.countdown = nth;
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    bool fired = f->failing.fired;
    f->failing.countdown = 0;
    if (down->refused == 0 && down->times == 0) {
        /* It may try again, but not sit its deadline out. */
        assert_true(muster__engine_wake_at(f->engine) <= f->now + 1000);
        pass(f, 1000);
        assert_ended(down, 0);
    }
    if (down->refused != 0)
        shut_down(f, MUSTER_DAEMON_RESTART);
    assert_int_equal(fixture_teardown(&state), 0);
    return fired;
}

static void a_shutdown_that_is_short_of_memory_does_not_wait_for_durations(void **state)
{
    size_t nth = 1;
    (void)state;
    while (shut_down_short_of_memory(nth))
        nth++;
    assert_true(nth > 3);
}

static void each_phase_is_measured(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "vm", .initialize = called, .reconcile = called, .autostart = called);
    f->outcomes[MUSTER_PHASE_INITIALIZE] = f->outcomes[MUSTER_PHASE_RECONCILE] = MUSTER_PENDING;
    f->outcomes[MUSTER_PHASE_AUTOSTART] = MUSTER_PENDING;
    bring_up(f);
    take(f, "vm initialize", 10);
    take(f, "vm reconcile", 11);
    take(f, "vm autostart", 12);
    assert_commits(f, "vm/vm initialize=10000 reconcile=11000 autostart=12000");
}

static void what_failed_came_late_or_took_no_time_teaches_nothing(void **state)
{
    struct fixture *f = vm(state);
    RESOURCE(f, "vm", .name = "web");
    bring_up(f);
    start(f, "vm/web", 0);
    take(f, "vm/web start", 1);
    stop(f, "vm/web", 0);
    start(f, "vm/web", 0);
    pass(f, 50);
    finish(f, "vm/web start", MUSTER_EFAILED);
    start(f, "vm/web", 0);
    take(f, "vm/web start", 1500);
    assert_string_equal(durations(f, "vm/web"), "none");
}

/* A fourth of the difference each time; what moves by less than an eighth isn't worth a record. */
static void means_are_smoothed(void **state)
{
    struct fixture *f = slow(state);
    DURATIONS(f, "vm/vm", "initialize=40000");
    bring_up(f);
    take(f, "vm initialize", 80);
    assert_commits(f, "vm/vm initialize=50000");
    assert_int_equal(stored_durations(f, "vm/vm")->generation, 2);
    restart(f);
    slow(state);
    bring_up(f);
    take(f, "vm initialize", 60);
    assert_commits(f, "");
    assert_string_equal(durations(f, "vm/vm"), "initialize=50000");
}

static void what_takes_no_time_any_more_is_forgotten(void **state)
{
    struct fixture *f = slow(state);
    DURATIONS(f, "vm/vm", "initialize=1200");
    bring_up(f);
    finish(f, "vm initialize", MUSTER_OK);
    assert_commits(f, "vm/vm removed");
    assert_string_equal(durations(f, "vm/vm"), "none");
}

static void first_come_keeps_nothing_and_touches_nothing(void **state)
{
    ((struct fixture *)*state)->options.flags = MUSTER_FIRST_COME;
    struct fixture *f = slow(state);
    DURATIONS(f, "vm/vm", "initialize=1000");
    bring_up(f);
    take(f, "vm initialize", 80);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_commits(f, "");
}

static void nothing_is_measured_without_a_store(void **state)
{
    ((struct fixture *)*state)->options.has_store = false;
    struct fixture *f = slow(state);
    struct ending *up = bring_up(f);
    take(f, "vm initialize", 80);
    assert_ended(up, 0);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_commits(f, "");
}

/* Absurd durations order nothing, stay as they are, and are outdone by the first that is measured. */
static void what_makes_no_sense_is_no_duration(void **state)
{
    static const char *const texts[] = {NULL, "", " ", "start", "start=", "start=0", "start=999", "start=-5000", "start=+5000",
                                        "start=nan", "start=inf", "start=5e9", "start=5000.5", "start=0x5000",
                                        "start=2592000000001", "start=18446744073709556616",
                                        "start=99999999999999999999999999999999", "start=5000  initialize=5000",
                                        "start=5000\n", "start=5000 start=5000", "probe=5000", "START=5000"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        DRIVER(f, .name = "vm", .max_starts = 1, .initialize = called, .start = called, .stop = called);
        RESOURCE(f, "vm", .name = "a", .policy = MUSTER_AUTOSTART);
        RESOURCE(f, "vm", .name = "b", .policy = MUSTER_AUTOSTART);
        DURATIONS(f, "vm/b", texts[i]);
        f->stored[f->stored_count - 1]->is.generation = 41;
        f->calls[0] = '\0';
        f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
        struct ending *up = bring_up(f);
        if (strcmp(f->calls, "vm initialize, vm/a start") != 0)
            fail_msg("'%s' makes it: %s", texts[i] == NULL ? "nothing" : texts[i], f->calls);
        take(f, "vm/a start", 0);
        take(f, "vm/b start", 7);
        assert_ended(up, 0);
        assert_string_equal(durations(f, "vm/b"), "start=7000");
        assert_true(stored_durations(f, "vm/b")->generation > 41);
        restart(f);
        while (f->stored_count > 0)
            muster__record_unref(f->stored[--f->stored_count]);
    }
    print_message("%zu texts that are no durations\n", sizeof(texts) / sizeof(texts[0]));
}

static void names_that_nobody_can_have_are_left_alone(void **state)
{
    struct fixture *f = slow(state);
    static char longest[400];
    memset(longest, 'x', sizeof(longest) - 1);
    RECORD(f, "vm/web", .kind = MUSTER_RECORD_HISTORY, .handle = "start=5000", .flags = MUSTER_RECORD_QUARANTINED);
    RECORD(f, "vm/ctl", .kind = 7, .handle = "start=5000");
    struct muster_record named = {.size = sizeof(named), .kind = MUSTER_RECORD_HISTORY, .driver = longest, .name = longest,
                                  .handle = "start=5000"};
    f->stored[f->stored_count++] = muster__record_new(&f->own, &named);
    named.driver = "a/b";
    named.name = "c\n";
    f->stored[f->stored_count++] = muster__record_new(&f->own, &named);
    struct ending *up = bring_up(f);
    finish(f, "vm initialize", MUSTER_OK);
    assert_ended(up, 0);
    assert_commits(f, "vm/web removed"); /* nobody has such a resource */
}

static void a_resource_takes_its_durations_along(void **state)
{
    struct fixture *f = vm(state);
    RESOURCE(f, "vm", .name = "web");
    DURATIONS(f, "vm/web", "start=5000");
    DURATIONS(f, "vm/gone", "start=5000");
    DURATIONS(f, "old/gone", "start=5000");
    DURATIONS(f, "vm/kept", "start=5000");
    RECORD(f, "vm/kept", .stage = MUSTER_STAGE_INACTIVE);
    DURATIONS(f, "vm/vm", "initialize=5000 start=5000");
    assert_ended(bring_up(f), 0);
    assert_string_equal(durations(f, "vm/gone"), "none"); /* neither a resource nor a record has that name */
    assert_string_equal(durations(f, "vm/vm"), "initialize=3750"); /* nor this one; the driver has */
    assert_string_equal(durations(f, "old/gone"), "start=5000"); /* whose driver isn't here */
    assert_string_equal(durations(f, "vm/kept"), "start=5000");
    assert_int_equal(remove_resource(f, "vm/web"), 0);
    assert_ended(forget(f, "vm/kept"), 0);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_string_equal(durations(f, "vm/web"), "none");
    assert_string_equal(durations(f, "vm/kept"), "none");
}

static int count_record(const struct muster_record *record, int is_claimed, void *data)
{
    (void)is_claimed;
    assert_int_equal(record->kind, MUSTER_RECORD_RESOURCE);
    ++*(int *)data;
    return 0;
}

static void hosts_see_no_durations_among_the_records(void **state)
{
    struct fixture *f = slow(state);
    int count = 0;
    DURATIONS(f, "vm/web", "start=5000");
    RECORD(f, "vm/ctl", .stage = MUSTER_STAGE_INACTIVE);
    bring_up(f);
    assert_int_equal(muster__engine_foreach_record(f->engine, count_record, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(forget(f, "vm/web")->refused, MUSTER_ENOENT);
    finish(f, "vm initialize", MUSTER_OK);
}

/* Nothing waits for durations: what the store refused goes along with what comes next. */
static void durations_that_were_refused_go_with_the_next_batch(void **state)
{
    struct fixture *f = slow(state);
    f->commit_code = MUSTER_EIO;
    struct ending *up = bring_up(f);
    take(f, "vm initialize", 30);
    assert_ended(up, 0);
    f->commit_code = 0;
    pass(f, 5000);
    assert_commits(f, "vm/vm initialize=30000");
    ADD_RESOURCE(f, "vm", .name = "web");
    assert_commits(f, "vm/web inactive user, vm/vm initialize=30000");
}

static void a_commit_of_durations_that_hangs_holds_nobody_up(void **state)
{
    struct fixture *f = slow(state);
    f->store_held = true;
    struct ending *up = bring_up(f);
    store_answers(f, 0);
    take(f, "vm initialize", 30);
    assert_ended(up, 0);
    pass(f, 2000);
    assert_int_equal(muster__engine_holds(f->engine), 0);
    store_answers(f, 0); /* the commit, at last */
    store_answers(f, 0); /* the load after it */
    f->store_held = false;
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(a_start_s_duration_goes_with_the_record_that_is_written_anyway),
        engine_test(what_went_with_nothing_is_written_when_the_bring_up_ends),
        engine_test(what_comes_after_the_bring_up_is_written_by_the_shutdown_at_the_latest),
        cmocka_unit_test(a_shutdown_that_is_short_of_memory_does_not_wait_for_durations),
        engine_test(each_phase_is_measured),
        engine_test(what_failed_came_late_or_took_no_time_teaches_nothing),
        engine_test(means_are_smoothed),
        engine_test(what_takes_no_time_any_more_is_forgotten),
        engine_test(first_come_keeps_nothing_and_touches_nothing),
        engine_test(nothing_is_measured_without_a_store),
        engine_test(what_makes_no_sense_is_no_duration),
        engine_test(names_that_nobody_can_have_are_left_alone),
        engine_test(a_resource_takes_its_durations_along),
        engine_test(hosts_see_no_durations_among_the_records),
        engine_test(durations_that_were_refused_go_with_the_next_batch),
        engine_test(a_commit_of_durations_that_hangs_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

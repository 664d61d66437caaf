/* SPDX-License-Identifier: MIT */
/* A bring-up as a whole: the check, the records, tiers, the barrier, milestones, its end. */
#include "engine_fixture.h"

static const char *refusal(struct fixture *f)
{
    return muster_error_text(muster__engine_error(f->engine));
}

static void a_definition_that_is_no_good_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct muster_driver_def short_def = {.size = 8};
    assert_int_equal(DRIVER(f, .name = "a/b"), MUSTER_EINVAL);
    assert_text(refusal(f), "'a/b' is no name for a driver");
    assert_int_equal(DRIVER(f, .name = NULL), MUSTER_EINVAL);
    assert_int_equal(DRIVER(f, .name = "pool", .wants = NAMES("net", "")), MUSTER_EINVAL);
    assert_text(refusal(f), "driver 'pool': wants ''");
    assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_ADD_DRIVER, .driver_def = &short_def}),
                     MUSTER_EINVAL);
    assert_text(refusal(f), "set it with its macro");
}

static void all_problems_are_told_before_any_call(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "a", .initialize = called, .needs = NAMES("b", "nobody"));
    DRIVER(f, .name = "b", .initialize = called, .needs = NAMES("a"));
    DRIVER(f, .name = "b", .initialize = called);
    struct ending *up = bring_up(f);
    assert_true(up->refused != 0);
    size_t problems = 0;
    for (const struct muster_error *e = muster__engine_error(f->engine); e != NULL; e = muster_error_next(e))
        problems++;
    assert_true(problems >= 3);
    assert_calls(f, "");
    assert_int_equal(up->times, 0);
    assert_int_equal(muster__engine_state(f->engine), MUSTER_STATE_NEW);
}

static void a_check_calls_nobody(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "a", .initialize = called);
    assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_CHECK}), 0);
    DRIVER(f, .name = "c", .initialize = called, .needs = NAMES("nobody"));
    assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_CHECK}), MUSTER_ENOENT);
    assert_calls(f, "");
}

/* One declares the other twice, which a first check may count so, and a later one doesn't. */
static void a_check_on_the_way_up_changes_nothing(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "secret", USUAL, .reconcile = called);
    DRIVER(f, .name = "storage", USUAL, .needs = NAMES("secret"), .after = NAMES("secret"));
    answer(f, "secret initialize", MUSTER_PENDING);
    answer(f, "secret reconcile", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_CHECK}), 0);
    finish(f, "secret initialize", MUSTER_OK);
    assert_calls(f, "secret initialize, secret reconcile, storage initialize");
    DRIVER(f, .name = "guest", USUAL, .needs = NAMES("storage"), .after = NAMES("storage"));
    assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_CHECK}), 0);
    finish(f, "secret reconcile", MUSTER_OK);
    assert_ended(up, 0);
    assert_driver(f, "guest", "waiting"); /* for the next bring-up */
    assert_ended(bring_up(f), 0);
    assert_driver(f, "guest", "up");
}

static void nothing_to_bring_up_is_up(void **state)
{
    struct fixture *f = *state;
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_int_equal(muster__engine_state(f->engine), MUSTER_STATE_UP);
}

static void milestones_are_reached_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .reconcile = called, .autostart = called);
    f->outcomes[MUSTER_PHASE_INITIALIZE] = f->outcomes[MUSTER_PHASE_RECONCILE] =
        f->outcomes[MUSTER_PHASE_AUTOSTART] = MUSTER_PENDING;
    struct ending *settled = when(f, MUSTER_SETTLED);
    struct ending *up = bring_up(f);
    struct ending *initialized = when(f, MUSTER_INITIALIZED);
    struct ending *reconciled = when(f, MUSTER_RECONCILED);
    assert_waits(initialized);
    finish(f, "pool initialize", MUSTER_OK);
    assert_ended(initialized, 0);
    assert_waits(reconciled);
    finish(f, "pool reconcile", MUSTER_OK);
    assert_ended(reconciled, 0);
    assert_waits(settled);
    finish(f, "pool autostart", MUSTER_OK);
    assert_ended(settled, 0);
    assert_ended(up, 0);
    assert_ended(when(f, MUSTER_INITIALIZED), 0);
    assert_int_equal(when(f, (enum muster_milestone)3)->refused, MUSTER_EINVAL);
    assert_int_equal(step(f, (struct muster__event){.type = MUSTER__EVENT_WHEN}), MUSTER_EINVAL);
}

static void what_waits_for_a_milestone_hears_of_the_shutdown(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    f->outcomes[MUSTER_PHASE_INITIALIZE] = MUSTER_PENDING;
    struct ending *up = bring_up(f);
    struct ending *reconciled = when(f, MUSTER_RECONCILED);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_ended(reconciled, MUSTER_ECANCELED);
    assert_ended(up, MUSTER_ECANCELED);
    assert_int_equal(when(f, MUSTER_RECONCILED)->refused, MUSTER_ESTATE);
    finish(f, "pool initialize", MUSTER_OK);
    assert_ended(down, 0);
}

static void nothing_starts_before_everything_is_accounted_for(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "pool", .name = "disk", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "guest", .name = "web");
    answer(f, "guest/web probe", MUSTER_PENDING);
    bring_up(f);
    assert_state(f, "pool/disk", "inactive, waiting");
    finish(f, "guest/web probe", MUSTER_INACTIVE);
    assert_state(f, "pool/disk", "active");
}

static struct fixture *tiers(void **state, uint64_t flags)
{
    struct fixture *f = *state;
    f->options.flags = flags;
    DRIVER(f, .name = "guest", .tier = 1, USUAL);
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "disk", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART);
    return f;
}

static void a_tier_initializes_when_the_lower_has_reconciled(void **state)
{
    struct fixture *f = tiers(state, 0);
    answer(f, "pool/disk probe", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_calls(f, "pool initialize, pool/disk probe");
    answer(f, "pool/disk probe", MUSTER_INACTIVE);
    finish(f, "pool/disk probe", MUSTER_INACTIVE);
    assert_ended(up, 0);
    assert_text(f->calls, "guest initialize, guest/web probe"); /* the roll call goes on before any start */
    assert_true(strstr(f->calls, "guest initialize") < strstr(f->calls, "pool/disk start"));
}

static void a_complete_tier_is_up_before_the_next_initializes(void **state)
{
    struct fixture *f = tiers(state, MUSTER_COMPLETE_TIERS);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_null(strstr(f->calls, "guest"));
    assert_driver(f, "guest", "waiting");
    finish(f, "pool/disk start", MUSTER_OK);
    assert_ended(up, 0);
    assert_state(f, "guest/web", "active");
}

static void an_essential_failure_takes_all_down_in_reverse(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "log", .initialize = called, .shutdown = called);
    DRIVER(f, .name = "pool", .initialize = called, .shutdown = called, .needs = NAMES("log"));
    DRIVER(f, .name = "guest", .initialize = called, .shutdown = called, .needs = NAMES("pool"),
           .flags = MUSTER_ESSENTIAL);
    answer(f, "guest initialize", -5);
    answer(f, "pool shutdown", -1); /* errors don't stop it */
    struct ending *up = bring_up(f);
    assert_ended(up, -5);
    assert_text(up->text, "driver 'guest': initialize: Input/output error");
    assert_calls(f, "log initialize, pool initialize, guest initialize, pool shutdown, log shutdown");
    assert_int_equal(muster__engine_state(f->engine), MUSTER_STATE_DOWN);
    assert_int_equal(muster__engine_result(f->engine), -5);
}

static void an_essential_driver_that_is_blocked_or_skips_is_fatal_a_deferred_one_is_not(void **state)
{
    static const struct {
        int outcome, code;
    } cases[] = {{MUSTER_SKIP, MUSTER_ESKIPPED}, {MUSTER_UNAVAILABLE, 0}, {-5, -5}};
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .flags = MUSTER_ESSENTIAL);
    for (size_t i = 0; i < 3; i++) {
        answer(f, "pool initialize", cases[i].outcome);
        assert_ended(bring_up(f), cases[i].code);
        if (cases[i].code == 0)
            assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    }
}

static void what_lives_is_left_alive_by_a_rollback(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .stop = called, .initialize = called, .probe = called);
    DRIVER(f, .name = "late", .autostart = called, .flags = MUSTER_ESSENTIAL);
    RESOURCE(f, "pool", .name = "disk", .flags = MUSTER_ADOPT_UNMANAGED);
    answer(f, "pool/disk probe", MUSTER_ACTIVE);
    answer(f, "late autostart", -5);
    assert_ended(bring_up(f), -5);
    assert_null(strstr(f->calls, "stop"));
    assert_int_equal(stored(f, "pool/disk")->stage, MUSTER_STAGE_ACTIVE);
}

static void a_second_bring_up_brings_up_what_was_added_since(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    struct ending *up = bring_up(f);
    assert_int_equal(bring_up(f)->refused, 0); /* nothing new is fine */
    DRIVER(f, .name = "guest", .initialize = called, .needs = NAMES("pool"));
    f->calls[0] = '\0';
    struct ending *again = bring_up(f);
    assert_ended(again, 0);
    assert_ended(up, 0);
    assert_calls(f, "guest initialize");
    assert_driver(f, "guest", "up");
}

static void a_second_bring_up_refuses_what_does_not_fit_and_gives_it_up(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    assert_ended(bring_up(f), 0);
    DRIVER(f, .name = "first", .initialize = called, .before = NAMES("pool"));
    struct ending *refused = bring_up(f);
    assert_int_equal(refused->refused, MUSTER_ESTATE);
    assert_null(muster__engine_find_driver(f->engine, "first"));
    f->driver_count--;
    DRIVER(f, .name = "guest", .initialize = called, .needs = NAMES("pool"));
    assert_ended(bring_up(f), 0);
    assert_driver(f, "guest", "up");
}

static void one_bring_up_at_a_time(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    answer(f, "pool initialize", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_int_equal(bring_up(f)->refused, MUSTER_ESTATE);
    finish(f, "pool initialize", MUSTER_OK);
    assert_ended(up, 0);
}

static void a_store_of_another_daemon_fails_the_bring_up(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    f->load_code = MUSTER_EBUSY;
    struct ending *reconciled = when(f, MUSTER_RECONCILED);
    struct ending *up = bring_up(f);
    assert_ended(up, MUSTER_EBUSY);
    assert_ended(reconciled, MUSTER_EBUSY);
    assert_text(up->text, "store: the fake store says MUSTER_EBUSY");
    assert_calls(f, "");
    f->load_code = 0;
    assert_ended(bring_up(f), 0);
}

static void a_bring_up_that_fails_by_the_store_lets_go_of_what_was_added(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .reload = called, USUAL);
    f->store_held = true;
    struct ending *up = bring_up(f);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "disk"), 0);
    struct ending *started = start(f, "pool/disk", 0);
    f->store_held = false;
    store_answers(f, MUSTER_EBUSY);
    assert_ended(up, MUSTER_EBUSY);
    assert_ended(started, MUSTER_ECANCELED);
    assert_int_equal(f->held, 0);
    RESOURCE(f, "pool", .name = "disk");
    assert_ended(bring_up(f), 0);
    assert_state(f, "pool/disk", "inactive");
    answer(f, "pool reload", MUSTER_PENDING);
    struct ending *reloaded = reload(f);
    assert_int_equal(OP_ADDS(f, "pool reload", .name = "other"), 0);
    finish(f, "pool reload", MUSTER_OK);
    assert_ended(reloaded, 0);
}

static void a_record_without_a_valid_name_is_told_and_left_alone(void **state)
{
    struct fixture *f = *state;
    char path[2000];
    memset(path, 'n', sizeof(path));
    memcpy(path, "a/", 2);
    path[sizeof(path) - 1] = '\0';
    DRIVER(f, .name = "a", USUAL);
    RESOURCE(f, "a", .name = "fine");
    RECORD(f, path, .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "a/", .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "a/fine", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "a/fine probe", MUSTER_ACTIVE);
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_text(up->text, "store: 2 records have no valid name, and are left alone; the first is 'a/nnn");
    assert_true(saw(f, "store"));
    assert_state(f, "a/fine", "active");
    assert_non_null(stored(f, path));
}

static void a_store_that_can_not_be_read_starts_nothing_and_adopts(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "live");
    RESOURCE(f, "pool", .name = "dead", .policy = MUSTER_AUTOSTART);
    answer(f, "pool/live probe", MUSTER_ACTIVE);
    f->load_code = -5;
    struct ending *up = bring_up(f);
    assert_ended(up, 0);
    assert_text(up->text, "store: the fake store says EIO");
    assert_state(f, "pool/live", "active");
    assert_state(f, "pool/dead", "inactive, held");
    assert_text(why(f, "pool/dead"), "the store could not be read");
    assert_ended(start(f, "pool/dead", 0), -5);
    assert_commits(f, "");
}

/* pool/live runs. The load is out for as long as the store may take. */
static struct ending *bring_up_without_the_load(struct fixture *f)
{
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "live");
    RESOURCE(f, "pool", .name = "dead", .policy = MUSTER_AUTOSTART);
    answer(f, "pool/live probe", MUSTER_ACTIVE);
    f->store_held = true;
    struct ending *up = bring_up(f);
    pass(f, 999);
    assert_waits(up);
    assert_calls(f, "");
    pass(f, 1);
    f->store_held = false;
    return up;
}

static void a_load_past_its_deadline_starts_nothing_and_adopts(void **state)
{
    struct fixture *f = *state;
    struct ending *up = bring_up_without_the_load(f);
    assert_ended(up, 0);
    assert_text(up->text, "store: the load is not finished after 1000 ms");
    assert_state(f, "pool/live", "active");
    assert_state(f, "pool/dead", "inactive, held");
    assert_ended(start(f, "pool/dead", 0), MUSTER_ETIMEDOUT);
    f->seen[0] = '\0';
    store_answers(f, -5);
    assert_true(saw(f, "store"));
    assert_ended(start(f, "pool/dead", 0), -5);
    assert_commits(f, "");
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "pool/dead", 0), 0);
}

static void what_a_load_past_its_deadline_brings_is_for_the_next_bring_up(void **state)
{
    struct fixture *f = *state;
    RECORD(f, "pool/dead", .stage = MUSTER_STAGE_ACTIVE, .desired = MUSTER_DESIRED_ACTIVE);
    assert_ended(bring_up_without_the_load(f), 0);
    store_answers(f, 0);
    assert_state(f, "pool/dead", "inactive, held");
    assert_commits(f, "");
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    f->calls[0] = '\0';
    assert_ended(bring_up(f), 0);
    assert_text(f->calls, "pool/dead probe");
    assert_state(f, "pool/dead", "inactive");
    assert_int_equal(stored(f, "pool/dead")->reason, MUSTER_REASON_LOSS);
}

static void a_shutdown_does_not_wait_for_a_load_past_its_deadline(void **state)
{
    struct fixture *f = *state;
    bring_up_without_the_load(f);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    assert_int_equal(bring_up(f)->refused, MUSTER_EBUSY);
    store_answers(f, 0);
    assert_ended(bring_up(f), 0);
}

static void a_load_that_has_lost_some_records_says_so_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct muster_error warning;
    DRIVER(f, .name = "pool", .initialize = called);
    f->store_held = true;
    struct ending *up = bring_up(f);
    assert_calls(f, "");
    muster__error_init(&warning);
    muster_error_set(&warning, MUSTER_ECORRUPT, 0, "line 3 was lost");
    f->store_busy = false;
    step(f, (struct muster__event){.type = MUSTER__EVENT_LOADED, .error = &warning});
    assert_ended(up, 0);
    assert_text(up->text, "line 3 was lost");
    assert_true(saw(f, "store"));
    f->store_held = false;
}

static void what_is_down_can_be_brought_up_again(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .shutdown = called, USUAL);
    RESOURCE(f, "pool", .name = "disk");
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "pool/disk", 0), 0);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    answer(f, "pool/disk probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_state(f, "pool/disk", "active");
    assert_driver(f, "pool", "up");
}

static int note_driver(struct muster_driver *driver, void *data)
{
    strcat(data, muster_driver_name(driver));
    strcat(data, " ");
    return strlen(data) > 8 ? 4 : 0;
}

static void drivers_are_listed_in_the_order_of_the_plan(void **state)
{
    struct fixture *f = *state;
    char before[40] = "", after[40] = "", ended[40] = "12345678";
    DRIVER(f, .name = "b", .needs = NAMES("a"));
    DRIVER(f, .name = "a");
    muster__engine_foreach_driver(f->engine, note_driver, before);
    assert_ended(bring_up(f), 0);
    muster__engine_foreach_driver(f->engine, note_driver, after);
    assert_string_equal(before, "b a ");
    assert_string_equal(after, "a b ");
    assert_int_equal(muster__engine_foreach_driver(f->engine, note_driver, ended), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(a_definition_that_is_no_good_is_refused_by_name),
        engine_test(all_problems_are_told_before_any_call),
        engine_test(a_check_calls_nobody),
        engine_test(a_check_on_the_way_up_changes_nothing),
        engine_test(nothing_to_bring_up_is_up),
        engine_test(milestones_are_reached_one_after_the_other),
        engine_test(what_waits_for_a_milestone_hears_of_the_shutdown),
        engine_test(nothing_starts_before_everything_is_accounted_for),
        engine_test(a_tier_initializes_when_the_lower_has_reconciled),
        engine_test(a_complete_tier_is_up_before_the_next_initializes),
        engine_test(an_essential_failure_takes_all_down_in_reverse),
        engine_test(an_essential_driver_that_is_blocked_or_skips_is_fatal_a_deferred_one_is_not),
        engine_test(what_lives_is_left_alive_by_a_rollback),
        engine_test(a_second_bring_up_brings_up_what_was_added_since),
        engine_test(a_second_bring_up_refuses_what_does_not_fit_and_gives_it_up),
        engine_test(one_bring_up_at_a_time),
        engine_test(a_store_of_another_daemon_fails_the_bring_up),
        engine_test(a_bring_up_that_fails_by_the_store_lets_go_of_what_was_added),
        engine_test(a_record_without_a_valid_name_is_told_and_left_alone),
        engine_test(a_store_that_can_not_be_read_starts_nothing_and_adopts),
        engine_test(a_load_past_its_deadline_starts_nothing_and_adopts),
        engine_test(what_a_load_past_its_deadline_brings_is_for_the_next_bring_up),
        engine_test(a_shutdown_does_not_wait_for_a_load_past_its_deadline),
        engine_test(a_load_that_has_lost_some_records_says_so_and_goes_on),
        engine_test(what_is_down_can_be_brought_up_again),
        engine_test(drivers_are_listed_in_the_order_of_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

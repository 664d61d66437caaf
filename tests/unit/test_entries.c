/* SPDX-License-Identifier: MIT */
/* Records that the host forgets, moves and resolves. */
#include "engine_fixture.h"

static struct fixture *host(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    RESOURCE(f, "guest", .name = "web");
    RECORD(f, "guest/web", .stage = MUSTER_STAGE_INACTIVE);
    RECORD(f, "guest/old", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE, .handle = "pid 3",
           .extra = "{}");
    RECORD(f, "gone/thing", .stage = MUSTER_STAGE_ACTIVE);
    return f;
}

static struct fixture *up(void **state)
{
    struct fixture *f = host(state);
    assert_ended(bring_up(f), 0);
    return f;
}

static int note_record(const struct muster_record *record, int is_claimed, void *data)
{
    strcat(data, record->driver);
    strcat(data, "/");
    strcat(data, record->name);
    strcat(data, is_claimed ? " claimed;" : ";");
    return strcmp(record->name, "old") == 0 && strlen(data) > 100 ? 3 : 0;
}

static const char *listed(struct fixture *f)
{
    static char list[200];
    list[0] = '\0';
    assert_int_equal(muster__engine_foreach_record(f->engine, note_record, list), 0);
    return list;
}

static void records_are_listed_by_driver_and_name(void **state)
{
    struct fixture *f = up(state);
    char list[200] = "";
    assert_int_equal(muster__engine_foreach_record(f->engine, note_record, list), 0);
    assert_string_equal(list, "gone/thing;guest/old;guest/web claimed;");
    memset(list, 'x', 100);
    list[100] = '\0';
    assert_int_equal(muster__engine_foreach_record(f->engine, note_record, list), 3);
    f->failing.countdown = 1;
    assert_int_equal(muster__engine_foreach_record(f->engine, note_record, list), MUSTER_ENOMEM);
}

struct walk {
    struct fixture *f;
    char list[200];
};

static int forget_all(const struct muster_record *record, int is_claimed, void *data)
{
    struct walk *walk = data;
    forget(walk->f, "guest/new");
    forget(walk->f, "gone/thing");
    return note_record(record, is_claimed, walk->list);
}

/* The second time, the records are not durable yet, and nothing is left of them but what the walk holds. */
static void records_may_be_forgotten_while_they_are_listed(void **state)
{
    for (int held = 0; held < 2; held++) {
        struct fixture *f = up(state);
        f->store_held = held;
        move(f, "guest/old", "guest/new");
        struct walk walk = {.f = f};
        assert_int_equal(muster__engine_foreach_record(f->engine, forget_all, &walk), 0);
        assert_string_equal(walk.list, "gone/thing;guest/new;guest/web claimed;");
        f->store_held = false;
        if (held)
            store_answers(f, 0);
        assert_string_equal(listed(f), "guest/web claimed;");
        fixture_teardown(state);
        fixture_setup(state);
    }
}

static void what_nobody_claims_is_reported_and_kept(void **state)
{
    struct fixture *f = up(state);
    assert_true(saw(f, "unclaimed guest/old"));
    assert_non_null(stored(f, "guest/old"));
    assert_non_null(stored(f, "gone/thing"));
}

static void what_is_forgotten_is_gone_when_that_is_durable(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *forgotten = forget(f, "guest/old");
    assert_waits(forgotten);
    store_answers(f, 0);
    assert_ended(forgotten, 0);
    assert_null(stored(f, "guest/old"));
    assert_int_equal(forget(f, "guest/old")->refused, MUSTER_ENOENT);
}

static void a_claimed_record_is_not_forgotten_and_not_moved(void **state)
{
    struct fixture *f = up(state);
    assert_int_equal(forget(f, "guest/web")->refused, MUSTER_EBUSY);
    struct ending *moved = move(f, "guest/web", "guest/new");
    assert_int_equal(moved->refused, MUSTER_EBUSY);
    assert_text(moved->text, "record 'guest/web': a resource of driver 'guest' has claimed it");
}

static void what_is_not_there_is_not_forgotten(void **state)
{
    struct fixture *f = up(state);
    assert_int_equal(forget(f, "guest/nobody")->refused, MUSTER_ENOENT);
    assert_int_equal(forget(f, NULL)->refused, MUSTER_ENOENT);
    assert_int_equal(move(f, "guest/nobody", "guest/new")->refused, MUSTER_ENOENT);
    assert_int_equal(resolve(f, "guest/nobody", MUSTER_DESIRED_ACTIVE)->refused, MUSTER_ENOENT);
}

static void a_forget_that_the_store_refuses_leaves_the_record(void **state)
{
    struct fixture *f = up(state);
    f->commit_code = -28;
    assert_ended(forget(f, "guest/old"), -28);
    f->commit_code = 0;
    pass(f, 10000);
    assert_non_null(stored(f, "guest/old"));
    assert_ended(forget(f, "guest/old"), 0);
}

static void a_move_is_one_batch_and_keeps_all_but_the_name(void **state)
{
    struct fixture *f = up(state);
    assert_ended(move(f, "guest/old", "guest/new"), 0);
    assert_commits(f, "guest/old removed, guest/new active");
    assert_null(stored(f, "guest/old"));
    assert_string_equal(stored(f, "guest/new")->handle, "pid 3");
    assert_string_equal(stored(f, "guest/new")->extra, "{}");
}

static void assert_nothing_moved(struct fixture *f)
{
    assert_string_equal(listed(f), "gone/thing;guest/old;guest/web claimed;");
    f->store_held = false;
    f->commit_code = 0;
    pass(f, 100000);
    assert_string_equal(stored(f, "guest/old")->handle, "pid 3");
    assert_null(stored(f, "guest/new"));
    assert_string_equal(listed(f), "gone/thing;guest/old;guest/web claimed;");
}

static void a_move_that_the_store_refuses_leaves_the_record(void **state)
{
    struct fixture *f = up(state);
    f->commit_code = -28;
    assert_ended(move(f, "guest/old", "guest/new"), -28);
    assert_nothing_moved(f);
    assert_ended(move(f, "guest/old", "guest/new"), 0);
}

static void a_move_that_was_not_applied_leaves_the_record(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *moved = move(f, "guest/old", "guest/new");
    f->commits[0] = '\0';
    store_answers(f, MUSTER_EINDETERMINATE);
    store_answers(f, 0);
    assert_ended(moved, MUSTER_EINDETERMINATE);
    assert_nothing_moved(f);
    assert_commits(f, "");
}

static void a_move_that_was_applied_after_all_has_ended_well(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *moved = move(f, "guest/old", "guest/new");
    store_applies(f);
    store_answers(f, MUSTER_EINDETERMINATE);
    store_answers(f, 0);
    assert_ended(moved, 0);
    assert_string_equal(listed(f), "gone/thing;guest/new;guest/web claimed;");
}

static void a_move_is_undone_while_the_records_cannot_be_read(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *moved = move(f, "guest/old", "guest/new");
    store_applies(f);
    store_answers(f, MUSTER_EINDETERMINATE);
    store_answers(f, -5);
    assert_ended(moved, -5);
    assert_nothing_moved(f);
}

static void a_move_is_undone_while_memory_is_short_for_the_records(void **state)
{
    for (size_t nth = 1; nth <= 2; nth++) {
        struct fixture *f = up(state);
        f->store_held = true;
        struct ending *moved = move(f, "guest/old", "guest/new");
        store_applies(f);
        RECORD(f, "gone/more", .stage = MUSTER_STAGE_ACTIVE);
        store_answers(f, MUSTER_EINDETERMINATE);
        f->failing.countdown = nth;
        store_answers(f, 0);
        assert_ended(moved, MUSTER_ENOMEM);
        assert_nothing_moved(f);
        fixture_teardown(state);
        fixture_setup(state);
    }
}

static void a_move_past_the_deadline_of_its_commit_is_undone(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *moved = move(f, "guest/old", "guest/new");
    pass(f, 1000);
    assert_ended(moved, MUSTER_EINDETERMINATE);
    f->store_held = false;
    store_answers(f, 0);
    assert_nothing_moved(f);
}

static void a_move_that_a_fenced_store_does_not_take_leaves_the_record(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *forgotten = forget(f, "gone/thing");
    struct ending *moved = move(f, "guest/old", "guest/new");
    store_answers(f, MUSTER_EFENCED);
    assert_ended(forgotten, MUSTER_EFENCED);
    assert_ended(moved, MUSTER_EFENCED);
    assert_nothing_moved(f);
}

static void a_move_that_the_shutdown_overtakes_leaves_the_record(void **state)
{
    struct fixture *f = *state;
    f->options.shutdown_timeout_ms = 500;
    up(state);
    f->store_held = true;
    struct ending *moved = move(f, "guest/old", "guest/new");
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    pass(f, 500);
    assert_ended(down, MUSTER_ETIMEDOUT);
    assert_ended(moved, MUSTER_ECANCELED);
    assert_string_equal(listed(f), "gone/thing;guest/old;guest/web;");
    f->store_held = false;
    store_answers(f, -28);
}

static void moves_on_and_on_go_back_to_the_first_name(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *first = move(f, "guest/old", "guest/new");
    struct ending *second = move(f, "guest/new", "guest/newer");
    struct ending *third = move(f, "guest/newer", "guest/newest");
    store_answers(f, -28);
    assert_ended(first, -28);
    assert_ended(second, -28);
    assert_ended(third, -28);
    assert_nothing_moved(f);
}

static void a_move_that_is_refused_after_another_goes_back_by_one(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *first = move(f, "guest/old", "guest/new");
    struct ending *second = move(f, "guest/new", "guest/newer");
    store_answers(f, 0);
    store_answers(f, -28);
    f->store_held = false;
    assert_ended(second, -28);
    assert_int_equal(first->times, 1);
    pass(f, 100000);
    assert_string_equal(listed(f), "gone/thing;guest/new;guest/web claimed;");
    assert_string_equal(stored(f, "guest/new")->handle, "pid 3");
    assert_null(stored(f, "guest/old"));
}

static void names_that_were_exchanged_are_exchanged_back(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *aside = move(f, "guest/old", "guest/aside");
    move(f, "gone/thing", "guest/old");
    move(f, "guest/aside", "gone/thing");
    store_answers(f, -28);
    assert_ended(aside, -28);
    f->store_held = false;
    pass(f, 100000);
    assert_string_equal(listed(f), "gone/thing;guest/old;guest/web claimed;");
    assert_string_equal(stored(f, "guest/old")->handle, "pid 3");
    assert_null(stored(f, "gone/thing")->handle);
}

static void a_move_whose_name_a_resource_has_taken_stands(void **state)
{
    static const char *const taken[] = {"old", "new"};
    for (size_t i = 0; i < 2; i++) {
        struct fixture *f = up(state);
        f->store_held = true;
        f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
        struct ending *moved = move(f, "guest/old", "guest/new");
        assert_int_equal(ADD_RESOURCE(f, "guest", .name = taken[i]), 0);
        store_answers(f, -28);
        assert_ended(moved, -28);
        f->store_held = false;
        pass(f, 1000);
        assert_null(stored(f, "guest/old"));
        assert_string_equal(stored(f, "guest/new")->handle, "pid 3");
        cancel_out(f);
        fixture_teardown(state);
        fixture_setup(state);
    }
}

/* Its resource has been removed while it ran, and that it ran couldn't be written. */
static void a_record_that_was_never_durable_is_not_lost_by_a_refused_move(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "fresh");
    assert_ended(bring_up(f), 0);
    answer(f, "guest/fresh start", MUSTER_PENDING);
    start(f, "guest/fresh", 0);
    f->commit_code = -28;
    finish(f, "guest/fresh start", MUSTER_OK);
    assert_int_equal(remove_resource(f, "guest/fresh"), 0);
    assert_ended(move(f, "guest/fresh", "guest/moved"), -28);
    f->commit_code = 0;
    pass(f, 100000);
    assert_int_equal(stored(f, "guest/fresh")->stage, MUSTER_STAGE_ACTIVE);
    assert_null(stored(f, "guest/moved"));
}

/* The first has come to nothing by itself: the commit that was to make it durable is tried again without it. */
static void a_move_that_is_moved_on_before_it_is_durable_is_cancelled(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *first = move(f, "guest/old", "guest/new");
    struct ending *second = move(f, "guest/new", "guest/newer");
    store_answers(f, MUSTER_EAGAIN);
    assert_ended(first, MUSTER_ECANCELED);
    f->store_held = false;
    pass(f, 10000);
    assert_ended(second, 0);
    assert_null(stored(f, "guest/old"));
    assert_null(stored(f, "guest/new"));
    assert_string_equal(stored(f, "guest/newer")->handle, "pid 3");
}

/* The restore of a is out; b and c wait for their turn. */
static struct fixture *restoring(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .restore = called, .max_probes = 1, USUAL);
    RECORD(f, "guest/a", .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "guest/b", .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "guest/c", .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "gone/thing", .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/a restore", MUSTER_PENDING);
    bring_up(f);
    assert_calls(f, "guest initialize, guest/a restore");
    return f;
}

static void what_is_forgotten_or_moved_away_is_not_offered_to_restore(void **state)
{
    struct fixture *f = restoring(state);
    f->store_held = true;
    struct ending *forgotten = forget(f, "guest/b");
    struct ending *moved = move(f, "guest/c", "gone/other");
    finish(f, "guest/a restore", MUSTER_OK);
    assert_driver(f, "guest", "up");
    assert_calls(f, "");
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(forgotten, 0);
    assert_ended(moved, 0);
}

static void what_is_moved_to_a_driver_that_restores_is_offered_to_it(void **state)
{
    struct fixture *f = restoring(state);
    assert_ended(move(f, "gone/thing", "guest/thing"), 0);
    assert_ended(move(f, "guest/b", "guest/bb"), 0);
    finish(f, "guest/a restore", MUSTER_OK);
    assert_calls(f, "guest/c restore, guest/thing restore, guest/bb restore");
    assert_driver(f, "guest", "up");
}

static void what_a_refused_move_brings_back_is_offered_to_restore_and_what_it_takes_away_is_not(void **state)
{
    struct fixture *f = restoring(state);
    f->commit_code = -28;
    assert_ended(move(f, "guest/c", "gone/other"), -28);
    assert_ended(move(f, "gone/thing", "guest/thing"), -28);
    finish(f, "guest/a restore", MUSTER_OK);
    assert_calls(f, "guest/b restore, guest/c restore");
    assert_driver(f, "guest", "up");
}

static void what_comes_back_on_the_way_down_is_not_offered_to_restore(void **state)
{
    struct fixture *f = restoring(state);
    f->store_held = true;
    struct ending *moved = move(f, "guest/c", "gone/other");
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    f->commit_code = -28;
    f->store_held = false;
    store_answers(f, -28);
    assert_ended(moved, -28);
    finish(f, "guest/a restore", MUSTER_OK);
    assert_ended(down, 0);
    assert_calls(f, "cancel guest/a restore");
}

static void a_moved_record_is_claimed_under_its_new_name(void **state)
{
    struct fixture *f = up(state);
    assert_ended(move(f, "gone/thing", "guest/thing"), 0);
    answer(f, "guest/thing probe", MUSTER_ACTIVE);
    assert_int_equal(ADD_RESOURCE(f, "guest", .name = "thing"), 0);
    assert_state(f, "guest/thing", "active");
    assert_false(saw(f, "unrecorded guest/thing"));
}

static void a_move_to_what_is_taken_or_no_name_is_refused(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "fresh");
    assert_ended(bring_up(f), 0);
    assert_int_equal(move(f, "guest/old", "gone/thing")->refused, MUSTER_EEXIST);
    assert_int_equal(move(f, "guest/old", "guest/web")->refused, MUSTER_EEXIST);
    assert_int_equal(move(f, "guest/old", "guest/fresh")->refused, MUSTER_EBUSY);
    assert_int_equal(move(f, "guest/old", "nowhere")->refused, MUSTER_EINVAL);
    assert_int_equal(move(f, "guest/old", "/new")->refused, MUSTER_EINVAL);
    assert_int_equal(move(f, "guest/old", NULL)->refused, MUSTER_EINVAL);
    assert_commits(f, "");
}

static void a_fenced_store_takes_no_change_of_records(void **state)
{
    struct fixture *f = up(state);
    f->commit_code = MUSTER_EFENCED;
    assert_ended(start(f, "guest/web", 0), MUSTER_EFENCED);
    assert_int_equal(forget(f, "guest/old")->refused, MUSTER_EFENCED);
    assert_int_equal(move(f, "guest/old", "guest/new")->refused, MUSTER_EFENCED);
}

static void a_quarantined_record_is_held_until_it_is_resolved(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "db");
    RECORD(f, "guest/db", .flags = MUSTER_RECORD_QUARANTINED);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/db", "inactive, held");
    assert_text(why(f, "guest/db"), "its record is quarantined");
    f->calls[0] = '\0';
    assert_ended(resolve(f, "guest/db", MUSTER_DESIRED_INACTIVE), 0);
    assert_calls(f, "guest/db probe");
    assert_state(f, "guest/db", "inactive");
    assert_int_equal(stored(f, "guest/db")->flags & MUSTER_RECORD_QUARANTINED, 0);
    assert_int_equal(resolve(f, "guest/db", MUSTER_DESIRED_INACTIVE)->refused, MUSTER_ESTATE);
}

static void what_is_resolved_as_active_is_decided_as_that(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "db", .flags = MUSTER_VOLATILE);
    RECORD(f, "guest/db", .flags = MUSTER_RECORD_QUARANTINED);
    assert_ended(bring_up(f), 0);
    assert_ended(resolve(f, "guest/db", MUSTER_DESIRED_ACTIVE), 0);
    assert_state(f, "guest/db", "active");
}

static void an_unclaimed_quarantined_record_can_be_resolved(void **state)
{
    struct fixture *f = host(state);
    RECORD(f, "guest/db", .flags = MUSTER_RECORD_QUARANTINED);
    assert_ended(bring_up(f), 0);
    assert_ended(resolve(f, "guest/db", MUSTER_DESIRED_ACTIVE), 0);
    assert_int_equal(stored(f, "guest/db")->stage, MUSTER_STAGE_ACTIVE);
    assert_int_equal(stored(f, "guest/db")->desired, MUSTER_DESIRED_ACTIVE);
}

static void a_change_of_records_needs_memory_first(void **state)
{
    struct fixture *f = host(state);
    RECORD(f, "guest/db", .flags = MUSTER_RECORD_QUARANTINED);
    assert_ended(bring_up(f), 0);
    for (size_t nth = 1; nth <= 2; nth++) {
        f->failing.countdown = nth;
        assert_int_equal(resolve(f, "guest/db", MUSTER_DESIRED_ACTIVE)->refused, MUSTER_ENOMEM);
    }
    f->failing.countdown = 1;
    assert_int_equal(forget(f, "guest/old")->refused, MUSTER_ENOMEM);
    assert_commits(f, "");
    assert_non_null(stored(f, "guest/old"));
}

static void records_of_another_kind_are_nobodys(void **state)
{
    struct fixture *f = host(state);
    char list[200] = "";
    RECORD(f, "guest/order", .kind = MUSTER_RECORD_HISTORY);
    assert_ended(bring_up(f), 0);
    assert_int_equal(muster__engine_foreach_record(f->engine, note_record, list), 0);
    assert_null(strstr(list, "order"));
}

static void records_are_not_changed_once_the_context_goes_down(void **state)
{
    struct fixture *f = up(state);
    assert_ended(shut_down(f, MUSTER_DAEMON_RESTART), 0);
    struct ending *forgotten = forget(f, "guest/old");
    assert_int_equal(forgotten->refused, MUSTER_ESTATE);
    assert_string_equal(forgotten->text, "record 'guest/old': the context is down");
    assert_int_equal(move(f, "guest/old", "guest/new")->refused, MUSTER_ESTATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(records_are_listed_by_driver_and_name),
        engine_test(records_may_be_forgotten_while_they_are_listed),
        engine_test(what_nobody_claims_is_reported_and_kept),
        engine_test(what_is_forgotten_is_gone_when_that_is_durable),
        engine_test(a_claimed_record_is_not_forgotten_and_not_moved),
        engine_test(what_is_not_there_is_not_forgotten),
        engine_test(a_forget_that_the_store_refuses_leaves_the_record),
        engine_test(a_move_is_one_batch_and_keeps_all_but_the_name),
        engine_test(a_move_that_the_store_refuses_leaves_the_record),
        engine_test(a_move_that_was_not_applied_leaves_the_record),
        engine_test(a_move_that_was_applied_after_all_has_ended_well),
        engine_test(a_move_is_undone_while_the_records_cannot_be_read),
        engine_test(a_move_is_undone_while_memory_is_short_for_the_records),
        engine_test(a_move_past_the_deadline_of_its_commit_is_undone),
        engine_test(a_move_that_a_fenced_store_does_not_take_leaves_the_record),
        engine_test(a_move_that_the_shutdown_overtakes_leaves_the_record),
        engine_test(moves_on_and_on_go_back_to_the_first_name),
        engine_test(a_move_that_is_refused_after_another_goes_back_by_one),
        engine_test(names_that_were_exchanged_are_exchanged_back),
        engine_test(a_move_whose_name_a_resource_has_taken_stands),
        engine_test(a_record_that_was_never_durable_is_not_lost_by_a_refused_move),
        engine_test(a_move_that_is_moved_on_before_it_is_durable_is_cancelled),
        engine_test(what_is_forgotten_or_moved_away_is_not_offered_to_restore),
        engine_test(what_is_moved_to_a_driver_that_restores_is_offered_to_it),
        engine_test(what_a_refused_move_brings_back_is_offered_to_restore_and_what_it_takes_away_is_not),
        engine_test(what_comes_back_on_the_way_down_is_not_offered_to_restore),
        engine_test(a_moved_record_is_claimed_under_its_new_name),
        engine_test(a_move_to_what_is_taken_or_no_name_is_refused),
        engine_test(a_fenced_store_takes_no_change_of_records),
        engine_test(a_quarantined_record_is_held_until_it_is_resolved),
        engine_test(what_is_resolved_as_active_is_decided_as_that),
        engine_test(an_unclaimed_quarantined_record_can_be_resolved),
        engine_test(a_change_of_records_needs_memory_first),
        engine_test(records_of_another_kind_are_nobodys),
        engine_test(records_are_not_changed_once_the_context_goes_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Nothing waits for itself by the rules, so here one is lied to: what it waits for seems to be on its way. */
#include "engine_fixture.h"

#include "engine/internal.h"

static void add_all(struct fixture *f, enum muster_policy policy)
{
    DRIVER(f, .name = "pool", USUAL);
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), .autostart = called, USUAL);
    DRIVER(f, .name = "secret", USUAL);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"), .policy = policy);
    RESOURCE(f, "secret", .name = "key");
}

/* Inactive, and it seems to be about to change. */
static void lie(struct fixture *f)
{
    find(f, "pool/disk")->settled = false;
}

static void a_start_that_nothing_will_free_is_refused(void **state)
{
    struct fixture *f = *state;
    add_all(f, MUSTER_MANUAL);
    assert_ended(bring_up(f), 0);
    lie(f);
    struct ending *started = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_ended(started, MUSTER_EDEPENDENCY);
    assert_string_equal(started->text, "guest 'web': start: nothing that it waits for goes on: guest 'web': not started: "
                                       "needs pool/disk, which is inactive");
    assert_state(f, "guest/web", "inactive");
    assert_int_equal(muster__engine_deadlocks(f->engine), 1);
    assert_ended(start(f, "pool/disk", 0), 0);
    assert_ended(start(f, "guest/web", 0), 0);
    assert_int_equal(muster__engine_deadlocks(f->engine), 1);
    assert_int_equal(f->engine->asked, 0);
}

static void not_while_an_op_is_out(void **state)
{
    struct fixture *f = *state;
    add_all(f, MUSTER_MANUAL);
    assert_ended(bring_up(f), 0);
    lie(f);
    answer(f, "secret/key start", MUSTER_PENDING);
    struct ending *other = start(f, "secret/key", 0);
    struct ending *started = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_waits(started);
    f->store_held = true;
    finish(f, "secret/key start", 0);
    assert_waits(started);
    store_answers(f, 0);
    assert_ended(other, 0);
    assert_ended(started, MUSTER_EDEPENDENCY);
}

static void not_while_the_store_is_at_work(void **state)
{
    struct fixture *f = *state;
    add_all(f, MUSTER_MANUAL);
    RECORD(f, "old/one", .stage = MUSTER_STAGE_INACTIVE);
    RECORD(f, "old/two", .stage = MUSTER_STAGE_INACTIVE);
    assert_ended(bring_up(f), 0);
    f->store_held = true;
    struct ending *forgotten = forget(f, "old/one");
    lie(f);
    struct ending *started = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_waits(started);
    store_answers(f, 0);
    assert_ended(forgotten, 0);
    assert_ended(started, MUSTER_EDEPENDENCY);
    f->store_held = false;
    f->commit_code = MUSTER_EAGAIN;
    forgotten = forget(f, "old/two");
    lie(f);
    started = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_waits(started);
    f->commit_code = 0;
    pass(f, 100000);
    assert_ended(forgotten, 0);
    assert_ended(started, MUSTER_EDEPENDENCY);
}

static void a_bring_up_ends_all_the_same(void **state)
{
    struct fixture *f = *state;
    add_all(f, MUSTER_AUTOSTART);
    answer(f, "guest autostart", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    lie(f);
    finish(f, "guest autostart", 0);
    assert_ended(up, 0);
    assert_state(f, "guest/web", "inactive, waiting");
    assert_text(why(f, "guest/web"), "nothing that it waits for goes on");
    assert_int_equal(muster__engine_deadlocks(f->engine), 1);
    assert_ended(start(f, "pool/disk", 0), 0);
    assert_state(f, "guest/web", "active");
}

static void a_stop_that_nothing_will_free_comes_to_nothing(void **state)
{
    struct fixture *f = *state;
    add_all(f, MUSTER_MANUAL);
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/web", MUSTER_START_DEPENDENCIES), 0);
    struct muster__list waiter; /* of somebody who waits for its record, and holds up the line */
    muster__list_push(&find(f, "guest/web")->entry->waiters, &waiter);
    struct ending *stopped = stop(f, "pool/disk", MUSTER_STOP_CASCADE);
    muster__list_remove(&waiter);
    assert_int_equal(muster__engine_deadlocks(f->engine), 1);
    assert_ended(stopped, MUSTER_EDEPENDENCY);
    assert_text(stopped->text, "pool 'disk': stop: nothing that it waits for goes on: pool 'disk': stop: guest/web needs it");
    assert_state(f, "pool/disk", "active");
    assert_ended(stop(f, "guest/web", 0), 0);
    assert_ended(stop(f, "pool/disk", 0), 0);
    assert_int_equal(f->engine->asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(a_start_that_nothing_will_free_is_refused),
        engine_test(not_while_an_op_is_out),
        engine_test(not_while_the_store_is_at_work),
        engine_test(a_bring_up_ends_all_the_same),
        engine_test(a_stop_that_nothing_will_free_comes_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The order of what is to be carried out, and that nothing of it is lost. */
#include "engine_fixture.h"

#include "engine/internal.h"

static void hear(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    (void)data;
    (void)code;
    (void)error;
    fail_msg("%s", "this is for the queue alone");
}

static int is_never_told(const char *name, int is_need, void *data)
{
    (void)is_need;
    (void)data;
    fail_msg("%s", name);
    return 0;
}

static struct fixture *pool(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "a");
    return f;
}

/* The next action without carrying it out. */
static enum muster__action_type next(struct fixture *f, struct muster__action *action)
{
    assert_true(muster__engine_action(f->engine, action));
    return action->type;
}

static int quiet_step(struct fixture *f, struct muster__event event)
{
    event.now = f->now;
    return muster__engine_step(f->engine, &event);
}

static void nothing_is_done_before_it_is_asked_for(void **state)
{
    struct fixture *f = pool(state);
    struct muster__action action;
    assert_false(muster__engine_action(f->engine, &action));
}

static void users_hear_before_drivers_are_called(void **state)
{
    struct fixture *f = pool(state);
    struct muster__action action;
    bring_up(f);
    assert_calls(f, "pool initialize, pool/a probe");
    muster__engine_observe(f->engine, false);
    f->outcomes[MUSTER_PHASE_START] = MUSTER_PENDING;
    quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_START, .resource = find(f, "pool/a")});
    assert_int_equal(next(f, &action), MUSTER__ACTION_COMMIT);
    quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_WHEN,
                                         .number = MUSTER_SETTLED,
                                         .done = {hear, f}});
    quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_COMMITTED});
    assert_int_equal(next(f, &action), MUSTER__ACTION_DONE);
    assert_ptr_equal(action.done.data, f);
    assert_int_equal(next(f, &action), MUSTER__ACTION_CALL);
    f->ops[f->op_count++] = action.op;
    assert_false(muster__engine_action(f->engine, &action));
}

static void a_request_without_a_callback_just_ends(void **state)
{
    struct fixture *f = pool(state);
    step(f, (struct muster__event){.type = MUSTER__EVENT_BRING_UP});
    step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_START, .resource = find(f, "pool/a")});
    assert_state(f, "pool/a", "active");
    step(f, (struct muster__event){.type = MUSTER__EVENT_RELOAD});
    step(f, (struct muster__event){.type = MUSTER__EVENT_SHUTDOWN});
    assert_int_equal(muster__engine_state(f->engine), MUSTER_STATE_DOWN);
}

static void calls_go_before_the_commit_so_that_it_takes_what_they_lead_to(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called, .probe = called);
    for (size_t i = 0; i < 3; i++)
        RESOURCE(f, "pool", .name = (const char *[]){"a", "b", "c"}[i], .flags = MUSTER_ADOPT_UNMANAGED);
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_ACTIVE;
    assert_ended(bring_up(f), 0);
    assert_commits(f, "pool/a active, pool/b active, pool/c active");
}

static void what_nobody_has_carried_out_is_freed(void **state)
{
    struct fixture *f = pool(state);
    struct muster__action action;
    bring_up(f);
    quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_WHEN,
                                         .number = MUSTER_SETTLED,
                                         .done = {hear, f}});
    quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_REMOVE, .resource = find(f, "pool/a")});
    assert_int_equal(next(f, &action), MUSTER__ACTION_DONE);
    end_daemon(f); /* the release that was queued is carried out */
    assert_int_equal(f->held, 0);
}

static void a_cancel_is_asked_for_once_at_a_time(void **state)
{
    struct fixture *f = pool(state);
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    bring_up(f);
    assert_calls(f, "pool initialize, pool/a probe");
    muster__op_cancel(out(f, "pool/a probe"));
    muster__op_cancel(out(f, "pool/a probe"));
    step(f, (struct muster__event){.type = MUSTER__EVENT_TIME});
    assert_calls(f, "cancel pool/a probe");
    assert_true(atomic_load(&out(f, "pool/a probe")->cancelled));
}

static void nobody_listens_nothing_is_observed(void **state)
{
    struct fixture *f = pool(state);
    muster__engine_observe(f->engine, false);
    f->seen[0] = '\0';
    assert_ended(bring_up(f), 0);
    assert_string_equal(f->seen, "");
}

static void observations_that_had_no_memory_are_missed_aloud(void **state)
{
    struct fixture *f = pool(state);
    assert_ended(bring_up(f), 0);
    f->failing.countdown = 1;
    step(f, (struct muster__event){.type = MUSTER__EVENT_OP_TWICE, .op = f->last});
    assert_true(f->failing.fired);
    assert_false(saw(f, "twice pool"));
    step(f, (struct muster__event){.type = MUSTER__EVENT_OP_TWICE, .op = f->last});
    assert_true(saw(f, "lost"));
}

/* An observer hears of it when it has been removed already. */
static void what_is_removed_can_be_read_until_it_is_released(void **state)
{
    struct fixture *f = *state;
    struct muster__action action;
    struct muster_resource_status status = {.size = sizeof(status)};
    DRIVER(f, .name = "pool", .initialize = called); /* no report tells of the resource: nothing else keeps its name */
    RESOURCE(f, "pool", .name = "a");
    assert_ended(bring_up(f), 0);
    struct muster_resource *a = find(f, "pool/a");
    quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_SET_NEEDS, .resource = a, .needs = NAMES("pool/none")});
    assert_int_equal(quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_REMOVE, .resource = a}), 0);
    assert_null(muster__engine_find_resource(f->engine, "pool/a"));
    assert_int_equal(next(f, &action), MUSTER__ACTION_OBSERVE);
    assert_int_equal(action.observation->type, MUSTER_OBSERVE_DEGRADED);
    assert_ptr_equal(action.observation->resource, a);
    assert_int_equal(muster_resource_state(a, &status), 0);
    assert_int_equal(status.stage, MUSTER_STAGE_INACTIVE);
    assert_null(muster_resource_handle(a));
    assert_string_equal(muster_resource_name(a), "a");
    assert_int_equal(muster_resource_foreach_dependency(a, is_never_told, NULL), 0);
    for (int type = MUSTER__EVENT_RESOURCE_REMOVE; type <= MUSTER__EVENT_RESOURCE_SET_POLICY; type++) {
        struct muster__event event = {.type = (enum muster__event_type)type, .resource = a};
        assert_int_equal(quiet_step(f, event), MUSTER_ESTATE);
    }
    assert_text(muster_error_text(muster__engine_error(f->engine)), "resource 'pool/a' was removed");
    assert_int_equal(next(f, &action), MUSTER__ACTION_RELEASE);
    action.release(action.data);
    assert_false(muster__engine_action(f->engine, &action));
}

static void a_name_is_free_while_its_last_resource_is_being_released(void **state)
{
    struct fixture *f = pool(state);
    assert_ended(bring_up(f), 0);
    struct muster_resource *a = find(f, "pool/a");
    quiet_step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_REMOVE, .resource = a});
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "a"), 0); /* and carries the release out */
    assert_int_equal(f->held, 1);
    assert_ptr_not_equal(find(f, "pool/a"), a);
    assert_ended(start(f, "pool/a", 0), 0);
    assert_state(f, "pool/a", "active");
}

static void the_shutdown_cancels_what_has_not_been_released_by_the_barrier(void **state)
{
    struct fixture *f = pool(state);
    answer(f, "pool/a probe", MUSTER_PENDING);
    bring_up(f);
    struct ending *started = start(f, "pool/a", 0);
    struct ending *down = shut_down(f, MUSTER_DAEMON_RESTART);
    assert_ended(started, MUSTER_ECANCELED);
    finish(f, "pool/a probe", MUSTER_INACTIVE);
    assert_ended(down, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(nothing_is_done_before_it_is_asked_for),
        engine_test(users_hear_before_drivers_are_called),
        engine_test(a_request_without_a_callback_just_ends),
        engine_test(calls_go_before_the_commit_so_that_it_takes_what_they_lead_to),
        engine_test(what_nobody_has_carried_out_is_freed),
        engine_test(a_cancel_is_asked_for_once_at_a_time),
        engine_test(nobody_listens_nothing_is_observed),
        engine_test(observations_that_had_no_memory_are_missed_aloud),
        engine_test(what_is_removed_can_be_read_until_it_is_released),
        engine_test(a_name_is_free_while_its_last_resource_is_being_released),
        engine_test(the_shutdown_cancels_what_has_not_been_released_by_the_barrier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

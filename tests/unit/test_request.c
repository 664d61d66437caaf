/* SPDX-License-Identifier: MIT */
/* What users ask of resources: the queue before the barrier, the line at each, refusals. */
#include "engine_fixture.h"

static struct fixture *host(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), USUAL);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "pool", .name = "iso");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk", "pool/iso"));
    return f;
}

static struct fixture *up(void **state)
{
    struct fixture *f = host(state);
    assert_ended(bring_up(f), 0);
    f->calls[0] = f->commits[0] = '\0';
    return f;
}

static void requests_before_the_barrier_queue_in_order(void **state)
{
    struct fixture *f = host(state);
    answer(f, "guest/web probe", MUSTER_PENDING);
    bring_up(f);
    struct ending *started = start(f, "pool/disk", 0);
    struct ending *stopped = stop(f, "pool/disk", 0);
    assert_waits(started);
    f->calls[0] = '\0';
    finish(f, "guest/web probe", MUSTER_INACTIVE);
    assert_ended(stopped, 0);
    assert_int_equal(started->times, 1);
    assert_state(f, "pool/disk", "inactive");
    assert_int_equal(stored(f, "pool/disk")->desired, MUSTER_DESIRED_INACTIVE);
}

static void nothing_is_asked_before_the_bring_up_or_after_the_shutdown(void **state)
{
    struct fixture *f = up(state);
    f->outcomes[MUSTER_PHASE_STOP] = MUSTER_PENDING;
    assert_ended(start(f, "pool/disk", 0), 0);
    struct ending *down = shut_down(f, MUSTER_HOST_SHUTDOWN);
    struct ending *refused = start(f, "pool/disk", 0);
    assert_int_equal(refused->refused, MUSTER_ESTATE);
    assert_string_equal(refused->text, "resource 'pool/disk': the context is shutting down");
    finish(f, "pool/disk stop", MUSTER_OK);
    assert_ended(down, 0);
}

static void a_start_names_all_that_is_not_active(void **state)
{
    struct fixture *f = up(state);
    struct ending *started = start(f, "guest/web", 0);
    assert_ended(started, MUSTER_EDEPENDENCY);
    assert_string_equal(started->text, "guest 'web': start (also pool/iso): needs pool/disk, which is inactive");
    assert_ended(start(f, "pool/iso", 0), 0);
    started = start(f, "guest/web", 0);
    assert_string_equal(started->text, "guest 'web': start: needs pool/disk, which is inactive");
}

static void a_start_with_its_dependencies_starts_them_first(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool/iso start", MUSTER_PENDING);
    struct ending *started = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_calls(f, "pool/disk start, pool/iso start");
    assert_int_equal(out(f, "pool/iso start")->cause, MUSTER_CAUSE_CASCADE);
    assert_waits(started);
    finish(f, "pool/iso start", MUSTER_OK);
    assert_ended(started, 0);
    assert_state(f, "guest/web", "active");
}

static void a_dependency_that_fails_fails_the_start_with_the_chain(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool/iso start", -5);
    struct ending *started = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_ended(started, MUSTER_EDEPENDENCY);
    assert_string_equal(started->text, "guest 'web': not started: needs pool/iso: "
                                       "pool 'iso': start: Input/output error");
    assert_state(f, "guest/web", "inactive");
    assert_state(f, "pool/disk", "active");
}

static void what_is_active_is_started_already(void **state)
{
    struct fixture *f = up(state);
    assert_ended(start(f, "pool/disk", 0), 0);
    f->calls[0] = f->commits[0] = '\0';
    assert_ended(start(f, "pool/disk", 0), 0);
    assert_calls(f, "");
    assert_commits(f, "");
}

static void a_start_is_refused_while_nobody_knows_whether_it_runs(void **state)
{
    struct fixture *f = host(state);
    answer(f, "pool/disk probe", -5);
    assert_ended(bring_up(f), 0);
    struct ending *started = start(f, "pool/disk", 0);
    assert_ended(started, MUSTER_EUNKNOWN);
    assert_text(started->text, "pool 'disk': start: it isn't known whether it runs: pool 'disk': probe");
}

static void requests_on_one_resource_wait_for_each_other(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *first = start(f, "pool/disk", 0);
    struct ending *second = start(f, "pool/disk", 0);
    finish(f, "pool/disk start", MUSTER_OK);
    assert_ended(first, 0);
    assert_ended(second, 0);
    assert_calls(f, "pool/disk start");
}

static void a_stop_asks_a_start_that_is_out_to_end(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *started = start(f, "pool/disk", 0);
    struct ending *stopped = stop(f, "pool/disk", 0);
    assert_calls(f, "pool/disk start, cancel pool/disk start");
    finish(f, "pool/disk start", MUSTER_ECANCELED);
    assert_ended(started, MUSTER_ECANCELED);
    assert_ended(stopped, 0);
    assert_int_equal(stored(f, "pool/disk")->desired, MUSTER_DESIRED_INACTIVE);
}

static void a_stop_goes_before_a_start_that_has_not_been_called(void **state)
{
    struct fixture *f = up(state);
    f->store_held = true;
    struct ending *started = start(f, "pool/disk", 0);
    struct ending *stopped = stop(f, "pool/disk", 0);
    f->store_held = false;
    store_answers(f, 0);
    assert_ended(started, MUSTER_ECANCELED);
    assert_ended(stopped, 0);
    assert_calls(f, "");
    assert_state(f, "pool/disk", "inactive");
}

static void a_stop_goes_before_a_start_that_waits_for_its_needs(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *started = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    struct ending *stopped = stop(f, "guest/web", 0);
    assert_ended(started, MUSTER_ECANCELED);
    assert_ended(stopped, 0);
    assert_state(f, "guest/web", "inactive");
}

static void a_stop_goes_before_all_starts_in_the_line(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *first = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    struct ending *second = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    struct ending *stopped = stop(f, "guest/web", 0);
    struct ending *third = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_ended(first, MUSTER_ECANCELED);
    assert_ended(second, MUSTER_ECANCELED);
    assert_ended(stopped, 0);
    finish(f, "pool/disk start", MUSTER_OK);
    assert_ended(third, 0);
    assert_state(f, "guest/web", "active");
}

static void the_request_s_own_pointer_reaches_the_op(void **state)
{
    struct fixture *f = up(state);
    int own;
    answer(f, "pool/disk start", MUSTER_PENDING);
    step(f, (struct muster__event){
                .type = MUSTER__EVENT_RESOURCE_START, .resource = find(f, "pool/disk"), .data = &own});
    assert_ptr_equal(out(f, "pool/disk start")->request, &own);
    assert_int_equal(out(f, "pool/disk start")->cause, MUSTER_CAUSE_USER);
}

static void what_is_busy_is_not_removed(void **state)
{
    struct fixture *f = up(state);
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *started = start(f, "pool/disk", 0);
    assert_int_equal(remove_resource(f, "pool/disk"), MUSTER_EBUSY);
    finish(f, "pool/disk start", -5);
    assert_ended(started, -5);
    assert_int_equal(remove_resource(f, "pool/disk"), 0);
    assert_null(stored(f, "pool/disk"));
}

static void the_queued_requests_on_what_goes_away_are_cancelled(void **state)
{
    struct fixture *f = host(state);
    answer(f, "guest/web probe", MUSTER_PENDING);
    bring_up(f);
    struct ending *started = start(f, "pool/disk", 0);
    struct ending *other = start(f, "pool/iso", 0);
    assert_int_equal(remove_resource(f, "pool/disk"), 0);
    assert_ended(started, MUSTER_ECANCELED);
    finish(f, "guest/web probe", MUSTER_INACTIVE);
    assert_ended(other, 0);
}

static void a_request_out_of_memory_is_refused(void **state)
{
    struct fixture *f = up(state);
    f->failing.countdown = 1;
    assert_int_equal(start(f, "pool/disk", 0)->refused, MUSTER_ENOMEM);
    f->failing.countdown = 2;
    assert_ended(start(f, "pool/disk", 0), 0);
}

/* A path's parts are names as all others. */
static void what_is_no_path_is_no_definition_in_an_op_either(void **state)
{
    static const char *const bad[] = {"disk", "/disk", "pool/", "po\tol/disk", "po\x7fol/disk", "pool/di\nsk", "po\xffol/disk"};
    char longer[300];
    struct fixture *f = *state;
    DRIVER(f, .name = "net", .reload = called, USUAL);
    up(state);
    memset(longer, 'x', sizeof(longer));
    memcpy(longer + 256, "/a", 3);
    answer(f, "net reload", MUSTER_PENDING);
    reload(f);
    for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
        const char *path = i < sizeof(bad) / sizeof(bad[0]) ? bad[i] : longer;
        assert_int_equal(OP_ADDS(f, "net reload", .name = "x", .needs = NAMES(path)), MUSTER_EINVAL);
        assert_int_equal(ADD_RESOURCE(f, "net", .name = "x", .after = NAMES(path)), MUSTER_EINVAL);
        assert_int_equal(set_needs(f, "pool/disk", NAMES(path), NULL), MUSTER_EINVAL);
    }
    assert_int_equal(OP_ADDS(f, "net reload", .name = "x", .needs = NAMES(longer + 1)), 0);
    finish(f, "net reload", MUSTER_OK);
    assert_state(f, "net/x", "inactive, degraded");
}

static void resources_are_added_once_and_with_a_good_definition(void **state)
{
    struct fixture *f = up(state);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "disk"), MUSTER_EEXIST);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = ""), MUSTER_EINVAL);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "x", .policy = 9), MUSTER_EINVAL);
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "x", .flags = 64), MUSTER_EINVAL);
    assert_string_equal(muster_error_text(muster__engine_error(f->engine)),
                        "driver 'pool': the definition of resource 'x': invalid argument");
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "x", .needs = NAMES("pool/disk", "no path")), MUSTER_EINVAL);
    assert_string_equal(muster_error_text(muster__engine_error(f->engine)),
                        "driver 'pool': the definition of resource 'x': 'no path' is no name: it takes driver/name");
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "x", .after = NAMES("nor this")), MUSTER_EINVAL);
    assert_text(muster_error_text(muster__engine_error(f->engine)), "'nor this' is no name: it takes driver/name");
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "x"), 0);
    assert_state(f, "pool/x", "inactive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(requests_before_the_barrier_queue_in_order),
        engine_test(nothing_is_asked_before_the_bring_up_or_after_the_shutdown),
        engine_test(a_start_names_all_that_is_not_active),
        engine_test(a_start_with_its_dependencies_starts_them_first),
        engine_test(a_dependency_that_fails_fails_the_start_with_the_chain),
        engine_test(what_is_active_is_started_already),
        engine_test(a_start_is_refused_while_nobody_knows_whether_it_runs),
        engine_test(requests_on_one_resource_wait_for_each_other),
        engine_test(a_stop_asks_a_start_that_is_out_to_end),
        engine_test(a_stop_goes_before_a_start_that_has_not_been_called),
        engine_test(a_stop_goes_before_a_start_that_waits_for_its_needs),
        engine_test(a_stop_goes_before_all_starts_in_the_line),
        engine_test(the_request_s_own_pointer_reaches_the_op),
        engine_test(what_is_busy_is_not_removed),
        engine_test(the_queued_requests_on_what_goes_away_are_cancelled),
        engine_test(a_request_out_of_memory_is_refused),
        engine_test(what_is_no_path_is_no_definition_in_an_op_either),
        engine_test(resources_are_added_once_and_with_a_good_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

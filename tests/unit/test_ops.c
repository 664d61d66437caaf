/* SPDX-License-Identifier: MIT */
/* Ops: deadlines, a second finish, and what is said of them. */
#include "engine_fixture.h"

#include "engine/internal.h"

static struct fixture *pool(void **state, uintptr_t timeout)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .op_timeout_ms = timeout, USUAL);
    RESOURCE(f, "pool", .name = "disk");
    answer(f, "pool/disk probe", MUSTER_PENDING);
    bring_up(f);
    return f;
}

static void an_op_is_named_by_driver_resource_and_phase(void **state)
{
    struct fixture *f = pool(state, 0);
    char text[64], shorter[8];
    assert_int_equal(muster__op_describe(out(f, "pool/disk probe"), text, sizeof(text)), 18);
    assert_string_equal(text, "pool 'disk': probe");
    assert_int_equal(muster__op_describe(out(f, "pool/disk probe"), shorter, sizeof(shorter)), 18);
    assert_string_equal(shorter, "pool 'd");
    assert_int_equal(retry(f, "pool/disk"), MUSTER_EBUSY);
    muster__op_describe(f->last, text, sizeof(text));
    assert_string_equal(text, "driver 'pool': initialize");
}

static void a_driver_s_own_deadline_goes_before_the_context_s(void **state)
{
    struct fixture *f = pool(state, 50);
    assert_true(saw(f, "deadline pool/disk: in 50 ms"));
    pass(f, 49);
    assert_false(saw(f, "timeout pool/disk"));
    pass(f, 1);
    assert_true(saw(f, "timeout pool/disk"));
}

static void no_deadline_is_none(void **state)
{
    struct fixture *f = pool(state, MUSTER_NO_TIMEOUT);
    assert_true(saw(f, "deadline pool/disk: none"));
    pass(f, 1000000);
    assert_true(is_out(f, "pool/disk probe"));
    assert_false(saw(f, "timeout pool/disk"));
}

static void extend(struct fixture *f, uint64_t ms)
{
    struct muster_op *op = out(f, "pool/disk probe");
    op->effects.extend_ms = ms;
    step(f, (struct muster__event){.type = MUSTER__EVENT_OP_EXTENDED, .op = op});
}

static void a_driver_that_makes_progress_moves_its_deadline(void **state)
{
    struct fixture *f = pool(state, 0);
    assert_true(saw(f, "deadline pool/disk: in 1000 ms"));
    pass(f, 900);
    extend(f, 500);
    assert_true(saw(f, "deadline pool/disk: in 500 ms"));
    pass(f, 499);
    assert_false(saw(f, "timeout pool/disk"));
    extend(f, UINT64_MAX);
    assert_true(saw(f, "deadline pool/disk: none"));
    pass(f, 100000);
    assert_false(saw(f, "timeout pool/disk"));
    extend(f, 1);
    extend(f, 0); /* nothing new */
    assert_false(saw(f, "deadline pool/disk: in 0 ms"));
    pass(f, 1);
    assert_true(saw(f, "timeout pool/disk"));
    extend(f, 500); /* too late */
    assert_false(saw(f, "deadline pool/disk: in 500 ms"));
    assert_state(f, "pool/disk", "inactive, held");
}

/* The clock has gone past the deadlines before any of this is told, and each is an event of its own. */
static void what_ended_before_time_is_told_to_have_passed_is_in_time(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "a", .initialize = called);
    DRIVER(f, .name = "b", .initialize = called);
    f->outcomes[MUSTER_PHASE_INITIALIZE] = MUSTER_PENDING;
    struct ending *up = bring_up(f);
    f->now += 2000;
    when(f, MUSTER_SETTLED);
    finish(f, "a initialize", MUSTER_OK);
    finish(f, "b initialize", MUSTER_OK);
    pass(f, 0);
    assert_ended(up, 0);
    assert_false(saw(f, "timeout a"));
    assert_false(saw(f, "timeout b"));
}

static void a_second_finish_is_reported_and_changes_nothing(void **state)
{
    struct fixture *f = pool(state, 0);
    finish(f, "pool/disk probe", MUSTER_INACTIVE);
    f->seen[0] = '\0';
    f->last->effects.outcome = MUSTER_ACTIVE;
    step(f, (struct muster__event){.type = MUSTER__EVENT_OP_TWICE, .op = f->last});
    assert_true(saw(f, "twice pool"));
    assert_state(f, "pool/disk", "inactive");
}

static void a_retired_op_is_not_used_again_at_once(void **state)
{
    struct fixture *f = pool(state, 0);
    finish(f, "pool/disk probe", -5);
    const struct muster_op *first = f->last;
    answer(f, "pool/disk probe", -5);
    for (unsigned i = 0; i < MUSTER__RETIRED_OPS - 2; i++) {
        assert_int_equal(retry(f, "pool/disk"), 0);
        assert_ptr_not_equal(f->last, first);
        assert_int_equal(atomic_load(&first->stage), MUSTER__OP_RETIRED);
    }
    for (unsigned i = 0; i < 4 && f->last != first; i++)
        assert_int_equal(retry(f, "pool/disk"), 0);
    assert_ptr_equal(f->last, first); /* its memory is, later */
}

static void many_ops_are_named_in_part(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", USUAL);
    for (size_t i = 0; i < 7; i++)
        RESOURCE(f, "pool", .name = names[i]);
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_PENDING;
    bring_up(f);
    assert_int_equal(muster__engine_free(f->engine), MUSTER_EBUSY);
    assert_string_equal(muster_error_text(muster__engine_error(f->engine)),
                        "ops are out: pool 'a': probe, pool 'b': probe, pool 'c': probe, pool 'd': probe, "
                        "pool 'e': probe and 2 more");
}

static void names_that_are_too_long_are_cut(void **state)
{
    struct fixture *f = pool(state, 0);
    char text[12];
    muster__ops_name(f->engine, text, sizeof(text));
    assert_string_equal(text, "pool 'disk'");
}

static void an_op_that_has_no_memory_is_called_later(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "pool", .initialize = called);
    f->store_held = true;
    struct ending *up = bring_up(f);
    muster__engine_observe(f->engine, false);
    f->failing.countdown = 1;
    f->store_held = false;
    store_answers(f, 0);
    assert_true(f->failing.fired);
    assert_calls(f, "");
    pass(f, 100);
    assert_calls(f, "pool initialize");
    assert_ended(up, 0);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    assert_int_equal(muster__engine_free(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(an_op_is_named_by_driver_resource_and_phase),
        engine_test(a_driver_s_own_deadline_goes_before_the_context_s),
        engine_test(no_deadline_is_none),
        engine_test(a_driver_that_makes_progress_moves_its_deadline),
        engine_test(what_ended_before_time_is_told_to_have_passed_is_in_time),
        engine_test(a_second_finish_is_reported_and_changes_nothing),
        engine_test(a_retired_op_is_not_used_again_at_once),
        engine_test(many_ops_are_named_in_part),
        engine_test(names_that_are_too_long_are_cut),
        engine_test(an_op_that_has_no_memory_is_called_later),
        engine_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

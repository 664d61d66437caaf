/* SPDX-License-Identifier: MIT */
/* When the engine wants to be woken, and the pauses between tries. */
#include "engine_fixture.h"

#include "engine/internal.h"

static unsigned expirations;
static struct muster__timer *last_expired;

static void expired(struct muster__engine *engine, struct muster__timer *timer)
{
    (void)engine;
    expirations++;
    last_expired = timer;
}

static void expired_and_set_again(struct muster__engine *engine, struct muster__timer *timer)
{
    expirations++;
    muster__timer_set(engine, timer, engine->now + 10);
}

/* A fixture has its engine with its first driver. */
static struct fixture *begun(void **state)
{
    struct fixture *f = *state;
    expirations = 0;
    last_expired = NULL;
    DRIVER(f, .name = "any");
    return f;
}

static void nothing_to_wake_for_is_never(void **state)
{
    struct fixture *f = begun(state);
    assert_true(muster__engine_wake_at(f->engine) == UINT64_MAX);
}

static void the_first_of_several_wakes(void **state)
{
    struct fixture *f = begun(state);
    struct muster__timer early, late;
    assert_int_equal(muster__timer_init(f->engine, &early, expired), 0);
    assert_int_equal(muster__timer_init(f->engine, &late, expired), 0);
    muster__timer_set(f->engine, &late, 50);
    muster__timer_set(f->engine, &early, 20);
    assert_int_equal(muster__engine_wake_at(f->engine), 20);
    pass(f, 19);
    assert_int_equal(expirations, 0);
    pass(f, 1);
    assert_int_equal(expirations, 1);
    assert_ptr_equal(last_expired, &early);
    assert_int_equal(muster__engine_wake_at(f->engine), 50);
    pass(f, 100);
    assert_int_equal(expirations, 2);
    muster__timer_fini(f->engine, &early);
    muster__timer_fini(f->engine, &late);
}

static void a_timer_that_is_set_again_moves(void **state)
{
    struct fixture *f = begun(state);
    struct muster__timer timer;
    assert_int_equal(muster__timer_init(f->engine, &timer, expired), 0);
    muster__timer_set(f->engine, &timer, 20);
    muster__timer_set(f->engine, &timer, 40);
    pass(f, 30);
    assert_int_equal(expirations, 0);
    muster__timer_clear(f->engine, &timer);
    pass(f, 30);
    assert_int_equal(expirations, 0);
    muster__timer_fini(f->engine, &timer);
}

static void a_timer_may_be_set_while_it_expires(void **state)
{
    struct fixture *f = begun(state);
    struct muster__timer timer;
    assert_int_equal(muster__timer_init(f->engine, &timer, expired_and_set_again), 0);
    muster__timer_set(f->engine, &timer, 10);
    pass(f, 30);
    assert_int_equal(expirations, 3);
    muster__timer_fini(f->engine, &timer);
}

static void time_never_goes_back(void **state)
{
    struct fixture *f = begun(state);
    pass(f, 100);
    f->now = 50;
    step(f, (struct muster__event){.type = MUSTER__EVENT_TIME});
    assert_int_equal(f->engine->now, 100);
}

static void pauses_double_up_to_the_longest(void **state)
{
    static const uint64_t pauses[] = {100, 200, 400, 800, 1000, 1000, 1000};
    struct fixture *f = *state;
    f->options.retry_max_ms = 1000;
    begun(state);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(muster__backoff(f->engine, i), pauses[i]);
    assert_int_equal(muster__backoff(f->engine, UINT32_MAX), 1000);
}

static void pauses_that_reach_the_end_of_time_stay_there(void **state)
{
    struct fixture *f = *state;
    f->options.retry_max_ms = UINT64_MAX;
    begun(state);
    assert_int_equal(muster__backoff(f->engine, 3), 800);
    assert_true(muster__backoff(f->engine, 70) == UINT64_MAX);
    assert_true(muster__backoff(f->engine, UINT32_MAX) == UINT64_MAX);
}

static void what_is_past_the_end_of_time_is_never(void **state)
{
    begun(state);
    assert_int_equal(muster__time_after(5, 7), 12);
    assert_true(muster__time_after(5, UINT64_MAX - 5) == UINT64_MAX);
    assert_true(muster__time_after(5, UINT64_MAX) == UINT64_MAX);
}

static void the_longest_pause_goes_before_the_shortest(void **state)
{
    struct fixture *f = *state;
    f->options.retry_min_ms = 500;
    f->options.retry_max_ms = 300;
    begun(state);
    assert_int_equal(muster__backoff(f->engine, 0), 300);
}

static void a_timer_needs_room_from_its_begin(void **state)
{
    struct fixture *f = begun(state);
    struct muster__timer timers[64];
    size_t made = 0;
    f->failing.countdown = 1;
    while (made < 64 && muster__timer_init(f->engine, &timers[made], expired) == 0)
        made++;
    assert_true(made < 64);
    for (size_t i = 0; i < made; i++)
        muster__timer_fini(f->engine, &timers[i]);
    muster__timer_fini(f->engine, &timers[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(nothing_to_wake_for_is_never),
        engine_test(the_first_of_several_wakes),
        engine_test(a_timer_that_is_set_again_moves),
        engine_test(a_timer_may_be_set_while_it_expires),
        engine_test(time_never_goes_back),
        engine_test(pauses_double_up_to_the_longest),
        engine_test(pauses_that_reach_the_end_of_time_stay_there),
        engine_test(what_is_past_the_end_of_time_is_never),
        engine_test(the_longest_pause_goes_before_the_shortest),
        engine_test(a_timer_needs_room_from_its_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

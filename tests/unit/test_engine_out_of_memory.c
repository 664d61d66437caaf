/* SPDX-License-Identifier: MIT */
/*
 * The n-th allocation of a daemon's life fails, once, for every n: whatever was asked for is refused or ends,
 * nothing leaks, and the next daemon comes up with all that was there.
 */
#include "engine_fixture.h"

static size_t failed; /* the allocation, for the message */

static void make_engine(struct fixture *f)
{
    f->options.memory = &f->memory;
    if (muster__engine_new(&f->options, &f->engine) != 0) {
        assert_true(f->failing.fired);
        assert_int_equal(muster__engine_new(&f->options, &f->engine), 0);
    }
    muster__engine_observe(f->engine, true);
}

/* What is refused for want of memory is asked for again. */
static void add_drivers(struct fixture *f)
{
    const struct muster_driver_def pool = {
        .name = "pool", .initialize = called, .start = called, .stop = called, .reload = called};
    const struct muster_driver_def guest = {.name = "guest",
                                            .needs = NAMES("pool"),
                                            .initialize = called,
                                            .restore = called,
                                            .probe = called,
                                            .adopt = called,
                                            .start = called,
                                            .stop = called,
                                            .shutdown = called};
    if (add_driver(f, &pool) != 0)
        assert_int_equal(add_driver(f, &pool), 0);
    if (add_driver(f, &guest) != 0)
        assert_int_equal(add_driver(f, &guest), 0);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"), .after = NAMES("guest/db"));
    RESOURCE(f, "guest", .name = "db", .policy = MUSTER_AUTOSTART);
    RECORD(f, "pool/disk", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE, .handle = "pid 7");
    RECORD(f, "guest/old", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    DURATIONS(f, "pool/pool", "initialize=9000");
    DURATIONS(f, "guest/web", "start=5000");
    DURATIONS(f, "guest/nobody", "start=4000");
    answer(f, "guest/web probe", MUSTER_ACTIVE);
}

static void await(struct fixture *f, const struct ending *ending)
{
    for (unsigned i = 0; i < 20 && ending->refused == 0 && ending->times == 0; i++)
        pass(f, 1000);
    if (ending->refused == 0 ? ending->times != 1 : ending->refused != MUSTER_ENOMEM)
        fail_msg("allocation %zu: ended %d times, refused with %s; then: %s", failed, ending->times,
                 muster_code_name(ending->refused), f->calls);
}

static void use_resource(struct fixture *f, const char *name,
                         struct ending *(*ask)(struct fixture *f, const char *name, unsigned flags), unsigned flags)
{
    if (muster__engine_find_resource(f->engine, name) != NULL)
        await(f, ask(f, name, flags));
}

static void live(struct fixture *f)
{
    use_resource(f, "guest/web", stop, 0);
    use_resource(f, "guest/web", start, MUSTER_START_DEPENDENCIES);
    use_resource(f, "pool/disk", stop, MUSTER_STOP_CASCADE);
    use_resource(f, "guest/web", start, MUSTER_START_DEPENDENCIES);
    await(f, reload(f));
    ADD_RESOURCE(f, "guest", .name = "new", .needs = NAMES("pool/disk"));
    if (muster__engine_find_resource(f->engine, "guest/new") != NULL) {
        set_needs(f, "guest/new", NAMES("guest/db"), NAMES("pool/disk"));
        set_policy(f, "guest/new", MUSTER_AUTOSTART);
        changed(f, "guest/new", MUSTER_CHANGED_ACTIVE);
        changed(f, "guest/new", MUSTER_CHANGED_LOST);
        set_needs(f, "guest/new", NAMES("guest/new"), NULL); /* a circle, which the removal opens */
        remove_resource(f, "guest/new");
    }
    const struct ending *moved = move(f, "guest/old", "guest/older");
    if (moved->refused != MUSTER_ENOENT && moved->refused != MUSTER_EBUSY)
        await(f, moved);
}

/* Everything that is up at the end of an untroubled run. */
static void second_run(struct fixture *f)
{
    f->failing.countdown = 0;
    f->resource_count = 3;
    f->ending_count = 0;
    struct ending *up = bring_up(f);
    await(f, up);
    assert_ended(up, 0);
    assert_driver(f, "pool", "up");
    assert_driver(f, "guest", "up");
    await(f, start(f, "pool/disk", 0));
    await(f, start(f, "guest/web", 0));
    assert_state(f, "pool/disk", "active");
    assert_state(f, "guest/web", "active");
    await(f, shut_down(f, MUSTER_DAEMON_RESTART));
    end_daemon(f);
}

/* false: the run needed fewer allocations. */
static bool run(size_t nth, enum muster_shutdown_kind kind)
{
    void *state;
    assert_int_equal(fixture_setup(&state), 0);
    struct fixture *f = state;
    f->failing.countdown = failed = nth;
    make_engine(f);
    add_drivers(f);
    struct ending *up = bring_up(f);
    await(f, up);
    if (up->refused != 0) {
        up = bring_up(f);
        await(f, up);
    }
    live(f);
    struct ending *down = shut_down(f, kind);
    await(f, down);
    if (down->refused != 0)
        await(f, shut_down(f, kind));
    assert_int_equal(muster__engine_state(f->engine), MUSTER_STATE_DOWN);
    end_daemon(f);
    assert_int_equal(f->failing.live, 0);
    assert_int_equal(f->held, 0);
    bool fired = f->failing.fired;
    second_run(f);
    assert_int_equal(fixture_teardown(&state), 0);
    return fired;
}

static void any_allocation_may_fail_before_a_daemon_restart(void **state)
{
    size_t nth = 1;
    (void)state;
    while (run(nth, MUSTER_DAEMON_RESTART))
        nth++;
    assert_true(nth > 200);
}

static void any_allocation_may_fail_before_a_host_shutdown(void **state)
{
    size_t nth = 1;
    (void)state;
    while (run(nth, MUSTER_HOST_SHUTDOWN))
        nth++;
    assert_true(nth > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail_before_a_daemon_restart),
        cmocka_unit_test(any_allocation_may_fail_before_a_host_shutdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A context on a libuv loop that the host owns, which is left clean. */
#include <muster/uv.h>

#include "host.h"

struct daemon {
    uv_loop_t loop;
    struct muster *context;
    struct ending up;
    struct ending down;
    int detached;
};

static void on_detached(void *data)
{
    ((struct daemon *)data)->detached++;
}

static void on_down(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct daemon *daemon = data;
    note_ending(context, &daemon->down, code, error);
    assert_int_equal(muster_uv_detach(context, on_detached, daemon), 0);
    assert_int_equal(muster_uv_detach(context, on_detached, daemon), MUSTER_EINVAL);
}

static void on_up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct daemon *daemon = data;
    note_ending(context, &daemon->up, code, error);
    assert_int_equal(muster_shutdown(context, MUSTER_DAEMON_RESTART, on_down, daemon), 0);
}

struct timed {
    struct daemon *daemon;
    uv_timer_t timer;
    struct muster_op *op;
};

static void on_timer(uv_timer_t *timer)
{
    struct timed *timed = timer->data;
    assert_int_equal(muster_op_finish(timed->op, MUSTER_OK), 0);
    uv_close((uv_handle_t *)timer, NULL);
}

static int begin_timer(struct muster_op *op)
{
    struct timed *timed = muster_op_driver_data(op);
    timed->op = op;
    timed->timer.data = timed;
    assert_int_equal(uv_timer_init(&timed->daemon->loop, &timed->timer), 0);
    assert_int_equal(uv_timer_start(&timed->timer, on_timer, 1, 0), 0);
    return MUSTER_PENDING;
}

static int later(struct muster_op *op)
{
    int *tries = muster_op_driver_data(op);
    return ++*tries < 3 ? MUSTER_UNAVAILABLE : MUSTER_OK;
}

static void runs_on_a_libuv_loop_and_leaves_it_clean(void **state)
{
    struct daemon daemon = {.context = new_context(NULL)};
    struct timed timed = {.daemon = &daemon};
    struct muster_driver_def def = driver_named("timed", begin_timer);
    int tries = 0;
    (void)state;
    assert_int_equal(uv_loop_init(&daemon.loop), 0);
    assert_int_equal(muster_uv_attach(daemon.context, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_uv_attach(daemon.context, &daemon.loop), 0);
    assert_int_equal(muster_uv_attach(daemon.context, &daemon.loop), MUSTER_EBUSY);
    add_driver(daemon.context, &def, &timed);
    def = driver_named("worker", nothing_to_do);
    def.threaded = MUSTER_THREADED(INITIALIZE);
    add_driver(daemon.context, &def, NULL);
    def = driver_named("late", later);
    add_driver(daemon.context, &def, &tries);
    assert_int_equal(muster_bring_up(daemon.context, on_up, &daemon), 0);

    assert_int_equal(uv_run(&daemon.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(daemon.up.times, 1);
    assert_int_equal(daemon.up.code, 0);
    assert_int_equal(daemon.down.times, 1);
    assert_int_equal(daemon.detached, 1);
    assert_int_equal(uv_loop_close(&daemon.loop), 0);
    assert_int_equal(muster_free(daemon.context), 0);
}

/* Nothing but the timer of muster's own can bring the loop to the third try. */
static void a_retry_wakes_the_libuv_loop(void **state)
{
    struct daemon daemon = {.context = new_context(NULL)};
    struct muster_driver_def def = driver_named("late", later);
    int tries = 0;
    (void)state;
    assert_int_equal(uv_loop_init(&daemon.loop), 0);
    assert_int_equal(muster_uv_attach(daemon.context, &daemon.loop), 0);
    struct muster_driver *driver = add_driver(daemon.context, &def, &tries);
    assert_int_equal(muster_bring_up(daemon.context, NULL, NULL), 0);
    while (muster_driver_state(driver) != MUSTER_DRIVER_UP)
        uv_run(&daemon.loop, UV_RUN_ONCE);
    assert_int_equal(tries, 3);
    assert_int_equal(muster_uv_detach(daemon.context, NULL, NULL), 0);
    assert_int_equal(uv_run(&daemon.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&daemon.loop), 0);
    take_down(daemon.context);
}

static void may_be_attached_again(void **state)
{
    struct daemon daemon = {.context = new_context(NULL)};
    (void)state;
    assert_int_equal(uv_loop_init(&daemon.loop), 0);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(muster_uv_attach(daemon.context, &daemon.loop), 0);
        assert_int_equal(muster_uv_detach(daemon.context, on_detached, &daemon), 0);
        assert_int_equal(daemon.detached, i - 1);
        assert_int_equal(uv_run(&daemon.loop, UV_RUN_DEFAULT), 0);
        assert_int_equal(daemon.detached, i);
    }
    assert_int_equal(uv_loop_close(&daemon.loop), 0);
    assert_int_equal(muster_free(daemon.context), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_on_a_libuv_loop_and_leaves_it_clean),
        cmocka_unit_test(a_retry_wakes_the_libuv_loop),
        cmocka_unit_test(may_be_attached_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A context on the host's own loop, by muster_run(), and what may be called inside a callback. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

static void shut_down(struct muster *context, void *data, int code, const struct muster_error *error)
{
    note_ending(context, data, code, error);
    assert_int_equal(muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL), 0);
}

static void runs_without_a_loop_of_the_host(void **state)
{
    struct ending up = {0};
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    (void)state;
    assert_int_equal(muster_run(context), MUSTER_ESTATE);
    add_driver(context, &def, NULL);
    assert_int_equal(muster_bring_up(context, shut_down, &up), 0);
    assert_int_equal(muster_run(context), 0);
    assert_int_equal(up.times, 1);
    assert_int_equal(muster_state(context), MUSTER_STATE_DOWN);
    assert_int_equal(muster_run(context), 0);
    assert_int_equal(muster_free(context), 0);
}

static int say_no(struct muster_op *op)
{
    return muster_op_fail(op, MUSTER_EIO, "no");
}

static void run_returns_what_the_bring_up_ended_with(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", say_no);
    (void)state;
    def.flags = MUSTER_ESSENTIAL;
    add_driver(context, &def, NULL);
    assert_int_equal(muster_bring_up(context, NULL, NULL), 0);
    assert_int_equal(muster_run(context), MUSTER_EIO);
    assert_int_equal(muster_free(context), 0);
}

static void runs_on_a_foreign_loop(void **state)
{
    struct ending up = {0};
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    (void)state;
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, muster_fd(context), &event), 0);
    assert_int_equal(muster_timeout(context), -1);
    add_driver(context, &def, NULL);
    assert_int_equal(muster_bring_up(context, shut_down, &up), 0);
    assert_int_equal(muster_timeout(context), 0);
    while (muster_state(context) != MUSTER_STATE_DOWN) {
        assert_int_not_equal(epoll_wait(epoll, &event, 1, muster_timeout(context)), -1);
        assert_int_equal(muster_process(context), 0);
    }
    assert_int_equal(up.times, 1);
    assert_int_equal(muster_timeout(context), -1);
    assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
    close(epoll);
    assert_int_equal(muster_free(context), 0);
}

/* A call outside of muster_process() that leaves something to do makes the fd readable: the host may be polling already. */
static void a_request_wakes_the_loop(void **state)
{
    struct ending up = {0};
    struct muster *context = new_context(NULL);
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    (void)state;
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, muster_fd(context), &event), 0);
    assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    assert_int_equal(epoll_wait(epoll, &event, 1, 0), 1);
    wait_for(context, &up);
    assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
    close(epoll);
    take_down(context);
}

static void try_all(struct muster *context)
{
    assert_int_equal(muster_process(context), MUSTER_EBUSY);
    assert_int_equal(muster_run(context), MUSTER_EBUSY);
    assert_int_equal(muster_free(context), MUSTER_EBUSY);
    assert_int_equal(muster_abandon(context), MUSTER_EBUSY);
    assert_true(muster_timeout(context) >= -1);
    assert_non_null(muster_driver_find(context, "a"));
}

static int try_in_callback(struct muster_op *op)
{
    try_all(muster_op_context(op));
    return MUSTER_OK;
}

static void try_in_post(struct muster *context, void *data)
{
    *(bool *)data = true;
    try_all(context);
}

static void try_in_observer(struct muster *context, void *data, const struct muster_observation *observation)
{
    (void)data;
    assert_true(observation->size >= sizeof(*observation));
    try_all(context);
}

static void try_when_up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    note_ending(context, data, code, error);
    try_all(context);
    assert_int_equal(muster_observe(context, try_in_observer, NULL), 0);
}

static void what_drives_the_loop_is_refused_inside_a_callback(void **state)
{
    struct ending up = {0};
    bool posted = false;
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", try_in_callback);
    (void)state;
    add_driver(context, &def, NULL);
    assert_int_equal(muster_observe(context, try_in_observer, NULL), 0);
    assert_int_equal(muster_post(context, try_in_post, &posted), 0);
    assert_int_equal(muster_bring_up(context, try_when_up, &up), 0);
    wait_for(context, &up);
    assert_true(posted);
    take_down(context);
}

enum { POSTERS = 4, POSTS = 500 };

struct poster {
    struct muster *context;
    pthread_t thread;
    int heard;
    bool in_order;
};

struct posted {
    struct poster *poster;
    int number;
};

static struct posted all_posted[POSTERS][POSTS];

static void hear(struct muster *context, void *data)
{
    struct posted *posted = data;
    (void)context;
    posted->poster->in_order = posted->poster->in_order && posted->number == posted->poster->heard;
    posted->poster->heard++;
}

static struct poster posters[POSTERS];

static void *post_all(void *data)
{
    struct poster *poster = data;
    for (int i = 0; i < POSTS; i++) {
        struct posted *posted = &all_posted[poster - posters][i];
        *posted = (struct posted){poster, i};
        if (muster_post(poster->context, hear, posted) != 0)
            return poster;
    }
    return NULL;
}

static void posts_come_on_the_loop_thread_in_order(void **state)
{
    struct muster *context = new_context(NULL);
    int heard = 0;
    (void)state;
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.context = context, .in_order = true};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    while (heard < POSTERS * POSTS) {
        turn(context);
        heard = 0;
        for (int i = 0; i < POSTERS; i++)
            heard += posters[i].heard;
    }
    for (int i = 0; i < POSTERS; i++) {
        void *failed = NULL;
        pthread_join(posters[i].thread, &failed);
        assert_null(failed);
        assert_true(posters[i].in_order);
    }
    assert_int_equal(muster_post(context, NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_post(context, hear, &all_posted[0][0]), 0);
    assert_int_equal(muster_free(context), 0);
}

static struct muster *signalled;

static void on_signal(int number)
{
    (void)number;
    muster_request_shutdown(signalled, MUSTER_DAEMON_RESTART);
}

static void raise_it(struct muster *context, void *data, int code, const struct muster_error *error)
{
    note_ending(context, data, code, error);
    raise(SIGUSR1);
}

static void a_signal_handler_may_ask_for_the_shutdown(void **state)
{
    struct ending up = {0};
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    (void)state;
    signalled = context;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    add_driver(context, &def, NULL);
    assert_int_equal(muster_bring_up(context, raise_it, &up), 0);
    assert_int_equal(muster_run(context), 0);
    assert_int_equal(up.times, 1);
    sigaction(SIGUSR1, &before, NULL);
    muster_request_shutdown(NULL, MUSTER_DAEMON_RESTART);
    assert_int_equal(muster_free(context), 0);
}

static int reached[8];
static size_t reached_count;

static void note_milestone(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    (void)error;
    assert_int_equal(code, 0);
    assert_true(reached_count < sizeof(reached) / sizeof(reached[0]));
    reached[reached_count++] = *(int *)data;
}

static void milestones_come_in_order_and_once(void **state)
{
    int asked[] = {MUSTER_SETTLED, MUSTER_INITIALIZED, MUSTER_RECONCILED};
    static const int expected[] = {MUSTER_INITIALIZED, MUSTER_RECONCILED, MUSTER_SETTLED};
    struct ending late = {0};
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    (void)state;
    reached_count = 0;
    add_driver(context, &def, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(muster_when(context, (enum muster_milestone)asked[i], note_milestone, &asked[i]), 0);
    assert_int_equal(muster_when(context, (enum muster_milestone)3, note_ending, &late), MUSTER_EINVAL);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_when(context, MUSTER_RECONCILED, note_ending, &late), 0);
    assert_int_equal(late.times, 0);
    wait_for(context, &late);
    assert_int_equal(late.code, 0);
    take_down(context);
    assert_int_equal(reached_count, 3);
    assert_memory_equal(reached, expected, sizeof(expected));
}

static int stops;

/* It takes longer than the whole shutdown may. */
static int stop_slowly(struct muster_op *op)
{
    struct timespec begin, now;
    (void)op;
    stops++;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 20);
    return MUSTER_OK;
}

static int is_active(struct muster_op *op)
{
    (void)op;
    return MUSTER_ACTIVE;
}

static int add_two(struct muster_op *op)
{
    struct muster_resource_def def;
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.flags = MUSTER_ADOPT_UNMANAGED;
    def.name = "one";
    assert_int_equal(muster_op_add_resource(op, &def), 0);
    def.name = "two";
    assert_int_equal(muster_op_add_resource(op, &def), 0);
    return MUSTER_OK;
}

static void time_passes_between_callbacks_that_never_wait(void **state)
{
    struct muster_options options;
    struct muster *context;
    struct muster_driver_def def = driver_named("a", add_two);
    struct ending down = {0};
    (void)state;
    MUSTER_OPTIONS_INIT(&options);
    options.shutdown_timeout_ms = 10;
    assert_int_equal(muster_new(&options, &context), 0);
    def.probe = is_active;
    def.stop = stop_slowly;
    add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    stops = 0;
    assert_int_equal(muster_shutdown(context, MUSTER_HOST_SHUTDOWN, note_ending, &down), 0);
    wait_for(context, &down);
    assert_int_equal(down.code, MUSTER_ETIMEDOUT);
    assert_int_equal(stops, 1);
    assert_int_equal(muster_free(context), 0);
}

static void names_are_never_null(void **state)
{
    (void)state;
    for (int i = -1; i <= MUSTER_OBSERVE_OP_EXTENDED + 1; i++)
        assert_non_null(muster_observation_name((enum muster_observation_type)i));
    assert_string_equal(muster_observation_name(MUSTER_OBSERVE_OP_BEGIN), "op begin");
    assert_string_equal(muster_version(), MUSTER_VERSION);
}

static void misuse_is_refused(void **state)
{
    struct muster_options options;
    struct muster *context = NULL;
    (void)state;
    MUSTER_OPTIONS_INIT(&options);
    options.flags = 0x100;
    assert_int_equal(muster_new(&options, &context), MUSTER_EINVAL);
    options.flags = 0;
    options.boot_id = "with space";
    assert_int_equal(muster_new(&options, &context), MUSTER_EINVAL);
    options.boot_id = NULL;
    options.size = 8;
    assert_int_equal(muster_new(&options, &context), MUSTER_EINVAL);
    assert_null(context);
    assert_int_equal(muster_new(NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_process(NULL), MUSTER_EINVAL);
    assert_int_equal(muster_fd(NULL), MUSTER_EINVAL);
    assert_int_equal(muster_bring_up(NULL, NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_op_finish(NULL, 0), MUSTER_EINVAL);
    assert_int_equal(muster_resource_start(NULL, NULL, NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_free(NULL), 0);
    assert_null(muster_get_error(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_without_a_loop_of_the_host),
        cmocka_unit_test(run_returns_what_the_bring_up_ended_with),
        cmocka_unit_test(runs_on_a_foreign_loop),
        cmocka_unit_test(a_request_wakes_the_loop),
        cmocka_unit_test(what_drives_the_loop_is_refused_inside_a_callback),
        cmocka_unit_test(posts_come_on_the_loop_thread_in_order),
        cmocka_unit_test(a_signal_handler_may_ask_for_the_shutdown),
        cmocka_unit_test(milestones_come_in_order_and_once),
        cmocka_unit_test(time_passes_between_callbacks_that_never_wait),
        cmocka_unit_test(names_are_never_null),
        cmocka_unit_test(misuse_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

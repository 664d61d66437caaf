/* SPDX-License-Identifier: MIT */
/* THREADED callbacks: muster's workers, their limits, and the host's executor. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

#include "host.h"

static int all_signals_blocked(struct muster_op *op)
{
    sigset_t set;
    (void)op;
    if (pthread_sigmask(SIG_SETMASK, NULL, &set) != 0)
        return MUSTER_EFAILED;
    return sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGCHLD) == 1 && sigismember(&set, SIGINT) == 1
               ? MUSTER_OK
               : MUSTER_EFAILED;
}

static void workers_block_all_signals(void **state)
{
    sigset_t before;
    sigset_t after;
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", all_signals_blocked);
    (void)state;
    def.threaded = MUSTER_THREADED(INITIALIZE);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    struct muster_driver *driver = add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_driver_state(driver), MUSTER_DRIVER_UP);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
    take_down(context);
}

struct meeting {
    pthread_barrier_t barrier;
};

static int meet(struct muster_op *op)
{
    struct meeting *meeting = muster_op_driver_data(op);
    pthread_barrier_wait(&meeting->barrier);
    return MUSTER_OK;
}

/* It would hang if they ran one after the other. */
static void as_many_run_at_once_as_there_are_workers(void **state)
{
    struct meeting meeting;
    char names[8][2] = {{0}};
    struct muster_options options;
    struct muster *context = NULL;
    (void)state;
    pthread_barrier_init(&meeting.barrier, NULL, 4);
    MUSTER_OPTIONS_INIT(&options);
    options.max_workers = 4;
    assert_int_equal(muster_new(&options, &context), 0);
    for (int i = 0; i < 8; i++) {
        names[i][0] = (char)('a' + i);
        struct muster_driver_def def = driver_named(names[i], meet);
        def.threaded = MUSTER_THREADED(INITIALIZE);
        add_driver(context, &def, &meeting);
    }
    assert_int_equal(bring_up(context), 0);
    take_down(context);
    pthread_barrier_destroy(&meeting.barrier);
}

struct gate {
    sem_t begun;
    sem_t open;
    int calls;
};

static int pass_gate(struct muster_op *op)
{
    struct gate *gate = muster_op_driver_data(op);
    __atomic_add_fetch(&gate->calls, 1, __ATOMIC_SEQ_CST);
    sem_post(&gate->begun);
    sem_wait(&gate->open);
    return MUSTER_OK;
}

static void note_timeout(struct muster *context, void *data, const struct muster_observation *observation)
{
    (void)context;
    if (observation->type == MUSTER_OBSERVE_OP_TIMEOUT)
        (*(int *)data)++;
}

/* `timeouts` are the drivers', in ms. */
static struct muster *one_worker(struct gate *gate, const uintptr_t *timeouts, int drivers)
{
    static const char *const names[] = {"first", "second", "third"};
    struct muster_options options;
    struct muster *context = NULL;
    sem_init(&gate->begun, 0, 0);
    sem_init(&gate->open, 0, 0);
    gate->calls = 0;
    MUSTER_OPTIONS_INIT(&options);
    options.max_workers = 1;
    options.retry_min_ms = 1;
    options.retry_max_ms = 4;
    assert_int_equal(muster_new(&options, &context), 0);
    for (int i = 0; i < drivers; i++) {
        struct muster_driver_def def = driver_named(names[i], pass_gate);
        def.threaded = MUSTER_THREADED(INITIALIZE);
        def.op_timeout_ms = timeouts[i];
        add_driver(context, &def, gate);
    }
    return context;
}

/* Of two ops and one worker, the first has no deadline; the second, in the queue, isn't past its short one. */
static void waiting_for_a_worker_does_not_count(void **state)
{
    static const uintptr_t limits[] = {MUSTER_NO_TIMEOUT, 1};
    struct gate gate;
    struct ending up = {0};
    int timeouts = 0;
    struct muster *context = one_worker(&gate, limits, 2);
    (void)state;
    assert_int_equal(muster_observe(context, note_timeout, &timeouts), 0);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    turn(context);
    sem_wait(&gate.begun);
    assert_int_equal(gate.calls, 1);
    assert_int_equal(muster_timeout(context), -1);
    sem_post(&gate.open);
    sem_wait(&gate.begun);
    while (timeouts == 0)
        turn(context);
    sem_post(&gate.open);
    while (muster_holds(context) & MUSTER_HOLDS_OPS)
        turn(context);
    take_down(context);
}

static enum muster_driver_state state_of(struct muster *context, const char *driver)
{
    return muster_driver_state(muster_driver_find(context, driver));
}

/* The first never ends by itself; the second is called although there is one worker. */
static void a_callback_past_its_deadline_does_not_hold_up_the_rest(void **state)
{
    static const uintptr_t limits[] = {1, MUSTER_NO_TIMEOUT};
    struct gate gate;
    struct ending up = {0};
    int timeouts = 0;
    struct muster *context = one_worker(&gate, limits, 2);
    (void)state;
    assert_int_equal(muster_observe(context, note_timeout, &timeouts), 0);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    while (timeouts == 0)
        turn(context);
    sem_wait(&gate.begun);
    sem_wait(&gate.begun);
    sem_post(&gate.open);
    sem_post(&gate.open);
    wait_for(context, &up);
    assert_int_equal(state_of(context, "second"), MUSTER_DRIVER_UP);
    while (muster_holds(context) & MUSTER_HOLDS_OPS)
        turn(context);
    take_down(context);
}

/* Two of one worker's: there are no more to be made. */
static void while_all_workers_are_past_a_deadline_ops_are_unavailable(void **state)
{
    static const uintptr_t limits[] = {1, 1, MUSTER_NO_TIMEOUT};
    struct gate gate;
    struct ending up = {0};
    struct muster *context = one_worker(&gate, limits, 3);
    struct muster_driver *third = muster_driver_find(context, "third");
    (void)state;
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    wait_for(context, &up);
    assert_int_equal(gate.calls, 2);
    assert_int_equal(muster_driver_state(third), MUSTER_DRIVER_DEFERRED);
    assert_non_null(strstr(muster_error_text(muster_driver_get_error(third)), "past their deadline"));
    for (int i = 0; i < 3; i++)
        sem_post(&gate.open);
    while (muster_driver_state(third) != MUSTER_DRIVER_UP || (muster_holds(context) & MUSTER_HOLDS_OPS))
        turn(context);
    assert_int_equal(gate.calls, 3);
    take_down(context);
}

static void note_end(struct muster *context, void *data, const struct muster_observation *observation)
{
    (void)context;
    if (observation->type == MUSTER_OBSERVE_OP_END)
        (*(int *)data)++;
}

/* And at once: the only worker is busy all the time. */
static void an_op_that_waits_for_a_worker_is_cancelled_without_a_call(void **state)
{
    static const uintptr_t limits[] = {0, 0};
    struct gate gate;
    struct ending up = {0};
    struct ending down = {0};
    int ends = 0;
    struct muster *context = one_worker(&gate, limits, 2);
    (void)state;
    assert_int_equal(muster_observe(context, note_end, &ends), 0);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    turn(context);
    sem_wait(&gate.begun);
    assert_int_equal(muster_shutdown(context, MUSTER_DAEMON_RESTART, note_ending, &down), 0);
    turn(context);
    assert_int_equal(ends, 1);
    sem_post(&gate.open);
    wait_for(context, &down);
    assert_int_equal(gate.calls, 1);
    assert_int_equal(up.code, MUSTER_ECANCELED);
    assert_int_equal(muster_free(context), 0);
}

struct executed {
    pthread_t thread;
    void (*work)(void *arg);
    void *arg;
    int refuse;
    int submitted;
};

static void *execute(void *data)
{
    struct executed *executed = data;
    executed->work(executed->arg);
    return NULL;
}

static int submit(void *data, void (*work)(void *arg), void *arg)
{
    struct executed *executed = data;
    executed->submitted++;
    if (executed->refuse)
        return MUSTER_EAGAIN;
    executed->work = work;
    executed->arg = arg;
    return pthread_create(&executed->thread, NULL, execute, executed) == 0 ? 0 : -1;
}

static struct muster *with_executor(struct executed *executed)
{
    struct muster_executor executor = {.size = sizeof(executor), .data = executed, .submit = submit};
    struct muster_options options;
    struct muster *context = NULL;
    MUSTER_OPTIONS_INIT(&options);
    options.executor = &executor;
    assert_int_equal(muster_new(&options, &context), 0);
    return context;
}

static void a_hosts_executor_runs_them_instead(void **state)
{
    struct executed executed = {0};
    struct muster *context = with_executor(&executed);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    (void)state;
    def.threaded = MUSTER_THREADED(INITIALIZE);
    struct muster_driver *driver = add_driver(context, &def, &executed);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(executed.submitted, 1);
    assert_int_equal(muster_driver_state(driver), MUSTER_DRIVER_UP);
    pthread_join(executed.thread, NULL);
    take_down(context);
}

static void an_executor_that_refuses_fails_the_op(void **state)
{
    struct executed executed = {.refuse = 1};
    struct muster *context = with_executor(&executed);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    (void)state;
    def.threaded = MUSTER_THREADED(INITIALIZE);
    struct muster_driver *driver = add_driver(context, &def, &executed);
    assert_int_equal(bring_up(context), 0);
    const struct muster_error *error = muster_driver_get_error(driver);
    assert_int_equal(muster_error_code(error), MUSTER_EUNAVAILABLE);
    assert_non_null(strstr(muster_error_text(error), "the executor refused it"));
    take_down(context);
}

static void an_executor_without_submit_is_refused(void **state)
{
    struct muster_executor executor = {.size = sizeof(executor)};
    struct muster_options options;
    struct muster *context = NULL;
    (void)state;
    MUSTER_OPTIONS_INIT(&options);
    options.executor = &executor;
    assert_int_equal(muster_new(&options, &context), MUSTER_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_block_all_signals),
        cmocka_unit_test(as_many_run_at_once_as_there_are_workers),
        cmocka_unit_test(waiting_for_a_worker_does_not_count),
        cmocka_unit_test(a_callback_past_its_deadline_does_not_hold_up_the_rest),
        cmocka_unit_test(while_all_workers_are_past_a_deadline_ops_are_unavailable),
        cmocka_unit_test(an_op_that_waits_for_a_worker_is_cancelled_without_a_call),
        cmocka_unit_test(a_hosts_executor_runs_them_instead),
        cmocka_unit_test(an_executor_that_refuses_fails_the_op),
        cmocka_unit_test(an_executor_without_submit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

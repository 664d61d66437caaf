/* SPDX-License-Identifier: MIT */
/* An op completes exactly once: in its callback, later, on a worker, from another thread. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

static void completes_in_its_callback(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    (void)state;
    struct muster_driver *driver = add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_driver_state(driver), MUSTER_DRIVER_UP);
    take_down(context);
}

static int finish_inside(struct muster_op *op)
{
    assert_int_equal(muster_op_finish(op, MUSTER_PENDING), MUSTER_EINVAL);
    assert_int_equal(muster_op_finish(op, 77), MUSTER_EINVAL);
    assert_int_equal(muster_op_finish(op, MUSTER_OK), 0);
    return MUSTER_PENDING;
}

static void may_be_finished_inside_its_callback(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", finish_inside);
    (void)state;
    add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    take_down(context);
}

static int keep_op(struct muster_op *op)
{
    *(struct muster_op **)muster_op_driver_data(op) = op;
    return MUSTER_PENDING;
}

static void finish_posted(struct muster *context, void *data)
{
    (void)context;
    assert_int_equal(muster_op_finish(data, MUSTER_OK), 0);
}

static void completes_later_on_the_loop_thread(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", keep_op);
    struct muster_op *op = NULL;
    struct ending up = {0};
    (void)state;
    add_driver(context, &def, &op);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    while (op == NULL)
        turn(context);
    assert_int_equal(up.times, 0);
    assert_int_equal(muster_holds(context) & MUSTER_HOLDS_OPS, MUSTER_HOLDS_OPS);
    assert_int_equal(muster_post(context, finish_posted, op), 0);
    wait_for(context, &up);
    assert_int_equal(up.code, 0);
    take_down(context);
}

static void *finish_elsewhere(void *op)
{
    if (muster_op_extend(op, 60000) != 0 || muster_op_extend(op, 30000) != 0 || muster_op_cancelled(op) != 0)
        return op;
    return muster_op_finish(op, MUSTER_OK) == 0 ? NULL : op;
}

struct elsewhere {
    pthread_t thread;
};

static int begin_elsewhere(struct muster_op *op)
{
    struct elsewhere *elsewhere = muster_op_driver_data(op);
    assert_int_equal(pthread_create(&elsewhere->thread, NULL, finish_elsewhere, op), 0);
    return MUSTER_PENDING;
}

static void completes_from_another_thread(void **state)
{
    struct elsewhere elsewhere[20];
    char names[20][2] = {{0}};
    struct muster *context = new_context(NULL);
    (void)state;
    for (int i = 0; i < 20; i++) {
        names[i][0] = (char)('a' + i);
        struct muster_driver_def def = driver_named(names[i], begin_elsewhere);
        add_driver(context, &def, &elsewhere[i]);
    }
    assert_int_equal(bring_up(context), 0);
    for (int i = 0; i < 20; i++) {
        void *failed = NULL;
        pthread_join(elsewhere[i].thread, &failed);
        assert_null(failed);
    }
    take_down(context);
}

struct threaded {
    pthread_t loop;
    int outcome;
    bool on_another;
};

static int on_a_worker(struct muster_op *op)
{
    struct threaded *threaded = muster_op_driver_data(op);
    threaded->on_another = !pthread_equal(threaded->loop, pthread_self());
    return threaded->outcome;
}

static void threaded_callbacks_run_elsewhere(void **state)
{
    struct threaded works = {.loop = pthread_self(), .outcome = MUSTER_OK};
    struct threaded fails = {.loop = pthread_self(), .outcome = -EIO};
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("works", on_a_worker);
    (void)state;
    def.threaded = MUSTER_THREADED(INITIALIZE);
    struct muster_driver *working = add_driver(context, &def, &works);
    def.name = "fails";
    struct muster_driver *failing = add_driver(context, &def, &fails);
    assert_int_equal(bring_up(context), 0);
    assert_true(works.on_another && fails.on_another);
    assert_int_equal(muster_driver_state(working), MUSTER_DRIVER_UP);
    assert_int_equal(muster_driver_state(failing), MUSTER_DRIVER_FAILED);
    assert_int_equal(muster_error_code(muster_driver_get_error(failing)), -EIO);
    take_down(context);
}

static int fail_with_a_message(struct muster_op *op)
{
    return muster_op_fail(op, -ENODEV, "no such device: %s", "sda");
}

static void a_failure_has_its_message_and_errno(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", fail_with_a_message);
    (void)state;
    struct muster_driver *driver = add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    const struct muster_error *error = muster_driver_get_error(driver);
    assert_int_equal(muster_error_code(error), -ENODEV);
    assert_int_equal(muster_error_errno(error), ENODEV);
    assert_non_null(strstr(muster_error_text(error), "no such device: sda"));
    take_down(context);
}

static int return_nonsense(struct muster_op *op)
{
    (void)op;
    return 4711;
}

static void an_outcome_that_is_none_fails(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", return_nonsense);
    (void)state;
    struct muster_driver *driver = add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_driver_state(driver), MUSTER_DRIVER_FAILED);
    assert_non_null(strstr(muster_error_text(muster_driver_get_error(driver)), "4711"));
    take_down(context);
}

struct twice {
    struct muster_op *op;
    int seen;
};

static void count_twice(struct muster *context, void *data, const struct muster_observation *observation)
{
    (void)context;
    if (observation->type == MUSTER_OBSERVE_OP_TWICE)
        ((struct twice *)data)->seen++;
}

static int finish_and_return(struct muster_op *op)
{
    ((struct twice *)muster_op_driver_data(op))->op = op;
    assert_int_equal(muster_op_finish(op, MUSTER_OK), 0);
    assert_int_equal(muster_op_extend(op, 5), MUSTER_EINVAL);
    assert_int_equal(muster_op_set_handle(op, "late"), MUSTER_EINVAL);
    return -EIO;
}

static void a_second_completion_changes_nothing_and_is_reported(void **state)
{
    struct twice twice = {0};
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", finish_and_return);
    (void)state;
    assert_int_equal(muster_observe(context, count_twice, &twice), 0);
    struct muster_driver *driver = add_driver(context, &def, &twice);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(twice.seen, 1);
    assert_int_equal(muster_driver_state(driver), MUSTER_DRIVER_UP);

    assert_int_equal(muster_op_finish(twice.op, MUSTER_OK), MUSTER_EINVAL);
    turn(context);
    assert_int_equal(twice.seen, 2);
    assert_int_equal(muster_driver_state(driver), MUSTER_DRIVER_UP);
    take_down(context);
}

/* More than are kept so that a second finish is caught. */
#define MANY 300

struct reused {
    struct muster_op *probes[MANY];
    int probed;
    bool another;
    int starts;
    sem_t begun;
    sem_t open;
};

static int add_many(struct muster_op *op)
{
    for (int i = 0; i < MANY; i++) {
        char name[16];
        struct muster_resource_def def;
        MUSTER_RESOURCE_DEF_INIT(&def);
        snprintf(name, sizeof(name), "r%d", i);
        def.name = name;
        assert_int_equal(muster_op_add_resource(op, &def), 0);
    }
    return MUSTER_OK;
}

static int note_probe(struct muster_op *op)
{
    struct reused *reused = muster_op_driver_data(op);
    reused->another = reused->another || strcmp(muster_op_resource_name(op), "another") == 0;
    if (reused->probed < MANY) /* (A start that has to wait is probed again.) */
        reused->probes[reused->probed++] = op;
    return MUSTER_INACTIVE;
}

/* On the only worker. */
static int start_through_the_gate(struct muster_op *op)
{
    struct reused *reused = muster_op_driver_data(op);
    sem_post(&reused->begun);
    if (reused->starts++ == 0)
        sem_wait(&reused->open);
    return MUSTER_OK;
}

static struct muster_op *probe_that_is_now_the_start_of(const struct reused *reused, const char *name)
{
    for (int i = 0; i < MANY; i++) {
        struct muster_op *op = reused->probes[i];
        const char *of = muster_op_resource_name(op);
        if (muster_op_phase(op) == MUSTER_PHASE_START && of != NULL && strcmp(of, name) == 0)
            return op;
    }
    return NULL;
}

/* The op was a probe, has been used again, and no worker has taken it: it is in a queue already. */
static void a_second_completion_of_an_op_that_waits_for_a_worker_changes_nothing(void **state)
{
    static struct reused reused;
    struct twice twice = {0};
    struct ending ends[3] = {{0}};
    struct muster_options options;
    struct muster *context = NULL;
    struct muster_driver_def def = driver_named("a", add_many);
    struct muster_resource_def another;
    (void)state;
    sem_init(&reused.begun, 0, 0);
    sem_init(&reused.open, 0, 0);
    MUSTER_OPTIONS_INIT(&options);
    options.max_workers = 1;
    assert_int_equal(muster_new(&options, &context), 0);
    def.probe = note_probe;
    def.start = def.stop = start_through_the_gate;
    def.threaded = MUSTER_THREADED(START);
    struct muster_driver *driver = add_driver(context, &def, &reused);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(reused.probed, MANY);
    assert_int_equal(muster_observe(context, count_twice, &twice), 0);
    assert_int_equal(muster_resource_start(muster_resource_find(context, "a/r0"), NULL, note_ending, &ends[0]), 0);
    turn(context);
    sem_wait(&reused.begun);
    MUSTER_RESOURCE_DEF_INIT(&another);
    another.name = "another";
    assert_int_equal(muster_resource_add(driver, &another, NULL), 0);
    while (!reused.another)
        turn(context);
    assert_int_equal(muster_resource_start(muster_resource_find(context, "a/r1"), NULL, note_ending, &ends[1]), 0);
    assert_int_equal(muster_resource_start(muster_resource_find(context, "a/r2"), NULL, note_ending, &ends[2]), 0);
    while ((twice.op = probe_that_is_now_the_start_of(&reused, "r1")) == NULL)
        turn(context);
    assert_int_equal(muster_op_finish(twice.op, MUSTER_OK), MUSTER_EINVAL);
    turn(context);
    assert_int_equal(twice.seen, 1);
    sem_post(&reused.open);
    for (int i = 0; i < 3; i++) {
        wait_for(context, &ends[i]);
        assert_int_equal(ends[i].code, 0);
    }
    assert_int_equal(reused.starts, 3);
    take_down(context);
}

struct race {
    pthread_barrier_t barrier;
    struct muster_op *op;
};

static void *finish_in_a_race(void *data)
{
    struct race *race = data;
    pthread_barrier_wait(&race->barrier);
    return muster_op_finish(race->op, MUSTER_OK) == 0 ? race : NULL;
}

static void of_racing_completions_one_counts(void **state)
{
    struct race race = {0};
    pthread_t threads[4];
    int won = 0;
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", keep_op);
    struct ending up = {0};
    (void)state;
    pthread_barrier_init(&race.barrier, NULL, 4);
    add_driver(context, &def, &race.op);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    while (race.op == NULL)
        turn(context);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, finish_in_a_race, &race);
    wait_for(context, &up);
    for (int i = 0; i < 4; i++) {
        void *winner = NULL;
        pthread_join(threads[i], &winner);
        won += winner != NULL;
    }
    assert_int_equal(won, 1);
    take_down(context);
    pthread_barrier_destroy(&race.barrier);
}

static void note_timeout(struct muster *context, void *data, const struct muster_observation *seen)
{
    (void)context;
    *(unsigned *)data += seen->type == MUSTER_OBSERVE_OP_TIMEOUT;
}

/* Its deadline has passed meanwhile, and other news that moves the clock on come behind it. */
static void what_ended_before_its_deadline_was_seen_is_in_time(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def first = driver_named("a", keep_op);
    struct muster_driver_def second = driver_named("b", keep_op);
    struct muster_op *ops[2] = {NULL, NULL};
    struct ending up = {0};
    unsigned timeouts = 0;
    (void)state;
    first.op_timeout_ms = 20;
    add_driver(context, &first, &ops[0]);
    add_driver(context, &second, &ops[1]);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    assert_int_equal(muster_process(context), 0);
    assert_int_equal(muster_observe(context, note_timeout, &timeouts), 0);
    while (muster_timeout(context) != 0)
        sched_yield();
    assert_int_equal(muster_op_finish(ops[0], MUSTER_OK), 0);
    assert_int_equal(muster_op_extend(ops[1], 60000), 0);
    assert_int_equal(muster_process(context), 0);
    assert_int_equal(timeouts, 0);
    assert_int_equal(muster_op_finish(ops[1], MUSTER_OK), 0);
    wait_for(context, &up);
    assert_int_equal(up.code, 0);
    take_down(context);
}

/* The news of one, and what the host asks meanwhile, let no time pass for the others. */
static void what_ended_is_in_time_whatever_comes_before_it(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def defs[] = {driver_named("a", keep_op), driver_named("b", keep_op)};
    struct muster_op *ops[2] = {NULL, NULL};
    struct ending up = {0};
    unsigned timeouts = 0;
    (void)state;
    for (int i = 0; i < 2; i++) {
        defs[i].op_timeout_ms = 20;
        add_driver(context, &defs[i], &ops[i]);
    }
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    assert_int_equal(muster_process(context), 0);
    assert_int_equal(muster_observe(context, note_timeout, &timeouts), 0);
    while (muster_timeout(context) != 0)
        sched_yield();
    assert_int_equal(muster_op_finish(ops[0], MUSTER_OK), 0);
    assert_int_equal(muster_op_finish(ops[1], MUSTER_OK), 0);
    assert_int_equal(muster_check(context), 0);
    wait_for(context, &up);
    assert_int_equal(timeouts, 0);
    assert_int_equal(up.code, 0);
    take_down(context);
}

static int released;

static void count_release(void *data)
{
    (void)data;
    released++;
}

static int add_badly(struct muster_op *op)
{
    struct muster_resource_def def;
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.release = count_release;
    assert_int_equal(muster_op_add_resource(op, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_op_add_resource(op, &def), MUSTER_EINVAL);
    assert_int_equal(released, 1);
    def.name = "r";
    assert_int_equal(muster_op_add_resource(op, &def), 0);
    assert_int_equal(muster_op_add_resource(op, &def), MUSTER_EEXIST);
    assert_int_equal(released, 2);
    def.name = "s";
    assert_int_equal(muster_op_add_resource(op, &def), 0);
    return MUSTER_OK;
}

static void a_resource_that_is_not_added_is_released(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", add_badly);
    (void)state;
    released = 0;
    add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    assert_non_null(muster_resource_find(context, "a/r"));
    assert_non_null(muster_resource_find(context, "a/s"));
    assert_int_equal(released, 2);
    take_down(context);
    assert_int_equal(released, 4);
}

static int add_one_that_needs_no_path(struct muster_op *op)
{
    struct muster_resource_def def;
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.name = "s1";
    def.needs = (const char *[]){"pool0", NULL};
    int code = muster_op_add_resource(op, &def);
    return muster_op_driver_data(op) == NULL ? code : *(int *)muster_op_driver_data(op);
}

/* The driver has passed on the code alone. If it ends otherwise, that isn't why. */
static void what_is_wrong_with_a_definition_is_in_the_error_of_the_op(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("share", add_one_that_needs_no_path);
    int fine = MUSTER_OK, other = -EIO;
    (void)state;
    struct muster_driver *share = add_driver(context, &def, NULL);
    def.name = "without";
    struct muster_driver *without = add_driver(context, &def, &fine);
    def.name = "broken";
    struct muster_driver *broken = add_driver(context, &def, &other);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_error_code(muster_driver_get_error(share)), MUSTER_EINVAL);
    assert_string_equal(muster_error_text(muster_driver_get_error(share)),
                        "driver 'share': initialize: the definition of resource 's1': 'pool0' is no name: it takes driver/name");
    assert_int_equal(muster_driver_state(without), MUSTER_DRIVER_UP);
    assert_string_equal(muster_error_text(muster_driver_get_error(broken)), "driver 'broken': initialize: Input/output error");
    take_down(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_in_its_callback),
        cmocka_unit_test(may_be_finished_inside_its_callback),
        cmocka_unit_test(completes_later_on_the_loop_thread),
        cmocka_unit_test(completes_from_another_thread),
        cmocka_unit_test(threaded_callbacks_run_elsewhere),
        cmocka_unit_test(a_failure_has_its_message_and_errno),
        cmocka_unit_test(an_outcome_that_is_none_fails),
        cmocka_unit_test(a_second_completion_changes_nothing_and_is_reported),
        cmocka_unit_test(a_second_completion_of_an_op_that_waits_for_a_worker_changes_nothing),
        cmocka_unit_test(of_racing_completions_one_counts),
        cmocka_unit_test(what_ended_before_its_deadline_was_seen_is_in_time),
        cmocka_unit_test(what_ended_is_in_time_whatever_comes_before_it),
        cmocka_unit_test(a_resource_that_is_not_added_is_released),
        cmocka_unit_test(what_is_wrong_with_a_definition_is_in_the_error_of_the_op),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

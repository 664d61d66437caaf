/* SPDX-License-Identifier: MIT */
/* The end of a context: freed, refused, abandoned; and what a child after fork may do. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

static int released;

static void count_release(void *data)
{
    (void)data;
    released++;
}

static int keep_op(struct muster_op *op)
{
    *(struct muster_op **)muster_op_driver_data(op) = op;
    return MUSTER_PENDING;
}

/* A context whose driver "slow" has its initialize out. */
static struct muster *with_an_op_out(struct muster_op **ret_op, struct ending *up)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("slow", keep_op);
    *ret_op = NULL;
    add_driver(context, &def, ret_op);
    assert_int_equal(muster_bring_up(context, note_ending, up), 0);
    while (*ret_op == NULL)
        turn(context);
    return context;
}

static void is_freed_in_any_state_without_ops(void **state)
{
    struct ending up = {0};
    struct muster_resource_def resource;
    struct muster_driver_def def = driver_named("a", add_the_resource);
    (void)state;
    MUSTER_RESOURCE_DEF_INIT(&resource);
    resource.name = "r";
    resource.release = count_release;
    released = 0;

    assert_int_equal(muster_free(new_context(NULL)), 0);

    struct muster *context = new_context(NULL);
    add_driver(context, &def, &resource);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    assert_int_equal(muster_free(context), 0);
    assert_int_equal(up.times, 0);

    context = new_context(NULL);
    add_driver(context, &def, &resource);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_free(context), 0);
    assert_int_equal(released, 1);
}

static void free_with_ops_out_names_them_and_frees_nothing(void **state)
{
    struct muster_op *op;
    struct ending up = {0};
    struct muster *context = with_an_op_out(&op, &up);
    (void)state;
    assert_int_equal(muster_free(context), MUSTER_EBUSY);
    assert_int_equal(muster_error_code(muster_get_error(context)), MUSTER_EBUSY);
    assert_non_null(strstr(muster_error_text(muster_get_error(context)), "'slow'"));
    assert_int_equal(muster_op_finish(op, MUSTER_OK), 0);
    wait_for(context, &up);
    assert_int_equal(muster_free(context), 0);
}

/* The loop thread hasn't heard of the finish, and frees all the same. */
static void free_takes_what_has_finished_meanwhile(void **state)
{
    struct muster_op *op;
    struct ending up = {0};
    struct muster *context = with_an_op_out(&op, &up);
    (void)state;
    assert_int_equal(muster_op_finish(op, MUSTER_OK), 0);
    assert_int_equal(muster_free(context), 0);
    assert_int_equal(up.times, 0);
}

static void *finish_late(void *op)
{
    return muster_op_finish(op, MUSTER_OK) == 0 ? NULL : op;
}

static void the_last_op_frees_an_abandoned_context(void **state)
{
    struct muster_op *op;
    struct ending up = {0};
    struct muster *context = with_an_op_out(&op, &up);
    pthread_t thread;
    void *failed = NULL;
    (void)state;
    assert_int_equal(muster_abandon(context), 0);
    assert_int_equal(muster_op_cancelled(op) < 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, finish_late, op), 0);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(up.times, 0);
}

static void abandoned_without_ops_is_freed_at_once(void **state)
{
    struct muster_resource_def resource;
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", add_the_resource);
    (void)state;
    MUSTER_RESOURCE_DEF_INIT(&resource);
    resource.name = "r";
    resource.release = count_release;
    released = 0;
    add_driver(context, &def, &resource);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_abandon(context), 0);
    assert_int_equal(released, 1);
}

struct adding {
    struct muster_resource_def resource;
    struct muster_op *op;
};

static int add_and_keep_op(struct muster_op *op)
{
    struct adding *adding = muster_op_driver_data(op);
    adding->op = op;
    assert_int_equal(muster_op_add_resource(op, &adding->resource), 0);
    return MUSTER_PENDING;
}

/* Its resource is added if it succeeds; then and otherwise its data is released, once. */
static void an_op_that_ends_after_the_abandon_releases_what_it_added(void **state)
{
    static const int outcomes[] = {MUSTER_OK, MUSTER_EFAILED};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct adding adding = {.op = NULL};
        struct muster *context = new_context(NULL);
        struct muster_driver_def def = driver_named("a", add_and_keep_op);
        MUSTER_RESOURCE_DEF_INIT(&adding.resource);
        adding.resource.name = "r";
        adding.resource.release = count_release;
        released = 0;
        add_driver(context, &def, &adding);
        assert_int_equal(muster_bring_up(context, NULL, NULL), 0);
        while (adding.op == NULL)
            turn(context);
        assert_int_equal(muster_abandon(context), 0);
        assert_int_equal(released, 0);
        assert_int_equal(muster_op_finish(adding.op, outcomes[i]), 0);
        assert_int_equal(released, 1);
    }
}

/* muster_process() had no time to. */
static void what_was_removed_before_the_end_is_released(void **state)
{
    static int (*const ends[])(struct muster *context) = {muster_free, muster_abandon};
    struct muster_resource_def resource;
    struct muster_driver_def def = driver_named("a", add_the_resource);
    (void)state;
    MUSTER_RESOURCE_DEF_INIT(&resource);
    resource.name = "r";
    resource.release = count_release;
    for (int i = 0; i < 2; i++) {
        struct muster *context = new_context(NULL);
        released = 0;
        add_driver(context, &def, &resource);
        assert_int_equal(bring_up(context), 0);
        assert_int_equal(muster_resource_remove(muster_resource_find(context, "a/r")), 0);
        assert_int_equal(ends[i](context), 0);
        assert_int_equal(released, 1);
    }
}

struct stuck {
    sem_t begun;
    sem_t go_on;
    sem_t ended;
};

static int wait_on_a_worker(struct muster_op *op)
{
    struct stuck *stuck = muster_op_driver_data(op);
    sem_post(&stuck->begun);
    sem_wait(&stuck->go_on);
    sem_post(&stuck->ended);
    return MUSTER_OK;
}

/* Several are on workers, one waits for a worker: it is never called. */
static void abandoned_while_workers_are_in_callbacks(void **state)
{
    struct stuck stuck;
    struct muster_options options;
    struct muster *context = NULL;
    char names[3][2] = {"a", "b", "c"};
    (void)state;
    sem_init(&stuck.begun, 0, 0);
    sem_init(&stuck.go_on, 0, 0);
    sem_init(&stuck.ended, 0, 0);
    MUSTER_OPTIONS_INIT(&options);
    options.max_workers = 2;
    assert_int_equal(muster_new(&options, &context), 0);
    for (int i = 0; i < 3; i++) {
        struct muster_driver_def def = driver_named(names[i], wait_on_a_worker);
        def.threaded = MUSTER_THREADED(INITIALIZE);
        add_driver(context, &def, &stuck);
    }
    assert_int_equal(muster_bring_up(context, NULL, NULL), 0);
    turn(context);
    sem_wait(&stuck.begun);
    sem_wait(&stuck.begun);
    assert_int_equal(muster_free(context), MUSTER_EBUSY);
    assert_int_equal(muster_abandon(context), 0);
    sem_post(&stuck.go_on);
    sem_post(&stuck.go_on);
    sem_wait(&stuck.ended);
    sem_wait(&stuck.ended);
    assert_int_equal(sem_trywait(&stuck.begun), -1);
}

static int child_result(struct muster *context, struct muster_op *op, struct muster_driver *driver, int fd)
{
    if (muster_process(context) != MUSTER_ECHILD || muster_run(context) != MUSTER_ECHILD)
        return 1;
    if (muster_free(context) != MUSTER_ECHILD || muster_abandon(context) != MUSTER_ECHILD)
        return 2;
    if (muster_fd(context) != MUSTER_ECHILD || muster_timeout(context) != MUSTER_ECHILD)
        return 3;
    if (muster_op_finish(op, 0) != MUSTER_ECHILD || muster_op_fail(op, -1, "x") != MUSTER_ECHILD)
        return 4;
    if (muster_post(context, NULL, NULL) != MUSTER_ECHILD || muster_driver_retry(driver) != MUSTER_ECHILD)
        return 5;
    if (muster_driver_find(context, "slow") != NULL || muster_get_error(context) != NULL)
        return 6;
    muster_request_shutdown(context, MUSTER_DAEMON_RESTART);
    if (muster_after_fork(context) != 0 || fcntl(fd, F_GETFD) != -1)
        return 7;
    return muster_process(context) == MUSTER_ECHILD ? 0 : 8;
}

static void a_child_after_fork_is_refused_and_closes_its_files(void **state)
{
    struct muster_op *op;
    struct ending up = {0};
    int status = 0;
    struct muster *context = with_an_op_out(&op, &up);
    struct muster_driver *driver = muster_driver_find(context, "slow");
    int fd = muster_fd(context);
    (void)state;
    assert_int_equal(muster_after_fork(context), MUSTER_ESTATE);
    pid_t child = fork();
    if (child == 0)
        _exit(child_result(context, op, driver, fd));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(muster_op_finish(op, MUSTER_OK), 0);
    wait_for(context, &up);
    take_down(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_freed_in_any_state_without_ops),
        cmocka_unit_test(free_with_ops_out_names_them_and_frees_nothing),
        cmocka_unit_test(free_takes_what_has_finished_meanwhile),
        cmocka_unit_test(the_last_op_frees_an_abandoned_context),
        cmocka_unit_test(abandoned_without_ops_is_freed_at_once),
        cmocka_unit_test(an_op_that_ends_after_the_abandon_releases_what_it_added),
        cmocka_unit_test(what_was_removed_before_the_end_is_released),
        cmocka_unit_test(abandoned_while_workers_are_in_callbacks),
        cmocka_unit_test(a_child_after_fork_is_refused_and_closes_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

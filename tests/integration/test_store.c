/* SPDX-License-Identifier: MIT */
/* The store's worker: records survive a restart, a store that fails or hangs harms nobody. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

/* ---- a store that does as it is told ------------------------------------------------------------- */

struct told {
    int open_code;
    int load_code;
    int commit_code;
    bool hang_commit;
    sem_t hanging;
    sem_t go_on;
    sem_t destroyed;
    int commits;
    int closes;
    int forks;
};

static int told_open(void *self, struct muster_error *error)
{
    struct told *told = self;
    return told->open_code == 0 ? 0 : muster_error_set(error, told->open_code, EIO, "told to fail");
}

static int told_load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct told *told = self;
    (void)cb;
    (void)data;
    return told->load_code == 0 ? 0 : muster_error_set(error, told->load_code, EIO, "told to fail");
}

static int told_commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct told *told = self;
    told->commits++;
    if (told->hang_commit) {
        sem_post(&told->hanging);
        sem_wait(&told->go_on);
    }
    for (size_t i = 0; i < count; i++)
        if (records[i]->driver == NULL || records[i]->name == NULL)
            return MUSTER_EINVAL;
    return told->commit_code == 0 ? 0 : muster_error_set(error, told->commit_code, ENOSPC, "told to fail");
}

static int told_close(void *self, struct muster_error *error)
{
    (void)error;
    ((struct told *)self)->closes++;
    return 0;
}

static void told_destroy(void *self)
{
    sem_post(&((struct told *)self)->destroyed);
}

static void told_after_fork(void *self)
{
    ((struct told *)self)->forks++;
}

static struct muster_store *told_store(struct told *told)
{
    const struct muster_store_ops ops = {
        .size = sizeof(ops),
        .name = "told",
        .destroy = told_destroy,
        .open = told_open,
        .load = told_load,
        .commit = told_commit,
        .close = told_close,
        .after_fork = told_after_fork,
    };
    struct muster_store *store = NULL;
    sem_init(&told->hanging, 0, 0);
    sem_init(&told->go_on, 0, 0);
    sem_init(&told->destroyed, 0, 0);
    assert_int_equal(muster_store_new(&ops, told, &store), 0);
    return store;
}

/* ---- a driver with one resource ---------------------------------------------------------------- */

struct counted {
    struct muster_resource_def resource;
    int starts;
    enum muster_cause cause;
};

static int add_counted(struct muster_op *op)
{
    return muster_op_add_resource(op, &((struct counted *)muster_op_driver_data(op))->resource);
}

static int count_start(struct muster_op *op)
{
    struct counted *counted = muster_op_driver_data(op);
    counted->starts++;
    counted->cause = muster_op_cause(op);
    return muster_op_set_handle(op, "socket");
}

static void add_storage(struct muster *context, struct counted *counted)
{
    struct muster_driver_def def = driver_named("storage", add_counted);
    MUSTER_RESOURCE_DEF_INIT(&counted->resource);
    counted->resource.name = "pool0";
    counted->resource.flags = MUSTER_VOLATILE;
    def.start = count_start;
    def.stop = nothing_to_do;
    add_driver(context, &def, counted);
}

static int start_pool(struct muster *context)
{
    struct ending started = {0};
    struct muster_resource *pool = muster_resource_find(context, "storage/pool0");
    assert_non_null(pool);
    assert_int_equal(muster_resource_start(pool, NULL, note_ending, &started), 0);
    assert_int_equal(started.times, 0);
    wait_for(context, &started);
    return started.code;
}

static struct muster_store *journal(const char *directory)
{
    struct muster_store *store = NULL;
    assert_int_equal(muster_store_journal_new(directory, NULL, &store), 0);
    return store;
}

static bool have_journal(void)
{
    struct muster_store *store = NULL;
    bool have = muster_store_journal_new("/nowhere", NULL, &store) != MUSTER_ENOTSUP;
    muster_store_free(store);
    return have;
}

static void remove_directory(const char *directory)
{
    char command[256];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
}

static void what_was_active_is_active_after_a_restart(void **state)
{
    char directory[] = "/tmp/muster-test-XXXXXX";
    struct counted first = {0};
    struct counted second = {0};
    struct counted third = {0};
    struct ending stopped = {0};
    (void)state;
    assert_non_null(mkdtemp(directory));
    struct muster *context = new_context(journal(directory));
    add_storage(context, &first);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(first.starts, 0);
    assert_int_equal(start_pool(context), 0);
    take_down(context);

    context = new_context(journal(directory));
    add_storage(context, &second);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(second.starts, 1);
    assert_int_equal(second.cause, MUSTER_CAUSE_RESTORE);
    assert_int_equal(stage_of(context, "storage/pool0"), MUSTER_STAGE_ACTIVE);
    struct muster_resource *pool = muster_resource_find(context, "storage/pool0");
    assert_string_equal(muster_resource_handle(pool), "socket");
    assert_int_equal(muster_resource_stop(pool, NULL, note_ending, &stopped), 0);
    wait_for(context, &stopped);
    assert_int_equal(stopped.code, 0);
    take_down(context);

    context = new_context(journal(directory));
    add_storage(context, &third);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(third.starts, 0);
    assert_int_equal(stage_of(context, "storage/pool0"), MUSTER_STAGE_INACTIVE);
    take_down(context);
    remove_directory(directory);
}

static void a_second_daemon_is_refused_until_the_first_is_gone(void **state)
{
    char directory[] = "/tmp/muster-test-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(directory));
    struct muster *first = new_context(journal(directory));
    assert_int_equal(bring_up(first), 0);
    struct muster *second = new_context(journal(directory));
    assert_int_equal(bring_up(second), MUSTER_EBUSY);
    assert_int_equal(muster_free(second), 0);
    assert_int_equal(muster_free(first), 0);
    struct muster *third = new_context(journal(directory));
    assert_int_equal(bring_up(third), 0);
    assert_int_equal(muster_abandon(third), 0);
    struct muster *fourth = new_context(journal(directory));
    assert_int_equal(bring_up(fourth), 0);
    take_down(fourth);
    remove_directory(directory);
}

/* A daemon with a child that lives until `stop` is closed. Each tells `ready` how it is; both die without closing anything. */
static void be_daemon_and_child(const char *directory, int ready, int stop)
{
    struct muster *context = new_context(journal(directory));
    char byte = bring_up(context) == 0 ? 'y' : 'n';
    bool is_child = fork() == 0;
    if (is_child && muster_after_fork(context) != 0)
        byte = 'n';
    if (write(ready, &byte, 1) == 1 && is_child && read(stop, &byte, 1) != 0)
        abort();
    raise(SIGKILL);
}

static void a_child_that_lives_on_does_not_keep_the_lock(void **state)
{
    char directory[] = "/tmp/muster-test-XXXXXX";
    int ready[2];
    int stop[2];
    char bytes[2] = {0};
    int status = 0;
    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
    pid_t daemon = fork();
    if (daemon == 0) {
        close(stop[1]);
        be_daemon_and_child(directory, ready[1], stop[0]);
    }
    assert_int_equal(waitpid(daemon, &status, 0), daemon);
    assert_int_equal(read(ready[0], &bytes[0], 1), 1);
    assert_int_equal(read(ready[0], &bytes[1], 1), 1);
    assert_memory_equal(bytes, "yy", 2);
    struct muster *context = new_context(journal(directory));
    assert_int_equal(bring_up(context), 0);
    take_down(context);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(stop[i]);
    }
    remove_directory(directory);
}

static void after_fork_does_not_give_the_lock_away(void **state)
{
    char directory[] = "/tmp/muster-test-XXXXXX";
    int status = 0;
    (void)state;
    assert_non_null(mkdtemp(directory));
    struct muster *context = new_context(journal(directory));
    assert_int_equal(bring_up(context), 0);
    pid_t child = fork();
    if (child == 0)
        raise(muster_after_fork(context) == 0 ? SIGKILL : SIGABRT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct muster *other = new_context(journal(directory));
    assert_int_equal(bring_up(other), MUSTER_EBUSY);
    assert_int_equal(muster_free(other), 0);
    take_down(context);
    remove_directory(directory);
}

/* An allocator that holds the store's thread up in the midst of a commit. */
struct halting {
    pthread_t loop;
    atomic_bool armed;
    atomic_int calls;
    sem_t halted;
    sem_t go_on;
};

static void halt(struct halting *halting)
{
    halting->calls++;
    if (!pthread_equal(pthread_self(), halting->loop) && atomic_exchange(&halting->armed, false)) {
        sem_post(&halting->halted);
        sem_wait(&halting->go_on);
    }
}

static void *halting_alloc(void *data, size_t bytes)
{
    halt(data);
    return malloc(bytes);
}

static void *halting_realloc(void *data, void *old, size_t bytes)
{
    halt(data);
    return realloc(old, bytes);
}

static void halting_free(void *data, void *old)
{
    halt(data);
    free(old);
}

static int files_open_in(const char *directory)
{
    int count = 0;
    char link[64];
    char path[256];
    for (int fd = 0; fd < 256; fd++) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, path, sizeof(path));
        count += length >= (ssize_t)strlen(directory) && memcmp(path, directory, strlen(directory)) == 0;
    }
    return count;
}

/* As another program: whoever looks for leaks would find what the child leaves to its parent. */
static void end_child(bool well)
{
    execl(well ? "/bin/true" : "/bin/false", "child", NULL);
    _exit(127);
}

/* The store is owned by nobody in the child: what the thread had half changed isn't walked, freed or closed. */
static int leave_to_the_parent(struct muster *context, struct halting *halting, const char *directory)
{
    int calls = halting->calls;
    if (muster_after_fork(context) != 0)
        return 1;
    if (halting->calls != calls)
        return 2;
    return directory == NULL || files_open_in(directory) == 0 ? 0 : 3;
}

static void fork_in_a_commit(struct halting *halting, struct muster_store *store, const char *directory)
{
    struct counted counted = {0};
    struct ending started = {0};
    int status = 0;
    struct muster *context = new_context(store);
    add_storage(context, &counted);
    assert_int_equal(bring_up(context), 0);
    halting->armed = true;
    assert_int_equal(muster_resource_start(muster_resource_find(context, "storage/pool0"), NULL, note_ending, &started), 0);
    turn(context);
    sem_wait(&halting->halted);
    pid_t child = fork();
    if (child == 0)
        end_child(leave_to_the_parent(context, halting, directory) == 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    sem_post(&halting->go_on);
    wait_for(context, &started);
    take_down(context);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_child_of_a_fork_in_a_commit_frees_nothing(void **state)
{
    char directory[] = "/tmp/muster-test-XXXXXX";
    struct halting halting = {.loop = pthread_self()};
    struct muster_allocator allocator = {sizeof(allocator), &halting, halting_alloc, halting_realloc, halting_free};
    struct muster_journal_options options;
    struct muster_store *store = NULL;
    (void)state;
    sem_init(&halting.halted, 0, 0);
    sem_init(&halting.go_on, 0, 0);
    assert_int_equal(muster_store_memory_new(&allocator, &store), 0);
    fork_in_a_commit(&halting, store, NULL);
    if (!have_journal())
        return;
    assert_non_null(mkdtemp(directory));
    MUSTER_JOURNAL_OPTIONS_INIT(&options);
    options.allocator = &allocator;
    assert_int_equal(muster_store_journal_new(directory, &options, &store), 0);
    fork_in_a_commit(&halting, store, directory);
    remove_directory(directory);
}

/* One's own store is told, and is destroyed by the parent alone. */
static void a_child_after_fork_does_not_destroy_the_store(void **state)
{
    struct told told = {0};
    int status = 0;
    struct muster *context = new_context(told_store(&told));
    (void)state;
    assert_int_equal(bring_up(context), 0);
    pid_t child = fork();
    if (child == 0)
        end_child(muster_after_fork(context) == 0 && told.forks == 1 && sem_trywait(&told.destroyed) != 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(told.forks, 0);
    take_down(context);
    sem_wait(&told.destroyed);
}

static void a_start_is_refused_while_its_intent_cannot_be_written(void **state)
{
    struct told told = {0};
    struct counted counted = {0};
    struct muster *context = new_context(told_store(&told));
    (void)state;
    add_storage(context, &counted);
    assert_int_equal(bring_up(context), 0);
    told.commit_code = MUSTER_EIO;
    assert_int_equal(start_pool(context), MUSTER_EIO);
    assert_int_equal(counted.starts, 0);
    told.commit_code = 0;
    assert_int_equal(start_pool(context), 0);
    assert_int_equal(counted.starts, 1);
    take_down(context);
    assert_int_equal(told.closes, 1);
    assert_int_equal(sem_trywait(&told.destroyed), 0);
}

static void a_store_of_another_daemon_fails_the_bring_up(void **state)
{
    struct told told = {.open_code = MUSTER_EBUSY};
    struct counted counted = {0};
    struct muster *context = new_context(told_store(&told));
    (void)state;
    add_storage(context, &counted);
    assert_int_equal(bring_up(context), MUSTER_EBUSY);
    assert_int_equal(told.closes, 0);
    assert_int_equal(muster_free(context), 0);
    assert_int_equal(sem_trywait(&told.destroyed), 0);
}

static void an_unreadable_store_starts_nothing(void **state)
{
    struct told told = {.load_code = MUSTER_EIO};
    struct counted counted = {0};
    struct muster *context = new_context(told_store(&told));
    (void)state;
    struct ending up = {0};
    add_storage(context, &counted);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    wait_for(context, &up);
    assert_int_equal(up.code, 0);
    assert_string_equal(up.text, "store: told: told to fail: Input/output error");
    assert_int_not_equal(start_pool(context), 0);
    assert_int_equal(counted.starts, 0);
    take_down(context);
}

static void a_store_that_is_not_used_is_destroyed(void **state)
{
    struct told told = {0};
    struct muster *context = new_context(told_store(&told));
    (void)state;
    assert_int_equal(muster_free(context), 0);
    assert_int_equal(sem_trywait(&told.destroyed), 0);
    assert_int_equal(told.closes, 0);
}

/* In ms. Open and load are within it. */
#define STORE_TIMEOUT 1000

/* A context that is in a commit that hangs. */
static struct muster *hang(struct told *told, struct counted *counted, uintptr_t timeout_ms)
{
    struct muster_options options;
    struct muster *context = NULL;
    MUSTER_OPTIONS_INIT(&options);
    options.store = told_store(told);
    options.boot_id = "boot-1";
    options.store_timeout_ms = timeout_ms;
    assert_int_equal(muster_new(&options, &context), 0);
    add_storage(context, counted);
    assert_int_equal(bring_up(context), 0);
    told->hang_commit = true;
    assert_int_equal(muster_resource_start(muster_resource_find(context, "storage/pool0"), NULL, NULL, NULL), 0);
    turn(context);
    sem_wait(&told->hanging);
    return context;
}

/* It doesn't wait for longer than the store's deadline; the store's thread does what is left. */
static void free_does_not_hang_with_the_store(void **state)
{
    struct told told = {0};
    struct counted counted = {0};
    struct muster *context = hang(&told, &counted, STORE_TIMEOUT);
    (void)state;
    assert_int_equal(muster_free(context), 0);
    assert_int_equal(sem_trywait(&told.destroyed), -1);
    sem_post(&told.go_on);
    sem_wait(&told.destroyed);
    assert_int_equal(told.closes, 1);
}

static void abandon_does_not_hang_with_the_store(void **state)
{
    struct told told = {0};
    struct counted counted = {0};
    struct muster *context = hang(&told, &counted, STORE_TIMEOUT);
    (void)state;
    assert_int_equal(muster_abandon(context), 0);
    sem_post(&told.go_on);
    sem_wait(&told.destroyed);
    assert_int_equal(told.closes, 1);
}

static void *let_go_on(void *data)
{
    struct told *told = data;
    sem_post(&told->go_on);
    return NULL;
}

static void free_waits_for_a_commit_under_way(void **state)
{
    struct told told = {0};
    struct counted counted = {0};
    struct muster *context = hang(&told, &counted, 0);
    pthread_t thread;
    (void)state;
    told.hang_commit = false;
    assert_int_equal(pthread_create(&thread, NULL, let_go_on, &told), 0);
    assert_int_equal(muster_free(context), 0);
    assert_int_equal(sem_trywait(&told.destroyed), 0);
    assert_int_equal(told.closes, 1);
    pthread_join(thread, NULL);
}

/* Its deadline has passed meanwhile, and the host asks for something else before it looks. */
static void a_commit_that_has_ended_is_in_time(void **state)
{
    struct told told = {0};
    struct counted counted = {0};
    struct muster *context = hang(&told, &counted, STORE_TIMEOUT);
    struct pollfd ended = {.fd = muster_fd(context), .events = POLLIN};
    (void)state;
    told.hang_commit = false;
    sem_post(&told.go_on);
    assert_int_equal(poll(&ended, 1, -1), 1);
    while (muster_timeout(context) != 0)
        sched_yield();
    assert_int_equal(muster_check(context), 0);
    while (stage_of(context, "storage/pool0") == MUSTER_STAGE_STARTING)
        turn(context);
    assert_int_equal(stage_of(context, "storage/pool0"), MUSTER_STAGE_ACTIVE);
    take_down(context);
}

static void a_commit_past_its_deadline_does_not_stop_the_rest(void **state)
{
    struct told told = {0};
    struct counted counted = {0};
    struct ending stopped = {0};
    struct muster *context = hang(&told, &counted, STORE_TIMEOUT);
    (void)state;
    while (stage_of(context, "storage/pool0") != MUSTER_STAGE_INACTIVE)
        turn(context);
    assert_int_equal(counted.starts, 0);
    told.hang_commit = false;
    sem_post(&told.go_on);
    struct muster_resource *pool = muster_resource_find(context, "storage/pool0");
    do { /* until the commit has ended, the store takes nothing */
        stopped = (struct ending){0};
        assert_int_equal(muster_resource_stop(pool, NULL, note_ending, &stopped), 0);
        wait_for(context, &stopped);
    } while (stopped.code == MUSTER_EINDETERMINATE);
    assert_int_equal(stopped.code, 0);
    take_down(context);
}

int main(void)
{
    const struct CMUnitTest journal_tests[] = {
        cmocka_unit_test(what_was_active_is_active_after_a_restart),
        cmocka_unit_test(a_second_daemon_is_refused_until_the_first_is_gone),
        cmocka_unit_test(a_child_that_lives_on_does_not_keep_the_lock),
        cmocka_unit_test(after_fork_does_not_give_the_lock_away),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_is_refused_while_its_intent_cannot_be_written),
        cmocka_unit_test(a_store_of_another_daemon_fails_the_bring_up),
        cmocka_unit_test(an_unreadable_store_starts_nothing),
        cmocka_unit_test(a_store_that_is_not_used_is_destroyed),
        cmocka_unit_test(a_child_of_a_fork_in_a_commit_frees_nothing),
        cmocka_unit_test(a_child_after_fork_does_not_destroy_the_store),
        cmocka_unit_test(free_does_not_hang_with_the_store),
        cmocka_unit_test(abandon_does_not_hang_with_the_store),
        cmocka_unit_test(free_waits_for_a_commit_under_way),
        cmocka_unit_test(a_commit_that_has_ended_is_in_time),
        cmocka_unit_test(a_commit_past_its_deadline_does_not_stop_the_rest),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + (have_journal() ? cmocka_run_group_tests(journal_tests, NULL, NULL) : 0);
}

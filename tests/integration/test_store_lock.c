/* SPDX-License-Identifier: MIT */
/*
 * Who holds a store, told by real processes: a second daemon is refused with the pid of the first, and opens at once when
 * that was killed, unless a child has inherited the lock. A zombie holds nothing, and a pid may be another's by now.
 */
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <muster.h>

struct kind {
    const char *name;
    int (*make)(const char *path, struct muster_store **ret_store);
};

static int make_journal(const char *path, struct muster_store **ret_store)
{
    return muster_store_journal_new(path, NULL, ret_store);
}

static int make_sqlite(const char *path, struct muster_store **ret_store)
{
    return muster_store_sqlite_new(path, NULL, ret_store);
}

static const struct kind kinds[] = {{"journal", make_journal}, {"sqlite", make_sqlite}};

/* ---- the daemon that holds it: this program, with "hold KIND PATH HOW" */

static void *wait_for_the_end(void *ignored)
{
    for (;;)
        pause();
    return ignored;
}

/* As a child that was about to call exec when its parent was killed. */
static void outlive(pid_t parent)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    while (getppid() == parent)
        sched_yield();
    nanosleep(&pause, NULL);
    _exit(0);
}

static int hold(const char *kind, const char *path, const char *how)
{
    struct muster_store *store = NULL;
    pthread_t thread;
    pid_t child = 0;
    pid_t holder = getpid(); /* Its child may run only when it is gone. */
    if (kinds[strcmp(kind, kinds[0].name) != 0].make(path, &store) != 0 || muster_store_open(store, 0) != 0)
        return 1;
    if (strcmp(how, "child") == 0 && (child = fork()) == 0)
        wait_for_the_end(NULL);
    if (strcmp(how, "short child") == 0 && (child = fork()) == 0)
        outlive(holder);
    bool thread_goes_on = strcmp(how, "thread") == 0;
    if (thread_goes_on && pthread_create(&thread, NULL, wait_for_the_end, NULL) != 0)
        return 1;
    if (write(STDOUT_FILENO, &child, sizeof(child)) != sizeof(child))
        return 1;
    close(STDOUT_FILENO);
    if (thread_goes_on)
        pthread_exit(NULL);
    wait_for_the_end(NULL);
    return 0;
}

/* ---- the other one */

struct place {
    const struct kind *kind;
    char top[64];
    char path[80];
    pid_t holder;
    /* Of the holder; 0: it has none. */
    pid_t child;
};

static const char *self;

static void start(struct place *place, const char *how)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    place->holder = fork();
    if (place->holder == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        execl(self, self, "hold", place->kind->name, place->path, how, NULL);
        _exit(127);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &place->child, sizeof(place->child)), sizeof(place->child));
    close(pipes[0]);
}

/* Killed, and gone but for its zombie. */
static void kill_holder(const struct place *place)
{
    siginfo_t info;
    assert_int_equal(kill(place->holder, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)place->holder, &info, WEXITED | WNOWAIT), 0);
}

static void reap(pid_t pid)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void opens(const struct place *place)
{
    struct muster_store *store = NULL;
    assert_int_equal(place->kind->make(place->path, &store), 0);
    if (muster_store_open(store, 0) != 0)
        fail_msg("%s", muster_error_text(muster_store_get_error(store)));
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

static void is_refused(const struct place *place, const char *who, pid_t pid)
{
    struct muster_store *store = NULL;
    char text[64];
    snprintf(text, sizeof(text), "%s process %d", who, (int)pid);
    assert_int_equal(place->kind->make(place->path, &store), 0);
    assert_int_equal(muster_store_open(store, 0), MUSTER_EBUSY);
    const char *found = muster_error_text(muster_store_get_error(store));
    if (strstr(found, text) == NULL || strstr(found, place->path) == NULL)
        fail_msg("'%s' doesn't say '%s'", found, text);
    muster_store_free(store);
}

#define BY_IT "is held by"
#define BY_ITS_CHILD "is still held by a child that inherited it from"

static void a_second_daemon_is_refused_and_opens_when_the_first_is_killed(void **state)
{
    struct place *place = *state;
    start(place, "alone");
    is_refused(place, BY_IT, place->holder);
    kill_holder(place);
    opens(place); /* The zombie is there still. */
    reap(place->holder);
    opens(place);
}

static void a_child_that_inherited_the_lock_holds_it(void **state)
{
    struct place *place = *state;
    start(place, "child");
    is_refused(place, BY_IT, place->holder);
    kill_holder(place);
    is_refused(place, BY_ITS_CHILD, place->holder);
    reap(place->holder);
    is_refused(place, BY_ITS_CHILD, place->holder);
    assert_int_equal(kill(place->child, SIGKILL), 0);
    reap(place->child);
    opens(place);
}

static void a_child_that_lets_go_of_the_lock_is_waited_for(void **state)
{
    struct place *place = *state;
    start(place, "short child");
    is_refused(place, BY_IT, place->holder);
    kill_holder(place);
    opens(place);
    reap(place->holder);
    reap(place->child);
}

/* The kernel calls a process a zombie whose first thread has ended. */
static void a_process_without_its_first_thread_holds_it(void **state)
{
    struct place *place = *state;
    start(place, "thread");
    char path[64], status[1024] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)place->holder);
    while (strstr(status, ") Z ") == NULL) {
        FILE *stream = fopen(path, "r");
        assert_non_null(stream);
        assert_non_null(fgets(status, sizeof(status), stream));
        fclose(stream);
        sched_yield();
    }
    is_refused(place, BY_IT, place->holder);
    kill_holder(place);
    opens(place);
    reap(place->holder);
}

/* A process with a pid of our choice, or -1. */
static pid_t fork_as(pid_t pid)
{
    struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void start_time(pid_t pid, char ret_time[32])
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    assert_int_equal(fscanf(stream, "%*[^)]) %*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s %31s", ret_time), 1);
    fclose(stream);
}

/* A start time is a hundredth of a second: this one began in another. */
static pid_t fork_later_as(pid_t pid, const char *before)
{
    char after[32];
    for (;;) {
        pid_t child = fork_as(pid);
        if (child == 0)
            wait_for_the_end(NULL);
        if (child < 0)
            return child;
        start_time(child, after);
        if (strcmp(before, after) != 0)
            return child;
        kill(child, SIGKILL);
        reap(child);
    }
}

static void a_pid_that_is_used_again_is_another_process(void **state)
{
    struct place *place = *state;
    char began[32];
    start(place, "child");
    start_time(place->holder, began);
    kill_holder(place);
    reap(place->holder);
    pid_t other = fork_later_as(place->holder, began);
    bool chosen = other == place->holder;
    if (chosen)
        is_refused(place, BY_ITS_CHILD, place->holder);
    if (other > 0) {
        kill(other, SIGKILL);
        reap(other);
    }
    kill(place->child, SIGKILL);
    reap(place->child);
    opens(place);
    if (!chosen) {
        print_message("a pid can't be chosen here: %s\n", strerror(errno));
        skip();
    }
}

/* ---- each with both stores */

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    if (place == NULL)
        return -1;
    place->kind = *state;
    snprintf(place->top, sizeof(place->top), "/tmp/muster-lock-XXXXXX");
    if (mkdtemp(place->top) == NULL)
        return -1;
    snprintf(place->path, sizeof(place->path), "%s/state", place->top);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char command[96];
    snprintf(command, sizeof(command), "rm -rf '%s'", place->top);
    int result = system(command);
    free(place);
    return result;
}

#define TEST(test, kind) cmocka_unit_test_prestate_setup_teardown(test, set_up, tear_down, (void *)(kind))
#define TESTS(kind)                                                                    \
    TEST(a_second_daemon_is_refused_and_opens_when_the_first_is_killed, kind),         \
        TEST(a_child_that_inherited_the_lock_holds_it, kind),                          \
        TEST(a_child_that_lets_go_of_the_lock_is_waited_for, kind),                    \
        TEST(a_process_without_its_first_thread_holds_it, kind),                       \
        TEST(a_pid_that_is_used_again_is_another_process, kind)

static bool is_built(const struct kind *kind)
{
    struct muster_store *store = NULL;
    int code = kind->make("/nowhere/store", &store);
    muster_store_free(store);
    return code != MUSTER_ENOTSUP;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest journal_tests[] = {TESTS(&kinds[0])};
    const struct CMUnitTest sqlite_tests[] = {TESTS(&kinds[1])};
    if (argc == 5)
        return hold(argv[2], argv[3], argv[4]);
    self = argv[0];
    /* A child of a holder that was killed becomes ours. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return 1;
    int failed = is_built(&kinds[0]) ? cmocka_run_group_tests_name("journal", journal_tests, NULL, NULL) : 0;
    return failed + (is_built(&kinds[1]) ? cmocka_run_group_tests_name("sqlite", sqlite_tests, NULL, NULL) : 0);
}

/* SPDX-License-Identifier: MIT */
/* What a journal refuses to open, and what it says. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal_fixture.h"
#include "store/crc32c.h"

static void refused(struct journal_fixture *fixture, int code, const char *text)
{
    assert_int_equal(journal_open(fixture), code);
    if (strstr(fixture->error.text, text) == NULL)
        fail_msg("\"%s\" doesn't say \"%s\"", fixture->error.text, text);
}

static char *path_of(const struct journal_fixture *fixture, const char *file)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", fixture->directory, file);
    return path;
}

/* A state directory with one record. */
static void make_state(struct journal_fixture *fixture)
{
    journal_must_open(fixture);
    assert_int_equal(journal_put(fixture, "a", 1), 0);
    journal_close(fixture);
}

static void the_directory_is_made_for_its_owner_alone(void **state)
{
    struct journal_fixture *fixture = *state;
    struct stat stat_buffer;
    journal_must_open(fixture);
    assert_int_equal(stat(fixture->directory, &stat_buffer), 0);
    assert_int_equal(stat_buffer.st_mode & 07777, 0700);
    assert_int_equal(stat(path_of(fixture, "journal"), &stat_buffer), 0);
    assert_int_equal(stat_buffer.st_mode & 07777, 0600);
    assert_int_equal(stat(path_of(fixture, "lock"), &stat_buffer), 0);
    assert_int_equal(stat_buffer.st_mode & 07777, 0600);
}

/* Whoever is started without its standard descriptors would write its messages into the journal. */
static void the_standard_descriptors_are_never_files_of_the_store(void **state)
{
    struct journal_fixture *fixture = *state;
    const struct muster__journal *journal;
    int kept = dup(STDIN_FILENO);
    assert_true(kept > STDERR_FILENO);
    assert_int_equal(close(STDIN_FILENO), 0);
    int code = journal_open(fixture);
    bool left_free = fcntl(STDIN_FILENO, F_GETFD) < 0;
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(kept), 0);
    assert_int_equal(code, 0);
    assert_true(left_free);
    journal = fixture->store->self;
    assert_true(journal->fd > STDERR_FILENO && journal->lock_fd > STDERR_FILENO && journal->directory_fd > STDERR_FILENO);
    assert_int_equal(fcntl(journal->fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(journal->lock_fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(journal->directory_fd, F_GETFD), FD_CLOEXEC);
}

static void first_sync_fails(int sys_errno)
{
    call_fault = (struct call_fault){.call = CALL_FSYNC, .sys_errno = sys_errno};
    fault_arm(&call_fault.at, 1, false);
}

/* Whoever made it, and died before a sync. */
static void a_directory_without_a_journal_is_made_durable_in_its_parent(void **state)
{
    struct journal_fixture *fixture = *state;
    assert_int_equal(mkdir(fixture->directory, 0700), 0);
    for (int i = 0; i < 2; i++) {
        first_sync_fails(EIO);
        refused(fixture, MUSTER_EIO, "fsync");
        assert_string_equal(call_fault.file, "parent");
        assert_int_equal(journal_count_files(fixture, "journal"), 0);
    }
    call_fault = (struct call_fault){0};
    make_state(fixture);
    first_sync_fails(EIO);
    assert_int_equal(journal_open(fixture), 0);
    assert_string_not_equal(call_fault.file, "parent");
}

/* Whoever made it had to. */
static void a_parent_that_we_may_not_read_is_left_alone(void **state)
{
    struct journal_fixture *fixture = *state;
    assert_int_equal(mkdir(fixture->directory, 0700), 0);
    call_fault = (struct call_fault){.call = CALL_OPENAT, .sys_errno = EACCES};
    for (size_t n = 1; strcmp(call_fault.file, "parent") != 0; n++) {
        journal_die(fixture);
        journal_remove_files(fixture, "journal");
        fault_arm(&call_fault.at, n, false);
        call_fault.file[0] = '\0';
        journal_open(fixture);
        assert_int_equal(call_fault.at.fired, 1);
    }
    assert_non_null(fixture->store);
}

static void a_directory_without_a_parent(void **state)
{
    struct journal_fixture *fixture = *state;
    strcat(fixture->directory, "/below");
    refused(fixture, MUSTER_EIO, "make state directory");
}

static void a_directory_that_is_a_file(void **state)
{
    struct journal_fixture *fixture = *state;
    assert_true(close(open(fixture->directory, O_CREAT | O_WRONLY, 0600)) == 0);
    refused(fixture, MUSTER_EIO, "Not a directory");
}

static void a_directory_that_others_can_write(void **state)
{
    struct journal_fixture *fixture = *state;
    make_state(fixture);
    assert_int_equal(chmod(fixture->directory, 0777), 0);
    refused(fixture, MUSTER_EINVAL, "chmod 0700");
    assert_int_equal(chmod(fixture->directory, 0755), 0);
    journal_must_open(fixture);
}

static void a_directory_of_somebody_else(void **state)
{
    struct journal_fixture *fixture = *state;
    if (geteuid() != 0)
        skip();
    make_state(fixture);
    assert_int_equal(chown(fixture->directory, 1, 1), 0);
    refused(fixture, MUSTER_EINVAL, "belongs to user 1");
}

static void a_symbolic_link(void **state)
{
    struct journal_fixture *fixture = *state;
    char target[256];
    make_state(fixture);
    snprintf(target, sizeof(target), "%s/elsewhere", fixture->top);
    assert_int_equal(rename(path_of(fixture, "journal"), target), 0);
    assert_int_equal(symlink(target, path_of(fixture, "journal")), 0);
    refused(fixture, MUSTER_EINVAL, "is a symbolic link");
}

static void a_hard_link(void **state)
{
    struct journal_fixture *fixture = *state;
    char other[256];
    make_state(fixture);
    snprintf(other, sizeof(other), "%s/other", fixture->top);
    assert_int_equal(link(path_of(fixture, "journal"), other), 0);
    refused(fixture, MUSTER_EINVAL, "more than one link");
}

static void a_fifo(void **state)
{
    struct journal_fixture *fixture = *state;
    make_state(fixture);
    assert_int_equal(unlink(path_of(fixture, "journal")), 0);
    assert_int_equal(mkfifo(path_of(fixture, "journal"), 0600), 0);
    refused(fixture, MUSTER_EINVAL, "isn't a regular file");
}

static void a_directory_in_place_of_the_file(void **state)
{
    struct journal_fixture *fixture = *state;
    make_state(fixture);
    assert_int_equal(unlink(path_of(fixture, "journal")), 0);
    assert_int_equal(mkdir(path_of(fixture, "journal"), 0700), 0);
    refused(fixture, MUSTER_EINVAL, "isn't a regular file");
}

static void a_file_that_others_can_write(void **state)
{
    struct journal_fixture *fixture = *state;
    make_state(fixture);
    assert_int_equal(chmod(path_of(fixture, "journal"), 0622), 0);
    refused(fixture, MUSTER_EINVAL, "chmod 0600");
}

static void a_file_that_is_too_large(void **state)
{
    struct journal_fixture *fixture = *state;
    make_state(fixture);
    fixture->options.max_size = 4096;
    refused(fixture, MUSTER_EIO, "max_size");
    fixture->options.max_size = 0;
    journal_must_open(fixture);
    assert_int_equal(fixture->count, 1);
}

static void a_format_from_the_future_is_not_touched(void **state)
{
    struct journal_fixture *fixture = *state;
    char future[256];
    size_t size;
    make_state(fixture);
    snprintf(future, sizeof(future), "{\"muster-journal\":2,\"whatever\":[]");
    uint32_t crc = muster__crc32c(0, future, strlen(future));
    snprintf(future + strlen(future), 64, ",\"crc\":\"%08x\"}\n!!!\n", crc);
    journal_set_file(fixture, "journal", future, strlen(future));
    refused(fixture, MUSTER_ENOTSUP, "format 2");
    char *bytes = journal_get_file(fixture, "journal", &size);
    assert_string_equal(bytes, future);
    free(bytes);
    assert_int_equal(journal_count_files(fixture, "quarantine"), 0);
}

static void a_stale_temporary_is_cleaned(void **state)
{
    struct journal_fixture *fixture = *state;
    make_state(fixture);
    journal_set_file(fixture, MUSTER__JOURNAL_TEMPORARY, "x", 1);
    journal_must_open(fixture);
    assert_int_equal(journal_count_files(fixture, MUSTER__JOURNAL_TEMPORARY), 0);
    assert_int_equal(fixture->count, 1);
}

/* ---- the lock */

static void a_second_store_hears_who_holds_it(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_store *first;
    char text[64];
    journal_must_open(fixture);
    first = fixture->store;
    snprintf(text, sizeof(text), "is held by process %d", (int)getpid());
    refused(fixture, MUSTER_EBUSY, text);
    fixture->store = first;
    journal_reopen(fixture);
}

/* There a pid means another process, or none. */
static void the_holder_may_be_in_another_pid_namespace(void **state)
{
    struct journal_fixture *fixture = *state;
    journal_must_open(fixture);
    struct muster_store *first = fixture->store;
    FILE *file = fopen(path_of(fixture, "lock"), "r+");
    assert_non_null(file);
    assert_true(fputs("1 1\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    refused(fixture, MUSTER_EBUSY, "a child that inherited it from process 1, or by a process of another pid namespace");
    fixture->store = first;
}

/*
 * A process that opens the journal, tells that it has, and waits to be killed; with a grandchild that
 * inherits the lock.
 */
static void hold(struct journal_fixture *fixture, int told, bool by_child)
{
    pid_t child = 0;
    if (journal_open(fixture) != 0)
        _exit(1);
    if (by_child && (child = fork()) == 0)
        for (;;)
            pause();
    if (write(told, &child, sizeof(child)) != sizeof(child))
        _exit(1);
    if (by_child)
        _exit(0);
    for (;;)
        pause();
}

static pid_t start_holder(struct journal_fixture *fixture, bool by_child, pid_t *ret_child)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0)
        hold(fixture, pipes[1], by_child);
    close(pipes[1]);
    assert_int_equal(read(pipes[0], ret_child, sizeof(*ret_child)), sizeof(*ret_child));
    close(pipes[0]);
    return pid;
}

static void another_process_holds_it(void **state)
{
    struct journal_fixture *fixture = *state;
    char text[64];
    pid_t child;
    pid_t pid = start_holder(fixture, false, &child);
    snprintf(text, sizeof(text), "is held by process %d", (int)pid);
    refused(fixture, MUSTER_EBUSY, text);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    journal_must_open(fixture);
}

static void a_child_that_inherited_it_holds_it(void **state)
{
    struct journal_fixture *fixture = *state;
    char text[64];
    pid_t child;
    pid_t pid = start_holder(fixture, true, &child);
    waitpid(pid, NULL, 0);
    snprintf(text, sizeof(text), "still held by a child that inherited it from process %d", (int)pid);
    refused(fixture, MUSTER_EBUSY, text);
    kill(child, SIGKILL);
}

/*
 * Closing gives the lock back though a child of the daemon still has the descriptor; freeing in a child
 * doesn't.
 */
static void close_unlocks_and_a_child_s_free_does_not(void **state)
{
    struct journal_fixture *fixture = *state;
    struct muster_store *first;
    int status;
    journal_must_open(fixture);
    first = fixture->store;
    pid_t pid = fork();
    if (pid == 0) {
        muster__store_destroy(fixture->store);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    refused(fixture, MUSTER_EBUSY, "is held by process");
    fixture->store = first;
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    journal_close(fixture);
    journal_must_open(fixture);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_directory_that_goes_away_is_an_error(void **state)
{
    struct journal_fixture *fixture = *state;
    char command[160];
    struct muster_error error;
    journal_must_open(fixture);
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->directory);
    assert_int_equal(system(command), 0);
    assert_int_equal(muster__store_compact(fixture->store, &error), MUSTER_EIO);
    assert_non_null(strstr(error.text, "No such file or directory"));
    muster__store_close(fixture->store, &error);
}

#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, journal_setup, journal_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(the_directory_is_made_for_its_owner_alone),
        JOURNAL_TEST(the_standard_descriptors_are_never_files_of_the_store),
        JOURNAL_TEST(a_directory_without_a_journal_is_made_durable_in_its_parent),
        JOURNAL_TEST(a_parent_that_we_may_not_read_is_left_alone),
        JOURNAL_TEST(a_directory_without_a_parent),
        JOURNAL_TEST(a_directory_that_is_a_file),
        JOURNAL_TEST(a_directory_that_others_can_write),
        JOURNAL_TEST(a_directory_of_somebody_else),
        JOURNAL_TEST(a_symbolic_link),
        JOURNAL_TEST(a_hard_link),
        JOURNAL_TEST(a_fifo),
        JOURNAL_TEST(a_directory_in_place_of_the_file),
        JOURNAL_TEST(a_file_that_others_can_write),
        JOURNAL_TEST(a_file_that_is_too_large),
        JOURNAL_TEST(a_format_from_the_future_is_not_touched),
        JOURNAL_TEST(a_stale_temporary_is_cleaned),
        JOURNAL_TEST(a_second_store_hears_who_holds_it),
        JOURNAL_TEST(another_process_holds_it),
        JOURNAL_TEST(the_holder_may_be_in_another_pid_namespace),
        JOURNAL_TEST(a_child_that_inherited_it_holds_it),
        JOURNAL_TEST(close_unlocks_and_a_child_s_free_does_not),
        JOURNAL_TEST(a_directory_that_goes_away_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_FILE "lock"

int muster__journal_failed(const struct muster__journal *journal, struct muster_error *error, int sys_errno,
                           const char *operation, const char *file)
{
    return muster_error_set(error, sys_errno == ENOMEM ? MUSTER_ENOMEM : MUSTER_EIO, sys_errno, "%s %s%s%s", operation,
                            journal->directory, file[0] == '\0' ? "" : "/", file);
}

static void close_fd(const struct muster__journal *journal, int *fd)
{
    if (*fd >= 0)
        journal->calls->close(*fd);
    *fd = -1;
}

void muster__journal_close_all(struct muster__journal *journal)
{
    close_fd(journal, &journal->fd);
    close_fd(journal, &journal->lock_fd);
    close_fd(journal, &journal->directory_fd);
}

/* ---- the directory */

/* Make the entry of the new directory durable in its parent. */
static int sync_parent(const struct muster__journal *journal, struct muster_error *error)
{
    const char *path = journal->directory;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    char *parent = length == 0 ? muster__strdup(&journal->memory, ".") : muster__strdup(&journal->memory, path);
    if (parent == NULL)
        return muster_error_set(error, MUSTER_ENOMEM, 0, "%s: %s", path, muster_code_text(MUSTER_ENOMEM));
    if (length > 0)
        parent[length] = '\0';
    int code = 0;
    int fd = journal->calls->openat(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0 || journal->calls->fsync(fd) != 0)
        code = muster_error_set(error, MUSTER_EIO, errno, "fsync %s", parent);
    close_fd(journal, &fd);
    muster__free(&journal->memory, parent);
    return code;
}

static int open_directory(struct muster__journal *journal, struct muster_error *error)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    journal->directory_fd = journal->calls->openat(AT_FDCWD, journal->directory, flags, 0);
    if (journal->directory_fd >= 0)
        return 0;
    if (errno != ENOENT)
        return muster__journal_failed(journal, error, errno, "open state directory", "");
    if (journal->calls->mkdir(journal->directory, 0700) != 0 && errno != EEXIST)
        return muster__journal_failed(journal, error, errno, "make state directory", "");
    int code = sync_parent(journal, error);
    if (code != 0)
        return code;
    journal->directory_fd = journal->calls->openat(AT_FDCWD, journal->directory, flags, 0);
    if (journal->directory_fd < 0)
        return muster__journal_failed(journal, error, errno, "open state directory", "");
    return 0;
}

static int check_directory(struct muster__journal *journal, struct muster_error *error)
{
    struct stat stat;
    if (journal->calls->fstat(journal->directory_fd, &stat) != 0)
        return muster__journal_failed(journal, error, errno, "stat", "");
    if (stat.st_uid != geteuid())
        return muster_error_set(error, MUSTER_EINVAL, 0,
                                "state directory %s belongs to user %u, this is user %u: chown it, or name another one",
                                journal->directory, stat.st_uid, geteuid());
    if ((stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return muster_error_set(error, MUSTER_EINVAL, 0,
                                "state directory %s can be written by others (mode %04o): chmod 0700 it",
                                journal->directory, stat.st_mode & 07777);
    return 0;
}

/* ---- the lock */

/* The time a process started, in the words of /proc; "" if there is none such. */
static void start_time(const struct muster__journal *journal, long pid, char ret_time[32])
{
    char path[64];
    char text[1024];
    char *save;
    ret_time[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    int fd = journal->calls->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t got = fd < 0 ? -1 : journal->calls->pread(fd, text, sizeof(text) - 1, 0);
    close_fd(journal, &fd);
    if (got <= 0)
        return;
    text[got] = '\0';
    /* The name, in parentheses, may hold anything; the start time is the 20th word behind it. */
    char *word = strrchr(text, ')');
    word = word == NULL ? NULL : strtok_r(word + 1, " ", &save);
    for (int i = 0; i < 19 && word != NULL; i++)
        word = strtok_r(NULL, " ", &save);
    if (word != NULL)
        snprintf(ret_time, 32, "%.31s", word);
}

/* Who holds the lock, as the lock file has it. */
static int held(const struct muster__journal *journal, struct muster_error *error)
{
    char text[128] = "";
    char then[32] = "";
    char now[32];
    long pid = 0;
    ssize_t got = journal->calls->pread(journal->lock_fd, text, sizeof(text) - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    if (sscanf(text, "%ld %31s", &pid, then) != 2 || pid <= 0)
        return muster_error_set(error, MUSTER_EBUSY, 0, "state directory %s is held by another process",
                                journal->directory);
    start_time(journal, pid, now);
    if (strcmp(then, now) == 0)
        return muster_error_set(error, MUSTER_EBUSY, 0, "state directory %s is held by process %ld", journal->directory,
                                pid);
    return muster_error_set(error, MUSTER_EBUSY, 0,
                            "state directory %s is still held by a child that inherited it from process %ld",
                            journal->directory, pid);
}

/* For the message of whoever comes next. */
static int sign(struct muster__journal *journal, struct muster_error *error)
{
    char text[128];
    char time[32];
    start_time(journal, getpid(), time);
    int length = snprintf(text, sizeof(text), "%ld %s\n", (long)getpid(), time);
    if (journal->calls->ftruncate(journal->lock_fd, 0) != 0 ||
        muster__journal_write_all(journal, journal->lock_fd, text, (size_t)length, 0) != 0)
        return errno == ENOSPC ? 0 : muster__journal_failed(journal, error, errno, "write", LOCK_FILE);
    return 0;
}

static int take_lock(struct muster__journal *journal, struct muster_error *error)
{
    journal->lock_fd = journal->calls->openat(journal->directory_fd, LOCK_FILE,
                                              O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (journal->lock_fd < 0)
        return muster__journal_failed(journal, error, errno, "open", LOCK_FILE);
    int code = muster__journal_check_file(journal, journal->lock_fd, LOCK_FILE, error);
    if (code != 0)
        return code;
    if (journal->calls->lock(journal->lock_fd, F_WRLCK) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return held(journal, error);
        return muster__journal_failed(journal, error, errno, "lock", LOCK_FILE);
    }
    return sign(journal, error);
}

int muster__journal_lock(struct muster__journal *journal, struct muster_error *error)
{
    int code = open_directory(journal, error);
    if (code == 0)
        code = check_directory(journal, error);
    if (code == 0)
        code = take_lock(journal, error);
    if (code == 0 && journal->calls->unlinkat(journal->directory_fd, MUSTER__JOURNAL_TEMPORARY, 0) != 0 && errno != ENOENT)
        code = muster__journal_failed(journal, error, errno, "remove", MUSTER__JOURNAL_TEMPORARY);
    if (code != 0)
        muster__journal_close_all(journal);
    return code;
}

int muster__journal_enter(struct muster__journal *journal, struct muster_error *error)
{
    journal->directory_fd = journal->calls->openat(AT_FDCWD, journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (journal->directory_fd < 0)
        return muster__journal_failed(journal, error, errno, "open state directory", "");
    return 0;
}

int muster__journal_unlock(struct muster__journal *journal, struct muster_error *error)
{
    int code = 0;
    if (journal->calls->ftruncate(journal->lock_fd, 0) != 0)
        code = muster__journal_failed(journal, error, errno, "truncate", LOCK_FILE);
    if (journal->calls->lock(journal->lock_fd, F_UNLCK) != 0)
        code = muster__journal_failed(journal, error, errno, "unlock", LOCK_FILE);
    muster__journal_close_all(journal);
    return code;
}

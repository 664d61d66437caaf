/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/lock.h"

#define LOCK_FILE "lock"

int muster__journal_failed(const struct muster__journal *journal, struct muster_error *error, int sys_errno,
                           const char *operation, const char *file)
{
    return muster_error_set(error, sys_errno == ENOMEM ? MUSTER_ENOMEM : MUSTER_EIO, sys_errno, "%s %s%s%s", operation,
                            journal->directory, file[0] == '\0' ? "" : "/", file);
}

static void close_fd(const struct muster__journal *journal, int *fd)
{
    int closed = *fd;
    *fd = -1; /* before its number can be another's, for a child that is forked here */
    if (closed >= 0)
        journal->calls->close(closed);
}

void muster__journal_close_all(struct muster__journal *journal)
{
    close_fd(journal, &journal->fd);
    close_fd(journal, &journal->lock_fd);
    close_fd(journal, &journal->directory_fd);
}

/* ---- the directory */

int muster__journal_sync_parent(const struct muster__journal *journal, struct muster_error *error)
{
    int fd = journal->calls->openat(journal->directory_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0 && errno == EACCES)
        return 0;
    if (fd < 0)
        return muster__journal_failed(journal, error, errno, "open", "..");
    int code = journal->calls->fsync(fd) == 0 ? 0 : muster__journal_failed(journal, error, errno, "fsync", "..");
    close_fd(journal, &fd);
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

static struct muster__lock lock_of(const struct muster__journal *journal)
{
    return (struct muster__lock){journal->calls, "state directory ", journal->directory, "/" LOCK_FILE, journal->lock_fd};
}

static int take_lock(struct muster__journal *journal, struct muster_error *error)
{
    journal->lock_fd = journal->calls->openat(journal->directory_fd, LOCK_FILE,
                                              O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (journal->lock_fd < 0)
        return muster__journal_not_opened(journal, error, errno, LOCK_FILE);
    int code = muster__journal_check_file(journal, journal->lock_fd, LOCK_FILE, error);
    if (code != 0)
        return code;
    struct muster__lock lock = lock_of(journal);
    return muster__lock_take(&lock, error);
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

bool muster__journal_is_held(const struct muster__journal *journal)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = journal->calls->openat(journal->directory_fd, LOCK_FILE, flags, 0);
    bool held = fd >= 0 && journal->calls->is_locked(fd) == 1;
    close_fd(journal, &fd);
    return held;
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
    struct muster__lock lock = lock_of(journal);
    int code = muster__lock_release(&lock, error);
    muster__journal_close_all(journal);
    return code;
}

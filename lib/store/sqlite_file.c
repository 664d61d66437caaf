/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite.h"

/* ---- the lock */

static int set_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

static int held(const struct muster__sqlite *store, struct muster_error *error)
{
    char text[32] = "";
    ssize_t got = pread(store->lock_fd, text, sizeof(text) - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    long pid = strtol(text, NULL, 10);
    if (pid <= 0)
        return muster_error_set(error, MUSTER_EBUSY, 0, "%s is held by another process", store->file);
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return muster_error_set(error, MUSTER_EBUSY, 0, "%s is still held by a child that inherited it from process %ld",
                                store->file, pid);
    return muster_error_set(error, MUSTER_EBUSY, 0, "%s is held by process %ld", store->file, pid);
}

static int take(struct muster__sqlite *store, struct muster_error *error)
{
    char text[32];
    struct stat stat;
    store->lock_fd = open(store->lock_file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return muster_error_set(error, MUSTER_EIO, errno, "open %s", store->lock_file);
    if (fstat(store->lock_fd, &stat) != 0)
        return muster_error_set(error, MUSTER_EIO, errno, "stat %s", store->lock_file);
    if (!S_ISREG(stat.st_mode) || stat.st_uid != geteuid())
        return muster_error_set(error, MUSTER_EINVAL, 0, "%s isn't a file of this user: remove it", store->lock_file);
    if (set_lock(store->lock_fd, F_WRLCK) != 0)
        return errno == EAGAIN || errno == EACCES ? held(store, error)
                                                  : muster_error_set(error, MUSTER_EIO, errno, "lock %s", store->lock_file);
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(store->lock_fd, 0) != 0 ||
        (pwrite(store->lock_fd, text, (size_t)length, 0) != length && errno != ENOSPC))
        return muster_error_set(error, MUSTER_EIO, errno, "write %s", store->lock_file);
    return 0;
}

int muster__sqlite_lock(struct muster__sqlite *store, struct muster_error *error)
{
    int code = take(store, error);
    if (code != 0 && store->lock_fd >= 0) {
        close(store->lock_fd);
        store->lock_fd = -1;
    }
    return code;
}

int muster__sqlite_unlock(struct muster__sqlite *store, struct muster_error *error)
{
    int code = 0;
    if (ftruncate(store->lock_fd, 0) != 0)
        code = muster_error_set(error, MUSTER_EIO, errno, "truncate %s", store->lock_file);
    if (set_lock(store->lock_fd, F_UNLCK) != 0)
        code = muster_error_set(error, MUSTER_EIO, errno, "unlock %s", store->lock_file);
    close(store->lock_fd);
    store->lock_fd = -1;
    return code;
}

/* ---- the file */

/* Make its entry durable in its directory. */
static int sync_parent(const struct muster__sqlite *store, struct muster_error *error)
{
    char *parent = muster__strdup(&store->memory, store->file);
    if (parent == NULL)
        return muster_error_set(error, MUSTER_ENOMEM, 0, "open %s: %s", store->file, muster_code_text(MUSTER_ENOMEM));
    strrchr(parent, '/')[1] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = 0;
    if (fd < 0 || fsync(fd) != 0)
        code = muster_error_set(error, MUSTER_EIO, errno, "fsync %s", parent);
    if (fd >= 0)
        close(fd);
    muster__free(&store->memory, parent);
    return code;
}

static int make_file(const struct muster__sqlite *store, struct muster_error *error)
{
    int fd = open(store->file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return muster_error_set(error, MUSTER_EIO, errno, "make %s", store->file);
    close(fd);
    return sync_parent(store, error);
}

int muster__sqlite_check_file(const struct muster__sqlite *store, struct muster_error *error)
{
    struct stat stat;
    if (lstat(store->file, &stat) != 0)
        return errno == ENOENT && !store->read_only ? make_file(store, error)
                                                    : muster_error_set(error, MUSTER_EIO, errno, "stat %s", store->file);
    if (!S_ISREG(stat.st_mode))
        return muster_error_set(error, MUSTER_EINVAL, 0, "%s isn't a regular file: name another one", store->file);
    if (store->read_only)
        return 0;
    if (stat.st_nlink != 1)
        return muster_error_set(error, MUSTER_EINVAL, 0, "%s has more than one link: remove the others", store->file);
    if (stat.st_uid != geteuid())
        return muster_error_set(error, MUSTER_EINVAL, 0, "%s belongs to user %u, this is user %u: chown it, or name another one",
                                store->file, stat.st_uid, geteuid());
    if ((stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return muster_error_set(error, MUSTER_EINVAL, 0, "%s can be written by others (mode %04o): chmod 0600 it", store->file,
                                stat.st_mode & 07777);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/lock.h"
#include "store/sqlite.h"

static int failed(struct muster_error *error, int sys_errno, const char *operation, const char *file)
{
    return muster_error_set(error, sys_errno == ENOMEM ? MUSTER_ENOMEM : MUSTER_EIO, sys_errno, "%s %s", operation, file);
}

/* ---- the lock */

static struct muster__lock lock_of(const struct muster__sqlite *store)
{
    return (struct muster__lock){store->calls, "", store->file, "-lock", store->lock_fd};
}

static int take(struct muster__sqlite *store, struct muster_error *error)
{
    struct stat stat;
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    store->lock_fd = store->calls->openat(AT_FDCWD, store->lock_file, flags, 0600);
    bool no_file = store->lock_fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO);
    if (store->lock_fd < 0 && !no_file)
        return failed(error, errno, "open", store->lock_file);
    if (!no_file && store->calls->fstat(store->lock_fd, &stat) != 0)
        return failed(error, errno, "stat", store->lock_file);
    if (no_file || !S_ISREG(stat.st_mode) || stat.st_uid != geteuid())
        return muster_error_set(error, MUSTER_EINVAL, 0, "%s isn't a file of this user: remove it", store->lock_file);
    struct muster__lock lock = lock_of(store);
    return muster__lock_take(&lock, error);
}

static void close_lock(struct muster__sqlite *store)
{
    if (store->lock_fd >= 0)
        store->calls->close(store->lock_fd);
    store->lock_fd = -1;
}

int muster__sqlite_lock(struct muster__sqlite *store, struct muster_error *error)
{
    int code = take(store, error);
    if (code != 0)
        close_lock(store);
    return code;
}

int muster__sqlite_unlock(struct muster__sqlite *store, struct muster_error *error)
{
    struct muster__lock lock = lock_of(store);
    int code = muster__lock_release(&lock, error);
    close_lock(store);
    return code;
}

/* ---- the file */

/* Make its entry durable in its directory. */
static int sync_parent(const struct muster__sqlite *store, struct muster_error *error)
{
    char *parent = muster__strdup(&store->memory, store->file);
    if (parent == NULL)
        return failed(error, ENOMEM, "open", store->file);
    strrchr(parent, '/')[1] = '\0';
    int fd = store->calls->openat(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int code = 0;
    if (fd < 0)
        code = failed(error, errno, "open", parent);
    else if (store->calls->fsync(fd) != 0)
        code = failed(error, errno, "fsync", parent);
    if (fd >= 0)
        store->calls->close(fd);
    muster__free(&store->memory, parent);
    return code;
}

static int make_file(const struct muster__sqlite *store, struct muster_error *error)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = store->calls->openat(AT_FDCWD, store->file, flags, 0600);
    if (fd < 0)
        return failed(error, errno, "create", store->file);
    store->calls->close(fd);
    return sync_parent(store, error);
}

int muster__sqlite_check_file(const struct muster__sqlite *store, struct muster_error *error)
{
    struct stat stat;
    if (store->calls->fstatat(AT_FDCWD, store->file, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT && !store->read_only ? make_file(store, error) : failed(error, errno, "stat", store->file);
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

/* ---- the log */

/* -1 and errno. */
static int write_over_itself(const struct muster__sqlite *store, int fd)
{
    char bytes[8192];
    off_t at = 0;
    ssize_t got;
    while ((got = store->calls->pread(fd, bytes, sizeof(bytes), at)) != 0) {
        ssize_t done = got < 0 ? got : store->calls->pwrite(fd, bytes, (size_t)got, at);
        if (done == 0)
            errno = EIO;
        if (done == 0 || (done < 0 && errno != EINTR))
            return -1;
        at += done < 0 ? 0 : done;
    }
    return 0;
}

int muster__sqlite_renew_log(const struct muster__sqlite *store, struct muster_error *error)
{
    int fd = store->calls->openat(AT_FDCWD, store->log_file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0)
        return failed(error, errno, "open", store->log_file);
    int code = write_over_itself(store, fd) == 0 ? 0 : failed(error, errno, "write", store->log_file);
    store->calls->close(fd);
    return code == 0 ? sync_parent(store, error) : code;
}

/* SPDX-License-Identifier: MIT */
#include "store/journal_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

/* Never a standard descriptor: in a process without them each message would go into the file. */
static int call_openat(int directory, const char *path, int flags, mode_t mode)
{
    int fd = openat(directory, path, flags, mode);
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int sys_errno = errno;
    close(fd);
    errno = sys_errno;
    return above;
}

static int call_fstat(int fd, struct stat *ret_stat)
{
    return fstat(fd, ret_stat);
}

static int call_fstatat(int directory, const char *path, struct stat *ret_stat, int flags)
{
    return fstatat(directory, path, ret_stat, flags);
}

static int call_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

static int call_is_locked(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) != 0 ? -1 : lock.l_type != F_UNLCK;
}

const struct muster__journal_calls muster__journal_system = {
    .openat = call_openat,
    .mkdir = mkdir,
    .fstat = call_fstat,
    .pread = pread,
    .pwrite = pwrite,
    .ftruncate = ftruncate,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .renameat = renameat,
    .unlinkat = unlinkat,
    .close = close,
    .lock = call_lock,
    .is_locked = call_is_locked,
    .getrandom = getrandom,
    .fstatat = call_fstatat,
    .sync_file_range = sync_file_range,
};

/* SPDX-License-Identifier: MIT */
#include "support/failing_calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct call_fault call_fault;
char call_step;
bool call_random_is_fixed;
void (*call_observer)(enum call call, int fd, const char *path);

const char *const call_names[CALLS] = {
    "openat", "mkdir", "fstat",     "pread",   "pwrite",          "ftruncate", "fdatasync", "fsync", "renameat", "unlinkat",
    "close",  "lock",  "getrandom", "fstatat", "sync_file_range", "mmap",
};

/* ---- which file */

#define FDS 256
static char names[FDS][32];

static void name_of(const char *path, char ret_name[32])
{
    const char *last = strrchr(path, '/');
    if (strcmp(path, "..") == 0 || (last != NULL && last[1] == '\0'))
        snprintf(ret_name, 32, "parent");
    else if (strncmp(path, "/proc/", 6) == 0)
        snprintf(ret_name, 32, "proc");
    else if (strncmp(path, "quarantine-", 11) == 0)
        snprintf(ret_name, 32, "quarantine");
    else
        snprintf(ret_name, 32, "%.31s", last == NULL ? path : last + 1);
}

/* What a path names, for call_fault.file. */
static void remember(int fd, const char *path)
{
    if (fd >= 0 && fd < FDS)
        name_of(path, names[fd]);
}

static void note_file(int fd, const char *path)
{
    if (path != NULL)
        name_of(path, call_fault.file);
    else
        snprintf(call_fault.file, sizeof(call_fault.file), "%.31s", fd >= 0 && fd < FDS ? names[fd] : "");
}

/* ---- does it fail? */

static bool is_due(enum call call, int fd, const char *path)
{
    call_fault.count[call]++;
    if (call_observer != NULL)
        call_observer(call, fd, path);
    if (call_fault.effect == CALL_FAILS_WITH_ALL && call_fault.at.fired > 0)
        return true;
    if (call != call_fault.call || !fault_tick(&call_fault.at))
        return false;
    if (call_fault.at.fired == 1) {
        note_file(fd, path);
        call_fault.step = call_step;
    }
    if (call_fault.effect == CALL_DIES_BEFORE)
        _exit(CALL_DIED);
    return true;
}

bool call_fails(enum call call, int fd, const char *path)
{
    if (!is_due(call, fd, path) || call_fault.effect == CALL_DIES_AFTER)
        return false;
    errno = call_fault.sys_errno;
    return true;
}

int call_done(enum call call, int result)
{
    if (call == call_fault.call && call_fault.effect == CALL_DIES_AFTER && call_fault.at.fired > 0)
        _exit(CALL_DIED);
    return result;
}

static size_t part_of(size_t count)
{
    switch (call_fault.part) {
    case PART_BYTE:
        return count > 1;
    case PART_HALF:
        return count / 2;
    case PART_ALMOST:
        return count - (count > 0);
    default:
        return 0;
    }
}

/* ---- the table */

static int call_openat(int directory, const char *path, int flags, mode_t mode)
{
    if (call_fails(CALL_OPENAT, -1, path))
        return -1;
    int fd = muster__journal_system.openat(directory, path, flags, mode);
    remember(fd, path);
    return call_done(CALL_OPENAT, fd);
}

static int call_mkdir(const char *path, mode_t mode)
{
    return call_fails(CALL_MKDIR, -1, path) ? -1 : call_done(CALL_MKDIR, muster__journal_system.mkdir(path, mode));
}

static int call_fstat(int fd, struct stat *ret_stat)
{
    return call_fails(CALL_FSTAT, fd, NULL) ? -1 : call_done(CALL_FSTAT, muster__journal_system.fstat(fd, ret_stat));
}

/* What is asked of the system, and whether the answer is an error. */
static bool is_cut(enum call call, int fd, size_t *count)
{
    if (!call_fails(call, fd, NULL))
        return false;
    bool first = call_fault.at.fired == 1;
    if (call_fault.effect == CALL_IS_CUT_AND_FAILS && first) {
        call_fault.at.forever = true;
        *count = part_of(*count);
        return false;
    }
    if (call_fault.effect == CALL_IS_CUT_AND_FAILS)
        call_fault.at.forever = false;
    if (call_fault.effect == CALL_IS_CUT) {
        *count = part_of(*count);
        return false;
    }
    *count = call_fault.effect == CALL_IS_TORN ? part_of(*count) : call_fault.effect == CALL_DIES_HALFWAY ? *count / 2 : 0;
    return true;
}

static ssize_t call_pread(int fd, void *bytes, size_t count, off_t offset)
{
    bool fails = is_cut(CALL_PREAD, fd, &count);
    ssize_t got = fails || count == 0 ? 0 : muster__journal_system.pread(fd, bytes, count, offset);
    call_done(CALL_PREAD, 0);
    if (fails)
        errno = call_fault.sys_errno;
    return fails ? -1 : got;
}

static size_t down_to_block(off_t offset, size_t count)
{
    size_t over = ((size_t)offset + count) % call_fault.block;
    return over < count ? count - over : 0;
}

static ssize_t call_pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    size_t asked = count;
    bool fails = is_cut(CALL_PWRITE, fd, &count);
    if (count < asked && call_fault.block > 0)
        count = down_to_block(offset, count);
    fails = fails || (count == 0 && call_fault.effect == CALL_IS_CUT_AND_FAILS);
    ssize_t done = count == 0 ? 0 : muster__journal_system.pwrite(fd, bytes, count, offset);
    if (fails && call_fault.effect == CALL_DIES_HALFWAY)
        _exit(CALL_DIED);
    call_done(CALL_PWRITE, 0);
    if (fails)
        errno = call_fault.sys_errno;
    return fails ? -1 : done;
}

static int call_ftruncate(int fd, off_t size)
{
    return call_fails(CALL_FTRUNCATE, fd, NULL) ? -1 : call_done(CALL_FTRUNCATE, muster__journal_system.ftruncate(fd, size));
}

static int call_fdatasync(int fd)
{
    return call_fails(CALL_FDATASYNC, fd, NULL) ? -1 : call_done(CALL_FDATASYNC, muster__journal_system.fdatasync(fd));
}

static int call_fsync(int fd)
{
    return call_fails(CALL_FSYNC, fd, NULL) ? -1 : call_done(CALL_FSYNC, muster__journal_system.fsync(fd));
}

static int call_renameat(int old_directory, const char *old_path, int new_directory, const char *new_path)
{
    if (call_fails(CALL_RENAMEAT, -1, old_path))
        return -1;
    return call_done(CALL_RENAMEAT, muster__journal_system.renameat(old_directory, old_path, new_directory, new_path));
}

static int call_unlinkat(int directory, const char *path, int flags)
{
    if (call_fails(CALL_UNLINKAT, -1, path))
        return -1;
    return call_done(CALL_UNLINKAT, muster__journal_system.unlinkat(directory, path, flags));
}

/* As in Linux: the descriptor is gone, whatever close says. */
static int call_close(int fd)
{
    bool fails = call_fails(CALL_CLOSE, fd, NULL);
    int result = call_done(CALL_CLOSE, muster__journal_system.close(fd));
    if (fails)
        errno = call_fault.sys_errno;
    return fails ? -1 : result;
}

static int call_lock(int fd, short type)
{
    return call_fails(CALL_LOCK, fd, NULL) ? -1 : call_done(CALL_LOCK, muster__journal_system.lock(fd, type));
}

static int call_is_locked(int fd)
{
    return call_fails(CALL_LOCK, fd, NULL) ? -1 : call_done(CALL_LOCK, muster__journal_system.is_locked(fd));
}

static ssize_t call_getrandom(void *bytes, size_t count, unsigned flags)
{
    bool fails = is_cut(CALL_GETRANDOM, -1, &count);
    ssize_t got = fails || count == 0 ? 0 : muster__journal_system.getrandom(bytes, count, flags);
    if (call_random_is_fixed && got > 0)
        memset(bytes, 0x5a, (size_t)got);
    call_done(CALL_GETRANDOM, 0);
    if (fails)
        errno = call_fault.sys_errno;
    return fails ? -1 : got;
}

static int call_fstatat(int directory, const char *path, struct stat *ret_stat, int flags)
{
    if (call_fails(CALL_FSTATAT, -1, path))
        return -1;
    return call_done(CALL_FSTATAT, muster__journal_system.fstatat(directory, path, ret_stat, flags));
}

static int call_sync_file_range(int fd, off_t offset, off_t count, unsigned flags)
{
    if (call_fails(CALL_SYNC_FILE_RANGE, fd, NULL))
        return -1;
    return call_done(CALL_SYNC_FILE_RANGE, muster__journal_system.sync_file_range(fd, offset, count, flags));
}

const struct muster__journal_calls failing_calls = {
    .openat = call_openat,
    .mkdir = call_mkdir,
    .fstat = call_fstat,
    .pread = call_pread,
    .pwrite = call_pwrite,
    .ftruncate = call_ftruncate,
    .fdatasync = call_fdatasync,
    .fsync = call_fsync,
    .renameat = call_renameat,
    .unlinkat = call_unlinkat,
    .close = call_close,
    .lock = call_lock,
    .is_locked = call_is_locked,
    .getrandom = call_getrandom,
    .fstatat = call_fstatat,
    .sync_file_range = call_sync_file_range,
};

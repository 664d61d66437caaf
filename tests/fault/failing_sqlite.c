/* SPDX-License-Identifier: MIT */
#include "failing_sqlite.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/failing_calls.h"

/* ---- sqlite's system calls */

static int sys_open(const char *path, int flags, int mode)
{
    return failing_calls.openat(AT_FDCWD, path, flags, (mode_t)mode);
}

static ssize_t sys_pread(int fd, void *bytes, size_t count, off_t offset)
{
    return failing_calls.pread(fd, bytes, count, offset);
}

static ssize_t sys_read(int fd, void *bytes, size_t count)
{
    ssize_t got = failing_calls.pread(fd, bytes, count, lseek(fd, 0, SEEK_CUR));
    return got < 0 || lseek(fd, got, SEEK_CUR) < 0 ? -1 : got;
}

static ssize_t sys_write(int fd, const void *bytes, size_t count)
{
    ssize_t done = failing_calls.pwrite(fd, bytes, count, lseek(fd, 0, SEEK_CUR));
    return done < 0 || lseek(fd, done, SEEK_CUR) < 0 ? -1 : done;
}

static int sys_unlink(const char *path)
{
    return failing_calls.unlinkat(AT_FDCWD, path, 0);
}

static int sys_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    if (command == F_SETLK && call_fails(CALL_LOCK, fd, NULL))
        return -1;
    int result = fcntl(fd, command, argument);
    return command == F_SETLK ? call_done(CALL_LOCK, result) : result;
}

static void replace(sqlite3_vfs *vfs, const char *name, sqlite3_syscall_ptr call)
{
    /* Not each build has each of them. */
    if (vfs->xGetSystemCall(vfs, name) != NULL && vfs->xSetSystemCall(vfs, name, call) != SQLITE_OK)
        abort();
}

static void replace_calls(sqlite3_vfs *vfs)
{
    replace(vfs, "open", (sqlite3_syscall_ptr)sys_open);
    replace(vfs, "close", (sqlite3_syscall_ptr)failing_calls.close);
    replace(vfs, "fstat", (sqlite3_syscall_ptr)failing_calls.fstat);
    replace(vfs, "ftruncate", (sqlite3_syscall_ptr)failing_calls.ftruncate);
    replace(vfs, "fcntl", (sqlite3_syscall_ptr)sys_fcntl);
    replace(vfs, "read", (sqlite3_syscall_ptr)sys_read);
    replace(vfs, "pread", (sqlite3_syscall_ptr)sys_pread);
    replace(vfs, "pread64", (sqlite3_syscall_ptr)sys_pread);
    replace(vfs, "write", (sqlite3_syscall_ptr)sys_write);
    replace(vfs, "pwrite", (sqlite3_syscall_ptr)failing_calls.pwrite);
    replace(vfs, "pwrite64", (sqlite3_syscall_ptr)failing_calls.pwrite);
    replace(vfs, "unlink", (sqlite3_syscall_ptr)sys_unlink);
}

/* ---- its syncs, its shared memory, and its patience */

static sqlite3_io_methods methods;
static const sqlite3_io_methods *real_methods;
static int (*real_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);

static int file_sync(sqlite3_file *file, int flags)
{
    if (call_fails(CALL_FSYNC, -1, "sqlite"))
        return SQLITE_IOERR_FSYNC;
    int result = real_methods->xSync(file, flags);
    call_done(CALL_FSYNC, 0);
    return result;
}

static int file_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_memory)
{
    if (call_fails(CALL_MMAP, -1, "sqlite"))
        return SQLITE_IOERR_SHMMAP;
    int result = real_methods->xShmMap(file, page, size, extend, ret_memory);
    call_done(CALL_MMAP, 0);
    return result;
}

static int file_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
    int result = real_open(vfs, path, file, flags, ret_flags);
    if (result != SQLITE_OK || file->pMethods == NULL)
        return result;
    if (real_methods == NULL) {
        real_methods = file->pMethods;
        methods = *real_methods;
        methods.xSync = file_sync;
        methods.xShmMap = file_map;
    }
    if (file->pMethods == real_methods)
        file->pMethods = &methods;
    return result;
}

/* It says how long it wants to wait, and counts that alone. */
static int no_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

void failing_sqlite_set_up(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    replace_calls(vfs);
    real_open = vfs->xOpen;
    vfs->xOpen = file_open;
    vfs->xSleep = no_sleep;
}

/* ---- its memory */

static struct fault *memory_fault;
static _Atomic long blocks;
static long idle_blocks;
static sqlite3_mem_methods memory;

static void *memory_get(int size)
{
    void *block = fault_tick(memory_fault) ? NULL : memory.xMalloc(size);
    blocks += block != NULL;
    return block;
}

static void memory_release(void *block)
{
    blocks -= block != NULL;
    memory.xFree(block);
}

static void *memory_resize(void *block, int size)
{
    return fault_tick(memory_fault) ? NULL : memory.xRealloc(block, size);
}

void failing_sqlite_set_up_memory(struct fault *fault)
{
    memory_fault = fault;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    sqlite3_mem_methods ours = memory;
    ours.xMalloc = memory_get;
    ours.xFree = memory_release;
    ours.xRealloc = memory_resize;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK || sqlite3_initialize() != SQLITE_OK)
        abort();
    idle_blocks = blocks;
}

long failing_sqlite_live(void)
{
    return blocks - idle_blocks;
}

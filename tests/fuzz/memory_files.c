/* SPDX-License-Identifier: MIT */
#include "memory_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES 16
#define FDS 16
/* Of the directory. The others follow. */
#define FD_FIRST 1000

struct file {
    char name[64];
    char *bytes;
    size_t size;
    size_t capacity;
    unsigned users;
};

static struct file files[FILES];
static struct file *opened[FDS];

static void forget(struct file *file)
{
    free(file->bytes);
    *file = (struct file){0};
}

/* By name; "": one that is free. */
static struct file *find(const char *name)
{
    for (size_t i = 0; i < FILES; i++)
        if (strcmp(files[i].name, name) == 0 && (name[0] != '\0' || files[i].users == 0))
            return &files[i];
    return NULL;
}

static struct file *file_of(int fd)
{
    int at = fd - FD_FIRST - 1;
    if (at < 0 || at >= FDS || opened[at] == NULL)
        abort();
    return opened[at];
}

static struct file *make(const char *name)
{
    struct file *file = find("");
    if (file == NULL || strlen(name) >= sizeof(file->name))
        abort();
    strcpy(file->name, name);
    return file;
}

static int fail(int sys_errno)
{
    errno = sys_errno;
    return -1;
}

static int call_openat(int directory, const char *path, int flags, mode_t mode)
{
    (void)mode;
    if (directory == AT_FDCWD || strcmp(path, "..") == 0)
        return path[0] == '/' ? fail(ENOENT) : FD_FIRST;
    struct file *file = find(path);
    if (file == NULL && (flags & O_CREAT) == 0)
        return fail(ENOENT);
    if (file != NULL && (flags & O_EXCL) != 0)
        return fail(EEXIST);
    if (file == NULL)
        file = make(path);
    for (int i = 0; i < FDS; i++)
        if (opened[i] == NULL) {
            opened[i] = file;
            file->users++;
            return FD_FIRST + 1 + i;
        }
    abort();
}

static int call_mkdir(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    return fail(EEXIST);
}

static int call_fstat(int fd, struct stat *ret_stat)
{
    memset(ret_stat, 0, sizeof(*ret_stat));
    ret_stat->st_uid = geteuid();
    ret_stat->st_nlink = 1;
    ret_stat->st_mode = fd == FD_FIRST ? S_IFDIR | 0700 : S_IFREG | 0600;
    ret_stat->st_size = fd == FD_FIRST ? 0 : (off_t)file_of(fd)->size;
    return 0;
}

static ssize_t call_pread(int fd, void *bytes, size_t count, off_t offset)
{
    const struct file *file = file_of(fd);
    if ((size_t)offset >= file->size)
        return 0;
    count = count < file->size - (size_t)offset ? count : file->size - (size_t)offset;
    memcpy(bytes, file->bytes + offset, count);
    return (ssize_t)count;
}

static void resize(struct file *file, size_t size)
{
    if (size > file->capacity) {
        file->capacity = size + 4096;
        file->bytes = realloc(file->bytes, file->capacity);
        if (file->bytes == NULL)
            abort();
    }
    if (size > file->size)
        memset(file->bytes + file->size, 0, size - file->size);
    file->size = size;
}

static ssize_t call_pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    struct file *file = file_of(fd);
    size_t end = (size_t)offset + count;
    if (end > file->size)
        resize(file, end);
    memcpy(file->bytes + offset, bytes, count);
    return (ssize_t)count;
}

static int call_ftruncate(int fd, off_t size)
{
    resize(file_of(fd), (size_t)size);
    return 0;
}

static int call_sync(int fd)
{
    (void)fd;
    return 0;
}

static void unlink_file(struct file *file)
{
    file->name[0] = '\0';
    if (file->users == 0)
        forget(file);
}

static int call_renameat(int old_directory, const char *old_path, int new_directory, const char *new_path)
{
    (void)old_directory;
    (void)new_directory;
    struct file *file = find(old_path), *old = find(new_path);
    if (file == NULL)
        return fail(ENOENT);
    if (old != NULL)
        unlink_file(old);
    strcpy(file->name, new_path);
    return 0;
}

static int call_unlinkat(int directory, const char *path, int flags)
{
    (void)directory;
    (void)flags;
    struct file *file = find(path);
    if (file == NULL)
        return fail(ENOENT);
    unlink_file(file);
    return 0;
}

static int call_close(int fd)
{
    if (fd == FD_FIRST)
        return 0;
    struct file *file = file_of(fd);
    opened[fd - FD_FIRST - 1] = NULL;
    if (--file->users == 0 && file->name[0] == '\0')
        forget(file);
    return 0;
}

static int call_sync_file_range(int fd, off_t offset, off_t count, unsigned flags)
{
    (void)fd;
    (void)offset;
    (void)count;
    (void)flags;
    return 0;
}

static int call_lock(int fd, short type)
{
    (void)fd;
    (void)type;
    return 0;
}

static int call_is_locked(int fd)
{
    (void)fd;
    return 0;
}

/* The same for the same input. */
static unsigned char random_next;

static ssize_t call_getrandom(void *bytes, size_t count, unsigned flags)
{
    (void)flags;
    memset(bytes, ++random_next, count);
    return (ssize_t)count;
}

const struct muster__journal_calls memory_calls = {
    .openat = call_openat,
    .mkdir = call_mkdir,
    .fstat = call_fstat,
    .pread = call_pread,
    .pwrite = call_pwrite,
    .ftruncate = call_ftruncate,
    .fdatasync = call_sync,
    .fsync = call_sync,
    .renameat = call_renameat,
    .unlinkat = call_unlinkat,
    .close = call_close,
    .lock = call_lock,
    .is_locked = call_is_locked,
    .getrandom = call_getrandom,
    .sync_file_range = call_sync_file_range,
};

void memory_files_clear(void)
{
    for (size_t i = 0; i < FILES; i++)
        forget(&files[i]);
    memset(opened, 0, sizeof(opened));
    random_next = 0;
}

void memory_files_put(const char *name, const void *bytes, size_t size)
{
    struct file *file = make(name);
    resize(file, size);
    if (size > 0)
        memcpy(file->bytes, bytes, size);
}

const char *memory_files_get(const char *prefix, size_t *ret_size)
{
    for (size_t i = 0; i < FILES; i++)
        if (strncmp(files[i].name, prefix, strlen(prefix)) == 0) {
            *ret_size = files[i].size;
            return files[i].bytes == NULL ? "" : files[i].bytes;
        }
    return NULL;
}

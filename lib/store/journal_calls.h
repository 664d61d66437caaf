/* SPDX-License-Identifier: MIT */
/*
 * Every call of the journal to the operating system goes through this table, so that a test can make each of
 * them fail; and so does every call of the sqlite store that isn't sqlite's own.
 */
#ifndef MUSTER__JOURNAL_CALLS_H
#define MUSTER__JOURNAL_CALLS_H

#include <sys/stat.h>
#include <sys/types.h>

/* As the functions of the same name: -1 and errno. */
struct muster__journal_calls {
    /* From 3 on; with O_CLOEXEC. */
    int (*openat)(int directory, const char *path, int flags, mode_t mode);
    int (*mkdir)(const char *path, mode_t mode);
    int (*fstat)(int fd, struct stat *ret_stat);
    ssize_t (*pread)(int fd, void *bytes, size_t count, off_t offset);
    ssize_t (*pwrite)(int fd, const void *bytes, size_t count, off_t offset);
    int (*ftruncate)(int fd, off_t size);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*renameat)(int old_directory, const char *old_path, int new_directory, const char *new_path);
    int (*unlinkat)(int directory, const char *path, int flags);
    int (*close)(int fd);
    /* fcntl(F_OFD_SETLK) over the whole file; `type` is F_WRLCK or F_UNLCK. */
    int (*lock)(int fd, short type);
    /* fcntl(F_OFD_GETLK): 1 if somebody has locked some of the file through another descriptor, 0 if nobody has. */
    int (*is_locked)(int fd);
    ssize_t (*getrandom)(void *bytes, size_t count, unsigned flags);
    int (*fstatat)(int directory, const char *path, struct stat *ret_stat, int flags);
    int (*sync_file_range)(int fd, off_t offset, off_t count, unsigned flags);
};

extern const struct muster__journal_calls muster__journal_system;

#endif

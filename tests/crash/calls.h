/* SPDX-License-Identifier: MIT */
/*
 * The system calls of another process that change or sync a file system: which they are, and on what.
 */
#ifndef TESTS_CRASH_CALLS_H
#define TESTS_CRASH_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum call_kind { CALL_OTHER, CALL_WRITE, CALL_SYNC, CALL_FD, CALL_PATH };

struct call {
    enum call_kind kind;
    const char *name;
    /* Of the file or directory. */
    char path[4096];
    /* Of CALL_WRITE, CALL_SYNC and CALL_FD. */
    int fd;
    /* Of CALL_WRITE. */
    uint64_t offset, size, address;
};

/*
 * The call that process `pid` is about to make, by number and arguments. CALL_OTHER: it changes nothing below the directory
 * `mount`.
 */
void call_get(struct call *call, pid_t pid, const char *mount, uint64_t number, const uint64_t arguments[6]);

/* Bytes of its memory. */
bool call_peek(pid_t pid, uint64_t address, void *bytes, size_t size);

/* Its file, opened once more. */
int call_open_fd(pid_t pid, int fd, int flags);

#endif

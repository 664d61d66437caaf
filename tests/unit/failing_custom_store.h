/* SPDX-License-Identifier: MIT */
/* The example's store, whose n-th call to the system fails when it is told to. Included by one test each. */
#ifndef TESTS_FAILING_CUSTOM_STORE_H
#define TESTS_FAILING_CUSTOM_STORE_H

#include <errno.h>
#include <fcntl.h>
#include <muster.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The call that fails, from 1; 0: none does. */
static uint64_t call_countdown;
static bool call_failed;

static bool call_fails(int sys_errno)
{
    if (call_countdown == 0 || --call_countdown > 0)
        return false;
    call_failed = true;
    errno = sys_errno;
    return true;
}

/* For muster_testing_store(). */
static int fail_call(uint64_t count)
{
    bool failed = call_failed;
    call_countdown = count;
    call_failed = false;
    return failed;
}

static int close_and_fail(int fd)
{
    bool fails = call_fails(EIO);
    int result = close(fd);
    errno = fails ? EIO : errno;
    return fails ? -1 : result;
}

static int fclose_and_fail(FILE *file)
{
    bool fails = call_fails(ENOMEM);
    int result = fclose(file);
    return fails ? EOF : result;
}

static ssize_t write_half(int fd, const void *bytes, size_t count)
{
    return call_fails(ENOSPC) ? write(fd, bytes, count / 2) : write(fd, bytes, count);
}

#define CUSTOM_STORE_NO_MAIN
#define open(...) (call_fails(EMFILE) ? -1 : open(__VA_ARGS__))
#define flock(fd, how) (call_fails(ENOLCK) ? -1 : flock(fd, how))
#define fdatasync(fd) (call_fails(EIO) ? -1 : fdatasync(fd))
#define fopen(path, mode) (call_fails(EMFILE) ? NULL : fopen(path, mode))
#define open_memstream(text, bytes) (call_fails(ENOMEM) ? NULL : open_memstream(text, bytes))
#define getline(text, bytes, file) (call_fails(ENOMEM) ? -1 : getline(text, bytes, file))
#define malloc(bytes) (call_fails(ENOMEM) ? NULL : malloc(bytes))
#define realloc(old, bytes) (call_fails(ENOMEM) ? NULL : realloc(old, bytes))
#define close(fd) close_and_fail(fd)
#define fclose(file) fclose_and_fail(file)
#define write(fd, bytes, count) write_half(fd, bytes, count)
#include "../../examples/custom_store.c"
#undef open
#undef flock
#undef fdatasync
#undef fopen
#undef open_memstream
#undef getline
#undef malloc
#undef realloc
#undef close
#undef fclose
#undef write

#endif

/* SPDX-License-Identifier: MIT */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 5
#define LOOKS 200

static int failed(const struct muster__lock *lock, struct muster_error *error, int sys_errno, const char *operation)
{
    return muster_error_set(error, sys_errno == ENOMEM ? MUSTER_ENOMEM : MUSTER_EIO, sys_errno, "%s %s%s", operation,
                            lock->name, lock->suffix);
}

/* A whole small file; "" if there is none such. */
static void read_text(const struct muster__lock *lock, int fd, char *ret_text, size_t size)
{
    ssize_t got;
    do
        got = fd < 0 ? -1 : lock->calls->pread(fd, ret_text, size - 1, 0);
    while (fd >= 0 && got < 0 && errno == EINTR);
    ret_text[got < 0 ? 0 : got] = '\0';
}

/*
 * The time a process started, in the words of /proc; "" if there is none such, or only its zombie. What is left of a
 * process whose first thread has ended looks like one, too, but has threads.
 */
static void start_time(const struct muster__lock *lock, long pid, char ret_time[32])
{
    char path[64];
    char text[1024];
    char *save = NULL;
    char *words[20] = {NULL};
    ret_time[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    int fd = lock->calls->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    read_text(lock, fd, text, sizeof(text));
    if (fd >= 0)
        lock->calls->close(fd);
    /* Behind the name, which stands in parentheses and may hold anything: the state, ..., threads, 0, the start time. */
    char *rest = strrchr(text, ')');
    for (int i = 0; rest != NULL && i < 20 && (i == 0 || words[i - 1] != NULL); i++)
        words[i] = strtok_r(i == 0 ? rest + 1 : NULL, " ", &save);
    if (words[19] == NULL || (strchr("ZX", words[0][0]) != NULL && strtol(words[17], NULL, 10) <= 1))
        return;
    snprintf(ret_time, 32, "%.31s", words[19]);
}

/* Whose it is, as the lock file has it; 0: it doesn't say. */
static long holder(const struct muster__lock *lock, bool *ret_gone)
{
    char text[128];
    char then[32] = "";
    char now[32];
    char end = '\0';
    long pid = 0;
    *ret_gone = false;
    read_text(lock, lock->fd, text, sizeof(text));
    if (sscanf(text, "%ld %31s%c", &pid, then, &end) != 3 || end != '\n' || pid <= 0)
        return 0;
    start_time(lock, pid, now);
    *ret_gone = strcmp(then, now) != 0;
    return pid;
}

static int held(const struct muster__lock *lock, struct muster_error *error)
{
    bool gone;
    long pid = holder(lock, &gone);
    if (pid == 0)
        return muster_error_set(error, MUSTER_EBUSY, 0, "%s%s is held by another process", lock->kind, lock->name);
    if (!gone)
        return muster_error_set(error, MUSTER_EBUSY, 0, "%s%s is held by process %ld", lock->kind, lock->name, pid);
    return muster_error_set(error, MUSTER_EBUSY, 0,
                            "%s%s is still held by a child that inherited it from process %ld, or by a process of another pid "
                            "namespace", lock->kind, lock->name, pid);
}

/* A holder that was killed between fork and exec leaves a child that lets go of it in a moment. */
static bool is_to_be_waited_for(const struct muster__lock *lock, int looks)
{
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    bool gone;
    if (looks >= LOOKS || holder(lock, &gone) == 0 || !gone)
        return false;
    nanosleep(&pause, NULL);
    return true;
}

/* -1 and errno. */
static int write_text(const struct muster__lock *lock, const char *text)
{
    size_t done = 0;
    while (done < strlen(text)) {
        ssize_t count = lock->calls->pwrite(lock->fd, text + done, strlen(text) - done, (off_t)done);
        if (count == 0)
            errno = EIO;
        if (count == 0 || (count < 0 && errno != EINTR))
            return -1;
        done += count < 0 ? 0 : (size_t)count;
    }
    return 0;
}

/* For the message of whoever comes next. */
static int sign(const struct muster__lock *lock, struct muster_error *error)
{
    char text[128];
    char time[32];
    start_time(lock, getpid(), time);
    snprintf(text, sizeof(text), "%ld %s\n", (long)getpid(), time);
    if (lock->calls->ftruncate(lock->fd, 0) != 0)
        return failed(lock, error, errno, "truncate");
    if (write_text(lock, text) != 0 && errno != ENOSPC && errno != EDQUOT)
        return failed(lock, error, errno, "write");
    return 0;
}

int muster__lock_take(const struct muster__lock *lock, struct muster_error *error)
{
    for (int looks = 0;; looks++) {
        if (lock->calls->lock(lock->fd, F_WRLCK) == 0)
            return sign(lock, error);
        if (errno != EAGAIN && errno != EACCES)
            return failed(lock, error, errno, "lock");
        if (!is_to_be_waited_for(lock, looks))
            return held(lock, error);
    }
}

int muster__lock_release(const struct muster__lock *lock, struct muster_error *error)
{
    int code = 0;
    if (lock->calls->ftruncate(lock->fd, 0) != 0)
        code = failed(lock, error, errno, "truncate");
    if (lock->calls->lock(lock->fd, F_UNLCK) != 0)
        code = failed(lock, error, errno, "unlock");
    return code;
}

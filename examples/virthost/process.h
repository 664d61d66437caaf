/* SPDX-License-Identifier: MIT */
/*
 * Processes that outlive the daemon.
 *
 * A process is known by its pid and its start time: a pid alone may be another's by now. What the daemon
 * spawns inherits a lock from the moment of the fork, so that "the lock is free" proves that nothing runs,
 * even if the daemon died between the fork and whatever it would have written down.
 */
#ifndef VIRTHOST_PROCESS_H
#define VIRTHOST_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <uv.h>

/* In ticks since the machine's start; 0: there is no such process, or it is a zombie (pid 1 may not reap). */
uint64_t process_start_time(pid_t pid);

/* The first process that has exactly `argument` among its arguments; 0: none. */
pid_t process_find(const char *argument);

/* 1 if the process has exactly `argument` among its arguments, else 0. */
int process_has_argument(pid_t pid, const char *argument);

/* The argument that follows `option` and begins with `prefix`, without the prefix, for free(); NULL: none. */
char *process_option(pid_t pid, const char *option, const char *prefix);

/* Take the lock in `path`. Returns a descriptor (close-on-exec), -EAGAIN if it is held, or another negative
 * errno. */
int process_lock(const char *path);

/* 1 held, 0 free, or a negative errno. Never takes it. */
int process_lock_is_held(const char *path);

/* Which one. */
struct process_id {
    pid_t pid;
    uint64_t start_time;
};

/* A process that may end. */
struct process;
typedef void (*process_ended_cb)(void *data);

/*
 * Call `cb` once when the process has ended. Works for children and for strangers. -ESRCH: it isn't there
 * (any more). `cb` may free it.
 */
int process_watch(uv_loop_t *loop, struct process_id id, process_ended_cb cb, void *data,
                  struct process **ret_process);
void process_signal(struct process *process, int signal_number);
void process_unwatch(struct process *process);

/* How a child ended: its exit status, or 128 + the signal. */
typedef void (*process_exit_cb)(void *data, int status);

struct process_spawn {
    const char *const *argv;
    /* Inherited as descriptor 3; -1: none. */
    int lock;
    /* Its output; emptied first. */
    const char *log;
    process_exit_cb exited;
    void *data;
};

/* A child of its own session, which lives on when the daemon dies. Returns its pid, or a negative errno.
 * `exited` may be NULL. */
int process_spawn(uv_loop_t *loop, const struct process_spawn *spawn);

/* Their ends are of no interest any more: the loop is to be closed. */
void process_disown(uv_loop_t *loop);

/* The last line of a log, or "no message". */
void process_last_words(const char *log, char *text, size_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The runner: it carries out what the engine asks for, and turns the ends into events. The engine is stepped on the loop
 * thread alone (of an abandoned context: by whoever holds the mutex). Other threads only put into the inbox, the posts and
 * the store's results, and wake the loop.
 */
#ifndef MUSTER__CONTEXT_H
#define MUSTER__CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <muster/context.h>
#include <muster/observe.h>
#include <muster/report.h>

#include "base/list.h"
#include "base/memory.h"
#include "engine/engine.h"

#define MUSTER__DEFAULT_WORKERS 16
#define MUSTER__BOOT_ID_MAX 64

/*
 * Threads for THREADED callbacks: made on demand, and kept for the life of the context. Up to `max` of them are in callbacks
 * within their deadline; in place of those past it, which may never return, there are up to `max` more. Guarded by the mutex.
 */
struct muster__workers {
    pthread_cond_t work;
    struct muster__list queue; /* ops that no worker has taken, by `queue` */
    size_t queued;
    size_t idle;
    size_t max;
    struct muster__list calls; /* struct call, in the order in which they began */
    size_t in_time;            /* of these */
    size_t late;               /* the others */
    pthread_t *threads;
    size_t count;
    size_t capacity;
    bool quit;
};

/* The store's own thread: one call at a time, in the order they were asked for. Guarded by the mutex. */
struct muster__store_worker {
    pthread_t thread;
    pthread_cond_t work;
    pthread_cond_t gone;
    struct muster__list queue;
    struct muster__list results;
    bool started;
    bool running; /* the thread hasn't ended */
    bool opened;  /* the thread's own */
    bool quit;
    bool orphaned; /* nobody waits for the thread any more: it destroys the store itself */
};

struct muster__observer {
    muster_observe_cb cb;
    void *data;
};

/* Tells a child after fork from its parent: a page that the kernel wipes in the child, or else the pid. */
struct muster__canary {
    unsigned char *page; /* NULL: not supported */
    pid_t pid;
};

struct muster {
    struct muster__memory memory;
    struct muster__canary canary;
    struct muster__engine *engine;
    struct muster_store *store; /* NULL: none, or destroyed */
    struct muster_executor executor; /* submit NULL: muster's own workers */
    uint64_t op_timeout_ms;
    uint64_t store_timeout_ms;
    int fd;

    /* ---- the loop thread's own */
    void *loop_data;
    uint64_t now;
    uint64_t tick;  /* of the coarse clock, in ms, when `now` was read */
    bool exact;     /* somebody looks at times closer than a tick: read after every call */
    struct muster_op *called; /* being called, and the clock not read since */
    bool processing; /* inside muster_process() */
    bool stepped;    /* outside of it, so that actions may be waiting */
    bool ending;     /* being freed or abandoned: only releases of data come still */
    struct muster__observer *observers;
    size_t observer_count;
    size_t observer_capacity;

    /* ---- a signal handler's: enum muster_shutdown_kind + 1, or 0 */
    atomic_int shutdown_wanted;

    /* ---- any thread's */
    pthread_mutex_t mutex;
    bool awake; /* the loop is in muster_process(), or its fd is readable */
    bool abandoned;
    size_t threads_alive;
    struct muster__list inbox; /* struct muster_op by `inbox` */
    struct muster__list posts;
    struct muster__workers workers;
    struct muster__store_worker store_worker;
};

/* What the inbox has to tell of an op: muster_op.news. */
enum muster__news { MUSTER__NEWS_FINISHED = 1, MUSTER__NEWS_EXTENDED = 2, MUSTER__NEWS_TWICE = 4 };

/* ---- boot.c */

/* The kernel's boot id, or "". `text` has MUSTER__BOOT_ID_MAX + 1 bytes. */
void muster__boot_id(char *text);
/* 0 or a negative errno. */
int muster__random_seed(uint64_t seed[2]);

/* ---- clock.c */

/* CLOCK_MONOTONIC in ms. */
uint64_t muster__clock_ms(void);
/* Read it into context->now, which never goes back. */
uint64_t muster__now(struct muster *context);
/* After the call of an op that has ended: read it if the coarse clock, which costs a tenth, says that there is news. */
void muster__now_and_then(struct muster *context);
/* `ms` from now, for pthread_cond_timedwait() on muster__cond_init()'s condition. */
struct timespec muster__deadline(uint64_t ms);
int muster__cond_init(pthread_cond_t *cond);

/* ---- context.c */

int muster__canary_init(struct muster__canary *canary);
void muster__canary_fini(struct muster__canary *canary);
/* Async-signal-safe. */
bool muster__forked(const struct muster *context);
/* How each public function begins: 0, MUSTER_EINVAL for NULL, MUSTER_ECHILD in a child after fork. */
int muster__enter(const struct muster *context);
/* What the user asks for: one event into the engine, and a wake-up of the loop. */
int muster__request(struct muster *context, struct muster__event *event);
/* The runner's own event. */
void muster__step(struct muster *context, struct muster__event *event);
/*
 * The mutex is held. Of an abandoned context: let the engine hear of what has ended. True if that was the last of it: the caller
 * unlocks, and calls muster__context_destroy(). False, at once, for any other context.
 */
bool muster__context_settle(struct muster *context);
void muster__context_destroy(struct muster *context);

/* ---- loop.c */

/* The mutex is held. */
void muster__wake(struct muster *context);

/* ---- inbox.c */

/* The mutex is held. */
void muster__inbox_add(struct muster *context, struct muster_op *op, enum muster__news news);
/* An op that is called anew: it may still be there, finished twice in its former life. */
void muster__inbox_forget(struct muster *context, struct muster_op *op);
/* Step all that is there, one by one. */
void muster__inbox_run(struct muster *context);
/* The same with the mutex held, of an abandoned context. */
void muster__inbox_run_locked(struct muster *context);

/* ---- actions.c */

void muster__carry_out(struct muster *context, const struct muster__action *action);

/* ---- ops.c */

/* A callback has returned on another thread, or on the loop thread. */
void muster__op_returned(struct muster_op *op, int outcome);
void muster__op_returned_on_loop(struct muster *context, struct muster_op *op, int outcome);
/* Finish an op that was never called. The mutex is held. */
void muster__op_refuse(struct muster *context, struct muster_op *op, int code, const char *text);
/* Move its deadline. The mutex is held. */
void muster__op_delay(struct muster *context, struct muster_op *op, uint64_t ms);
void muster__op_forget_names(struct muster_op *op);

/* ---- post.c */

void muster__posts_run(struct muster *context);
/* Without calling them. */
void muster__posts_drop(struct muster *context);

/* ---- workers.c */

int muster__workers_init(struct muster *context, size_t max);
void muster__workers_fini(struct muster *context);
/* Call the op's callback on a worker or on the host's executor. */
void muster__workers_submit(struct muster *context, struct muster_op *op);
/* Take back an op that no worker has taken: it is finished as cancelled. False: it has been taken. */
bool muster__workers_withdraw(struct muster *context, struct muster_op *op);
/* It is past its deadline: if a worker is in its callback, another one may take that one's place. */
void muster__workers_late(struct muster *context, const struct muster_op *op);
void muster__workers_withdraw_all(struct muster *context);
void muster__workers_join(struct muster *context);
/* The mutex is held: they end by themselves. */
void muster__workers_detach(struct muster *context);
/* All signals blocked. 0 or a negative errno. */
int muster__thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *arg), void *arg);

/* ---- report.c */

/* `now_ms` on the clock of the events, and on the wall's. */
int muster__report_of(const struct muster__engine *engine, const struct muster__memory *memory, const uint64_t now_ms[2],
                      enum muster_report_kind kind, struct muster_report **ret_report);

/* ---- store_worker.c */

int muster__store_worker_init(struct muster *context);
void muster__store_worker_fini(struct muster *context);
/* LOAD, COMMIT or CLOSE. Its end comes with muster__store_results(). */
void muster__store_submit(struct muster *context, const struct muster__action *action);
void muster__store_results(struct muster *context);
/*
 * Finish what was asked for, close and destroy the store. False: a call of the store hangs; its thread will do the rest.
 */
bool muster__store_worker_end(struct muster *context);

#endif

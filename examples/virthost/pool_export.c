/* SPDX-License-Identifier: MIT */
/*
 * Pools that are an nbdkit which the daemon starts and which outlives it: as an iSCSI session, it can be
 * found again.
 *
 * nbdkit runs as a daemon of its own (in the foreground it dies with the thread that has started it). It
 * inherits a lock from the fork on: while the lock is free, there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delay.h"
#include "nbd_link.h"
#include "object.h"
#include "process.h"

#define PATIENCE_MS 10
#define KILL_MS 3000

/*
 * nbdkit has itself sent SIGTERM when its parent dies, until it has forked; one that gets it between that fork and its
 * exit leaves a child that spins and serves nobody. So its parent is a shell that waits for it, and not the daemon
 * that may be killed.
 */
static const char spawn_script[] = "nbdkit \"$@\"; exit $?";

struct export_pool {
    struct object object;
    char lock[VIRTHOST_PATH_BYTES];
    char pidfile[VIRTHOST_PATH_BYTES];
    char socket[VIRTHOST_PATH_BYTES];
    char log[VIRTHOST_PATH_BYTES];
    pid_t pid;
    struct process *process;
    struct nbd_link *link;
    struct delay *delay;
    /* The one that is out; what it does next is in the callbacks. */
    struct muster_op *op;
};

/* ---- which one ------------------------------------------------------------------------------------ */

static struct export_pool *pool_of(const struct muster_op *op)
{
    struct export_pool *pool = (struct export_pool *)object_of_op(op);
    const struct object *object = &pool->object;
    virthost_run_path(object->host, "export", object->name, ".lock", pool->lock);
    virthost_run_path(object->host, "export", object->name, ".pid", pool->pidfile);
    virthost_run_path(object->host, "export", object->name, ".sock", pool->socket);
    virthost_run_path(object->host, "export", object->name, ".log", pool->log);
    return pool;
}

/* The one that the pid file names, if it is ours; 0: none (yet). */
static pid_t read_pid(const struct export_pool *pool)
{
    char text[32] = "";
    int fd = open(pool->pidfile, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    pid_t pid = got > 0 && text[got - 1] == '\n' ? (pid_t)atoi(text) : 0;
    return pid > 0 && process_start_time(pid) != 0 && process_has_argument(pid, pool->socket) ? pid : 0;
}

static void on_ended(void *data);

/* Watch the one that runs. */
static int find(struct export_pool *pool)
{
    if (pool->process != NULL)
        return 0;
    pid_t pid = read_pid(pool);
    if (pid == 0)
        return -ESRCH;
    struct process_id id = {pid, process_start_time(pid)};
    int code = process_watch(&pool->object.host->loop, id, on_ended, pool, &pool->process);
    if (code == 0)
        pool->pid = pid;
    return code;
}

static void let_go(struct export_pool *pool)
{
    nbd_link_free(pool->link);
    delay_free(pool->delay);
    process_unwatch(pool->process);
    pool->link = NULL;
    pool->delay = NULL;
    pool->process = NULL;
    pool->pid = 0;
}

static void finish(struct export_pool *pool, int outcome)
{
    struct muster_op *op = pool->op;
    pool->op = NULL;
    delay_free(pool->delay);
    pool->delay = NULL;
    muster_op_finish(op, outcome);
}

static void fail(struct export_pool *pool, const char *text)
{
    struct muster_op *op = pool->op;
    pool->op = NULL;
    delay_free(pool->delay);
    pool->delay = NULL;
    muster_op_fail(op, MUSTER_EFAILED, "nbdkit: %s", text);
}

static void stopped(struct export_pool *pool)
{
    unlink(pool->pidfile);
    unlink(pool->socket);
    finish(pool, MUSTER_OK);
}

static void on_ended(void *data)
{
    struct export_pool *pool = data;
    let_go(pool);
    if (pool->op == NULL)
        muster_resource_changed(pool->object.resource, MUSTER_CHANGED_LOST);
    else if (muster_op_phase(pool->op) == MUSTER_PHASE_PROBE)
        finish(pool, MUSTER_UNAVAILABLE);
    else if (muster_op_phase(pool->op) != MUSTER_PHASE_STOP)
        fail(pool, "it has ended");
    else
        stopped(pool);
}

/* ---- probe, start, adopt -------------------------------------------------------------------------- */

static void set_handle(const struct export_pool *pool, struct muster_op *op)
{
    char handle[128];
    snprintf(handle, sizeof(handle), "{\"pid\":%d,\"start\":%llu}", (int)pool->pid,
             (unsigned long long)process_start_time(pool->pid));
    muster_op_set_handle(op, handle);
}

static void on_link(void *data, const char *error)
{
    struct export_pool *pool = data;
    nbd_link_free(pool->link);
    pool->link = NULL;
    if (pool->op == NULL)
        return;
    bool probing = muster_op_phase(pool->op) == MUSTER_PHASE_PROBE;
    if (error != NULL && probing) {
        finish(pool, MUSTER_UNAVAILABLE);
    } else if (error != NULL) {
        fail(pool, error);
    } else if (probing) {
        finish(pool, MUSTER_ACTIVE);
    } else {
        set_handle(pool, pool->op);
        finish(pool, MUSTER_OK);
    }
}

/* The handshake tells that it serves. */
static int connect_pool(struct export_pool *pool, struct muster_op *op, char *error, size_t bytes)
{
    struct nbd_link_target target = {.socket = pool->socket, .export_name = "", .cb = on_link, .data = pool};
    pool->link = nbd_link_new(&pool->object.host->loop, &target, error, bytes);
    if (pool->link == NULL)
        return MUSTER_EFAILED;
    pool->op = op;
    return MUSTER_PENDING;
}

static int probe_export(struct muster_op *op)
{
    struct export_pool *pool = pool_of(op);
    int held = process_lock_is_held(pool->lock);
    if (held < 0)
        return muster_op_fail(op, held, "%s: %s", pool->lock, strerror(-held));
    if (held == 0)
        return MUSTER_INACTIVE;
    char error[256];
    /* It may be on its way: between the fork and its pid file. */
    if (find(pool) != 0 || connect_pool(pool, op, error, sizeof(error)) != MUSTER_PENDING)
        return muster_op_fail(op, MUSTER_EUNAVAILABLE, "nbdkit is not ready");
    return MUSTER_PENDING;
}

static int adopt_export(struct muster_op *op)
{
    struct export_pool *pool = pool_of(op);
    if (find(pool) != 0)
        return muster_op_fail(op, MUSTER_EFAILED, "nbdkit: it has ended");
    set_handle(pool, op);
    return MUSTER_OK;
}

static void on_patience(void *data)
{
    struct export_pool *pool = data;
    delay_free(pool->delay);
    pool->delay = NULL;
    if (find(pool) != 0) {
        pool->delay = delay_new(&pool->object.host->loop, PATIENCE_MS, on_patience, pool);
        return;
    }
    char error[256];
    if (connect_pool(pool, pool->op, error, sizeof(error)) != MUSTER_PENDING)
        fail(pool, error);
}

/* What was spawned has left its child behind, and that writes the pid file. */
static void on_spawned(void *data, int status)
{
    struct export_pool *pool = data;
    char text[256];
    if (pool->op == NULL || muster_op_phase(pool->op) != MUSTER_PHASE_START)
        return;
    if (status == 0) {
        on_patience(pool);
        return;
    }
    process_last_words(pool->log, text, sizeof(text));
    fail(pool, text);
}

static int make_disk(const json_t *config)
{
    const char *path = config_string(config, "path");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    off_t size = (off_t)config_integer(config, "size");
    int code = lseek(fd, 0, SEEK_END) < size && ftruncate(fd, size) != 0 ? -errno : 0;
    close(fd);
    return code;
}

static int start_export(struct muster_op *op)
{
    struct export_pool *pool = pool_of(op);
    const json_t *config = pool->object.config;
    if (strlen(pool->socket) > 107)
        return muster_op_fail(op, MUSTER_EFAILED, "%s: too long for a socket, use a shorter --state",
                              pool->socket);
    int code = make_disk(config);
    if (code != 0)
        return muster_op_fail(op, MUSTER_EUNAVAILABLE, "%s: %s", config_string(config, "path"),
                              strerror(-code));
    int lock = process_lock(pool->lock);
    if (lock < 0)
        return muster_op_fail(op, lock, "%s: %s", pool->lock,
                              lock == -EAGAIN ? "it runs already" : strerror(-lock));
    unlink(pool->pidfile);
    unlink(pool->socket);
    char file[512];
    snprintf(file, sizeof(file), "file=%s", config_string(config, "path"));
    const char *argv[] = {"sh",         "-c", spawn_script,  "sh",   "-U",
                          pool->socket, "-P", pool->pidfile, "file", file, NULL};
    struct process_spawn spawn = {
        .argv = argv, .lock = lock, .log = pool->log, .exited = on_spawned, .data = pool};
    code = process_spawn(&pool->object.host->loop, &spawn);
    close(lock);
    if (code < 0)
        return muster_op_fail(op, code, "cannot run sh: %s", uv_strerror(code));
    pool->op = op;
    return MUSTER_PENDING;
}

/* ---- stop, cancel, shutdown ----------------------------------------------------------------------- */

static void on_kill(void *data)
{
    struct export_pool *pool = data;
    delay_free(pool->delay);
    pool->delay = NULL;
    process_signal(pool->process, SIGKILL);
}

static int stop_export(struct muster_op *op)
{
    struct export_pool *pool = pool_of(op);
    if (find(pool) != 0) {
        if (process_lock_is_held(pool->lock) == 1)
            return muster_op_fail(op, MUSTER_EFAILED, "%s is held, but nbdkit can't be found", pool->lock);
        return MUSTER_OK;
    }
    pool->op = op;
    pool->delay = delay_new(&pool->object.host->loop, KILL_MS, on_kill, pool);
    process_signal(pool->process, SIGTERM);
    return MUSTER_PENDING;
}

static void cancel_export(struct muster_op *op)
{
    struct export_pool *pool = muster_op_resource_data(op);
    if (pool == NULL || pool->op != op)
        return;
    enum muster_phase phase = muster_op_phase(op);
    if (phase == MUSTER_PHASE_STOP || (phase == MUSTER_PHASE_START && find(pool) == 0)) {
        process_signal(pool->process, SIGKILL);
        return;
    }
    let_go(pool);
    fail(pool, "it has not answered");
}

static int shutdown_export(struct muster_op *op)
{
    struct virthost *host = muster_op_driver_data(op);
    for (struct object *object = host->objects; object != NULL; object = object->next)
        if (object->kind == &export_kind)
            let_go((struct export_pool *)object);
    return MUSTER_OK;
}

static void define_export(struct muster_driver_def *def)
{
    static const char *const storage[] = {"storage", NULL};
    def->provides = storage;
    def->op_timeout_ms = 15000;
    def->probe = probe_export;
    def->adopt = adopt_export;
    def->start = start_export;
    def->stop = stop_export;
    def->cancel = cancel_export;
    def->shutdown = shutdown_export;
}

static void fini_export(struct object *object)
{
    let_go((struct export_pool *)object);
}

static pid_t export_pid(const struct object *object)
{
    return ((const struct export_pool *)object)->pid;
}

const struct object_kind export_kind = {
    .driver = "export",
    .size = sizeof(struct export_pool),
    .define = define_export,
    .fini = fini_export,
    .pid = export_pid,
};

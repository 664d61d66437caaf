/* SPDX-License-Identifier: MIT */
/*
 * Guests: one QEMU each, which outlives the daemon.
 *
 * QEMU inherits a lock from the fork on, so "the lock is free" means that nothing runs. If it is held, the
 * one QEMU with our monitor's path on its command line is the guest, whether it got as far as a handle or
 * not. Between the fork and the exec there is no such command line yet: then a probe can't tell.
 */
#include "guest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delay.h"
#include "process.h"
#include "qmp.h"

#define QUIT_MS 3000
#define TERM_MS 3000
#define RESUME_MS 1000

struct guest {
    struct object object;
    struct guest_paths paths;
    /* Zero: none. */
    struct process_id id;
    struct process *process;
    struct qmp *qmp;
    /* Runs while a stop waits: QEMU gets less and less friendly requests. */
    struct delay *delay;
    int stop_signal;
    /* Runs while QEMU has paused it since its disk failed. */
    struct delay *resume;
    /* It told that it powers itself off. */
    bool goes_by_itself;
    /* What starts or adopts or stops it. */
    struct muster_op *op;
};

static void on_ended(void *data);

/* ---- which one ------------------------------------------------------------------------------------ */

static void set_paths(const struct virthost *host, const char *name, struct guest_paths *paths)
{
    virthost_run_path(host, "guest", name, ".lock", paths->lock);
    virthost_run_path(host, "guest", name, ".log", paths->log);
    virthost_run_path(host, "guest", name, ".firmware", paths->firmware);
    virthost_run_path(host, "guest", name, ".qmp", paths->qmp);
    virthost_run_path(host, "guest", name, ".observer", paths->observer);
}

static struct guest *guest_of(const struct muster_op *op)
{
    struct guest *guest = (struct guest *)object_of_op(op);
    set_paths(guest->object.host, guest->object.name, &guest->paths);
    return guest;
}

static json_t *read_handle(const char *handle)
{
    return handle == NULL ? NULL : json_loads(handle, 0, NULL);
}

/* The QEMU that has our monitor on its command line, 0: none; and whether it is ours. */
static pid_t find_qemu(const struct muster_op *op, const struct guest_paths *paths, bool *ret_ours)
{
    char *monitor = guest_command_monitor(paths->qmp);
    if (monitor == NULL)
        return 0;
    json_t *values = read_handle(muster_op_handle(op));
    pid_t pid = (pid_t)config_integer(values, "pid");
    uint64_t start_time = (uint64_t)config_integer(values, "start");
    json_decref(values);
    *ret_ours = true;
    if (pid <= 0 || process_start_time(pid) != start_time || !process_has_argument(pid, monitor)) {
        char uuid[37] = "";
        if (muster_op_token(op) != NULL)
            guest_command_uuid(muster_op_token(op), uuid);
        pid = process_find(monitor);
        *ret_ours = process_lock_is_held(paths->lock) == 1 || (pid != 0 && process_has_argument(pid, uuid));
    }
    free(monitor);
    return pid;
}

static int watch(struct guest *guest, pid_t pid)
{
    struct process_id id = {pid, process_start_time(pid)};
    int code = process_watch(&guest->object.host->loop, id, on_ended, guest, &guest->process);
    if (code != 0)
        return code;
    guest->id = id;
    guest->goes_by_itself = false;
    return 0;
}

static void let_go(struct guest *guest)
{
    qmp_free(guest->qmp);
    delay_free(guest->delay);
    delay_free(guest->resume);
    process_unwatch(guest->process);
    guest->qmp = NULL;
    guest->delay = NULL;
    guest->resume = NULL;
    guest->process = NULL;
    guest->id = (struct process_id){0};
}

/* All that a later daemon needs, also of a guest that no file defines. */
static char *make_handle(const struct guest *guest)
{
    char *uuid = process_option(guest->id.pid, "-uuid", "");
    json_t *config = guest_command_config(guest->id.pid);
    json_t *handle =
        json_pack("{s:i, s:I, s:s, s:b, s:o}", "pid", (int)guest->id.pid, "start",
                  (json_int_t)guest->id.start_time, "uuid", uuid == NULL ? "" : uuid, "transient",
                  guest->object.transient, "config", config == NULL ? json_object() : config);
    char *text = handle == NULL ? NULL : json_dumps(handle, JSON_COMPACT);
    json_decref(handle);
    free(uuid);
    return text;
}

/* ---- ends of ops ---------------------------------------------------------------------------------- */

static struct muster_op *take_op(struct guest *guest)
{
    struct muster_op *op = guest->op;
    guest->op = NULL;
    delay_free(guest->delay);
    guest->delay = NULL;
    return op;
}

static void on_ended(void *data)
{
    struct guest *guest = data;
    bool by_itself = guest->goes_by_itself;
    struct muster_op *op = take_op(guest);
    let_go(guest);
    if (op == NULL) {
        muster_resource_changed(guest->object.resource,
                                by_itself ? MUSTER_CHANGED_INACTIVE : MUSTER_CHANGED_LOST);
    } else if (muster_op_phase(op) == MUSTER_PHASE_STOP) {
        muster_op_finish(op, MUSTER_OK);
    } else {
        char text[256] = "it had not answered in time";
        if (!muster_op_cancelled(op))
            process_last_words(guest->paths.log, text, sizeof(text));
        muster_op_fail(op, MUSTER_EFAILED, "QEMU has ended: %s", text);
    }
}

static void on_ready(void *data, const char *status)
{
    struct guest *guest = data;
    if (strcmp(status, "io-error") == 0)
        qmp_send(guest->qmp, "cont");
    if (guest->op == NULL || muster_op_phase(guest->op) == MUSTER_PHASE_STOP)
        return;
    struct muster_op *op = take_op(guest);
    char *handle = make_handle(guest);
    int code = handle == NULL ? MUSTER_ENOMEM : muster_op_set_handle(op, handle);
    free(handle);
    if (code != 0)
        muster_op_fail(op, code, "%s", muster_code_text(code));
    else
        muster_op_finish(op, MUSTER_OK);
}

/* Its disk may be back: if it isn't, QEMU tells that it has failed again. */
static void on_resume(void *data)
{
    struct guest *guest = data;
    delay_free(guest->resume);
    guest->resume = NULL;
    qmp_send(guest->qmp, "cont");
}

static void on_event(void *data, const char *name, const json_t *values)
{
    struct guest *guest = data;
    const char *action = json_string_value(json_object_get(values, "action"));
    if (strcmp(name, "BLOCK_IO_ERROR") == 0 && action != NULL && strcmp(action, "stop") == 0 && guest->resume == NULL)
        guest->resume = delay_new(&guest->object.host->loop, RESUME_MS, on_resume, guest);
    if (strcmp(name, "SHUTDOWN") == 0 && json_is_true(json_object_get(values, "guest")))
        guest->goes_by_itself = true;
}

static int connect_qmp(struct guest *guest, struct muster_op *op)
{
    static const struct qmp_events events = {.ready = on_ready, .event = on_event};
    guest->qmp = qmp_new(&guest->object.host->loop, guest->paths.qmp, &events, guest);
    if (guest->qmp == NULL)
        return muster_op_fail(op, MUSTER_ENOMEM, "out of memory");
    guest->op = op;
    return MUSTER_PENDING;
}

/* ---- probe, adopt, start -------------------------------------------------------------------------- */

static int probe_guest(struct muster_op *op)
{
    struct guest *guest = guest_of(op);
    int held = process_lock_is_held(guest->paths.lock);
    if (held < 0)
        return muster_op_fail(op, held, "%s: %s", guest->paths.lock, strerror(-held));
    bool ours = false;
    if (find_qemu(op, &guest->paths, &ours) != 0)
        return ours ? MUSTER_ACTIVE : MUSTER_FOREIGN;
    if (held == 1)
        return muster_op_fail(op, MUSTER_EUNAVAILABLE, "QEMU is on its way");
    return MUSTER_INACTIVE;
}

static int adopt_guest(struct muster_op *op)
{
    struct guest *guest = guest_of(op);
    let_go(guest);
    bool ours = false;
    pid_t pid = find_qemu(op, &guest->paths, &ours);
    if (pid == 0 || !ours || watch(guest, pid) != 0)
        return muster_op_fail(op, MUSTER_EFAILED, "QEMU has ended");
    return connect_qmp(guest, op);
}

/* Its pid, or a negative code with a text. */
static int spawn_guest(const struct guest *guest, const char *token, int lock, char *error, size_t bytes)
{
    struct guest_command command;
    int code = guest_command_init(&command, &guest->object, &guest->paths, token);
    if (code != 0)
        snprintf(error, bytes, "%s", command.error);
    if (code == 0) {
        unlink(guest->paths.qmp);
        unlink(guest->paths.observer);
        struct process_spawn spawn = {.argv = command.argv, .lock = lock, .log = guest->paths.log};
        code = process_spawn(&guest->object.host->loop, &spawn);
        if (code < 0)
            snprintf(error, bytes, "cannot run %s: %s", command.argv[0], uv_strerror(code));
    }
    guest_command_fini(&command);
    return code;
}

static int start_guest(struct muster_op *op)
{
    struct guest *guest = guest_of(op);
    const char *socket = guest->paths.observer;
    if (strlen(socket) > 107)
        return muster_op_fail(op, MUSTER_EFAILED, "%s: too long for a socket, use a shorter --state", socket);
    bool ours = false;
    pid_t pid = find_qemu(op, &guest->paths, &ours);
    if (pid != 0)
        return muster_op_fail(op, MUSTER_EFAILED, "its QEMU runs already: pid %d", (int)pid);
    int lock = process_lock(guest->paths.lock);
    if (lock < 0)
        return muster_op_fail(op, lock, "%s: %s", guest->paths.lock,
                              lock == -EAGAIN ? "its QEMU runs already" : strerror(-lock));
    let_go(guest);
    char error[600] = "";
    pid = spawn_guest(guest, muster_op_token(op), lock, error, sizeof(error));
    close(lock);
    if (pid < 0)
        return muster_op_fail(op, pid, "%s", error);
    int code = watch(guest, pid);
    if (code == -ESRCH) {
        process_last_words(guest->paths.log, error, sizeof(error));
        return muster_op_fail(op, MUSTER_EFAILED, "QEMU has ended: %s", error);
    }
    if (code != 0) {
        /* Its pid is its own until the loop has reaped it. */
        kill(pid, SIGKILL);
        return muster_op_fail(op, code, "cannot watch QEMU: %s", uv_strerror(code));
    }
    return connect_qmp(guest, op);
}

/* ---- stop, cancel, shutdown ----------------------------------------------------------------------- */

static void on_impatience(void *data)
{
    struct guest *guest = data;
    delay_free(guest->delay);
    guest->delay = NULL;
    process_signal(guest->process, guest->stop_signal);
    guest->stop_signal = SIGKILL;
    guest->delay = delay_new(&guest->object.host->loop, TERM_MS, on_impatience, guest);
}

static int stop_guest(struct muster_op *op)
{
    struct guest *guest = guest_of(op);
    if (guest->process == NULL) {
        bool ours = false;
        pid_t pid = find_qemu(op, &guest->paths, &ours);
        if ((pid == 0 || !ours) && process_lock_is_held(guest->paths.lock) == 0)
            return MUSTER_OK;
        if (pid == 0 || watch(guest, pid) != 0)
            return muster_op_fail(op, MUSTER_EFAILED, "%s is held, but QEMU can't be found",
                                  guest->paths.lock);
    }
    guest->op = op;
    bool asked = guest->qmp != NULL && qmp_send(guest->qmp, "quit") == 0;
    if (!asked)
        process_signal(guest->process, SIGTERM);
    guest->stop_signal = asked ? SIGTERM : SIGKILL;
    guest->delay = delay_new(&guest->object.host->loop, QUIT_MS, on_impatience, guest);
    return MUSTER_PENDING;
}

static void cancel_guest(struct muster_op *op)
{
    struct guest *guest = muster_op_resource_data(op);
    if (guest == NULL || guest->op != op)
        return;
    if (muster_op_phase(op) != MUSTER_PHASE_ADOPT) {
        /* A start that isn't wanted any more, or a stop that takes too long. */
        process_signal(guest->process, SIGKILL);
        return;
    }
    take_op(guest);
    let_go(guest);
    muster_op_fail(op, MUSTER_ECANCELED, "QEMU has not answered");
}

static int shutdown_guest(struct muster_op *op)
{
    struct virthost *host = muster_op_driver_data(op);
    for (struct object *object = host->objects; object != NULL; object = object->next)
        if (object->kind == &guest_kind)
            let_go((struct guest *)object);
    return MUSTER_OK;
}

/* ---- guests that no file defines ------------------------------------------------------------------ */

/* The record knows the config of one that came up; one that was about to has it on its command line. */
static json_t *recorded_config(const struct virthost *host, const struct muster_record *record)
{
    struct guest_paths paths;
    set_paths(host, record->name, &paths);
    json_t *handle = read_handle(record->handle);
    json_t *config = json_incref(json_object_get(handle, "config"));
    json_decref(handle);
    char *monitor = guest_command_monitor(paths.qmp);
    pid_t pid = monitor == NULL ? 0 : process_find(monitor);
    free(monitor);
    json_t *own = pid == 0 ? NULL : guest_command_config(pid);
    if (own == NULL)
        return config;
    json_decref(config);
    return own;
}

static int restore_guest(struct muster_op *op)
{
    struct virthost *host = muster_op_driver_data(op);
    const struct muster_record *record = muster_op_record(op);
    if (record->stage == MUSTER_STAGE_INACTIVE && !(record->flags & MUSTER_RECORD_QUARANTINED))
        return MUSTER_OK;
    json_t *problems = json_array();
    json_t *config = recorded_config(host, record);
    int code = 0;
    if (config_guest(config, "record", problems) != NULL &&
        strcmp(config_string(config, "name"), record->name) == 0)
        code = object_add_transient(op, config);
    json_decref(config);
    json_decref(problems);
    return code;
}

/* Inactive and transient; or its first start was cut off before there was a QEMU, and nobody was told that it
 * runs. */
static bool is_guest_over(const struct virthost *host, const struct muster_record *record)
{
    struct guest_paths paths;
    set_paths(host, record->name, &paths);
    if ((record->flags & MUSTER_RECORD_QUARANTINED) || process_lock_is_held(paths.lock) != 0)
        return false;
    json_t *handle = read_handle(record->handle);
    bool transient = json_is_true(json_object_get(handle, "transient"));
    json_decref(handle);
    return (record->stage == MUSTER_STAGE_INACTIVE && transient) ||
           (record->stage == MUSTER_STAGE_STARTING && record->handle == NULL);
}

static void define_guest(struct muster_driver_def *def)
{
    static const char *const storage[] = {"storage", NULL};
    static const char *const network[] = {"network", NULL};
    def->needs = storage;
    def->wants = network;
    def->op_timeout_ms = 20000;
    def->max_starts = 8;
    def->restore = restore_guest;
    def->probe = probe_guest;
    def->adopt = adopt_guest;
    def->start = start_guest;
    def->stop = stop_guest;
    def->cancel = cancel_guest;
    def->shutdown = shutdown_guest;
}

static void fini_guest(struct object *object)
{
    let_go((struct guest *)object);
}

static pid_t guest_pid(const struct object *object)
{
    return ((const struct guest *)object)->id.pid;
}

const struct object_kind guest_kind = {
    .driver = "guest",
    .size = sizeof(struct guest),
    .define = define_guest,
    .fini = fini_guest,
    .is_over = is_guest_over,
    .pid = guest_pid,
};

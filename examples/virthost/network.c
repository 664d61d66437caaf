/* SPDX-License-Identifier: MIT */
/*
 * Networks: Linux bridges in a network namespace of virthost's own. They outlive the daemon, and the kernel
 * tells which there are.
 */
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "command.h"
#include "object.h"

/* What a command's status is above, if a signal has ended it. */
#define SIGNALLED 128

/* $1 is the namespace, $2 the bridge. Each may have got half through before. */
static const char permitted_script[] = "exec 2>&1 unshare -n ip link add name try0 type bridge";
static const char probe_script[] = "exec 2>&1 ip -n \"$1\" -o link show type bridge";
static const char start_script[] =
    "exec 2>&1\n"
    "ip netns list | grep -q \"^$1\\>\" || ip netns add \"$1\" || exit\n"
    "ip -n \"$1\" -o link show type bridge | grep -q \" $2: \" ||\n"
    "    ip -n \"$1\" link add name \"$2\" type bridge || exit\n"
    "exec ip -n \"$1\" link set dev \"$2\" up";
static const char stop_script[] = "exec 2>&1 ip -n \"$1\" link delete dev \"$2\"";
static const char remove_script[] = "exec 2>&1 ip netns delete \"$1\"";

static int run_script(struct muster_op *op, const char *script, const char *bridge, command_cb cb)
{
    struct virthost *host = muster_op_driver_data(op);
    const char *argv[] = {"sh", "-c", script, "sh", host->netns, bridge, NULL};
    struct command *command;
    int code = command_run(&host->loop, argv, cb, op, &command);
    if (code != 0)
        return muster_op_fail(op, code, "cannot run sh: %s", uv_strerror(code));
    return MUSTER_PENDING;
}

/* The last line is the reason. */
static const char *reason(const char *output, char *text, size_t bytes)
{
    size_t length = strlen(output);
    while (length > 0 && output[length - 1] == '\n')
        length--;
    size_t begin = length;
    while (begin > 0 && output[begin - 1] != '\n')
        begin--;
    snprintf(text, bytes, "%.*s", (int)(length - begin), output + begin);
    return length == 0 ? "no message" : text;
}

static void on_permitted(void *data, int status, const char *output)
{
    struct muster_op *op = data;
    char text[256];
    if (status > SIGNALLED) {
        muster_op_fail(op, MUSTER_EFAILED, "whether bridges are permitted can't be told: ended by signal %d",
                       status - SIGNALLED);
        return;
    }
    if (status != 0) {
        muster_op_fail(op, MUSTER_ESKIPPED, "no bridges on this machine: %s",
                       reason(output, text, sizeof(text)));
        return;
    }
    int outcome = object_initialize(op);
    if (outcome != MUSTER_PENDING)
        muster_op_finish(op, outcome);
}

static int initialize_network(struct muster_op *op)
{
    struct virthost *host = muster_op_driver_data(op);
    if (json_object_size(json_object_get(host->config, network_kind.driver)) == 0)
        return MUSTER_OK;
    return run_script(op, permitted_script, NULL, on_permitted);
}

/* "3: br0: <BROADCAST,MULTICAST,UP> ..." */
static bool lists_bridge(const char *output, const char *bridge)
{
    char wanted[32];
    snprintf(wanted, sizeof(wanted), ": %s: <", bridge);
    const char *found = strstr(output, wanted);
    if (found == NULL)
        return false;
    const char *flags = found + strlen(wanted);
    size_t length = strcspn(flags, ">");
    for (const char *at = flags; at < flags + length; at += strcspn(at, ",>"), at += *at == ',')
        if (strncmp(at, "UP", 2) == 0 && (at[2] == ',' || at[2] == '>'))
            return true;
    return false;
}

static void on_probed(void *data, int status, const char *output)
{
    struct muster_op *op = data;
    char text[256];
    if (status != 0)
        muster_op_fail(op, MUSTER_EFAILED, "%s", reason(output, text, sizeof(text)));
    else
        muster_op_finish(op,
                         lists_bridge(output, muster_op_resource_name(op)) ? MUSTER_ACTIVE : MUSTER_INACTIVE);
}

static int probe_network(struct muster_op *op)
{
    char path[128];
    snprintf(path, sizeof(path), "/run/netns/%s", object_of_op(op)->host->netns);
    if (access(path, F_OK) != 0)
        return MUSTER_INACTIVE;
    return run_script(op, probe_script, NULL, on_probed);
}

static void on_done(void *data, int status, const char *output)
{
    struct muster_op *op = data;
    char text[256];
    if (status != 0)
        muster_op_fail(op, MUSTER_EFAILED, "%s", reason(output, text, sizeof(text)));
    else
        muster_op_finish(op, MUSTER_OK);
}

static int start_network(struct muster_op *op)
{
    return run_script(op, start_script, object_of_op(op)->name, on_done);
}

static void on_found(void *data, int status, const char *output)
{
    struct muster_op *op = data;
    if (status != 0 || !lists_bridge(output, muster_op_resource_name(op))) {
        muster_op_finish(op, MUSTER_OK);
        return;
    }
    int outcome = run_script(op, stop_script, muster_op_resource_name(op), on_done);
    if (outcome != MUSTER_PENDING)
        muster_op_finish(op, outcome);
}

static int stop_network(struct muster_op *op)
{
    return run_script(op, probe_script, object_of_op(op)->name, on_found);
}

static void on_removed(void *data, int status, const char *output)
{
    (void)status;
    (void)output;
    muster_op_finish(data, MUSTER_OK);
}

/* When the machine goes down there is nothing left in the namespace. */
static int shutdown_network(struct muster_op *op)
{
    if (muster_op_cause(op) != MUSTER_CAUSE_HOST_SHUTDOWN)
        return MUSTER_OK;
    return run_script(op, remove_script, NULL, on_removed);
}

static void define_network(struct muster_driver_def *def)
{
    def->op_timeout_ms = 20000;
    def->initialize = initialize_network;
    def->shutdown = shutdown_network;
    def->probe = probe_network;
    def->start = start_network;
    def->stop = stop_network;
}

const struct object_kind network_kind = {
    .driver = "network",
    .size = sizeof(struct object),
    .define = define_network,
};

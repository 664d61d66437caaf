/* SPDX-License-Identifier: MIT */
/*
 * A host that is brought up with a story and prints its report as JSON: `report_host STORY`, or `report_host N` for N resources.
 * Its ops end after a while by a list of its own, on the loop thread.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <muster.h>

#define SLOW_MS 300
#define RETRY_MS 60
#define OUT_MAX 8192

struct pending {
    struct muster_op *op;
    uint64_t due_ms;
    int outcome;
};

static struct pending out[OUT_MAX];
static size_t out_count;
static const char *story;
static size_t resources;
static int tries;
static bool brought_up;
static bool down;
static const char *down_kind;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is(const char *name)
{
    return strcmp(story, name) == 0;
}

static int finish_later(struct muster_op *op, uint64_t ms, int outcome)
{
    if (out_count == OUT_MAX)
        return outcome;
    out[out_count++] = (struct pending){op, now_ms() + ms, outcome};
    return MUSTER_PENDING;
}

static void finish_due(void)
{
    uint64_t now = now_ms();
    for (size_t i = 0; i < out_count;) {
        struct pending is = out[i];
        if (is.due_ms > now) {
            i++;
            continue;
        }
        out[i] = out[--out_count];
        if (is.outcome == -ECONNREFUSED)
            muster_op_fail(is.op, is.outcome, "the server refused the connection");
        else
            muster_op_finish(is.op, is.outcome);
    }
}

static int poll_timeout(struct muster *context)
{
    int timeout = muster_timeout(context);
    uint64_t now = now_ms();
    for (size_t i = 0; i < out_count; i++) {
        int left = out[i].due_ms > now ? (int)(out[i].due_ms - now) : 0;
        timeout = timeout < 0 || left < timeout ? left : timeout;
    }
    return timeout;
}

/* ---- drivers ---------------------------------------------------------------------------------------------------- */

static void add(struct muster_op *op, const char *name, const char *need)
{
    const char *needs[] = {need, NULL};
    struct muster_resource_def def;
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.name = name;
    def.policy = MUSTER_AUTOSTART;
    if (need != NULL)
        def.needs = needs;
    muster_op_add_resource(op, &def);
}

static int nothing(struct muster_op *op)
{
    (void)op;
    return MUSTER_OK;
}

static int inactive(struct muster_op *op)
{
    (void)op;
    return MUSTER_INACTIVE;
}

static int initialize_device(struct muster_op *op)
{
    if (is("late-driver") && tries++ < 2)
        return muster_op_fail(op, MUSTER_EUNAVAILABLE, "no device on the bus");
    return MUSTER_OK;
}

static int initialize_storage(struct muster_op *op)
{
    char name[40];
    for (size_t i = 0; i < (resources > 0 ? resources / 4 + 1 : 3); i++) {
        snprintf(name, sizeof(name), "pool%zu", i);
        add(op, name, NULL);
    }
    return finish_later(op, 5, MUSTER_OK);
}

static int initialize_guest(struct muster_op *op)
{
    char name[40], need[60];
    size_t pools = resources / 4 + 1;
    size_t count = resources > 0 ? resources - (pools < resources ? pools : 0) : 3;
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "web%zu", i);
        snprintf(need, sizeof(need), "storage/pool%zu", resources > 0 ? i % pools : i);
        add(op, name, is("missing") && i == 1 ? "storage/pool9" : need);
    }
    return MUSTER_OK;
}

static int start_pool(struct muster_op *op)
{
    const char *name = muster_op_resource_name(op);
    if (resources > 0 && strcmp(name, "pool7") == 0)
        return finish_later(op, 20, -ECONNREFUSED);
    if (resources > 0)
        return finish_later(op, 5 + strlen(name) * 7 % 40, MUSTER_OK);
    if (strcmp(name, "pool1") != 0)
        return MUSTER_OK;
    if (is("slow") || is("running"))
        return finish_later(op, SLOW_MS, MUSTER_OK);
    if (is("failing"))
        return finish_later(op, 20, -ECONNREFUSED);
    if (is("late") && tries++ < 2)
        return muster_op_fail(op, MUSTER_EUNAVAILABLE, "no device on the bus");
    if (is("hanging"))
        return finish_later(op, 2 * SLOW_MS, MUSTER_OK);
    return MUSTER_OK;
}

static int start_guest(struct muster_op *op)
{
    return finish_later(op, 10 + (resources > 0 ? strlen(muster_op_resource_name(op)) * 13 % 60 : 0), MUSTER_OK);
}

static void add_drivers(struct muster *context)
{
    static const char *const device[] = {"device", NULL};
    static const char *const storage[] = {"storage", NULL};
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    def.name = "guest";
    def.needs = storage;
    def.initialize = initialize_guest;
    def.probe = inactive;
    def.start = start_guest;
    def.stop = nothing;
    def.shutdown = nothing;
    def.reload = nothing;
    def.max_starts = resources > 1000 ? 200 : resources > 0 ? 8 : 0;
    muster_add_driver(context, &def, NULL, NULL);
    MUSTER_DRIVER_DEF_INIT(&def);
    def.name = "storage";
    def.needs = device;
    def.initialize = initialize_storage;
    def.probe = inactive;
    def.start = start_pool;
    def.stop = nothing;
    def.shutdown = nothing;
    def.op_timeout_ms = is("hanging") ? SLOW_MS / 2 : 0;
    def.max_starts = resources > 1000 ? 100 : resources > 0 ? 16 : 0;
    muster_add_driver(context, &def, NULL, NULL);
    MUSTER_DRIVER_DEF_INIT(&def);
    def.name = "device";
    def.initialize = initialize_device;
    muster_add_driver(context, &def, NULL, NULL);
}

/* ---- the story -------------------------------------------------------------------------------------------------- */

static void done(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    (void)code;
    (void)error;
    *(bool *)data = true;
}

static bool is_active(struct muster *context, const char *name)
{
    struct muster_resource_status status;
    struct muster_resource *resource = muster_resource_find(context, name);
    MUSTER_RESOURCE_STATUS_INIT(&status);
    return resource != NULL && muster_resource_state(resource, &status) == 0 && status.stage == MUSTER_STAGE_ACTIVE;
}

/* A late one is waited for; a running one isn't. */
static bool is_over(struct muster *context)
{
    if (is("running"))
        return out_count == 1 && is_active(context, "guest/web0");
    if (is("late") || is("late-driver"))
        return brought_up && is_active(context, "guest/web1");
    if (is("shutdown"))
        return down;
    return brought_up;
}

static void pump(struct muster *context)
{
    struct pollfd ready = {.fd = muster_fd(context), .events = POLLIN};
    poll(&ready, 1, poll_timeout(context));
    finish_due();
    muster_process(context);
    if (brought_up && down_kind != NULL) {
        muster_shutdown(context, MUSTER_HOST_SHUTDOWN, done, &down);
        down_kind = NULL;
    }
}

static int print(void *data, const char *text, size_t bytes)
{
    return fwrite(text, 1, bytes, data) == bytes ? 0 : -1;
}

static int print_report(struct muster *context)
{
    struct muster_report *report;
    struct muster_report_options options;
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = MUSTER_REPORT_JSON;
    int code = muster_get_report(context, is("shutdown") ? MUSTER_REPORT_SHUTDOWN : MUSTER_REPORT_BRING_UP, &report);
    if (code == 0)
        code = muster_report_write(report, &options, print, stdout);
    if (code == 0)
        muster_report_free(report);
    return code;
}

static void observe(struct muster *context, void *data, const struct muster_observation *observation)
{
    (void)context;
    (void)data;
    (void)observation;
}

int main(int argc, char **argv)
{
    struct muster_options options;
    struct muster *context;
    story = argc > 1 ? argv[1] : "fine";
    resources = strtoul(story, NULL, 10);
    down_kind = is("shutdown") ? story : NULL;
    MUSTER_OPTIONS_INIT(&options);
    options.retry_min_ms = RETRY_MS;
    if (muster_store_memory_new(NULL, &options.store) != 0 || muster_new(&options, &context) != 0)
        return 1;
    add_drivers(context);
    if (muster_observe(context, observe, NULL) != 0 || muster_bring_up(context, done, &brought_up) != 0)
        return 1;
    while (!is_over(context))
        pump(context);
    int code = print_report(context);
    while (out_count > 0)
        pump(context);
    muster_process(context);
    return code == 0 && muster_free(context) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delay.h"
#include "list.h"
#include "object.h"
#include "progress.h"
#include "timeline.h"

/* How often a new guest is asked whether its probe has answered. */
#define PROBED_MS 5

struct request {
    struct virthost *host;
    json_t *message;
    request_cb cb;
    void *data;
    /* create: the new one. */
    struct object *object;
    struct delay *delay;
};

/* ---- answers -------------------------------------------------------------------------------------- */

static void answer(struct request *request, json_t *message)
{
    delay_free(request->delay);
    json_decref(request->message);
    request->cb(request->data, message);
    free(request);
}

static void answer_with(struct request *request, const char *member, json_t *value)
{
    json_t *message = json_object();
    json_object_set_new(message, "ok", json_true());
    if (member != NULL)
        json_object_set_new(message, member, value);
    answer(request, message);
}

static void __attribute__((format(printf, 2, 3))) refuse(struct request *request, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_t *message = json_object();
    json_object_set_new(message, "ok", json_false());
    json_object_set_new(message, "error", json_string(text));
    answer(request, message);
}

static void answer_code(struct request *request, int code, const struct muster_error *error)
{
    if (code == 0)
        answer_with(request, NULL, NULL);
    else
        refuse(request, "%s", error != NULL ? muster_error_text(error) : muster_code_text(code));
}

static void on_done(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    answer_code(data, code, error);
}

/* ---- start, stop, retry --------------------------------------------------------------------------- */

static const char *text_of(const struct request *request, const char *member)
{
    const char *text = json_string_value(json_object_get(request->message, member));
    return text == NULL ? "" : text;
}

static bool is_set(const struct request *request, const char *member)
{
    return json_is_true(json_object_get(request->message, member));
}

static struct muster_resource *find_resource(const struct request *request)
{
    return muster_resource_find(request->host->context, text_of(request, "resource"));
}

static int start(struct request *request, struct muster_resource *resource)
{
    struct muster_request_options options;
    MUSTER_REQUEST_OPTIONS_INIT(&options);
    options.flags = is_set(request, "dependencies") ? MUSTER_START_DEPENDENCIES : 0;
    return muster_resource_start(resource, &options, on_done, request);
}

static int stop(struct request *request, struct muster_resource *resource)
{
    struct muster_request_options options;
    MUSTER_REQUEST_OPTIONS_INIT(&options);
    options.flags = is_set(request, "cascade") ? MUSTER_STOP_CASCADE : 0;
    return muster_resource_stop(resource, &options, on_done, request);
}

static void answer_at_once(struct request *request, int code)
{
    answer_code(request, code, code == 0 ? NULL : muster_get_error(request->host->context));
}

/* All configs have been read: now a name that nobody knows is an error. */
static void on_initialized(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct request *request = data;
    const char *command = text_of(request, "command");
    bool retrying = strcmp(command, "retry") == 0;
    struct muster_resource *resource = find_resource(request);
    struct muster_driver *driver = retrying ? muster_driver_find(context, text_of(request, "resource")) : NULL;
    if (code != 0) {
        answer_code(request, code, error);
        return;
    }
    if (driver != NULL) {
        answer_at_once(request, muster_driver_retry(driver));
        return;
    }
    if (resource == NULL) {
        refuse(request, "there is no resource '%s' (its name is DRIVER/NAME, see list)",
               text_of(request, "resource"));
        return;
    }
    if (retrying) {
        answer_at_once(request, muster_resource_retry(resource));
        return;
    }
    code = strcmp(command, "start") == 0 ? start(request, resource) : stop(request, resource);
    if (code != 0)
        answer_code(request, code, muster_get_error(context));
}

static void handle_resource(struct request *request)
{
    int code = muster_when(request->host->context, MUSTER_INITIALIZED, on_initialized, request);
    if (code != 0)
        answer_code(request, code, muster_get_error(request->host->context));
}

/* ---- create --------------------------------------------------------------------------------------- */

static void on_created(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    struct request *request = data;
    request->object->pinned = false;
    object_sweep_soon(request->host);
    answer_code(request, code, error);
}

/* Nothing is started before its probe has told that it doesn't run. */
static void on_probed(void *data)
{
    struct request *request = data;
    struct virthost *host = request->host;
    delay_free(request->delay);
    request->delay = NULL;
    if (host->ending) {
        answer_code(request, MUSTER_ECANCELED, NULL);
        return;
    }
    struct muster_resource_status status;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    muster_resource_state(request->object->resource, &status);
    bool waits = status.condition == MUSTER_CONDITION_PROBING || status.condition == MUSTER_CONDITION_WAITING;
    if (waits && muster_state(host->context) <= MUSTER_STATE_UP) {
        request->delay = delay_new(&host->loop, PROBED_MS, on_probed, request);
        return;
    }
    int code = muster_resource_start(request->object->resource, NULL, on_created, request);
    if (code != 0)
        on_created(host->context, request, code, muster_get_error(host->context));
}

static void create(struct request *request)
{
    struct virthost *host = request->host;
    json_t *problems = json_array();
    json_t *guest = config_guest(json_object_get(request->message, "guest"), "guest", problems);
    const char *name = guest == NULL ? "" : config_string(guest, "name");
    if (guest == NULL) {
        refuse(request, "%s", json_string_value(json_array_get(problems, 0)));
    } else if (object_find(host, guest_kind.driver, name) != NULL) {
        refuse(request, "there is a guest '%s' already", name);
    } else {
        int code = object_create(host, &guest_kind, guest, &request->object);
        if (code != 0)
            answer_code(request, code, muster_get_error(host->context));
        else
            on_probed(request);
    }
    json_decref(problems);
}

/* ---- the others ----------------------------------------------------------------------------------- */

static void list(struct request *request)
{
    answer_with(request, "resources", list_resources(request->host));
}

static void status(struct request *request)
{
    answer_with(request, "status", list_status(request->host));
}

static void progress(struct request *request)
{
    answer_with(request, "progress", progress_counts(request->host));
}

/* An enum muster_report_kind; none is a bring-up, and one that nobody knows is -1. */
static int find_report_kind(const char *name)
{
    if (*name == '\0')
        return MUSTER_REPORT_BRING_UP;
    int kind = MUSTER_REPORT_SHUTDOWN;
    while (kind >= MUSTER_REPORT_BRING_UP && strcmp(name, muster_report_kind_name((enum muster_report_kind)kind)) != 0)
        kind--;
    return kind;
}

static void report(struct request *request)
{
    int kind = find_report_kind(text_of(request, "kind"));
    if (kind < 0) {
        refuse(request, "there is no kind '%s': bring-up, reload or shutdown", text_of(request, "kind"));
        return;
    }
    char *text = progress_report(request->host, (enum muster_report_kind)kind);
    if (text != NULL)
        answer_with(request, "report", json_string(text));
    else
        refuse(request, "there is no report of a %s", muster_report_kind_name((enum muster_report_kind)kind));
    free(text);
}

static void timeline(struct request *request)
{
    answer_with(request, "lines", timeline_lines(request->host->timeline));
}

static void reload(struct request *request)
{
    struct virthost *host = request->host;
    int code = virthost_reload(host, on_done, request);
    if (code == MUSTER_EINVAL)
        refuse(request, "nothing was changed: %s", json_string_value(json_array_get(host->problems, 0)));
    else if (code != 0)
        answer_code(request, code, muster_get_error(host->context));
}

/* The daemon hangs up when it is down, after this answer. */
static void shut_down(struct request *request)
{
    struct muster *context = request->host->context;
    enum muster_shutdown_kind kind = is_set(request, "host") ? MUSTER_HOST_SHUTDOWN : MUSTER_DAEMON_RESTART;
    int code = muster_shutdown(context, kind, on_done, request);
    if (code != 0)
        answer_code(request, code, muster_get_error(context));
}

static const struct {
    const char *name;
    void (*handle)(struct request *request);
} commands[] = {
    {"list", list},
    {"status", status},
    {"timeline", timeline},
    {"progress", progress},
    {"report", report},
    {"start", handle_resource},
    {"stop", handle_resource},
    {"retry", handle_resource},
    {"create", create},
    {"reload", reload},
    {"shutdown", shut_down},
};

void request_handle(struct virthost *host, const char *line, size_t length, request_cb cb, void *data)
{
    struct request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        cb(data, json_object());
        return;
    }
    json_error_t error;
    request->host = host;
    request->cb = cb;
    request->data = data;
    request->message = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(request->message)) {
        refuse(request, "expected a line with a JSON object: %s",
               request->message == NULL ? error.text : "it is another value");
        return;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, text_of(request, "command")) == 0) {
            commands[i].handle(request);
            return;
        }
    refuse(request, "there is no command '%s'", text_of(request, "command"));
}

/* SPDX-License-Identifier: MIT */
/* Each line of the input is a request to the control socket of a virthost that has no resources. Each is answered once. */
#include <string.h>

#include <muster.h>

#include "fuzz.h"
#include "list.h"
#include "object.h"
#include "request.h"
#include "timeline.h"

/* ---- what the requests would reach */

const struct object_kind guest_kind = {.driver = "guest"};

int virthost_reload(struct virthost *host, muster_done_cb done, void *data)
{
    (void)done;
    (void)data;
    json_decref(host->problems);
    host->problems = json_pack("[s]", "none of it is there");
    return MUSTER_EINVAL;
}

int object_create(struct virthost *host, const struct object_kind *kind, json_t *config, struct object **ret_object)
{
    (void)host;
    (void)ret_object;
    must(kind == &guest_kind && config_integer(config, "memory") >= 4 && config_string(config, "name")[0] != '\0');
    return MUSTER_EINVAL;
}

void object_sweep_soon(struct virthost *host)
{
    (void)host;
}

struct object *object_find(const struct virthost *host, const char *driver, const char *name)
{
    (void)host;
    (void)driver;
    (void)name;
    return NULL;
}

json_t *list_resources(struct virthost *host)
{
    (void)host;
    return json_array();
}

json_t *list_status(struct virthost *host)
{
    (void)host;
    return json_object();
}

json_t *timeline_lines(const struct timeline *timeline)
{
    (void)timeline;
    return json_array();
}

/* ---- the target */

static void on_answer(void *data, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    must(text != NULL && json_is_boolean(json_object_get(message, "ok")));
    must(json_is_true(json_object_get(message, "ok")) || json_is_string(json_object_get(message, "error")));
    free(text);
    json_decref(message);
    ++*(size_t *)data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct virthost host = {.problems = json_array(), .milestone = "none"};
    size_t asked = 0, answered = 0;
    must(uv_loop_init(&host.loop) == 0 && muster_new(NULL, &host.context) == 0);
    must(muster_bring_up(host.context, NULL, NULL) == 0);
    for (size_t at = 0; at < size && asked < 20; asked++) {
        const uint8_t *newline = memchr(data + at, '\n', size - at);
        size_t length = newline == NULL ? size - at : (size_t)(newline - data) - at;
        request_handle(&host, (const char *)data + at, length, on_answer, &answered);
        at += length + 1;
    }
    muster_shutdown(host.context, MUSTER_DAEMON_RESTART, NULL, NULL);
    muster_run(host.context);
    must(answered == asked && muster_free(host.context) == 0 && uv_loop_close(&host.loop) == 0);
    json_decref(host.problems);
    return 0;
}

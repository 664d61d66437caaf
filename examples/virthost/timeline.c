/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "object.h"
#include "progress.h"

#define LINES_MAX 2000
#define LINE_BYTES 768

struct timeline {
    struct virthost *host;
    uint64_t began_ms;
    json_t *lines;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void add_line(struct timeline *timeline, uint64_t at_ms, const char *type, const char *subject,
                     const char *text)
{
    uint64_t ms = at_ms > timeline->began_ms ? at_ms - timeline->began_ms : 0;
    progress_hide();
    log_line(ms, type, subject, text);
    progress_show(timeline->host);
    json_t *line = json_pack("{s:I, s:s, s:o, s:o}", "ms", (json_int_t)ms, "type", type, "subject", log_text(subject),
                             "text", log_text(text));
    if (line != NULL)
        json_array_append_new(timeline->lines, line);
    if (json_array_size(timeline->lines) > LINES_MAX)
        json_array_remove(timeline->lines, 0);
}

/* ---- one text for each type of observation -------------------------------------------------------- */

static const char *outcome_name(int code)
{
    static const char *const names[] = {"ok",     "pending",  "skip",   "unavailable",
                                        "active", "inactive", "foreign"};
    return code >= 0 && code <= MUSTER_FOREIGN ? names[code] : muster_code_text(code);
}

static void describe_resource(const struct muster_observation *seen, char *text, size_t bytes)
{
    const char *to = muster_stage_name((enum muster_stage)seen->to);
    bool plain = seen->condition == MUSTER_CONDITION_NONE;
    snprintf(text, bytes, "%s%s%s", to, plain ? "" : ", ",
             plain ? "" : muster_condition_name(seen->condition));
}

static void describe_op_end(const struct muster_observation *seen, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s: %s", muster_phase_name(seen->phase), outcome_name(seen->code));
}

static void describe_milestone(const struct muster_observation *seen, char *text, size_t bytes)
{
    static const char *const names[] = {"initialized", "reconciled", "settled"};
    snprintf(text, bytes, "%s", seen->to >= 0 && seen->to <= MUSTER_SETTLED ? names[seen->to] : "?");
}

/* The change, without what it happened to. */
static void describe(const struct muster_observation *seen, char *text, size_t bytes)
{
    switch (seen->type) {
    case MUSTER_OBSERVE_DRIVER:
        snprintf(text, bytes, "%s", muster_driver_state_name((enum muster_driver_state)seen->to));
        break;
    case MUSTER_OBSERVE_RESOURCE:
        describe_resource(seen, text, bytes);
        break;
    case MUSTER_OBSERVE_OP_BEGIN:
        snprintf(text, bytes, "%s (%s) ...", muster_phase_name(seen->phase), muster_cause_name(seen->cause));
        break;
    case MUSTER_OBSERVE_OP_END:
    case MUSTER_OBSERVE_OP_LATE:
    case MUSTER_OBSERVE_OP_TWICE:
    case MUSTER_OBSERVE_OP_TIMEOUT:
        describe_op_end(seen, text, bytes);
        break;
    case MUSTER_OBSERVE_OP_EXTENDED:
        snprintf(text, bytes, "%s goes on", muster_phase_name(seen->phase));
        break;
    case MUSTER_OBSERVE_STATE:
        snprintf(text, bytes, "%s", muster_state_name((enum muster_context_state)seen->to));
        break;
    case MUSTER_OBSERVE_MILESTONE:
        describe_milestone(seen, text, bytes);
        break;
    case MUSTER_OBSERVE_DEGRADED:
        snprintf(text, bytes, "%s", seen->to ? "degraded" : "no longer degraded");
        break;
    case MUSTER_OBSERVE_COMMIT:
        snprintf(text, bytes, "%d record%s durable", seen->to, seen->to == 1 ? "" : "s");
        break;
    default:
        snprintf(text, bytes, "%s", muster_observation_name(seen->type));
        break;
    }
}

static void name_subject(const struct muster_observation *seen, char *text, size_t bytes)
{
    if (seen->resource != NULL)
        snprintf(text, bytes, "%s/%s", muster_driver_name(muster_resource_driver(seen->resource)),
                 muster_resource_name(seen->resource));
    else if (seen->driver != NULL)
        snprintf(text, bytes, "%s", muster_driver_name(seen->driver));
    else
        snprintf(text, bytes, "%s", seen->name != NULL ? seen->name : "-");
}

static bool has_ended(const struct muster_observation *seen)
{
    return seen->type == MUSTER_OBSERVE_RESOURCE && seen->to == MUSTER_STAGE_INACTIVE &&
           seen->resource != NULL && object_of_resource(seen->resource)->transient;
}

/* What is durable now is observed again: a line that says the same tells nothing. */
static bool is_repetition(const struct muster_observation *seen, const char *change)
{
    if (seen->type != MUSTER_OBSERVE_RESOURCE || seen->resource == NULL || seen->error != NULL)
        return false;
    struct object *object = object_of_resource(seen->resource);
    if (strncmp(object->shown, change, sizeof(object->shown) - 1) == 0)
        return true;
    snprintf(object->shown, sizeof(object->shown), "%.47s", change);
    return false;
}

static void on_observation(struct muster *context, void *data, const struct muster_observation *seen)
{
    (void)context;
    struct timeline *timeline = data;
    char subject[128], change[160], text[LINE_BYTES];
    name_subject(seen, subject, sizeof(subject));
    describe(seen, change, sizeof(change));
    const char *error = muster_error_text(seen->error);
    snprintf(text, sizeof(text), "%s%s%s", change, *error == '\0' ? "" : ": ", error);
    if (!is_repetition(seen, change))
        add_line(timeline, seen->time_ms, muster_observation_name(seen->type), subject, text);
    if (has_ended(seen) || seen->type == MUSTER_OBSERVE_MILESTONE)
        object_sweep_soon(timeline->host);
}

/* ---- the public part ------------------------------------------------------------------------------ */

struct timeline *timeline_new(struct virthost *host)
{
    struct timeline *timeline = calloc(1, sizeof(*timeline));
    if (timeline == NULL)
        return NULL;
    timeline->host = host;
    timeline->began_ms = now_ms();
    timeline->lines = json_array();
    if (timeline->lines == NULL || muster_observe(host->context, on_observation, timeline) != 0) {
        timeline_free(timeline);
        return NULL;
    }
    return timeline;
}

void timeline_free(struct timeline *timeline)
{
    if (timeline == NULL)
        return;
    json_decref(timeline->lines);
    free(timeline);
}

json_t *timeline_lines(const struct timeline *timeline)
{
    return json_copy(timeline->lines);
}

void timeline_say(struct timeline *timeline, const char *format, ...)
{
    char text[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add_line(timeline, now_ms(), "virthost", "virthost", text);
}

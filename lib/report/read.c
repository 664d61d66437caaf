/* SPDX-License-Identifier: MIT */
/* A report from its JSON. What each op waited for is found anew. */
#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/brackets.h"
#include "base/name.h"
#include "report/report.h"

#define DEEPEST 8

struct reader {
    struct muster_report *report;
    char *message;
    size_t room;
    int code;
};

/* ---- complaints ------------------------------------------------------------------------------------------------ */

static void complain(struct reader *reader, const char *format, ...) MUSTER_PRINTF(2, 3);
static void complain(struct reader *reader, const char *format, ...)
{
    va_list args;
    if (reader->code != 0)
        return;
    reader->code = MUSTER_EINVAL;
    va_start(args, format);
    if (reader->message != NULL && reader->room > 0)
        vsnprintf(reader->message, reader->room, format, args);
    va_end(args);
}

/* ---- members --------------------------------------------------------------------------------------------------- */

/* null, or nothing: it hasn't come. */
static uint64_t read_time(struct reader *reader, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value))
        return MUSTER_REPORT_NEVER;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        complain(reader, "%s: not a time", name);
    return (uint64_t)json_integer_value(value);
}

static uint64_t read_number(struct reader *reader, const json_t *object, const char *name)
{
    uint64_t number = read_time(reader, object, name);
    if (number == MUSTER_REPORT_NEVER)
        complain(reader, "%s is missing", name);
    return number;
}

static int read_code(struct reader *reader, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < INT32_MIN || number > INT32_MAX)
        complain(reader, "%s: not a number of 32 bits", name);
    return (int)number;
}

static const char *read_text(struct reader *reader, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        complain(reader, "%s: not a string", name);
    return text == NULL ? "" : text;
}

typedef const char *(*name_cb)(unsigned value);

static unsigned read_word(struct reader *reader, const json_t *object, const char *name, name_cb word)
{
    const char *text = read_text(reader, object, name);
    for (unsigned i = 0; strcmp(word(i), "unknown") != 0; i++)
        if (strcmp(word(i), text) == 0)
            return i;
    complain(reader, "%s: '%.40s' is unknown", name, text);
    return 0;
}

#define WORDS(function, type)                                                                                                   \
    static const char *function##_word(unsigned value)                                                                          \
    {                                                                                                                           \
        return function((type)value);                                                                                           \
    }
WORDS(muster_driver_state_name, enum muster_driver_state)
WORDS(muster_stage_name, enum muster_stage)
WORDS(muster_condition_name, enum muster_condition)
WORDS(muster_phase_name, enum muster_phase)
WORDS(muster_cause_name, enum muster_cause)
WORDS(muster_report_kind_name, enum muster_report_kind)

/* Outermost first. */
static struct muster_error *read_error(struct reader *reader, const json_t *object)
{
    const json_t *list = json_object_get(object, "error");
    struct muster_error *error = NULL;
    if (list == NULL)
        return NULL;
    if (!json_is_array(list) || json_array_size(list) > MUSTER__REPORT_CAUSES)
        complain(reader, "error: not a list of at most %d", MUSTER__REPORT_CAUSES);
    for (size_t i = json_array_size(list); reader->code == 0 && i-- > 0;) {
        const json_t *one = json_array_get(list, i);
        struct muster_error *outer = muster__error_new(&reader->report->memory, read_code(reader, one, "code"), NULL, "%s",
                                                       read_text(reader, one, "text"));
        if (outer->references != 0)
            outer->cause = error;
        else
            muster__error_unref(error);
        error = outer;
    }
    return error;
}

/* ---- parts ----------------------------------------------------------------------------------------------------- */

static void read_summary(struct reader *reader, const json_t *root)
{
    struct muster_report_summary *summary = &reader->report->summary;
    const json_t *milestones = json_object_get(root, "milestones");
    if (json_integer_value(json_object_get(root, "muster-report")) != 1)
        complain(reader, "not a report of muster, or of a later version");
    summary->kind = (enum muster_report_kind)read_word(reader, root, "kind", muster_report_kind_name_word);
    summary->code = read_code(reader, root, "code");
    summary->wall_ms = read_number(reader, root, "wall_ms");
    summary->end_ms = read_time(reader, root, "end");
    summary->now_ms = read_number(reader, root, "now");
    summary->lost = read_number(reader, root, "lost");
    reader->report->complete_tiers = json_is_true(json_object_get(root, "complete_tiers"));
    for (size_t i = 0; i < 3; i++)
        summary->milestones[i] = read_time(reader, milestones, muster__report_milestones[i]);
}

/* As the engine has them: each once, and no driver's like a resource's. */
static void check_name(struct reader *reader, const struct muster_report_subject *is)
{
    char path[MUSTER__PATH_BYTES];
    bool valid = muster__driver_name_valid(is->driver) && (is->resource == NULL || muster__name_valid(is->resource));
    snprintf(path, sizeof(path), "%.255s%s%.255s", is->driver, is->resource == NULL ? "" : "/",
             is->resource == NULL ? "" : is->resource);
    if (!valid)
        complain(reader, "'%.80s' is no name", path);
    else if (muster__report_find(reader->report, path) != MUSTER__NO_SUBJECT)
        complain(reader, "'%.80s' is there twice", path);
}

static void read_subject(struct reader *reader, const json_t *object)
{
    struct muster_report *report = reader->report;
    struct muster_report_subject is = {.driver = read_text(reader, object, "driver")};
    const json_t *tier = json_object_get(object, "tier");
    if (json_object_get(object, "resource") == NULL) {
        is.state = (enum muster_driver_state)read_word(reader, object, "state", muster_driver_state_name_word);
        if (report->driver_count < report->subject_count)
            complain(reader, "driver '%.80s' comes after a resource", is.driver);
    } else {
        is.resource = read_text(reader, object, "resource");
        is.stage = (enum muster_stage)read_word(reader, object, "stage", muster_stage_name_word);
        is.condition = (enum muster_condition)read_word(reader, object, "condition", muster_condition_name_word);
        if (muster__report_find(report, is.driver) == MUSTER__NO_SUBJECT)
            complain(reader, "resource '%.80s': there is no driver '%.80s'", is.resource, is.driver);
    }
    check_name(reader, &is);
    is.flags = (json_is_true(json_object_get(object, "degraded")) ? MUSTER_REPORT_DEGRADED : 0u) |
               (json_is_true(json_object_get(object, "gone")) ? MUSTER_REPORT_GONE : 0u);
    is.error = read_error(reader, object);
    if (reader->code == 0)
        muster__report_add_subject(report, &is, json_integer_value(tier));
    else
        muster__error_unref(is.error);
}

static void read_needs(struct reader *reader, const json_t *object, uint32_t subject)
{
    struct muster_report *report = reader->report;
    const json_t *list = json_object_get(object, "needs");
    size_t count = json_array_size(list);
    uint32_t *needs = muster__alloc(&report->memory, count + 1, sizeof(*needs));
    if (needs == NULL) {
        report->failed = true;
        return;
    }
    for (size_t i = 0; i < count && reader->code == 0; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        needs[i] = muster__report_find(report, name);
        if (needs[i] == MUSTER__NO_SUBJECT)
            complain(reader, "%.80s: needs '%.80s', which isn't there", report->subjects[subject].name, name == NULL ? "" : name);
        else if (muster__report_is_driver(report, subject) != muster__report_is_driver(report, needs[i]))
            complain(reader, "%.80s: needs %.80s: drivers need drivers, and resources resources",
                     report->subjects[subject].name, name);
    }
    if (reader->code == 0)
        muster__report_set_needs(report, subject, needs, count);
    muster__free(&report->memory, needs);
}

/* One that is out ends when the report is made. */
static bool ends_before(const struct reader *reader, uint64_t begin_ms, uint64_t end_ms)
{
    return muster__report_end(reader->report, end_ms) < begin_ms;
}

static void read_op(struct reader *reader, const json_t *object)
{
    const char *name = read_text(reader, object, "of");
    struct muster_report_op op = {
        .subject = muster__report_find(reader->report, name),
        .phase = (enum muster_phase)read_word(reader, object, "phase", muster_phase_name_word),
        .cause = (enum muster_cause)read_word(reader, object, "cause", muster_cause_name_word),
        .begin_ms = read_number(reader, object, "begin"),
        .end_ms = read_time(reader, object, "end"),
        .outcome = read_code(reader, object, "outcome"),
        .flags = json_is_true(json_object_get(object, "timed_out")) ? MUSTER_REPORT_TIMED_OUT : 0,
    };
    if (op.subject == MUSTER__NO_SUBJECT)
        complain(reader, "an op of '%.80s', which isn't there", name);
    if (ends_before(reader, op.begin_ms, op.end_ms))
        complain(reader, "an op of '%.80s' ends before it begins", name);
    op.error = read_error(reader, object);
    if (reader->code == 0)
        muster__report_add_op(reader->report, &op);
    else
        muster__error_unref(op.error);
}

static void read_commit(struct reader *reader, const json_t *object)
{
    struct muster_report_commit commit = {
        .begin_ms = read_number(reader, object, "begin"),
        .end_ms = read_time(reader, object, "end"),
        .records = read_number(reader, object, "records"),
        .code = read_code(reader, object, "code"),
    };
    if (ends_before(reader, commit.begin_ms, commit.end_ms))
        complain(reader, "a commit ends before it begins");
    size_t count = reader->report->commit_count;
    if (count > 0 && reader->report->commits[count - 1].end_ms > commit.begin_ms)
        complain(reader, "a commit begins before the end of the one before it");
    if (reader->code == 0)
        muster__report_add_commit(reader->report, &commit);
}

static void read_list(struct reader *reader, const json_t *root, const char *name,
                      void (*read)(struct reader *reader, const json_t *object))
{
    const json_t *list = json_object_get(root, name);
    if (!json_is_array(list))
        complain(reader, "%s: not a list", name);
    for (size_t i = 0; i < json_array_size(list) && reader->code == 0; i++)
        read(reader, json_array_get(list, i));
}

static void read_all(struct reader *reader, const json_t *root)
{
    read_summary(reader, root);
    read_list(reader, root, "subjects", read_subject);
    const json_t *subjects = json_object_get(root, "subjects");
    for (uint32_t i = 0; i < reader->report->subject_count && reader->code == 0; i++)
        read_needs(reader, json_array_get(subjects, i), i);
    read_list(reader, root, "ops", read_op);
    read_list(reader, root, "commits", read_commit);
}

int muster_report_read(const char *json, size_t bytes, struct muster_report **ret_report, char *message, size_t room)
{
    struct reader reader = {.message = message, .room = room};
    struct muster__memory memory;
    json_error_t error;
    if (json == NULL || ret_report == NULL)
        return MUSTER_EINVAL;
    /* The parser recurses. */
    if (muster__brackets_depth(json, bytes) > DEEPEST) {
        complain(&reader, "more than %d brackets within each other", DEEPEST);
        return reader.code;
    }
    json_t *root = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        complain(&reader, "line %d, column %d: %s", error.line, error.column, error.text);
        return reader.code;
    }
    int code = muster__memory_init(&memory, NULL);
    if (code == 0)
        code = muster__report_new(&memory, &reader.report);
    if (code == 0) {
        read_all(&reader, root);
        code = reader.code != 0 ? reader.code : muster__report_finish(reader.report);
    }
    json_decref(root);
    if (code != 0) {
        muster_report_free(reader.report);
        return code;
    }
    *ret_report = reader.report;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Building a report, and walking it. */
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

struct name {
    struct muster__table_node node;
    uint32_t subject;
};

/* ---- memory ------------------------------------------------------------------------------------------------ */

void *muster__report_keep(struct muster_report *report, size_t bytes)
{
    void *kept = muster__blocks_keep(&report->blocks, &report->memory, bytes);
    report->failed = report->failed || kept == NULL;
    return kept;
}

static const char *keep_text(struct muster_report *report, const char *text)
{
    const char *kept = text == NULL ? NULL : muster__blocks_keep_text(&report->blocks, &report->memory, text);
    report->failed = report->failed || (text != NULL && kept == NULL);
    return kept;
}

static bool grow(struct muster_report *report, void **array, size_t count, size_t *capacity, size_t size)
{
    if (count < UINT32_MAX && muster__grow(&report->memory, array, count, capacity, size) == 0)
        return true;
    report->failed = true;
    return false;
}

struct muster_error *muster__report_error(struct muster_report *report, const struct muster_error *error)
{
    struct muster_error *first = NULL, **slot = &first;
    for (size_t i = 1; error != NULL; i++, error = error->cause) {
        while (i == MUSTER__REPORT_CAUSES && error->cause != NULL)
            error = error->cause;
        struct muster_error *copy = muster__error_new(&report->memory, error->code, NULL, "%s", error->text);
        *slot = copy;
        if (copy->references == 0)
            break;
        copy->sys_errno = error->sys_errno;
        slot = &copy->cause;
    }
    return first;
}

/* ---- building ---------------------------------------------------------------------------------------------- */

int muster__report_new(const struct muster__memory *memory, struct muster_report **ret_report)
{
    struct muster_report *report = muster__new(memory, struct muster_report);
    if (report == NULL)
        return MUSTER_ENOMEM;
    report->memory = *memory;
    report->summary.size = sizeof(report->summary);
    report->summary.end_ms = MUSTER_REPORT_NEVER;
    for (size_t i = 0; i < 3; i++)
        report->summary.milestones[i] = MUSTER_REPORT_NEVER;
    muster__table_init(&report->names, &report->memory);
    *ret_report = report;
    return 0;
}

void muster_report_free(struct muster_report *report)
{
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->subject_count; i++)
        muster__error_unref(report->subjects[i].error);
    for (size_t i = 0; i < report->op_count; i++)
        muster__error_unref(report->ops[i].error);
    muster__blocks_fini(&report->blocks, &report->memory);
    struct muster__memory memory = report->memory;
    muster__table_fini(&report->names);
    muster__free(&memory, report->subjects);
    muster__free(&memory, report->more);
    muster__free(&memory, report->ops);
    muster__free(&memory, report->commits);
    muster__free(&memory, report->op_order);
    muster__free(&memory, report);
}

static const char *join(struct muster_report *report, const char *driver, const char *resource)
{
    if (resource == NULL || driver == NULL)
        return driver;
    size_t bytes = strlen(driver) + strlen(resource) + 2;
    char *path = muster__report_keep(report, bytes);
    if (path != NULL)
        snprintf(path, bytes, "%s/%s", driver, resource);
    return path;
}

static bool add_name(struct muster_report *report, const char *path, uint32_t subject)
{
    struct name *name = path == NULL ? NULL : muster__report_keep(report, sizeof(*name));
    if (name == NULL)
        return false;
    *name = (struct name){.subject = subject};
    name->node.key = (char *)(uintptr_t)path;
    return muster__table_add(&report->names, &name->node) == 0;
}

static uint32_t home_of(const struct muster_report *report, const struct muster_report_subject *is, uint32_t subject)
{
    return is->resource == NULL ? subject : muster__report_find(report, is->driver);
}

uint32_t muster__report_add_subject(struct muster_report *report, const struct muster_report_subject *is, int64_t tier)
{
    uint32_t subject = (uint32_t)report->subject_count;
    void *subjects = report->subjects;
    void *more = report->more;
    uint32_t home = home_of(report, is, subject);
    bool room = grow(report, &subjects, subject, &report->subject_capacity, sizeof(*report->subjects));
    report->subjects = subjects;
    room = room && grow(report, &more, subject, &report->more_capacity, sizeof(*report->more));
    report->more = more;
    struct muster_report_subject *added = room ? &report->subjects[subject] : NULL;
    if (added != NULL) {
        *added = *is;
        added->size = sizeof(*added);
        added->driver = keep_text(report, is->driver);
        added->resource = keep_text(report, is->resource);
        added->name = join(report, added->driver, added->resource);
        added->needs = NULL;
        added->needs_count = 0;
        report->more[subject] = (struct muster__subject){.tier = tier, .home = home};
    }
    if (added == NULL || home == MUSTER__NO_SUBJECT || !add_name(report, added->name, subject)) {
        muster__error_unref(is->error);
        report->failed = true;
        return MUSTER__NO_SUBJECT;
    }
    report->subject_count++;
    report->driver_count += is->resource == NULL;
    return subject;
}

void muster__report_set_needs(struct muster_report *report, uint32_t subject, const uint32_t *needs, size_t count)
{
    uint32_t *kept = count == 0 ? NULL : muster__report_keep(report, count * sizeof(*kept));
    if (kept == NULL)
        return;
    memcpy(kept, needs, count * sizeof(*kept));
    report->subjects[subject].needs = kept;
    report->subjects[subject].needs_count = count;
}

void muster__report_add_op(struct muster_report *report, const struct muster_report_op *op)
{
    void *ops = report->ops;
    bool room = grow(report, &ops, report->op_count, &report->op_capacity, sizeof(*report->ops));
    report->ops = ops;
    if (!room) {
        muster__error_unref(op->error);
        return;
    }
    report->ops[report->op_count] = *op;
    report->ops[report->op_count].size = sizeof(*op);
    report->ops[report->op_count++].after = MUSTER_REPORT_NONE;
}

void muster__report_add_commit(struct muster_report *report, const struct muster_report_commit *commit)
{
    void *commits = report->commits;
    bool room = grow(report, &commits, report->commit_count, &report->commit_capacity, sizeof(*report->commits));
    report->commits = commits;
    if (!room)
        return;
    report->commits[report->commit_count] = *commit;
    report->commits[report->commit_count++].size = sizeof(*commit);
}

static int compare_begins(const void *a, const void *b)
{
    const struct muster_report_op *one = *(const struct muster_report_op *const *)a;
    const struct muster_report_op *other = *(const struct muster_report_op *const *)b;
    if (one->begin_ms != other->begin_ms)
        return one->begin_ms < other->begin_ms ? -1 : 1;
    return one < other ? -1 : one > other;
}

static bool ops_ascend(const struct muster_report *report)
{
    for (size_t i = 1; i < report->op_count; i++)
        if (report->ops[i].begin_ms < report->ops[i - 1].begin_ms)
            return false;
    return true;
}

/* They come in the order in which they were asked for; a worker may have taken its time to call one. */
static int sort_ops(struct muster_report *report)
{
    if (ops_ascend(report))
        return 0;
    const struct muster_report_op **order = muster__alloc(&report->memory, report->op_count, sizeof(*order));
    struct muster_report_op *sorted = muster__alloc(&report->memory, report->op_count, sizeof(*sorted));
    if (order != NULL && sorted != NULL) {
        for (size_t i = 0; i < report->op_count; i++)
            order[i] = &report->ops[i];
        qsort(order, report->op_count, sizeof(*order), compare_begins);
        for (size_t i = 0; i < report->op_count; i++)
            sorted[i] = *order[i];
        memcpy(report->ops, sorted, report->op_count * sizeof(*sorted));
    }
    int code = order != NULL && sorted != NULL ? 0 : MUSTER_ENOMEM;
    muster__free(&report->memory, order);
    muster__free(&report->memory, sorted);
    return code;
}

/* Ops by subject, each subject's in their order. */
static int order_ops(struct muster_report *report)
{
    report->op_order = muster__alloc(&report->memory, report->op_count + 1, sizeof(*report->op_order));
    if (report->op_order == NULL)
        return MUSTER_ENOMEM;
    for (size_t i = 0; i < report->op_count; i++)
        report->more[report->ops[i].subject].op_count++;
    uint32_t first = 0;
    for (size_t i = 0; i < report->subject_count; i++) {
        report->more[i].first_op = first;
        first += report->more[i].op_count;
        report->more[i].op_count = 0;
    }
    for (size_t i = 0; i < report->op_count; i++) {
        struct muster__subject *of = &report->more[report->ops[i].subject];
        report->op_order[of->first_op + of->op_count++] = (uint32_t)i;
    }
    return 0;
}

/* Each driver's resources, in their order. */
static void link_resources(struct muster_report *report)
{
    for (size_t i = 0; i < report->driver_count; i++)
        report->more[i].next_resource = MUSTER__NO_SUBJECT;
    for (size_t i = report->subject_count; i-- > report->driver_count;) {
        struct muster__subject *driver = &report->more[report->more[i].home];
        report->more[i].next_resource = driver->next_resource;
        driver->next_resource = (uint32_t)i;
    }
}

int muster__report_finish(struct muster_report *report)
{
    link_resources(report);
    int code = report->failed ? MUSTER_ENOMEM : sort_ops(report);
    if (code == 0)
        code = order_ops(report);
    if (code == 0)
        code = muster__report_find_waits(report);
    if (code == 0)
        muster__report_mark_critical(report);
    return code;
}

/* ---- walking ----------------------------------------------------------------------------------------------- */

const char *const muster__report_milestones[3] = {"initialized", "reconciled", "settled"};

uint32_t muster__report_find(const struct muster_report *report, const char *name)
{
    struct muster__table_node *node = name == NULL ? NULL : muster__table_find(&report->names, name);
    return node == NULL ? MUSTER__NO_SUBJECT : muster__container(node, struct name, node)->subject;
}

size_t muster__report_last_op(const struct muster_report *report, uint32_t subject)
{
    const struct muster__subject *of = &report->more[subject];
    return of->op_count == 0 ? MUSTER_REPORT_NONE : report->op_order[of->first_op + of->op_count - 1];
}

const struct muster_report_summary *muster_report_get_summary(const struct muster_report *report)
{
    return report == NULL ? NULL : &report->summary;
}

const struct muster_report_subject *muster_report_get_subject(const struct muster_report *report, size_t index)
{
    return report != NULL && index < report->subject_count ? &report->subjects[index] : NULL;
}

const struct muster_report_op *muster_report_get_op(const struct muster_report *report, size_t index)
{
    return report != NULL && index < report->op_count ? &report->ops[index] : NULL;
}

const struct muster_report_commit *muster_report_get_commit(const struct muster_report *report, size_t index)
{
    return report != NULL && index < report->commit_count ? &report->commits[index] : NULL;
}

const char *muster_report_kind_name(enum muster_report_kind kind)
{
    static const char *const names[] = {"bring-up", "reload", "shutdown"};
    return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

const char *muster_report_wait_name(enum muster_report_wait wait)
{
    static const char *const names[] = {"none", "dependency", "barrier", "turn", "commit", "retry"};
    return (size_t)wait < sizeof(names) / sizeof(names[0]) ? names[wait] : "unknown";
}

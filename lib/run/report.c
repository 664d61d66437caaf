/* SPDX-License-Identifier: MIT */
/* A report of the trail that the engine has kept, and of how drivers and resources stand. */
#include "report/report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/name.h"
#include "engine/trail.h"
#include "run/context.h"

struct builder {
    const struct muster__memory *memory;
    const struct muster__engine *engine;
    struct muster_report *report;
    uint32_t *subjects; /* of each driver, by its id */
    uint32_t *needs;
    size_t need_count;
    size_t need_capacity;
};

/* ---- subjects --------------------------------------------------------------------------------------------------- */

static int add_driver(struct muster_driver *driver, void *data)
{
    struct builder *builder = data;
    const struct muster_report_subject is = {.driver = muster_driver_name(driver),
                                             .state = muster_driver_state(driver),
                                             .error = muster__report_error(builder->report, muster_driver_get_error(driver))};
    builder->subjects[muster__driver_id(driver)] =
        muster__report_add_subject(builder->report, &is, muster__driver_tier(driver));
    return builder->report->failed ? MUSTER_ENOMEM : 0;
}

static bool add_need(struct builder *builder, uint32_t subject)
{
    void *needs = builder->needs;
    if (muster__grow(builder->memory, &needs, builder->need_count, &builder->need_capacity, sizeof(uint32_t)) != 0)
        return false;
    builder->needs = needs;
    builder->needs[builder->need_count++] = subject;
    return true;
}

static void set_needs(struct builder *builder, uint32_t subject)
{
    if (subject != MUSTER__NO_SUBJECT)
        muster__report_set_needs(builder->report, subject, builder->needs, builder->need_count);
    builder->need_count = 0;
}

static int add_driver_needs(struct muster_driver *driver, void *data)
{
    struct builder *builder = data;
    const uint32_t *ids;
    uint32_t count;
    if (muster__driver_dependencies(driver, &ids, &count) != 0)
        return MUSTER_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        if (!add_need(builder, builder->subjects[ids[i]]))
            return MUSTER_ENOMEM;
    set_needs(builder, builder->subjects[muster__driver_id(driver)]);
    return 0;
}

static int add_resource(struct muster_resource *resource, void *data)
{
    struct builder *builder = data;
    struct muster_resource_status status;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    muster_resource_state(resource, &status);
    const struct muster_report_subject is = {
        .driver = muster_driver_name(muster_resource_driver(resource)),
        .resource = muster_resource_name(resource),
        .stage = status.stage,
        .condition = status.condition,
        .flags = status.degraded ? MUSTER_REPORT_DEGRADED : 0,
        .error = muster__report_error(builder->report, muster_resource_get_error(resource)),
    };
    muster__report_add_subject(builder->report, &is, 0);
    return builder->report->failed ? MUSTER_ENOMEM : 0;
}

static int add_resources(struct muster_driver *driver, void *data)
{
    return muster_resource_foreach(driver, add_resource, data);
}

/* What isn't there is told by the resource's error. */
static int add_dependency(const char *name, int is_need, void *data)
{
    struct builder *builder = data;
    uint32_t subject = muster__report_find(builder->report, name);
    (void)is_need;
    return subject == MUSTER__NO_SUBJECT || add_need(builder, subject) ? 0 : MUSTER_ENOMEM;
}

static int add_resource_needs(struct muster_resource *resource, void *data)
{
    struct builder *builder = data;
    char path[MUSTER__PATH_BYTES];
    int code = muster_resource_foreach_dependency(resource, add_dependency, builder);
    if (code != 0 || builder->need_count == 0)
        return code;
    snprintf(path, sizeof(path), "%s/%s", muster_driver_name(muster_resource_driver(resource)), muster_resource_name(resource));
    set_needs(builder, muster__report_find(builder->report, path));
    return 0;
}

static int add_resources_needs(struct muster_driver *driver, void *data)
{
    return muster_resource_foreach(driver, add_resource_needs, data);
}

/* ---- what happened ----------------------------------------------------------------------------------------------- */

/* `path` is of a resource that is there no more, or of a record that nobody has claimed. */
static uint32_t add_gone(struct builder *builder, uint32_t driver, const char *path)
{
    const char *name = builder->report->subjects[driver].name;
    const struct muster_report_subject is = {
        .driver = name, .resource = path + strlen(name) + 1, .flags = MUSTER_REPORT_GONE};
    return muster__report_add_subject(builder->report, &is, 0);
}

static uint32_t subject_of(struct builder *builder, const struct muster__trail_more *more)
{
    if (more->entry == NULL)
        return builder->subjects[more->driver];
    const char *path = muster__entry_path(more->entry);
    uint32_t subject = muster__report_find(builder->report, path);
    return subject != MUSTER__NO_SUBJECT ? subject : add_gone(builder, builder->subjects[more->driver], path);
}

static uint64_t time_of(uint32_t ms)
{
    return ms == MUSTER__TRAIL_NEVER ? MUSTER_REPORT_NEVER : ms;
}

static void add_op(struct builder *builder, const struct muster__trail *trail, const struct muster__trail_op *op)
{
    const struct muster__trail_more more = muster__trail_more_of(trail, op);
    const struct muster_report_op is = {
        .subject = subject_of(builder, &more),
        .phase = (enum muster_phase)op->phase,
        .cause = (enum muster_cause)op->cause,
        .begin_ms = op->begin_ms,
        .end_ms = time_of(op->end_ms),
        .outcome = more.outcome,
        .flags = op->timed_out ? MUSTER_REPORT_TIMED_OUT : 0,
        .error = more.error == NULL ? NULL : muster__report_error(builder->report, more.error),
    };
    if (is.subject != MUSTER__NO_SUBJECT)
        muster__report_add_op(builder->report, &is);
    else
        muster__error_unref(is.error);
}

static int add_ops(struct builder *builder, const struct muster__trail *trail)
{
    for (size_t i = 0; i < trail->op_count; i++) {
        const struct muster__trail_op *op = muster__trail_op_at(trail, i);
        if (op->has != MUSTER__TRAIL_HAS_NOTHING)
            add_op(builder, trail, op);
    }
    for (size_t i = 0; i < trail->commit_count; i++) {
        const struct muster__trail_commit *commit = &trail->commits[i];
        muster__report_add_commit(builder->report, &(struct muster_report_commit){.begin_ms = commit->begin_ms,
                                                                                  .end_ms = time_of(commit->end_ms),
                                                                                  .records = commit->records,
                                                                                  .code = commit->code});
    }
    return builder->report->failed ? MUSTER_ENOMEM : 0;
}

/* The wall clock may have been set since: its present time counts. */
static void summarize(struct builder *builder, const struct muster__trail *trail, enum muster_report_kind kind)
{
    struct muster_report_summary *summary = &builder->report->summary;
    summary->kind = kind;
    summary->code = trail->code;
    summary->now_ms -= trail->begin_ms;
    summary->wall_ms -= summary->now_ms;
    summary->end_ms = time_of(trail->end_ms);
    for (size_t i = 0; i < 3; i++)
        summary->milestones[i] = time_of(trail->milestones[i]);
    summary->lost = trail->lost;
    builder->report->complete_tiers = muster__engine_has_complete_tiers(builder->engine);
}

/* What those depended on that are gone. */
static int add_gone_needs(struct builder *builder, const struct muster__trail *trail)
{
    for (size_t i = 0; i < trail->edge_count; i++) {
        uint32_t subject = muster__report_find(builder->report, muster__entry_path(trail->edges[i].from));
        bool gone = subject != MUSTER__NO_SUBJECT && (builder->report->subjects[subject].flags & MUSTER_REPORT_GONE) != 0;
        if (gone && add_dependency(muster__entry_path(trail->edges[i].to), 1, builder) != 0)
            return MUSTER_ENOMEM;
        if (i + 1 == trail->edge_count || trail->edges[i + 1].from != trail->edges[i].from)
            set_needs(builder, gone ? subject : MUSTER__NO_SUBJECT);
    }
    return 0;
}

static int fill(struct builder *builder, const struct muster__trail *trail, enum muster_report_kind kind)
{
    static const muster_driver_cb passes[] = {add_driver, add_driver_needs, add_resources, add_resources_needs};
    int code = 0;
    summarize(builder, trail, kind);
    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]) && code == 0; i++)
        code = muster__engine_foreach_driver(builder->engine, passes[i], builder);
    if (code == 0)
        code = add_ops(builder, trail);
    for (int of = 0; of < MUSTER__TRAILS && code == 0; of++) {
        const struct muster__trail *other = muster__engine_trail(builder->engine, (enum muster__trail_kind)of);
        code = other == NULL ? 0 : add_gone_needs(builder, other);
    }
    return code == 0 ? muster__report_finish(builder->report) : code;
}

int muster__report_of(const struct muster__engine *engine, const struct muster__memory *memory, const uint64_t now_ms[2],
                      enum muster_report_kind kind, struct muster_report **ret_report)
{
    const struct muster__trail *trail = muster__engine_trail(engine, (enum muster__trail_kind)kind);
    if (trail == NULL)
        return MUSTER_ENOENT;
    struct builder builder = {.memory = memory, .engine = engine};
    builder.subjects = muster__alloc(memory, muster__engine_driver_count(engine) + 1, sizeof(uint32_t));
    int code = builder.subjects == NULL ? MUSTER_ENOMEM : muster__report_new(memory, &builder.report);
    if (code == 0) {
        builder.report->summary.now_ms = now_ms[0];
        builder.report->summary.wall_ms = now_ms[1];
        code = fill(&builder, trail, kind);
    }
    muster__free(memory, builder.subjects);
    muster__free(memory, builder.needs);
    if (code != 0)
        muster_report_free(builder.report);
    else
        *ret_report = builder.report;
    return code;
}

int muster_get_report(struct muster *context, enum muster_report_kind kind, struct muster_report **ret_report)
{
    struct timespec wall;
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if ((unsigned)kind > MUSTER_REPORT_SHUTDOWN || ret_report == NULL)
        return MUSTER_EINVAL;
    clock_gettime(CLOCK_REALTIME, &wall);
    const uint64_t now_ms[2] = {muster__now(context), (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000};
    return muster__report_of(context->engine, &context->memory, now_ms, kind, ret_report);
}

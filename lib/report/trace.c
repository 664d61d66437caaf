/* SPDX-License-Identifier: MIT */
/* Chrome's trace event format: a process a driver, a thread a resource, complete events for what ran and what waited. */
#include <inttypes.h>

#include "report/writer.h"

#define US 1000

/* Ids from 1: a driver's process; its first thread is its own. */
static uint32_t pid_of(const struct muster_report *report, uint32_t subject)
{
    return report->more[subject].home + 1;
}

static void put_name(struct muster__writer *writer, const char *kind, uint32_t pid, uint32_t tid, const char *name)
{
    muster__put(writer, ",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"args\":{\"name\":", kind, pid,
                tid);
    muster__put_json(writer, name);
    muster__put_text(writer, "}}");
}

static void put_wait(struct muster__writer *writer, const struct muster_report *report, const struct muster_report_op *op)
{
    if (!muster__report_op_waited(op))
        return;
    muster__put(writer,
                ",\n{\"ph\":\"X\",\"cat\":\"wait\",\"name\":\"waits: %s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
                ",\"ts\":%" PRIu64 ",\"dur\":%" PRIu64 ",\"args\":{\"after\":",
                muster_report_wait_name(op->wait), pid_of(report, op->subject), op->subject + 1, op->wanted_ms * US,
                (op->begin_ms - op->wanted_ms) * US);
    muster__put_json(writer, op->after == MUSTER_REPORT_NONE ? "" : report->subjects[report->ops[op->after].subject].name);
    muster__put_text(writer, "}}");
}

static void put_op(struct muster__writer *writer, const struct muster_report *report, const struct muster_report_op *op)
{
    put_wait(writer, report, op);
    muster__put(writer,
                ",\n{\"ph\":\"X\",\"cat\":\"%s%s\",\"name\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"ts\":%" PRIu64
                ",\"dur\":%" PRIu64 ",\"args\":{\"cause\":\"%s\",\"result\":\"%s\"",
                muster_phase_name(op->phase), (op->flags & MUSTER_REPORT_CRITICAL) != 0 ? ",critical" : "",
                muster_phase_name(op->phase), pid_of(report, op->subject), op->subject + 1, op->begin_ms * US,
                muster__report_op_ran(report, op) * US, muster_cause_name(op->cause), muster__outcome(op));
    if (op->error != NULL) {
        muster__put_text(writer, ",\"error\":");
        muster__put_json(writer, op->error->text);
    }
    muster__put_text(writer, "}}");
}

static void put_commit(struct muster__writer *writer, const struct muster_report *report,
                       const struct muster_report_commit *commit)
{
    uint64_t end = muster__report_end(report, commit->end_ms);
    muster__put(writer,
                ",\n{\"ph\":\"X\",\"cat\":\"commit\",\"name\":\"commit\",\"pid\":0,\"tid\":0,\"ts\":%" PRIu64 ",\"dur\":%" PRIu64
                ",\"args\":{\"records\":%" PRIu64 ",\"code\":%d}}",
                commit->begin_ms * US, (end - commit->begin_ms) * US, commit->records, commit->code);
}

void muster__write_trace(struct muster__writer *writer, const struct muster_report *report)
{
    muster__put(writer,
                "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"kind\":\"%s\",\"wall_ms\":%" PRIu64 "},\"traceEvents\":[\n"
                "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":0,\"tid\":0,\"args\":{\"name\":\"store\"}}",
                muster_report_kind_name(report->summary.kind), report->summary.wall_ms);
    for (uint32_t i = 0; i < report->subject_count; i++) {
        if (muster__report_is_driver(report, i))
            put_name(writer, "process_name", pid_of(report, i), i + 1, report->subjects[i].name);
        put_name(writer, "thread_name", pid_of(report, i), i + 1,
                 muster__report_is_driver(report, i) ? "(driver)" : report->subjects[i].resource);
    }
    for (size_t i = 0; i < 3; i++)
        if (report->summary.milestones[i] != MUSTER_REPORT_NEVER)
            muster__put(writer,
                        ",\n{\"ph\":\"i\",\"s\":\"g\",\"cat\":\"milestone\",\"name\":\"%s\",\"pid\":0,\"tid\":0,\"ts\":%" PRIu64
                        "}",
                        muster__report_milestones[i], report->summary.milestones[i] * US);
    for (size_t i = 0; i < report->op_count; i++)
        put_op(writer, report, &report->ops[i]);
    for (size_t i = 0; i < report->commit_count; i++)
        put_commit(writer, report, &report->commits[i]);
    muster__put_text(writer, "]}\n");
}

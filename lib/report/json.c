/* SPDX-License-Identifier: MIT */
/* JSON: what muster_report_read() reads, a line a subject, an op or a commit. */
#include "report/writer.h"

#include <inttypes.h>

static void put_time(struct muster__writer *writer, const char *name, uint64_t ms)
{
    if (ms == MUSTER_REPORT_NEVER)
        muster__put(writer, "\"%s\":null", name);
    else
        muster__put(writer, "\"%s\":%" PRIu64, name, ms);
}

/* Outermost first. */
static void put_error(struct muster__writer *writer, const struct muster_error *error)
{
    if (error == NULL)
        return;
    muster__put_text(writer, ",\"error\":[");
    for (const struct muster_error *one = error; one != NULL; one = one->cause) {
        muster__put(writer, "%s{\"code\":%d,\"name\":\"%s\",\"text\":", one == error ? "" : ",", one->code,
                    muster_code_name(one->code));
        muster__put_json(writer, one->text);
        muster__put_text(writer, "}");
    }
    muster__put_text(writer, "]");
}

static void put_summary(struct muster__writer *writer, const struct muster_report *report)
{
    const struct muster_report_summary *summary = &report->summary;
    muster__put(writer, "{\"muster-report\":1,\"kind\":\"%s\",\"code\":%d,\"wall_ms\":%" PRIu64 ",",
                muster_report_kind_name(summary->kind), summary->code, summary->wall_ms);
    put_time(writer, "end", summary->end_ms);
    muster__put(writer, ",\"now\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"complete_tiers\":%s,\n\"milestones\":{", summary->now_ms,
                summary->lost, report->complete_tiers ? "true" : "false");
    for (size_t i = 0; i < 3; i++) {
        muster__put_text(writer, i == 0 ? "" : ",");
        put_time(writer, muster__report_milestones[i], summary->milestones[i]);
    }
    muster__put_text(writer, "}");
}

static void put_subject(struct muster__writer *writer, const struct muster_report *report, uint32_t subject)
{
    const struct muster_report_subject *is = &report->subjects[subject];
    muster__put_text(writer, "{\"driver\":");
    muster__put_json(writer, is->driver);
    if (is->resource == NULL) {
        muster__put(writer, ",\"tier\":%" PRId64 ",\"state\":\"%s\"", report->more[subject].tier,
                    muster_driver_state_name(is->state));
    } else {
        muster__put_text(writer, ",\"resource\":");
        muster__put_json(writer, is->resource);
        muster__put(writer, ",\"stage\":\"%s\",\"condition\":\"%s\"", muster_stage_name(is->stage),
                    muster_condition_name(is->condition));
    }
    if ((is->flags & MUSTER_REPORT_DEGRADED) != 0)
        muster__put_text(writer, ",\"degraded\":true");
    if ((is->flags & MUSTER_REPORT_GONE) != 0)
        muster__put_text(writer, ",\"gone\":true");
    muster__put_text(writer, ",\"needs\":[");
    for (size_t i = 0; i < is->needs_count; i++) {
        muster__put_text(writer, i == 0 ? "" : ",");
        muster__put_json(writer, report->subjects[is->needs[i]].name);
    }
    muster__put_text(writer, "]");
    put_error(writer, is->error);
    muster__put_text(writer, "}");
}

static void put_op(struct muster__writer *writer, const struct muster_report *report, const struct muster_report_op *op)
{
    muster__put_text(writer, "{\"of\":");
    muster__put_json(writer, report->subjects[op->subject].name);
    muster__put(writer, ",\"phase\":\"%s\",\"cause\":\"%s\",\"wanted\":%" PRIu64 ",\"ready\":%" PRIu64 ",\"begin\":%" PRIu64 ",",
                muster_phase_name(op->phase), muster_cause_name(op->cause), op->wanted_ms, op->ready_ms, op->begin_ms);
    put_time(writer, "end", op->end_ms);
    muster__put(writer, ",\"outcome\":%d,\"result\":\"%s\",\"waited_for\":\"%s\"", op->outcome, muster__outcome(op),
                muster_report_wait_name(op->wait));
    if (op->after != MUSTER_REPORT_NONE)
        muster__put(writer, ",\"after\":%zu", op->after);
    if ((op->flags & MUSTER_REPORT_TIMED_OUT) != 0)
        muster__put_text(writer, ",\"timed_out\":true");
    if ((op->flags & MUSTER_REPORT_CRITICAL) != 0)
        muster__put_text(writer, ",\"critical\":true");
    put_error(writer, op->error);
    muster__put_text(writer, "}");
}

static void put_commit(struct muster__writer *writer, const struct muster_report_commit *commit)
{
    muster__put(writer, "{\"begin\":%" PRIu64 ",", commit->begin_ms);
    put_time(writer, "end", commit->end_ms);
    muster__put(writer, ",\"records\":%" PRIu64 ",\"code\":%d}", commit->records, commit->code);
}

void muster__write_json(struct muster__writer *writer, const struct muster_report *report)
{
    put_summary(writer, report);
    muster__put_text(writer, ",\n\"subjects\":[");
    for (uint32_t i = 0; i < report->subject_count; i++) {
        muster__put_text(writer, i == 0 ? "\n" : ",\n");
        put_subject(writer, report, i);
    }
    muster__put_text(writer, "],\n\"ops\":[");
    for (size_t i = 0; i < report->op_count; i++) {
        muster__put_text(writer, i == 0 ? "\n" : ",\n");
        put_op(writer, report, &report->ops[i]);
    }
    muster__put_text(writer, "],\n\"commits\":[");
    for (size_t i = 0; i < report->commit_count; i++) {
        muster__put_text(writer, i == 0 ? "\n" : ",\n");
        put_commit(writer, &report->commits[i]);
    }
    muster__put_text(writer, "]}\n");
}

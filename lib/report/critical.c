/* SPDX-License-Identifier: MIT */
/* The critical chain as a tree of one branch, the end first, as systemd-analyze prints it. */
#include "report/chain.h"
#include "report/writer.h"

#define DEEPEST 30

static const char head[] = "When it began is after the \"@\", how long it took after the \"+\".\n\n";

static void indent(struct muster__writer *writer, size_t depth)
{
    size_t deepest = writer->width == 0 ? DEEPEST : writer->width / 6;
    size_t shown = depth < deepest ? depth : deepest;
    if (depth > 0)
        muster__put(writer, "%*s\u2514\u2500", (int)(2 * (shown - 1)), "");
}

static void put_wait(struct muster__writer *writer, const struct muster_report_op *op)
{
    static const char *const words[] = {"", "", " for the barrier", " for its turn", " for the store", " for another try"};
    char text[MUSTER__SPAN_BYTES];
    if (op->wait == MUSTER_REPORT_WAIT_NONE)
        return;
    muster__put_colour(writer, MUSTER__DIM);
    muster__put(writer, " (waited %s%s)", muster__span(text, op->begin_ms - op->wanted_ms), words[op->wait]);
    muster__put_colour(writer, MUSTER__PLAIN);
}

/* As the probe that each start begins with repeats that of the roll call. */
static bool repeats(const struct muster_report *report, const struct muster_report_op *op)
{
    const struct muster_report_op *after = op->after == MUSTER_REPORT_NONE ? NULL : &report->ops[op->after];
    return after != NULL && after->subject == op->subject && after->phase == op->phase;
}

static void put_op(struct muster__writer *writer, const struct muster_report *report, const struct muster_report_op *op,
                   size_t depth)
{
    char begin[MUSTER__SPAN_BYTES], ran[MUSTER__SPAN_BYTES];
    bool bad = muster__report_op_bad(op);
    indent(writer, depth);
    muster__put_colour(writer, bad ? MUSTER__RED : MUSTER__PLAIN);
    muster__put(writer, "%s %s%s", report->subjects[op->subject].name, muster_phase_name(op->phase),
                repeats(report, op) ? " again" : "");
    muster__put_colour(writer, MUSTER__PLAIN);
    muster__put(writer, " @%s +%s", muster__span(begin, op->begin_ms),
                muster__span(ran, muster__report_op_ran(report, op)));
    if (muster__report_op_out(op))
        muster__put_text(writer, bad ? ", timed out and still running" : ", still running");
    else if (bad)
        muster__put(writer, ", %s: %s", muster__outcome(op), op->error == NULL ? "" : op->error->text);
    put_wait(writer, op);
    muster__put_text(writer, "\n");
}

static void put_ops(struct muster__writer *writer, const struct muster_report *report, size_t op, size_t depth)
{
    for (; op != MUSTER_REPORT_NONE; op = report->ops[op].after)
        put_op(writer, report, &report->ops[op], depth++);
}

/* From what isn't where it should be to who is to blame. */
static void put_troubled(struct muster__writer *writer, const struct muster_report *report, uint32_t subject)
{
    size_t depth = 0;
    for (size_t left = muster__report_chain_length(report, subject); left > 1; left--) {
        indent(writer, depth++);
        muster__put_colour(writer, MUSTER__YELLOW);
        muster__put(writer, "%s %s\n", report->subjects[subject].name,
                    muster__report_state_text(&report->subjects[subject]));
        muster__put_colour(writer, MUSTER__PLAIN);
        subject = muster__report_culprit(report, subject);
    }
    const struct muster_report_subject *is = &report->subjects[subject];
    size_t last = muster__report_last_op(report, subject);
    if (last == MUSTER_REPORT_NONE || (is->error != NULL && !muster__report_last_tells(report, subject))) {
        indent(writer, depth++);
        muster__put(writer, "%s %s%s%s\n", is->name, muster__report_state_text(is), is->error == NULL ? "" : ": ",
                    is->error == NULL ? "" : is->error->text);
    }
    put_ops(writer, report, last, depth);
}

static bool is_root(const struct muster_report *report, uint32_t subject)
{
    const struct muster_report_subject *is = &report->subjects[subject];
    size_t last = muster__report_last_op(report, subject);
    bool told = last != MUSTER_REPORT_NONE && (report->ops[last].flags & MUSTER_REPORT_CRITICAL) != 0;
    return is->error != NULL && !told && muster__report_culprit(report, subject) == MUSTER__NO_SUBJECT;
}

/* What failed and so held nobody up is no part of the longest chain. */
static void put_failures(struct muster__writer *writer, const struct muster_report *report)
{
    bool any = false;
    for (uint32_t i = 0; i < report->subject_count; i++) {
        if (!is_root(report, i))
            continue;
        muster__put_text(writer, any ? "" : "\nBeside it:\n");
        any = true;
        put_troubled(writer, report, i);
    }
}

void muster__write_chain(struct muster__writer *writer, const struct muster_report *report, uint32_t subject)
{
    muster__put_text(writer, head);
    if (subject != MUSTER__NO_SUBJECT) {
        put_troubled(writer, report, subject);
        return;
    }
    put_ops(writer, report, muster__report_last(report), 0);
    size_t late = muster__report_last_late(report);
    if (late != MUSTER_REPORT_NONE) {
        muster__put_text(writer, "\nLate:\n");
        put_ops(writer, report, late, 0);
    }
    put_failures(writer, report);
}

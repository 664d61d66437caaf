/* SPDX-License-Identifier: MIT */
/* Tables for people: every op, the milestones, what took longest. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "report/chain.h"
#include "report/writer.h"

#define TIME_COLUMNS 9

static void put_span(struct muster__writer *writer, uint64_t ms)
{
    char text[MUSTER__SPAN_BYTES];
    muster__put_cell(writer, muster__span(text, ms), TIME_COLUMNS, true);
}

/* What is left of a line for a cell, at least `least`; 0: as much as it takes. */
static size_t rest(const struct muster__writer *writer, size_t used, size_t least)
{
    if (writer->width == 0)
        return 0;
    return writer->width > used + least ? writer->width - used : least;
}

static enum muster__colour colour_of(const struct muster_report_op *op)
{
    if (muster__report_op_bad(op))
        return op->outcome == MUSTER_UNAVAILABLE ? MUSTER__YELLOW : MUSTER__RED;
    return muster__report_op_out(op) ? MUSTER__YELLOW : MUSTER__PLAIN;
}

/* ---- every op --------------------------------------------------------------------------------------------------- */

static size_t longest_name(const struct muster_report *report, size_t most)
{
    size_t longest = 4;
    for (size_t i = 0; i < report->subject_count; i++) {
        size_t columns = muster__columns(report->subjects[i].name);
        longest = columns > longest ? columns : longest;
    }
    return longest < most ? longest : most;
}

static void describe_wait(char *text, size_t bytes, const struct muster_report *report, const struct muster_report_op *op)
{
    const char *after = op->after == MUSTER_REPORT_NONE ? "" : report->subjects[report->ops[op->after].subject].name;
    switch (op->wait) {
    case MUSTER_REPORT_WAIT_DEPENDENCY:
        snprintf(text, bytes, "waited for %s", after);
        break;
    case MUSTER_REPORT_WAIT_BARRIER:
        snprintf(text, bytes, "waited for the barrier, last %s", after);
        break;
    case MUSTER_REPORT_WAIT_TURN:
        snprintf(text, bytes, "waited for its turn%s%s", after[0] == '\0' ? "" : ", after ", after);
        break;
    case MUSTER_REPORT_WAIT_COMMIT:
        snprintf(text, bytes, "waited for the store");
        break;
    case MUSTER_REPORT_WAIT_RETRY:
        snprintf(text, bytes, "waited for another try");
        break;
    default:
        text[0] = '\0';
        break;
    }
}

/* Where there is no room, nobody misses it. */
static bool has_cause(const struct muster__writer *writer)
{
    return writer->width == 0 || writer->width >= 100;
}

static void put_op_line(struct muster__writer *writer, const struct muster_report *report, const struct muster_report_op *op,
                        size_t name_columns)
{
    char text[MUSTER__ERROR_TEXT + MUSTER__PATH_BYTES + 64];
    put_span(writer, op->begin_ms);
    put_span(writer, muster__report_op_ran(report, op));
    put_span(writer, op->begin_ms - op->wanted_ms);
    muster__put_text(writer, "  ");
    muster__put_cell(writer, report->subjects[op->subject].name, name_columns, false);
    muster__put(writer, "  %-10s  ", muster_phase_name(op->phase));
    if (has_cause(writer))
        muster__put(writer, "%-13s  ", muster_cause_name(op->cause));
    muster__put_colour(writer, colour_of(op));
    if (op->error != NULL)
        snprintf(text, sizeof(text), "%s: %s", muster__outcome(op), op->error->text);
    else
        snprintf(text, sizeof(text), "%s", muster__outcome(op));
    if (op->wait != MUSTER_REPORT_WAIT_NONE) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "; ");
        describe_wait(text + used + 2, sizeof(text) - used - 2, report, op);
    }
    size_t room = rest(writer, 3 * TIME_COLUMNS + 2 + name_columns + (has_cause(writer) ? 29 : 14), 8);
    muster__put_cell(writer, text, room == 0 || muster__columns(text) < room ? 0 : room, false);
    muster__put_colour(writer, MUSTER__PLAIN);
    muster__put_text(writer, "\n");
}

void muster__write_text(struct muster__writer *writer, const struct muster_report *report)
{
    size_t name_columns = longest_name(report, writer->width == 0 ? 255 : writer->width / 4 + 4);
    muster__write_time(writer, report);
    muster__put(writer, "\n%*s%*s%*s  %-*s  %-10s  %sRESULT\n", TIME_COLUMNS, "BEGIN", TIME_COLUMNS, "RAN", TIME_COLUMNS,
                "WAITED", (int)name_columns, "NAME", "PHASE", has_cause(writer) ? "CAUSE          " : "");
    for (size_t i = 0; i < report->op_count; i++)
        put_op_line(writer, report, &report->ops[i], name_columns);
    for (size_t i = 0; i < report->commit_count; i++) {
        const struct muster_report_commit *commit = &report->commits[i];
        put_span(writer, commit->begin_ms);
        put_span(writer, muster__report_end(report, commit->end_ms) - commit->begin_ms);
        muster__put(writer, "%*s  the store: %" PRIu64 " record%s %s\n", TIME_COLUMNS, "", commit->records,
                    commit->records == 1 ? "" : "s",
                    commit->end_ms == MUSTER_REPORT_NEVER ? "on their way"
                    : commit->code == 0                   ? "committed"
                                                          : muster_code_text(commit->code));
    }
    if (report->summary.lost > 0)
        muster__put(writer, "%" PRIu64 " ops are missing: memory was short, or they came late\n", report->summary.lost);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static void put_milestone(struct muster__writer *writer, const char *name, uint64_t ms)
{
    muster__put(writer, "%-13s", name);
    if (ms == MUSTER_REPORT_NEVER)
        muster__put_cell(writer, "not yet", TIME_COLUMNS, true);
    else
        put_span(writer, ms);
    muster__put_text(writer, "\n");
}

static void put_count(struct muster__writer *writer, const char *before, size_t count, const char *of)
{
    muster__put(writer, "%s%zu %s%s", before, count, of, count == 1 ? "" : "s");
}

static void count_troubled(struct muster__writer *writer, const struct muster_report *report)
{
    size_t counts[2][3] = {{0}};
    for (size_t i = 0; i < report->subject_count; i++) {
        const struct muster_report_subject *is = &report->subjects[i];
        size_t of = is->resource == NULL ? 0 : 1;
        counts[of][0]++;
        counts[of][1] += is->error != NULL;
        counts[of][2] += is->error == NULL && muster__report_in_trouble(is);
    }
    put_count(writer, "", counts[0][0], "driver");
    put_count(writer, ", ", counts[1][0], "resource");
    put_count(writer, ", ", report->op_count, "op");
    put_count(writer, ", ", report->commit_count, "commit");
    if (counts[0][1] + counts[1][1] > 0) {
        muster__put_colour(writer, MUSTER__RED);
        muster__put(writer, "; in trouble: %zu", counts[0][1] + counts[1][1]);
        muster__put_colour(writer, MUSTER__PLAIN);
    }
    if (counts[0][2] + counts[1][2] > 0)
        muster__put(writer, "; on their way: %zu", counts[0][2] + counts[1][2]);
    muster__put_text(writer, "\n");
}

void muster__write_time(struct muster__writer *writer, const struct muster_report *report)
{
    const struct muster_report_summary *summary = &report->summary;
    char text[MUSTER__SPAN_BYTES];
    bool over = summary->end_ms != MUSTER_REPORT_NEVER;
    muster__put_colour(writer, MUSTER__BOLD);
    muster__put(writer, "The %s %s %s", muster_report_kind_name(summary->kind), over ? "took" : "has been running for",
                muster__span(text, muster__report_end(report, summary->end_ms)));
    muster__put_colour(writer, MUSTER__PLAIN);
    muster__put(writer, "%s%s.\n", over && summary->code != 0 ? ": " : "",
                over && summary->code != 0 ? muster_code_text(summary->code) : "");
    for (size_t i = 0; summary->kind == MUSTER_REPORT_BRING_UP && i < 3; i++)
        put_milestone(writer, muster__report_milestones[i], summary->milestones[i]);
    size_t late = muster__report_last_late(report);
    if (late != MUSTER_REPORT_NONE)
        put_milestone(writer, "late, until", report->ops[late].end_ms);
    count_troubled(writer, report);
}

/* ---- blame ------------------------------------------------------------------------------------------------------ */

struct blamed {
    uint64_t ran;
    uint64_t waited;
    uint32_t subject;
    bool failed; /* the last op */
    bool deferred;
    bool out;
};

static int compare(const void *a, const void *b)
{
    const struct blamed *one = a;
    const struct blamed *other = b;
    if (one->ran != other->ran)
        return one->ran > other->ran ? -1 : 1;
    if (one->waited != other->waited)
        return one->waited > other->waited ? -1 : 1;
    return one->subject < other->subject ? -1 : 1;
}

static struct blamed *collect(const struct muster_report *report)
{
    struct blamed *all = muster__alloc(&report->memory, report->subject_count + 1, sizeof(*all));
    for (uint32_t i = 0; all != NULL && i < report->subject_count; i++)
        all[i].subject = i;
    for (size_t i = 0; all != NULL && i < report->op_count; i++) {
        const struct muster_report_op *op = &report->ops[i];
        struct blamed *of = &all[op->subject];
        of->ran += muster__report_op_ran(report, op);
        of->waited += op->begin_ms - op->wanted_ms;
        of->failed = muster__report_op_failed(op);
        of->deferred = op->outcome == MUSTER_UNAVAILABLE;
        of->out |= muster__report_op_out(op);
    }
    if (all != NULL)
        qsort(all, report->subject_count, sizeof(*all), compare);
    return all;
}

/* In eighths of a column. */
static void put_bar(struct muster__writer *writer, uint64_t value, uint64_t most, size_t columns)
{
    static const char *const parts[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
    uint64_t eighths = most == 0 ? 0 : value * columns * 8 / most;
    for (uint64_t i = 0; i < eighths / 8; i++)
        muster__put_text(writer, "\u2588");
    muster__put_text(writer, parts[eighths % 8]);
}

static void put_blamed(struct muster__writer *writer, const struct muster_report *report, const struct blamed *blamed,
                       uint64_t most, size_t name_columns)
{
    const char *name = report->subjects[blamed->subject].name;
    const char *mark = blamed->out        ? " (running)"
                       : !blamed->failed  ? ""
                       : blamed->deferred ? " (deferred)"
                                          : " (failed)";
    size_t bar = writer->terminal ? rest(writer, 2 * TIME_COLUMNS + 2 + name_columns + 12, 0) : 0;
    put_span(writer, blamed->ran);
    put_span(writer, blamed->waited);
    muster__put_text(writer, "  ");
    muster__put_colour(writer, !blamed->failed ? MUSTER__PLAIN : blamed->deferred ? MUSTER__YELLOW : MUSTER__RED);
    muster__put_cell(writer, name, bar > 0 || muster__columns(name) > name_columns ? name_columns : 0, false);
    muster__put_text(writer, mark);
    muster__put_colour(writer, MUSTER__PLAIN);
    if (bar > 4) {
        muster__put(writer, "%*s", (int)(11 - strlen(mark)), "");
        put_bar(writer, blamed->ran, most, bar);
    }
    muster__put_text(writer, "\n");
}

void muster__write_blame(struct muster__writer *writer, const struct muster_report *report)
{
    struct blamed *all = collect(report);
    if (all == NULL) {
        writer->code = MUSTER_ENOMEM;
        return;
    }
    size_t name_columns = longest_name(report, writer->width == 0 ? 255 : writer->width / 3 + 8);
    muster__put_colour(writer, MUSTER__BOLD);
    muster__put(writer, "%*s%*s  NAME\n", TIME_COLUMNS, "RAN", TIME_COLUMNS, "WAITED");
    muster__put_colour(writer, MUSTER__PLAIN);
    for (size_t i = 0; i < report->subject_count; i++)
        if (report->more[all[i].subject].op_count > 0)
            put_blamed(writer, report, &all[i], all[0].ran, name_columns);
    muster__free(&report->memory, all);
}

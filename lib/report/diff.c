/* SPDX-License-Identifier: MIT */
/* What got slower and faster from one report to another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"

struct change {
    const char *name;
    int64_t by_ms;
    uint64_t before_ms;
    uint64_t after_ms;
    bool is_new;
    bool is_gone;
};

static uint64_t ran(const struct muster_report *report, uint32_t subject)
{
    const struct muster__subject *of = &report->more[subject];
    uint64_t ms = 0;
    for (uint32_t i = 0; i < of->op_count; i++)
        ms += muster__report_op_ran(report, &report->ops[report->op_order[of->first_op + i]]);
    return ms;
}

static int compare(const void *a, const void *b)
{
    const struct change *one = a;
    const struct change *other = b;
    if (one->by_ms != other->by_ms)
        return one->by_ms > other->by_ms ? -1 : 1;
    return strcmp(one->name, other->name);
}

static size_t collect(const struct muster_report *before, const struct muster_report *after, struct change *changes)
{
    size_t count = 0;
    for (uint32_t i = 0; i < before->subject_count; i++) {
        const char *name = before->subjects[i].name;
        uint32_t now = muster__report_find(after, name);
        struct change *change = &changes[count++];
        *change = (struct change){.name = name, .before_ms = ran(before, i), .is_gone = now == MUSTER__NO_SUBJECT};
        change->after_ms = change->is_gone ? 0 : ran(after, now);
        change->by_ms = (int64_t)(change->after_ms - change->before_ms);
    }
    for (uint32_t i = 0; i < after->subject_count; i++) {
        if (muster__report_find(before, after->subjects[i].name) != MUSTER__NO_SUBJECT)
            continue;
        uint64_t ms = ran(after, i);
        changes[count++] =
            (struct change){.name = after->subjects[i].name, .after_ms = ms, .by_ms = (int64_t)ms, .is_new = true};
    }
    qsort(changes, count, sizeof(*changes), compare);
    return count;
}

static void put_times(struct muster__writer *writer, uint64_t before, uint64_t after)
{
    char text[MUSTER__SPAN_BYTES], signed_text[MUSTER__SPAN_BYTES + 1];
    uint64_t apart = after > before ? after - before : before - after;
    muster__put_cell(writer, before == MUSTER_REPORT_NEVER ? "-" : muster__span(text, before), 10, true);
    muster__put_cell(writer, after == MUSTER_REPORT_NEVER ? "-" : muster__span(text, after), 10, true);
    if (before == MUSTER_REPORT_NEVER || after == MUSTER_REPORT_NEVER)
        snprintf(signed_text, sizeof(signed_text), "-");
    else
        snprintf(signed_text, sizeof(signed_text), "%s%s", after > before ? "+" : after < before ? "-" : "",
                 muster__span(text, apart));
    muster__put_colour(writer, after > before ? MUSTER__RED : after < before ? MUSTER__GREEN : MUSTER__PLAIN);
    muster__put_cell(writer, signed_text, 11, true);
    muster__put_colour(writer, MUSTER__PLAIN);
}

static void put_milestones(struct muster__writer *writer, const struct muster_report *before, const struct muster_report *after)
{
    for (size_t i = 0; i < 3; i++) {
        put_times(writer, before->summary.milestones[i], after->summary.milestones[i]);
        muster__put(writer, "  (%s)\n", muster__report_milestones[i]);
    }
}

void muster__write_diff(struct muster__writer *writer, const struct muster_report *report, const struct muster_report *other)
{
    struct change *changes =
        muster__alloc(&report->memory, report->subject_count + other->subject_count + 1, sizeof(*changes));
    if (changes == NULL) {
        writer->code = MUSTER_ENOMEM;
        return;
    }
    size_t count = collect(report, other, changes);
    size_t same = 0;
    muster__put_colour(writer, MUSTER__BOLD);
    muster__put(writer, "%10s%10s%11s  NAME\n", "BEFORE", "AFTER", "CHANGE");
    muster__put_colour(writer, MUSTER__PLAIN);
    put_milestones(writer, report, other);
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &changes[i];
        if (change->by_ms == 0 && !change->is_new && !change->is_gone) {
            same++;
            continue;
        }
        put_times(writer, change->is_new ? MUSTER_REPORT_NEVER : change->before_ms,
                  change->is_gone ? MUSTER_REPORT_NEVER : change->after_ms);
        muster__put(writer, "  %s%s\n", change->name, change->is_new ? " (new)" : change->is_gone ? " (gone)" : "");
    }
    muster__put(writer, "%zu took as long as before\n", same);
    muster__free(&report->memory, changes);
}

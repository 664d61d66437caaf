/* SPDX-License-Identifier: MIT */
/* Who waited for whom. */
#include "report/chain.h"
#include "report/report.h"

/* Not a retry that came after the end, unless nothing else did. */
static bool counts(const struct muster_report *report, const struct muster_report_op *op)
{
    return report->summary.end_ms == MUSTER_REPORT_NEVER || op->begin_ms <= report->summary.end_ms;
}

size_t muster__report_last(const struct muster_report *report)
{
    size_t last = MUSTER_REPORT_NONE;
    for (size_t i = 0; i < report->op_count; i++) {
        if (!counts(report, &report->ops[i]))
            continue;
        uint64_t end = report->ops[i].end_ms;
        uint64_t until = last == MUSTER_REPORT_NONE ? 0 : report->ops[last].end_ms;
        /* Of several that are out, the one that has been for longest. */
        if (last == MUSTER_REPORT_NONE || end > until || (end == until && end != MUSTER_REPORT_NEVER))
            last = i;
    }
    return last;
}

size_t muster__report_last_late(const struct muster_report *report)
{
    size_t last = MUSTER_REPORT_NONE;
    for (size_t i = 0; i < report->op_count; i++) {
        const struct muster_report_op *op = &report->ops[i];
        if (counts(report, op) || muster__report_op_out(op) || muster__report_in_trouble(&report->subjects[op->subject]))
            continue;
        if (last == MUSTER_REPORT_NONE || op->end_ms >= report->ops[last].end_ms)
            last = i;
    }
    return last;
}

void muster__report_mark_critical(struct muster_report *report)
{
    for (size_t op = muster__report_last(report); op != MUSTER_REPORT_NONE; op = report->ops[op].after)
        report->ops[op].flags |= MUSTER_REPORT_CRITICAL;
}

bool muster__report_in_trouble(const struct muster_report_subject *subject)
{
    if (subject->resource != NULL)
        return subject->error != NULL || subject->condition >= MUSTER_CONDITION_WAITING;
    return subject->error != NULL || subject->state < MUSTER_DRIVER_UP ||
           (subject->state >= MUSTER_DRIVER_SKIPPED && subject->state <= MUSTER_DRIVER_DEFERRED);
}

bool muster__report_is_up(const struct muster_report_subject *subject)
{
    return subject->resource == NULL ? subject->state == MUSTER_DRIVER_UP : subject->stage == MUSTER_STAGE_ACTIVE;
}

bool muster__report_last_tells(const struct muster_report *report, uint32_t subject)
{
    size_t last = muster__report_last_op(report, subject);
    return last != MUSTER_REPORT_NONE &&
           (muster__report_op_failed(&report->ops[last]) || muster__report_op_out(&report->ops[last]));
}

uint32_t muster__report_culprit(const struct muster_report *report, uint32_t subject)
{
    const struct muster_report_subject *is = &report->subjects[subject];
    if (!muster__report_in_trouble(is) || muster__report_last_tells(report, subject))
        return MUSTER__NO_SUBJECT;
    if (is->error != NULL && is->error->code != MUSTER_EDEPENDENCY)
        return MUSTER__NO_SUBJECT; /* it says what is wrong with itself */
    for (size_t i = 0; i < is->needs_count; i++) {
        const struct muster_report_subject *need = &report->subjects[is->needs[i]];
        if (!muster__report_is_up(need) && muster__report_in_trouble(need))
            return is->needs[i];
    }
    for (size_t i = 0; i < is->needs_count; i++)
        if (!muster__report_is_up(&report->subjects[is->needs[i]]))
            return is->needs[i];
    uint32_t home = report->more[subject].home;
    if (home != subject && muster__report_in_trouble(&report->subjects[home]))
        return home;
    return MUSTER__NO_SUBJECT;
}

/* `count` culprits on. */
static uint32_t follow(const struct muster_report *report, uint32_t subject, size_t count)
{
    for (; count > 0 && subject != MUSTER__NO_SUBJECT; count--)
        subject = muster__report_culprit(report, subject);
    return subject;
}

/* By Brent: `ahead` meets one that stands still, and is moved to it after 1, 2, 4, ... steps. */
size_t muster__report_chain_length(const struct muster_report *report, uint32_t subject)
{
    size_t count = 1, circle = 0;
    uint32_t still = subject, ahead = subject;
    for (size_t limit = 1; circle == 0 || ahead != still; count++) {
        if (circle == limit) {
            still = ahead;
            limit *= 2;
            circle = 0;
        }
        ahead = follow(report, ahead, 1);
        circle++;
        if (ahead == MUSTER__NO_SUBJECT)
            return count;
    }
    size_t before = 0;
    for (ahead = follow(report, subject, circle); ahead != subject; before++) {
        subject = follow(report, subject, 1);
        ahead = follow(report, ahead, 1);
    }
    return before + circle;
}

const char *muster__report_state_text(const struct muster_report_subject *subject)
{
    static const char *const conditions[] = {"", "being probed", "waiting", "held", "deferred", "failed"};
    if ((subject->flags & MUSTER_REPORT_GONE) != 0)
        return "gone";
    if (subject->resource == NULL)
        return muster_driver_state_name(subject->state);
    if ((subject->flags & MUSTER_REPORT_DEGRADED) != 0)
        return "degraded";
    if (subject->stage == MUSTER_STAGE_INACTIVE && subject->error != NULL && subject->condition <= MUSTER_CONDITION_WAITING)
        return "not started";
    if (subject->stage == MUSTER_STAGE_INACTIVE && subject->condition != MUSTER_CONDITION_NONE &&
        (size_t)subject->condition < sizeof(conditions) / sizeof(conditions[0]))
        return conditions[subject->condition];
    return muster_stage_name(subject->stage);
}

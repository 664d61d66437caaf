/* SPDX-License-Identifier: MIT */
/* Why something is where it is, in sentences, and what to do. */
#include "report/chain.h"
#include "report/writer.h"

static const struct muster_report_op *last_op(const struct muster_report *report, uint32_t subject)
{
    size_t last = muster__report_last_op(report, subject);
    return last == MUSTER_REPORT_NONE ? NULL : &report->ops[last];
}

static size_t tries(const struct muster_report *report, uint32_t subject, enum muster_phase phase)
{
    const struct muster__subject *of = &report->more[subject];
    size_t count = 0;
    for (uint32_t i = 0; i < of->op_count; i++)
        count += report->ops[report->op_order[of->first_op + i]].phase == phase;
    return count;
}

/* ---- how it stands ---------------------------------------------------------------------------------------------- */

static const char *standing(const struct muster_report_subject *is)
{
    static const char *const of_driver[] = {
        "is waiting",           "is initializing",
        "waits to reconcile",   "is reconciling",
        "waits for the barrier", "is autostarting",
        "is up",                "was skipped",
        "failed",               "is blocked",
        "is deferred",          "is shutting down",
        "is down"};
    if ((is->flags & MUSTER_REPORT_GONE) != 0)
        return "is gone: it was removed, nobody has claimed its record, or the context is down";
    if (is->resource == NULL)
        return (size_t)is->state < sizeof(of_driver) / sizeof(of_driver[0]) ? of_driver[is->state] : "is in a state of its own";
    if ((is->flags & MUSTER_REPORT_DEGRADED) != 0)
        return is->stage == MUSTER_STAGE_INACTIVE ? "is inactive, and degraded: a bad dependency keeps it from being started"
                                                  : "is active, but degraded: something that it depends on isn't";
    switch (is->condition) {
    case MUSTER_CONDITION_PROBING:
        return "is being probed";
    case MUSTER_CONDITION_WAITING:
        return is->error != NULL ? "was not started" : "waits";
    case MUSTER_CONDITION_HELD:
        return "is held: its state isn't known, and nothing is started";
    case MUSTER_CONDITION_DEFERRED:
        return "is deferred: it isn't available yet";
    case MUSTER_CONDITION_FAILED:
        return "failed";
    default:
        break;
    }
    if (is->stage == MUSTER_STAGE_INACTIVE)
        return is->error != NULL ? "was not started" : "is inactive";
    return is->stage == MUSTER_STAGE_ACTIVE     ? "is active"
           : is->stage == MUSTER_STAGE_STARTING ? "is being started"
                                                : "is being stopped";
}

/* The part of the last op that explains it. */
static void put_last_op(struct muster__writer *writer, const struct muster_report *report, uint32_t subject)
{
    const struct muster_report_op *op = last_op(report, subject);
    char text[MUSTER__SPAN_BYTES];
    if (op == NULL)
        return;
    const char *name = report->subjects[subject].name;
    const char *phase = muster_phase_name(op->phase);
    const char *ran = muster__span(text, muster__report_op_ran(report, op));
    size_t count = tries(report, subject, op->phase);
    if (muster__report_op_out(op))
        muster__put(writer, "The %s of %s has been running for %s%s.\n", phase, name, ran,
                    (op->flags & MUSTER_REPORT_TIMED_OUT) != 0 ? ", which is past its deadline" : "");
    else if (op->outcome == MUSTER_UNAVAILABLE)
        muster__put(writer, "The %s of %s was tried %zu time%s; the last said after %s: %s.\n", phase, name, count,
                    count == 1 ? "" : "s", ran, op->error == NULL ? "not available yet" : op->error->text);
    else if (op->error != NULL)
        muster__put(writer, "The %s of %s failed after %s: %s.\n", phase, name, ran, op->error->text);
}

static bool names_error(const struct muster_report *report, uint32_t subject)
{
    const struct muster_report_op *op = last_op(report, subject);
    return op != NULL && op->error != NULL;
}

/* ---- what to do -------------------------------------------------------------------------------------------------- */

static int innermost_code(const struct muster_error *error)
{
    int code = 0;
    for (; error != NULL; error = error->cause)
        code = error->code;
    return code;
}

static const char *by_code(int code)
{
    static const struct {
        int code;
        const char *advice;
    } known[] = {
        {MUSTER_ENOENT, "define what is missing, or take it out of the needs"},
        {MUSTER_ECYCLE, "take one of the needs out, so that nothing waits for itself"},
        {MUSTER_ETIMEDOUT, "see what it hangs on; once that is mended, retry it. Nothing is started a second time meanwhile"},
        {MUSTER_ECORRUPT, "look at the store with 'muster store verify', and say with 'muster store resolve' what was lost"},
        {MUSTER_EFENCED, "another process has taken the store: see that one daemon runs, and restart it"},
        {MUSTER_ECANCELED, "nothing: it was cancelled, since all was going down"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code)
            return known[i].advice;
    return NULL;
}

static const char *advice(const struct muster_report *report, uint32_t subject)
{
    const struct muster_report_subject *is = &report->subjects[subject];
    const struct muster_report_op *op = last_op(report, subject);
    if ((is->flags & MUSTER_REPORT_GONE) != 0 || (is->resource == NULL && is->state >= MUSTER_DRIVER_SHUTTING_DOWN))
        return NULL;
    bool deferred = is->resource == NULL ? is->state == MUSTER_DRIVER_DEFERRED : is->condition == MUSTER_CONDITION_DEFERRED;
    if (deferred)
        return "make it available; it is tried again by itself, each time after a longer pause, or at once by a retry. "
               "What waits for it follows";
    if (op != NULL && muster__report_op_out(op) && (op->flags & MUSTER_REPORT_TIMED_OUT) == 0)
        return "wait: it is under way, and has a deadline";
    if (is->resource == NULL && is->state == MUSTER_DRIVER_SKIPPED)
        return "install or enable what it misses on this machine and retry it, or leave out what needs it";
    const char *coded = by_code(innermost_code(is->error));
    if (coded != NULL)
        return coded;
    if (is->resource != NULL && is->condition == MUSTER_CONDITION_HELD)
        return "see why its driver can't tell; once it can, retry it";
    if (is->error != NULL || (op != NULL && op->error != NULL))
        return is->resource == NULL ? "mend the cause, then retry the driver; what it has blocked follows"
                                    : "mend the cause, then start it; what waits for it follows";
    if (is->resource != NULL && is->stage == MUSTER_STAGE_INACTIVE && is->condition == MUSTER_CONDITION_NONE)
        return "start it, and hear if something is missing; or give it a policy that does";
    return NULL;
}

/* ---- what it took ------------------------------------------------------------------------------------------------ */

static uint64_t ran(const struct muster_report *report, size_t op)
{
    return muster__report_op_ran(report, &report->ops[op]);
}

/* Of others. */
static size_t longest_before(const struct muster_report *report, size_t op)
{
    uint32_t subject = report->ops[op].subject;
    size_t longest = MUSTER_REPORT_NONE;
    for (; op != MUSTER_REPORT_NONE; op = report->ops[op].after)
        if (report->ops[op].subject != subject && (longest == MUSTER_REPORT_NONE || ran(report, op) > ran(report, longest)))
            longest = op;
    return longest;
}

static uint64_t ran_itself(const struct muster_report *report, size_t op)
{
    uint32_t subject = report->ops[op].subject;
    uint64_t ms = 0;
    for (; op != MUSTER_REPORT_NONE; op = report->ops[op].after)
        ms += report->ops[op].subject == subject ? ran(report, op) : 0;
    return ms;
}

/* What had to be tried again on the way to `op`; how long that was waited for. */
static uint64_t put_pause(struct muster__writer *writer, const struct muster_report *report, size_t op)
{
    const struct muster_report_op *last = NULL;
    size_t count = 0;
    uint64_t ms = 0;
    char text[MUSTER__SPAN_BYTES];
    for (; op != MUSTER_REPORT_NONE; op = report->ops[op].after) {
        const struct muster_report_op *is = &report->ops[op];
        if (is->wait != MUSTER_REPORT_WAIT_RETRY)
            continue;
        const struct muster_report_op *before = &report->ops[is->after];
        last = last == NULL ? before : last;
        count++;
        ms += is->begin_ms - muster__report_end(report, before->end_ms);
    }
    if (last != NULL)
        muster__put(writer, "On its way, the %s of %s had to be tried again%s, which took pauses of %s: %s.\n",
                    muster_phase_name(last->phase), report->subjects[last->subject].name, count == 1 ? "" : " and again",
                    muster__span(text, ms), last->error == NULL ? "it failed" : last->error->text);
    return ms;
}

static void put_slowness(struct muster__writer *writer, const struct muster_report *report, uint32_t subject)
{
    char took[MUSTER__SPAN_BYTES], text[MUSTER__SPAN_BYTES];
    size_t last = muster__report_last_op(report, subject);
    if (last == MUSTER_REPORT_NONE || muster__report_op_out(&report->ops[last]))
        return;
    const struct muster_report_op *op = &report->ops[last];
    size_t longest = longest_before(report, last);
    bool down = op->phase == MUSTER_PHASE_STOP || op->phase == MUSTER_PHASE_SHUTDOWN;
    if (!down && !muster__report_is_up(&report->subjects[subject]))
        return;
    muster__put(writer, "It was %s after %s; its own ops ran for %s of that.\n", down ? "down" : "there",
                muster__span(took, op->end_ms), muster__span(text, ran_itself(report, last)));
    uint64_t paused = put_pause(writer, report, last);
    if (longest != MUSTER_REPORT_NONE && ran(report, longest) > paused)
        muster__put(writer, "The longest that it waited for was the %s of %s, which ran for %s.\n",
                    muster_phase_name(report->ops[longest].phase), report->subjects[report->ops[longest].subject].name,
                    muster__span(text, ran(report, longest)));
}

/* Without what it depends on. */
static const char *going_on(const struct muster_report_subject *is)
{
    if ((is->flags & MUSTER_REPORT_DEGRADED) != 0)
        return "and runs on without it";
    return is->error != NULL ? "and can't go on without it" : "and waits for it";
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

void muster__write_why(struct muster__writer *writer, const struct muster_report *report, uint32_t subject)
{
    size_t left = muster__report_chain_length(report, subject);
    const struct muster_report_subject *asked = &report->subjects[subject];
    for (uint32_t culprit;; subject = culprit) {
        const struct muster_report_subject *is = &report->subjects[subject];
        culprit = muster__report_culprit(report, subject);
        muster__put_colour(writer, MUSTER__BOLD);
        muster__put_text(writer, is->name);
        muster__put_colour(writer, MUSTER__PLAIN);
        muster__put(writer, " %s.\n", standing(is));
        if (culprit == MUSTER__NO_SUBJECT)
            break;
        muster__put(writer, "%s %s %s.\n", is->resource == NULL || report->subjects[culprit].resource != NULL
                                               ? "It depends on"
                                               : "It is a resource of the driver",
                    report->subjects[culprit].name, going_on(is));
        if (--left == 0)
            break;
    }
    const struct muster_report_subject *is = &report->subjects[subject];
    put_last_op(writer, report, subject);
    if (is->error != NULL && !names_error(report, subject))
        muster__put(writer, "It says: %s.\n", is->error->text);
    if (!muster__report_in_trouble(asked))
        put_slowness(writer, report, subject);
    const char *todo = advice(report, subject);
    if (todo != NULL)
        muster__put(writer, "What to do: %s.\n", todo);
}

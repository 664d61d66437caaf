/* SPDX-License-Identifier: MIT */
/* For what each op waited: found by the rules by which the engine lets ops run, from who depends on whom and from the times. */
#include "report/report.h"

#include <stdlib.h>

/* Which step of its driver an op is of. An index has those up to its step. */
enum step { INITIALIZE, RECONCILE, AUTOSTART, STEPS };

struct end {
    uint64_t ms;
    uint32_t op;
};

/* Ops by some bucket, each bucket's by their ends. */
struct index {
    uint32_t *first; /* one more than there are buckets */
    struct end *ends;
};

enum by { BY_SUBJECT, BY_DRIVER, BY_TIER, WHOLE, BYS };

struct waits {
    struct muster_report *report;
    struct end *ends; /* of all ops, in their order */
    struct index indexes[BYS][STEPS];
    uint32_t *rank;   /* of each driver's tier */
    uint32_t *passes; /* the op that ended a driver's initialize, its own or one that it waited for; or NONE */
    uint32_t turn; /* of the op that is looked at, among its subject's */
    size_t *dependents_first;
    uint32_t *dependents;
};

#define NONE UINT32_MAX

/* What an op waited for, as far as it has been found. */
struct found {
    size_t op;
    uint64_t ms;
    enum muster_report_wait wait;
};

/* ---- indexes ------------------------------------------------------------------------------------------------ */

static enum step step_of(const struct waits *waits, const struct muster_report_op *op)
{
    if (op->phase == MUSTER_PHASE_INITIALIZE || op->phase == MUSTER_PHASE_RESTORE)
        return INITIALIZE;
    bool of_driver = muster__report_is_driver(waits->report, op->subject);
    return op->phase == MUSTER_PHASE_RECONCILE || (!of_driver && op->cause == MUSTER_CAUSE_RESTORE) ? RECONCILE : AUTOSTART;
}

static int compare(const void *a, const void *b)
{
    const struct end *one = a;
    const struct end *other = b;
    if (one->ms != other->ms)
        return one->ms < other->ms ? -1 : 1;
    return one->op < other->op ? -1 : one->op > other->op;
}

static uint32_t bucket_of(const struct waits *waits, enum by by, const struct end *end)
{
    uint32_t subject = waits->report->ops[end->op].subject;
    uint32_t home = waits->report->more[subject].home;
    return by == BY_SUBJECT ? subject : by == BY_DRIVER ? home : by == BY_TIER ? waits->rank[home] : 0;
}

static int make_index(struct waits *waits, enum by by, enum step step)
{
    const struct muster_report *report = waits->report;
    struct index *index = &waits->indexes[by][step];
    size_t buckets = (by == BY_SUBJECT ? report->subject_count : report->driver_count) + 1;
    index->first = muster__alloc(&report->memory, buckets + 2, sizeof(*index->first));
    index->ends = muster__alloc(&report->memory, report->op_count + 1, sizeof(*index->ends));
    if (index->first == NULL || index->ends == NULL)
        return MUSTER_ENOMEM;
    uint32_t *next = index->first + 1; /* a bucket's begin, which filling makes the next one's */
    for (size_t i = 0; i < report->op_count; i++)
        if (step_of(waits, &report->ops[waits->ends[i].op]) <= step)
            next[bucket_of(waits, by, &waits->ends[i]) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        next[i + 1] += next[i];
    for (size_t i = 0; i < report->op_count; i++)
        if (step_of(waits, &report->ops[waits->ends[i].op]) <= step)
            index->ends[next[bucket_of(waits, by, &waits->ends[i])]++] = waits->ends[i];
    return 0;
}

/* The first of a bucket that ended after `ms`, or at `ms` and isn't before op `before`; its end if there is none. */
static uint32_t place_after(const struct index *index, uint32_t bucket, uint64_t ms, size_t before)
{
    uint32_t low = index->first[bucket];
    uint32_t high = index->first[bucket + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct end *end = &index->ends[middle];
        if (end->ms < ms || (end->ms == ms && end->op < before))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last of a bucket that had ended by `ms`. That is no later than op `before` was called, so it was called before that one. */
static uint32_t latest(const struct index *index, uint32_t bucket, uint64_t ms, size_t before)
{
    uint32_t at = place_after(index, bucket, ms, before);
    return at > index->first[bucket] ? index->ends[at - 1].op : NONE;
}

/* ---- candidates ---------------------------------------------------------------------------------------------- */

static void consider(const struct waits *waits, struct found *found, uint32_t op, enum muster_report_wait wait)
{
    if (op == NONE || (found->op != MUSTER_REPORT_NONE && waits->report->ops[op].end_ms <= found->ms))
        return;
    *found = (struct found){.op = op, .ms = waits->report->ops[op].end_ms, .wait = wait};
}

/* The last op of a driver's step; of a driver without any, what its initialize waited for. */
static uint32_t of_driver(const struct waits *waits, uint32_t driver, enum step step, size_t op)
{
    uint64_t ms = waits->report->ops[op].begin_ms;
    uint32_t last = latest(&waits->indexes[BY_DRIVER][step], driver, ms, op);
    if (last != NONE)
        return last;
    uint32_t passed = waits->passes[driver];
    return passed != NONE && passed < op && waits->report->ops[passed].end_ms <= ms ? passed : NONE;
}

static void consider_drivers(const struct waits *waits, struct found *found, size_t op, enum step step)
{
    const struct muster_report *report = waits->report;
    uint32_t home = report->more[report->ops[op].subject].home;
    const struct muster_report_subject *driver = &report->subjects[home];
    for (size_t i = 0; i < driver->needs_count; i++)
        consider(waits, found, of_driver(waits, driver->needs[i], step, op), MUSTER_REPORT_WAIT_DEPENDENCY);
}

static void consider_tier(const struct waits *waits, struct found *found, size_t op)
{
    const struct muster_report *report = waits->report;
    uint32_t rank = waits->rank[report->more[report->ops[op].subject].home];
    enum step step = report->complete_tiers ? AUTOSTART : RECONCILE;
    if (rank > 0)
        consider(waits, found, latest(&waits->indexes[BY_TIER][step], rank - 1, report->ops[op].begin_ms, op),
                 MUSTER_REPORT_WAIT_DEPENDENCY);
}

/* The last before the barrier. */
static void consider_barrier(const struct waits *waits, struct found *found, size_t op)
{
    const struct muster_report *report = waits->report;
    uint64_t barrier = report->summary.milestones[MUSTER_RECONCILED];
    uint64_t begin = report->ops[op].begin_ms;
    uint32_t rank = waits->rank[report->more[report->ops[op].subject].home];
    bool one = !report->complete_tiers;
    if (one && (barrier == MUSTER_REPORT_NEVER || barrier > begin))
        return;
    const struct index *index = &waits->indexes[one ? WHOLE : BY_TIER][RECONCILE];
    consider(waits, found, latest(index, one ? 0 : rank, one ? barrier : begin, op), MUSTER_REPORT_WAIT_BARRIER);
}

/* A subject's own op before this one. */
static uint32_t own_before(const struct waits *waits, size_t op)
{
    const struct muster_report *report = waits->report;
    uint32_t turn = waits->turn;
    return turn == 0 ? NONE : report->op_order[report->more[report->ops[op].subject].first_op + turn - 1];
}

/* The last op of a subject that had ended when `op` began. */
static uint32_t of_subject(const struct waits *waits, uint32_t subject, size_t op)
{
    return latest(&waits->indexes[BY_SUBJECT][AUTOSTART], subject, waits->report->ops[op].begin_ms, op);
}

static void consider_dependents(const struct waits *waits, struct found *found, size_t op)
{
    uint32_t subject = waits->report->ops[op].subject;
    for (size_t i = waits->dependents_first[subject]; i < waits->dependents_first[subject + 1]; i++)
        consider(waits, found, of_subject(waits, waits->dependents[i], op), MUSTER_REPORT_WAIT_DEPENDENCY);
}

static void consider_needs(const struct waits *waits, struct found *found, size_t op)
{
    const struct muster_report *report = waits->report;
    const struct muster_report_subject *subject = &report->subjects[report->ops[op].subject];
    for (size_t i = 0; i < subject->needs_count; i++)
        consider(waits, found, of_subject(waits, subject->needs[i], op), MUSTER_REPORT_WAIT_DEPENDENCY);
    if (subject->needs_count == 0)
        consider_drivers(waits, found, op, RECONCILE);
}

static uint64_t not_after(uint64_t ms, uint64_t most)
{
    return ms < most ? ms : most;
}

/* ---- one op -------------------------------------------------------------------------------------------------- */

static void find_driver_op(const struct waits *waits, struct found *found, size_t op)
{
    uint32_t home = waits->report->more[waits->report->ops[op].subject].home;
    uint64_t begin = waits->report->ops[op].begin_ms;
    switch (waits->report->ops[op].phase) {
    case MUSTER_PHASE_INITIALIZE:
        consider_drivers(waits, found, op, INITIALIZE);
        consider_tier(waits, found, op);
        break;
    case MUSTER_PHASE_RECONCILE:
        consider(waits, found, of_driver(waits, home, INITIALIZE, op), MUSTER_REPORT_WAIT_NONE);
        consider_drivers(waits, found, op, RECONCILE);
        break;
    case MUSTER_PHASE_AUTOSTART:
        consider(waits, found, of_driver(waits, home, RECONCILE, op), MUSTER_REPORT_WAIT_NONE);
        consider_drivers(waits, found, op, AUTOSTART);
        consider_barrier(waits, found, op);
        break;
    default: /* reload and shutdown: one after the other */
        consider(waits, found, latest(&waits->indexes[WHOLE][AUTOSTART], 0, begin, op), MUSTER_REPORT_WAIT_DEPENDENCY);
        break;
    }
}

/* A probe that comes first waits for nothing; whatever else comes has waited for what it depends on. */
static void find_resource_op(const struct waits *waits, struct found *found, size_t op, uint32_t before)
{
    const struct muster_report_op *is = &waits->report->ops[op];
    uint64_t barrier = waits->report->summary.milestones[MUSTER_RECONCILED];
    if (is->phase == MUSTER_PHASE_STOP) {
        consider_dependents(waits, found, op);
        return;
    }
    if (before == NONE && (is->phase == MUSTER_PHASE_PROBE || is->phase == MUSTER_PHASE_RESTORE))
        return;
    consider_needs(waits, found, op);
    bool over = barrier <= is->begin_ms && (before == NONE || waits->report->ops[before].end_ms <= barrier);
    if (is->cause == MUSTER_CAUSE_AUTOSTART || over)
        consider_barrier(waits, found, op);
}

/* How many commits had ended before `ms`. They come one after the other. */
static size_t commits_before(const struct muster_report *report, uint64_t ms)
{
    size_t low = 0;
    size_t high = report->commit_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (report->commits[middle].end_ms < ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct muster_report_commit *commit_between(const struct muster_report *report, uint64_t from, uint64_t to)
{
    size_t ended = commits_before(report, to + 1);
    if (ended == 0)
        return NULL;
    const struct muster_report_commit *last = &report->commits[ended - 1];
    /* One that took no time to see may have been the one after that of the intent. */
    if (last->begin_ms == last->end_ms)
        last = &report->commits[commits_before(report, last->end_ms)];
    return last->end_ms > from ? last : NULL;
}

/* How far back an op is looked for that took any time. */
#define MANY 64

/* The op whose end, by `ms`, made room for `op` that was ready: it took some time. */
static uint32_t freed_by(const struct waits *waits, size_t op, uint64_t ms, enum by by)
{
    const struct muster_report *report = waits->report;
    const struct muster_report_op *is = &report->ops[op];
    const struct index *index = &waits->indexes[by][AUTOSTART];
    uint32_t bucket = by == WHOLE ? 0 : report->more[is->subject].home;
    uint32_t at = place_after(index, bucket, ms, SIZE_MAX);
    for (uint32_t i = 0; i < MANY && at-- > index->first[bucket] && index->ends[at].ms > is->ready_ms; i++) {
        uint32_t freed = index->ends[at].op;
        if (freed < op && report->ops[freed].begin_ms < report->ops[freed].end_ms)
            return freed;
    }
    return NONE;
}

/* Nothing that it depends on held it up any more. */
static void find_turn(const struct waits *waits, struct found *found, size_t op, uint32_t before)
{
    const struct muster_report *report = waits->report;
    const struct muster_report_op *is = &report->ops[op];
    if (before != NONE && report->ops[before].error != NULL) {
        *found = (struct found){.op = before, .ms = found->ms, .wait = MUSTER_REPORT_WAIT_RETRY};
        return;
    }
    bool intends = is->phase == MUSTER_PHASE_START || is->phase == MUSTER_PHASE_STOP;
    const struct muster_report_commit *commit = intends ? commit_between(report, is->ready_ms, is->begin_ms) : NULL;
    uint64_t turn = commit == NULL ? is->begin_ms : commit->begin_ms > is->ready_ms ? commit->begin_ms : is->ready_ms;
    if (commit != NULL && is->begin_ms - turn >= turn - is->ready_ms) {
        found->wait = MUSTER_REPORT_WAIT_COMMIT;
        return;
    }
    uint32_t freed = freed_by(waits, op, turn, BY_DRIVER);
    if (freed == NONE)
        freed = freed_by(waits, op, turn, WHOLE);
    bool late = is->begin_ms > report->summary.end_ms; /* the commits of then aren't in the report */
    found->wait = intends && late && freed == NONE ? MUSTER_REPORT_WAIT_COMMIT : MUSTER_REPORT_WAIT_TURN;
    if (freed != NONE)
        found->op = freed;
}

static void find_wait(struct waits *waits, size_t op)
{
    const struct muster_report *report = waits->report;
    struct muster_report_op *is = &report->ops[op];
    struct found found = {.op = MUSTER_REPORT_NONE, .ms = report->ops[0].begin_ms}; /* the records were loaded by then */
    bool of_driver_alone = muster__report_is_driver(report, is->subject);
    uint32_t before = own_before(waits, op);
    bool first = !of_driver_alone && before == NONE;
    uint32_t opener = first ? of_driver(waits, report->more[is->subject].home, INITIALIZE, op) : before;
    if (opener != NONE && report->ops[opener].end_ms <= is->begin_ms)
        consider(waits, &found, opener, MUSTER_REPORT_WAIT_NONE);
    is->wanted_ms = not_after(found.ms, is->begin_ms);
    if (of_driver_alone)
        find_driver_op(waits, &found, op);
    else
        find_resource_op(waits, &found, op, before);
    if (is->cause == MUSTER_CAUSE_USER && is->phase != MUSTER_PHASE_RELOAD && is->phase != MUSTER_PHASE_SHUTDOWN)
        is->wanted_ms = found.ms = is->begin_ms; /* who knows when it was asked for */
    is->ready_ms = not_after(found.ms, is->begin_ms);
    if (is->begin_ms - is->ready_ms > is->ready_ms - is->wanted_ms)
        find_turn(waits, &found, op, before);
    else if (is->ready_ms == is->wanted_ms)
        found.wait = MUSTER_REPORT_WAIT_NONE;
    is->wait = found.wait;
    is->after = found.op;
}

/* ---- all ------------------------------------------------------------------------------------------------------ */

static void rank_tiers(struct waits *waits)
{
    const struct muster_report *report = waits->report;
    uint32_t rank = 0;
    for (size_t i = 0; i < report->driver_count; i++) {
        rank += i > 0 && report->more[i].tier != report->more[i - 1].tier;
        waits->rank[i] = rank;
    }
}

/* Drivers stand in the plan's order: those that one waits for have been dealt with. */
static void find_passes(struct waits *waits)
{
    const struct muster_report *report = waits->report;
    for (uint32_t driver = 0; driver < report->driver_count; driver++) {
        uint32_t own = latest(&waits->indexes[BY_DRIVER][INITIALIZE], driver, MUSTER_REPORT_NEVER - 1, SIZE_MAX);
        struct found found = {.op = MUSTER_REPORT_NONE};
        consider(waits, &found, own, MUSTER_REPORT_WAIT_NONE);
        for (size_t i = 0; own == NONE && i < report->subjects[driver].needs_count; i++)
            if (report->subjects[driver].needs[i] < driver)
                consider(waits, &found, waits->passes[report->subjects[driver].needs[i]], MUSTER_REPORT_WAIT_NONE);
        waits->passes[driver] = found.op == MUSTER_REPORT_NONE ? NONE : (uint32_t)found.op;
    }
}

static int find_dependents(struct waits *waits)
{
    const struct muster_report *report = waits->report;
    size_t edges = 0;
    for (size_t i = 0; i < report->subject_count; i++)
        edges += report->subjects[i].needs_count;
    waits->dependents_first = muster__alloc(&report->memory, report->subject_count + 2, sizeof(size_t));
    waits->dependents = muster__alloc(&report->memory, edges + 1, sizeof(uint32_t));
    if (waits->dependents_first == NULL || waits->dependents == NULL)
        return MUSTER_ENOMEM;
    size_t *first = waits->dependents_first + 1;
    for (size_t i = 0; i < report->subject_count; i++)
        for (size_t k = 0; k < report->subjects[i].needs_count; k++)
            first[report->subjects[i].needs[k] + 1]++;
    for (size_t i = 0; i < report->subject_count; i++)
        first[i + 1] += first[i];
    for (uint32_t i = 0; i < report->subject_count; i++)
        for (size_t k = 0; k < report->subjects[i].needs_count; k++)
            waits->dependents[first[report->subjects[i].needs[k]]++] = i;
    return 0;
}

static int lay_out(struct waits *waits)
{
    const struct muster_report *report = waits->report;
    waits->ends = muster__alloc(&report->memory, report->op_count + 1, sizeof(*waits->ends));
    waits->rank = muster__alloc(&report->memory, report->driver_count + 1, sizeof(*waits->rank));
    waits->passes = muster__alloc(&report->memory, report->driver_count + 1, sizeof(*waits->passes));
    if (waits->ends == NULL || waits->rank == NULL || waits->passes == NULL || find_dependents(waits) != 0)
        return MUSTER_ENOMEM;
    for (uint32_t i = 0; i < report->op_count; i++)
        waits->ends[i] = (struct end){.ms = report->ops[i].end_ms, .op = i};
    qsort(waits->ends, report->op_count, sizeof(*waits->ends), compare);
    rank_tiers(waits);
    for (int by = 0; by < BYS; by++) /* of a subject nobody asks for its ops up to a step */
        for (int step = by == BY_SUBJECT ? AUTOSTART : 0; step < STEPS; step++)
            if (make_index(waits, (enum by)by, (enum step)step) != 0)
                return MUSTER_ENOMEM;
    find_passes(waits);
    return 0;
}

static void clear(struct waits *waits)
{
    const struct muster__memory *memory = &waits->report->memory;
    for (int by = 0; by < BYS; by++)
        for (int step = 0; step < STEPS; step++) {
            muster__free(memory, waits->indexes[by][step].first);
            muster__free(memory, waits->indexes[by][step].ends);
        }
    muster__free(memory, waits->ends);
    muster__free(memory, waits->rank);
    muster__free(memory, waits->passes);
    muster__free(memory, waits->dependents_first);
    muster__free(memory, waits->dependents);
}

int muster__report_find_waits(struct muster_report *report)
{
    struct waits waits = {.report = report};
    int code = lay_out(&waits);
    for (size_t subject = 0; code == 0 && subject < report->subject_count; subject++)
        for (uint32_t turn = 0; turn < report->more[subject].op_count; turn++) {
            waits.turn = turn;
            find_wait(&waits, report->op_order[report->more[subject].first_op + turn]);
        }
    clear(&waits);
    return code;
}

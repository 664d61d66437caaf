/* SPDX-License-Identifier: MIT */
#include "rules_oracle.h"

static struct muster__decision just(enum muster__verdict verdict)
{
    return (struct muster__decision){.verdict = verdict};
}

static struct muster__decision write_inactive(enum muster_reason reason)
{
    return (struct muster__decision){
        .verdict = MUSTER__LEAVE, .rewrite = MUSTER__WRITE_INACTIVE, .reason = reason};
}

static struct muster__decision start(enum muster__verdict when, enum muster_cause cause)
{
    return (struct muster__decision){.verdict = when, .cause = cause};
}

static struct muster__decision autostart_if(bool wanted)
{
    return wanted ? start(MUSTER__START_LATER, MUSTER_CAUSE_AUTOSTART) : just(MUSTER__LEAVE);
}

static bool is_inactive(enum muster__kept kept)
{
    return kept == MUSTER__KEPT_INACTIVE_USER || kept == MUSTER__KEPT_INACTIVE_SELF ||
           kept == MUSTER__KEPT_INACTIVE_HOST || kept == MUSTER__KEPT_INACTIVE_LOSS ||
           kept == MUSTER__KEPT_INACTIVE_FAILURE;
}

/* It runs. */
static struct muster__decision found_active(const struct muster__situation *s)
{
    struct muster__decision decision = just(MUSTER__ADOPT);
    /* A quarantined record: adopt, rewrite, warn. An inactive one: adopt, and warn that it was not recorded. */
    if (s->kept == MUSTER__KEPT_QUARANTINED || is_inactive(s->kept))
        decision.unrecorded = true;
    /* No record: report as unmanaged; adopt only if the driver asks for that. */
    if (s->kept == MUSTER__KEPT_NONE) {
        decision.unrecorded = true;
        if (!s->adopt_unmanaged)
            decision.verdict = MUSTER__UNMANAGED;
    }
    /* The user was stopping it: finish the stop. */
    if (s->kept == MUSTER__KEPT_STOPPING_USER)
        decision.verdict = MUSTER__FINISH_STOP;
    return decision;
}

/* It was active in this boot, and isn't now (or nobody can tell but the record). */
static struct muster__decision was_active(const struct muster__situation *s)
{
    /* The RBD pool: nobody can tell but the record, or its life was the daemon's: start again, in reconcile. */
    if (s->answer == MUSTER__ANSWER_RECORD || s->is_volatile)
        return start(MUSTER__START_NOW, MUSTER_CAUSE_RESTORE);
    /* It is lost: RESTART_ON_LOSS starts it again after the barrier, the others are recorded inactive (loss). */
    struct muster__decision lost = s->restart_on_loss ? start(MUSTER__START_LATER, MUSTER_CAUSE_RESTORE)
                                                      : write_inactive(MUSTER_REASON_LOSS);
    lost.lost = true;
    return lost;
}

/* The daemon died while it was starting, in this boot. */
static struct muster__decision was_starting(const struct muster__situation *s)
{
    /* It may be our own: hold as unknown. */
    if (s->answer == MUSTER__ANSWER_FOREIGN)
        return just(MUSTER__HOLD);
    /* Start again; at the bound of attempts inactive (failure). */
    return s->attempts_remain ? start(MUSTER__START_LATER, MUSTER_CAUSE_RESTORE)
                              : write_inactive(MUSTER_REASON_FAILURE);
}

/* Not running, with a record of this boot. */
static struct muster__decision gone_in_this_boot(const struct muster__situation *s)
{
    if (s->kept == MUSTER__KEPT_STARTING)
        return was_starting(s);
    if (s->kept == MUSTER__KEPT_ACTIVE)
        return was_active(s);
    /* Failed, and still desired: again after the barrier while attempts remain. */
    if (s->kept == MUSTER__KEPT_INACTIVE_FAILURE && s->desired_active)
        return s->attempts_remain ? start(MUSTER__START_LATER, MUSTER_CAUSE_RESTORE) : just(MUSTER__LEAVE);
    /* Stopped for the host's shutdown: the next boot decides. */
    if (s->kept == MUSTER__KEPT_STOPPING_HOST || s->kept == MUSTER__KEPT_INACTIVE_HOST)
        return just(MUSTER__LEAVE);
    if (s->kept == MUSTER__KEPT_INACTIVE_USER)
        return just(MUSTER__LEAVE);
    /* It ended itself: leave it, unless AUTOSTART without a mark of this boot. */
    if (s->kept == MUSTER__KEPT_INACTIVE_SELF)
        return autostart_if(s->policy == MUSTER_AUTOSTART && !s->marked);
    if (s->kept == MUSTER__KEPT_INACTIVE_LOSS)
        return just(MUSTER__LEAVE);
    return just(MUSTER__HOLD);
}

/* Not running, with a record of an earlier boot. */
static struct muster__decision gone_in_a_new_boot(const struct muster__situation *s)
{
    /* Desired active: all policies but MANUAL start it; MANUAL records it inactive. */
    if (s->desired_active)
        return s->policy == MUSTER_MANUAL ? write_inactive(MUSTER_REASON_HOST_SHUTDOWN) : autostart_if(true);
    if (s->kept == MUSTER__KEPT_INACTIVE_USER)
        return autostart_if(s->policy == MUSTER_AUTOSTART);
    if (s->kept == MUSTER__KEPT_INACTIVE_SELF)
        return autostart_if(s->policy == MUSTER_AUTOSTART || s->policy == MUSTER_UNLESS_STOPPED);
    return just(MUSTER__HOLD);
}

static struct muster__decision not_active(const struct muster__situation *s)
{
    /* Trust no handle, start nothing. */
    if (s->boot == MUSTER__BOOT_UNKNOWN)
        return just(MUSTER__HOLD);
    if (s->kept == MUSTER__KEPT_NONE)
        return autostart_if(s->policy == MUSTER_AUTOSTART);
    return s->boot == MUSTER__BOOT_SAME ? gone_in_this_boot(s) : gone_in_a_new_boot(s);
}

struct muster__decision oracle_decide(const struct muster__situation *situation)
{
    /* Can't be told now: keep the record, retry, count no attempt. */
    if (situation->answer == MUSTER__ANSWER_UNAVAILABLE)
        return just(MUSTER__DEFER);
    /* Hold as unknown, probe again; never start. */
    if (situation->answer == MUSTER__ANSWER_ERROR)
        return just(MUSTER__HOLD_PROBE);
    if (situation->answer == MUSTER__ANSWER_ACTIVE)
        return found_active(situation);
    /* The host decides. */
    if (situation->kept == MUSTER__KEPT_QUARANTINED)
        return just(MUSTER__HOLD);
    if (situation->kept != MUSTER__KEPT_STOPPING_USER)
        return not_active(situation);
    /* The stop had succeeded: record it inactive (user), and read on as that. */
    struct muster__situation stopped = *situation;
    stopped.kept = MUSTER__KEPT_INACTIVE_USER;
    stopped.desired_active = false;
    struct muster__decision decision = not_active(&stopped);
    decision.rewrite = MUSTER__WRITE_INACTIVE;
    decision.reason = MUSTER_REASON_USER;
    return decision;
}

bool oracle_same(const struct muster__decision *a, const struct muster__decision *b)
{
    bool starts = a->verdict == MUSTER__START_NOW || a->verdict == MUSTER__START_LATER;
    return a->verdict == b->verdict && a->rewrite == b->rewrite && a->unrecorded == b->unrecorded &&
           a->lost == b->lost && (a->rewrite == MUSTER__KEEP || a->reason == b->reason) &&
           (!starts || a->cause == b->cause);
}

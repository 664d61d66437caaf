/* SPDX-License-Identifier: MIT */
#include "engine/rules.h"

#include <stddef.h>

#define BIT(x) (1u << (x))
#define ANY (~0u)

#define INACTIVE_ALL                                                                               \
    (BIT(MUSTER__KEPT_INACTIVE_USER) | BIT(MUSTER__KEPT_INACTIVE_SELF) | BIT(MUSTER__KEPT_INACTIVE_HOST) |                \
     BIT(MUSTER__KEPT_INACTIVE_LOSS) | BIT(MUSTER__KEPT_INACTIVE_FAILURE))

#define RUNS BIT(MUSTER__ANSWER_ACTIVE)
#define NOT_ACTIVE (BIT(MUSTER__ANSWER_INACTIVE) | BIT(MUSTER__ANSWER_FOREIGN) | BIT(MUSTER__ANSWER_RECORD))

#define SAME BIT(MUSTER__BOOT_SAME)
#define NEW BIT(MUSTER__BOOT_NEW)
#define UNKNOWN BIT(MUSTER__BOOT_UNKNOWN)

#define MANUAL BIT(MUSTER_MANUAL)
#define AUTOSTART BIT(MUSTER_AUTOSTART)
#define UNLESS_STOPPED BIT(MUSTER_UNLESS_STOPPED)
#define LAST_STATE BIT(MUSTER_LAST_STATE)

/* What must hold beside the columns of the design's table. */
enum condition {
    ALWAYS,
    DESIRED_ACTIVE,
    ADOPTS_UNMANAGED,
    IS_VOLATILE,
    RESTARTS_ON_LOSS,
    ATTEMPTS_REMAIN,
    DESIRED_ACTIVE_AND_ATTEMPTS_REMAIN,
    NOT_MARKED
};

struct row {
    unsigned kept;
    unsigned answer;
    unsigned boot;
    unsigned policy;
    enum condition condition;
    /* The record is taken as inactive (user) from here on, and the next rows decide. */
    bool read_on;
    struct muster__decision then;
};

#define THEN(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define AFTER_BARRIER(why) THEN(.verdict = MUSTER__START_LATER, .cause = (why))
#define LEAVE_AS(why) THEN(.verdict = MUSTER__LEAVE, .rewrite = MUSTER__WRITE_INACTIVE, .reason = (why))

/* In the order of the design's table; the first row that matches decides. */
static const struct row rows[] = {
    {ANY, BIT(MUSTER__ANSWER_UNAVAILABLE), ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__DEFER)},
    {ANY, BIT(MUSTER__ANSWER_ERROR), ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__HOLD_PROBE)},

    {BIT(MUSTER__KEPT_QUARANTINED), RUNS, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__ADOPT, .unrecorded = true)},
    {BIT(MUSTER__KEPT_QUARANTINED), NOT_ACTIVE, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__HOLD)},

    {BIT(MUSTER__KEPT_NONE), RUNS, ANY, ANY, ADOPTS_UNMANAGED, false,
     THEN(.verdict = MUSTER__ADOPT, .unrecorded = true)},
    {BIT(MUSTER__KEPT_NONE), RUNS, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__UNMANAGED, .unrecorded = true)},

    {BIT(MUSTER__KEPT_STOPPING_USER), RUNS, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__FINISH_STOP)},
    {BIT(MUSTER__KEPT_STOPPING_USER), NOT_ACTIVE, ANY, ANY, ALWAYS, true, LEAVE_AS(MUSTER_REASON_USER)},

    {INACTIVE_ALL, RUNS, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__ADOPT, .unrecorded = true)},
    {ANY, RUNS, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__ADOPT)},

    {ANY, NOT_ACTIVE, UNKNOWN, ANY, ALWAYS, false, THEN(.verdict = MUSTER__HOLD)},

    {BIT(MUSTER__KEPT_NONE), NOT_ACTIVE, ANY, AUTOSTART, ALWAYS, false, AFTER_BARRIER(MUSTER_CAUSE_AUTOSTART)},
    {BIT(MUSTER__KEPT_NONE), NOT_ACTIVE, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__LEAVE)},

    {BIT(MUSTER__KEPT_STARTING), BIT(MUSTER__ANSWER_FOREIGN), SAME, ANY, ALWAYS, false, THEN(.verdict = MUSTER__HOLD)},
    {BIT(MUSTER__KEPT_STARTING), NOT_ACTIVE, SAME, ANY, ATTEMPTS_REMAIN, false, AFTER_BARRIER(MUSTER_CAUSE_RESTORE)},
    {BIT(MUSTER__KEPT_STARTING), NOT_ACTIVE, SAME, ANY, ALWAYS, false, LEAVE_AS(MUSTER_REASON_FAILURE)},

    {BIT(MUSTER__KEPT_ACTIVE), BIT(MUSTER__ANSWER_RECORD), SAME, ANY, ALWAYS, false,
     THEN(.verdict = MUSTER__START_NOW, .cause = MUSTER_CAUSE_RESTORE)},
    {BIT(MUSTER__KEPT_ACTIVE), NOT_ACTIVE, SAME, ANY, IS_VOLATILE, false,
     THEN(.verdict = MUSTER__START_NOW, .cause = MUSTER_CAUSE_RESTORE)},
    {BIT(MUSTER__KEPT_ACTIVE), NOT_ACTIVE, SAME, ANY, RESTARTS_ON_LOSS, false,
     THEN(.verdict = MUSTER__START_LATER, .cause = MUSTER_CAUSE_RESTORE, .lost = true)},
    {BIT(MUSTER__KEPT_ACTIVE), NOT_ACTIVE, SAME, ANY, ALWAYS, false,
     THEN(.verdict = MUSTER__LEAVE, .rewrite = MUSTER__WRITE_INACTIVE, .reason = MUSTER_REASON_LOSS, .lost = true)},

    {BIT(MUSTER__KEPT_INACTIVE_FAILURE), NOT_ACTIVE, SAME, ANY, DESIRED_ACTIVE_AND_ATTEMPTS_REMAIN, false,
     AFTER_BARRIER(MUSTER_CAUSE_RESTORE)},
    {BIT(MUSTER__KEPT_INACTIVE_FAILURE), NOT_ACTIVE, SAME, ANY, DESIRED_ACTIVE, false, THEN(.verdict = MUSTER__LEAVE)},

    {BIT(MUSTER__KEPT_STOPPING_HOST) | BIT(MUSTER__KEPT_INACTIVE_HOST), NOT_ACTIVE, SAME, ANY, ALWAYS, false,
     THEN(.verdict = MUSTER__LEAVE)},

    {ANY, NOT_ACTIVE, NEW, AUTOSTART | UNLESS_STOPPED | LAST_STATE, DESIRED_ACTIVE, false,
     AFTER_BARRIER(MUSTER_CAUSE_AUTOSTART)},
    {ANY, NOT_ACTIVE, NEW, MANUAL, DESIRED_ACTIVE, false, LEAVE_AS(MUSTER_REASON_HOST_SHUTDOWN)},

    {BIT(MUSTER__KEPT_INACTIVE_USER), NOT_ACTIVE, SAME, ANY, ALWAYS, false, THEN(.verdict = MUSTER__LEAVE)},
    {BIT(MUSTER__KEPT_INACTIVE_USER), NOT_ACTIVE, NEW, AUTOSTART, ALWAYS, false, AFTER_BARRIER(MUSTER_CAUSE_AUTOSTART)},
    {BIT(MUSTER__KEPT_INACTIVE_USER), NOT_ACTIVE, NEW, ANY, ALWAYS, false, THEN(.verdict = MUSTER__LEAVE)},

    {BIT(MUSTER__KEPT_INACTIVE_SELF), NOT_ACTIVE, SAME, AUTOSTART, NOT_MARKED, false,
     AFTER_BARRIER(MUSTER_CAUSE_AUTOSTART)},
    {BIT(MUSTER__KEPT_INACTIVE_SELF), NOT_ACTIVE, SAME, ANY, ALWAYS, false, THEN(.verdict = MUSTER__LEAVE)},
    {BIT(MUSTER__KEPT_INACTIVE_SELF), NOT_ACTIVE, NEW, AUTOSTART | UNLESS_STOPPED, ALWAYS, false,
     AFTER_BARRIER(MUSTER_CAUSE_AUTOSTART)},
    {BIT(MUSTER__KEPT_INACTIVE_SELF), NOT_ACTIVE, NEW, ANY, ALWAYS, false, THEN(.verdict = MUSTER__LEAVE)},

    {BIT(MUSTER__KEPT_INACTIVE_LOSS), NOT_ACTIVE, SAME, ANY, ALWAYS, false, THEN(.verdict = MUSTER__LEAVE)},

    {ANY, ANY, ANY, ANY, ALWAYS, false, THEN(.verdict = MUSTER__HOLD)},
};

static bool holds(enum condition condition, const struct muster__situation *situation)
{
    switch (condition) {
    case DESIRED_ACTIVE:
        return situation->desired_active;
    case ADOPTS_UNMANAGED:
        return situation->adopt_unmanaged;
    case IS_VOLATILE:
        return situation->is_volatile;
    case RESTARTS_ON_LOSS:
        return situation->restart_on_loss;
    case ATTEMPTS_REMAIN:
        return situation->attempts_remain;
    case DESIRED_ACTIVE_AND_ATTEMPTS_REMAIN:
        return situation->desired_active && situation->attempts_remain;
    case NOT_MARKED:
        return !situation->marked;
    default:
        return true;
    }
}

static bool matches(const struct row *row, const struct muster__situation *situation)
{
    return (row->kept & BIT(situation->kept)) != 0 && (row->answer & BIT(situation->answer)) != 0 &&
           (row->boot & BIT(situation->boot)) != 0 && (row->policy & BIT(situation->policy)) != 0 &&
           holds(row->condition, situation);
}

struct muster__decision muster__decide(const struct muster__situation *situation)
{
    struct muster__situation read = *situation;
    struct muster__decision written = {.rewrite = MUSTER__KEEP};
    const struct row *row = rows;
    for (;; row++) {
        if (!matches(row, &read))
            continue;
        if (!row->read_on)
            break;
        written = row->then;
        read.kept = MUSTER__KEPT_INACTIVE_USER;
        read.desired_active = false;
    }
    struct muster__decision decision = row->then;
    if (decision.rewrite == MUSTER__KEEP) {
        decision.rewrite = written.rewrite;
        decision.reason = written.reason;
    }
    return decision;
}

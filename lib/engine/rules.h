/* SPDX-License-Identifier: MIT */
/*
 * The reconcile rules (DESIGN.md, section 6) as a table: what becomes of a resource, from its record, the probe's answer, the
 * boot and its policy. A pure function.
 */
#ifndef MUSTER__RULES_H
#define MUSTER__RULES_H

#include <stdbool.h>

#include <muster/driver.h>
#include <muster/resource.h>

/* What the record says. */
enum muster__kept {
    MUSTER__KEPT_NONE,
    MUSTER__KEPT_QUARANTINED,
    MUSTER__KEPT_STARTING,
    MUSTER__KEPT_ACTIVE,
    MUSTER__KEPT_STOPPING_USER,
    MUSTER__KEPT_STOPPING_HOST,
    MUSTER__KEPT_INACTIVE_USER,
    MUSTER__KEPT_INACTIVE_SELF,
    MUSTER__KEPT_INACTIVE_HOST,
    MUSTER__KEPT_INACTIVE_LOSS,
    MUSTER__KEPT_INACTIVE_FAILURE,
    MUSTER__KEPTS
};

enum muster__answer {
    MUSTER__ANSWER_ACTIVE,
    MUSTER__ANSWER_INACTIVE,
    MUSTER__ANSWER_FOREIGN,
    MUSTER__ANSWER_RECORD, /* the driver has no probe: the record decides */
    MUSTER__ANSWER_UNAVAILABLE,
    MUSTER__ANSWER_ERROR, /* or a time-out, or MUSTER_OK, which answers nothing */
    MUSTER__ANSWERS
};

/* The record's boot, as against this one. */
enum muster__boot {
    MUSTER__BOOT_SAME,
    MUSTER__BOOT_NEW,
    MUSTER__BOOT_UNKNOWN, /* either isn't known; without a record: this one isn't */
    MUSTER__BOOTS
};

struct muster__situation {
    enum muster__kept kept;
    bool desired_active; /* the record's desired; false without a record */
    enum muster__answer answer;
    enum muster__boot boot; /* MUSTER__BOOT_SAME without a record, if this boot is known */
    enum muster_policy policy;
    bool is_volatile;
    bool restart_on_loss;
    bool adopt_unmanaged;
    bool marked;          /* the record's mark is of this boot */
    bool attempts_remain;
};

enum muster__verdict {
    MUSTER__DEFER,       /* keep the record, try again later */
    MUSTER__HOLD,        /* unknown: the host decides */
    MUSTER__HOLD_PROBE,  /* unknown: probe again later */
    MUSTER__ADOPT,       /* it runs: recorded active, desired active, this boot */
    MUSTER__UNMANAGED,   /* it runs, and isn't ours to manage */
    MUSTER__FINISH_STOP, /* after the barrier, dependents first */
    MUSTER__LEAVE,       /* it isn't running, and is left so */
    MUSTER__START_NOW,   /* in reconcile; no new intent */
    MUSTER__START_LATER  /* after the barrier */
};

enum muster__rewrite {
    MUSTER__KEEP,           /* the record stays (adoption aside) */
    MUSTER__WRITE_INACTIVE  /* inactive, for `reason`; desired stays */
};

struct muster__decision {
    enum muster__verdict verdict;
    enum muster__rewrite rewrite;
    enum muster_reason reason;
    /* Of the start that follows. */
    enum muster_cause cause;
    /* It runs, and the record didn't say so. */
    bool unrecorded;
    /* It was active and is gone. */
    bool lost;
};

struct muster__decision muster__decide(const struct muster__situation *situation);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A report from the inside: built subject by subject and op by op, finished (who waited for whom is found then), and from then on
 * constant.
 */
#ifndef MUSTER__REPORT_H
#define MUSTER__REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <muster/observe.h>
#include <muster/report.h>

#include "base/blocks.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"

#define MUSTER__NO_SUBJECT UINT32_MAX
/* How many errors a chain has at most, here and as JSON. */
#define MUSTER__REPORT_CAUSES 64

/* What others needn't know of a subject. */
struct muster__subject {
    int64_t tier;  /* a driver's */
    uint32_t home; /* its driver */
    uint32_t first_op; /* in op_order, the begin of its own ops, which ascend */
    uint32_t op_count;
    uint32_t next_resource; /* a driver's first, a resource's next of the same driver; MUSTER__NO_SUBJECT: there is none */
};

struct muster_report {
    struct muster__memory memory;
    struct muster__blocks blocks;
    struct muster__table names;
    bool complete_tiers;
    bool failed; /* memory was short */
    struct muster_report_summary summary;
    struct muster_report_subject *subjects;
    struct muster__subject *more; /* of each subject */
    size_t subject_count;
    size_t subject_capacity;
    size_t more_capacity;
    size_t driver_count; /* the first so many subjects */
    struct muster_report_op *ops;
    size_t op_count;
    size_t op_capacity;
    struct muster_report_commit *commits;
    size_t commit_count;
    size_t commit_capacity;
    uint32_t *op_order; /* ops by subject */
};

/* ---- report.c */

int muster__report_new(const struct muster__memory *memory, struct muster_report **ret_report);
/*
 * `is` has the strings, the states and the flags; drivers come first. An error's reference is taken. MUSTER__NO_SUBJECT: no
 * memory.
 */
uint32_t muster__report_add_subject(struct muster_report *report, const struct muster_report_subject *is, int64_t tier);
/* Copied. */
void muster__report_set_needs(struct muster_report *report, uint32_t subject, const uint32_t *needs, size_t count);
/* What it waited for isn't looked at. An error's reference is taken. */
void muster__report_add_op(struct muster_report *report, const struct muster_report_op *op);
void muster__report_add_commit(struct muster_report *report, const struct muster_report_commit *commit);
/* A copy of an error's chain that is the report's; of a longer one, the outermost and the innermost. NULL for NULL. */
struct muster_error *muster__report_error(struct muster_report *report, const struct muster_error *error);
/* Memory that lives as long as the report; NULL: none, and the report has failed. */
void *muster__report_keep(struct muster_report *report, size_t bytes);
/* 0, or MUSTER_ENOMEM of whatever was short before. */
int muster__report_finish(struct muster_report *report);

/* Their names, by enum muster_milestone. */
extern const char *const muster__report_milestones[3];
/* MUSTER__NO_SUBJECT: there is none. */
uint32_t muster__report_find(const struct muster_report *report, const char *name);
static inline bool muster__report_is_driver(const struct muster_report *report, uint32_t subject)
{
    return report->subjects[subject].resource == NULL;
}
/* Of what hasn't ended: when the report was made. */
static inline uint64_t muster__report_end(const struct muster_report *report, uint64_t end_ms)
{
    return end_ms == MUSTER_REPORT_NEVER ? report->summary.now_ms : end_ms;
}
static inline uint64_t muster__report_op_ran(const struct muster_report *report, const struct muster_report_op *op)
{
    return muster__report_end(report, op->end_ms) - op->begin_ms;
}
static inline bool muster__report_op_out(const struct muster_report_op *op)
{
    return op->end_ms == MUSTER_REPORT_NEVER;
}
static inline bool muster__report_op_waited(const struct muster_report_op *op)
{
    return op->wait != MUSTER_REPORT_WAIT_NONE && op->begin_ms > op->wanted_ms;
}
/* It is finished, and neither well nor with a probe's answer. */
static inline bool muster__report_op_failed(const struct muster_report_op *op)
{
    return !muster__report_op_out(op) && op->error != NULL;
}
/* It failed, or was past its deadline. */
static inline bool muster__report_op_bad(const struct muster_report_op *op)
{
    return muster__report_op_failed(op) || (op->flags & MUSTER_REPORT_TIMED_OUT) != 0;
}
/* Its last op, or MUSTER_REPORT_NONE. */
size_t muster__report_last_op(const struct muster_report *report, uint32_t subject);

/* ---- waits.c */

/* Fill wanted_ms, ready_ms, wait and after of all ops. */
int muster__report_find_waits(struct muster_report *report);

/* ---- chain.c */

/* The op whose end was the end of everything, or that is awaited longest. MUSTER_REPORT_NONE: there are no ops. */
size_t muster__report_last(const struct muster_report *report);
/* The last op after that of what is well by now: it came late. MUSTER_REPORT_NONE: nothing did. */
size_t muster__report_last_late(const struct muster_report *report);
void muster__report_mark_critical(struct muster_report *report);

#endif

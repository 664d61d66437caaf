/* SPDX-License-Identifier: MIT */
/*
 * An op: one call into the host's code whose completion muster awaits. The engine makes it and decides by it; the runner calls it
 * and collects its effects, from any thread.
 */
#ifndef MUSTER__OP_H
#define MUSTER__OP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <muster/driver.h>

#include "base/list.h"
#include "base/table.h"
#include "engine/record.h"
#include "engine/timer.h"

struct muster__engine;
struct muster__trail;
struct muster__trail_op;

/* The longest message of muster_op_fail(), with its end. */
#define MUSTER__OP_TEXT 256

/* What the driver's code has asked for; applies when the op is finished. Guarded by whoever carries ops out. */
struct muster__effects {
    /* muster_op_add_resource(): struct muster_resource by `link`, complete but in no driver. */
    struct muster__list added;
    /* muster_op_set_handle(). */
    char *handle;
    bool handle_set;
    int outcome;
    /* muster_op_extend(): ms from the time the engine hears of it; 0: none. */
    uint64_t extend_ms;
    /* muster_op_fail(), or what muster_op_add_resource() refused; "": neither was called, or without a message. */
    char text[MUSTER__OP_TEXT];
};

/* Who may still finish the op. */
enum muster__op_stage {
    MUSTER__OP_QUEUED,   /* the engine asked for the call, nobody has made it */
    MUSTER__OP_OUT,      /* called; not finished */
    MUSTER__OP_FINISHED, /* finished by the driver; the engine has not heard yet */
    MUSTER__OP_RETIRED   /* the engine has heard; kept for a while, so that a second finish is caught */
};

struct muster_op {
    /* ---- all that is touched of an op of a driver as a whole that ends within its call, with the begin of its effects */
    /* Set by the engine before the call, then constant until the op is retired. */
    struct muster__engine *engine;
    struct muster_driver *driver;
    struct muster_resource *resource; /* NULL: an op of the driver as a whole */
    int (*callback)(struct muster_op *op); /* the driver's of the phase; may be NULL */
    enum muster_phase phase;
    enum muster_cause cause;
    /* The runner's, and any thread's. */
    _Atomic int stage; /* enum muster__op_stage */
    atomic_bool cancelled;
    atomic_bool in_inbox;
    /* The engine's own; `threaded` is constant, too. */
    bool threaded; /* it is for a worker */
    bool timed_out;
    uint64_t called_ms; /* as far as is known: the runner may correct it during the call */
    struct muster__record *record; /* for restore the unclaimed one, else the resource's; may be NULL */
    struct muster__trail *trail; /* it is told there; NULL: nowhere */
    struct muster__trail_op *told;
    struct muster__list link; /* in the list of ops that are out, or retired */
    struct muster__list cancel; /* in engine->cancels: the driver's cancel is to be called */
    struct muster__table *added_names; /* the runner's, of effects.added; NULL if nothing was added */
    struct muster__effects effects;    /* its long end is seldom touched */

    /* ---- set by the engine before the call, then constant */
    void *request;
    /* The handle that the driver may see: in `record`, or NULL. */
    const char *handle;
    /* start: the new token; else the record's. "" is none. */
    char token[33];

    /* ---- the engine's own */
    struct muster__timer deadline;

    /* ---- the runner's, and any thread's */
    struct muster__list inbox; /* the runner's queue of ops with news */
    unsigned news;             /* what the inbox has to tell of it */
    struct muster__list queue; /* of those that wait for a worker; news of a second finish may come meanwhile */
};

#endif

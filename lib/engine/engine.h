/* SPDX-License-Identifier: MIT */
/*
 * The engine: a step function. An event goes in, state changes, actions come out. It calls no driver, no store, no timer and
 * no user, and never reads a clock; whoever drives it (lib/run, a simulation) carries the actions out, in their order,
 * and turns their ends into events. muster__engine_step() may be called while an action is being carried out.
 */
#ifndef MUSTER__ENGINE_H
#define MUSTER__ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <muster/context.h>
#include <muster/observe.h>
#include <muster/report.h>

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"
#include "engine/op.h"

struct muster__engine;
struct muster__request;

struct muster__engine_options {
    const struct muster__memory *memory; /* outlives the engine */
    struct muster *context;              /* handed through to callbacks */
    bool has_store;
    /* Tokens are made from it; a run must never use another's. */
    uint64_t seed[2];
    /* "" is unknown. Copied. */
    const char *boot_id;
    /* As in muster_options, with the defaults filled in: 0 is taken as it stands. */
    uint64_t flags;
    uint64_t max_ops;
    uint64_t op_timeout_ms;
    uint64_t store_timeout_ms;
    uint64_t shutdown_timeout_ms;
    uint64_t retry_min_ms;
    uint64_t retry_max_ms;
    uint64_t max_attempts;
    uint64_t shuffle_seed;
};

enum muster__event_type {
    /* ---- what the carrying out of actions led to */
    MUSTER__EVENT_TIME,         /* what was due by `now` is; whatever has ended was told before */
    MUSTER__EVENT_OP_FINISHED,  /* op: its effects say how */
    MUSTER__EVENT_OP_EXTENDED,  /* op: effects.extend_ms */
    MUSTER__EVENT_OP_TWICE,     /* op (retired or not): it was finished a second time */
    MUSTER__EVENT_LOADED,       /* code, error, records and count, which stay the caller's */
    MUSTER__EVENT_COMMITTED,    /* code, error */
    MUSTER__EVENT_CLOSED,       /* code, error */
    /* ---- what the user asks for */
    MUSTER__EVENT_ADD_DRIVER,   /* driver_def, data; ret_driver */
    MUSTER__EVENT_CHECK,
    MUSTER__EVENT_BRING_UP,     /* done */
    MUSTER__EVENT_WHEN,         /* number: milestone, done */
    MUSTER__EVENT_RELOAD,       /* done */
    MUSTER__EVENT_SHUTDOWN,     /* number: kind, done */
    MUSTER__EVENT_DRIVER_RETRY, /* driver; number 1: only if it is deferred (changed) */
    MUSTER__EVENT_RESOURCE_ADD, /* driver, resource_def; ret_resource */
    MUSTER__EVENT_RESOURCE_REMOVE,     /* resource; as with all up to SET_POLICY, one that was removed is refused */
    MUSTER__EVENT_RESOURCE_START,      /* resource, number: flags, data: request, done */
    MUSTER__EVENT_RESOURCE_STOP,       /* resource, number: flags, data: request, done */
    MUSTER__EVENT_RESOURCE_CHANGED,    /* resource, number: enum muster_change */
    MUSTER__EVENT_RESOURCE_RETRY,      /* resource */
    MUSTER__EVENT_RESOURCE_SET_NEEDS,  /* resource, needs, after */
    MUSTER__EVENT_RESOURCE_SET_POLICY, /* resource, number */
    MUSTER__EVENT_RECORD_FORGET,       /* name, done */
    MUSTER__EVENT_RECORD_MOVE,         /* name, new_name, done */
    MUSTER__EVENT_RECORD_RESOLVE,      /* name, number: desired, done */
    MUSTER__EVENT_TYPES
};

/* Who hears the end of what was asked for. `cb` may be NULL. */
struct muster__done {
    muster_done_cb cb;
    void *data;
};

/* Only the members that the type names count. */
struct muster__event {
    enum muster__event_type type;
    uint64_t now; /* ms; never smaller than the last */
    int code;
    const struct muster_error *error;
    struct muster_op *op;
    struct muster_driver *driver;
    struct muster_resource *resource;
    uint64_t number;
    void *data;
    struct muster__done done;
    const struct muster_driver_def *driver_def;
    const struct muster_resource_def *resource_def;
    const char *name;
    const char *new_name;
    const char *const *needs;
    const char *const *after;
    const struct muster_record *const *records;
    size_t count;
    struct muster_driver **ret_driver;
    struct muster_resource **ret_resource;
};

enum muster__action_type {
    MUSTER__ACTION_CALL,    /* op: call the driver's callback of op->phase; then an OP_FINISHED */
    MUSTER__ACTION_CANCEL,  /* op: call the driver's cancel if it has one */
    MUSTER__ACTION_LOAD,    /* open the store if it isn't, and load; then LOADED */
    MUSTER__ACTION_COMMIT,  /* records, count: valid until the next step, keep references */
    MUSTER__ACTION_CLOSE,   /* close the store; then CLOSED */
    MUSTER__ACTION_DONE,    /* done, code, error */
    MUSTER__ACTION_OBSERVE, /* observation */
    MUSTER__ACTION_RELEASE  /* release(data): a resource's data */
};

/* Valid until the next muster__engine_action(). Of a CALL, the most frequent, only `type` and `op` are set. */
struct muster__action {
    enum muster__action_type type;
    struct muster_op *op;
    const struct muster_record *const *records;
    size_t count;
    struct muster__done done;
    int code;
    const struct muster_error *error;
    const struct muster_observation *observation;
    void (*release)(void *data);
    void *data;
};

int muster__engine_new(const struct muster__engine_options *options, struct muster__engine **ret_engine);

/* MUSTER_EBUSY while ops are out (muster__engine_error() names them); nothing is freed then. */
int muster__engine_free(struct muster__engine *engine);

/*
 * One event. Returns 0, or the code with which what the user asked for is refused: nothing has changed then, and `done` is
 * never called; muster__engine_error() has the message. What isn't the user's doing always returns 0.
 */
int muster__engine_step(struct muster__engine *engine, const struct muster__event *event);

/* The next action to carry out; false if there is none. */
bool muster__engine_action(struct muster__engine *engine, struct muster__action *ret_action);

/* The RELEASE that was just taken is not carried out now: muster__engine_free() will. */
void muster__engine_put_off(struct muster__engine *engine);

/* When to send the next TIME event, on the clock of the events; UINT64_MAX: never. */
uint64_t muster__engine_wake_at(const struct muster__engine *engine);

/* Observations cost an allocation each: none are made before somebody listens. */
void muster__engine_observe(struct muster__engine *engine, bool wanted);

const struct muster_error *muster__engine_error(const struct muster__engine *engine);
enum muster_context_state muster__engine_state(const struct muster__engine *engine);
/* What the last bring-up or shutdown ended with. */
int muster__engine_result(const struct muster__engine *engine);
unsigned muster__engine_holds(const struct muster__engine *engine);
size_t muster__engine_ops_out(const struct muster__engine *engine);
/* How many had to be broken (deadlock.c). The rules are to leave none. */
size_t muster__engine_deadlocks(const struct muster__engine *engine);
struct muster *muster__engine_context(const struct muster__engine *engine);

struct muster_driver *muster__engine_find_driver(const struct muster__engine *engine, const char *name);
struct muster_resource *muster__engine_find_resource(const struct muster__engine *engine, const char *name);
int muster__engine_foreach_driver(const struct muster__engine *engine, muster_driver_cb cb, void *data);
int muster__engine_foreach_record(const struct muster__engine *engine, muster_record_cb cb, void *data);

/* ret_counts->size is the struct's. */
void muster__engine_progress(const struct muster__engine *engine, struct muster_progress_counts *ret_counts);
size_t muster__engine_driver_count(const struct muster__engine *engine);
bool muster__engine_has_complete_tiers(const struct muster__engine *engine);
/* From 0 on, in the order of registration. */
uint32_t muster__driver_id(const struct muster_driver *driver);
int64_t muster__driver_tier(const struct muster_driver *driver);
/* The ids of those that it comes after by what is declared; none before a bring-up has accepted it. 0, or MUSTER_ENOMEM. */
int muster__driver_dependencies(const struct muster_driver *driver, const uint32_t **ret_ids, uint32_t *ret_count);

struct muster__engine *muster__driver_engine(const struct muster_driver *driver);
struct muster__engine *muster__resource_engine(const struct muster_resource *resource);
/* The driver's definition: its callbacks, flags and limits. Its name and its lists are not kept there. */
const struct muster_driver_def *muster__driver_def(const struct muster_driver *driver);

/* ---- for muster_op_add_resource(), any thread --------------------------------------------------- */

/* A resource that is in no driver yet, for op->effects.added. 0, MUSTER_EINVAL, MUSTER_ENOMEM. */
int muster__resource_new(const struct muster__memory *memory, const struct muster_resource_def *def,
                         struct muster_resource **ret_resource);
/* What to say of the definition that it, or who looks at the name first, refused with `code`. */
void muster__resource_refusal(const struct muster_resource_def *def, int code, char *text, size_t bytes);
const char *muster__resource_name(const struct muster_resource *resource);
struct muster__list *muster__resource_link(struct muster_resource *resource);
struct muster_resource *muster__resource_of_link(struct muster__list *link);

/* The name of what muster keeps from being interrupted: "driver 'storage'", "storage 'pool0': start". For messages. */
int muster__op_describe(const struct muster_op *op, char *text, size_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the files of the engine share. One event at a time changes state; what a change concerns is touched, and touched
 * drivers and resources are looked at again until nothing changes. A look decides by the present state alone: the order of
 * events doesn't matter to it.
 */
#ifndef MUSTER__INTERNAL_H
#define MUSTER__INTERNAL_H

#include <muster/context.h>
#include <muster/observe.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/name.h"
#include "base/queue.h"
#include "base/ready.h"
#include "base/table.h"
#include "engine/engine.h"
#include "engine/op.h"
#include "engine/record.h"
#include "engine/rules.h"
#include "engine/timer.h"
#include "engine/trail.h"
#include "graph/graph.h"

/* How many retired ops are kept so that a second finish is caught. */
#define MUSTER__RETIRED_OPS 256

/* The phases of a driver that others wait for. */
enum muster__step { MUSTER__STEP_INITIALIZE, MUSTER__STEP_RECONCILE, MUSTER__STEP_AUTOSTART, MUSTER__STEPS };

/* ---- actions.c ------------------------------------------------------------------------------ */

/* Something to be carried out, first in its object, in engine->actions. */
struct muster__item {
    struct muster__list link;
    enum muster__action_type type;
};

/* Somebody who waits for an end: a request on a resource, a bring-up, a milestone. */
struct muster__request {
    struct muster__item item; /* once it has ended */
    struct muster__list link; /* while it waits */
    struct muster__engine *engine;
    struct muster__done done;
    int code;
    struct muster_error *error;
    /* Of a start or stop. */
    enum muster__event_type type;
    struct muster_resource *resource;
    uint64_t flags;
    void *data;
    enum muster_cause cause;
    bool waited; /* for the barrier, or for another request */
    /* Of muster_when(). */
    enum muster_milestone milestone;
};

struct muster__observed {
    struct muster__item item;
    struct muster_observation is;
    struct muster_error *error;
    char *name;
};

/* ---- entries.c: the names that records, resources and dependencies are about ------------------------ */

struct muster__ledger {
    struct muster__table_node node; /* the driver's name */
    struct muster__list entries;
};

struct muster__entry {
    struct muster__table_node node; /* "storage/pool0" */
    struct muster__ledger *ledger;
    struct muster__list in_ledger;
    const char *name; /* within the driver: the end of node.key */
    struct muster_resource *resource; /* NULL: unclaimed, or only named by others */
    struct muster__list dependents;   /* struct muster__edge by `in_to` */
    /* What is to be in the store, and what is known to be there. NULL: nothing. */
    struct muster__record *record;
    struct muster__record *durable;
    /* The host has forgotten, moved or resolved it, and that isn't durable yet: what it was before. */
    bool altered;
    struct muster__record *before;
    struct muster__list together; /* a ring without a head: by moves; they are durable, or go back, together */
    bool left_active;    /* it runs, and its driver can't be asked: removed while active, or reported before its turn */
    uint64_t generation; /* the highest that any version of it ever had: the next has more */
    struct muster__list dirty;     /* in engine->dirty while they differ and no batch has it */
    bool in_batch;
    size_t place; /* ... there */
    bool doubtful; /* a batch with it is indeterminate: `durable` isn't known before the next load */
    struct muster__list waiters;   /* struct muster__request: forget, move, resolve */
    struct muster__list restoring; /* in driver->rest->restores */
    uint32_t told; /* by so many ops in trails */
    uint32_t leaving; /* resources that were it, and have not been released yet: observers may still hear of them */
};

/* ---- edges.c: dependencies of resources --------------------------------------------------------- */

struct muster__edge {
    struct muster_resource *from;
    struct muster__entry *to;
    struct muster__list in_to;
    bool need;
    bool ordered;  /* the order of their drivers allows it; known once `checked` */
    bool checked;
    bool cyclic;
};

/* ---- resources ------------------------------------------------------------------------------- */

enum muster__resource_state {
    MUSTER__NEW,             /* its driver's resources aren't due yet */
    MUSTER__PROBE,           /* to be probed, or being probed */
    MUSTER__ADOPT_WAIT,      /* it runs; what it depends on hasn't settled */
    MUSTER__ADOPTING,        /* adopt is due or out */
    MUSTER__START_WAIT,      /* for the barrier, for dependencies */
    MUSTER__START_READY,     /* for its turn, in which it is decided again if it had to wait */
    MUSTER__START_COMMIT,    /* the intent is on its way to the store */
    MUSTER__STARTING,        /* start is due or out */
    MUSTER__ACTIVE_COMMIT,   /* it runs; that is on its way to the store */
    MUSTER__ACTIVE,
    MUSTER__STOP_COMMIT,     /* the intent is on its way to the store */
    MUSTER__STOP_WAIT,       /* for the barrier, for what depends on it */
    MUSTER__STOPPING,        /* stop is due or out */
    MUSTER__INACTIVE_COMMIT, /* it doesn't run; that is on its way to the store */
    MUSTER__INACTIVE,
    MUSTER__HELD,
    MUSTER__DEFERRED,
    MUSTER__FAILED,
    MUSTER__LEFT_ALONE,
    MUSTER__RESOURCE_STATES
};

struct muster_resource {
    struct muster__item item; /* once its data is to be released */
    struct muster__engine *engine;
    struct muster_driver *driver;
    struct muster__entry *entry;
    struct muster__list in_driver;
    struct muster__list touched;
    const struct muster__memory *memory;
    const char *name;
    /* Until it is in a driver: what it declares, in one block each. Then: edges. */
    char **declared_needs;
    char **declared_after;
    struct muster__edge *edges;
    size_t edge_count;

    void *data;
    void (*release)(void *data);
    enum muster_policy policy;
    int64_t priority;
    uint64_t flags;
    uint64_t number; /* the order of adding */

    enum muster__resource_state state;
    struct muster_error *error;
    struct muster__decision decision;
    enum muster__answer answer;
    bool answered;       /* `answer` is of this run, and says something */
    bool shown_inactive; /* this run has shown it INACTIVE */
    bool settled;
    bool stuck;          /* START_WAIT, STOP_WAIT: for what isn't on its way */
    bool deadlocked;     /* ... for what won't be on its way, since it waits as well */
    bool counted;        /* its driver's step waits for it to settle */
    bool waited;         /* a start waits or has waited, or its policy has changed: decide again before the intent */
    bool degraded;
    bool loss_told;      /* since it was last active */
    enum muster_stage told_stage; /* what observers know */
    enum muster_condition told_condition;
    struct muster__list walking; /* of a walk along needs: in its queue */
    uint64_t walk;               /* the last that came by */
    int mark;            /* of the search for cycles: see edges.c */
    bool late;           /* added, or given a policy that would start it, when its driver's autostart was over */
    bool attempts_reset;
    bool ended_badly;    /* INACTIVE_COMMIT leads to FAILED */
    bool change_pending;
    enum muster_change change;

    struct muster_op *op;
    struct muster__heap_node queued; /* in its driver's probes, starts or calls */
    struct muster__heap *heap;       /* which; NULL: none */
    uint64_t remaining;              /* the longest path from its start on: us, or ops */
    uint32_t dependents_left;        /* while paths are being measured */
    enum muster_cause cause;         /* of its next op */
    uint64_t ready_ms;               /* START_READY: since when it waits for its turn */
    bool has_probe_slot;             /* counted in its driver's probes_out */
    bool has_start_slot;             /* ... in its starts_out: its turn has come; kept while it is decided again */
    bool start_due;                  /* its turn has come, its start hasn't been called */
    struct muster__timer retry;
    uint32_t tries;
    uint64_t active_since;

    struct muster__request *request; /* under way */
    struct muster__list requests;    /* in line */
    struct muster__record *previous; /* to return to when the intent comes to nothing */
    enum muster__resource_state came_from;
    bool intended;                   /* a start's intent was written, and not taken back */
    bool host_stop;                  /* the host shutdown stops it */
    bool stop_awaited;               /* ... and waits for that */
    bool user_stop;                  /* ... as a user has asked before */
};

/* ---- history.c: how long ops have taken -------------------------------------------------------- */

/* What is measured. */
enum muster__measure {
    MUSTER__MEASURE_INITIALIZE,
    MUSTER__MEASURE_RECONCILE,
    MUSTER__MEASURE_AUTOSTART,
    MUSTER__MEASURE_START,
    MUSTER__MEASURES
};

struct muster__history {
    struct muster__table spans; /* by "driver/name" */
    struct muster__list dirty;  /* those that the store doesn't have so */
    struct muster__sent *sent;  /* in the batch that is being committed */
    size_t sent_count;
    size_t sent_capacity;
    bool due; /* they go even if nothing else does */
};

/* ---- drivers --------------------------------------------------------------------------------- */

/* What a driver has once a resource is added to it. Until then all of an engine share an empty one. */
struct muster__roster {
    struct muster_driver *driver;
    struct muster__list resources;
    struct muster__heap probes; /* resources by `queued`: probe and adopt */
    struct muster__heap starts; /* start */
    struct muster__heap calls;  /* start after its intent, stop: may be called at once */
    uint32_t probes_out;
    uint32_t starts_out; /* from the turn to the end of the op */
    uint32_t starts_due; /* of these, not called yet */
    uint64_t next_start_ms;
    struct muster__timer start_pause;
    struct muster__heap_node turn; /* in engine->turns while one of its resources is to be called next */
};

/* What a bring-up doesn't ask of a driver with nothing to do but its call. */
struct muster__driver_rest {
    struct muster_driver_def def; /* without its name and its lists, which the graph has */
    struct muster_driver *driver;
    struct muster__roster *roster;
    uint32_t unsettled; /* resources that the current step waits for */
    uint32_t tries;
    uint32_t restores_out;
    enum muster__step fell_in;    /* the step that it failed, was blocked or deferred in */
    struct muster__list restores; /* struct muster__entry by `restoring`: to be offered to restore */
    struct muster_error *error;   /* while it has fallen */
    struct muster__timer retry;
    uint64_t stopping; /* host shutdown: resources without dependencies of their own that haven't stopped */
    uint64_t remaining[MUSTER__STEPS]; /* the longest path from the begin of the step: us, or ops */
};

/* A cache line: drivers are called in an order that memory doesn't know, so that each costs what it touches. */
#define MUSTER__LINE 64

struct muster_driver {
    struct muster__engine *engine;
    struct muster__driver_rest *rest;
    struct muster_op *op; /* of the driver as a whole */
    void *data;
    int (*initialize)(struct muster_op *op);
    uint32_t id;
    uint32_t tier; /* index of engine->tiers */
    uint32_t resource_count;
    enum muster_driver_state state;
    bool settled[MUSTER__STEPS]; /* others needn't wait any more */
    bool done[MUSTER__STEPS];    /* successfully */
    bool behind : 1;             /* it has failed, was blocked or deferred, and isn't up since */
    bool open : 1;               /* its resources are due */
    bool holds : 1;              /* its initialize has succeeded: its shutdown is due on the way down */
    bool used : 1;               /* initialize was called in this bring-up */
    bool op_wanted : 1;          /* the callback of its state is due */
    bool counting : 1;           /* AUTOSTARTING: its resources are being waited for */
    bool restoring : 1;          /* records were to be offered to restore */
    bool reconciles : 1;         /* it has the callback, */
    bool autostarts : 1;         /* and this */
    bool threaded : 1;           /* workers run some */
};

/* Drivers that lie together, from a line's begin on. */
#define MUSTER__BLOCK_DRIVERS 64

struct muster__driver_block {
    void *memory;
    struct muster_driver *drivers;
};

struct muster__tier {
    int64_t number;
    uint32_t first; /* its drivers in the plan's order */
    uint32_t count;
    uint32_t pending[MUSTER__STEPS];
    uint64_t stopping;
    bool barrier_open;
};

/* ---- the engine ------------------------------------------------------------------------------- */

/* How far a shutdown or a rollback is. */
enum muster__down_phase {
    MUSTER__DOWN_OPS,     /* ops that are out are awaited, and records on their way */
    MUSTER__DOWN_STOPS,   /* host shutdown: resources are stopped */
    MUSTER__DOWN_DRIVERS, /* drivers are shut down */
    MUSTER__DOWN_CLOSE    /* the store is closed */
};

enum muster__store_state {
    MUSTER__STORE_NONE,    /* the context has none */
    MUSTER__STORE_CLOSED,
    MUSTER__STORE_LOADING,
    MUSTER__STORE_IDLE,
    MUSTER__STORE_COMMITTING,
    MUSTER__STORE_STALLED,   /* a commit is past its deadline and still out */
    MUSTER__STORE_RELOADING, /* after an indeterminate commit */
    MUSTER__STORE_BROKEN,    /* couldn't be read, or is fenced: never written */
    MUSTER__STORE_CLOSING
};

struct muster__engine {
    struct muster__engine_options options;
    const struct muster__memory *memory;
    char *boot_id;
    uint64_t now;
    enum muster_context_state state;
    int result;
    struct muster_error *error; /* of the last refused event */
    uint64_t tokens;

    struct muster__graph *graph;
    struct muster__driver_block *blocks; /* of drivers, by id */
    size_t block_count;
    size_t block_capacity;
    size_t driver_count;
    struct muster__roster empty_roster;
    uint32_t checked; /* drivers that a bring-up has accepted */
    uint32_t valid;   /* drivers that the last successful check has seen, */
    uint32_t valid_after; /* when so many had been accepted */
    uint32_t *order; /* of the plan; one block with `used` */
    /* Among drivers, what is called first: by paths, each step has a position; else (as in the plan, or shuffled) each driver. */
    bool by_path;
    bool durations_known; /* when paths were measured some were */
    const uint32_t *positions; /* position -> id; as planned: `order` */
    uint32_t position_count;
    uint32_t *position[MUSTER__STEPS]; /* id -> position: muster__turn_position() */
    bool numbered; /* position[] is filled */
    uint32_t *places; /* positions that aren't the plan's; one block with what is counted by driver, seldom touched */
    uint64_t path_changes; /* of what resources depend on, since their paths were last measured */
    struct muster__tier *tiers;
    uint32_t tier_count;
    bool records_unknown; /* the store couldn't be read: adopt, and start nothing */
    bool records_incomplete; /* some were lost to corruption, and it isn't known whose */
    bool begun; /* the records are loaded, drivers may initialize */
    uint32_t open_tier; /* drivers of higher ones may not initialize yet */
    uint32_t pending[MUSTER__STEPS];
    bool milestone_due; /* a tier has settled a step, or this is the begin: a tier, a barrier, a milestone may be next */
    /* By id: for how many that haven't settled the step a driver waits. Counted once somebody has to. */
    uint32_t *waiting[MUSTER__STEPS];
    bool counted[MUSTER__STEPS];
    uint32_t passed[MUSTER__STEPS]; /* in the plan's order: all before have settled the step */
    uint32_t behind_count; /* drivers that are `behind` */
    uint32_t callless_count; /* drivers without initialize */
    uint32_t threaded_count; /* drivers with callbacks that workers run */
    uint32_t *used;    /* ids in the order of initialize */
    uint32_t used_count;

    struct muster__table entries;
    struct muster__table ledgers;
    uint64_t resources_added;

    struct muster_driver *looked_at;
    struct muster__queue touched_drivers; /* ids */
    struct muster__list touched_resources;
    struct muster__ready ready; /* positions of drivers that have something of their own to call */
    struct muster__heap turns;  /* the others, by `turn`, that have a resource to call something of */
    struct muster__history history;

    struct muster__list actions;
    struct muster__item *carried; /* the one that is being carried out */
    struct muster__list put_off; /* resources whose data are released with the engine */
    bool load_wanted;
    bool close_wanted;
    bool observed;
    bool observations_lost;
    struct muster__timer look_timer; /* without anything else happening: an op could not be allocated, a batch came to nothing */

    uint64_t walks; /* along needs, so far */
    struct muster__heap timers;
    struct muster__list cancels; /* struct muster_op by `cancel` */
    struct muster__list ops_out;
    struct muster_op *unarmed; /* begun last, and not in ops_out yet: see muster__op_arm() */
    size_t op_count;       /* out */
    size_t timed_out_count; /* of these, past their deadline */
    struct muster__list ops_retired;
    size_t retired_count;

    struct muster__trail trails[MUSTER__TRAILS];
    struct muster__trail *trail; /* the one that takes what comes; NULL: none */

    enum muster__store_state store;
    struct muster_error *store_error;
    struct muster__list dirty;
    struct muster__record **batch; /* what is being committed; removals by batch_entries alone */
    const struct muster_record **batch_records;
    struct muster__entry **batch_entries;
    struct muster_record *batch_removals;
    size_t batch_count;
    size_t batch_capacity;
    struct muster__timer store_timer;
    uint32_t store_tries;
    bool store_paused; /* until store_timer */
    bool store_failed; /* ... and the way down doesn't wait for that */
    bool reload_wanted; /* once the commit that stalled has ended, or after a pause */
    bool load_late; /* BROKEN: the load is past its deadline and still out */

    struct muster__request *bring_up;
    struct muster__list milestones; /* struct muster__request */
    int milestone;                  /* the last one reached; -1: none */
    struct muster_error *problems;  /* what failed on the way: siblings */
    struct muster_error *last_problem;
    struct muster__list queued;     /* struct muster__request before the barrier */
    size_t asked;                   /* starts and stops that have not ended */
    size_t deadlocks;               /* so far */

    struct muster__request *reload;
    uint32_t reload_at;   /* position: whose callback is out, and then of whose resources some aren't accounted for */
    bool reload_called;   /* all callbacks have ended */

    struct muster__request *shutdown;
    enum muster_cause down_cause;
    struct muster__timer down_timer;
    int down_code;
    struct muster_error *down_error;
    enum muster__down_phase down_phase;
};

/* engine.c */
/* Refuse the user's event with a message. Returns `code`. */
int muster__refuse(struct muster__engine *engine, int code, const char *format, ...) MUSTER_PRINTF(3, 4);
int muster__refuse_error(struct muster__engine *engine, struct muster_error *error);
void muster__set_state(struct muster__engine *engine, enum muster_context_state state);
/* Look at what was touched until nothing changes. */
void muster__settle(struct muster__engine *engine);
static inline bool muster__going_down(const struct muster__engine *engine)
{
    return engine->state >= MUSTER_STATE_ROLLING_BACK;
}

/* timer.c */
int muster__timer_init(struct muster__engine *engine, struct muster__timer *timer,
                       void (*expired)(struct muster__engine *engine, struct muster__timer *timer));
void muster__timer_fini(struct muster__engine *engine, struct muster__timer *timer);
void muster__timer_set(struct muster__engine *engine, struct muster__timer *timer, uint64_t at);
void muster__timer_clear(struct muster__engine *engine, struct muster__timer *timer);
void muster__timers_expire(struct muster__engine *engine);
/* When so much has passed since. UINT64_MAX: never. */
uint64_t muster__time_after(uint64_t begin_ms, uint64_t ms);
/* The pause before try number `tries` (from 0): doubled each time. */
uint64_t muster__backoff(const struct muster__engine *engine, uint32_t tries);
/* When that is over; one more has been tried by then. */
uint64_t muster__retry_at(const struct muster__engine *engine, uint32_t *tries);

/* actions.c */
void muster__action_push(struct muster__engine *engine, struct muster__item *item, enum muster__action_type type);
void muster__action_dispose(struct muster__engine *engine, struct muster__item *item);
void muster__action_fill(struct muster__item *item, struct muster__action *ret_action);
struct muster__request *muster__request_new(struct muster__engine *engine, const struct muster__event *event);
/* The end of a request, which is gone for the engine by that. NULL is accepted. `error` is referenced. */
void muster__request_end(struct muster__request *request, int code, const struct muster_error *error);
void muster__request_free(struct muster__request *request);

/* observe.c: nothing if nobody listens */
void muster__observe_driver(struct muster_driver *driver, enum muster_driver_state from);
void muster__observe_resource(struct muster_resource *resource);
void muster__observe_op(const struct muster_op *op, enum muster_observation_type type, int code,
                        const struct muster_error *error);
void muster__observe_deadline(const struct muster_op *op, enum muster_observation_type type, uint64_t deadline_ms);
void muster__observe_about(struct muster_resource *resource, enum muster_observation_type type, int to,
                           const struct muster_error *error);
void muster__observe_engine(struct muster__engine *engine, enum muster_observation_type type, int from, int to);
void muster__observe_store(struct muster__engine *engine, int code, const struct muster_error *error);
void muster__observe_unclaimed(struct muster__engine *engine, const struct muster__entry *entry,
                               const struct muster_error *error);

/* trail.c: an op begins, and ends */
static inline void muster__trail_begin(struct muster_op *op)
{
    struct muster__trail *trail = op->engine->trail;
    if ((trail == NULL || trail->op_count == trail->op_room) && !muster__trail_make_room(op)) {
        op->trail = NULL;
        return;
    }
    op->trail = trail;
    op->told = trail->next++;
    trail->op_count++;
    *op->told = (struct muster__trail_op){.who = op->driver->id,
                                          .begin_ms = muster__trail_since(trail, op->called_ms),
                                          .end_ms = MUSTER__TRAIL_NEVER,
                                          .phase = (uint8_t)op->phase,
                                          .cause = (uint8_t)op->cause};
    if (op->resource != NULL || op->phase == MUSTER_PHASE_RESTORE)
        muster__trail_name(op);
}

static inline void muster__trail_end(struct muster_op *op)
{
    struct muster__trail *trail = op->trail;
    if (trail == NULL)
        return;
    op->told->begin_ms = muster__trail_since(trail, op->called_ms);
    op->told->end_ms = muster__trail_since(trail, op->engine->now);
    if (op->effects.outcome != MUSTER_OK || op->phase == MUSTER_PHASE_PROBE)
        muster__trail_fail(op);
}

/* ops.c */
/* An op that is due now: it is out from here on. NULL: out of memory. */
struct muster_op *muster__op_begin(struct muster_driver *driver, struct muster_resource *resource,
                                   enum muster_phase phase, enum muster_cause cause, struct muster__record *record);
/* An op that has been begun doesn't end at once: it is listed as out, and its deadline set. */
void muster__op_arm_now(struct muster__engine *engine);
static inline void muster__op_arm(struct muster__engine *engine)
{
    if (engine->unarmed != NULL)
        muster__op_arm_now(engine);
}
void muster__op_cancel(struct muster_op *op);
void muster__op_cancel_all(struct muster__engine *engine);
int muster__op_finished(struct muster__engine *engine, const struct muster__event *event);
int muster__op_extended(struct muster__engine *engine, const struct muster__event *event);
int muster__op_twice(struct muster__engine *engine, const struct muster__event *event);
/* Ops that are out and not past their deadline. */
size_t muster__ops_awaited(const struct muster__engine *engine);
void muster__token_new(struct muster__engine *engine, char token[33]);
/* "storage 'pool0': start, guest 'web1': stop and 3 more" */
void muster__ops_name(const struct muster__engine *engine, char *text, size_t bytes);
void muster__ops_free(struct muster__engine *engine);
/* The error that an op's outcome stands for, wrapped in who and what; NULL for success. */
struct muster_error *muster__op_error(struct muster_op *op);

/* entries.c */
struct muster__ledger *muster__ledger_get(struct muster__engine *engine, const char *driver);
/* NULL: nothing of the driver was ever named. */
struct muster__ledger *muster__ledger_find(const struct muster__engine *engine, const char *driver);
/* "driver/name" or the two parts; found or made. NULL: out of memory. */
struct muster__entry *muster__entry_get(struct muster__engine *engine, const char *driver, const char *name);
/* The driver's part of "driver/name"; false: it is no such name. */
bool muster__entry_driver_part(const char *path, char driver[MUSTER__NAME_MAX + 1]);
struct muster__entry *muster__entry_get_path(struct muster__engine *engine, const char *path);
struct muster__entry *muster__entry_find(const struct muster__engine *engine, const char *path);
/* The one that the record is of. */
struct muster__entry *muster__entry_of(const struct muster__engine *engine, const struct muster_record *record);
/* Is it a resource's, under a name that one can have? A store may have others: it may be anybody's. */
bool muster__record_is_resource(const struct muster_record *record);
/* Free it if nothing is about it any more. */
void muster__entry_drop(struct muster__engine *engine, struct muster__entry *entry);
void muster__entries_forget(struct muster__engine *engine);
/* Nothing is known to run any more that its driver can't be asked about. */
void muster__entries_left(struct muster__engine *engine);
void muster__entries_free(struct muster__engine *engine);
int muster__record_forget(struct muster__engine *engine, const struct muster__event *event);
int muster__record_move(struct muster__engine *engine, const struct muster__event *event);
int muster__record_resolve(struct muster__engine *engine, const struct muster__event *event);
/* If nothing of what it was altered with is on its way any more, that stands. */
void muster__entry_settle(struct muster__engine *engine, struct muster__entry *entry);
/* A version of it has become durable: that is what it was, if it has been altered again since. */
void muster__entry_applied(struct muster__engine *engine, struct muster__entry *entry);
/* A resource has taken it: the alteration stands, and is written again if the store refuses it. */
void muster__entry_claimed(struct muster__engine *engine, struct muster__entry *entry);
/* The store refuses the alteration: it and those that it hangs together with are what they were, and who waits hears that. */
void muster__entry_take_back(struct muster__engine *engine, struct muster__entry *entry, const struct muster_error *error);
/* The same of all, at the end of the context's way down. */
void muster__entries_take_back(struct muster__engine *engine);

/* commit.c */
/* What the record of `entry` is to be: `record`'s reference is taken, NULL forgets it. It goes into the next batch. */
void muster__entry_write(struct muster__engine *engine, struct muster__entry *entry, struct muster__record *record);
/* Is there nothing more to wait for? Also true while the store takes nothing. */
bool muster__entry_durable(const struct muster__engine *engine, const struct muster__entry *entry);
/* Is it in the store for sure? Also true without a store. */
bool muster__entry_acknowledged(const struct muster__engine *engine, const struct muster__entry *entry);
/* Can an intent be written at all? NULL, or why not. */
const struct muster_error *muster__store_refuses(const struct muster__engine *engine);
/* Whoever waits for the record to be durable hears this. */
void muster__waiters_end(struct muster__entry *entry, int code, const struct muster_error *error);
bool muster__commit_next(struct muster__engine *engine, struct muster__action *ret_action);
bool muster__commit_idle(const struct muster__engine *engine);
/* After a pause, the next batch goes now. */
void muster__commit_hurry(struct muster__engine *engine);
int muster__committed(struct muster__engine *engine, const struct muster__event *event);
/* LOADED after an indeterminate commit. */
int muster__reloaded(struct muster__engine *engine, const struct muster__event *event);
void muster__store_timer_expired(struct muster__engine *engine, struct muster__timer *timer);
void muster__commit_free(struct muster__engine *engine);

/* edges.c */
/* Make edges of what `resource` declares. 0, or MUSTER_ENOMEM, changing nothing. */
int muster__edges_make(struct muster_resource *resource, const char *const *needs, const char *const *after);
void muster__edges_free(struct muster_resource *resource);
/* Mark the edges that close a cycle among the driver's own resources. */
int muster__edges_check(struct muster_driver *driver);
/* The same if no other resource's edges have changed since: all that is new goes through this one. */
void muster__edges_close(struct muster_resource *resource);
/* It is about to lose its edges: what was a cycle with it is none any more. MUSTER_ENOMEM, changing nothing. */
int muster__edges_leave(struct muster_resource *resource);
enum muster__edge_state {
    MUSTER__EDGE_ACTIVE,  /* it is active */
    MUSTER__EDGE_COMING,  /* it isn't, and is on its way */
    MUSTER__EDGE_SETTLED, /* it isn't, and isn't on its way */
    MUSTER__EDGE_BAD      /* it can't be waited for */
};
enum muster__edge_state muster__edge_state(struct muster__edge *edge);
/* Why the edge isn't active. */
struct muster_error *muster__edge_error(const struct muster__edge *edge);
/* Does something that isn't known inactive need it? The first such, from *cursor (NULL at first) on; NULL: none. */
struct muster_resource *muster__edges_live_dependent(const struct muster_resource *resource,
                                                     struct muster__list **cursor);
/* The same from the last to the first. Dependents are stopped first to last, so that the last is the one to wait for. */
struct muster_resource *muster__edges_last_live_dependent(const struct muster_resource *resource,
                                                          struct muster__list **cursor);
/* Does `from` need `target`, through whatever lies between and whether it may be waited for or not? */
bool muster__edges_reach(struct muster_resource *from, const struct muster_resource *target);
void muster__edges_touch_dependents(struct muster_resource *resource);

/* driver.c */
void muster__driver_move(struct muster_driver *driver, enum muster_driver_state state);
/* Its initialize begins: it is shut down before all that began earlier. */
void muster__driver_use(struct muster_driver *driver);

static inline struct muster_driver *muster__driver_at(const struct muster__engine *engine, size_t id)
{
    return engine->blocks[id / MUSTER__BLOCK_DRIVERS].drivers + id % MUSTER__BLOCK_DRIVERS;
}

/* How many looks, or calls, it takes until what is fetched has come. */
#define MUSTER__FETCH_AHEAD 8

/* ids[at] and on will be looked at, or called: let them come from memory meanwhile. */
static inline void muster__drivers_fetch(const struct muster__engine *engine, const uint32_t *ids, uint32_t at,
                                         uint32_t count)
{
    if (at + MUSTER__FETCH_AHEAD < count)
        __builtin_prefetch(muster__driver_at(engine, ids[at + MUSTER__FETCH_AHEAD]));
}

static inline void muster__driver_touch(struct muster_driver *driver)
{
    muster__queue_push(&driver->engine->touched_drivers, driver->id);
}

/* Somebody waits for its resources to be accounted for, and some aren't. */
bool muster__driver_waits_for_resources(const struct muster_driver *driver);

void muster__driver_look(struct muster_driver *driver);
/* Its turn has come while it waits for its initialize: nobody that it waits for is left. */
void muster__driver_take_turn(struct muster_driver *driver);
/* At once where nobody is told in which order, else in its turn. Not where a look may lead from driver to driver. */
static inline void muster__driver_look_early(struct muster_driver *driver)
{
    if (driver->engine->observed || driver->engine->behind_count > 0)
        muster__driver_touch(driver);
    else
        muster__driver_look(driver);
}

void muster__driver_op_finished(struct muster_driver *driver, struct muster_op *op);
void muster__driver_op_timed_out(struct muster_driver *driver, struct muster_op *op);
int muster__driver_retry_event(struct muster__engine *engine, const struct muster__event *event);
/* A driver behind the last, which has an id, but isn't counted yet. NULL: out of memory. */
struct muster_driver *muster__driver_new(struct muster__engine *engine, const struct muster_driver_def *def, void *data);
void muster__driver_free(struct muster_driver *driver);
void muster__driver_blocks_free(struct muster__engine *engine);
bool muster__driver_can_start_waiting(const struct muster_driver *driver);
/* The step that its state belongs to; of one that has fallen, that it fell in. */
enum muster__step muster__driver_step(const struct muster_driver *driver);

/* roster.c */
/* The one that drivers without resources share. */
void muster__roster_init_empty(struct muster__engine *engine);
/* Before its first resource: a roster of its own. 0 or MUSTER_ENOMEM. */
int muster__driver_roster(struct muster_driver *driver);
void muster__roster_free(struct muster__engine *engine, struct muster__roster *roster);

/* dispatch.c */
/* Put a resource into one of its driver's heaps, to be called in its turn. */
void muster__dispatch_queue(struct muster_resource *resource, struct muster__heap *heap);
/* Take it out of whichever heap it is in. */
void muster__dispatch_unqueue(struct muster_resource *resource);
/* Its probe, adopt or start no longer counts against the driver's limits. */
void muster__dispatch_release(struct muster_resource *resource);
/* Its probe alone: a start that is decided again keeps its turn. */
void muster__dispatch_release_probe(struct muster_resource *resource);
/* Nothing that was to be called will be, for what goes down. */
void muster__dispatch_clear(struct muster__engine *engine);
/* Begin the next op; false: nothing may be called now. */
bool muster__dispatch(struct muster__engine *engine, struct muster__action *ret_action);

/* turn.c: which of what is ready is called next */
/* Do paths count at all? Not with MUSTER_FIRST_COME, nor shuffled. */
bool muster__turn_by_path(const struct muster__engine *engine);
/* Fill the positions, while nothing has one. */
void muster__turn_order(struct muster__engine *engine);
/* The driver has something of its own to call, or something of `resource` (NULL: not), or nothing. */
void muster__turn_update(struct muster_driver *driver, bool own, const struct muster_resource *resource);
/* Where the driver's step stands among those of all. (As planned, nobody may have to know.) */
void muster__turn_number(struct muster__engine *engine);
static inline uint32_t muster__turn_position(struct muster__engine *engine, enum muster__step step, uint32_t id)
{
    if (!engine->numbered)
        muster__turn_number(engine);
    return engine->position[step][id];
}
/* Has no driver anything to call, as far as is known? */
static inline bool muster__turn_is_nobodys(const struct muster__engine *engine)
{
    return engine->turns.count == 0 && muster__ready_empty(&engine->ready);
}
/* Something of the driver may be called, or no more: keep engine->ready and engine->turns true. */
void muster__dispatch_update_now(struct muster_driver *driver);
static inline void muster__dispatch_update(struct muster_driver *driver)
{
    bool idle = !driver->op_wanted && !driver->restoring && driver->resource_count == 0;
    if (!idle || !muster__turn_is_nobodys(driver->engine)) /* else as in most of a bring-up: neither has it */
        muster__dispatch_update_now(driver);
}
/* Whose turn it is. NULL: nobody's. */
struct muster_driver *muster__turn_first(struct muster__engine *engine);
/* Where a resource stands among those of its driver, smallest first. */
uint64_t muster__turn_key(const struct muster_resource *resource);
uint64_t muster__turn_tie(const struct muster_resource *resource);

/* path.c: how much remains to be done after each, at the least */
/* Of drivers: by the plan and the history. */
void muster__path_drivers(struct muster__engine *engine);
/* A resource is new, or depends on others than before. */
void muster__path_changed(struct muster_resource *resource);
/* Measure the resources' paths if much has changed since, or anything at all at the barrier. */
void muster__path_look(struct muster__engine *engine);
void muster__path_at_barrier(struct muster__engine *engine);

/* history.c */
void muster__history_init(struct muster__engine *engine);
void muster__history_clear(struct muster__engine *engine);
/* Take what the store has. What makes no sense, or isn't of that kind, is nothing. */
void muster__history_load(struct muster__engine *engine, const struct muster_record *record);
/* An op has finished: if it went well, its duration counts. */
void muster__history_measure(const struct muster_op *op);
/* The mean of a resource's start or a driver's phase, in us; 0: none. `path` is "driver/name", a driver's "driver/driver". */
uint64_t muster__history_us(const struct muster__engine *engine, const char *path, enum muster__measure measure);
/* What is known, for those drivers that are there; `name` is the resource's, or the driver's. */
typedef void (*muster__history_cb)(struct muster_driver *driver, const char *name, const uint64_t us[MUSTER__MEASURES]);
void muster__history_foreach(struct muster__engine *engine, muster__history_cb cb);
/* The resource is gone, or nobody's record is left of it. */
void muster__history_forget(struct muster__engine *engine, const char *path);
/* The bring-up is over: what it has taught goes to the store now, if it hasn't gone with a batch. */
void muster__history_settled(struct muster__engine *engine);
/* The same, for what the way down begins with. */
void muster__history_ending(struct muster__engine *engine);
bool muster__history_due(const struct muster__engine *engine);
/* How many records wait to go with the next batch, and room for them. */
size_t muster__history_reserve(struct muster__engine *engine);
/* Put up to `room` of them behind the batch. Returns how many. */
size_t muster__history_batch(struct muster__engine *engine, const struct muster_record **records, size_t room);
void muster__history_committed(struct muster__engine *engine, bool applied);

/* bringup.c */
int muster__add_driver(struct muster__engine *engine, const struct muster__event *event);
int muster__check(struct muster__engine *engine, const struct muster__event *event);
int muster__bring_up(struct muster__engine *engine, const struct muster__event *event);
/* Have the store loaded. `state`: LOADING or RELOADING. */
void muster__ask_load(struct muster__engine *engine, enum muster__store_state state);
int muster__loaded(struct muster__engine *engine, const struct muster__event *event);
/* It may end late, or never: until then the store is as one that can't be read. */
void muster__load_timed_out(struct muster__engine *engine);
/* Tell of the records that are loaded, and no resource can have. */
void muster__unnamed_told(struct muster__engine *engine, const struct muster__event *event);
int muster__when(struct muster__engine *engine, const struct muster__event *event);
void muster__milestones_look(struct muster__engine *engine);
/* Remember what failed, for the end of the bring-up. */
void muster__problem(struct muster__engine *engine, const struct muster_error *error);
void muster__problems_drop(struct muster__engine *engine);
void muster__milestones_cancel(struct muster__engine *engine, int code, const struct muster_error *error);

/* steps.c */
/* Lay out what the steps of the checked drivers need. 0, or MUSTER_ENOMEM, changing nothing. */
int muster__steps_lay_out(struct muster__engine *engine);
/* Durations have been loaded, and nothing has begun. */
void muster__steps_renew(struct muster__engine *engine);
/* From now on it is known of all who waits for how many. */
void muster__steps_count(struct muster__engine *engine);
/* The graph may say as often as before, or once, who depends on whom: what is counted goes by what it says now. */
void muster__steps_recount(struct muster__engine *engine);
/* Look at a driver that may begin, or go on: which others are needed for isn't looked at before. */
void muster__step_begin(struct muster__engine *engine, uint32_t id);
/* All drivers that bring-ups have accepted begin anew. */
void muster__steps_reset(struct muster__engine *engine);
/* Tell who waits for it that a driver has settled a step, for the first time or again. */
void muster__step_tell(struct muster_driver *driver, enum muster__step step, bool first);
/* A driver has settled a step. Where it isn't counted who waits, nobody has had to. */
static inline void muster__step_settled(struct muster_driver *driver, enum muster__step step)
{
    struct muster__engine *engine = driver->engine;
    bool first = !driver->settled[step];
    driver->settled[step] = true;
    if (first) {
        engine->pending[step]--;
        if (--engine->tiers[driver->tier].pending[step] == 0)
            engine->milestone_due = true;
    }
    if (engine->counted[step])
        muster__step_tell(driver, step, first);
    else if (first && engine->order[engine->passed[step]] == driver->id)
        engine->passed[step]++;
}
/* Have all before it in the plan's order settled the step? Then it waits for nobody. (It may be so without being known here.) */
static inline bool muster__step_is_next(const struct muster__engine *engine, enum muster__step step, uint32_t id)
{
    return !engine->counted[step] && engine->passed[step] < engine->checked && engine->order[engine->passed[step]] == id;
}
/* Does it wait for one that hasn't settled the step? (_uncounted: nobody has had to wait so far.) */
bool muster__driver_waits_uncounted(const struct muster_driver *driver, enum muster__step step);
static inline bool muster__driver_waits(const struct muster_driver *driver, enum muster__step step)
{
    const struct muster__engine *engine = driver->engine;
    if (driver->id >= engine->checked || (!driver->settled[step] && muster__step_is_next(engine, step, driver->id)))
        return false;
    return engine->counted[step] ? engine->waiting[step][driver->id] > 0 : muster__driver_waits_uncounted(driver, step);
}
/*
 * The next with something to call: the first that is ready; or, as long as nobody has had to wait for an initialize, the next
 * of the plan's order, before which all have ended. NULL: none.
 */
struct muster_driver *muster__step_next(struct muster__engine *engine);
/* Open the tiers and the barriers that are due. */
void muster__steps_open(struct muster__engine *engine);
bool muster__barrier_open(const struct muster_driver *driver);

/* resource.c */
void muster__resource_move(struct muster_resource *resource, enum muster__resource_state state);
void muster__resource_touch(struct muster_resource *resource);
void muster__resource_look(struct muster_resource *resource);
/* Put a new resource into its driver. On failure it stays the caller's. */
int muster__resource_insert(struct muster_driver *driver, struct muster_resource *resource);
/* Take it out of everything; its data is released by an action. */
void muster__resource_detach(struct muster_resource *resource);
/* Free one that was never inserted, releasing its data by an action. */
void muster__resource_discard(struct muster__engine *engine, struct muster_resource *resource);
void muster__resource_free(struct muster_resource *resource);
/* It is only there for those who hear of it late. */
static inline bool muster__resource_is_removed(const struct muster_resource *resource)
{
    return resource->entry->resource != resource;
}
/* Its data has been released. */
void muster__resource_released(struct muster__engine *engine, struct muster_resource *resource);
void muster__resource_set_error(struct muster_resource *resource, struct muster_error *error);
/* Known not to run. */
bool muster__resource_is_inactive(const struct muster_resource *resource);
/* Active, inactive, held, deferred, failed or unmanaged. */
bool muster__resource_is_resting(const struct muster_resource *resource);
/* The store has refused what the resource waits for. */
void muster__resource_write_refused(struct muster_resource *resource, const struct muster_error *error);
/* Write back what the record said before the intent, as a new version. */
void muster__resource_revert(struct muster_resource *resource);
/* No op is out, and nothing is on its way to the store for it. */
bool muster__resource_at_rest(const struct muster_resource *resource);
void muster__resource_op_finished(struct muster_resource *resource, struct muster_op *op);
/* Its op ended after the context was down: it is let go of. */
void muster__resource_op_outlived(struct muster_resource *resource);
void muster__resource_op_timed_out(struct muster_resource *resource, struct muster_op *op);
int muster__resource_add_event(struct muster__engine *engine, const struct muster__event *event);
int muster__resource_remove_event(struct muster__engine *engine, const struct muster__event *event);
int muster__resource_set_needs_event(struct muster__engine *engine, const struct muster__event *event);
int muster__resource_set_policy_event(struct muster__engine *engine, const struct muster__event *event);
enum muster_stage muster__resource_stage(const struct muster_resource *resource);
/* A new version of its record, to be changed and written; NULL: out of memory. */
struct muster__record *muster__resource_new_version(const struct muster_resource *resource,
                                                    enum muster_stage stage, enum muster_reason reason,
                                                    const char *handle, const char *token);

/* reconcile.c */
/* A record's boot as against this one; of no record, this one's. */
enum muster__boot muster__boot_of(const struct muster__engine *engine, const struct muster__record *record);
void muster__reconcile_begin(struct muster_resource *resource);
void muster__reconcile_probe(struct muster_resource *resource);
void muster__reconcile_probed(struct muster_resource *resource, struct muster_op *op);
void muster__reconcile_adopted(struct muster_resource *resource, struct muster_op *op);
void muster__reconcile_adopt_wait(struct muster_resource *resource);
/* Its turn has come. False: what it depends on is on its way again, and it waits for that. */
bool muster__reconcile_may_call(struct muster_resource *resource);
void muster__reconcile_retry(struct muster__engine *engine, struct muster__timer *timer);
void muster__reconcile_defer(struct muster_resource *resource, enum muster__resource_state state);
/* Would its policy start it, did it turn out not to run? */
bool muster__reconcile_autostarts(const struct muster_resource *resource);
/* An inactive one, when autostart is over: the next restart of this boot starts nothing new. MUSTER_ENOMEM. */
int muster__reconcile_mark(struct muster_resource *resource);
/* It runs: record that, and be active. */
void muster__reconcile_active(struct muster_resource *resource, const char *handle, bool handle_set);
int muster__resource_changed_event(struct muster__engine *engine, const struct muster__event *event);
int muster__resource_retry_event(struct muster__engine *engine, const struct muster__event *event);
void muster__reconcile_change(struct muster_resource *resource);
/* Its stop goes before what was reported. If that fails, only this tells that it runs where nobody can be asked. */
void muster__reconcile_drop_change(struct muster_resource *resource);

/* start.c */
void muster__start_wait(struct muster_resource *resource);
/* Its turn has come: write the intent, or start what needs none. What had to wait is decided again first. */
void muster__start_turn(struct muster_resource *resource);
void muster__start_committed(struct muster_resource *resource);
/* May start be called now? If not, the intent is taken back. */
bool muster__start_may_call(struct muster_resource *resource);
/* A start is due, and has not been called. */
bool muster__start_is_ahead(const struct muster_resource *resource);
/* It became active by itself: there is nothing to start. */
void muster__start_overtaken(struct muster_resource *resource);
void muster__start_refused(struct muster_resource *resource, const struct muster_error *error);
/* A stop or the shutdown comes before a start that has not been called. */
void muster__start_withdraw(struct muster_resource *resource);
void muster__start_finished(struct muster_resource *resource, struct muster_op *op);

/* deadlock.c */
/* Nothing is left to be done. If somebody waits all the same, tell one of them; false: nobody does. */
bool muster__deadlock_break(struct muster__engine *engine);
/* The error of one that is deadlocked. Takes the reference to `waits_for`, which may be NULL. */
struct muster_error *muster__deadlock_error(const struct muster_resource *resource, const char *what,
                                            struct muster_error *waits_for);

/* stop.c */
void muster__stop_begin(struct muster_resource *resource);
void muster__stop_wait(struct muster_resource *resource);
void muster__stop_refused(struct muster_resource *resource, const struct muster_error *error);
/* May stop be called now? If not, it waits again: something that needs it has come up since. */
bool muster__stop_may_call(struct muster_resource *resource);
/* The shutdown comes before a stop that has not been called. */
void muster__stop_withdraw(struct muster_resource *resource);
/* A host shutdown's stop is awaited; it is over, well or badly. What the resource depends on may not change in between. */
void muster__stop_await(struct muster_resource *resource);
void muster__stop_counted(struct muster_resource *resource);
void muster__stop_touch_needs(struct muster_resource *resource);
void muster__stop_finished(struct muster_resource *resource, struct muster_op *op);

/* request.c */
int muster__resource_request_event(struct muster__engine *engine, const struct muster__event *event);
/* Begin the next request in line, if the resource is at rest. */
void muster__requests_look(struct muster_resource *resource);
void muster__requests_release(struct muster__engine *engine);
void muster__requests_cancel(struct muster__engine *engine);
/* The resource goes away: end all that is about it. */
void muster__requests_forget(struct muster_resource *resource);
/* Another resource's request asks for this. */
int muster__request_cascade(struct muster_resource *resource, enum muster__event_type type, uint64_t flags);
/* The same, once the record is durable. */
void muster__request_done_durably(struct muster_resource *resource, int code, const struct muster_error *error);
bool muster__request_is_stopping(const struct muster_resource *resource);
void muster__request_done(struct muster_resource *resource, int code, const struct muster_error *error);

/* shutdown.c */
int muster__shutdown_event(struct muster__engine *engine, const struct muster__event *event);
/* What waits to be stopped is looked at. */
void muster__shutdown_touch(struct muster__engine *engine);
/* An op that wasn't awaited any more has ended on the way down: if it leaves the resource running, a host shutdown stops it. */
void muster__shutdown_late(struct muster_resource *resource);
/* Nothing has been called for what is being done to it. */
bool muster__resource_not_begun(const struct muster_resource *resource);
void muster__rollback(struct muster__engine *engine, const struct muster_error *error);
/* Go on with what is going down. */
void muster__shutdown_look(struct muster__engine *engine);
/* Let go of all that no op is out for. */
void muster__resources_release(struct muster__engine *engine);
/* Is the way down past the point where resources are let go of? */
bool muster__resources_released(const struct muster__engine *engine);
/* Ask for the store to be closed; nothing of it is out. */
void muster__ask_close(struct muster__engine *engine);
int muster__closed(struct muster__engine *engine, const struct muster__event *event);
void muster__down_timer_expired(struct muster__engine *engine, struct muster__timer *timer);

/* reload.c */
int muster__reload_event(struct muster__engine *engine, const struct muster__event *event);
void muster__reload_next(struct muster__engine *engine);
/* It ends when the callbacks have, and what they added or changed is accounted for. */
void muster__reload_look(struct muster__engine *engine);
void muster__reload_finished(struct muster_driver *driver, struct muster_op *op);
void muster__reload_timed_out(struct muster_driver *driver, const struct muster_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A world around the engine: a virtual clock, the machine with what really runs on it, fake drivers, a fake store, and
 * users. It plays the runner's part: carries out actions, and turns their ends into events. Nothing sleeps; a world is
 * decided by its script, and by its seed where the script says nothing.
 */
#ifndef SIMULATION_WORLD_H
#define SIMULATION_WORLD_H

#include <setjmp.h>

#include "arena.h"
#include "base/table.h"
#include "engine/engine.h"
#include "rng.h"
#include "store.h"
#include "trace.h"

enum {
    WORLD_DRIVERS = 32,
    WORLD_RESOURCES = 320,
    WORLD_LIST = 8,
    WORLD_NAME = 64,
    WORLD_TURNS = 64,
    WORLD_OPS = 1024,
    WORLD_REQUESTS = 512,
    WORLD_DUES = 2048,
    WORLD_PHASES = MUSTER_PHASE_STOP + 1
};

#define WORLD_CALLBACK(phase) (1u << MUSTER_PHASE_##phase)
/* initialize, shutdown, probe, start, stop: what a story's driver has if it says nothing else. */
#define WORLD_USUAL                                                                                \
    (WORLD_CALLBACK(INITIALIZE) | WORLD_CALLBACK(SHUTDOWN) | WORLD_CALLBACK(PROBE) | WORLD_CALLBACK(START) |  \
     WORLD_CALLBACK(STOP))

struct world;

/* How one op goes. */
struct turn {
    int outcome;    /* 0: the usual: OK, or from a probe the truth */
    uint64_t delay; /* it is finished this long after the call; 0: the phase's usual */
    uint64_t effect; /* a start or stop takes effect this long after the call; 0: with its end */
    uint64_t extend_at; /* if not 0: extends its deadline then */
    uint64_t extend_ms;
    uint64_t twice_after; /* if not 0: it is finished a second time, this long after the first */
    bool sync;          /* finished within the call */
    bool never;         /* never finished, unless it heeds a cancel */
    bool effective;     /* with a failing outcome: it took effect all the same */
    bool heeds_cancel;
    bool adds; /* initialize with a failing outcome: it has added its resources before */
    bool lies; /* a start or stop that has done nothing says OK; a probe says the opposite of what is so */
    uint64_t limbo; /* a start: if the daemon dies before it took effect, it does so this long after; 0: never */
};

struct driver_config {
    const char *name;
    intptr_t tier;
    intptr_t priority;
    const char *needs[WORLD_LIST];
    const char *wants[WORLD_LIST];
    const char *after[WORLD_LIST];
    const char *before[WORLD_LIST];
    const char *provides[WORLD_LIST];
    uintptr_t flags;
    unsigned callbacks; /* WORLD_CALLBACK bits; 0: WORLD_USUAL */
    uintptr_t op_timeout_ms;
    uintptr_t max_probes;
    uintptr_t max_starts;
    uintptr_t start_interval_ms;
};

struct resource_config {
    const char *name; /* "storage/pool0" */
    const char *needs[WORLD_LIST];
    const char *after[WORLD_LIST];
    uintptr_t policy;
    uintptr_t flags;
    intptr_t priority;
    bool transient; /* no config: restore alone adds it */
    bool late_added; /* its driver adds it in reconcile, if it has that, not in initialize */
};

/* Since something was last tried and came to nothing for now. */
struct pause {
    unsigned tries; /* in vain, one after the other */
    uint64_t since;
    uint64_t step;
};

struct world_driver {
    struct muster__table_node node;
    struct driver_config is;
    bool after[WORLD_DRIVERS]; /* directly or through others, tiers included, once known */
    bool registered;
    struct muster_driver *driver; /* NULL: not added in this life */
    bool planned;                 /* a bring-up has accepted it */
    /* ---- this life, as the world has seen it */
    unsigned called;      /* the how-manieth initialize that was called, from 1 */
    bool initialized;     /* its last initialize ended OK */
    bool settled[3];      /* once seen through initialize, reconcile, autostart: what is late holds nobody up again */
    bool shut_down;       /* shutdown was called */
    bool excused;         /* it was not, since an op past its deadline was out */
    uint64_t last_start_ms;
    bool has_started;
    unsigned calls[WORLD_PHASES];
    struct pause pause;
};

struct world_resource {
    struct muster__table_node node;
    struct resource_config is;
    char full[WORLD_NAME];
    const char *name; /* within its driver */
    struct world_driver *driver;
    bool configured; /* initialize and reload add it */
    /* ---- the machine: outlives the daemon */
    bool running;
    bool ended;   /* by itself, since its last start */
    bool began;   /* by itself, since its last stop */
    bool foreign; /* something else has taken its place */
    unsigned instance; /* how often it has been started */
    char token[33];
    char handle[32];
    char called[33]; /* the token of the last start that was called */
    uint64_t limbo_until; /* spawned, and not to be seen before; 0: no */
    /* ---- this life */
    unsigned alive; /* definitions given to muster and not released */
    bool asked; /* a user has asked for a start or a retry: attempts count from zero */
    bool stop_asked; /* a stop with dependents has, by needs that have changed since */
    bool added; /* by a user, at run time: the barrier doesn't wait for it */
    bool late;  /* ... when its driver's autostart was over */
    bool removed; /* by a user or a reload, and it didn't run */
    bool reloaded; /* the reload that is out has added it, or changed its policy */
    char intent[33]; /* the token of the last intent of this life that was to be written */
    char found[33];  /* the token that was in the store when this life began */
    bool recorded;   /* it was in the store then, and hasn't been removed since */
    int last_answer; /* of its probe; 0: none yet */
    uint64_t last_probe_step;
    uint64_t last_stop_step; /* when its last stop was called */
    uint64_t last_probe_ms;
    unsigned calls[WORLD_PHASES];
    struct pause pause;
    bool start_failed; /* its driver has said so last */
    bool deceived; /* its driver has said what isn't so: what muster believes may be wrong */
    uint64_t walk;
    /* ---- what a user was told, and nothing has changed since: -1 none, else enum muster_desired */
    int promise;
};

struct played {
    bool used;
    bool out; /* the engine hasn't heard its end */
    bool took_effect;
    bool cancelled;
    struct muster_op *op;
    struct world_driver *driver;
    struct world_resource *resource;
    enum muster_phase phase;
    enum muster_cause cause;
    unsigned nth; /* of that phase, of its driver or resource, in this life: from 1 */
    struct turn turn;
    uint64_t called_ms;
    uint64_t called_step;
};

struct request {
    bool accepted;
    int ended; /* how often `done` was called */
    int code;
    enum muster__event_type type;
    uint64_t flags;
    struct world_resource *resource;
    const struct world_resource *moved_to; /* a move's, if the world has it */
    struct world *world;
    char label[WORLD_NAME];
};

enum due_kind { DUE_EXTEND, DUE_EFFECT, DUE_FINISH, DUE_TWICE, DUE_STORE, DUE_LIMBO, DUE_USER };

struct due {
    uint64_t at;
    uint64_t order;
    enum due_kind kind;
    struct played *played;
    struct world_resource *resource;
    void (*act)(struct world *world, const void *data);
    const void *data;
};

/* How a world that doesn't observe hears of a milestone. */
struct milestone_wait {
    struct world *world;
    unsigned which;
};

struct script_turn {
    enum muster_phase phase;
    const char *name;
    struct turn turn;
    bool taken;
};

/* How an op and a store's job go that no script tells; NULL members: as usual. */
struct decider {
    struct turn (*turn)(struct world *world, const struct played *played);
    struct store_turn (*job)(struct world *world, enum store_job_kind kind, unsigned nth);
};

struct world {
    struct trace trace;
    struct arena arena;
    struct fake_store store;
    struct muster__engine_options options;
    struct muster__engine *engine;
    uint64_t now;
    uint64_t order; /* of dues */
    uint64_t steps;
    uint64_t user_step; /* the last that a user made */
    unsigned boot;
    unsigned life;
    char boot_id[32];
    bool boot_unknown;
    const struct decider *decider;
    void *decider_data;
    bool unobserved; /* nobody listens: the engine goes shorter ways to the same end */

    unsigned driver_count;
    unsigned resource_count;
    unsigned turn_count;
    unsigned store_turn_count;
    unsigned store_turn_next;

    struct muster__memory memory;
    struct muster__table names; /* of drivers and resources */
    uint64_t walks;
    bool after_known;

    unsigned op_high; /* none beyond is used */
    unsigned due_count;
    unsigned request_count;

    /* ---- this life */
    bool pumping;
    unsigned jobs[3]; /* of the store, by kind */
    unsigned calls; /* of initialize */
    bool loaded;
    int load_code;
    uint64_t load_deadline; /* of the one that is out */
    bool load_late;         /* that has passed: it counts as one that has failed */
    bool fenced;
    bool store_failed;   /* a job has, in this life */
    bool store_doubtful; /* indeterminate, and not loaded since */
    bool closed;
    bool milestones[3];
    uint64_t milestone_steps[3]; /* when it was reached for the first time */
    struct milestone_wait waits[3];
    bool going_down;
    bool host_shutdown;
    uint64_t host_shutdown_step; /* in which it was asked for; 0: it wasn't */
    bool budget_spent; /* of a shutdown or a rollback */

    /* ---- on a failure */
    jmp_buf *on_failure;
    char failure[512];
    const char *failure_format; /* tells failures of one kind from others */

    /* ---- large, and most of it unused: see world_init() */
    struct world_driver drivers[WORLD_DRIVERS];
    struct world_resource resources[WORLD_RESOURCES];
    struct script_turn turns[WORLD_TURNS];
    struct store_turn store_turns[WORLD_TURNS];
    enum store_job_kind store_turn_kinds[WORLD_TURNS];
    struct played ops[WORLD_OPS];
    struct due dues[WORLD_DUES];
    struct request requests[WORLD_REQUESTS];
};

/* ---- a world ------------------------------------------------------------------------------------ */

/* `world` is static: zero, or as an earlier one left it. */
void world_init(struct world *world);
void world_fini(struct world *world);
/* Act; false if something was found broken, which `failure` then tells. */
bool world_try(struct world *world, void (*act)(struct world *world));
/* The story or an invariant is broken. Doesn't return: world_try() does. */
_Noreturn void world_fail(struct world *world, const char *format, ...) MUSTER_PRINTF(2, 3);
void world_trace(struct world *world, const char *format, ...) MUSTER_PRINTF(2, 3);

struct world_driver *world_add_driver(struct world *world, const struct driver_config *config);
struct world_resource *world_add_resource(struct world *world, const struct resource_config *config);
#define DRIVER(world, ...) world_add_driver((world), &(struct driver_config){__VA_ARGS__})
#define RESOURCE(world, ...) world_add_resource((world), &(struct resource_config){__VA_ARGS__})
struct world_driver *world_driver(struct world *world, const char *name);
struct world_resource *world_resource(struct world *world, const char *name);

/* The next op of that phase on `name` (a driver or a resource) goes so. */
void world_turn(struct world *world, enum muster_phase phase, const char *name, struct turn turn);
#define TURN(world, phase, name, ...) world_turn((world), MUSTER_PHASE_##phase, (name), (struct turn){__VA_ARGS__})
void world_store_turn(struct world *world, enum store_job_kind kind, struct store_turn turn);
#define STORE_TURN(world, kind, ...) world_store_turn((world), STORE_##kind, (struct store_turn){__VA_ARGS__})

/* ---- the daemon and the machine ------------------------------------------------------------------- */

/* A new daemon: an engine, and every registered driver added. */
void world_daemon(struct world *world);
/* Add a driver to the engine. */
int world_register(struct world *world, struct world_driver *driver);
/* world_daemon(), and a bring-up. */
struct request *world_boot_daemon(struct world *world);
/* SIGKILL. */
void world_kill(struct world *world);
/* Forget what users were to do. */
void world_drop_users(struct world *world);
/* Its driver has said what isn't so. */
void world_deceive(struct world_resource *resource);
/* Free the engine after its shutdown; everything must have been given back. */
void world_free_daemon(struct world *world);
/* The daemon lives on, and brings everything up again from the bottom: what lived inside of the drivers has ended. */
void world_from_down(struct world *world);
/* The machine restarts: kills the daemon if there is one. */
void world_reboot(struct world *world);

/* One event; false if nothing will ever happen by itself. */
bool world_next(struct world *world);
/* Until nothing happens by itself any more. */
void world_run(struct world *world);
/* Up to and including `ms`; the clock is then there. */
void world_run_until(struct world *world, uint64_t ms);
void world_run_for(struct world *world, uint64_t ms);
/* Call `act` with `data` at `at`. */
void world_at(struct world *world, uint64_t at, void (*act)(struct world *world, const void *data), const void *data);

/* ---- users (user.c). The request's `accepted` says whether the call was refused. ---------------------- */

struct request *world_bring_up(struct world *world);
struct request *world_when(struct world *world, enum muster_milestone milestone);
struct request *world_reload(struct world *world);
/* It is out. */
bool world_reloading(const struct world *world);
struct request *world_shutdown(struct world *world, enum muster_shutdown_kind kind);
struct request *world_start(struct world *world, const char *name, uint64_t flags);
struct request *world_stop(struct world *world, const char *name, uint64_t flags);
struct request *world_forget(struct world *world, const char *name);
struct request *world_move(struct world *world, const char *name, const char *new_name);
struct request *world_resolve(struct world *world, const char *name, enum muster_desired desired);
int world_check(struct world *world);
int world_driver_retry(struct world *world, const char *name, bool changed);
int world_resource_retry(struct world *world, const char *name);
int world_set_policy(struct world *world, const char *name, enum muster_policy policy);
int world_set_needs(struct world *world, const char *name, const char *const *needs, const char *const *after);
/* A resource that a user adds at run time; it must be in the world. */
int world_resource_add(struct world *world, const char *name);
int world_resource_remove(struct world *world, const char *name);
/* The machine changes, and the driver reports it. */
int world_changed(struct world *world, const char *name, enum muster_change change);

/* ---- inside the harness ---------------------------------------------------------------------------- */

void world_milestone(struct world *world, unsigned which);
struct muster_resource *world_engine_resource(const struct world *world, const struct world_resource *resource);
const char *world_phase_name(enum muster_phase phase);
int world_step(struct world *world, struct muster__event *event);
void world_pump(struct world *world);
void world_due(struct world *world, struct due due);
/* The ops of a life (play.c). */
void play_call(struct world *world, struct muster_op *op);
void play_cancel(struct world *world, struct muster_op *op);
void play_due(struct world *world, const struct due *due);
int play_define(struct world_resource *resource, struct muster_resource_def *def);
/* The phase in which its driver adds what is configured. */
enum muster_phase play_adds_in(const struct world_resource *resource);
/* The store's jobs (keep.c). */
void keep_job(struct world *world, enum store_job_kind kind, const struct muster__action *action);
void keep_due(struct world *world);

/* ---- invariants (check.c): after every step, in stories as in random runs -------------------------- */

void check_call(struct world *world, const struct played *played);
/* How a try has gone; whether the next comes too soon. */
void check_see_try(struct world *world, const struct played *played, int outcome);
void check_pause(struct world *world, const struct played *played);
void check_commit(struct world *world, const struct muster__action *action);
void check_done(struct world *world, const struct request *request);
/* By what muster says: inactive, and nothing is to come. */
bool check_is_inactive(struct world *world, const struct world_resource *resource);
/* A user asks for something: what was promised before doesn't hold for what that concerns. */
void check_unpromise(struct world *world, struct world_resource *resource, enum muster__event_type type, uint64_t flags);
/* Needs are about to change: what stops with dependents have asked for stays so. */
void check_keep_stops(struct world *world);
/* Needs change: what was promised doesn't hold for what the requests under way come to concern. */
void check_unpromise_pending(struct world *world);
void check_see_drivers(struct world *world);
void check_blocked(struct world *world);
void check_see_down(struct world *world, struct world_driver *driver);
void check_step(struct world *world);
/* Does a resource need another (named `on`), directly or through others? */
bool check_needs(struct world *world, const struct world_resource *resource, const char *on);
/* Is it a dependency that can't be waited for? */
bool check_is_bad(struct world *world, const struct world_resource *resource, const struct world_resource *on);
/* Does a driver declare that it comes after another? */
bool check_depends(const struct driver_config *driver, const struct driver_config *on);
/* Nothing of it is on its way: no intent may be left whose start was never called. */
void check_intents(struct world *world);
/* Nothing will happen by itself any more, faults or not: so nothing may be on its way. */
void check_quiet(struct world *world);
/* Everything that could happen has. */
void check_settled(struct world *world);

#endif

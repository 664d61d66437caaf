/* SPDX-License-Identifier: MIT */
/*
 * A scenario: drivers, resources, options, a list of events, and how ops and the store's jobs go. All that a run
 * does follows from
 * it. One that is generated from a seed draws the turns of its ops while it runs (chance.c); a run can write them down, so that
 * the list alone repeats it, and goes on doing so whatever becomes of the generator.
 */
#ifndef SIMULATION_SCENARIO_H
#define SIMULATION_SCENARIO_H

#include <stdio.h>

#include "world.h"

enum { SCENARIO_EVENTS = 2048, SCENARIO_TURNS = 8192 };

/* What the world may do at random, in per cent. */
struct chances {
    unsigned fail;
    unsigned unavailable;
    unsigned hang;
    unsigned slow;
    unsigned sync;
    unsigned twice;
    unsigned store;
    unsigned limbo;
    unsigned lie;
    unsigned effective;
};

enum event_kind {
    /* ---- the daemon and the machine, one after the other */
    EVENT_LIFE,     /* a daemon is started; number: what turns call this life */
    EVENT_DIE,      /* it is killed after so many steps: number */
    EVENT_SWEEP,    /* the life is played again and again, killed after the first step, the second, ... to the last */
    EVENT_DOWN,     /* an orderly shutdown (choice: kind) after so many steps: number */
    EVENT_REBOOT,   /* the machine restarts */
    EVENT_REHEARSE, /* a daemon without faults is started and held against the rules; then all is as before */
    EVENT_RECOVER,  /* the same, and it stays */
    EVENT_REST,     /* its shutdown, without faults (choice: kind); what users do meanwhile follows, `at` ms after its begin */
    EVENT_REFUSED,  /* a daemon is started whose drivers have a mistake */
    EVENT_ENDS,     /* name ends while nobody looks */
    EVENT_STRANGER, /* ... and something else takes its place */
    EVENT_BEGINS,   /* name is started by somebody else */
    EVENT_CONFIG,   /* name is written into its driver's configuration, or taken out of it */
    EVENT_CORRUPT,  /* the record of name is quarantined */
    EVENT_HISTORY,  /* durations of name (a driver's or a resource's) that nobody has measured: text number `number` */
    /* ---- during a life, `at` ms after its begin */
    EVENT_START,     /* name; choice: alone, with dependencies */
    EVENT_STOP,      /* name; choice: alone, cascade */
    EVENT_CHANGED,   /* name, and its driver reports it; choice: self, loss, unknown */
    EVENT_VANISH,    /* name ends, and its driver doesn't know */
    EVENT_RETRY,     /* name, a resource's */
    EVENT_AGAIN,     /* name, a driver's; choice: retry, changed */
    EVENT_RELOAD,    /* choice: as it is; name is first written into the configuration, or taken out of it */
    EVENT_ADD,       /* name */
    EVENT_REMOVE,    /* name */
    EVENT_POLICY,    /* name; choice */
    EVENT_NEEDS,     /* name needs other, and nothing else */
    EVENT_FORGET,    /* the record of name */
    EVENT_RESOLVE,   /* the record of name; choice: inactive, active */
    EVENT_MOVE,      /* the record of name to other */
    EVENT_WHEN,      /* choice: milestone */
    EVENT_DRIVERS,   /* those that come later are added */
    EVENT_CHECK,
    EVENT_BRING_UP,
    EVENT_SHUTDOWN,  /* choice: kind */
    EVENT_JUMP,      /* the clock jumps by number ms */
    EVENT_KINDS
};

struct event {
    enum event_kind kind;
    const char *name;
    const char *other;
    unsigned choice;
    uint64_t at;
    uint64_t number;
};

/* The nth op of a phase on a driver or a resource in a life. */
struct told_turn {
    uint64_t life;
    enum muster_phase phase;
    const char *name;
    unsigned nth;
    struct turn turn;
};

struct told_job {
    uint64_t life;
    enum store_job_kind kind;
    unsigned nth;
    struct store_turn turn;
};

struct scenario {
    /* of the context; 0: the world's own */
    uint64_t flags;
    uint64_t max_ops;
    uint64_t op_timeout_ms;
    uint64_t store_timeout_ms;
    uint64_t shuffle_seed;
    bool no_store;
    bool boot_unknown;
    bool unobserved;

    struct driver_config drivers[WORLD_DRIVERS];
    bool later[WORLD_DRIVERS]; /* not there before EVENT_DRIVERS */
    unsigned driver_count;
    struct resource_config resources[WORLD_RESOURCES];
    bool unconfigured[WORLD_RESOURCES];
    bool runs[WORLD_RESOURCES];
    unsigned resource_count;
    struct event events[SCENARIO_EVENTS];
    unsigned event_count;

    bool drawn; /* turns are drawn by `seed` and `chances`; else they are these, and the usual */
    uint64_t seed;
    struct chances chances;
    struct told_turn turns[SCENARIO_TURNS];
    unsigned turn_count;
    struct told_job jobs[SCENARIO_TURNS];
    unsigned job_count;
};

/* A name that lives as long as the process. */
const char *scenario_name(const char *text);

/* generate.c */
void scenario_generate(struct scenario *scenario, uint64_t seed);

/* text.c: a line each. 0, or the number of the line that can't be read. */
void scenario_print(const struct scenario *scenario, FILE *stream);
unsigned scenario_parse(struct scenario *scenario, FILE *stream);

/* events.c */
struct event_form {
    const char *word;
    bool timed;          /* "at MS" goes before it */
    bool named;          /* a name after it, */
    bool two;            /* and another */
    bool counted;        /* a number, */
    const char *choices; /* one of these words, with blanks between; NULL: none */
};
const struct event_form *event_form(enum event_kind kind);
/* During a life: now. */
void event_act(struct world *world, const struct event *event);
/* While there is no daemon. */
void event_change_machine(struct world *world, const struct event *event);

/* machine.c: what is there between two daemons. */
struct snapshot;
struct snapshot *snapshot_take(const struct world *world);
void snapshot_restore(const struct snapshot *snapshot, struct world *world);
void snapshot_free(struct snapshot *snapshot);

/* predict.c: before a daemon without faults is started: what the rules say of each resource; and, when it has settled, whether
   that has come true. */
void random_predict(struct world *world);
void random_compare(struct world *world);

/* chance.c: how an op and a job go that nobody tells. */
struct turn chance_turn(const struct scenario *scenario, uint64_t life, const struct played *played);
struct store_turn chance_job(const struct scenario *scenario, uint64_t life, enum store_job_kind kind, unsigned nth);

/* play.c: a whole run. world->decider_data is the run. */
struct run {
    struct scenario *scenario;
    struct scenario *record; /* if not NULL: gets the events and turns as they were, and repeats the run by itself */
    uint64_t life;           /* what turns call the present one; 0: one without faults */
    bool trace;
    uint64_t steps;
    uint64_t deaths;
    char failure[512];
    char kind[512]; /* of the failure: its text without names */
};
/* From here on a run that never ends is killed by SIGVTALRM. */
void run_limit(void);
/* False: something was found broken. */
bool run_play(struct run *run, struct world *world);
/* shrink.c: in a process of its own; what kind of failure it is, "" if it is none. */
void scenario_try(struct scenario *scenario, char *kind, size_t bytes);

/* The shortest scenario found that fails in the same way, in *scenario. */
struct shrinking {
    const char *kind;     /* of failure */
    double seconds;       /* at most */
    uint64_t tries;       /* what it took */
};
void scenario_shrink(struct scenario *scenario, struct shrinking *shrinking);

#endif

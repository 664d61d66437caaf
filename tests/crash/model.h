/* SPDX-License-Identifier: MIT */
/*
 * What the crash tests do with a store, as tables, and what must be in it afterwards.
 */
#ifndef TESTS_CRASH_MODEL_H
#define TESTS_CRASH_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <muster/store.h>

enum step_type {
    STEP_END,
    STEP_OPEN,
    STEP_CLOSE,
    /* One batch of `count` records "PREFIX-0", "PREFIX-1", ... */
    STEP_PUT,
    STEP_REMOVE,
    STEP_COMPACT,
    /* Of a closed journal: half a line at its end. */
    STEP_TEAR,
    /* Of a closed journal: a byte in a line before the last is another one. The line put PREFIX-0 alone. */
    STEP_DAMAGE,
    /* What was before this is durable; crashes and failures begin here. */
    STEP_GO
};

struct step {
    enum step_type type;
    const char *prefix;
    unsigned count;
    /* Bytes. */
    size_t handle;
    /*
     * How many ones there are in an array in the first record. Whole sectors of "1,1,1," can be missing and leave
     * good JSON behind, so that the checksum alone tells.
     */
    size_t ones;
};

#define STEPS_MAX 24

struct scenario {
    const char *name;
    bool journal, sqlite;
    /* Of sqlite's log, see database.h. */
    unsigned pages;
    struct step steps[STEPS_MAX];
};

/* Ends with a name that is NULL. */
extern const struct scenario scenarios[];
const struct scenario *scenario_find(const char *name);
unsigned scenario_count(const struct scenario *scenario);

/* Behind the last step: what a recovery puts, and what the check puts after that. */
#define EXTRA_STEPS 2
const struct step *scenario_step(const struct scenario *scenario, unsigned index);

/* Record `i` of step `index`; valid until record_fini(). */
struct made_record {
    struct muster_record is;
    char name[64];
};
void record_make(struct made_record *record, const struct step *step, unsigned index, unsigned i);
void record_fini(struct made_record *record);

#define MODEL_MAX 512

struct expected {
    char name[64];
    unsigned step, i;
    bool quarantined, seen;
};

struct model {
    const struct scenario *scenario;
    struct expected records[MODEL_MAX];
    size_t count;
    size_t loaded;
    /* What a load tells that isn't so; "": nothing. */
    char wrong[256];
};

/*
 * After the steps of which `outcomes` says 'y', a letter a step: 'n' for those that have changed nothing. Where it says '?'
 * the step counts if `maybe`.
 */
void model_init(struct model *model, const struct scenario *scenario, const char *outcomes, bool maybe);
/* A load begins; what a load told; it has ended. After that `wrong` counts. */
void model_begin(struct model *model);
void model_take(struct model *model, const struct muster_record *record);
void model_end(struct model *model);

#endif

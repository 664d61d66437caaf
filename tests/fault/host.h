/* SPDX-License-Identifier: MIT */
/*
 * A host with a store: it does one step after the other as muster would, knows what was acknowledged, and compares with
 * what a load says. A batch is two records, "x" and "y", of one generation: both are of the same, or the batch isn't whole.
 */
#ifndef TESTS_FAULT_HOST_H
#define TESTS_FAULT_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/* What a host knows. Generation 0: no such record. */
struct model {
    /* Of x and y: what is acknowledged, and what may be there instead. */
    uint64_t acknowledged;
    uint64_t possible;
    /* The last that was tried. */
    uint64_t tried;
    /* A record "keep" that nobody changes is there, and one, "damaged", whose last version was lost: it is quarantined. */
    bool keep;
    bool damaged;
};

struct host;

/* A store that is tried. */
struct subject {
    int (*make)(const struct host *host, struct muster_store **ret_store);
    /* A call has failed: does host->error say what it should? */
    void (*check_error)(const struct host *host, int code);
};

struct host {
    const struct subject *subject;
    const char *directory;
    uint64_t compact_size;
    const struct muster_allocator *allocator;
    struct model *model;

    struct muster_store *store;
    struct muster_error error;
    /* The step under way, the steps that failed, and the first of them. */
    char step;
    unsigned failed;
    char first_failed;
    /* Nothing but close is possible any more. */
    bool stuck;
};

/*
 * A letter each, until one leaves nothing to go on with; then the store is freed.
 *     o, r  open; open to read only      p, P  commit a batch; one that doesn't fit into the space written ahead
 *     l     load, and compare            L     commit a batch of many chunks, with a third record, "z", in its midst
 *     x     close                        c     compact
 *     v     verify
 *     k     commit "keep"                d, D  commit "damaged", an old and a new version
 */
void host_run(struct host *host, const char *steps);

/* Something is not as it should be: say so, with what is tried. */
void bad(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How often; beyond the limit nothing is said. */
extern unsigned bad_count;
extern unsigned bad_limit;
/* Says what is tried. */
extern void (*bad_describe)(void);

/* Of this process. */
size_t count_descriptors(void);

#endif

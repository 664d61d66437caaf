/* SPDX-License-Identifier: MIT */
/*
 * Records inside the engine: immutable and counted, so that a batch on its way to the store, an op on another thread and the
 * resource share one without copying. A change makes a new version, with the next generation.
 */
#ifndef MUSTER__RECORD_H
#define MUSTER__RECORD_H

#include <stdatomic.h>
#include <stdbool.h>

#include <muster/store.h>

#include "base/memory.h"

struct muster__record {
    /* Strings lie behind the struct, in one block. */
    struct muster_record is;
    atomic_uint references;
    const struct muster__memory *memory;
};

/* A copy of `source`, with one reference; NULL if out of memory. */
struct muster__record *muster__record_new(const struct muster__memory *memory, const struct muster_record *source);
/* Any thread. NULL is accepted. */
struct muster__record *muster__record_ref(struct muster__record *record);
void muster__record_unref(struct muster__record *record);
/* Do they say the same, generation aside? NULL equals NULL alone. */
bool muster__record_same(const struct muster_record *a, const struct muster_record *b);

#endif

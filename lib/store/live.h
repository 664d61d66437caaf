/* SPDX-License-Identifier: MIT */
/*
 * The records that are live: one version for each key (kind, driver, name), in the order in which the keys
 * came. A batch is staged first, which may fail and changes nothing that can be seen, then applied or
 * dropped, which can't fail.
 */
#ifndef MUSTER__LIVE_H
#define MUSTER__LIVE_H

#include <muster/store.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"

/* A copy of a record; its strings lie behind it. */
struct muster__version {
    struct muster_record is;
    /* What it weighs in a file. For whoever keeps it there. */
    size_t bytes;
};

struct muster__live_entry {
    struct muster__table_node node;
    struct muster__list link;
    /* NULL: the key is new, and its batch is only staged. */
    struct muster__version *current;
    struct muster__version *staged;
};

struct muster__live {
    const struct muster__memory *memory;
    struct muster__table table;
    struct muster__list entries;
    /* The sum over the current versions. */
    size_t bytes;
};

/* A staged batch. Entry i is NULL where record i removes what isn't there. */
struct muster__change {
    struct muster__live_entry **entries;
    size_t count;
    /* What each of its versions weighs; 0 when it is staged, and where they were weighed one by one. */
    size_t bytes;
};

void muster__live_init(struct muster__live *live, const struct muster__memory *memory);
/* Forget all; it may be used again. */
void muster__live_clear(struct muster__live *live);

/* MUSTER_EINVAL: a key is missing a part, or is twice in the batch. MUSTER_ENOMEM. */
int muster__live_stage(struct muster__live *live, const struct muster_record *const *records, size_t count,
                       struct muster__change *ret_change);
void muster__live_apply(struct muster__live *live, struct muster__change *change);
void muster__live_drop(struct muster__live *live, struct muster__change *change);

/* What the entry's record is once what is staged is applied; NULL if there is none then. */
struct muster__version *muster__live_coming(const struct muster__live_entry *entry);

/* Set what a version of the entry weighs. */
void muster__live_weigh(struct muster__live *live, const struct muster__live_entry *entry, struct muster__version *version,
                        size_t bytes);

/* All content is lost: what is left of each record is its key. */
void muster__live_quarantine(struct muster__live *live);

/* Call `cb` for each record, as a store's load does. */
int muster__live_foreach(const struct muster__live *live, muster_load_cb cb, void *data);

#endif

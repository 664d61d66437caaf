/* SPDX-License-Identifier: MIT */
/* A hash table of elements that hold their own key string; open addressing. */
#ifndef MUSTER__TABLE_H
#define MUSTER__TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* Embedded as the first member of an element. */
struct muster__table_node {
    const char *key;
    uint64_t hash;
};

/* With the hash, so that an element is looked at only if it is most likely the one. */
struct muster__table_slot {
    uint64_t hash;
    struct muster__table_node *node;
};

struct muster__table {
    const struct muster__memory *memory;
    struct muster__table_slot *slots;
    size_t count;
    size_t mask; /* slots - 1, or 0 with no slots */
};

uint64_t muster__hash(const char *bytes, size_t length);

void muster__table_init(struct muster__table *table, const struct muster__memory *memory);
void muster__table_fini(struct muster__table *table);

/* NULL if there is none. */
struct muster__table_node *muster__table_find(const struct muster__table *table, const char *key);

/* Make room for so many in all at once, rather than step by step. 0 or MUSTER_ENOMEM. */
int muster__table_reserve(struct muster__table *table, size_t count);

/* `node->key` must not be there yet, and lives as long as the node. 0 or MUSTER_ENOMEM. */
int muster__table_add(struct muster__table *table, struct muster__table_node *node);

/* `node` must be there. */
void muster__table_remove(struct muster__table *table, struct muster__table_node *node);

/* Walk: NULL at the end; *cursor starts at 0. The table must not be changed meanwhile. */
struct muster__table_node *muster__table_next(const struct muster__table *table, size_t *cursor);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A binary heap of elements that know their place, ordered by (key, tie), smallest first. For timers and for what is ready
 * to be called.
 */
#ifndef MUSTER__HEAP_H
#define MUSTER__HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

struct muster__heap_node {
    uint64_t key;
    uint64_t tie;
    /* 1-based; 0: in no heap. */
    size_t place;
};

struct muster__heap {
    const struct muster__memory *memory;
    struct muster__heap_node **nodes;
    size_t count;
    size_t capacity;
    /* Nodes that may be pushed without allocating: every owner of a node reserves one. */
    size_t reserved;
};

void muster__heap_init(struct muster__heap *heap, const struct muster__memory *memory);
void muster__heap_fini(struct muster__heap *heap);

/* Make room for one more node for as long as its owner lives, so that push can't fail. 0 or MUSTER_ENOMEM. */
int muster__heap_reserve(struct muster__heap *heap);
void muster__heap_unreserve(struct muster__heap *heap);

/* Insert, or move if it is there already. The node must have been reserved. */
void muster__heap_push(struct muster__heap *heap, struct muster__heap_node *node, uint64_t key, uint64_t tie);
/* The node may be in no heap. */
void muster__heap_remove(struct muster__heap *heap, struct muster__heap_node *node);
/* The smallest, which stays; NULL if empty. */
struct muster__heap_node *muster__heap_first(const struct muster__heap *heap);

#endif

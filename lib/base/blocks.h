/* SPDX-License-Identifier: MIT */
/* Many small pieces of memory that stay where they are and are freed together. */
#ifndef MUSTER__BLOCKS_H
#define MUSTER__BLOCKS_H

#include "base/memory.h"

/* Zeroed: empty. */
struct muster__blocks {
    struct muster__block *last;
};

/* Aligned for a pointer, not zeroed. NULL: no memory. */
void *muster__blocks_keep(struct muster__blocks *blocks, const struct muster__memory *memory, size_t bytes);
/* A copy. NULL: no memory. `text` must not be NULL. */
const char *muster__blocks_keep_text(struct muster__blocks *blocks, const struct muster__memory *memory, const char *text);
/* It may be used again. */
void muster__blocks_fini(struct muster__blocks *blocks, const struct muster__memory *memory);

#endif

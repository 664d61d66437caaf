/* SPDX-License-Identifier: MIT */
#include "base/blocks.h"

#include <stdint.h>
#include <string.h>

/* Each is twice as large as the one before it. */
#define FIRST ((size_t)1024)
#define MOST ((size_t)64 * 1024)
#define ALIGNMENT sizeof(void *)

struct muster__block {
    struct muster__block *before;
    size_t used;
    size_t bytes;
};

static struct muster__block *add_block(struct muster__blocks *blocks, const struct muster__memory *memory, size_t bytes)
{
    size_t room = blocks->last == NULL ? FIRST : blocks->last->bytes < MOST ? 2 * blocks->last->bytes : MOST;
    room = bytes > room ? bytes : room;
    if (room > SIZE_MAX - sizeof(struct muster__block))
        return NULL;
    struct muster__block *block = muster__realloc(memory, NULL, 1, sizeof(*block) + room);
    if (block == NULL)
        return NULL;
    *block = (struct muster__block){.before = blocks->last, .bytes = room};
    blocks->last = block;
    return block;
}

void *muster__blocks_keep(struct muster__blocks *blocks, const struct muster__memory *memory, size_t bytes)
{
    if (bytes > SIZE_MAX - ALIGNMENT)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct muster__block *block = blocks->last;
    if (block == NULL || block->bytes - block->used < bytes)
        block = add_block(blocks, memory, bytes);
    if (block == NULL)
        return NULL;
    void *kept = (char *)(block + 1) + block->used;
    block->used += bytes;
    return kept;
}

const char *muster__blocks_keep_text(struct muster__blocks *blocks, const struct muster__memory *memory, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *kept = muster__blocks_keep(blocks, memory, bytes);
    return kept == NULL ? NULL : memcpy(kept, text, bytes);
}

void muster__blocks_fini(struct muster__blocks *blocks, const struct muster__memory *memory)
{
    while (blocks->last != NULL) {
        struct muster__block *block = blocks->last;
        blocks->last = block->before;
        muster__free(memory, block);
    }
}

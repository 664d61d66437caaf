/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Each block is a malloc of its own, so that the sanitizers see what happens to it. */
struct arena_block {
    struct arena_block *next;
    struct arena_block *prev;
    size_t bytes;
    alignas(max_align_t) char memory[];
};

static struct arena_block *block_of(void *memory)
{
    return (struct arena_block *)(void *)((char *)memory - offsetof(struct arena_block, memory));
}

static void *arena_alloc(void *data, size_t bytes)
{
    struct arena *arena = data;
    struct arena_block *block = malloc(sizeof(*block) + bytes);
    if (block == NULL)
        return NULL;
    block->bytes = bytes;
    block->prev = NULL;
    block->next = arena->first;
    if (arena->first != NULL)
        arena->first->prev = block;
    arena->first = block;
    arena->live++;
    return block->memory;
}

static void arena_free(void *data, void *old)
{
    struct arena *arena = data;
    if (old == NULL)
        return;
    struct arena_block *block = block_of(old);
    if (block->prev != NULL)
        block->prev->next = block->next;
    else
        arena->first = block->next;
    if (block->next != NULL)
        block->next->prev = block->prev;
    arena->live--;
    free(block);
}

static void *arena_realloc(void *data, void *old, size_t bytes)
{
    void *memory = arena_alloc(data, bytes);
    if (memory == NULL || old == NULL)
        return memory;
    size_t kept = block_of(old)->bytes;
    memcpy(memory, old, kept < bytes ? kept : bytes);
    arena_free(data, old);
    return memory;
}

void arena_init(struct arena *arena)
{
    *arena = (struct arena){.memory = {arena, arena_alloc, arena_realloc, arena_free}};
}

void arena_drop(struct arena *arena)
{
    while (arena->first != NULL)
        arena_free(arena, arena->first->memory);
}

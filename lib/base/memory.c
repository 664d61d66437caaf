/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <muster/context.h>

static void *default_alloc(void *data, size_t bytes)
{
    (void)data;
    return malloc(bytes);
}

static void *default_realloc(void *data, void *old, size_t bytes)
{
    (void)data;
    return realloc(old, bytes);
}

static void default_free(void *data, void *old)
{
    (void)data;
    free(old);
}

int muster__memory_init(struct muster__memory *memory, const struct muster_allocator *allocator)
{
    if (allocator == NULL) {
        *memory = (struct muster__memory){NULL, default_alloc, default_realloc, default_free};
        return 0;
    }
    if (allocator->size < sizeof(*allocator) || !allocator->alloc || !allocator->realloc || !allocator->free)
        return MUSTER_EINVAL;
    *memory = (struct muster__memory){allocator->data, allocator->alloc, allocator->realloc, allocator->free};
    return 0;
}

void *muster__alloc(const struct muster__memory *memory, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *block = memory->alloc(memory->data, count * size == 0 ? 1 : count * size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void *muster__realloc(const struct muster__memory *memory, void *old, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return memory->realloc(memory->data, old, count * size == 0 ? 1 : count * size);
}

void muster__free(const struct muster__memory *memory, const void *old)
{
    if (old != NULL)
        memory->free(memory->data, (void *)(uintptr_t)old);
}

char *muster__strdup(const struct muster__memory *memory, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memory->alloc(memory->data, bytes);
    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

int muster__grow(const struct muster__memory *memory, void **array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = wanted < *capacity ? NULL : muster__realloc(memory, *array, wanted, size);
    if (grown == NULL)
        return MUSTER_ENOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "support/failing_memory.h"

#include <stdlib.h>

static bool fails(struct failing_memory *state)
{
    if (state->fault != NULL && fault_tick(state->fault))
        return true;
    if (state->countdown == 0 || --state->countdown > 0)
        return false;
    state->fired = true;
    return true;
}

static void *allocate(void *data, size_t bytes)
{
    struct failing_memory *state = data;
    void *block = fails(state) ? NULL : malloc(bytes);
    state->live += block != NULL;
    return block;
}

static void *reallocate(void *data, void *old, size_t bytes)
{
    struct failing_memory *state = data;
    void *block = fails(state) ? NULL : realloc(old, bytes);
    state->live += block != NULL && old == NULL;
    return block;
}

static void release(void *data, void *old)
{
    struct failing_memory *state = data;
    state->live -= old != NULL;
    free(old);
}

struct muster__memory failing_memory(struct failing_memory *state)
{
    return (struct muster__memory){state, allocate, reallocate, release};
}

struct muster_allocator failing_allocator(struct failing_memory *state)
{
    return (struct muster_allocator){sizeof(struct muster_allocator), state, allocate, reallocate, release};
}

/* SPDX-License-Identifier: MIT */
/* An allocator whose blocks can all be dropped at once: a daemon that dies takes its memory along, and that is no leak. */
#ifndef SIMULATION_ARENA_H
#define SIMULATION_ARENA_H

#include <stddef.h>

#include "base/memory.h"

struct arena_block;

struct arena {
    struct muster__memory memory; /* for the engine */
    struct arena_block *first;
    size_t live; /* blocks */
};

void arena_init(struct arena *arena);
void arena_drop(struct arena *arena);

#endif

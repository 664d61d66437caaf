/* SPDX-License-Identifier: MIT */
/* An allocator that counts, and whose n-th call fails. With a `fault`, and no countdown, for any thread. */
#ifndef TESTS_FAILING_MEMORY_H
#define TESTS_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include <muster/context.h>

#include "base/memory.h"
#include "support/fault.h"

struct failing_memory {
    size_t countdown; /* the allocation that fails, from 1; 0: none does */
    bool fired;
    _Atomic size_t live; /* blocks */
    struct fault *fault; /* shared with others, and asked as well; may be NULL */
};

struct muster__memory failing_memory(struct failing_memory *state);
/* The same for the public functions. */
struct muster_allocator failing_allocator(struct failing_memory *state);

#endif

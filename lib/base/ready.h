/* SPDX-License-Identifier: MIT */
/* A set of small numbers, the smallest found in constant time: a bit each, and a bit for each word that isn't empty. */
#ifndef MUSTER__READY_H
#define MUSTER__READY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

/* 64^4 numbers: more drivers than 32-bit ids allow in memory. */
#define MUSTER__READY_LEVELS 5

struct muster__ready {
    const struct muster__memory *memory;
    uint64_t *words[MUSTER__READY_LEVELS]; /* words[0]: a bit a number; words[i + 1]: a bit a word of words[i] */
    uint32_t levels;
    uint32_t count;
    uint32_t capacity;
    uint32_t low; /* no word of words[0] before it has a bit */
};

void muster__ready_init(struct muster__ready *ready, const struct muster__memory *memory);
void muster__ready_fini(struct muster__ready *ready);
/* Numbers below `capacity`, none in the set. 0 or MUSTER_ENOMEM, changing nothing. */
int muster__ready_resize(struct muster__ready *ready, uint32_t capacity);
void muster__ready_add(struct muster__ready *ready, uint32_t number);
/* It is in the set. */
void muster__ready_take(struct muster__ready *ready, uint32_t number);
static inline void muster__ready_remove(struct muster__ready *ready, uint32_t number)
{
    if ((ready->words[0][number / 64] >> (number % 64) & 1) != 0)
        muster__ready_take(ready, number);
}

static inline bool muster__ready_empty(const struct muster__ready *ready)
{
    return ready->count == 0;
}

/* Find the first word again; the set isn't empty. */
void muster__ready_find_low(struct muster__ready *ready);
/* false if the set is empty. Where numbers are taken in their order, the next one's word is known. */
static inline bool muster__ready_first(struct muster__ready *ready, uint32_t *ret_number)
{
    if (muster__ready_empty(ready))
        return false;
    if (ready->words[0][ready->low] == 0)
        muster__ready_find_low(ready);
    *ret_number = ready->low * 64 + (uint32_t)__builtin_ctzll(ready->words[0][ready->low]);
    return true;
}

#endif

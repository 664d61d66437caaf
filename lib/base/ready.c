/* SPDX-License-Identifier: MIT */
#include "base/ready.h"

#include <muster/error.h>

void muster__ready_init(struct muster__ready *ready, const struct muster__memory *memory)
{
    *ready = (struct muster__ready){.memory = memory};
}

void muster__ready_fini(struct muster__ready *ready)
{
    for (uint32_t level = 0; level < ready->levels; level++)
        muster__free(ready->memory, ready->words[level]);
    ready->levels = 0;
    ready->count = 0;
    ready->capacity = 0;
}

int muster__ready_resize(struct muster__ready *ready, uint32_t capacity)
{
    struct muster__ready grown = {.memory = ready->memory, .capacity = capacity};
    size_t bits = capacity == 0 ? 1 : capacity;
    do {
        size_t words = (bits + 63) / 64;
        uint64_t *level = muster__alloc(ready->memory, words, sizeof(uint64_t));
        if (level == NULL) {
            muster__ready_fini(&grown);
            return MUSTER_ENOMEM;
        }
        grown.words[grown.levels++] = level;
        bits = words;
    } while (bits > 1);
    muster__ready_fini(ready);
    *ready = grown;
    return 0;
}

void muster__ready_add(struct muster__ready *ready, uint32_t number)
{
    if ((ready->words[0][number / 64] >> (number % 64) & 1) != 0)
        return;
    ready->count++;
    if (number / 64 < ready->low)
        ready->low = number / 64;
    for (uint32_t level = 0; level < ready->levels; level++) {
        uint64_t *word = &ready->words[level][number / 64];
        uint64_t before = *word;
        *word |= (uint64_t)1 << (number % 64);
        if (before != 0)
            return;
        number /= 64;
    }
}

void muster__ready_take(struct muster__ready *ready, uint32_t number)
{
    ready->count--;
    for (uint32_t level = 0; level < ready->levels; level++) {
        uint64_t *word = &ready->words[level][number / 64];
        *word &= ~((uint64_t)1 << (number % 64));
        if (*word != 0)
            return;
        number /= 64;
    }
}

void muster__ready_find_low(struct muster__ready *ready)
{
    uint32_t number = 0;
    for (uint32_t level = ready->levels; level-- > 1;)
        number = number * 64 + (uint32_t)__builtin_ctzll(ready->words[level][number]);
    ready->low = number;
}

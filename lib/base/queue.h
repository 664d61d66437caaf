/* SPDX-License-Identifier: MIT */
/* Small numbers in the order of their coming, each at most once. */
#ifndef MUSTER__QUEUE_H
#define MUSTER__QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

struct muster__queue {
    const struct muster__memory *memory;
    uint32_t *numbers; /* a ring */
    bool *queued;      /* by number */
    uint32_t mask;     /* capacity - 1 */
    uint32_t head;     /* head, tail: counted on, without end */
    uint32_t tail;
    uint32_t capacity; /* a power of two; 0 at first */
};

void muster__queue_init(struct muster__queue *queue, const struct muster__memory *memory);
void muster__queue_fini(struct muster__queue *queue);
/* Room for the numbers below `count`, so that push can't fail. 0 or MUSTER_ENOMEM, changing nothing. */
int muster__queue_reserve(struct muster__queue *queue, uint32_t count);

static inline bool muster__queue_empty(const struct muster__queue *queue)
{
    return queue->head == queue->tail;
}

/* Nothing, if it is there already. */
static inline void muster__queue_push(struct muster__queue *queue, uint32_t number)
{
    if (queue->queued[number])
        return;
    queue->queued[number] = true;
    queue->numbers[queue->tail++ & queue->mask] = number;
}

/* The queue isn't empty. */
static inline uint32_t muster__queue_pop(struct muster__queue *queue)
{
    uint32_t number = queue->numbers[queue->head++ & queue->mask];
    queue->queued[number] = false;
    return number;
}

#endif

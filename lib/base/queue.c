/* SPDX-License-Identifier: MIT */
#include "base/queue.h"

#include <muster/error.h>

void muster__queue_init(struct muster__queue *queue, const struct muster__memory *memory)
{
    *queue = (struct muster__queue){.memory = memory};
}

void muster__queue_fini(struct muster__queue *queue)
{
    muster__free(queue->memory, queue->numbers);
    muster__free(queue->memory, queue->queued);
    muster__queue_init(queue, queue->memory);
}

int muster__queue_reserve(struct muster__queue *queue, uint32_t count)
{
    uint32_t capacity = queue->capacity == 0 ? 16 : queue->capacity;
    while (capacity < count && capacity < UINT32_MAX / 2)
        capacity *= 2;
    if (capacity == queue->capacity)
        return 0;
    struct muster__queue grown = {.memory = queue->memory, .mask = capacity - 1, .capacity = capacity};
    grown.numbers = muster__alloc(queue->memory, capacity, sizeof(*grown.numbers));
    grown.queued = muster__alloc(queue->memory, capacity, sizeof(*grown.queued));
    if (grown.numbers == NULL || grown.queued == NULL) {
        muster__queue_fini(&grown);
        return MUSTER_ENOMEM;
    }
    while (!muster__queue_empty(queue))
        muster__queue_push(&grown, muster__queue_pop(queue));
    muster__queue_fini(queue);
    *queue = grown;
    return 0;
}

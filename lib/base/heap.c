/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include <assert.h>

void muster__heap_init(struct muster__heap *heap, const struct muster__memory *memory)
{
    *heap = (struct muster__heap){.memory = memory};
}

void muster__heap_fini(struct muster__heap *heap)
{
    muster__free(heap->memory, heap->nodes);
    heap->nodes = NULL;
}

int muster__heap_reserve(struct muster__heap *heap)
{
    void *nodes = heap->nodes;
    int code = muster__grow(heap->memory, &nodes, heap->reserved, &heap->capacity, sizeof(struct muster__heap_node *));
    if (code != 0)
        return code;
    heap->nodes = nodes;
    heap->reserved++;
    return 0;
}

void muster__heap_unreserve(struct muster__heap *heap)
{
    assert(heap->reserved > 0);
    heap->reserved--;
}

static bool before(const struct muster__heap_node *a, const struct muster__heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void set(struct muster__heap *heap, size_t place, struct muster__heap_node *node)
{
    heap->nodes[place - 1] = node;
    node->place = place;
}

static void sift_up(struct muster__heap *heap, struct muster__heap_node *node, size_t place)
{
    while (place > 1 && before(node, heap->nodes[place / 2 - 1])) {
        set(heap, place, heap->nodes[place / 2 - 1]);
        place /= 2;
    }
    set(heap, place, node);
}

static void sift_down(struct muster__heap *heap, struct muster__heap_node *node, size_t place)
{
    for (;;) {
        size_t child = place * 2;
        if (child > heap->count)
            break;
        if (child < heap->count && before(heap->nodes[child], heap->nodes[child - 1]))
            child++;
        if (!before(heap->nodes[child - 1], node))
            break;
        set(heap, place, heap->nodes[child - 1]);
        place = child;
    }
    set(heap, place, node);
}

void muster__heap_push(struct muster__heap *heap, struct muster__heap_node *node, uint64_t key, uint64_t tie)
{
    muster__heap_remove(heap, node);
    node->key = key;
    node->tie = tie;
    assert(heap->count < heap->capacity);
    sift_up(heap, node, ++heap->count);
}

void muster__heap_remove(struct muster__heap *heap, struct muster__heap_node *node)
{
    size_t place = node->place;
    if (place == 0)
        return;
    node->place = 0;
    struct muster__heap_node *last = heap->nodes[heap->count - 1];
    heap->count--;
    if (last == node)
        return;
    sift_up(heap, last, place);
    sift_down(heap, last, last->place);
}

struct muster__heap_node *muster__heap_first(const struct muster__heap *heap)
{
    return heap->count == 0 ? NULL : heap->nodes[0];
}

/* SPDX-License-Identifier: MIT */
/* malloc of the whole process, so that peers that take no allocator can be counted: for one thread. */
#include <malloc.h>

#include "peers.h"

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t bytes);
extern void __libc_free(void *old);

static struct {
    bool counts;
    size_t live;
    size_t peak;
} heap;

static void *taken(void *block)
{
    if (!heap.counts || block == NULL)
        return block;
    heap.live += malloc_usable_size(block);
    if (heap.live > heap.peak)
        heap.peak = heap.live;
    return block;
}

static void given(void *block)
{
    size_t bytes = heap.counts && block != NULL ? malloc_usable_size(block) : 0;
    heap.live -= bytes < heap.live ? bytes : heap.live;
}

void *malloc(size_t bytes)
{
    return taken(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t size)
{
    return taken(__libc_calloc(count, size));
}

void *realloc(void *old, size_t bytes)
{
    given(old);
    return taken(__libc_realloc(old, bytes));
}

void free(void *old)
{
    given(old);
    __libc_free(old);
}

void bench_heap_begin(void)
{
    heap.live = heap.peak = 0;
    heap.counts = true;
}

size_t bench_heap_end(void)
{
    heap.counts = false;
    return heap.peak;
}

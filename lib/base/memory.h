/* SPDX-License-Identifier: MIT */
/* The context's allocator, with checked arithmetic. */
#ifndef MUSTER__MEMORY_H
#define MUSTER__MEMORY_H

#include <stddef.h>

struct muster_allocator;

/* A copy of the host's allocator, always complete. */
struct muster__memory {
    void *data;
    void *(*alloc)(void *data, size_t bytes);
    void *(*realloc)(void *data, void *old, size_t bytes);
    void (*free)(void *data, void *old);
};

/* From the host's allocator, or malloc for NULL. MUSTER_EINVAL if it is incomplete. */
int muster__memory_init(struct muster__memory *memory, const struct muster_allocator *allocator);

/* NULL on failure and on overflow. Zeroed. */
void *muster__alloc(const struct muster__memory *memory, size_t count, size_t size);

/* NULL on failure and on overflow, the old block stays. New bytes are not zeroed. */
void *muster__realloc(const struct muster__memory *memory, void *old, size_t count, size_t size);

/* NULL is accepted. */
void muster__free(const struct muster__memory *memory, const void *old);

/* NULL on failure. `text` must not be NULL. */
char *muster__strdup(const struct muster__memory *memory, const char *text);

/*
 * Room for one more element in an array of `count` whose capacity is *capacity: doubled when full. *array is replaced.
 * Returns 0 or MUSTER_ENOMEM, changing nothing.
 */
int muster__grow(const struct muster__memory *memory, void **array, size_t count, size_t *capacity, size_t size);

/* Typed: muster__new(memory, struct x) */
#define muster__new(memory, type) ((type *)muster__alloc((memory), 1, sizeof(type)))

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Interned names: 0, 1, 2, ... in the order of their first appearance. All texts lie in one arena, each
 * behind its id; a slot holds a part of the hash beside the place, so that a look-up touches one slot and one
 * text.
 */
#ifndef MUSTER__NAMES_H
#define MUSTER__NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define MUSTER__NONE UINT32_MAX
/* Ids of names fit into 29 bits: three are left for what is declared about them. */
#define MUSTER__NAMES_MAX (UINT32_C(1) << 29)

struct muster__name_slot {
    uint32_t hash;
    uint32_t place; /* in the arena, of the id; 0: empty */
};

struct muster__names {
    const struct muster__memory *memory;
    char *arena;
    size_t arena_used;
    size_t arena_capacity;
    struct muster__name_slot *slots;
    size_t mask; /* slots - 1, or 0 with no slots */
    uint32_t count;
    uint32_t *place; /* of each text */
    size_t place_capacity;
    /* The first driver of that name, or MUSTER__NONE: whoever interns sets it. */
    uint32_t *driver;
    size_t driver_capacity;
};

void muster__names_init(struct muster__names *names, const struct muster__memory *memory);
void muster__names_fini(struct muster__names *names);

/* The ids of `count` texts. 0 or MUSTER_ENOMEM: some may have been interned then, which does no harm. */
int muster__names_intern(struct muster__names *names, const char *const *texts, size_t count,
                         uint32_t *ret_ids);

/* MUSTER__NONE if it isn't there. */
uint32_t muster__names_find(const struct muster__names *names, const char *text);

static inline const char *muster__names_text(const struct muster__names *names, uint32_t name)
{
    return names->arena + names->place[name];
}

/* Give back what was allocated ahead. */
void muster__names_trim(struct muster__names *names);

/*
 * Room for `wanted` elements in an array of *capacity, with half as much ahead. 0 or MUSTER_ENOMEM, changing
 * nothing.
 */
int muster__reserve(const struct muster__memory *memory, void *array, size_t *capacity, size_t wanted,
                    size_t size);
/* Back to `count` elements; the array stays as it is if that fails. */
void muster__trim(const struct muster__memory *memory, void *array, size_t *capacity, size_t count,
                  size_t size);

#endif

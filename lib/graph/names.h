/* SPDX-License-Identifier: MIT */
/*
 * Interned names: 0, 1, 2, ... Names come by lists: one that a driver has, then those that it mentions. They wait until
 * some are looked up together, so that each cache miss is asked for long before it is needed. All texts lie in one arena,
 * in blocks of 16 bytes that are compared as two words; a slot of the table holds the hash beside the place, so that a
 * look-up touches one slot and one text.
 */
#ifndef MUSTER__NAMES_H
#define MUSTER__NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define MUSTER__NONE UINT32_MAX
/* Ids of names fit into 29 bits: three are left for a tag, which comes back with the id. */
#define MUSTER__NAMES_MAX (UINT32_C(1) << 29)
#define MUSTER__TAG_SHIFT 29
/* The tag of a name that begins a list. */
#define MUSTER__TAG_FIRST 7u
/* How many names wait, at most. */
#define MUSTER__NAMES_WINDOW 64

struct muster__name_slot {
    uint32_t hash;
    uint32_t place; /* in the arena; 0: empty */
};

/* What is known of a name; its text follows, with zeros up to the end of a block. */
struct muster__name {
    uint32_t id;
    uint32_t driver;   /* the first of that name, or MUSTER__NONE: whoever interns sets it */
    uint32_t mentions; /* how often it came */
    uint32_t group;    /* in which it came last */
};

/* Its text lies where it would be if all that wait were new. */
struct muster__name_waiting {
    uint32_t hash;
    uint32_t place;
    uint32_t group;
    uint8_t tag;
    uint8_t blocks;
};

struct muster__names {
    const struct muster__memory *memory;
    char *arena;
    size_t arena_used;
    size_t arena_capacity;
    struct muster__name_slot *slots;
    uint32_t slot_bits; /* there are 2 to that power; the first bits of a hash are its slot */
    uint32_t count;
    uint32_t *place; /* by id */
    size_t place_capacity;
    uint32_t group;
    uint32_t waiting_count;
    uint32_t waiting_room; /* for how many there is room */
    size_t waiting_end;    /* of their texts */
    struct muster__name_waiting waiting[MUSTER__NAMES_WINDOW];
};

/* What settling has found: names that begin lists, and apart from them those that are mentioned, with their tags. */
struct muster__names_settled {
    uint32_t *mentions; /* the caller's, for MUSTER__NAMES_WINDOW + 1 */
    uint32_t mention_count;
    uint32_t first[MUSTER__NAMES_WINDOW + 1];
    uint32_t begin[MUSTER__NAMES_WINDOW + 1]; /* of what the list of that first mentions, in `mentions` */
    uint32_t first_count;
};

void muster__names_init(struct muster__names *names, const struct muster__memory *memory);
void muster__names_fini(struct muster__names *names);

/* Room for a window of names; none waits. 0 or MUSTER_ENOMEM. */
int muster__names_reserve(struct muster__names *names);
/* Let a name wait that begins a list; there must be room. False: it isn't valid for a driver (base/name.h). */
bool muster__names_put_first(struct muster__names *names, const char *text);
/*
 * Let those wait that are mentioned, up to a NULL, as long as they are valid and there is room. Returns how many. Of those
 * that are alike in a group only the first is settled.
 */
size_t muster__names_put(struct muster__names *names, const char *const *texts, uint8_t tag);
/* Begin another group of what the same list mentions. */
static inline void muster__names_next_group(struct muster__names *names)
{
    names->group++;
}

/* Intern what waits; there is no room any more then. */
void muster__names_settle(struct muster__names *names, struct muster__names_settled *settled);

/* MUSTER__NONE if it isn't there, or still waits. */
uint32_t muster__names_find(const struct muster__names *names, const char *text);

static inline struct muster__name *muster__name_at(const struct muster__names *names, uint32_t place)
{
    return (void *)(names->arena + place);
}

static inline struct muster__name *muster__name_of(const struct muster__names *names, uint32_t id)
{
    return muster__name_at(names, names->place[id]);
}

static inline const char *muster__names_text(const struct muster__names *names, uint32_t id)
{
    return (const char *)(muster__name_of(names, id) + 1);
}

/* Give back what was allocated ahead; none waits. */
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

/* SPDX-License-Identifier: MIT */
/*
 * Interned names: 0, 1, 2, ... They wait until some are looked up together, so that each cache miss is asked for long before
 * it is needed: those of drivers, and apart from them those that drivers mention. All texts lie in one arena, in blocks of 16
 * bytes that are compared as two words; a slot of the table holds the hash beside the place, so that a look-up touches one
 * slot and one text.
 */
#ifndef MUSTER__NAMES_H
#define MUSTER__NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define MUSTER__NONE UINT32_MAX
/* A tag, which comes back with the id, stands in the bits above it (MUSTER__NAMES_MAX). */
#define MUSTER__TAG_SHIFT 29
/* How many wait of each sort, at most. */
#define MUSTER__NAMES_WINDOW 128

struct muster__name_slot {
    uint32_t hash;
    uint32_t place; /* in the arena; 0: empty */
};

/* What is known of a name; its text follows, with zeros up to the end of a block. */
struct muster__name {
    uint32_t id;
    uint32_t driver;   /* the first of that name, or MUSTER__NONE */
    uint32_t mentions; /* how often it came, but for drivers of that name */
    uint32_t hash;
};

/* Its text: in `words` if it is one block, else near the end of the arena. */
struct muster__name_waiting {
    uint64_t words[2];
    uint32_t hash;
    uint32_t tail; /* the tag in its upper bits, below them how many blocks are in the arena; their place is words[0] */
};

struct muster__name_window {
    uint32_t count;
    struct muster__name_waiting waiting[MUSTER__NAMES_WINDOW];
};

struct muster__names {
    const struct muster__memory *memory;
    char *arena;
    size_t arena_used;
    size_t arena_capacity;
    bool shown; /* somebody has a text of this arena: it has to stay where it is */
    char *left; /* such arenas that had no room any more; the nothing of each leads to the next */
    struct muster__name_slot *slots; /* NULL after a trim: made again when they are asked for */
    uint32_t slot_bits; /* there are 2 to that power; the first bits of a hash are its slot */
    uint32_t count;
    uint32_t *place; /* by id */
    size_t place_capacity;
    bool has_room;       /* for one more of each sort that wait */
    size_t waiting_more; /* bytes that those that wait will need, beyond a block for the text of each */
    size_t waiting_low;  /* from here to the arena's end lie their texts that have more blocks than one */
    struct muster__name_window drivers;
    struct muster__name_window mentions;
};

void muster__names_init(struct muster__names *names, const struct muster__memory *memory);
void muster__names_fini(struct muster__names *names);

/* Room for windows of names; none waits. 0 or MUSTER_ENOMEM. */
int muster__names_reserve(struct muster__names *names);
/* Let a driver's name wait. False: it isn't valid for one (base/name.h), or there is no room any more. */
bool muster__names_put_driver(struct muster__names *names, const char *text);
/* Let those wait that are mentioned, up to a NULL, as long as they are valid and there is room. Returns how many. */
size_t muster__names_put(struct muster__names *names, const char *const *texts, uint32_t tag);

/*
 * Intern what waits; there is no room any more then. To `ids` come those of the drivers, whose numbers begin with `first`; to
 * `mentions` the others with their tags. Returns how many drivers aren't the first of their name.
 */
uint32_t muster__names_settle(struct muster__names *names, uint32_t *ids, uint32_t first, uint32_t *mentions);

/* MUSTER__NONE if it isn't there, or still waits. */
uint32_t muster__names_find(struct muster__names *names, const char *text);

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

/* The same, for those who keep it: it is there as long as the names are. */
static inline const char *muster__names_show(struct muster__names *names, uint32_t id)
{
    names->shown = true;
    return muster__names_text(names, id);
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

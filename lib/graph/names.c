/* SPDX-License-Identifier: MIT */
#include "graph/names.h"

#include <string.h>

#include <muster/error.h>

#include "base/table.h"

/* Texts looked up together, so that their cache misses overlap. */
#define BATCH 16
#define ID_BYTES sizeof(uint32_t)
#define ARENA_MAX ((size_t)UINT32_MAX)

/* `array` is the address of a pointer of any type. */
static void *get_array(const void *array)
{
    void *block;
    memcpy(&block, array, sizeof(block));
    return block;
}

static void set_array(void *array, void *block)
{
    memcpy(array, &block, sizeof(block));
}

int muster__reserve(const struct muster__memory *memory, void *array, size_t *capacity, size_t wanted,
                    size_t size)
{
    if (wanted <= *capacity)
        return 0;
    size_t ahead = *capacity + *capacity / 2;
    size_t capacity_wanted = wanted < 16 ? 16 : wanted < ahead ? ahead : wanted;
    void *grown = muster__realloc(memory, get_array(array), capacity_wanted, size);
    if (grown == NULL)
        return MUSTER_ENOMEM;
    set_array(array, grown);
    *capacity = capacity_wanted;
    return 0;
}

void muster__trim(const struct muster__memory *memory, void *array, size_t *capacity, size_t count,
                  size_t size)
{
    if (count == *capacity || count == 0)
        return;
    void *trimmed = muster__realloc(memory, get_array(array), count, size);
    if (trimmed == NULL)
        return;
    set_array(array, trimmed);
    *capacity = count;
}

void muster__names_init(struct muster__names *names, const struct muster__memory *memory)
{
    /* Place 0 of the arena stays unused: it marks an empty slot. */
    *names = (struct muster__names){.memory = memory, .arena_used = ID_BYTES};
}

void muster__names_fini(struct muster__names *names)
{
    muster__free(names->memory, names->arena);
    muster__free(names->memory, names->slots);
    muster__free(names->memory, names->place);
    muster__free(names->memory, names->driver);
}

void muster__names_trim(struct muster__names *names)
{
    muster__trim(names->memory, &names->arena, &names->arena_capacity, names->arena_used, 1);
    muster__trim(names->memory, &names->place, &names->place_capacity, names->count, sizeof(*names->place));
    muster__trim(names->memory, &names->driver, &names->driver_capacity, names->count,
                 sizeof(*names->driver));
}

static uint32_t id_at(const struct muster__names *names, uint32_t place)
{
    uint32_t id;
    memcpy(&id, names->arena + place, ID_BYTES);
    return id;
}

/* The slot of the text, or the empty one where it would go. */
static struct muster__name_slot *find_slot(const struct muster__names *names, const char *text, uint32_t hash)
{
    for (size_t i = hash & names->mask;; i = (i + 1) & names->mask) {
        struct muster__name_slot *slot = &names->slots[i];
        if (slot->place == 0)
            return slot;
        if (slot->hash == hash && strcmp(names->arena + slot->place + ID_BYTES, text) == 0)
            return slot;
    }
}

static int grow_slots(struct muster__names *names, size_t wanted)
{
    size_t slots = names->slots == NULL ? 64 : names->mask + 1;
    while (wanted > slots / 4 * 3)
        slots *= 2;
    if (names->slots != NULL && slots == names->mask + 1)
        return 0;
    struct muster__name_slot *grown = muster__alloc(names->memory, slots, sizeof(*grown));
    if (grown == NULL)
        return MUSTER_ENOMEM;
    for (size_t i = 0; names->slots != NULL && i <= names->mask; i++) {
        if (names->slots[i].place == 0)
            continue;
        size_t to = names->slots[i].hash & (slots - 1);
        while (grown[to].place != 0)
            to = (to + 1) & (slots - 1);
        grown[to] = names->slots[i];
    }
    muster__free(names->memory, names->slots);
    names->slots = grown;
    names->mask = slots - 1;
    return 0;
}

/* Make room for some names of `bytes` together. */
static int reserve(struct muster__names *names, size_t count, size_t bytes)
{
    size_t wanted = names->count + count;
    size_t arena_wanted = names->arena_used + bytes + count * (ID_BYTES + 1);
    if (wanted > MUSTER__NAMES_MAX || arena_wanted > ARENA_MAX)
        return MUSTER_ENOMEM;
    int code = muster__reserve(names->memory, &names->arena, &names->arena_capacity, arena_wanted, 1);
    if (code == 0)
        code = muster__reserve(names->memory, &names->place, &names->place_capacity, wanted,
                               sizeof(*names->place));
    if (code == 0)
        code = muster__reserve(names->memory, &names->driver, &names->driver_capacity, wanted,
                               sizeof(*names->driver));
    return code == 0 ? grow_slots(names, wanted) : code;
}

static uint32_t add(struct muster__names *names, struct muster__name_slot *slot, const char *text,
                    size_t length)
{
    uint32_t id = names->count++;
    slot->place = (uint32_t)names->arena_used;
    memcpy(names->arena + slot->place, &id, ID_BYTES);
    memcpy(names->arena + slot->place + ID_BYTES, text, length + 1);
    names->arena_used += ID_BYTES + length + 1;
    names->place[id] = slot->place + (uint32_t)ID_BYTES;
    names->driver[id] = MUSTER__NONE;
    return id;
}

static int intern_batch(struct muster__names *names, const char *const *texts, size_t count,
                        uint32_t *ret_ids)
{
    size_t lengths[BATCH];
    uint32_t hashes[BATCH];
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        lengths[i] = strlen(texts[i]);
        hashes[i] = (uint32_t)muster__hash(texts[i], lengths[i]);
        bytes += lengths[i];
        if (names->slots != NULL)
            __builtin_prefetch(&names->slots[hashes[i] & names->mask]);
    }
    int code = reserve(names, count, bytes);
    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(names->arena + names->slots[hashes[i] & names->mask].place);
    for (size_t i = 0; i < count; i++) {
        struct muster__name_slot *slot = find_slot(names, texts[i], hashes[i]);
        if (slot->place == 0)
            slot->hash = hashes[i];
        ret_ids[i] = slot->place == 0 ? add(names, slot, texts[i], lengths[i]) : id_at(names, slot->place);
    }
    return 0;
}

int muster__names_intern(struct muster__names *names, const char *const *texts, size_t count,
                         uint32_t *ret_ids)
{
    for (size_t i = 0; i < count; i += BATCH) {
        int code = intern_batch(names, texts + i, count - i < BATCH ? count - i : BATCH, ret_ids + i);
        if (code != 0)
            return code;
    }
    return 0;
}

uint32_t muster__names_find(const struct muster__names *names, const char *text)
{
    if (names->slots == NULL)
        return MUSTER__NONE;
    const struct muster__name_slot *slot = find_slot(names, text, (uint32_t)muster__hash(text, strlen(text)));
    return slot->place == 0 ? MUSTER__NONE : id_at(names, slot->place);
}

/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <muster/error.h>

/* Multiply and fold, eight bytes at a time (wyhash's mixing step; public domain, Wang Yi). */
static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Up to 7 bytes, by reads of a fixed size that may overlap: a memcpy of `length` would be a call. */
static uint64_t read_tail(const char *bytes, size_t length)
{
    uint32_t low = 0;
    uint32_t high = 0;
    if (length >= 4) {
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + length - 4, 4);
    } else if (length > 0) {
        low = (uint32_t)(unsigned char)bytes[0] << 16 | (uint32_t)(unsigned char)bytes[length / 2] << 8 |
              (unsigned char)bytes[length - 1];
    }
    return (uint64_t)high << 32 | low;
}

uint64_t muster__hash(const char *bytes, size_t length)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ length;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = mix(hash ^ word, 0xd6e8feb86659fd93u);
    }
    return mix(hash ^ read_tail(bytes, length), 0xa0761d6478bd642fu ^ length);
}

void muster__table_init(struct muster__table *table, const struct muster__memory *memory)
{
    *table = (struct muster__table){.memory = memory};
}

void muster__table_fini(struct muster__table *table)
{
    muster__free(table->memory, table->slots);
    table->slots = NULL;
}

/* The slot of the key, or the empty one where it would go. */
static size_t find_slot(const struct muster__table *table, const char *key, uint64_t hash)
{
    size_t slot = hash & table->mask;
    while (table->slots[slot].node != NULL &&
           (table->slots[slot].hash != hash || strcmp(table->slots[slot].node->key, key) != 0))
        slot = (slot + 1) & table->mask;
    return slot;
}

struct muster__table_node *muster__table_find(const struct muster__table *table, const char *key)
{
    if (table->slots == NULL)
        return NULL;
    return table->slots[find_slot(table, key, muster__hash(key, strlen(key)))].node;
}

/* `slots` is a power of 2. */
static int resize(struct muster__table *table, size_t slots)
{
    struct muster__table grown = *table;
    grown.slots = muster__alloc(table->memory, slots, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return MUSTER_ENOMEM;
    grown.mask = slots - 1;
    for (size_t i = 0; table->slots != NULL && i <= table->mask; i++) {
        if (table->slots[i].node == NULL)
            continue;
        size_t slot = table->slots[i].hash & grown.mask;
        while (grown.slots[slot].node != NULL)
            slot = (slot + 1) & grown.mask;
        grown.slots[slot] = table->slots[i];
    }
    muster__free(table->memory, table->slots);
    *table = grown;
    return 0;
}

/* With one more it is at most two thirds full. */
static bool has_room(size_t count, size_t mask)
{
    return mask > 0 && count < mask - mask / 3;
}

int muster__table_reserve(struct muster__table *table, size_t count)
{
    size_t slots = 16;
    while (!has_room(count, slots - 1) && slots <= SIZE_MAX / 2)
        slots *= 2;
    return table->slots != NULL && slots <= table->mask + 1 ? 0 : resize(table, slots);
}

int muster__table_add(struct muster__table *table, struct muster__table_node *node)
{
    int code = has_room(table->count, table->mask) ? 0 : muster__table_reserve(table, table->count + 1);
    if (code != 0)
        return code;
    node->hash = muster__hash(node->key, strlen(node->key));
    size_t slot = find_slot(table, node->key, node->hash);
    assert(table->slots[slot].node == NULL);
    table->slots[slot] = (struct muster__table_slot){node->hash, node};
    table->count++;
    return 0;
}

void muster__table_remove(struct muster__table *table, struct muster__table_node *node)
{
    size_t hole = find_slot(table, node->key, node->hash);
    assert(table->slots[hole].node == node);
    table->slots[hole].node = NULL;
    table->count--;
    /* Close the gap: move back what would no longer be found from its own slot. */
    for (size_t slot = (hole + 1) & table->mask; table->slots[slot].node != NULL; slot = (slot + 1) & table->mask) {
        size_t home = table->slots[slot].hash & table->mask;
        if (((slot - home) & table->mask) < ((slot - hole) & table->mask))
            continue;
        table->slots[hole] = table->slots[slot];
        table->slots[slot].node = NULL;
        hole = slot;
    }
}

struct muster__table_node *muster__table_next(const struct muster__table *table, size_t *cursor)
{
    while (table->slots != NULL && *cursor <= table->mask) {
        struct muster__table_node *node = table->slots[(*cursor)++].node;
        if (node != NULL)
            return node;
    }
    return NULL;
}

/* SPDX-License-Identifier: MIT */
#include "graph/names.h"

#include <string.h>

#include <muster/error.h>

#include "base/name.h"
#include "base/table.h"

#define ARENA_MAX ((size_t)UINT32_MAX)
#define BLOCK ((size_t)16)
/* A driver has its name's group, and up to three of what it mentions. */
#define GROUPS_OF_A_LIST 4u
/* A name and its text, at most. */
#define NAME_BYTES_MAX (sizeof(struct muster__name) + MUSTER__NAME_MAX + 1)

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
    *names = (struct muster__names){.memory = memory, .arena_used = BLOCK, .waiting_end = BLOCK, .group = 1};
}

void muster__names_fini(struct muster__names *names)
{
    muster__free(names->memory, names->arena);
    muster__free(names->memory, names->slots);
    muster__free(names->memory, names->place);
}

void muster__names_trim(struct muster__names *names)
{
    muster__trim(names->memory, &names->arena, &names->arena_capacity, names->arena_used, 1);
    muster__trim(names->memory, &names->place, &names->place_capacity, names->count, sizeof(*names->place));
    names->waiting_room = 0;
}

/* ---- texts --------------------------------------------------------------------------------------- */

/* In memory: the first 8 bytes, and the last. */
struct block {
    uint64_t words[2];
};

static inline uint64_t read_word(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline struct block read_block(const char *bytes)
{
    return (struct block){{read_word(bytes), read_word(bytes + 8)}};
}

/* Its bytes `count` (0 to 8) places further ahead in memory, and zeros behind them. */
static inline uint64_t move_ahead(uint64_t word, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return count == 8 ? 0 : word >> count * 8;
#else
    return count == 8 ? 0 : word << count * 8;
#endif
}

/* Is there a byte that is no printable ASCII character, or a slash? Then it has to be looked at closely. */
static inline uint64_t suspect_bits(uint64_t word)
{
    const uint64_t ones = UINT64_MAX / 255;
    return ((word - ones * 0x20) | (word + ones) | ((word ^ ones * '/') - ones)) & ones * 0x80;
}

/* False: it may be valid all the same. By words, since most names are plain. */
static bool is_plain(const char *text, size_t length)
{
    if (length < 8 || length > MUSTER__NAME_MAX)
        return false;
    uint64_t bits = suspect_bits(read_word(text + length - 8));
    for (size_t at = 0; at + 8 < length; at += 8)
        bits |= suspect_bits(read_word(text + at));
    return bits == 0;
}

static inline uint64_t hash_block(uint64_t hash, struct block block)
{
    return muster__hash_mix(hash ^ block.words[0] ^ 0x9e3779b97f4a7c15u, block.words[1] ^ 0xa0761d6478bd642fu);
}

static uint32_t hash_blocks(const char *text, size_t blocks)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < blocks; i++)
        hash = hash_block(hash, read_block(text + i * BLOCK));
    return (uint32_t)(hash >> 32);
}

static inline size_t count_blocks(size_t length)
{
    return length / BLOCK + 1;
}

static void write_blocks(char *to, const char *text, size_t length)
{
    memset(to + (count_blocks(length) - 1) * BLOCK, 0, BLOCK);
    memcpy(to, text, length);
}

static inline bool is_block(const char *candidate, const char *text)
{
    struct block a = read_block(candidate);
    struct block b = read_block(text);
    return ((a.words[0] ^ b.words[0]) | (a.words[1] ^ b.words[1])) == 0;
}

/* The candidate may be shorter: then it differs in its last block. */
static bool are_blocks(const char *candidate, const char *text, size_t blocks)
{
    size_t i = 0;
    while (i < blocks && is_block(candidate + i * BLOCK, text + i * BLOCK))
        i++;
    return i == blocks;
}

/* ---- slots --------------------------------------------------------------------------------------- */

/* What look-ups need, by value: writing to the arena doesn't make the compiler read it again. */
struct view {
    struct muster__name_slot *slots;
    char *arena;
    uint32_t shift;
    uint32_t mask;
};

static inline struct view view_of(const struct muster__names *names)
{
    return (struct view){names->slots, names->arena, 32 - names->slot_bits, (UINT32_C(1) << names->slot_bits) - 1};
}

static inline char *text_at(const char *arena, uint32_t place)
{
    return (char *)(uintptr_t)arena + place + sizeof(struct muster__name);
}

/* The slot of the text, or the empty one where it would go. */
static inline struct muster__name_slot *find_slot(struct view view, const char *text, size_t blocks, uint32_t hash)
{
    for (uint32_t i = hash >> view.shift;; i = (i + 1) & view.mask) {
        struct muster__name_slot *slot = &view.slots[i];
        const char *candidate = text_at(view.arena, slot->place);
        if (slot->hash == hash && slot->place != 0 && is_block(candidate, text) &&
            (blocks == 1 || are_blocks(candidate, text, blocks)))
            return slot;
        if (slot->place == 0)
            return slot;
    }
}

/* Slots are ordered by hash: both tables are walked from one end to the other, not at random. */
static void move_slots(const struct muster__names *names, struct muster__name_slot *to, uint32_t bits)
{
    size_t slots = names->slots == NULL ? 0 : (size_t)1 << names->slot_bits;
    uint32_t mask = (UINT32_C(1) << bits) - 1;
    for (size_t i = 0; i < slots; i++) {
        if (names->slots[i].place == 0)
            continue;
        uint32_t at = names->slots[i].hash >> (32 - bits);
        while (to[at].place != 0)
            at = (at + 1) & mask;
        to[at] = names->slots[i];
    }
}

static int reserve_slots(struct muster__names *names, size_t wanted)
{
    uint32_t bits = names->slots == NULL ? 7 : names->slot_bits;
    while (wanted > ((size_t)1 << bits) / 4 * 3)
        bits++;
    if (names->slots != NULL && bits == names->slot_bits)
        return 0;
    struct muster__name_slot *grown = muster__alloc(names->memory, (size_t)1 << bits, sizeof(*grown));
    if (grown == NULL)
        return MUSTER_ENOMEM;
    move_slots(names, grown, bits);
    muster__free(names->memory, names->slots);
    names->slots = grown;
    names->slot_bits = bits;
    return 0;
}

/* ---- the window ---------------------------------------------------------------------------------- */

/* Count groups anew before their numbers come again: of those that were, only the last can go on. */
static void recount_groups(struct muster__names *names)
{
    for (uint32_t id = 0; id < names->count; id++) {
        struct muster__name *name = muster__name_of(names, id);
        name->group = name->group == names->group;
    }
    names->group = 1;
}

int muster__names_reserve(struct muster__names *names)
{
    size_t wanted = (size_t)names->count + MUSTER__NAMES_WINDOW;
    size_t arena_wanted = names->arena_used + MUSTER__NAMES_WINDOW * NAME_BYTES_MAX;
    if (wanted > MUSTER__NAMES_MAX || arena_wanted > ARENA_MAX)
        return MUSTER_ENOMEM;
    if (names->group > UINT32_MAX - MUSTER__NAMES_WINDOW * GROUPS_OF_A_LIST)
        recount_groups(names);
    int code = muster__reserve(names->memory, &names->arena, &names->arena_capacity, arena_wanted, 1);
    if (code == 0)
        code = muster__reserve(names->memory, &names->place, &names->place_capacity, wanted, sizeof(*names->place));
    if (code == 0)
        code = reserve_slots(names, wanted);
    if (code == 0)
        names->waiting_room = MUSTER__NAMES_WINDOW;
    return code;
}

static inline void wait_at(struct muster__names *names, struct muster__name_waiting waiting)
{
    names->waiting[names->waiting_count++] = waiting;
    names->waiting_end += sizeof(struct muster__name) + waiting.blocks * BLOCK;
    __builtin_prefetch(&names->slots[waiting.hash >> (32 - names->slot_bits)]);
}

/* Most names: from 8 to 15 characters, which are two words that overlap. */
static inline bool put_short(struct muster__names *names, const char *text, size_t length, uint8_t tag)
{
    struct block ends = {{read_word(text), read_word(text + length - 8)}};
    if ((suspect_bits(ends.words[0]) | suspect_bits(ends.words[1])) != 0)
        return false;
    struct block block = {{ends.words[0], move_ahead(ends.words[1], BLOCK - length)}};
    uint32_t place = (uint32_t)names->waiting_end;
    memcpy(text_at(names->arena, place), &block, sizeof(block));
    wait_at(names, (struct muster__name_waiting){.hash = (uint32_t)(hash_block(0, block) >> 32),
                                                 .place = place,
                                                 .group = names->group,
                                                 .tag = tag,
                                                 .blocks = 1});
    return true;
}

static bool put_any(struct muster__names *names, const char *text, size_t length, uint8_t tag)
{
    if (!is_plain(text, length) && !muster__driver_name_valid(text))
        return false;
    uint32_t place = (uint32_t)names->waiting_end;
    char *blocks = text_at(names->arena, place);
    write_blocks(blocks, text, length);
    wait_at(names, (struct muster__name_waiting){.hash = hash_blocks(blocks, count_blocks(length)),
                                                 .place = place,
                                                 .group = names->group,
                                                 .tag = tag,
                                                 .blocks = (uint8_t)count_blocks(length)});
    return true;
}

static inline bool put(struct muster__names *names, const char *text, uint8_t tag)
{
    size_t length = strlen(text);
    return (length >= 8 && length < BLOCK && put_short(names, text, length, tag)) || put_any(names, text, length, tag);
}

bool muster__names_put_first(struct muster__names *names, const char *text)
{
    names->group++;
    if (!put(names, text, MUSTER__TAG_FIRST)) {
        names->group--;
        return false;
    }
    names->group++;
    return true;
}

size_t muster__names_put(struct muster__names *names, const char *const *texts, uint8_t tag)
{
    size_t i = 0;
    while (texts[i] != NULL && names->waiting_count < names->waiting_room && put(names, texts[i], tag))
        i++;
    return i;
}

/* It may lie where it waits, or further ahead. */
static void add(struct muster__names *names, struct muster__name_slot *slot, const struct muster__name_waiting *waiting)
{
    struct muster__name *name = muster__name_at(names, (uint32_t)names->arena_used);
    *slot = (struct muster__name_slot){waiting->hash, (uint32_t)names->arena_used};
    if (waiting->blocks == 1) {
        struct block block = read_block(text_at(names->arena, waiting->place));
        memcpy(name + 1, &block, sizeof(block));
    } else {
        memmove(name + 1, text_at(names->arena, waiting->place), waiting->blocks * BLOCK);
    }
    *name = (struct muster__name){.id = names->count, .driver = MUSTER__NONE};
    names->place[names->count++] = slot->place;
    names->arena_used += sizeof(*name) + waiting->blocks * BLOCK;
}

static void prefetch_names(const struct muster__names *names)
{
    struct view view = view_of(names);
    uint32_t count = names->waiting_count;
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(view.arena + view.slots[names->waiting[i].hash >> view.shift].place);
}

/* Where in the arena each of those that wait is. */
static void find_places(struct muster__names *names, uint32_t places[MUSTER__NAMES_WINDOW])
{
    struct view view = view_of(names);
    uint32_t count = names->waiting_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct muster__name_waiting *waiting = &names->waiting[i];
        struct muster__name_slot *slot =
            find_slot(view, text_at(view.arena, waiting->place), waiting->blocks, waiting->hash);
        if (slot->place == 0)
            add(names, slot, waiting);
        places[i] = slot->place;
    }
}

/* Without a branch to guess: each id is written to both lists, and kept in one or none. */
void muster__names_settle(struct muster__names *names, struct muster__names_settled *settled)
{
    uint32_t places[MUSTER__NAMES_WINDOW];
    uint32_t count = names->waiting_count;
    uint32_t *const mentions = settled->mentions;
    char *arena = names->arena;
    uint32_t mention_count = 0;
    uint32_t first_count = 0;
    prefetch_names(names);
    find_places(names, places);
    for (uint32_t i = 0; i < count; i++) {
        struct muster__name *name = (void *)(arena + places[i]);
        uint32_t group = names->waiting[i].group;
        uint32_t tag = names->waiting[i].tag;
        bool is_new = name->group != group;
        bool is_first = tag == MUSTER__TAG_FIRST;
        name->group = group;
        name->mentions += is_new;
        mentions[mention_count] = name->id | tag << MUSTER__TAG_SHIFT;
        settled->first[first_count] = name->id;
        settled->begin[first_count] = mention_count;
        mention_count += is_new & !is_first;
        first_count += is_first;
    }
    settled->mention_count = mention_count;
    settled->first_count = first_count;
    names->waiting_count = 0;
    names->waiting_room = 0;
    names->waiting_end = names->arena_used;
}

uint32_t muster__names_find(const struct muster__names *names, const char *text)
{
    char blocks[MUSTER__NAME_MAX + 1];
    size_t length = strlen(text);
    if (names->slots == NULL || length > MUSTER__NAME_MAX)
        return MUSTER__NONE;
    write_blocks(blocks, text, length);
    const struct muster__name_slot *slot =
        find_slot(view_of(names), blocks, count_blocks(length), hash_blocks(blocks, count_blocks(length)));
    return slot->place == 0 ? MUSTER__NONE : muster__name_at(names, slot->place)->id;
}

/* SPDX-License-Identifier: MIT */
#include "graph/names.h"

#include <string.h>

#include <muster/error.h>

#include "base/name.h"
#include "base/table.h"
#include "graph/limits.h"

#define BLOCK ((size_t)16)
#define NAME_BYTES(blocks) (sizeof(struct muster__name) + (blocks) * BLOCK)
#define BLOCKS_MAX ((MUSTER__NAME_MAX + 1) / BLOCK)
/* The nothing that empty slots lead to: no name has the text of zeros. */
#define NOTHING_BYTES NAME_BYTES(1)
/* The second word of a text that is longer than a block: such bytes are in no UTF-8. */
#define LONG UINT64_MAX
#define TAIL_BLOCKS ((UINT32_C(1) << MUSTER__TAG_SHIFT) - 1)
#define SLOT_BITS_LEAST 9
#define SLOT_BITS_FEW 15
/* Up to so many bytes of names, they are in the cache anyway. */
#define ARENA_NEAR ((size_t)256 << 10)

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
    *names = (struct muster__names){.memory = memory, .arena_used = NOTHING_BYTES};
}

void muster__names_fini(struct muster__names *names)
{
    while (names->left != NULL) {
        char *left = names->left;
        memcpy(&names->left, left, sizeof(names->left));
        muster__free(names->memory, left);
    }
    muster__free(names->memory, names->arena);
    muster__free(names->memory, names->slots);
    muster__free(names->memory, names->place);
}

static void drop_slots(struct muster__names *names)
{
    muster__free(names->memory, names->slots);
    names->slots = NULL;
}

void muster__names_trim(struct muster__names *names)
{
    drop_slots(names);
    if (!names->shown)
        muster__trim(names->memory, &names->arena, &names->arena_capacity, names->arena_used, 1);
    muster__trim(names->memory, &names->place, &names->place_capacity, names->count, sizeof(*names->place));
    names->has_room = false;
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

/* The last 8 of `length` (8 to 15) bytes: what of them is behind the first 8, and zeros behind that. */
static inline uint64_t behind_first(uint64_t last, size_t length)
{
    size_t bits = ((length - 8) ^ 7) * 8;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return last >> 8 >> bits;
#else
    return last << 8 << bits;
#endif
}

typedef unsigned char bytes16 __attribute__((vector_size(16)));
typedef signed char signed16 __attribute__((vector_size(16)));

/*
 * Printable ASCII alone, and no slash? If not, it has to be looked at closely. (As signed bytes: one more is above ' ' where it
 * is printable, and a slash becomes -1.)
 */
static inline bool is_plain_block(struct block block)
{
    bytes16 bytes;
    memcpy(&bytes, &block, sizeof(bytes));
    signed16 plain = (signed16)((bytes + 1) | (bytes16)(bytes == '/')) > ' ';
    memcpy(&block, &plain, sizeof(block));
    return (block.words[0] & block.words[1]) == UINT64_MAX;
}

/* False: it may be valid all the same. By words, since most names are plain; short ones have been looked at. */
static bool is_plain(const char *text, size_t length)
{
    if (length < BLOCK || length > MUSTER__NAME_MAX)
        return false;
    struct block block = {{0, read_word(text + length - 8)}};
    for (size_t at = 0; at + 8 < length; at += 8) {
        block.words[0] = read_word(text + at);
        if (!is_plain_block(block))
            return false;
    }
    return true;
}

static inline uint64_t hash_block(uint64_t hash, struct block block)
{
    return muster__hash_mix(hash ^ block.words[0], block.words[1] ^ 0xa0761d6478bd642fu);
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

static void fill_slots(const struct muster__names *names)
{
    struct view view = view_of(names);
    for (uint32_t id = 0; id < names->count; id++) {
        uint32_t hash = muster__name_of(names, id)->hash;
        uint32_t at = hash >> view.shift;
        while (view.slots[at].place != 0)
            at = (at + 1) & view.mask;
        view.slots[at] = (struct muster__name_slot){hash, names->place[id]};
    }
}

/* At most half of them are in use, so that few look-ups go on to a second one; they grow in few steps as long as they are few. */
static int reserve_slots(struct muster__names *names, size_t wanted)
{
    uint32_t bits = SLOT_BITS_LEAST;
    while (names->count > ((size_t)1 << bits) / 2 || wanted > ((size_t)1 << bits) / 4 * 3)
        bits += bits < SLOT_BITS_FEW ? 2 : 1;
    if (names->slots != NULL && bits == names->slot_bits)
        return 0;
    drop_slots(names); /* first, so that its memory may serve again */
    names->slots = muster__alloc(names->memory, (size_t)1 << bits, sizeof(*names->slots));
    if (names->slots == NULL)
        return MUSTER_ENOMEM;
    names->slot_bits = bits;
    fill_slots(names);
    return 0;
}

/* ---- the windows --------------------------------------------------------------------------------- */

static bool has_room(const struct muster__names *names)
{
    return names->drivers.count < MUSTER__NAMES_WINDOW && names->mentions.count < MUSTER__NAMES_WINDOW;
}

/* If all that may still wait is new, is there room for a text of so many blocks, now and then? */
static bool has_room_for(const struct muster__names *names, size_t blocks)
{
    size_t short_ones = (size_t)2 * MUSTER__NAMES_WINDOW * NAME_BYTES(1);
    return names->arena_used + short_ones + names->waiting_more + 2 * blocks * BLOCK <= names->waiting_low;
}

/* Into a larger arena, but who was shown a text finds it where it is. None waits. */
static int leave_arena(struct muster__names *names, size_t wanted)
{
    char *left = names->arena;
    if (wanted <= names->arena_capacity)
        return 0;
    names->arena = NULL;
    int code = muster__reserve(names->memory, &names->arena, &names->arena_capacity, wanted, 1);
    if (code != 0) {
        names->arena = left;
        return code;
    }
    memcpy(names->arena, left, names->arena_used);
    memcpy(left, &names->left, sizeof(names->left));
    names->left = left;
    names->shown = false;
    return 0;
}

static int reserve_arena(struct muster__names *names)
{
    size_t wanted = names->arena_used + (size_t)2 * MUSTER__NAMES_WINDOW * NAME_BYTES(1) + 2 * BLOCKS_MAX * BLOCK;
    if (wanted > MUSTER__ARENA_MAX)
        return MUSTER_ENOMEM;
    bool is_new = names->arena == NULL;
    int code = names->shown ? leave_arena(names, wanted)
                            : muster__reserve(names->memory, &names->arena, &names->arena_capacity, wanted, 1);
    if (code == 0 && is_new)
        memset(names->arena, 0, NOTHING_BYTES);
    names->waiting_low = names->arena_capacity < MUSTER__ARENA_MAX ? names->arena_capacity : MUSTER__ARENA_MAX;
    return code;
}

int muster__names_reserve(struct muster__names *names)
{
    size_t wanted = (size_t)names->count + (size_t)2 * MUSTER__NAMES_WINDOW;
    int code = wanted > MUSTER__NAMES_MAX ? MUSTER_ENOMEM : reserve_arena(names);
    if (code == 0)
        code = muster__reserve(names->memory, &names->place, &names->place_capacity, wanted, sizeof(*names->place));
    if (code == 0)
        code = reserve_slots(names, wanted);
    names->has_room = code == 0;
    return code;
}

/* Most names: from 8 to 15 characters, which are two words that overlap. */
static inline bool read_short(struct muster__name_waiting *waiting, const char *text, size_t length, uint32_t tail)
{
    if (length - 8 >= 8)
        return false;
    struct block block = {{read_word(text), read_word(text + length - 8)}};
    waiting->words[0] = block.words[0];
    if (!is_plain_block(block))
        return false;
    block.words[1] = behind_first(block.words[1], length);
    waiting->words[1] = block.words[1];
    waiting->hash = (uint32_t)(hash_block(0, block) >> 32);
    waiting->tail = tail;
    return true;
}

/* Where the text is to lie; NULL: there is no room. */
static char *place_text(struct muster__names *names, struct muster__name_waiting *waiting, size_t blocks)
{
    if (blocks == 1)
        return (char *)waiting->words;
    names->has_room = has_room_for(names, blocks);
    if (!names->has_room)
        return NULL;
    names->waiting_more += (blocks - 1) * BLOCK;
    names->waiting_low -= blocks * BLOCK;
    waiting->words[0] = names->waiting_low;
    waiting->words[1] = LONG;
    waiting->tail |= (uint32_t)blocks;
    return names->arena + names->waiting_low;
}

static bool read_any(struct muster__names *names, struct muster__name_waiting *waiting, const char *text, uint32_t tail)
{
    size_t length = strlen(text);
    if (read_short(waiting, text, length, tail))
        return true;
    if (!is_plain(text, length) && !muster__driver_name_valid(text))
        return false;
    waiting->tail = tail;
    char *to = place_text(names, waiting, count_blocks(length));
    if (to == NULL)
        return false;
    write_blocks(to, text, length);
    waiting->hash = hash_blocks(to, count_blocks(length));
    return true;
}

static inline void prefetch_slot(const struct muster__names *names, const struct muster__name_waiting *waiting)
{
    __builtin_prefetch(&names->slots[waiting->hash >> (32 - names->slot_bits)]);
}

/* Not inlined: most are short. */
static __attribute__((noinline)) bool put_any(struct muster__names *names, struct muster__name_window *window, const char *text,
                                              uint32_t tail)
{
    struct muster__name_waiting *waiting = &window->waiting[window->count];
    if (!names->has_room || !read_any(names, waiting, text, tail))
        return false;
    prefetch_slot(names, waiting);
    window->count++;
    names->has_room = has_room(names);
    return true;
}

bool muster__names_put_driver(struct muster__names *names, const char *text)
{
    struct muster__name_waiting *waiting = &names->drivers.waiting[names->drivers.count];
    if (!names->has_room || !read_short(waiting, text, strlen(text), 0))
        return put_any(names, &names->drivers, text, 0);
    prefetch_slot(names, waiting);
    names->has_room = ++names->drivers.count < MUSTER__NAMES_WINDOW;
    return true;
}

/* As long as they are short and there is room. Returns how many. */
static inline size_t put_short(struct muster__names *names, const char *const *texts, uint32_t tail)
{
    const struct muster__name_slot *slots = names->slots;
    const uint32_t shift = 32 - names->slot_bits;
    struct muster__name_waiting *waiting = names->mentions.waiting + names->mentions.count;
    struct muster__name_waiting *end = names->has_room ? names->mentions.waiting + MUSTER__NAMES_WINDOW : waiting;
    const char *const *text = texts;
    for (; waiting < end && *text != NULL && read_short(waiting, *text, strlen(*text), tail); waiting++, text++)
        __builtin_prefetch(&slots[waiting->hash >> shift]);
    names->mentions.count += (uint32_t)(text - texts);
    names->has_room &= waiting < end;
    return (size_t)(text - texts);
}

size_t muster__names_put(struct muster__names *names, const char *const *texts, uint32_t tag)
{
    uint32_t tail = tag << MUSTER__TAG_SHIFT;
    size_t i = put_short(names, texts, tail);
    while (texts[i] != NULL && put_any(names, &names->mentions, texts[i], tail))
        i++;
    return i;
}

/* ---- settling ------------------------------------------------------------------------------------ */

/* For a text of so many bytes. Not inlined: most are there. */
static __attribute__((noinline)) struct muster__name *add(struct muster__names *names, struct muster__name_slot *slot,
                                                          const struct muster__name_waiting *waiting, size_t bytes)
{
    uint32_t place = (uint32_t)names->arena_used;
    struct muster__name *name = muster__name_at(names, place);
    *slot = (struct muster__name_slot){waiting->hash, place};
    *name = (struct muster__name){names->count, MUSTER__NONE, 0, waiting->hash};
    memcpy(name + 1, waiting->words, BLOCK);
    names->place[names->count++] = place;
    names->arena_used += sizeof(*name) + bytes;
    return name;
}

static struct muster__name *add_long(struct muster__names *names, struct muster__name_slot *slot,
                                     const struct muster__name_waiting *waiting)
{
    size_t bytes = (waiting->tail & TAIL_BLOCKS) * BLOCK;
    struct muster__name *name = add(names, slot, waiting, bytes);
    memcpy(name + 1, names->arena + waiting->words[0], bytes);
    return name;
}

/* From slot i on. */
static __attribute__((noinline)) struct muster__name *intern_long(struct muster__names *names, uint32_t i,
                                                                  const struct muster__name_waiting *waiting)
{
    struct view view = view_of(names);
    for (;; i = (i + 1) & view.mask) {
        struct muster__name_slot *slot = &view.slots[i];
        if (slot->place == 0)
            return add_long(names, slot, waiting);
        if (slot->hash == waiting->hash &&
            are_blocks(text_at(view.arena, slot->place), view.arena + waiting->words[0], waiting->tail & TAIL_BLOCKS))
            return muster__name_at(names, slot->place);
    }
}

/* Found, or added. Most are short: no text is like a long one's words, nor has an empty slot's nothing a name's. */
static inline struct muster__name *intern(struct muster__names *names, struct view view,
                                          const struct muster__name_waiting *waiting)
{
    for (uint32_t i = waiting->hash >> view.shift;; i = (i + 1) & view.mask) {
        struct muster__name_slot *slot = &view.slots[i];
        struct muster__name *name = (void *)(view.arena + slot->place);
        if (slot->hash == waiting->hash && is_block((const char *)(name + 1), (const char *)waiting->words))
            return name;
        if (waiting->words[1] == LONG)
            return intern_long(names, i, waiting);
        if (slot->place == 0)
            return add(names, slot, waiting, BLOCK);
    }
}

static void prefetch_names(struct view view, const struct muster__name_window *window)
{
    for (uint32_t i = 0; i < window->count; i++)
        __builtin_prefetch(view.arena + view.slots[window->waiting[i].hash >> view.shift].place);
}

static uint32_t settle_drivers(struct muster__names *names, struct view view, uint32_t *ids, uint32_t first)
{
    uint32_t count = names->drivers.count;
    uint32_t duplicates = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct muster__name *name = intern(names, view, &names->drivers.waiting[i]);
        bool is_first = name->driver == MUSTER__NONE;
        name->driver = is_first ? first + i : name->driver;
        duplicates += !is_first;
        ids[i] = name->id;
    }
    return duplicates;
}

static void settle_mentions(struct muster__names *names, struct view view, uint32_t *mentions)
{
    uint32_t count = names->mentions.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct muster__name_waiting *waiting = &names->mentions.waiting[i];
        struct muster__name *name = intern(names, view, waiting);
        mentions[i] = name->id | (waiting->tail & ~TAIL_BLOCKS);
        name->mentions++;
    }
}

uint32_t muster__names_settle(struct muster__names *names, uint32_t *ids, uint32_t first, uint32_t *mentions)
{
    struct view view = view_of(names);
    if (names->arena_used > ARENA_NEAR) {
        prefetch_names(view, &names->drivers);
        prefetch_names(view, &names->mentions);
    }
    uint32_t duplicates = settle_drivers(names, view, ids, first);
    settle_mentions(names, view, mentions);
    names->drivers.count = names->mentions.count = 0;
    names->has_room = false;
    names->waiting_more = 0;
    return duplicates;
}

/* Without slots: memory is short. */
static uint32_t search(const struct muster__names *names, const char *blocks, size_t count)
{
    uint32_t id = 0;
    while (id < names->count && !are_blocks(muster__names_text(names, id), blocks, count))
        id++;
    return id < names->count ? id : MUSTER__NONE;
}

uint32_t muster__names_find(struct muster__names *names, const char *text)
{
    char blocks[MUSTER__NAME_MAX + 1];
    size_t length = strlen(text);
    if (names->count == 0 || length > MUSTER__NAME_MAX)
        return MUSTER__NONE;
    size_t count = count_blocks(length);
    write_blocks(blocks, text, length);
    if (names->slots == NULL && reserve_slots(names, names->count) != 0)
        return search(names, blocks, count);
    struct view view = view_of(names);
    uint32_t hash = hash_blocks(blocks, count);
    for (uint32_t i = hash >> view.shift; view.slots[i].place != 0; i = (i + 1) & view.mask)
        if (view.slots[i].hash == hash && are_blocks(text_at(view.arena, view.slots[i].place), blocks, count))
            return muster__name_at(names, view.slots[i].place)->id;
    return MUSTER__NONE;
}

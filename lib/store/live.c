/* SPDX-License-Identifier: MIT */
#include "store/live.h"

#include <string.h>

#include "base/text.h"

void muster__live_init(struct muster__live *live, const struct muster__memory *memory)
{
    *live = (struct muster__live){.memory = memory};
    muster__table_init(&live->table, memory);
    muster__list_init(&live->entries);
}

static void free_entry(struct muster__live *live, struct muster__live_entry *entry)
{
    muster__list_remove(&entry->link);
    muster__free(live->memory, entry->current);
    muster__free(live->memory, entry->staged);
    muster__free(live->memory, entry);
}

void muster__live_clear(struct muster__live *live)
{
    while (!muster__list_empty(&live->entries))
        free_entry(live, muster__container(live->entries.next, struct muster__live_entry, link));
    muster__table_fini(&live->table);
    muster__live_init(live, live->memory);
}

/* The length of the driver is part of the key, so that no '/' in a name can make two keys one: "0/5:guest/web1". */
static void write_key(char *key, const struct muster_record *record, const size_t lengths[2])
{
    key = muster__text_digits(key, record->kind);
    *key++ = '/';
    key = muster__text_digits(key, lengths[0]);
    *key++ = ':';
    key = (char *)memcpy(key, record->driver, lengths[0]) + lengths[0];
    *key++ = '/';
    memcpy(key, record->name, lengths[1] + 1);
}

/* In bytes, with its end. */
static size_t key_room(const struct muster_record *record, const size_t lengths[2])
{
    char digits[MUSTER__DIGITS_MAX];
    size_t numbers = (size_t)(muster__text_digits(digits, record->kind) - digits);
    numbers += (size_t)(muster__text_digits(digits, lengths[0]) - digits);
    return numbers + lengths[0] + lengths[1] + sizeof("/:/");
}

static struct muster__version *new_version(const struct muster__memory *memory, const struct muster_record *record)
{
    size_t bytes = muster__text_bytes(record->driver) + muster__text_bytes(record->name) +
                   muster__text_bytes(record->boot) + muster__text_bytes(record->token) +
                   muster__text_bytes(record->handle) + muster__text_bytes(record->extra);
    struct muster__version *version = muster__alloc(memory, 1, sizeof(*version) + bytes);
    if (version == NULL)
        return NULL;
    char *room = (char *)(version + 1);
    version->is = *record;
    version->is.size = sizeof(version->is);
    version->is.driver = muster__text_put(&room, record->driver);
    version->is.name = muster__text_put(&room, record->name);
    version->is.boot = muster__text_put(&room, record->boot);
    version->is.token = muster__text_put(&room, record->token);
    version->is.handle = muster__text_put(&room, record->handle);
    version->is.extra = muster__text_put(&room, record->extra);
    return version;
}

/*
 * The entry of the record's key; a new one if there is none and the record isn't a removal: then *ret_entry
 * may be NULL.
 */
static int find_entry(struct muster__live *live, const struct muster_record *record, struct muster__live_entry **ret_entry)
{
    size_t lengths[2] = {strlen(record->driver), strlen(record->name)};
    struct muster__live_entry *entry = muster__alloc(live->memory, 1, sizeof(*entry) + key_room(record, lengths));
    if (entry == NULL)
        return MUSTER_ENOMEM;
    char *key = (char *)(entry + 1);
    write_key(key, record, lengths);
    struct muster__table_node *found = muster__table_find(&live->table, key);
    if (found != NULL || (record->flags & MUSTER_RECORD_REMOVED) != 0) {
        muster__free(live->memory, entry);
        *ret_entry = (struct muster__live_entry *)(void *)found;
        return 0;
    }
    entry->node.key = key;
    int code = muster__table_add(&live->table, &entry->node);
    if (code != 0) {
        muster__free(live->memory, entry);
        return code;
    }
    muster__list_push(&live->entries, &entry->link);
    *ret_entry = entry;
    return 0;
}

static void forget_new(struct muster__live *live, struct muster__live_entry *entry)
{
    if (entry->current != NULL)
        return;
    muster__table_remove(&live->table, &entry->node);
    free_entry(live, entry);
}

static int stage_record(struct muster__live *live, const struct muster_record *record, struct muster__live_entry **ret_entry)
{
    struct muster__live_entry *entry;
    if (record->driver == NULL || record->name == NULL)
        return MUSTER_EINVAL;
    int code = find_entry(live, record, &entry);
    if (code != 0)
        return code;
    if (entry != NULL && entry->staged != NULL)
        return MUSTER_EINVAL;
    if (entry != NULL && (entry->staged = new_version(live->memory, record)) == NULL) {
        forget_new(live, entry);
        return MUSTER_ENOMEM;
    }
    *ret_entry = entry;
    return 0;
}

int muster__live_stage(struct muster__live *live, const struct muster_record *const *records, size_t count,
                       struct muster__change *ret_change)
{
    struct muster__change change = {.entries = muster__alloc(live->memory, count, sizeof(*change.entries))};
    if (change.entries == NULL)
        return MUSTER_ENOMEM;
    if (count > live->table.count && muster__table_reserve(&live->table, count) != 0) {
        muster__free(live->memory, change.entries);
        return MUSTER_ENOMEM;
    }
    for (; change.count < count; change.count++) {
        int code = stage_record(live, records[change.count], &change.entries[change.count]);
        if (code != 0) {
            muster__live_drop(live, &change);
            return code;
        }
    }
    *ret_change = change;
    return 0;
}

static void apply_entry(struct muster__live *live, struct muster__live_entry *entry)
{
    struct muster__version *old = entry->current;
    live->bytes -= old == NULL ? 0 : old->bytes;
    muster__free(live->memory, old);
    entry->current = entry->staged;
    entry->staged = NULL;
    if ((entry->current->is.flags & MUSTER_RECORD_REMOVED) != 0) {
        muster__table_remove(&live->table, &entry->node);
        free_entry(live, entry);
    } else {
        live->bytes += entry->current->bytes;
    }
}

void muster__live_apply(struct muster__live *live, struct muster__change *change)
{
    for (size_t i = 0; i < change->count; i++)
        if (change->entries[i] != NULL)
            apply_entry(live, change->entries[i]);
    muster__free(live->memory, change->entries);
    *change = (struct muster__change){0};
}

void muster__live_drop(struct muster__live *live, struct muster__change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        struct muster__live_entry *entry = change->entries[i];
        if (entry == NULL)
            continue;
        muster__free(live->memory, entry->staged);
        entry->staged = NULL;
        forget_new(live, entry);
    }
    muster__free(live->memory, change->entries);
    *change = (struct muster__change){0};
}

struct muster__version *muster__live_coming(const struct muster__live_entry *entry)
{
    struct muster__version *version = entry->staged != NULL ? entry->staged : entry->current;
    return version == NULL || (version->is.flags & MUSTER_RECORD_REMOVED) != 0 ? NULL : version;
}

void muster__live_weigh(struct muster__live *live, const struct muster__live_entry *entry, struct muster__version *version,
                        size_t bytes)
{
    if (version == entry->current)
        live->bytes += bytes - version->bytes;
    version->bytes = bytes;
}

void muster__live_quarantine(struct muster__live *live)
{
    for (struct muster__list *link = live->entries.next; link != &live->entries; link = link->next) {
        struct muster_record *record = &muster__container(link, struct muster__live_entry, link)->current->is;
        *record = (struct muster_record){.size = record->size,
                                         .kind = record->kind,
                                         .driver = record->driver,
                                         .name = record->name,
                                         .flags = MUSTER_RECORD_QUARANTINED};
    }
}

int muster__live_foreach(const struct muster__live *live, muster_load_cb cb, void *data)
{
    for (struct muster__list *link = live->entries.next, *next; link != &live->entries; link = next) {
        next = link->next;
        const struct muster__live_entry *entry = muster__container(link, struct muster__live_entry, link);
        int code = entry->current == NULL ? 0 : cb(data, &entry->current->is);
        if (code != 0)
            return code;
    }
    return 0;
}

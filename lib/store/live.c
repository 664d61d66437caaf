/* SPDX-License-Identifier: MIT */
#include "store/live.h"

#include <stdbool.h>
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

#define TEXTS 6

static struct muster__version *new_version(const struct muster__memory *memory, const struct muster_record *record)
{
    const char *const texts[TEXTS] = {record->driver, record->name, record->boot, record->token, record->handle, record->extra};
    const char *copies[TEXTS];
    size_t bytes[TEXTS];
    size_t all = sizeof(struct muster__version);
    for (unsigned i = 0; i < TEXTS; i++)
        all += bytes[i] = muster__text_bytes(texts[i]);
    struct muster__version *version = muster__realloc(memory, NULL, 1, all);
    if (version == NULL)
        return NULL;
    char *room = (char *)(version + 1);
    for (unsigned i = 0; i < TEXTS; room += bytes[i++])
        copies[i] = bytes[i] == 0 ? NULL : memcpy(room, texts[i], bytes[i]);
    *version = (struct muster__version){.is = *record};
    version->is.size = sizeof(version->is);
    version->is.driver = copies[0];
    version->is.name = copies[1];
    version->is.boot = copies[2];
    version->is.token = copies[3];
    version->is.handle = copies[4];
    version->is.extra = copies[5];
    return version;
}

/* With the record's key, and prepared to be looked up. */
static struct muster__live_entry *new_entry(const struct muster__live *live, const struct muster_record *record)
{
    size_t lengths[2] = {strlen(record->driver), strlen(record->name)};
    struct muster__live_entry *entry = muster__realloc(live->memory, NULL, 1, sizeof(*entry) + key_room(record, lengths));
    if (entry == NULL)
        return NULL;
    *entry = (struct muster__live_entry){.node = {.key = (char *)(entry + 1)}};
    write_key((char *)(entry + 1), record, lengths);
    muster__table_prepare(&live->table, &entry->node);
    return entry;
}

/* The entry that has the key of `made`, which is `made` itself if there was none: then *ret_entry is NULL for a removal. */
static int find_entry(struct muster__live *live, bool removal, struct muster__live_entry *made,
                      struct muster__live_entry **ret_entry)
{
    struct muster__table_node *node = &made->node;
    int code = removal ? 0 : muster__table_claim(&live->table, &node);
    if (removal)
        node = muster__table_find_prepared(&live->table, node);
    if (code == 0 && node == &made->node)
        muster__list_push(&live->entries, &made->link);
    else
        muster__free(live->memory, made);
    if (code == 0)
        *ret_entry = (struct muster__live_entry *)(void *)node;
    return code;
}

static void forget_new(struct muster__live *live, struct muster__live_entry *entry)
{
    if (entry->current != NULL)
        return;
    muster__table_remove(&live->table, &entry->node);
    free_entry(live, entry);
}

/* Takes `made`, also when it fails. */
static int stage_record(struct muster__live *live, const struct muster_record *record, struct muster__live_entry *made,
                        struct muster__live_entry **ret_entry)
{
    struct muster__live_entry *entry;
    int code = find_entry(live, (record->flags & MUSTER_RECORD_REMOVED) != 0, made, &entry);
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

/* So many are looked up at once: the processor waits for memory once for all of them. */
#define GROUP 16

static int make_entries(const struct muster__live *live, const struct muster_record *const *records, size_t count,
                        struct muster__live_entry **made)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i]->driver == NULL || records[i]->name == NULL)
            return MUSTER_EINVAL;
        made[i] = new_entry(live, records[i]);
        if (made[i] == NULL)
            return MUSTER_ENOMEM;
    }
    return 0;
}

/* What was staged of them is in the change, also when it fails. */
static int stage_group(struct muster__live *live, const struct muster_record *const *records, size_t count,
                       struct muster__change *change)
{
    struct muster__live_entry *made[GROUP] = {NULL};
    int code = make_entries(live, records, count, made);
    for (size_t i = 0; i < count && code == 0; i++) {
        code = stage_record(live, records[i], made[i], &change->entries[change->count]);
        made[i] = NULL;
        change->count += code == 0;
    }
    for (size_t i = 0; i < count && code != 0; i++)
        muster__free(live->memory, made[i]);
    return code;
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
    while (change.count < count) {
        size_t rest = count - change.count;
        int code = stage_group(live, records + change.count, rest < GROUP ? rest : GROUP, &change);
        if (code != 0) {
            muster__live_drop(live, &change);
            return code;
        }
    }
    *ret_change = change;
    return 0;
}

static void apply_entry(struct muster__live *live, struct muster__live_entry *entry, size_t bytes)
{
    struct muster__version *old = entry->current;
    if (bytes > 0)
        entry->staged->bytes = bytes;
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
            apply_entry(live, change->entries[i], change->bytes);
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

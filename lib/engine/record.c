/* SPDX-License-Identifier: MIT */
#include "engine/record.h"

#include <stddef.h>
#include <string.h>

static size_t bytes_of(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static const char *put(char **end, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t bytes = strlen(text) + 1;
    char *at = memcpy(*end, text, bytes);
    *end += bytes;
    return at;
}

struct muster__record *muster__record_new(const struct muster__memory *memory, const struct muster_record *source)
{
    size_t bytes = sizeof(struct muster__record) + bytes_of(source->driver) + bytes_of(source->name) +
                   bytes_of(source->boot) + bytes_of(source->token) + bytes_of(source->handle) + bytes_of(source->extra);
    struct muster__record *record = muster__alloc(memory, 1, bytes);
    if (record == NULL)
        return NULL;
    char *end = (char *)(record + 1);
    record->is = *source;
    record->is.size = sizeof(record->is);
    record->is.driver = put(&end, source->driver);
    record->is.name = put(&end, source->name);
    record->is.boot = put(&end, source->boot);
    record->is.token = put(&end, source->token);
    record->is.handle = put(&end, source->handle);
    record->is.extra = put(&end, source->extra);
    atomic_init(&record->references, 1);
    record->memory = memory;
    return record;
}

struct muster__record *muster__record_ref(struct muster__record *record)
{
    if (record != NULL)
        atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    return record;
}

void muster__record_unref(struct muster__record *record)
{
    if (record != NULL && atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel) == 1)
        muster__free(record->memory, record);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool muster__record_same(const struct muster_record *a, const struct muster_record *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->kind == b->kind && a->flags == b->flags && a->desired == b->desired && a->stage == b->stage &&
           a->reason == b->reason && a->attempts == b->attempts && a->format == b->format &&
           same_text(a->driver, b->driver) && same_text(a->name, b->name) && same_text(a->boot, b->boot) &&
           same_text(a->token, b->token) && same_text(a->handle, b->handle) && same_text(a->extra, b->extra);
}

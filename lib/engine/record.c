/* SPDX-License-Identifier: MIT */
#include "engine/record.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

struct muster__record *muster__record_new(const struct muster__memory *memory, const struct muster_record *source)
{
    size_t bytes = sizeof(struct muster__record) + muster__text_bytes(source->driver) +
                   muster__text_bytes(source->name) + muster__text_bytes(source->boot) +
                   muster__text_bytes(source->token) + muster__text_bytes(source->handle) +
                   muster__text_bytes(source->extra);
    struct muster__record *record = muster__alloc(memory, 1, bytes);
    if (record == NULL)
        return NULL;
    char *end = (char *)(record + 1);
    record->is = *source;
    record->is.size = sizeof(record->is);
    record->is.driver = muster__text_put(&end, source->driver);
    record->is.name = muster__text_put(&end, source->name);
    record->is.boot = muster__text_put(&end, source->boot);
    record->is.token = muster__text_put(&end, source->token);
    record->is.handle = muster__text_put(&end, source->handle);
    record->is.extra = muster__text_put(&end, source->extra);
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

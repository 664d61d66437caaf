/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *keep(char *room, const char *text)
{
    if (text == NULL)
        return NULL;
    assert(strlen(text) < STORE_TEXT);
    memmove(room, text, strlen(text) + 1);
    return room;
}

void stored_set(struct stored *stored, const struct muster_record *record)
{
    struct muster_record is = *record;
    is.driver = keep(stored->driver, record->driver);
    is.name = keep(stored->name, record->name);
    is.boot = keep(stored->boot, record->boot);
    is.token = keep(stored->token, record->token);
    is.handle = keep(stored->handle, record->handle);
    is.extra = keep(stored->extra, record->extra);
    stored->is = is;
}

struct stored *fake_store_like(struct fake_store *store, const struct muster_record *key)
{
    for (size_t i = 0; i < store->count; i++) {
        struct muster_record *is = &store->records[i].is;
        if (is->kind == key->kind && strcmp(is->driver, key->driver) == 0 && strcmp(is->name, key->name) == 0)
            return &store->records[i];
    }
    return NULL;
}

struct stored *fake_store_find(struct fake_store *store, const char *name)
{
    char driver[STORE_TEXT];
    const char *slash = strchr(name, '/');
    snprintf(driver, sizeof(driver), "%.*s", (int)(slash - name), name);
    return fake_store_like(store, &(struct muster_record){.driver = driver, .name = slash + 1});
}

static void forget(struct fake_store *store, struct stored *stored)
{
    struct stored *last = &store->records[--store->count];
    if (stored != last)
        stored_set(stored, &last->is);
}

void fake_store_put(struct fake_store *store, const struct muster_record *record)
{
    struct stored *stored = fake_store_like(store, record);
    if ((record->flags & MUSTER_RECORD_REMOVED) != 0) {
        if (stored != NULL)
            forget(store, stored);
        return;
    }
    if (stored == NULL) {
        assert(store->count < STORE_RECORDS);
        stored = &store->records[store->count++];
    }
    stored_set(stored, record);
}

bool fake_store_queue(struct fake_store *store, struct store_job job, const struct muster_record *const *records)
{
    struct store_job *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        abort();
    *copy = job;
    copy->next = NULL;
    copy->batch = job.count == 0 ? NULL : calloc(job.count, sizeof(*copy->batch));
    for (size_t i = 0; i < job.count; i++)
        stored_set(&copy->batch[i], records[i]);
    struct store_job **end = &store->jobs;
    while (*end != NULL)
        end = &(*end)->next;
    *end = copy;
    return store->jobs == copy;
}

void fake_store_apply(struct fake_store *store)
{
    struct store_job *job = store->jobs;
    if (job->kind != STORE_COMMIT || (job->turn.code != 0 && !job->turn.applied))
        return;
    for (size_t i = 0; i < job->count; i++)
        fake_store_put(store, &job->batch[i].is);
    store->commits++;
}

void fake_store_pop(struct fake_store *store)
{
    struct store_job *job = store->jobs;
    store->jobs = job->next;
    free(job->batch);
    free(job);
}

void fake_store_die(struct fake_store *store)
{
    if (store->jobs != NULL && store->jobs->turn.lands)
        fake_store_apply(store);
    while (store->jobs != NULL)
        fake_store_pop(store);
}

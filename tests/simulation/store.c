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

static void make_key(char *key, const struct muster_record *record)
{
    snprintf(key, 2 * STORE_TEXT + 2, "%d%s/%s", (int)record->kind, record->driver, record->name);
}

struct stored *fake_store_like(struct fake_store *store, const struct muster_record *key)
{
    char text[2 * STORE_TEXT + 2];
    make_key(text, key);
    return (struct stored *)muster__table_find(&store->keys, text);
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
    size_t at = 0;
    while (store->records[at] != stored)
        at++;
    store->records[at] = store->records[--store->count];
    muster__table_remove(&store->keys, &stored->node);
    free(stored);
}

static struct stored *make(struct fake_store *store, const struct muster_record *record)
{
    struct stored *stored = store->count < STORE_RECORDS ? calloc(1, sizeof(*stored)) : NULL;
    if (stored == NULL)
        abort();
    make_key(stored->key, record);
    stored->node.key = stored->key;
    if (muster__table_add(&store->keys, &stored->node) != 0)
        abort();
    store->records[store->count++] = stored;
    return stored;
}

void fake_store_put(struct fake_store *store, const struct muster_record *record)
{
    struct stored *stored = fake_store_like(store, record);
    if ((record->flags & MUSTER_RECORD_REMOVED) == 0)
        stored_set(stored == NULL ? make(store, record) : stored, record);
    else if (stored != NULL)
        forget(store, stored);
}

void fake_store_init(struct fake_store *store)
{
    muster__memory_init(&store->memory, NULL);
    muster__table_init(&store->keys, &store->memory);
    store->count = 0;
    store->jobs = NULL;
    store->commits = 0;
}

void fake_store_fini(struct fake_store *store)
{
    fake_store_die(store);
    for (size_t i = 0; i < store->count; i++)
        free(store->records[i]);
    muster__table_fini(&store->keys);
    store->count = 0;
}

void fake_store_copy(struct fake_store *store, const struct fake_store *from)
{
    for (size_t i = 0; i < from->count; i++)
        stored_set(make(store, &from->records[i]->is), &from->records[i]->is);
    store->commits = from->commits;
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

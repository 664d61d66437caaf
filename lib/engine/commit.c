/* SPDX-License-Identifier: MIT */
/* Batches of records on their way to the store, and what its answers mean. */
#include "engine/internal.h"

#include <string.h>

/* A batch that was refused with EAGAIN is tried this often before it counts as failed. */
#define AGAIN_TRIES 5

/* It is never written again, or a commit hangs: who waited for it might wait for ever. */
static bool takes_nothing(const struct muster__engine *engine)
{
    return engine->store == MUSTER__STORE_BROKEN || engine->store == MUSTER__STORE_STALLED;
}

const struct muster_error *muster__store_refuses(const struct muster__engine *engine)
{
    return takes_nothing(engine) ? engine->store_error : NULL;
}

bool muster__entry_durable(const struct muster__engine *engine, const struct muster__entry *entry)
{
    return engine->store == MUSTER__STORE_NONE || takes_nothing(engine) || muster__entry_acknowledged(engine, entry);
}

bool muster__entry_acknowledged(const struct muster__engine *engine, const struct muster__entry *entry)
{
    return engine->store == MUSTER__STORE_NONE ||
           (entry->record == entry->durable && !entry->doubtful && !entry->in_batch);
}

void muster__entry_write(struct muster__engine *engine, struct muster__entry *entry, struct muster__record *record)
{
    muster__record_unref(entry->record);
    entry->record = record;
    if (record != NULL && record->is.generation > entry->generation)
        entry->generation = record->is.generation;
    if (engine->store == MUSTER__STORE_NONE) {
        muster__record_unref(entry->durable);
        entry->durable = muster__record_ref(record);
    } else if (!entry->in_batch && muster__list_empty(&entry->dirty) && entry->record != entry->durable) {
        muster__list_push(&engine->dirty, &entry->dirty);
    }
    muster__commit_hurry(engine);
}

void muster__commit_hurry(struct muster__engine *engine)
{
    if (!engine->store_paused || engine->store != MUSTER__STORE_IDLE)
        return;
    engine->store_paused = false;
    muster__timer_clear(engine, &engine->store_timer);
}

bool muster__commit_idle(const struct muster__engine *engine)
{
    switch (engine->store) {
    case MUSTER__STORE_IDLE:
        return (muster__list_empty(&engine->dirty) && !muster__history_due(engine)) ||
               (engine->store_paused && engine->store_failed);
    case MUSTER__STORE_COMMITTING:
    case MUSTER__STORE_RELOADING:
    case MUSTER__STORE_LOADING:
        return false;
    default:
        return true;
    }
}

static void pause_store(struct muster__engine *engine, bool failed)
{
    engine->store_paused = true;
    engine->store_failed = failed;
    muster__timer_set(engine, &engine->store_timer, muster__retry_at(engine, &engine->store_tries));
}

static int reserve(struct muster__engine *engine, size_t count)
{
    if (count <= engine->batch_capacity)
        return 0;
    const struct muster__memory *memory = engine->memory;
    void *batch = muster__alloc(memory, count, sizeof(*engine->batch));
    void *records = muster__alloc(memory, count, sizeof(*engine->batch_records));
    void *entries = muster__alloc(memory, count, sizeof(*engine->batch_entries));
    void *removals = muster__alloc(memory, count, sizeof(*engine->batch_removals));
    if (batch == NULL || records == NULL || entries == NULL || removals == NULL) {
        muster__free(memory, batch);
        muster__free(memory, records);
        muster__free(memory, entries);
        muster__free(memory, removals);
        return MUSTER_ENOMEM;
    }
    muster__commit_free(engine);
    engine->batch = batch;
    engine->batch_records = records;
    engine->batch_entries = entries;
    engine->batch_removals = removals;
    engine->batch_capacity = count;
    return 0;
}

void muster__commit_free(struct muster__engine *engine)
{
    for (size_t i = 0; i < engine->batch_count; i++)
        muster__record_unref(engine->batch[i]);
    muster__free(engine->memory, engine->batch);
    muster__free(engine->memory, engine->batch_records);
    muster__free(engine->memory, engine->batch_entries);
    muster__free(engine->memory, engine->batch_removals);
    engine->batch_count = engine->batch_capacity = 0;
}

static void add(struct muster__engine *engine, struct muster__entry *entry)
{
    size_t i = engine->batch_count++;
    entry->in_batch = true;
    entry->place = i;
    engine->batch_entries[i] = entry;
    engine->batch[i] = muster__record_ref(entry->record);
    if (entry->record != NULL) {
        engine->batch_records[i] = &entry->record->is;
        return;
    }
    engine->batch_removals[i] = (struct muster_record){.size = sizeof(struct muster_record),
                                                       .kind = MUSTER_RECORD_RESOURCE,
                                                       .driver = entry->ledger->node.key,
                                                       .name = entry->name,
                                                       .flags = MUSTER_RECORD_REMOVED};
    engine->batch_records[i] = &engine->batch_removals[i];
}

static size_t dirty_count(const struct muster__engine *engine)
{
    size_t count = 0;
    for (const struct muster__list *link = engine->dirty.next; link != &engine->dirty; link = link->next)
        count++;
    return count;
}

void muster__waiters_end(struct muster__entry *entry, int code, const struct muster_error *error)
{
    while (!muster__list_empty(&entry->waiters))
        muster__request_end(muster__container(entry->waiters.next, struct muster__request, link), code, error);
}

/* What was to be written has been taken back by another request: there is nothing to write. */
static void came_back(struct muster__engine *engine, struct muster__entry *entry)
{
    muster__waiters_end(entry, MUSTER_ECANCELED, NULL);
    muster__entry_settle(engine, entry);
    if (entry->resource != NULL)
        muster__resource_touch(entry->resource);
    muster__entry_drop(engine, entry);
}

bool muster__commit_next(struct muster__engine *engine, struct muster__action *ret_action)
{
    if (engine->store != MUSTER__STORE_IDLE || engine->store_paused ||
        (muster__list_empty(&engine->dirty) && !muster__history_due(engine)))
        return false;
    size_t durations = muster__history_reserve(engine);
    if (reserve(engine, dirty_count(engine) + durations) != 0) {
        pause_store(engine, false);
        return false;
    }
    for (struct muster__list *link; (link = muster__list_pop(&engine->dirty)) != NULL;) {
        struct muster__entry *entry = muster__container(link, struct muster__entry, dirty);
        if (entry->record != entry->durable)
            add(engine, entry);
        else
            came_back(engine, entry);
    }
    if (engine->batch_count > 0 || muster__history_due(engine))
        durations = muster__history_batch(engine, engine->batch_records + engine->batch_count, durations);
    else
        durations = 0;
    if (engine->batch_count + durations == 0) {
        /* It has come to nothing: who waits for the end of it is looked at again. */
        muster__timer_set(engine, &engine->look_timer, engine->now);
        return false;
    }
    engine->store = MUSTER__STORE_COMMITTING;
    muster__trail_commit(engine, engine->batch_count + durations);
    muster__timer_set(engine, &engine->store_timer, muster__time_after(engine->now, engine->options.store_timeout_ms));
    *ret_action = (struct muster__action){
        .type = MUSTER__ACTION_COMMIT, .records = engine->batch_records, .count = engine->batch_count + durations};
    return true;
}

/* ---- the end of a batch ------------------------------------------------------------------------- */

static void applied(struct muster__engine *engine, struct muster__entry *entry, struct muster__record *record)
{
    muster__record_unref(entry->durable);
    entry->durable = muster__record_ref(record);
    if (entry->record != entry->durable)
        muster__list_push(&engine->dirty, &entry->dirty);
    muster__entry_applied(engine, entry);
}

/* What the host has altered goes back to what it was; a resource decides by its state. Anything else is written again. */
static void refused(struct muster__engine *engine, struct muster__entry *entry, struct muster__record *record,
                    const struct muster_error *error)
{
    if (entry->altered) {
        muster__entry_take_back(engine, entry, error);
    } else if (entry->record == record) {
        if (entry->resource != NULL)
            muster__resource_write_refused(entry->resource, error);
        muster__waiters_end(entry, error->code, error);
    }
    if (entry->record != entry->durable && muster__list_empty(&entry->dirty))
        muster__list_push(&engine->dirty, &entry->dirty);
}

/* What is known of a batch whose commit is over. */
enum outcome {
    APPLIED,
    REFUSED,
    DOUBTFUL, /* a load will tell */
    LOADED    /* entry->durable was loaded since, and tells */
};

static void end_batch(struct muster__engine *engine, enum outcome outcome)
{
    size_t count = engine->batch_count;
    engine->batch_count = 0;
    muster__history_committed(engine, outcome == APPLIED);
    for (size_t i = 0; i < count; i++) {
        struct muster__entry *entry = engine->batch_entries[i];
        struct muster__record *record = engine->batch[i];
        entry->in_batch = false;
        if (outcome == APPLIED || (outcome == LOADED && entry->durable == record))
            applied(engine, entry, record);
        else
            refused(engine, entry, record, engine->store_error);
        entry->doubtful = outcome == DOUBTFUL;
        if (entry->record == entry->durable && !entry->doubtful)
            muster__waiters_end(entry, 0, NULL); /* it had been taken back while it was on its way */
        if (entry->resource != NULL)
            muster__resource_touch(entry->resource);
        muster__record_unref(record);
        muster__entry_drop(engine, entry);
    }
}

static void set_store_error(struct muster__engine *engine, const struct muster_error *error, int code)
{
    struct muster_error *kept = error != NULL && error->text[0] != '\0'
                                    ? muster__error_wrap(engine->memory, error, "store")
                                    : muster__error_new(engine->memory, code, NULL, "store: %s", muster_code_text(code));
    if (kept->references != 0)
        kept->code = code;
    muster__error_replace(&engine->store_error, kept);
    muster__observe_store(engine, code, engine->store_error);
}

/* Nothing of the batch was applied, but that may pass. */
static void again(struct muster__engine *engine)
{
    size_t count = engine->batch_count;
    engine->batch_count = 0;
    muster__history_committed(engine, false);
    for (size_t i = 0; i < count; i++) {
        struct muster__entry *entry = engine->batch_entries[i];
        entry->in_batch = false;
        muster__record_unref(engine->batch[i]);
        if (entry->record != entry->durable)
            muster__list_push(&engine->dirty, &entry->dirty);
        else
            came_back(engine, entry);
    }
    pause_store(engine, false);
}

/* What waits to be written never will be, or who knows when. */
static void refuse_dirty(struct muster__engine *engine)
{
    struct muster__list dirty;
    muster__list_init(&dirty);
    muster__list_splice(&dirty, &engine->dirty);
    for (struct muster__list *link; (link = muster__list_pop(&dirty)) != NULL;) {
        struct muster__entry *entry = muster__container(link, struct muster__entry, dirty);
        muster__list_push(&engine->dirty, link);
        if (entry->altered)
            muster__entry_take_back(engine, entry, engine->store_error);
        else
            muster__waiters_end(entry, engine->store_error->code, engine->store_error);
        if (entry->resource != NULL)
            muster__resource_touch(entry->resource);
    }
}

static void failed(struct muster__engine *engine, int code)
{
    engine->store = code == MUSTER_EFENCED ? MUSTER__STORE_BROKEN : MUSTER__STORE_IDLE;
    end_batch(engine, REFUSED);
    if (engine->store == MUSTER__STORE_BROKEN)
        refuse_dirty(engine);
    else
        pause_store(engine, true);
}

/* It has been given up as indeterminate: a load tells. Unless the lock is lost: then nothing is written any more. */
static void stalled_ended(struct muster__engine *engine, const struct muster__event *event)
{
    if (event->code != MUSTER_EFENCED) {
        muster__ask_load(engine, MUSTER__STORE_RELOADING);
        return;
    }
    set_store_error(engine, event->error, event->code);
    engine->store = MUSTER__STORE_BROKEN;
    refuse_dirty(engine);
}

int muster__committed(struct muster__engine *engine, const struct muster__event *event)
{
    muster__timer_clear(engine, &engine->store_timer);
    muster__trail_committed(engine, event->code);
    if (engine->state == MUSTER_STATE_DOWN) {
        if (event->code != 0)
            set_store_error(engine, event->error, event->code);
        end_batch(engine, event->code == 0 ? APPLIED : REFUSED);
        muster__ask_close(engine);
        return 0;
    }
    if (engine->store == MUSTER__STORE_STALLED) {
        stalled_ended(engine, event);
        return 0;
    }
    engine->store = MUSTER__STORE_IDLE;
    if (event->code == 0) {
        engine->store_tries = 0;
        muster__observe_engine(engine, MUSTER_OBSERVE_COMMIT, 0, (int)(engine->batch_count + engine->history.sent_count));
        end_batch(engine, APPLIED);
        return 0;
    }
    set_store_error(engine, event->error, event->code);
    if (event->code == MUSTER_EAGAIN && engine->store_tries < AGAIN_TRIES)
        again(engine);
    else if (event->code == MUSTER_EINDETERMINATE)
        muster__ask_load(engine, MUSTER__STORE_RELOADING);
    else
        failed(engine, event->code);
    return 0;
}

/* A call is past its deadline: a commit counts as indeterminate. Or a pause is over. */
void muster__store_timer_expired(struct muster__engine *engine, struct muster__timer *timer)
{
    (void)timer;
    if (engine->store == MUSTER__STORE_LOADING || engine->store == MUSTER__STORE_RELOADING) {
        muster__load_timed_out(engine);
        return;
    }
    if (engine->store == MUSTER__STORE_COMMITTING) {
        engine->store = MUSTER__STORE_STALLED;
        set_store_error(engine, NULL, MUSTER_EINDETERMINATE);
        struct muster_error *late =
            muster__error_new(engine->memory, MUSTER_EINDETERMINATE, NULL,
                              "store: the commit is not finished after %llu ms, it can't be told whether it was applied",
                              (unsigned long long)engine->options.store_timeout_ms);
        muster__error_replace(&engine->store_error, late);
        end_batch(engine, DOUBTFUL);
        refuse_dirty(engine);
        return;
    }
    engine->store_paused = false;
    if (engine->reload_wanted) {
        engine->reload_wanted = false;
        muster__ask_load(engine, MUSTER__STORE_RELOADING);
    }
}

/* ---- what is durable, after an indeterminate commit ---------------------------------------------- */

/* Take what was loaded as durable. If it is what we have, share that, so that comparing pointers tells. */
static int take_loaded(struct muster__engine *engine, struct muster__entry *entry, const struct muster_record *loaded,
                       struct muster__record *sent)
{
    struct muster__record *known[] = {sent, entry->record, entry->before};
    struct muster__record *durable = NULL;
    for (size_t i = 0; i < 3 && durable == NULL; i++)
        if (known[i] != NULL && known[i]->is.generation == loaded->generation &&
            muster__record_same(&known[i]->is, loaded))
            durable = muster__record_ref(known[i]);
    if (durable == NULL)
        durable = muster__record_new(engine->memory, loaded);
    if (durable == NULL)
        return MUSTER_ENOMEM;
    muster__record_unref(entry->durable);
    entry->durable = durable;
    if (loaded->generation > entry->generation)
        entry->generation = loaded->generation;
    return 0;
}

static void forget_durable(struct muster__engine *engine)
{
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->entries, &cursor)) != NULL;) {
        struct muster__entry *entry = muster__container(node, struct muster__entry, node);
        muster__record_unref(entry->durable);
        entry->durable = NULL;
    }
}

static int compare_loaded(struct muster__engine *engine, const struct muster__event *event)
{
    int code = 0;
    forget_durable(engine);
    for (size_t i = 0; i < event->count && code == 0; i++) {
        const struct muster_record *loaded = event->records[i];
        if (!muster__record_is_resource(loaded))
            continue;
        struct muster__entry *entry = muster__entry_get(engine, loaded->driver, loaded->name);
        struct muster__record *sent = entry != NULL && entry->in_batch ? engine->batch[entry->place] : NULL;
        code = entry == NULL ? MUSTER_ENOMEM : take_loaded(engine, entry, loaded, sent);
    }
    return code;
}

/* What is written over a later version gets a generation that is later still. */
static void outdo(struct muster__engine *engine, struct muster__entry *entry)
{
    if (entry->record == NULL || entry->durable == NULL ||
        entry->record->is.generation > entry->durable->is.generation)
        return;
    struct muster_record next = entry->record->is;
    next.generation = entry->generation + 1;
    struct muster__record *record = muster__record_new(engine->memory, &next);
    if (record != NULL)
        muster__entry_write(engine, entry, record);
}

/* Whatever the store has that we don't want, or has not, is written again. */
static void find_dirty(struct muster__engine *engine)
{
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->entries, &cursor)) != NULL;) {
        struct muster__entry *entry = muster__container(node, struct muster__entry, node);
        /* It may wait for what was in doubt, and turns out to be durable. */
        if (entry->resource != NULL)
            muster__resource_touch(entry->resource);
        bool was_doubtful = entry->doubtful;
        entry->doubtful = false;
        if (was_doubtful && entry->record == entry->durable)
            muster__waiters_end(entry, 0, NULL);
        if (entry->in_batch || (entry->record == entry->durable && !entry->altered))
            continue;
        if (entry->record != entry->durable)
            outdo(engine, entry);
        if (muster__list_empty(&entry->dirty))
            muster__list_push(&engine->dirty, &entry->dirty);
    }
}

int muster__reloaded(struct muster__engine *engine, const struct muster__event *event)
{
    int code = event->code != 0 ? event->code : compare_loaded(engine, event);
    if (engine->state == MUSTER_STATE_DOWN) {
        end_batch(engine, REFUSED);
        muster__ask_close(engine);
        return 0;
    }
    if (code != 0) {
        set_store_error(engine, event->error, code);
        engine->store = MUSTER__STORE_BROKEN;
        end_batch(engine, DOUBTFUL);
        refuse_dirty(engine);
        if (engine->load_late) /* its end tells, whenever that comes */
            return 0;
        engine->reload_wanted = true;
        pause_store(engine, true);
        return 0;
    }
    muster__unnamed_told(engine, event);
    engine->store = MUSTER__STORE_IDLE;
    engine->store_tries = 0;
    end_batch(engine, LOADED);
    find_dirty(engine);
    return 0;
}

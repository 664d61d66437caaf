/* SPDX-License-Identifier: MIT */
/* The names that records, resources and dependencies are about, and what the host does to records that nobody has claimed. */
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"

struct muster__ledger *muster__ledger_find(const struct muster__engine *engine, const char *driver)
{
    struct muster__table_node *found = muster__table_find(&engine->ledgers, driver);
    return found == NULL ? NULL : muster__container(found, struct muster__ledger, node);
}

struct muster__ledger *muster__ledger_get(struct muster__engine *engine, const char *driver)
{
    struct muster__ledger *ledger = muster__ledger_find(engine, driver);
    if (ledger != NULL)
        return ledger;
    ledger = muster__new(engine->memory, struct muster__ledger);
    if (ledger == NULL)
        return NULL;
    muster__list_init(&ledger->entries);
    ledger->node.key = muster__strdup(engine->memory, driver);
    if (ledger->node.key == NULL || muster__table_add(&engine->ledgers, &ledger->node) != 0) {
        muster__free(engine->memory, ledger->node.key);
        muster__free(engine->memory, ledger);
        return NULL;
    }
    return ledger;
}

struct muster__entry *muster__entry_find(const struct muster__engine *engine, const char *path)
{
    struct muster__table_node *found = muster__table_find(&engine->entries, path);
    return found == NULL ? NULL : muster__container(found, struct muster__entry, node);
}

static struct muster__entry *make(struct muster__engine *engine, struct muster__ledger *ledger, const char *path)
{
    struct muster__entry *entry = muster__new(engine->memory, struct muster__entry);
    if (entry == NULL)
        return NULL;
    entry->node.key = muster__strdup(engine->memory, path);
    if (entry->node.key == NULL || muster__table_add(&engine->entries, &entry->node) != 0) {
        muster__free(engine->memory, entry->node.key);
        muster__free(engine->memory, entry);
        return NULL;
    }
    entry->name = strchr(entry->node.key, '/') + 1;
    entry->ledger = ledger;
    muster__list_push(&ledger->entries, &entry->in_ledger);
    muster__list_init(&entry->dependents);
    muster__list_init(&entry->dirty);
    muster__list_init(&entry->waiters);
    muster__list_init(&entry->restoring);
    muster__list_init(&entry->together);
    return entry;
}

bool muster__record_is_resource(const struct muster_record *record)
{
    return record->kind == MUSTER_RECORD_RESOURCE && muster__driver_name_valid(record->driver) &&
           muster__name_valid(record->name);
}

static void join(char path[MUSTER__PATH_BYTES], const char *driver, const char *name)
{
    size_t length = strlen(driver);
    memcpy(path, driver, length);
    path[length] = '/';
    memcpy(path + length + 1, name, strlen(name) + 1);
}

struct muster__entry *muster__entry_of(const struct muster__engine *engine, const struct muster_record *record)
{
    char path[MUSTER__PATH_BYTES];
    join(path, record->driver, record->name);
    return muster__entry_find(engine, path);
}

struct muster__entry *muster__entry_get(struct muster__engine *engine, const char *driver, const char *name)
{
    char path[MUSTER__PATH_BYTES];
    join(path, driver, name);
    struct muster__entry *entry = muster__entry_find(engine, path);
    if (entry != NULL)
        return entry;
    struct muster__ledger *ledger = muster__ledger_get(engine, driver);
    return ledger == NULL ? NULL : make(engine, ledger, path);
}

bool muster__entry_driver_part(const char *path, char driver[MUSTER__NAME_MAX + 1])
{
    const char *slash = path == NULL ? NULL : strchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) > MUSTER__NAME_MAX)
        return false;
    memcpy(driver, path, (size_t)(slash - path));
    driver[slash - path] = '\0';
    return muster__driver_name_valid(driver) && muster__name_valid(slash + 1);
}

struct muster__entry *muster__entry_get_path(struct muster__engine *engine, const char *path)
{
    char driver[MUSTER__NAME_MAX + 1];
    return muster__entry_driver_part(path, driver) ? muster__entry_get(engine, driver, strchr(path, '/') + 1) : NULL;
}

static void free_entry(struct muster__engine *engine, struct muster__entry *entry)
{
    muster__list_remove(&entry->in_ledger);
    muster__list_remove(&entry->dirty);
    muster__list_remove(&entry->restoring);
    muster__list_remove(&entry->together);
    muster__record_unref(entry->record);
    muster__record_unref(entry->durable);
    muster__record_unref(entry->before);
    muster__free(engine->memory, entry->node.key);
    muster__free(engine->memory, entry);
}

void muster__entry_drop(struct muster__engine *engine, struct muster__entry *entry)
{
    bool stored = entry->record != NULL || entry->durable != NULL || entry->altered || entry->in_batch || entry->doubtful;
    bool named = entry->resource != NULL || entry->leaving > 0 || entry->told > 0 || entry->left_active ||
                 !muster__list_empty(&entry->dependents) || !muster__list_empty(&entry->waiters);
    if (stored || named)
        return;
    muster__table_remove(&engine->entries, &entry->node);
    free_entry(engine, entry);
}

/* What an earlier bring-up of this context knew: the store is about to tell. */
void muster__entries_forget(struct muster__engine *engine)
{
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->entries, &cursor)) != NULL;) {
        struct muster__entry *entry = muster__container(node, struct muster__entry, node);
        muster__list_remove(&entry->dirty);
        muster__record_unref(entry->record);
        muster__record_unref(entry->durable);
        entry->record = entry->durable = NULL;
        entry->doubtful = false;
    }
}

void muster__entries_free(struct muster__engine *engine)
{
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->entries, &cursor)) != NULL;) {
        struct muster__entry *entry = muster__container(node, struct muster__entry, node);
        while (!muster__list_empty(&entry->waiters))
            muster__request_free(muster__container(entry->waiters.next, struct muster__request, link));
        free_entry(engine, entry);
    }
    muster__table_fini(&engine->entries);
    cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->ledgers, &cursor)) != NULL;) {
        struct muster__ledger *ledger = muster__container(node, struct muster__ledger, node);
        muster__free(engine->memory, ledger->node.key);
        muster__free(engine->memory, ledger);
    }
    muster__table_fini(&engine->ledgers);
}

/* Drivers have been shut down: what lived inside of them has ended. */
void muster__entries_left(struct muster__engine *engine)
{
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->entries, &cursor)) != NULL;)
        muster__container(node, struct muster__entry, node)->left_active = false;
}

/* ---- what the host has altered, until it is durable ------------------------------------------------ */

/* A record that is forgotten or moved away isn't offered to restore any more. */
static void withdraw(struct muster__engine *engine, struct muster__entry *entry)
{
    struct muster_driver *driver = muster__engine_find_driver(engine, entry->ledger->node.key);
    if (driver == NULL || muster__list_empty(&entry->restoring))
        return;
    muster__list_remove(&entry->restoring);
    muster__dispatch_update(driver);
    muster__driver_touch(driver);
}

/* One that is moved to a driver whose restores aren't over is offered to it, too. */
static void offer(struct muster__engine *engine, struct muster__entry *entry)
{
    struct muster_driver *driver = muster__engine_find_driver(engine, entry->ledger->node.key);
    if (driver == NULL || !driver->restoring || driver->state != MUSTER_DRIVER_INITIALIZING ||
        driver->rest->def.restore == NULL || muster__going_down(engine))
        return;
    muster__list_push(&driver->rest->restores, &entry->restoring);
    muster__dispatch_update(driver);
}

static void set_record(struct muster__engine *engine, struct muster__entry *entry, struct muster__record *record)
{
    bool was_there = entry->record != NULL;
    muster__entry_write(engine, entry, record);
    if (record == NULL)
        withdraw(engine, entry);
    else if (!was_there)
        offer(engine, entry);
}

/* Takes the reference to `record`. */
static void alter(struct muster__engine *engine, struct muster__entry *entry, struct muster__record *record)
{
    if (!entry->altered)
        entry->before = muster__record_ref(entry->record);
    entry->altered = true;
    set_record(engine, entry, record);
}

/* Neither comes true, or is taken back, without the other. */
static void tie(struct muster__entry *a, struct muster__entry *b)
{
    for (const struct muster__list *link = a->together.next; link != &a->together; link = link->next)
        if (link == &b->together)
            return;
    struct muster__list *after_a = a->together.next;
    struct muster__list *after_b = b->together.next;
    a->together.next = after_b;
    after_b->prev = &a->together;
    b->together.next = after_a;
    after_a->prev = &b->together;
}

static void forget_before(struct muster__entry *entry)
{
    muster__list_remove(&entry->together);
    muster__record_unref(entry->before);
    entry->before = NULL;
    entry->altered = false;
}

static struct muster__entry *next_of(const struct muster__entry *entry)
{
    return muster__container(entry->together.next, struct muster__entry, together);
}

static bool is_on_its_way(const struct muster__entry *entry)
{
    return entry->record != entry->durable || entry->in_batch || entry->doubtful;
}

/* What it was altered with isn't needed for that any more. */
static void stand(struct muster__engine *engine, struct muster__entry *entry)
{
    for (struct muster__entry *other; (other = next_of(entry)) != entry;) {
        forget_before(other);
        muster__entry_drop(engine, other);
    }
    forget_before(entry);
}

void muster__entry_settle(struct muster__engine *engine, struct muster__entry *entry)
{
    bool on_its_way = is_on_its_way(entry);
    for (const struct muster__entry *other = next_of(entry); other != entry && !on_its_way; other = next_of(other))
        on_its_way = is_on_its_way(other);
    if (entry->altered && !on_its_way)
        stand(engine, entry);
}

void muster__entry_applied(struct muster__engine *engine, struct muster__entry *entry)
{
    if (!entry->altered)
        return;
    muster__record_unref(entry->before);
    entry->before = muster__record_ref(entry->durable);
    muster__entry_settle(engine, entry);
}

void muster__entry_claimed(struct muster__engine *engine, struct muster__entry *entry)
{
    if (entry->altered)
        stand(engine, entry);
}

static void take_back(struct muster__engine *engine, struct muster__entry *entry, int code, const struct muster_error *error)
{
    struct muster__record *before = entry->before;
    entry->before = NULL;
    forget_before(entry);
    if (entry->record == before)
        muster__record_unref(before);
    else
        set_record(engine, entry, before);
    muster__waiters_end(entry, code, error);
}

void muster__entry_take_back(struct muster__engine *engine, struct muster__entry *entry, const struct muster_error *error)
{
    for (struct muster__entry *other; (other = next_of(entry)) != entry;) {
        take_back(engine, other, error->code, error);
        muster__entry_drop(engine, other);
    }
    take_back(engine, entry, error->code, error);
}

void muster__entries_take_back(struct muster__engine *engine)
{
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->entries, &cursor)) != NULL;) {
        struct muster__entry *entry = muster__container(node, struct muster__entry, node);
        if (entry->altered)
            take_back(engine, entry, MUSTER_ECANCELED, NULL);
        else
            muster__waiters_end(entry, MUSTER_ECANCELED, NULL);
    }
}

/* ---- forget, move, resolve ------------------------------------------------------------------------ */

/* The entry whose record the user means, if it may be changed now. */
static int find_record(struct muster__engine *engine, const char *name, struct muster__entry **ret_entry)
{
    const struct muster_error *store = muster__store_refuses(engine);
    struct muster__entry *entry = name == NULL ? NULL : muster__entry_find(engine, name);
    if (engine->store == MUSTER__STORE_LOADING)
        return muster__refuse(engine, MUSTER_ESTATE, "record '%s': the records are being loaded", name == NULL ? "" : name);
    if (entry == NULL || entry->record == NULL)
        return muster__refuse(engine, MUSTER_ENOENT, "there is no record '%s'", name == NULL ? "" : name);
    if (muster__going_down(engine))
        return muster__refuse(engine, MUSTER_ESTATE, "record '%s': the context is %s", name,
                              muster_state_name(engine->state));
    if (store != NULL)
        return muster__refuse(engine, store->code, "record '%s': %s", name, store->text);
    *ret_entry = entry;
    return 0;
}

static int find_unclaimed(struct muster__engine *engine, const char *name, struct muster__entry **ret_entry)
{
    struct muster__entry *entry = NULL;
    int code = find_record(engine, name, &entry);
    if (code != 0)
        return code;
    if (entry->resource != NULL)
        return muster__refuse(engine, MUSTER_EBUSY, "record '%s': a resource of driver '%s' has claimed it", name,
                              entry->ledger->node.key);
    *ret_entry = entry;
    return 0;
}

/* Let the user hear when `entry` is durable. */
static void await(struct muster__engine *engine, struct muster__entry *entry, struct muster__request *request)
{
    if (muster__entry_durable(engine, entry)) {
        muster__entry_settle(engine, entry);
        muster__request_end(request, 0, NULL);
    } else {
        muster__list_push(&entry->waiters, &request->link);
    }
    muster__entry_drop(engine, entry);
}

int muster__record_forget(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster__entry *entry = NULL;
    int code = find_unclaimed(engine, event->name, &entry);
    if (code != 0)
        return code;
    struct muster__request *request = muster__request_new(engine, event);
    if (request == NULL)
        return muster__refuse(engine, MUSTER_ENOMEM, "record '%s': out of memory", event->name);
    alter(engine, entry, NULL);
    muster__history_forget(engine, entry->node.key);
    await(engine, entry, request);
    return 0;
}

int muster__record_move(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster__entry *from = NULL;
    int code = find_unclaimed(engine, event->name, &from);
    if (code != 0)
        return code;
    char driver[MUSTER__NAME_MAX + 1];
    if (!muster__entry_driver_part(event->new_name, driver))
        return muster__refuse(engine, MUSTER_EINVAL, "record '%s': '%s' is no name: it takes driver/name", event->name,
                              event->new_name == NULL ? "" : event->new_name);
    struct muster__entry *to = muster__entry_get_path(engine, event->new_name);
    if (to == NULL)
        return muster__refuse(engine, MUSTER_ENOMEM, "record '%s': out of memory", event->name);
    if (to->record != NULL)
        return muster__refuse(engine, MUSTER_EEXIST, "record '%s': there is a record '%s'", event->name,
                              event->new_name);
    if (to->resource != NULL)
        return muster__refuse(engine, MUSTER_EBUSY, "record '%s': there is a resource '%s' already", event->name,
                              event->new_name);
    struct muster_record moved = from->record->is;
    moved.driver = to->ledger->node.key;
    moved.name = to->name;
    moved.generation = to->generation + 1;
    struct muster__record *record = muster__record_new(engine->memory, &moved);
    struct muster__request *request = record == NULL ? NULL : muster__request_new(engine, event);
    if (request == NULL) {
        muster__record_unref(record);
        muster__entry_drop(engine, to);
        return muster__refuse(engine, MUSTER_ENOMEM, "record '%s': out of memory", event->name);
    }
    /* Both go into one batch: nothing is committed between two events. */
    muster__history_forget(engine, from->node.key);
    alter(engine, from, NULL);
    alter(engine, to, record);
    tie(from, to);
    await(engine, to, request);
    return 0;
}

int muster__record_resolve(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster__entry *entry = NULL;
    int code = find_record(engine, event->name, &entry);
    if (code != 0)
        return code;
    if ((entry->record->is.flags & MUSTER_RECORD_QUARANTINED) == 0)
        return muster__refuse(engine, MUSTER_ESTATE, "record '%s' isn't quarantined", event->name);
    struct muster_record resolved = entry->record->is;
    bool active = event->number == MUSTER_DESIRED_ACTIVE;
    resolved.flags &= ~(uintptr_t)MUSTER_RECORD_QUARANTINED;
    resolved.desired = active ? MUSTER_DESIRED_ACTIVE : MUSTER_DESIRED_INACTIVE;
    resolved.stage = active ? MUSTER_STAGE_ACTIVE : MUSTER_STAGE_INACTIVE;
    resolved.reason = MUSTER_REASON_USER;
    if (active)
        resolved.flags |= MUSTER_RECORD_MARK;
    resolved.boot = engine->boot_id;
    resolved.format = MUSTER_RECORD_FORMAT;
    resolved.generation = entry->generation + 1;
    struct muster__record *record = muster__record_new(engine->memory, &resolved);
    struct muster__request *request = record == NULL ? NULL : muster__request_new(engine, event);
    if (request == NULL) {
        muster__record_unref(record);
        return muster__refuse(engine, MUSTER_ENOMEM, "record '%s': out of memory", event->name);
    }
    if (entry->resource == NULL)
        alter(engine, entry, record);
    else
        muster__entry_write(engine, entry, record);
    if (entry->resource != NULL && entry->resource->state == MUSTER__HELD)
        muster__reconcile_probe(entry->resource);
    await(engine, entry, request);
    return 0;
}

/* What the walk tells, whatever its callback does to the records. */
struct listed {
    struct muster__record *record;
    bool claimed;
};

static int compare(const void *a, const void *b)
{
    const struct muster_record *one = &((const struct listed *)a)->record->is;
    const struct muster_record *two = &((const struct listed *)b)->record->is;
    int by_driver = strcmp(one->driver, two->driver);
    return by_driver != 0 ? by_driver : strcmp(one->name, two->name);
}

int muster__engine_foreach_record(const struct muster__engine *engine, muster_record_cb cb, void *data)
{
    size_t count = 0;
    size_t cursor = 0;
    struct listed *sorted = muster__alloc(engine->memory, engine->entries.count, sizeof(*sorted));
    if (sorted == NULL)
        return MUSTER_ENOMEM;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->entries, &cursor)) != NULL;) {
        const struct muster__entry *entry = muster__container(node, struct muster__entry, node);
        if (entry->record != NULL)
            sorted[count++] = (struct listed){muster__record_ref(entry->record), entry->resource != NULL};
    }
    if (count > 1)
        qsort(sorted, count, sizeof(*sorted), compare);
    int code = 0;
    for (size_t i = 0; i < count; i++) {
        if (code == 0)
            code = cb(&sorted[i].record->is, sorted[i].claimed, data);
        muster__record_unref(sorted[i].record);
    }
    muster__free(engine->memory, sorted);
    return code;
}

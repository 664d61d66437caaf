/* SPDX-License-Identifier: MIT */
/* How long ops have taken: measured, kept as smoothed means, written with what is written anyway. */
#include "engine/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"

#define US_A_MS 1000u
/* The clock is in ms, so that what takes no time may seem to take one. */
#define LEAST_MS 2
/* A mean of less is forgotten; one of more was never measured. */
#define LEAST_US ((uint64_t)1000)
#define MOST_US ((uint64_t)30 * 24 * 3600 * 1000 * US_A_MS)
/* A new duration counts for a fourth; a mean is written anew once it has moved by an eighth. */
#define SMOOTHING 4
#define TOLERANCE 8

static const char *const words[MUSTER__MEASURES] = {"initialize", "reconcile", "autostart", "start"};

/* The means of one name. A driver's phases are under the driver's own name. */
struct span {
    struct muster__table_node node; /* "driver/name" */
    uint64_t us[MUSTER__MEASURES];  /* 0: none */
    uint64_t kept_us[MUSTER__MEASURES]; /* what the store has, or is being given */
    uint64_t generation;
    struct muster__list dirty;
};

struct muster__sent {
    struct span *span;
    struct muster__record *record;
};

static bool keeps(const struct muster__engine *engine)
{
    return engine->store != MUSTER__STORE_NONE && (engine->options.flags & MUSTER_FIRST_COME) == 0;
}

static struct span *find(const struct muster__engine *engine, const char *path)
{
    struct muster__table_node *found = muster__table_find(&engine->history.spans, path);
    return found == NULL ? NULL : muster__container(found, struct span, node);
}

static struct span *make(struct muster__engine *engine, const char *path)
{
    struct span *span = muster__new(engine->memory, struct span);
    if (span == NULL)
        return NULL;
    muster__list_init(&span->dirty);
    span->node.key = muster__strdup(engine->memory, path);
    if (span->node.key == NULL || muster__table_add(&engine->history.spans, &span->node) != 0) {
        muster__free(engine->memory, span->node.key);
        muster__free(engine->memory, span);
        return NULL;
    }
    return span;
}

static void free_span(struct muster__engine *engine, struct span *span)
{
    muster__list_remove(&span->dirty);
    muster__free(engine->memory, span->node.key);
    muster__free(engine->memory, span);
}

/* The driver's part of "driver/name"; returns the name's. */
static const char *split(const char *path, char driver[MUSTER__NAME_MAX + 1])
{
    const char *slash = strchr(path, '/');
    snprintf(driver, MUSTER__NAME_MAX + 1, "%.*s", (int)(slash - path), path);
    return slash + 1;
}

static bool is_empty(const struct span *span)
{
    for (size_t i = 0; i < MUSTER__MEASURES; i++)
        if (span->us[i] != 0)
            return false;
    return true;
}

static void mark(struct muster__engine *engine, struct span *span)
{
    if (muster__list_empty(&span->dirty))
        muster__list_push(&engine->history.dirty, &span->dirty);
}

static bool has_moved(const struct span *span)
{
    for (size_t i = 0; i < MUSTER__MEASURES; i++) {
        uint64_t us = span->us[i];
        uint64_t kept = span->kept_us[i];
        uint64_t apart = us > kept ? us - kept : kept - us;
        if ((us == 0) != (kept == 0) || apart > kept / TOLERANCE)
            return true;
    }
    return false;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

void muster__history_init(struct muster__engine *engine)
{
    muster__table_init(&engine->history.spans, engine->memory);
    muster__list_init(&engine->history.dirty);
}

static void forget_sent(struct muster__history *history)
{
    for (size_t i = 0; i < history->sent_count; i++)
        muster__record_unref(history->sent[i].record);
    history->sent_count = 0;
}

void muster__history_clear(struct muster__engine *engine)
{
    struct muster__history *history = &engine->history;
    size_t cursor = 0;
    forget_sent(history);
    for (struct muster__table_node *node; (node = muster__table_next(&history->spans, &cursor)) != NULL;)
        free_span(engine, muster__container(node, struct span, node));
    muster__table_fini(&history->spans);
    muster__free(engine->memory, history->sent);
    *history = (struct muster__history){.sent = NULL};
    muster__history_init(engine);
}

/* ---- reading --------------------------------------------------------------------------------------------- */

/* "start=1500 ...": *text is then behind it. False: it is nothing of ours. */
static bool parse_mean(const char **text, uint64_t us[MUSTER__MEASURES])
{
    for (size_t i = 0; i < MUSTER__MEASURES; i++) {
        size_t length = strlen(words[i]);
        if (strncmp(*text, words[i], length) != 0 || (*text)[length] != '=')
            continue;
        const char *digits = *text + length + 1;
        uint64_t value = 0;
        while (*digits >= '0' && *digits <= '9' && value <= MOST_US)
            value = value * 10 + (uint64_t)(*digits++ - '0');
        if (us[i] != 0 || value < LEAST_US || value > MOST_US || (*digits != '\0' && *digits != ' '))
            return false;
        us[i] = value;
        *text = *digits == ' ' ? digits + 1 : digits;
        return true;
    }
    return false;
}

static bool parse(const char *text, uint64_t us[MUSTER__MEASURES])
{
    if (text == NULL || text[0] == '\0')
        return false;
    while (*text != '\0')
        if (!parse_mean(&text, us))
            return false;
    return true;
}

static bool join(char path[MUSTER__PATH_BYTES], const char *driver, const char *name)
{
    if (!muster__driver_name_valid(driver) || !muster__name_valid(name))
        return false;
    snprintf(path, MUSTER__PATH_BYTES, "%s/%s", driver, name);
    return true;
}

void muster__history_load(struct muster__engine *engine, const struct muster_record *record)
{
    char path[MUSTER__PATH_BYTES];
    uint64_t us[MUSTER__MEASURES] = {0};
    if (record->kind != MUSTER_RECORD_HISTORY || !keeps(engine) || !join(path, record->driver, record->name))
        return;
    struct span *span = find(engine, path) == NULL ? make(engine, path) : NULL;
    if (span == NULL)
        return;
    span->generation = record->generation; /* of what can't be read, too: it is to be outdone */
    if ((record->flags & MUSTER_RECORD_QUARANTINED) != 0 || !parse(record->handle, us))
        return;
    for (size_t i = 0; i < MUSTER__MEASURES; i++)
        if (i != MUSTER__MEASURE_START && strcmp(record->driver, record->name) != 0)
            us[i] = 0; /* phases are a driver's */
    memcpy(span->us, us, sizeof(us));
    memcpy(span->kept_us, us, sizeof(us));
}

/* ---- measuring ------------------------------------------------------------------------------------------- */

static enum muster__measure measure_of(enum muster_phase phase)
{
    switch (phase) {
    case MUSTER_PHASE_INITIALIZE:
        return MUSTER__MEASURE_INITIALIZE;
    case MUSTER_PHASE_RECONCILE:
        return MUSTER__MEASURE_RECONCILE;
    case MUSTER_PHASE_AUTOSTART:
        return MUSTER__MEASURE_AUTOSTART;
    case MUSTER_PHASE_START:
        return MUSTER__MEASURE_START;
    default:
        return MUSTER__MEASURES;
    }
}

static uint64_t smooth(uint64_t mean, uint64_t us)
{
    if (mean == 0)
        return us;
    mean = us > mean ? mean + (us - mean) / SMOOTHING : mean - (mean - us) / SMOOTHING;
    return mean < LEAST_US ? 0 : mean;
}

void muster__history_measure(const struct muster_op *op)
{
    struct muster__engine *engine = op->engine;
    if (!keeps(engine))
        return;
    char path[MUSTER__PATH_BYTES];
    uint64_t ms = engine->now - op->called_ms;
    enum muster__measure measure = measure_of(op->phase);
    if (measure == MUSTER__MEASURES || op->effects.outcome != MUSTER_OK || op->timed_out ||
        (ms < LEAST_MS && engine->history.spans.count == 0))
        return;
    const char *key = op->resource != NULL ? op->resource->entry->node.key : path;
    if (op->resource == NULL && !join(path, muster_driver_name(op->driver), muster_driver_name(op->driver)))
        return;
    struct span *span = find(engine, key);
    if (span == NULL && ms >= LEAST_MS)
        span = make(engine, key);
    if (span == NULL || (span->us[measure] == 0 && ms < LEAST_MS))
        return;
    span->us[measure] = smooth(span->us[measure], ms < MOST_US / US_A_MS ? ms * US_A_MS : MOST_US);
    if (has_moved(span))
        mark(engine, span);
}

uint64_t muster__history_us(const struct muster__engine *engine, const char *path, enum muster__measure measure)
{
    const struct span *span = engine->history.spans.count == 0 ? NULL : find(engine, path);
    return span == NULL ? 0 : span->us[measure];
}

void muster__history_foreach(struct muster__engine *engine, muster__history_cb cb)
{
    char driver[MUSTER__NAME_MAX + 1];
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->history.spans, &cursor)) != NULL;) {
        const struct span *span = muster__container(node, struct span, node);
        const char *name = split(node->key, driver);
        uint32_t id;
        if (muster__graph_find(engine->graph, driver, &id))
            cb(muster__driver_at(engine, id), name, span->us);
    }
}

/* ---- forgetting ------------------------------------------------------------------------------------------ */

/* What is empty is removed from the store, and gone once that is durable. */
static void forget_start(struct muster__engine *engine, struct span *span)
{
    span->us[MUSTER__MEASURE_START] = 0;
    if (has_moved(span) || is_empty(span))
        mark(engine, span);
}

void muster__history_forget(struct muster__engine *engine, const char *path)
{
    struct span *span = engine->history.spans.count == 0 ? NULL : find(engine, path);
    if (span != NULL && keeps(engine))
        forget_start(engine, span);
}

/* Does anybody still know of such a resource? One of a driver that isn't here may be known to another version of the host. */
static bool is_known(const struct muster__engine *engine, const struct span *span)
{
    char driver[MUSTER__NAME_MAX + 1];
    uint32_t id;
    split(span->node.key, driver);
    const struct muster__entry *entry = muster__entry_find(engine, span->node.key);
    return (entry != NULL && (entry->resource != NULL || entry->record != NULL)) ||
           !muster__graph_find(engine->graph, driver, &id);
}

static void forget_unknown(struct muster__engine *engine)
{
    size_t cursor = 0;
    for (struct muster__table_node *node; (node = muster__table_next(&engine->history.spans, &cursor)) != NULL;) {
        struct span *span = muster__container(node, struct span, node);
        if ((span->us[MUSTER__MEASURE_START] != 0 || is_empty(span)) && !is_known(engine, span))
            forget_start(engine, span);
    }
}

/* ---- writing --------------------------------------------------------------------------------------------- */

void muster__history_settled(struct muster__engine *engine)
{
    if (!keeps(engine))
        return;
    forget_unknown(engine);
    engine->history.due = !muster__list_empty(&engine->history.dirty);
}

void muster__history_ending(struct muster__engine *engine)
{
    engine->history.due = keeps(engine) && !muster__list_empty(&engine->history.dirty);
}

bool muster__history_due(const struct muster__engine *engine)
{
    return engine->history.due && !muster__list_empty(&engine->history.dirty);
}

static struct muster__record *record_of(struct muster__engine *engine, const struct span *span)
{
    char driver[MUSTER__NAME_MAX + 1];
    char text[MUSTER__MEASURES * 40] = "";
    size_t used = 0;
    const char *name = split(span->node.key, driver);
    for (size_t i = 0; i < MUSTER__MEASURES; i++)
        if (span->us[i] != 0)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%" PRIu64, used == 0 ? "" : " ", words[i],
                                     span->us[i]);
    struct muster_record is = {.size = sizeof(is), .kind = MUSTER_RECORD_HISTORY, .driver = driver, .name = name};
    if (is_empty(span)) {
        is.flags = MUSTER_RECORD_REMOVED;
    } else {
        is.boot = engine->boot_id;
        is.generation = span->generation + 1;
        is.handle = text;
        is.format = MUSTER_RECORD_FORMAT;
    }
    return muster__record_new(engine->memory, &is);
}

size_t muster__history_reserve(struct muster__engine *engine)
{
    struct muster__history *history = &engine->history;
    size_t count = 0;
    for (const struct muster__list *link = history->dirty.next; link != &history->dirty; link = link->next)
        count++;
    if (count <= history->sent_capacity)
        return count;
    struct muster__sent *sent = muster__alloc(engine->memory, count, sizeof(*sent));
    if (sent == NULL) {
        history->due = false; /* they go with the next batch; nobody waits for them */
        return 0;
    }
    muster__free(engine->memory, history->sent);
    history->sent = sent;
    history->sent_capacity = count;
    return count;
}

size_t muster__history_batch(struct muster__engine *engine, const struct muster_record **records, size_t room)
{
    struct muster__history *history = &engine->history;
    while (history->sent_count < room) {
        struct muster__list *link = history->dirty.next;
        struct span *span = muster__container(link, struct span, dirty);
        struct muster__record *record = record_of(engine, span);
        if (record == NULL)
            break;
        muster__list_remove(link);
        span->generation++;
        memcpy(span->kept_us, span->us, sizeof(span->us));
        records[history->sent_count] = &record->is;
        history->sent[history->sent_count++] = (struct muster__sent){span, record};
    }
    history->due = false;
    return history->sent_count;
}

void muster__history_committed(struct muster__engine *engine, bool applied)
{
    struct muster__history *history = &engine->history;
    for (size_t i = 0; i < history->sent_count; i++) {
        struct span *span = history->sent[i].span;
        bool removed = (history->sent[i].record->is.flags & MUSTER_RECORD_REMOVED) != 0;
        if (applied && removed && is_empty(span)) {
            muster__table_remove(&history->spans, &span->node);
            free_span(engine, span);
        } else if (!applied || has_moved(span)) {
            mark(engine, span);
        }
    }
    forget_sent(history);
}

/* SPDX-License-Identifier: MIT */
/* The trail of a bring-up, a reload or a shutdown. */
#include "engine/internal.h"

#include <string.h>

static uint32_t since(const struct muster__trail *trail)
{
    const struct muster__engine *engine = trail->engine;
    uint64_t ms = engine->now - trail->begin_ms;
    return ms < MUSTER__TRAIL_NEVER ? (uint32_t)ms : MUSTER__TRAIL_NEVER - 1;
}

/* ---- its life ------------------------------------------------------------------------------------------------- */

static void untell(struct muster__engine *engine, struct muster__entry *entry)
{
    if (entry != NULL && --entry->told == 0)
        muster__entry_drop(engine, entry);
}

static void forget(struct muster__engine *engine, struct muster__trail *trail)
{
    for (size_t i = 0; i < trail->op_count; i++) {
        muster__error_unref(trail->ops[i].error);
        untell(engine, trail->ops[i].entry);
    }
    for (size_t i = 0; i < trail->edge_count; i++) {
        untell(engine, trail->edges[i].from);
        untell(engine, trail->edges[i].to);
    }
    muster__free(engine->memory, trail->ops);
    muster__free(engine->memory, trail->edges);
    muster__free(engine->memory, trail->commits);
    *trail = (struct muster__trail){.engine = engine};
}

static void disown(struct muster__engine *engine, const struct muster__trail *trail)
{
    for (struct muster__list *link = engine->ops_out.next; link != &engine->ops_out; link = link->next) {
        struct muster_op *op = muster__container(link, struct muster_op, link);
        if (op->trail == trail)
            op->trail = NULL;
    }
}

void muster__trail_open(struct muster__engine *engine, enum muster__trail_kind kind, size_t ops)
{
    struct muster__trail *trail = &engine->trails[kind];
    disown(engine, trail);
    forget(engine, trail);
    trail->used = true;
    trail->begin_ms = engine->now;
    trail->end_ms = MUSTER__TRAIL_NEVER;
    for (size_t i = 0; i < 3; i++)
        trail->milestones[i] = MUSTER__TRAIL_NEVER;
    trail->ops = ops == 0 ? NULL : muster__realloc(engine->memory, NULL, ops, sizeof(*trail->ops));
    trail->op_capacity = trail->ops == NULL ? 0 : ops;
    engine->trail = trail;
}

void muster__trail_close(struct muster__engine *engine, int code)
{
    struct muster__trail *trail = engine->trail;
    if (trail == NULL || trail->ended)
        return;
    trail->ended = true;
    trail->code = code;
    trail->end_ms = since(trail);
    trail->op_limit = trail->op_count + MUSTER__TRAIL_LATE;
}

void muster__trails_free(struct muster__engine *engine)
{
    engine->trail = NULL;
    for (int kind = 0; kind < MUSTER__TRAILS; kind++)
        forget(engine, &engine->trails[kind]);
}

/* ---- what comes ------------------------------------------------------------------------------------------------ */

/* What a user asks for once all has ended is no part of it. */
static bool takes(const struct muster__trail *trail, const struct muster_op *op)
{
    if (!trail->ended)
        return true;
    return trail->op_count < trail->op_limit && (op->cause == MUSTER_CAUSE_RESTORE || op->cause == MUSTER_CAUSE_AUTOSTART);
}

static bool grow(struct muster__trail *trail)
{
    const struct muster__engine *engine = trail->engine;
    void *ops = trail->ops;
    if (trail->op_count < trail->op_capacity)
        return true;
    bool room = trail->op_count < UINT32_MAX &&
                muster__grow(engine->memory, &ops, trail->op_count, &trail->op_capacity, sizeof(*trail->ops)) == 0;
    trail->ops = ops;
    return room;
}

static struct muster__entry *entry_of(const struct muster_op *op)
{
    if (op->resource != NULL)
        return op->resource->entry;
    if (op->phase != MUSTER_PHASE_RESTORE || op->record == NULL)
        return NULL;
    const struct muster__ledger *ledger = muster__ledger_find(op->engine, muster_driver_name(op->driver));
    const struct muster__list *head = ledger == NULL ? NULL : &ledger->entries;
    for (struct muster__list *link = head == NULL ? NULL : head->next; link != head; link = link->next) {
        struct muster__entry *entry = muster__container(link, struct muster__entry, in_ledger);
        if (entry->record == op->record)
            return entry;
    }
    return NULL;
}

void muster__trail_begin(struct muster_op *op)
{
    struct muster__trail *trail = op->engine->trail;
    op->trail = NULL;
    if (trail == NULL)
        return;
    if (!takes(trail, op) || !grow(trail)) {
        trail->lost += !trail->ended || op->cause == MUSTER_CAUSE_RESTORE || op->cause == MUSTER_CAUSE_AUTOSTART;
        return;
    }
    struct muster__entry *entry = entry_of(op);
    if (entry != NULL)
        entry->told++;
    op->trail = trail;
    op->trail_at = (uint32_t)trail->op_count;
    trail->ops[trail->op_count++] = (struct muster__trail_op){
        .entry = entry,
        .driver = op->driver->id,
        .begin_ms = since(trail),
        .end_ms = MUSTER__TRAIL_NEVER,
        .phase = (uint8_t)op->phase,
        .cause = (uint8_t)op->cause,
    };
}

void muster__trail_timed_out(const struct muster_op *op)
{
    if (op->trail != NULL)
        op->trail->ops[op->trail_at].timed_out = true;
}

void muster__trail_end(struct muster_op *op)
{
    struct muster__trail *trail = op->trail;
    if (trail == NULL)
        return;
    struct muster__trail_op *is = &trail->ops[op->trail_at];
    uint32_t called_ms = (uint32_t)(op->called_ms - trail->begin_ms);
    is->begin_ms = called_ms > is->begin_ms ? called_ms : is->begin_ms;
    is->end_ms = since(trail);
    is->outcome = op->effects.outcome;
    is->timed_out = op->timed_out;
    if (is->outcome != MUSTER_OK || op->phase == MUSTER_PHASE_PROBE)
        is->error = muster__op_error(op);
}

void muster__trail_detach(const struct muster_resource *resource)
{
    struct muster__trail *trail = resource->engine->trail;
    if (trail == NULL || resource->entry->told == 0)
        return;
    for (size_t i = 0; i < resource->edge_count; i++) {
        void *edges = trail->edges;
        if (muster__grow(resource->engine->memory, &edges, trail->edge_count, &trail->edge_capacity, sizeof(*trail->edges)) != 0)
            return;
        trail->edges = edges;
        struct muster__trail_edge edge = {.from = resource->entry, .to = resource->edges[i].to};
        edge.from->told++;
        edge.to->told++;
        trail->edges[trail->edge_count++] = edge;
    }
}

void muster__trail_milestone(struct muster__engine *engine, int milestone)
{
    if (engine->trail != NULL)
        engine->trail->milestones[milestone] = since(engine->trail);
}

void muster__trail_commit(struct muster__engine *engine, size_t records)
{
    struct muster__trail *trail = engine->trail;
    void *commits = trail == NULL || trail->ended ? NULL : trail->commits;
    if (trail == NULL || trail->ended ||
        muster__grow(engine->memory, &commits, trail->commit_count, &trail->commit_capacity, sizeof(*trail->commits)) != 0)
        return;
    trail->commits = commits;
    trail->committing = true;
    trail->commits[trail->commit_count++] = (struct muster__trail_commit){
        .begin_ms = since(trail), .end_ms = MUSTER__TRAIL_NEVER, .records = (uint32_t)records};
}

void muster__trail_committed(struct muster__engine *engine, int code)
{
    for (int kind = 0; kind < MUSTER__TRAILS; kind++) {
        struct muster__trail *trail = &engine->trails[kind];
        if (!trail->committing)
            continue;
        trail->committing = false;
        trail->commits[trail->commit_count - 1].end_ms = since(trail);
        trail->commits[trail->commit_count - 1].code = code;
    }
}

/* ---- what others may ask --------------------------------------------------------------------------------------- */

const struct muster__trail *muster__engine_trail(const struct muster__engine *engine, enum muster__trail_kind kind)
{
    return engine->trails[kind].used ? &engine->trails[kind] : NULL;
}

const char *muster__entry_path(const struct muster__entry *entry)
{
    return entry->node.key;
}

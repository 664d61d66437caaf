/* SPDX-License-Identifier: MIT */
/* The trail of a bring-up, a reload or a shutdown. */
#include "engine/internal.h"

static uint32_t since(const struct muster__trail *trail)
{
    return muster__trail_since(trail, trail->engine->now);
}

/* ---- its life ------------------------------------------------------------------------------------------------- */

static void untell(struct muster__engine *engine, struct muster__entry *entry)
{
    if (entry != NULL && --entry->told == 0)
        muster__entry_drop(engine, entry);
}

static void forget(struct muster__engine *engine, struct muster__trail *trail)
{
    for (size_t i = 0; i < trail->more_count; i++) {
        untell(engine, trail->more[i].entry);
        muster__error_unref(trail->more[i].error);
    }
    for (size_t i = 0; i < trail->block_count; i++)
        muster__free(engine->memory, trail->blocks[i]);
    for (size_t i = 0; i < trail->edge_count; i++) {
        untell(engine, trail->edges[i].from);
        untell(engine, trail->edges[i].to);
    }
    muster__free(engine->memory, trail->blocks);
    muster__free(engine->memory, trail->more);
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

void muster__trail_open(struct muster__engine *engine, enum muster__trail_kind kind)
{
    struct muster__trail *trail = &engine->trails[kind];
    disown(engine, trail);
    forget(engine, trail);
    trail->used = true;
    trail->begin_ms = engine->now;
    trail->end_ms = MUSTER__TRAIL_NEVER;
    for (size_t i = 0; i < 3; i++)
        trail->milestones[i] = MUSTER__TRAIL_NEVER;
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
    trail->op_room = trail->op_count;
    trail->op_limit = trail->op_count + MUSTER__TRAIL_LATE;
}

void muster__trails_free(struct muster__engine *engine)
{
    engine->trail = NULL;
    for (int kind = 0; kind < MUSTER__TRAILS; kind++)
        forget(engine, &engine->trails[kind]);
}

/* ---- what comes ------------------------------------------------------------------------------------------------ */

/* Once all has ended, what a user asks for is no part of it. */
static bool is_part(const struct muster__trail *trail, const struct muster_op *op)
{
    return !trail->ended || op->cause == MUSTER_CAUSE_RESTORE || op->cause == MUSTER_CAUSE_AUTOSTART;
}

static bool add_block(struct muster__trail *trail)
{
    const struct muster__memory *memory = trail->engine->memory;
    void *blocks = trail->blocks;
    if (muster__grow(memory, &blocks, trail->block_count, &trail->block_capacity, sizeof(*trail->blocks)) != 0)
        return false;
    trail->blocks = blocks;
    struct muster__trail_block *block = muster__realloc(memory, NULL, 1, sizeof(*block));
    if (block == NULL)
        return false;
    trail->blocks[trail->block_count++] = block;
    trail->next = block->ops;
    return true;
}

static bool grow(struct muster__trail *trail)
{
    if (trail->op_count >= UINT32_MAX || (trail->ended && trail->op_count >= trail->op_limit) ||
        muster__trail_since(trail, trail->engine->now) >= MUSTER__TRAIL_NEVER - 1 ||
        (trail->op_count == trail->block_count * MUSTER__TRAIL_BLOCK && !add_block(trail)))
        return false;
    trail->op_room = trail->ended ? trail->op_count + 1 : trail->block_count * MUSTER__TRAIL_BLOCK;
    return true;
}

bool muster__trail_make_room(const struct muster_op *op)
{
    struct muster__trail *trail = op->engine->trail;
    if (trail == NULL || !is_part(trail, op))
        return false;
    if (grow(trail))
        return true;
    trail->lost++;
    return false;
}

/* There is more to tell of it. NULL: no memory for that, it is lost. */
static struct muster__trail_more *more_of(const struct muster_op *op)
{
    struct muster__trail *trail = op->trail;
    void *more = trail->more;
    if (op->told->has == MUSTER__TRAIL_HAS_MORE)
        return &trail->more[op->told->who];
    if (op->told->has == MUSTER__TRAIL_HAS_NOTHING)
        return NULL;
    if (muster__grow(op->engine->memory, &more, trail->more_count, &trail->more_capacity, sizeof(*trail->more)) != 0) {
        op->told->has = MUSTER__TRAIL_HAS_NOTHING;
        trail->lost++;
        return NULL;
    }
    trail->more = more;
    trail->more[trail->more_count] = (struct muster__trail_more){.driver = op->told->who};
    op->told->has = MUSTER__TRAIL_HAS_MORE;
    op->told->who = (uint32_t)trail->more_count;
    return &trail->more[trail->more_count++];
}

void muster__trail_name(const struct muster_op *op)
{
    struct muster__trail_more *more = more_of(op);
    if (more == NULL)
        return;
    more->entry = op->resource != NULL ? op->resource->entry : muster__entry_of(op->engine, &op->record->is);
    if (more->entry != NULL)
        more->entry->told++;
}

void muster__trail_fail(struct muster_op *op)
{
    struct muster__trail_more *more = more_of(op);
    if (more == NULL)
        return;
    more->outcome = op->effects.outcome;
    more->error = muster__op_error(op);
}

void muster__trail_timed_out(const struct muster_op *op)
{
    if (op->trail != NULL)
        op->told->timed_out = true;
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

/* SPDX-License-Identifier: MIT */
/* Ops: begun, timed out, finished, and kept for a while after that. */
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

static void timed_out(struct muster__engine *engine, struct muster__timer *timer);

/* What the next op will be made of hasn't been touched since so many others: let it come from memory meanwhile. */
static void fetch(const struct muster_op *op)
{
    __builtin_prefetch(op, 1);
    __builtin_prefetch(&op->link, 1);
    __builtin_prefetch(&op->effects.outcome, 1);
}

/* The oldest of the retired, unless news of it (a second finish) is still on its way. */
static struct muster_op *reuse(struct muster__engine *engine)
{
    struct muster_op *op = muster__container(engine->ops_retired.next, struct muster_op, link);
    if (engine->retired_count < MUSTER__RETIRED_OPS || atomic_load(&op->in_inbox))
        return NULL;
    muster__list_remove(&op->link);
    engine->retired_count--;
    fetch(muster__container(engine->ops_retired.next, struct muster_op, link));
    return op;
}

static struct muster_op *take(struct muster__engine *engine)
{
    struct muster_op *op = reuse(engine);
    if (op != NULL)
        return op;
    op = muster__new(engine->memory, struct muster_op);
    if (op == NULL)
        return NULL;
    if (muster__timer_init(engine, &op->deadline, timed_out) != 0) {
        muster__free(engine->memory, op);
        return NULL;
    }
    op->engine = engine;
    muster__list_init(&op->link);
    muster__list_init(&op->inbox);
    muster__list_init(&op->queue);
    muster__list_init(&op->cancel);
    muster__list_init(&op->effects.added);
    return op;
}

/* Before its driver moves it; UINT64_MAX: none. */
static uint64_t first_deadline(const struct muster_op *op)
{
    uint64_t limit = op->driver->rest->def.op_timeout_ms;
    if (limit == 0)
        limit = op->engine->options.op_timeout_ms;
    return limit == MUSTER_NO_TIMEOUT ? UINT64_MAX : muster__time_after(op->called_ms, limit);
}

static void set_deadline(struct muster_op *op, uint64_t at)
{
    if (at == UINT64_MAX)
        muster__timer_clear(op->engine, &op->deadline);
    else
        muster__timer_set(op->engine, &op->deadline, at);
}

/* An op that ends within its call, as most do, never comes here. */
void muster__op_arm_now(struct muster__engine *engine)
{
    struct muster_op *op = engine->unarmed;
    engine->unarmed = NULL;
    muster__list_push(&engine->ops_out, &op->link);
    set_deadline(op, first_deadline(op));
}

/* SplitMix64 (public domain, Sebastiano Vigna): distinct for distinct counts. */
static uint64_t scramble(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

void muster__token_new(struct muster__engine *engine, char token[33])
{
    uint64_t count = ++engine->tokens;
    snprintf(token, 33, "%016llx%016llx", (unsigned long long)scramble(engine->options.seed[0] + count),
             (unsigned long long)scramble(engine->options.seed[1] ^ count));
}

static void set_callback(struct muster_op *op, const struct muster_driver_def *def)
{
    static const size_t offsets[] = {
        [MUSTER_PHASE_INITIALIZE] = offsetof(struct muster_driver_def, initialize),
        [MUSTER_PHASE_RESTORE] = offsetof(struct muster_driver_def, restore),
        [MUSTER_PHASE_RECONCILE] = offsetof(struct muster_driver_def, reconcile),
        [MUSTER_PHASE_AUTOSTART] = offsetof(struct muster_driver_def, autostart),
        [MUSTER_PHASE_RELOAD] = offsetof(struct muster_driver_def, reload),
        [MUSTER_PHASE_SHUTDOWN] = offsetof(struct muster_driver_def, shutdown),
        [MUSTER_PHASE_PROBE] = offsetof(struct muster_driver_def, probe),
        [MUSTER_PHASE_ADOPT] = offsetof(struct muster_driver_def, adopt),
        [MUSTER_PHASE_START] = offsetof(struct muster_driver_def, start),
        [MUSTER_PHASE_STOP] = offsetof(struct muster_driver_def, stop),
    };
    memcpy(&op->callback, (const char *)def + offsets[op->phase], sizeof(op->callback));
    op->threaded = (def->threaded >> op->phase & 1) != 0;
}

static void set_resource(struct muster_op *op, struct muster_resource *resource)
{
    op->resource = resource;
    op->request = resource->request != NULL ? resource->request->data : NULL;
}

static void set_record(struct muster_op *op, struct muster__record *record)
{
    op->record = muster__record_ref(record);
    op->handle = record->is.handle;
    if (record->is.token != NULL)
        snprintf(op->token, sizeof(op->token), "%s", record->is.token);
}

/* (What is set for few is left as it was at first by retire().) */
struct muster_op *muster__op_begin(struct muster_driver *driver, struct muster_resource *resource,
                                   enum muster_phase phase, enum muster_cause cause, struct muster__record *record)
{
    struct muster__engine *engine = driver->engine;
    struct muster_op *op = take(engine);
    if (op == NULL) {
        muster__timer_set(engine, &engine->look_timer, engine->now + 100);
        return NULL;
    }
    op->driver = driver;
    op->phase = phase;
    op->cause = cause;
    if (phase == MUSTER_PHASE_INITIALIZE && !driver->threaded) { /* known without the definition */
        op->callback = driver->initialize;
        op->threaded = false;
    } else {
        set_callback(op, &driver->rest->def);
    }
    if (resource != NULL)
        set_resource(op, resource);
    if (record != NULL)
        set_record(op, record);
    op->called_ms = engine->now;
    op->timed_out = false;
    op->effects.outcome = MUSTER_OK;
    op->effects.extend_ms = 0;
    atomic_store_explicit(&op->stage, MUSTER__OP_QUEUED, memory_order_relaxed);
    atomic_store_explicit(&op->cancelled, false, memory_order_relaxed);
    engine->op_count++;
    muster__op_arm(engine);
    engine->unarmed = op;
    muster__trail_begin(op);
    if (engine->observed)
        muster__observe_deadline(op, MUSTER_OBSERVE_OP_BEGIN, first_deadline(op));
    return op;
}

void muster__op_cancel(struct muster_op *op)
{
    atomic_store(&op->cancelled, true);
    if (muster__list_empty(&op->cancel))
        muster__list_push(&op->engine->cancels, &op->cancel);
}

void muster__op_cancel_all(struct muster__engine *engine)
{
    for (struct muster__list *link = engine->ops_out.next; link != &engine->ops_out; link = link->next)
        muster__op_cancel(muster__container(link, struct muster_op, link));
}

static void timed_out(struct muster__engine *engine, struct muster__timer *timer)
{
    struct muster_op *op = muster__container(timer, struct muster_op, deadline);
    op->timed_out = true;
    muster__trail_timed_out(op);
    engine->timed_out_count++;
    muster__op_cancel(op);
    if (op->resource != NULL)
        muster__resource_op_timed_out(op->resource, op);
    else
        muster__driver_op_timed_out(op->driver, op);
}

static void drop_effects(struct muster__engine *engine, struct muster_op *op)
{
    for (struct muster__list *link; (link = muster__list_pop(&op->effects.added)) != NULL;)
        muster__resource_discard(engine, muster__resource_of_link(link));
    muster__free(engine->memory, op->effects.handle);
    op->effects.handle = NULL;
    op->effects.handle_set = false;
    if (op->effects.outcome != MUSTER_OK) /* else there is no message */
        op->effects.text[0] = '\0';
}

static void drop_resource(struct muster_op *op)
{
    op->resource = NULL;
    op->request = NULL;
}

static void drop_record(struct muster_op *op)
{
    muster__record_unref(op->record);
    op->record = NULL;
    op->handle = NULL;
    op->token[0] = '\0';
}

/* After its end has been dealt with. */
static void retire(struct muster__engine *engine, struct muster_op *op)
{
    if (!muster__list_empty(&op->link))
        muster__list_remove(&op->link);
    if (!muster__list_empty(&op->cancel))
        muster__list_remove(&op->cancel);
    drop_effects(engine, op);
    if (op->record != NULL)
        drop_record(op);
    if (op->resource != NULL)
        drop_resource(op);
    engine->op_count--;
    engine->timed_out_count -= op->timed_out;
    atomic_store_explicit(&op->stage, MUSTER__OP_RETIRED, memory_order_relaxed);
    muster__list_push(&engine->ops_retired, &op->link);
    engine->retired_count++;
}

static void observe_end(struct muster_op *op)
{
    struct muster_error *error = muster__op_error(op);
    muster__observe_op(op, op->timed_out ? MUSTER_OBSERVE_OP_LATE : MUSTER_OBSERVE_OP_END, op->effects.outcome, error);
    muster__error_unref(error);
}

int muster__op_finished(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_op *op = event->op;
    if (op == engine->unarmed)
        engine->unarmed = NULL;
    else
        muster__timer_clear(engine, &op->deadline);
    if (engine->observed)
        observe_end(op);
    muster__trail_end(op);
    if (engine->store != MUSTER__STORE_NONE)
        muster__history_measure(op);
    if (op->resource != NULL && muster__resources_released(engine))
        muster__resource_op_outlived(op->resource);
    else if (op->resource != NULL)
        muster__resource_op_finished(op->resource, op);
    else
        muster__driver_op_finished(op->driver, op);
    retire(engine, op);
    return 0;
}

int muster__op_extended(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_op *op = event->op;
    if (!op->timed_out && op->effects.extend_ms != 0) {
        uint64_t at = muster__time_after(engine->now, op->effects.extend_ms);
        set_deadline(op, at);
        muster__observe_deadline(op, MUSTER_OBSERVE_OP_EXTENDED, at);
    }
    op->effects.extend_ms = 0;
    return 0;
}

int muster__op_twice(struct muster__engine *engine, const struct muster__event *event)
{
    (void)engine;
    muster__observe_op(event->op, MUSTER_OBSERVE_OP_TWICE, event->op->effects.outcome, NULL);
    return 0;
}

size_t muster__engine_ops_out(const struct muster__engine *engine)
{
    return engine->op_count;
}

size_t muster__ops_awaited(const struct muster__engine *engine)
{
    return engine->op_count - engine->timed_out_count;
}

int muster__op_describe(const struct muster_op *op, char *text, size_t bytes)
{
    const char *phase = muster_phase_name(op->phase);
    if (op->resource != NULL)
        return snprintf(text, bytes, "%s '%s': %s", muster_driver_name(op->driver), op->resource->name, phase);
    return snprintf(text, bytes, "driver '%s': %s", muster_driver_name(op->driver), phase);
}

void muster__ops_name(const struct muster__engine *engine, char *text, size_t bytes)
{
    size_t used = 0;
    size_t named = 0;
    text[0] = '\0';
    for (struct muster__list *link = engine->ops_out.next; link != &engine->ops_out && named < 5; link = link->next) {
        char one[128];
        muster__op_describe(muster__container(link, struct muster_op, link), one, sizeof(one));
        int more = snprintf(text + used, bytes - used, "%s%s", named == 0 ? "" : ", ", one);
        used = more < 0 || (size_t)more >= bytes - used ? bytes - 1 : used + (size_t)more;
        named++;
    }
    if (engine->op_count > named)
        snprintf(text + used, bytes - used, " and %zu more", engine->op_count - named);
}

void muster__ops_free(struct muster__engine *engine)
{
    for (struct muster__list *link; (link = muster__list_pop(&engine->ops_retired)) != NULL;) {
        struct muster_op *op = muster__container(link, struct muster_op, link);
        muster__timer_fini(engine, &op->deadline);
        muster__free(engine->memory, op);
    }
}

/* What may an op of each phase say, beside MUSTER_OK and failures? */
static bool allowed(const struct muster_op *op)
{
    switch (op->effects.outcome) {
    case MUSTER_OK:
        return op->phase != MUSTER_PHASE_PROBE;
    case MUSTER_UNAVAILABLE:
        return true;
    case MUSTER_SKIP:
        return op->phase == MUSTER_PHASE_INITIALIZE;
    case MUSTER_ACTIVE:
    case MUSTER_INACTIVE:
    case MUSTER_FOREIGN:
        return op->phase == MUSTER_PHASE_PROBE;
    default:
        return op->effects.outcome < 0;
    }
}

static const char *outcome_text(int outcome)
{
    return outcome == MUSTER_UNAVAILABLE ? "not available yet"
           : outcome == MUSTER_SKIP      ? "not usable on this machine"
                                         : muster_code_text(outcome);
}

static int outcome_code(int outcome)
{
    return outcome == MUSTER_UNAVAILABLE ? MUSTER_EUNAVAILABLE : outcome == MUSTER_SKIP ? MUSTER_ESKIPPED : outcome;
}

static struct muster_error *describe(struct muster_op *op)
{
    const struct muster__memory *memory = op->engine->memory;
    int outcome = op->effects.outcome;
    char who[400];
    if (allowed(op) && (outcome == MUSTER_OK || outcome >= MUSTER_ACTIVE))
        return NULL;
    muster__op_describe(op, who, sizeof(who));
    if (!allowed(op))
        return muster__error_new(memory, MUSTER_EINVAL, NULL, "%s: the callback returned %d, which answers nothing", who,
                                 outcome);
    if (op->effects.text[0] != '\0') {
        struct muster_error told;
        muster__error_init(&told);
        muster_error_set(&told, outcome_code(outcome), 0, "%s", op->effects.text);
        told.sys_errno = outcome < 0 && outcome > -4096 ? -outcome : 0;
        return muster__error_wrap(memory, &told, "%s", who);
    }
    return muster__error_new(memory, outcome_code(outcome), NULL, "%s: %s", who, outcome_text(outcome));
}

struct muster_error *muster__op_error(struct muster_op *op)
{
    bool fine = op->effects.outcome == MUSTER_OK && op->phase != MUSTER_PHASE_PROBE;
    return fine ? NULL : describe(op);
}

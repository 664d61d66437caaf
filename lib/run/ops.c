/* SPDX-License-Identifier: MIT */
/* muster_op_*(): any thread, until the op is finished. Effects are buffered in the op, under the context's mutex. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/def.h"
#include "base/name.h"
#include "base/table.h"
#include "run/context.h"

struct added_name {
    struct muster__table_node node;
    char name[];
};

static struct muster *context_of(const struct muster_op *op)
{
    return op == NULL ? NULL : muster__engine_context(op->engine);
}

/* What an op ends with. `text` NULL: no message. */
struct end {
    int outcome;
    const char *text;
};

static bool is_outcome(int outcome)
{
    return outcome <= MUSTER_FOREIGN && outcome != MUSTER_PENDING;
}

/* So that "not now" and "not on this machine" can come with a reason. */
static int outcome_of(const struct muster_op *op, int code)
{
    if (code == MUSTER_EUNAVAILABLE)
        return MUSTER_UNAVAILABLE;
    return code == MUSTER_ESKIPPED && op->phase == MUSTER_PHASE_INITIALIZE ? MUSTER_SKIP : code;
}

/* The mutex is held, as by all who end a stage. Exactly once: false if it is finished already. */
static bool complete(struct muster_op *op, int from, const struct end *end)
{
    if (atomic_load_explicit(&op->stage, memory_order_relaxed) != from)
        return false;
    atomic_store_explicit(&op->stage, MUSTER__OP_FINISHED, memory_order_relaxed);
    op->effects.outcome = outcome_of(op, end->outcome);
    if (end->text != NULL)
        snprintf(op->effects.text, sizeof(op->effects.text), "%s", end->text);
    else if (op->added_names != NULL && end->outcome != MUSTER_EINVAL)
        op->effects.text[0] = '\0'; /* a definition was refused, and that isn't why */
    return true;
}

static int finish(struct muster_op *op, const struct end *end)
{
    struct muster *context = context_of(op);
    pthread_mutex_lock(&context->mutex);
    bool first = complete(op, MUSTER__OP_OUT, end);
    muster__inbox_add(context, op, first ? MUSTER__NEWS_FINISHED : MUSTER__NEWS_TWICE);
    bool last = muster__context_settle(context);
    pthread_mutex_unlock(&context->mutex);
    if (last)
        muster__context_destroy(context);
    return first ? 0 : MUSTER_EINVAL;
}

int muster_op_finish(struct muster_op *op, int outcome)
{
    int code = muster__enter(context_of(op));
    if (code != 0)
        return code;
    if (!is_outcome(outcome))
        return MUSTER_EINVAL;
    return finish(op, &(struct end){outcome, NULL});
}

int muster_op_fail(struct muster_op *op, int code, const char *format, ...)
{
    int refused = muster__enter(context_of(op));
    if (refused != 0)
        return refused;
    char text[MUSTER__OP_TEXT];
    va_list args;
    va_start(args, format);
    if (format == NULL || vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    finish(op, &(struct end){code < 0 ? code : MUSTER_EFAILED, text});
    return MUSTER_PENDING;
}

/* What a callback returned that means nothing must not leave the op out for ever. */
static struct end end_of(int outcome, char *text, size_t bytes)
{
    if (is_outcome(outcome))
        return (struct end){outcome, NULL};
    snprintf(text, bytes, "the callback returned %d, which is no outcome", outcome);
    return (struct end){MUSTER_EINVAL, text};
}

void muster__op_returned(struct muster_op *op, int outcome)
{
    char text[MUSTER__OP_TEXT];
    if (outcome == MUSTER_PENDING)
        return;
    struct end end = end_of(outcome, text, sizeof(text));
    finish(op, &end);
}

/* As finish(), and steps at once, which the inbox would do later; unless the op is there already. */
void muster__op_returned_on_loop(struct muster *context, struct muster_op *op, int outcome)
{
    char text[MUSTER__OP_TEXT];
    if (outcome == MUSTER_PENDING)
        return;
    struct end end = end_of(outcome, text, sizeof(text));
    pthread_mutex_lock(&context->mutex);
    bool first = complete(op, MUSTER__OP_OUT, &end);
    bool direct = first && !atomic_load_explicit(&op->in_inbox, memory_order_relaxed);
    if (!direct)
        muster__inbox_add(context, op, first ? MUSTER__NEWS_FINISHED : MUSTER__NEWS_TWICE);
    pthread_mutex_unlock(&context->mutex);
    if (!direct)
        return;
    muster__op_forget_names(op);
    struct muster__event event;
    event.type = MUSTER__EVENT_OP_FINISHED;
    event.op = op;
    muster__step(context, &event);
}

void muster__op_refuse(struct muster *context, struct muster_op *op, int code, const char *text)
{
    if (complete(op, MUSTER__OP_QUEUED, &(struct end){code, text}))
        muster__inbox_add(context, op, MUSTER__NEWS_FINISHED);
}

void muster__op_delay(struct muster *context, struct muster_op *op, uint64_t ms)
{
    op->effects.extend_ms = ms == 0 ? 1 : ms;
    muster__inbox_add(context, op, MUSTER__NEWS_EXTENDED);
}

int muster_op_extend(struct muster_op *op, uint64_t ms)
{
    struct muster *context = context_of(op);
    int code = muster__enter(context);
    if (code != 0)
        return code;
    pthread_mutex_lock(&context->mutex);
    bool out = atomic_load(&op->stage) == MUSTER__OP_OUT;
    if (out)
        muster__op_delay(context, op, ms);
    pthread_mutex_unlock(&context->mutex);
    return out ? 0 : MUSTER_EINVAL;
}

int muster_op_set_handle(struct muster_op *op, const char *handle)
{
    struct muster *context = context_of(op);
    int code = muster__enter(context);
    if (code != 0)
        return code;
    char *copy = NULL;
    if (handle != NULL) {
        size_t length = strnlen(handle, MUSTER__HANDLE_MAX + 1);
        if (length > MUSTER__HANDLE_MAX || !muster__utf8_valid(handle, length))
            return MUSTER_EINVAL;
        copy = muster__strdup(&context->memory, handle);
        if (copy == NULL)
            return MUSTER_ENOMEM;
    }
    pthread_mutex_lock(&context->mutex);
    bool out = atomic_load(&op->stage) == MUSTER__OP_OUT;
    char *old = out ? op->effects.handle : copy;
    if (out) {
        op->effects.handle = copy;
        op->effects.handle_set = true;
    }
    pthread_mutex_unlock(&context->mutex);
    muster__free(&context->memory, old);
    return out ? 0 : MUSTER_EINVAL;
}

/* ---- adding resources ------------------------------------------------------------------------- */

static bool may_add(const struct muster_op *op)
{
    const unsigned phases = 1u << MUSTER_PHASE_INITIALIZE | 1u << MUSTER_PHASE_RESTORE | 1u << MUSTER_PHASE_RECONCILE |
                            1u << MUSTER_PHASE_RELOAD;
    return (phases >> op->phase & 1) != 0 && atomic_load(&op->stage) == MUSTER__OP_OUT;
}

void muster__op_forget_names(struct muster_op *op)
{
    struct muster__table *names = op->added_names;
    if (names == NULL)
        return;
    const struct muster__memory *memory = names->memory;
    struct muster__table_node *node;
    size_t cursor = 0;
    op->added_names = NULL;
    while ((node = muster__table_next(names, &cursor)) != NULL)
        muster__free(memory, node);
    muster__table_fini(names);
    muster__free(memory, names);
}

static struct muster__table *names_of(const struct muster__memory *memory, struct muster_op *op)
{
    if (op->added_names == NULL) {
        op->added_names = muster__new(memory, struct muster__table);
        if (op->added_names != NULL)
            muster__table_init(op->added_names, memory);
    }
    return op->added_names;
}

/* Note that the op adds this name. */
static int add_name(struct muster__table *names, const char *name, struct added_name **ret_added)
{
    if (muster__table_find(names, name) != NULL)
        return MUSTER_EEXIST;
    size_t bytes = strlen(name) + 1;
    struct added_name *added = muster__alloc(names->memory, 1, sizeof(*added) + bytes);
    if (added == NULL)
        return MUSTER_ENOMEM;
    memcpy(added->name, name, bytes);
    added->node.key = added->name;
    int code = muster__table_add(names, &added->node);
    if (code == 0)
        *ret_added = added;
    else
        muster__free(names->memory, added);
    return code;
}

/* The mutex is held, and the op may add. */
static int add_resource(struct muster *context, struct muster_op *op, const struct muster_resource_def *def)
{
    struct muster__table *names = names_of(&context->memory, op);
    if (names == NULL)
        return MUSTER_ENOMEM;
    struct added_name *added = NULL;
    int code = def->name == NULL || !muster__name_valid(def->name) ? MUSTER_EINVAL : add_name(names, def->name, &added);
    if (code != 0)
        return code;
    struct muster_resource *resource = NULL;
    code = muster__resource_new(&context->memory, def, &resource);
    if (code != 0) {
        muster__table_remove(names, &added->node);
        muster__free(names->memory, added);
        return code;
    }
    muster__list_push(&op->effects.added, muster__resource_link(resource));
    return 0;
}

int muster_op_add_resource(struct muster_op *op, const struct muster_resource_def *def)
{
    struct muster *context = context_of(op);
    int code = muster__enter(context);
    if (code != 0)
        return code;
    struct muster_resource_def copy;
    code = muster__def_copy(&copy, sizeof(copy), def, sizeof(copy));
    if (code != 0)
        return code;
    pthread_mutex_lock(&context->mutex);
    bool may = may_add(op);
    code = may ? add_resource(context, op, &copy) : MUSTER_EINVAL;
    if (may && code == MUSTER_EINVAL)
        muster__resource_refusal(&copy, code, op->effects.text, sizeof(op->effects.text));
    pthread_mutex_unlock(&context->mutex);
    if (code != 0 && copy.release != NULL)
        copy.release(copy.data);
    return code;
}

/* ---- what it is ------------------------------------------------------------------------------- */

static bool readable(const struct muster_op *op)
{
    return muster__enter(context_of(op)) == 0;
}

int muster_op_cancelled(const struct muster_op *op)
{
    int code = muster__enter(context_of(op));
    return code != 0 ? code : (int)atomic_load(&op->cancelled);
}

enum muster_phase muster_op_phase(const struct muster_op *op)
{
    return op == NULL ? MUSTER_PHASE_INITIALIZE : op->phase;
}

enum muster_cause muster_op_cause(const struct muster_op *op)
{
    return op == NULL ? MUSTER_CAUSE_USER : op->cause;
}

struct muster *muster_op_context(const struct muster_op *op)
{
    return readable(op) ? context_of(op) : NULL;
}

struct muster_driver *muster_op_driver(const struct muster_op *op)
{
    return readable(op) ? op->driver : NULL;
}

void *muster_op_driver_data(const struct muster_op *op)
{
    return readable(op) ? muster_driver_data(op->driver) : NULL;
}

struct muster_resource *muster_op_resource(const struct muster_op *op)
{
    return readable(op) ? op->resource : NULL;
}

const char *muster_op_resource_name(const struct muster_op *op)
{
    return readable(op) && op->resource != NULL ? muster__resource_name(op->resource) : NULL;
}

void *muster_op_resource_data(const struct muster_op *op)
{
    return readable(op) && op->resource != NULL ? muster_resource_data(op->resource) : NULL;
}

void *muster_op_request(const struct muster_op *op)
{
    return readable(op) ? op->request : NULL;
}

const struct muster_record *muster_op_record(const struct muster_op *op)
{
    return readable(op) && op->record != NULL ? &op->record->is : NULL;
}

const char *muster_op_handle(const struct muster_op *op)
{
    return readable(op) ? op->handle : NULL;
}

const char *muster_op_token(const struct muster_op *op)
{
    return readable(op) && op->token[0] != '\0' ? op->token : NULL;
}

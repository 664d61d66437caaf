/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef int (*handler)(struct muster__engine *engine, const struct muster__event *event);

/* Here alone: what has ended is told before time is, and is in time. */
static int time_passed(struct muster__engine *engine, const struct muster__event *event)
{
    (void)event;
    muster__timers_expire(engine);
    return 0;
}

static const handler handlers[MUSTER__EVENT_TYPES] = {
    [MUSTER__EVENT_TIME] = time_passed,
    [MUSTER__EVENT_OP_FINISHED] = muster__op_finished,
    [MUSTER__EVENT_OP_EXTENDED] = muster__op_extended,
    [MUSTER__EVENT_OP_TWICE] = muster__op_twice,
    [MUSTER__EVENT_LOADED] = muster__loaded,
    [MUSTER__EVENT_COMMITTED] = muster__committed,
    [MUSTER__EVENT_CLOSED] = muster__closed,
    [MUSTER__EVENT_ADD_DRIVER] = muster__add_driver,
    [MUSTER__EVENT_CHECK] = muster__check,
    [MUSTER__EVENT_BRING_UP] = muster__bring_up,
    [MUSTER__EVENT_WHEN] = muster__when,
    [MUSTER__EVENT_RELOAD] = muster__reload_event,
    [MUSTER__EVENT_SHUTDOWN] = muster__shutdown_event,
    [MUSTER__EVENT_DRIVER_RETRY] = muster__driver_retry_event,
    [MUSTER__EVENT_RESOURCE_ADD] = muster__resource_add_event,
    [MUSTER__EVENT_RESOURCE_REMOVE] = muster__resource_remove_event,
    [MUSTER__EVENT_RESOURCE_START] = muster__resource_request_event,
    [MUSTER__EVENT_RESOURCE_STOP] = muster__resource_request_event,
    [MUSTER__EVENT_RESOURCE_CHANGED] = muster__resource_changed_event,
    [MUSTER__EVENT_RESOURCE_RETRY] = muster__resource_retry_event,
    [MUSTER__EVENT_RESOURCE_SET_NEEDS] = muster__resource_set_needs_event,
    [MUSTER__EVENT_RESOURCE_SET_POLICY] = muster__resource_set_policy_event,
    [MUSTER__EVENT_RECORD_FORGET] = muster__record_forget,
    [MUSTER__EVENT_RECORD_MOVE] = muster__record_move,
    [MUSTER__EVENT_RECORD_RESOLVE] = muster__record_resolve,
};

/* (One that was given up is no more.) */
static void look_at_driver(struct muster__engine *engine)
{
    uint32_t id = muster__queue_pop(&engine->touched_drivers);
    if (id < engine->driver_count)
        muster__driver_look(muster__driver_at(engine, id));
}

static void look_at_resource(struct muster__engine *engine)
{
    struct muster__list *link = muster__list_pop(&engine->touched_resources);
    muster__resource_look(muster__container(link, struct muster_resource, touched));
}

static bool is_touched(const struct muster__engine *engine)
{
    return !muster__queue_empty(&engine->touched_drivers) || !muster__list_empty(&engine->touched_resources);
}

void muster__settle(struct muster__engine *engine)
{
    do {
        while (is_touched(engine))
            if (!muster__list_empty(&engine->touched_resources))
                look_at_resource(engine);
            else
                look_at_driver(engine);
        if (engine->milestone_due)
            muster__milestones_look(engine);
        if (muster__going_down(engine))
            muster__shutdown_look(engine);
    } while (is_touched(engine));
}

static bool is_about_removed(const struct muster__event *event)
{
    return event->type >= MUSTER__EVENT_RESOURCE_REMOVE && event->type <= MUSTER__EVENT_RESOURCE_SET_POLICY &&
           muster__resource_is_removed(event->resource);
}

static int handle(struct muster__engine *engine, const struct muster__event *event)
{
    if (is_about_removed(event))
        return muster__refuse(engine, MUSTER_ESTATE, "resource '%s' was removed", event->resource->entry->node.key);
    return handlers[event->type](engine, event);
}

int muster__engine_step(struct muster__engine *engine, const struct muster__event *event)
{
    if (event->now > engine->now)
        engine->now = event->now;
    if (event->type != MUSTER__EVENT_OP_FINISHED || event->op != engine->unarmed)
        muster__op_arm(engine);
    int code = handle(engine, event);
    if (is_touched(engine) || engine->milestone_due || muster__going_down(engine))
        muster__settle(engine);
    return code;
}

int muster__refuse_error(struct muster__engine *engine, struct muster_error *error)
{
    int code = error->code;
    muster__error_replace(&engine->error, error);
    return code;
}

int muster__refuse(struct muster__engine *engine, int code, const char *format, ...)
{
    char text[MUSTER__ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    muster__error_replace(&engine->error, muster__error_new(engine->memory, code, NULL, "%s", text));
    return code;
}

/* Which states may follow each. */
static const unsigned successors[] = {
    [MUSTER_STATE_NEW] = 1u << MUSTER_STATE_BRINGING_UP | 1u << MUSTER_STATE_SHUTTING_DOWN,
    [MUSTER_STATE_BRINGING_UP] = 1u << MUSTER_STATE_UP | 1u << MUSTER_STATE_ROLLING_BACK |
                                 1u << MUSTER_STATE_SHUTTING_DOWN | 1u << MUSTER_STATE_DOWN,
    [MUSTER_STATE_UP] = 1u << MUSTER_STATE_BRINGING_UP | 1u << MUSTER_STATE_SHUTTING_DOWN,
    [MUSTER_STATE_ROLLING_BACK] = 1u << MUSTER_STATE_DOWN,
    [MUSTER_STATE_SHUTTING_DOWN] = 1u << MUSTER_STATE_DOWN,
    [MUSTER_STATE_DOWN] = 1u << MUSTER_STATE_BRINGING_UP,
};

void muster__set_state(struct muster__engine *engine, enum muster_context_state state)
{
    enum muster_context_state from = engine->state;
    bool may_follow = (successors[from] & (1u << state)) != 0;
    assert(may_follow);
    (void)may_follow;
    engine->state = state;
    muster__observe_engine(engine, MUSTER_OBSERVE_STATE, (int)from, (int)state);
}

static void look_again(struct muster__engine *engine, struct muster__timer *timer)
{
    (void)engine; /* whoever waits for an action asks again after this event */
    (void)timer;
}

static void init_lists(struct muster__engine *engine)
{
    muster__queue_init(&engine->touched_drivers, engine->memory);
    muster__list_init(&engine->touched_resources);
    muster__list_init(&engine->actions);
    muster__list_init(&engine->put_off);
    muster__list_init(&engine->cancels);
    muster__list_init(&engine->ops_out);
    muster__list_init(&engine->ops_retired);
    muster__list_init(&engine->dirty);
    muster__list_init(&engine->milestones);
    muster__list_init(&engine->queued);
    muster__table_init(&engine->entries, engine->memory);
    muster__table_init(&engine->ledgers, engine->memory);
    muster__ready_init(&engine->ready, engine->memory);
    muster__heap_init(&engine->timers, engine->memory);
    muster__heap_init(&engine->turns, engine->memory);
    muster__history_init(engine);
    muster__roster_init_empty(engine);
}

static void free_lists(struct muster__engine *engine)
{
    for (struct muster__list *link; (link = muster__list_pop(&engine->actions)) != NULL;)
        muster__action_dispose(engine, muster__container(link, struct muster__item, link));
    struct muster__list *waiting[] = {&engine->milestones, &engine->queued};
    for (size_t i = 0; i < 2; i++)
        while (!muster__list_empty(waiting[i]))
            muster__request_free(muster__container(waiting[i]->next, struct muster__request, link));
    struct muster__request *requests[] = {engine->bring_up, engine->reload, engine->shutdown};
    for (size_t i = 0; i < 3; i++)
        if (requests[i] != NULL)
            muster__request_free(requests[i]);
}

static void destroy(struct muster__engine *engine)
{
    const struct muster__memory *memory = engine->memory;
    free_lists(engine);
    muster__ops_free(engine);
    for (size_t i = 0; i < engine->driver_count; i++)
        muster__driver_free(muster__driver_at(engine, i));
    muster__trails_free(engine);
    muster__entries_free(engine);
    muster__commit_free(engine);
    muster__timer_fini(engine, &engine->look_timer);
    muster__timer_fini(engine, &engine->store_timer);
    muster__timer_fini(engine, &engine->down_timer);
    muster__heap_fini(&engine->timers);
    muster__heap_fini(&engine->turns);
    muster__history_clear(engine);
    muster__ready_fini(&engine->ready);
    muster__queue_fini(&engine->touched_drivers);
    muster__graph_free(engine->graph);
    muster__error_unref(engine->error);
    muster__error_unref(engine->store_error);
    muster__problems_drop(engine);
    muster__error_unref(engine->down_error);
    muster__driver_blocks_free(engine);
    muster__free(memory, engine->order);
    muster__free(memory, engine->places);
    muster__free(memory, engine->tiers);
    muster__free(memory, engine->boot_id);
    muster__free(memory, engine);
}

int muster__engine_new(const struct muster__engine_options *options, struct muster__engine **ret_engine)
{
    struct muster__engine *engine = muster__new(options->memory, struct muster__engine);
    if (engine == NULL)
        return MUSTER_ENOMEM;
    engine->options = *options;
    engine->memory = options->memory;
    engine->milestone = -1;
    engine->store = options->has_store ? MUSTER__STORE_CLOSED : MUSTER__STORE_NONE;
    init_lists(engine);
    for (int kind = 0; kind < MUSTER__TRAILS; kind++)
        engine->trails[kind].engine = engine;
    const char *boot_id = options->boot_id == NULL ? "" : options->boot_id;
    engine->boot_id = boot_id[0] == '\0' ? NULL : muster__strdup(engine->memory, boot_id);
    if ((boot_id[0] != '\0' && engine->boot_id == NULL) || muster__graph_new(engine->memory, &engine->graph) != 0 ||
        muster__timer_init(engine, &engine->look_timer, look_again) != 0 ||
        muster__timer_init(engine, &engine->store_timer, muster__store_timer_expired) != 0 ||
        muster__timer_init(engine, &engine->down_timer, muster__down_timer_expired) != 0) {
        destroy(engine);
        return MUSTER_ENOMEM;
    }
    *ret_engine = engine;
    return 0;
}

/* What waits at a resource or a record is never called back. */
int muster__engine_free(struct muster__engine *engine)
{
    if (engine == NULL)
        return 0;
    if (engine->op_count > 0) {
        char text[MUSTER__ERROR_TEXT];
        muster__op_arm(engine);
        muster__ops_name(engine, text, sizeof(text));
        return muster__refuse(engine, MUSTER_EBUSY, "ops are out: %s", text);
    }
    for (size_t i = 0; i < engine->driver_count; i++)
        while (!muster__list_empty(&muster__driver_at(engine, i)->rest->roster->resources)) {
            struct muster__list *link = muster__driver_at(engine, i)->rest->roster->resources.next;
            muster__resource_detach(muster__container(link, struct muster_resource, in_driver));
        }
    /* The host's data is released, whoever carries actions out has stopped. */
    struct muster__action action;
    muster__list_splice(&engine->actions, &engine->put_off);
    for (struct muster__list *link; (link = muster__list_pop(&engine->actions)) != NULL;) {
        struct muster__item *item = muster__container(link, struct muster__item, link);
        muster__action_fill(item, &action);
        if (item->type == MUSTER__ACTION_RELEASE && action.release != NULL)
            action.release(action.data);
        muster__action_dispose(engine, item);
    }
    if (engine->carried != NULL)
        muster__action_dispose(engine, engine->carried);
    destroy(engine);
    return 0;
}

/* ---- what others may ask ------------------------------------------------------------------------------ */

const struct muster_error *muster__engine_error(const struct muster__engine *engine)
{
    return engine->error;
}

enum muster_context_state muster__engine_state(const struct muster__engine *engine)
{
    return engine->state;
}

int muster__engine_result(const struct muster__engine *engine)
{
    return engine->result;
}

struct muster *muster__engine_context(const struct muster__engine *engine)
{
    return engine->options.context;
}

static bool holds_volatile(const struct muster_driver *driver)
{
    const struct muster__list *head = &driver->rest->roster->resources;
    for (struct muster__list *link = head->next; link != head; link = link->next) {
        struct muster_resource *resource = muster__container(link, struct muster_resource, in_driver);
        if ((resource->flags & MUSTER_VOLATILE) != 0 && muster__resource_stage(resource) == MUSTER_STAGE_ACTIVE)
            return true;
    }
    return false;
}

unsigned muster__engine_holds(const struct muster__engine *engine)
{
    unsigned holds = engine->op_count > 0 ? MUSTER_HOLDS_OPS : 0;
    if (!muster__list_empty(&engine->dirty) || engine->batch_count > 0)
        holds |= MUSTER_HOLDS_RECORDS;
    for (size_t i = 0; i < engine->driver_count; i++)
        if (holds_volatile(muster__driver_at(engine, i)))
            return holds | MUSTER_HOLDS_VOLATILE;
    return holds;
}

struct muster_driver *muster__engine_find_driver(const struct muster__engine *engine, const char *name)
{
    uint32_t id;
    return muster__graph_find(engine->graph, name, &id) ? muster__driver_at(engine, id) : NULL;
}

struct muster_resource *muster__engine_find_resource(const struct muster__engine *engine, const char *name)
{
    struct muster__entry *entry = muster__entry_find(engine, name);
    return entry == NULL ? NULL : entry->resource;
}

int muster__engine_foreach_driver(const struct muster__engine *engine, muster_driver_cb cb, void *data)
{
    int code = 0;
    for (size_t i = 0; i < engine->driver_count && code == 0; i++) {
        uint32_t id = i < engine->checked ? engine->order[i] : (uint32_t)i;
        code = cb(muster__driver_at(engine, id), data);
    }
    return code;
}

/* SPDX-License-Identifier: MIT */
/* The queue of what is to be carried out, and requests, whose ends go through it. */
#include "engine/internal.h"

void muster__action_push(struct muster__engine *engine, struct muster__item *item, enum muster__action_type type)
{
    item->type = type;
    muster__list_push(&engine->actions, &item->link);
}

void muster__action_dispose(struct muster__engine *engine, struct muster__item *item)
{
    if (item->type == MUSTER__ACTION_DONE) {
        muster__request_free(muster__container(item, struct muster__request, item));
    } else if (item->type == MUSTER__ACTION_OBSERVE) {
        struct muster__observed *observed = muster__container(item, struct muster__observed, item);
        muster__error_unref(observed->error);
        muster__free(engine->memory, observed->name);
        muster__free(engine->memory, observed);
    } else {
        muster__resource_released(engine, muster__container(item, struct muster_resource, item));
    }
}

void muster__action_fill(struct muster__item *item, struct muster__action *ret_action)
{
    *ret_action = (struct muster__action){.type = item->type};
    if (item->type == MUSTER__ACTION_DONE) {
        struct muster__request *request = muster__container(item, struct muster__request, item);
        ret_action->done = request->done;
        ret_action->code = request->code;
        ret_action->error = request->error;
    } else if (item->type == MUSTER__ACTION_OBSERVE) {
        ret_action->observation = &muster__container(item, struct muster__observed, item)->is;
    } else {
        struct muster_resource *resource = muster__container(item, struct muster_resource, item);
        ret_action->release = resource->release;
        ret_action->data = resource->data;
    }
}

static bool queued_next(struct muster__engine *engine, struct muster__action *ret_action)
{
    struct muster__list *link = muster__list_pop(&engine->actions);
    if (link == NULL)
        return false;
    engine->carried = muster__container(link, struct muster__item, link);
    muster__action_fill(engine->carried, ret_action);
    return true;
}

static bool cancel_next(struct muster__engine *engine, struct muster__action *ret_action)
{
    struct muster__list *link = muster__list_pop(&engine->cancels);
    if (link == NULL)
        return false;
    *ret_action = (struct muster__action){.type = MUSTER__ACTION_CANCEL,
                                          .op = muster__container(link, struct muster_op, cancel)};
    return true;
}

static bool wanted_next(bool *wanted, enum muster__action_type type, struct muster__action *ret_action)
{
    if (!*wanted)
        return false;
    *wanted = false;
    *ret_action = (struct muster__action){.type = type};
    return true;
}

static bool next(struct muster__engine *engine, struct muster__action *ret_action)
{
    /* Calls before commits: what they lead to at once goes into the same batch. */
    return queued_next(engine, ret_action) || cancel_next(engine, ret_action) ||
           wanted_next(&engine->load_wanted, MUSTER__ACTION_LOAD, ret_action) ||
           muster__dispatch(engine, ret_action) || queued_next(engine, ret_action) ||
           muster__commit_next(engine, ret_action) ||
           wanted_next(&engine->close_wanted, MUSTER__ACTION_CLOSE, ret_action);
}

bool muster__engine_action(struct muster__engine *engine, struct muster__action *ret_action)
{
    muster__op_arm(engine);
    if (engine->carried != NULL)
        muster__action_dispose(engine, engine->carried);
    engine->carried = NULL;
    bool found = next(engine, ret_action);
    while (!found && muster__deadlock_break(engine))
        found = next(engine, ret_action);
    return found;
}

void muster__engine_put_off(struct muster__engine *engine)
{
    muster__list_push(&engine->put_off, &engine->carried->link);
    engine->carried = NULL;
}

static bool is_about_resource(const struct muster__request *request)
{
    return request->type == MUSTER__EVENT_RESOURCE_START || request->type == MUSTER__EVENT_RESOURCE_STOP;
}

struct muster__request *muster__request_new(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster__request *request = muster__new(engine->memory, struct muster__request);
    if (request == NULL)
        return NULL;
    request->engine = engine;
    request->type = event->type;
    request->done = event->done;
    request->resource = event->resource;
    request->flags = event->number;
    request->data = event->data;
    request->cause = MUSTER_CAUSE_USER;
    engine->asked += is_about_resource(request);
    muster__list_init(&request->link);
    muster__list_init(&request->item.link);
    return request;
}

void muster__request_end(struct muster__request *request, int code, const struct muster_error *error)
{
    if (request == NULL)
        return;
    muster__list_remove(&request->link);
    request->engine->asked -= is_about_resource(request);
    if (request->done.cb == NULL) {
        muster__request_free(request);
        return;
    }
    if (request->error == NULL) { /* else it was known before it was durable */
        request->code = code;
        request->error = muster__error_ref(error);
    }
    muster__action_push(request->engine, &request->item, MUSTER__ACTION_DONE);
}

void muster__request_free(struct muster__request *request)
{
    muster__list_remove(&request->link);
    muster__error_unref(request->error);
    muster__free(request->engine->memory, request);
}

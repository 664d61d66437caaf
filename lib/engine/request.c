/* SPDX-License-Identifier: MIT */
/* What users ask of resources: before the barrier it queues; then each resource has one under way, and a line. */
#include "engine/internal.h"

#include <stdio.h>
#include <string.h>

static void line_up(struct muster__request *request)
{
    struct muster_resource *resource = request->resource;
    if (!muster__list_empty(&resource->requests) || !muster__resource_at_rest(resource))
        request->waited = true;
    muster__list_push(&resource->requests, &request->link);
    resource->settled = false; /* now, not at its next look: others may be looked at before */
    if (request->type == MUSTER__EVENT_RESOURCE_STOP && resource->op != NULL &&
        resource->op->phase == MUSTER_PHASE_START)
        muster__op_cancel(resource->op);
    muster__resource_touch(resource);
}

int muster__resource_request_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_resource *resource = event->resource;
    if (engine->state == MUSTER_STATE_NEW || muster__going_down(engine))
        return muster__refuse(engine, MUSTER_ESTATE, "resource '%s': the context is %s", resource->entry->node.key,
                              muster_state_name(engine->state));
    if (resource->driver->id >= engine->checked)
        return muster__refuse(engine, MUSTER_ESTATE, "resource '%s': its driver was added, and is not brought up yet",
                              resource->entry->node.key);
    struct muster__request *request = muster__request_new(engine, event);
    if (request == NULL)
        return muster__refuse(engine, MUSTER_ENOMEM, "resource '%s': out of memory", resource->entry->node.key);
    if (engine->begun && muster__barrier_open(resource->driver)) {
        line_up(request);
    } else {
        request->waited = true;
        muster__list_push(&engine->queued, &request->link);
    }
    return 0;
}

int muster__request_cascade(struct muster_resource *resource, enum muster__event_type type, uint64_t flags)
{
    struct muster__engine *engine = resource->engine;
    const struct muster__event event = {.type = type, .resource = resource, .number = flags};
    struct muster__request *request = muster__request_new(engine, &event);
    if (request == NULL)
        return MUSTER_ENOMEM;
    request->cause = MUSTER_CAUSE_CASCADE;
    line_up(request);
    return 0;
}

static bool has_queued(const struct muster_resource *resource, enum muster__event_type type)
{
    const struct muster__list *head = &resource->requests;
    for (struct muster__list *link = head->next; link != head; link = link->next)
        if (muster__container(link, struct muster__request, link)->type == type)
            return true;
    return false;
}

static bool has_request(const struct muster_resource *resource, enum muster__event_type type)
{
    return (resource->request != NULL && resource->request->type == type) || has_queued(resource, type);
}

bool muster__request_is_stopping(const struct muster_resource *resource)
{
    return has_request(resource, MUSTER__EVENT_RESOURCE_STOP);
}

void muster__request_done(struct muster_resource *resource, int code, const struct muster_error *error)
{
    struct muster__request *request = resource->request;
    if (request == NULL)
        return;
    resource->request = NULL;
    muster__request_end(request, code, error);
    muster__resource_touch(resource);
}

void muster__request_done_durably(struct muster_resource *resource, int code, const struct muster_error *error)
{
    struct muster__request *request = resource->request;
    if (request == NULL || muster__entry_durable(resource->engine, resource->entry)) {
        muster__request_done(resource, code, error);
        return;
    }
    resource->request = NULL;
    request->code = code;
    request->error = muster__error_ref(error);
    muster__list_push(&resource->entry->waiters, &request->link);
    muster__resource_touch(resource);
}

static void done_with(struct muster_resource *resource, struct muster_error *error)
{
    muster__request_done(resource, error->code, error);
    muster__error_unref(error);
}

/* ---- start -------------------------------------------------------------------------------------------------- */

/* The names of what isn't active, and the first one's reason. */
static struct muster_error *inactive_needs(struct muster_resource *resource)
{
    struct muster_error *first = NULL;
    char names[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < resource->edge_count; i++) {
        struct muster__edge *edge = &resource->edges[i];
        if (!edge->need || muster__edge_state(edge) == MUSTER__EDGE_ACTIVE)
            continue;
        if (first == NULL)
            first = muster__edge_error(edge);
        else if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, ", %s", edge->to->node.key);
    }
    if (first == NULL)
        return NULL;
    struct muster_error *error = muster__error_new(
        resource->engine->memory, MUSTER_EDEPENDENCY, first, used == 0 ? "%s '%s': start%s" : "%s '%s': start (also%s)",
        muster_driver_name(resource->driver), resource->name, used == 0 ? "" : names + 1);
    muster__error_unref(first);
    return error;
}

/* Ask what it needs to start, too. What can't be asked will show when the wait for it is stuck. */
static struct muster_error *start_needs(struct muster_resource *resource)
{
    for (size_t i = 0; i < resource->edge_count; i++) {
        struct muster__edge *edge = &resource->edges[i];
        struct muster_resource *to = edge->to->resource;
        if (!edge->need || muster__edge_state(edge) != MUSTER__EDGE_SETTLED || to == NULL ||
            has_request(to, MUSTER__EVENT_RESOURCE_START))
            continue;
        if (muster__request_cascade(to, MUSTER__EVENT_RESOURCE_START, MUSTER_START_DEPENDENCIES) != 0)
            return muster__error_new(resource->engine->memory, MUSTER_ENOMEM, NULL, "%s '%s': start: out of memory",
                                     muster_driver_name(resource->driver), resource->name);
    }
    return NULL;
}

/* Starting it could make a second one. */
static bool is_unknown(const struct muster_resource *resource)
{
    bool maybe_ours = resource->state == MUSTER__HELD && resource->answer == MUSTER__ANSWER_FOREIGN &&
                      resource->entry->record != NULL && resource->entry->record->is.stage == MUSTER_STAGE_STARTING;
    return !resource->answered || maybe_ours;
}

/* It runs already. The caller hears so when that is durable. */
static void acknowledge_active(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    struct muster__entry *entry = resource->entry;
    if (muster__entry_acknowledged(engine, entry)) {
        muster__request_done(resource, 0, NULL);
        return;
    }
    muster__entry_write(engine, entry, muster__record_ref(entry->record));
    muster__resource_move(resource, MUSTER__ACTIVE_COMMIT);
}

static void begin_start(struct muster_resource *resource)
{
    struct muster__request *request = resource->request;
    struct muster_error *error;
    if (resource->state == MUSTER__ACTIVE) {
        acknowledge_active(resource);
        return;
    }
    if (resource->state == MUSTER__LEFT_ALONE) {
        muster__resource_move(resource, MUSTER__ADOPT_WAIT);
        return;
    }
    if (is_unknown(resource)) {
        done_with(resource, muster__error_new(resource->engine->memory, MUSTER_EUNKNOWN, resource->error,
                                              "%s '%s': start: it isn't known whether it runs",
                                              muster_driver_name(resource->driver), resource->name));
        return;
    }
    if ((request->flags & MUSTER_START_DEPENDENCIES) != 0)
        error = start_needs(resource);
    else
        error = inactive_needs(resource);
    if (error != NULL) {
        done_with(resource, error);
        return;
    }
    resource->came_from = resource->state;
    resource->decision = (struct muster__decision){.verdict = MUSTER__START_LATER, .cause = request->cause};
    resource->cause = request->cause;
    resource->waited = request->waited || !resource->shown_inactive; /* what isn't known now is probed */
    muster__resource_move(resource, MUSTER__START_WAIT);
}

/* ---- stop ----------------------------------------------------------------------------------------------------- */

static struct muster_error *live_dependents(const struct muster_resource *resource)
{
    char names[256];
    size_t used = 0;
    size_t count = 0;
    struct muster__list *cursor = NULL;
    for (struct muster_resource *by; (by = muster__edges_live_dependent(resource, &cursor)) != NULL; count++)
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used == 0 ? "" : ", ",
                                     by->entry->node.key);
    if (count == 0)
        return NULL;
    return muster__error_new(resource->engine->memory, MUSTER_EDEPENDENCY, NULL,
                             "%s '%s': stop: needed by %s: stop %s first, or cascade",
                             muster_driver_name(resource->driver), resource->name, names, count == 1 ? "it" : "them");
}

static struct muster_error *unknown_dependent(const struct muster_resource *resource)
{
    struct muster__list *cursor = NULL;
    for (struct muster_resource *by; (by = muster__edges_live_dependent(resource, &cursor)) != NULL;)
        if (by->state == MUSTER__NEW)
            return muster__error_new(resource->engine->memory, MUSTER_EDEPENDENCY, by->driver->rest->error,
                                     "%s '%s': stop: %s needs it, and it isn't known yet whether that runs",
                                     muster_driver_name(resource->driver), resource->name, by->entry->node.key);
    return NULL;
}

/* One that is going to be refused asks nobody: in a circle of dependencies, each would ask the other for ever. */
static struct muster_error *stop_dependents(const struct muster_resource *resource)
{
    struct muster__list *cursor = NULL;
    struct muster_error *error = unknown_dependent(resource);
    if (error != NULL || muster__store_refuses(resource->engine) != NULL)
        return error;
    for (struct muster_resource *by; (by = muster__edges_live_dependent(resource, &cursor)) != NULL;)
        if (!muster__request_is_stopping(by) &&
            muster__request_cascade(by, MUSTER__EVENT_RESOURCE_STOP, MUSTER_STOP_CASCADE) != 0)
            return muster__error_new(resource->engine->memory, MUSTER_ENOMEM, NULL, "%s '%s': stop: out of memory",
                                     muster_driver_name(resource->driver), resource->name);
    return NULL;
}

static void begin_stop(struct muster_resource *resource)
{
    bool cascade = (resource->request->flags & MUSTER_STOP_CASCADE) != 0;
    struct muster_error *error = cascade ? stop_dependents(resource) : live_dependents(resource);
    if (error != NULL) {
        done_with(resource, error);
        return;
    }
    resource->cause = resource->request->cause;
    muster__stop_begin(resource);
}

/* ---- the line --------------------------------------------------------------------------------------------------- */

static struct muster__request *first_in_line(const struct muster_resource *resource)
{
    return muster__container(resource->requests.next, struct muster__request, link);
}

/*
 * A stop waits neither for a start that has not been called nor for an adoption, nor for starts in the line before it: what these
 * wait for may be waiting for this very stop.
 */
static void make_way(struct muster_resource *resource)
{
    bool adopts = resource->state == MUSTER__ADOPT_WAIT;
    bool starts = resource->op == NULL && (resource->state == MUSTER__START_READY ||
                                           (resource->state == MUSTER__START_WAIT && resource->request != NULL));
    if ((!adopts && !starts) || !has_queued(resource, MUSTER__EVENT_RESOURCE_STOP))
        return;
    while (first_in_line(resource)->type != MUSTER__EVENT_RESOURCE_STOP)
        muster__request_end(first_in_line(resource), MUSTER_ECANCELED, NULL);
    if (starts) {
        muster__start_withdraw(resource);
        return;
    }
    muster__request_done(resource, MUSTER_ECANCELED, NULL);
    muster__resource_move(resource, MUSTER__HELD);
}

/* An op past its deadline may never end, a driver that has fallen may never come: who waits for that hears it now. */
static void end_all(struct muster_resource *resource, const struct muster_error *cause)
{
    const struct muster__memory *memory = resource->engine->memory;
    while (!muster__list_empty(&resource->requests)) {
        struct muster__request *request = muster__container(resource->requests.next, struct muster__request, link);
        bool starts = request->type == MUSTER__EVENT_RESOURCE_START;
        struct muster_error *error = muster__error_new(
            memory, starts ? MUSTER_EUNKNOWN : MUSTER_EBUSY, cause, "%s '%s': %s",
            muster_driver_name(resource->driver), resource->name, starts ? "start" : "stop");
        muster__request_end(request, error->code, error);
        muster__error_unref(error);
    }
}

void muster__requests_look(struct muster_resource *resource)
{
    if (muster__list_empty(&resource->requests) || muster__going_down(resource->engine))
        return;
    if (resource->op != NULL && resource->op->timed_out) {
        end_all(resource, resource->error);
        return;
    }
    if (resource->state == MUSTER__NEW && resource->driver->rest->error != NULL) {
        end_all(resource, resource->driver->rest->error);
        return;
    }
    make_way(resource);
    struct muster__request *next = first_in_line(resource);
    if (!muster__resource_at_rest(resource) || !muster__list_empty(&resource->entry->waiters))
        return;
    muster__list_remove(&next->link);
    resource->request = next;
    if (next->type == MUSTER__EVENT_RESOURCE_START)
        begin_start(resource);
    else
        begin_stop(resource);
}

void muster__requests_release(struct muster__engine *engine)
{
    for (struct muster__list *link = engine->queued.next; link != &engine->queued;) {
        struct muster__request *request = muster__container(link, struct muster__request, link);
        link = link->next;
        if (!muster__barrier_open(request->resource->driver))
            continue;
        muster__list_remove(&request->link);
        line_up(request);
    }
}

static void cancel_list(struct muster__list *list)
{
    while (!muster__list_empty(list))
        muster__request_end(muster__container(list->next, struct muster__request, link), MUSTER_ECANCELED, NULL);
}

void muster__requests_cancel(struct muster__engine *engine)
{
    cancel_list(&engine->queued);
    for (size_t i = 0; i < engine->driver_count; i++) {
        struct muster__list *head = &muster__driver_at(engine, i)->rest->roster->resources;
        for (struct muster__list *link = head->next; link != head; link = link->next) {
            struct muster_resource *resource = muster__container(link, struct muster_resource, in_driver);
            cancel_list(&resource->requests);
            if (resource->op == NULL && muster__resource_not_begun(resource))
                muster__request_done(resource, MUSTER_ECANCELED, NULL);
        }
    }
}

void muster__requests_forget(struct muster_resource *resource)
{
    struct muster__list *head = &resource->engine->queued;
    for (struct muster__list *link = head->next; link != head;) {
        struct muster__request *request = muster__container(link, struct muster__request, link);
        link = link->next;
        if (request->resource == resource)
            muster__request_end(request, MUSTER_ECANCELED, NULL);
    }
    cancel_list(&resource->requests);
    muster__request_done(resource, MUSTER_ECANCELED, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Going down: by a shutdown of the daemon or of the host, or because an essential driver failed. */
#include "engine/internal.h"

#include <stdio.h>

typedef void (*visitor)(struct muster_resource *resource);

static void each_resource(struct muster__engine *engine, visitor visit)
{
    for (size_t i = 0; i < engine->driver_count; i++) {
        struct muster__list *head = &muster__driver_at(engine, i)->rest->roster->resources;
        for (struct muster__list *link = head->next; link != head;) {
            struct muster_resource *resource = muster__container(link, struct muster_resource, in_driver);
            link = link->next;
            visit(resource);
        }
    }
}

/* ---- the begin ---------------------------------------------------------------------------------------------- */

bool muster__resource_not_begun(const struct muster_resource *resource)
{
    return resource->state == MUSTER__START_WAIT || resource->state == MUSTER__START_READY ||
           resource->state == MUSTER__ADOPT_WAIT || resource->state == MUSTER__PROBE;
}

/* What was asked for and has not been called isn't called any more. */
static void withdraw(struct muster_resource *resource)
{
    bool host = resource->engine->down_cause == MUSTER_CAUSE_HOST_SHUTDOWN;
    if (resource->op != NULL)
        return;
    switch (resource->state) {
    case MUSTER__START_READY:
    case MUSTER__STARTING:
        muster__start_withdraw(resource);
        break;
    case MUSTER__STOP_COMMIT:
    case MUSTER__STOP_WAIT:
    case MUSTER__STOPPING:
        if (!host && resource->request != NULL)
            muster__stop_withdraw(resource);
        break;
    default:
        break;
    }
}

static void begin_down(struct muster__engine *engine, enum muster_cause cause, enum muster_context_state state)
{
    engine->down_cause = cause;
    engine->down_phase = MUSTER__DOWN_OPS;
    engine->down_code = 0;
    muster__set_state(engine, state);
    muster__requests_cancel(engine);
    muster__milestones_cancel(engine, MUSTER_ECANCELED, NULL);
    muster__request_end(engine->reload, MUSTER_ECANCELED, NULL);
    engine->reload = NULL;
    muster__dispatch_clear(engine);
    muster__op_cancel_all(engine);
    each_resource(engine, withdraw);
    muster__history_ending(engine);
    muster__commit_hurry(engine);
    muster__timer_set(engine, &engine->down_timer, muster__time_after(engine->now, engine->options.shutdown_timeout_ms));
}

int muster__shutdown_event(struct muster__engine *engine, const struct muster__event *event)
{
    if (event->number > MUSTER_HOST_SHUTDOWN)
        return muster__refuse(engine, MUSTER_EINVAL, "there is no such kind of shutdown");
    if (muster__going_down(engine))
        return muster__refuse(engine, MUSTER_ESTATE, "shutdown: the context is %s", muster_state_name(engine->state));
    struct muster__request *request = muster__request_new(engine, event);
    if (request == NULL)
        return muster__refuse(engine, MUSTER_ENOMEM, "shutdown: out of memory");
    engine->shutdown = request;
    muster__trail_close(engine, MUSTER_ECANCELED);
    muster__trail_open(engine, MUSTER__TRAIL_SHUTDOWN);
    muster__error_replace(&engine->down_error, NULL);
    muster__problems_drop(engine);
    begin_down(engine,
               event->number == MUSTER_HOST_SHUTDOWN ? MUSTER_CAUSE_HOST_SHUTDOWN : MUSTER_CAUSE_USER,
               MUSTER_STATE_SHUTTING_DOWN);
    struct muster__request *bring_up = engine->bring_up;
    engine->bring_up = NULL;
    muster__request_end(bring_up, MUSTER_ECANCELED, NULL);
    return 0;
}

void muster__rollback(struct muster__engine *engine, const struct muster_error *error)
{
    if (muster__going_down(engine))
        return;
    muster__error_replace(&engine->down_error, muster__error_ref(error));
    begin_down(engine, MUSTER_CAUSE_ROLLBACK, MUSTER_STATE_ROLLING_BACK);
    engine->down_code = error->code;
}

/* ---- stopping what runs, for a host shutdown ------------------------------------------------------------------- */

static bool is_stopping(const struct muster_resource *resource)
{
    return muster__resource_stage(resource) == MUSTER_STAGE_STOPPING;
}

/* A stop that was asked for and has not been called is due all the more. */
static bool is_live(const struct muster_resource *resource)
{
    return is_stopping(resource) ||
           (muster__resource_stage(resource) == MUSTER_STAGE_ACTIVE && resource->state != MUSTER__LEFT_ALONE);
}

static void begin_stop(struct muster_resource *resource)
{
    if (resource->op != NULL || !is_live(resource))
        return;
    resource->user_stop = is_stopping(resource);
    /* Whatever was asked for hasn't come true: a start's record isn't durable, a stop has failed. */
    if (resource->request != NULL && !resource->user_stop)
        muster__request_done(resource, MUSTER_ECANCELED, resource->error);
    resource->host_stop = true;
    resource->cause = resource->user_stop ? resource->cause : MUSTER_CAUSE_HOST_SHUTDOWN;
    muster__stop_await(resource);
    if (resource->state == MUSTER__STOPPING) /* it had its turn before that was taken from all */
        muster__resource_move(resource, MUSTER__STOP_WAIT);
    else if (resource->user_stop)
        muster__resource_touch(resource);
    else
        muster__stop_begin(resource);
}

void muster__shutdown_late(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    bool stops_begun = engine->down_phase == MUSTER__DOWN_STOPS || engine->down_phase == MUSTER__DOWN_DRIVERS;
    if (engine->down_cause != MUSTER_CAUSE_HOST_SHUTDOWN || !stops_begun || resource->host_stop ||
        resource->driver->state == MUSTER_DRIVER_DOWN)
        return;
    engine->down_phase = MUSTER__DOWN_STOPS;
    begin_stop(resource);
}

static void touch_waiting(struct muster_resource *resource)
{
    if (resource->state == MUSTER__STOP_WAIT)
        muster__resource_touch(resource);
}

void muster__shutdown_touch(struct muster__engine *engine)
{
    each_resource(engine, touch_waiting);
}

static bool stops_are_over(const struct muster__engine *engine)
{
    for (uint32_t i = 0; i < engine->tier_count; i++)
        if (engine->tiers[i].stopping > 0)
            return false;
    return true;
}

/* ---- shutting drivers down, in reverse of the order in which they were used --------------------------------------- */

static bool has_op(const struct muster_driver *driver)
{
    const struct muster__list *head = &driver->engine->ops_out;
    for (struct muster__list *link = head->next; link != head; link = link->next)
        if (muster__container(link, struct muster_op, link)->driver == driver)
            return true;
    return false;
}

/* false: its shutdown is out. */
static bool shut_down(struct muster_driver *driver)
{
    bool calls = driver->holds && driver->rest->def.shutdown != NULL &&
                 (driver->engine->op_count == 0 || !has_op(driver));
    muster__driver_move(driver, MUSTER_DRIVER_SHUTTING_DOWN);
    driver->op_wanted = calls;
    if (!calls)
        muster__driver_move(driver, MUSTER_DRIVER_DOWN);
    else
        muster__dispatch_update(driver);
    return !calls;
}

/* Those that nothing is called of any more. One with an op out is down when that has ended. */
static void drop_drivers(struct muster__engine *engine)
{
    for (size_t i = 0; i < engine->driver_count; i++)
        if (muster__driver_at(engine, i)->state != MUSTER_DRIVER_DOWN && muster__driver_at(engine, i)->op == NULL)
            muster__driver_move(muster__driver_at(engine, i), MUSTER_DRIVER_DOWN);
}

/* false: one is under way. */
static bool shut_drivers_down(struct muster__engine *engine)
{
    while (engine->used_count > 0) {
        struct muster_driver *driver = muster__driver_at(engine, engine->used[engine->used_count - 1]);
        if (driver->state == MUSTER_DRIVER_SHUTTING_DOWN)
            return false;
        if (driver->state != MUSTER_DRIVER_DOWN && !shut_down(driver))
            return false;
        engine->used_count--;
    }
    drop_drivers(engine);
    return true;
}

static void release(struct muster_resource *resource)
{
    if (resource->op == NULL)
        muster__resource_detach(resource);
}

void muster__resources_release(struct muster__engine *engine)
{
    each_resource(engine, release);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

/* What is past its deadline may never end: it wasn't awaited. */
static void tell_what_is_out(struct muster__engine *engine)
{
    char text[MUSTER__ERROR_TEXT];
    if (engine->down_code != 0 || (engine->op_count == 0 && engine->store != MUSTER__STORE_STALLED))
        return;
    muster__ops_name(engine, text, sizeof(text));
    engine->down_code = MUSTER_ETIMEDOUT;
    struct muster_error *error = muster__error_new(engine->memory, MUSTER_ETIMEDOUT, NULL, "down, and still out: %s",
                                                   text[0] == '\0' ? "the store" : text);
    muster__error_append(&error, muster__error_ref(engine->problems));
    muster__error_replace(&engine->down_error, error);
}

static void finish(struct muster__engine *engine)
{
    tell_what_is_out(engine);
    muster__timer_clear(engine, &engine->down_timer);
    muster__entries_take_back(engine);
    struct muster__request *bring_up = engine->bring_up;
    struct muster__request *shutdown = engine->shutdown;
    engine->bring_up = engine->shutdown = NULL;
    engine->begun = false;
    engine->milestone = -1;
    engine->result = engine->down_code;
    muster__trail_close(engine, engine->down_code);
    muster__set_state(engine, MUSTER_STATE_DOWN);
    const struct muster_error *error = engine->down_error != NULL ? engine->down_error : engine->problems;
    muster__request_end(bring_up, engine->down_code, error);
    muster__request_end(shutdown, engine->down_code, error);
    muster__error_replace(&engine->error, muster__error_ref(error));
}

static bool store_is_open(const struct muster__engine *engine)
{
    return engine->store == MUSTER__STORE_IDLE || (engine->store == MUSTER__STORE_BROKEN && !engine->load_late);
}

bool muster__resources_released(const struct muster__engine *engine)
{
    return engine->state == MUSTER_STATE_DOWN ||
           (muster__going_down(engine) && engine->down_phase == MUSTER__DOWN_CLOSE);
}

void muster__ask_close(struct muster__engine *engine)
{
    engine->store = MUSTER__STORE_CLOSING;
    muster__timer_clear(engine, &engine->store_timer);
    engine->store_paused = engine->reload_wanted = false;
    engine->records_unknown = false;
    engine->close_wanted = true;
}

static void close_store(struct muster__engine *engine)
{
    muster__resources_release(engine);
    if (!store_is_open(engine)) {
        finish(engine);
        return;
    }
    engine->down_phase = MUSTER__DOWN_CLOSE;
    muster__ask_close(engine);
}

int muster__closed(struct muster__engine *engine, const struct muster__event *event)
{
    engine->store = MUSTER__STORE_CLOSED;
    if (event->code != 0) {
        /* The event's error is the caller's, and gone when this is told. */
        struct muster_error *error =
            event->error != NULL
                ? muster__error_wrap(engine->memory, event->error, "store: close")
                : muster__error_new(engine->memory, event->code, NULL, "store: close: %s", muster_code_text(event->code));
        muster__observe_store(engine, event->code, error);
        muster__error_unref(error);
    }
    if (engine->state != MUSTER_STATE_DOWN)
        finish(engine);
    return 0;
}

void muster__shutdown_look(struct muster__engine *engine)
{
    if (!muster__going_down(engine) || engine->state == MUSTER_STATE_DOWN ||
        engine->down_phase == MUSTER__DOWN_CLOSE || !muster__list_empty(&engine->touched_resources))
        return;
    if (engine->down_phase == MUSTER__DOWN_OPS) {
        if (muster__ops_awaited(engine) > 0 || !muster__commit_idle(engine))
            return;
        engine->down_phase = MUSTER__DOWN_STOPS;
        if (engine->down_cause == MUSTER_CAUSE_HOST_SHUTDOWN)
            each_resource(engine, begin_stop);
    }
    if (engine->down_phase == MUSTER__DOWN_STOPS) {
        if (!stops_are_over(engine) || muster__ops_awaited(engine) > 0 || !muster__commit_idle(engine))
            return;
        engine->down_phase = MUSTER__DOWN_DRIVERS;
    }
    if (shut_drivers_down(engine))
        close_store(engine);
}

void muster__down_timer_expired(struct muster__engine *engine, struct muster__timer *timer)
{
    char text[MUSTER__ERROR_TEXT];
    (void)timer;
    muster__ops_name(engine, text, sizeof(text));
    engine->down_code = MUSTER_ETIMEDOUT;
    struct muster_error *error = muster__error_new(
        engine->memory, MUSTER_ETIMEDOUT, engine->down_error, "not down after %llu ms; still out: %s",
        (unsigned long long)engine->options.shutdown_timeout_ms, text[0] == '\0' ? "the store" : text);
    muster__error_replace(&engine->down_error, error);
    muster__dispatch_clear(engine);
    drop_drivers(engine);
    if (engine->down_phase == MUSTER__DOWN_CLOSE)
        finish(engine);
    else
        close_store(engine);
}

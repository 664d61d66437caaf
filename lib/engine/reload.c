/* SPDX-License-Identifier: MIT */
/*
 * Reload: the drivers' reload callbacks, one after the other in the plan's order. Then what they added or changed is to be
 * accounted for: whoever heard that the reload has ended finds it so after a restart, too.
 */
#include "engine/internal.h"

int muster__reload_event(struct muster__engine *engine, const struct muster__event *event)
{
    if (engine->state != MUSTER_STATE_UP || engine->reload != NULL)
        return muster__refuse(engine, MUSTER_ESTATE, "reload: %s",
                              engine->reload != NULL ? "one is under way" : "the context isn't up");
    struct muster__request *request = muster__request_new(engine, event);
    if (request == NULL)
        return muster__refuse(engine, MUSTER_ENOMEM, "reload: out of memory");
    engine->reload = request;
    engine->reload_at = 0;
    engine->reload_called = false;
    muster__trail_open(engine, MUSTER__TRAIL_RELOAD);
    muster__problems_drop(engine);
    muster__reload_next(engine);
    return 0;
}

void muster__reload_next(struct muster__engine *engine)
{
    if (engine->reload == NULL)
        return;
    while (engine->reload_at < engine->checked) {
        struct muster_driver *driver = muster__driver_at(engine, engine->order[engine->reload_at++]);
        if (driver->state != MUSTER_DRIVER_UP || driver->rest->def.reload == NULL || driver->op != NULL)
            continue;
        driver->op_wanted = true;
        muster__dispatch_update(driver);
        return;
    }
    engine->reload_at = 0;
    engine->reload_called = true;
    muster__reload_look(engine);
}

void muster__reload_look(struct muster__engine *engine)
{
    if (engine->reload == NULL || !engine->reload_called)
        return;
    for (; engine->reload_at < engine->checked; engine->reload_at++) {
        const struct muster_driver *driver = muster__driver_at(engine, engine->order[engine->reload_at]);
        if (driver->state == MUSTER_DRIVER_UP && muster__driver_waits_for_resources(driver))
            return;
    }
    struct muster__request *request = engine->reload;
    engine->reload = NULL;
    muster__trail_close(engine, muster_error_code(engine->problems));
    muster__request_end(request, muster_error_code(engine->problems), engine->problems);
    muster__problems_drop(engine);
}

void muster__reload_finished(struct muster_driver *driver, struct muster_op *op)
{
    struct muster_error *error = muster__op_error(op);
    if (error != NULL)
        muster__problem(driver->engine, error);
    muster__error_unref(error);
    if (!op->timed_out)
        muster__reload_next(driver->engine);
}

void muster__reload_timed_out(struct muster_driver *driver, const struct muster_error *error)
{
    muster__problem(driver->engine, error);
    muster__reload_next(driver->engine);
}

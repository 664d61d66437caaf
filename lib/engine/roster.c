/* SPDX-License-Identifier: MIT */
/* A driver's resources, and which of them are to be called. */
#include "engine/internal.h"

static void pause_expired(struct muster__engine *engine, struct muster__timer *timer)
{
    (void)engine;
    muster__dispatch_update(muster__container(timer, struct muster__roster, start_pause)->driver);
}

static void init_roster(struct muster__roster *roster, const struct muster__memory *memory)
{
    muster__list_init(&roster->resources);
    muster__heap_init(&roster->probes, memory);
    muster__heap_init(&roster->starts, memory);
    muster__heap_init(&roster->calls, memory);
}

void muster__roster_init_empty(struct muster__engine *engine)
{
    init_roster(&engine->empty_roster, engine->memory);
}

int muster__driver_roster(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    if (driver->rest->roster != &engine->empty_roster)
        return 0;
    struct muster__roster *roster = muster__new(engine->memory, struct muster__roster);
    if (roster == NULL || muster__heap_reserve(&engine->turns) != 0)
        goto free_roster;
    if (muster__timer_init(engine, &roster->start_pause, pause_expired) != 0)
        goto unreserve_turn;
    init_roster(roster, engine->memory);
    roster->driver = driver;
    driver->rest->roster = roster;
    return 0;

unreserve_turn:
    muster__heap_unreserve(&engine->turns);
free_roster:
    muster__free(engine->memory, roster);
    return MUSTER_ENOMEM;
}

void muster__roster_free(struct muster__engine *engine, struct muster__roster *roster)
{
    if (roster == &engine->empty_roster)
        return;
    muster__heap_remove(&engine->turns, &roster->turn);
    muster__heap_unreserve(&engine->turns);
    muster__timer_fini(engine, &roster->start_pause);
    muster__heap_fini(&roster->probes);
    muster__heap_fini(&roster->starts);
    muster__heap_fini(&roster->calls);
    muster__free(engine->memory, roster);
}

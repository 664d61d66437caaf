/* SPDX-License-Identifier: MIT */
/*
 * Deadlocks. Starts wait for what they need, stops for what needs them: the rules see to it that nothing waits for itself in
 * the end. Should it do so all the same, one of those who wait is told, rather than that all wait for ever.
 */
#include "engine/internal.h"

static bool store_is_at_work(const struct muster__engine *engine)
{
    switch (engine->store) {
    case MUSTER__STORE_NONE:
    case MUSTER__STORE_CLOSED:
    case MUSTER__STORE_BROKEN:
        return false;
    case MUSTER__STORE_IDLE: /* all that could be committed has been taken */
        return engine->store_paused;
    default:
        return true;
    }
}

/* Is something under way whose end the engine will hear of? */
static bool goes_on(const struct muster__engine *engine)
{
    return muster__ops_awaited(engine) > 0 || store_is_at_work(engine) || engine->look_timer.node.place != 0;
}

static bool is_awaited(const struct muster__engine *engine)
{
    return !muster__going_down(engine) && (engine->asked > 0 || engine->bring_up != NULL || engine->reload != NULL);
}

static bool waits(const struct muster_resource *resource)
{
    return resource->state == MUSTER__START_WAIT || resource->state == MUSTER__STOP_WAIT ||
           resource->state == MUSTER__ADOPT_WAIT || resource->state == MUSTER__NEW;
}

/* It has its turn before it, perhaps after a pause. (One whose op hangs has not.) */
static bool moves(const struct muster_resource *resource)
{
    return resource->op == NULL && !waits(resource) && !muster__resource_is_resting(resource);
}

/* Who is told first: requests before what goes by itself, starts before stops. An adoption never, for its guest lives. */
enum { RANKS = 4 };

static int rank(const struct muster_resource *resource)
{
    bool stops = resource->state == MUSTER__STOP_WAIT;
    if (resource->op != NULL || resource->stuck || resource->deadlocked || (!stops && resource->state != MUSTER__START_WAIT))
        return RANKS;
    return 2 * (resource->request == NULL) + stops;
}

/* NULL: there is none, or something moves. */
static struct muster_resource *find_victim(const struct muster__engine *engine)
{
    struct muster_resource *victim = NULL;
    for (size_t i = 0; i < engine->driver_count; i++) {
        const struct muster__list *head = &muster__driver_at(engine, i)->rest->roster->resources;
        for (const struct muster__list *link = head->next; link != head; link = link->next) {
            struct muster_resource *resource = muster__container(link, struct muster_resource, in_driver);
            if (moves(resource))
                return NULL;
            if (rank(resource) < (victim == NULL ? RANKS : rank(victim)))
                victim = resource;
        }
    }
    return victim;
}

bool muster__deadlock_break(struct muster__engine *engine)
{
    struct muster_resource *victim = is_awaited(engine) && !goes_on(engine) ? find_victim(engine) : NULL;
    if (victim == NULL)
        return false;
    victim->deadlocked = true;
    engine->deadlocks++;
    muster__resource_touch(victim);
    muster__settle(engine);
    return true;
}

struct muster_error *muster__deadlock_error(const struct muster_resource *resource, const char *what,
                                            struct muster_error *waits_for)
{
    struct muster_error *error = muster__error_new(resource->engine->memory, MUSTER_EDEPENDENCY, waits_for,
                                                   "%s '%s': %s: nothing that it waits for goes on",
                                                   muster_driver_name(resource->driver), resource->name, what);
    muster__error_unref(waits_for);
    return error;
}

size_t muster__engine_deadlocks(const struct muster__engine *engine)
{
    return engine->deadlocks;
}

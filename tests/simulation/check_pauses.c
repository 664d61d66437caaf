/* SPDX-License-Identifier: MIT */
/* "UNAVAILABLE defers: tried again with backoff." What must hold of the time between two tries that nobody has asked for. */
#include "world.h"

static struct pause *pause_of(const struct played *played)
{
    return played->resource != NULL ? &played->resource->pause : &played->driver->pause;
}

/* It has to be tried again. */
static bool is_in_vain(const struct played *played, int outcome)
{
    switch (played->phase) {
    case MUSTER_PHASE_PROBE:
        return outcome <= 0 || outcome == MUSTER_UNAVAILABLE;
    case MUSTER_PHASE_INITIALIZE:
    case MUSTER_PHASE_RECONCILE:
    case MUSTER_PHASE_START:
        return outcome == MUSTER_UNAVAILABLE;
    default:
        return false;
    }
}

void check_see_try(struct world *world, const struct played *played, int outcome)
{
    struct pause *pause = pause_of(played);
    if (!is_in_vain(played, outcome)) {
        *pause = (struct pause){0};
        return;
    }
    if (world->user_step > pause->step) /* users have come between: it counts from here */
        pause->tries = 0;
    if (played->called_step >= world->user_step) /* else it may be called again at once */
        pause->tries++;
    pause->since = world->now;
    pause->step = world->steps;
}

/* What is asked for waits for nothing, and may have been asked for long ago. */
static bool was_asked(const struct world *world, const struct played *played)
{
    bool queued = false;
    for (unsigned i = 0; played->resource != NULL && i < world->request_count; i++)
        queued = queued || (world->requests[i].accepted && world->requests[i].type != MUSTER__EVENT_BRING_UP &&
                            world->requests[i].type != MUSTER__EVENT_WHEN);
    return queued || world->user_step > pause_of(played)->step;
}

void check_pause(struct world *world, const struct played *played)
{
    const struct pause *pause = pause_of(played);
    uint64_t least = world->options.retry_min_ms;
    if (pause->tries == 0 || played->phase == MUSTER_PHASE_STOP || played->phase == MUSTER_PHASE_SHUTDOWN)
        return;
    for (unsigned i = 1; i < pause->tries && least < world->options.retry_max_ms; i++)
        least *= 2;
    if (least > world->options.retry_max_ms)
        least = world->options.retry_max_ms;
    if (world->now - pause->since < least && !was_asked(world, played))
        world_fail(world, "%s is tried again %llu ms after try %u was in vain",
                   played->resource != NULL ? played->resource->full : played->driver->is.name,
                   (unsigned long long)(world->now - pause->since), pause->tries);
}

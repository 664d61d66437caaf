/* SPDX-License-Identifier: MIT */
/* How ops and the store's jobs go where no script tells: drawn from the world's seed. */
#include "world.h"

#include <errno.h>

static uint64_t draw_delay(struct world *world)
{
    unsigned kind = rng_below(&world->rng, 100);
    if (kind < world->chances.slow)
        return 100 + rng_below(&world->rng, 6000);
    return 1 + rng_below(&world->rng, kind < 60 ? 10 : 100);
}

static bool may_skip(enum muster_phase phase)
{
    return phase == MUSTER_PHASE_INITIALIZE;
}

static bool may_be_unavailable(enum muster_phase phase)
{
    return phase == MUSTER_PHASE_INITIALIZE || phase == MUSTER_PHASE_PROBE || phase == MUSTER_PHASE_START ||
           phase == MUSTER_PHASE_RECONCILE;
}

static int draw_outcome(struct world *world, enum muster_phase phase)
{
    if (rng_chance(&world->rng, world->chances.fail))
        return -EIO;
    if (may_be_unavailable(phase) && rng_chance(&world->rng, world->chances.unavailable))
        return MUSTER_UNAVAILABLE;
    if (may_skip(phase) && rng_chance(&world->rng, world->chances.fail / 4))
        return MUSTER_SKIP;
    return 0;
}

struct turn chance_turn(struct world *world, const struct played *played)
{
    struct turn turn = {.delay = draw_delay(world)};
    turn.outcome = draw_outcome(world, played->phase);
    turn.adds = rng_chance(&world->rng, 50);
    turn.sync = rng_chance(&world->rng, world->chances.sync);
    if (turn.sync)
        return turn;
    turn.heeds_cancel = rng_chance(&world->rng, 70);
    if (rng_chance(&world->rng, 60))
        turn.effect = 1 + rng_below(&world->rng, (unsigned)turn.delay);
    if (rng_chance(&world->rng, world->chances.hang)) {
        turn.delay = 3000 + rng_below(&world->rng, 20000);
        turn.never = rng_chance(&world->rng, 10);
    }
    if (rng_chance(&world->rng, world->chances.twice))
        turn.twice_after = 1 + rng_below(&world->rng, 20);
    if (rng_chance(&world->rng, world->chances.twice)) {
        turn.extend_at = 1 + rng_below(&world->rng, (unsigned)turn.delay);
        turn.extend_ms = rng_below(&world->rng, 5000);
    }
    return turn;
}

struct store_turn chance_store_turn(struct world *world, enum store_job_kind kind)
{
    struct store_turn turn = {.delay = 1 + rng_below(&world->rng, rng_chance(&world->rng, 90) ? 5 : 300)};
    turn.lands = rng_chance(&world->rng, 50);
    if (!rng_chance(&world->rng, world->chances.store))
        return turn;
    static const int codes[] = {MUSTER_EAGAIN, MUSTER_EINDETERMINATE, MUSTER_EIO, MUSTER_EFENCED};
    unsigned drawn = rng_below(&world->rng, 10);
    if (drawn == 9)
        turn.delay = 5000 + rng_below(&world->rng, 10000);
    else if (kind == STORE_COMMIT)
        turn.code = codes[drawn == 8 ? 3 : drawn % 3];
    else
        turn.code = MUSTER_EIO;
    turn.applied = turn.code == MUSTER_EINDETERMINATE && rng_chance(&world->rng, 50);
    return turn;
}

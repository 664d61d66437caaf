/* SPDX-License-Identifier: MIT */
/*
 * How ops and the store's jobs go: drawn from the scenario's seed and from what the op is (life, phase, name, the
 * how-manieth), so
 * that one op's turn doesn't depend on another's.
 */
#include "scenario.h"

#include <errno.h>
#include <string.h>

static struct rng rng_of(uint64_t seed, uint64_t life, uint64_t what, uint64_t nth)
{
    return (struct rng){muster__hash_mix(seed ^ muster__hash_mix(life + 1, 0xa0761d6478bd642fu),
                                         muster__hash_mix(what, nth + 0xe7037ed1a0b428dbu) ^ 0x8ebc6af09c88c6e3u)};
}

static uint64_t draw_delay(struct rng *rng, const struct chances *chances)
{
    unsigned kind = rng_below(rng, 100);
    if (kind < chances->slow)
        return 100 + rng_below(rng, 6000);
    return 1 + rng_below(rng, kind < 60 ? 10 : 100);
}

static bool may_be_unavailable(enum muster_phase phase)
{
    return phase == MUSTER_PHASE_INITIALIZE || phase == MUSTER_PHASE_PROBE || phase == MUSTER_PHASE_START ||
           phase == MUSTER_PHASE_RECONCILE;
}

static int draw_outcome(struct rng *rng, const struct chances *chances, enum muster_phase phase)
{
    if (rng_chance(rng, chances->fail))
        return -EIO;
    if (may_be_unavailable(phase) && rng_chance(rng, chances->unavailable))
        return MUSTER_UNAVAILABLE;
    if (phase == MUSTER_PHASE_INITIALIZE && rng_chance(rng, chances->fail / 4))
        return MUSTER_SKIP;
    return 0;
}

static bool may_lie(const struct played *played)
{
    return played->phase == MUSTER_PHASE_PROBE || played->phase == MUSTER_PHASE_START ||
           played->phase == MUSTER_PHASE_STOP;
}

static struct turn draw_turn(struct rng *rng, const struct chances *chances, const struct played *played)
{
    struct turn turn = {.delay = draw_delay(rng, chances)};
    turn.outcome = draw_outcome(rng, chances, played->phase);
    turn.adds = rng_chance(rng, 50);
    turn.effective = turn.outcome < 0 && rng_chance(rng, chances->effective);
    turn.lies = turn.outcome == 0 && may_lie(played) && rng_chance(rng, chances->lie);
    turn.sync = rng_chance(rng, chances->sync);
    if (turn.sync)
        return turn;
    if (played->phase == MUSTER_PHASE_START && rng_chance(rng, chances->limbo))
        turn.limbo = 1 + rng_below(rng, 3000);
    turn.heeds_cancel = rng_chance(rng, 70);
    if (rng_chance(rng, 60))
        turn.effect = 1 + rng_below(rng, (unsigned)turn.delay);
    if (rng_chance(rng, chances->hang)) {
        turn.delay = 3000 + rng_below(rng, 20000);
        turn.never = rng_chance(rng, 10);
    }
    if (rng_chance(rng, chances->twice))
        turn.twice_after = 1 + rng_below(rng, 20);
    if (rng_chance(rng, chances->twice)) {
        turn.extend_at = 1 + rng_below(rng, (unsigned)turn.delay);
        turn.extend_ms = rng_below(rng, 5000);
    }
    return turn;
}

struct turn chance_turn(const struct scenario *scenario, uint64_t life, const struct played *played)
{
    const struct muster__table_node *node = played->resource != NULL ? &played->resource->node : &played->driver->node;
    uint64_t what = node->hash ^ ((uint64_t)played->phase + 1) * 0x9e3779b97f4a7c15u;
    struct rng rng = rng_of(life == 0 ? 0 : scenario->seed, life, what, played->nth);
    static const struct chances calm = {.sync = 20};
    if (life == 0)
        return (struct turn){.sync = rng_chance(&rng, calm.sync)};
    return draw_turn(&rng, &scenario->chances, played);
}

struct store_turn chance_job(const struct scenario *scenario, uint64_t life, enum store_job_kind kind, unsigned nth)
{
    if (life == 0)
        return (struct store_turn){0};
    struct rng rng = rng_of(scenario->seed, life, kind, nth);
    struct store_turn turn = {.delay = 1 + rng_below(&rng, rng_chance(&rng, 90) ? 5 : 300)};
    turn.lands = rng_chance(&rng, 50);
    if (!rng_chance(&rng, scenario->chances.store))
        return turn;
    static const int codes[] = {MUSTER_EAGAIN, MUSTER_EINDETERMINATE, MUSTER_EIO, MUSTER_EFENCED};
    unsigned drawn = rng_below(&rng, 10);
    if (drawn == 9)
        turn.delay = 5000 + rng_below(&rng, 10000);
    else if (kind == STORE_COMMIT)
        turn.code = codes[drawn == 8 ? 3 : drawn % 3];
    else
        turn.code = MUSTER_EIO;
    turn.applied = turn.code == MUSTER_EINDETERMINATE && rng_chance(&rng, 50);
    return turn;
}

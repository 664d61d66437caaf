/* SPDX-License-Identifier: MIT */
/* Random numbers that a seed repeats (splitmix64, public domain, Sebastiano Vigna). */
#ifndef SIMULATION_RNG_H
#define SIMULATION_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 to `bound` - 1; 0 for a bound of 0. */
static inline unsigned rng_below(struct rng *rng, unsigned bound)
{
    return bound == 0 ? 0 : (unsigned)(rng_next(rng) % bound);
}

static inline bool rng_chance(struct rng *rng, unsigned percent)
{
    return rng_below(rng, 100) < percent;
}

#endif

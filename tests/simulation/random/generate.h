/* SPDX-License-Identifier: MIT */
#ifndef SIMULATION_GENERATE_H
#define SIMULATION_GENERATE_H

#include "scenario.h"

/* How large a world is at most, and how often there is one so large. */
struct size {
    unsigned percent;
    unsigned drivers;
    unsigned resources;
    unsigned acts;
    unsigned steps;
};

/* lives.c: what happens to drivers and resources that are there. */
void generate_events(struct scenario *scenario, struct rng *rng, const struct size *size);

#endif

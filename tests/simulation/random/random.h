/* SPDX-License-Identifier: MIT */
/* Random worlds: drivers, resources, faults, users and deaths, all from one seed. */
#ifndef SIMULATION_RANDOM_H
#define SIMULATION_RANDOM_H

#include "world.h"

/* generate.c: drivers, resources, limits and chances. False: one with a mistake, which the bring-up must refuse. */
bool random_generate(struct world *world);
/* act.c: something that a user or the machine does now. */
void random_act(struct world *world);
/* What happens while there is no daemon. */
void random_interlude(struct world *world);
/*
 * predict.c: before a daemon without faults is started: what the rules say of each resource; and, when it has settled,
 * whether that has come true.
 */
void random_predict(struct world *world);
void random_compare(struct world *world);
/* run.c: one whole run. */
void random_run(struct world *world);

#endif

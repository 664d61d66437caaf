/* SPDX-License-Identifier: MIT */
/* Many seeds, in processes of their own: a run may crash. */
#ifndef SIMULATION_JOBS_H
#define SIMULATION_JOBS_H

#include "scenario.h"

enum { MOST_JOBS = 64 };

struct tally {
    uint64_t runs;   /* ended */
    uint64_t steps;
    uint64_t deaths;
    uint64_t failures;
    uint64_t below;  /* all seeds below have ended, or were found broken */
    uint64_t seed;   /* the first that was found broken */
    bool interrupted;
    char kind[512]; /* its failure */
    char failure[512];
};

struct order {
    uint64_t runs;
    uint64_t seed;
    unsigned jobs;
    bool keep_going; /* after a failure */
};

/* 0, or 2 if it couldn't be done. Says how far it is on the standard error. */
int jobs_run(const struct order *order, struct tally *ret_tally);

#endif

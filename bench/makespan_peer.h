/* SPDX-License-Identifier: MIT */
/* The peer of bench/makespan: makespan_tbb.cpp where oneTBB is found, else makespan_none.c. */
#ifndef MAKESPAN_PEER_H
#define MAKESPAN_PEER_H

#include <stdint.h>

#include "work.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NULL: there is none. */
const char *peer_name(void);

/* From the first begin to the last end, in ms, with `workers` threads; the graph is built before. 0: it failed. */
double peer_makespan(const struct work *work, uint32_t workers);

#ifdef __cplusplus
}
#endif

#endif

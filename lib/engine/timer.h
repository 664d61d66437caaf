/* SPDX-License-Identifier: MIT */
/* Points in time at which the engine wants to be woken. Time comes in with the events; nobody here reads a clock. */
#ifndef MUSTER__TIMER_H
#define MUSTER__TIMER_H

#include "base/heap.h"

struct muster__engine;

struct muster__timer {
    struct muster__heap_node node;
    void (*expired)(struct muster__engine *engine, struct muster__timer *timer);
};

#endif

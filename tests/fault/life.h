/* SPDX-License-Identifier: MIT */
/*
 * A daemon's life, by the public functions alone: it comes up, serves requests, reloads, and goes down. What fails is gone on
 * with, as a host would.
 */
#ifndef TESTS_FAULT_LIFE_H
#define TESTS_FAULT_LIFE_H

#include <stddef.h>
#include <stdint.h>

#include "world.h"

struct backend {
    const char *name;
    int (*make)(const struct muster_allocator *allocator, struct muster_store **ret_store);
    /* The records outlive the daemon. */
    bool durable;
};

struct life;

/* A request. */
struct ending {
    struct life *life;
    const char *what;
    unsigned times;
    int code;
};

#define LIFE_REQUESTS 32

struct life {
    const struct backend *backend;
    const struct muster_allocator *allocator;
    const char *boot_id;
    enum muster_shutdown_kind kind;
    /* 0: the default. */
    uintptr_t shutdown_timeout_ms;
    /* Nothing may fail. Else what fails first must say that memory is short, and the rest say something. */
    bool strict;
    /*
     * Called when nothing has happened for a while: the daemon waits for memory. True: there is some now. False: there won't
     * be, and the host gives up. NULL: it doesn't happen.
     */
    bool (*starves)(void);

    struct muster *context;
    unsigned problems;
    bool gave_up;
    unsigned idle;
    struct ending endings[LIFE_REQUESTS];
    size_t asked;
};

/* The first life: web, temp and old are started, and left as they are. */
void life_begin(struct life *life);
/* All that a daemon does, from muster_new() to muster_free(). */
void life_whole(struct life *life);
/* A daemon that comes up, finds everything as the world is and as was acknowledged, and works. */
void life_after(struct life *life);

#endif

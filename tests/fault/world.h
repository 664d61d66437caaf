/* SPDX-License-Identifier: MIT */
/*
 * What a daemon manages, outside of it: five things that run or don't, and the two drivers that start and stop them, "pool" and
 * "guest". The things outlive the daemon. Whoever stops one that nobody asked to stop, or starts one that runs, is told of.
 */
#ifndef TESTS_FAULT_WORLD_H
#define TESTS_FAULT_WORLD_H

#include <stdbool.h>

#include <muster.h>

enum thing_id {
    THING_DISK,
    /* Needs the disk. */
    THING_WEB,
    /* Autostarted. */
    THING_DB,
    /* In no config: restore makes its resource of its record. */
    THING_TEMP,
    /* In the config of the first daemon alone, and of the later ones' reload. */
    THING_OLD,
    THING_LATE,
    THINGS
};

/* What was last answered to a request on it. */
enum wanted { WANTED_UNKNOWN, WANTED_ACTIVE, WANTED_INACTIVE };

struct thing {
    bool live;
    /* Which start of it: its handle. */
    unsigned start;
    enum wanted wanted;
    /* A user has asked for that. */
    bool may_stop;
};

struct world {
    struct thing things[THINGS];
    /* Nobody has forgotten the old one's config yet. */
    bool first;
    /* The machine goes down: all may be stopped. */
    bool host_shutdown;
};

extern struct world world;

/* "guest/web" */
const char *thing_name(enum thing_id id);
/* The things have gone with the machine. */
void world_reboot(void);
/* Add both drivers; 0 or the first code. */
int world_add_drivers(struct muster *context);

#endif

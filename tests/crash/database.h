/* SPDX-License-Identifier: MIT */
/* What makes sqlite do in few calls all that it does, and the same each time. */
#ifndef TESTS_CRASH_DATABASE_H
#define TESTS_CRASH_DATABASE_H

#include <muster/store.h>

/*
 * Its random numbers are those that belong to `seed`, so that what a crash leaves can be compared. Processes that come one after
 * the other need different ones: the log is told by them from an older one. Before the first store is made.
 */
void database_set_up(unsigned char seed);
/* Of a store that is open: its log is moved to the database when it has this many pages, and not a thousand. 0: as it is. */
void database_limit_log(struct muster_store *store, unsigned pages);

#endif

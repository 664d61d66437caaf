/* SPDX-License-Identifier: MIT */
/*
 * sqlite's calls to the system go through failing_calls: those of its VFS, which may be replaced, but for its syncs and its
 * shared memory: for these the methods of its files are. It never sleeps.
 */
#ifndef TESTS_FAILING_SQLITE_H
#define TESTS_FAILING_SQLITE_H

#include <sqlite3.h>

#include "support/fault.h"

/* For the whole process, once sqlite is initialized. */
void failing_sqlite_set_up(void);

/* Initialize it with an allocator that asks `fault`, which outlives it. For the whole process, before sqlite is used. */
void failing_sqlite_set_up_memory(struct fault *fault);
/* Blocks that are live in it, without what sqlite keeps for itself. */
long failing_sqlite_live(void);

#endif

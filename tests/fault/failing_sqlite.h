/* SPDX-License-Identifier: MIT */
/*
 * sqlite's calls to the system go through failing_calls: those of its VFS, which may be replaced, but for its syncs and its
 * shared memory: for these the methods of its files are. It never sleeps.
 */
#ifndef TESTS_FAILING_SQLITE_H
#define TESTS_FAILING_SQLITE_H

#include <sqlite3.h>

/* For the whole process, once sqlite is initialized. */
void failing_sqlite_set_up(void);

#endif

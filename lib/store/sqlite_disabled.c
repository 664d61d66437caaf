/* SPDX-License-Identifier: MIT */
/* In place of the sqlite store, in a build without sqlite. */
#include <muster/store.h>

int muster_store_sqlite_new(const char *file, const struct muster_allocator *allocator, struct muster_store **ret_store)
{
    (void)file;
    (void)allocator;
    (void)ret_store;
    return MUSTER_ENOTSUP;
}

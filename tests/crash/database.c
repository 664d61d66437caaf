/* SPDX-License-Identifier: MIT */
#include "database.h"

#include <stdlib.h>

#include "store/sqlite.h"
#include "store/store.h"

static unsigned char seed_byte;

static int same_bytes(sqlite3_vfs *vfs, int count, char *bytes)
{
    (void)vfs;
    for (int i = 0; i < count; i++)
        bytes[i] = (char)(seed_byte + i);
    return count;
}

void database_set_up(unsigned char seed)
{
    if (sqlite3_initialize() != SQLITE_OK)
        abort();
    seed_byte = seed;
    sqlite3_vfs_find(NULL)->xRandomness = same_bytes;
    /* Whatever it was seeded with. */
    sqlite3_randomness(0, NULL);
}

void database_limit_log(struct muster_store *store, unsigned pages)
{
    const struct muster__sqlite *sqlite = store->self;
    if (pages > 0 && sqlite->db != NULL && sqlite3_wal_autocheckpoint(sqlite->db, (int)pages) != SQLITE_OK)
        abort();
}

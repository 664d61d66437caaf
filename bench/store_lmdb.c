/* SPDX-License-Identifier: MIT */
/* LMDB with its default flags, so synchronous: a batch is one transaction; packed records under their key. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

#include "store.h"

#define MAP_BYTES ((size_t)1024 * 1024 * 1024)

struct peer {
    char directory[4096];
    MDB_env *env;
    MDB_dbi records;
};

static int failed(const char *operation, int result)
{
    return store_failed("LMDB", operation, mdb_strerror(result));
}

static int make(const char *directory, void **ret_self)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return failed("make", ENOMEM);
    snprintf(peer->directory, sizeof(peer->directory), "%s", directory);
    *ret_self = peer;
    return 0;
}

static int open_env(void *self)
{
    struct peer *peer = self;
    MDB_txn *txn = NULL;
    int result = mdb_env_create(&peer->env);
    if (result == 0)
        result = mdb_env_set_mapsize(peer->env, MAP_BYTES);
    if (result == 0)
        result = mdb_env_open(peer->env, peer->directory, 0, 0600);
    if (result == 0)
        result = mdb_txn_begin(peer->env, NULL, 0, &txn);
    if (result == 0)
        result = mdb_dbi_open(txn, NULL, 0, &peer->records);
    if (result == 0)
        result = mdb_txn_commit(txn);
    return result == 0 ? 0 : failed("open", result);
}

static int put(const struct peer *peer, MDB_txn *txn, const struct muster_record *record)
{
    char name[512];
    char bytes[STORE_PACKED_MAX];
    int length = snprintf(name, sizeof(name), "%u/%s/%s", (unsigned)record->kind, record->driver, record->name);
    MDB_val key = {(size_t)length, name};
    MDB_val value = {store_pack(record, bytes), bytes};
    return mdb_put(txn, peer->records, &key, &value, 0);
}

static int commit(void *self, const struct muster_record *const *records, size_t count)
{
    struct peer *peer = self;
    MDB_txn *txn;
    int result = mdb_txn_begin(peer->env, NULL, 0, &txn);
    if (result != 0)
        return failed("begin", result);
    for (size_t i = 0; i < count && result == 0; i++)
        result = put(peer, txn, records[i]);
    if (result != 0) {
        mdb_txn_abort(txn);
        return failed("put", result);
    }
    result = mdb_txn_commit(txn);
    return result == 0 ? 0 : failed("commit", result);
}

static int load(void *self, struct store_tally *tally)
{
    struct peer *peer = self;
    struct muster_record record;
    MDB_txn *txn;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int result = mdb_txn_begin(peer->env, NULL, MDB_RDONLY, &txn);
    if (result != 0)
        return failed("begin", result);
    result = mdb_cursor_open(txn, peer->records, &cursor);
    while (result == 0 && (result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        store_unpack(value.mv_data, &record);
        store_tally_add(tally, &record);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return result == MDB_NOTFOUND ? 0 : failed("load", result);
}

static int close_env(void *self)
{
    struct peer *peer = self;
    mdb_env_close(peer->env);
    peer->env = NULL;
    return 0;
}

const struct store_subject store_lmdb = {
    .name = "LMDB",
    .about = "default flags (synchronous), one transaction a batch, packed records by kind, driver and name",
    .make = make,
    .open = open_env,
    .commit = commit,
    .load = load,
    .close = close_env,
    .free = free,
};

/* SPDX-License-Identifier: MIT */
/*
 * Calling a store. The runner uses these on the store's worker, one at a time; free is for the loop thread.
 * Each resets `error`, and when it fails leaves there a message that begins with the store's name: "journal:
 * write /var/lib/x/journal: ...".
 */
#ifndef MUSTER__STORE_H
#define MUSTER__STORE_H

#include <stdbool.h>

#include <muster/store.h>

#include "base/error.h"
#include "base/memory.h"

struct muster_store {
    struct muster__memory memory;
    struct muster_store_ops ops;
    void *self;
    /* Of the public functions, which call the store without a context. */
    bool open;
    bool read_only;
    bool loading;
    struct muster_error error;
};

bool muster__store_can_verify(const struct muster_store *store);
bool muster__store_can_compact(const struct muster_store *store);

int muster__store_open(struct muster_store *store, struct muster_error *error);
/* 0 with MUSTER_ECORRUPT in `error`: some records were lost, and are quarantined. */
int muster__store_load(struct muster_store *store, muster_load_cb cb, void *data, struct muster_error *error);
/* A positive return of the callback says nothing that can be relied on: MUSTER_EINDETERMINATE. */
int muster__store_commit(struct muster_store *store, const struct muster_record *const *records, size_t count,
                         struct muster_error *error);
int muster__store_close(struct muster_store *store, struct muster_error *error);
/* MUSTER_ENOTSUP if the store doesn't have it. Of several problems it tells the first. */
int muster__store_verify(struct muster_store *store, struct muster_error *error);
int muster__store_compact(struct muster_store *store, struct muster_error *error);
/* In a child after fork: it closes files, and frees nothing. */
void muster__store_after_fork(struct muster_store *store);
/*
 * The same as muster_store_free(): the callback destroy, then the store itself. In a child after fork it
 * alters no file.
 */
void muster__store_destroy(struct muster_store *store);

#endif

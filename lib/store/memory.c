/* SPDX-License-Identifier: MIT */
/*
 * A store that keeps its records in memory: what a store must do, and no more. See examples/custom_store.c
 * for one that knows nothing of muster's insides.
 */
#include <muster/store.h>

#include "store/live.h"

struct memory_store {
    struct muster__memory memory;
    struct muster__live live;
};

static void destroy(void *self)
{
    struct memory_store *store = self;
    struct muster__memory memory = store->memory;
    muster__live_clear(&store->live);
    muster__free(&memory, store);
}

/* Nothing to lock: nobody else can reach these records. They outlast a close. */
static int open_store(void *self, struct muster_error *error)
{
    (void)self;
    (void)error;
    return 0;
}

static int load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    const struct memory_store *store = self;
    (void)error;
    return muster__live_foreach(&store->live, cb, data);
}

static int commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct memory_store *store = self;
    struct muster__change change;
    int code = muster__live_stage(&store->live, records, count, &change);
    if (code == MUSTER_EINVAL)
        return muster_error_set(error, code, 0, "commit: a record without a driver or a name, or one that is twice in the batch");
    if (code != 0)
        return muster_error_set(error, code, 0, "commit: %s", muster_code_text(code));
    muster__live_apply(&store->live, &change);
    return 0;
}

static int close_store(void *self, struct muster_error *error)
{
    (void)self;
    (void)error;
    return 0;
}

int muster_store_memory_new(const struct muster_allocator *allocator, struct muster_store **ret_store)
{
    static const struct muster_store_ops ops = {
        .size = sizeof(ops),
        .name = "memory",
        .destroy = destroy,
        .open = open_store,
        .load = load,
        .commit = commit,
        .close = close_store,
    };
    struct muster__memory memory;
    int code = muster__memory_init(&memory, allocator);
    if (code != 0)
        return code;
    struct memory_store *store = muster__new(&memory, struct memory_store);
    if (store == NULL)
        return MUSTER_ENOMEM;
    store->memory = memory;
    muster__live_init(&store->live, &store->memory);
    code = muster_store_new(&ops, store, ret_store);
    if (code != 0)
        destroy(store);
    return code;
}

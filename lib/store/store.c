/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/def.h"
#include "base/name.h"

/* The size of the first version of struct muster_store_ops: it never grows. */
#define OPS_LEAST (offsetof(struct muster_store_ops, compact) + sizeof(int (*)(void)))

void muster_record_init(struct muster_record *record, size_t size)
{
    memset(record, 0, size);
    memcpy(record, &size, sizeof(size));
}

static bool complete(const struct muster_store_ops *ops)
{
    return ops->name != NULL && ops->destroy && ops->open && ops->load && ops->commit && ops->close;
}

int muster_store_new(const struct muster_store_ops *ops, void *self, struct muster_store **ret_store)
{
    struct muster__memory memory;
    struct muster_store_ops copy;
    if (ret_store == NULL || muster__def_copy(&copy, sizeof(copy), ops, OPS_LEAST) != 0 || !complete(&copy))
        return MUSTER_EINVAL;
    int code = muster__memory_init(&memory, NULL);
    if (code != 0)
        return code;
    struct muster_store *store = muster__new(&memory, struct muster_store);
    if (store == NULL)
        return MUSTER_ENOMEM;
    store->memory = memory;
    store->ops = copy;
    store->self = self;
    store->ops.name = muster__strdup(&memory, copy.name);
    if (store->ops.name == NULL) {
        muster__free(&memory, store);
        return MUSTER_ENOMEM;
    }
    *ret_store = store;
    return 0;
}

void muster_store_free(struct muster_store *store)
{
    if (store == NULL)
        return;
    struct muster__memory memory = store->memory;
    muster__error_unref(store->error.next);
    store->ops.destroy(store->self);
    muster__free(&memory, store->ops.name);
    muster__free(&memory, store);
}

void muster__store_destroy(struct muster_store *store)
{
    muster_store_free(store);
}

void muster__store_after_fork(struct muster_store *store)
{
    if (store->ops.after_fork != NULL)
        store->ops.after_fork(store->self);
}

bool muster__store_can_verify(const struct muster_store *store)
{
    return store->ops.verify != NULL;
}

bool muster__store_can_compact(const struct muster_store *store)
{
    return store->ops.compact != NULL;
}

/* Make what a callback left in `error` agree with the code it returned, and say whose it is. */
static int told(const struct muster_store *store, int code, struct muster_error *error)
{
    char text[MUSTER__ERROR_TEXT];
    int sys_errno = error->sys_errno;
    int shown = code == 0 ? error->code : code;
    if (shown == 0)
        return 0;
    snprintf(text, sizeof(text), "%s", error->text[0] == '\0' ? muster_code_text(shown) : error->text);
    muster_error_set(error, shown, 0, "%s: %s", store->ops.name, text);
    error->sys_errno = sys_errno;
    return code;
}

int muster__store_open(struct muster_store *store, struct muster_error *error)
{
    muster__error_init(error);
    int code = store->ops.open(store->self, error);
    return told(store, code > 0 ? MUSTER_EFAILED : code, error);
}

int muster__store_load(struct muster_store *store, muster_load_cb cb, void *data, struct muster_error *error)
{
    muster__error_init(error);
    return told(store, store->ops.load(store->self, cb, data, error), error);
}

int muster__store_commit(struct muster_store *store, const struct muster_record *const *records, size_t count,
                         struct muster_error *error)
{
    muster__error_init(error);
    int code = store->ops.commit(store->self, records, count, error);
    return told(store, code > 0 ? MUSTER_EINDETERMINATE : code, error);
}

int muster__store_close(struct muster_store *store, struct muster_error *error)
{
    muster__error_init(error);
    int code = store->ops.close(store->self, error);
    return told(store, code > 0 ? MUSTER_EFAILED : code, error);
}

static int optional(struct muster_store *store, int (*callback)(void *self, struct muster_error *error),
                    struct muster_error *error)
{
    muster__error_init(error);
    int code = callback == NULL ? MUSTER_ENOTSUP : callback(store->self, error);
    return told(store, code > 0 ? MUSTER_EFAILED : code, error);
}

int muster__store_verify(struct muster_store *store, struct muster_error *error)
{
    int code = optional(store, store->ops.verify, error);
    muster__error_unref(error->next);
    error->next = NULL;
    return code;
}

int muster__store_compact(struct muster_store *store, struct muster_error *error)
{
    return optional(store, store->ops.compact, error);
}

/* ---- without a context */

/* Ready for a call, which needs the store to be open, or not to be. */
static int begin(struct muster_store *store, bool open, const char *operation)
{
    if (store == NULL)
        return MUSTER_EINVAL;
    /* The error is the load's. */
    if (store->loading)
        return MUSTER_ESTATE;
    muster__error_unref(store->error.next);
    muster__error_init(&store->error);
    if (store->open == open)
        return 0;
    return muster_error_set(&store->error, MUSTER_ESTATE, 0, "%s: %s: the store %s", store->ops.name, operation,
                            open ? "isn't open" : "is open already");
}

static int begin_change(struct muster_store *store, const char *operation)
{
    int code = begin(store, true, operation);
    if (code != 0 || !store->read_only)
        return code;
    return muster_error_set(&store->error, MUSTER_ESTATE, 0, "%s: %s: the store is open to read only", store->ops.name,
                            operation);
}

int muster_store_open(struct muster_store *store, uintptr_t flags)
{
    int code = begin(store, false, "open");
    if (code != 0)
        return code;
    if ((flags & ~(uintptr_t)MUSTER_STORE_READ_ONLY) != 0)
        return muster_error_set(&store->error, MUSTER_EINVAL, 0, "%s: open: unknown flags", store->ops.name);
    store->read_only = flags != 0;
    if (store->read_only)
        code = optional(store, store->ops.open_read_only, &store->error);
    else
        code = muster__store_open(store, &store->error);
    store->open = code == 0;
    return code;
}

int muster_store_load(struct muster_store *store, muster_load_cb cb, void *data)
{
    if (cb == NULL)
        return MUSTER_EINVAL;
    int code = begin(store, true, "load");
    if (code != 0)
        return code;
    store->loading = true;
    code = muster__store_load(store, cb, data, &store->error);
    store->loading = false;
    return code;
}

/* A context would leave others alone. What is there may be removed; kinds to come are kept as they are. */
static int check_names(struct muster_store *store, const struct muster_record *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct muster_record *record = records[i];
        if (record->kind > MUSTER_RECORD_HISTORY || (record->flags & MUSTER_RECORD_REMOVED) != 0 ||
            (muster__driver_name_valid(record->driver) && muster__name_valid(record->name)))
            continue;
        return muster_error_set(&store->error, MUSTER_EINVAL, 0,
                                "%s: commit: '%.80s/%.80s': a driver's name and a resource's are 1 to 255 bytes of UTF-8 without "
                                "control characters, the driver's without '/'",
                                store->ops.name, record->driver == NULL ? "" : record->driver,
                                record->name == NULL ? "" : record->name);
    }
    return 0;
}

int muster_store_commit(struct muster_store *store, const struct muster_record *const *records, size_t count)
{
    if (records == NULL && count > 0)
        return MUSTER_EINVAL;
    int code = begin_change(store, "commit");
    if (code == 0)
        code = check_names(store, records, count);
    return code != 0 ? code : muster__store_commit(store, records, count, &store->error);
}

int muster_store_verify(struct muster_store *store)
{
    int code = begin(store, true, "verify");
    return code != 0 ? code : optional(store, store->ops.verify, &store->error);
}

int muster_store_compact(struct muster_store *store)
{
    int code = begin_change(store, "compact");
    return code != 0 ? code : muster__store_compact(store, &store->error);
}

int muster_store_close(struct muster_store *store)
{
    int code = begin(store, true, "close");
    if (code != 0)
        return code;
    store->open = false;
    return muster__store_close(store, &store->error);
}

const struct muster_error *muster_store_get_error(const struct muster_store *store)
{
    return store == NULL ? NULL : &store->error;
}

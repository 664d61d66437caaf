/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/brackets.h"
#include "base/def.h"
#include "store/journal_json.h"

#define OPTIONS_LEAST (offsetof(struct muster_journal_options, compact_size) + sizeof(uint64_t))

void muster_journal_options_init(struct muster_journal_options *options, size_t size)
{
    memset(options, 0, size);
    memcpy(options, &size, sizeof(size));
}

/* ---- commit */

/* What a record must not be, beyond what the encoder sees: without a key, or in a line that we would refuse to read. */
static int check_records(const struct muster__journal *journal, const struct muster_record *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *extra = records[i]->extra;
        /* The record's object is two deep in its line. */
        bool deep = extra != NULL && muster__brackets_depth(extra, strlen(extra)) + 2 > journal->max_depth;
        if (deep || records[i]->driver == NULL || records[i]->name == NULL)
            return MUSTER_EINVAL;
    }
    return 0;
}

/* One batch: its records, and how they are staged. */
struct batch {
    const struct muster_record *const *records;
    size_t count;
    struct muster__change change;
};

/*
 * After a failed write or sync the file is done with: all goes to a fresh one, the staged batch too. If that
 * fails as well, the batch may still be in the old one, unless its line never got there whole.
 */
static int append_or_replace(struct muster__journal *journal, struct batch *batch, struct muster_error *error)
{
    struct muster_error second;
    uint64_t end = journal->end;
    bool whole = false;
    int code = 0;
    if (!journal->poisoned) {
        code = muster__journal_append(journal, batch->records, batch->count, &whole, error);
        if (code == 0)
            batch->change.bytes = (size_t)(journal->end - end) / batch->count;
        if (code == 0 || journal->buffer.code != 0)
            return code;
        journal->poisoned = true;
    }
    muster__error_init(&second);
    int replaced = muster__journal_replace(journal, &second);
    if (replaced == 0 || code == 0) {
        *error = second;
        code = replaced;
    }
    if (replaced != 0 && (whole || replaced == MUSTER_EINDETERMINATE)) {
        journal->indeterminate = true;
        error->code = code = MUSTER_EINDETERMINATE;
    }
    return code;
}

/*
 * After a commit that is durable: a failure changes nothing, and it is tried again when the file has grown.
 */
static void compact_if_due(struct muster__journal *journal)
{
    struct muster_error ignored;
    uint64_t end = journal->end;
    if (journal->poisoned || end <= journal->compact_size || end <= 2 * (uint64_t)journal->live.bytes ||
        end <= journal->compact_at)
        return;
    muster__error_init(&ignored);
    if (muster__journal_replace(journal, &ignored) != 0)
        journal->compact_at = end + journal->step;
}

static int commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct muster__journal *journal = self;
    struct batch batch = {.records = records, .count = count};
    if (journal->directory_fd < 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "commit: %s isn't open", journal->directory);
    if (count == 0)
        return 0;
    int code = check_records(journal, records, count);
    if (code != 0)
        return muster__journal_refused(journal, code, error);
    code = muster__live_stage(&journal->live, records, count, &batch.change);
    if (code == MUSTER_EINVAL)
        return muster_error_set(error, code, 0, "commit: a record is twice in the batch");
    if (code != 0)
        return muster__journal_refused(journal, code, error);
    code = append_or_replace(journal, &batch, error);
    muster__buffer_reset(&journal->buffer);
    if (code != 0) {
        muster__live_drop(&journal->live, &batch.change);
        return code;
    }
    muster__live_apply(&journal->live, &batch.change);
    compact_if_due(journal);
    return 0;
}

/* ---- the other callbacks */

static void forget(struct muster__journal *journal)
{
    muster__journal_close_all(journal);
    muster__live_clear(&journal->live);
    journal->poisoned = journal->indeterminate = journal->read_only = false;
}

static void destroy(void *self)
{
    struct muster__journal *journal = self;
    struct muster__memory memory = journal->memory;
    forget(journal);
    muster__buffer_fini(&journal->buffer);
    muster__free(&memory, journal->directory);
    muster__free(&memory, journal);
}

static void after_fork(void *self)
{
    muster__journal_close_all(self);
}

static int open_journal(void *self, struct muster_error *error)
{
    struct muster__journal *journal = self;
    struct muster_error ignored;
    if (journal->directory_fd >= 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "open: %s is open already", journal->directory);
    int code = muster__journal_lock(journal, error);
    if (code != 0)
        return code;
    code = muster__journal_read(journal, error);
    if (code == MUSTER_EINDETERMINATE)
        code = error->code = MUSTER_EIO;
    if (code != 0) {
        muster__error_init(&ignored);
        muster__journal_unlock(journal, &ignored);
        forget(journal);
    }
    return code;
}

static int open_read_only(void *self, struct muster_error *error)
{
    struct muster__journal *journal = self;
    if (journal->directory_fd >= 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "open: %s is open already", journal->directory);
    journal->read_only = true;
    int code = muster__journal_enter(journal, error);
    if (code == 0)
        code = muster__journal_read_only(journal, error);
    if (code != 0)
        forget(journal);
    return code;
}

/*
 * What is in memory is what was acknowledged. Where it can't be told whether the file agrees, it is made to.
 */
static int load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct muster__journal *journal = self;
    int code = 0;
    if (journal->directory_fd < 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "load: %s isn't open", journal->directory);
    if (journal->indeterminate)
        code = muster__journal_replace(journal, error);
    if (code == MUSTER_EINDETERMINATE)
        code = error->code = MUSTER_EIO;
    if (code != 0)
        return code;
    code = muster__live_foreach(&journal->live, cb, data);
    if (code == 0 && journal->lost.code != 0)
        *error = journal->lost;
    return code;
}

static int close_journal(void *self, struct muster_error *error)
{
    struct muster__journal *journal = self;
    if (journal->directory_fd < 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "close: %s isn't open", journal->directory);
    int code = journal->read_only ? 0 : muster__journal_unlock(journal, error);
    forget(journal);
    return code;
}

static int verify(void *self, struct muster_error *error)
{
    struct muster__journal *journal = self;
    if (journal->directory_fd < 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "verify: %s isn't open", journal->directory);
    return muster__journal_verify(journal, error);
}

static int compact(void *self, struct muster_error *error)
{
    struct muster__journal *journal = self;
    if (journal->directory_fd < 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "compact: %s isn't open", journal->directory);
    return muster__journal_replace(journal, error);
}

/* ---- making one */

/* Least values with which a journal can work at all. */
#define MAX_SIZE_LEAST 4096
#define MAX_DEPTH_LEAST 4

static int set_options(struct muster__journal *journal, const struct muster_journal_options *given)
{
    struct muster_journal_options options;
    MUSTER_JOURNAL_OPTIONS_INIT(&options);
    if (given != NULL && muster__def_copy(&options, sizeof(options), given, OPTIONS_LEAST) != 0)
        return MUSTER_EINVAL;
    journal->max_size = options.max_size == 0 ? (uint64_t)1 << 30 : options.max_size;
    journal->max_depth = options.max_depth == 0 ? 32 : options.max_depth;
    journal->compact_size = options.compact_size == 0 ? (uint64_t)1 << 20 : options.compact_size;
    if (journal->max_size < MAX_SIZE_LEAST || journal->max_size > SIZE_MAX / 2 || journal->max_depth < MAX_DEPTH_LEAST ||
        journal->max_depth > 1024)
        return MUSTER_EINVAL;
    return muster__memory_init(&journal->memory, options.allocator);
}

int muster__journal_new(const char *directory, const struct muster_journal_options *options,
                        const struct muster__journal_calls *calls, struct muster_store **ret_store)
{
    static const struct muster_store_ops ops = {
        .size = sizeof(ops),
        .name = "journal",
        .destroy = destroy,
        .open = open_journal,
        .load = load,
        .commit = commit,
        .close = close_journal,
        .verify = verify,
        .compact = compact,
        .open_read_only = open_read_only,
        .after_fork = after_fork,
    };
    struct muster__journal settings = {
        .calls = calls, .step = MUSTER__JOURNAL_STEP, .directory_fd = -1, .lock_fd = -1, .fd = -1};
    if (directory == NULL || directory[0] == '\0' || ret_store == NULL || set_options(&settings, options) != 0)
        return MUSTER_EINVAL;
    struct muster__journal *journal = muster__new(&settings.memory, struct muster__journal);
    if (journal == NULL)
        return MUSTER_ENOMEM;
    *journal = settings;
    journal->buffer.memory = &journal->memory;
    muster__live_init(&journal->live, &journal->memory);
    journal->directory = muster__strdup(&journal->memory, directory);
    int code = journal->directory == NULL ? MUSTER_ENOMEM : muster_store_new(&ops, journal, ret_store);
    if (code != 0)
        destroy(journal);
    return code;
}

int muster_store_journal_new(const char *directory, const struct muster_journal_options *options,
                             struct muster_store **ret_store)
{
    return muster__journal_new(directory, options, &muster__journal_system, ret_store);
}

/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/def.h"
#include "store/journal_json.h"

#define OPTIONS_LEAST (offsetof(struct muster_journal_options, compact_size) + sizeof(uint64_t))

void muster_journal_options_init(struct muster_journal_options *options, size_t size)
{
    memset(options, 0, size);
    memcpy(options, &size, sizeof(size));
}

/* ---- commit */

/* What a record must not be, beyond what the encoder sees: a line that we would refuse to read. */
static int check_records(const struct muster__journal *journal, const struct muster_record *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *extra = records[i]->extra;
        /* The record's object is two deep in its line. */
        if (extra != NULL && muster__json_depth(extra, strlen(extra)) + 2 > journal->max_depth)
            return MUSTER_EINVAL;
    }
    return 0;
}

static int encode(struct muster__journal *journal, const struct muster_record *const *records, size_t count,
                  struct muster_error *error)
{
    muster__buffer_reset(&journal->buffer);
    int code = check_records(journal, records, count);
    if (code == 0) {
        muster__journal_put_line(&journal->buffer, &journal->id, journal->next, records, count);
        code = journal->buffer.code;
    }
    if (code == MUSTER_EINVAL)
        return muster_error_set(error, code, 0,
                                "commit: a record without a key, not in UTF-8, too long, too deep, or with unknown flags");
    return code == 0 ? 0 : muster__journal_failed(journal, error, ENOMEM, "commit to", MUSTER__JOURNAL_FILE);
}

/*
 * Write space ahead, up to where `count` bytes more end or beyond: a commit must not change the size of the file. Only from
 * the last of these bytes on, which is the line's newline: the others are written next, and the sync that makes them durable
 * does the same for the space.
 */
static int grow(struct muster__journal *journal, size_t count, struct muster_error *error)
{
    uint64_t end = journal->end + count;
    if (end <= journal->size)
        return 0;
    if (end > journal->max_size)
        return muster__journal_failed(journal, error, EFBIG, "max_size is reached: write", MUSTER__JOURNAL_FILE);
    uint64_t size = (end / MUSTER__JOURNAL_STEP + 1) * MUSTER__JOURNAL_STEP;
    size = size < journal->max_size ? size : journal->max_size;
    if (muster__journal_write_blank(journal, journal->fd, end - 1, size) != 0)
        return muster__journal_failed(journal, error, errno, "write space ahead in", MUSTER__JOURNAL_FILE);
    journal->size = size;
    return 0;
}

/*
 * *ret_whole: it failed when all of the line was in the file already. The newline behind it is there before it: what was
 * written in part must not be whole for want of a newline alone.
 */
static int append(struct muster__journal *journal, bool *ret_whole, struct muster_error *error)
{
    const struct muster__buffer *line = &journal->buffer;
    *ret_whole = false;
    int code = grow(journal, line->used, error);
    if (code != 0)
        return code;
    if (muster__journal_write_all(journal, journal->fd, line->bytes, line->used - 1, journal->end) != 0)
        return muster__journal_failed(journal, error, errno, "write", MUSTER__JOURNAL_FILE);
    *ret_whole = true;
    if (journal->calls->fdatasync(journal->fd) != 0)
        return muster__journal_failed(journal, error, errno, "fdatasync", MUSTER__JOURNAL_FILE);
    journal->end += line->used;
    journal->next++;
    return 0;
}

/*
 * After a failed write or sync the file is done with: all goes to a fresh one, the staged batch too. If that
 * fails as well, the batch may still be in the old one, unless its line never got there whole.
 */
static int append_or_replace(struct muster__journal *journal, struct muster_error *error)
{
    struct muster_error second;
    bool whole = false;
    int code = 0;
    if (!journal->poisoned) {
        code = append(journal, &whole, error);
        if (code == 0)
            return 0;
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
        journal->compact_at = end + MUSTER__JOURNAL_STEP;
}

static int commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct muster__journal *journal = self;
    struct muster__change change;
    if (journal->directory_fd < 0)
        return muster_error_set(error, MUSTER_ESTATE, 0, "commit: %s isn't open", journal->directory);
    if (count == 0)
        return 0;
    int code = encode(journal, records, count, error);
    if (code != 0)
        return code;
    size_t bytes = journal->buffer.used / count;
    code = muster__live_stage(&journal->live, records, count, &change);
    if (code == MUSTER_EINVAL)
        return muster_error_set(error, code, 0, "commit: a record is twice in the batch");
    if (code != 0)
        return muster__journal_failed(journal, error, ENOMEM, "commit to", MUSTER__JOURNAL_FILE);
    code = append_or_replace(journal, error);
    muster__buffer_reset(&journal->buffer);
    if (code != 0) {
        muster__live_drop(&journal->live, &change);
        return code;
    }
    for (size_t i = 0; i < count; i++)
        if (change.entries[i] != NULL)
            change.entries[i]->staged->bytes = bytes;
    muster__live_apply(&journal->live, &change);
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
    };
    struct muster__journal settings = {.calls = calls, .directory_fd = -1, .lock_fd = -1, .fd = -1};
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

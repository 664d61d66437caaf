/* SPDX-License-Identifier: MIT */
#include "journal_check.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "memory_files.h"
#include "store/journal.h"

/* A sum over the records, whatever their order. */
struct seen {
    uint64_t sum;
    size_t count;
    size_t quarantined;
    bool has_new;
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash * 0x100000001b3 + (text == NULL);
}

static int take(void *data, const struct muster_record *record)
{
    struct seen *seen = data;
    const uint64_t numbers[] = {record->kind,  record->flags,      record->attempts, record->desired,
                                record->stage, record->generation, record->format,   record->reason};
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        hash = (hash ^ numbers[i]) * 0x9e3779b97f4a7c15;
    hash = hash_text(hash_text(hash_text(hash, record->driver), record->name), record->boot);
    hash = hash_text(hash_text(hash_text(hash, record->token), record->handle), record->extra);
    if (record->kind == 77 && strcmp(record->driver, "fuzz") == 0 && strcmp(record->name, "new") == 0) {
        seen->has_new = record->generation == 9;
        return 0;
    }
    seen->sum += hash;
    seen->count++;
    seen->quarantined += (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    return 0;
}

static struct muster_store *new_store(void)
{
    struct muster_journal_options options;
    struct muster_store *store;
    MUSTER_JOURNAL_OPTIONS_INIT(&options);
    /* Little space ahead, which would have to be scanned; enough for all that a small input can hold, written in full. */
    options.max_size = 96 << 10;
    must(muster__journal_new("state", &options, &memory_calls, &store) == 0);
    return store;
}

/* Without a close where it fails. */
static int look(uintptr_t flags, struct seen *ret_seen, int *ret_lost, int *ret_verified)
{
    struct muster_store *store = new_store();
    *ret_seen = (struct seen){0};
    int code = muster_store_open(store, flags);
    if (code == 0) {
        must(muster_store_load(store, take, ret_seen) == 0);
        *ret_lost = muster_error_code(muster_store_get_error(store));
        *ret_verified = muster_store_verify(store);
        must(muster_store_close(store) == 0);
    }
    muster_store_free(store);
    return code;
}

static void commit_new(void)
{
    struct muster_store *store = new_store();
    struct muster_record record;
    const struct muster_record *records = &record;
    MUSTER_RECORD_INIT(&record);
    record.kind = 77;
    record.driver = "fuzz";
    record.name = "new";
    record.generation = 9;
    must(muster_store_open(store, 0) == 0);
    must(muster_store_commit(store, &records, 1) == 0);
    must(muster_store_verify(store) == 0);
    must(muster_store_close(store) == 0);
    muster_store_free(store);
}

static void compact(void)
{
    struct muster_store *store = new_store();
    must(muster_store_open(store, 0) == 0);
    must(muster_store_compact(store) == 0);
    must(muster_store_close(store) == 0);
    muster_store_free(store);
}

static bool same(const struct seen *one, const struct seen *other)
{
    return one->sum == other->sum && one->count == other->count;
}

static void check_unchanged(const char *file, const void *bytes, size_t size)
{
    size_t now;
    const char *is = memory_files_get(file, &now);
    must(is != NULL && now == size && (size == 0 || memcmp(is, bytes, size) == 0));
}

/* What was loaded stays, through a commit and a compaction, with nothing more to report. */
static void check_stays(const struct seen *first)
{
    struct seen seen;
    int lost, verified;
    must(look(0, &seen, &lost, &verified) == 0 && lost == 0 && verified == 0 && same(&seen, first));
    commit_new();
    must(look(0, &seen, &lost, &verified) == 0 && lost == 0 && verified == 0 && same(&seen, first) && seen.has_new);
    compact();
    must(look(0, &seen, &lost, &verified) == 0 && lost == 0 && verified == 0 && same(&seen, first) && seen.has_new);
}

void journal_check(const void *bytes, size_t size)
{
    struct seen beside, first;
    int lost_beside = 0, lost = 0, verified = 0;
    memory_files_clear();
    memory_files_put("journal", bytes, size);
    int code = look(MUSTER_STORE_READ_ONLY, &beside, &lost_beside, &verified);
    check_unchanged("journal", bytes, size);
    must(code == 0 || code == MUSTER_ENOTSUP);
    must(lost_beside == 0 || verified != 0);
    must(look(0, &first, &lost, &verified) == code);
    if (code != 0) {
        check_unchanged("journal", bytes, size);
    } else {
        must(lost == lost_beside && same(&first, &beside) && first.quarantined == beside.quarantined && verified == 0);
        if (lost != 0)
            check_unchanged("quarantine-", bytes, size);
        check_stays(&first);
    }
    memory_files_clear();
}

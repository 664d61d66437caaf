/* SPDX-License-Identifier: MIT */
/* Checks of what a store's calls do: batches, refusals, loads, verify, compact. */
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "store/conformance.h"
#include "store/store.h"

enum { BATCH = 5 };

/* Two that are there and change, one that goes, two that come. */
static void make_batch(struct muster_record records[BATCH], uint64_t generation)
{
    static const char *const names[BATCH] = {"changes", "goes", "comes", "changes too", "comes too"};
    for (size_t i = 0; i < BATCH; i++)
        records[i] = muster__kit_record(names[i], generation + i);
    records[1].flags = MUSTER_RECORD_REMOVED;
}

static int commit_before_batch(struct muster__kit *kit)
{
    const struct muster_record records[] = {
        muster__kit_record("changes", 1),
        muster__kit_record("goes", 1),
        muster__kit_record("changes too", 1),
    };
    return muster__kit_commit(kit, records, sizeof(records) / sizeof(records[0]));
}

/* ---- batches */

static int check_batch(struct muster__kit *kit)
{
    struct muster_record records[BATCH];
    int code = commit_before_batch(kit);
    make_batch(records, 10);
    if (code == 0)
        code = muster__kit_commit(kit, records, BATCH);
    if (code == 0)
        code = muster__kit_compare(kit);
    return code != 0 ? code : muster__kit_reopen(kit);
}

/* A batch that was never there before, with one record put in at `at`, which can't be kept. */
static int refuse_batch(struct muster__kit *kit, const struct muster_record *unfit, size_t at, bool must_refuse)
{
    struct muster_record records[BATCH + 1];
    make_batch(records, 20 + BATCH * kit->step++);
    memmove(&records[at + 1], &records[at], (BATCH - at) * sizeof(records[0]));
    records[at] = *unfit;
    return muster__kit_refuse(kit, records, BATCH + 1, must_refuse);
}

static int check_refused(struct muster__kit *kit)
{
    static const size_t places[] = {BATCH, 2, 0};
    int code = commit_before_batch(kit);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && code == 0; i++) {
        struct muster_record unfit = muster__kit_record(NULL, 1);
        code = refuse_batch(kit, &unfit, places[i], true);
        unfit = muster__kit_record("no driver", 1);
        unfit.driver = NULL;
        if (code == 0)
            code = refuse_batch(kit, &unfit, places[i], true);
    }
    if (code == 0)
        code = muster__kit_reopen(kit);
    return code != 0 ? code : check_batch(kit);
}

static int refuse_text(struct muster__kit *kit, const char *text)
{
    struct muster_record unfit = muster__kit_record(text, 1);
    int code = refuse_batch(kit, &unfit, BATCH, false);
    unfit = muster__kit_record("unfit driver", 1);
    unfit.driver = text;
    if (code == 0)
        code = refuse_batch(kit, &unfit, BATCH, false);
    unfit = muster__kit_record("unfit handle", 1);
    unfit.handle = text;
    return code != 0 ? code : refuse_batch(kit, &unfit, BATCH, false);
}

static int refuse_long_handle(struct muster__kit *kit)
{
    struct muster_record unfit = muster__kit_record("too long", 1);
    char *text = muster__alloc(&kit->memory, 1, MUSTER__HANDLE_MAX + 2);
    if (text == NULL)
        return muster__kit_fail(kit, MUSTER_ENOMEM, "out of memory");
    memset(text, 'h', MUSTER__HANDLE_MAX + 1);
    unfit.handle = text;
    int code = refuse_batch(kit, &unfit, BATCH, false);
    muster__free(&kit->memory, text);
    return code;
}

static int check_unfit(struct muster__kit *kit)
{
    static const char *const texts[] = {
        "\xff", "\x80", "cut \xc3", "cut \xf0\x9f\x92", "overlong \xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xff z",
    };
    int code = commit_before_batch(kit);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && code == 0; i++)
        code = refuse_text(kit, texts[i]);
    if (code == 0)
        code = refuse_long_handle(kit);
    if (code == 0)
        code = muster__kit_reopen(kit);
    return code != 0 ? code : check_batch(kit);
}

static int check_copies(struct muster__kit *kit)
{
    struct muster_record record = muster__kit_record("first", 1);
    int code = muster__kit_commit(kit, &record, 1);
    if (code == 0)
        code = muster__kit_compare(kit);
    record = muster__kit_record("second", 1);
    record.extra = "{\"color\":\"blue\"}";
    if (code == 0)
        code = muster__kit_commit(kit, &record, 1);
    return code != 0 ? code : muster__kit_compare(kit);
}

static int check_order(struct muster__kit *kit)
{
    static const char *const names[] = {"a", "b", "c"};
    int code = 0;
    for (uint64_t i = 0; i < 48 && code == 0; i++) {
        struct muster_record record = muster__kit_record(names[(i * i + i / 5) % 3], 100 - i % 7);
        record.attempts = i;
        record.flags = i % 5 == 3 ? MUSTER_RECORD_REMOVED : 0;
        code = muster__kit_commit(kit, &record, 1);
        if (code == 0 && i % 8 == 0)
            code = muster__kit_compare(kit);
        if (code == 0 && i % 16 == 15)
            code = muster__kit_reopen(kit);
    }
    return code;
}

/* ---- loads */

static int check_load_again(struct muster__kit *kit)
{
    int code = check_batch(kit);
    for (int i = 0; i < 3 && code == 0; i++)
        code = muster__kit_compare(kit);
    return code;
}

/* A callback that ends the load. */
struct ender {
    unsigned after;
    unsigned called;
    int code;
};

static int end_load(void *data, const struct muster_record *record)
{
    struct ender *ender = data;
    (void)record;
    return ++ender->called >= ender->after ? ender->code : 0;
}

static int check_load_ended(struct muster__kit *kit)
{
    static const struct ender enders[] = {{1, 0, MUSTER_ECANCELED}, {2, 0, MUSTER_ENOMEM}, {1, 0, -5}, {2, 0, 1}};
    int code = commit_before_batch(kit);
    for (size_t i = 0; i < sizeof(enders) / sizeof(enders[0]) && code == 0; i++) {
        struct ender ender = enders[i];
        muster__error_init(&kit->error);
        int answer = kit->store->ops.load(kit->store->self, end_load, &ender, &kit->error);
        if (answer != ender.code)
            code = muster__kit_fail(kit, MUSTER_EFAILED, "load returned %d where its callback had returned %d", answer,
                                    ender.code);
        else if (ender.called != ender.after)
            code = muster__kit_fail(kit, MUSTER_EFAILED, "load went on after its callback had returned %d", ender.code);
        else
            code = muster__kit_compare(kit);
    }
    return code != 0 ? code : check_batch(kit);
}

/* ---- verify, compact */

static int verify(struct muster__kit *kit)
{
    muster__error_init(&kit->error);
    int code = kit->store->ops.verify(kit->store->self, &kit->error);
    return code != 0 ? muster__kit_failed(kit, code, "verify") : muster__kit_compare(kit);
}

static int check_verify(struct muster__kit *kit)
{
    if (!muster__store_can_verify(kit->store))
        return muster__kit_fail(kit, MUSTER_ESKIPPED, "this store has no verify");
    int code = verify(kit);
    if (code == 0)
        code = check_batch(kit);
    if (code == 0)
        code = verify(kit);
    if (code == 0)
        code = muster__kit_reopen(kit);
    return code != 0 ? code : verify(kit);
}

static int compact(struct muster__kit *kit)
{
    muster__error_init(&kit->error);
    int code = kit->store->ops.compact(kit->store->self, &kit->error);
    return code != 0 ? muster__kit_failed(kit, code, "compact") : muster__kit_compare(kit);
}

static int check_compact(struct muster__kit *kit)
{
    char name[16];
    if (!muster__store_can_compact(kit->store))
        return muster__kit_fail(kit, MUSTER_ESKIPPED, "this store has no compact");
    int code = compact(kit);
    for (uint64_t i = 0; i < 12 && code == 0; i++) {
        snprintf(name, sizeof(name), "compact %d", (int)(i * 5 % 7));
        struct muster_record record = muster__kit_record(name, i);
        record.flags = i % 4 == 3 ? MUSTER_RECORD_REMOVED : i % 4 == 1 ? MUSTER_RECORD_QUARANTINED : 0;
        record.extra = i % 4 == 2 ? "{\"color\":\"blue\"}" : NULL;
        code = muster__kit_commit(kit, &record, 1);
        if (code == 0 && i % 3 == 2)
            code = compact(kit);
        if (code == 0 && i % 6 == 5)
            code = muster__kit_reopen(kit);
    }
    return code != 0 ? code : compact(kit);
}

const struct muster__kit_check muster__kit_call_checks[] = {
    {"whole batch", check_batch, false},
    {"refused batch", check_refused, false},
    {"unfit records", check_unfit, false},
    {"copies", check_copies, false},
    {"order", check_order, false},
    {"load again", check_load_again, false},
    {"load ended", check_load_ended, false},
    {"verify", check_verify, false},
    {"compact", check_compact, false},
    {NULL, NULL, false},
};

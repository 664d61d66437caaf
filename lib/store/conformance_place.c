/* SPDX-License-Identifier: MIT */
/* Checks of the place where a store keeps its records: what survives there, and who may have it. */
#include "store/conformance.h"
#include "store/store.h"

#define THREE 3

static void make_three(struct muster_record records[THREE], uint64_t generation)
{
    records[0] = muster__kit_record("a", generation);
    records[1] = muster__kit_record("b", generation);
    records[2] = muster__kit_record("c", generation);
    records[1].flags = generation % 2 == 0 ? MUSTER_RECORD_REMOVED : 0;
    records[2].extra = "{\"color\":\"blue\"}";
}

static int commit_three(struct muster__kit *kit, uint64_t generation)
{
    struct muster_record records[THREE];
    make_three(records, generation);
    return muster__kit_commit(kit, records, THREE);
}

static int check_reopen(struct muster__kit *kit)
{
    int code = 0;
    for (uint64_t i = 1; i <= 4 && code == 0; i++) {
        code = commit_three(kit, i);
        if (code == 0)
            code = muster__kit_reopen(kit);
        if (code == 0)
            code = muster__kit_reopen(kit);
    }
    return code;
}

static int check_unused(struct muster__kit *kit)
{
    struct muster_store *unused = NULL;
    int code = commit_three(kit, 1);
    if (code == 0)
        code = muster__kit_close(kit);
    if (code == 0)
        code = muster__kit_make(kit, &unused);
    muster_store_free(unused);
    if (code == 0)
        code = muster__kit_open(kit);
    return code != 0 ? code : muster__kit_compare(kit);
}

/* ---- killed */

enum { LIVES = 3 };

/* What another process has committed. */
static int expect_three(struct muster__kit *kit, uint64_t generation)
{
    struct muster_record records[THREE];
    make_three(records, generation);
    return muster__kit_expect(kit, records, THREE);
}

static int live(struct muster__kit *kit)
{
    int code = muster__kit_open(kit);
    if (code == 0)
        code = commit_three(kit, kit->step);
    return code != 0 ? code : commit_three(kit, kit->step + 1);
}

static int check_killed(struct muster__kit *kit)
{
    int code = muster__kit_close(kit);
    for (int i = 0; i < LIVES && code == 0; i++) {
        kit->step = (uint64_t)i * 3 + 1;
        code = muster__kit_in_child(kit, live);
        if (code == 0)
            code = expect_three(kit, kit->step);
        if (code == 0)
            code = expect_three(kit, kit->step + 1);
        if (code == 0)
            code = muster__kit_open(kit);
        if (code == 0)
            code = muster__kit_compare(kit);
        if (code == 0 && i + 1 < LIVES)
            code = muster__kit_close(kit);
    }
    return code;
}

/* ---- shared */

static int must_be_busy(struct muster__kit *kit, struct muster_store *store)
{
    muster__error_init(&kit->error);
    int code = store->ops.open(store->self, &kit->error);
    if (code == 0) {
        store->ops.close(store->self, &kit->error);
        return muster__kit_fail(kit, MUSTER_EFAILED, "a second open succeeded while the first store was open");
    }
    if (code != MUSTER_EBUSY)
        return muster__kit_fail(kit, MUSTER_EFAILED, "a second open failed with %s, not with MUSTER_EBUSY: %s",
                                muster_code_name(code), kit->error.text);
    return kit->error.text[0] == '\0' ? muster__kit_failed(kit, code, "the second open") : 0;
}

/* Once the first is closed, the store that was refused opens. */
static int take_over(struct muster__kit *kit, struct muster_store *second)
{
    int code = muster__kit_close(kit);
    if (code != 0) {
        muster_store_free(second);
        return code;
    }
    kit->store = second;
    muster__error_init(&kit->error);
    code = second->ops.open(second->self, &kit->error);
    if (code != 0)
        return muster__kit_failed(kit, code, "the second open, after the first store was closed,");
    kit->open = true;
    return muster__kit_compare(kit);
}

static int check_two_opens(struct muster__kit *kit)
{
    struct muster_store *second = NULL;
    int code = commit_three(kit, 1);
    if (code == 0)
        code = muster__kit_make(kit, &second);
    if (code != 0)
        return code;
    code = must_be_busy(kit, second);
    if (code == 0)
        code = commit_three(kit, 2);
    if (code == 0)
        code = muster__kit_compare(kit);
    if (code == 0)
        return take_over(kit, second);
    muster_store_free(second);
    return code;
}

static int try_in_child(struct muster__kit *kit)
{
    struct muster_store *second = NULL;
    int code = muster__kit_make(kit, &second);
    return code != 0 ? code : must_be_busy(kit, second);
}

static int check_two_processes(struct muster__kit *kit)
{
    struct muster_store *second = NULL;
    int code = commit_three(kit, 1);
    if (code == 0)
        code = muster__kit_in_child(kit, try_in_child);
    if (code == 0)
        code = muster__kit_make(kit, &second);
    if (code == 0)
        code = must_be_busy(kit, second);
    muster_store_free(second);
    /* Some locks go when any descriptor of the file is closed. */
    if (code == 0)
        code = muster__kit_in_child(kit, try_in_child);
    if (code == 0)
        code = commit_three(kit, 2);
    if (code == 0)
        code = muster__kit_compare(kit);
    return code != 0 ? code : muster__kit_reopen(kit);
}

const struct muster__kit_check muster__kit_place_checks[] = {
    {"reopen", check_reopen, true},
    {"unused", check_unused, true},
    {"killed", check_killed, true},
    {"two opens", check_two_opens, true},
    {"two processes", check_two_processes, true},
    {NULL, NULL, false},
};

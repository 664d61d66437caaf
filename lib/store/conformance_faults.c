/* SPDX-License-Identifier: MIT */
/* Checks of what a store does when something fails under it; the definition's `fault` makes it. */
#include "base/error.h"
#include "store/conformance.h"
#include "store/store.h"

/* Of so many failures each one is tried, from then on fewer and fewer; and somewhere there is an end. */
#define DENSE 16
#define MOST 100000000

/* One operation of the store, with a failure on its way. */
struct trial {
    const char *name;
    /* Returns the store's answer. */
    int (*run)(struct muster__kit *kit);
    /* Is the store as it must be, whatever run answered? 0, or what is wrong. */
    int (*settle)(struct muster__kit *kit, int answer);
    /* It is run on a store that isn't open. */
    bool closed;
};

enum { BATCH = 3 };

/* One that changes, one that goes, one that comes: each time another version. */
static void make_batch(const struct muster__kit *kit, struct muster_record records[BATCH])
{
    static const char *const names[BATCH] = {"changes", "goes", "comes"};
    for (size_t i = 0; i < BATCH; i++)
        records[i] = muster__kit_record(names[i], 10 + kit->step);
    records[1].flags = MUSTER_RECORD_REMOVED;
}

static int commit_before(struct muster__kit *kit)
{
    struct muster_record records[] = {muster__kit_record("changes", 1), muster__kit_record("goes", 1)};
    struct muster_record comes = muster__kit_record("comes", 1);
    comes.flags = MUSTER_RECORD_REMOVED;
    int code = muster__kit_commit(kit, records, sizeof(records) / sizeof(records[0]));
    return code != 0 ? code : muster__kit_commit(kit, &comes, 1);
}

/* With nothing failing any more, the store works. */
static int goes_on(struct muster__kit *kit)
{
    int code = muster__kit_compare(kit);
    if (code == 0)
        code = commit_before(kit);
    if (code == 0)
        code = muster__kit_compare(kit);
    return code != 0 ? code : muster__kit_reopen(kit);
}

static int anew(struct muster__kit *kit)
{
    int code = muster__kit_open(kit);
    return code != 0 ? code : muster__kit_compare(kit);
}

/* ---- open */

static int run_open(struct muster__kit *kit)
{
    int code = kit->store->ops.open(kit->store->self, &kit->error);
    kit->open = code == 0;
    return code;
}

static int settle_open(struct muster__kit *kit, int answer)
{
    if (answer == MUSTER_EBUSY)
        return muster__kit_fail(kit, MUSTER_EFAILED, "open said MUSTER_EBUSY, and nobody else has the store");
    int code = muster__kit_close(kit);
    return code != 0 ? code : anew(kit);
}

/* ---- load */

/* One that says that it went well has told all. */
static int settle_load(struct muster__kit *kit, int answer)
{
    return answer == 0 && kit->found != 0 ? kit->found : muster__kit_compare(kit);
}

/* ---- commit */

static int run_commit(struct muster__kit *kit)
{
    struct muster_record records[BATCH];
    const struct muster_record *pointers[BATCH];
    make_batch(kit, records);
    for (size_t i = 0; i < BATCH; i++)
        pointers[i] = &records[i];
    return kit->store->ops.commit(kit->store->self, pointers, BATCH, &kit->error);
}

/* Whole or not at all; which of them is told by what commit returned, or by the load that comes first after it. */
static int settle_commit(struct muster__kit *kit, int answer)
{
    struct muster_record records[BATCH];
    make_batch(kit, records);
    if (answer == MUSTER_EFENCED)
        return muster__kit_fail(kit, MUSTER_EFAILED, "commit said MUSTER_EFENCED, and nobody has taken the store");
    bool whole = answer == 0;
    if (answer == MUSTER_EINDETERMINATE && muster__kit_compare(kit) != 0)
        whole = true;
    int code = whole ? muster__kit_expect(kit, records, BATCH) : 0;
    return code != 0 ? code : goes_on(kit);
}

/* ---- close, verify, compact */

static int run_close(struct muster__kit *kit)
{
    kit->open = false;
    return kit->store->ops.close(kit->store->self, &kit->error);
}

static int settle_close(struct muster__kit *kit, int answer)
{
    (void)answer;
    int code = muster__kit_close(kit);
    return code != 0 ? code : anew(kit);
}

static int run_verify(struct muster__kit *kit)
{
    return kit->store->ops.verify(kit->store->self, &kit->error);
}

static int settle_verify(struct muster__kit *kit, int answer)
{
    (void)answer;
    return muster__kit_compare(kit);
}

static int run_compact(struct muster__kit *kit)
{
    return kit->store->ops.compact(kit->store->self, &kit->error);
}

static int settle_compact(struct muster__kit *kit, int answer)
{
    (void)answer;
    return goes_on(kit);
}

/* ---- the sweep */

static int check_answer(struct muster__kit *kit, const struct trial *trial, int answer, bool failed)
{
    if (answer > 0 || (answer != 0 && kit->error.text[0] == '\0'))
        return muster__kit_failed(kit, answer, trial->name);
    if (answer != 0 && !failed)
        return muster__kit_failed(kit, answer, trial->name);
    return 0;
}

/* The text of what is wrong says after which failure. */
static int where(struct muster__kit *kit, const struct trial *trial, uint64_t count, int code)
{
    struct muster_error said;
    if (code == 0) {
        kit->text[0] = '\0';
        return 0;
    }
    muster_error_set(&said, code, 0, "%s", kit->text);
    return muster__kit_fail(kit, code, "after failure %ju in %s: %s", (uintmax_t)count, trial->name, muster_error_text(&said));
}

static int try(struct muster__kit *kit, const struct trial *trial, uint64_t count, bool *ret_failed)
{
    int code = 0;
    if (trial->closed) {
        code = muster__kit_close(kit);
        if (code == 0)
            code = muster__kit_make(kit, &kit->store);
        if (code != 0)
            return code;
    }
    kit->step++;
    muster__error_init(&kit->error);
    kit->def->fault(kit->def->data, count);
    int answer = trial->run(kit);
    *ret_failed = kit->def->fault(kit->def->data, 0) != 0;
    code = check_answer(kit, trial, answer, *ret_failed);
    return code != 0 ? code : trial->settle(kit, answer);
}

/*
 * The first thing that it does fails, then the second, and so on, until nothing is left that could fail. Where the work may
 * grow with what was committed nothing is committed on the way.
 */
static int sweep(struct muster__kit *kit, const struct trial *trial)
{
    bool failed = true;
    int code = commit_before(kit);
    for (uint64_t count = 1; failed && code == 0; count += 1 + (count < DENSE ? 0 : count / 4)) {
        if (count > MOST)
            return muster__kit_fail(kit, MUSTER_EFAILED, "after %d failures in %s there is no end: does fault count down?", MOST,
                                    trial->name);
        code = where(kit, trial, count, try(kit, trial, count, &failed));
    }
    return code != 0 ? code : goes_on(kit);
}

static int check(struct muster__kit *kit, const struct trial *trial)
{
    if (!kit->def->fault)
        return muster__kit_fail(kit, MUSTER_ESKIPPED, "the definition has no fault");
    return sweep(kit, trial);
}

static int check_open(struct muster__kit *kit)
{
    static const struct trial trial = {"open", run_open, settle_open, true};
    return check(kit, &trial);
}

static int check_load(struct muster__kit *kit)
{
    static const struct trial trial = {"load", muster__kit_load, settle_load, false};
    return check(kit, &trial);
}

static int check_commit(struct muster__kit *kit)
{
    static const struct trial trial = {"commit", run_commit, settle_commit, false};
    return check(kit, &trial);
}

static int check_close(struct muster__kit *kit)
{
    static const struct trial trial = {"close", run_close, settle_close, false};
    return check(kit, &trial);
}

static int check_verify(struct muster__kit *kit)
{
    static const struct trial trial = {"verify", run_verify, settle_verify, false};
    if (!muster__store_can_verify(kit->store))
        return muster__kit_fail(kit, MUSTER_ESKIPPED, "this store has no verify");
    return check(kit, &trial);
}

static int check_compact(struct muster__kit *kit)
{
    static const struct trial trial = {"compact", run_compact, settle_compact, false};
    if (!muster__store_can_compact(kit->store))
        return muster__kit_fail(kit, MUSTER_ESKIPPED, "this store has no compact");
    return check(kit, &trial);
}

const struct muster__kit_check muster__kit_fault_checks[] = {
    {"failing open", check_open, true},
    {"failing load", check_load, false},
    {"failing commit", check_commit, false},
    {"failing close", check_close, true},
    {"failing verify", check_verify, false},
    {"failing compact", check_compact, false},
    {NULL, NULL, false},
};

/* SPDX-License-Identifier: MIT */
/* The sqlite store under faults: muster's own calls fail through the table, sqlite's through its VFS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "failing_sqlite.h"
#include "store/sqlite.h"
#include "sweep.h"

static struct fault memory_fault;

/* ---- the store */

static int make(const struct host *host, struct muster_store **ret_store)
{
    char file[128];
    if (mkdir(host->directory, 0700) != 0 && errno != EEXIST)
        abort();
    snprintf(file, sizeof(file), "%s/records", host->directory);
    return muster__sqlite_new(file, host->allocator, &failing_calls, ret_store);
}

static void check_error(const struct host *host, int code)
{
    const struct plan *plan = sweep_plan();
    const struct muster_error *error = &host->error;
    bool expected = code == MUSTER_EIO || code == MUSTER_ENOMEM || code == MUSTER_EINDETERMINATE;
    if (code != error->code)
        bad("step %c: code %d, and %d in the error", host->step, code, error->code);
    if (call_fault.call == CALL_LOCK || call_fault.call == CALL_MMAP)
        expected = expected || code == MUSTER_EBUSY || code == MUSTER_EAGAIN;
    if (plan == NULL && code != MUSTER_ENOMEM && code != MUSTER_EINDETERMINATE && code != MUSTER_EIO)
        bad("step %c: no memory, and code %d: %s", host->step, code, error->text);
    /* It calls a read that fails with EIO a corrupt file system, and a file that can't be opened it tries to read only. */
    bool reads_fail = plan != NULL && (call_fault.call == CALL_PREAD || plan->effect == CALL_FAILS_WITH_ALL);
    if (reads_fail && (plan->sys_errno == EIO || host->step == 'v'))
        expected = expected || code == MUSTER_ECORRUPT;
    bool other = plan != NULL && call_fault.call != CALL_OPENAT && plan->effect != CALL_IS_CUT;
    if (other && error->sys_errno != 0 && error->sys_errno != plan->sys_errno)
        bad("step %c: errno %d, and not %d: %s", host->step, error->sys_errno, plan->sys_errno, error->text);
    if (!expected)
        bad("step %c: code %d: %s", host->step, code, error->text);
    if (strstr(error->text, "/muster-fault-") == NULL)
        bad("step %c: no file is named: %s", host->step, error->text);
}

/*
 * sqlite calls again what was interrupted, and takes 0 bytes for the end of the file, as well it may: a file system that
 * says so of what is there isn't one.
 */
static bool skips(enum call call, const struct plan *plan)
{
    return plan->sys_errno == EINTR || (call == CALL_PREAD && plan->effect == CALL_IS_CUT && plan->part == PART_NONE);
}

#define KEPT "at the close: what can't be carried into the file stays in the log beside it, and is read from there"
#define FULL "a full disk is no reason not to run; the next one's message lacks the pid"

static struct tolerated tolerated[] = {
    {CALL_OPENAT, "1", "proc", "o", 0, "the start time in the lock file is for a message alone", 0},
    {CALL_PREAD, "1c", "proc", "o", 0, "the start time in the lock file is for a message alone", 0},
    {CALL_OPENAT, "1e", "state", "opP", 0, "sqlite goes on where a directory can't be opened to be synced", 0},
    {CALL_FSTAT, "1e", "records records-journal records-wal records-shm", "ox", 0, "sqlite takes the safe way", 0},
    {CALL_LOCK, "1", "records records-shm", NULL, 0, "sqlite waits, and tries again", 0},
    {CALL_PREAD, "c", "records records-journal records-wal", NULL, 0, "a short count is gone on with", 0},
    {CALL_PWRITE, "c", NULL, NULL, 0, "a short count is gone on with", 0},
    {CALL_PREAD, "1e", "records-wal", "x", 0, KEPT, 0},
    {CALL_PWRITE, "1ez", "records", "x", 0, KEPT, 0},
    {CALL_FSYNC, "1e", "sqlite", "x", 0, KEPT, 0},
    {CALL_FTRUNCATE, "1", "records", "x", 0, KEPT, 0},
    {CALL_UNLINKAT, "1e", "records-wal records-shm", "x", 0, KEPT, 0},
    {CALL_PWRITE, "1e", "records-lock", "o", ENOSPC, FULL, 0},
    {CALL_CLOSE, "1e", NULL, "opPx", 0, "what was written is synced, and what was read needs no close", 0},
    {0, NULL, NULL, NULL, 0, NULL, 0},
};

static const struct scenario scenarios[] = {
    {.name = "open of a fresh file", .steps = "olx"},
    {.name = "first commit", .before = "ox", .steps = "olplx"},
    {.name = "commit", .before = "olpkpx", .steps = "olpvplx"},
    {.name = "batch of many pages", .before = "olpkx", .steps = "olpPplx"},
    {.name = "compaction", .before = "olpkpx", .steps = "olpcplcx"},
    {.name = "after a death", .before = "olpkpPp", .steps = "olplx"},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const struct subject subject = {make, check_error};
    struct sweep sweep = {.subject = &subject,
                          .tolerated = tolerated,
                          .live = failing_sqlite_live,
                          .memory_fault = &memory_fault,
                          .skips = skips,
                          .errnos = 2};
    failing_sqlite_set_up_memory(&memory_fault);
    failing_sqlite_set_up();
    return sweep_main(&sweep, scenarios, argc, argv);
}

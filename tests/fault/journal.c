/* SPDX-License-Identifier: MIT */
/* The journal under every fault. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "failing_json.h"
#include "store/journal.h"
#include "sweep.h"

/* ---- the store */

static int make(const struct host *host, struct muster_store **ret_store)
{
    struct muster_journal_options options;
    MUSTER_JOURNAL_OPTIONS_INIT(&options);
    options.allocator = host->allocator;
    options.compact_size = host->compact_size;
    return muster__journal_new(host->directory, &options, &failing_calls, ret_store);
}

static struct fault memory_fault;

/* ---- what an error must say */

static const char *const words[CALLS] = {
    [CALL_OPENAT] = "open create", [CALL_MKDIR] = "make",      [CALL_FSTAT] = "stat",          [CALL_PREAD] = "read",
    [CALL_PWRITE] = "write",       [CALL_FTRUNCATE] = "truncate", [CALL_FDATASYNC] = "fdatasync", [CALL_FSYNC] = "fsync",
    [CALL_RENAMEAT] = "rename",    [CALL_UNLINKAT] = "remove", [CALL_CLOSE] = "close",         [CALL_LOCK] = "lock",
    [CALL_GETRANDOM] = "random",   [CALL_SYNC_FILE_RANGE] = "sync_file_range",
};

static bool names_operation(const char *text, const char *operations)
{
    char list[128];
    char *save = NULL;
    snprintf(list, sizeof(list), "%s", operations);
    for (const char *word = strtok_r(list, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        if (strstr(text, word) != NULL)
            return true;
    return false;
}

static void check_text(const struct host *host, int code, const char *operations, int sys_errno)
{
    const struct muster_error *error = &host->error;
    int wanted = sys_errno == ENOMEM ? MUSTER_ENOMEM : MUSTER_EIO;
    if (code != wanted && code != MUSTER_EINDETERMINATE)
        bad("step %c: code %d, and not %d: %s", host->step, code, wanted, error->text);
    if (error->sys_errno != sys_errno)
        bad("step %c: errno %d, and not %d: %s", host->step, error->sys_errno, sys_errno, error->text);
    if (strstr(error->text, "/muster-fault-") == NULL)
        bad("step %c: no file is named: %s", host->step, error->text);
    if (!names_operation(error->text, operations))
        bad("step %c: the text doesn't say '%s': %s", host->step, operations, error->text);
}

static void check_error(const struct host *host, int code)
{
    const struct plan *plan = sweep_plan();
    if (code != host->error.code)
        bad("step %c: code %d, and %d in the error", host->step, code, host->error.code);
    bool torn = plan != NULL && call_fault.call == CALL_PWRITE && plan->effect != CALL_FAILS;
    if (host->step == 'v' && torn && code == MUSTER_ECORRUPT && strstr(host->error.text, "torn tail") != NULL)
        return;
    if (plan == NULL)
        check_text(host, code, "open read commit load verify compact write close", ENOMEM);
    else if (plan->effect == CALL_FAILS_WITH_ALL)
        check_text(host, code, "open create make stat read write truncate sync rename remove close lock random", plan->sys_errno);
    else if (call_fault.call == CALL_LOCK && (plan->sys_errno == EAGAIN || plan->sys_errno == EACCES) && host->step == 'o') {
        if (code != MUSTER_EBUSY || strstr(host->error.text, "is held by another process") == NULL)
            bad("step %c: not told that another holds it: %s", host->step, host->error.text);
    } else
        check_text(host, code, words[call_fault.call], plan->effect == CALL_IS_CUT ? EIO : plan->sys_errno);
}

#define SYNCED "what was written is synced, and what was read needs no close"
#define FRESH "the fresh file is in place; if it can't be opened, the next commit makes another"
#define LATER "the commit that made a compaction due is durable before it, and the next but a few tries again"

#define ALONE "where it isn't there or isn't allowed fdatasync does all"

static struct tolerated tolerated[] = {
    {CALL_OPENAT, "1", "proc", "o", 0, "the start time in the lock file is for a message alone", 0},
    {CALL_PREAD, "1ecCzZ", "proc", "o", 0, "the start time in the lock file is for a message alone", 0},
    {CALL_OPENAT, "1e", "parent", "o", EACCES, "who may not read the parent was given the directory, and its entry with it", 0},
    {CALL_OPENAT, "1e", "journal", "opPLc", 0, FRESH, 0},
    {CALL_FSTAT, "1e", "journal", "opPLc", 0, FRESH, 0},
    {CALL_PREAD, "cC", "journal", NULL, 0, "a short count is gone on with", 0},
    {CALL_PWRITE, "cC", NULL, NULL, 0, "a short count is gone on with", 0},
    {CALL_PREAD, "1", "journal", NULL, EINTR, "what was interrupted is called again", 0},
    {CALL_PWRITE, "1", NULL, NULL, EINTR, "what was interrupted is called again", 0},
    {CALL_GETRANDOM, "1", NULL, NULL, EINTR, "what was interrupted is called again", 0},
    {CALL_PWRITE, "1e", "lock", "o", ENOSPC, "a full disk is no reason not to run; the next one's message lacks the pid", 0},
    {CALL_PWRITE, "1e", "lock", "o", EDQUOT, "a full disk is no reason not to run; the next one's message lacks the pid", 0},
    {CALL_PWRITE, "1zf", "journal", "opPL", 0, "a fresh file takes the place of the one that couldn't be written", 0},
    {CALL_FDATASYNC, "1ef", "journal", "opPL", 0, "a fresh file takes the place of the one that couldn't be synced", 0},
    {CALL_SYNC_FILE_RANGE, "1e", "journal", "L", EPERM, ALONE, 0},
    {CALL_SYNC_FILE_RANGE, "1e", "journal", "L", ENOSYS, ALONE, 0},
    {CALL_SYNC_FILE_RANGE, "1ef", "journal", "L", 0, "a fresh file takes the place of the one that couldn't be written", 0},
    {CALL_FSYNC, "1f", "state", "o", 0, "a fresh file takes the place of the one whose entry couldn't be synced", 0},
    {CALL_CLOSE, "1e", "journal lock state parent proc", NULL, 0, SYNCED, 0},
    {CALL_CLOSE, "1e", "journal.new quarantine", NULL, EINTR, "the descriptor is gone, and what was written is synced", 0},
    {CALL_GETRANDOM, "1ecCzZ", "", "p", 0, LATER, 0},
    {CALL_OPENAT, "1e", "journal.new", "p", 0, LATER, 0},
    {CALL_PWRITE, "1ezZ", "journal.new", "p", 0, LATER, 0},
    {CALL_FSYNC, "1e", "journal.new state", "p", 0, LATER, 0},
    {CALL_CLOSE, "1e", "journal.new", "p", 0, LATER, 0},
    {CALL_RENAMEAT, "1e", "journal.new", "p", 0, LATER, 0},
    {0, NULL, NULL, NULL, 0, NULL, 0},
};

/* ---- scenarios */

static const struct scenario scenarios[] = {
    {.name = "open of a fresh directory", .steps = "olx"},
    {.name = "first commit", .before = "ox", .steps = "olplx"},
    {.name = "commit", .before = "olpkpx", .steps = "olpvplx"},
    {.name = "batch beyond the space written ahead", .before = "olpkx", .steps = "olpPplx"},
    {.name = "batch in chunks", .before = "olpkx", .steps = "olLplx", .block = 4096},
    {.name = "compaction", .before = "olpkpx", .steps = "olpcplcx"},
    {.name = "compaction by itself", .before = "olpkpx", .steps = "olppppplx", .compact_size = 4096},
    {.name = "read only", .before = "olpkpx", .steps = "rlvx"},
    {.name = "recovery of a torn tail", .before = "olpkppx", .change = damage_tear, .steps = "olplx"},
    {.name = "recovery from corruption", .before = "olpdkDpx", .change = damage_rot, .steps = "olplx"},
    {.name = "recovery of a recovery, torn tail", .before = "olpkppx", .change = damage_tear, .steps = "olplx", .cut_off = "ol"},
    {.name = "recovery of a recovery, corruption", .before = "olpdkDpx", .change = damage_rot, .steps = "olplx", .cut_off = "ol"},
    {.name = NULL},
};

/* Nothing is left over; the file that was corrupt is kept as it was. */
static void check_files(const struct sweep *sweep, const struct model *known)
{
    struct image image;
    bool kept = false;
    image_take(&image, sweep->directory);
    for (size_t i = 0; i < image.count; i++) {
        const struct image_file *file = &image.files[i];
        if (strncmp(file->name, "quarantine-", 11) == 0)
            kept = kept || (file->size == damage_rotten.size && memcmp(file->bytes, damage_rotten.bytes, file->size) == 0);
        else if (strcmp(file->name, "journal") != 0 && strcmp(file->name, "lock") != 0)
            bad("%s is left over", file->name);
    }
    if (known->damaged && !kept)
        bad("the corrupt file wasn't kept");
    image_free(&image);
}

int main(int argc, char **argv)
{
    static const struct subject subject = {make, check_error};
    struct sweep sweep = {.subject = &subject,
                          .tolerated = tolerated,
                          .check_files = check_files,
                          .live = failing_json_live,
                          .memory_fault = &memory_fault,
                          .errnos = PLAN_ALL};
    failing_json_set_up(&memory_fault);
    int code = sweep_main(&sweep, scenarios, argc, argv);
    free(damage_rotten.bytes);
    return code;
}

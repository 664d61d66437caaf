/* SPDX-License-Identifier: MIT */
/*
 * A disk with so many free blocks and no more: of 0, 1, 2, ... that each call of a store may end on. What fails says so and
 * has done nothing; what was acknowledged stays; and it goes on when there is room again. On a small ext4 in a file, and on
 * tmpfs, in a mount namespace of the group's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "hostile.h"

/* More than anything here needs. */
#define FREE_MAX 40

static size_t block;

/* ---- the disk */

/*
 * Over the group's directory; it isn't mounted any more when the group ends. sqlite's shared memory, of which it writes a byte
 * in 4096, is no memory on a full disk of smaller blocks.
 */
static void mount_disk(const char *type)
{
    char command[512];
    struct statvfs found;
    const char *top = hostile_top();
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        hostile_skip("SKIPPED: no mount namespace of one's own: only root can try a full disk");
    if (strcmp(type, "tmpfs") == 0)
        snprintf(command, sizeof(command), "mount -t tmpfs -o size=512k,mode=0755 none '%s' 2>&1", top);
    else
        snprintf(command, sizeof(command),
                 "truncate -s 2M '%s.disk' && mkfs.ext4 -q -F -b %d -m 0 -N 64 -O ^has_journal '%s.disk' 2>&1 &&"
                 " mount -o loop '%s.disk' '%s' 2>&1",
                 top, hostile_sqlite ? 4096 : 1024, top, top, top);
    int result = system(command);
    snprintf(command, sizeof(command), "%s.disk", top);
    unlink(command);
    if (result != 0)
        hostile_skip("SKIPPED: this machine can't mount such a disk");
    if (statvfs(top, &found) != 0)
        abort();
    block = found.f_frsize;
}

static const char *fill_path(void)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/fill", hostile_top());
    return path;
}

static void make_room(void)
{
    unlink(fill_path());
}

/* All blocks are taken, but for `count`. */
static void leave_free(size_t count)
{
    int fd = open(fill_path(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    off_t end = 0;
    for (size_t piece = 256 * block; fd >= 0 && piece >= block; piece /= 2)
        while (fallocate(fd, 0, end, (off_t)piece) == 0)
            end += (off_t)piece;
    end -= (off_t)(count * block);
    if (fd < 0 || end < 0 || ftruncate(fd, end) != 0 || fsync(fd) != 0 || close(fd) != 0)
        abort();
}

/* ---- what is common to all */

static struct muster_store *must_open(struct hostile_result *ret_result)
{
    struct muster_store *store = hostile_store();
    hostile_expect(muster_store_open(store, 0) == 0, "open: %s", muster_error_text(muster_store_get_error(store)));
    hostile_load(store, ret_result);
    return store;
}

static void close_store(struct muster_store *store)
{
    hostile_expect(muster_store_close(store) == 0, "close: %s", muster_error_text(muster_store_get_error(store)));
    muster_store_free(store);
}

/* A store with three records, from nothing. */
static void make_state(struct hostile_result *ret_result)
{
    struct hostile_result result;
    make_room();
    hostile_clean();
    if (mkdir(hostile_directory(), 0700) != 0)
        abort();
    struct muster_store *store = must_open(&result);
    hostile_expect(hostile_commit(store, "a", 1) == 0 && hostile_commit(store, "b", 1) == 0 && hostile_commit(store, "a", 2) == 0,
                   "there is no state to begin with");
    hostile_load(store, ret_result);
    close_store(store);
}

static bool says_full(const char *text)
{
    return strstr(text, "No space left") != NULL || (hostile_sqlite && strstr(text, "disk is full") != NULL);
}

/* 0, or a full disk: with a text that says so. Did it work? */
static bool expect_full(int code, const char *what, const struct muster_store *store)
{
    const char *text = muster_error_text(muster_store_get_error(store));
    if (code == 0)
        return true;
    hostile_expect(code == MUSTER_EIO, "%s: %d: %s", what, code, text);
    hostile_expect(says_full(text), "%s: %s", what, text);
    return false;
}

/*
 * While the disk is full, too, unless there is something to mend, as a torn tail without a place on the disk; and then it goes
 * on.
 */
static void expect_all(const struct hostile_result *acknowledged, bool reported)
{
    struct hostile_result result;
    hostile_open(&result);
    if (result.code == 0)
        hostile_keep(hostile_same(acknowledged, &result), "what was acknowledged is gone on the full disk");
    else
        hostile_expect(result.code == MUSTER_EIO && says_full(result.text), "on the full disk: %d: %s", result.code, result.text);
    make_room();
    hostile_open(&result);
    hostile_expect(result.code == 0 && (result.lost != 0) == reported, "with room again: %d: %s", result.code, result.text);
    hostile_keep(hostile_same(acknowledged, &result), "what was acknowledged is gone");
    hostile_goes_on(&result);
    if (!hostile_sqlite)
        hostile_expect(hostile_count("journal.new") == 0, "journal.new is left over");
}

/* ---- the calls */

/* From nothing, not even the directory. */
static bool open_new(size_t count)
{
    struct hostile_result result, none = {0};
    make_room();
    hostile_clean();
    if (hostile_sqlite && mkdir(hostile_directory(), 0700) != 0)
        abort();
    leave_free(count);
    struct muster_store *store = hostile_store();
    int code = muster_store_open(store, 0);
    bool worked = expect_full(code, "open", store);
    if (code == 0)
        hostile_expect(muster_store_close(store) == 0, "close fails");
    muster_store_free(store);
    make_room();
    hostile_open(&result);
    hostile_expect(result.code == 0 && result.lost == 0, "with room again: %d: %s", result.code, result.text);
    hostile_keep(hostile_same(&none, &result), "there are records");
    hostile_goes_on(&result);
    return worked;
}

static bool open_again(size_t count)
{
    struct hostile_result before, result;
    make_state(&before);
    leave_free(count);
    struct muster_store *store = hostile_store();
    int code = muster_store_open(store, 0);
    bool worked = expect_full(code, "open", store);
    if (worked) {
        hostile_load(store, &result);
        hostile_keep(result.lost == 0 && hostile_same(&before, &result), "open has other records");
        hostile_expect(muster_store_close(store) == 0, "close fails");
    }
    hostile_expect(worked || hostile_sqlite, "a journal that needs no room doesn't open");
    muster_store_free(store);
    expect_all(&before, false);
    return worked;
}

static int commit_batch(struct muster_store *store, uint64_t generation)
{
    static char handle[600];
    struct muster_record records[10];
    const struct muster_record *pointers[10];
    char names[10][8];
    memset(handle, 'h', sizeof(handle) - 1);
    for (size_t i = 0; i < 10; i++) {
        MUSTER_RECORD_INIT(&records[i]);
        snprintf(names[i], sizeof(names[i]), "n%zu", i);
        records[i].driver = "guest";
        records[i].name = names[i];
        records[i].handle = handle;
        records[i].generation = generation;
        records[i].format = MUSTER_RECORD_FORMAT;
        pointers[i] = &records[i];
    }
    return muster_store_commit(store, pointers, 10);
}

static int commit_one(struct muster_store *store, uint64_t generation)
{
    char name[16];
    snprintf(name, sizeof(name), "n%ju", (uintmax_t)generation % 30);
    return hostile_commit(store, name, generation);
}

/* Until one fails. It wasn't applied, the next neither, and with room again it works. */
static void commit_until_full(size_t count, int (*commit)(struct muster_store *store, uint64_t generation))
{
    struct hostile_result acknowledged, result;
    uint64_t generation = 1;
    make_state(&acknowledged);
    struct muster_store *store = must_open(&result);
    leave_free(count);
    while (generation < 1000 && expect_full(commit(store, generation), "commit", store)) {
        hostile_load(store, &acknowledged);
        generation++;
    }
    hostile_expect(generation < 1000, "the disk is never full");
    hostile_load(store, &result);
    hostile_keep(result.code == 0 && hostile_same(&acknowledged, &result), "after a commit that failed: %s", result.text);
    expect_full(commit(store, generation), "commit again", store);
    hostile_load(store, &acknowledged);
    make_room();
    hostile_expect(commit(store, generation) == 0, "with room again: %s", muster_error_text(muster_store_get_error(store)));
    hostile_load(store, &acknowledged);
    close_store(store);
    expect_all(&acknowledged, false);
}

/* The same, and the daemon ends while the disk is full. */
static void end_when_full(size_t count, int (*commit)(struct muster_store *store, uint64_t generation))
{
    struct hostile_result acknowledged, result;
    make_state(&acknowledged);
    struct muster_store *store = must_open(&result);
    leave_free(count);
    for (uint64_t generation = 1; generation < 1000 && expect_full(commit(store, generation), "commit", store); generation++)
        hostile_load(store, &acknowledged);
    muster_store_close(store);
    muster_store_free(store);
    expect_all(&acknowledged, false);
}

static bool single_commits(size_t count)
{
    commit_until_full(count, commit_one);
    end_when_full(count, commit_one);
    return false;
}

static bool batches(size_t count)
{
    commit_until_full(count, commit_batch);
    end_when_full(count, commit_batch);
    return false;
}

static bool compaction(size_t count)
{
    struct hostile_result acknowledged, result;
    make_state(&acknowledged);
    struct muster_store *store = must_open(&result);
    for (uint64_t generation = 1; generation < 4; generation++)
        hostile_expect(commit_batch(store, generation) == 0, "no commit");
    hostile_load(store, &acknowledged);
    leave_free(count);
    bool worked = expect_full(muster_store_compact(store), "compact", store);
    hostile_load(store, &result);
    hostile_keep(result.code == 0 && hostile_same(&acknowledged, &result), "after it: %s", result.text);
    muster_store_close(store);
    muster_store_free(store);
    expect_all(&acknowledged, false);
    return worked;
}

/* ---- a damaged journal, whose copy and whose successor both need room */

static void damage(void)
{
    size_t size;
    char *bytes = hostile_get("journal", &size);
    char *line = bytes == NULL ? NULL : strstr(bytes, "{\"seq\":2");
    if (line == NULL)
        abort();
    strstr(line, "guest")[0] = 'q';
    hostile_put("journal", bytes, size);
    free(bytes);
}

static bool recovery(size_t count)
{
    struct hostile_result before, expected, result;
    make_state(&before);
    damage();
    hostile_open(&expected);
    hostile_expect(expected.code == 0 && expected.lost != 0, "it isn't damaged: %s", expected.text);
    make_state(&before);
    damage();
    size_t size, size_after;
    char *bytes = hostile_get("journal", &size);
    leave_free(count);
    hostile_open(&result);
    if (result.code != 0) {
        hostile_expect(result.code == MUSTER_EIO && says_full(result.text), "%d: %s", result.code, result.text);
        char *after = hostile_get("journal", &size_after);
        hostile_keep(size_after == size && memcmp(bytes, after, size) == 0, "the damaged file was changed");
        hostile_expect(hostile_count("quarantine-") == 0, "half a copy is left");
        hostile_expect(hostile_count("journal.new") == 0, "journal.new is left over");
        free(after);
        make_room();
        struct hostile_result again;
        hostile_open(&again);
        hostile_expect(again.lost != 0, "with room again nothing is reported");
        hostile_keep(again.code == 0 && hostile_same(&expected, &again), "with room again: %s", again.text);
    } else {
        hostile_keep(result.lost != 0 && hostile_same(&expected, &result), "on the full disk: %s", result.text);
        make_room();
    }
    hostile_expect(hostile_count("quarantine-") == 1, "there is no copy");
    free(bytes);
    hostile_goes_on(&expected);
    return result.code == 0;
}

/* ---- all of them */

static void sweep(const char *what, bool (*run)(size_t count), bool ends)
{
    bool worked = false;
    for (size_t count = 0; count <= FREE_MAX && !worked; count++) {
        hostile_file("%s with %zu free blocks of %zu", what, count, block);
        worked = run(count);
        if (!ends && count * block > 16384)
            return;
    }
    hostile_expect(worked, "%s never works", what);
}

static void all_calls(const char *type)
{
    mount_disk(type);
    sweep("open of nothing", open_new, true);
    sweep("open", open_again, true);
    sweep("commits", single_commits, false);
    sweep("batches", batches, false);
    sweep("compaction", compaction, true);
    if (!hostile_sqlite)
        sweep("recovery", recovery, true);
}

static void journal_on_ext4(void)
{
    all_calls("ext4");
}

static void journal_on_tmpfs(void)
{
    all_calls("tmpfs");
}

static void sqlite_on_ext4(void)
{
    hostile_sqlite = true;
    all_calls("ext4");
}

static void sqlite_on_tmpfs(void)
{
    hostile_sqlite = true;
    all_calls("tmpfs");
}

/* Without sqlite its groups are left out. */
static bool has_sqlite(void)
{
    struct muster_store *store;
    if (muster_store_sqlite_new("none", NULL, &store) != 0)
        return false;
    muster_store_free(store);
    return true;
}

int main(void)
{
    struct hostile_group groups[] = {
        {"journal on ext4", journal_on_ext4, 0},
        {"journal on tmpfs", journal_on_tmpfs, 0},
        {"sqlite on ext4", sqlite_on_ext4, 0},
        {"sqlite on tmpfs", sqlite_on_tmpfs, 0},
        {NULL, NULL, 0},
    };
    if (!has_sqlite())
        groups[2].name = NULL;
    return hostile_main(groups);
}

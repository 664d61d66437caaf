/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of the whole library, and of jansson and sqlite for it, fails, once and for ever, over the life of a daemon:
 * nothing leaks, what fails says so, nothing live is touched, and the daemon that comes then finds everything.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failing_json.h"
#include "failing_sqlite.h"
#include "host.h"
#include "image.h"
#include "life.h"
#include "support/failing_memory.h"

/* A short run tries one allocation in so many; it begins with another one in each scenario. */
#define QUICK_STRIDE 41

/* Longer than this, in seconds, and a life hangs. */
#define PATIENCE 20

/* In ms. Nothing can be stopped without memory: that long a shutdown tries. */
#define SHUTDOWN_TIMEOUT 20

static char top[64];
static char directory[80];

static struct fault fault;
static struct failing_memory memory = {.fault = &fault};

/* ---- stores */

static int make_memory(const struct muster_allocator *allocator, struct muster_store **ret_store)
{
    return muster_store_memory_new(allocator, ret_store);
}

static int make_journal(const struct muster_allocator *allocator, struct muster_store **ret_store)
{
    struct muster_journal_options options;
    MUSTER_JOURNAL_OPTIONS_INIT(&options);
    options.allocator = allocator;
    options.compact_size = 8192;
    return muster_store_journal_new(directory, &options, ret_store);
}

static int make_sqlite(const struct muster_allocator *allocator, struct muster_store **ret_store)
{
    char file[96];
    mkdir(directory, 0700);
    snprintf(file, sizeof(file), "%s/records", directory);
    return muster_store_sqlite_new(file, allocator, ret_store);
}

static const struct backend backends[] = {
    {"memory", make_memory, false}, {"journal", make_journal, true}, {"sqlite", make_sqlite, true}};

/* ---- one try */

enum way {
    ONCE,
    /* And all after it, until the daemon waits for memory: then there is some again. */
    A_WHILE,
    FOR_EVER,
    WAYS
};

static struct {
    const struct backend *backend;
    enum muster_shutdown_kind kind;
    enum way way;
    size_t n;
} now;

static void describe(void)
{
    static const char *const ways[] = {"", ", and all after it for a while,", ", and all after it,"};
    fprintf(stderr, "%s, %s: allocation %zu%s fails: ", now.backend->name,
            now.kind == MUSTER_HOST_SHUTDOWN ? "shutdown of the host" : "restart", now.n, ways[now.way]);
}

static bool end_shortage(void)
{
    fault_pause(&fault);
    return true;
}

/* Of a machine that is merely slow it waits for longer. */
static bool give_up(void)
{
    return fault.fired == 0;
}

static void hang(int signal)
{
    (void)signal;
    bad("it hangs");
    _exit(1);
}

static struct life new_life(const struct muster_allocator *allocator, bool strict)
{
    return (struct life){
        .backend = now.backend, .allocator = allocator, .boot_id = "boot-1", .kind = MUSTER_DAEMON_RESTART, .strict = strict};
}

static void check_leaks(size_t fds)
{
    if (memory.live != 0 || failing_json_live() != 0 || failing_sqlite_live() != 0)
        bad("%zu allocations leak, %ld of jansson, %ld of sqlite", memory.live, failing_json_live(), failing_sqlite_live());
    if (count_descriptors() != fds)
        bad("%zu descriptors are open, and %zu were", count_descriptors(), fds);
    memory.live = 0;
}

/* What is kept of it: after a shutdown of the host what comes up by policy, of records that are lost nothing. */
static void end_machine(void)
{
    world_reboot();
    if (!now.backend->durable)
        memset(&world, 0, sizeof(world));
    world.things[THING_TEMP].wanted = world.things[THING_OLD].wanted = world.things[THING_LATE].wanted = WANTED_UNKNOWN;
    world.things[THING_DB].wanted = WANTED_ACTIVE;
}

/* How many problems there were; -1: so many allocations there aren't. */
static int try_allocation(const struct world *begin, const struct image *image)
{
    struct muster_allocator allocator = failing_allocator(&memory);
    size_t fds = count_descriptors();
    struct life life = new_life(&allocator, false);
    struct life after = new_life(&allocator, true);
    image_put(image, directory);
    world = *begin;
    life.kind = now.kind;
    life.starves = now.way == A_WHILE ? end_shortage : now.way == FOR_EVER ? give_up : NULL;
    life.shutdown_timeout_ms = now.way == FOR_EVER ? SHUTDOWN_TIMEOUT : 0;
    alarm(PATIENCE);
    fault_arm(&fault, now.n, now.way != ONCE);
    life_whole(&life);
    bool fired = fault.fired > 0;
    fault_init(&fault);
    check_leaks(fds);
    if (now.kind == MUSTER_HOST_SHUTDOWN || !now.backend->durable) {
        end_machine();
        after.boot_id = "boot-2";
    }
    life_after(&after);
    check_leaks(fds);
    if (!fired && life.problems > 0)
        bad("something fails, and no allocation has");
    return fired ? (int)life.problems : -1;
}

/* ---- all of them */

static unsigned allocations, tolerated;

static void sweep(size_t first, size_t stride)
{
    struct muster_allocator allocator = failing_allocator(&memory);
    struct life life = new_life(&allocator, true);
    struct image image;
    unsigned count = allocations;
    unsigned unnoticed = tolerated;
    image_remove(directory);
    memset(&world, 0, sizeof(world));
    now.n = 0;
    if (now.backend->durable)
        life_begin(&life);
    image_take(&image, directory);
    struct world begin = world;
    for (int way = ONCE; way < WAYS; way++) {
        int problems = 0;
        now.way = (enum way)way;
        for (now.n = first + (size_t)way * stride / WAYS; problems >= 0; now.n += stride) {
            problems = try_allocation(&begin, &image);
            allocations += problems >= 0;
            tolerated += problems == 0;
        }
    }
    image_free(&image);
    if (allocations == count)
        bad("no allocation of it fails");
    printf("%-8s %-22s %6u %9u\n", now.backend->name, now.kind == MUSTER_HOST_SHUTDOWN ? "shutdown of the host" : "restart",
           allocations - count, tolerated - unnoticed);
    fflush(stdout);
}

static int usage(FILE *stream, int code)
{
    fprintf(stream, "usage: fault_library [--quick] [memory | journal | sqlite]\n\n"
                    "Fails each allocation of a daemon's life once, and with all after it. Exit 0: all is well each\n"
                    "time, 1: it isn't, 2: wrong options.\n\n"
                    "  --quick  one allocation in a few\n");
    return code;
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const char *only = argc > 1 + quick ? argv[1 + quick] : NULL;
    size_t begun = 0;
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    failing_json_set_up(&fault);
    failing_sqlite_set_up_memory(&fault);
    snprintf(top, sizeof(top), "%s/muster-fault-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (argc > 2 + quick || mkdtemp(top) == NULL)
        return usage(stderr, 2);
    snprintf(directory, sizeof(directory), "%s/state", top);
    bad_describe = describe;
    signal(SIGALRM, hang);
    printf("%-31s %6s %9s\n", "", "failed", "tolerated");
    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
        for (int kind = MUSTER_DAEMON_RESTART; kind <= MUSTER_HOST_SHUTDOWN; kind++) {
            now.backend = &backends[i];
            now.kind = (enum muster_shutdown_kind)kind;
            if (only != NULL && strcmp(only, now.backend->name) != 0)
                continue;
            sweep(1 + (quick ? begun : 0), quick ? QUICK_STRIDE : 1);
            begun++;
        }
    image_remove(directory);
    rmdir(top);
    if (begun == 0)
        return usage(stderr, 2);
    printf("fault: %u allocations of the whole library (%u tolerated): %u lost\n", allocations, tolerated, bad_count);
    return bad_count > 0;
}

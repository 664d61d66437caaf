/* SPDX-License-Identifier: MIT */
/*
 * A daemon's restart: records of 10 pools and their guests, all active and all gone with the last process, are started again by
 * ops that do nothing, and recorded in a journal on a disk. From muster_bring_up() to its end, the load of the journal included.
 * The limit is what the disk takes for its commits: as many writes of as many bytes, each with an fdatasync. Starts end within
 * their call ("restart": all that doesn't wait for another goes into one commit), or one by one, each in a turn of the loop
 * ("in turn": what ends while a commit is under way goes into the next). "killed": as "restart", after a SIGKILL when half
 * of the starts had been called.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "daemon.h"
#include "directory.h"

enum { LIMIT, MUSTER, LOAD, COMMITS, FDATASYNCS, PEAK, ROWS };

struct results {
    struct bench_samples of[ROWS];
};

/* ---- the limit ------------------------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t count, off_t offset)
{
    while (count > 0) {
        ssize_t done = pwrite(fd, bytes, count, offset);
        if (done <= 0)
            return -1;
        bytes += done;
        offset += done;
        count -= (size_t)done;
    }
    return 0;
}

static size_t all_bytes(const struct daemon_life *life)
{
    size_t all = 0;
    for (uint32_t i = 0; i < life->commits; i++)
        all += life->bytes[i];
    return all;
}

/* Into space that was written before, as the journal does. In ns; 0: it failed. */
static uint64_t sync_alone(int fd, const struct daemon_life *life)
{
    size_t all = all_bytes(life);
    char *bytes = malloc(all);
    uint64_t took = 0;
    if (bytes == NULL)
        return 0;
    memset(bytes, '\n', all);
    if (write_all(fd, bytes, all, 0) == 0 && fsync(fd) == 0) {
        size_t offset = 0;
        memset(bytes, 'x', all);
        uint64_t begin = bench_now_ns();
        for (uint32_t i = 0; i < life->commits; i++) {
            if (write_all(fd, bytes + offset, life->bytes[i], (off_t)offset) != 0 || fdatasync(fd) != 0)
                begin = UINT64_MAX;
            offset += life->bytes[i];
        }
        took = begin == UINT64_MAX ? 0 : bench_now_ns() - begin;
    }
    free(bytes);
    return took;
}

static uint64_t run_limit(const char *directory, const struct daemon_life *life)
{
    char path[BENCH_DIRECTORY + 16];
    snprintf(path, sizeof(path), "%s/limit", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint64_t took = fd < 0 ? 0 : sync_alone(fd, life);
    if (took == 0)
        perror("bringup: the bare syncs");
    if (fd >= 0)
        close(fd);
    unlink(path);
    return took;
}

/* ---- cases ----------------------------------------------------------------------------------------------- */

static void add_life(struct results *results, const struct daemon_life *life, uint64_t limit)
{
    const double values[ROWS] = {[LIMIT] = (double)limit / 1e6,
                                 [MUSTER] = (double)life->ns / 1e6,
                                 [LOAD] = (double)life->load_ns / 1e6,
                                 [COMMITS] = life->commits,
                                 [FDATASYNCS] = life->fdatasyncs,
                                 [PEAK] = (double)life->peak_kb / 1024};
    for (int row = 0; row < ROWS; row++)
        bench_add(&results->of[row], values[row]);
}

/* A new store each time: each repeat begins with the same records. */
static int measure_once(const char *directory, uint32_t count, enum daemon_ways way, struct results *results)
{
    static struct daemon_life life;
    enum daemon_ways last = way == DAEMON_IN_TURN ? DAEMON_IN_TURN : DAEMON_AT_ONCE;
    if (daemon_live(directory, count, DAEMON_AT_ONCE, &life) != 0 ||
        (way == DAEMON_KILLED && daemon_live(directory, count, way, &life) != 0) ||
        daemon_live(directory, count, last, &life) != 0)
        return -1;
    if (life.commits == 0 || life.commits > DAEMON_COMMITS) {
        fprintf(stderr, "bringup: %u commits\n", (unsigned)life.commits);
        return -1;
    }
    uint64_t limit = run_limit(directory, &life);
    if (limit == 0)
        return -1;
    add_life(results, &life, limit);
    return 0;
}

static void report(const struct bench *bench, const char *name, const struct results *results)
{
    static const struct {
        const char *subject;
        const char *unit;
        int limit;
    } rows[ROWS] = {{"limit", "ms", LIMIT},           {"muster", "ms", LIMIT},           {"load", "ms", LIMIT},
                    {"muster", "commits", COMMITS},   {"muster", "fdatasyncs", COMMITS}, {"muster", "MB peak", PEAK}};
    for (int row = 0; row < ROWS; row++) {
        const char *const labels[] = {name, rows[row].subject, rows[row].unit};
        bench_report(bench, labels, &results->of[row], &results->of[rows[row].limit]);
    }
}

static int measure(const struct bench *bench, uint32_t count, enum daemon_ways way)
{
    static const char *const names[] = {"restart", "in turn", "killed"};
    struct results results = {{{.count = 0}}};
    char name[32];
    snprintf(name, sizeof(name), "%s %u", names[way], (unsigned)count);
    for (unsigned repeat = 0; repeat < bench->repeats; repeat++) {
        char directory[BENCH_DIRECTORY];
        if (bench_directory_new(bench, directory) != 0)
            return -1;
        int code = measure_once(directory, count, way, &results);
        bench_directory_remove(directory);
        if (code != 0) {
            fprintf(stderr, "bringup: %s: failed\n", name);
            return -1;
        }
    }
    report(bench, name, &results);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {.name = "bringup", .on_disk = true};
    int exit_code;
    if (bench_begin(&bench, "bringup: a restart with recorded resources, ops that do nothing", argc, argv, &exit_code) != 0)
        return exit_code;
    for (enum daemon_ways way = DAEMON_AT_ONCE; way <= DAEMON_KILLED; way++)
        for (uint32_t count = 100; count <= 10000 && count <= bench.max; count *= 10)
            if (measure(&bench, count, way) != 0)
                return 1;
    return 0;
}

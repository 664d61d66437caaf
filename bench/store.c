/* SPDX-License-Identifier: MIT */
/* Stores on a real disk: a durable commit, a batch, a load; beside the limit, and beside what a daemon could use instead. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "store_cases.h"

static const struct store_subject *const subjects[] = {
    &store_limit,  &store_journal,
    &store_sqlite, &store_memory,
#ifdef BENCH_LMDB
    &store_lmdb,
#endif
#ifdef BENCH_SQLITE
    &store_sqlite_direct,
#endif
    &store_rename,
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

/* Peers whose library wasn't there at the build. */
static const char *const not_built[] = {
#ifndef BENCH_LMDB
    "LMDB (liblmdb-dev)",
#endif
#ifndef BENCH_SQLITE
    "SQLite (libsqlite3-dev)",
#endif
    NULL,
};

static void say_what(char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t s = 0; s < SUBJECTS && used < room; s++)
        used += (size_t)snprintf(text + used, room - used, "  %-8s  %s\n", subjects[s]->name, subjects[s]->about);
}

/* Where nothing is durable a sync costs nothing, and no figure means anything. */
static int check_disk(const char *directory)
{
    struct statfs where;
    if (statfs(directory, &where) != 0) {
        fprintf(stderr, "store: --directory %s: %s\n", directory, strerror(errno));
        return -1;
    }
    if (where.f_type != TMPFS_MAGIC && where.f_type != RAMFS_MAGIC)
        return 0;
    fprintf(stderr, "store: %s is in memory (tmpfs): nothing is durable there. Give --directory one on a disk.\n", directory);
    return -1;
}

/* A directory of the run's own. */
static int make_directory(struct store_run *run)
{
    const char *temporary = getenv("TMPDIR");
    const char *given = run->bench->directory;
    if (given == NULL)
        given = temporary != NULL && temporary[0] != '\0' ? temporary : "/var/tmp";
    if (check_disk(given) != 0)
        return -1;
    snprintf(run->directory, sizeof(run->directory), "%s/muster-bench-XXXXXX", given);
    if (mkdtemp(run->directory) != NULL)
        return 0;
    fprintf(stderr, "store: make %s: %s\n", run->directory, strerror(errno));
    return -1;
}

static void leave_out(const struct bench *bench, const char *name)
{
    fprintf(bench->json ? stderr : stdout, "not in this build, left out: %s\n", name);
}

/* Those that are in this build. */
static int choose(struct store_run *run)
{
    for (size_t i = 0; not_built[i] != NULL; i++)
        leave_out(run->bench, not_built[i]);
    for (size_t s = 0; s < SUBJECTS; s++) {
        void *self = NULL;
        int code = subjects[s]->make(run->directory, &self);
        if (code == 0) {
            subjects[s]->free(self);
            run->subjects[run->count++] = subjects[s];
        } else if (code == MUSTER_ENOTSUP) {
            leave_out(run->bench, subjects[s]->name);
        } else {
            return -1;
        }
    }
    return 0;
}

static int measure(struct store_run *run)
{
    static const size_t batches[] = {64, 10000, 100000};
    static const size_t loads[] = {1000, 10000, 100000};
    int code = choose(run);
    if (code == 0)
        code = store_measure_single(run);
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]) && code == 0; i++)
        if (batches[i] <= run->bench->max)
            code = store_measure_batch(run, batches[i]);
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]) && code == 0; i++)
        if (loads[i] <= run->bench->max)
            code = store_measure_load(run, loads[i]);
    return code;
}

int main(int argc, char **argv)
{
    char details[2048];
    say_what(details, sizeof(details));
    struct bench bench = {.name = "store", .on_disk = true, .details = details};
    struct store_run run = {.bench = &bench, .seed = 1};
    int exit_code;
    if (bench_begin(&bench, "store: records made durable, and loaded again", argc, argv, &exit_code) != 0)
        return exit_code;
    if (make_directory(&run) != 0)
        return 1;
    int code = measure(&run);
    store_remove(run.directory);
    return code == 0 ? 0 : 1;
}

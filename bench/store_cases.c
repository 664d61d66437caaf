/* SPDX-License-Identifier: MIT */
#include "store_cases.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- places */

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat;
    (void)type;
    (void)where;
    return remove(path);
}

void store_remove(const char *directory)
{
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A subject at work in a directory of its own. */
struct place {
    const struct store_subject *subject;
    void *self;
    char directory[2200];
};

static int place_init(struct place *place, const struct store_run *run, size_t s)
{
    *place = (struct place){.subject = run->subjects[s]};
    snprintf(place->directory, sizeof(place->directory), "%s/%s", run->directory, place->subject->name);
    if (mkdir(place->directory, 0700) != 0)
        return store_failed(place->subject->name, "make a directory", strerror(errno));
    return place->subject->make(place->directory, &place->self) == 0 ? 0 : -1;
}

static void place_fini(struct place *place)
{
    if (place->self != NULL)
        place->subject->free(place->self);
    if (place->directory[0] != '\0')
        store_remove(place->directory);
    *place = (struct place){0};
}

/* What others have left to be written is none of the next one's business. */
static void settle(const struct store_run *run)
{
    int fd = open(run->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    syncfs(fd);
    close(fd);
}

/* ---- turns */

/* In another order each time, so that nobody always comes after the same one. */
static void shuffle(struct store_run *run, size_t order[STORE_SUBJECTS_MAX])
{
    for (size_t i = 0; i < run->count; i++)
        order[i] = i;
    for (size_t i = run->count; i > 1; i--) {
        run->seed = run->seed * 6364136223846793005u + 1442695040888963407u;
        size_t other = (size_t)(run->seed >> 33) % i;
        size_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static unsigned repeats(const struct store_run *run, size_t count)
{
    return count < 100000 ? run->bench->repeats : run->bench->repeats / 2;
}

static bool takes(const struct store_run *run, size_t s, size_t count)
{
    return run->subjects[s]->most == 0 || count <= run->subjects[s]->most;
}

static int commit_all(struct place *place, const struct store_records *records, size_t batch)
{
    int code = 0;
    for (size_t at = 0; at < records->count && code == 0; at += batch) {
        size_t count = records->count - at < batch ? records->count - at : batch;
        code = place->subject->commit(place->self, records->pointers + at, count);
    }
    return code;
}

/* Has it kept every record whole? The limit doesn't make records of its bytes. */
static int check(struct place *place, const struct store_records *records, const struct store_tally *found)
{
    struct store_tally wanted = {0};
    for (size_t i = 0; i < records->count; i++)
        store_tally_add(&wanted, records->pointers[i]);
    if (place->subject == &store_limit || (found->count == wanted.count && found->sum == wanted.sum))
        return 0;
    return store_failed(place->subject->name, "load", "these aren't the records that were committed");
}

static void report_all(const struct store_run *run, const char *name, const struct bench_samples *samples)
{
    for (size_t s = 0; s < run->count; s++) {
        const char *const labels[] = {name, run->subjects[s]->name, "us"};
        bench_report(run->bench, labels, &samples[s], &samples[0]);
    }
}

/* ---- single commits */

#define KEPT 1000
#define ROUNDS_MAX 1000

struct single {
    struct store_records records;
    struct place places[STORE_SUBJECTS_MAX];
    /* In microseconds. */
    double took[STORE_SUBJECTS_MAX][ROUNDS_MAX];
};

static int set_up_single(const struct store_run *run, struct single *single)
{
    int code = store_records_init(&single->records, KEPT);
    for (size_t s = 0; s < run->count && code == 0; s++) {
        struct place *place = &single->places[s];
        code = place_init(place, run, s);
        if (code == 0)
            code = place->subject->open(place->self);
        if (code == 0)
            code = commit_all(place, &single->records, takes(run, s, KEPT) ? KEPT : place->subject->most);
    }
    return code;
}

/* A new version of some record, the same for all: who finds that nothing has changed may have nothing to do. */
static size_t choose_record(struct single *single, unsigned round)
{
    size_t which = (size_t)round * 7919 % KEPT;
    single->records.records[which].generation += 1000;
    return which;
}

static int commit_one(struct single *single, size_t s, unsigned round, size_t which)
{
    struct place *place = &single->places[s];
    uint64_t begin = bench_now_ns();
    int code = place->subject->commit(place->self, &single->records.pointers[which], 1);
    single->took[s][round] = (double)(bench_now_ns() - begin) / 1e3;
    return code;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void report_single(const struct store_run *run, struct single *single, unsigned rounds)
{
    static const struct {
        const char *name;
        unsigned per_cent;
    } points[] = {{"commit p50", 50}, {"commit p99", 99}};
    for (size_t s = 0; s < run->count; s++)
        qsort(single->took[s], rounds, sizeof(single->took[s][0]), compare);
    for (size_t p = 0; p < sizeof(points) / sizeof(points[0]); p++) {
        unsigned at = (rounds - 1) * points[p].per_cent / 100;
        for (size_t s = 0; s < run->count; s++) {
            const double *took = single->took[s];
            const char *const labels[] = {points[p].name, run->subjects[s]->name, "us"};
            double spread = (took[rounds - 1 - rounds / 4] - took[rounds / 4]) / took[rounds / 2] * 100;
            bench_report_value(run->bench, labels, (const double[]){took[at], spread, took[at] / single->took[0][at]});
        }
    }
}

static int close_single(const struct store_run *run, struct single *single)
{
    int code = 0;
    for (size_t s = 0; s < run->count && code == 0; s++) {
        struct place *place = &single->places[s];
        struct store_tally tally = {0};
        code = place->subject->load(place->self, &tally);
        if (code == 0)
            code = check(place, &single->records, &tally);
        if (code == 0)
            code = place->subject->close(place->self);
    }
    return code;
}

int store_measure_single(struct store_run *run)
{
    unsigned rounds = run->bench->full ? ROUNDS_MAX : ROUNDS_MAX * 3 / 10;
    size_t order[STORE_SUBJECTS_MAX];
    struct single *single = calloc(1, sizeof(*single));
    if (single == NULL)
        return store_failed("single", "make", "out of memory");
    int code = set_up_single(run, single);
    settle(run);
    for (unsigned round = 0; round < rounds && code == 0; round++) {
        size_t which = choose_record(single, round);
        shuffle(run, order);
        for (size_t turn = 0; turn < run->count && code == 0; turn++)
            code = commit_one(single, order[turn], round, which);
    }
    if (code == 0)
        code = close_single(run, single);
    if (code == 0)
        report_single(run, single, rounds);
    for (size_t s = 0; s < run->count; s++)
        place_fini(&single->places[s]);
    store_records_fini(&single->records);
    free(single);
    return code;
}

/* ---- batches */

static int time_batch(struct store_run *run, size_t s, const struct store_records *records, struct bench_samples *samples)
{
    struct place place;
    struct store_tally tally = {0};
    int code = place_init(&place, run, s);
    if (code == 0)
        code = place.subject->open(place.self);
    settle(run);
    uint64_t begin = bench_now_ns();
    if (code == 0)
        code = place.subject->commit(place.self, records->pointers, records->count);
    bench_add(samples, (double)(bench_now_ns() - begin) / 1e3);
    if (code == 0 && samples->count == 1) {
        code = place.subject->load(place.self, &tally);
        if (code == 0)
            code = check(&place, records, &tally);
    }
    if (code == 0)
        code = place.subject->close(place.self);
    place_fini(&place);
    return code;
}

int store_measure_batch(struct store_run *run, size_t count)
{
    char name[32];
    size_t order[STORE_SUBJECTS_MAX];
    struct store_records records;
    struct bench_samples samples[STORE_SUBJECTS_MAX] = {{.count = 0}};
    snprintf(name, sizeof(name), "batch %zu", count);
    int code = store_records_init(&records, count);
    for (unsigned repeat = 0; repeat < repeats(run, count) && code == 0; repeat++) {
        shuffle(run, order);
        for (size_t turn = 0; turn < run->count && code == 0; turn++)
            if (takes(run, order[turn], count))
                code = time_batch(run, order[turn], &records, &samples[order[turn]]);
    }
    if (code == 0)
        report_all(run, name, samples);
    store_records_fini(&records);
    return code;
}

/* ---- loads */

#define LOAD_BATCH 1000

static int set_up_load(struct place *place, const struct store_run *run, size_t s, const struct store_records *records)
{
    int code = place_init(place, run, s);
    if (code == 0)
        code = place->subject->open(place->self);
    if (code == 0)
        code = commit_all(place, records, LOAD_BATCH);
    return code == 0 ? place->subject->close(place->self) : code;
}

static int time_load(struct place *place, const struct store_records *records, struct bench_samples *samples)
{
    struct store_tally tally = {0};
    uint64_t begin = bench_now_ns();
    int code = place->subject->open(place->self);
    if (code == 0)
        code = place->subject->load(place->self, &tally);
    bench_add(samples, (double)(bench_now_ns() - begin) / 1e3);
    if (code == 0)
        code = check(place, records, &tally);
    return code == 0 ? place->subject->close(place->self) : code;
}

int store_measure_load(struct store_run *run, size_t count)
{
    char name[32];
    size_t order[STORE_SUBJECTS_MAX];
    struct store_records records;
    struct place places[STORE_SUBJECTS_MAX] = {{.self = NULL}};
    struct bench_samples samples[STORE_SUBJECTS_MAX] = {{.count = 0}};
    snprintf(name, sizeof(name), "load %zu", count);
    int code = store_records_init(&records, count);
    for (size_t s = 0; s < run->count && code == 0; s++)
        if (takes(run, s, count))
            code = set_up_load(&places[s], run, s, &records);
    settle(run);
    for (unsigned repeat = 0; repeat < repeats(run, count) && code == 0; repeat++) {
        shuffle(run, order);
        for (size_t turn = 0; turn < run->count && code == 0; turn++)
            if (takes(run, order[turn], count))
                code = time_load(&places[order[turn]], &records, &samples[order[turn]]);
    }
    if (code == 0)
        report_all(run, name, samples);
    for (size_t s = 0; s < run->count; s++)
        place_fini(&places[s]);
    store_records_fini(&records);
    return code;
}

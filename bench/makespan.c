/* SPDX-License-Identifier: MIT */
/*
 * Ops that take 1 to 50 ms each and only wait, so many at once: from the first call to the last end. Drivers begin a timer in
 * initialize; muster lets as many be out as the peer has workers, which sleep. An earlier bring-up has taught muster how long
 * each takes; "no history" has no store to learn from, and "first come" doesn't look at what waits for whom.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "bench.h"
#include "directory.h"
#include "makespan_peer.h"
#include "work.h"

#define OPS 200
#define MS_NS 1000000u

struct timer {
    struct host *host;
    const struct work_op *is;
    struct muster_op *op; /* NULL: not running */
    uint64_t at;          /* ns */
};

struct host {
    struct muster *context;
    struct timer timers[OPS];
    uint32_t ended;
    uint64_t begin;
    uint64_t end;
    int code;
};

static int initialize(struct muster_op *op)
{
    struct timer *timer = muster_op_driver_data(op);
    uint64_t now = bench_now_ns();
    if (timer->host->begin == 0)
        timer->host->begin = now;
    timer->op = op;
    timer->at = now + (uint64_t)timer->is->ms * MS_NS;
    return MUSTER_PENDING;
}

static void up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct host *host = data;
    host->end = bench_now_ns();
    host->code = code;
    if (code != 0)
        fprintf(stderr, "makespan: %s\n", muster_error_text(error));
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static void expire(struct host *host)
{
    uint64_t now = bench_now_ns();
    for (uint32_t i = 0; i < OPS; i++) {
        struct timer *timer = &host->timers[i];
        if (timer->op == NULL || timer->at > now)
            continue;
        muster_op_finish(timer->op, MUSTER_OK);
        timer->op = NULL;
        host->ended++;
    }
}

static uint64_t next_at(const struct host *host)
{
    uint64_t at = UINT64_MAX;
    for (uint32_t i = 0; i < OPS; i++)
        if (host->timers[i].op != NULL && host->timers[i].at < at)
            at = host->timers[i].at;
    int ms = muster_timeout(host->context);
    uint64_t own = ms < 0 ? UINT64_MAX : bench_now_ns() + (uint64_t)ms * MS_NS;
    return own < at ? own : at;
}

/* A poll of whole milliseconds would add one to every op. */
static int loop(struct host *host)
{
    int code = 0;
    while (code == 0 && (code = muster_process(host->context)) == 0 && muster_state(host->context) != MUSTER_STATE_DOWN) {
        struct pollfd ready = {.fd = muster_fd(host->context), .events = POLLIN};
        uint64_t at = next_at(host);
        uint64_t now = bench_now_ns();
        uint64_t left = at > now ? at - now : 0;
        struct timespec wait = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
        if (ppoll(&ready, 1, at == UINT64_MAX ? NULL : &wait, NULL) < 0 && errno != EINTR)
            code = -errno;
        expire(host);
    }
    return code;
}

static int add_drivers(struct host *host, const struct work *work)
{
    struct muster_driver_def def;
    char names[OPS][16];
    MUSTER_DRIVER_DEF_INIT(&def);
    def.initialize = initialize;
    for (uint32_t i = 0; i < OPS; i++)
        snprintf(names[i], sizeof(names[i]), "op-%u", (unsigned)i);
    for (uint32_t i = 0; i < OPS; i++) {
        const struct work_op *op = &work->ops[i];
        const char *needs[WORK_NEEDS_MAX + 1] = {NULL};
        for (uint32_t k = 0; k < op->need_count; k++)
            needs[k] = names[op->needs[k]];
        def.name = names[i];
        def.needs = needs;
        host->timers[i] = (struct timer){.host = host, .is = op};
        int code = muster_add_driver(host->context, &def, &host->timers[i], NULL);
        if (code != 0)
            return code;
    }
    return 0;
}

/* `directory` NULL: no store. In ms; 0: it failed. */
static double run_context(const struct work *work, uint32_t at_once, const char *directory, uintptr_t flags)
{
    struct muster_options options;
    struct host host = {.code = MUSTER_EFAILED};
    MUSTER_OPTIONS_INIT(&options);
    options.max_ops = at_once;
    options.flags = flags;
    int code = directory == NULL ? 0 : muster_store_journal_new(directory, NULL, &options.store);
    if (code == 0 && (code = muster_new(&options, &host.context)) != 0)
        muster_store_free(options.store);
    if (code == 0)
        code = add_drivers(&host, work);
    if (code == 0)
        code = muster_bring_up(host.context, up, &host);
    if (code == 0)
        code = loop(&host);
    muster_free(host.context);
    if (code != 0)
        fprintf(stderr, "makespan: %s\n", muster_code_text(code));
    return code == 0 && host.code == 0 && host.ended == OPS ? (double)(host.end - host.begin) / MS_NS : 0;
}

/* ---- subjects ------------------------------------------------------------------------------------ */

struct trial {
    const struct work *work;
    uint32_t at_once;
    const char *directory;
};

static double run_limit(const struct trial *trial)
{
    return work_limit(trial->work, trial->at_once);
}

static double run_muster(const struct trial *trial)
{
    return run_context(trial->work, trial->at_once, trial->directory, 0);
}

static double run_no_history(const struct trial *trial)
{
    return run_context(trial->work, trial->at_once, NULL, 0);
}

static double run_first_come(const struct trial *trial)
{
    return run_context(trial->work, trial->at_once, NULL, MUSTER_FIRST_COME);
}

static double run_peer(const struct trial *trial)
{
    return peer_makespan(trial->work, trial->at_once == 0 ? trial->work->count : trial->at_once);
}

#define SUBJECTS 5
static const struct {
    const char *name;
    double (*run)(const struct trial *trial);
    bool always; /* else with --full alone */
} subjects[SUBJECTS] = {{"limit", run_limit, true},
                        {"muster", run_muster, true},
                        {"no history", run_no_history, false},
                        {"first come", run_first_come, false},
                        {"oneTBB", run_peer, true}};

static bool takes_part(const struct bench *bench, size_t subject)
{
    return (bench->full || subjects[subject].always) && (subjects[subject].run != run_peer || peer_name() != NULL);
}

/* ---- cases --------------------------------------------------------------------------------------- */

#define COUNTS 6
static const uint32_t at_onces[COUNTS] = {1, 2, 4, 8, 16, 0};

struct results {
    struct bench_samples of[COUNTS][SUBJECTS];
};

/* Without --full, as little as shows something: each case waits for seconds. */
static bool is_measured(const struct bench *bench, enum work_shape shape, uint32_t at_once)
{
    return bench->full || at_once == 0 || at_once >= 8 || (shape == WORK_RANDOM && at_once > 1);
}

static int measure_seed(const struct bench *bench, enum work_shape shape, unsigned seed, struct results *results)
{
    static struct work work;
    char directory[BENCH_DIRECTORY];
    if (bench_directory_new(bench, directory) != 0)
        return -1;
    work_make(&work, shape, OPS, seed);
    struct trial trial = {.work = &work, .directory = directory};
    int code = run_muster(&trial) > 0 ? 0 : -1; /* makes the history */
    for (size_t c = 0; c < COUNTS && code == 0; c++) {
        trial.at_once = at_onces[c];
        if (!is_measured(bench, shape, trial.at_once))
            continue;
        for (size_t turn = 0; turn < SUBJECTS && code == 0; turn++) {
            size_t s = (turn + seed) % SUBJECTS;
            double ms = takes_part(bench, s) ? subjects[s].run(&trial) : 0;
            if (takes_part(bench, s))
                bench_add(&results->of[c][s], ms);
            code = takes_part(bench, s) && ms <= 0 ? -1 : 0;
        }
    }
    bench_directory_remove(directory);
    return code;
}

static void report(const struct bench *bench, enum work_shape shape, const struct results *results)
{
    for (size_t c = 0; c < COUNTS; c++) {
        char name[32];
        if (at_onces[c] == 0)
            snprintf(name, sizeof(name), "%s all", work_shape_name(shape));
        else
            snprintf(name, sizeof(name), "%s %u", work_shape_name(shape), (unsigned)at_onces[c]);
        for (size_t s = 0; s < SUBJECTS; s++) {
            const char *const labels[] = {name, subjects[s].name, "ms"};
            bench_report(bench, labels, &results->of[c][s], &results->of[c][0]);
        }
    }
}

static int measure(const struct bench *bench, enum work_shape shape, unsigned seeds)
{
    static struct results results;
    memset(&results, 0, sizeof(results));
    for (unsigned seed = 1; seed <= seeds; seed++) {
        if (measure_seed(bench, shape, seed, &results) != 0) {
            fprintf(stderr, "makespan: %s, seed %u: failed\n", work_shape_name(shape), seed);
            return -1;
        }
    }
    report(bench, shape, &results);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {.name = "makespan", .on_disk = true};
    int exit_code;
    if (bench_begin(&bench, "makespan: 200 ops of 1 to 50 ms, so many at once", argc, argv, &exit_code) != 0)
        return exit_code;
    if (peer_name() == NULL)
        fprintf(stderr, "makespan: built without oneTBB (libtbb-dev): it is left out\n");
    prctl(PR_SET_TIMERSLACK, 1ul); /* for the peer's threads, too */
    for (enum work_shape shape = WORK_RANDOM; shape < WORK_SHAPES; shape++)
        if (measure(&bench, shape, bench.full ? 5 : 1) != 0)
            return 1;
    return 0;
}

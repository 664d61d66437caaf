/* SPDX-License-Identifier: MIT */
/*
 * makespan: what the longest path first gains, on a virtual clock. 200 ops of 1 to 50 ms on graphs of many seeds, so many at
 * once: the time from the first begin to the last end, as a ratio to max(longest path, work / at once), in the mean. First
 * come; by the longest count (no history); by the longest path (the history of one bring-up). Fails if the history makes it
 * slower than first come, in the mean.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bench/work.h"
#include "engine/engine.h"

enum { OPS = 200, COUNTS = 3, WAYS = 3 };

static const uint32_t at_onces[COUNTS] = {2, 4, 8};
static const char *const ways[WAYS] = {"first come", "count", "history"};
static struct muster__memory memory;

struct timer {
    const struct work_op *is;
    struct muster_op *op; /* NULL: not running */
    uint64_t at;
};

/* What the store has: durations. */
struct kept {
    struct muster__record *records[OPS];
    size_t count;
};

struct host {
    struct muster__engine *engine;
    struct kept *kept; /* NULL: no store */
    struct timer timers[OPS];
    uint32_t ended;
    uint64_t begin;
    uint64_t now;
    bool up;
};

static int initialize(struct muster_op *op)
{
    (void)op; /* call() plays it */
    return MUSTER_PENDING;
}

static void done(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    (void)error;
    ((struct host *)data)->up = code == 0;
}

static void step(struct host *host, struct muster__event event)
{
    event.now = host->now;
    if (muster__engine_step(host->engine, &event) == 0)
        return;
    fprintf(stderr, "makespan: %s\n", muster_error_text(muster__engine_error(host->engine)));
    exit(1);
}

static void call(struct host *host, struct muster_op *op)
{
    struct timer *timer = muster_driver_data(op->driver);
    if (host->begin == 0)
        host->begin = host->now;
    timer->op = op;
    timer->at = host->now + timer->is->ms;
}

static void keep(struct host *host, const struct muster__action *action)
{
    for (size_t i = 0; i < action->count; i++) {
        size_t k = 0;
        while (k < host->kept->count && strcmp(host->kept->records[k]->is.driver, action->records[i]->driver) != 0)
            k++;
        if (k < host->kept->count)
            muster__record_unref(host->kept->records[k]);
        else
            host->kept->count++;
        host->kept->records[k] = muster__record_new(&memory, action->records[i]);
    }
}

static void load(struct host *host)
{
    const struct muster_record *records[OPS];
    for (size_t i = 0; i < host->kept->count; i++)
        records[i] = &host->kept->records[i]->is;
    step(host, (struct muster__event){.type = MUSTER__EVENT_LOADED, .records = records, .count = host->kept->count});
}

static void carry_out(struct host *host)
{
    struct muster__action action;
    while (muster__engine_action(host->engine, &action)) {
        if (action.type == MUSTER__ACTION_CALL) {
            call(host, action.op);
        } else if (action.type == MUSTER__ACTION_LOAD) {
            load(host);
        } else if (action.type == MUSTER__ACTION_COMMIT) {
            keep(host, &action);
            step(host, (struct muster__event){.type = MUSTER__EVENT_COMMITTED});
        } else if (action.type == MUSTER__ACTION_DONE) {
            action.done.cb(NULL, action.done.data, action.code, action.error);
        }
    }
}

/* The next end of an op; false if none is out. */
static bool expire(struct host *host)
{
    struct timer *next = NULL;
    for (uint32_t i = 0; i < OPS; i++) {
        struct timer *timer = &host->timers[i];
        if (timer->op != NULL && (next == NULL || timer->at < next->at))
            next = timer;
    }
    if (next == NULL)
        return false;
    struct muster_op *op = next->op;
    next->op = NULL;
    host->now = next->at;
    host->ended++;
    op->effects.outcome = MUSTER_OK;
    step(host, (struct muster__event){.type = MUSTER__EVENT_OP_FINISHED, .op = op});
    return true;
}

static void add_drivers(struct host *host, const struct work *work)
{
    char names[OPS][16];
    for (uint32_t i = 0; i < OPS; i++)
        snprintf(names[i], sizeof(names[i]), "op-%u", (unsigned)i);
    for (uint32_t i = 0; i < OPS; i++) {
        const char *needs[WORK_NEEDS_MAX + 1] = {NULL};
        struct muster_driver_def def = {.size = sizeof(def), .name = names[i], .needs = needs, .initialize = initialize};
        for (uint32_t k = 0; k < work->ops[i].need_count; k++)
            needs[k] = names[work->ops[i].needs[k]];
        host->timers[i] = (struct timer){.is = &work->ops[i]};
        step(host, (struct muster__event){.type = MUSTER__EVENT_ADD_DRIVER, .driver_def = &def, .data = &host->timers[i]});
    }
}

/* From the first begin to the last end, in ms. */
static uint64_t run(const struct work *work, uint32_t at_once, uint64_t flags, struct kept *kept)
{
    struct host host = {.kept = kept, .now = 1};
    struct muster__engine_options options = {.memory = &memory,
                                             .has_store = kept != NULL,
                                             .seed = {1, 2},
                                             .boot_id = "boot",
                                             .flags = flags,
                                             .max_ops = at_once,
                                             .op_timeout_ms = 60000,
                                             .store_timeout_ms = 60000};
    if (muster__engine_new(&options, &host.engine) != 0)
        abort();
    add_drivers(&host, work);
    step(&host, (struct muster__event){.type = MUSTER__EVENT_BRING_UP, .done = {done, &host}});
    do
        carry_out(&host);
    while (expire(&host));
    if (!host.up || host.ended != OPS || muster__engine_free(host.engine) != 0) {
        fprintf(stderr, "makespan: %u of %u ops have ended\n", (unsigned)host.ended, (unsigned)OPS);
        exit(1);
    }
    return host.now - host.begin;
}

static void add_ratios(const struct work *work, double sums[COUNTS][WAYS])
{
    struct kept kept = {.count = 0};
    run(work, 0, 0, &kept);
    for (size_t c = 0; c < COUNTS; c++) {
        struct kept copy = {.count = kept.count};
        for (size_t i = 0; i < kept.count; i++)
            copy.records[i] = muster__record_ref(kept.records[i]);
        double limit = work_limit(work, at_onces[c]);
        sums[c][0] += (double)run(work, at_onces[c], MUSTER_FIRST_COME, NULL) / limit;
        sums[c][1] += (double)run(work, at_onces[c], 0, NULL) / limit;
        sums[c][2] += (double)run(work, at_onces[c], 0, &copy) / limit;
        for (size_t i = 0; i < copy.count; i++)
            muster__record_unref(copy.records[i]);
    }
    for (size_t i = 0; i < kept.count; i++)
        muster__record_unref(kept.records[i]);
}

/* How often the history makes it slower, in the mean. */
static unsigned compare(enum work_shape shape, unsigned seeds)
{
    static struct work work;
    double sums[COUNTS][WAYS] = {{0}};
    unsigned slower = 0;
    for (unsigned seed = 1; seed <= seeds; seed++) {
        work_make(&work, shape, OPS, seed);
        add_ratios(&work, sums);
    }
    for (size_t c = 0; c < COUNTS; c++) {
        printf("%-8s %7u", work_shape_name(shape), (unsigned)at_onces[c]);
        for (size_t way = 0; way < WAYS; way++)
            printf(" %10.3f", sums[c][way] / seeds);
        printf("\n");
        slower += sums[c][WAYS - 1] > sums[c][0];
    }
    return slower;
}

static bool parse(int argc, char **argv, unsigned *ret_seeds)
{
    static const struct option names[] = {
        {"seeds", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        if (option == 'h') {
            puts("usage: makespan [--seeds N]\n  --seeds N  graphs of each shape (default 200)");
            exit(0);
        }
        if (option != 's')
            return false;
        *ret_seeds = (unsigned)strtoul(optarg, NULL, 10);
    }
    return optind == argc && *ret_seeds > 0;
}

int main(int argc, char **argv)
{
    unsigned seeds = 200;
    unsigned slower = 0;
    if (!parse(argc, argv, &seeds) || muster__memory_init(&memory, NULL) != 0) {
        fputs("makespan: see --help\n", stderr);
        return 2;
    }
    printf("%-8s %7s", "graph", "at once");
    for (size_t way = 0; way < WAYS; way++)
        printf(" %10s", ways[way]);
    printf("\n");
    for (enum work_shape shape = WORK_RANDOM; shape < WORK_SHAPES; shape++)
        slower += compare(shape, seeds);
    printf("%u graphs of %u ops: %s\n", seeds * WORK_SHAPES, (unsigned)OPS,
           slower == 0 ? "none slower with a history, in the mean" : "BROKEN: slower than first come");
    return slower == 0 ? 0 : 1;
}

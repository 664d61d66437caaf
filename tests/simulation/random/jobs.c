/* SPDX-License-Identifier: MIT */
#include "jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BEAT_SECONDS = 30, TICK_MS = 200 };

/* What a job tells its parent. */
struct job {
    _Atomic uint64_t seed; /* under way */
    _Atomic uint64_t runs;
    _Atomic uint64_t steps;
    _Atomic uint64_t deaths;
    _Atomic uint64_t failures;
    uint64_t failed_seed; /* the first */
    char kind[512];
    char failure[512];
};

struct shared {
    _Atomic uint64_t next; /* how many seeds have been given out */
    atomic_bool stop;
    struct job jobs[MOST_JOBS];
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- a job -------------------------------------------------------------------------------------------------- */

static void tell_failure(struct job *job, uint64_t seed, const char *kind, const char *failure)
{
    if (job->failures++ > 0)
        return;
    job->failed_seed = seed;
    snprintf(job->kind, sizeof(job->kind), "%s", kind);
    snprintf(job->failure, sizeof(job->failure), "%s", failure);
}

static void run_seed(uint64_t seed, struct job *job, bool tells)
{
    static struct world world;
    static struct scenario scenario;
    struct run run = {.scenario = &scenario};
    scenario_generate(&scenario, seed);
    run_limit();
    if (!run_play(&run, &world)) {
        tell_failure(job, seed, run.kind, run.failure);
        if (tells)
            fprintf(stderr, "\nseed %llu: %s\n", (unsigned long long)seed, run.failure);
    }
    job->steps += run.steps;
    job->deaths += run.deaths;
    job->runs++;
    world_fini(&world);
}

static int work(const struct order *order, struct shared *shared, struct job *job)
{
    signal(SIGINT, SIG_IGN); /* the parent tells when to stop */
    while (!shared->stop) {
        uint64_t number = shared->next++;
        if (number >= order->runs)
            break;
        job->seed = order->seed + number;
        run_seed(job->seed, job, order->keep_going);
        if (job->failures > 0 && !order->keep_going)
            shared->stop = true;
    }
    job->seed = UINT64_MAX;
    return 0;
}

static pid_t begin(const struct order *order, struct shared *shared, struct job *job)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        exit(work(order, shared, job));
    return child;
}

/* ---- the parent ------------------------------------------------------------------------------------------------ */

static uint64_t runs_of(const struct order *order, const struct shared *shared)
{
    uint64_t runs = 0;
    for (unsigned i = 0; i < order->jobs; i++)
        runs += shared->jobs[i].runs;
    return runs;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void show(const struct order *order, const struct shared *shared, double elapsed, bool terminal)
{
    uint64_t runs = runs_of(order, shared);
    double left = runs == 0 ? 0 : elapsed / (double)runs * (double)(order->runs - runs);
    fprintf(stderr, "%s%llu of %llu runs, %.0f a second, %d min %02d s left%s", terminal ? "\r" : "",
            (unsigned long long)runs, (unsigned long long)order->runs, elapsed > 0 ? (double)runs / elapsed : 0,
            (int)left / 60, (int)left % 60, terminal ? "\033[K" : "\n");
}

/* A job has ended: badly, if a run crashed. True: another takes its place. */
static bool see_end(const struct order *order, struct shared *shared, struct job *job, int status)
{
    char kind[64];
    if (!WIFSIGNALED(status))
        return false;
    snprintf(kind, sizeof(kind), "signal %d", WTERMSIG(status));
    tell_failure(job, job->seed, kind, kind);
    job->runs++;
    if (order->keep_going)
        fprintf(stderr, "\nseed %llu: %s\n", (unsigned long long)job->seed, kind);
    else
        shared->stop = true;
    return order->keep_going;
}

static void wait_for_all(const struct order *order, struct shared *shared, pid_t *children)
{
    bool terminal = isatty(STDERR_FILENO) != 0;
    double begun = seconds_now(), shown = begun;
    for (unsigned left = order->jobs; left > 0;) {
        int status;
        pid_t child = waitpid(-1, &status, WNOHANG);
        for (unsigned i = 0; child > 0 && i < order->jobs; i++) {
            if (children[i] != child)
                continue;
            children[i] = see_end(order, shared, &shared->jobs[i], status) ? begin(order, shared, &shared->jobs[i]) : 0;
            left -= children[i] <= 0;
        }
        double now = seconds_now();
        if (terminal || now - shown >= BEAT_SECONDS) {
            show(order, shared, now - begun, terminal);
            shown = now;
        }
        if (interrupted)
            shared->stop = true;
        if (child == 0)
            nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
    }
    if (terminal)
        fputc('\n', stderr);
}

static void sum_up(const struct order *order, const struct shared *shared, struct tally *tally)
{
    uint64_t given = shared->next < order->runs ? shared->next : order->runs;
    *tally = (struct tally){.seed = UINT64_MAX, .below = order->seed + given, .interrupted = interrupted != 0};
    for (unsigned i = 0; i < order->jobs; i++) {
        const struct job *job = &shared->jobs[i];
        tally->runs += job->runs;
        tally->steps += job->steps;
        tally->deaths += job->deaths;
        tally->failures += job->failures;
        if (job->failures == 0 || job->failed_seed >= tally->seed)
            continue;
        tally->seed = job->failed_seed;
        snprintf(tally->kind, sizeof(tally->kind), "%s", job->kind);
        snprintf(tally->failure, sizeof(tally->failure), "%s", job->failure);
    }
}

int jobs_run(const struct order *order, struct tally *ret_tally)
{
    pid_t children[MOST_JOBS];
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    sigaction(SIGINT, &(struct sigaction){.sa_handler = interrupt}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = interrupt}, NULL);
    for (unsigned i = 0; i < order->jobs; i++) {
        children[i] = begin(order, shared, &shared->jobs[i]);
        if (children[i] < 0)
            return 2;
    }
    wait_for_all(order, shared, children);
    sum_up(order, shared, ret_tally);
    munmap(shared, sizeof(*shared));
    return 0;
}

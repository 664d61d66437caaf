/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/failing_memory.h"

/* What is tried just now: a call that fails, or an allocation (no plan). */
static struct {
    const char *scenario;
    const char *steps;
    const struct image *image;
    unsigned cut_off;
    const struct plan *plan;
    enum call call;
    size_t n;
    bool forever;
} now;

static struct failing_memory memory;
/* Shared with the children that die. */
static struct model *model;

const struct plan *sweep_plan(void)
{
    return now.plan;
}

static void describe(void)
{
    char text[128] = "";
    fprintf(stderr, "%s", now.scenario);
    if (now.cut_off > 0)
        fprintf(stderr, ", cut off in way %u", now.cut_off);
    if (now.plan != NULL && now.n > 0) {
        plan_text(now.plan, text, sizeof(text));
        fprintf(stderr, ": %s %zu (%s) %s", call_names[now.call], now.n, call_fault.file, text);
    } else if (now.n > 0) {
        fprintf(stderr, ": allocation %zu%s fails", now.n, now.forever ? ", and all after it," : "");
    }
    fprintf(stderr, ": ");
}

/* ---- one try */

static unsigned run(const struct sweep *sweep, const struct scenario *scenario, const char *steps, struct host *ret_host)
{
    struct muster_allocator allocator = failing_allocator(&memory);
    struct host host = {.subject = sweep->subject,
                        .directory = sweep->directory,
                        .compact_size = scenario->compact_size,
                        .allocator = &allocator,
                        .model = model};
    host_run(&host, steps);
    if (ret_host != NULL)
        *ret_host = host;
    return host.failed;
}

static void disarm(const struct sweep *sweep)
{
    call_fault = (struct call_fault){0};
    fault_init(sweep->memory_fault);
}

/* All is well again: the next run goes through, and what it says is what the model says, now and later. */
static void recover(const struct sweep *sweep, const struct scenario *scenario)
{
    disarm(sweep);
    if (run(sweep, scenario, "olplx", NULL) != 0)
        bad("without a fault the next run fails");
    if (run(sweep, scenario, "olvx", NULL) != 0)
        bad("without a fault the run after that fails");
    if (sweep->check_files != NULL)
        sweep->check_files(sweep, model);
}

static void check_leaks(const struct sweep *sweep, size_t fds)
{
    if (memory.live != 0)
        bad("%zu allocations leak", memory.live);
    if (sweep->live() != 0)
        bad("%ld allocations of others leak", sweep->live());
    if (count_descriptors() != fds)
        bad("%zu descriptors are open, and %zu were", count_descriptors(), fds);
    memory.live = 0;
}

static void check_tolerance(struct sweep *sweep)
{
    struct tolerated *row = plan_find(sweep->tolerated, now.plan, now.call, call_fault.file, call_fault.step);
    if (row == NULL)
        bad("nothing failed in step %c, and no row of the table says why that is right", call_fault.step);
    else if (strchr(row->how, 'f') != NULL && call_fault.count[CALL_RENAMEAT] == 0)
        bad("no fresh file took the place of the one that failed in step %c", call_fault.step);
    else
        row->hits++;
    sweep->totals.tolerated++;
}

static void arm(const struct sweep *sweep, const struct scenario *scenario)
{
    const struct plan *plan = now.plan;
    disarm(sweep);
    call_fault.call = now.call;
    call_fault.effect = plan->effect;
    call_fault.part = plan->part;
    call_fault.sys_errno = plan->sys_errno;
    call_fault.block = scenario->block;
    fault_arm(&call_fault.at, now.n, plan->forever);
}

/* False: the fault was beyond the last call. */
static bool try_fault(struct sweep *sweep, const struct scenario *scenario, struct image *image, const struct model *begin)
{
    size_t fds = count_descriptors();
    image_put(image, sweep->directory);
    *model = *begin;
    arm(sweep, scenario);
    unsigned failed = run(sweep, scenario, scenario->steps, NULL);
    bool fired = call_fault.at.fired > 0;
    if (fired && failed == 0)
        check_tolerance(sweep);
    else if (!fired && failed > 0)
        bad("a step fails, and no fault was met");
    check_leaks(sweep, fds);
    recover(sweep, scenario);
    sweep->totals.faults += fired;
    return fired;
}

static bool try_allocation(struct sweep *sweep, const struct scenario *scenario, struct image *image, const struct model *begin)
{
    size_t fds = count_descriptors();
    image_put(image, sweep->directory);
    *model = *begin;
    disarm(sweep);
    fault_arm(sweep->memory_fault, now.n, now.forever);
    run(sweep, scenario, scenario->steps, NULL);
    bool fired = sweep->memory_fault->fired > 0;
    check_leaks(sweep, fds);
    recover(sweep, scenario);
    sweep->totals.allocations += fired;
    return fired;
}

/* In a child. True: it died there. */
static bool die(struct sweep *sweep, const struct scenario *scenario, const char *steps)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bad_count = 0;
        arm(sweep, scenario);
        run(sweep, scenario, steps, NULL);
        _exit(bad_count > 0 ? 1 : 0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 1)
        bad("the process that was to die ends in another way (%d)", status);
    return WIFEXITED(status) && WEXITSTATUS(status) == CALL_DIED;
}

static bool try_death(struct sweep *sweep, const struct scenario *scenario, struct image *image, const struct model *begin)
{
    image_put(image, sweep->directory);
    *model = *begin;
    bool died = die(sweep, scenario, scenario->steps);
    recover(sweep, scenario);
    sweep->totals.deaths += died;
    return died;
}

/* ---- all tries of a scenario */

static bool skips(const struct sweep *sweep)
{
    return sweep->skips != NULL && sweep->skips(now.call, now.plan);
}

static void sweep_image(struct sweep *sweep, const struct scenario *scenario, struct image *image, const struct model *begin)
{
    struct plan plans[PLANS];
    for (now.call = 0; now.call < CALLS; now.call++) {
        unsigned count = plan_all(now.call, sweep->quick ? 1 : sweep->errnos, plans);
        for (unsigned i = 0; i < count; i++)
            for (now.plan = &plans[i], now.n = 1; !skips(sweep) && try_fault(sweep, scenario, image, begin); now.n++)
                ;
        count = plan_deaths(now.call, plans);
        for (unsigned i = 0; i < count; i++)
            for (now.plan = &plans[i], now.n = 1; try_death(sweep, scenario, image, begin); now.n++)
                ;
    }
    now.plan = NULL;
    for (int forever = 0; forever < 2; forever++)
        for (now.forever = forever, now.n = 1; try_allocation(sweep, scenario, image, begin); now.n++)
            ;
    now.n = 0;
}

#define CUT_OFF 64

/* What the lock file says is of the process that died, and what the next file begins with is never read. */
static void take_cut_off(struct image *image, const char *directory)
{
    image_take(image, directory);
    for (size_t i = 0; i < image->count; i++)
        if (strcmp(image->files[i].name, "lock") == 0 || strcmp(image->files[i].name, "journal.new") == 0)
            image->files[i].size = 0;
}

/* The directories that deaths in these steps leave, each once. */
static unsigned cut_off(struct sweep *sweep, const struct scenario *scenario, const struct image *image, struct image *images)
{
    struct plan plans[PLANS];
    struct model begin = *model;
    unsigned count = 0;
    call_random_is_fixed = true;
    for (now.call = 0; now.call < CALLS; now.call++) {
        unsigned planned = plan_deaths(now.call, plans);
        for (unsigned i = 0; i < planned; i++) {
            bool died = true;
            for (now.plan = &plans[i], now.n = 1; died; now.n++) {
                image_put(image, sweep->directory);
                *model = begin;
                died = die(sweep, scenario, scenario->cut_off);
                take_cut_off(&images[count], sweep->directory);
                unsigned same = 0;
                while (!image_equal(&images[same], &images[count]))
                    same++;
                if (same < count)
                    image_free(&images[count]);
                else if (++count == CUT_OFF)
                    abort();
            }
        }
    }
    call_random_is_fixed = false;
    *model = begin;
    now.n = 0;
    return count;
}

static void prepare(struct sweep *sweep, const struct scenario *scenario, struct image *image)
{
    image_remove(sweep->directory);
    *model = (struct model){0};
    disarm(sweep);
    if (scenario->before != NULL && run(sweep, scenario, scenario->before, NULL) != 0)
        bad("it can't be prepared");
    image_take(image, sweep->directory);
    if (scenario->change != NULL)
        scenario->change(image, model);
}

void sweep_scenario(struct sweep *sweep, const struct scenario *scenario)
{
    static struct image images[CUT_OFF];
    struct image image;
    struct totals before = sweep->totals;
    unsigned count = 1;
    bad_describe = describe;
    now.scenario = scenario->name;
    memory.fault = sweep->memory_fault;
    if (model == NULL)
        model = mmap(NULL, sizeof(*model), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (model == MAP_FAILED)
        abort();
    prepare(sweep, scenario, &image);
    struct model begin = *model;
    if (scenario->cut_off != NULL)
        count = cut_off(sweep, scenario, &image, images);
    else
        images[0] = image;
    for (unsigned i = 0; i < count; i++) {
        now.cut_off = scenario->cut_off == NULL ? 0 : i + 1;
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\r%s, %u of %u \r", scenario->name, i + 1, count);
        sweep_image(sweep, scenario, &images[i], &begin);
        image_free(&images[i]);
    }
    if (scenario->cut_off != NULL)
        image_free(&image);
    const struct totals *after = &sweep->totals;
    if (after->faults == before.faults || after->deaths == before.deaths || after->allocations == before.allocations)
        bad("calls or allocations of it go past those that fail");
    printf("%-40s %6u %9u %6u %11u\n", scenario->name, after->faults - before.faults, after->tolerated - before.tolerated,
           after->deaths - before.deaths, after->allocations - before.allocations);
    fflush(stdout);
}

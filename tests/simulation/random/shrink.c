/* SPDX-License-Identifier: MIT */
/* What a failure doesn't need is taken away, piece by piece: each try is a run in a process of its own. */
#include "fields.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct hunt {
    struct scenario *best;
    struct scenario *candidate;
    struct shrinking *shrinking;
    double deadline;
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void scenario_try(struct scenario *scenario, char *kind, size_t bytes)
{
    char *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        abort();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        static struct world world;
        struct run run = {.scenario = scenario};
        run_limit();
        if (freopen("/dev/null", "w", stderr) == NULL)
            exit(0);
        run_play(&run, &world);
        snprintf(shared, bytes, "%s", run.kind);
        exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        snprintf(kind, bytes, "signal %d", WTERMSIG(status));
    else
        memcpy(kind, shared, bytes);
    munmap(shared, bytes);
}

/* Is the candidate as bad? Then it is the best. */
static bool try_candidate(struct hunt *hunt)
{
    char kind[512];
    if (seconds_now() > hunt->deadline)
        return false;
    hunt->shrinking->tries++;
    scenario_try(hunt->candidate, kind, sizeof(kind));
    if (strcmp(kind, hunt->shrinking->kind) != 0)
        return false;
    *hunt->best = *hunt->candidate;
    return true;
}

/* ---- taking away ------------------------------------------------------------------------------------------- */

static void cut(void *array, size_t size, unsigned *count, unsigned from, unsigned length)
{
    char *bytes = array;
    memmove(bytes + from * size, bytes + (from + length) * size, (*count - from - length) * size);
    *count -= length;
}

static void cut_events(struct scenario *scenario, unsigned from, unsigned length)
{
    cut(scenario->events, sizeof(scenario->events[0]), &scenario->event_count, from, length);
}

static void cut_turns(struct scenario *scenario, unsigned from, unsigned length)
{
    cut(scenario->turns, sizeof(scenario->turns[0]), &scenario->turn_count, from, length);
}

static void cut_jobs(struct scenario *scenario, unsigned from, unsigned length)
{
    cut(scenario->jobs, sizeof(scenario->jobs[0]), &scenario->job_count, from, length);
}

static void drop_name(const char **list, const char *name)
{
    const char **kept = list;
    for (; *list != NULL; list++)
        if (strcmp(*list, name) != 0)
            *kept++ = *list;
    *kept = NULL;
}

/* Nothing speaks of it any more. */
static void forget_name(struct scenario *scenario, const char *name)
{
    for (unsigned i = 0; i < scenario->resource_count; i++) {
        drop_name(scenario->resources[i].needs, name);
        drop_name(scenario->resources[i].after, name);
    }
    for (unsigned i = 0; i < scenario->driver_count; i++) {
        struct driver_config *driver = &scenario->drivers[i];
        drop_name(driver->needs, name);
        drop_name(driver->wants, name);
        drop_name(driver->after, name);
        drop_name(driver->before, name);
    }
    for (unsigned i = scenario->event_count; i-- > 0;)
        if ((scenario->events[i].name != NULL && strcmp(scenario->events[i].name, name) == 0) ||
            (scenario->events[i].other != NULL && strcmp(scenario->events[i].other, name) == 0))
            cut_events(scenario, i, 1);
    for (unsigned i = scenario->turn_count; i-- > 0;)
        if (strcmp(scenario->turns[i].name, name) == 0)
            cut_turns(scenario, i, 1);
}

static void cut_resources(struct scenario *scenario, unsigned from, unsigned length)
{
    const char *names[WORLD_RESOURCES];
    for (unsigned i = 0; i < length; i++)
        names[i] = scenario->resources[from + i].name;
    unsigned count = scenario->resource_count;
    cut(scenario->unconfigured, sizeof(bool), &count, from, length);
    count = scenario->resource_count;
    cut(scenario->runs, sizeof(bool), &count, from, length);
    cut(scenario->resources, sizeof(scenario->resources[0]), &scenario->resource_count, from, length);
    for (unsigned i = 0; i < length; i++)
        forget_name(scenario, names[i]);
}

static void cut_drivers(struct scenario *scenario, unsigned from, unsigned length)
{
    for (unsigned i = from; i < from + length; i++) {
        const char *name = scenario->drivers[i].name;
        size_t bytes = strlen(name);
        for (unsigned k = scenario->resource_count; k-- > 0;)
            if (strncmp(scenario->resources[k].name, name, bytes) == 0 && scenario->resources[k].name[bytes] == '/')
                cut_resources(scenario, k, 1);
        forget_name(scenario, name);
    }
    unsigned count = scenario->driver_count;
    cut(scenario->later, sizeof(bool), &count, from, length);
    cut(scenario->drivers, sizeof(scenario->drivers[0]), &scenario->driver_count, from, length);
}

struct part {
    size_t count; /* where in struct scenario */
    void (*cut)(struct scenario *scenario, unsigned from, unsigned length);
};

static const struct part parts[] = {
    {offsetof(struct scenario, event_count), cut_events},       {offsetof(struct scenario, driver_count), cut_drivers},
    {offsetof(struct scenario, resource_count), cut_resources}, {offsetof(struct scenario, turn_count), cut_turns},
    {offsetof(struct scenario, job_count), cut_jobs},
};

/* Halves, quarters, ... single ones. */
static bool shorten(struct hunt *hunt, const struct part *part)
{
    const unsigned *count = (const unsigned *)(const void *)((const char *)hunt->best + part->count);
    bool shorter = false;
    for (unsigned length = *count; length > 0; length /= 2) {
        for (unsigned from = 0; from < *count;) {
            unsigned cut_length = *count - from < length ? *count - from : length;
            *hunt->candidate = *hunt->best;
            part->cut(hunt->candidate, from, cut_length);
            if (try_candidate(hunt))
                shorter = true;
            else
                from += cut_length;
        }
    }
    return shorter;
}

/* ---- making simpler ------------------------------------------------------------------------------------------- */

/* In this way, the first being to say nothing. False: there are no more ways. */
static bool simplify(const struct field *field, void *place, unsigned way)
{
    static const size_t bytes[] = {
        [IS_TRUE] = sizeof(bool), [IS_NUMBER] = 8, [IS_LIST] = WORLD_LIST * sizeof(char *), [IS_PHASES] = sizeof(unsigned),
        [IS_BITS] = 8,            [IS_WORD] = 8,   [IS_CODE] = sizeof(int)};
    if (field_is_usual(field, place))
        return false;
    if (way == 0)
        memset(place, 0, bytes[field->shape]);
    else if (field->shape == IS_NUMBER && way == 1)
        *(int64_t *)place /= 2;
    else if (field->shape == IS_NUMBER && way == 2)
        *(uint64_t *)place -= 1;
    else if (field->shape == IS_LIST && way < WORLD_LIST && ((const char **)place)[way - 1] != NULL)
        drop_name(place, ((const char **)place)[way - 1]);
    else if (field->shape == IS_PHASES && way <= WORLD_PHASES)
        *(unsigned *)place &= ~(1u << (way - 1));
    else
        return false;
    return true;
}

static bool simplify_object(struct hunt *hunt, const struct field *fields, size_t offset)
{
    bool simpler = false;
    for (const struct field *field = fields; field->key != NULL; field++) {
        for (unsigned way = 0;;) {
            *hunt->candidate = *hunt->best;
            if (!simplify(field, (char *)hunt->candidate + offset + field->offset, way))
                break;
            bool better = try_candidate(hunt);
            simpler = simpler || better;
            if (!better || field->shape == IS_PHASES)
                way++;
        }
    }
    return simpler;
}

static const struct field event_fields[] = {
    {"at", IS_NUMBER, offsetof(struct event, at), NULL},
    {"number", IS_NUMBER, offsetof(struct event, number), NULL},
    {0},
};

static bool simplify_all(struct hunt *hunt)
{
    struct scenario *best = hunt->best;
    bool simpler = simplify_object(hunt, scenario_context_fields, 0);
    for (unsigned i = 0; i < best->event_count; i++)
        if (best->events[i].kind != EVENT_LIFE)
            simpler |= simplify_object(hunt, event_fields, offsetof(struct scenario, events) + i * sizeof(struct event));
    for (unsigned i = 0; i < best->driver_count; i++)
        simpler |= simplify_object(hunt, scenario_driver_fields,
                                   offsetof(struct scenario, drivers) + i * sizeof(best->drivers[0]));
    for (unsigned i = 0; i < best->resource_count; i++)
        simpler |= simplify_object(hunt, scenario_resource_fields,
                                   offsetof(struct scenario, resources) + i * sizeof(best->resources[0]));
    for (unsigned i = 0; i < best->turn_count; i++)
        simpler |= simplify_object(hunt, scenario_turn_fields,
                                   offsetof(struct scenario, turns) + i * sizeof(best->turns[0]) +
                                       offsetof(struct told_turn, turn));
    for (unsigned i = 0; i < best->job_count; i++)
        simpler |= simplify_object(hunt, scenario_job_fields,
                                   offsetof(struct scenario, jobs) + i * sizeof(best->jobs[0]) +
                                       offsetof(struct told_job, turn));
    return simpler;
}

void scenario_shrink(struct scenario *scenario, struct shrinking *shrinking)
{
    struct hunt hunt = {scenario, malloc(sizeof(*scenario)), shrinking, seconds_now() + shrinking->seconds};
    bool shorter = hunt.candidate != NULL;
    while (shorter) {
        shorter = false;
        for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            shorter = shorten(&hunt, &parts[i]) || shorter;
        shorter = simplify_all(&hunt) || shorter;
    }
    free(hunt.candidate);
}

/* SPDX-License-Identifier: MIT */
/*
 * What a report says of a story, word for word: reports [--update] DIRECTORY. The stories are in a virtual time; the reports are
 * made, written as JSON, read back and written for people, as the command does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "run/context.h"

#include "../world.h"

#define EPOCH_MS 1700000000000u

struct story {
    const char *name;
    void (*tell)(struct world *world);
    const char *asked; /* names, one blank between them */
    enum muster_report_kind kind;
};

struct text {
    char *bytes;
    size_t used;
};

/* ---- stories ---------------------------------------------------------------------------------------------------- */

static void pools_and_guests(struct world *world)
{
    DRIVER(world, .name = "secret");
    DRIVER(world, .name = "storage", .needs = {"secret"});
    DRIVER(world, .name = "network");
    DRIVER(world, .name = "guest", .needs = {"storage"}, .wants = {"network"});
    RESOURCE(world, .name = "storage/pool0", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "storage/pool1", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/mail", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool0"});
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool1"});
}

static void a_slow_pool(struct world *world)
{
    pools_and_guests(world);
    TURN(world, START, "storage/pool1", .delay = 5000);
    world_boot_daemon(world);
    world_run(world);
}

static void a_slow_pool_while_it_runs(struct world *world)
{
    pools_and_guests(world);
    TURN(world, START, "storage/pool1", .delay = 5000);
    world_boot_daemon(world);
    world_run_until(world, 3000);
}

static void a_failing_pool(struct world *world)
{
    pools_and_guests(world);
    TURN(world, START, "storage/pool1", .delay = 800, .outcome = -ECONNREFUSED);
    world_boot_daemon(world);
    world_run(world);
}

static void a_hung_pool(struct world *world)
{
    pools_and_guests(world);
    TURN(world, START, "storage/pool1", .delay = 70000);
    world_boot_daemon(world);
    world_run_until(world, 61000);
}

static void device_and_guest(struct world *world)
{
    DRIVER(world, .name = "device");
    DRIVER(world, .name = "guest", .needs = {"device"});
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART);
    TURN(world, INITIALIZE, "device", .outcome = MUSTER_UNAVAILABLE);
    TURN(world, INITIALIZE, "device", .outcome = MUSTER_UNAVAILABLE);
    world_boot_daemon(world);
}

static void a_device_that_is_still_missing(struct world *world)
{
    device_and_guest(world);
    world_run_until(world, 500);
}

static void a_late_device(struct world *world)
{
    device_and_guest(world);
    world_run(world);
}

static void a_late_pool(struct world *world)
{
    pools_and_guests(world);
    TURN(world, PROBE, "storage/pool1", .outcome = MUSTER_UNAVAILABLE);
    TURN(world, PROBE, "storage/pool1", .outcome = MUSTER_UNAVAILABLE);
    world_boot_daemon(world);
    world_run(world);
}

static void a_pool_that_is_not_there(struct world *world)
{
    pools_and_guests(world);
    RESOURCE(world, .name = "guest/lost", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool9"});
    world_boot_daemon(world);
    world_run(world);
}

static void a_probe_that_holds_the_barrier_up(struct world *world)
{
    pools_and_guests(world);
    TURN(world, PROBE, "storage/pool0", .delay = 2000, .outcome = MUSTER_INACTIVE);
    world_boot_daemon(world);
    world_run(world);
}

static void a_limit_on_starts(struct world *world)
{
    DRIVER(world, .name = "guest", .max_starts = 1);
    RESOURCE(world, .name = "guest/a", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "guest/b", .policy = MUSTER_AUTOSTART);
    TURN(world, START, "guest/a", .delay = 700);
    world_boot_daemon(world);
    world_run(world);
}

static void a_blocked_driver(struct world *world)
{
    pools_and_guests(world);
    TURN(world, INITIALIZE, "secret", .delay = 300, .outcome = -EACCES);
    world_boot_daemon(world);
    world_run(world);
}

static void a_guest_that_is_slow_to_stop(struct world *world)
{
    pools_and_guests(world);
    world_boot_daemon(world);
    world_run(world);
    TURN(world, STOP, "guest/web", .delay = 4000);
    world_shutdown(world, MUSTER_HOST_SHUTDOWN);
    world_run(world);
}

/* Its config is gone, its record is kept. */
static void a_guest_that_nobody_claims(struct world *world)
{
    DRIVER(world, .name = "guest", .callbacks = WORLD_USUAL | WORLD_CALLBACK(RESTORE));
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART);
    world_boot_daemon(world);
    world_run(world);
    world_kill(world);
    world_resource(world, "guest/web")->configured = false;
    world_boot_daemon(world);
    world_run(world);
}

/* Its start is its first op, and waits for the barrier all the same. */
static void a_pool_without_a_probe(struct world *world)
{
    DRIVER(world, .name = "dir", .callbacks = WORLD_USUAL & ~WORLD_CALLBACK(PROBE));
    DRIVER(world, .name = "network");
    RESOURCE(world, .name = "dir/pool", .policy = MUSTER_AUTOSTART);
    RESOURCE(world, .name = "network/lan", .policy = MUSTER_AUTOSTART);
    TURN(world, PROBE, "network/lan", .delay = 500, .outcome = MUSTER_INACTIVE);
    world_boot_daemon(world);
    world_run(world);
}

/* The guest lives on without it. */
static void a_pool_that_does_not_come_back(struct world *world)
{
    DRIVER(world, .name = "storage");
    DRIVER(world, .name = "guest", .needs = {"storage"});
    RESOURCE(world, .name = "storage/pool", .policy = MUSTER_AUTOSTART, .flags = MUSTER_VOLATILE);
    RESOURCE(world, .name = "guest/web", .policy = MUSTER_AUTOSTART, .needs = {"storage/pool"});
    RESOURCE(world, .name = "guest/spare");
    world_boot_daemon(world);
    world_run(world);
    world_kill(world);
    TURN(world, START, "storage/pool", .outcome = -ECONNREFUSED);
    world_boot_daemon(world);
    world_run(world);
}

static const struct story stories[] = {
    {"a_slow_pool", a_slow_pool, "guest/web storage/pool1", MUSTER_REPORT_BRING_UP},
    {"a_slow_pool_while_it_runs", a_slow_pool_while_it_runs, "guest/web", MUSTER_REPORT_BRING_UP},
    {"a_failing_pool", a_failing_pool, "guest/web guest/mail storage/pool1", MUSTER_REPORT_BRING_UP},
    {"a_hung_pool", a_hung_pool, "guest/web", MUSTER_REPORT_BRING_UP},
    {"a_late_device", a_late_device, "guest/web device", MUSTER_REPORT_BRING_UP},
    {"a_device_that_is_still_missing", a_device_that_is_still_missing, "guest device", MUSTER_REPORT_BRING_UP},
    {"a_late_pool", a_late_pool, "guest/web", MUSTER_REPORT_BRING_UP},
    {"a_pool_that_is_not_there", a_pool_that_is_not_there, "guest/lost", MUSTER_REPORT_BRING_UP},
    {"a_probe_that_holds_the_barrier_up", a_probe_that_holds_the_barrier_up, "guest/web", MUSTER_REPORT_BRING_UP},
    {"a_limit_on_starts", a_limit_on_starts, "guest/b", MUSTER_REPORT_BRING_UP},
    {"a_blocked_driver", a_blocked_driver, "guest", MUSTER_REPORT_BRING_UP},
    {"a_guest_that_is_slow_to_stop", a_guest_that_is_slow_to_stop, "guest/web", MUSTER_REPORT_SHUTDOWN},
    {"a_pool_without_a_probe", a_pool_without_a_probe, "dir/pool", MUSTER_REPORT_BRING_UP},
    {"a_pool_that_does_not_come_back", a_pool_that_does_not_come_back, "guest/web guest/spare", MUSTER_REPORT_BRING_UP},
    {"a_guest_that_nobody_claims", a_guest_that_nobody_claims, "guest/web", MUSTER_REPORT_BRING_UP},
};

/* ---- what is said of them ---------------------------------------------------------------------------------------- */

static int take(void *data, const char *bytes, size_t count)
{
    struct text *text = data;
    char *grown = realloc(text->bytes, text->used + count + 1);
    if (grown == NULL)
        return -1;
    memcpy(grown + text->used, bytes, count);
    grown[text->used + count] = '\0';
    text->bytes = grown;
    text->used += count;
    return 0;
}

static void say(struct text *text, const char *line)
{
    take(text, line, strlen(line));
}

static void write_as(struct text *text, const struct muster_report *report, enum muster_report_format format, const char *name)
{
    struct muster_report_options options;
    char heading[200];
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = format;
    options.name = name;
    snprintf(heading, sizeof(heading), "==== %s%s%s\n",
             format == MUSTER_REPORT_TEXT ? "text" : format == MUSTER_REPORT_CHAIN ? "critical-chain" : "why",
             name == NULL ? "" : " ", name == NULL ? "" : name);
    if (format != MUSTER_REPORT_JSON)
        say(text, heading);
    if (muster_report_write(report, &options, take, text) != 0)
        say(text, "could not be written\n");
}

static void write_names(struct text *text, const struct muster_report *report, const char *asked)
{
    while (*asked != '\0') {
        char name[100];
        size_t length = strcspn(asked, " ");
        snprintf(name, sizeof(name), "%.*s", (int)length, asked);
        write_as(text, report, MUSTER_REPORT_CHAIN, name);
        write_as(text, report, MUSTER_REPORT_WHY, name);
        asked += length + (asked[length] == ' ');
    }
}

/* By way of its JSON. */
static struct muster_report *report_of(struct world *world, enum muster_report_kind kind)
{
    struct muster__memory memory;
    struct muster_report *made, *read = NULL;
    struct text json = {.bytes = NULL};
    char message[200] = "";
    const uint64_t now_ms[2] = {world->now, EPOCH_MS + world->now};
    muster__memory_init(&memory, NULL);
    if (muster__report_of(world->engine, &memory, now_ms, kind, &made) != 0)
        return NULL;
    write_as(&json, made, MUSTER_REPORT_JSON, NULL);
    muster_report_free(made);
    if (muster_report_read(json.bytes, json.used, &read, message, sizeof(message)) != 0)
        printf("# %s\n", message);
    free(json.bytes);
    return read;
}

static struct text describe(struct world *world, const struct story *story)
{
    struct text text = {.bytes = NULL};
    struct muster_report *report = report_of(world, story->kind);
    say(&text, "");
    if (report == NULL)
        return text;
    write_as(&text, report, MUSTER_REPORT_TEXT, NULL);
    write_as(&text, report, MUSTER_REPORT_CHAIN, NULL);
    write_names(&text, report, story->asked);
    muster_report_free(report);
    return text;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static char *read_file(const char *path)
{
    struct text text = {.bytes = NULL};
    char bytes[4096];
    FILE *file = fopen(path, "r");
    size_t count;
    if (file == NULL)
        return NULL;
    while ((count = fread(bytes, 1, sizeof(bytes), file)) > 0)
        take(&text, bytes, count);
    fclose(file);
    return text.bytes;
}

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0;
}

static bool compare(const char *directory, const char *name, const char *told, bool update)
{
    char path[500];
    snprintf(path, sizeof(path), "%s/%s.txt", directory, name);
    if (update)
        return write_file(path, told);
    char *golden = read_file(path);
    bool same = golden != NULL && strcmp(golden, told) == 0;
    if (!same)
        printf("# told:\n%s# golden:\n%s", told, golden == NULL ? "" : golden);
    free(golden);
    return same;
}

static bool check(const struct story *story, const char *directory, bool update)
{
    static struct world world;
    world_init(&world);
    bool good = world_try(&world, story->tell);
    if (!good)
        printf("# %s\n", world.failure);
    struct text text = describe(&world, story);
    good = good && compare(directory, story->name, text.bytes, update);
    free(text.bytes);
    world_fini(&world);
    return good;
}

int main(int argc, char **argv)
{
    bool update = argc == 3 && strcmp(argv[1], "--update") == 0;
    size_t count = sizeof(stories) / sizeof(stories[0]);
    size_t failed = 0;
    if (argc != 2 && !update)
        return 2;
    for (size_t i = 0; i < count; i++) {
        bool good = check(&stories[i], argv[argc - 1], update);
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, stories[i].name);
        failed += !good;
    }
    printf("1..%zu\n", count);
    return failed == 0 ? 0 : 1;
}

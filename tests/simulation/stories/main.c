/* SPDX-License-Identifier: MIT */
/* stories [--golden DIR] [--update] [--print] [--list] [NAME...] */
#include <getopt.h>
#include <stdlib.h>

#include "story.h"

struct story {
    const char *name;
    void (*tell)(struct world *world);
};

static const struct story stories[] = {
#define STORY_ENTRY(name) {#name, story_##name},
    STORIES(STORY_ENTRY)
#undef STORY_ENTRY
};

struct options {
    const char *golden;
    bool update;
    bool print;
};

struct muster_resource_status story_status(struct world *world, const char *name)
{
    struct muster_resource_status status = {.size = sizeof(status)};
    struct muster_resource *resource = muster__engine_find_resource(world->engine, name);
    if (resource == NULL)
        world_fail(world, "muster doesn't have %s", name);
    muster_resource_state(resource, &status);
    return status;
}

enum muster_driver_state story_driver(struct world *world, const char *name)
{
    return muster_driver_state(muster__engine_find_driver(world->engine, name));
}

struct muster_record story_record(struct world *world, const char *name, enum muster_stage stage)
{
    struct world_resource *resource = world_resource(world, name);
    snprintf(world->boot_id, sizeof(world->boot_id), "boot-%u", world->boot);
    bool active = stage == MUSTER_STAGE_ACTIVE || stage == MUSTER_STAGE_STARTING;
    return (struct muster_record){
        .size = sizeof(struct muster_record),
        .driver = resource->driver->is.name,
        .name = resource->name,
        .desired = active ? MUSTER_DESIRED_ACTIVE : MUSTER_DESIRED_INACTIVE,
        .stage = stage,
        .boot = world->boot_id,
        .generation = 1,
        .format = MUSTER_RECORD_FORMAT,
        .flags = MUSTER_RECORD_MARK,
    };
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    char *text = calloc(1, 1 << 20);
    size_t bytes = text == NULL ? 0 : fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    if (text != NULL)
        text[bytes] = '\0';
    return text;
}

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    fputs(text, file);
    return fclose(file) == 0;
}

/* The first line that differs, of both. */
static void show_difference(const char *golden, const char *told)
{
    unsigned line = 1;
    while (*golden != '\0' && *golden == *told) {
        const char *golden_end = strchr(golden, '\n');
        const char *told_end = strchr(told, '\n');
        if (golden_end == NULL || told_end == NULL || golden_end - golden != told_end - told ||
            strncmp(golden, told, (size_t)(golden_end - golden)) != 0)
            break;
        golden = golden_end + 1;
        told = told_end + 1;
        line++;
    }
    printf("# line %u\n# golden: %.*s\n# told:   %.*s\n", line, (int)strcspn(golden, "\n"), golden,
           (int)strcspn(told, "\n"), told);
}

static bool compare(const struct options *options, const struct story *story, const char *told)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.trace", options->golden, story->name);
    if (options->update)
        return write_file(path, told);
    char *golden = read_file(path);
    bool same = golden != NULL && strcmp(golden, told) == 0;
    if (!same)
        show_difference(golden == NULL ? "" : golden, told);
    free(golden);
    return same;
}

/* How it ends. */
static void sum_up(struct world *world)
{
    if (world->engine == NULL)
        return;
    world_trace(world, "---- in the end");
    for (unsigned i = 0; i < world->driver_count; i++) {
        struct muster_driver *driver = world->drivers[i].driver;
        const char *why = driver == NULL ? "" : muster_error_text(muster_driver_get_error(driver));
        if (driver != NULL)
            world_trace(world, "driver %s is %s%s%s", world->drivers[i].is.name,
                        muster_driver_state_name(muster_driver_state(driver)), why[0] == '\0' ? "" : ": ", why);
    }
    for (unsigned i = 0; i < world->resource_count; i++) {
        const struct world_resource *resource = &world->resources[i];
        struct muster_resource *known = world_engine_resource(world, resource);
        if (known == NULL)
            continue;
        struct muster_resource_status status = story_status(world, resource->full);
        const char *why = muster_error_text(muster_resource_get_error(known));
        world_trace(world, "%s is %s, desired %s%s%s%s%s%s", resource->full, muster_stage_name(status.stage),
                    muster_desired_name(status.desired), status.condition == MUSTER_CONDITION_NONE ? "" : ", ",
                    status.condition == MUSTER_CONDITION_NONE ? "" : muster_condition_name(status.condition),
                    resource->running ? "; it runs" : "", why[0] == '\0' ? "" : ": ", why);
    }
}

static bool tell(const struct options *options, const struct story *story)
{
    static struct world world;
    world_init(&world);
    world.trace.on = true;
    bool good = world_try(&world, story->tell);
    if (!good)
        printf("# %s\n", world.failure);
    sum_up(&world);
    const char *told = world.trace.text == NULL ? "" : world.trace.text;
    if (options->print)
        fputs(told, stdout);
    else if (good)
        good = compare(options, story, told);
    world_fini(&world);
    return good;
}

static bool wanted(const char *name, char **names)
{
    if (*names == NULL)
        return true;
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static void list(void)
{
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
        puts(stories[i].name);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"golden", required_argument, NULL, 'g'}, {"update", no_argument, NULL, 'u'},
                                          {"print", no_argument, NULL, 'p'},        {"list", no_argument, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.golden = "tests/data/golden"};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 'l') {
            list();
            return 0;
        }
        if (option == '?')
            return 2;
        options.golden = option == 'g' ? optarg : options.golden;
        options.update = options.update || option == 'u';
        options.print = options.print || option == 'p';
    }
    size_t told = 0, failed = 0;
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        if (!wanted(stories[i].name, argv + optind))
            continue;
        bool good = tell(&options, &stories[i]);
        printf("%s %zu - %s\n", good ? "ok" : "not ok", ++told, stories[i].name);
        failed += good ? 0 : 1;
    }
    printf("1..%zu\n", told);
    return failed == 0 && told != 0 ? 0 : 1;
}

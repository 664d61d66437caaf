/* SPDX-License-Identifier: MIT */
/*
 * The start-up of a real program, with drivers that do nothing: NAME.nodes has a driver a line, NAME.edges "driver needed".
 * Prints them in the order in which they came up. --plan prints a plan file for `muster plan` instead.
 */
#include <muster.h>
#include <stdio.h>
#include <string.h>

#define DRIVERS_MAX 512
#define NEEDS_MAX 64
#define NAME_BYTES 64

struct driver {
    char name[NAME_BYTES];
    const char *needs[NEEDS_MAX + 1];
    int needs_count;
    int place;
    int level;
};

static struct driver drivers[DRIVERS_MAX];
static int count, came_up, mistakes;

static struct driver *find(const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(drivers[i].name, name) == 0)
            return &drivers[i];
    return NULL;
}

static int add_node(const char *name, const char *unused)
{
    (void)unused;
    if (count == DRIVERS_MAX || find(name) != NULL)
        return -1;
    snprintf(drivers[count++].name, NAME_BYTES, "%s", name);
    return 0;
}

static int add_edge(const char *name, const char *needed)
{
    struct driver *driver = find(name), *other = find(needed);
    if (driver == NULL || other == NULL || driver->needs_count == NEEDS_MAX)
        return -1;
    driver->needs[driver->needs_count++] = other->name;
    return 0;
}

/* So many words a line, each line to `add`. 0, or -1 with a message. */
static int read_words(const char *base, const char *suffix, int words, int (*add)(const char *, const char *))
{
    char path[512], line[256], first[NAME_BYTES], second[NAME_BYTES] = "";
    snprintf(path, sizeof(path), "%s.%s", base, suffix);
    FILE *file = fopen(path, "r");
    int code = file == NULL ? -1 : 0;
    while (code == 0 && fgets(line, sizeof(line), file) != NULL)
        code = sscanf(line, "%63s %63s", first, second) == words ? add(first, second) : -1;
    if (file != NULL)
        fclose(file);
    if (code != 0)
        fprintf(stderr, "graphs: %s can't be read\n", path);
    return code;
}

static void print_plan(void)
{
    printf("{\"drivers\": [");
    for (int i = 0; i < count; i++) {
        printf("%s\n  {\"name\": \"%s\", \"needs\": [", i > 0 ? "," : "", drivers[i].name);
        for (int need = 0; need < drivers[i].needs_count; need++)
            printf("%s\"%s\"", need > 0 ? ", " : "", drivers[i].needs[need]);
        printf("]}");
    }
    printf("\n]}\n");
}

/* Does nothing, but for a look at whether all that it needs has been here before. */
static int initialize(struct muster_op *op)
{
    struct driver *driver = muster_op_driver_data(op);
    driver->place = ++came_up;
    for (int need = 0; need < driver->needs_count; need++) {
        const struct driver *needed = find(driver->needs[need]);
        if (needed->place == 0)
            mistakes++;
        if (needed->level >= driver->level)
            driver->level = needed->level + 1;
    }
    printf("%5d  %5d  %s\n", driver->place, driver->level, driver->name);
    return MUSTER_OK;
}

static void up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    int deepest = 0;
    for (int i = 0; i < count; i++)
        deepest = drivers[i].level > deepest ? drivers[i].level : deepest;
    *(int *)data = code != 0 || error != NULL || mistakes > 0 || came_up != count;
    if (error != NULL)
        fprintf(stderr, "graphs: %s\n", muster_error_text(error));
    printf("%d of %d drivers are up, on %d levels\n", came_up, count, deepest + 1);
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static int bring_up(void)
{
    struct muster *context = NULL;
    int code = muster_new(NULL, &context), result = 1;
    for (int i = 0; code == 0 && i < count; i++) {
        struct muster_driver_def def;
        MUSTER_DRIVER_DEF_INIT(&def);
        def.name = drivers[i].name;
        def.needs = drivers[i].needs;
        def.initialize = initialize;
        code = muster_add_driver(context, &def, &drivers[i], NULL);
    }
    printf("ORDER  LEVEL  DRIVER\n");
    if (code == 0 && (code = muster_bring_up(context, up, &result)) == 0)
        code = muster_run(context);
    for (const struct muster_error *error = muster_get_error(context); error != NULL; error = muster_error_next(error))
        fprintf(stderr, "graphs: %s\n", muster_error_text(error));
    muster_free(context);
    return code != 0 || result != 0;
}

int main(int argc, char **argv)
{
    int is_plan = argc == 3 && strcmp(argv[1], "--plan") == 0;
    if (argc != 2 && !is_plan) {
        fprintf(stderr, "usage: graphs [--plan] PATH-OF-NODES-AND-EDGES\n");
        return 2;
    }
    const char *base = argv[argc - 1];
    if (read_words(base, "nodes", 1, add_node) != 0 || read_words(base, "edges", 2, add_edge) != 0)
        return 1;
    if (!is_plan)
        return bring_up();
    print_plan();
    return 0;
}

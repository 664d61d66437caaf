/* SPDX-License-Identifier: MIT */
#include "plan_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define BYTES_MAX ((size_t)256 << 20)
#define DEPTH_MAX 8
#define LISTS 5

struct reader {
    struct tool_plan_file *file;
    const char *path;
    int code;
    /* The driver that is being read. */
    size_t index;
    const char *name;
};

/* ---- before it is parsed ------------------------------------------------------------------------- */

/* Brackets within brackets, outside of strings. The parser recurses, so this comes first. */
static int check_depth(const char *path, const char *text, size_t bytes)
{
    size_t depth = 0, line = 1, line_start = 0;
    bool quoted = false;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (c == '\n') {
            line++;
            line_start = i + 1;
        } else if (quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '[' || c == '{')) {
            if (++depth > DEPTH_MAX)
                return tool_problem(tool_file_name(path),
                                    "line %zu, column %zu: more than %d brackets within each other", line,
                                    i - line_start + 1, DEPTH_MAX);
        } else if (!quoted && (c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return TOOL_FINE;
}

static json_t *parse(const char *path, const char *text, size_t bytes)
{
    json_error_t error;
    if (check_depth(path, text, bytes) != TOOL_FINE)
        return NULL;
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        tool_problem(tool_file_name(path), "line %d, column %d: %s", error.line, error.column, error.text);
    return root;
}

/* ---- members ------------------------------------------------------------------------------------- */

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number with a fraction or an exponent";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

/* Of the driver that is being read: "driver 3 ('storage'): text". */
static void complain(struct reader *reader, const char *text)
{
    const char *path = tool_file_name(reader->path);
    if (reader->name == NULL)
        reader->code = tool_problem(path, "driver %zu: %s", reader->index, text);
    else
        reader->code = tool_problem(path, "driver %zu ('%.255s'): %s", reader->index, reader->name, text);
}

static void complain_type(struct reader *reader, const char *member, const char *wanted, const json_t *value)
{
    char text[256];
    snprintf(text, sizeof(text), "%s must be %s, and is %s", member, wanted, type_name(value));
    complain(reader, text);
}

static intptr_t read_integer(struct reader *reader, const json_t *driver, const char *member)
{
    const json_t *value = json_object_get(driver, member);
    if (value == NULL)
        return 0;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < INTPTR_MIN || number > INTPTR_MAX) {
        complain_type(reader, member, "an integer", value);
        return 0;
    }
    return (intptr_t)number;
}

/* The strings stay the JSON's; the caller frees the list. NULL: empty, or something was wrong. */
static const char **read_list(struct reader *reader, const json_t *driver, const char *member)
{
    const json_t *value = json_object_get(driver, member);
    if (value == NULL)
        return NULL;
    if (!json_is_array(value)) {
        complain_type(reader, member, "a list of strings", value);
        return NULL;
    }
    size_t count = json_array_size(value);
    const char **list = calloc(count + 1, sizeof(*list));
    if (list == NULL) {
        complain(reader, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(value, i);
        char which[64];
        list[i] = json_string_value(name);
        if (list[i] != NULL)
            continue;
        snprintf(which, sizeof(which), "%s[%zu]", member, i);
        complain_type(reader, which, "a string", name);
        list[i] = "";
    }
    return list;
}

static void check_members(struct reader *reader, json_t *driver)
{
    static const char *const known[] = {"name",  "tier",   "priority", "needs", "wants",
                                        "after", "before", "provides", NULL};
    const char *member;
    json_t *value;
    json_object_foreach(driver, member, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], member) != 0)
            i++;
        if (known[i] != NULL)
            continue;
        char text[256];
        snprintf(text, sizeof(text), "unknown member '%.128s'", member);
        complain(reader, text);
    }
}

static void check_name(struct reader *reader, const json_t *driver)
{
    const json_t *name = json_object_get(driver, "name");
    reader->name = json_string_value(name);
    if (name == NULL)
        complain(reader, "it has no name");
    else if (reader->name == NULL)
        complain_type(reader, "name", "a string", name);
}

/* ---- drivers ------------------------------------------------------------------------------------- */

static void read_driver(struct reader *reader, json_t *driver)
{
    static const char *const members[LISTS] = {"needs", "wants", "after", "before", "provides"};
    const char **lists[LISTS];
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    int before = reader->code;
    reader->code = TOOL_FINE;
    check_name(reader, driver);
    check_members(reader, driver);
    def.name = reader->name;
    def.tier = read_integer(reader, driver, "tier");
    def.priority = read_integer(reader, driver, "priority");
    for (size_t i = 0; i < LISTS; i++)
        lists[i] = read_list(reader, driver, members[i]);
    def.needs = lists[0];
    def.wants = lists[1];
    def.after = lists[2];
    def.before = lists[3];
    def.provides = lists[4];
    struct tool_plan_file *file = reader->file;
    if (reader->code == TOOL_FINE) {
        file->tier[muster_plan_count(file->plan)] = def.tier;
        file->tiered = file->tiered || def.tier != 0;
        if (muster_plan_add(file->plan, &def) != 0)
            complain(reader, muster_error_text(muster_plan_get_error(file->plan)));
    }
    for (size_t i = 0; i < LISTS; i++)
        free(lists[i]);
    if (reader->code == TOOL_FINE)
        reader->code = before;
}

static void read_drivers(struct reader *reader, json_t *drivers)
{
    size_t count = json_array_size(drivers);
    reader->file->tier = calloc(count + 1, sizeof(*reader->file->tier));
    if (reader->file->tier == NULL || muster_plan_new(NULL, &reader->file->plan) != 0) {
        reader->code = tool_problem(tool_file_name(reader->path), "out of memory");
        return;
    }
    for (reader->index = 0; reader->index < count; reader->index++) {
        json_t *driver = json_array_get(drivers, reader->index);
        reader->name = NULL;
        if (json_is_object(driver))
            read_driver(reader, driver);
        else
            complain_type(reader, "it", "an object", driver);
    }
}

static int read_root(struct reader *reader, json_t *root)
{
    const char *path = tool_file_name(reader->path);
    const char *member;
    json_t *value;
    if (!json_is_object(root))
        return tool_problem(path, "a plan must be an object with the member 'drivers', and is %s",
                            type_name(root));
    json_object_foreach(root, member, value) if (strcmp(member, "drivers") != 0) reader->code =
        tool_problem(path, "unknown member '%.128s'", member);
    json_t *drivers = json_object_get(root, "drivers");
    if (drivers == NULL)
        return tool_problem(path, "the member 'drivers' is missing");
    if (!json_is_array(drivers))
        return tool_problem(path, "drivers must be a list of objects, and is %s", type_name(drivers));
    read_drivers(reader, drivers);
    return reader->code;
}

int tool_plan_file_parse(struct tool_plan_file *file, const char *path, const char *text, size_t bytes)
{
    *file = (struct tool_plan_file){0};
    json_t *root = parse(path, text, bytes);
    if (root == NULL)
        return TOOL_PROBLEM;
    struct reader reader = {.file = file, .path = path};
    int code = read_root(&reader, root);
    json_decref(root);
    return code;
}

int tool_plan_file_open(struct tool_plan_file *file, const char *path)
{
    size_t bytes;
    *file = (struct tool_plan_file){0};
    char *text = tool_read_file(path, BYTES_MAX, &bytes);
    if (text == NULL)
        return TOOL_PROBLEM;
    int code = tool_plan_file_parse(file, path, text, bytes);
    free(text);
    return code;
}

void tool_plan_file_close(struct tool_plan_file *file)
{
    muster_plan_free(file->plan);
    free(file->tier);
}

/* SPDX-License-Identifier: MIT */
#include "plan_print.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

struct waits {
    const uint32_t *ids;
    size_t count;
};

static int get_waits(const struct tool_plan_file *file, uint32_t id, struct waits *ret_waits)
{
    if (muster_plan_waits_for(file->plan, id, &ret_waits->ids, &ret_waits->count) != 0)
        return tool_problem("muster plan", "%s", muster_error_text(muster_plan_get_error(file->plan)));
    return TOOL_FINE;
}

/* ---- text ---------------------------------------------------------------------------------------- */

/* In characters, not bytes. */
static int width_of(const char *name)
{
    int width = 0;
    for (; *name != '\0'; name++)
        width += ((unsigned char)*name & 0xc0) != 0x80;
    return width;
}

static int widest_name(const struct muster_plan *plan)
{
    int widest = (int)strlen("NAME");
    for (uint32_t id = 0; id < muster_plan_count(plan); id++)
        if (width_of(muster_plan_name(plan, id)) > widest)
            widest = width_of(muster_plan_name(plan, id));
    return widest;
}

static void print_padded(const char *name, int width)
{
    printf("%s%*s", name, width - width_of(name), "");
}

static int print_row(const struct tool_plan_file *file, size_t place, int width)
{
    uint32_t id = muster_plan_order(file->plan)[place];
    struct waits waits;
    int code = get_waits(file, id, &waits);
    if (code != TOOL_FINE)
        return code;
    printf("%5zu  %5" PRIu32 "  ", place + 1, muster_plan_level(file->plan, id));
    if (file->tiered)
        printf("%4" PRIdPTR "  ", file->tier[id]);
    print_padded(muster_plan_name(file->plan, id), width);
    printf("  %s", waits.count == 0 ? "-" : "");
    for (size_t i = 0; i < waits.count; i++)
        printf("%s%s", i == 0 ? "" : ", ", muster_plan_name(file->plan, waits.ids[i]));
    putchar('\n');
    return TOOL_FINE;
}

int tool_plan_print_text(const struct tool_plan_file *file)
{
    int width = widest_name(file->plan);
    int code = TOOL_FINE;
    printf("ORDER  LEVEL  %s%-*s  WAITS FOR\n", file->tiered ? "TIER  " : "", width, "NAME");
    for (size_t i = 0; i < muster_plan_count(file->plan) && code == TOOL_FINE; i++)
        code = print_row(file, i, width);
    return code;
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

static json_t *make_object(const struct tool_plan_file *file, uint32_t id, struct waits waits)
{
    json_t *names = json_array();
    for (size_t i = 0; i < waits.count; i++)
        if (json_array_append_new(names, json_string(muster_plan_name(file->plan, waits.ids[i]))) != 0) {
            json_decref(names);
            return NULL;
        }
    return json_pack("{s:s, s:I, s:o}", "name", muster_plan_name(file->plan, id), "level",
                     (json_int_t)muster_plan_level(file->plan, id), "waits_for", names);
}

static int print_object(const struct tool_plan_file *file, uint32_t id)
{
    struct waits waits;
    int code = get_waits(file, id, &waits);
    if (code != TOOL_FINE)
        return code;
    json_t *object = make_object(file, id, waits);
    if (object == NULL)
        return tool_problem("muster plan", "out of memory");
    json_dumpf(object, stdout, JSON_PRESERVE_ORDER);
    json_decref(object);
    return TOOL_FINE;
}

/* A driver a line. */
int tool_plan_print_json(const struct tool_plan_file *file)
{
    int code = TOOL_FINE;
    fputs("{\"order\": [", stdout);
    for (size_t i = 0; i < muster_plan_count(file->plan) && code == TOOL_FINE; i++) {
        fputs(i == 0 ? "\n" : ",\n", stdout);
        code = print_object(file, muster_plan_order(file->plan)[i]);
    }
    fputs("\n]}\n", stdout);
    return code;
}

/* ---- DOT ----------------------------------------------------------------------------------------- */

/* Labels know escapes with backslashes, and entities. */
static void print_label(const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            putchar('\\');
        if (*name == '&')
            fputs("&amp;", stdout);
        else
            putchar(*name);
    }
}

static int print_edges(const struct tool_plan_file *file, uint32_t id)
{
    struct waits waits;
    int code = get_waits(file, id, &waits);
    for (size_t i = 0; code == TOOL_FINE && i < waits.count; i++)
        printf("    n%" PRIu32 " -> n%" PRIu32 ";\n", id, waits.ids[i]);
    return code;
}

/* An arrow leads from a driver to what it waits for. */
int tool_plan_print_dot(const struct tool_plan_file *file)
{
    const uint32_t *order = muster_plan_order(file->plan);
    size_t count = muster_plan_count(file->plan);
    int code = TOOL_FINE;
    fputs("digraph plan {\n    rankdir=RL;\n    node [shape=box];\n", stdout);
    for (size_t i = 0; i < count; i++) {
        printf("    n%" PRIu32 " [label=\"", order[i]);
        print_label(muster_plan_name(file->plan, order[i]));
        if (file->tiered)
            printf("\\ntier %" PRIdPTR, file->tier[order[i]]);
        fputs("\"];\n", stdout);
    }
    for (size_t i = 0; i < count && code == TOOL_FINE; i++)
        code = print_edges(file, order[i]);
    fputs("}\n", stdout);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* muster plan FILE */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "plan_file.h"
#include "plan_print.h"

static const struct format {
    const char *name;
    int (*print)(const struct tool_plan_file *file);
} formats[] = {
    {"text", tool_plan_print_text},
    {"json", tool_plan_print_json},
    {"dot", tool_plan_print_dot},
};

static void print_help(void)
{
    fputs("usage: muster plan [--format text|json|dot] FILE\n\n"
          "Validates the plan in FILE ('-' is standard input) and prints its drivers in order, each with its "
          "level\n"
          "and what it waits for. What is wrong is printed on standard error, one line each.\n\n"
          "  -f, --format FORMAT  text (the default), json, or dot for Graphviz\n"
          "  -h, --help           print this\n\n"
          "A plan is {\"drivers\": [{\"name\": \"storage\", \"needs\": [\"secret\"]}, {\"name\": "
          "\"secret\"}]}; further\n"
          "members of a driver: wants, after, before, provides (lists), tier, priority (integers).\n\n"
          "Exit codes: 0 fine, 1 the input has a problem, 2 wrong usage.\n",
          stdout);
}

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

static int sort_plan(const struct tool_plan_file *file, const char *path)
{
    if (muster_plan_sort(file->plan) == 0)
        return TOOL_FINE;
    const struct muster_error *error = muster_plan_get_error(file->plan);
    for (; error != NULL; error = muster_error_next(error))
        tool_problem(tool_file_name(path), "%s", muster_error_text(error));
    return TOOL_PROBLEM;
}

static int plan(const struct format *format, const char *path)
{
    struct tool_plan_file file;
    int code = tool_plan_file_open(&file, path);
    if (code == TOOL_FINE)
        code = sort_plan(&file, path);
    if (code == TOOL_FINE)
        code = format->print(&file);
    tool_plan_file_close(&file);
    return code;
}

int tool_plan(int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const struct format *format = &formats[0];
    for (int option; (option = getopt_long(argc, argv, "f:h", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return TOOL_FINE;
        }
        if (option != 'f')
            return tool_misused(argv[0]);
        format = find_format(optarg);
        if (format == NULL) {
            tool_problem(argv[0], "there is no format '%s': text, json or dot", optarg);
            return tool_misused(argv[0]);
        }
    }
    if (argc - optind != 1) {
        tool_problem(argv[0], "%s", optind == argc ? "a file is missing" : "more than one file");
        return tool_misused(argv[0]);
    }
    return plan(format, argv[optind]);
}

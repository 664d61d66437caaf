/* SPDX-License-Identifier: MIT */
/* muster report [VIEW] FILE */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <muster/report.h>

#define BYTES_MAX ((size_t)1 << 30)

/* What follows the view on the command line. */
enum operand { OPERAND_NONE, OPERAND_NAME, OPERAND_OPTIONAL_NAME, OPERAND_OTHER };

static const struct view {
    const char *name;
    enum muster_report_format format;
    enum operand operand;
} views[] = {
    {"time", MUSTER_REPORT_TIME, OPERAND_NONE},
    {"blame", MUSTER_REPORT_BLAME, OPERAND_NONE},
    {"critical-chain", MUSTER_REPORT_CHAIN, OPERAND_OPTIONAL_NAME},
    {"why", MUSTER_REPORT_WHY, OPERAND_NAME},
    {"diff", MUSTER_REPORT_DIFF, OPERAND_OTHER},
};

static const struct view formats[] = {
    {"text", MUSTER_REPORT_TEXT, OPERAND_NONE},   {"json", MUSTER_REPORT_JSON, OPERAND_NONE},
    {"svg", MUSTER_REPORT_SVG, OPERAND_NONE},     {"trace", MUSTER_REPORT_TRACE, OPERAND_NONE},
    {"dot", MUSTER_REPORT_DOT, OPERAND_NONE},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void print_help(void)
{
    fputs("usage: muster report [--format text|json|svg|trace|dot] FILE\n"
          "       muster report time FILE\n"
          "       muster report blame FILE\n"
          "       muster report critical-chain FILE [NAME]\n"
          "       muster report why FILE NAME\n"
          "       muster report diff FILE FILE\n\n"
          "Says what happened in a bring-up, a reload or a shutdown of a daemon, from the report in FILE ('-' is standard\n"
          "input), which the daemon has written as JSON. NAME is a driver, or a resource as in storage/pool0.\n\n"
          "  time            when each milestone was reached, and when all had settled\n"
          "  blame           what took longest, running and waiting apart\n"
          "  critical-chain  who waited for whom until the end, or until NAME was where it is; what failed is in it\n"
          "  why             why NAME waits, failed, is degraded or was not started, and what to do\n"
          "  diff            what got slower from the first report to the second\n\n"
          "  -f, --format FORMAT  text (the default: every op), json, svg (a picture, for a browser), trace (for Perfetto\n"
          "                       and chrome://tracing), or dot for Graphviz\n"
          "  -h, --help           print this\n\n"
          "Exit codes: 0 fine, 1 the input has a problem, 2 wrong usage.\n",
          stdout);
}

static const struct view *find(const struct view *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

static struct muster_report *read_report(const char *path)
{
    char message[256] = "out of memory";
    size_t bytes;
    struct muster_report *report = NULL;
    char *text = tool_read_file(path, BYTES_MAX, &bytes);
    if (text == NULL)
        return NULL;
    if (muster_report_read(text, bytes, &report, message, sizeof(message)) != 0)
        tool_problem(tool_file_name(path), "%s", message);
    free(text);
    return report;
}

static int print(void *data, const char *text, size_t bytes)
{
    (void)data;
    return fwrite(text, 1, bytes, stdout) == bytes ? 0 : -1;
}

/* COLUMNS, or the terminal's; a pipe has no end. */
static uintptr_t columns(void)
{
    struct winsize size;
    const char *told = getenv("COLUMNS");
    long width = told == NULL ? 0 : strtol(told, NULL, 10);
    if (width > 0 && width < 10000)
        return (uintptr_t)width;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    return 0;
}

static int write_view(const struct muster_report *report, const struct view *view, const char *name,
                      const struct muster_report *other)
{
    struct muster_report_options options;
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = view->format;
    options.name = name;
    options.other = other;
    options.width = columns();
    const char *plain = getenv("NO_COLOR");
    if (isatty(STDOUT_FILENO) && (plain == NULL || plain[0] == '\0'))
        options.flags = MUSTER_REPORT_TERMINAL;
    int code = muster_report_write(report, &options, print, NULL);
    if (code == MUSTER_ENOENT)
        return tool_problem("muster report", "the report has no driver and no resource '%s'", name);
    /* (What couldn't be printed is told at the end.) */
    return code == 0 || code == -1 ? TOOL_FINE : tool_problem("muster report", "%s", muster_code_text(code));
}

static enum muster_report_kind kind_of(const struct muster_report *report)
{
    return muster_report_get_summary(report)->kind;
}

static int show(const struct view *view, char **operands, int count)
{
    struct muster_report *report = read_report(operands[0]);
    struct muster_report *other = NULL;
    const char *name = view->operand != OPERAND_OTHER && count > 1 ? operands[1] : NULL;
    int code = TOOL_PROBLEM;
    if (report != NULL && view->operand == OPERAND_OTHER)
        other = read_report(operands[1]);
    if (report != NULL && other != NULL && kind_of(report) != kind_of(other))
        tool_problem(tool_file_name(operands[1]), "it is of a %s, and the other of a %s",
                     muster_report_kind_name(kind_of(other)), muster_report_kind_name(kind_of(report)));
    else if (report != NULL && (other != NULL || view->operand != OPERAND_OTHER))
        code = write_view(report, view, name, other);
    muster_report_free(report);
    muster_report_free(other);
    return code;
}

static int check_operands(const char *title, const struct view *view, int count)
{
    int least = view->operand == OPERAND_NAME || view->operand == OPERAND_OTHER ? 2 : 1;
    int most = view->operand == OPERAND_NONE ? 1 : 2;
    if (count >= least && count <= most)
        return TOOL_FINE;
    tool_problem(title, "%s", count > most ? "too many arguments"
                              : count == 0 ? "a file is missing"
                              : view->operand == OPERAND_NAME ? "a name is missing"
                                                              : "the second file is missing");
    return tool_misused(title);
}

int tool_report(int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const struct view *format = NULL;
    for (int option; (option = getopt_long(argc, argv, "f:h", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return TOOL_FINE;
        }
        if (option != 'f')
            return tool_misused(argv[0]);
        format = find(formats, COUNT(formats), optarg);
        if (format == NULL) {
            tool_problem(argv[0], "there is no format '%s': text, json, svg, trace or dot", optarg);
            return tool_misused(argv[0]);
        }
    }
    const struct view *view = argc - optind > 1 ? find(views, COUNT(views), argv[optind]) : NULL;
    if (view != NULL && format != NULL) {
        tool_problem(argv[0], "%s has no other format than text", view->name);
        return tool_misused(argv[0]);
    }
    if (view == NULL && argc - optind == 1 && find(views, COUNT(views), argv[optind]) != NULL) {
        tool_problem(argv[0], "%s: a file is missing", argv[optind]);
        return tool_misused(argv[0]);
    }
    if (view == NULL && argc - optind > 1) {
        tool_problem(argv[0], "there is no view '%s': time, blame, critical-chain, why or diff", argv[optind]);
        return tool_misused(argv[0]);
    }
    int first = optind + (view != NULL);
    view = view != NULL ? view : format != NULL ? format : &formats[0];
    int code = check_operands(argv[0], view, argc - first);
    return code == TOOL_FINE ? show(view, argv + first, argc - first) : code;
}

/* SPDX-License-Identifier: MIT */
/* virthostctl report: the views of `muster report`, of what the daemon tells. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <muster/report.h>

#include "virthostctl.h"

static const struct view {
    const char *name;
    enum muster_report_format format;
    /* How many arguments it has. */
    int least;
    int most;
} views[] = {
    {"time", MUSTER_REPORT_TIME, 0, 0}, {"blame", MUSTER_REPORT_BLAME, 0, 0}, {"critical-chain", MUSTER_REPORT_CHAIN, 0, 1},
    {"why", MUSTER_REPORT_WHY, 1, 1},   {"diff", MUSTER_REPORT_DIFF, 1, 1},
};

static const struct view formats[] = {
    {"text", MUSTER_REPORT_TEXT, 0, 0},   {"json", MUSTER_REPORT_JSON, 0, 0}, {"svg", MUSTER_REPORT_SVG, 0, 0},
    {"trace", MUSTER_REPORT_TRACE, 0, 0}, {"dot", MUSTER_REPORT_DOT, 0, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct view *find(const struct view *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

static struct muster_report *parse(const char *what, const char *text, size_t bytes)
{
    struct muster_report *report = NULL;
    char message[200] = "out of memory";
    if (muster_report_read(text, bytes, &report, message, sizeof(message)) != 0)
        complain("%s: %s", what, message);
    return report;
}

static struct muster_report *ask_report(const struct options *options)
{
    json_t *message = json_pack("{s:s, s:s}", "command", "report", "kind", options->kind == NULL ? "bring-up" : options->kind);
    json_t *reply = message == NULL ? NULL : ask(options->socket, message, false);
    json_t *text = json_object_get(reply, "report");
    struct muster_report *report = NULL;
    if (reply != NULL)
        report = parse("the report", json_string_value(text), json_string_length(text));
    json_decref(message);
    json_decref(reply);
    return report;
}

static struct muster_report *read_report(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    /* (No JSON goes on after a zero byte.) */
    ssize_t bytes = file == NULL ? -1 : getdelim(&text, &room, '\0', file);
    struct muster_report *report = NULL;
    if (bytes >= 0)
        report = parse(path, text, (size_t)bytes);
    else
        complain("%s: %s", path, file != NULL && feof(file) ? "it is empty" : strerror(errno));
    if (file != NULL)
        fclose(file);
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
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int show(const struct view *view, const struct muster_report *report, const char *name,
                const struct muster_report *earlier)
{
    struct muster_report_options how;
    const char *plain = getenv("NO_COLOR");
    MUSTER_REPORT_OPTIONS_INIT(&how);
    how.format = view->format;
    how.name = name;
    how.other = earlier == NULL ? NULL : report;
    how.width = columns();
    if (isatty(STDOUT_FILENO) && (plain == NULL || *plain == '\0'))
        how.flags = MUSTER_REPORT_TERMINAL;
    int code = muster_report_write(earlier == NULL ? report : earlier, &how, print, NULL);
    if (code == MUSTER_ENOENT)
        return complain("there is no driver and no resource '%s'", name);
    return code == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : complain("the report could not be printed");
}

static enum muster_report_kind kind_of(const struct muster_report *report)
{
    return muster_report_get_summary(report)->kind;
}

/* diff's argument is the file of an earlier report. */
static int show_view(const struct options *options, const struct view *view, const char *argument)
{
    bool compares = view->format == MUSTER_REPORT_DIFF;
    struct muster_report *earlier = compares ? read_report(argument) : NULL;
    struct muster_report *report = compares && earlier == NULL ? NULL : ask_report(options);
    int code = EXIT_PROBLEM;
    if (report != NULL && earlier != NULL && kind_of(report) != kind_of(earlier))
        complain("%s is of a %s, the other of a %s", argument, muster_report_kind_name(kind_of(earlier)),
                 muster_report_kind_name(kind_of(report)));
    else if (report != NULL)
        code = show(view, report, compares ? NULL : argument, earlier);
    muster_report_free(report);
    muster_report_free(earlier);
    return code;
}

int ctl_report(const struct options *options, char **arguments, int count)
{
    const char *name = count > 0 ? arguments[0] : options->format != NULL ? options->format : "text";
    const struct view *view = count > 0 ? find(views, COUNT(views), name) : find(formats, COUNT(formats), name);
    int left = count > 0 ? count - 1 : 0;
    if (view == NULL)
        complain("there is no %s '%s'; try --help", count > 0 ? "report" : "format", name);
    else if (count > 0 && options->format != NULL)
        complain("report %s has no --format; try --help", name);
    else if (left < view->least || left > view->most)
        complain("report %s: %s; try --help", name, left < view->least ? "an argument is missing" : "too many arguments");
    else
        return show_view(options, view, left > 0 ? arguments[1] : NULL);
    return EXIT_USAGE;
}

/* SPDX-License-Identifier: MIT */
/* virthostctl watch: a table that is drawn anew on a terminal, and else a line whenever the counts have changed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "virthostctl.h"

#define PAUSE_MS 250
#define ROWS_LEAST 5

struct watch {
    const struct options *options;
    bool terminal;
    int rows;
    int columns;
    char last[200]; /* what was printed */
    bool over;
};

static json_t *ask_for(const struct watch *watch, const char *command)
{
    json_t *message = json_pack("{s:s}", "command", command);
    json_t *reply = message == NULL ? NULL : ask(watch->options->socket, message, false);
    json_decref(message);
    return reply;
}

static void describe(const json_t *progress, char text[200])
{
    long long done = json_integer_value(json_object_get(progress, "done"));
    long long running = json_integer_value(json_object_get(progress, "running"));
    long long waiting = json_integer_value(json_object_get(progress, "waiting"));
    long long failed = json_integer_value(json_object_get(progress, "failed"));
    const json_t *estimate = json_object_get(progress, "estimate_ms");
    int used = snprintf(text, 200, "%s: %lld done, %lld running, %lld waiting, %lld failed", text_of(progress, "state"), done,
                        running, waiting, failed);
    if (running + waiting > 0 && json_is_integer(estimate))
        snprintf(text + used, 200 - (size_t)used, ", about %.1f s more", (double)json_integer_value(estimate) / 1000);
}

static bool is_plain(const json_t *item)
{
    const char *condition = text_of(item, "condition");
    return *text_of(item, "error") == '\0' && (*condition == '\0' || strcmp(condition, "none") == 0) &&
           strcmp(text_of(item, "state"), "starting") != 0 && strcmp(text_of(item, "state"), "stopping") != 0;
}

static void print_row(const struct watch *watch, const json_t *item)
{
    char line[400], name[80];
    const char *condition = text_of(item, "condition");
    snprintf(name, sizeof(name), "%s/%s", text_of(item, "driver"), text_of(item, "name"));
    snprintf(line, sizeof(line), "%-24s %-10s %-10s %s", name, text_of(item, "state"),
             strcmp(condition, "none") == 0 ? "" : condition, text_of(item, "error"));
    printf("%.*s\033[K\n", watch->columns - 1, line);
}

/* What isn't where it is to be, as far as there is room. false: nobody tells. */
static bool draw_table(struct watch *watch, const char *text)
{
    json_t *reply = ask_for(watch, "list");
    if (reply == NULL)
        return false;
    size_t index;
    json_t *item;
    int row = 0;
    printf("\033[H\033[1m%.*s\033[0m\033[K\n", watch->columns - 1, text);
    json_array_foreach(json_object_get(reply, "resources"), index, item)
        if (!is_plain(item) && ++row < watch->rows - 2)
            print_row(watch, item);
    printf("\033[J");
    fflush(stdout);
    json_decref(reply);
    return true;
}

static bool show(struct watch *watch, const json_t *progress)
{
    char text[200];
    bool shown = true;
    describe(progress, text);
    if (watch->terminal) {
        shown = draw_table(watch, text);
    } else if (strcmp(text, watch->last) != 0) {
        printf("%s\n", text);
        fflush(stdout);
    }
    memcpy(watch->last, text, sizeof(text));
    long long left = json_integer_value(json_object_get(progress, "running")) +
                     json_integer_value(json_object_get(progress, "waiting"));
    watch->over = left == 0 && strcmp(text_of(progress, "state"), "up") == 0;
    return shown;
}

static void measure(struct watch *watch)
{
    struct winsize size;
    watch->terminal = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > ROWS_LEAST;
    watch->rows = watch->terminal ? size.ws_row : 0;
    watch->columns = watch->terminal && size.ws_col > 1 ? size.ws_col : 80;
}

int ctl_watch(const struct options *options)
{
    struct watch watch = {.options = options};
    measure(&watch);
    if (watch.terminal)
        printf("\033[2J");
    for (;;) {
        json_t *reply = ask_for(&watch, "progress");
        bool shown = reply != NULL && show(&watch, json_object_get(reply, "progress"));
        json_decref(reply);
        if (!shown)
            return EXIT_PROBLEM;
        if (watch.over)
            return EXIT_SUCCESS;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
        measure(&watch);
    }
}

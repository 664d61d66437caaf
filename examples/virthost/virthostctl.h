/* SPDX-License-Identifier: MIT */
/* What the files of virthostctl share. */
#ifndef VIRTHOSTCTL_H
#define VIRTHOSTCTL_H

#include <stdbool.h>

#include <jansson.h>

#define EXIT_PROBLEM 1
#define EXIT_USAGE 2

struct options {
    const char *socket;
    /* report: as in `muster report --format`; NULL: text. */
    const char *format;
    /* report: "bring-up", "reload", "shutdown"; NULL: bring-up. */
    const char *kind;
    bool json;
    bool cascade;
    bool dependencies;
    bool host;
};

/* A line on standard error. Returns EXIT_PROBLEM. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The reply to a message, which is ok; NULL after a complaint. With `until_end` the daemon has hung up, too. */
json_t *ask(const char *path, const json_t *message, bool until_end);

/* A member that is a text, or "". */
const char *text_of(const json_t *item, const char *member);

/* report [VIEW] [ARGUMENT]. Each returns the exit status. */
int ctl_report(const struct options *options, char **arguments, int count);
/* The counts and what isn't where it is to be, until all has settled. */
int ctl_watch(const struct options *options);

#endif

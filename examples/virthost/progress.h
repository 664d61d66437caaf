/* SPDX-License-Identifier: MIT */
/* How far the bring-up is, and its report. */
#ifndef VIRTHOST_PROGRESS_H
#define VIRTHOST_PROGRESS_H

#include <jansson.h>

#include <muster.h>

struct virthost;

/* {"state", "done", "running", "waiting", "failed", "estimate_ms": null if nothing is known}. */
json_t *progress_counts(const struct virthost *host);

/* The report as JSON text; NULL: there is none of that kind, or no memory. */
char *progress_report(const struct virthost *host, enum muster_report_kind kind);

/* Write the bring-up's report to a file, which is replaced as a whole. 0 or a negative errno. */
int progress_write_report(const struct virthost *host, const char *path);

/* On a terminal, the last line of the log is a live one: take it away before a line is printed, and put it back after it. */
void progress_hide(void);
void progress_show(const struct virthost *host);

#endif

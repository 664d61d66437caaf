/* SPDX-License-Identifier: MIT */
/* What muster's observer hears, one line each: on standard error, and the last ones in memory. */
#ifndef VIRTHOST_TIMELINE_H
#define VIRTHOST_TIMELINE_H

#include <jansson.h>

#include <muster.h>

struct virthost;

/* Listen to the context. NULL: out of memory. */
struct timeline *timeline_new(struct virthost *host);
void timeline_free(struct timeline *timeline);

/* An array of {"ms": since the start, "type", "subject", "text"}, oldest first. */
json_t *timeline_lines(const struct timeline *timeline);

/* A line of the daemon itself. */
void timeline_say(struct timeline *timeline, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

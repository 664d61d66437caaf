/* SPDX-License-Identifier: MIT */
/* Lines on standard error: as text, or one JSON object a line: "time" (RFC 3339), "type", "subject", "text", and "ms" since
 * the start where there is one. */
#ifndef VIRTHOST_LOG_H
#define VIRTHOST_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* From now on lines are JSON. */
void log_use_json(void);
/* It is text, and somebody looks on: a terminal. */
bool log_is_live(void);

/* Something that happened. */
void log_line(uint64_t ms, const char *type, const char *subject, const char *text);

/* Something that is wrong, before there is a timeline or beside it. */
void log_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A text as JSON, or "(not UTF-8)" in its place. */
json_t *log_text(const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/* Plan files: {"drivers":[{"name":"storage","tier":0,"needs":["secret"], ...}]}. */
#ifndef TOOL_PLAN_FILE_H
#define TOOL_PLAN_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <muster/plan.h>

struct tool_plan_file {
    struct muster_plan *plan;
    intptr_t *tier; /* by id */
    bool tiered;    /* some tier isn't 0 */
};

/*
 * Read a file, "-" is standard input, and add its drivers to file->plan. All that is wrong with its form is
 * printed. Returns an exit code; the caller closes the file in any case.
 */
int tool_plan_file_open(struct tool_plan_file *file, const char *path);
/* The same, of these bytes; `path` is for the messages. */
int tool_plan_file_parse(struct tool_plan_file *file, const char *path, const char *text, size_t bytes);
void tool_plan_file_close(struct tool_plan_file *file);

#endif

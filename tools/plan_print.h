/* SPDX-License-Identifier: MIT */
/* A sorted plan on standard output, in one of three formats. Each returns an exit code. */
#ifndef TOOL_PLAN_PRINT_H
#define TOOL_PLAN_PRINT_H

#include "plan_file.h"

int tool_plan_print_text(const struct tool_plan_file *file);
int tool_plan_print_json(const struct tool_plan_file *file);
int tool_plan_print_dot(const struct tool_plan_file *file);

#endif

/* SPDX-License-Identifier: MIT */
/* The input is a plan file: it is read, sorted and printed as `muster plan` does. */
#include <stdbool.h>

#include "command.h"
#include "fuzz.h"
#include "plan_file.h"
#include "plan_print.h"

static void check_plan(const struct tool_plan_file *file)
{
    if (muster_plan_sort(file->plan) != 0) {
        must(muster_plan_get_error(file->plan) != NULL);
        return;
    }
    must(tool_plan_print_text(file) == TOOL_FINE);
    must(tool_plan_print_json(file) == TOOL_FINE);
    must(tool_plan_print_dot(file) == TOOL_FINE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool silent;
    struct tool_plan_file file;
    if (!silent)
        must(freopen("/dev/null", "w", stdout) != NULL);
    silent = true;
    if (tool_plan_file_parse(&file, "plan.json", (const char *)data, size) == TOOL_FINE)
        check_plan(&file);
    tool_plan_file_close(&file);
    return 0;
}

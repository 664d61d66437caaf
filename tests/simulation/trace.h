/* SPDX-License-Identifier: MIT */
/* What happened, one line each, with the time before it: "     12 call storage initialize". */
#ifndef SIMULATION_TRACE_H
#define SIMULATION_TRACE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace {
    bool on;
    char *text; /* always ends with NUL; NULL while empty */
    size_t used;
    size_t capacity;
};

void trace_fini(struct trace *trace);
void trace_line(struct trace *trace, uint64_t now, const char *format, va_list args);
/* Where the last `lines` lines begin. */
const char *trace_tail(const struct trace *trace, unsigned lines);

#endif

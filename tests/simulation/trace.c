/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>

void trace_fini(struct trace *trace)
{
    free(trace->text);
    *trace = (struct trace){0};
}

static void append(struct trace *trace, const char *text, size_t bytes)
{
    if (trace->used + bytes + 1 > trace->capacity) {
        trace->capacity = (trace->capacity + bytes) * 2 + 4096;
        trace->text = realloc(trace->text, trace->capacity);
        if (trace->text == NULL)
            abort();
    }
    for (size_t i = 0; i < bytes; i++)
        trace->text[trace->used++] = text[i];
    trace->text[trace->used] = '\0';
}

void trace_line(struct trace *trace, uint64_t now, const char *format, va_list args)
{
    char line[2048];
    if (!trace->on)
        return;
    int head = snprintf(line, sizeof(line), "%7llu ", (unsigned long long)now);
    int body = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
    size_t bytes = (size_t)head + (size_t)(body < 0 ? 0 : body);
    if (bytes > sizeof(line) - 2)
        bytes = sizeof(line) - 2;
    line[bytes++] = '\n';
    append(trace, line, bytes);
}

const char *trace_tail(const struct trace *trace, unsigned lines)
{
    if (trace->text == NULL)
        return "";
    const char *at = trace->text + trace->used;
    for (unsigned seen = 0; at > trace->text; at--)
        if (at[-1] == '\n' && ++seen > lines)
            break;
    return at;
}

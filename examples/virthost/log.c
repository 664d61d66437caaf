/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

static bool is_json;

void log_use_json(void)
{
    is_json = true;
}

bool log_is_live(void)
{
    return !is_json && isatty(STDERR_FILENO);
}

static void print_json(json_t *line)
{
    struct timespec now;
    struct tm parts;
    char seconds[32], text[48];
    clock_gettime(CLOCK_REALTIME, &now);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &parts));
    snprintf(text, sizeof(text), "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
    json_object_set_new(line, "time", json_string(text));
    char *dump = json_dumps(line, JSON_COMPACT);
    if (dump != NULL)
        fprintf(stderr, "%s\n", dump);
    free(dump);
    json_decref(line);
}

void log_line(uint64_t ms, const char *type, const char *subject, const char *text)
{
    if (!is_json)
        fprintf(stderr, "%6llu ms  %-18s %s\n", (unsigned long long)ms, subject, text);
    else
        print_json(json_pack("{s:I, s:s, s:o, s:o}", "ms", (json_int_t)ms, "type", type, "subject", log_text(subject), "text",
                             log_text(text)));
}

void log_problem(const char *format, ...)
{
    char text[768];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!is_json)
        fprintf(stderr, "virthost: %s\n", text);
    else
        print_json(json_pack("{s:s, s:s, s:o}", "type", "problem", "subject", "virthost", "text", log_text(text)));
}

json_t *log_text(const char *text)
{
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("(not UTF-8)");
}

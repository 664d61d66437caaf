/* SPDX-License-Identifier: MIT */
/* The input is a report: it is read, and written in each format. */
#include <muster/report.h>

#include "fuzz.h"

static int count(void *data, const char *text, size_t bytes)
{
    (void)text;
    *(size_t *)data += bytes;
    return 0;
}

static size_t write_as(const struct muster_report *report, uintptr_t format, const char *name)
{
    struct muster_report_options options;
    size_t bytes = 0;
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = format;
    options.name = name;
    options.other = report;
    options.width = 80;
    options.flags = MUSTER_REPORT_TERMINAL;
    must(muster_report_write(report, &options, count, &bytes) == 0);
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct muster_report *report;
    char message[100] = "";
    int code = muster_report_read((const char *)data, size, &report, message, sizeof(message));
    if (code != 0) {
        must(code == MUSTER_ENOMEM || message[0] != '\0');
        return 0;
    }
    for (uintptr_t format = MUSTER_REPORT_TEXT; format <= MUSTER_REPORT_DIFF; format++)
        if (format != MUSTER_REPORT_WHY)
            must(write_as(report, format, NULL) > 0);
    for (size_t i = 0; i < 20 && muster_report_get_subject(report, i) != NULL; i++) {
        const char *name = muster_report_get_subject(report, i)->name;
        must(write_as(report, MUSTER_REPORT_CHAIN, name) > 0 && write_as(report, MUSTER_REPORT_WHY, name) > 0);
    }
    for (size_t i = 0; muster_report_get_op(report, i) != NULL; i++) {
        const struct muster_report_op *op = muster_report_get_op(report, i);
        must(op->after == MUSTER_REPORT_NONE || op->after < i);
        must(op->wanted_ms <= op->ready_ms && op->ready_ms <= op->begin_ms && op->begin_ms <= op->end_ms);
    }
    muster_report_free(report);
    return 0;
}

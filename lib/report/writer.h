/* SPDX-License-Identifier: MIT */
/* Text on its way to the host's callback, in pieces; and what each format needs of names and times. */
#ifndef MUSTER__WRITER_H
#define MUSTER__WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/report.h"

struct muster__writer {
    muster_report_write_cb write;
    void *data;
    int code; /* of the first failure: nothing is written after that */
    size_t width; /* columns; 0: no limit */
    bool terminal;
    size_t used;
    char buffer[4096];
};

enum muster__colour { MUSTER__PLAIN, MUSTER__BOLD, MUSTER__DIM, MUSTER__RED, MUSTER__GREEN, MUSTER__YELLOW, MUSTER__BLUE };

void muster__put(struct muster__writer *writer, const char *format, ...) MUSTER_PRINTF(2, 3);
void muster__put_text(struct muster__writer *writer, const char *text);
/* A JSON string with its quotes; DOT takes it, too. NULL is null. */
void muster__put_json(struct muster__writer *writer, const char *text);
/* The same where XML is around it. */
void muster__put_json_in_xml(struct muster__writer *writer, const char *text);
/* For XML's content and attributes. At most `most` characters, the last an ellipsis where some are missing; 0: all. */
void muster__put_xml(struct muster__writer *writer, const char *text, size_t most);
/* Nothing off a terminal. */
void muster__put_colour(struct muster__writer *writer, enum muster__colour colour);
/* `text` in so many columns (0: as many as it has), cut or padded. */
void muster__put_cell(struct muster__writer *writer, const char *text, size_t columns, bool right);
/* 0, or what the callback said. */
int muster__put_end(struct muster__writer *writer);

size_t muster__columns(const char *text);

#define MUSTER__SPAN_BYTES 24
/* "250ms", "3.204s", "2min 4s". Returns `text`. */
const char *muster__span(char text[MUSTER__SPAN_BYTES], uint64_t ms);
/* "done", "active", "failed", "timed out", "running", ... */
const char *muster__outcome(const struct muster_report_op *op);

/* ---- the formats: each writes all of it */

void muster__write_text(struct muster__writer *writer, const struct muster_report *report);
void muster__write_time(struct muster__writer *writer, const struct muster_report *report);
void muster__write_blame(struct muster__writer *writer, const struct muster_report *report);
void muster__write_chain(struct muster__writer *writer, const struct muster_report *report, uint32_t subject);
void muster__write_why(struct muster__writer *writer, const struct muster_report *report, uint32_t subject);
void muster__write_diff(struct muster__writer *writer, const struct muster_report *report, const struct muster_report *other);
void muster__write_json(struct muster__writer *writer, const struct muster_report *report);
void muster__write_trace(struct muster__writer *writer, const struct muster_report *report);
void muster__write_dot(struct muster__writer *writer, const struct muster_report *report);
void muster__write_svg(struct muster__writer *writer, const struct muster_report *report);

#endif

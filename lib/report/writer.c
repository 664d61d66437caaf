/* SPDX-License-Identifier: MIT */
#include "report/writer.h"
#include "report/wrap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/def.h"

/* ---- pieces --------------------------------------------------------------------------------------------------- */

static void flush(struct muster__writer *writer)
{
    if (writer->code == 0 && writer->used > 0)
        writer->code = writer->write(writer->data, writer->buffer, writer->used);
    writer->used = 0;
}

static void put_bytes(struct muster__writer *writer, const char *text, size_t bytes)
{
    while (bytes > 0 && writer->code == 0) {
        size_t room = sizeof(writer->buffer) - writer->used;
        size_t part = bytes < room ? bytes : room;
        memcpy(writer->buffer + writer->used, text, part);
        writer->used += part;
        text += part;
        bytes -= part;
        if (writer->used == sizeof(writer->buffer))
            flush(writer);
    }
}

int muster__put_end(struct muster__writer *writer)
{
    flush(writer);
    return writer->code;
}

void muster__put_text(struct muster__writer *writer, const char *text)
{
    put_bytes(writer, text, strlen(text));
}

void muster__put(struct muster__writer *writer, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (bytes > 0)
        put_bytes(writer, text, (size_t)bytes < sizeof(text) ? (size_t)bytes : sizeof(text) - 1);
}

/* U+FFFE and U+FFFF: XML has none. */
static bool is_no_character(const char *text)
{
    return text[0] == '\xef' && text[1] == '\xbf' && (text[2] == '\xbe' || text[2] == '\xbf');
}

static void put_json(struct muster__writer *writer, const char *text, const char *escaped)
{
    if (text == NULL) {
        muster__put_text(writer, "null");
        return;
    }
    put_bytes(writer, "\"", 1);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || strchr(escaped, *c) != NULL) {
            muster__put(writer, "\\u%04x", (unsigned)*c);
        } else if (*c == '"' || *c == '\\') {
            muster__put(writer, "\\%c", *c);
        } else if (is_no_character(c)) {
            muster__put_text(writer, c[2] == '\xbe' ? "\\ufffe" : "\\uffff");
            c += 2;
        } else {
            put_bytes(writer, c, 1);
        }
    put_bytes(writer, "\"", 1);
}

void muster__put_json(struct muster__writer *writer, const char *text)
{
    put_json(writer, text, "");
}

void muster__put_json_in_xml(struct muster__writer *writer, const char *text)
{
    put_json(writer, text, "<>&");
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

size_t muster__columns(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++)
        columns += begins_character(*text);
    return columns;
}

/* The end of so many characters. */
static const char *after(const char *text, size_t characters)
{
    while (*text != '\0' && (characters > 0 || !begins_character(*text)))
        characters -= begins_character(*text++);
    return text;
}

static void put_xml_byte(struct muster__writer *writer, char c)
{
    switch (c) {
    case '&':
        muster__put_text(writer, "&amp;");
        break;
    case '<':
        muster__put_text(writer, "&lt;");
        break;
    case '>':
        muster__put_text(writer, "&gt;");
        break;
    case '"':
        muster__put_text(writer, "&quot;");
        break;
    default:
        put_bytes(writer, (unsigned char)c < 0x20 && c != '\n' ? " " : &c, 1);
    }
}

void muster__put_xml(struct muster__writer *writer, const char *text, size_t most)
{
    bool cut = most > 0 && muster__columns(text) > most;
    const char *end = cut ? after(text, most - 1) : text + strlen(text);
    for (; text < end; text++)
        if (is_no_character(text)) {
            muster__put_text(writer, "\ufffd");
            text += 2;
        } else {
            put_xml_byte(writer, *text);
        }
    if (cut)
        muster__put_text(writer, "\u2026");
}

/* ---- terminals ------------------------------------------------------------------------------------------------ */

void muster__put_colour(struct muster__writer *writer, enum muster__colour colour)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[31m",
                                        "\033[32m", "\033[33m", "\033[34m"};
    if (writer->terminal)
        muster__put_text(writer, codes[colour]);
}

void muster__put_cell(struct muster__writer *writer, const char *text, size_t columns, bool right)
{
    size_t has = muster__columns(text);
    size_t padding = has < columns ? columns - has : 0;
    if (right)
        muster__put(writer, "%*s", (int)padding, "");
    if (columns == 0 || has <= columns) {
        muster__put_text(writer, text);
    } else {
        put_bytes(writer, text, (size_t)(after(text, columns - 1) - text));
        muster__put_text(writer, "\u2026");
    }
    if (!right)
        muster__put(writer, "%*s", (int)padding, "");
}

/* ---- words ---------------------------------------------------------------------------------------------------- */

const char *muster__span(char text[MUSTER__SPAN_BYTES], uint64_t ms)
{
    uint64_t minutes = ms / 60000;
    if (ms < 1000)
        snprintf(text, MUSTER__SPAN_BYTES, "%" PRIu64 "ms", ms);
    else if (minutes == 0)
        snprintf(text, MUSTER__SPAN_BYTES, "%" PRIu64 ".%03us", ms / 1000, (unsigned)(ms % 1000));
    else
        snprintf(text, MUSTER__SPAN_BYTES, "%" PRIu64 "min %us", minutes < 1000000 ? minutes : 999999,
                 (unsigned)(ms / 1000 % 60));
    return text;
}

const char *muster__outcome(const struct muster_report_op *op)
{
    if ((op->flags & MUSTER_REPORT_TIMED_OUT) != 0)
        return "timed out";
    if (muster__report_op_out(op))
        return "running";
    switch (op->outcome) {
    case MUSTER_OK:
        return op->error == NULL ? "done" : "failed";
    case MUSTER_SKIP:
        return "skipped";
    case MUSTER_UNAVAILABLE:
        return "not available";
    case MUSTER_ACTIVE:
        return "active";
    case MUSTER_INACTIVE:
        return "inactive";
    case MUSTER_FOREIGN:
        return "foreign";
    default:
        return "failed";
    }
}

/* ---- a whole report -------------------------------------------------------------------------------------------- */

void muster_report_options_init(struct muster_report_options *options, size_t size)
{
    memset(options, 0, size);
    memcpy(options, &size, sizeof(size));
}

typedef void (*format_cb)(struct muster__writer *writer, const struct muster_report *report);

static const format_cb formats[] = {
    [MUSTER_REPORT_TEXT] = muster__write_text, [MUSTER_REPORT_JSON] = muster__write_json,
    [MUSTER_REPORT_SVG] = muster__write_svg,   [MUSTER_REPORT_TRACE] = muster__write_trace,
    [MUSTER_REPORT_DOT] = muster__write_dot,   [MUSTER_REPORT_TIME] = muster__write_time,
    [MUSTER_REPORT_BLAME] = muster__write_blame,
};

static int write_named(struct muster__writer *writer, const struct muster_report *report,
                       const struct muster_report_options *options)
{
    uint32_t subject = muster__report_find(report, options->name);
    struct muster__wrap wrap = {.to = writer};
    struct muster__writer lines = {
        .write = muster__wrap_write, .data = &wrap, .width = writer->width, .terminal = writer->terminal};
    struct muster__writer *to = writer->width == 0 ? writer : &lines;
    if (options->name != NULL && subject == MUSTER__NO_SUBJECT)
        return MUSTER_ENOENT;
    if (options->format == MUSTER_REPORT_CHAIN)
        muster__write_chain(to, report, subject);
    else if (options->name == NULL)
        return MUSTER_EINVAL;
    else
        muster__write_why(to, report, subject);
    int code = muster__put_end(to);
    return code != 0 ? code : muster__put_end(writer);
}

int muster_report_write(const struct muster_report *report, const struct muster_report_options *options,
                        muster_report_write_cb write, void *data)
{
    struct muster_report_options copy = {.size = sizeof(copy)};
    int code = options == NULL ? 0 : muster__def_copy(&copy, sizeof(copy), options, sizeof(copy));
    if (code != 0 || report == NULL || write == NULL || copy.format > MUSTER_REPORT_DIFF ||
        (copy.flags & ~(uintptr_t)MUSTER_REPORT_TERMINAL) != 0)
        return MUSTER_EINVAL;
    struct muster__writer writer = {
        .write = write, .data = data, .width = copy.width, .terminal = (copy.flags & MUSTER_REPORT_TERMINAL) != 0};
    if (copy.format == MUSTER_REPORT_CHAIN || copy.format == MUSTER_REPORT_WHY)
        return write_named(&writer, report, &copy);
    if (copy.format == MUSTER_REPORT_DIFF && (copy.other == NULL || copy.other->summary.kind != report->summary.kind))
        return MUSTER_EINVAL;
    if (copy.format == MUSTER_REPORT_DIFF)
        muster__write_diff(&writer, report, copy.other);
    else
        formats[copy.format](&writer, report);
    return muster__put_end(&writer);
}

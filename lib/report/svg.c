/* SPDX-License-Identifier: MIT */
/* The picture: a row a driver, its resources folded under it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/name.h"
#include "report/chain.h"
#include "report/svg_page.h"
#include "report/writer.h"

#define PHASES 10
#define PLOT (MUSTER__SVG_WIDTH - MUSTER__SVG_LEFT - MUSTER__SVG_RIGHT)
#define NAME_CHARACTERS 34
#define LEAST_WIDTH 1.5

struct picture {
    struct muster__writer *writer;
    const struct muster_report *report;
    uint64_t total_ms;
    uint32_t *first_op; /* in `ops`, of each driver and one more: its own and its resources', in the order of their begins */
    uint32_t *ops;
};

static double x_of(const struct picture *picture, uint64_t ms)
{
    return MUSTER__SVG_LEFT + (double)ms * PLOT / (double)picture->total_ms;
}

static double width_of(const struct picture *picture, uint64_t begin, uint64_t end)
{
    double width = (double)(end - begin) * PLOT / (double)picture->total_ms;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width;
}

/* ---- what is above the rows ---------------------------------------------------------------------------------------- */

static void put_heading(const struct picture *picture)
{
    const struct muster_report_summary *summary = &picture->report->summary;
    struct muster__writer *writer = picture->writer;
    char span[MUSTER__SPAN_BYTES], date[40] = "";
    time_t seconds = (time_t)(summary->wall_ms / 1000);
    struct tm broken;
    bool over = summary->end_ms != MUSTER_REPORT_NEVER;
    if (gmtime_r(&seconds, &broken) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &broken);
    muster__put(writer, "<text class=\"title\" x=\"16\" y=\"26\">%s: %s%s%s</text>\n", muster_report_kind_name(summary->kind),
                muster__span(span, muster__report_end(picture->report, summary->end_ms)), over ? "" : " so far",
                summary->code != 0 ? ", with problems" : "");
    muster__put(writer,
                "<text class=\"soft\" x=\"16\" y=\"44\">begun %s; %zu drivers, %zu resources, %zu ops, %zu commits</text>\n",
                date, picture->report->driver_count, picture->report->subject_count - picture->report->driver_count,
                picture->report->op_count, picture->report->commit_count);
}

static void put_legend(const struct picture *picture)
{
    static const struct {
        const char *shape;
        const char *text;
        int width;
    } parts[] = {
        {"<rect class=\"p0\" width=\"14\" height=\"10\"/>", "initialize", 78},
        {"<rect class=\"p6\" width=\"14\" height=\"10\"/>", "probe, restore", 100},
        {"<rect class=\"p7\" width=\"14\" height=\"10\"/>", "adopt, reconcile", 110},
        {"<rect class=\"p8\" width=\"14\" height=\"10\"/>", "start, autostart", 106},
        {"<rect class=\"p9\" width=\"14\" height=\"10\"/>", "stop, reload", 92},
        {"<rect class=\"p5\" width=\"14\" height=\"10\"/>", "shutdown", 78},
        {"<path class=\"wait\" d=\"M0 5h14\"/>", "waits", 56},
        {"<path class=\"bad\" d=\"M2 0l10 10M12 0l-10 10\"/>", "failed", 58},
        {"<path class=\"crit\" d=\"M0 9h14\"/>", "critical path", 90},
    };
    int x = 16;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        muster__put(picture->writer,
                    "<g transform=\"translate(%d,56)\">%s<text class=\"small soft\" x=\"19\" y=\"9\">%s</text></g>\n", x,
                    parts[i].shape, parts[i].text);
        x += parts[i].width + 24;
    }
}

/* A round time. */
static const char *tick_text(char text[MUSTER__SPAN_BYTES], uint64_t ms)
{
    if (ms == 0 || ms < 1000)
        snprintf(text, MUSTER__SPAN_BYTES, ms == 0 ? "0" : "%" PRIu64 "ms", ms);
    else if (ms % 1000 == 0)
        snprintf(text, MUSTER__SPAN_BYTES, "%" PRIu64 "s", ms / 1000);
    else
        snprintf(text, MUSTER__SPAN_BYTES, "%" PRIu64 ".%" PRIu64 "s", ms / 1000, ms % 1000 / 100);
    return text;
}

/* 1, 2 or 5 times a power of ten, so that there are at most ten. */
static uint64_t tick_ms(uint64_t total)
{
    uint64_t power = 1;
    while (power * 100 < total)
        power *= 10;
    return power * 10 >= total ? power : power * 20 >= total ? power * 2 : power * 50 >= total ? power * 5 : power * 10;
}

static void put_ticks(const struct picture *picture, int bottom)
{
    uint64_t step = tick_ms(picture->total_ms);
    char span[MUSTER__SPAN_BYTES];
    for (uint64_t ms = 0; ms <= picture->total_ms; ms += step) {
        double x = x_of(picture, ms);
        muster__put(picture->writer,
                    "<line class=\"tick tall\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                    "<text class=\"small soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                    x, x, MUSTER__SVG_TOP - 6, bottom, x, MUSTER__SVG_TOP - 10, tick_text(span, ms));
    }
}

/* Labels stand one above the other, so that milestones at the same time can be read. */
static void put_milestones(const struct picture *picture, int bottom)
{
    char span[MUSTER__SPAN_BYTES];
    for (size_t i = 0; i < 3; i++) {
        uint64_t ms = picture->report->summary.milestones[i];
        if (ms == MUSTER_REPORT_NEVER || ms > picture->total_ms)
            continue;
        double x = x_of(picture, ms);
        bool right = x > MUSTER__SVG_WIDTH - 200;
        int y = 82 + 11 * (int)i;
        muster__put(picture->writer,
                    "<line class=\"mile tall\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                    "<text class=\"small halo\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s%s, %s</text>\n",
                    x, x, y - 8, bottom, right ? x - 4 : x + 4, y, right ? "end" : "start", muster__report_milestones[i],
                    i == MUSTER_RECONCILED ? ": the barrier opens" : "", muster__span(span, ms));
    }
}

/* ---- bars ----------------------------------------------------------------------------------------------------------- */

static const char *name_after(const struct muster_report *report, const struct muster_report_op *op)
{
    return report->subjects[report->ops[op->after].subject].name;
}

static void put_hover(const struct picture *picture, const struct muster_report_op *op)
{
    const struct muster_report *report = picture->report;
    struct muster__writer *writer = picture->writer;
    char begin[MUSTER__SPAN_BYTES], ran[MUSTER__SPAN_BYTES], waited[MUSTER__SPAN_BYTES];
    muster__put_text(writer, "<title>");
    muster__put_xml(writer, report->subjects[op->subject].name, 0);
    muster__put(writer, " %s (%s)\nbegan at %s, %s %s: %s", muster_phase_name(op->phase), muster_cause_name(op->cause),
                muster__span(begin, op->begin_ms), muster__report_op_out(op) ? "running for" : "ran",
                muster__span(ran, muster__report_op_ran(report, op)), muster__outcome(op));
    if (op->wait != MUSTER_REPORT_WAIT_NONE) {
        muster__put(writer, "\nwaited %s: %s", muster__span(waited, op->begin_ms - op->wanted_ms),
                    muster_report_wait_name(op->wait));
        if (op->after != MUSTER_REPORT_NONE) {
            muster__put_text(writer, ", after ");
            muster__put_xml(writer, name_after(report, op), 0);
        }
    }
    if (op->error != NULL) {
        muster__put_text(writer, "\n");
        muster__put_xml(writer, op->error->text, 0);
    }
    muster__put_text(writer, "</title>");
}

static void put_cross(const struct picture *picture, double x, double y)
{
    muster__put(picture->writer, "<path class=\"bad\" d=\"M%.1f %.1fl8 8m0 -8l-8 8\"/>", x - 4, y - 4);
}

static void put_op(const struct picture *picture, const struct muster_report_op *op, int y, int height)
{
    struct muster__writer *writer = picture->writer;
    uint64_t end = muster__report_end(picture->report, op->end_ms);
    double x = x_of(picture, op->begin_ms);
    double width = width_of(picture, op->begin_ms, end);
    if (muster__report_op_waited(op))
        muster__put(writer, "<path class=\"wait\" d=\"M%.1f %.1fH%.1f\"/>", x_of(picture, op->wanted_ms), y + height / 2.0, x);
    muster__put(writer, "<rect class=\"p%d%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\">", (int)op->phase,
                muster__report_op_out(op) ? " out" : "", x, y, width, height);
    put_hover(picture, op);
    muster__put_text(writer, "</rect>");
    if ((op->flags & MUSTER_REPORT_CRITICAL) != 0)
        muster__put(writer, "<path class=\"crit\" d=\"M%.1f %.1fh%.1f\"/>", x, y + height + 1.0, width);
    if (muster__report_op_bad(op))
        put_cross(picture, x + width, y + height / 2.0);
}

static void put_ops(const struct picture *picture, uint32_t subject, int y, int height)
{
    const struct muster__subject *of = &picture->report->more[subject];
    for (uint32_t i = 0; i < of->op_count; i++)
        put_op(picture, &picture->report->ops[picture->report->op_order[of->first_op + i]], y, height);
}

/* Without who it is, which the row says. */
static const char *trouble_text(const struct muster_report_subject *is)
{
    char who[MUSTER__PATH_BYTES + 16];
    if (is->error == NULL)
        return muster__report_state_text(is);
    if (is->resource == NULL)
        snprintf(who, sizeof(who), "driver '%s': ", is->driver);
    else
        snprintf(who, sizeof(who), "%s '%s': ", is->driver, is->resource);
    size_t length = strlen(who);
    return strncmp(is->error->text, who, length) == 0 ? is->error->text + length : is->error->text;
}

/* Of a driver: beside its last bar. */
static void put_trouble(const struct picture *picture, uint32_t driver)
{
    const struct muster_report *report = picture->report;
    if (!muster__report_in_trouble(&report->subjects[driver]))
        return;
    size_t last = muster__report_last_op(report, driver);
    double x = MUSTER__SVG_LEFT;
    if (last != MUSTER_REPORT_NONE)
        x = x_of(picture, muster__report_end(report, report->ops[last].end_ms)) + 8;
    bool before = x > (MUSTER__SVG_LEFT + MUSTER__SVG_WIDTH) / 2.0;
    double room = before ? x - 20 - MUSTER__SVG_LEFT : MUSTER__SVG_WIDTH - x;
    muster__put(picture->writer, "<text class=\"why halo\" x=\"%.1f\" y=\"11\"%s>", before ? x - 20 : x,
                before ? " text-anchor=\"end\"" : "");
    muster__put_xml(picture->writer, trouble_text(&report->subjects[driver]), (size_t)(room / 6));
    muster__put_text(picture->writer, "</text>");
}

/* ---- a driver while it is folded: what its resources did, drawn together --------------------------------------------- */

struct merged {
    double begin;
    double end;
    bool any;
};

static void put_merged(const struct picture *picture, int phase, struct merged *merged)
{
    if (merged->any)
        muster__put(picture->writer, "<rect class=\"p%d\" x=\"%.1f\" y=\"14\" width=\"%.1f\" height=\"7\"/>", phase,
                    merged->begin, merged->end - merged->begin);
    merged->any = false;
}

static void merge(const struct picture *picture, const struct muster_report_op *op, struct merged merged[PHASES])
{
    double begin = x_of(picture, op->begin_ms);
    double end = begin + width_of(picture, op->begin_ms, muster__report_end(picture->report, op->end_ms));
    struct merged *of = &merged[(unsigned)op->phase % PHASES];
    if (of->any && begin > of->end + 0.5)
        put_merged(picture, (int)op->phase, of);
    if (!of->any)
        *of = (struct merged){.begin = begin, .end = end, .any = true};
    of->end = end > of->end ? end : of->end;
}

static void put_sum(const struct picture *picture, uint32_t driver)
{
    const struct muster_report *report = picture->report;
    struct merged merged[PHASES] = {{0}};
    double crossed = -100;
    muster__put_text(picture->writer, "<g class=\"sum\">");
    for (uint32_t i = picture->first_op[driver]; i < picture->first_op[driver + 1]; i++)
        if (!muster__report_is_driver(report, report->ops[picture->ops[i]].subject))
            merge(picture, &report->ops[picture->ops[i]], merged);
    for (int phase = 0; phase < PHASES; phase++)
        put_merged(picture, phase, &merged[phase]);
    for (uint32_t i = picture->first_op[driver]; i < picture->first_op[driver + 1]; i++) {
        const struct muster_report_op *op = &report->ops[picture->ops[i]];
        double x = x_of(picture, op->begin_ms);
        double width = width_of(picture, op->begin_ms, muster__report_end(report, op->end_ms));
        if (muster__report_is_driver(report, op->subject))
            continue;
        if ((op->flags & MUSTER_REPORT_CRITICAL) != 0)
            muster__put(picture->writer, "<path class=\"crit\" d=\"M%.1f 22.5h%.1f\"/>", x, width);
        if (muster__report_op_bad(op) && x + width > crossed + 6) {
            crossed = x + width;
            put_cross(picture, crossed, 17);
        }
    }
    muster__put_text(picture->writer, "</g>");
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

/* As the script reads it. */
static void put_op_data(const struct picture *picture, const struct muster_report_op *op)
{
    const struct muster_report *report = picture->report;
    unsigned flags = (muster__report_op_bad(op) ? 1u : 0) | ((op->flags & MUSTER_REPORT_CRITICAL) != 0 ? 2u : 0) |
                     (muster__report_op_out(op) ? 4u : 0);
    muster__put(picture->writer, "[%d,%d,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u,\"%s\",%d", (int)op->phase, (int)op->cause,
                op->wanted_ms, op->begin_ms, muster__report_end(report, op->end_ms), flags, muster__outcome(op), (int)op->wait);
    if (op->wait != MUSTER_REPORT_WAIT_NONE || op->error != NULL) {
        muster__put_text(picture->writer, ",");
        muster__put_json_in_xml(picture->writer, op->after == MUSTER_REPORT_NONE ? NULL : name_after(report, op));
    }
    if (op->error != NULL) {
        muster__put_text(picture->writer, ",");
        muster__put_json_in_xml(picture->writer, op->error->text);
    }
    muster__put_text(picture->writer, "]");
}

static void put_resource_data(const struct picture *picture, uint32_t subject)
{
    const struct muster_report *report = picture->report;
    const struct muster_report_subject *is = &report->subjects[subject];
    const struct muster__subject *of = &report->more[subject];
    muster__put_text(picture->writer, "[");
    muster__put_json_in_xml(picture->writer, is->resource);
    muster__put(picture->writer, ",\"%s\",", muster__report_state_text(is));
    muster__put_json_in_xml(picture->writer, muster__report_in_trouble(is) ? trouble_text(is) : NULL);
    muster__put_text(picture->writer, ",[");
    for (uint32_t i = 0; i < of->op_count; i++) {
        muster__put_text(picture->writer, i == 0 ? "" : ",");
        put_op_data(picture, &report->ops[report->op_order[of->first_op + i]]);
    }
    muster__put_text(picture->writer, "]]");
}

static void put_resources_data(const struct picture *picture, uint32_t driver)
{
    const struct muster__subject *more = picture->report->more;
    uint32_t first = more[driver].next_resource;
    muster__put_text(picture->writer, "<script type=\"application/json\" class=\"data\">[");
    for (uint32_t i = first; i != MUSTER__NO_SUBJECT; i = more[i].next_resource) {
        muster__put_text(picture->writer, i == first ? "\n" : ",\n");
        put_resource_data(picture, i);
    }
    muster__put_text(picture->writer, "]</script>\n");
}

static uint32_t count_resources(const struct picture *picture, uint32_t driver, uint32_t *ret_bad)
{
    const struct muster__subject *more = picture->report->more;
    uint32_t count = 0;
    *ret_bad = 0;
    for (uint32_t i = more[driver].next_resource; i != MUSTER__NO_SUBJECT; i = more[i].next_resource) {
        count++;
        *ret_bad += muster__report_in_trouble(&picture->report->subjects[i]);
    }
    return count;
}

static void put_driver(const struct picture *picture, uint32_t driver)
{
    struct muster__writer *writer = picture->writer;
    uint32_t bad;
    uint32_t count = count_resources(picture, driver, &bad);
    muster__put(writer,
                "<g class=\"driver%s\" data-n=\"%" PRIu32 "\" transform=\"translate(0,%" PRIu32 ")\" data-name=\"",
                count > 0 ? " fold" : "", count, MUSTER__SVG_TOP + driver * MUSTER__SVG_DRIVER_ROW);
    muster__put_xml(writer, picture->report->subjects[driver].name, 0);
    muster__put(writer, "\">\n<g class=\"head\"%s>",
                count > 0 ? " tabindex=\"0\" role=\"button\" aria-expanded=\"false\"" : "");
    muster__put(writer, "<rect class=\"hit\" width=\"%d\" height=\"%d\"/>", MUSTER__SVG_WIDTH, MUSTER__SVG_DRIVER_ROW);
    if (count > 0)
        muster__put_text(writer, "<g transform=\"translate(20,13)\"><path class=\"arrow\" d=\"M-3 -5l7 5l-7 5z\"/></g>");
    muster__put_text(writer, "<text x=\"30\" y=\"17\" font-weight=\"600\">");
    muster__put_xml(writer, picture->report->subjects[driver].name, count > 0 ? 20 : NAME_CHARACTERS);
    if (count > 0)
        muster__put(writer, "<tspan class=\"soft\" font-weight=\"400\"> %" PRIu32 "</tspan>", count);
    if (bad > 0)
        muster__put(writer, "<tspan class=\"why\" font-weight=\"400\"> %" PRIu32 " \u2715</tspan>", bad);
    muster__put_text(writer, "<title>");
    muster__put_xml(writer, picture->report->subjects[driver].name, 0);
    muster__put(writer, ": %s</title></text>", muster__report_state_text(&picture->report->subjects[driver]));
    put_ops(picture, driver, 2, 9);
    if (count > 0)
        put_sum(picture, driver);
    put_trouble(picture, driver);
    muster__put_text(writer, "</g>\n<g class=\"res\"/>\n");
    if (count > 0)
        put_resources_data(picture, driver);
    muster__put_text(writer, "</g>\n");
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

static void sort_ops(struct picture *picture)
{
    const struct muster_report *report = picture->report;
    uint32_t *next = picture->first_op + 1;
    for (size_t i = 0; i < report->op_count; i++)
        next[report->more[report->ops[i].subject].home + 1]++;
    for (size_t i = 0; i < report->driver_count; i++)
        next[i + 1] += next[i];
    for (size_t i = 0; i < report->op_count; i++)
        picture->ops[next[report->more[report->ops[i].subject].home]++] = (uint32_t)i;
}

static uint64_t total_of(const struct muster_report *report)
{
    uint64_t total = muster__report_end(report, report->summary.end_ms);
    for (size_t i = 0; i < report->op_count; i++) {
        uint64_t end = muster__report_op_out(&report->ops[i]) ? report->ops[i].begin_ms : report->ops[i].end_ms;
        total = end > total ? end : total;
    }
    return total == 0 ? 1 : total;
}

static void put_names(struct muster__writer *writer, const char *what, const char *(*name)(int value))
{
    muster__put(writer, " data-%s=\"", what);
    for (int i = 0; strcmp(name(i), "unknown") != 0; i++)
        muster__put(writer, "%s%s", i == 0 ? "" : " ", name(i));
    muster__put_text(writer, "\"");
}

static const char *phase_name(int value)
{
    return muster_phase_name((enum muster_phase)value);
}

static const char *cause_name(int value)
{
    return muster_cause_name((enum muster_cause)value);
}

static const char *wait_name(int value)
{
    return muster_report_wait_name((enum muster_report_wait)value);
}

/* What the script has to know. */
static void put_measures(const struct picture *picture)
{
    struct muster__writer *writer = picture->writer;
    muster__put(writer, " data-top=\"%d\" data-driver=\"%d\" data-row=\"%d\" data-bottom=\"%d\" data-width=\"%d\"",
                MUSTER__SVG_TOP, MUSTER__SVG_DRIVER_ROW, MUSTER__SVG_ROW, MUSTER__SVG_BOTTOM, MUSTER__SVG_WIDTH);
    muster__put(writer, " data-left=\"%d\" data-plot=\"%d\" data-total=\"%" PRIu64 "\"", MUSTER__SVG_LEFT, PLOT,
                picture->total_ms);
    put_names(writer, "phases", phase_name);
    put_names(writer, "causes", cause_name);
    put_names(writer, "waits", wait_name);
}

static void put_all(const struct picture *picture)
{
    struct muster__writer *writer = picture->writer;
    int bottom = MUSTER__SVG_TOP + (int)picture->report->driver_count * MUSTER__SVG_DRIVER_ROW;
    int height = bottom + MUSTER__SVG_BOTTOM;
    muster__put(writer, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\"",
                MUSTER__SVG_WIDTH, height, MUSTER__SVG_WIDTH, height);
    put_measures(picture);
    muster__put(writer, ">\n<title>muster: %s</title>\n", muster_report_kind_name(picture->report->summary.kind));
    muster__put_text(writer, muster__svg_style);
    muster__put_text(writer, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    put_heading(picture);
    put_legend(picture);
    put_ticks(picture, bottom);
    for (uint32_t i = 0; i < picture->report->driver_count; i++)
        put_driver(picture, i);
    put_milestones(picture, bottom);
    muster__put_text(writer, muster__svg_script);
    muster__put_text(writer, "</svg>\n");
}

void muster__write_svg(struct muster__writer *writer, const struct muster_report *report)
{
    const struct muster__memory *memory = &report->memory;
    size_t firsts = report->driver_count + 2; /* one more, and one that sorting has at work */
    struct picture picture = {.writer = writer, .report = report, .total_ms = total_of(report)};
    uint32_t *block = muster__alloc(memory, firsts + report->op_count, sizeof(*block));
    if (block == NULL) {
        writer->code = MUSTER_ENOMEM;
        return;
    }
    picture.first_op = block;
    picture.ops = block + firsts;
    sort_ops(&picture);
    put_all(&picture);
    muster__free(memory, block);
}

/* SPDX-License-Identifier: MIT */
/* Graphviz: a cluster a driver, an arrow from each subject to what it depends on. */
#include <inttypes.h>
#include <stdio.h>

#include "report/chain.h"
#include "report/writer.h"

/* Legible for the colour-blind (Okabe and Ito). */
static const char *colour_of(const struct muster_report_subject *is)
{
    if (!muster__report_in_trouble(is))
        return "#cfe8f7";
    return is->error != NULL ? "#f6cdb0" : "#f7ecb5";
}

static bool is_critical(const struct muster_report *report, uint32_t subject)
{
    const struct muster__subject *of = &report->more[subject];
    for (uint32_t i = 0; i < of->op_count; i++)
        if ((report->ops[report->op_order[of->first_op + i]].flags & MUSTER_REPORT_CRITICAL) != 0)
            return true;
    return false;
}

static void put_node(struct muster__writer *writer, const struct muster_report *report, uint32_t subject)
{
    const struct muster_report_subject *is = &report->subjects[subject];
    char label[640], text[MUSTER__SPAN_BYTES];
    size_t last = muster__report_last_op(report, subject);
    uint64_t end = last == MUSTER_REPORT_NONE ? 0 : muster__report_end(report, report->ops[last].end_ms);
    bool timed = last != MUSTER_REPORT_NONE && (muster__report_is_up(is) || muster__report_last_tells(report, subject));
    snprintf(label, sizeof(label), "%s: %s%s%s", is->resource == NULL ? is->driver : is->resource,
             muster__report_state_text(is), timed ? ", " : "", timed ? muster__span(text, end) : "");
    muster__put(writer, "    s%" PRIu32 " [label=", subject);
    muster__put_json(writer, label);
    muster__put(writer, ", fillcolor=\"%s\"%s%s];\n", colour_of(is), is->resource == NULL ? ", shape=box" : "",
                is_critical(report, subject) ? ", penwidth=3" : "");
}

static void put_cluster(struct muster__writer *writer, const struct muster_report *report, uint32_t driver)
{
    muster__put(writer, "  subgraph cluster_%" PRIu32 " {\n    label=", driver);
    muster__put_json(writer, report->subjects[driver].name);
    muster__put_text(writer, ";\n");
    for (uint32_t i = driver; i != MUSTER__NO_SUBJECT; i = report->more[i].next_resource)
        put_node(writer, report, i);
    muster__put_text(writer, "  }\n");
}

void muster__write_dot(struct muster__writer *writer, const struct muster_report *report)
{
    muster__put_text(writer, "digraph report {\n  rankdir=RL;\n  node [style=filled, fontname=\"sans-serif\"];\n");
    for (uint32_t i = 0; i < report->driver_count; i++)
        put_cluster(writer, report, i);
    for (uint32_t i = 0; i < report->subject_count; i++)
        for (size_t k = 0; k < report->subjects[i].needs_count; k++)
            muster__put(writer, "  s%" PRIu32 " -> s%" PRIu32 ";\n", i, report->subjects[i].needs[k]);
    muster__put_text(writer, "}\n");
}

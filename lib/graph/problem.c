/* SPDX-License-Identifier: MIT */
/* What is wrong with a graph, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <muster/error.h>

#include "graph/internal.h"

#define TEXT_MAX (MUSTER__ERROR_TEXT - 1)
/* Names in messages are cut at this many bytes, so that two of them and the words between fit. */
#define SHOWN_MAX 120

/* Keeps a pointer to the last: appending to the list would walk it. */
static void report(struct muster__graph *graph, struct muster_error *problem)
{
    if (graph->problems == NULL) {
        graph->problems = problem;
    } else if (graph->last_problem->references != 0) {
        graph->last_problem->next = problem;
    } else { /* memory was short before: an immortal error has no siblings */
        muster__error_unref(problem);
        return;
    }
    graph->last_problem = problem;
}

/* A name, cut at the end of a character if it is long. */
struct shown {
    char text[SHOWN_MAX + sizeof("...")];
};

static struct shown show(const char *name)
{
    struct shown shown;
    size_t length = strlen(name);
    if (length <= SHOWN_MAX) {
        memcpy(shown.text, name, length + 1);
        return shown;
    }
    length = SHOWN_MAX;
    while (((unsigned char)name[length] & 0xc0) == 0x80)
        length--;
    memcpy(shown.text, name, length);
    memcpy(shown.text + length, "...", sizeof("..."));
    return shown;
}

static struct shown show_node(struct muster__graph *graph, uint32_t node)
{
    return show(muster__graph_name(graph, node));
}

/* ---- what one driver declares -------------------------------------------------------------------- */

static const char *const verbs[] = {"needs", "wants", "is after", "is before"};

static bool contains(struct muster__ids ids, uint32_t id)
{
    for (uint32_t i = 0; i < ids.count; i++)
        if (ids.ids[i] == id)
            return true;
    return false;
}

static void report_itself(struct muster__graph *graph, uint32_t node, uint32_t declared)
{
    uint32_t name = muster__declared_name(declared);
    const char *verb = verbs[muster__declared_kind(declared)];
    struct shown driver = show_node(graph, node);
    struct shown other = show(muster__names_text(&graph->names, name));
    report(graph,
           name == graph->name[node]
               ? muster__error_new(graph->memory, MUSTER_EINVAL, NULL, "%s %s itself", driver.text, verb)
               : muster__error_new(graph->memory, MUSTER_EINVAL, NULL, "%s %s '%s', which it alone provides",
                                   driver.text, verb, other.text));
}

static void report_unknown(struct muster__graph *graph, uint32_t node, uint32_t name)
{
    report(graph, muster__error_new(graph->memory, MUSTER_ENOENT, NULL,
                                    "%s needs '%s', which no driver provides", show_node(graph, node).text,
                                    show(muster__names_text(&graph->names, name)).text));
}

/* `reported[name]` is one more than the last node that had a problem with the name. */
static void report_declared(struct muster__graph *graph, const struct muster__checked *checked, uint32_t node,
                            uint32_t *reported)
{
    for (uint32_t i = graph->declared_start[node]; i < graph->declared_start[node + 1]; i++) {
        enum muster__kind kind = muster__declared_kind(graph->declared[i]);
        uint32_t name = muster__declared_name(graph->declared[i]);
        struct muster__ids others = muster__providers(graph, checked, name);
        bool unknown = kind == MUSTER__NEEDS && others.count == 0;
        bool itself = kind != MUSTER__PROVIDES && others.count == 1 && others.ids[0] == node;
        if ((!unknown && !itself) || reported[name] == node + 1)
            continue;
        reported[name] = node + 1;
        if (unknown)
            report_unknown(graph, node, name);
        else
            report_itself(graph, node, graph->declared[i]);
    }
}

int muster__problems_declared(struct muster__graph *graph, const struct muster__checked *checked)
{
    uint32_t *reported = muster__alloc(graph->memory, graph->names.count, sizeof(*reported));
    if (reported == NULL)
        return MUSTER_ENOMEM;
    for (uint32_t node = 0; node < graph->count; node++) {
        if (muster__name_of(&graph->names, graph->name[node])->driver != node)
            report(graph, muster__error_new(graph->memory, MUSTER_EEXIST, NULL,
                                            "there are two drivers named '%s'", show_node(graph, node).text));
        report_declared(graph, checked, node, reported);
    }
    muster__free(graph->memory, reported);
    return 0;
}

/* ---- who waits for whom, and by whose word ------------------------------------------------------- */

/* What `node` declares of kinds `from` to `to` that means `other`; NULL if nothing. */
static const uint32_t *find_declared(const struct muster__graph *graph, const struct muster__checked *checked,
                                     const uint32_t nodes[2], enum muster__kind from, enum muster__kind to)
{
    for (uint32_t i = graph->declared_start[nodes[0]]; i < graph->declared_start[nodes[0] + 1]; i++) {
        enum muster__kind kind = muster__declared_kind(graph->declared[i]);
        uint32_t name = muster__declared_name(graph->declared[i]);
        if (kind >= from && kind <= to && contains(muster__providers(graph, checked, name), nodes[1]))
            return &graph->declared[i];
    }
    return NULL;
}

struct edge_text {
    char text[5 * sizeof(struct shown) + 64];
};

/* `node` waits for `other`: how that was declared. */
static struct edge_text describe_edge(struct muster__graph *graph,
                                      const struct muster__checked *checked, uint32_t node, uint32_t other)
{
    struct edge_text edge;
    struct shown a = show_node(graph, node);
    struct shown b = show_node(graph, other);
    const uint32_t *own =
        find_declared(graph, checked, (uint32_t[]){node, other}, MUSTER__NEEDS, MUSTER__AFTER);
    const uint32_t *others =
        find_declared(graph, checked, (uint32_t[]){other, node}, MUSTER__BEFORE, MUSTER__BEFORE);
    const uint32_t *declared = own != NULL ? own : others;
    uint32_t name = declared == NULL ? 0 : muster__declared_name(*declared);
    struct shown capability = show(declared == NULL ? "" : muster__names_text(&graph->names, name));
    if (own != NULL && name == graph->name[other])
        snprintf(edge.text, sizeof(edge.text), "%s %s %s", a.text, verbs[muster__declared_kind(*own)],
                 b.text);
    else if (own != NULL)
        snprintf(edge.text, sizeof(edge.text), "%s %s %s (provided by %s)", a.text,
                 verbs[muster__declared_kind(*own)], capability.text, b.text);
    else if (others != NULL && name == graph->name[node])
        snprintf(edge.text, sizeof(edge.text), "%s waits for %s (%s is before %s)", a.text, b.text, b.text,
                 a.text);
    else if (others != NULL)
        snprintf(edge.text, sizeof(edge.text), "%s waits for %s (%s is before %s, provided by %s)", a.text,
                 b.text, b.text, capability.text, a.text);
    else
        snprintf(edge.text, sizeof(edge.text), "%s (tier %" PRId64 ") comes after %s (tier %" PRId64 ")",
                 a.text, muster__graph_tier(graph, node), b.text, muster__graph_tier(graph, other));
    return edge;
}

/* ---- drivers that are up already ----------------------------------------------------------------- */

static void report_late_tier(struct muster__graph *graph, uint32_t settled, uint32_t highest)
{
    for (uint32_t node = settled; node < graph->count; node++)
        if (muster__graph_tier(graph, node) < muster__graph_tier(graph, highest))
            report(graph, muster__error_new(
                              graph->memory, MUSTER_ESTATE, NULL,
                              "%s (tier %" PRId64 ") comes too late: %s (tier %" PRId64 ") is up already",
                              show_node(graph, node).text, muster__graph_tier(graph, node),
                              show_node(graph, highest).text, muster__graph_tier(graph, highest)));
}

void muster__problems_settled(struct muster__graph *graph, const struct muster__checked *checked,
                              uint32_t settled)
{
    for (uint32_t node = settled; node < graph->count; node++) {
        struct muster__ids waiting = muster__dependents(graph, checked, node);
        for (uint32_t i = 0; i < waiting.count && waiting.ids[i] < settled; i++)
            report(graph, muster__error_new(graph->memory, MUSTER_ESTATE, NULL,
                                            "%s comes too late: %s, and %s is up already",
                                            show_node(graph, node).text,
                                            describe_edge(graph, checked, waiting.ids[i], node).text,
                                            show_node(graph, waiting.ids[i]).text));
    }
    uint32_t highest = 0;
    for (uint32_t node = 1; node < settled; node++)
        if (muster__graph_tier(graph, node) > muster__graph_tier(graph, highest))
            highest = node;
    report_late_tier(graph, settled, highest);
}

/* ---- cycles -------------------------------------------------------------------------------------- */

struct message {
    char text[MUSTER__ERROR_TEXT];
    size_t used;
};

static bool fits(const struct message *message, size_t more)
{
    return message->used + more <= TEXT_MAX;
}

static void append(struct message *message, const char *text)
{
    size_t length = strlen(text);
    size_t room = TEXT_MAX - message->used;
    size_t copied = length < room ? length : room;
    while (copied < length && copied > 0 && ((unsigned char)text[copied] & 0xc0) == 0x80)
        copied--;
    memcpy(message->text + message->used, text, copied);
    message->used += copied;
    message->text[message->used] = '\0';
}

/* All edges if they fit; else the first ones, how many are left out, and the last. */
void muster__problems_cycle(struct muster__graph *graph, const struct muster__checked *checked,
                            const uint32_t *cycle, uint32_t length)
{
    struct message message = {.used = 0};
    struct edge_text last = describe_edge(graph, checked, cycle[length - 1], cycle[0]);
    size_t end = strlen(last.text) + strlen(", ... (4000000000 more), ");
    append(&message, "dependency cycle: ");
    for (uint32_t i = 0; i + 1 < length; i++) {
        struct edge_text edge = describe_edge(graph, checked, cycle[i], cycle[i + 1]);
        if (i > 0 && !fits(&message, strlen(edge.text) + strlen(", ") + end)) {
            char more[sizeof("... (4000000000 more), ")];
            snprintf(more, sizeof(more), "... (%" PRIu32 " more), ", length - 1 - i);
            append(&message, more);
            break;
        }
        append(&message, edge.text);
        append(&message, ", ");
    }
    append(&message, last.text);
    report(graph, muster__error_new(graph->memory, MUSTER_ECYCLE, NULL, "%s", message.text));
}

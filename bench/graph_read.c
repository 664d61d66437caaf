/* SPDX-License-Identifier: MIT */
/* Real graphs are small: names are found by looking at each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

/* All of a file, with an end; NULL if it can't be read. */
static char *read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t used = 0;
    size_t capacity = 0;
    while (file != NULL) {
        char *grown = realloc(text, capacity += 65536);
        if (grown == NULL)
            break;
        text = grown;
        used += fread(text + used, 1, capacity - used - 1, file);
        text[used] = '\0';
        if (used + 1 < capacity)
            break;
    }
    if (file != NULL)
        fclose(file);
    return text;
}

static uint32_t count_lines(const char *text)
{
    uint32_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static uint32_t find(const struct bench_graph *graph, const char *name)
{
    uint32_t id = 0;
    while (id < graph->count && strcmp(graph->names[id], name) != 0)
        id++;
    return id;
}

struct edge {
    uint32_t dependent;
    uint32_t dependency;
};

static uint32_t read_edges(const struct bench_graph *graph, char *text, struct edge *edges, uint32_t *ret_dropped)
{
    uint32_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
        const char *other = strtok_r(NULL, " \n", &rest);
        struct edge edge = {find(graph, word), other == NULL ? graph->count : find(graph, other)};
        bool dropped = edge.dependent == graph->count || edge.dependency == graph->count;
        for (uint32_t i = 0; i < count; i++)
            dropped |= edges[i].dependent == edge.dependency && edges[i].dependency == edge.dependent;
        if (dropped)
            ++*ret_dropped;
        else
            edges[count++] = edge;
    }
    return count;
}

static void fill_lists(struct bench_graph *graph, const struct edge *edges, uint32_t count)
{
    const char **list = graph->lists;
    for (uint32_t id = 0; id < graph->count; id++) {
        graph->needs[id] = list;
        for (uint32_t i = 0; i < count; i++) {
            if (edges[i].dependent != id)
                continue;
            graph->ids[graph->edges++] = edges[i].dependency;
            *list++ = graph->names[edges[i].dependency];
        }
        *list++ = NULL;
        graph->first[id + 1] = (uint32_t)graph->edges;
    }
}

/* `text` is kept. */
static int take_names(struct bench_graph *graph, char *text, uint32_t edges)
{
    char *rest = NULL;
    uint32_t lines = count_lines(text);
    graph->texts = text;
    graph->names = malloc((lines + 1) * sizeof(*graph->names));
    graph->needs = malloc((lines + 1) * sizeof(*graph->needs));
    graph->first = calloc((size_t)lines + 1, sizeof(*graph->first));
    graph->ids = malloc((edges + 1) * sizeof(*graph->ids));
    graph->lists = malloc(((size_t)lines + edges + 1) * sizeof(*graph->lists));
    if (!graph->names || !graph->needs || !graph->first || !graph->ids || !graph->lists)
        return -1;
    for (char *name = strtok_r(text, "\n", &rest); name != NULL; name = strtok_r(NULL, "\n", &rest))
        graph->names[graph->count++] = name;
    return 0;
}

struct bench_graph *bench_graph_read(const char *nodes_path, const char *edges_path, uint32_t *ret_dropped)
{
    char *nodes = read_all(nodes_path);
    char *pairs = read_all(edges_path);
    struct bench_graph *graph = calloc(1, sizeof(*graph));
    struct edge *edges = pairs == NULL ? NULL : malloc((count_lines(pairs) + 1) * sizeof(*edges));
    if (nodes == NULL || edges == NULL || graph == NULL || take_names(graph, nodes, count_lines(pairs)) != 0) {
        if (graph == NULL || graph->texts == NULL)
            free(nodes);
        bench_graph_free(graph);
        graph = NULL;
    } else {
        *ret_dropped = 0;
        fill_lists(graph, edges, read_edges(graph, pairs, edges, ret_dropped));
    }
    free(edges);
    free(pairs);
    return graph;
}

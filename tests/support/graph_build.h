/* SPDX-License-Identifier: MIT */
/* Graphs in few words: graph_add(graph, "guests: needs=storage,network wants=secret tier=10"). */
#ifndef TESTS_GRAPH_BUILD_H
#define TESTS_GRAPH_BUILD_H

#include <stdbool.h>

#include "graph/graph.h"

/* cmocka setup and teardown: *state is a struct muster__graph. */
int graph_setup(void **state);
int graph_teardown(void **state);

/* Members: needs wants after before provides tier priority. Returns the code of muster__graph_add(). */
int graph_add(struct muster__graph *graph, const char *line);
/* The names in order, with spaces between. Valid until the next call. */
const char *graph_order(struct muster__graph *graph);
/* All problems, "NAME: text" a line. Valid until the next call. */
const char *graph_problems(struct muster__graph *graph);
/* The id of a driver that exists. */
uint32_t graph_id(struct muster__graph *graph, const char *name);
/* The names of ids, with spaces between. Valid until the next call. */
const char *graph_names(struct muster__graph *graph, struct muster__ids ids);

#endif

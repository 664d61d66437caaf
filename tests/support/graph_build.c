/* SPDX-License-Identifier: MIT */
#include "support/graph_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <muster/driver.h>

#define LISTS 5
#define LIST_MAX 32

static struct muster__memory memory;
static char text[16384];

int graph_setup(void **state)
{
    struct muster__graph *graph;
    if (muster__memory_init(&memory, NULL) != 0 || muster__graph_new(&memory, &graph) != 0)
        return -1;
    *state = graph;
    return 0;
}

int graph_teardown(void **state)
{
    muster__graph_free(*state);
    return 0;
}

static void split(char *names, const char **list)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *name = strtok_r(names, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
        assert_true(count + 1 < LIST_MAX);
        list[count++] = name;
    }
    list[count] = NULL;
}

int graph_add(struct muster__graph *graph, const char *line)
{
    static const char *const members[LISTS] = {"needs", "wants", "after", "before", "provides"};
    const char *lists[LISTS][LIST_MAX] = {{NULL}};
    char *copy = strdup(line);
    char *rest = NULL;
    struct muster_driver_def def = {.name = strtok_r(copy, ": ", &rest)};
    const char *const **const places[LISTS] = {&def.needs, &def.wants, &def.after, &def.before, &def.provides};
    for (char *word = strtok_r(NULL, ": ", &rest); word != NULL; word = strtok_r(NULL, ": ", &rest)) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        if (strcmp(word, "tier") == 0)
            def.tier = (intptr_t)atoll(value);
        else if (strcmp(word, "priority") == 0)
            def.priority = (intptr_t)atoll(value);
        for (size_t i = 0; i < LISTS; i++) {
            if (strcmp(word, members[i]) == 0) {
                split(value, lists[i]);
                *places[i] = lists[i];
            }
        }
    }
    int code = muster__graph_add(graph, &def);
    free(copy);
    return code;
}

static void append(const char *word, const char *separator)
{
    size_t used = strlen(text);
    assert_true(used + strlen(word) + strlen(separator) < sizeof(text));
    if (used > 0)
        strcat(text, separator);
    strcat(text, word);
}

const char *graph_names(struct muster__graph *graph, struct muster__ids ids)
{
    text[0] = '\0';
    for (uint32_t i = 0; i < ids.count; i++)
        append(muster__graph_name(graph, ids.ids[i]), " ");
    return text;
}

const char *graph_order(struct muster__graph *graph)
{
    return graph_names(graph, (struct muster__ids){muster__graph_order(graph), muster__graph_count(graph)});
}

const char *graph_problems(struct muster__graph *graph)
{
    text[0] = '\0';
    const struct muster_error *problem = muster__graph_problems(graph);
    for (; problem != NULL; problem = muster_error_next(problem)) {
        append(muster_code_name(muster_error_code(problem)) + strlen("MUSTER_"), "\n");
        append(muster_error_text(problem), ": ");
    }
    return text;
}

uint32_t graph_id(struct muster__graph *graph, const char *name)
{
    uint32_t id;
    assert_true(muster__graph_find(graph, name, &id));
    return id;
}

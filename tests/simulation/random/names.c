/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

static struct muster__memory memory;
static struct muster__table names;

const char *scenario_name(const char *text)
{
    if (names.memory == NULL) {
        muster__memory_init(&memory, NULL);
        muster__table_init(&names, &memory);
    }
    struct muster__table_node *known = muster__table_find(&names, text);
    if (known != NULL)
        return known->key;
    struct muster__table_node *node = malloc(sizeof(*node) + strlen(text) + 1);
    if (node == NULL)
        abort();
    node->key = strcpy((char *)(node + 1), text);
    if (muster__table_add(&names, node) != 0)
        abort();
    return node->key;
}

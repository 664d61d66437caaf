/* SPDX-License-Identifier: MIT */
#include "failing_json.h"

#include <stdlib.h>

#include <jansson.h>

static struct fault *asked;
static _Atomic long live;

static void *allocate(size_t size)
{
    void *block = fault_tick(asked) ? NULL : malloc(size);
    live += block != NULL;
    return block;
}

static void release(void *block)
{
    live -= block != NULL;
    free(block);
}

void failing_json_set_up(struct fault *fault)
{
    asked = fault;
    json_object_seed(1);
    json_set_alloc_funcs(allocate, release);
}

long failing_json_live(void)
{
    return live;
}

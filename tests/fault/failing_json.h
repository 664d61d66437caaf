/* SPDX-License-Identifier: MIT */
/* jansson's allocations fail as a countdown says, and are counted. */
#ifndef TESTS_FAILING_JSON_H
#define TESTS_FAILING_JSON_H

#include "support/fault.h"

/* `fault` outlives it. For the whole process, before jansson is used. The order of members is always the same. */
void failing_json_set_up(struct fault *fault);
/* Blocks that are live in it. */
long failing_json_live(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The reconcile rules a second time, in prose: each row of the table in DESIGN.md, section 6, is an `if` with its
 * sentence above it. Written without looking at lib/engine/rules.c, so that the two can be held against each other.
 */
#ifndef TESTS_RULES_ORACLE_H
#define TESTS_RULES_ORACLE_H

#include "engine/rules.h"

/* `reason` counts only with a rewrite, `cause` only with a start. */
struct muster__decision oracle_decide(const struct muster__situation *situation);

/* Do both say the same, as far as it counts? */
bool oracle_same(const struct muster__decision *a, const struct muster__decision *b);

#endif

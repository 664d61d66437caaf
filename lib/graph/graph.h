/* SPDX-License-Identifier: MIT */
/*
 * Names to ids, edges, validation, order, shortest cycles. Interned names and flat arrays of 32-bit ids:
 * about 110 bytes a node with five dependencies, and linear time. What is added waits a while, so that names
 * are looked up some together; whatever asks settles it first.
 */
#ifndef MUSTER__GRAPH_H
#define MUSTER__GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"

struct muster__graph;
struct muster_driver_def;

/* Some ids. They belong to the graph. */
struct muster__ids {
    const uint32_t *ids;
    uint32_t count;
};

int muster__graph_new(const struct muster__memory *memory, struct muster__graph **ret_graph);
void muster__graph_free(struct muster__graph *graph);

/*
 * A node for a driver that has a name; ids are 0, 1, 2, ... What it declares is copied. Duplicates, loops and unknown names
 * are found by check. 0; MUSTER_EINVAL: a name isn't valid (base/name.h), or MUSTER_ENOMEM, adding nothing.
 */
int muster__graph_add(struct muster__graph *graph, const struct muster_driver_def *def);

/* Forget the nodes from id `count` on. If the last successful check knew them, it doesn't count any more. */
void muster__graph_truncate(struct muster__graph *graph, uint32_t count);

/*
 * Validate all, and order. A name means all drivers that provide it; a driver that provides it itself waits
 * for the others alone, and if there are none, that is a self-dependency. Problems, by driver and then
 * cycles: MUSTER_EEXIST a duplicate name; MUSTER_ENOENT an unknown need; MUSTER_EINVAL a self-dependency;
 * MUSTER_ESTATE see below; MUSTER_ECYCLE. A strongly connected component gives its shortest cycle, tiers
 * included; one with many nodes and edges the shortest through one of its first nodes, so that all stays
 * linear. The first `settled` nodes were ordered by an earlier check and are up: that one of them comes to
 * depend on a later one (by before, by provides, or by a lower tier) is a problem, too. Returns 0, the first
 * problem's code, or MUSTER_ENOMEM. Each call starts anew. Where it fails, what an earlier one found about
 * the nodes of then still stands.
 */
int muster__graph_check(struct muster__graph *graph, uint32_t settled);

/* What the last check found: siblings by next; NULL if nothing. Belongs to the graph. */
struct muster_error *muster__graph_problems(const struct muster__graph *graph);

uint32_t muster__graph_count(const struct muster__graph *graph);
const char *muster__graph_name(struct muster__graph *graph, uint32_t id);
int64_t muster__graph_tier(const struct muster__graph *graph, uint32_t id);
/* false if there is no driver of that name. A capability that isn't a driver's name isn't found. */
bool muster__graph_find(struct muster__graph *graph, const char *name, uint32_t *ret_id);

/* ---- after a successful check ------------------------------------------------------------------- */

/* All ids, by level, then priority (higher first), then id. */
const uint32_t *muster__graph_order(const struct muster__graph *graph);
/* 0, or one more than the highest level of what it waits for (tiers included). */
uint32_t muster__graph_level(const struct muster__graph *graph, uint32_t id);
/*
 * Those that wait for `id` directly by what is declared (tiers aside), ascending. One that declares it several times may come
 * as often, and then it counts as often for muster__graph_dependency_count().
 */
struct muster__ids muster__graph_dependents(const struct muster__graph *graph, uint32_t id);
/* How often `id` is a dependent of others. */
uint32_t muster__graph_dependency_count(const struct muster__graph *graph, uint32_t id);
/*
 * Those that `id` waits for directly by what is declared (tiers aside), each once, ascending. The reverse
 * edges are built on the first call: MUSTER_ENOMEM.
 */
int muster__graph_dependencies(struct muster__graph *graph, uint32_t id, struct muster__ids *ret_ids);
/*
 * The i-th name that `id` needs, in the order declared, and its providers, ascending; NULL past the last.
 * ret_providers may be NULL. `id` itself is among them if it is one of several: it doesn't wait for itself.
 */
const char *muster__graph_need(const struct muster__graph *graph, uint32_t id, uint32_t i,
                               struct muster__ids *ret_providers);
/*
 * Is `id` ordered after `other`, directly or through others, tiers included? It walks what lies between;
 * callers keep the answer. MUSTER_ENOMEM, else 0 with the answer.
 */
int muster__graph_is_after(struct muster__graph *graph, uint32_t id, uint32_t other, bool *ret_after);

#endif

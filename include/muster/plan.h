/* SPDX-License-Identifier: MIT */
/**
 * The plan: the validated order of drivers, alone. For tools: no context, no loop, no callback is involved.
 * A plan may be used by one thread at a time.
 */
#ifndef MUSTER_PLAN_H
#define MUSTER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include <muster/driver.h>
#include <muster/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_allocator;
struct muster_plan;

/** `allocator` may be NULL: malloc. */
MUSTER_API int muster_plan_new(const struct muster_allocator *allocator, struct muster_plan **ret_plan);
/** NULL is accepted. */
MUSTER_API void muster_plan_free(struct muster_plan *plan);

/**
 * Add a driver: its name, tier, priority and dependencies; its callbacks don't count. Drivers get the ids 0, 1, 2, ...
 * MUSTER_EINVAL: the definition, see muster_plan_get_error(); MUSTER_ENOMEM.
 */
MUSTER_API int muster_plan_add(struct muster_plan *plan, const struct muster_driver_def *def);

/**
 * Validate and order. Returns 0 or the first problem's code; muster_plan_get_error() has all of them. In linear time.
 * The order is by level, then priority (higher first), then order of adding.
 */
MUSTER_API int muster_plan_sort(struct muster_plan *plan);

/** The problems, by muster_error_next(); NULL if none. Valid until the plan is changed. */
MUSTER_API const struct muster_error *muster_plan_get_error(const struct muster_plan *plan);

/** How many drivers. */
MUSTER_API size_t muster_plan_count(const struct muster_plan *plan);
/** After muster_plan_sort(): the ids in order, muster_plan_count() of them; NULL before. Valid until the plan is changed. */
MUSTER_API const uint32_t *muster_plan_order(const struct muster_plan *plan);
/** Its name; NULL for an unknown id. Valid as long as the plan. */
MUSTER_API const char *muster_plan_name(const struct muster_plan *plan, uint32_t id);
/** After muster_plan_sort(): 0 for a driver that waits for none, else 1 more than the highest it waits for (tiers included). */
MUSTER_API uint32_t muster_plan_level(const struct muster_plan *plan, uint32_t id);
/**
 * After muster_plan_sort(): the ids that a driver waits for directly by what drivers declare, each once,
 * ascending. (What it waits for by its tier isn't listed: all drivers of the lower tiers.) Returns 0, or
 * MUSTER_ENOMEM. Valid until the plan is changed.
 */
MUSTER_API int muster_plan_waits_for(struct muster_plan *plan, uint32_t id, const uint32_t **ret_ids, size_t *ret_count);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_PLAN_H */

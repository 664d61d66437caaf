/* SPDX-License-Identifier: MIT */
/* The public plan: a graph and the last error. */
#include <muster/plan.h>

#include <muster/context.h>

#include "base/def.h"
#include "base/error.h"
#include "base/name.h"
#include "graph/graph.h"

struct muster_plan {
    struct muster__memory memory;
    struct muster__graph *graph;
    /* Of an add, or of memory; the problems of a sort are the graph's. */
    struct muster_error *error;
    bool sorted;
};

int muster_plan_new(const struct muster_allocator *allocator, struct muster_plan **ret_plan)
{
    struct muster__memory memory;
    int code = ret_plan == NULL ? MUSTER_EINVAL : muster__memory_init(&memory, allocator);
    if (code != 0)
        return code;
    struct muster_plan *plan = muster__new(&memory, struct muster_plan);
    if (plan == NULL)
        return MUSTER_ENOMEM;
    plan->memory = memory;
    code = muster__graph_new(&plan->memory, &plan->graph);
    if (code != 0) {
        muster__free(&memory, plan);
        return code;
    }
    *ret_plan = plan;
    return 0;
}

void muster_plan_free(struct muster_plan *plan)
{
    if (plan == NULL)
        return;
    struct muster__memory memory = plan->memory;
    muster__graph_free(plan->graph);
    muster__error_unref(plan->error);
    muster__free(&memory, plan);
}

static int fail(struct muster_plan *plan, struct muster_error *error)
{
    muster__error_replace(&plan->error, error);
    return error->code;
}

static int fail_memory(struct muster_plan *plan)
{
    return fail(plan,
                muster__error_new(&plan->memory, MUSTER_ENOMEM, NULL, "%s", muster_code_text(MUSTER_ENOMEM)));
}

#define NAME_RULE "a name is 1 to 255 bytes of UTF-8 without '/' and control characters"

static const char *find_invalid(const char *const *names)
{
    while (names != NULL && *names != NULL && muster__driver_name_valid(*names))
        names++;
    return names == NULL ? NULL : *names;
}

/* Tell which of its names isn't valid: one of them. */
static int refuse_name(struct muster_plan *plan, const struct muster_driver_def *def)
{
    const struct {
        const char *member;
        const char *const *names;
    } lists[] = {{"needs", def->needs},
                 {"wants", def->wants},
                 {"after", def->after},
                 {"before", def->before},
                 {"provides", def->provides}};
    if (!muster__driver_name_valid(def->name))
        return fail(plan, muster__error_new(&plan->memory, MUSTER_EINVAL, NULL,
                                            "a driver can't be named '%.100s': " NAME_RULE, def->name));
    size_t i = 0;
    const char *invalid;
    while ((invalid = find_invalid(lists[i].names)) == NULL)
        i++;
    return fail(plan, muster__error_new(&plan->memory, MUSTER_EINVAL, NULL, "%s %s '%.100s': " NAME_RULE, def->name,
                                        lists[i].member, invalid));
}

/* Not inlined: few are refused. */
static __attribute__((noinline)) int refuse(struct muster_plan *plan, const struct muster_driver_def *def, int code)
{
    if (def == NULL)
        return fail(plan, muster__error_new(
                              &plan->memory, MUSTER_EINVAL, NULL,
                              "a driver's definition has a wrong size, or sets what this version of muster "
                              "doesn't know"));
    if (def->name == NULL)
        return fail(plan, muster__error_new(&plan->memory, MUSTER_EINVAL, NULL, "a driver has no name"));
    return code == MUSTER_EINVAL ? refuse_name(plan, def) : fail_memory(plan);
}

int muster_plan_add(struct muster_plan *plan, const struct muster_driver_def *given)
{
    struct muster_driver_def copy;
    if (plan == NULL)
        return MUSTER_EINVAL;
    const struct muster_driver_def *def = muster__def_read(&copy, sizeof(copy), given, sizeof(copy));
    int code = def == NULL || def->name == NULL ? MUSTER_EINVAL : muster__graph_add(plan->graph, def);
    if (code != 0)
        return refuse(plan, def, code);
    if (plan->error != NULL)
        muster__error_replace(&plan->error, NULL);
    plan->sorted = false;
    return 0;
}

int muster_plan_sort(struct muster_plan *plan)
{
    if (plan == NULL)
        return MUSTER_EINVAL;
    int code = muster__graph_check(plan->graph, 0);
    muster__error_replace(&plan->error, NULL);
    plan->sorted = code == 0;
    if (code != 0 && muster__graph_problems(plan->graph) == NULL)
        return fail_memory(plan);
    return code;
}

const struct muster_error *muster_plan_get_error(const struct muster_plan *plan)
{
    if (plan == NULL)
        return NULL;
    return plan->error != NULL ? plan->error : muster__graph_problems(plan->graph);
}

size_t muster_plan_count(const struct muster_plan *plan)
{
    return plan == NULL ? 0 : muster__graph_count(plan->graph);
}

const uint32_t *muster_plan_order(const struct muster_plan *plan)
{
    return plan == NULL || !plan->sorted ? NULL : muster__graph_order(plan->graph);
}

static bool known(const struct muster_plan *plan, uint32_t id)
{
    return plan != NULL && id < muster__graph_count(plan->graph);
}

const char *muster_plan_name(const struct muster_plan *plan, uint32_t id)
{
    return known(plan, id) ? muster__graph_name(plan->graph, id) : NULL;
}

uint32_t muster_plan_level(const struct muster_plan *plan, uint32_t id)
{
    return known(plan, id) && plan->sorted ? muster__graph_level(plan->graph, id) : 0;
}

int muster_plan_waits_for(struct muster_plan *plan, uint32_t id, const uint32_t **ret_ids, size_t *ret_count)
{
    struct muster__ids ids;
    if (!known(plan, id) || !plan->sorted || ret_ids == NULL || ret_count == NULL)
        return MUSTER_EINVAL;
    int code = muster__graph_dependencies(plan->graph, id, &ids);
    if (code != 0)
        return fail_memory(plan);
    *ret_ids = ids.ids;
    *ret_count = ids.count;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* What the rules, as the second statement of them has it, say of a daemon that starts now; held against what became of it. */
#include "scenario.h"

#include <stdio.h>
#include <string.h>

#include "../../support/rules_oracle.h"

struct prediction {
    bool there; /* a driver will add the resource */
    struct muster__decision decision;
    bool ran;
    unsigned instance;
};

static struct prediction predictions[WORLD_RESOURCES];

static enum muster__kept kept_of(const struct stored *stored)
{
    static const enum muster__kept inactive[] = {MUSTER__KEPT_INACTIVE_USER, MUSTER__KEPT_INACTIVE_SELF,
                                                 MUSTER__KEPT_INACTIVE_HOST, MUSTER__KEPT_INACTIVE_LOSS,
                                                 MUSTER__KEPT_INACTIVE_FAILURE};
    if (stored == NULL)
        return MUSTER__KEPT_NONE;
    if ((stored->is.flags & MUSTER_RECORD_QUARANTINED) != 0)
        return MUSTER__KEPT_QUARANTINED;
    switch (stored->is.stage) {
    case MUSTER_STAGE_STARTING:
        return MUSTER__KEPT_STARTING;
    case MUSTER_STAGE_ACTIVE:
        return MUSTER__KEPT_ACTIVE;
    case MUSTER_STAGE_STOPPING:
        return stored->is.reason == MUSTER_REASON_USER ? MUSTER__KEPT_STOPPING_USER : MUSTER__KEPT_STOPPING_HOST;
    default:
        return inactive[stored->is.reason];
    }
}

static enum muster__boot boot_of(const struct world *world, const struct stored *stored)
{
    char boot[32];
    snprintf(boot, sizeof(boot), "boot-%u", world->boot);
    if (!world->options.has_store)
        return MUSTER__BOOT_SAME; /* without records, no boot is asked for */
    if (world->boot_unknown)
        return MUSTER__BOOT_UNKNOWN;
    if (stored == NULL)
        return MUSTER__BOOT_SAME;
    if (stored->is.boot == NULL || stored->is.boot[0] == '\0')
        return MUSTER__BOOT_UNKNOWN;
    return strcmp(stored->is.boot, boot) == 0 ? MUSTER__BOOT_SAME : MUSTER__BOOT_NEW;
}

static enum muster__answer answer_of(const struct world_resource *resource)
{
    if ((resource->driver->is.callbacks & WORLD_CALLBACK(PROBE)) == 0)
        return MUSTER__ANSWER_RECORD;
    return resource->running   ? MUSTER__ANSWER_ACTIVE
           : resource->foreign ? MUSTER__ANSWER_FOREIGN
                               : MUSTER__ANSWER_INACTIVE;
}

static bool will_be_there(const struct world_resource *resource, const struct stored *stored)
{
    unsigned callbacks = resource->driver->is.callbacks;
    if (!resource->driver->registered)
        return false;
    if (resource->is.transient)
        return stored != NULL && (callbacks & WORLD_CALLBACK(RESTORE)) != 0;
    return resource->configured && (callbacks & (1u << play_adds_in(resource))) != 0;
}

static void predict(struct world *world, const struct world_resource *resource, struct prediction *prediction)
{
    const struct stored *stored =
        world->options.has_store ? fake_store_find(&world->store, resource->full) : NULL;
    struct muster__situation situation = {
        .kept = kept_of(stored),
        .desired_active = stored != NULL && stored->is.desired == MUSTER_DESIRED_ACTIVE,
        .answer = answer_of(resource),
        .boot = boot_of(world, stored),
        .policy = (enum muster_policy)resource->is.policy,
        .is_volatile = (resource->is.flags & MUSTER_VOLATILE) != 0,
        .restart_on_loss = (resource->is.flags & MUSTER_RESTART_ON_LOSS) != 0,
        .adopt_unmanaged = (resource->is.flags & MUSTER_ADOPT_UNMANAGED) != 0,
        .marked = stored != NULL && (stored->is.flags & MUSTER_RECORD_MARK) != 0 &&
                  boot_of(world, stored) == MUSTER__BOOT_SAME,
        .attempts_remain = stored == NULL || stored->is.attempts < world->options.max_attempts,
    };
    *prediction = (struct prediction){
        .there = will_be_there(resource, stored), .ran = resource->running, .instance = resource->instance};
    prediction->decision = oracle_decide(&situation);
    world_trace(world, "     %s: the rules say %d", resource->full, (int)prediction->decision.verdict);
}

void random_predict(struct world *world)
{
    for (unsigned i = 0; i < world->resource_count; i++)
        predict(world, &world->resources[i], &predictions[i]);
}

/* Is every resource that it needs one that it may need, and active? */
static bool could_start(struct world *world, const struct world_resource *resource)
{
    for (unsigned list = 0; list < 2; list++) {
        const char *const *names = list == 0 ? resource->is.needs : resource->is.after;
        for (; *names != NULL; names++) {
            const struct world_resource *other = world_resource(world, *names);
            if (other == NULL || world_engine_resource(world, other) == NULL)
                return false;
            if (check_is_bad(world, resource, other))
                return false;
            struct muster_resource_status status = {.size = sizeof(status)};
            muster_resource_state(world_engine_resource(world, other), &status);
            if (list == 0 && (!other->running || status.unmanaged || status.stage != MUSTER_STAGE_ACTIVE))
                return false;
        }
    }
    return true;
}

static void compare_start(struct world *world, const struct world_resource *resource, const struct prediction *was)
{
    struct muster_resource *known = world_engine_resource(world, resource);
    if (resource->running && resource->instance != was->instance + 1)
        world_fail(world, "%s was started %u times", resource->full, resource->instance - was->instance);
    if (resource->running && !could_start(world, resource))
        world_fail(world, "%s was started without what it needs", resource->full);
    if (resource->running)
        return;
    if (could_start(world, resource))
        world_fail(world, "%s should have been started", resource->full);
    if (muster_error_text(muster_resource_get_error(known))[0] == '\0')
        world_fail(world, "%s waits, and nobody says why", resource->full);
}

/* A stop can't be finished under something that runs, or of which that isn't known. */
static bool is_in_use(const struct world *world, const struct world_resource *resource)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        const struct world_resource *other = &world->resources[i];
        struct muster_resource_status status = {.size = sizeof(status)};
        if (world_engine_resource(world, other) != NULL)
            muster_resource_state(world_engine_resource(world, other), &status);
        bool held = status.condition == MUSTER_CONDITION_HELD;
        for (const char *const *need = other->is.needs; *need != NULL; need++)
            if (strcmp(*need, resource->full) == 0 && (other->running || held))
                return true;
    }
    return false;
}

static void compare_live(struct world *world, const struct world_resource *resource, const struct prediction *was)
{
    struct muster_resource_status status = {.size = sizeof(status)};
    muster_resource_state(world_engine_resource(world, resource), &status);
    if (!resource->running || resource->instance != was->instance)
        world_fail(world, "%s was running, and did not live through the restart", resource->full);
    if (was->decision.verdict == MUSTER__ADOPT && (status.stage != MUSTER_STAGE_ACTIVE || status.unmanaged))
        world_fail(world, "%s runs, and was not adopted", resource->full);
    if (was->decision.verdict == MUSTER__UNMANAGED && !status.unmanaged)
        world_fail(world, "%s runs without a record, and is managed", resource->full);
}

static void compare_rest(struct world *world, const struct world_resource *resource, const struct prediction *was)
{
    struct muster_resource_status status = {.size = sizeof(status)};
    muster_resource_state(world_engine_resource(world, resource), &status);
    if (resource->running != was->ran || resource->instance != was->instance)
        world_fail(world, "%s should have been left as it was", resource->full);
    if (was->decision.verdict == MUSTER__HOLD && status.condition != MUSTER_CONDITION_HELD)
        world_fail(world, "%s should be held", resource->full);
    if (was->decision.verdict == MUSTER__LEAVE && status.condition == MUSTER_CONDITION_HELD)
        world_fail(world, "%s should not be held", resource->full);
}

void random_compare(struct world *world)
{
    for (unsigned i = 0; i < world->resource_count; i++) {
        const struct world_resource *resource = &world->resources[i];
        const struct prediction *was = &predictions[i];
        if ((world_engine_resource(world, resource) != NULL) != was->there)
            world_fail(world, "%s should%s be there", resource->full, was->there ? "" : " not");
        if (!was->there)
            continue;
        switch (was->decision.verdict) {
        case MUSTER__START_NOW:
        case MUSTER__START_LATER:
            compare_start(world, resource, was);
            break;
        case MUSTER__ADOPT:
        case MUSTER__UNMANAGED:
            compare_live(world, resource, was);
            break;
        case MUSTER__FINISH_STOP:
            if (resource->running && !is_in_use(world, resource))
                world_fail(world, "the stop of %s should have been finished", resource->full);
            break;
        default:
            compare_rest(world, resource, was);
            break;
        }
    }
}

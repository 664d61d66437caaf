/* SPDX-License-Identifier: MIT */
/* The store's worker: one job at a time, each ending as its turn says. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static const char *const job_names[] = {"load", "commit", "close"};
static const uint64_t usual_delays[] = {3, 1, 1};
static const char *const stage_names[] = {"inactive", "starting", "active", "stopping"};
static const char *const reason_names[] = {"user", "self", "host-shutdown", "loss", "failure"};

static void trace_record(struct world *world, const char *what, const struct muster_record *record)
{
    if (!world->trace.on)
        return;
    if ((record->flags & MUSTER_RECORD_REMOVED) != 0) {
        world_trace(world, "%s %s/%s: forgotten", what, record->driver, record->name);
        return;
    }
    if ((record->flags & MUSTER_RECORD_QUARANTINED) != 0) {
        world_trace(world, "%s %s/%s: quarantined", what, record->driver, record->name);
        return;
    }
    char attempts[32] = "";
    if (record->attempts != 0)
        snprintf(attempts, sizeof(attempts), ", attempts %u", (unsigned)record->attempts);
    bool says_why = record->stage == MUSTER_STAGE_INACTIVE || record->stage == MUSTER_STAGE_STOPPING;
    world_trace(world, "%s %s/%s: %s%s%s%s, desired %s%s%s%s%s, %s", what, record->driver, record->name,
                stage_names[record->stage], says_why ? " (" : "", says_why ? reason_names[record->reason] : "",
                says_why ? ")" : "", record->desired == MUSTER_DESIRED_ACTIVE ? "active" : "inactive", attempts,
                (record->flags & MUSTER_RECORD_MARK) != 0 ? ", mark" : "", record->handle != NULL ? ", handle " : "",
                record->handle != NULL ? record->handle : "", record->boot == NULL ? "no boot" : record->boot);
}

/* Durations go along; alone, they are told in a word. */
static void trace_batch(struct world *world, const struct muster__action *action)
{
    bool told = false;
    for (size_t i = 0; i < action->count; i++) {
        if (action->records[i]->kind != MUSTER_RECORD_RESOURCE)
            continue;
        trace_record(world, told ? "     +" : "commit", action->records[i]);
        told = true;
    }
    if (!told)
        world_trace(world, "commit durations");
}

static struct store_turn choose_turn(struct world *world, enum store_job_kind kind)
{
    unsigned nth = ++world->jobs[kind];
    for (unsigned i = world->store_turn_next; i < world->store_turn_count; i++) {
        if (world->store_turn_kinds[i] != kind)
            continue;
        struct store_turn turn = world->store_turns[i];
        for (unsigned k = i; k > world->store_turn_next; k--) {
            world->store_turns[k] = world->store_turns[k - 1];
            world->store_turn_kinds[k] = world->store_turn_kinds[k - 1];
        }
        world->store_turn_next++;
        return turn;
    }
    return world->decider != NULL ? world->decider->job(world, kind, nth) : (struct store_turn){0};
}

static void schedule(struct world *world)
{
    const struct store_job *job = world->store.jobs;
    uint64_t delay = job->turn.delay == 0 ? usual_delays[job->kind] : job->turn.delay;
    world_due(world, (struct due){.at = world->now + delay, .kind = DUE_STORE});
}

void keep_job(struct world *world, enum store_job_kind kind, const struct muster__action *action)
{
    struct store_job job = {.kind = kind, .turn = choose_turn(world, kind)};
    if (kind == STORE_LOAD)
        world->load_deadline = world->now + world->options.store_timeout_ms;
    if (kind == STORE_COMMIT) {
        job.count = action->count;
        trace_batch(world, action);
    } else {
        world_trace(world, "%s", job_names[kind]);
    }
    if (fake_store_queue(&world->store, job, action->records))
        schedule(world);
}

static void tell_loaded(struct world *world, struct muster__event *event)
{
    static const struct muster_record *records[STORE_RECORDS];
    if (event->code == 0) {
        event->count = world->store.count;
        for (size_t i = 0; i < event->count; i++) {
            records[i] = &world->store.records[i]->is;
            if (records[i]->kind == MUSTER_RECORD_RESOURCE)
                trace_record(world, "     +", records[i]);
        }
        event->records = records;
        /* What the first one brings too late isn't used in this life. */
        world->loaded = world->loaded || !world->load_late;
        world->store_doubtful = false;
    }
    if (!world->loaded)
        world->load_code = event->code != 0 ? event->code : MUSTER_ETIMEDOUT;
    world->load_deadline = UINT64_MAX;
    world->load_late = false;
    world_step(world, event);
}

void keep_due(struct world *world)
{
    struct store_job *job = world->store.jobs;
    enum store_job_kind kind = job->kind;
    uint64_t job_delay = job->turn.delay;
    static const enum muster__event_type types[] = {MUSTER__EVENT_LOADED, MUSTER__EVENT_COMMITTED, MUSTER__EVENT_CLOSED};
    struct muster__event event = {.type = types[kind], .code = job->turn.code};
    struct muster_error error;
    muster__error_init(&error);
    if (event.code != 0) {
        muster_error_set(&error, event.code, 0, "the store was made to fail");
        event.error = &error;
    }
    fake_store_apply(&world->store);
    fake_store_pop(&world->store);
    world_trace(world, "end %s %s", job_names[kind], muster_code_name(event.code));
    if (event.code != 0 || job_delay >= world->options.store_timeout_ms)
        world->store_failed = true;
    if (event.code == MUSTER_EFENCED)
        world->fenced = true;
    if (event.code == MUSTER_EINDETERMINATE && kind == STORE_COMMIT)
        world->store_doubtful = true;
    if (kind == STORE_CLOSE)
        world->closed = true;
    if (kind == STORE_LOAD)
        tell_loaded(world, &event);
    else
        world_step(world, &event);
    if (world->store.jobs != NULL)
        schedule(world);
}

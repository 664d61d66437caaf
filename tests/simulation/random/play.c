/* SPDX-License-Identifier: MIT */
/* A scenario is played: its events one after the other. */
#include "scenario.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { MOST_SWEPT = 500, MOST_SECONDS = 8 };

static struct run *run_of(const struct world *world)
{
    return world->decider_data;
}

/* ---- turns --------------------------------------------------------------------------------------------- */

static struct turn told_turn(const struct scenario *scenario, uint64_t life, const struct played *played)
{
    const char *name = played->resource != NULL ? played->resource->full : played->driver->is.name;
    for (unsigned i = 0; i < scenario->turn_count; i++) {
        const struct told_turn *told = &scenario->turns[i];
        if (told->life == life && told->phase == played->phase && told->nth == played->nth &&
            strcmp(told->name, name) == 0)
            return told->turn;
    }
    return (struct turn){0};
}

static void record_turn(struct scenario *record, uint64_t life, const struct played *played, const struct turn *turn)
{
    const char *name = played->resource != NULL ? played->resource->full : played->driver->is.name;
    if (record->turn_count < SCENARIO_TURNS)
        record->turns[record->turn_count++] =
            (struct told_turn){life, played->phase, scenario_name(name), played->nth, *turn};
}

static struct turn decide_turn(struct world *world, const struct played *played)
{
    const struct run *run = run_of(world);
    bool drawn = run->life == 0 || run->scenario->drawn;
    struct turn turn = drawn ? chance_turn(run->scenario, run->life, played) : told_turn(run->scenario, run->life, played);
    if (run->record != NULL && run->life != 0)
        record_turn(run->record, run->life, played, &turn);
    return turn;
}

static struct store_turn told_job(const struct scenario *scenario, uint64_t life, enum store_job_kind kind, unsigned nth)
{
    for (unsigned i = 0; i < scenario->job_count; i++) {
        const struct told_job *told = &scenario->jobs[i];
        if (told->life == life && told->kind == kind && told->nth == nth)
            return told->turn;
    }
    return (struct store_turn){0};
}

static struct store_turn decide_job(struct world *world, enum store_job_kind kind, unsigned nth)
{
    const struct run *run = run_of(world);
    struct scenario *record = run->record;
    bool drawn = run->life == 0 || run->scenario->drawn;
    struct store_turn turn =
        drawn ? chance_job(run->scenario, run->life, kind, nth) : told_job(run->scenario, run->life, kind, nth);
    if (record != NULL && run->life != 0 && record->job_count < SCENARIO_TURNS)
        record->jobs[record->job_count++] = (struct told_job){run->life, kind, nth, turn};
    return turn;
}

static const struct decider decider = {decide_turn, decide_job};

/* ---- lives ------------------------------------------------------------------------------------------------ */

/* For a number of steps, or until nothing happens any more: false. */
static bool live(struct world *world, uint64_t steps)
{
    for (uint64_t i = 0; i < steps; i++)
        if (!world_next(world))
            return false;
    return true;
}

static void die(struct world *world)
{
    run_of(world)->deaths += world->engine != NULL;
    world_kill(world);
    world_drop_users(world);
    run_of(world)->life = 0;
}

static bool is_down(const struct world *world)
{
    return world->engine != NULL && muster__engine_state(world->engine) == MUSTER_STATE_DOWN;
}

static void act(struct world *world, const void *data)
{
    event_act(world, data);
}

/* Once it is down, there is nothing to act on. */
static void act_on_the_way_down(struct world *world, const void *data)
{
    if (!is_down(world))
        event_act(world, data);
}

/* A daemon, and what users will do; the event that follows. */
static const struct event *begin_life(struct world *world, const struct event *event, const struct event *end)
{
    die(world);
    run_of(world)->life = event->number;
    world_boot_daemon(world);
    for (event++; event < end && event_form(event->kind)->timed; event++)
        world_at(world, world->now + event->at, act, event);
    return event;
}

/* An orderly end, with the faults that there are: it may hang, and is then killed. */
static void go_down(struct world *world, const struct event *event)
{
    if (world->engine == NULL)
        return;
    live(world, event->number);
    world_shutdown(world, (enum muster_shutdown_kind)event->choice);
    live(world, 2000 + 20 * world->resource_count);
    if (is_down(world) && muster__engine_ops_out(world->engine) == 0 && world->store.jobs == NULL)
        world_free_daemon(world);
    die(world);
}

static void reboot(struct world *world)
{
    die(world);
    for (unsigned i = 0; i < world->resource_count; i++)
        if (world->resources[i].is.policy == MUSTER_AUTOSTART)
            world->resources[i].promise = -1;
    world_reboot(world);
}

/* ---- without faults ----------------------------------------------------------------------------------------- */

static void recover(struct world *world)
{
    die(world);
    while (world_next(world)) /* what was spawned before a death comes to light */
        continue;
    random_predict(world);
    world_boot_daemon(world);
    world_run(world);
    if (muster__engine_state(world->engine) != MUSTER_STATE_UP)
        world_fail(world, "a bring-up without faults ended with %s",
                   muster_code_name(muster__engine_result(world->engine)));
    random_compare(world);
    check_settled(world);
}

static void rehearse(struct world *world)
{
    die(world);
    struct snapshot *snapshot = snapshot_take(world);
    recover(world);
    world_kill(world);
    snapshot_restore(snapshot, world);
    snapshot_free(snapshot);
}

static void check_rest(struct world *world, const struct world_resource *resource, bool ran,
                       const struct muster_resource_status *status, enum muster_shutdown_kind kind)
{
    bool stops = kind == MUSTER_HOST_SHUTDOWN && status->stage == MUSTER_STAGE_ACTIVE && !status->unmanaged;
    if (kind == MUSTER_HOST_SHUTDOWN && status->stage == MUSTER_STAGE_STOPPING)
        stops = true; /* a stop of a user that had to wait */
    if (!stops && resource->running != ran)
        world_fail(world, "the shutdown ended %s", resource->full);
    if (stops && resource->running)
        world_fail(world, "the host's shutdown left %s running", resource->full);
    const struct stored *stored = fake_store_find(&world->store, resource->full);
    if (world->options.has_store && status->stage == MUSTER_STAGE_ACTIVE && stored != NULL &&
        stored->is.desired != (uintptr_t)status->desired)
        world_fail(world, "the shutdown changed what is desired of %s", resource->full);
}

static bool is_among(const struct world_resource *resource, const struct event *event, const struct event *end)
{
    for (; event < end && event_form(event->kind)->timed; event++)
        if ((event->name != NULL && strcmp(event->name, resource->full) == 0) ||
            (event->other != NULL && strcmp(event->other, resource->full) == 0))
            return true;
    return false;
}

static void rest(struct world *world, const struct event *event, const struct event *end)
{
    static bool ran[WORLD_RESOURCES];
    static struct muster_resource_status status[WORLD_RESOURCES];
    enum muster_shutdown_kind kind = (enum muster_shutdown_kind)event->choice;
    if (world->engine == NULL)
        return;
    event++;
    for (const struct event *timed = event; timed < end && event_form(timed->kind)->timed; timed++)
        world_at(world, world->now + timed->at, act_on_the_way_down, timed);
    for (unsigned i = 0; i < world->resource_count; i++) {
        struct muster_resource *known = world_engine_resource(world, &world->resources[i]);
        ran[i] = world->resources[i].running;
        status[i] = (struct muster_resource_status){.size = sizeof(status[i])};
        if (known != NULL)
            muster_resource_state(known, &status[i]);
    }
    struct request *request = world_shutdown(world, kind);
    world_run(world);
    if (!is_down(world) || request->ended != 1 || request->code != 0)
        world_fail(world, "a shutdown without faults ended with %s", muster_code_name(request->code));
    for (unsigned i = 0; i < world->resource_count; i++)
        if (!is_among(&world->resources[i], event, end))
            check_rest(world, &world->resources[i], ran[i], &status[i], kind);
    world_free_daemon(world);
}

static void refuse(struct world *world)
{
    world_daemon(world);
    struct request *request = world_bring_up(world);
    if (request->accepted)
        world_fail(world, "drivers with a mistake are brought up");
    if (world->calls != 0 || world->store.jobs != NULL)
        world_fail(world, "something is called before a mistake is found");
    world_free_daemon(world);
}

/* ---- the list ---------------------------------------------------------------------------------------------- */

/* What is recorded of a sweep is the one death of it. */
static void record_death(struct scenario *record, const unsigned *counts, uint64_t at)
{
    record->event_count = counts[0];
    record->turn_count = counts[1];
    record->job_count = counts[2];
    record->events[record->event_count++] = (struct event){.kind = EVENT_DIE, .number = at};
    record->events[record->event_count++] = (struct event){.kind = EVENT_REHEARSE};
}

/* Killed after each step: then as before, and killed after the next. The last time it had nothing to do any more. */
static const struct event *sweep(struct world *world, const struct event *event, const struct event *end)
{
    struct scenario *record = run_of(world)->record;
    struct snapshot *snapshot = snapshot_take(world);
    unsigned counts[3] = {0};
    if (record != NULL)
        memcpy(counts, (unsigned[]){record->event_count, record->turn_count, record->job_count}, sizeof(counts));
    const struct event *next = event;
    bool more = true;
    for (uint64_t steps = 1; more && steps < MOST_SWEPT; steps++) {
        if (steps > 1)
            snapshot_restore(snapshot, world);
        next = begin_life(world, event, end);
        if (record != NULL)
            record_death(record, counts, steps);
        more = live(world, steps);
        rehearse(world);
    }
    snapshot_free(snapshot);
    return next + 1;
}

static const struct event *play_life(struct world *world, const struct event *event, const struct event *end)
{
    const struct event *last = event + 1;
    while (last < end && event_form(last->kind)->timed)
        last++;
    die(world);
    if (last < end && last->kind == EVENT_SWEEP)
        return sweep(world, event, end);
    return begin_life(world, event, end);
}

static void play_event(struct world *world, const struct event *event, const struct event *end)
{
    switch (event->kind) {
    case EVENT_DIE:
        if (world->engine != NULL)
            live(world, event->number);
        die(world);
        break;
    case EVENT_DOWN:
        go_down(world, event);
        break;
    case EVENT_REBOOT:
        reboot(world);
        break;
    case EVENT_REHEARSE:
        rehearse(world);
        break;
    case EVENT_RECOVER:
        recover(world);
        break;
    case EVENT_REST:
        rest(world, event, end);
        break;
    case EVENT_REFUSED:
        refuse(world);
        break;
    default:
        if (event_form(event->kind)->timed)
            break; /* its life is gone from the list */
        die(world);
        event_change_machine(world, event);
        break;
    }
}

static void play_all(struct world *world)
{
    const struct run *run = run_of(world);
    const struct event *event = run->scenario->events, *end = event + run->scenario->event_count;
    while (event < end) {
        if (run->record != NULL) {
            run->record->events[run->record->event_count++] = *event;
            for (const struct event *timed = event + 1; event->kind == EVENT_LIFE && timed < end; timed++) {
                if (!event_form(timed->kind)->timed)
                    break;
                run->record->events[run->record->event_count++] = *timed;
            }
        }
        if (event->kind == EVENT_LIFE)
            event = play_life(world, event, end);
        else
            play_event(world, event++, end);
    }
    die(world);
}

static void set_up(struct world *world, const struct scenario *scenario)
{
    world->options.has_store = !scenario->no_store;
    world->options.flags = scenario->flags;
    world->options.max_ops = scenario->max_ops;
    world->options.shuffle_seed = scenario->shuffle_seed;
    if (scenario->op_timeout_ms != 0)
        world->options.op_timeout_ms = scenario->op_timeout_ms;
    if (scenario->store_timeout_ms != 0)
        world->options.store_timeout_ms = scenario->store_timeout_ms;
    world->boot_unknown = scenario->boot_unknown;
    world->unobserved = scenario->unobserved;
    for (unsigned i = 0; i < scenario->driver_count; i++)
        world_add_driver(world, &scenario->drivers[i])->registered = !scenario->later[i];
    for (unsigned i = 0; i < scenario->resource_count; i++) {
        struct world_resource *resource = world_add_resource(world, &scenario->resources[i]);
        resource->configured = resource->configured && !scenario->unconfigured[i];
        resource->running = scenario->runs[i];
        resource->instance = resource->running ? 1 : 0;
        snprintf(resource->handle, sizeof(resource->handle), "%s", resource->running ? "h1" : "");
    }
}

static void begin_record(struct run *run)
{
    *run->record = *run->scenario;
    run->record->drawn = false;
    run->record->event_count = run->record->turn_count = run->record->job_count = 0;
}

void run_limit(void)
{
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value.tv_sec = MOST_SECONDS}, NULL);
}

bool run_play(struct run *run, struct world *world)
{
    world_init(world);
    world->trace.on = run->trace;
    world->decider = &decider;
    world->decider_data = run;
    if (run->record != NULL)
        begin_record(run);
    set_up(world, run->scenario);
    bool held = world_try(world, play_all);
    run->steps = world->steps;
    snprintf(run->failure, sizeof(run->failure), "%s", world->failure);
    snprintf(run->kind, sizeof(run->kind), "%s", held ? "" : world->failure_format);
    return held;
}

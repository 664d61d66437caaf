/* SPDX-License-Identifier: MIT */
/* Events from a seed: lives, what users do in them, how they end, and what happens to the machine in between. */
#include "generate.h"

#include <string.h>

static struct event *push(struct scenario *scenario, enum event_kind kind)
{
    struct event *event = &scenario->events[scenario->event_count];
    if (scenario->event_count < SCENARIO_EVENTS - 1)
        scenario->event_count++;
    *event = (struct event){.kind = kind};
    return event;
}

static unsigned count_choices(enum event_kind kind)
{
    const char *choices = event_form(kind)->choices;
    unsigned count = choices == NULL ? 0 : 1;
    for (; count > 0 && *choices != '\0'; choices++)
        count += *choices == ' ';
    return count;
}

static const char *draw_resource(const struct scenario *scenario, struct rng *rng)
{
    return scenario->resources[rng_below(rng, scenario->resource_count)].name;
}

/* Often the one that the last act was about: what comes together is what meets. */
static const char *draw_again(const struct scenario *scenario, struct rng *rng)
{
    for (unsigned i = scenario->event_count; i > 0 && rng_chance(rng, 25); i--)
        if (scenario->events[i - 1].name != NULL && strchr(scenario->events[i - 1].name, '/') != NULL)
            return scenario->events[i - 1].name;
    return draw_resource(scenario, rng);
}

static void push_act(struct scenario *scenario, struct rng *rng)
{
    static const struct {
        enum event_kind kind;
        unsigned weight;
    } acts[] = {
        {EVENT_START, 19}, {EVENT_STOP, 15},   {EVENT_CHANGED, 10}, {EVENT_RETRY, 6}, {EVENT_AGAIN, 5},   {EVENT_ADD, 10},
        {EVENT_RELOAD, 8}, {EVENT_POLICY, 4},  {EVENT_NEEDS, 1},    {EVENT_REMOVE, 5},  {EVENT_FORGET, 2},   {EVENT_MOVE, 2},
        {EVENT_RESOLVE, 2}, {EVENT_WHEN, 2},   {EVENT_DRIVERS, 2},  {EVENT_BRING_UP, 2}, {EVENT_SHUTDOWN, 1}, {EVENT_JUMP, 1},
        {EVENT_VANISH, 1},  {EVENT_CHECK, 2},
    };
    unsigned drawn = rng_below(rng, 100), i = 0;
    for (; drawn >= acts[i].weight; i++)
        drawn -= acts[i].weight;
    const struct event_form *form = event_form(acts[i].kind);
    if (form->named && scenario->resource_count == 0)
        return;
    struct event *event = push(scenario, acts[i].kind);
    event->at = rng_below(rng, rng_chance(rng, 70) ? 300 : 6000);
    event->choice = rng_below(rng, count_choices(event->kind));
    if (form->named)
        event->name = event->kind == EVENT_AGAIN ? scenario->drivers[rng_below(rng, scenario->driver_count)].name
                                                 : draw_again(scenario, rng);
    if (form->two)
        event->other = draw_resource(scenario, rng);
    if (form->counted)
        event->number = rng_chance(rng, 50) ? 1 + rng_below(rng, 5000) : 3600000;
}

/* What is drawn during a life, and has to be told before it. */
static void push_life(struct scenario *scenario, struct rng *rng, const struct size *size, unsigned number)
{
    push(scenario, EVENT_LIFE)->number = number;
    for (unsigned i = rng_below(rng, size->acts); i > 0; i--)
        push_act(scenario, rng);
    unsigned drawn = rng_below(rng, 100);
    unsigned steps = 1 + rng_below(rng, rng_chance(rng, 50) ? size->steps / 5 : size->steps);
    bool small = size->percent > 50;
    struct event *end = push(scenario, drawn < 25 ? EVENT_DOWN : drawn < 27 && small ? EVENT_SWEEP : EVENT_DIE);
    end->number = end->kind == EVENT_SWEEP ? 0 : steps;
    end->choice = end->kind == EVENT_DOWN && drawn >= 15 ? MUSTER_HOST_SHUTDOWN : MUSTER_DAEMON_RESTART;
    if (drawn >= 15 && drawn < 45 && !rng_chance(rng, 30))
        push(scenario, EVENT_REBOOT);
    if (small || rng_chance(rng, 20))
        push(scenario, EVENT_REHEARSE);
}

static void push_histories(struct scenario *scenario, struct rng *rng)
{
    for (unsigned i = rng_below(rng, 6); i > 0 && scenario->resource_count > 0; i--) {
        struct event *event = push(scenario, EVENT_HISTORY);
        bool of_driver = rng_chance(rng, 30);
        event->name = rng_chance(rng, 5) ? scenario_name("storage/nobody")
                      : of_driver        ? scenario->drivers[rng_below(rng, scenario->driver_count)].name
                                         : draw_resource(scenario, rng);
        event->number = rng_below(rng, 340);
    }
}

static void push_change(struct scenario *scenario, enum event_kind kind, const char *name)
{
    push(scenario, kind)->name = name;
}

/* While there is no daemon. */
static void push_interlude(struct scenario *scenario, struct rng *rng)
{
    push_histories(scenario, rng);
    for (unsigned i = 0; i < scenario->resource_count; i++) {
        const char *name = scenario->resources[i].name;
        if (rng_chance(rng, 5))
            push_change(scenario, EVENT_CONFIG, name);
        unsigned drawn = rng_below(rng, 100);
        if (drawn < 8)
            push_change(scenario, drawn < 3 ? EVENT_STRANGER : EVENT_ENDS, name);
        else if (drawn < 11)
            push_change(scenario, EVENT_BEGINS, name);
        if (rng_chance(rng, 2))
            push_change(scenario, EVENT_CORRUPT, name);
    }
}

/* A shutdown, and what users do meanwhile: it must end well all the same. */
static void push_rest(struct scenario *scenario, struct rng *rng, unsigned kind)
{
    static const enum event_kind kinds[] = {EVENT_REMOVE, EVENT_NEEDS, EVENT_CHANGED, EVENT_START, EVENT_STOP, EVENT_POLICY};
    push(scenario, EVENT_REST)->choice = kind;
    for (unsigned i = rng_below(rng, 4); i > 0 && scenario->resource_count > 0; i--) {
        struct event *event = push(scenario, kinds[rng_below(rng, sizeof(kinds) / sizeof(kinds[0]))]);
        event->at = rng_below(rng, 40);
        event->name = draw_resource(scenario, rng);
        event->choice = rng_below(rng, count_choices(event->kind));
        if (event_form(event->kind)->two)
            event->other = draw_resource(scenario, rng);
    }
}

/* Two daemons without faults: everything must come out as the rules say, twice. */
static void push_finale(struct scenario *scenario, struct rng *rng)
{
    push(scenario, EVENT_RECOVER);
    unsigned kind = rng_below(rng, 2);
    push_rest(scenario, rng, kind);
    if (kind == MUSTER_HOST_SHUTDOWN)
        push(scenario, EVENT_REBOOT);
    push(scenario, EVENT_RECOVER);
    push_rest(scenario, rng, MUSTER_DAEMON_RESTART);
}

void generate_events(struct scenario *scenario, struct rng *rng, const struct size *size)
{
    unsigned lives = 1 + rng_below(rng, 3);
    for (unsigned i = 0; i < lives; i++) {
        push_life(scenario, rng, size, i + 1);
        push_interlude(scenario, rng);
    }
    push_finale(scenario, rng);
}

/* SPDX-License-Identifier: MIT */
/* A bring-up as a whole: the check, the records, tiers, the barrier, milestones. */
#include "engine/internal.h"

#include <string.h>

#include "base/def.h"
#include "base/name.h"

/* ---- drivers ---------------------------------------------------------------------------------------- */

static const char *invalid_name(const char *const *names)
{
    for (; names != NULL && *names != NULL; names++)
        if (!muster__driver_name_valid(*names))
            return *names;
    return NULL;
}

static int check_def(struct muster__engine *engine, const struct muster_driver_def *def)
{
    const char *const *lists[] = {def->needs, def->wants, def->after, def->before, def->provides};
    static const char *const words[] = {"needs", "wants", "after", "before", "provides"};
    if (!muster__driver_name_valid(def->name))
        return muster__refuse(engine, MUSTER_EINVAL,
                              "'%.80s' is no name for a driver: 1 to 255 bytes of UTF-8, no control characters, no '/'",
                              def->name == NULL ? "" : def->name);
    for (size_t i = 0; i < 5; i++) {
        const char *bad = invalid_name(lists[i]);
        if (bad != NULL)
            return muster__refuse(engine, MUSTER_EINVAL,
                                  "driver '%s': %s '%.80s': no name: 1 to 255 bytes of UTF-8, no control characters, no '/'",
                                  def->name, words[i], bad);
    }
    return 0;
}

static int add_to_graph(struct muster__engine *engine, const struct muster_driver_def *def)
{
    const struct muster__node node = {.name = def->name,
                                      .tier = def->tier,
                                      .priority = def->priority,
                                      .needs = def->needs,
                                      .wants = def->wants,
                                      .after = def->after,
                                      .before = def->before,
                                      .provides = def->provides};
    return muster__graph_add(engine->graph, &node);
}

static struct muster_driver *new_driver(struct muster__engine *engine, const struct muster_driver_def *def, void *data)
{
    struct muster_driver *driver = muster__new(engine->memory, struct muster_driver);
    if (driver == NULL)
        return NULL;
    driver->engine = engine;
    driver->id = (uint32_t)engine->driver_count;
    driver->def = *def;
    driver->def.name = NULL; /* the graph has it, and the lists */
    driver->def.needs = driver->def.wants = driver->def.after = driver->def.before = driver->def.provides = NULL;
    driver->data = data;
    driver->ledger = muster__ledger_get(engine, def->name);
    if (muster__driver_init(driver) == 0 && driver->ledger != NULL && add_to_graph(engine, def) == 0)
        return driver;
    muster__driver_free(driver);
    return NULL;
}

int muster__add_driver(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_driver_def def;
    if (muster__def_copy(&def, sizeof(def), event->driver_def, sizeof(def)) != 0)
        return muster__refuse(engine, MUSTER_EINVAL,
                              "a driver's definition has a size that this version doesn't know: set it with its macro");
    if (muster__going_down(engine))
        return muster__refuse(engine, MUSTER_ESTATE, "driver '%s': the context is going down", def.name);
    int code = check_def(engine, &def);
    if (code != 0)
        return code;
    void *drivers = engine->drivers;
    code = muster__grow(engine->memory, &drivers, engine->driver_count, &engine->driver_capacity, sizeof(*engine->drivers));
    engine->drivers = drivers;
    struct muster_driver *driver = code == 0 ? new_driver(engine, &def, event->data) : NULL;
    if (driver == NULL)
        return muster__refuse(engine, MUSTER_ENOMEM, "driver '%s': out of memory", def.name);
    engine->drivers[engine->driver_count++] = driver;
    if (event->ret_driver != NULL)
        *event->ret_driver = driver;
    return 0;
}

int muster__check(struct muster__engine *engine, const struct muster__event *event)
{
    (void)event;
    int code = muster__graph_check(engine->graph, engine->checked);
    if (code == 0) {
        engine->valid = (uint32_t)engine->driver_count;
        return 0;
    }
    struct muster_error *problems = muster__graph_problems(engine->graph);
    if (problems == NULL)
        return muster__refuse(engine, code, "the drivers could not be checked: %s", muster_code_text(code));
    return muster__refuse_error(engine, muster__error_ref(problems));
}

/* While drivers are up, those that don't fit them are given up, so that others can be added later. */
static void drop_unfit(struct muster__engine *engine)
{
    if (engine->checked == 0)
        return;
    while (engine->driver_count > engine->valid) {
        struct muster_driver *driver = engine->drivers[--engine->driver_count];
        while (!muster__list_empty(&driver->resources))
            muster__resource_detach(muster__container(driver->resources.next, struct muster_resource, in_driver));
        muster__driver_free(driver);
    }
    muster__graph_truncate(engine->graph, engine->valid);
}

/* ---- the plan ---------------------------------------------------------------------------------------- */

static uint32_t count_tiers(const struct muster__engine *engine, const uint32_t *order, uint32_t count)
{
    uint32_t tiers = 0;
    for (uint32_t i = 0; i < count; i++)
        tiers += i == 0 || muster__graph_tier(engine->graph, order[i]) != muster__graph_tier(engine->graph, order[i - 1]);
    return tiers;
}

/* The plan's order is by level, so that the drivers of a tier stand together. */
static void fill_tiers(struct muster__engine *engine, const uint32_t *order, uint32_t count)
{
    struct muster__tier *tier = engine->tiers - 1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t number = muster__graph_tier(engine->graph, order[i]);
        if (i == 0 || number != tier->number)
            *++tier = (struct muster__tier){.number = number, .first = i};
        tier->count++;
        struct muster_driver *driver = engine->drivers[order[i]];
        driver->tier = (uint32_t)(tier - engine->tiers);
        for (int step = 0; step < MUSTER__STEPS; step++)
            tier->pending[step] += !driver->settled[step];
    }
}

static void fill_waiting(struct muster__engine *engine, uint32_t count)
{
    memset(engine->pending, 0, sizeof(engine->pending));
    for (uint32_t id = 0; id < count; id++)
        memset(engine->drivers[id]->waiting, 0, sizeof(engine->drivers[id]->waiting));
    for (uint32_t id = 0; id < count; id++) {
        struct muster_driver *driver = engine->drivers[id];
        struct muster__ids dependents = muster__graph_dependents(engine->graph, id);
        for (int step = 0; step < MUSTER__STEPS; step++) {
            if (driver->settled[step])
                continue;
            engine->pending[step]++;
            for (uint32_t i = 0; i < dependents.count; i++)
                engine->drivers[dependents.ids[i]]->waiting[step]++;
        }
    }
}

/* Lay out what the steps of the checked drivers need. Everything is allocated before anything changes. */
static int lay_out(struct muster__engine *engine)
{
    uint32_t count = (uint32_t)engine->driver_count;
    const uint32_t *order = muster__graph_order(engine->graph);
    uint32_t tier_count = count_tiers(engine, order, count);
    struct muster__tier *tiers = muster__alloc(engine->memory, tier_count, sizeof(*tiers));
    size_t places = (size_t)count * MUSTER__STEPS;
    uint32_t *positions = muster__alloc(engine->memory, places, sizeof(*positions));
    uint32_t *scratch = muster__alloc(engine->memory, places, sizeof(*scratch));
    uint32_t *used = muster__alloc(engine->memory, count, sizeof(*used));
    if (tiers == NULL || positions == NULL || scratch == NULL || used == NULL || places > UINT32_MAX ||
        muster__ready_resize(&engine->ready, (uint32_t)places) != 0) {
        muster__free(engine->memory, tiers);
        muster__free(engine->memory, positions);
        muster__free(engine->memory, scratch);
        muster__free(engine->memory, used);
        return MUSTER_ENOMEM;
    }
    if (engine->used_count > 0)
        memcpy(used, engine->used, engine->used_count * sizeof(*used));
    muster__free(engine->memory, engine->tiers);
    muster__free(engine->memory, engine->positions);
    muster__free(engine->memory, engine->used);
    engine->tiers = tiers;
    engine->positions = positions;
    engine->used = used;
    engine->tier_count = tier_count;
    engine->checked = count;
    engine->open_tier = 0;
    fill_tiers(engine, order, count);
    fill_waiting(engine, count);
    muster__turn_order(engine, engine->positions, scratch);
    muster__turn_place(engine);
    muster__free(engine->memory, scratch);
    return 0;
}

/* ---- beginning ---------------------------------------------------------------------------------------- */

static void reset_drivers(struct muster__engine *engine)
{
    for (size_t i = 0; i < engine->driver_count; i++) {
        struct muster_driver *driver = engine->drivers[i];
        memset(driver->settled, 0, sizeof(driver->settled));
        memset(driver->done, 0, sizeof(driver->done));
        driver->holds = driver->open = driver->used = driver->counting = false;
        driver->unsettled = 0;
        driver->tries = 0;
        if (driver->state == MUSTER_DRIVER_DOWN)
            muster__driver_move(driver, MUSTER_DRIVER_WAITING);
    }
    engine->used_count = 0;
}

static void begin(struct muster__engine *engine)
{
    engine->begun = true;
    const uint32_t *order = muster__graph_order(engine->graph);
    for (uint32_t i = 0; i < engine->checked; i++)
        muster__driver_touch(engine->drivers[order[i]]);
}

int muster__bring_up(struct muster__engine *engine, const struct muster__event *event)
{
    bool again = engine->state == MUSTER_STATE_UP;
    if (engine->state != MUSTER_STATE_NEW && engine->state != MUSTER_STATE_DOWN && !again)
        return muster__refuse(engine, MUSTER_ESTATE, "bring-up: the context is %s", muster_state_name(engine->state));
    if (engine->reload != NULL)
        return muster__refuse(engine, MUSTER_ESTATE, "bring-up: a reload is under way");
    if (engine->state == MUSTER_STATE_DOWN && engine->op_count > 0)
        return muster__refuse(engine, MUSTER_EBUSY, "bring-up: ops of the last one are still out");
    if (engine->state == MUSTER_STATE_DOWN && engine->store > MUSTER__STORE_CLOSED)
        return muster__refuse(engine, MUSTER_EBUSY, "bring-up: the store isn't closed yet");
    int code = muster__check(engine, event);
    if (code != 0) {
        drop_unfit(engine);
        return code;
    }
    struct muster__request *request = muster__request_new(engine, event);
    if (engine->state == MUSTER_STATE_DOWN)
        reset_drivers(engine);
    if (request == NULL || lay_out(engine) != 0) {
        if (request != NULL)
            muster__request_free(request);
        return muster__refuse(engine, MUSTER_ENOMEM, "bring-up: out of memory");
    }
    engine->bring_up = request;
    engine->milestone = -1;
    engine->result = 0;
    muster__error_replace(&engine->problems, NULL);
    muster__set_state(engine, MUSTER_STATE_BRINGING_UP);
    if (engine->store == MUSTER__STORE_CLOSED) {
        engine->store = MUSTER__STORE_LOADING;
        engine->load_wanted = true;
    } else {
        begin(engine);
    }
    return 0;
}

static int claim(struct muster__engine *engine, const struct muster_record *loaded)
{
    if (loaded->kind != MUSTER_RECORD_RESOURCE)
        return 0;
    struct muster__entry *entry = muster__entry_get(engine, loaded->driver, loaded->name);
    struct muster__record *record = entry == NULL ? NULL : muster__record_new(engine->memory, loaded);
    if (record == NULL)
        return MUSTER_ENOMEM;
    muster__record_unref(entry->record);
    muster__record_unref(entry->durable);
    entry->record = record;
    entry->durable = muster__record_ref(record);
    entry->generation = loaded->generation;
    return 0;
}

/* Another daemon has the store: there must not be two. */
static void give_up(struct muster__engine *engine, const struct muster_error *error)
{
    struct muster_error *kept = muster__error_ref(error);
    engine->store = MUSTER__STORE_CLOSED;
    engine->result = error->code;
    muster__milestones_cancel(engine, error->code, error);
    struct muster__request *bring_up = engine->bring_up;
    engine->bring_up = NULL;
    muster__set_state(engine, MUSTER_STATE_DOWN);
    muster__request_end(bring_up, kept->code, kept);
    muster__error_replace(&engine->error, kept);
}

static void unreadable(struct muster__engine *engine, const struct muster__event *event, int code)
{
    struct muster_error *error =
        event->error != NULL && event->error->text[0] != '\0'
            ? muster__error_wrap(engine->memory, event->error, "store")
            : muster__error_new(engine->memory, code, NULL, "store: %s", muster_code_text(code));
    muster__observe_store(engine, code, error);
    muster__error_replace(&engine->store_error, error);
    if (code == MUSTER_EBUSY) {
        give_up(engine, engine->store_error);
        return;
    }
    engine->store = MUSTER__STORE_BROKEN;
    engine->records_unknown = true;
    muster__problem(engine, engine->store_error);
    begin(engine);
}

int muster__loaded(struct muster__engine *engine, const struct muster__event *event)
{
    if (engine->store == MUSTER__STORE_RELOADING)
        return muster__reloaded(engine, event);
    int code = event->code;
    muster__entries_forget(engine);
    muster__history_clear(engine);
    for (size_t i = 0; i < event->count && code == 0; i++) {
        code = claim(engine, event->records[i]);
        muster__history_load(engine, event->records[i]);
    }
    if (muster__going_down(engine)) {
        engine->store = MUSTER__STORE_IDLE;
        if (engine->state == MUSTER_STATE_DOWN)
            muster__ask_close(engine);
        return 0;
    }
    if (code != 0) {
        unreadable(engine, event, code);
        return 0;
    }
    engine->store = MUSTER__STORE_IDLE;
    engine->records_incomplete = event->error != NULL && event->error->code == MUSTER_ECORRUPT;
    if (event->error != NULL && event->error->code != 0) {
        struct muster_error *warning = muster__error_wrap(engine->memory, event->error, "store");
        muster__observe_store(engine, event->error->code, warning);
        muster__problem(engine, warning);
        muster__error_unref(warning);
    }
    if (engine->history.spans.count > 0)
        muster__turn_renew(engine);
    begin(engine);
    return 0;
}

/* ---- steps, tiers, the barrier -------------------------------------------------------------------------- */

/* (The resources that declare nothing wait for the driver's own dependencies; the others' looks are cheap.) */
static void touch_implicit(struct muster_driver *driver)
{
    struct muster__list *head = &driver->resources;
    for (struct muster__list *link = head->next; link != head; link = link->next)
        muster__resource_touch(muster__container(link, struct muster_resource, in_driver));
}

void muster__step_settled(struct muster_driver *driver, enum muster__step step)
{
    struct muster__engine *engine = driver->engine;
    struct muster__ids dependents = muster__graph_dependents(engine->graph, driver->id);
    bool first = !driver->settled[step];
    driver->settled[step] = true;
    if (first) {
        engine->pending[step]--;
        engine->tiers[driver->tier].pending[step]--;
    }
    for (uint32_t i = 0; i < dependents.count; i++) {
        struct muster_driver *dependent = engine->drivers[dependents.ids[i]];
        if (first && --dependent->waiting[step] > 0)
            continue;
        muster__driver_touch(dependent);
        if (step == MUSTER__STEP_RECONCILE)
            touch_implicit(dependent);
    }
}

static bool complete_tiers(const struct muster__engine *engine)
{
    return (engine->options.flags & MUSTER_COMPLETE_TIERS) != 0;
}

bool muster__barrier_open(const struct muster_driver *driver)
{
    const struct muster__engine *engine = driver->engine;
    if (!complete_tiers(engine))
        return engine->pending[MUSTER__STEP_RECONCILE] == 0;
    return driver->tier <= engine->open_tier && engine->tiers[driver->tier].pending[MUSTER__STEP_RECONCILE] == 0;
}

static void touch_tier(struct muster__engine *engine, const struct muster__tier *tier)
{
    for (uint32_t i = 0; i < tier->count; i++) {
        struct muster_driver *driver = engine->drivers[muster__graph_order(engine->graph)[tier->first + i]];
        muster__driver_touch(driver);
        touch_implicit(driver);
    }
}

/* Drivers of the next tier may initialize. */
static bool open_next_tier(struct muster__engine *engine)
{
    enum muster__step step = complete_tiers(engine) ? MUSTER__STEP_AUTOSTART : MUSTER__STEP_RECONCILE;
    uint32_t before = engine->open_tier;
    while (engine->open_tier + 1 < engine->tier_count && engine->tiers[engine->open_tier].pending[step] == 0) {
        engine->open_tier++;
        touch_tier(engine, &engine->tiers[engine->open_tier]);
    }
    return engine->open_tier != before;
}

static void open_barriers(struct muster__engine *engine)
{
    bool opened = false;
    for (uint32_t i = 0; i < engine->tier_count; i++) {
        struct muster__tier *tier = &engine->tiers[i];
        if (tier->barrier_open || !muster__barrier_open(engine->drivers[muster__graph_order(engine->graph)[tier->first]]))
            continue;
        tier->barrier_open = true;
        opened = true;
        touch_tier(engine, tier);
    }
    if (opened)
        muster__path_at_barrier(engine);
    if (opened || engine->tier_count == 0)
        muster__requests_release(engine);
}

/* ---- milestones -------------------------------------------------------------------------------------------- */

void muster__problem(struct muster__engine *engine, const struct muster_error *error)
{
    if (engine->bring_up == NULL && engine->reload == NULL && !muster__going_down(engine))
        return;
    /* A copy: siblings are of one list alone, and this error is somebody's cause. */
    struct muster_error *copy = muster__error_wrap(engine->memory, error, "%s", "");
    if (copy->references != 0) {
        memcpy(copy->text, error->text, sizeof(copy->text));
        copy->cause = muster__error_ref(error->cause);
    }
    muster__error_append(&engine->problems, copy);
}

static void reach(struct muster__engine *engine, int milestone)
{
    engine->milestone = milestone;
    muster__observe_engine(engine, MUSTER_OBSERVE_MILESTONE, milestone - 1, milestone);
    for (struct muster__list *link = engine->milestones.next; link != &engine->milestones;) {
        struct muster__request *request = muster__container(link, struct muster__request, link);
        link = link->next;
        if ((int)request->milestone <= milestone)
            muster__request_end(request, 0, NULL);
    }
}

static void brought_up(struct muster__engine *engine)
{
    struct muster__request *bring_up = engine->bring_up;
    engine->bring_up = NULL;
    muster__set_state(engine, MUSTER_STATE_UP);
    muster__history_settled(engine);
    muster__request_end(bring_up, 0, engine->problems);
    muster__error_replace(&engine->error, muster__error_ref(engine->problems));
    muster__error_replace(&engine->problems, NULL);
}

void muster__milestones_look(struct muster__engine *engine)
{
    if (engine->state != MUSTER_STATE_BRINGING_UP || !engine->begun)
        return;
    open_next_tier(engine);
    open_barriers(engine);
    if (!muster__list_empty(&engine->touched_drivers) || !muster__list_empty(&engine->touched_resources))
        return;
    while (engine->milestone < MUSTER_SETTLED && engine->pending[engine->milestone + 1] == 0)
        reach(engine, engine->milestone + 1);
    if (engine->milestone == MUSTER_SETTLED)
        brought_up(engine);
}

void muster__milestones_cancel(struct muster__engine *engine, int code, const struct muster_error *error)
{
    while (!muster__list_empty(&engine->milestones))
        muster__request_end(muster__container(engine->milestones.next, struct muster__request, link), code, error);
}

int muster__when(struct muster__engine *engine, const struct muster__event *event)
{
    if (event->number > MUSTER_SETTLED || event->done.cb == NULL)
        return muster__refuse(engine, MUSTER_EINVAL, "there is no such milestone, or no callback");
    if (muster__going_down(engine))
        return muster__refuse(engine, MUSTER_ESTATE, "the context is %s", muster_state_name(engine->state));
    struct muster__request *request = muster__request_new(engine, event);
    if (request == NULL)
        return muster__refuse(engine, MUSTER_ENOMEM, "out of memory");
    request->milestone = (enum muster_milestone)event->number;
    if ((int)request->milestone <= engine->milestone)
        muster__request_end(request, 0, NULL);
    else
        muster__list_push(&engine->milestones, &request->link);
    return 0;
}

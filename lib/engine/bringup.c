/* SPDX-License-Identifier: MIT */
/* A bring-up as a whole: the check, the records, milestones. */
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

/* Which of its names isn't valid. */
static int refuse_names(struct muster__engine *engine, const struct muster_driver_def *def)
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
    return MUSTER_EINVAL;
}

/* The graph has found that a name isn't valid, or memory is short. */
static int refuse_driver(struct muster__engine *engine, const struct muster_driver_def *def, int code)
{
    return code == MUSTER_EINVAL ? refuse_names(engine, def)
                                 : muster__refuse(engine, code, "driver '%s': out of memory", def->name);
}

int muster__add_driver(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_driver_def copy;
    const struct muster_driver_def *def = muster__def_read(&copy, sizeof(copy), event->driver_def, sizeof(copy));
    if (def == NULL)
        return muster__refuse(engine, MUSTER_EINVAL,
                              "a driver's definition has a size that this version doesn't know: set it with its macro");
    if (muster__going_down(engine))
        return muster__refuse(engine, MUSTER_ESTATE, "driver '%s': the context is going down", def->name);
    int code = muster__queue_reserve(&engine->touched_drivers, (uint32_t)engine->driver_count + 1);
    struct muster_driver *driver = code == 0 ? muster__driver_new(engine, def, event->data) : NULL;
    if (driver == NULL)
        return refuse_driver(engine, def, MUSTER_ENOMEM);
    code = def->name == NULL ? MUSTER_EINVAL : muster__graph_add(engine->graph, def);
    if (code != 0) {
        muster__driver_free(driver);
        return refuse_driver(engine, def, code);
    }
    engine->driver_count++;
    engine->callless_count += driver->initialize == NULL;
    engine->threaded_count += driver->threaded;
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
        engine->valid_after = engine->checked;
        muster__steps_recount(engine);
        return 0;
    }
    struct muster_error *problems = muster__graph_problems(engine->graph);
    if (problems == NULL)
        return muster__refuse(engine, code, "the drivers could not be checked: %s", muster_code_text(code));
    return muster__refuse_error(engine, muster__error_ref(problems));
}

/* Nothing has changed since the last check succeeded. */
static bool is_checked(const struct muster__engine *engine)
{
    return engine->valid == engine->driver_count && engine->valid_after == engine->checked && engine->valid > 0;
}

/* While drivers are up, those that don't fit them are given up, so that others can be added later. */
static void drop_unfit(struct muster__engine *engine)
{
    if (engine->checked == 0)
        return;
    while (engine->driver_count > engine->valid) {
        struct muster_driver *driver = muster__driver_at(engine, --engine->driver_count);
        while (!muster__list_empty(&driver->rest->roster->resources))
            muster__resource_detach(muster__container(driver->rest->roster->resources.next, struct muster_resource, in_driver));
        engine->callless_count -= driver->initialize == NULL;
        engine->threaded_count -= driver->threaded;
        muster__driver_free(driver);
    }
    muster__graph_truncate(engine->graph, engine->valid);
}

/* ---- beginning ---------------------------------------------------------------------------------------- */

static void reset_drivers(struct muster__engine *engine)
{
    for (size_t i = 0; i < engine->driver_count; i++) {
        struct muster_driver *driver = muster__driver_at(engine, i);
        memset(driver->settled, 0, sizeof(driver->settled));
        memset(driver->done, 0, sizeof(driver->done));
        driver->holds = driver->open = driver->used = driver->counting = driver->restoring = false;
        driver->rest->tries = 0;
        if (driver->state == MUSTER_DRIVER_DOWN)
            muster__driver_move(driver, MUSTER_DRIVER_WAITING);
    }
    engine->used_count = 0;
    muster__steps_reset(engine);
}

static void begin(struct muster__engine *engine)
{
    engine->begun = true;
    for (uint32_t i = 0; engine->counted[MUSTER__STEP_INITIALIZE] && i < engine->checked; i++)
        muster__step_begin(engine, engine->order[i]);
}

void muster__ask_load(struct muster__engine *engine, enum muster__store_state state)
{
    engine->store = state;
    engine->load_wanted = true;
    muster__timer_set(engine, &engine->store_timer, muster__time_after(engine->now, engine->options.store_timeout_ms));
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
    int code = is_checked(engine) ? 0 : muster__check(engine, event);
    if (code != 0) {
        drop_unfit(engine);
        return code;
    }
    struct muster__request *request = muster__request_new(engine, event);
    if (engine->state == MUSTER_STATE_DOWN)
        reset_drivers(engine);
    if (request == NULL || muster__steps_lay_out(engine) != 0) {
        if (request != NULL)
            muster__request_free(request);
        return muster__refuse(engine, MUSTER_ENOMEM, "bring-up: out of memory");
    }
    if (engine->state == MUSTER_STATE_DOWN)
        muster__entries_left(engine);
    engine->bring_up = request;
    engine->milestone = -1;
    engine->result = 0;
    muster__problems_drop(engine);
    muster__trail_open(engine, MUSTER__TRAIL_BRING_UP);
    muster__set_state(engine, MUSTER_STATE_BRINGING_UP);
    if (engine->store == MUSTER__STORE_CLOSED)
        muster__ask_load(engine, MUSTER__STORE_LOADING);
    else
        begin(engine);
    return 0;
}

static int claim(struct muster__engine *engine, const struct muster_record *loaded)
{
    if (!muster__record_is_resource(loaded))
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
    muster__trail_close(engine, error->code);
    muster__set_state(engine, MUSTER_STATE_DOWN);
    muster__resources_release(engine);
    muster__request_end(bring_up, kept->code, kept);
    muster__error_replace(&engine->error, kept);
}

static void tell_unreadable(struct muster__engine *engine, const struct muster__event *event, int code)
{
    struct muster_error *error =
        event->error != NULL && event->error->text[0] != '\0'
            ? muster__error_wrap(engine->memory, event->error, "store")
            : muster__error_new(engine->memory, code, NULL, "store: %s", muster_code_text(code));
    muster__observe_store(engine, code, error);
    muster__error_replace(&engine->store_error, error);
}

static void unreadable(struct muster__engine *engine, const struct muster__event *event, int code)
{
    tell_unreadable(engine, event, code);
    if (code == MUSTER_EBUSY) {
        give_up(engine, engine->store_error);
        return;
    }
    engine->store = MUSTER__STORE_BROKEN;
    engine->records_unknown = true;
    muster__problem(engine, engine->store_error);
    begin(engine);
}

void muster__load_timed_out(struct muster__engine *engine)
{
    bool again = engine->store == MUSTER__STORE_RELOADING;
    if (engine->state == MUSTER_STATE_DOWN || (muster__going_down(engine) && !again))
        return; /* the shutdown waits for it within its own budget */
    struct muster_error error;
    muster__error_init(&error);
    muster_error_set(&error, MUSTER_ETIMEDOUT, 0, "the load is not finished after %llu ms",
                     (unsigned long long)engine->options.store_timeout_ms);
    const struct muster__event late = {.code = MUSTER_ETIMEDOUT, .error = &error};
    engine->load_late = true;
    if (again)
        muster__reloaded(engine, &late);
    else
        unreadable(engine, &late, MUSTER_ETIMEDOUT);
}

/* What it has brought is too late: what it could have said has been decided without. */
static int loaded_late(struct muster__engine *engine, const struct muster__event *event)
{
    if (event->code != 0)
        tell_unreadable(engine, event, event->code);
    if (engine->state == MUSTER_STATE_DOWN)
        muster__ask_close(engine);
    return 0;
}

/* Takes the reference. */
static void warn(struct muster__engine *engine, int code, struct muster_error *warning)
{
    muster__observe_store(engine, code, warning);
    muster__problem(engine, warning);
    muster__error_unref(warning);
}

void muster__unnamed_told(struct muster__engine *engine, const struct muster__event *event)
{
    const struct muster_record *first = NULL;
    size_t count = 0;
    for (size_t i = event->count; i-- > 0;) {
        if (event->records[i]->kind != MUSTER_RECORD_RESOURCE || muster__record_is_resource(event->records[i]))
            continue;
        first = event->records[i];
        count++;
    }
    if (count == 0)
        return;
    warn(engine, MUSTER_ECORRUPT,
         muster__error_new(engine->memory, MUSTER_ECORRUPT, NULL,
                           "store: %zu record%s no valid name, and %s left alone; the first is '%.80s/%.80s'", count,
                           count == 1 ? " has" : "s have", count == 1 ? "is" : "are",
                           first->driver == NULL ? "" : first->driver, first->name == NULL ? "" : first->name));
}

int muster__loaded(struct muster__engine *engine, const struct muster__event *event)
{
    bool late = engine->load_late;
    engine->load_late = false;
    muster__timer_clear(engine, &engine->store_timer);
    if (engine->store == MUSTER__STORE_RELOADING || (late && !engine->records_unknown))
        return muster__reloaded(engine, event);
    if (late)
        return loaded_late(engine, event);
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
    muster__unnamed_told(engine, event);
    engine->records_incomplete = event->error != NULL && event->error->code == MUSTER_ECORRUPT;
    if (event->error != NULL && event->error->code != 0)
        warn(engine, event->error->code, muster__error_wrap(engine->memory, event->error, "store"));
    if (engine->history.spans.count > 0)
        muster__steps_renew(engine);
    begin(engine);
    return 0;
}

/* ---- milestones -------------------------------------------------------------------------------------------- */

void muster__problem(struct muster__engine *engine, const struct muster_error *error)
{
    if (engine->bring_up == NULL && engine->reload == NULL && !muster__going_down(engine))
        return;
    if (engine->last_problem != NULL && engine->last_problem->references == 0)
        return; /* an immortal error has no siblings */
    /* A copy: siblings are of one list alone, and this error is somebody's cause. */
    struct muster_error *copy = muster__error_wrap(engine->memory, error, "%s", "");
    if (copy->references != 0) {
        memcpy(copy->text, error->text, sizeof(copy->text));
        copy->cause = muster__error_ref(error->cause);
    }
    muster__error_append(engine->last_problem != NULL ? &engine->last_problem : &engine->problems, copy);
    engine->last_problem = copy;
}

void muster__problems_drop(struct muster__engine *engine)
{
    muster__error_replace(&engine->problems, NULL);
    engine->last_problem = NULL;
}

static void reach(struct muster__engine *engine, int milestone)
{
    engine->milestone = milestone;
    muster__trail_milestone(engine, milestone);
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
    muster__trail_close(engine, muster_error_code(engine->problems));
    muster__request_end(bring_up, 0, engine->problems);
    muster__error_replace(&engine->error, muster__error_ref(engine->problems));
    muster__problems_drop(engine);
}

/* What opens may be gone through at once, so that more is due. */
static void open_due(struct muster__engine *engine)
{
    do {
        engine->milestone_due = false;
        muster__steps_open(engine);
    } while (engine->milestone_due);
}

void muster__milestones_look(struct muster__engine *engine)
{
    if (engine->state != MUSTER_STATE_BRINGING_UP || !engine->begun)
        return;
    open_due(engine);
    if (!muster__queue_empty(&engine->touched_drivers) || !muster__list_empty(&engine->touched_resources)) {
        engine->milestone_due = true;
        return;
    }
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

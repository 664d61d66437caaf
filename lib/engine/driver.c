/* SPDX-License-Identifier: MIT */
/* Drivers: their states, and what each waits for. */
#include "engine/internal.h"

#include <assert.h>
#include <string.h>

#define TO(state) (1u << MUSTER_DRIVER_##state)
#define FALLEN (TO(SKIPPED) | TO(FAILED) | TO(BLOCKED) | TO(DEFERRED))
#define ENDING (TO(SHUTTING_DOWN) | TO(DOWN))

/* Which states may follow each. */
static const unsigned successors[] = {
    [MUSTER_DRIVER_WAITING] = TO(INITIALIZING) | FALLEN | ENDING,
    [MUSTER_DRIVER_INITIALIZING] = TO(INITIALIZED) | TO(RECONCILED) | FALLEN | ENDING,
    [MUSTER_DRIVER_INITIALIZED] = TO(RECONCILING) | FALLEN | ENDING,
    [MUSTER_DRIVER_RECONCILING] = TO(RECONCILED) | FALLEN | ENDING,
    [MUSTER_DRIVER_RECONCILED] = TO(AUTOSTARTING) | TO(UP) | FALLEN | ENDING,
    [MUSTER_DRIVER_AUTOSTARTING] = TO(UP) | FALLEN | ENDING,
    [MUSTER_DRIVER_UP] = ENDING,
    [MUSTER_DRIVER_SKIPPED] = TO(WAITING) | ENDING,
    [MUSTER_DRIVER_FAILED] = TO(WAITING) | TO(INITIALIZED) | TO(RECONCILED) | ENDING,
    [MUSTER_DRIVER_BLOCKED] = TO(WAITING) | TO(INITIALIZED) | TO(RECONCILED) | ENDING,
    [MUSTER_DRIVER_DEFERRED] = TO(WAITING) | TO(INITIALIZED) | TO(RECONCILED) | ENDING,
    [MUSTER_DRIVER_SHUTTING_DOWN] = TO(DOWN),
    [MUSTER_DRIVER_DOWN] = TO(WAITING),
};

static bool is_fallen(const struct muster_driver *driver)
{
    return ((1u << driver->state) & FALLEN) != 0;
}

/* While no driver is behind, nobody's needs have to be looked at. */
static void set_behind(struct muster_driver *driver, bool behind)
{
    driver->engine->behind_count += (uint32_t)behind - (uint32_t)driver->behind;
    driver->behind = behind;
}

/* Where nobody listens, the order of the looks doesn't matter: a driver goes as far as it can in one. */
static bool goes_on(const struct muster_driver *driver)
{
    return driver->engine->looked_at == driver;
}

/* (Not inline: most moves are told to nobody, and save no registers for it.) */
static __attribute__((noinline)) void told(struct muster_driver *driver, enum muster_driver_state from)
{
    bool fallen = is_fallen(driver);
    set_behind(driver, fallen || (driver->behind && driver->state < MUSTER_DRIVER_UP));
    if (!fallen)
        muster__error_replace(&driver->rest->error, NULL);
    muster__observe_driver(driver, from);
    if (!goes_on(driver))
        muster__driver_touch(driver);
}

void muster__driver_move(struct muster_driver *driver, enum muster_driver_state state)
{
    enum muster_driver_state from = driver->state;
    bool may_follow = (successors[from] & (1u << state)) != 0;
    assert(may_follow);
    (void)may_follow;
    driver->state = state;
    if (driver->behind || is_fallen(driver) || !goes_on(driver))
        told(driver, from);
}

static void touch_resources(struct muster_driver *driver)
{
    if (driver->resource_count == 0)
        return;
    struct muster__list *head = &driver->rest->roster->resources;
    for (struct muster__list *link = head->next; link != head; link = link->next)
        muster__resource_touch(muster__container(link, struct muster_resource, in_driver));
}

bool muster__driver_waits_for_resources(const struct muster_driver *driver)
{
    return driver->resource_count > 0 && driver->rest->unsettled > 0;
}

static void open_resources(struct muster_driver *driver)
{
    if (driver->open)
        return;
    driver->open = true;
    touch_resources(driver);
}

/* ---- failure ------------------------------------------------------------------------------------- */

enum muster__step muster__driver_step(const struct muster_driver *driver)
{
    switch (driver->state) {
    case MUSTER_DRIVER_WAITING:
    case MUSTER_DRIVER_INITIALIZING:
        return MUSTER__STEP_INITIALIZE;
    case MUSTER_DRIVER_INITIALIZED:
    case MUSTER_DRIVER_RECONCILING:
        return MUSTER__STEP_RECONCILE;
    case MUSTER_DRIVER_SKIPPED:
    case MUSTER_DRIVER_FAILED:
    case MUSTER_DRIVER_BLOCKED:
    case MUSTER_DRIVER_DEFERRED:
        return driver->rest->fell_in;
    default:
        return MUSTER__STEP_AUTOSTART;
    }
}

/* A driver that isn't essential, or a bring-up that is over, goes on without. */
static bool is_fatal(const struct muster_driver *driver)
{
    return (driver->rest->def.flags & MUSTER_ESSENTIAL) != 0 && driver->state != MUSTER_DRIVER_DEFERRED &&
           driver->engine->state == MUSTER_STATE_BRINGING_UP;
}

static void drop_resources(struct muster_driver *driver)
{
    while (!muster__list_empty(&driver->rest->roster->resources))
        muster__resource_detach(muster__container(driver->rest->roster->resources.next, struct muster_resource, in_driver));
}

/* `error`'s reference is taken. */
static void fall(struct muster_driver *driver, enum muster_driver_state state, struct muster_error *error)
{
    struct muster__engine *engine = driver->engine;
    enum muster__step step = muster__driver_step(driver);
    driver->rest->fell_in = step;
    muster__error_replace(&driver->rest->error, error);
    muster__driver_move(driver, state);
    if (state == MUSTER_DRIVER_DEFERRED)
        muster__timer_set(engine, &driver->rest->retry, muster__retry_at(engine, &driver->rest->tries));
    if (is_fatal(driver)) {
        muster__rollback(engine, error);
        return;
    }
    muster__problem(engine, error);
    if (step == MUSTER__STEP_INITIALIZE)
        drop_resources(driver);
    else
        open_resources(driver); /* what lives is adopted all the same */
    muster__steps_count(engine);
    for (; step < MUSTER__STEPS; step++)
        muster__step_settled(driver, step);
    touch_resources(driver);
}

/* It has been late, and is about to do the step, or to fall. */
static bool is_coming(const struct muster_driver *driver, enum muster__step step)
{
    return step != MUSTER__STEP_INITIALIZE && driver->done[MUSTER__STEP_INITIALIZE] && !is_fallen(driver);
}

/* The first need none of whose providers has done the step. The culprit is one that is coming, if there is one. */
static const char *missing_need(const struct muster_driver *driver, enum muster__step step,
                                const struct muster_driver **ret_culprit)
{
    const struct muster__engine *engine = driver->engine;
    struct muster__ids providers;
    const char *need;
    for (uint32_t i = 0; (need = muster__graph_need(engine->graph, driver->id, i, &providers)) != NULL; i++) {
        uint32_t k = 0;
        while (k < providers.count && !muster__driver_at(engine, providers.ids[k])->done[step])
            k++;
        if (k < providers.count)
            continue;
        for (k = 0; k < providers.count && !is_coming(muster__driver_at(engine, providers.ids[k]), step);)
            k++;
        *ret_culprit = muster__driver_at(engine, providers.ids[k < providers.count ? k : 0]);
        return need;
    }
    return NULL;
}

/* If something that it needs isn't up, block it, or let it wait for what is coming: then it is told. */
static bool block(struct muster_driver *driver, enum muster__step step)
{
    const struct muster_driver *culprit;
    if (driver->engine->behind_count == 0)
        return false;
    const char *need = missing_need(driver, step, &culprit);
    if (need == NULL)
        return false;
    if (is_coming(culprit, step))
        return true;
    fall(driver, MUSTER_DRIVER_BLOCKED,
         muster__error_new(driver->engine->memory, MUSTER_EDEPENDENCY, culprit->rest->error, "driver '%s': needs %s",
                           muster_driver_name(driver), need));
    return true;
}

/* ---- initialize ------------------------------------------------------------------------------------ */

static bool initialized(struct muster_driver *driver)
{
    if (driver->behind)
        driver->rest->tries = 0;
    if (muster__edges_check(driver) != 0) {
        fall(driver, MUSTER_DRIVER_FAILED,
             muster__error_new(driver->engine->memory, MUSTER_ENOMEM, NULL, "driver '%s': out of memory",
                               muster_driver_name(driver)));
        return false;
    }
    muster__driver_move(driver, MUSTER_DRIVER_INITIALIZED);
    driver->done[MUSTER__STEP_INITIALIZE] = true;
    muster__step_settled(driver, MUSTER__STEP_INITIALIZE);
    return goes_on(driver);
}

/* Records that no resource has claimed are offered to restore, or reported. */
static void restore(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    struct muster__ledger *ledger = muster__ledger_find(engine, muster_driver_name(driver));
    struct muster__list *head = ledger == NULL ? NULL : &ledger->entries;
    for (struct muster__list *link = head == NULL ? NULL : head->next; link != head; link = link->next) {
        struct muster__entry *entry = muster__container(link, struct muster__entry, in_ledger);
        if (entry->record == NULL || entry->resource != NULL)
            continue;
        if (driver->rest->def.restore != NULL)
            muster__list_push(&driver->rest->restores, &entry->restoring);
        else
            muster__observe_unclaimed(engine, entry, NULL);
        driver->restoring = true;
    }
    muster__dispatch_update(driver);
    muster__driver_touch(driver);
}

/* It has taken what it needs, and is to let go of it in the end. */
static void take_hold(struct muster_driver *driver)
{
    driver->holds = true;
    if (driver->engine->entries.count > 0)
        restore(driver);
}

/* A second try counts from now: what has initialized since may be of use to it. */
void muster__driver_use(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    uint32_t kept = 0;
    for (uint32_t i = 0; driver->used && i < engine->used_count; i++)
        if (engine->used[i] != driver->id)
            engine->used[kept++] = engine->used[i];
    if (driver->used)
        engine->used_count = kept;
    driver->used = true;
    engine->used[engine->used_count++] = driver->id;
}

/* It waits for nobody (any more). False: not yet, it has fallen, or its callback is due. */
static bool begin(struct muster_driver *driver)
{
    const struct muster__engine *engine = driver->engine;
    if (driver->tier > engine->open_tier || !engine->begun || block(driver, MUSTER__STEP_INITIALIZE))
        return false;
    muster__driver_move(driver, MUSTER_DRIVER_INITIALIZING);
    driver->op_wanted = driver->initialize != NULL;
    if (driver->op_wanted)
        return false;
    muster__driver_use(driver);
    take_hold(driver);
    return goes_on(driver);
}

static bool look_waiting(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    if (driver->id >= engine->checked || muster__driver_waits(driver, MUSTER__STEP_INITIALIZE))
        return false;
    bool goes_on = begin(driver);
    if (driver->op_wanted)
        muster__ready_add(&engine->ready, muster__turn_position(engine, MUSTER__STEP_INITIALIZE, driver->id));
    return goes_on;
}

static bool look_initializing(struct muster_driver *driver)
{
    if (driver->op_wanted || driver->op != NULL)
        return false;
    if (driver->restoring && (driver->rest->restores_out > 0 || !muster__list_empty(&driver->rest->restores)))
        return false;
    if (driver->restoring)
        muster__dispatch_update(driver); /* records that a user has claimed or forgotten may have left it in line */
    return initialized(driver);
}

/* ---- reconcile ------------------------------------------------------------------------------------ */

static bool look_initialized(struct muster_driver *driver)
{
    if (driver->reconciles &&
        (muster__driver_waits(driver, MUSTER__STEP_RECONCILE) || block(driver, MUSTER__STEP_RECONCILE)))
        return false;
    muster__driver_move(driver, MUSTER_DRIVER_RECONCILING);
    driver->op_wanted = driver->reconciles;
    if (driver->op_wanted)
        muster__dispatch_update(driver);
    else
        open_resources(driver);
    return goes_on(driver);
}

static bool look_reconciling(struct muster_driver *driver)
{
    if (driver->op_wanted || driver->op != NULL)
        return false;
    open_resources(driver);
    if (muster__driver_waits_for_resources(driver))
        return false;
    muster__driver_move(driver, MUSTER_DRIVER_RECONCILED);
    driver->done[MUSTER__STEP_RECONCILE] = true;
    muster__step_settled(driver, MUSTER__STEP_RECONCILE);
    touch_resources(driver);
    /* (When the barrier opens, all are looked at, in the plan's order.) */
    return goes_on(driver) && driver->engine->tiers[driver->tier].barrier_open;
}

/* ---- autostart ------------------------------------------------------------------------------------ */

/* From here on its resources' starts are waited for. */
static void begin_counting(struct muster_driver *driver)
{
    driver->counting = true;
    if (driver->resource_count == 0)
        return;
    struct muster__list *head = &driver->rest->roster->resources;
    for (struct muster__list *link = head->next; link != head; link = link->next) {
        struct muster_resource *resource = muster__container(link, struct muster_resource, in_driver);
        driver->rest->unsettled += !resource->counted;
        resource->counted = true;
        muster__resource_touch(resource);
    }
    muster__driver_touch(driver);
}

static bool may_autostart(struct muster_driver *driver)
{
    return muster__barrier_open(driver) && !muster__driver_waits(driver, MUSTER__STEP_AUTOSTART) &&
           !block(driver, MUSTER__STEP_AUTOSTART);
}

static bool look_reconciled(struct muster_driver *driver)
{
    if (!may_autostart(driver))
        return false;
    driver->counting = false;
    muster__driver_move(driver, MUSTER_DRIVER_AUTOSTARTING);
    driver->op_wanted = driver->autostarts;
    if (driver->op_wanted)
        muster__dispatch_update(driver);
    else
        begin_counting(driver);
    return goes_on(driver);
}

static void look_autostarting(struct muster_driver *driver)
{
    if (driver->op_wanted || driver->op != NULL || !driver->counting || muster__driver_waits_for_resources(driver))
        return;
    if (driver->behind)
        driver->rest->tries = 0;
    muster__driver_move(driver, MUSTER_DRIVER_UP);
    driver->done[MUSTER__STEP_AUTOSTART] = true;
    muster__step_settled(driver, MUSTER__STEP_AUTOSTART);
}

bool muster__driver_can_start_waiting(const struct muster_driver *driver)
{
    return driver->state == MUSTER_DRIVER_UP || (driver->state == MUSTER_DRIVER_AUTOSTARTING && driver->counting);
}

/* ---- a driver that has nothing but initialize -------------------------------------------------------- */

/* Nothing is done between the ends of two of its steps, and nobody hears of what lies there. */
static bool is_plain(const struct muster_driver *driver)
{
    return !driver->reconciles && !driver->autostarts && !driver->restoring && !driver->behind &&
           driver->resource_count == 0 && goes_on(driver);
}

static void settle(struct muster_driver *driver, enum muster__step step)
{
    driver->done[step] = true;
    muster__step_settled(driver, step);
}

static void pass_reconcile(struct muster_driver *driver)
{
    driver->open = true;
    muster__driver_move(driver, MUSTER_DRIVER_RECONCILED);
    settle(driver, MUSTER__STEP_INITIALIZE);
    settle(driver, MUSTER__STEP_RECONCILE);
}

static void pass_autostart(struct muster_driver *driver)
{
    driver->counting = true;
    muster__driver_move(driver, MUSTER_DRIVER_UP);
    settle(driver, MUSTER__STEP_AUTOSTART);
}

/* Initialize ends, and so does reconcile; the barrier opens, and it is up. False: it is in another state. */
static bool look_plain(struct muster_driver *driver)
{
    switch (driver->state) {
    case MUSTER_DRIVER_INITIALIZING:
        if (driver->op_wanted || driver->op != NULL)
            return true;
        pass_reconcile(driver);
        if (!driver->engine->tiers[driver->tier].barrier_open)
            return true;
        /* fall through */
    case MUSTER_DRIVER_RECONCILED:
        if (may_autostart(driver))
            pass_autostart(driver);
        return true;
    default:
        return false;
    }
}

/* ---- late recovery ---------------------------------------------------------------------------------- */

/* Go back to where it fell. */
static void resume(struct muster_driver *driver)
{
    static const enum muster_driver_state back[] = {
        [MUSTER__STEP_INITIALIZE] = MUSTER_DRIVER_WAITING,
        [MUSTER__STEP_RECONCILE] = MUSTER_DRIVER_INITIALIZED,
        [MUSTER__STEP_AUTOSTART] = MUSTER_DRIVER_RECONCILED,
    };
    muster__timer_clear(driver->engine, &driver->rest->retry);
    muster__driver_move(driver, back[driver->rest->fell_in]);
    touch_resources(driver);
}

static void look_blocked(struct muster_driver *driver)
{
    const struct muster_driver *culprit;
    const char *need = missing_need(driver, driver->rest->fell_in, &culprit);
    if (need != NULL)
        return;
    resume(driver);
    muster__driver_touch(driver);
}

static void retry_expired(struct muster__engine *engine, struct muster__timer *timer)
{
    struct muster_driver *driver = muster__container(timer, struct muster__driver_rest, retry)->driver;
    if (!muster__going_down(engine) && driver->state == MUSTER_DRIVER_DEFERRED)
        resume(driver);
}

int muster__driver_retry_event(struct muster__engine *engine, const struct muster__event *event)
{
    struct muster_driver *driver = event->driver;
    bool only_deferred = event->number == 1;
    enum muster_driver_state state = driver->state;
    if (only_deferred && state != MUSTER_DRIVER_DEFERRED)
        return 0;
    if (muster__going_down(engine) ||
        (state != MUSTER_DRIVER_DEFERRED && state != MUSTER_DRIVER_FAILED && state != MUSTER_DRIVER_SKIPPED))
        return muster__refuse(engine, MUSTER_ESTATE,
                              "driver '%s' is %s: only one that has failed, skipped or is deferred can be retried",
                              muster_driver_name(driver), muster_driver_state_name(state));
    if (driver->op != NULL)
        return muster__refuse(engine, MUSTER_EBUSY, "driver '%s': %s has timed out and is unfinished",
                              muster_driver_name(driver), muster_phase_name(driver->op->phase));
    driver->rest->tries = 0;
    resume(driver);
    return 0;
}

/* ---- looks and ops ------------------------------------------------------------------------------------ */

/* From its state on as far as it goes at once. (Not inline: a plain one needs none of it.) */
static __attribute__((noinline)) void look_at_steps(struct muster_driver *driver)
{
    switch (driver->state) {
    case MUSTER_DRIVER_WAITING:
        if (!look_waiting(driver))
            break;
        /* fall through */
    case MUSTER_DRIVER_INITIALIZING:
        if (!look_initializing(driver))
            break;
        /* fall through */
    case MUSTER_DRIVER_INITIALIZED:
        if (!look_initialized(driver))
            break;
        /* fall through */
    case MUSTER_DRIVER_RECONCILING:
        if (!look_reconciling(driver))
            break;
        /* fall through */
    case MUSTER_DRIVER_RECONCILED:
        if (!look_reconciled(driver))
            break;
        /* fall through */
    case MUSTER_DRIVER_AUTOSTARTING:
        look_autostarting(driver);
        break;
    case MUSTER_DRIVER_BLOCKED:
        look_blocked(driver);
        break;
    default:
        break;
    }
}

static void look(struct muster_driver *driver)
{
    if (!is_plain(driver) || !look_plain(driver))
        look_at_steps(driver);
}

static struct muster_driver *begin_look(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    struct muster_driver *outer = engine->looked_at;
    engine->looked_at = engine->observed ? NULL : driver;
    return outer;
}

void muster__driver_look(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    if (muster__going_down(engine))
        return;
    struct muster_driver *outer = begin_look(driver);
    look(driver);
    engine->looked_at = outer;
}

void muster__driver_take_turn(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    if (muster__going_down(engine))
        return;
    struct muster_driver *outer = begin_look(driver);
    if (begin(driver))
        look(driver);
    engine->looked_at = outer;
}

/* Add what the op has added. The first failure ends it; what was added stays. */
static struct muster_error *apply_added(struct muster_driver *driver, struct muster_op *op)
{
    struct muster_error *first = NULL;
    for (struct muster__list *link; (link = muster__list_pop(&op->effects.added)) != NULL;) {
        struct muster_resource *resource = muster__resource_of_link(link);
        int code = muster__resource_insert(driver, resource);
        if (code == 0)
            continue;
        struct muster_error *error =
            muster__error_new(driver->engine->memory, code, NULL, "%s '%s': %s", muster_driver_name(driver),
                              resource->name, muster_code_text(code));
        muster__problem(driver->engine, error);
        muster__resource_discard(driver->engine, resource);
        if (first == NULL)
            first = error;
        else
            muster__error_unref(error);
    }
    return first;
}

static void restore_finished(struct muster_driver *driver, struct muster_op *op)
{
    if (!op->timed_out)
        driver->rest->restores_out--;
    if (muster__going_down(driver->engine))
        return;
    const struct muster_record *record = &op->record->is;
    struct muster_error *error = muster__op_error(op);
    if (error == NULL)
        error = apply_added(driver, op);
    struct muster__entry *entry = muster__entry_get(driver->engine, record->driver, record->name);
    if (entry != NULL && entry->resource == NULL && entry->record != NULL)
        muster__observe_unclaimed(driver->engine, entry, error);
    muster__error_unref(error);
    muster__dispatch_update(driver);
    muster__driver_touch(driver);
}

static void restore_timed_out(struct muster_driver *driver, struct muster_error *error)
{
    driver->rest->restores_out--;
    muster__problem(driver->engine, error);
    muster__dispatch_update(driver);
    muster__driver_touch(driver);
}

static void succeeded(struct muster_driver *driver, enum muster_phase phase)
{
    if (phase == MUSTER_PHASE_INITIALIZE)
        take_hold(driver);
    else if (phase == MUSTER_PHASE_RECONCILE)
        driver->rest->tries = 0;
    else if (phase == MUSTER_PHASE_AUTOSTART)
        begin_counting(driver);
    muster__driver_look_early(driver);
}

/* An op that had timed out has succeeded after all, and nothing newer has happened: as if it had been in time. */
static void recover_late(struct muster_driver *driver, enum muster_phase phase)
{
    static const enum muster_driver_state on[] = {
        [MUSTER_PHASE_INITIALIZE] = MUSTER_DRIVER_INITIALIZING,
        [MUSTER_PHASE_RECONCILE] = MUSTER_DRIVER_RECONCILING,
        [MUSTER_PHASE_AUTOSTART] = MUSTER_DRIVER_AUTOSTARTING,
    };
    resume(driver);
    muster__driver_move(driver, on[phase]);
}

static void end_phase(struct muster_driver *driver, struct muster_op *op, struct muster_error *error)
{
    int outcome = op->effects.outcome;
    if (error == NULL)
        succeeded(driver, op->phase);
    else
        fall(driver, outcome == MUSTER_UNAVAILABLE  ? MUSTER_DRIVER_DEFERRED
                     : error->code == MUSTER_ESKIPPED ? MUSTER_DRIVER_SKIPPED
                                                      : MUSTER_DRIVER_FAILED,
             muster__error_ref(error));
}

/* `error`'s reference is taken. */
static void shutdown_finished(struct muster_driver *driver, struct muster_error *error)
{
    if (error != NULL)
        muster__problem(driver->engine, error);
    muster__error_unref(error);
    if (driver->state == MUSTER_DRIVER_SHUTTING_DOWN)
        muster__driver_move(driver, MUSTER_DRIVER_DOWN);
}

/* What it has added is let go of. What has initialized after all is to be shut down. */
static void ended_on_the_way_down(struct muster_driver *driver, const struct muster_op *op)
{
    if (op->phase == MUSTER_PHASE_INITIALIZE && op->effects.outcome == MUSTER_OK)
        driver->holds = true;
    if (driver->engine->state == MUSTER_STATE_DOWN && driver->state != MUSTER_DRIVER_DOWN)
        muster__driver_move(driver, MUSTER_DRIVER_DOWN);
}

static void reload_finished(struct muster_driver *driver, struct muster_op *op)
{
    if (op->effects.outcome == MUSTER_OK)
        muster__error_unref(apply_added(driver, op));
    muster__reload_finished(driver, op);
}

static void phase_finished(struct muster_driver *driver, struct muster_op *op)
{
    struct muster_error *error = muster__op_error(op);
    if (op->timed_out && error == NULL)
        recover_late(driver, op->phase);
    if (error == NULL && !muster__list_empty(&op->effects.added))
        error = apply_added(driver, op);
    if (!op->timed_out || error == NULL)
        end_phase(driver, op, error);
    muster__error_unref(error);
}

/* As most end: there is nothing to it but that. */
static bool is_simple_end(const struct muster_op *op)
{
    return op->effects.outcome == MUSTER_OK && op->phase == MUSTER_PHASE_INITIALIZE && !op->timed_out &&
           muster__list_empty(&op->effects.added) && !muster__going_down(op->engine);
}

void muster__driver_op_finished(struct muster_driver *driver, struct muster_op *op)
{
    if (is_simple_end(op)) {
        driver->op = NULL;
        succeeded(driver, MUSTER_PHASE_INITIALIZE);
        return;
    }
    if (op->phase == MUSTER_PHASE_RESTORE) {
        restore_finished(driver, op);
        return;
    }
    driver->op = NULL;
    if (op->phase == MUSTER_PHASE_SHUTDOWN)
        shutdown_finished(driver, muster__op_error(op));
    else if (muster__going_down(driver->engine))
        ended_on_the_way_down(driver, op);
    else if (op->phase == MUSTER_PHASE_RELOAD)
        reload_finished(driver, op);
    else
        phase_finished(driver, op);
}

void muster__driver_op_timed_out(struct muster_driver *driver, struct muster_op *op)
{
    struct muster__engine *engine = driver->engine;
    struct muster_error *error = muster__error_new(
        engine->memory, MUSTER_ETIMEDOUT, NULL, "driver '%s': %s: not finished after %llu ms, state unknown",
        muster_driver_name(driver), muster_phase_name(op->phase), (unsigned long long)(engine->now - op->called_ms));
    muster__observe_op(op, MUSTER_OBSERVE_OP_TIMEOUT, MUSTER_ETIMEDOUT, error);
    if (op->phase == MUSTER_PHASE_SHUTDOWN)
        shutdown_finished(driver, muster__error_ref(error));
    else if (op->phase == MUSTER_PHASE_RELOAD)
        muster__reload_timed_out(driver, error);
    else if (op->phase == MUSTER_PHASE_RESTORE)
        restore_timed_out(driver, error);
    else if (muster__going_down(engine))
        muster__problem(engine, error);
    else
        fall(driver, MUSTER_DRIVER_FAILED, muster__error_ref(error));
    muster__error_unref(error);
}

/* ---- life ------------------------------------------------------------------------------------------- */

static int reserve_blocks(struct muster__engine *engine)
{
    if (engine->driver_count < engine->block_count * MUSTER__BLOCK_DRIVERS)
        return 0;
    void *blocks = engine->blocks;
    int code = muster__grow(engine->memory, &blocks, engine->block_count, &engine->block_capacity, sizeof(*engine->blocks));
    engine->blocks = blocks;
    if (code != 0)
        return code;
    char *memory = muster__alloc(engine->memory, MUSTER__BLOCK_DRIVERS + 1, MUSTER__LINE);
    if (memory == NULL)
        return MUSTER_ENOMEM;
    engine->blocks[engine->block_count++] =
        (struct muster__driver_block){memory, (void *)(memory + MUSTER__LINE - (uintptr_t)memory % MUSTER__LINE)};
    return 0;
}

static void init_definition(struct muster_driver *driver, const struct muster_driver_def *def)
{
    struct muster_driver_def *own = &driver->rest->def;
    *own = *def;
    own->name = NULL; /* the graph has it, and the lists */
    own->needs = own->wants = own->after = own->before = own->provides = NULL;
    driver->initialize = def->initialize;
    driver->reconciles = def->reconcile != NULL;
    driver->autostarts = def->autostart != NULL;
    driver->threaded = def->threaded != 0;
}

struct muster_driver *muster__driver_new(struct muster__engine *engine, const struct muster_driver_def *def, void *data)
{
    struct muster__driver_rest *rest = muster__new(engine->memory, struct muster__driver_rest);
    if (rest == NULL || reserve_blocks(engine) != 0) {
        muster__free(engine->memory, rest);
        return NULL;
    }
    struct muster_driver *driver = muster__driver_at(engine, engine->driver_count);
    *driver = (struct muster_driver){
        .engine = engine, .rest = rest, .id = (uint32_t)engine->driver_count, .data = data};
    rest->driver = driver;
    rest->roster = &engine->empty_roster;
    muster__list_init(&rest->restores);
    init_definition(driver, def);
    if (muster__timer_init(engine, &rest->retry, retry_expired) == 0)
        return driver;
    muster__driver_free(driver);
    return NULL;
}

void muster__driver_free(struct muster_driver *driver)
{
    struct muster__engine *engine = driver->engine;
    struct muster__driver_rest *rest = driver->rest;
    muster__roster_free(engine, rest->roster);
    while (muster__list_pop(&rest->restores) != NULL)
        continue; /* entries outlive drivers */
    muster__timer_fini(engine, &rest->retry);
    muster__error_unref(rest->error);
    muster__free(engine->memory, rest);
}

void muster__driver_blocks_free(struct muster__engine *engine)
{
    for (size_t i = 0; i < engine->block_count; i++)
        muster__free(engine->memory, engine->blocks[i].memory);
    muster__free(engine->memory, engine->blocks);
}

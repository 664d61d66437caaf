/* SPDX-License-Identifier: MIT */
#include "life.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

/* ---- what fails */

static bool says_memory(int code, const struct muster_error *error)
{
    bool says = code == MUSTER_ENOMEM;
    for (; error != NULL && !says; error = muster_error_next(error))
        says = strstr(muster_error_text(error), muster_code_text(MUSTER_ENOMEM)) != NULL ||
               strstr(muster_error_text(error), strerror(ENOMEM)) != NULL;
    return says;
}

/* Who starts or stops others, too, may hear of one that it isn't as it should be, and not why. */
static bool is_clear(int code, const struct muster_error *error)
{
    return says_memory(code, error) || (code == MUSTER_EDEPENDENCY && strstr(muster_error_text(error), "needs") != NULL);
}

static void problem(struct life *life, const char *what, int code, const struct muster_error *error)
{
    const char *text = error != NULL ? muster_error_text(error) : muster_code_text(code);
    if (life->strict)
        bad("%s: %s: %s", what, muster_code_name(code), text);
    else if (life->problems == 0 && !life->gave_up && !is_clear(code, error))
        bad("%s fails first, and doesn't say that memory is short: %s: %s", what, muster_code_name(code), text);
    else if (text[0] == '\0')
        bad("%s: %s, without a word", what, muster_code_name(code));
    life->problems++;
}

/* ---- requests */

static struct ending *ask(struct life *life, const char *what)
{
    struct ending *ending = &life->endings[life->asked++];
    *ending = (struct ending){.life = life, .what = what};
    return ending;
}

/* A bring-up may succeed and say what hasn't come up. */
static void note_end(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct ending *ending = data;
    (void)context;
    ending->times++;
    ending->code = code;
    /* A shutdown that may not take long has no time on a slow machine. */
    if (code == MUSTER_ETIMEDOUT && ending->life->shutdown_timeout_ms > 0)
        return;
    if (code != 0 || error != NULL)
        problem(ending->life, ending->what, code != 0 ? code : muster_error_code(error), error);
}

/* In ms, and how often that long, or shorter: so long the host waits for what isn't to be. */
#define PATIENCE 5
#define PATIENCES 5

static void turn(struct life *life)
{
    struct pollfd ready = {.fd = muster_fd(life->context), .events = POLLIN};
    int timeout = muster_timeout(life->context);
    if (life->starves != NULL && (timeout < 0 || timeout > PATIENCE))
        timeout = PATIENCE;
    bool idle = poll(&ready, 1, timeout) == 0;
    life->idle += idle;
    if (life->starves != NULL && life->idle >= PATIENCES && !life->starves())
        life->gave_up = true;
    int code = muster_process(life->context);
    if (code != 0)
        bad("muster_process: %s", muster_code_name(code));
}

/* `code` is what the request returned. How it ended; MUSTER_ECANCELED: it hasn't. */
static int await(struct ending *ending, int code)
{
    struct life *life = ending->life;
    if (code != 0) {
        problem(life, ending->what, code, muster_get_error(life->context));
        return code;
    }
    life->idle = 0;
    while (ending->times == 0 && !life->gave_up)
        turn(life);
    if (ending->times > 1)
        bad("%s ended %u times", ending->what, ending->times);
    return ending->times == 0 ? MUSTER_ECANCELED : ending->code;
}

static void at_once(struct life *life, const char *what, int code)
{
    if (code != 0)
        problem(life, what, code, NULL);
}

/* NULL: what should have made it failed. */
static struct muster_resource *find(struct life *life, const char *name)
{
    struct muster_resource *resource = muster_resource_find(life->context, name);
    if (resource == NULL && !life->gave_up && (life->strict || life->problems == 0))
        bad("%s isn't there", name);
    return resource;
}

static void doubt(enum thing_id id, enum wanted wanted)
{
    if (world.things[id].wanted != wanted)
        world.things[id].wanted = WANTED_UNKNOWN;
}

static void start(struct life *life, enum thing_id id)
{
    struct ending *ending = ask(life, "start");
    struct muster_request_options options;
    struct muster_resource *resource = find(life, thing_name(id));
    if (resource == NULL)
        return;
    MUSTER_REQUEST_OPTIONS_INIT(&options);
    options.flags = MUSTER_START_DEPENDENCIES;
    doubt(id, WANTED_ACTIVE);
    if (id == THING_WEB)
        doubt(THING_DISK, WANTED_ACTIVE);
    int code = await(ending, muster_resource_start(resource, &options, note_end, ending));
    world.things[id].may_stop = life->gave_up;
    if (code != 0)
        return;
    world.things[id].wanted = WANTED_ACTIVE;
    if (id == THING_WEB)
        world.things[THING_DISK].wanted = WANTED_ACTIVE;
}

static void expect_stop(enum thing_id id)
{
    doubt(id, WANTED_INACTIVE);
    world.things[id].may_stop = true;
}

/* A stop of others that was asked for by this one goes on when this one fails. */
static void note_stop(const struct life *life, enum thing_id id, bool stopped)
{
    world.things[id].may_stop = life->gave_up || !stopped;
    if (stopped)
        world.things[id].wanted = WANTED_INACTIVE;
}

/* With the disk goes web, if its driver has told of it. */
static void stop(struct life *life, enum thing_id id)
{
    struct ending *ending = ask(life, "stop");
    struct muster_request_options options;
    struct muster_resource *resource = find(life, thing_name(id));
    bool both = id == THING_DISK && muster_resource_find(life->context, thing_name(THING_WEB)) != NULL;
    if (resource == NULL)
        return;
    MUSTER_REQUEST_OPTIONS_INIT(&options);
    options.flags = MUSTER_STOP_CASCADE;
    expect_stop(id);
    if (both)
        expect_stop(THING_WEB);
    int code = await(ending, muster_resource_stop(resource, &options, note_end, ending));
    note_stop(life, id, code == 0);
    if (both)
        note_stop(life, THING_WEB, code == 0);
    else if (id == THING_DISK)
        doubt(THING_WEB, WANTED_INACTIVE);
}

/* ---- coming and going */

static void ignore(struct muster *context, void *data, const struct muster_observation *observation)
{
    (void)context;
    (void)data;
    (void)observation;
}

/* False: there is no context. */
static bool make_context(struct life *life)
{
    struct muster_options options;
    struct muster_store *store = NULL;
    int code = life->backend->make(life->allocator, &store);
    if (code == 0) {
        MUSTER_OPTIONS_INIT(&options);
        options.store = store;
        options.allocator = life->allocator;
        options.boot_id = life->boot_id;
        options.retry_min_ms = 1;
        options.retry_max_ms = 4;
        options.shutdown_timeout_ms = life->shutdown_timeout_ms;
        code = muster_new(&options, &life->context);
    }
    at_once(life, "a new context", code);
    if (code != 0)
        muster_store_free(store);
    return code == 0;
}

/* What is refused is asked for once more. False: there is no daemon. */
static bool come(struct life *life)
{
    struct ending *up = ask(life, "bring-up");
    if (!make_context(life))
        return false;
    at_once(life, "observe", muster_observe(life->context, ignore, NULL));
    at_once(life, "add drivers", world_add_drivers(life->context));
    for (int i = 0; i < 2 && up->times == 0 && !life->gave_up; i++)
        await(up, muster_bring_up(life->context, note_end, up));
    if (up->times > 0 || life->gave_up)
        return true;
    if (muster_free(life->context) != 0)
        bad("a context that was never brought up can't be freed");
    return false;
}

/* So is the shutdown; then the process would end. */
static void go(struct life *life)
{
    struct ending *down = ask(life, "shutdown");
    world.host_shutdown = life->kind == MUSTER_HOST_SHUTDOWN;
    if (life->gave_up)
        life->starves = NULL;
    life->gave_up = false;
    for (int i = 0; i < 2 && down->times == 0 && muster_state(life->context) != MUSTER_STATE_DOWN; i++)
        await(down, muster_shutdown(life->context, life->kind, note_end, down));
    int code = muster_free(life->context);
    if (code != 0)
        bad("muster_free: %s", muster_code_name(code));
    world.host_shutdown = false;
}

/* ---- in between */

static void note_post(struct muster *context, void *data)
{
    note_end(context, data, 0, NULL);
}

static void post(struct life *life)
{
    struct ending *ending = ask(life, "post");
    await(ending, muster_post(life->context, note_post, ending));
}

static void reload(struct life *life)
{
    struct ending *ending = ask(life, "reload");
    await(ending, muster_reload(life->context, note_end, ending));
}

static void settle(struct life *life)
{
    struct ending *ending = ask(life, "milestone");
    await(ending, muster_when(life->context, MUSTER_SETTLED, note_end, ending));
}

/* Of the old one, whose config is gone; it runs on. */
static void rename_record(struct life *life)
{
    struct ending *moved = ask(life, "move a record");
    struct ending *forgotten = ask(life, "forget a record");
    if (await(moved, muster_record_move(life->context, "guest/old", "guest/older", note_end, moved)) == 0)
        await(forgotten, muster_record_forget(life->context, "guest/older", note_end, forgotten));
}

static void change_late(struct life *life)
{
    struct thing *late = &world.things[THING_LATE];
    struct muster_resource *resource = find(life, thing_name(THING_LATE));
    if (resource == NULL)
        return;
    at_once(life, "set needs", muster_resource_set_needs(resource, (const char *const[]){"pool/disk", NULL},
                                                         (const char *const[]){"guest/web", NULL}));
    at_once(life, "set policy", muster_resource_set_policy(resource, MUSTER_UNLESS_STOPPED));
    start(life, THING_LATE);
    if (!late->live)
        return;
    late->live = false;
    late->wanted = WANTED_UNKNOWN;
    at_once(life, "a loss", muster_resource_changed(resource, MUSTER_CHANGED_LOST));
    settle(life);
}

/* It is busy while it is probed and recorded. */
static void remove_resource(struct life *life, struct muster_resource *resource)
{
    int code;
    life->idle = 0;
    while ((code = muster_resource_remove(resource)) == MUSTER_EBUSY && !life->gave_up) {
        life->idle += poll(NULL, 0, 1) == 0;
        turn(life);
    }
    if (!life->gave_up)
        at_once(life, "remove a resource", code);
}

static void add_another(struct life *life)
{
    struct muster_resource_def def;
    struct muster_resource *resource = NULL;
    struct muster_driver *pool = muster_driver_find(life->context, "pool");
    static struct thing another;
    if (pool == NULL || muster_driver_state(pool) != MUSTER_DRIVER_UP)
        return;
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.name = "another";
    def.after = (const char *const[]){"pool/disk", NULL};
    def.data = &another;
    int code = muster_resource_add(pool, &def, &resource);
    at_once(life, "add a resource", code);
    if (code == 0)
        remove_resource(life, resource);
}

static int count_problems(const struct muster_record *record, int is_claimed, void *data)
{
    (void)is_claimed;
    *(unsigned *)data += (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    return 0;
}

static void look(struct life *life)
{
    unsigned quarantined = 0;
    at_once(life, "list the records", muster_record_foreach(life->context, count_problems, &quarantined));
    if (quarantined > 0)
        bad("%u records are quarantined", quarantined);
    at_once(life, "check", muster_check(life->context));
}

static void plan(struct life *life)
{
    struct muster_plan *plan = NULL;
    const uint32_t *ids;
    size_t count;
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    int code = muster_plan_new(life->allocator, &plan);
    for (int i = 0; i < 2 && code == 0; i++) {
        def.name = i == 0 ? "guest" : "pool";
        def.needs = (const char *const[]){i == 0 ? "pool" : NULL, NULL};
        code = muster_plan_add(plan, &def);
    }
    if (code == 0)
        code = muster_plan_sort(plan);
    if (code == 0)
        code = muster_plan_waits_for(plan, 0, &ids, &count);
    at_once(life, "a plan", code);
    muster_plan_free(plan);
}

void life_whole(struct life *life)
{
    plan(life);
    if (!come(life))
        return;
    settle(life);
    post(life);
    stop(life, THING_WEB);
    start(life, THING_WEB);
    stop(life, THING_DISK);
    start(life, THING_WEB);
    reload(life);
    change_late(life);
    add_another(life);
    if (life->backend->durable)
        rename_record(life);
    look(life);
    stop(life, THING_DB);
    go(life);
}

void life_begin(struct life *life)
{
    world.first = true;
    if (come(life)) {
        start(life, THING_WEB);
        start(life, THING_TEMP);
        start(life, THING_OLD);
        go(life);
    }
    world.first = false;
}

/* ---- and afterwards */

/* What it needs doesn't run. */
static bool may_wait(enum thing_id id)
{
    bool disk = world.things[THING_DISK].live;
    return (id == THING_WEB && !disk) || (id == THING_LATE && (!disk || !world.things[THING_DB].live));
}

static void compare(struct life *life, enum thing_id id)
{
    const struct thing *thing = &world.things[id];
    struct muster_resource_status status;
    char handle[32];
    struct muster_resource *resource = muster_resource_find(life->context, thing_name(id));
    if (thing->wanted != WANTED_UNKNOWN && thing->live != (thing->wanted == WANTED_ACTIVE))
        bad("%s %s", thing_name(id),
            thing->live ? "runs, and its stop was acknowledged" : "doesn't run, and its start was acknowledged");
    if (resource == NULL) {
        if (id <= THING_DB || (id == THING_TEMP && thing->live && life->backend->durable))
            bad("%s isn't there", thing_name(id));
        return;
    }
    MUSTER_RESOURCE_STATUS_INIT(&status);
    muster_resource_state(resource, &status);
    bool settled = status.condition == MUSTER_CONDITION_NONE || (status.condition == MUSTER_CONDITION_WAITING && may_wait(id));
    if ((status.stage == MUSTER_STAGE_ACTIVE) != thing->live || !settled || !status.durable)
        bad("%s is %s (%s), and %s", thing_name(id), muster_stage_name(status.stage), muster_condition_name(status.condition),
            thing->live ? "runs" : "doesn't run");
    if (thing->wanted != WANTED_UNKNOWN && (status.desired == MUSTER_DESIRED_ACTIVE) != (thing->wanted == WANTED_ACTIVE))
        bad("%s is to be %s, and that isn't what was acknowledged", thing_name(id), muster_desired_name(status.desired));
    snprintf(handle, sizeof(handle), "start %u", thing->start);
    if (thing->live && (status.handle == NULL || strcmp(status.handle, handle) != 0))
        bad("%s has the handle '%s', and not '%s'", thing_name(id), status.handle == NULL ? "" : status.handle, handle);
}

void life_after(struct life *life)
{
    if (!come(life))
        return;
    for (enum thing_id id = 0; id < THINGS; id++)
        compare(life, id);
    start(life, THING_WEB);
    stop(life, THING_WEB);
    reload(life);
    look(life);
    go(life);
}

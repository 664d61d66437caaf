/* SPDX-License-Identifier: MIT */
#include "engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/name.h"

int called(struct muster_op *op)
{
    (void)op;
    abort();
}

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || muster__memory_init(&f->own, NULL) != 0)
        return -1;
    f->memory = failing_memory(&f->failing);
    f->options = (struct muster__engine_options){.has_store = true,
                                                 .seed = {1, 2},
                                                 .boot_id = "boot-1",
                                                 .op_timeout_ms = 1000,
                                                 .store_timeout_ms = 1000,
                                                 .shutdown_timeout_ms = 5000,
                                                 .retry_min_ms = 100,
                                                 .retry_max_ms = 1600,
                                                 .max_attempts = 3};
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_INACTIVE;
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    if (f->engine != NULL) {
        cancel_out(f);
        end_daemon(f);
    }
    for (size_t i = 0; i < f->stored_count; i++)
        muster__record_unref(f->stored[i]);
    bool clean = f->failing.live == 0 && f->held == 0;
    free(f);
    return clean ? 0 : -1;
}

static void append(char *list, const char *separator, const char *format, ...)
{
    size_t used = strlen(list);
    va_list args;
    if (used > 0)
        used += (size_t)snprintf(list + used, FIXTURE_TEXT - used, "%s", separator);
    va_start(args, format);
    vsnprintf(list + used, FIXTURE_TEXT - used, format, args);
    va_end(args);
}

/* ---- the host's part -------------------------------------------------------------------------------- */

static void use_engine(struct fixture *f)
{
    if (f->engine != NULL)
        return;
    f->options.memory = &f->memory;
    assert_int_equal(muster__engine_new(&f->options, &f->engine), 0);
    muster__engine_observe(f->engine, true);
    for (size_t i = 0; i < f->driver_count; i++)
        step(f, (struct muster__event){.type = MUSTER__EVENT_ADD_DRIVER, .driver_def = &f->drivers[i]});
}

/* A list that lives as long as the fixture. */
static const char *const *keep(struct fixture *f, const char *const *names)
{
    const char **kept = &f->names[f->name_count];
    if (names == NULL)
        return NULL;
    do {
        assert_true(f->name_count < sizeof(f->names) / sizeof(f->names[0]));
        f->names[f->name_count++] = *names;
    } while (*names++ != NULL);
    return kept;
}

int add_driver(struct fixture *f, const struct muster_driver_def *def)
{
    use_engine(f);
    struct muster_driver_def sized = *def;
    sized.size = sizeof(sized);
    int code = step(f, (struct muster__event){.type = MUSTER__EVENT_ADD_DRIVER, .driver_def = &sized});
    if (code != 0)
        return code;
    sized.needs = keep(f, def->needs);
    sized.wants = keep(f, def->wants);
    sized.after = keep(f, def->after);
    sized.before = keep(f, def->before);
    sized.provides = keep(f, def->provides);
    f->drivers[f->driver_count++] = sized;
    return 0;
}

static void let_go(void *data)
{
    struct fixture *f = data;
    f->held--;
}

static struct muster_resource_def completed(struct fixture *f, const struct muster_resource_def *def)
{
    struct muster_resource_def complete = *def;
    complete.size = sizeof(complete);
    complete.data = f;
    complete.release = let_go;
    return complete;
}

void add_config(struct fixture *f, const char *driver, const struct muster_resource_def *def)
{
    struct muster_resource_def *kept = &f->resources[f->resource_count].def;
    f->resources[f->resource_count++].driver = driver;
    *kept = completed(f, def);
    kept->needs = keep(f, def->needs);
    kept->after = keep(f, def->after);
}

void add_record(struct fixture *f, const char *path, const struct muster_record *record)
{
    char driver[MUSTER__NAME_MAX + 1];
    const char *slash = strchr(path, '/');
    snprintf(driver, sizeof(driver), "%.*s", (int)(slash - path), path);
    struct muster_record is = *record;
    is.size = sizeof(is);
    is.driver = driver;
    is.name = slash + 1;
    is.boot = is.boot == NULL ? f->options.boot_id : is.boot;
    is.generation = is.generation == 0 ? 1 : is.generation;
    is.format = MUSTER_RECORD_FORMAT;
    f->stored[f->stored_count++] = muster__record_new(&f->own, &is);
}

void answer(struct fixture *f, const char *call, int outcome)
{
    for (size_t i = 0; i < f->answer_count; i++)
        if (strcmp(f->answers[i].call, call) == 0) {
            f->answers[i].outcome = outcome;
            return;
        }
    f->answers[f->answer_count].call = call;
    f->answers[f->answer_count++].outcome = outcome;
}

int op_adds(struct fixture *f, struct muster_op *op, const struct muster_resource_def *def)
{
    struct muster_resource_def complete = completed(f, def);
    struct muster_resource *resource;
    int code = muster__resource_new(&f->memory, &complete, &resource);
    if (code != 0)
        return code;
    f->held++;
    muster__list_push(&op->effects.added, muster__resource_link(resource));
    return 0;
}

/* ---- ops ------------------------------------------------------------------------------------------------ */

static const char *name_of(const struct muster_op *op)
{
    static char name[2 * MUSTER__NAME_MAX + 32];
    const char *resource = op->resource == NULL ? NULL : muster__resource_name(op->resource);
    if (resource == NULL && op->phase == MUSTER_PHASE_RESTORE)
        resource = op->record->is.name;
    snprintf(name, sizeof(name), "%s%s%s %s", muster_driver_name(op->driver), resource == NULL ? "" : "/",
             resource == NULL ? "" : resource, muster_phase_name(op->phase));
    return name;
}

static size_t place_of(const struct fixture *f, const char *call)
{
    size_t i = 0;
    while (i < f->op_count && strcmp(name_of(f->ops[i]), call) != 0)
        i++;
    return i;
}

bool is_out(const struct fixture *f, const char *call)
{
    return place_of(f, call) < f->op_count;
}

struct muster_op *out(struct fixture *f, const char *call)
{
    size_t place = place_of(f, call);
    if (place == f->op_count)
        fail_msg("%s is not out", call);
    return f->ops[place];
}

static void end_op(struct fixture *f, struct muster_op *op, int outcome)
{
    size_t i = 0;
    while (f->ops[i] != op)
        i++;
    for (f->op_count--; i < f->op_count; i++)
        f->ops[i] = f->ops[i + 1];
    op->effects.outcome = outcome;
    atomic_store(&op->stage, MUSTER__OP_FINISHED);
    f->last = op;
    step(f, (struct muster__event){.type = MUSTER__EVENT_OP_FINISHED, .op = op});
}

void finish(struct fixture *f, const char *call, int outcome)
{
    end_op(f, out(f, call), outcome);
}

void finish_with(struct fixture *f, const char *call, int code, const char *text)
{
    struct muster_op *op = out(f, call);
    snprintf(op->effects.text, sizeof(op->effects.text), "%s", text);
    finish(f, call, code);
}

void finish_handle(struct fixture *f, const char *call, const char *handle)
{
    struct muster_op *op = out(f, call);
    op->effects.handle = handle == NULL ? NULL : muster__strdup(&f->memory, handle);
    op->effects.handle_set = true;
    end_op(f, op, MUSTER_OK);
}

void cancel_out(struct fixture *f)
{
    for (size_t i = 0; i < FIXTURE_PHASES; i++)
        f->outcomes[i] = MUSTER_ECANCELED;
    f->answer_count = 0;
    while (f->op_count > 0)
        end_op(f, f->ops[0], MUSTER_ECANCELED);
}

static int initialize(struct fixture *f, struct muster_op *op, int outcome)
{
    for (size_t i = 0; i < f->resource_count && outcome == MUSTER_OK; i++)
        if (strcmp(f->resources[i].driver, muster_driver_name(op->driver)) == 0)
            outcome = op_adds(f, op, &f->resources[i].def);
    return outcome;
}

static void call(struct fixture *f, struct muster_op *op)
{
    const char *name = name_of(op);
    int outcome = f->outcomes[op->phase];
    append(f->calls, ", ", "%s", name);
    for (size_t i = 0; i < f->answer_count; i++)
        if (strcmp(f->answers[i].call, name) == 0)
            outcome = f->answers[i].outcome;
    atomic_store(&op->stage, MUSTER__OP_OUT);
    assert_true(f->op_count < FIXTURE_MAX);
    f->ops[f->op_count++] = op;
    if (op->phase == MUSTER_PHASE_INITIALIZE)
        outcome = initialize(f, op, outcome);
    if (outcome != MUSTER_PENDING)
        end_op(f, op, outcome);
}

/* ---- the store ------------------------------------------------------------------------------------------ */

static size_t stored_place(const struct fixture *f, const struct muster_record *key)
{
    size_t i = 0;
    while (i < f->stored_count &&
           (f->stored[i]->is.kind != key->kind || strcmp(f->stored[i]->is.driver, key->driver) != 0 ||
            strcmp(f->stored[i]->is.name, key->name) != 0))
        i++;
    return i;
}

static const struct muster_record *stored_kind(struct fixture *f, const char *path, enum muster_record_kind kind)
{
    char driver[MUSTER__NAME_MAX + 1];
    const char *slash = strchr(path, '/');
    snprintf(driver, sizeof(driver), "%.*s", (int)(slash - path), path);
    size_t place = stored_place(f, &(struct muster_record){.kind = kind, .driver = driver, .name = slash + 1});
    return place == f->stored_count ? NULL : &f->stored[place]->is;
}

const struct muster_record *stored(struct fixture *f, const char *path)
{
    return stored_kind(f, path, MUSTER_RECORD_RESOURCE);
}

const struct muster_record *stored_durations(struct fixture *f, const char *path)
{
    return stored_kind(f, path, MUSTER_RECORD_HISTORY);
}

void store_applies(struct fixture *f)
{
    for (size_t i = 0; i < f->batch_count; i++) {
        const struct muster_record *record = &f->batch[i]->is;
        size_t place = stored_place(f, record);
        bool is_new = place == f->stored_count;
        bool removed = (record->flags & MUSTER_RECORD_REMOVED) != 0;
        if (!is_new)
            muster__record_unref(f->stored[place]);
        if (!removed)
            f->stored[place] = muster__record_ref(f->batch[i]);
        else if (!is_new)
            f->stored[place] = f->stored[--f->stored_count];
        f->stored_count += is_new && !removed;
    }
}

static void drop_batch(struct fixture *f)
{
    while (f->batch_count > 0)
        muster__record_unref(f->batch[--f->batch_count]);
}

void store_answers(struct fixture *f, int code)
{
    static const enum muster__event_type ends[] = {[MUSTER__ACTION_LOAD] = MUSTER__EVENT_LOADED,
                                                   [MUSTER__ACTION_COMMIT] = MUSTER__EVENT_COMMITTED,
                                                   [MUSTER__ACTION_CLOSE] = MUSTER__EVENT_CLOSED};
    const struct muster_record *records[FIXTURE_MAX];
    struct muster_error error;
    assert_true(f->store_busy);
    muster__error_init(&error);
    if (code != 0)
        muster_error_set(&error, code, 0, "the fake store says %s", muster_code_name(code));
    for (size_t i = 0; i < f->stored_count; i++)
        records[i] = &f->stored[i]->is;
    if (f->store_call == MUSTER__ACTION_COMMIT && code == 0)
        store_applies(f);
    f->store_busy = false;
    drop_batch(f);
    step(f, (struct muster__event){.type = ends[f->store_call],
                                   .code = code,
                                   .error = code == 0 ? NULL : &error,
                                   .records = records,
                                   .count = code == 0 ? f->stored_count : 0});
}

static void note_record(struct fixture *f, const char *separator, const struct muster_record *record)
{
    bool down = record->stage == MUSTER_STAGE_INACTIVE || record->stage == MUSTER_STAGE_STOPPING;
    if ((record->flags & MUSTER_RECORD_REMOVED) != 0)
        append(f->commits, separator, "%s/%s removed", record->driver, record->name);
    else if (record->kind == MUSTER_RECORD_HISTORY)
        append(f->commits, separator, "%s/%s %s", record->driver, record->name, record->handle);
    else
        append(f->commits, separator, "%s/%s %s%s%s%s", record->driver, record->name,
               muster_stage_name((enum muster_stage)record->stage), down ? " " : "",
               down ? muster_reason_name((enum muster_reason)record->reason) : "",
               down && record->desired == MUSTER_DESIRED_ACTIVE ? " desired" : "");
}

static void call_store(struct fixture *f, const struct muster__action *action)
{
    assert_false(f->store_busy);
    f->store_busy = true;
    f->store_call = action->type;
    assert_true(action->count <= FIXTURE_MAX);
    for (size_t i = 0; i < action->count; i++) {
        note_record(f, i == 0 ? "; " : ", ", action->records[i]);
        f->batch[f->batch_count++] = muster__record_new(&f->own, action->records[i]);
    }
    if (f->store_held)
        return;
    store_answers(f, action->type == MUSTER__ACTION_LOAD     ? f->load_code
                     : action->type == MUSTER__ACTION_COMMIT ? f->commit_code
                                                             : 0);
}

/* ---- events ------------------------------------------------------------------------------------------ */

static void note(struct fixture *f, const struct muster_observation *is)
{
    static const char *const names[] = {"driver", "resource", "begin", "end", "timeout", "late", "twice", "unrecorded",
                                        "loss", "unclaimed", "store", "milestone", "state", "lost", "degraded",
                                        "commit", "extended"};
    char about[2 * MUSTER__NAME_MAX + 2] = "";
    if (is->resource != NULL)
        snprintf(about, sizeof(about), " %s/%s", muster_driver_name(is->driver), muster_resource_name(is->resource));
    else if (is->driver != NULL)
        snprintf(about, sizeof(about), " %s", muster_driver_name(is->driver));
    else if (is->name != NULL)
        snprintf(about, sizeof(about), " %s", is->name);
    bool deadline = is->type == MUSTER_OBSERVE_OP_EXTENDED || is->type == MUSTER_OBSERVE_OP_BEGIN;
    append(f->seen, "\n", "%s%s", names[is->type], about);
    if (deadline && is->deadline_ms == UINT64_MAX)
        append(f->seen, "\n", "deadline%s: none", about);
    else if (deadline)
        append(f->seen, "\n", "deadline%s: in %llu ms", about, (unsigned long long)(is->deadline_ms - is->time_ms));
}

static void pump(struct fixture *f)
{
    struct muster__action action;
    while (f->engine != NULL && muster__engine_action(f->engine, &action)) {
        switch (action.type) {
        case MUSTER__ACTION_CALL:
            call(f, action.op);
            break;
        case MUSTER__ACTION_CANCEL:
            append(f->calls, ", ", "cancel %s", name_of(action.op));
            break;
        case MUSTER__ACTION_DONE:
            action.done.cb(NULL, action.done.data, action.code, action.error);
            break;
        case MUSTER__ACTION_OBSERVE:
            note(f, action.observation);
            break;
        case MUSTER__ACTION_RELEASE:
            if (action.release != NULL)
                action.release(action.data);
            break;
        default:
            call_store(f, &action);
            break;
        }
    }
}

int step(struct fixture *f, struct muster__event event)
{
    use_engine(f);
    event.now = f->now;
    int code = muster__engine_step(f->engine, &event);
    pump(f);
    return code;
}

void pass(struct fixture *f, uint64_t ms)
{
    uint64_t end = f->now + ms;
    do {
        uint64_t wake = muster__engine_wake_at(f->engine);
        f->now = wake < end ? (wake > f->now ? wake : f->now) : end;
        step(f, (struct muster__event){.type = MUSTER__EVENT_TIME});
    } while (f->now < end);
}

void end_daemon(struct fixture *f)
{
    assert_int_equal(muster__engine_free(f->engine), 0);
    f->engine = NULL;
    f->store_busy = false;
    drop_batch(f);
}

static void done(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct ending *ending = data;
    (void)context;
    ending->times++;
    ending->code = code;
    snprintf(ending->text, sizeof(ending->text), "%s", muster_error_text(error));
}

static struct ending *ask(struct fixture *f, struct muster__event event)
{
    assert_true(f->ending_count < FIXTURE_MAX);
    struct ending *ending = &f->endings[f->ending_count++];
    *ending = (struct ending){0};
    event.done = (struct muster__done){done, ending};
    ending->refused = step(f, event);
    if (ending->refused != 0)
        snprintf(ending->text, sizeof(ending->text), "%s", muster_error_text(muster__engine_error(f->engine)));
    return ending;
}

struct ending *bring_up(struct fixture *f)
{
    return ask(f, (struct muster__event){.type = MUSTER__EVENT_BRING_UP});
}

struct ending *when(struct fixture *f, enum muster_milestone milestone)
{
    return ask(f, (struct muster__event){.type = MUSTER__EVENT_WHEN, .number = milestone});
}

struct ending *reload(struct fixture *f)
{
    return ask(f, (struct muster__event){.type = MUSTER__EVENT_RELOAD});
}

struct ending *shut_down(struct fixture *f, enum muster_shutdown_kind kind)
{
    return ask(f, (struct muster__event){.type = MUSTER__EVENT_SHUTDOWN, .number = kind});
}

struct ending *start(struct fixture *f, const char *name, unsigned flags)
{
    return ask(f, (struct muster__event){
                      .type = MUSTER__EVENT_RESOURCE_START, .resource = find(f, name), .number = flags});
}

struct ending *stop(struct fixture *f, const char *name, unsigned flags)
{
    return ask(f, (struct muster__event){
                      .type = MUSTER__EVENT_RESOURCE_STOP, .resource = find(f, name), .number = flags});
}

struct ending *forget(struct fixture *f, const char *name)
{
    return ask(f, (struct muster__event){.type = MUSTER__EVENT_RECORD_FORGET, .name = name});
}

struct ending *move(struct fixture *f, const char *name, const char *new_name)
{
    return ask(f, (struct muster__event){.type = MUSTER__EVENT_RECORD_MOVE, .name = name, .new_name = new_name});
}

struct ending *resolve(struct fixture *f, const char *name, enum muster_desired desired)
{
    return ask(f, (struct muster__event){.type = MUSTER__EVENT_RECORD_RESOLVE, .name = name, .number = desired});
}

int changed(struct fixture *f, const char *name, enum muster_change change)
{
    return step(f, (struct muster__event){
                       .type = MUSTER__EVENT_RESOURCE_CHANGED, .resource = find(f, name), .number = change});
}

int retry(struct fixture *f, const char *name)
{
    return step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_RETRY, .resource = find(f, name)});
}

int retry_driver(struct fixture *f, const char *name)
{
    return step(f, (struct muster__event){.type = MUSTER__EVENT_DRIVER_RETRY, .driver = find_driver(f, name)});
}

int remove_resource(struct fixture *f, const char *name)
{
    return step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_REMOVE, .resource = find(f, name)});
}

int add_resource(struct fixture *f, const char *driver, const struct muster_resource_def *def)
{
    struct muster_resource_def complete = completed(f, def);
    int code = step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_ADD,
                                              .driver = find_driver(f, driver),
                                              .resource_def = &complete});
    f->held += code == 0;
    return code;
}

int set_needs(struct fixture *f, const char *name, const char *const *needs, const char *const *after)
{
    return step(f, (struct muster__event){.type = MUSTER__EVENT_RESOURCE_SET_NEEDS,
                                          .resource = find(f, name),
                                          .needs = needs,
                                          .after = after});
}

int set_policy(struct fixture *f, const char *name, enum muster_policy policy)
{
    return step(f, (struct muster__event){
                       .type = MUSTER__EVENT_RESOURCE_SET_POLICY, .resource = find(f, name), .number = policy});
}

/* ---- what came of it ---------------------------------------------------------------------------------- */

struct muster_driver *find_driver(struct fixture *f, const char *name)
{
    struct muster_driver *driver = muster__engine_find_driver(f->engine, name);
    if (driver == NULL)
        fail_msg("there is no driver %s", name);
    return driver;
}

struct muster_resource *find(struct fixture *f, const char *name)
{
    struct muster_resource *resource = muster__engine_find_resource(f->engine, name);
    if (resource == NULL)
        fail_msg("there is no resource %s", name);
    return resource;
}

const char *state_of(struct fixture *f, const char *name)
{
    struct muster_resource_status status = {.size = sizeof(status)};
    assert_int_equal(muster_resource_state(find(f, name), &status), 0);
    snprintf(f->state, sizeof(f->state), "%s%s%s%s%s", muster_stage_name(status.stage),
             status.condition == MUSTER_CONDITION_NONE ? "" : ", ",
             status.condition == MUSTER_CONDITION_NONE ? "" : muster_condition_name(status.condition),
             status.degraded ? ", degraded" : "", status.unmanaged ? ", unmanaged" : "");
    return f->state;
}

const char *why(struct fixture *f, const char *name)
{
    return muster_error_text(muster_resource_get_error(find(f, name)));
}

const char *why_driver(struct fixture *f, const char *name)
{
    return muster_error_text(muster_driver_get_error(find_driver(f, name)));
}

static void assert_list(char *list, const char *expected, int line)
{
    if (strcmp(list, expected) != 0)
        fail_msg("line %d: \"%s\" is not \"%s\"", line, list, expected);
    list[0] = '\0';
}

void assert_calls_at(struct fixture *f, const char *expected, int line)
{
    assert_list(f->calls, expected, line);
}

void assert_commits_at(struct fixture *f, const char *expected, int line)
{
    assert_list(f->commits, expected, line);
}

bool saw(struct fixture *f, const char *observation)
{
    bool found = false;
    for (char *rest = f->seen; *rest != '\0' && !found;) {
        size_t length = strcspn(rest, "\n");
        found = length == strlen(observation) && memcmp(rest, observation, length) == 0;
        rest += length + (rest[length] == '\n');
    }
    f->seen[0] = '\0';
    return found;
}

void assert_ended_at(const struct ending *ending, int code, int line)
{
    if (ending->refused != 0 || ending->times != 1 || ending->code != code)
        fail_msg("line %d: refused with %s, ended %d times with %s (%s), not once with %s", line,
                 muster_code_name(ending->refused), ending->times, muster_code_name(ending->code), ending->text,
                 muster_code_name(code));
}

void assert_text_at(const char *text, const char *part, int line)
{
    if (strstr(text, part) == NULL)
        fail_msg("line %d: \"%s\" has no \"%s\"", line, text, part);
}

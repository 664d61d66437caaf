/* SPDX-License-Identifier: MIT */
/*
 * One engine, driven by hand: events go in by the functions here, calls and the store are answered at once as told, or
 * when the test says so. Lists of what happened are asked for as text: "storage initialize, storage/pool0 probe".
 */
#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "support/failing_memory.h"

#define FIXTURE_MAX 64
#define FIXTURE_TEXT 8192
#define FIXTURE_PHASES (MUSTER_PHASE_STOP + 1)

/* What became of something that was asked for. */
struct ending {
    int refused; /* at once: it never ends then */
    int times;
    int code;
    char text[MUSTER__ERROR_TEXT];
};

struct fixture {
    struct failing_memory failing;
    struct muster__memory memory;
    struct muster__memory own;
    struct muster__engine_options options;
    struct muster__engine *engine; /* made when first needed */
    uint64_t now;

    struct muster_driver_def drivers[FIXTURE_MAX];
    size_t driver_count;
    struct {
        const char *driver;
        struct muster_resource_def def;
    } resources[FIXTURE_MAX]; /* initialize adds them */
    size_t resource_count;
    const char *names[4 * FIXTURE_MAX]; /* what their lists name */
    size_t name_count;
    int held; /* data that muster holds: added, and not released */

    /* What a call of each phase answers at once; MUSTER_PENDING: finish() does. */
    int outcomes[FIXTURE_PHASES];
    struct {
        const char *call;
        int outcome;
    } answers[FIXTURE_MAX]; /* go before */
    size_t answer_count;
    struct muster_op *ops[FIXTURE_MAX];
    size_t op_count;
    struct muster_op *last; /* finished last */

    /* What is durable, and what the store has to do. */
    struct muster__record *stored[FIXTURE_MAX];
    size_t stored_count;
    bool store_held; /* store_answers() ends its calls */
    bool store_busy;
    enum muster__action_type store_call;
    struct muster__record *batch[FIXTURE_MAX];
    size_t batch_count;
    int load_code;
    int commit_code;

    struct ending endings[FIXTURE_MAX];
    size_t ending_count;
    char calls[FIXTURE_TEXT];
    char commits[FIXTURE_TEXT];
    char seen[FIXTURE_TEXT];
    char state[128];
};

/* cmocka setup and teardown: *state is a struct fixture. The teardown frees the engine, and nothing leaks. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define engine_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* ---- the host's part -------------------------------------------------------------------------------- */

/* For the callbacks of a definition: that they are there. */
int called(struct muster_op *op);
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define USUAL .initialize = called, .probe = called, .start = called, .stop = called

#define DRIVER(f, ...) add_driver((f), &(struct muster_driver_def){__VA_ARGS__})
int add_driver(struct fixture *f, const struct muster_driver_def *def);
/* The driver's next initialize adds it. */
#define RESOURCE(f, driver, ...) add_config((f), (driver), &(struct muster_resource_def){__VA_ARGS__})
void add_config(struct fixture *f, const char *driver, const struct muster_resource_def *def);
/* What the store has. Its boot is this one's unless told; "" is none. */
#define RECORD(f, path, ...) add_record((f), (path), &(struct muster_record){__VA_ARGS__})
#define DURATIONS(f, path, text) RECORD((f), (path), .kind = MUSTER_RECORD_HISTORY, .handle = (text))
void add_record(struct fixture *f, const char *path, const struct muster_record *record);

/* The call "storage/pool0 probe" answers this at once. */
void answer(struct fixture *f, const char *call, int outcome);
/* Finish a call that is out. */
void finish(struct fixture *f, const char *call, int outcome);
void finish_with(struct fixture *f, const char *call, int code, const char *text);
void finish_handle(struct fixture *f, const char *call, const char *handle);
struct muster_op *out(struct fixture *f, const char *call);
bool is_out(const struct fixture *f, const char *call);
/* Let it add a resource when it is finished. */
#define OP_ADDS(f, call, ...) op_adds((f), out((f), (call)), &(struct muster_resource_def){__VA_ARGS__})
int op_adds(struct fixture *f, struct muster_op *op, const struct muster_resource_def *def);

/* ---- events ------------------------------------------------------------------------------------------ */

int step(struct fixture *f, struct muster__event event);
/* Time passes, with a stop at each time the engine wants to be woken. */
void pass(struct fixture *f, uint64_t ms);
/* The store ends the call that it has: with 0 it is applied. */
void store_answers(struct fixture *f, int code);
/* A commit that was applied, although its end says otherwise. */
void store_applies(struct fixture *f);
/* Free the engine, which must be possible; the next event makes another. */
void end_daemon(struct fixture *f);
/* Finish whatever is out as cancelled until nothing is. */
void cancel_out(struct fixture *f);

struct ending *bring_up(struct fixture *f);
struct ending *when(struct fixture *f, enum muster_milestone milestone);
struct ending *reload(struct fixture *f);
struct ending *shut_down(struct fixture *f, enum muster_shutdown_kind kind);
struct ending *start(struct fixture *f, const char *name, unsigned flags);
struct ending *stop(struct fixture *f, const char *name, unsigned flags);
struct ending *forget(struct fixture *f, const char *name);
struct ending *move(struct fixture *f, const char *name, const char *new_name);
struct ending *resolve(struct fixture *f, const char *name, enum muster_desired desired);
int changed(struct fixture *f, const char *name, enum muster_change change);
int retry(struct fixture *f, const char *name);
int retry_driver(struct fixture *f, const char *name);
int remove_resource(struct fixture *f, const char *name);
#define ADD_RESOURCE(f, driver, ...) add_resource((f), (driver), &(struct muster_resource_def){__VA_ARGS__})
int add_resource(struct fixture *f, const char *driver, const struct muster_resource_def *def);
int set_needs(struct fixture *f, const char *name, const char *const *needs, const char *const *after);
int set_policy(struct fixture *f, const char *name, enum muster_policy policy);

/* ---- what came of it ---------------------------------------------------------------------------------- */

struct muster_driver *find_driver(struct fixture *f, const char *name);
struct muster_resource *find(struct fixture *f, const char *name);
/* What is durable; NULL: nothing. */
const struct muster_record *stored(struct fixture *f, const char *path);
/* The same, of durations. A driver's are "driver/driver". */
const struct muster_record *stored_durations(struct fixture *f, const char *path);
/* "active, degraded" */
const char *state_of(struct fixture *f, const char *name);
const char *why(struct fixture *f, const char *name);
const char *why_driver(struct fixture *f, const char *name);

/* Each since it was last asked. */
void assert_calls_at(struct fixture *f, const char *expected, int line);
void assert_commits_at(struct fixture *f, const char *expected, int line);
bool saw(struct fixture *f, const char *observation);
#define assert_calls(f, expected) assert_calls_at((f), (expected), __LINE__)
#define assert_commits(f, expected) assert_commits_at((f), (expected), __LINE__)
#define assert_state(f, name, expected) assert_string_equal(state_of((f), (name)), (expected))
#define assert_driver(f, name, expected)                                                                       \
    assert_string_equal(muster_driver_state_name(muster_driver_state(find_driver((f), (name)))), (expected))
#define assert_ended(ending, expected) assert_ended_at((ending), (expected), __LINE__)
void assert_ended_at(const struct ending *ending, int code, int line);
#define assert_waits(ending) assert_int_equal((ending)->refused == 0 ? (ending)->times : -1, 0)
#define assert_text(text, part) assert_text_at((text), (part), __LINE__)
void assert_text_at(const char *text, const char *part, int line);

#endif

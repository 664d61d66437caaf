/* SPDX-License-Identifier: MIT */
/* Sentences of docs/contract.md that no other test has by name: when callbacks come, on which thread, and what is copied. */
#include <pthread.h>
#include <string.h>

#include "host.h"

static int never(struct muster_op *op)
{
    (void)op;
    fail_msg("nothing may be called");
    return MUSTER_EFAILED;
}

static void a_call_that_fails_never_calls_its_callback(void **state)
{
    const char *needs[] = {"nobody", NULL};
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", never);
    struct ending refused = {0};
    (void)state;
    def.needs = needs;
    add_driver(context, &def, NULL);
    assert_int_equal(muster_reload(context, note_ending, &refused), MUSTER_ESTATE);
    assert_int_equal(muster_bring_up(context, note_ending, &refused), MUSTER_ENOENT);
    assert_int_equal(muster_when(context, (enum muster_milestone)77, note_ending, &refused), MUSTER_EINVAL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(muster_process(context), 0);
    assert_int_equal(refused.times, 0);
    assert_int_equal(muster_free(context), 0);
}

static int add_pool(struct muster_op *op)
{
    struct muster_resource_def def;
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.name = "pool";
    return muster_op_add_resource(op, &def);
}

static void a_call_that_succeeds_calls_back_exactly_once(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", add_pool);
    struct ending endings[6] = {0};
    (void)state;
    def.start = def.stop = def.reload = nothing_to_do;
    add_driver(context, &def, NULL);
    assert_int_equal(muster_when(context, MUSTER_SETTLED, note_ending, &endings[0]), 0);
    assert_int_equal(muster_bring_up(context, note_ending, &endings[1]), 0);
    wait_for(context, &endings[1]);
    struct muster_resource *pool = muster_resource_find(context, "a/pool");
    assert_int_equal(muster_resource_start(pool, NULL, note_ending, &endings[2]), 0);
    wait_for(context, &endings[2]);
    assert_int_equal(muster_resource_stop(pool, NULL, note_ending, &endings[3]), 0);
    wait_for(context, &endings[3]);
    assert_int_equal(muster_reload(context, note_ending, &endings[4]), 0);
    wait_for(context, &endings[4]);
    assert_int_equal(muster_shutdown(context, MUSTER_DAEMON_RESTART, note_ending, &endings[5]), 0);
    wait_for(context, &endings[5]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(muster_process(context), 0);
    assert_int_equal(muster_free(context), 0);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(endings[i].times, 1);
        assert_int_equal(endings[i].code, 0);
    }
}

static void on_failure_no_output_is_touched(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", add_pool);
    struct muster_resource_def bad;
    struct muster_options options;
    struct muster_store_ops ops;
    struct muster_resource_status status = {.size = 1, .stage = MUSTER_STAGE_STOPPING};
    struct muster_progress_counts counts = {.size = 1, .done = 4711};
    static char untouched;
    void *out = &untouched;
    (void)state;
    struct muster_driver *driver = add_driver(context, &def, NULL);
    assert_int_equal(bring_up(context), 0);
    MUSTER_RESOURCE_DEF_INIT(&bad);
    bad.name = "pool";
    MUSTER_OPTIONS_INIT(&options);
    options.flags = 0x100;
    memset(&ops, 0, sizeof(ops));
    def.name = "";
    assert_int_equal(muster_add_driver(context, &def, NULL, (struct muster_driver **)&out), MUSTER_EINVAL);
    assert_int_equal(muster_resource_add(driver, &bad, (struct muster_resource **)&out), MUSTER_EEXIST);
    assert_int_equal(muster_new(&options, (struct muster **)&out), MUSTER_EINVAL);
    assert_int_equal(muster_store_new(&ops, NULL, (struct muster_store **)&out), MUSTER_EINVAL);
    assert_int_equal(muster_get_report(context, MUSTER_REPORT_RELOAD, (struct muster_report **)&out), MUSTER_ENOENT);
    /* MUSTER_EINVAL; without jansson MUSTER_ENOTSUP. */
    assert_int_not_equal(muster_report_read("{}", 2, (struct muster_report **)&out, NULL, 0), 0);
    assert_ptr_equal(out, &untouched);
    assert_int_equal(muster_resource_state(muster_resource_find(context, "a/pool"), &status), MUSTER_EINVAL);
    assert_int_equal(status.stage, MUSTER_STAGE_STOPPING);
    assert_int_equal(muster_progress(context, &counts), MUSTER_EINVAL);
    assert_int_equal(counts.done, 4711);
    take_down(context);
}

static void a_callback_never_comes_inside_the_call_that_asked_for_it(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", nothing_to_do);
    struct ending up = {0}, reconciled = {0}, again = {0}, reloaded = {0}, down = {0};
    (void)state;
    add_driver(context, &def, NULL);
    assert_int_equal(muster_bring_up(context, note_ending, &up), 0);
    assert_int_equal(muster_when(context, MUSTER_RECONCILED, note_ending, &reconciled), 0);
    assert_int_equal(up.times + reconciled.times, 0);
    wait_for(context, &up);
    assert_int_equal(reconciled.times, 1);
    assert_int_equal(muster_when(context, MUSTER_RECONCILED, note_ending, &again), 0);
    assert_int_equal(muster_reload(context, note_ending, &reloaded), 0);
    assert_int_equal(again.times + reloaded.times, 0);
    wait_for(context, &reloaded);
    assert_int_equal(again.times, 1);
    assert_int_equal(muster_shutdown(context, MUSTER_DAEMON_RESTART, note_ending, &down), 0);
    assert_int_equal(down.times, 0);
    wait_for(context, &down);
    assert_int_equal(muster_free(context), 0);
}

/* ---- threads -------------------------------------------------------------------------------------- */

static int note_thread(struct muster_op *op)
{
    pthread_t *seen = muster_op_driver_data(op);
    *seen = pthread_self();
    return MUSTER_OK;
}

static void callbacks_run_on_the_thread_that_processes(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", note_thread);
    pthread_t seen;
    (void)state;
    memset(&seen, 0, sizeof(seen));
    add_driver(context, &def, &seen);
    assert_int_equal(bring_up(context), 0);
    assert_true(pthread_equal(seen, pthread_self()));
    take_down(context);
}

static void *finish(void *op)
{
    return (void *)(intptr_t)muster_op_finish(op, MUSTER_OK);
}

static int finish_elsewhere(struct muster_op *op)
{
    return pthread_create(muster_op_driver_data(op), NULL, finish, op) == 0 ? MUSTER_PENDING : MUSTER_EFAILED;
}

static void an_op_may_be_finished_from_any_thread(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", finish_elsewhere);
    pthread_t thread;
    void *code;
    (void)state;
    struct muster_driver *driver = add_driver(context, &def, &thread);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(pthread_join(thread, &code), 0);
    assert_ptr_equal(code, NULL);
    assert_int_equal(muster_driver_state(driver), MUSTER_DRIVER_UP);
    take_down(context);
}

/* ---- deadlines ------------------------------------------------------------------------------------ */

struct hung {
    struct muster_op *op;
    int starts;
};

static int hang(struct muster_op *op)
{
    struct hung *hung = muster_op_driver_data(op);
    hung->op = op;
    hung->starts++;
    return MUSTER_PENDING;
}

static void no_second_start_is_made_while_one_is_out(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", add_pool);
    struct hung hung = {0};
    struct ending first = {0}, second = {0};
    (void)state;
    def.start = hang;
    def.op_timeout_ms = 20;
    add_driver(context, &def, &hung);
    assert_int_equal(bring_up(context), 0);
    struct muster_resource *pool = muster_resource_find(context, "a/pool");
    assert_int_equal(muster_resource_start(pool, NULL, note_ending, &first), 0);
    wait_for(context, &first);
    assert_int_equal(first.code, MUSTER_ETIMEDOUT);
    assert_int_equal(muster_resource_start(pool, NULL, note_ending, &second), 0);
    wait_for(context, &second);
    assert_int_equal(second.code, MUSTER_EUNKNOWN);
    assert_int_equal(hung.starts, 1);
    assert_int_equal(muster_op_finish(hung.op, MUSTER_OK), 0);
    while (stage_of(context, "a/pool") != MUSTER_STAGE_ACTIVE)
        turn(context);
    assert_int_equal(hung.starts, 1);
    take_down(context);
}

/* ---- inside a callback ---------------------------------------------------------------------------- */

struct inside {
    struct ending started;
    int starts;
};

static int count_start(struct muster_op *op)
{
    ((struct inside *)muster_op_driver_data(op))->starts++;
    return MUSTER_OK;
}

/* From inside reload: the start is begun after the callback, not in it. */
static int start_inside(struct muster_op *op)
{
    struct inside *inside = muster_op_driver_data(op);
    struct muster_resource *pool = muster_resource_find(muster_op_context(op), "a/pool");
    assert_int_equal(muster_resource_start(pool, NULL, note_ending, &inside->started), 0);
    assert_int_equal(inside->starts + inside->started.times, 0);
    return MUSTER_OK;
}

static void other_functions_may_be_called_inside_a_callback(void **state)
{
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named("a", add_pool);
    struct inside inside = {0};
    struct ending reloaded = {0};
    (void)state;
    def.start = count_start;
    def.reload = start_inside;
    add_driver(context, &def, &inside);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_reload(context, note_ending, &reloaded), 0);
    wait_for(context, &inside.started);
    assert_int_equal(inside.started.code, 0);
    assert_int_equal(inside.starts, 1);
    take_down(context);
}

/* ---- memory --------------------------------------------------------------------------------------- */

static void what_a_definition_says_is_copied(void **state)
{
    char name[] = "storage", needed[] = "secret";
    const char *needs[] = {needed, NULL};
    struct muster *context = new_context(NULL);
    struct muster_driver_def def = driver_named(name, nothing_to_do), secret = driver_named("secret", nothing_to_do);
    (void)state;
    def.needs = needs;
    struct muster_driver *driver = add_driver(context, &def, NULL);
    memset(name, 'x', sizeof(name) - 1);
    memset(needed, 'x', sizeof(needed) - 1);
    needs[0] = NULL;
    memset(&def, 0, sizeof(def));
    assert_string_equal(muster_driver_name(driver), "storage");
    assert_int_equal(muster_check(context), MUSTER_ENOENT);
    add_driver(context, &secret, NULL);
    assert_int_equal(bring_up(context), 0);
    take_down(context);
}

static void count_release(void *data)
{
    ++*(int *)data;
}

static void a_resources_data_is_released_once(void **state)
{
    struct muster *context = new_context(NULL);
    int kept = 0, twice = 0;
    struct muster_resource_def def;
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.name = "pool";
    def.data = &kept;
    def.release = count_release;
    struct muster_driver_def driver_def = driver_named("a", nothing_to_do);
    (void)state;
    struct muster_driver *driver = add_driver(context, &driver_def, NULL);
    assert_int_equal(bring_up(context), 0);
    assert_int_equal(muster_resource_add(driver, &def, NULL), 0);
    def.data = &twice;
    assert_int_equal(muster_resource_add(driver, &def, NULL), MUSTER_EEXIST);
    assert_int_equal(twice, 1);
    assert_int_equal(kept, 0);
    take_down(context);
    assert_int_equal(kept, 1);
    assert_int_equal(twice, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_fails_never_calls_its_callback),
        cmocka_unit_test(a_call_that_succeeds_calls_back_exactly_once),
        cmocka_unit_test(on_failure_no_output_is_touched),
        cmocka_unit_test(a_callback_never_comes_inside_the_call_that_asked_for_it),
        cmocka_unit_test(callbacks_run_on_the_thread_that_processes),
        cmocka_unit_test(an_op_may_be_finished_from_any_thread),
        cmocka_unit_test(no_second_start_is_made_while_one_is_out),
        cmocka_unit_test(other_functions_may_be_called_inside_a_callback),
        cmocka_unit_test(what_a_definition_says_is_copied),
        cmocka_unit_test(a_resources_data_is_released_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The runner under load: several contexts at once, each with its loop, its workers and threads that post, and
 * finish and extend ops, while resources start and stop. For ThreadSanitizer above all.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

#define CONTEXTS 4
#define RESOURCES 12
#define ROUNDS 6
#define POSTERS 2
#define POSTS 100

struct load {
    struct muster *context;
    atomic_uint posted;
    atomic_uint finished;
    unsigned called;
    unsigned ended;
    unsigned good;
};

struct late {
    struct load *load;
    struct muster_op *op;
};

static void note_post(struct muster *context, void *data)
{
    (void)context;
    ((struct load *)data)->called++;
}

static void *post(void *data)
{
    struct load *load = data;
    for (unsigned i = 0; i < POSTS; i++)
        if (muster_post(load->context, note_post, load) == 0)
            atomic_fetch_add(&load->posted, 1);
    return NULL;
}

/* ---- the driver: starts end on threads of their own, stops on muster's workers */

static void *finish_later(void *data)
{
    struct late *late = data;
    muster_op_extend(late->op, 30000);
    muster_op_set_handle(late->op, "from a thread");
    atomic_fetch_add(&late->load->finished, 1);
    muster_op_finish(late->op, MUSTER_OK);
    free(late);
    return NULL;
}

static int start(struct muster_op *op)
{
    pthread_t thread;
    struct late *late = malloc(sizeof(*late));
    if (late == NULL)
        return MUSTER_ENOMEM;
    *late = (struct late){muster_op_driver_data(op), op};
    if (pthread_create(&thread, NULL, finish_later, late) != 0) {
        free(late);
        return MUSTER_EFAILED;
    }
    pthread_detach(thread);
    return MUSTER_PENDING;
}

static int stop(struct muster_op *op)
{
    muster_op_extend(op, 30000);
    return muster_op_cancelled(op) ? MUSTER_ECANCELED : MUSTER_OK;
}

static int add_resources(struct muster_op *op)
{
    struct muster_resource_def def;
    char name[16];
    MUSTER_RESOURCE_DEF_INIT(&def);
    def.name = name;
    for (unsigned i = 0; i < RESOURCES; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        int code = muster_op_add_resource(op, &def);
        if (code != 0)
            return code;
    }
    return MUSTER_OK;
}

static void add_loaded_driver(struct load *load)
{
    struct muster_driver_def def = driver_named("loaded", add_resources);
    def.threaded = MUSTER_THREADED(STOP) | MUSTER_THREADED(INITIALIZE);
    def.start = start;
    def.stop = stop;
    add_driver(load->context, &def, load);
}

/* ---- a context and its loop */

static void note_request(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct load *load = data;
    (void)context;
    (void)error;
    load->ended++;
    load->good += code == 0;
}

static void request_all(struct load *load, bool starts)
{
    char name[24];
    unsigned wanted = load->ended + RESOURCES;
    for (unsigned i = 0; i < RESOURCES; i++) {
        snprintf(name, sizeof(name), "loaded/r%u", i);
        struct muster_resource *resource = muster_resource_find(load->context, name);
        assert_int_equal((starts ? muster_resource_start : muster_resource_stop)(resource, NULL, note_request, load), 0);
    }
    while (load->ended < wanted)
        turn(load->context);
}

static void *live(void *data)
{
    struct load *load = data;
    struct muster_store *store = NULL;
    pthread_t posters[POSTERS];
    assert_int_equal(muster_store_memory_new(NULL, &store), 0);
    load->context = new_context(store);
    add_loaded_driver(load);
    assert_int_equal(bring_up(load->context), 0);
    for (unsigned i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&posters[i], NULL, post, load), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        request_all(load, true);
        request_all(load, false);
    }
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(posters[i], NULL);
    while (load->called < POSTERS * POSTS)
        turn(load->context);
    take_down(load->context);
    return NULL;
}

static void many_contexts_and_threads(void **state)
{
    static struct load loads[CONTEXTS];
    pthread_t threads[CONTEXTS];
    (void)state;
    for (unsigned i = 0; i < CONTEXTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, live, &loads[i]), 0);
    for (unsigned i = 0; i < CONTEXTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(loads[i].posted, POSTERS * POSTS);
        assert_int_equal(loads[i].called, loads[i].posted);
        assert_int_equal(loads[i].good, 2 * ROUNDS * RESOURCES);
        assert_int_equal(loads[i].finished, ROUNDS * RESOURCES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_contexts_and_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

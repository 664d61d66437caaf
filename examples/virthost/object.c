/* SPDX-License-Identifier: MIT */
#include "object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delay.h"

#define NEEDS_MAX 3
#define SWEEP_AGAIN_MS 50

const struct object_kind *const object_kinds[] = {&secret_kind, &network_kind, &dir_kind,   &mount_kind,
                                                  &nbd_kind,    &export_kind,  &guest_kind, NULL};

/* ---- one object ----------------------------------------------------------------------------------- */

static struct object *new_object(struct virthost *host, const struct object_kind *kind, json_t *config)
{
    struct object *object = calloc(1, kind->size);
    char *name = strdup(config_string(config, "name"));
    if (object == NULL || name == NULL) {
        free(object);
        free(name);
        return NULL;
    }
    object->host = host;
    object->kind = kind;
    object->name = name;
    object->config = json_incref(config);
    object->next = host->objects;
    host->objects = object;
    return object;
}

static void release_object(void *data)
{
    struct object *object = data;
    struct object **link = &object->host->objects;
    while (*link != object)
        link = &(*link)->next;
    *link = object->next;
    if (object->kind->fini != NULL)
        object->kind->fini(object);
    json_decref(object->config);
    free(object->name);
    free(object);
}

struct object *object_find(const struct virthost *host, const char *driver, const char *name)
{
    struct object *object = host->objects;
    while (object != NULL && (strcmp(object->kind->driver, driver) != 0 || strcmp(object->name, name) != 0))
        object = object->next;
    return object;
}

struct object *object_of_op(const struct muster_op *op)
{
    struct object *object = muster_op_resource_data(op);
    object->resource = muster_op_resource(op);
    return object;
}

struct object *object_of_resource(const struct muster_resource *resource)
{
    return muster_resource_data(resource);
}

/* The members that name other resources are its dependencies. */
static void list_needs(const json_t *config, const char *needs[NEEDS_MAX + 1])
{
    static const char *const members[NEEDS_MAX] = {"secret", "network", "pool"};
    size_t count = 0;
    for (size_t i = 0; i < NEEDS_MAX; i++) {
        const char *name = config_string(config, members[i]);
        if (name != NULL)
            needs[count++] = name;
    }
    needs[count] = NULL;
}

static void define_resource(struct object *object, const char *needs[NEEDS_MAX + 1],
                            struct muster_resource_def *def)
{
    MUSTER_RESOURCE_DEF_INIT(def);
    list_needs(object->config, needs);
    def->name = object->name;
    def->needs = needs;
    def->data = object;
    def->release = release_object;
    def->policy = (uintptr_t)config_policy(object->config);
    def->flags = object->kind->flags;
}

/* ---- drivers -------------------------------------------------------------------------------------- */

static const struct object_kind *kind_of_driver(const char *name)
{
    const struct object_kind *const *kind = object_kinds;
    while (strcmp((*kind)->driver, name) != 0)
        kind++;
    return *kind;
}

static int add_object(struct muster_op *op, json_t *config, bool transient)
{
    const struct object_kind *kind = kind_of_driver(muster_driver_name(muster_op_driver(op)));
    struct object *object = new_object(muster_op_driver_data(op), kind, config);
    if (object == NULL)
        return MUSTER_ENOMEM;
    object->transient = transient;
    const char *needs[NEEDS_MAX + 1];
    struct muster_resource_def def;
    define_resource(object, needs, &def);
    return muster_op_add_resource(op, &def);
}

int object_initialize(struct muster_op *op)
{
    struct virthost *host = muster_op_driver_data(op);
    json_t *items = json_object_get(host->config, muster_driver_name(muster_op_driver(op)));
    const char *name;
    json_t *item;
    json_object_foreach(items, name, item) {
        int code = add_object(op, item, false);
        if (code != 0)
            return muster_op_fail(op, code, "%s: %s", name, muster_code_text(code));
    }
    return MUSTER_OK;
}

int object_add_transient(struct muster_op *op, json_t *config)
{
    return add_object(op, config, true);
}

/* What runs isn't touched: all of this is for its next start. */
static void change_object(struct object *object, json_t *config)
{
    object->transient = false;
    if (json_equal(object->config, config))
        return;
    json_incref(config);
    json_decref(object->config);
    object->config = config;
    const char *needs[NEEDS_MAX + 1];
    list_needs(config, needs);
    char name[128];
    snprintf(name, sizeof(name), "%s/%s", object->kind->driver, object->name);
    struct muster_resource *resource = muster_resource_find(object->host->context, name);
    if (resource == NULL)
        return;
    muster_resource_set_policy(resource, config_policy(config));
    muster_resource_set_needs(resource, needs, NULL);
}

static int reload(struct muster_op *op)
{
    struct virthost *host = muster_op_driver_data(op);
    const char *driver = muster_driver_name(muster_op_driver(op));
    json_t *items = json_object_get(host->config, driver);
    for (struct object *object = host->objects; object != NULL; object = object->next)
        if (strcmp(object->kind->driver, driver) == 0 && json_object_get(items, object->name) == NULL)
            object->transient = true;
    const char *name;
    json_t *item;
    json_object_foreach(items, name, item) {
        struct object *object = object_find(host, driver, name);
        int code = 0;
        if (object != NULL)
            change_object(object, item);
        else
            code = add_object(op, item, false);
        if (code != 0)
            return muster_op_fail(op, code, "%s: %s", name, muster_code_text(code));
    }
    object_sweep_soon(host);
    return MUSTER_OK;
}

int object_add_drivers(struct virthost *host)
{
    for (const struct object_kind *const *kind = object_kinds; *kind != NULL; kind++) {
        struct muster_driver_def def;
        MUSTER_DRIVER_DEF_INIT(&def);
        def.name = (*kind)->driver;
        def.initialize = object_initialize;
        def.reload = reload;
        (*kind)->define(&def);
        int code = muster_add_driver(host->context, &def, host, NULL);
        if (code != 0)
            return code;
    }
    return 0;
}

/* ---- transient ones ------------------------------------------------------------------------------- */

int object_create(struct virthost *host, const struct object_kind *kind, json_t *config,
                  struct object **ret_object)
{
    struct muster_driver *driver = muster_driver_find(host->context, kind->driver);
    struct object *object = driver == NULL ? NULL : new_object(host, kind, config);
    if (object == NULL)
        return MUSTER_ENOMEM;
    object->transient = true;
    object->pinned = true;
    const char *needs[NEEDS_MAX + 1];
    struct muster_resource_def def;
    define_resource(object, needs, &def);
    struct muster_resource *resource;
    int code = muster_resource_add(driver, &def, &resource);
    if (code != 0)
        return code;
    object->resource = resource;
    *ret_object = object;
    return 0;
}

static bool is_over(const struct muster_resource *resource)
{
    struct muster_resource_status status;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    muster_resource_state(resource, &status);
    return status.stage == MUSTER_STAGE_INACTIVE && !status.unmanaged &&
           (status.condition == MUSTER_CONDITION_NONE || status.condition == MUSTER_CONDITION_FAILED);
}

struct forgotten {
    const struct virthost *host;
    json_t *names;
};

static int find_forgotten(const struct muster_record *record, int is_claimed, void *data)
{
    struct forgotten *forgotten = data;
    if (is_claimed || record->kind != MUSTER_RECORD_RESOURCE)
        return 0;
    char name[512];
    snprintf(name, sizeof(name), "%s/%s", record->driver, record->name);
    for (const struct object_kind *const *kind = object_kinds; *kind != NULL; kind++)
        if (strcmp((*kind)->driver, record->driver) == 0 && (*kind)->is_over != NULL &&
            (*kind)->is_over(forgotten->host, record))
            json_array_append_new(forgotten->names, json_string(name));
    return 0;
}

/* A transient one that ended while no daemon ran has no resource: only its record is left. */
static void forget_records(struct virthost *host)
{
    struct forgotten forgotten = {.host = host, .names = json_array()};
    muster_record_foreach(host->context, find_forgotten, &forgotten);
    size_t index;
    json_t *name;
    json_array_foreach(forgotten.names, index, name)
        muster_record_forget(host->context, json_string_value(name), NULL, NULL);
    json_decref(forgotten.names);
}

static void sweep(struct virthost *host);

static void on_sweep(void *data)
{
    struct virthost *host = data;
    delay_free(host->sweep);
    host->sweep = NULL;
    sweep(host);
}

static void sweep(struct virthost *host)
{
    if (host->ending || muster_state(host->context) != MUSTER_STATE_UP)
        return;
    forget_records(host);
    bool again = false;
    for (struct object *object = host->objects, *next; object != NULL; object = next) {
        next = object->next;
        if (!object->transient || object->pinned)
            continue;
        char name[128];
        snprintf(name, sizeof(name), "%s/%s", object->kind->driver, object->name);
        struct muster_resource *resource = muster_resource_find(host->context, name);
        if (resource != NULL && is_over(resource))
            again |= muster_resource_remove(resource) == MUSTER_EBUSY;
    }
    if (again && host->sweep == NULL)
        host->sweep = delay_new(&host->loop, SWEEP_AGAIN_MS, on_sweep, host);
}

void object_sweep_soon(struct virthost *host)
{
    if (host->sweep == NULL && !host->ending)
        host->sweep = delay_new(&host->loop, 0, on_sweep, host);
}

/* SPDX-License-Identifier: MIT */
#include "list.h"

#include <string.h>
#include <unistd.h>

#include "object.h"

static json_t *error_text(const struct muster_error *error)
{
    return error == NULL ? json_null() : json_string(muster_error_text(error));
}

/* ---- resources ------------------------------------------------------------------------------------ */

static int add_dependency(const char *name, int is_need, void *data)
{
    (void)is_need;
    json_array_append_new(data, json_string(name));
    return 0;
}

static int add_resource(struct muster_resource *resource, void *data)
{
    struct muster_resource_status status;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    muster_resource_state(resource, &status);
    const struct object *object = object_of_resource(resource);
    json_t *item = json_object();
    json_object_set_new(item, "driver", json_string(object->kind->driver));
    json_object_set_new(item, "name", json_string(object->name));
    json_object_set_new(item, "desired", json_string(muster_desired_name(status.desired)));
    json_object_set_new(item, "state", json_string(muster_stage_name(status.stage)));
    json_object_set_new(item, "condition", json_string(muster_condition_name(status.condition)));
    json_object_set_new(item, "reason", json_string(muster_reason_name(status.reason)));
    json_object_set_new(item, "error", error_text(muster_resource_get_error(resource)));
    json_object_set_new(item, "policy", json_string(muster_policy_name(status.policy)));
    json_t *dependencies = json_array();
    muster_resource_foreach_dependency(resource, add_dependency, dependencies);
    json_object_set_new(item, "dependencies", dependencies);
    json_object_set_new(item, "degraded", json_boolean(status.degraded));
    json_object_set_new(item, "unmanaged", json_boolean(status.unmanaged));
    json_object_set_new(item, "transient", json_boolean(object->transient));
    pid_t pid = object->kind->pid == NULL ? 0 : object->kind->pid(object);
    if (pid != 0)
        json_object_set_new(item, "pid", json_integer(pid));
    json_array_append_new(data, item);
    return 0;
}

static int add_driver_resources(struct muster_driver *driver, void *data)
{
    return muster_resource_foreach(driver, add_resource, data);
}

static int add_record(const struct muster_record *record, int is_claimed, void *data)
{
    if (is_claimed || record->kind != MUSTER_RECORD_RESOURCE)
        return 0;
    json_t *item = json_object();
    json_object_set_new(item, "driver", json_string(record->driver));
    json_object_set_new(item, "name", json_string(record->name));
    json_object_set_new(item, "desired",
                        json_string(muster_desired_name((enum muster_desired)record->desired)));
    json_object_set_new(item, "state", json_string("unclaimed"));
    json_object_set_new(item, "reason", json_string(muster_reason_name((enum muster_reason)record->reason)));
    json_object_set_new(item, "error",
                        json_string("a record that no resource has claimed: its config is gone"));
    json_object_set_new(item, "policy", json_null());
    json_object_set_new(item, "dependencies", json_array());
    json_array_append_new(data, item);
    return 0;
}

json_t *list_resources(struct virthost *host)
{
    json_t *resources = json_array();
    muster_driver_foreach(host->context, add_driver_resources, resources);
    muster_record_foreach(host->context, add_record, resources);
    return resources;
}

/* ---- drivers -------------------------------------------------------------------------------------- */

static int add_driver(struct muster_driver *driver, void *data)
{
    json_t *item = json_object();
    json_object_set_new(item, "name", json_string(muster_driver_name(driver)));
    json_object_set_new(item, "state", json_string(muster_driver_state_name(muster_driver_state(driver))));
    json_object_set_new(item, "error", error_text(muster_driver_get_error(driver)));
    json_array_append_new(data, item);
    return 0;
}

static json_t *list_holds(unsigned holds)
{
    json_t *names = json_array();
    if (holds & MUSTER_HOLDS_VOLATILE)
        json_array_append_new(names, json_string("volatile"));
    if (holds & MUSTER_HOLDS_OPS)
        json_array_append_new(names, json_string("ops"));
    if (holds & MUSTER_HOLDS_RECORDS)
        json_array_append_new(names, json_string("records"));
    return names;
}

json_t *list_status(struct virthost *host)
{
    json_t *drivers = json_array();
    muster_driver_foreach(host->context, add_driver, drivers);
    json_t *status = json_object();
    json_object_set_new(status, "state", json_string(muster_state_name(muster_state(host->context))));
    json_object_set_new(status, "pid", json_integer(getpid()));
    json_object_set_new(status, "milestone", json_string(host->milestone));
    json_object_set_new(status, "holds", list_holds(muster_holds(host->context)));
    json_object_set_new(status, "drivers", drivers);
    json_object_set(status, "problems", host->problems);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "base/def.h"
#include "run/context.h"

static struct muster *context_of(const struct muster_resource *resource)
{
    return resource == NULL ? NULL : muster__engine_context(muster__resource_engine(resource));
}

static struct muster *context_of_driver(const struct muster_driver *driver)
{
    return driver == NULL ? NULL : muster__engine_context(muster__driver_engine(driver));
}

int muster_resource_add(struct muster_driver *driver, const struct muster_resource_def *def,
                        struct muster_resource **ret_resource)
{
    struct muster_resource_def copy;
    int code = muster__def_copy(&copy, sizeof(copy), def, sizeof(copy));
    if (code != 0)
        return code;
    code = muster__request(context_of_driver(driver), &(struct muster__event){
                                                          .type = MUSTER__EVENT_RESOURCE_ADD,
                                                          .driver = driver,
                                                          .resource_def = &copy,
                                                          .ret_resource = ret_resource,
                                                      });
    if (code != 0 && code != MUSTER_ECHILD && copy.release != NULL)
        copy.release(copy.data);
    return code;
}

int muster_resource_remove(struct muster_resource *resource)
{
    return muster__request(context_of(resource),
                           &(struct muster__event){.type = MUSTER__EVENT_RESOURCE_REMOVE, .resource = resource});
}

struct muster_resource *muster_resource_find(struct muster *context, const char *name)
{
    if (muster__enter(context) != 0 || name == NULL)
        return NULL;
    return muster__engine_find_resource(context->engine, name);
}

/* A start or a stop; `known` is what its flags may be. */
static int ask(struct muster *context, struct muster__event *event, const struct muster_request_options *options,
               uintptr_t known)
{
    struct muster_request_options copy = {.size = sizeof(copy)};
    int code = options == NULL ? 0 : muster__def_copy(&copy, sizeof(copy), options, sizeof(copy));
    if (code != 0)
        return code;
    if ((copy.flags & ~known) != 0)
        return MUSTER_EINVAL;
    event->number = copy.flags;
    event->data = copy.request;
    return muster__request(context, event);
}

int muster_resource_start(struct muster_resource *resource, const struct muster_request_options *options,
                          muster_done_cb cb, void *data)
{
    struct muster__event event = {
        .type = MUSTER__EVENT_RESOURCE_START,
        .resource = resource,
        .done = {cb, data},
    };
    return ask(context_of(resource), &event, options, MUSTER_START_DEPENDENCIES);
}

int muster_resource_stop(struct muster_resource *resource, const struct muster_request_options *options,
                         muster_done_cb cb, void *data)
{
    struct muster__event event = {
        .type = MUSTER__EVENT_RESOURCE_STOP,
        .resource = resource,
        .done = {cb, data},
    };
    return ask(context_of(resource), &event, options, MUSTER_STOP_CASCADE);
}

int muster_resource_changed(struct muster_resource *resource, enum muster_change change)
{
    if ((unsigned)change > MUSTER_CHANGED_UNKNOWN)
        return MUSTER_EINVAL;
    return muster__request(context_of(resource), &(struct muster__event){
                                                     .type = MUSTER__EVENT_RESOURCE_CHANGED,
                                                     .resource = resource,
                                                     .number = change,
                                                 });
}

int muster_resource_retry(struct muster_resource *resource)
{
    return muster__request(context_of(resource),
                           &(struct muster__event){.type = MUSTER__EVENT_RESOURCE_RETRY, .resource = resource});
}

int muster_resource_set_needs(struct muster_resource *resource, const char *const *needs, const char *const *after)
{
    return muster__request(context_of(resource), &(struct muster__event){
                                                     .type = MUSTER__EVENT_RESOURCE_SET_NEEDS,
                                                     .resource = resource,
                                                     .needs = needs,
                                                     .after = after,
                                                 });
}

int muster_resource_set_policy(struct muster_resource *resource, enum muster_policy policy)
{
    if ((unsigned)policy > MUSTER_LAST_STATE)
        return MUSTER_EINVAL;
    return muster__request(context_of(resource), &(struct muster__event){
                                                     .type = MUSTER__EVENT_RESOURCE_SET_POLICY,
                                                     .resource = resource,
                                                     .number = policy,
                                                 });
}

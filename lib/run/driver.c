/* SPDX-License-Identifier: MIT */
#include "run/context.h"

static struct muster *context_of(const struct muster_driver *driver)
{
    return driver == NULL ? NULL : muster__engine_context(muster__driver_engine(driver));
}

int muster_add_driver(struct muster *context, const struct muster_driver_def *def, void *data,
                      struct muster_driver **ret_driver)
{
    struct muster_driver *driver;
    if (def == NULL)
        return MUSTER_EINVAL;
    int code = muster__request(context, &(struct muster__event){
                                            .type = MUSTER__EVENT_ADD_DRIVER,
                                            .driver_def = def,
                                            .data = data,
                                            .ret_driver = &driver,
                                        });
    if (code != 0)
        return code;
    if (muster__driver_def(driver)->start_interval_ms > 0)
        context->exact = true;
    if (ret_driver != NULL)
        *ret_driver = driver;
    return 0;
}

struct muster_driver *muster_driver_find(struct muster *context, const char *name)
{
    if (muster__enter(context) != 0 || name == NULL)
        return NULL;
    return muster__engine_find_driver(context->engine, name);
}

int muster_driver_foreach(struct muster *context, muster_driver_cb cb, void *data)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    return cb == NULL ? MUSTER_EINVAL : muster__engine_foreach_driver(context->engine, cb, data);
}

int muster_driver_changed(struct muster_driver *driver)
{
    return muster__request(context_of(driver), &(struct muster__event){
                                                   .type = MUSTER__EVENT_DRIVER_RETRY,
                                                   .driver = driver,
                                                   .number = 1,
                                               });
}

int muster_driver_retry(struct muster_driver *driver)
{
    return muster__request(context_of(driver),
                           &(struct muster__event){.type = MUSTER__EVENT_DRIVER_RETRY, .driver = driver});
}

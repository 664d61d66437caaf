/* SPDX-License-Identifier: MIT */
#include "run/context.h"

int muster_record_foreach(struct muster *context, muster_record_cb cb, void *data)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    return cb == NULL ? MUSTER_EINVAL : muster__engine_foreach_record(context->engine, cb, data);
}

int muster_record_forget(struct muster *context, const char *name, muster_done_cb cb, void *data)
{
    if (name == NULL)
        return MUSTER_EINVAL;
    return muster__request(context, &(struct muster__event){
                                        .type = MUSTER__EVENT_RECORD_FORGET,
                                        .name = name,
                                        .done = {cb, data},
                                    });
}

int muster_record_move(struct muster *context, const char *name, const char *new_name, muster_done_cb cb, void *data)
{
    if (name == NULL || new_name == NULL)
        return MUSTER_EINVAL;
    return muster__request(context, &(struct muster__event){
                                        .type = MUSTER__EVENT_RECORD_MOVE,
                                        .name = name,
                                        .new_name = new_name,
                                        .done = {cb, data},
                                    });
}

int muster_record_resolve(struct muster *context, const char *name, enum muster_desired desired, muster_done_cb cb,
                          void *data)
{
    if (name == NULL || (unsigned)desired > MUSTER_DESIRED_ACTIVE)
        return MUSTER_EINVAL;
    return muster__request(context, &(struct muster__event){
                                        .type = MUSTER__EVENT_RECORD_RESOLVE,
                                        .name = name,
                                        .number = desired,
                                        .done = {cb, data},
                                    });
}

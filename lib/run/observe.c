/* SPDX-License-Identifier: MIT */
#include "run/context.h"

int muster_observe(struct muster *context, muster_observe_cb cb, void *data)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (cb == NULL)
        return MUSTER_EINVAL;
    void *observers = context->observers;
    code = muster__grow(&context->memory, &observers, context->observer_count, &context->observer_capacity,
                        sizeof(struct muster__observer));
    if (code != 0)
        return code;
    context->observers = observers;
    context->observers[context->observer_count++] = (struct muster__observer){cb, data};
    muster__engine_observe(context->engine, true);
    context->exact = true;
    return 0;
}

const char *muster_observation_name(enum muster_observation_type type)
{
    static const char *const names[] = {
        [MUSTER_OBSERVE_DRIVER] = "driver",
        [MUSTER_OBSERVE_RESOURCE] = "resource",
        [MUSTER_OBSERVE_OP_BEGIN] = "op begin",
        [MUSTER_OBSERVE_OP_END] = "op end",
        [MUSTER_OBSERVE_OP_TIMEOUT] = "op timeout",
        [MUSTER_OBSERVE_OP_LATE] = "op late",
        [MUSTER_OBSERVE_OP_TWICE] = "op twice",
        [MUSTER_OBSERVE_UNRECORDED] = "unrecorded",
        [MUSTER_OBSERVE_LOSS] = "loss",
        [MUSTER_OBSERVE_UNCLAIMED] = "unclaimed",
        [MUSTER_OBSERVE_STORE] = "store",
        [MUSTER_OBSERVE_MILESTONE] = "milestone",
        [MUSTER_OBSERVE_STATE] = "state",
        [MUSTER_OBSERVE_LOST] = "lost",
        [MUSTER_OBSERVE_DEGRADED] = "degraded",
        [MUSTER_OBSERVE_COMMIT] = "commit",
        [MUSTER_OBSERVE_OP_EXTENDED] = "op extended",
    };
    return (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

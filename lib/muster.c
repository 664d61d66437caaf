/* SPDX-License-Identifier: MIT */
/* The public functions of the context; run/ has those of drivers, resources, records, ops and the loop. */
#include <string.h>

#include <muster.h>

#include "run/context.h"

const char *muster_version(void)
{
    return MUSTER_VERSION;
}

int muster_check(struct muster *context)
{
    return muster__request(context, &(struct muster__event){.type = MUSTER__EVENT_CHECK});
}

int muster_bring_up(struct muster *context, muster_done_cb cb, void *data)
{
    return muster__request(context, &(struct muster__event){.type = MUSTER__EVENT_BRING_UP, .done = {cb, data}});
}

int muster_when(struct muster *context, enum muster_milestone milestone, muster_done_cb cb, void *data)
{
    if ((unsigned)milestone > MUSTER_SETTLED || cb == NULL)
        return MUSTER_EINVAL;
    return muster__request(context, &(struct muster__event){
                                        .type = MUSTER__EVENT_WHEN,
                                        .number = milestone,
                                        .done = {cb, data},
                                    });
}

int muster_reload(struct muster *context, muster_done_cb cb, void *data)
{
    return muster__request(context, &(struct muster__event){.type = MUSTER__EVENT_RELOAD, .done = {cb, data}});
}

int muster_shutdown(struct muster *context, enum muster_shutdown_kind kind, muster_done_cb cb, void *data)
{
    if ((unsigned)kind > MUSTER_HOST_SHUTDOWN)
        return MUSTER_EINVAL;
    return muster__request(context, &(struct muster__event){
                                        .type = MUSTER__EVENT_SHUTDOWN,
                                        .number = kind,
                                        .done = {cb, data},
                                    });
}

enum muster_context_state muster_state(const struct muster *context)
{
    return muster__enter(context) == 0 ? muster__engine_state(context->engine) : MUSTER_STATE_DOWN;
}

void muster_progress_counts_init(struct muster_progress_counts *counts, size_t size)
{
    memset(counts, 0, size);
    memcpy(counts, &size, sizeof(size));
}

int muster_progress(const struct muster *context, struct muster_progress_counts *ret_counts)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (ret_counts == NULL || ret_counts->size < sizeof(ret_counts->size))
        return MUSTER_EINVAL;
    struct muster_progress_counts counts = {.size = ret_counts->size};
    muster__engine_progress(context->engine, &counts);
    memcpy(ret_counts, &counts, counts.size < sizeof(counts) ? counts.size : sizeof(counts));
    return 0;
}

unsigned muster_holds(const struct muster *context)
{
    return muster__enter(context) == 0 ? muster__engine_holds(context->engine) : 0;
}

const struct muster_error *muster_get_error(const struct muster *context)
{
    return muster__enter(context) == 0 ? muster__engine_error(context->engine) : NULL;
}

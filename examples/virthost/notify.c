/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "delay.h"
#include "virthost.h"

/* A STATUS follows what it tells by so much. */
#define STATUS_MS 100
/* An op past its deadline is still to be told of. */
#define GRACE_MS 5000
/* Less isn't worth a message. */
#define EXTEND_STEP_MS 500

struct notify {
    struct virthost *host;
    struct delay *delay;
    bool is_ready;
    /* On the observer's clock: until when the service manager waits by what it was told. */
    uint64_t extended_ms;
};

/* ---- STATUS --------------------------------------------------------------------------------------- */

/* In the words of virthostctl watch. */
static void describe(const struct virthost *host, char *text, size_t bytes)
{
    struct muster_progress_counts counts;
    MUSTER_PROGRESS_COUNTS_INIT(&counts);
    muster_progress(host->context, &counts);
    snprintf(text, bytes, "%s: %llu done, %llu running, %llu waiting, %llu failed",
             muster_state_name(muster_state(host->context)), (unsigned long long)counts.done,
             (unsigned long long)counts.running, (unsigned long long)counts.waiting, (unsigned long long)counts.failed);
}

static void tell_status(void *data)
{
    struct notify *notify = data;
    char text[256];
    describe(notify->host, text, sizeof(text));
    delay_free(notify->delay);
    notify->delay = NULL;
    sd_notifyf(0, "STATUS=%s", text);
}

/* ---- what the observer hears ---------------------------------------------------------------------- */

static void become_ready(struct notify *notify)
{
    char text[256];
    describe(notify->host, text, sizeof(text));
    notify->is_ready = true;
    sd_notifyf(0, "READY=1\nSTATUS=%s", text);
}

/* Who has been told of a later end already needn't hear of this one. */
static void extend(struct notify *notify, const struct muster_observation *seen)
{
    uint64_t until_ms = seen->deadline_ms + GRACE_MS;
    if (seen->deadline_ms == UINT64_MAX || until_ms < notify->extended_ms + EXTEND_STEP_MS)
        return;
    notify->extended_ms = until_ms;
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)(until_ms - seen->time_ms) * 1000);
}

static void begin_stopping(struct notify *notify)
{
    notify->extended_ms = 0;
    sd_notify(0, "STOPPING=1");
}

static bool manager_waits(const struct notify *notify)
{
    enum muster_context_state state = muster_state(notify->host->context);
    return (state == MUSTER_STATE_BRINGING_UP && !notify->is_ready) || state == MUSTER_STATE_ROLLING_BACK ||
           state == MUSTER_STATE_SHUTTING_DOWN;
}

static void on_observation(struct muster *context, void *data, const struct muster_observation *seen)
{
    (void)context;
    struct notify *notify = data;
    if (seen->type == MUSTER_OBSERVE_MILESTONE && seen->to == MUSTER_RECONCILED)
        become_ready(notify);
    if (seen->type == MUSTER_OBSERVE_STATE && seen->to == MUSTER_STATE_SHUTTING_DOWN)
        begin_stopping(notify);
    bool has_deadline = seen->type == MUSTER_OBSERVE_OP_BEGIN || seen->type == MUSTER_OBSERVE_OP_EXTENDED;
    if (has_deadline && manager_waits(notify))
        extend(notify, seen);
    if (notify->delay == NULL && !notify->host->ending)
        notify->delay = delay_new(&notify->host->loop, STATUS_MS, tell_status, notify);
}

/* ---- the public part ------------------------------------------------------------------------------ */

struct notify *notify_new(struct virthost *host)
{
    struct notify *notify = calloc(1, sizeof(*notify));
    if (notify == NULL)
        return NULL;
    notify->host = host;
    if (muster_observe(host->context, on_observation, notify) == 0)
        return notify;
    free(notify);
    return NULL;
}

void notify_end(struct notify *notify)
{
    if (notify == NULL)
        return;
    delay_free(notify->delay);
    notify->delay = NULL;
}

void notify_free(struct notify *notify)
{
    free(notify);
}

void notify_reloading(struct notify *notify)
{
    (void)notify;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
               (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

void notify_reloaded(struct notify *notify)
{
    if (notify->is_ready)
        become_ready(notify);
}

/* SPDX-License-Identifier: MIT */
/* A build without libsystemd: no service manager is told anything, and there is no logind. */
#include <errno.h>
#include <stdlib.h>

#include "logind.h"
#include "notify.h"

struct notify *notify_new(struct virthost *host)
{
    (void)host;
    return calloc(1, 1);
}

void notify_end(struct notify *notify)
{
    (void)notify;
}

void notify_free(struct notify *notify)
{
    free(notify);
}

void notify_reloading(struct notify *notify)
{
    (void)notify;
}

void notify_reloaded(struct notify *notify)
{
    (void)notify;
}

int logind_open(struct virthost *host)
{
    (void)host;
    return -ENOTSUP;
}

void logind_close(struct virthost *host)
{
    (void)host;
}

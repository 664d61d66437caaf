/* SPDX-License-Identifier: MIT */
#include "makespan_peer.h"

#include <stddef.h>

const char *peer_name(void)
{
    return NULL;
}

double peer_makespan(const struct work *work, uint32_t workers)
{
    (void)work;
    (void)workers;
    return 0;
}

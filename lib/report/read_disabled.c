/* SPDX-License-Identifier: MIT */
/* Without jansson. */
#include <stdio.h>

#include <muster/report.h>

int muster_report_read(const char *json, size_t bytes, struct muster_report **ret_report, char *message, size_t room)
{
    (void)bytes;
    if (json == NULL || ret_report == NULL)
        return MUSTER_EINVAL;
    if (message != NULL && room > 0)
        snprintf(message, room, "this build of muster reads no JSON");
    return MUSTER_ENOTSUP;
}

/* SPDX-License-Identifier: MIT */
#include "base/def.h"

#include <string.h>

#include <muster/error.h>

int muster__def_copy(void *copy, size_t size, const void *def, size_t least)
{
    size_t given;
    if (def == NULL)
        return MUSTER_EINVAL;
    memcpy(&given, def, sizeof(given));
    if (given < least)
        return MUSTER_EINVAL;
    for (size_t i = size; i < given; i++)
        if (((const char *)def)[i] != 0)
            return MUSTER_EINVAL;
    memset(copy, 0, size);
    memcpy(copy, def, given < size ? given : size);
    memcpy(copy, &size, sizeof(size));
    return 0;
}

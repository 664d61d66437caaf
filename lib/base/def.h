/* SPDX-License-Identifier: MIT */
/* Size-first definitions: copied into a zeroed struct, whatever version of the header the caller has. */
#ifndef MUSTER__DEF_H
#define MUSTER__DEF_H

#include <stddef.h>
#include <string.h>

/*
 * Copy the definition at `def`, whose first member is its size, into `copy` of `size` bytes. MUSTER_EINVAL: it is shorter than
 * `least` (the first version's), or it is longer than ours and has something set that we don't know.
 */
int muster__def_copy(void *copy, size_t size, const void *def, size_t least);

/* The same for who only reads: `def` itself if it has our size, else `copy`; NULL where copying fails. */
static inline const void *muster__def_read(void *copy, size_t size, const void *def, size_t least)
{
    size_t given = 0;
    if (def != NULL)
        memcpy(&given, def, sizeof(given));
    if (given == size)
        return def;
    return muster__def_copy(copy, size, def, least) == 0 ? copy : NULL;
}

#endif

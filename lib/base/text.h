/* SPDX-License-Identifier: MIT */
/* Strings that are packed behind a struct, in one block. */
#ifndef MUSTER__TEXT_H
#define MUSTER__TEXT_H

#include <stddef.h>
#include <string.h>

/* With its end; 0 for NULL. */
static inline size_t muster__text_bytes(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

/* A copy at *room, which moves behind it; NULL for NULL. */
static inline const char *muster__text_put(char **room, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t bytes = muster__text_bytes(text);
    const char *copy = memcpy(*room, text, bytes);
    *room += bytes;
    return copy;
}

#endif

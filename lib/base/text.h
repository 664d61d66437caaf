/* SPDX-License-Identifier: MIT */
/* Strings that are packed behind a struct, in one block; and digits, where snprintf would take most of the time. */
#ifndef MUSTER__TEXT_H
#define MUSTER__TEXT_H

#include <stddef.h>
#include <stdint.h>
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

#define MUSTER__DIGITS_MAX 20

/* Write the number in decimal, without an end. Returns where it ends, at most MUSTER__DIGITS_MAX further on. */
static inline char *muster__text_digits(char *room, uint64_t number)
{
    char digits[MUSTER__DIGITS_MAX];
    size_t first = sizeof(digits);
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    size_t count = sizeof(digits) - first;
    return (char *)memcpy(room, digits + first, count) + count;
}

#endif

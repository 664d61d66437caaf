/* SPDX-License-Identifier: MIT */
/* Which names and texts are allowed. */
#ifndef MUSTER__NAME_H
#define MUSTER__NAME_H

#include <stdbool.h>
#include <stddef.h>

/* A name is 1 to 255 bytes. */
#define MUSTER__NAME_MAX 255
/* Of "driver/name", with its end. */
#define MUSTER__PATH_BYTES (2 * ((size_t)MUSTER__NAME_MAX + 1))
/* A handle is at most this many bytes (DESIGN.md, section 8). */
#define MUSTER__HANDLE_MAX ((size_t)1024 * 1024)

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */
bool muster__utf8_valid(const char *text, size_t length);
/* Each byte that is no part of a character becomes '?'. */
void muster__utf8_mend(char *text);

/* How many bytes the control character at `text` has, which is valid UTF-8: U+0000-U+001F, U+007F-U+009F. 0: it is another. */
size_t muster__control_bytes(const char *text);

/* 1 to 255 bytes of UTF-8 without control characters. */
bool muster__name_valid(const char *name);

/* The same, and without '/': a driver, a capability. */
bool muster__driver_name_valid(const char *name);

#endif

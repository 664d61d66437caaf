/* SPDX-License-Identifier: MIT */
/* Brackets of a JSON text, outside of its strings: what is asked before a parser that recurses is given it. */
#ifndef MUSTER__BRACKETS_H
#define MUSTER__BRACKETS_H

#include <stddef.h>

/* How many stand within each other. */
size_t muster__brackets_depth(const char *text, size_t length);

/* Its length up to where the bracket that it begins with closes, and how many stand within each other there. 0: it never does. */
size_t muster__brackets_end(const char *text, size_t length, size_t *ret_depth);

#endif

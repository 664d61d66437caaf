/* SPDX-License-Identifier: MIT */
/* Brackets of a JSON text, outside of its strings: what is asked before a parser that recurses is given it. */
#ifndef MUSTER__BRACKETS_H
#define MUSTER__BRACKETS_H

#include <stdbool.h>
#include <stddef.h>

/* How many stand within each other. */
size_t muster__brackets_depth(const char *text, size_t length);

/* Does the bracket that it begins with close at its very end? In what is cut off it never does. */
bool muster__brackets_closed(const char *text, size_t length);

#endif

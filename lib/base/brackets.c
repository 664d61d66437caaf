/* SPDX-License-Identifier: MIT */
#include "base/brackets.h"

#include <stdbool.h>

struct place {
    size_t depth;
    bool in_string;
    bool escaped;
};

/* Whether this character closes the outermost bracket, or one that was never opened. */
static bool step(struct place *place, char c)
{
    bool escaped = place->escaped;
    place->escaped = place->in_string && !escaped && c == '\\';
    if (place->in_string || c == '"') {
        place->in_string ^= c == '"' && !escaped;
        return false;
    }
    if (c == '[' || c == '{')
        place->depth++;
    return (c == ']' || c == '}') && (place->depth == 0 || --place->depth == 0);
}

size_t muster__brackets_depth(const char *text, size_t length)
{
    struct place place = {.depth = 0};
    size_t most = 0;
    for (size_t i = 0; i < length; i++) {
        step(&place, text[i]);
        most = place.depth > most ? place.depth : most;
    }
    return most;
}

size_t muster__brackets_end(const char *text, size_t length, size_t *ret_depth)
{
    struct place place = {.depth = 0};
    size_t most = 0;
    for (size_t i = 0; i < length; i++) {
        bool closed = step(&place, text[i]);
        most = place.depth > most ? place.depth : most;
        if (closed) {
            *ret_depth = most;
            return i + 1;
        }
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <stdlib.h>
#include <string.h>

/* A whole line, and what stands behind it and isn't one. */
struct piece {
    /* 0: of what stands before the first. */
    uint64_t seq;
    const char *bytes;
    /* Of the line alone, with its newline, and of all. */
    size_t line;
    size_t length;
};

static int compare(const void *a, const void *b)
{
    const struct piece *one = a, *other = b;
    if (one->seq != other->seq)
        return one->seq < other->seq ? -1 : 1;
    return one->bytes < other->bytes ? -1 : one->bytes > other->bytes;
}

/* Returns how many there are; without `pieces` they are only counted. */
static size_t split(const char *bytes, size_t size, const struct muster__journal_id *id, struct piece *pieces)
{
    size_t count = 1;
    if (pieces != NULL)
        pieces[0] = (struct piece){.bytes = bytes};
    for (size_t at = 0, length; at < size; at += length) {
        struct muster__journal_line line;
        const char *newline = memchr(bytes + at, '\n', size - at);
        length = newline == NULL ? size - at : (size_t)(newline - bytes) - at + 1;
        bool whole = muster__journal_get_line(bytes + at, length, id, &line);
        count += whole;
        if (pieces == NULL)
            continue;
        if (whole)
            pieces[count - 1] = (struct piece){line.seq, bytes + at, length, 0};
        pieces[count - 1].length += length;
    }
    return count;
}

int muster__journal_order(const struct muster__journal_id *id, size_t header, const char *bytes, size_t size,
                          struct muster__buffer *ordered)
{
    const struct muster__memory *memory = ordered->memory;
    size_t count = split(bytes + header, size - header, id, NULL);
    struct piece *pieces = muster__alloc(memory, count, sizeof(*pieces));
    if (pieces == NULL)
        return MUSTER_ENOMEM;
    split(bytes + header, size - header, id, pieces);
    qsort(pieces, count, sizeof(*pieces), compare);
    muster__buffer_put(ordered, bytes, header);
    for (size_t i = 0; i < count; i++) {
        bool again = i > 0 && pieces[i].seq == pieces[i - 1].seq;
        size_t from = again ? pieces[i].line : 0;
        muster__buffer_put(ordered, pieces[i].bytes + from, pieces[i].length - from);
        if (ordered->code == 0 && ordered->bytes[ordered->used - 1] != '\n')
            muster__buffer_puts(ordered, "\n");
    }
    muster__free(memory, pieces);
    return ordered->code;
}

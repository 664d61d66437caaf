/* SPDX-License-Identifier: MIT */
/* Lines broken between words where they would be longer than a terminal is wide. */
#ifndef MUSTER__WRAP_H
#define MUSTER__WRAP_H

#include "report/writer.h"

struct muster__wrap {
    struct muster__writer *to; /* its width is not 0 */
    size_t column;             /* behind the last word */
    size_t spaces;             /* behind that */
    size_t hang;               /* where the line goes on: below its first word, behind the tree's branch */
    bool escape;
    size_t columns; /* of the word that isn't over yet */
    size_t used;
    char word[512];
};

/* A muster_report_write_cb whose data is a struct muster__wrap. What it is given ends with a newline. */
int muster__wrap_write(void *data, const char *text, size_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Errors: immutable once they are shared, counted, with a fixed buffer. An error holds a reference on its cause and on
 * its next sibling. Where memory is short, an immortal error of the same code stands in for the one that couldn't be made.
 */
#ifndef MUSTER__ERROR_H
#define MUSTER__ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include <muster/error.h>

#include "base/memory.h"

#define MUSTER__ERROR_TEXT 512

struct muster_error {
    int code;
    int sys_errno;
    /* 0: immortal, or embedded in another object that owns it. */
    unsigned references;
    const struct muster__memory *memory;
    struct muster_error *cause;
    struct muster_error *next;
    char text[MUSTER__ERROR_TEXT];
};

/* Reset an embedded error. */
void muster__error_init(struct muster_error *error);

/*
 * A new error, with one reference. `cause` (may be NULL) is referenced, and its text appended: "message: cause".
 * Never NULL.
 */
struct muster_error *muster__error_new(const struct muster__memory *memory, int code, const struct muster_error *cause,
                                       const char *format, ...) MUSTER_PRINTF(4, 5);

/* A counted copy of an embedded error with `prefix: ` before its text; the errno is kept. Never NULL. */
struct muster_error *muster__error_wrap(const struct muster__memory *memory, const struct muster_error *inner,
                                        const char *format, ...) MUSTER_PRINTF(3, 4);

struct muster_error *muster__error_ref(const struct muster_error *error);
/* Drop a reference. NULL is accepted. */
void muster__error_unref(const struct muster_error *error);

/* Append `last` (whose reference is taken) to the siblings of *list. One made without memory is the last of them. */
void muster__error_append(struct muster_error **list, struct muster_error *last);

/* Drop *slot and put `error` (whose reference is taken) there. */
void muster__error_replace(struct muster_error **slot, struct muster_error *error);

#endif

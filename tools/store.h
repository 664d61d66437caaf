/* SPDX-License-Identifier: MIT */
/* What the actions of `muster store` share. */
#ifndef TOOL_STORE_H
#define TOOL_STORE_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include <muster/store.h>

/* The command line behind the action. */
struct tool_store_call {
    const char *path;
    /* What follows it, up to two words, or NULL. */
    const char *words[2];
    bool json;
    bool merge;
};

/* ---- store_open.c */

enum tool_store_access { TOOL_STORE_READ, TOOL_STORE_CHANGE, TOOL_STORE_MAKE };

/*
 * Open journal:DIR, sqlite:FILE, or whatever is at a bare path; only to MAKE may it not be there yet. An exit code; on failure
 * a message was printed.
 */
int tool_store_open(const char *path, enum tool_store_access access, struct muster_store **ret_store);
/* Close and free it. `code`, or TOOL_PROBLEM with a message. */
int tool_store_close(struct muster_store *store, int code);
/* Print what the last call has left, and return TOOL_PROBLEM. */
int tool_store_failed(const struct muster_store *store);
/* Load, and warn of what is lost. *ret_lost may be NULL. Any return of `cb` but 0 must come with a message. */
int tool_store_load(struct muster_store *store, muster_load_cb cb, void *data, bool *ret_lost);

/* ---- store_json.c */

/* NULL: out of memory. */
json_t *tool_record_to_json(const struct muster_record *record);
/*
 * Its strings are the object's. What is wrong goes to `problem`: TOOL_PROBLEM.
 */
int tool_record_from_json(json_t *object, struct muster_record *ret_record, char problem[256]);
/* All records, a line each, with what muster store import needs. An exit code. */
int tool_store_print_json(struct muster_store *store);
/* A word of a record, "active"; a number where there is none: in `room`. */
enum tool_word { TOOL_KIND, TOOL_DESIRED, TOOL_STAGE, TOOL_REASON };
const char *tool_word(enum tool_word which, uintptr_t value, char room[24]);

/* ---- the actions. Each returns an exit code. */

int tool_store_show(const struct tool_store_call *call);
int tool_store_verify(const struct tool_store_call *call);
int tool_store_export(const struct tool_store_call *call);
int tool_store_import(const struct tool_store_call *call);
int tool_store_compact(const struct tool_store_call *call);
int tool_store_forget(const struct tool_store_call *call);
int tool_store_resolve(const struct tool_store_call *call);

#endif

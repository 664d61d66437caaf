/* SPDX-License-Identifier: MIT */
/* What `muster store import` reads: what export has printed. */
#ifndef TOOL_STORE_INPUT_H
#define TOOL_STORE_INPUT_H

#include <stddef.h>

#include <jansson.h>

#include <muster/store.h>

struct tool_store_input {
    const char *file;
    json_t *root;
    struct muster_record *records;
    const struct muster_record **pointers;
    size_t count;
};

/* A file, "-" is standard input. What is wrong is printed. Returns an exit code; the caller frees the input in any case. */
int tool_store_input_read(struct tool_store_input *input, const char *file);
/* The same, of these bytes; `file` is for the messages. */
int tool_store_input_parse(struct tool_store_input *input, const char *file, const char *text, size_t bytes);
void tool_store_input_free(struct tool_store_input *input);

#endif

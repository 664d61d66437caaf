/* SPDX-License-Identifier: MIT */
/* The journal's system calls on files in memory. */
#ifndef TESTS_FUZZ_MEMORY_FILES_H
#define TESTS_FUZZ_MEMORY_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "store/journal_calls.h"

extern const struct muster__journal_calls memory_calls;

/* Forget all files. */
void memory_files_clear(void);
void memory_files_put(const char *name, const void *bytes, size_t size);
/* The bytes of the first file whose name begins so; NULL: there is none. */
const char *memory_files_get(const char *prefix, size_t *ret_size);

#endif

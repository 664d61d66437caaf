/* SPDX-License-Identifier: MIT */
/* What must be true of every file that is opened as a journal. */
#ifndef TESTS_FUZZ_JOURNAL_CHECK_H
#define TESTS_FUZZ_JOURNAL_CHECK_H

#include <stddef.h>

/* Ends the process where it isn't. */
void journal_check(const void *bytes, size_t size);

#endif

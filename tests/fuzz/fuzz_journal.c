/* SPDX-License-Identifier: MIT */
/* The input is the journal. */
#include "fuzz.h"
#include "journal_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= 4096)
        journal_check(data, size);
    return 0;
}

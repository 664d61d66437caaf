/* SPDX-License-Identifier: MIT */
/* In place of the journal, in a build without jansson. */
#include <string.h>

#include <muster/store.h>

void muster_journal_options_init(struct muster_journal_options *options, size_t size)
{
    memset(options, 0, size);
    memcpy(options, &size, sizeof(size));
}

int muster_store_journal_new(const char *directory, const struct muster_journal_options *options,
                             struct muster_store **ret_store)
{
    (void)directory;
    (void)options;
    (void)ret_store;
    return MUSTER_ENOTSUP;
}

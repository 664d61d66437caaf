/* SPDX-License-Identifier: MIT */
/* tools/store_open.c for a fuzzer, which opens no store of its own. */
#include "store.h"

#include "command.h"

int tool_store_load(struct muster_store *store, muster_load_cb cb, void *data, bool *ret_lost)
{
    *ret_lost = false;
    return muster_store_load(store, cb, data) == 0 ? TOOL_FINE : TOOL_PROBLEM;
}

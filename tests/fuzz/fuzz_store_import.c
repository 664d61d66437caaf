/* SPDX-License-Identifier: MIT */
/* The input is what `muster store import` reads. What it takes can be exported again, and goes into a journal and out of it. */
#include <string.h>

#include "command.h"
#include "fuzz.h"
#include "memory_files.h"
#include "store.h"
#include "store/journal.h"
#include "store_input.h"

/* Once more the same JSON, and from it the same record. */
static void check_record(const struct muster_record *record)
{
    struct muster_record again;
    char problem[256];
    json_t *object = tool_record_to_json(record);
    must(object != NULL && tool_record_from_json(object, &again, problem) == TOOL_FINE);
    json_t *second = tool_record_to_json(&again);
    must(json_equal(object, second));
    json_decref(object);
    json_decref(second);
}

static int count(void *data, const struct muster_record *record)
{
    check_record(record);
    ++*(size_t *)data;
    return 0;
}

static struct muster_store *open_journal(void)
{
    struct muster_store *store;
    must(muster__journal_new("state", NULL, &memory_calls, &store) == 0);
    must(muster_store_open(store, 0) == 0);
    return store;
}

static void check_store(const struct tool_store_input *input)
{
    size_t before = 0, after = 0;
    struct muster_store *store = open_journal();
    int code = muster_store_commit(store, input->pointers, input->count);
    must(code == 0 || code == MUSTER_EINVAL);
    must(muster_store_load(store, count, &before) == 0 && before == (code == 0 ? input->count : 0));
    must(muster_store_close(store) == 0);
    muster_store_free(store);
    store = open_journal();
    must(muster_store_load(store, count, &after) == 0 && after == before);
    must(muster_error_code(muster_store_get_error(store)) == 0 && muster_store_verify(store) == 0);
    must(muster_store_close(store) == 0);
    muster_store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tool_store_input input;
    memory_files_clear();
    if (tool_store_input_parse(&input, "export.json", (const char *)data, size) == TOOL_FINE) {
        for (size_t i = 0; i < input.count; i++)
            check_record(input.pointers[i]);
        check_store(&input);
    }
    tool_store_input_free(&input);
    memory_files_clear();
    return 0;
}

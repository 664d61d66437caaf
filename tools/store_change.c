/* SPDX-License-Identifier: MIT */
/* muster store export, import, compact, forget, resolve: they take the store's lock. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "store.h"
#include "store_input.h"

static int ignore(void *data, const struct muster_record *record)
{
    (void)record;
    ++*(size_t *)data;
    return 0;
}

/* ---- export, compact */

int tool_store_export(const struct tool_store_call *call)
{
    struct muster_store *store;
    int code = tool_store_open(call->path, TOOL_STORE_CHANGE, &store);
    return code != TOOL_FINE ? code : tool_store_close(store, tool_store_print_json(store));
}

int tool_store_compact(const struct tool_store_call *call)
{
    struct muster_store *store;
    size_t count = 0;
    int code = tool_store_open(call->path, TOOL_STORE_CHANGE, &store);
    if (code != TOOL_FINE)
        return code;
    code = tool_store_load(store, ignore, &count, NULL);
    if (code == TOOL_FINE && muster_store_compact(store) != 0)
        code = tool_store_failed(store);
    return tool_store_close(store, code);
}

/* ---- import */

/* One batch: all of it, or nothing. */
static int put_in(struct muster_store *store, const struct tool_store_call *call, const struct tool_store_input *input)
{
    size_t count = 0;
    int code = tool_store_load(store, ignore, &count, NULL);
    if (code != TOOL_FINE)
        return code;
    if (count > 0 && !call->merge)
        return tool_problem(call->path, "there are %zu records already; --merge adds to them, and replaces those of the same "
                                        "name", count);
    if (muster_store_commit(store, input->pointers, input->count) != 0)
        return tool_store_failed(store);
    printf("%s: %zu record%s imported\n", call->path, input->count, input->count == 1 ? "" : "s");
    return TOOL_FINE;
}

int tool_store_import(const struct tool_store_call *call)
{
    struct muster_store *store;
    struct tool_store_input input;
    int code = tool_store_input_read(&input, call->words[0] == NULL ? "-" : call->words[0]);
    if (code == TOOL_FINE)
        code = tool_store_open(call->path, TOOL_STORE_MAKE, &store);
    if (code == TOOL_FINE)
        code = tool_store_close(store, put_in(store, call, &input));
    tool_store_input_free(&input);
    return code;
}

/* ---- forget, resolve */

/* The records of one name, of every kind. */
struct found {
    const char *name;
    json_t *objects;
};

/* Is that record called "guest/web1"? */
static bool is_called(const struct muster_record *record, const char *name)
{
    size_t length = strlen(record->driver);
    return strncmp(record->driver, name, length) == 0 && name[length] == '/' && strcmp(record->name, name + length + 1) == 0;
}

static int find(void *data, const struct muster_record *record)
{
    struct found *found = data;
    if (!is_called(record, found->name))
        return 0;
    if (json_array_append_new(found->objects, tool_record_to_json(record)) != 0)
        return tool_problem("muster store", "out of memory");
    return 0;
}

#define KINDS_MOST 64

/* Change what was found, and count what is to be committed. */
typedef int (*change_cb)(struct muster_record *records, size_t *count, const struct tool_store_call *call);

static int change_found(struct muster_store *store, const struct tool_store_call *call, const json_t *objects, change_cb change)
{
    struct muster_record records[KINDS_MOST];
    const struct muster_record *pointers[KINDS_MOST];
    char problem[256];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(objects) && count < KINDS_MOST; i++, count++)
        if (tool_record_from_json(json_array_get(objects, i), &records[count], problem) != TOOL_FINE)
            return tool_problem(call->path, "record %s: %s", call->words[0], problem);
    if (count == 0)
        return tool_problem(call->path, "there is no record %s", call->words[0]);
    int code = change(records, &count, call);
    if (code != TOOL_FINE)
        return code;
    for (size_t i = 0; i < count; i++)
        pointers[i] = &records[i];
    return muster_store_commit(store, pointers, count) == 0 ? TOOL_FINE : tool_store_failed(store);
}

static int change_named(const struct tool_store_call *call, change_cb change)
{
    struct muster_store *store;
    struct found found = {.name = call->words[0], .objects = json_array()};
    int code = tool_store_open(call->path, TOOL_STORE_CHANGE, &store);
    if (code == TOOL_FINE) {
        code = tool_store_load(store, find, &found, NULL);
        if (code == TOOL_FINE)
            code = change_found(store, call, found.objects, change);
        code = tool_store_close(store, code);
    }
    json_decref(found.objects);
    return code;
}

static int name_misused(const struct tool_store_call *call)
{
    const char *slash = strchr(call->words[0], '/');
    if (slash != NULL && slash != call->words[0] && slash[1] != '\0')
        return TOOL_FINE;
    tool_problem("muster store", "'%s' isn't DRIVER/NAME", call->words[0]);
    return tool_misused("muster store");
}

static int forget(struct muster_record *records, size_t *count, const struct tool_store_call *call)
{
    (void)call;
    for (size_t i = 0; i < *count; i++)
        records[i].flags = MUSTER_RECORD_REMOVED;
    return TOOL_FINE;
}

int tool_store_forget(const struct tool_store_call *call)
{
    int code = name_misused(call);
    return code != TOOL_FINE ? code : change_named(call, forget);
}

/* As the library takes it where the host doesn't say otherwise; NULL if it can't be told. */
static const char *read_boot_id(void)
{
    static char text[64];
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return NULL;
    bool got = fgets(text, sizeof(text), file) != NULL;
    fclose(file);
    text[strcspn(text, "\n")] = '\0';
    return got && text[0] != '\0' ? text : NULL;
}

/* As muster_record_resolve() does in a daemon. */
static int resolve(struct muster_record *records, size_t *count, const struct tool_store_call *call)
{
    bool active = strcmp(call->words[1], "active") == 0;
    struct muster_record *record = NULL;
    for (size_t i = 0; i < *count; i++)
        if (records[i].kind == MUSTER_RECORD_RESOURCE)
            record = &records[i];
    if (record == NULL || (record->flags & MUSTER_RECORD_QUARANTINED) == 0)
        return tool_problem(call->path, "record %s isn't quarantined: there is nothing to resolve", call->words[0]);
    record->flags &= ~(uintptr_t)MUSTER_RECORD_QUARANTINED;
    record->desired = active ? MUSTER_DESIRED_ACTIVE : MUSTER_DESIRED_INACTIVE;
    record->stage = active ? MUSTER_STAGE_ACTIVE : MUSTER_STAGE_INACTIVE;
    record->reason = MUSTER_REASON_USER;
    if (active)
        record->flags |= MUSTER_RECORD_MARK;
    record->boot = read_boot_id();
    record->format = MUSTER_RECORD_FORMAT;
    record->generation++;
    records[0] = *record;
    *count = 1;
    return TOOL_FINE;
}

int tool_store_resolve(const struct tool_store_call *call)
{
    int code = name_misused(call);
    if (code != TOOL_FINE)
        return code;
    if (strcmp(call->words[1], "active") != 0 && strcmp(call->words[1], "inactive") != 0) {
        tool_problem("muster store", "'%s' is neither active nor inactive", call->words[1]);
        return tool_misused("muster store");
    }
    return change_named(call, resolve);
}

/* SPDX-License-Identifier: MIT */
#include "store_input.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "store.h"

#define INPUT_MAX ((size_t)2 << 30)

void tool_store_input_free(struct tool_store_input *input)
{
    json_decref(input->root);
    free(input->records);
    free(input->pointers);
}

static int check_extra(const struct muster_record *record, char problem[256])
{
    json_t *extra = record->extra == NULL ? json_object() : json_loads(record->extra, JSON_REJECT_DUPLICATES, NULL);
    bool fine = json_is_object(extra);
    json_decref(extra);
    if (fine)
        return TOOL_FINE;
    snprintf(problem, 256, "extra isn't the text of a JSON object");
    return TOOL_PROBLEM;
}

static int read_record(struct tool_store_input *input, json_t *object)
{
    char problem[256];
    struct muster_record *record = &input->records[input->count];
    int code = tool_record_from_json(object, record, problem);
    if (code == TOOL_FINE)
        code = check_extra(record, problem);
    if (code != TOOL_FINE) {
        const char *name = json_string_value(json_object_get(object, "name"));
        return tool_problem(tool_file_name(input->file), "record %zu ('%.255s'): %s", input->count, name == NULL ? "" : name,
                            problem);
    }
    input->pointers[input->count++] = record;
    return TOOL_FINE;
}

static int compare(const void *a, const void *b)
{
    const struct muster_record *one = *(const struct muster_record *const *)a;
    const struct muster_record *other = *(const struct muster_record *const *)b;
    int by = (one->kind > other->kind) - (one->kind < other->kind);
    by = by != 0 ? by : strcmp(one->driver, other->driver);
    return by != 0 ? by : strcmp(one->name, other->name);
}

static int check_twice(const struct tool_store_input *input)
{
    const struct muster_record **sorted = calloc(input->count + 1, sizeof(*sorted));
    int code = TOOL_FINE;
    if (sorted == NULL)
        return tool_problem(tool_file_name(input->file), "out of memory");
    memcpy(sorted, input->pointers, input->count * sizeof(*sorted));
    qsort(sorted, input->count, sizeof(*sorted), compare);
    for (size_t i = 1; i < input->count; i++)
        if (compare(&sorted[i - 1], &sorted[i]) == 0)
            code = tool_problem(tool_file_name(input->file), "record %.255s/%.255s is there twice", sorted[i]->driver,
                                sorted[i]->name);
    free(sorted);
    return code;
}

static int read_records(struct tool_store_input *input)
{
    const json_t *records = json_object_get(input->root, "records");
    const json_t *version = json_object_get(input->root, "muster-export");
    if (!json_is_integer(version) || !json_is_array(records))
        return tool_problem(tool_file_name(input->file), "this isn't what muster store export prints");
    if (json_integer_value(version) != 1)
        return tool_problem(tool_file_name(input->file), "export format %" JSON_INTEGER_FORMAT ", and this muster knows 1",
                            json_integer_value(version));
    input->records = calloc(json_array_size(records) + 1, sizeof(*input->records));
    input->pointers = calloc(json_array_size(records) + 1, sizeof(*input->pointers));
    if (input->records == NULL || input->pointers == NULL)
        return tool_problem(tool_file_name(input->file), "out of memory");
    int code = TOOL_FINE;
    for (size_t i = 0; i < json_array_size(records) && code == TOOL_FINE; i++)
        code = read_record(input, json_array_get(records, i));
    return code == TOOL_FINE ? check_twice(input) : code;
}

int tool_store_input_parse(struct tool_store_input *input, const char *file, const char *text, size_t bytes)
{
    json_error_t error;
    *input = (struct tool_store_input){.file = file, .root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error)};
    if (input->root == NULL)
        return tool_problem(tool_file_name(file), "line %d, column %d: %s", error.line, error.column, error.text);
    return read_records(input);
}

int tool_store_input_read(struct tool_store_input *input, const char *file)
{
    size_t bytes;
    *input = (struct tool_store_input){.file = file};
    char *text = tool_read_file(file, INPUT_MAX, &bytes);
    if (text == NULL)
        return TOOL_PROBLEM;
    int code = tool_store_input_parse(input, file, text, bytes);
    free(text);
    return code;
}

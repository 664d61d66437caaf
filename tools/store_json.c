/* SPDX-License-Identifier: MIT */
/* Records as JSON, with nothing lost: what export prints and import reads. */
#include "store.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

enum type { TEXT, NUMBER, WORD };

static const struct member {
    const char *name;
    enum type type;
    size_t offset;
    enum tool_word words;
} members[] = {
#define MEMBER(name, type, words) {#name, type, offsetof(struct muster_record, name), words}
    MEMBER(kind, WORD, TOOL_KIND),       MEMBER(driver, TEXT, 0),
    MEMBER(name, TEXT, 0),               MEMBER(desired, WORD, TOOL_DESIRED),
    MEMBER(stage, WORD, TOOL_STAGE),     MEMBER(reason, WORD, TOOL_REASON),
    MEMBER(boot, TEXT, 0),               MEMBER(attempts, NUMBER, 0),
    MEMBER(generation, NUMBER, 0),       MEMBER(token, TEXT, 0),
    MEMBER(handle, TEXT, 0),             MEMBER(format, NUMBER, 0),
    MEMBER(extra, TEXT, 0),
#undef MEMBER
};

static const struct flag {
    const char *name;
    uintptr_t flag;
} flags[] = {{"quarantined", MUSTER_RECORD_QUARANTINED}, {"mark", MUSTER_RECORD_MARK}};

#define MEMBERS (sizeof(members) / sizeof(members[0]))
#define FLAGS (sizeof(flags) / sizeof(flags[0]))
#define NAMED_FLAGS ((uintptr_t)(MUSTER_RECORD_QUARANTINED | MUSTER_RECORD_MARK))
#define HANDLE_MAX ((size_t)1024 * 1024)

/* ---- words */

#define WORDS_MOST 6
static const char *const words[][WORDS_MOST] = {
    [TOOL_KIND] = {"resource", "history"},
    [TOOL_DESIRED] = {"inactive", "active"},
    [TOOL_STAGE] = {"inactive", "starting", "active", "stopping"},
    [TOOL_REASON] = {"user", "self", "host-shutdown", "loss", "failure"},
};

const char *tool_word(enum tool_word which, uintptr_t value, char room[24])
{
    if (value < WORDS_MOST && words[which][value] != NULL)
        return words[which][value];
    snprintf(room, 24, "%" PRIuPTR, value);
    return room;
}

/* ---- to JSON */

/* JSON libraries stop at 2^63: from there on it is a string. */
static json_t *number_to_json(uint64_t number)
{
    char text[24];
    if (number <= INT64_MAX)
        return json_integer((json_int_t)number);
    snprintf(text, sizeof(text), "%" PRIu64, number);
    return json_string(text);
}

static json_t *word_to_json(enum tool_word which, uintptr_t value)
{
    char room[24];
    const char *word = tool_word(which, value, room);
    return word == room ? number_to_json(value) : json_string(word);
}

/* False: out of memory. */
static bool set_member(json_t *object, const struct member *member, const struct muster_record *record)
{
    const char *place = (const char *)record + member->offset;
    const char *text;
    uint64_t number;
    uintptr_t word;
    switch (member->type) {
    case TEXT:
        memcpy(&text, place, sizeof(text));
        return text == NULL || json_object_set_new(object, member->name, json_string(text)) == 0;
    case NUMBER:
        memcpy(&number, place, sizeof(number));
        return json_object_set_new(object, member->name, number_to_json(number)) == 0;
    default:
        memcpy(&word, place, sizeof(word));
        return json_object_set_new(object, member->name, word_to_json(member->words, word)) == 0;
    }
}

json_t *tool_record_to_json(const struct muster_record *record)
{
    json_t *object = json_object();
    bool fine = object != NULL;
    for (size_t i = 0; i < MEMBERS; i++)
        fine = fine && set_member(object, &members[i], record);
    for (size_t i = 0; i < FLAGS; i++)
        if ((record->flags & flags[i].flag) != 0)
            fine = fine && json_object_set_new(object, flags[i].name, json_true()) == 0;
    if ((record->flags & ~NAMED_FLAGS) != 0)
        fine = fine && json_object_set_new(object, "flags", number_to_json(record->flags & ~NAMED_FLAGS)) == 0;
    if (fine)
        return object;
    json_decref(object);
    return NULL;
}

/* ---- from JSON */

static bool get_number(const json_t *value, uint64_t *ret_number)
{
    if (json_is_integer(value)) {
        *ret_number = (uint64_t)json_integer_value(value);
        return json_integer_value(value) >= 0;
    }
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 20)
        return false;
    char *end;
    *ret_number = strtoull(text, &end, 10);
    return strlen(text) < 20 || strcmp(text, "18446744073709551615") <= 0;
}

static bool get_word(const json_t *value, enum tool_word which, uintptr_t *ret_word)
{
    const char *text = json_string_value(value);
    uint64_t number;
    for (uintptr_t i = 0; text != NULL && i < WORDS_MOST && words[which][i] != NULL; i++)
        if (strcmp(words[which][i], text) == 0) {
            *ret_word = i;
            return true;
        }
    if (!get_number(value, &number) || number > UINTPTR_MAX)
        return false;
    *ret_word = (uintptr_t)number;
    return true;
}

static bool get_member(const json_t *value, const struct member *member, struct muster_record *record)
{
    char *place = (char *)record + member->offset;
    const char *text = json_string_value(value);
    uint64_t number;
    uintptr_t word;
    switch (member->type) {
    case TEXT:
        memcpy(place, &text, sizeof(text));
        return text != NULL;
    case NUMBER:
        if (!get_number(value, &number))
            return false;
        memcpy(place, &number, sizeof(number));
        return true;
    default:
        if (!get_word(value, member->words, &word))
            return false;
        memcpy(place, &word, sizeof(word));
        return true;
    }
}

static bool get_flags(const json_t *object, struct muster_record *record)
{
    uint64_t other = 0;
    const json_t *value = json_object_get(object, "flags");
    if (value != NULL && (!get_number(value, &other) || (other & MUSTER_RECORD_REMOVED) != 0 || other > UINTPTR_MAX))
        return false;
    record->flags = (uintptr_t)other;
    for (size_t i = 0; i < FLAGS; i++) {
        value = json_object_get(object, flags[i].name);
        if (value != NULL && !json_is_boolean(value))
            return false;
        record->flags |= json_is_true(value) ? flags[i].flag : 0;
    }
    return true;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (strcmp(members[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < FLAGS; i++)
        if (strcmp(flags[i].name, name) == 0)
            return true;
    return strcmp(name, "flags") == 0;
}

static const char *unknown_member(json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (!is_known(name))
            return name;
    }
    return NULL;
}

/* A later muster's may be of another form. */
static bool token_is_good(const struct muster_record *record)
{
    const char *token = record->token;
    return record->format > MUSTER_RECORD_FORMAT || token == NULL || token[0] == '\0' ||
           (strlen(token) == 32 && strspn(token, "0123456789abcdefABCDEF") == 32);
}

static int wrong(char problem[256], const char *format, const char *name)
{
    snprintf(problem, 256, format, name);
    return TOOL_PROBLEM;
}

int tool_record_from_json(json_t *object, struct muster_record *ret_record, char problem[256])
{
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    if (!json_is_object(object))
        return wrong(problem, "it must be an %s", "object");
    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *value = json_object_get(object, members[i].name);
        if (value != NULL && !get_member(value, &members[i], &record))
            return wrong(problem, "%s isn't what it can be", members[i].name);
    }
    if (!get_flags(object, &record))
        return wrong(problem, "%s", "a flag isn't what it can be");
    if (record.driver == NULL || record.name == NULL)
        return wrong(problem, "it has no %s", record.driver == NULL ? "driver" : "name");
    const char *unknown = unknown_member(object);
    if (unknown != NULL)
        return wrong(problem, "it has a member '%.128s' that isn't known", unknown);
    if (!token_is_good(&record))
        return wrong(problem, "%s isn't 32 hexadecimal digits", "token");
    if (record.handle != NULL && strlen(record.handle) > HANDLE_MAX)
        return wrong(problem, "its %s is longer than 1 MiB", "handle");
    *ret_record = record;
    return TOOL_FINE;
}

/* ---- all of a store */

static int print_record(void *data, const struct muster_record *record)
{
    bool *first = data;
    json_t *object = tool_record_to_json(record);
    if (object == NULL)
        return tool_problem("muster store", "out of memory");
    fputs(*first ? "\n" : ",\n", stdout);
    *first = false;
    int failed = json_dumpf(object, stdout, JSON_PRESERVE_ORDER);
    json_decref(object);
    return failed && !ferror(stdout) ? tool_problem("muster store", "out of memory") : TOOL_FINE;
}

int tool_store_print_json(struct muster_store *store)
{
    bool first = true;
    bool lost = false;
    fputs("{\"muster-export\": 1, \"records\": [", stdout);
    int code = tool_store_load(store, print_record, &first, &lost);
    fputs("\n]}\n", stdout);
    return lost ? TOOL_PROBLEM : code;
}

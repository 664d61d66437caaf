/* SPDX-License-Identifier: MIT */
#include "store/journal_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/brackets.h"
#include "base/name.h"
#include "base/text.h"

/* ---- jansson where memory is short */

/* What it reads a string into, at first. */
#define JANSSON_ROOM 16

/* A host may have given it an allocator. */
static void free_text(char *text)
{
    json_free_t release;
    json_get_alloc_funcs(NULL, &release);
    release(text);
}

static char *new_text(size_t bytes)
{
    json_malloc_t get;
    json_get_alloc_funcs(&get, NULL);
    return get(bytes);
}

static bool memory_is_left(size_t bytes)
{
    char *block = new_text(bytes);
    free_text(block);
    return block != NULL;
}

/* The bytes of a string, its quotes among them. */
static size_t string_bytes(const char *quote, const char *end)
{
    const char *at = quote + 1;
    while (at < end && *at != '"')
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    return at < end ? (size_t)(at + 1 - quote) : 0;
}

/*
 * jansson (its issue 362, of 2017, as in 2.14) reads a string into a buffer of 16, 32, 64, ... bytes, and goes on where that
 * can't grow: the byte that needed it is lost. If that is the quote at the end, it writes past the string. The longest such
 * string of `text`, 0 if there is none.
 */
static size_t longest_risk(const char *text, size_t length)
{
    const char *end = text + length;
    size_t most = JANSSON_ROOM - 1, risk = 0;
    for (const char *at = text; (at = memchr(at, '"', (size_t)(end - at))) != NULL;) {
        size_t bytes = string_bytes(at, end);
        if (bytes > most) {
            most = bytes;
            risk = (bytes & (bytes - 1)) == 0 ? bytes : risk;
        }
        at = bytes == 0 ? end : at + bytes;
    }
    return risk;
}

/* Behind a string that is longer by its quotes: the buffer grows within that. */
static json_t *load_behind(size_t bytes, const char *text, size_t length)
{
    size_t all = strlen("[\"") + bytes + strlen("\",") + length + strlen("]");
    char *longer = new_text(all);
    if (longer == NULL)
        return NULL;
    char *to = longer;
    *to++ = '[';
    *to++ = '"';
    memset(to, ' ', bytes);
    to += bytes;
    *to++ = '"';
    *to++ = ',';
    memcpy(to, text, length);
    to[length] = ']';
    json_t *list = json_loadb(longer, all, JSON_REJECT_DUPLICATES, NULL);
    json_t *json = json_array_size(list) == 2 ? json_incref(json_array_get(list, 1)) : NULL;
    json_decref(list);
    free_text(longer);
    return json;
}

static json_t *load(const char *text, size_t length)
{
    size_t risk = longest_risk(text, length);
    return risk == 0 ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : load_behind(risk, text, length);
}

/* How long it is when it is written again. */
static size_t written_length(const json_t *json)
{
    return json_dumpb(json, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* The same in a fifth of the time, where no string of it needs an escape. */
static size_t plain_length(const json_t *json)
{
    char digits[MUSTER__DIGITS_MAX];
    size_t brackets_and_commas = 1 + json_array_size(json) + json_object_size(json);
    size_t length = brackets_and_commas + (brackets_and_commas == 1);
    const char *name;
    json_t *value;
    if (json_is_string(json))
        return json_string_length(json) + 2;
    if (json_is_integer(json) && json_integer_value(json) >= 0)
        return (size_t)(muster__text_digits(digits, (uint64_t)json_integer_value(json)) - digits);
    if (!json_is_object(json) && !json_is_array(json))
        return written_length(json);
    for (size_t i = 0; i < json_array_size(json); i++)
        length += plain_length(json_array_get(json, i));
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
        length += strlen(name) + strlen("\"\":") + plain_length(value);
    return length;
}

/* Written again it is as long as it was: no byte of it was lost. */
static bool is_whole(const json_t *json, const char *text, size_t length)
{
    return (memchr(text, '\\', length) == NULL ? plain_length(json) : written_length(json)) == length;
}

int muster__json_load(const char *text, size_t length, json_t **ret_json)
{
    json_t *first = load(text, length);
    if (first != NULL && is_whole(first, text, length)) {
        *ret_json = first;
        return 0;
    }
    json_t *second = load(text, length);
    int code = 0;
    if (first == NULL && second == NULL)
        code = memory_is_left(length + 1) ? MUSTER_ECORRUPT : MUSTER_ENOMEM;
    else if (first == NULL ? !is_whole(second, text, length) : !json_equal(first, second))
        code = MUSTER_ENOMEM;
    json_decref(first);
    if (code == 0)
        *ret_json = second;
    else
        json_decref(second);
    return code;
}

/* ---- one member: is its value understood? */

static bool get_text(const json_t *value, const char **ret_text)
{
    if (!json_is_string(value))
        return false;
    *ret_text = json_string_value(value);
    return true;
}

static bool get_number(const json_t *value, uint64_t *ret_number)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ret_number = (uint64_t)json_integer_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    if (text == NULL || text[0] < '0' || text[0] > '9' || strlen(text) > 20)
        return false;
    char *end;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool get_word(const json_t *value, const char (*words)[MUSTER__WORD_ROOM], uintptr_t *ret_word)
{
    uint64_t number;
    const char *text = json_string_value(value);
    for (uintptr_t i = 0; text != NULL && words[i][0] != '\0'; i++)
        if (strcmp(words[i], text) == 0) {
            *ret_word = i;
            return true;
        }
    if (!get_number(value, &number) || number > UINTPTR_MAX)
        return false;
    *ret_word = (uintptr_t)number;
    return true;
}

static bool get_member(const struct muster__member *member, const json_t *value, struct muster_record *record)
{
    void *place = (char *)record + member->offset;
    const char *text;
    uint64_t number;
    uintptr_t word;
    switch (member->type) {
    case MUSTER__MEMBER_TEXT:
        if (!get_text(value, &text))
            return false;
        memcpy(place, &text, sizeof(text));
        return true;
    case MUSTER__MEMBER_NUMBER:
        if (!get_number(value, &number))
            return false;
        memcpy(place, &number, sizeof(number));
        return true;
    case MUSTER__MEMBER_WORD:
        if (!get_word(value, member->words, &word))
            return false;
        memcpy(place, &word, sizeof(word));
        return true;
    case MUSTER__MEMBER_FLAG:
        record->flags |= json_is_true(value) ? member->flag : 0;
        return json_is_boolean(value);
    }
    return false;
}

/* ---- one record */

/* Where what is decoded goes. */
struct decoder {
    const struct muster__memory *memory;
    struct muster__batch *batch;
    size_t capacity;
};

/* The members of `object` but those that the record holds itself, as text that the batch keeps; NULL if there are none. */
static int get_extra(const struct decoder *decoder, const json_t *object, bool key_alone, const char **ret_extra)
{
    json_t *rest = json_copy((json_t *)(uintptr_t)object);
    if (json_object_size(rest) != json_object_size(object)) {
        json_decref(rest);
        return MUSTER_ENOMEM;
    }
    for (size_t i = 0; i < MUSTER__MEMBERS; i++)
        if (!key_alone || muster__members[i].of_key)
            json_object_del(rest, muster__members[i].name);
    json_object_del(rest, MUSTER__MEMBER_CHECK);
    int code = 0;
    if (json_object_size(rest) > 0) {
        char *text = json_dumps(rest, JSON_COMPACT);
        if (text != NULL && strlen(text) > (key_alone ? MUSTER__KEPT_MAX : MUSTER__EXTRA_MAX))
            code = MUSTER_ECORRUPT;
        else if (text == NULL || (*ret_extra = muster__blocks_keep_text(&decoder->batch->texts, decoder->memory, text)) == NULL)
            code = MUSTER_ENOMEM;
        free_text(text);
    }
    json_decref(rest);
    return code;
}

/*
 * Read the members that make up the key, or all. False: one of them isn't what we know. *ret_known counts
 * those that were there.
 */
static bool get_members(const json_t *object, bool key_alone, struct muster_record *record, size_t *ret_known)
{
    bool understood = true;
    *ret_known = 0;
    for (size_t i = 0; i < MUSTER__MEMBERS; i++) {
        const struct muster__member *member = &muster__members[i];
        const json_t *value = key_alone && !member->of_key ? NULL : json_object_get(object, member->name);
        if (value == NULL)
            continue;
        ++*ret_known;
        understood = get_member(member, value, record) && understood;
    }
    return understood;
}

/* No store of ours has written more, or could write it again. */
static bool too_long(const struct muster_record *record)
{
    return record->handle != NULL && strlen(record->handle) > MUSTER__HANDLE_MAX;
}

static bool key_valid(const struct muster_record *record)
{
    return record->driver != NULL && record->name != NULL;
}

/* The texts are those of the JSON until now. */
static int keep_texts(const struct decoder *decoder, struct muster_record *record)
{
    for (size_t i = 0; i < MUSTER__MEMBERS; i++) {
        const char *text;
        if (muster__members[i].type != MUSTER__MEMBER_TEXT)
            continue;
        void *place = (char *)record + muster__members[i].offset;
        memcpy(&text, place, sizeof(text));
        if (text == NULL)
            continue;
        text = muster__blocks_keep_text(&decoder->batch->texts, decoder->memory, text);
        if (text == NULL)
            return MUSTER_ENOMEM;
        memcpy(place, &text, sizeof(text));
    }
    return 0;
}

/*
 * A record with a value that we don't know, in a member that we do, comes from the future or from another's
 * hand: it is quarantined, and what it holds is kept beside its key.
 */
static int decode_record(const struct decoder *decoder, const json_t *object, struct muster_record *record)
{
    size_t known;
    muster_record_init(record, sizeof(*record));
    if (!json_is_object(object))
        return MUSTER_ECORRUPT;
    bool key_alone = json_is_true(json_object_get(object, "quarantined"));
    bool understood = get_members(object, key_alone, record, &known);
    if (!understood) {
        key_alone = true;
        muster_record_init(record, sizeof(*record));
        if (!get_members(object, true, record, &known))
            return MUSTER_ECORRUPT;
        record->flags = MUSTER_RECORD_QUARANTINED;
    }
    if (!key_valid(record) || too_long(record))
        return MUSTER_ECORRUPT;
    known += json_object_get(object, MUSTER__MEMBER_CHECK) != NULL;
    bool whole = (record->flags & MUSTER_RECORD_REMOVED) != 0 || json_object_size(object) == known;
    int code = whole ? 0 : get_extra(decoder, object, key_alone, &record->extra);
    return code == 0 ? keep_texts(decoder, record) : code;
}

/* ---- batches */

void muster__batch_fini(const struct muster__memory *memory, struct muster__batch *batch)
{
    json_decref(batch->root);
    muster__blocks_fini(&batch->texts, memory);
    muster__free(memory, batch->records);
    muster__free(memory, batch->pointers);
    *batch = (struct muster__batch){0};
}

static int point_at_records(const struct muster__memory *memory, struct muster__batch *batch)
{
    batch->pointers = muster__alloc(memory, batch->count, sizeof(*batch->pointers));
    if (batch->pointers == NULL)
        return MUSTER_ENOMEM;
    for (size_t i = 0; i < batch->count; i++)
        batch->pointers[i] = &batch->records[i];
    return 0;
}

static const char *skip_space(const char *text, const char *end)
{
    while (text < end && (*text == ' ' || *text == '\t' || *text == '\r'))
        text++;
    return text;
}

/* Parsed without trust: depth and duplicates are checked. */
static int take_record(struct decoder *decoder, const char *text, size_t length)
{
    struct muster__batch *batch = decoder->batch;
    json_t *object = NULL;
    void *records = batch->records;
    int code = muster__grow(decoder->memory, &records, batch->count, &decoder->capacity, sizeof(*batch->records));
    batch->records = records;
    if (code == 0)
        code = muster__json_load(text, length, &object);
    if (code == 0)
        code = decode_record(decoder, object, &batch->records[batch->count]);
    batch->count += code == 0;
    json_decref(object);
    return code;
}

/* One after the other: the JSON of all at once takes many times the memory of their text, and longer to be made and freed. */
static int take_records(struct decoder *decoder, const char *text, const char *end, size_t max_depth)
{
    text = skip_space(text, end);
    if (text == end || *text != '[')
        return MUSTER_ECORRUPT;
    text = skip_space(text + 1, end);
    while (text < end && *text != ']') {
        size_t depth;
        size_t length = muster__brackets_end(text, (size_t)(end - text), &depth);
        int code = length == 0 || depth > max_depth ? MUSTER_ECORRUPT : take_record(decoder, text, length);
        if (code != 0)
            return code;
        text = skip_space(text + length, end);
        bool more = text < end && *text == ',';
        if (more)
            text = skip_space(text + 1, end);
        if (text == end || more == (*text == ']'))
            return MUSTER_ECORRUPT;
    }
    return text < end && skip_space(text + 1, end) == end ? 0 : MUSTER_ECORRUPT;
}

int muster__journal_decode(const struct muster__memory *memory, const struct muster__journal_line *line, size_t max_depth,
                           struct muster__batch *ret_batch)
{
    struct muster__batch batch = {0};
    struct decoder decoder = {.memory = memory, .batch = &batch};
    /* The line and its array are around each record. */
    const char *end = line->payload + line->length;
    int code = max_depth < 2 ? MUSTER_ECORRUPT : take_records(&decoder, line->payload, end, max_depth - 2);
    if (code == 0)
        code = point_at_records(memory, &batch);
    if (code == 0)
        *ret_batch = batch;
    else
        muster__batch_fini(memory, &batch);
    return code;
}

/* What a damaged line may hold: far less deep than what jansson allows. */
#define DAMAGED_DEPTH 64
/* Parsed it may take forty times as much memory; and a line with a record in it isn't shorter. */
#define DAMAGED_MOST ((size_t)8 * 1024 * 1024)
#define DAMAGED_LEAST strlen("{\"seq\":1,\"len\":2,\"crc\":\"12345678\",\"records\":[{}]")

int muster__journal_decode_keys(const struct muster__memory *memory, const char *text, size_t length,
                                struct muster__batch *ret_batch)
{
    struct muster__batch batch = {0};
    if (length < DAMAGED_LEAST || length > DAMAGED_MOST)
        return MUSTER_ECORRUPT;
    bool deep = muster__brackets_depth(text, length) > DAMAGED_DEPTH;
    int code = deep ? MUSTER_ECORRUPT : muster__json_load(text, length, &batch.root);
    const json_t *records = code == 0 ? json_object_get(batch.root, "records") : NULL;
    if (code == 0 && (batch.records = muster__alloc(memory, json_array_size(records), sizeof(*batch.records))) == NULL)
        code = MUSTER_ENOMEM;
    for (size_t i = 0; code == 0 && i < json_array_size(records); i++) {
        struct muster_record *record = &batch.records[batch.count];
        size_t known;
        muster_record_init(record, sizeof(*record));
        if (!get_members(json_array_get(records, i), true, record, &known) || !key_valid(record))
            continue;
        record->flags = MUSTER_RECORD_QUARANTINED;
        batch.count++;
    }
    if (code == 0)
        code = point_at_records(memory, &batch);
    if (code == 0)
        *ret_batch = batch;
    else
        muster__batch_fini(memory, &batch);
    return code;
}

bool muster__journal_keys_sure(const struct muster__batch *batch, const struct muster__journal_id *id, uint64_t seq)
{
    const json_t *records = json_object_get(batch->root, "records");
    if (batch->count == 0 || batch->count != json_array_size(records))
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        char text[16];
        uint64_t place[2] = {i, batch->count};
        const char *check = json_string_value(json_object_get(json_array_get(records, i), MUSTER__MEMBER_CHECK));
        snprintf(text, sizeof(text), "%08x", muster__journal_key_check(id, seq, place, batch->pointers[i]));
        if (check == NULL || strcmp(check, text) != 0)
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "store/journal_json.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"

static const char *const kinds[] = {"resource", "history", NULL};
static const char *const desireds[] = {"inactive", "active", NULL};
static const char *const stages[] = {"inactive", "starting", "active", "stopping", NULL};
static const char *const reasons[] = {"user", "self", "host-shutdown", "loss", "failure", NULL};

#define TEXT(member) #member, MUSTER__MEMBER_TEXT, offsetof(struct muster_record, member), NULL, 0
#define NUMBER(member) #member, MUSTER__MEMBER_NUMBER, offsetof(struct muster_record, member), NULL, 0
#define WORD(member, words) #member, MUSTER__MEMBER_WORD, offsetof(struct muster_record, member), words, 0
#define FLAG(name, flag) name, MUSTER__MEMBER_FLAG, offsetof(struct muster_record, flags), NULL, flag

const struct muster__member muster__members[MUSTER__MEMBERS] = {
    {WORD(kind, kinds), true},
    {TEXT(driver), true},
    {TEXT(name), true},
    {FLAG("quarantined", MUSTER_RECORD_QUARANTINED), true},
    {FLAG("removed", MUSTER_RECORD_REMOVED), true},
    {WORD(desired, desireds), false},
    {WORD(stage, stages), false},
    {WORD(reason, reasons), false},
    {TEXT(boot), false},
    {FLAG("mark", MUSTER_RECORD_MARK), false},
    {NUMBER(attempts), false},
    {NUMBER(generation), false},
    {TEXT(token), false},
    {TEXT(handle), false},
    {NUMBER(format), false},
};

#define KNOWN_FLAGS ((uintptr_t)(MUSTER_RECORD_QUARANTINED | MUSTER_RECORD_REMOVED | MUSTER_RECORD_MARK))

size_t muster__json_depth(const char *text, size_t length)
{
    size_t depth = 0;
    size_t most = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{'))
            most = ++depth > most ? depth : most;
        else if (!in_string && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return most;
}

static int put_chunk(const char *bytes, size_t count, void *data)
{
    struct muster__buffer *buffer = data;
    muster__buffer_put(buffer, bytes, count);
    return buffer->code == 0 ? 0 : -1;
}

static void put_json(struct muster__buffer *buffer, const json_t *json)
{
    if (json == NULL || json_dump_callback(json, put_chunk, buffer, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        buffer->code = buffer->code == 0 ? MUSTER_ENOMEM : buffer->code;
}

/*
 * May it stand between quotes as it is? Without an early end, so that the compiler can look at many bytes at
 * once.
 */
static bool plain(const char *text, size_t length)
{
    unsigned special = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        special |= (unsigned)(c < 0x20) | (unsigned)(c >= 0x7f) | (unsigned)(c == '"') | (unsigned)(c == '\\');
    }
    return special == 0;
}

/* jansson writes what must be escaped; through it a batch of 1e5 records takes four times as long. */
static void put_text(struct muster__buffer *buffer, const char *text)
{
    size_t length = strlen(text);
    if (plain(text, length)) {
        muster__buffer_put(buffer, "\"", 1);
        muster__buffer_put(buffer, text, length);
        muster__buffer_put(buffer, "\"", 1);
    } else if (!muster__utf8_valid(text, length)) {
        buffer->code = MUSTER_EINVAL;
    } else {
        json_t *json = json_stringn_nocheck(text, length);
        put_json(buffer, json);
        json_decref(json);
    }
}

/* Those that jansson's integers can't hold are strings. */
static void put_number(struct muster__buffer *buffer, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), number > INT64_MAX ? "\"%" PRIu64 "\"" : "%" PRIu64, number);
    muster__buffer_puts(buffer, text);
}

static void put_word(struct muster__buffer *buffer, const char *const *words, uintptr_t value)
{
    for (uintptr_t i = 0; words[i] != NULL; i++)
        if (i == value) {
            put_text(buffer, words[i]);
            return;
        }
    put_number(buffer, value);
}

static void put_name(struct muster__buffer *buffer, const char *name)
{
    muster__buffer_put(buffer, ",\"", 2);
    muster__buffer_puts(buffer, name);
    muster__buffer_put(buffer, "\":", 2);
}

static void put_member(struct muster__buffer *buffer, const struct muster__member *member,
                       const struct muster_record *record)
{
    const void *place = (const char *)record + member->offset;
    uintptr_t word;
    switch (member->type) {
    case MUSTER__MEMBER_TEXT: {
        const char *text;
        memcpy(&text, place, sizeof(text));
        if (text == NULL)
            return;
        put_name(buffer, member->name);
        put_text(buffer, text);
        return;
    }
    case MUSTER__MEMBER_NUMBER: {
        uint64_t number;
        memcpy(&number, place, sizeof(number));
        put_name(buffer, member->name);
        put_number(buffer, number);
        return;
    }
    case MUSTER__MEMBER_WORD:
        memcpy(&word, place, sizeof(word));
        put_name(buffer, member->name);
        put_word(buffer, member->words, word);
        return;
    case MUSTER__MEMBER_FLAG:
        if ((record->flags & member->flag) == 0)
            return;
        put_name(buffer, member->name);
        muster__buffer_puts(buffer, "true");
        return;
    }
}

/* The unknown members: those of the object `extra` that this record doesn't write itself. */
static void put_extra(struct muster__buffer *buffer, const char *extra, bool key_alone)
{
    size_t length = strlen(extra);
    json_t *object = NULL;
    int code = length > MUSTER__EXTRA_MAX ? MUSTER_EINVAL : muster__json_load(extra, length, &object);
    if (!json_is_object(object)) {
        buffer->code = code == MUSTER_ENOMEM ? code : MUSTER_EINVAL;
        json_decref(object);
        return;
    }
    for (size_t i = 0; i < MUSTER__MEMBERS; i++)
        if (!key_alone || muster__members[i].of_key)
            json_object_del(object, muster__members[i].name);
    json_object_del(object, MUSTER__MEMBER_CHECK);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        muster__buffer_put(buffer, ",", 1);
        put_text(buffer, name);
        muster__buffer_put(buffer, ":", 1);
        put_json(buffer, value);
    }
    json_decref(object);
}

void muster__journal_encode(struct muster__buffer *buffer, const struct muster_record *record, uint32_t check)
{
    char text[32];
    bool removed = (record->flags & MUSTER_RECORD_REMOVED) != 0;
    bool key_alone = removed || (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    if ((record->flags & ~KNOWN_FLAGS) != 0 ||
        (record->handle != NULL && strnlen(record->handle, MUSTER__HANDLE_MAX + 1) > MUSTER__HANDLE_MAX)) {
        buffer->code = MUSTER_EINVAL;
        return;
    }
    snprintf(text, sizeof(text), "{\"" MUSTER__MEMBER_CHECK "\":\"%08x\"", check);
    muster__buffer_puts(buffer, text);
    for (size_t i = 0; i < MUSTER__MEMBERS; i++)
        if (!key_alone || muster__members[i].of_key)
            put_member(buffer, &muster__members[i], record);
    if (record->extra != NULL && !removed)
        put_extra(buffer, record->extra, key_alone);
    muster__buffer_put(buffer, "}", 1);
}

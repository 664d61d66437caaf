/* SPDX-License-Identifier: MIT */
#include "store/journal_json.h"

#include <stddef.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"

static const char *const kinds[] = {"resource", "history", NULL};
static const char *const desireds[] = {"inactive", "active", NULL};
static const char *const stages[] = {"inactive", "starting", "active", "stopping", NULL};
static const char *const reasons[] = {"user", "self", "host-shutdown", "loss", "failure", NULL};

#define NAME(name) name, ",\"" name "\":", sizeof(",\"" name "\":") - 1
#define TEXT(member) NAME(#member), MUSTER__MEMBER_TEXT, offsetof(struct muster_record, member), NULL, 0
#define NUMBER(member) NAME(#member), MUSTER__MEMBER_NUMBER, offsetof(struct muster_record, member), NULL, 0
#define WORD(member, words) NAME(#member), MUSTER__MEMBER_WORD, offsetof(struct muster_record, member), words, 0
#define FLAG(name, flag) NAME(name), MUSTER__MEMBER_FLAG, offsetof(struct muster_record, flags), NULL, flag

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

#define ONES (UINT64_MAX / 0xff)

/* Of eight bytes: the top bit of some is set if any must be escaped, or isn't ASCII. */
static uint64_t special(uint64_t word)
{
    uint64_t quote = word ^ ONES * '"';
    uint64_t backslash = word ^ ONES * '\\';
    return (word | (word - ONES * 0x20) | (quote - ONES) | (backslash - ONES)) & ONES * 0x80;
}

/* May it stand between quotes as it is? */
static bool plain(const char *text, size_t length)
{
    uint64_t found = 0;
    uint64_t word;
    for (; length >= sizeof(word); text += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        found |= special(word);
    }
    word = ONES * 'a';
    memcpy(&word, text, length);
    return (found | special(word)) == 0;
}

/* jansson writes what must be escaped. */
static void put_escaped(struct muster__buffer *buffer, const char *text, size_t length)
{
    if (!muster__utf8_valid(text, length)) {
        buffer->code = MUSTER_EINVAL;
        return;
    }
    json_t *json = json_stringn_nocheck(text, length);
    put_json(buffer, json);
    json_decref(json);
}

/* With it for all text a batch of 1e5 records takes four times as long. */
static void put_text(struct muster__buffer *buffer, const char *text)
{
    size_t length = strlen(text);
    if (!plain(text, length)) {
        put_escaped(buffer, text, length);
        return;
    }
    char *room = muster__buffer_room(buffer, length + 2);
    if (room == NULL)
        return;
    *room++ = '"';
    room = (char *)memcpy(room, text, length) + length;
    *room = '"';
    buffer->used += length + 2;
}

/* Those that jansson's integers can't hold are strings. */
static void put_number(struct muster__buffer *buffer, uint64_t number)
{
    char text[MUSTER__DIGITS_MAX + 2] = "\"";
    bool string = number > INT64_MAX;
    char *end = muster__text_digits(text + string, number);
    if (string)
        *end++ = '"';
    muster__buffer_put(buffer, text, (size_t)(end - text));
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

/* All of the label is written, since that is quicker, and as much of it counts as is long. */
static void put_label(struct muster__buffer *buffer, const struct muster__member *member)
{
    char *room = muster__buffer_room(buffer, sizeof(member->label));
    if (room == NULL)
        return;
    memcpy(room, member->label, sizeof(member->label));
    buffer->used += member->label_length;
}

static void put_member(struct muster__buffer *buffer, const struct muster__member *member,
                       const struct muster_record *record)
{
    const void *place = (const char *)record + member->offset;
    const char *text;
    uint64_t number;
    uintptr_t word;
    switch (member->type) {
    case MUSTER__MEMBER_TEXT:
        memcpy(&text, place, sizeof(text));
        if (text == NULL)
            return;
        put_label(buffer, member);
        put_text(buffer, text);
        return;
    case MUSTER__MEMBER_NUMBER:
        memcpy(&number, place, sizeof(number));
        put_label(buffer, member);
        put_number(buffer, number);
        return;
    case MUSTER__MEMBER_WORD:
        memcpy(&word, place, sizeof(word));
        put_label(buffer, member);
        put_word(buffer, member->words, word);
        return;
    case MUSTER__MEMBER_FLAG:
        if ((record->flags & member->flag) == 0)
            return;
        put_label(buffer, member);
        muster__buffer_put(buffer, "true", 4);
        return;
    }
}

/* `{"check":"89abcdef"` */
static void put_check(struct muster__buffer *buffer, uint32_t check)
{
    static const char before[] = "{\"" MUSTER__MEMBER_CHECK "\":\"";
    char text[sizeof(before) - 1 + 9];
    char *end = (char *)memcpy(text, before, sizeof(before) - 1) + sizeof(before) - 1;
    for (int shift = 28; shift >= 0; shift -= 4)
        *end++ = "0123456789abcdef"[check >> shift & 0xf];
    *end = '"';
    muster__buffer_put(buffer, text, sizeof(text));
}

/* The unknown members: those of the object `extra` that this record doesn't write itself. */
static void put_extra(struct muster__buffer *buffer, const char *extra, bool key_alone)
{
    size_t length = strlen(extra);
    size_t most = key_alone ? MUSTER__KEPT_MAX : MUSTER__EXTRA_MAX;
    json_t *object = NULL;
    int code = length > most ? MUSTER_EINVAL : muster__json_load(extra, length, &object);
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
    bool removed = (record->flags & MUSTER_RECORD_REMOVED) != 0;
    bool key_alone = removed || (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    if ((record->flags & ~KNOWN_FLAGS) != 0 ||
        (record->handle != NULL && strnlen(record->handle, MUSTER__HANDLE_MAX + 1) > MUSTER__HANDLE_MAX)) {
        buffer->code = MUSTER_EINVAL;
        return;
    }
    put_check(buffer, check);
    for (size_t i = 0; i < MUSTER__MEMBERS; i++)
        if (!key_alone || muster__members[i].of_key)
            put_member(buffer, &muster__members[i], record);
    if (record->extra != NULL && !removed)
        put_extra(buffer, record->extra, key_alone);
    muster__buffer_put(buffer, "}", 1);
}

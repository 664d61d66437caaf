/* SPDX-License-Identifier: MIT */
#include "store/journal_json.h"

#include <stddef.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"

static const char kinds[][MUSTER__WORD_ROOM] = {"resource", "history", ""};
static const char desireds[][MUSTER__WORD_ROOM] = {"inactive", "active", ""};
static const char stages[][MUSTER__WORD_ROOM] = {"inactive", "starting", "active", "stopping", ""};
static const char reasons[][MUSTER__WORD_ROOM] = {"user", "self", "host-shutdown", "loss", "failure", ""};

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
static char *write_number(char *room, uint64_t number)
{
    bool string = number > INT64_MAX;
    *room = '"';
    room = muster__text_digits(room + string, number);
    *room = '"';
    return room + string;
}

static char *write_word(char *room, const char (*words)[MUSTER__WORD_ROOM], uintptr_t value)
{
    for (uintptr_t i = 0; words[i][0] != '\0'; i++)
        if (i == value) {
            *room++ = '"';
            memcpy(room, words[i], MUSTER__WORD_ROOM);
            room += strlen(words[i]);
            *room++ = '"';
            return room;
        }
    return write_number(room, value);
}

/* All of the label is written, since that is quicker, and as much of it counts as is long. */
static char *write_label(char *room, const struct muster__member *member)
{
    return (char *)memcpy(room, member->label, sizeof(member->label)) + member->label_length;
}

static void put_text_member(struct muster__buffer *buffer, const struct muster__member *member, const char *text)
{
    char *room = text == NULL ? NULL : muster__buffer_room(buffer, sizeof(member->label));
    if (room == NULL)
        return;
    buffer->used = (size_t)(write_label(room, member) - buffer->bytes);
    put_text(buffer, text);
}

/* The label, and a word or a number between quotes. */
#define SHORT_ROOM (sizeof(((struct muster__member *)0)->label) + 2 + MUSTER__DIGITS_MAX)

/* A member that is no text. */
static void put_short_member(struct muster__buffer *buffer, const struct muster__member *member, const void *place)
{
    uint64_t number;
    uintptr_t word;
    char *room = muster__buffer_room(buffer, SHORT_ROOM);
    if (room == NULL)
        return;
    room = write_label(room, member);
    if (member->type == MUSTER__MEMBER_NUMBER) {
        memcpy(&number, place, sizeof(number));
        room = write_number(room, number);
    } else if (member->type == MUSTER__MEMBER_WORD) {
        memcpy(&word, place, sizeof(word));
        room = write_word(room, member->words, word);
    } else {
        memcpy(room, "true", 4);
        room += 4;
    }
    buffer->used = (size_t)(room - buffer->bytes);
}

static void put_member(struct muster__buffer *buffer, const struct muster__member *member,
                       const struct muster_record *record)
{
    const void *place = (const char *)record + member->offset;
    const char *text;
    if (member->type == MUSTER__MEMBER_TEXT) {
        memcpy(&text, place, sizeof(text));
        put_text_member(buffer, member, text);
    } else if (member->type != MUSTER__MEMBER_FLAG || (record->flags & member->flag) != 0) {
        put_short_member(buffer, member, place);
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
    size_t before = buffer->used;
    json_object_foreach(object, name, value) {
        muster__buffer_put(buffer, ",", 1);
        put_text(buffer, name);
        muster__buffer_put(buffer, ":", 1);
        put_json(buffer, value);
    }
    json_decref(object);
    /* Who reads it measures this, in braces: 0.1 has become 0.10000000000000001. */
    if (buffer->code == 0 && buffer->used - before + 1 > most)
        buffer->code = MUSTER_EINVAL;
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

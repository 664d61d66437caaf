/* SPDX-License-Identifier: MIT */
/*
 * A payload as muster writes it, read in one go: no space between tokens, members that we know and each once, no escape by
 * number. Whatever is different is jansson's to judge; a tree takes ten times as long.
 */
#include "store/journal_json.h"

#include <string.h>

#include "base/name.h"

/* In a copy of the payload that ends with a NUL, in which strings get their own ends. */
struct cursor {
    char *at;
};

static bool take(struct cursor *cursor, const char *literal)
{
    size_t length = strlen(literal);
    if (strncmp(cursor->at, literal, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

/* What `\` and this stand for; 0: it isn't plain. */
static char unescape(char c)
{
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    for (const char *pair = escapes; *pair != '\0'; pair += 2)
        if (pair[0] == c)
            return pair[1];
    return '\0';
}

/* It is made shorter in its place. */
static bool take_string(struct cursor *cursor, const char **ret_text)
{
    if (*cursor->at != '"')
        return false;
    char *text = ++cursor->at;
    char *end = text;
    unsigned high = 0;
    for (; *cursor->at != '"'; cursor->at++) {
        char c = *cursor->at;
        high |= (unsigned char)c;
        if ((unsigned char)c < 0x20) /* the payload's end, too */
            return false;
        if (c == '\\' && (c = unescape(*++cursor->at)) == '\0')
            return false;
        *end++ = c;
    }
    cursor->at++;
    *end = '\0';
    *ret_text = text;
    return high < 0x80 || muster__utf8_valid(text, (size_t)(end - text));
}

/* Those that surely fit. */
#define DIGITS_MOST 18

static bool take_number(struct cursor *cursor, uint64_t *ret_number)
{
    const char *begin = cursor->at;
    uint64_t number = 0;
    while (*cursor->at >= '0' && *cursor->at <= '9' && cursor->at - begin <= DIGITS_MOST)
        number = number * 10 + (uint64_t)(*cursor->at++ - '0');
    size_t digits = (size_t)(cursor->at - begin);
    *ret_number = number;
    return digits > 0 && digits <= DIGITS_MOST && (begin[0] != '0' || digits == 1);
}

static bool take_word(struct cursor *cursor, const char *const *words, uintptr_t *ret_word)
{
    const char *text;
    if (!take_string(cursor, &text))
        return false;
    for (uintptr_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0) {
            *ret_word = i;
            return true;
        }
    return false;
}

static bool take_value(struct cursor *cursor, const struct muster__member *member, struct muster_record *record)
{
    void *place = (char *)record + member->offset;
    const char *text;
    uint64_t number;
    uintptr_t word;
    bool taken = false;
    switch (member->type) {
    case MUSTER__MEMBER_TEXT:
        if ((taken = take_string(cursor, &text)))
            memcpy(place, &text, sizeof(text));
        break;
    case MUSTER__MEMBER_NUMBER:
        if ((taken = take_number(cursor, &number)))
            memcpy(place, &number, sizeof(number));
        break;
    case MUSTER__MEMBER_WORD:
        if ((taken = take_word(cursor, member->words, &word)))
            memcpy(place, &word, sizeof(word));
        break;
    case MUSTER__MEMBER_FLAG: /* what a quarantined record has besides isn't looked at here */
        record->flags |= member->flag;
        taken = member->flag != MUSTER_RECORD_QUARANTINED && take(cursor, "true");
        break;
    }
    return taken;
}

/* Members come in the order of the table, mostly: the search begins behind the last. MUSTER__MEMBERS: it isn't one. */
static size_t take_label(struct cursor *cursor, size_t last)
{
    for (size_t i = 0; i < MUSTER__MEMBERS; i++) {
        size_t k = (last + 1 + i) % MUSTER__MEMBERS;
        if (strncmp(cursor->at, muster__members[k].label, muster__members[k].label_length) != 0)
            continue;
        cursor->at += muster__members[k].label_length;
        return k;
    }
    return MUSTER__MEMBERS;
}

static bool is_whole(const struct muster_record *record)
{
    return record->driver != NULL && record->name != NULL &&
           (record->handle == NULL || strlen(record->handle) <= MUSTER__HANDLE_MAX);
}

static bool take_record(struct cursor *cursor, struct muster_record *record)
{
    uint32_t seen = 0;
    size_t member = MUSTER__MEMBERS - 1;
    const char *check;
    muster_record_init(record, sizeof(*record));
    if (!take(cursor, "{\"" MUSTER__MEMBER_CHECK "\":") || !take_string(cursor, &check))
        return false;
    while (*cursor->at == ',') {
        member = take_label(cursor, member);
        if (member == MUSTER__MEMBERS || (seen >> member & 1) != 0)
            return false;
        seen |= (uint32_t)1 << member;
        if (!take_value(cursor, &muster__members[member], record))
            return false;
    }
    return take(cursor, "}") && is_whole(record);
}

static int take_records(const struct muster__memory *memory, struct cursor *cursor, struct muster__batch *batch, bool *ret_plain)
{
    size_t capacity = 0;
    *ret_plain = take(cursor, "[");
    while (*ret_plain) {
        void *records = batch->records;
        int code = muster__grow(memory, &records, batch->count, &capacity, sizeof(*batch->records));
        if (code != 0)
            return code;
        batch->records = records;
        *ret_plain = take_record(cursor, &batch->records[batch->count++]);
        if (!take(cursor, ","))
            break;
    }
    *ret_plain = *ret_plain && take(cursor, "]");
    return 0;
}

int muster__journal_decode_plain(const struct muster__memory *memory, const struct muster__journal_line *line,
                                 struct muster__batch *ret_batch, bool *ret_plain)
{
    struct muster__batch batch = {.text = muster__alloc(memory, 1, line->length + 1)};
    struct cursor cursor = {.at = batch.text};
    if (batch.text == NULL)
        return MUSTER_ENOMEM;
    memcpy(batch.text, line->payload, line->length);
    batch.text[line->length] = '\0';
    bool plain = false;
    int code = take_records(memory, &cursor, &batch, &plain);
    plain = code == 0 && plain && cursor.at == batch.text + line->length;
    if (plain) {
        batch.pointers = muster__alloc(memory, batch.count, sizeof(*batch.pointers));
        code = batch.pointers == NULL ? MUSTER_ENOMEM : 0;
    }
    if (!plain || code != 0) {
        muster__batch_fini(memory, &batch);
        return code;
    }
    for (size_t i = 0; i < batch.count; i++)
        batch.pointers[i] = &batch.records[i];
    *ret_batch = batch;
    *ret_plain = true;
    return 0;
}

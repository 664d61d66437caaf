/* SPDX-License-Identifier: MIT */
#include "store/journal_line.h"

#include <stdio.h>
#include <string.h>

#include "base/brackets.h"
#include "store/crc32c.h"
#include "store/journal_json.h"

/* What a buffer keeps between two uses. */
#define BUFFER_KEPT ((size_t)512 * 1024)

char *muster__buffer_grow(struct muster__buffer *buffer, size_t count)
{
    size_t wanted = buffer->capacity == 0 ? 4096 : buffer->capacity;
    while (wanted - buffer->used < count && wanted <= SIZE_MAX / 2)
        wanted *= 2;
    if (buffer->code != 0)
        return NULL;
    char *bytes = wanted - buffer->used < count ? NULL : muster__realloc(buffer->memory, buffer->bytes, wanted, 1);
    if (bytes == NULL) {
        buffer->code = MUSTER_ENOMEM;
        return NULL;
    }
    buffer->bytes = bytes;
    buffer->capacity = wanted;
    return bytes + buffer->used;
}

void muster__buffer_put(struct muster__buffer *buffer, const char *bytes, size_t count)
{
    char *room = muster__buffer_room(buffer, count);
    if (room == NULL)
        return;
    memcpy(room, bytes, count);
    buffer->used += count;
}

void muster__buffer_puts(struct muster__buffer *buffer, const char *text)
{
    muster__buffer_put(buffer, text, strlen(text));
}

void muster__buffer_fini(struct muster__buffer *buffer)
{
    muster__free(buffer->memory, buffer->bytes);
    *buffer = (struct muster__buffer){.memory = buffer->memory};
}

void muster__buffer_reset(struct muster__buffer *buffer)
{
    if (buffer->capacity > BUFFER_KEPT)
        muster__buffer_fini(buffer);
    buffer->used = 0;
    buffer->code = 0;
}

#define ID_BYTES sizeof(((struct muster__journal_id *)0)->bytes)

/* Of the id, and of numbers behind it. */
static uint32_t crc_start(const struct muster__journal_id *id, const uint64_t *numbers, size_t count)
{
    unsigned char bytes[ID_BYTES + 4 * 8];
    unsigned char *end = (unsigned char *)memcpy(bytes, id->bytes, ID_BYTES) + ID_BYTES;
    for (size_t n = 0; n < count; n++)
        for (unsigned i = 0; i < 8; i++)
            *end++ = (unsigned char)(numbers[n] >> (8 * i));
    return muster__crc32c(0, bytes, (size_t)(end - bytes));
}

uint32_t muster__journal_payload_begins(const struct muster__journal_id *id, uint64_t seq)
{
    return crc_start(id, &seq, 1);
}

static uint32_t payload_crc(const struct muster__journal_id *id, uint64_t seq, const char *payload, size_t length)
{
    return muster__crc32c(muster__journal_payload_begins(id, seq), payload, length);
}

uint32_t muster__journal_key_check(const struct muster__journal_id *id, uint64_t seq, const uint64_t place[2],
                                   const struct muster_record *record)
{
    uint64_t numbers[] = {seq, place[0], place[1], record->kind};
    uint32_t crc = muster__crc32c(crc_start(id, numbers, 4), record->driver, strlen(record->driver) + 1);
    return muster__crc32c(crc, record->name, strlen(record->name));
}

/* ---- reading, byte for byte */

struct cursor {
    const char *at;
    const char *end;
};

static bool take_text(struct cursor *cursor, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, text, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

/* As it is written: no sign, no leading zero. */
static bool take_number(struct cursor *cursor, uint64_t *ret_number)
{
    const char *start = cursor->at;
    uint64_t number = 0;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        unsigned digit = (unsigned)(*cursor->at - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return cursor->at > start && (*start != '0' || cursor->at == start + 1);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct cursor *cursor, unsigned char *ret_bytes, size_t count)
{
    if ((size_t)(cursor->end - cursor->at) < count * 2)
        return false;
    for (size_t i = 0; i < count; i++, cursor->at += 2) {
        int high = hex_digit(cursor->at[0]);
        int low = hex_digit(cursor->at[1]);
        if (high < 0 || low < 0)
            return false;
        ret_bytes[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static bool take_crc(struct cursor *cursor, uint32_t *ret_crc)
{
    unsigned char bytes[4];
    if (!take_hex(cursor, bytes, sizeof(bytes)))
        return false;
    *ret_crc = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

/* What stands before the records. `length` is what it says of them. */
static bool take_frame(struct cursor *cursor, uint64_t *ret_seq, uint64_t *ret_length, uint32_t *ret_crc)
{
    return take_text(cursor, "{\"seq\":") && take_number(cursor, ret_seq) && take_text(cursor, ",\"len\":") &&
           take_number(cursor, ret_length) && take_text(cursor, ",\"crc\":\"") && take_crc(cursor, ret_crc) &&
           take_text(cursor, "\",\"records\":");
}

bool muster__journal_get_line(const char *bytes, size_t size, const struct muster__journal_id *id,
                              struct muster__journal_line *ret_line)
{
    struct cursor cursor = {bytes, bytes + size};
    struct muster__journal_line line;
    uint64_t length;
    uint32_t crc;
    if (!take_frame(&cursor, &line.seq, &length, &crc) || length >= (uint64_t)(cursor.end - cursor.at) ||
        cursor.at[length] != '}')
        return false;
    line.payload = cursor.at;
    line.length = (size_t)length;
    line.bytes = (size_t)(cursor.at - bytes) + line.length + 1;
    if (payload_crc(id, line.seq, line.payload, line.length) != crc)
        return false;
    *ret_line = line;
    return true;
}

/* ---- torn or damaged? */

/* What a disk writes whole or not at all is never smaller. */
#define SECTOR 512

/* A newline that was written ahead, or what is read where nothing was ever written. */
static bool is_blank(char c)
{
    return c == '\n' || c == '\0';
}

/* How many there are of one sort, blank or not, at the beginning. */
static size_t run_of(bool blank, const char *bytes, size_t size)
{
    size_t count = 0;
    while (count < size && is_blank(bytes[count]) == blank)
        count++;
    return count;
}

/* Is a sector missing in what was to be written here? */
static bool has_gap(const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += run_of(false, bytes + at, size - at)) {
        size_t blank = run_of(true, bytes + at, size - at);
        if (blank > 0 && (at == 0 || at + blank == size || blank >= SECTOR))
            return true;
        at += blank;
    }
    return false;
}

bool muster__journal_line_complete(const char *bytes, size_t size, size_t *ret_length)
{
    struct cursor cursor = {bytes, bytes + size};
    uint64_t seq, said;
    uint32_t crc;
    size_t first = run_of(false, bytes, size);
    size_t depth;
    bool framed = take_frame(&cursor, &seq, &said, &crc);
    size_t before = (size_t)(cursor.at - bytes);
    *ret_length = first;
    if (first == 0)
        return false;
    /* A frame that was cut off has no bracket that closes. */
    if (muster__brackets_end(bytes, first, &depth) == first || (!framed && bytes[first - 1] == '}'))
        return true;
    if (framed && said >= size - before)
        return false;
    if (framed) {
        size_t all = before + (size_t)said + 1;
        *ret_length = first > all ? first : all;
        return !has_gap(bytes, all);
    }
    size_t gap = run_of(true, bytes + first, size - first);
    *ret_length = first + gap + run_of(false, bytes + first + gap, size - first - gap);
    return gap < SECTOR && *ret_length > first + gap;
}

/* ---- the header */

#define HEADER_START "{\"muster-journal\":"
#define HEADER_CRC ",\"crc\":\""
/* A header of any format is at most this long. */
#define HEADER_MAX 4096

static void put_hex(char *text, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void muster__journal_put_header(struct muster__buffer *buffer, const struct muster__journal_header *header)
{
    char text[256];
    char id[33];
    put_hex(id, header->id.bytes, sizeof(header->id.bytes));
    int length = snprintf(text, sizeof(text), HEADER_START "%d,\"id\":\"%s\",\"first\":%ju,\"whole\":%ju",
                          MUSTER__JOURNAL_FORMAT, id, (uintmax_t)header->first, (uintmax_t)header->whole);
    uint32_t crc = muster__crc32c(0, text, (size_t)length);
    snprintf(text + length, sizeof(text) - (size_t)length, HEADER_CRC "%08x\"}\n", crc);
    muster__buffer_puts(buffer, text);
}

/* Of every format: it ends with a CRC over all before that. */
static bool header_whole(const char *line, size_t length)
{
    const size_t tail = strlen(HEADER_CRC "12345678\"}");
    uint32_t crc;
    if (length < tail)
        return false;
    struct cursor cursor = {line + length - tail, line + length};
    return take_text(&cursor, HEADER_CRC) && take_crc(&cursor, &crc) && take_text(&cursor, "\"}") &&
           muster__crc32c(0, line, length - tail) == crc;
}

int muster__journal_get_header(const char *bytes, size_t size, struct muster__journal_header *ret_header,
                               uint64_t *ret_format, size_t *ret_end)
{
    struct muster__journal_header header = {0};
    uint64_t format;
    const char *newline = memchr(bytes, '\n', size < HEADER_MAX ? size : HEADER_MAX);
    size_t length = newline == NULL ? 0 : (size_t)(newline - bytes);
    struct cursor cursor = {bytes, bytes + size};
    bool whole = header_whole(bytes, length);
    *ret_end = length;
    *ret_header = header;
    if (!take_text(&cursor, HEADER_START) || !take_number(&cursor, &format) || (format != MUSTER__JOURNAL_FORMAT && !whole))
        cursor.at = bytes + (size < sizeof(HEADER_START) ? size : sizeof(HEADER_START));
    else if (format != MUSTER__JOURNAL_FORMAT) {
        *ret_format = format;
        return MUSTER_ENOTSUP;
    }
    bool good = take_text(&cursor, ",\"id\":\"") && take_hex(&cursor, header.id.bytes, sizeof(header.id.bytes));
    ret_header->id = header.id;
    good = good && take_text(&cursor, "\",\"first\":") && take_number(&cursor, &header.first) &&
           take_text(&cursor, ",\"whole\":") && take_number(&cursor, &header.whole) && take_text(&cursor, HEADER_CRC);
    if (!good || !whole || header.first > MUSTER__JOURNAL_SEQ_MAX || header.whole > MUSTER__JOURNAL_SEQ_MAX)
        return MUSTER_ECORRUPT;
    *ret_header = header;
    return 0;
}

/* ---- writing */

void muster__journal_put_record(struct muster__buffer *buffer, const struct muster__journal_id *id, uint64_t seq,
                                const uint64_t place[2], const struct muster_record *record)
{
    muster__buffer_put(buffer, place[0] == 0 ? "[" : ",", 1);
    if (record->driver == NULL || record->name == NULL)
        buffer->code = MUSTER_EINVAL;
    else
        muster__journal_encode(buffer, record, muster__journal_key_check(id, seq, place, record));
}

size_t muster__journal_write_frame(char frame[MUSTER__JOURNAL_FRAME_ROOM], uint64_t seq, size_t length, uint32_t crc)
{
    return (size_t)snprintf(frame, MUSTER__JOURNAL_FRAME_ROOM, "{\"seq\":%ju,\"len\":%zu,\"crc\":\"%08x\",\"records\":",
                            (uintmax_t)seq, length, crc);
}

void muster__journal_put_frame(struct muster__buffer *buffer, const struct muster__journal_id *id, uint64_t seq,
                               const char *payload, size_t length)
{
    char frame[MUSTER__JOURNAL_FRAME_ROOM];
    size_t before = muster__journal_write_frame(frame, seq, length, payload_crc(id, seq, payload, length));
    muster__buffer_put(buffer, frame, before);
    muster__buffer_put(buffer, payload, length);
    muster__buffer_puts(buffer, "}\n");
}

/* A record's bytes, roughly: from them comes how long the frame will be, which has the length of what follows it. */
#define RECORD_GUESS ((size_t)350)

/* The records first: the frame before them tells their length. Where it was guessed too short or too long they are moved. */
void muster__journal_put_line(struct muster__buffer *buffer, const struct muster__journal_id *id, uint64_t seq,
                              const struct muster_record *const *records, size_t count)
{
    char frame[MUSTER__JOURNAL_FRAME_ROOM] = "";
    size_t start = buffer->used;
    size_t guessed = muster__journal_write_frame(frame, seq, count * RECORD_GUESS, 0);
    muster__buffer_put(buffer, frame, guessed);
    for (size_t i = 0; i < count && buffer->code == 0; i++)
        muster__journal_put_record(buffer, id, seq, (const uint64_t[]){i, count}, records[i]);
    muster__buffer_puts(buffer, "]");
    if (buffer->code != 0)
        return;
    const char *payload = buffer->bytes + start + guessed;
    size_t length = buffer->used - start - guessed;
    size_t before = muster__journal_write_frame(frame, seq, length, payload_crc(id, seq, payload, length));
    if (before > guessed && muster__buffer_room(buffer, before - guessed) == NULL)
        return;
    if (before != guessed)
        memmove(buffer->bytes + start + before, buffer->bytes + start + guessed, length);
    memcpy(buffer->bytes + start, frame, before);
    buffer->used = start + before + length;
    muster__buffer_puts(buffer, "}\n");
}

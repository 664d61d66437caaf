/* SPDX-License-Identifier: MIT */
/*
 * What lines look like. A batch:
 *
 *     {"seq":12,"len":123,"crc":"89abcdef","records":[...]}
 *
 * `len` and `crc` are about the bytes of the array, brackets included. The frame is checked byte for byte before JSON is
 * parsed. The header, always the first line:
 *
 *     {"muster-journal":1,"id":"<32 hexadecimal digits>","first":13,"whole":40,"crc":"89abcdef"}
 */
#ifndef MUSTER__JOURNAL_LINE_H
#define MUSTER__JOURNAL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <muster/store.h>

#include "base/memory.h"

/* The version of the file's format. */
#define MUSTER__JOURNAL_FORMAT 1

/* No journal ever comes so far; what says more is damaged. One more can always be counted. */
#define MUSTER__JOURNAL_SEQ_MAX ((uint64_t)INT64_MAX)

struct muster__journal_id {
    unsigned char bytes[16];
};

/* Bytes that grow. The first failure sticks, so that it need be looked at only at the end. */
struct muster__buffer {
    const struct muster__memory *memory;
    char *bytes;
    size_t used;
    size_t capacity;
    /* 0, MUSTER_ENOMEM, or MUSTER_EINVAL: what was to be written can't be. */
    int code;
};

/* Room for `count` bytes behind what is used, which the caller then adds to; NULL: no room, or an earlier failure. */
char *muster__buffer_room(struct muster__buffer *buffer, size_t count);
void muster__buffer_put(struct muster__buffer *buffer, const char *bytes, size_t count);
void muster__buffer_puts(struct muster__buffer *buffer, const char *text);
/* Forget what is in it, and the memory if it is large. */
void muster__buffer_reset(struct muster__buffer *buffer);
void muster__buffer_fini(struct muster__buffer *buffer);

struct muster__journal_header {
    struct muster__journal_id id;
    /* The sequence number of the first line behind it. */
    uint64_t first;
    /*
     * Lines up to this one were written with the file: none of them can be torn, and each key is there once.
     */
    uint64_t whole;
};

void muster__journal_put_header(struct muster__buffer *buffer, const struct muster__journal_header *header);

/*
 * MUSTER_ENOTSUP: whole, but of another format, which goes to *ret_format. MUSTER_ECORRUPT: not whole; the id
 * is what its place says, or 0. *ret_end is where the line ends.
 */
int muster__journal_get_header(const char *bytes, size_t size, struct muster__journal_header *ret_header,
                               uint64_t *ret_format, size_t *ret_end);

/* Append a line with this payload. */
void muster__journal_put_frame(struct muster__buffer *buffer, const struct muster__journal_id *id, uint64_t seq,
                               const char *payload, size_t length);

/* Append a line with these records. Sets the buffer's code. */
void muster__journal_put_line(struct muster__buffer *buffer, const struct muster__journal_id *id, uint64_t seq,
                              const struct muster_record *const *records, size_t count);

struct muster__journal_line {
    uint64_t seq;
    const char *payload;
    size_t length;
    /* Of the line, without its newline. */
    size_t bytes;
};

/* Is there a whole line at `bytes`? */
bool muster__journal_get_line(const char *bytes, size_t size, const struct muster__journal_id *id,
                              struct muster__journal_line *ret_line);

/*
 * No whole line begins at `bytes`, where one belongs, and `size` bytes follow until the end of the file. Was it written to its
 * end, and has been damaged since? False: a sector of it is missing, as after a commit that was cut off. *ret_length is where
 * the damaged line ends.
 */
bool muster__journal_line_complete(const char *bytes, size_t size, size_t *ret_length);

/*
 * Over the key of record `index` of the `count` in batch `seq`: tells whether a key in a damaged line can be
 * trusted.
 */
uint32_t muster__journal_key_check(const struct muster__journal_id *id, uint64_t seq, const uint64_t place[2],
                                   const struct muster_record *record);

#endif

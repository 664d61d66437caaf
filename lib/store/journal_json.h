/* SPDX-License-Identifier: MIT */
/* Records as JSON objects. */
#ifndef MUSTER__JOURNAL_JSON_H
#define MUSTER__JOURNAL_JSON_H

#include <jansson.h>

#include "base/blocks.h"
#include "store/journal_line.h"

enum muster__member_type { MUSTER__MEMBER_TEXT, MUSTER__MEMBER_NUMBER, MUSTER__MEMBER_WORD, MUSTER__MEMBER_FLAG };

/* Every word is shorter. */
#define MUSTER__WORD_ROOM 16

struct muster__member {
    const char *name;
    /* What stands before its value: `,"driver":`; and its length. */
    char label[16];
    size_t label_length;
    enum muster__member_type type;
    /* In struct muster_record. */
    size_t offset;
    /* For a word: by value, "" at the end. A value beyond them is written as a number. */
    const char (*words)[MUSTER__WORD_ROOM];
    uintptr_t flag;
    /* All that a quarantined or removed record has. */
    bool of_key;
};

#define MUSTER__MEMBERS 15
extern const struct muster__member muster__members[MUSTER__MEMBERS];
#define MUSTER__MEMBER_CHECK "check"

/* At most this many bytes in the unknown members of a record. */
#define MUSTER__EXTRA_MAX ((size_t)1024 * 1024)
/* Where it is quarantined what it held is there, too: handle and extra, each byte perhaps escaped. */
#define MUSTER__KEPT_MAX (16 * MUSTER__EXTRA_MAX)

/*
 * Parse it, with keys that are twice refused. MUSTER_ECORRUPT: it isn't JSON. MUSTER_ENOMEM: jansson calls a failed allocation
 * a wrong syntax, too, or drops what it has no room for; so what it refuses, or understands in part, is parsed again, and must
 * give the same.
 */
int muster__json_load(const char *text, size_t length, json_t **ret_json);

/*
 * Append the object. Sets the buffer's code: MUSTER_EINVAL for what isn't UTF-8, is too long, or has flags
 * that we don't know.
 */
void muster__journal_encode(struct muster__buffer *buffer, const struct muster_record *record, uint32_t check);

/* The records of a payload. */
struct muster__batch {
    struct muster_record *records;
    const struct muster_record **pointers;
    size_t count;
    struct muster__blocks texts;
    /* Of a damaged line, all of it: its records' texts are there. */
    json_t *root;
};

/*
 * MUSTER_ECORRUPT: it isn't an array of records with keys, or it is deeper than `max_depth`. MUSTER_ENOMEM.
 */
int muster__journal_decode(const struct muster__memory *memory, const struct muster__journal_line *line, size_t max_depth,
                           struct muster__batch *ret_batch);
void muster__batch_fini(const struct muster__memory *memory, struct muster__batch *batch);

/*
 * The keys that a damaged line names, as quarantined records; keys may be twice. MUSTER_ECORRUPT: it isn't
 * even JSON.
 */
int muster__journal_decode_keys(const struct muster__memory *memory, const char *text, size_t length,
                                struct muster__batch *ret_batch);
/* Is that line batch `seq`, and are these all its keys, unharmed? */
bool muster__journal_keys_sure(const struct muster__batch *batch, const struct muster__journal_id *id, uint64_t seq);

#endif

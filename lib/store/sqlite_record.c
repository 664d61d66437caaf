/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/name.h"
#include "store/sqlite.h"

enum column_type { TEXT, WORD, NUMBER };

struct column {
    const char *name;
    enum column_type type;
    /* In struct muster_record. */
    size_t offset;
};

#define COLUMN(member, type) {#member, type, offsetof(struct muster_record, member)}

/* In the order of the table; the first KEY are the key. */
#define KEY 3
static const struct column columns[MUSTER__SQLITE_COLUMNS] = {
    COLUMN(kind, WORD),       COLUMN(driver, TEXT), COLUMN(name, TEXT),   COLUMN(flags, WORD),   COLUMN(desired, WORD),
    COLUMN(stage, WORD),      COLUMN(reason, WORD), COLUMN(boot, TEXT),   COLUMN(attempts, NUMBER),
    COLUMN(generation, NUMBER), COLUMN(token, TEXT), COLUMN(handle, TEXT), COLUMN(format, NUMBER), COLUMN(extra, TEXT),
};

static const char *text_of(const struct muster_record *record, const struct column *column)
{
    const char *text;
    memcpy(&text, (const char *)record + column->offset, sizeof(text));
    return text;
}

int muster__sqlite_check_record(const struct muster_record *record, struct muster_error *error)
{
    if (record->driver == NULL || record->name == NULL)
        return muster_error_set(error, MUSTER_EINVAL, 0, "commit: a record without a driver or a name");
    for (size_t i = 0; i < MUSTER__SQLITE_COLUMNS; i++) {
        const char *text = columns[i].type == TEXT ? text_of(record, &columns[i]) : NULL;
        size_t length = text == NULL ? 0 : strnlen(text, MUSTER__HANDLE_MAX + 1);
        if (length > MUSTER__HANDLE_MAX)
            return muster_error_set(error, MUSTER_EINVAL, 0, "commit: a record's %s is longer than %zu bytes", columns[i].name,
                                    MUSTER__HANDLE_MAX);
        if (text != NULL && !muster__utf8_valid(text, length))
            return muster_error_set(error, MUSTER_EINVAL, 0, "commit: a record's %s isn't UTF-8", columns[i].name);
    }
    return 0;
}

/* Numbers beyond sqlite's are kept as the negative ones of the same bits. */
static int64_t number_of(const struct muster_record *record, const struct column *column)
{
    const char *place = (const char *)record + column->offset;
    uint64_t number;
    uintptr_t word;
    if (column->type == NUMBER) {
        memcpy(&number, place, sizeof(number));
        return (int64_t)number;
    }
    memcpy(&word, place, sizeof(word));
    return (int64_t)word;
}

int muster__sqlite_bind(sqlite3_stmt *statement, const struct muster_record *record, bool key_alone)
{
    int result = SQLITE_OK;
    for (int i = 0; i < (key_alone ? KEY : MUSTER__SQLITE_COLUMNS) && result == SQLITE_OK; i++) {
        if (columns[i].type == TEXT)
            result = sqlite3_bind_text(statement, i + 1, text_of(record, &columns[i]), -1, SQLITE_STATIC);
        else
            result = sqlite3_bind_int64(statement, i + 1, number_of(record, &columns[i]));
    }
    return result;
}

/* 0; MUSTER_ECORRUPT: not what the column should have; MUSTER_ENOMEM. */
static int read_text(sqlite3_stmt *statement, int at, struct muster_record *record)
{
    int type = sqlite3_column_type(statement, at);
    if (type == SQLITE_NULL)
        return 0;
    if (type != SQLITE_TEXT)
        return MUSTER_ECORRUPT;
    const char *text = (const char *)sqlite3_column_text(statement, at);
    if (text == NULL)
        return MUSTER_ENOMEM;
    size_t length = (size_t)sqlite3_column_bytes(statement, at);
    if (length > MUSTER__HANDLE_MAX || strlen(text) != length || !muster__utf8_valid(text, length))
        return MUSTER_ECORRUPT;
    memcpy((char *)record + columns[at].offset, &text, sizeof(text));
    return 0;
}

static int read_number(sqlite3_stmt *statement, int at, struct muster_record *record)
{
    if (sqlite3_column_type(statement, at) != SQLITE_INTEGER)
        return MUSTER_ECORRUPT;
    int64_t value = sqlite3_column_int64(statement, at);
    uint64_t number = (uint64_t)value;
    uintptr_t word = (uintptr_t)value;
    char *place = (char *)record + columns[at].offset;
    if (columns[at].type == NUMBER)
        memcpy(place, &number, sizeof(number));
    else
        memcpy(place, &word, sizeof(word));
    return 0;
}

int muster__sqlite_read(sqlite3_stmt *statement, struct muster_record *ret_record)
{
    struct muster_record record;
    bool understood = true;
    MUSTER_RECORD_INIT(&record);
    for (int i = 0; i < MUSTER__SQLITE_COLUMNS; i++) {
        int code = columns[i].type == TEXT ? read_text(statement, i, &record) : read_number(statement, i, &record);
        if (code == MUSTER_ENOMEM || (code != 0 && i < KEY))
            return code;
        understood = understood && code == 0;
    }
    if (record.driver == NULL || record.name == NULL)
        return MUSTER_ECORRUPT;
    understood = understood && (record.flags & MUSTER_RECORD_REMOVED) == 0;
    if (!understood)
        record.flags = MUSTER_RECORD_QUARANTINED;
    *ret_record = record;
    return understood ? 0 : MUSTER_EUNKNOWN;
}

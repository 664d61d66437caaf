/* SPDX-License-Identifier: MIT */
/* Checks of what a store keeps. */
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "store/conformance.h"

/* Commit them in one batch, compare, reopen, compare. */
static int keeps(struct muster__kit *kit, const struct muster_record *records, size_t count)
{
    int code = muster__kit_commit(kit, records, count);
    if (code == 0)
        code = muster__kit_compare(kit);
    return code != 0 ? code : muster__kit_reopen(kit);
}

static int commit_one(struct muster__kit *kit, const char *name, uint64_t generation, uintptr_t flags)
{
    struct muster_record record = muster__kit_record(name, generation);
    record.flags = flags;
    return muster__kit_commit(kit, &record, 1);
}

/* ---- how many */

static int check_empty(struct muster__kit *kit)
{
    if (kit->model.count == 0)
        return muster__kit_reopen(kit);
    return muster__kit_fail(kit, MUSTER_EFAILED, "the place has %zu records: the kit wants an empty one", kit->model.count);
}

static int check_one(struct muster__kit *kit)
{
    struct muster_record record = muster__kit_record("one", 1);
    record.extra = "{\"color\":\"blue\"}";
    return keeps(kit, &record, 1);
}

static int check_least(struct muster__kit *kit)
{
    struct muster_record records[2];
    MUSTER_RECORD_INIT(&records[0]);
    records[0].driver = "kit";
    records[0].name = "NULL";
    records[1] = records[0];
    records[1].name = "empty";
    records[1].boot = records[1].token = records[1].handle = "";
    return keeps(kit, records, 2);
}

#define MANY 1000
#define SINGLE 16

static int check_many(struct muster__kit *kit)
{
    struct muster_record *records = muster__alloc(&kit->memory, MANY, sizeof(*records));
    char(*names)[16] = muster__alloc(&kit->memory, MANY, sizeof(*names));
    int code = records == NULL || names == NULL ? muster__kit_fail(kit, MUSTER_ENOMEM, "out of memory") : 0;
    for (size_t i = 0; i < MANY && code == 0; i++) {
        snprintf(names[i], sizeof(names[i]), "record %zu", i);
        records[i] = muster__kit_record(names[i], i);
    }
    for (size_t i = 0; i < SINGLE && code == 0; i++)
        code = muster__kit_commit(kit, &records[i], 1);
    if (code == 0)
        code = keeps(kit, records, MANY);
    muster__free(&kit->memory, names);
    muster__free(&kit->memory, records);
    return code;
}

/* ---- changes */

static int check_overwrite(struct muster__kit *kit)
{
    struct muster_record other = muster__kit_record("overwrite", 2);
    int code = commit_one(kit, "overwrite", 1, MUSTER_RECORD_MARK);
    other.desired = MUSTER_DESIRED_INACTIVE;
    other.stage = MUSTER_STAGE_INACTIVE;
    other.reason = MUSTER_REASON_USER;
    other.boot = "another";
    other.attempts = 0;
    other.token = NULL;
    other.handle = "a handle that is longer than the one before it";
    if (code == 0)
        code = keeps(kit, &other, 1);
    other.generation = 3;
    other.handle = NULL;
    return code != 0 ? code : keeps(kit, &other, 1);
}

static int check_remove(struct muster__kit *kit)
{
    struct muster_record removal;
    MUSTER_RECORD_INIT(&removal);
    removal.driver = "kit";
    removal.name = "goes";
    removal.flags = MUSTER_RECORD_REMOVED;
    int code = muster__kit_commit(kit, &removal, 1);
    if (code == 0)
        code = commit_one(kit, "stays", 1, 0);
    if (code == 0)
        code = commit_one(kit, "goes", 1, 0);
    if (code == 0)
        code = keeps(kit, &removal, 1);
    if (code == 0)
        code = commit_one(kit, "goes", 2, 0);
    return code != 0 ? code : muster__kit_reopen(kit);
}

/* ---- keys and texts */

static int check_keys(struct muster__kit *kit)
{
    static const char *const keys[][2] = {
        {"kit", "a"},  {"kit", "a/b"},  {"kit/a", "b"}, {"kit a", "b"}, {"kit", "a b"}, {"kit:a", "b"},
        {"kit", "a:b"}, {"kit", "kit"}, {"1", "1"},     {"11", "1"},    {"1", "11"},    {"kita", "b"},
        {"kit", "ab"},  {"a", "kit"},   {"01", "1"},    {"1", "01"},    {"1.0", "1"},
    };
    enum { KEYS = sizeof(keys) / sizeof(keys[0]), KINDS = 2 };
    struct muster_record records[KEYS * KINDS];
    for (size_t i = 0; i < KEYS * KINDS; i++) {
        records[i] = muster__kit_record(keys[i / KINDS][1], i);
        records[i].driver = keys[i / KINDS][0];
        records[i].kind = i % KINDS;
    }
    int code = keeps(kit, records, KEYS * KINDS);
    for (size_t i = 0; i < KEYS * KINDS; i += 3)
        records[i].flags = MUSTER_RECORD_REMOVED;
    return code != 0 ? code : keeps(kit, records, KEYS * KINDS);
}

static size_t put_utf8(char *to, unsigned point)
{
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (length == 1) {
        *to = (char)point;
        return 1;
    }
    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)(leads[length] | point);
    return length;
}

/* Code points, `step` apart, in as many names of at most 255 bytes as they need. */
struct range {
    unsigned first, last, step;
    /* As many in one name; 0: what has room. */
    unsigned in_one;
};

static const struct range ranges[] = {
    {' ', '~', 1, 1},                  /* every single byte */
    {' ', '~', 1, 0},                  /* all of them in one name */
    {0x80, 0x7ff, 1, 0},               /* every sequence of two bytes */
    {0x800, 0xd7ff, 0x3c1, 0},         /* every first byte of three, all kinds of others */
    {0xe000, 0xffff, 0x1fff, 0},       /* the last of three */
    {0x10000, 0x10ffff, 0x8421, 0},    /* every first byte of four */
    {0x10ffff, 0x10ffff, 1, 1},        /* the last of all */
    {0xfeff, 0xfeff, 1, 1},            /* a byte order mark */
};

static int commit_range(struct muster__kit *kit, const struct range *range)
{
    char name[MUSTER__NAME_MAX + 1];
    size_t used = 0;
    unsigned count = 0;
    int code = 0;
    for (unsigned point = range->first; point <= range->last && code == 0; point += range->step) {
        used += put_utf8(name + used, point);
        count++;
        if (used <= MUSTER__NAME_MAX - 4 && count != range->in_one && point + range->step <= range->last)
            continue;
        name[used] = '\0';
        code = commit_one(kit, name, point, 0);
        used = count = 0;
    }
    return code;
}

static int commit_long_name(struct muster__kit *kit, char last)
{
    char name[MUSTER__NAME_MAX + 1];
    memset(name, 'n', MUSTER__NAME_MAX - 1);
    name[MUSTER__NAME_MAX - 1] = last;
    name[MUSTER__NAME_MAX] = '\0';
    return commit_one(kit, name, 1, 0);
}

static int check_names(struct muster__kit *kit)
{
    static const char *const alike[] = {
        "Name", "name", "NAME", "name ", " name", "na me", "\xc3\xa9", "e\xcc\x81", "..", "../..", "./name", "//",
        "name'; DROP TABLE records; --", "%s%n", "%41", "\\n", "\\u0041", "NULL", "null", "{}", "[]", "\"\"",
        "-1", "1e3",
    };
    int code = 0;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && code == 0; i++)
        code = commit_range(kit, &ranges[i]);
    for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]) && code == 0; i++)
        code = commit_one(kit, alike[i], i, 0);
    if (code == 0)
        code = commit_long_name(kit, 'a');
    if (code == 0)
        code = commit_long_name(kit, 'b');
    if (code == 0)
        code = muster__kit_compare(kit);
    return code != 0 ? code : muster__kit_reopen(kit);
}

static int check_texts(struct muster__kit *kit)
{
    static const char *const texts[] = {
        "\"", "\\", "'", "\n", "\r\n", "\t", " ", "  two blanks  ",
        "\x01\x02\x03\x1b\x1f\x7f", "\\u0000", "%", "%00", "%%",
        "{\"pid\":42,\"list\":[1,2]}",
        "]}\n{\"seq\":1,\"len\":2,\"crc\":\"00000000\",\"records\":[]}\n", "begin\n", "commit\n",
        "NULL", "null", "-", "=", "0", "\xef\xbf\xbd", "\xef\xbb\xbfmark", "\xe2\x80\xa8", "\xf0\x9f\x92\xa9",
        "\xf4\x8f\xbf\xbf", "<a href='x'>&amp;</a>", "trailing newline\n",
    };
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
    struct muster_record records[TEXTS];
    char names[TEXTS][16];
    for (size_t i = 0; i < TEXTS; i++) {
        snprintf(names[i], sizeof(names[i]), "text %zu", i);
        records[i] = muster__kit_record(names[i], i);
        records[i].handle = texts[i];
    }
    return keeps(kit, records, TEXTS);
}

static int check_long_handles(struct muster__kit *kit)
{
    static const size_t sizes[] = {
        255, 256, 4095, 4096, 4097, 65535, 65536,
        MUSTER__HANDLE_MAX - 1, MUSTER__HANDLE_MAX, MUSTER__HANDLE_MAX, MUSTER__HANDLE_MAX,
    };
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    struct muster_record records[SIZES];
    char names[SIZES][16];
    char *text = muster__alloc(&kit->memory, 1, MUSTER__HANDLE_MAX + 1);
    if (text == NULL)
        return muster__kit_fail(kit, MUSTER_ENOMEM, "out of memory");
    for (size_t i = 0; i < MUSTER__HANDLE_MAX; i++)
        text[i] = (char)('!' + (i * 7 + i / 94) % 94);
    for (size_t i = 0; i < SIZES; i++) {
        snprintf(names[i], sizeof(names[i]), "handle %zu", i);
        records[i] = muster__kit_record(names[i], i);
        records[i].handle = text + MUSTER__HANDLE_MAX - sizes[i];
    }
    int code = keeps(kit, records, SIZES);
    muster__free(&kit->memory, text);
    return code;
}

/* ---- what this version doesn't know */

static int check_extra(struct muster__kit *kit)
{
    struct muster_record record = muster__kit_record("extra", 1);
    record.extra = "{\"color\":\"gr\xc3\xbcn \\\"1\\\"\",\"nested\":{\"a\":[1,2.5,null,true,{\"b\":{\"c\":{}}}]},\"n\":-1}";
    int code = keeps(kit, &record, 1);
    record.generation = 2;
    record.extra = "{\"other\":1}";
    if (code == 0)
        code = keeps(kit, &record, 1);
    record.generation = 3;
    record.extra = NULL;
    return code != 0 ? code : keeps(kit, &record, 1);
}

static int check_numbers(struct muster__kit *kit)
{
    static const uint64_t numbers[] = {
        0, 1, INT32_MAX, (uint64_t)INT32_MAX + 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1, ((uint64_t)1 << 53) + 1,
        INT64_MAX - 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX,
    };
    enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };
    struct muster_record records[NUMBERS];
    char names[NUMBERS][16];
    for (size_t i = 0; i < NUMBERS; i++) {
        snprintf(names[i], sizeof(names[i]), "number %zu", i);
        records[i] = muster__kit_record(names[i], numbers[i]);
        records[i].attempts = numbers[NUMBERS - 1 - i];
        records[i].format = numbers[(i + 1) % NUMBERS];
        records[i].desired = 7 + i;
        records[i].stage = i;
        records[i].reason = UINTPTR_MAX - i;
    }
    return keeps(kit, records, NUMBERS);
}

static int check_kinds(struct muster__kit *kit)
{
    static const uintptr_t kinds[] = {2, 3, 99, INT32_MAX, UINT32_MAX, INTPTR_MAX, UINTPTR_MAX};
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    struct muster_record records[KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        records[i] = muster__kit_record("kind", i);
        records[i].kind = kinds[i];
        records[i].extra = "{\"of\":\"the future\"}";
    }
    return keeps(kit, records, KINDS);
}

static int check_flags(struct muster__kit *kit)
{
    int code = commit_one(kit, "marked", 1, MUSTER_RECORD_MARK);
    if (code == 0)
        code = commit_one(kit, "not marked", 1, 0);
    if (code == 0)
        code = muster__kit_reopen(kit);
    if (code == 0)
        code = commit_one(kit, "marked", 2, 0);
    if (code == 0)
        code = commit_one(kit, "not marked", 2, MUSTER_RECORD_MARK);
    return code != 0 ? code : muster__kit_reopen(kit);
}

static int check_quarantined(struct muster__kit *kit)
{
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "kit";
    record.name = "lost";
    record.flags = MUSTER_RECORD_QUARANTINED;
    int code = commit_one(kit, "lost", 1, 0);
    if (code == 0)
        code = commit_one(kit, "not lost", 1, 0);
    if (code == 0)
        code = keeps(kit, &record, 1);
    if (code == 0)
        code = commit_one(kit, "lost", 2, 0);
    return code != 0 ? code : muster__kit_reopen(kit);
}

const struct muster__kit_check muster__kit_record_checks[] = {
    {"empty", check_empty, false},
    {"one record", check_one, false},
    {"least record", check_least, false},
    {"many records", check_many, false},
    {"overwrite", check_overwrite, false},
    {"remove", check_remove, false},
    {"keys", check_keys, false},
    {"names", check_names, false},
    {"texts", check_texts, false},
    {"long handles", check_long_handles, false},
    {"extra", check_extra, false},
    {"numbers", check_numbers, false},
    {"unknown kinds", check_kinds, false},
    {"flags", check_flags, false},
    {"quarantined", check_quarantined, false},
    {NULL, NULL, false},
};

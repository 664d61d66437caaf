/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_ROOM 256

int store_failed(const char *subject, const char *operation, const char *text)
{
    fprintf(stderr, "store: %s: %s: %s\n", subject, operation, text);
    return -1;
}

/* ---- records */

static const char *keep(char **room, int length)
{
    const char *text = *room;
    *room += length + 1;
    return text;
}

/* Mostly guests that run; a handle says how to find the process again. */
static void fill(struct muster_record *record, unsigned i, char **room)
{
    static const char *const drivers[] = {"guest", "guest", "guest", "guest", "guest", "storage", "network", "secret"};
    MUSTER_RECORD_INIT(record);
    record->driver = drivers[i % 8];
    record->name = keep(room, snprintf(*room, TEXT_ROOM, "web-%06u.rack%02u", i, i % 40));
    record->flags = MUSTER_RECORD_MARK;
    record->desired = MUSTER_DESIRED_ACTIVE;
    record->stage = MUSTER_STAGE_ACTIVE;
    record->reason = MUSTER_REASON_USER;
    record->boot = "6f1c2f0e-6c0d-4b8f-9a53-0d8a3f6f2b11";
    record->attempts = i % 3;
    record->generation = 4 + i % 1000;
    record->token = keep(room, snprintf(*room, TEXT_ROOM, "%08x5bd1e995%08xc2b2ae35", i * 2654435761u, i * 40503u));
    record->handle = keep(room, snprintf(*room, TEXT_ROOM, "pid=%u start=%010u uuid=%08x-9d3b-4c1e socket=/run/x/%06u/qmp.sock",
                                         1000 + i, i * 2246822519u, i * 3266489917u, i));
    record->format = MUSTER_RECORD_FORMAT;
}

int store_records_init(struct store_records *records, size_t count)
{
    *records = (struct store_records){.count = count,
                                      .records = calloc(count, sizeof(*records->records)),
                                      .pointers = calloc(count, sizeof(*records->pointers)),
                                      .texts = malloc(count * TEXT_ROOM + 2 * TEXT_ROOM)};
    if (records->records == NULL || records->pointers == NULL || records->texts == NULL) {
        store_records_fini(records);
        return store_failed("records", "make", "out of memory");
    }
    char *room = records->texts;
    for (size_t i = 0; i < count; i++) {
        fill(&records->records[i], (unsigned)i, &room);
        records->pointers[i] = &records->records[i];
    }
    return 0;
}

void store_records_fini(struct store_records *records)
{
    free(records->records);
    free(records->pointers);
    free(records->texts);
    *records = (struct store_records){0};
}

static uint64_t weigh(const char *text, uint64_t factor)
{
    return text == NULL ? factor : factor * (strlen(text) + (unsigned char)text[0]);
}

int store_tally_add(void *data, const struct muster_record *record)
{
    struct store_tally *tally = data;
    tally->count++;
    tally->sum += weigh(record->driver, 3) + weigh(record->name, 5) + weigh(record->boot, 7) + weigh(record->token, 11) +
                  weigh(record->handle, 13) + weigh(record->extra, 17);
    tally->sum += record->generation * 19 + record->attempts * 23 + record->format * 29 + record->flags * 31 +
                  record->desired * 37 + record->stage * 41 + record->reason * 43 + record->kind * 47;
    return 0;
}

/* ---- packed */

#define TEXTS 6

struct packed {
    uint64_t generation;
    uint32_t attempts;
    uint8_t kind, flags, desired, stage, reason, format;
    /* With their ends; 0: there is none. */
    uint8_t texts[TEXTS];
};

size_t store_pack(const struct muster_record *record, char *bytes)
{
    const char *const texts[TEXTS] = {record->driver, record->name, record->boot, record->token, record->handle, record->extra};
    struct packed packed = {.generation = record->generation,
                            .attempts = (uint32_t)record->attempts,
                            .kind = (uint8_t)record->kind,
                            .flags = (uint8_t)record->flags,
                            .desired = (uint8_t)record->desired,
                            .stage = (uint8_t)record->stage,
                            .reason = (uint8_t)record->reason,
                            .format = (uint8_t)record->format};
    char *end = bytes + sizeof(packed);
    for (unsigned i = 0; i < TEXTS; i++) {
        size_t length = texts[i] == NULL ? 0 : strlen(texts[i]) + 1;
        packed.texts[i] = (uint8_t)length;
        end = (char *)memcpy(end, texts[i] == NULL ? "" : texts[i], length) + length;
    }
    memcpy(bytes, &packed, sizeof(packed));
    return (size_t)(end - bytes);
}

size_t store_unpack(const char *bytes, struct muster_record *ret_record)
{
    const char **const texts[TEXTS] = {&ret_record->driver, &ret_record->name,   &ret_record->boot,
                                       &ret_record->token,  &ret_record->handle, &ret_record->extra};
    struct packed packed;
    memcpy(&packed, bytes, sizeof(packed));
    MUSTER_RECORD_INIT(ret_record);
    ret_record->generation = packed.generation;
    ret_record->attempts = packed.attempts;
    ret_record->kind = packed.kind;
    ret_record->flags = packed.flags;
    ret_record->desired = packed.desired;
    ret_record->stage = packed.stage;
    ret_record->reason = packed.reason;
    ret_record->format = packed.format;
    const char *end = bytes + sizeof(packed);
    for (unsigned i = 0; i < TEXTS; i++) {
        *texts[i] = packed.texts[i] == 0 ? NULL : end;
        end += packed.texts[i];
    }
    return (size_t)(end - bytes);
}

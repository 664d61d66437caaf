/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/failing_calls.h"

unsigned bad_count;
unsigned bad_limit = 20;
void (*bad_describe)(void);

void bad(const char *format, ...)
{
    va_list args;
    if (bad_count++ >= bad_limit)
        return;
    fflush(stdout);
    if (bad_describe != NULL)
        bad_describe();
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *stream = opendir("/proc/self/fd");
    while (stream != NULL && readdir(stream) != NULL)
        count++;
    if (stream != NULL)
        closedir(stream);
    return count;
}

/* ---- records */

/* Of a handle, with its end: one that is short, one that is a chunk long, one that is several. */
#define SHORT ((size_t)64)
#define LARGE ((size_t)140 * 1024)
#define LONG ((size_t)600 * 1024)
#define EXTRA "{\"new\":\"what this version does not know is kept as it came\"}"

static void fill(struct muster_record *record, const char *name, uint64_t generation, const char *handle)
{
    MUSTER_RECORD_INIT(record);
    record->driver = "guest";
    record->name = name;
    record->desired = MUSTER_DESIRED_ACTIVE;
    record->stage = MUSTER_STAGE_ACTIVE;
    record->boot = "boot-1";
    record->token = "00112233445566778899aabbccddeeff";
    record->generation = generation;
    record->handle = handle;
    record->extra = EXTRA;
    record->format = MUSTER_RECORD_FORMAT;
}

/* "process N", then perhaps very many l. */
static char *make_handle(uint64_t generation, size_t size)
{
    char *handle = malloc(size);
    if (handle == NULL)
        abort();
    int length = snprintf(handle, size, "process %ju of this host", (uintmax_t)generation);
    if (size > SHORT) {
        memset(handle + length, 'l', size - (size_t)length);
        handle[size - 1] = '\0';
    }
    return handle;
}

static bool is_handle(const char *handle, uint64_t generation)
{
    char begin[64];
    size_t length = (size_t)snprintf(begin, sizeof(begin), "process %ju of this host", (uintmax_t)generation);
    if (handle == NULL || strncmp(handle, begin, length) != 0)
        return false;
    size_t rest = strspn(handle + length, "l");
    return handle[length + rest] == '\0' && (rest == 0 || rest == LARGE - 1 - length || rest == LONG - 1 - length);
}

static bool is_whole(const struct muster_record *record)
{
    struct muster_record wanted;
    fill(&wanted, record->name, record->generation, NULL);
    return record->flags == 0 && record->desired == wanted.desired && record->stage == wanted.stage &&
           record->boot != NULL && strcmp(record->boot, wanted.boot) == 0 && record->token != NULL &&
           strcmp(record->token, wanted.token) == 0 && record->extra != NULL && strcmp(record->extra, EXTRA) == 0 &&
           is_handle(record->handle, record->generation);
}

/* ---- load */

/* What a load found: generation 0 for what isn't there. */
struct found {
    uint64_t x, y, z, keep;
    bool damaged;
};

static int take(void *data, const struct muster_record *record)
{
    struct found *found = data;
    bool quarantined = (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    uint64_t *place = strcmp(record->name, "x") == 0      ? &found->x
                      : strcmp(record->name, "y") == 0    ? &found->y
                      : strcmp(record->name, "z") == 0    ? &found->z
                      : strcmp(record->name, "keep") == 0 ? &found->keep
                                                          : NULL;
    if (place != NULL) {
        if (*place != 0)
            bad("%s is there twice", record->name);
        if (!is_whole(record))
            bad("%s, generation %ju, isn't what was committed", record->name, (uintmax_t)record->generation);
        *place = record->generation;
    } else if (strcmp(record->name, "damaged") != 0) {
        bad("%s was never committed", record->name);
    } else if (!quarantined) {
        bad("damaged is believed, though its last version was lost");
    }
    found->damaged = found->damaged || (place == NULL && quarantined);
    return 0;
}

static void compare(struct host *host, const struct found *found)
{
    struct model *model = host->model;
    if (found->x != found->y)
        bad("a batch in part: x is of generation %ju, y of %ju", (uintmax_t)found->x, (uintmax_t)found->y);
    if (found->z > found->x)
        bad("a batch in part: z is of generation %ju, x of %ju", (uintmax_t)found->z, (uintmax_t)found->x);
    if (found->x != model->acknowledged && found->x != model->possible)
        bad("generation %ju was loaded, %ju is acknowledged%s", (uintmax_t)found->x, (uintmax_t)model->acknowledged,
            model->possible != model->acknowledged ? ", and the next is possible" : "");
    if (model->keep != (found->keep != 0))
        bad("keep is %s", model->keep ? "lost" : "there");
    if (model->damaged != found->damaged)
        bad("damaged is %s", model->damaged ? "lost, without quarantine" : "there");
    model->acknowledged = model->possible = found->x;
}

static int load(struct host *host)
{
    struct found found = {0};
    int code = muster__store_load(host->store, take, &found, &host->error);
    if (code == 0)
        compare(host, &found);
    if (code == 0 && host->error.code != 0 && !host->model->damaged)
        bad("load reports what isn't so: %s", host->error.text);
    return code;
}

/* ---- the other steps */

/* A record, and how long its handle is. */
struct part {
    const char *name;
    size_t handle;
};

static int commit(struct host *host, const struct part *parts, size_t count)
{
    struct muster_record records[3];
    const struct muster_record *pointers[3];
    char *handles[3];
    uint64_t generation = ++host->model->tried;
    for (size_t i = 0; i < count; i++) {
        handles[i] = make_handle(generation, parts[i].handle);
        fill(&records[i], parts[i].name, generation, handles[i]);
        pointers[i] = &records[i];
    }
    int code = muster__store_commit(host->store, pointers, count, &host->error);
    for (size_t i = 0; i < count; i++)
        free(handles[i]);
    return code;
}

static int put(struct host *host)
{
    static const struct part small[] = {{"x", SHORT}, {"y", SHORT}};
    static const struct part large[] = {{"x", LARGE}, {"y", LARGE}};
    static const struct part in_chunks[] = {{"x", LARGE}, {"z", LONG}, {"y", SHORT}};
    const struct part *parts = host->step == 'L' ? in_chunks : host->step == 'P' ? large : small;
    struct model *model = host->model;
    /* The process may end there. */
    model->possible = model->tried + 1;
    int code = commit(host, parts, host->step == 'L' ? 3 : 2);
    if (code == 0)
        model->acknowledged = model->possible;
    else if (code != MUSTER_EINDETERMINATE)
        model->possible = model->acknowledged;
    return code;
}

static int put_one(struct host *host, const char *name, bool *known)
{
    int code = commit(host, &(struct part){name, SHORT}, 1);
    *known = *known || code == 0;
    return code;
}

static int do_step(struct host *host)
{
    struct model ignored = {0};
    switch (host->step) {
    case 'o':
    case 'r': {
        int code = host->subject->make(host, &host->store);
        if (code != 0)
            return muster_error_set(&host->error, code, ENOMEM, "open %s", host->directory);
        if (host->step == 'o')
            return muster__store_open(host->store, &host->error);
        code = muster_store_open(host->store, MUSTER_STORE_READ_ONLY);
        host->error = *muster_store_get_error(host->store);
        return code;
    }
    case 'l':
        return load(host);
    case 'p':
    case 'P':
    case 'L':
        return put(host);
    case 'k':
        return put_one(host, "keep", &host->model->keep);
    case 'd':
    case 'D':
        return put_one(host, "damaged", &ignored.damaged);
    case 'c':
        return muster__store_compact(host->store, &host->error);
    case 'v':
        return muster__store_verify(host->store, &host->error);
    case 'x':
        return muster__store_close(host->store, &host->error);
    default:
        abort();
    }
}

static int step(struct host *host, char letter)
{
    muster__error_init(&host->error);
    host->step = call_step = letter;
    int code = do_step(host);
    if (code == 0)
        return 0;
    if (host->failed++ == 0)
        host->first_failed = letter;
    host->subject->check_error(host, code);
    muster__error_unref(host->error.next);
    return code;
}

void host_run(struct host *host, const char *steps)
{
    host->failed = 0;
    for (; *steps != '\0' && !host->stuck; steps++) {
        int code = step(host, *steps);
        if (code == 0)
            continue;
        /* As muster does: it doesn't write before it knows. */
        bool must_load = strchr("pPLkdDc", *steps) != NULL && code == MUSTER_EINDETERMINATE;
        host->stuck = strchr("orl", *steps) != NULL || (must_load && step(host, 'l') != 0);
    }
    if (host->stuck && strchr("or", host->step) == NULL)
        step(host, 'x');
    muster_store_free(host->store);
    host->store = NULL;
    host->stuck = false;
}

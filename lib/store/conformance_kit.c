/* SPDX-License-Identifier: MIT */
#include "store/conformance.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "store/store.h"

int muster__kit_fail(struct muster__kit *kit, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(kit->text, sizeof(kit->text), format, arguments);
    va_end(arguments);
    return code;
}

int muster__kit_failed(struct muster__kit *kit, int code, const char *call)
{
    if (code > 0)
        return muster__kit_fail(kit, MUSTER_EFAILED, "%s returned %d: it is 0 or negative", call, code);
    if (kit->error.text[0] == '\0')
        return muster__kit_fail(kit, MUSTER_EFAILED, "%s failed with %s, and left no text in its error", call,
                                muster_code_name(code));
    return muster__kit_fail(kit, code, "%s failed with %s: %s", call, muster_code_name(code), kit->error.text);
}

/* ---- lists of records */

static int copy_record(struct muster__kit *kit, const struct muster_record *record, struct muster__kit_entry *ret_entry)
{
    size_t bytes = muster__text_bytes(record->driver) + muster__text_bytes(record->name) +
                   muster__text_bytes(record->boot) + muster__text_bytes(record->token) +
                   muster__text_bytes(record->handle) + muster__text_bytes(record->extra);
    char *room = muster__alloc(&kit->memory, 1, bytes + 1);
    if (room == NULL)
        return muster__kit_fail(kit, MUSTER_ENOMEM, "%s", muster_code_text(MUSTER_ENOMEM));
    *ret_entry = (struct muster__kit_entry){.is = *record, .block = room, .bytes = bytes};
    ret_entry->is.driver = muster__text_put(&room, record->driver);
    ret_entry->is.name = muster__text_put(&room, record->name);
    ret_entry->is.boot = muster__text_put(&room, record->boot);
    ret_entry->is.token = muster__text_put(&room, record->token);
    ret_entry->is.handle = muster__text_put(&room, record->handle);
    ret_entry->is.extra = muster__text_put(&room, record->extra);
    return 0;
}

static int append(struct muster__kit *kit, struct muster__kit_list *list, const struct muster_record *record)
{
    struct muster__kit_entry entry;
    void *entries = list->entries;
    if (muster__grow(&kit->memory, &entries, list->count, &list->capacity, sizeof(entry)) != 0)
        return muster__kit_fail(kit, MUSTER_ENOMEM, "%s", muster_code_text(MUSTER_ENOMEM));
    list->entries = entries;
    int code = copy_record(kit, record, &entry);
    if (code == 0)
        list->entries[list->count++] = entry;
    return code;
}

static void remove_at(struct muster__kit *kit, struct muster__kit_list *list, size_t at)
{
    muster__free(&kit->memory, list->entries[at].block);
    list->entries[at] = list->entries[--list->count];
}

static void clear(struct muster__kit *kit, struct muster__kit_list *list)
{
    while (list->count > 0)
        remove_at(kit, list, list->count - 1);
    muster__free(&kit->memory, list->entries);
    *list = (struct muster__kit_list){0};
}

/* list->count: there is none. */
static size_t find(const struct muster__kit_list *list, const struct muster_record *record)
{
    size_t at = 0;
    for (; at < list->count; at++) {
        const struct muster_record *is = &list->entries[at].is;
        if (is->kind == record->kind && strcmp(is->name, record->name) == 0 && strcmp(is->driver, record->driver) == 0)
            break;
    }
    return at;
}

int muster__kit_expect(struct muster__kit *kit, const struct muster_record *records, size_t count)
{
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        size_t at = find(&kit->model, &records[i]);
        if (at < kit->model.count)
            remove_at(kit, &kit->model, at);
        if ((records[i].flags & MUSTER_RECORD_REMOVED) == 0)
            code = append(kit, &kit->model, &records[i]);
    }
    return code;
}

/* ---- the store */

int muster__kit_make(struct muster__kit *kit, struct muster_store **ret_store)
{
    struct muster_store *store = NULL;
    int code = kit->def->make(kit->def->data, &store);
    if (code == 0 && store == NULL)
        return muster__kit_fail(kit, MUSTER_EFAILED, "make returned 0 and no store");
    if (code != 0)
        return muster__kit_fail(kit, code, "make failed: %s", muster_code_text(code));
    *ret_store = store;
    return 0;
}

int muster__kit_open(struct muster__kit *kit)
{
    int code = muster__kit_make(kit, &kit->store);
    if (code != 0)
        return code;
    muster__error_init(&kit->error);
    code = kit->store->ops.open(kit->store->self, &kit->error);
    if (code == 0) {
        kit->open = true;
        return 0;
    }
    code = muster__kit_failed(kit, code, "open");
    muster__kit_close(kit);
    return code;
}

int muster__kit_close(struct muster__kit *kit)
{
    int code = 0;
    muster__error_init(&kit->error);
    if (kit->open)
        code = kit->store->ops.close(kit->store->self, &kit->error);
    if (code != 0)
        code = muster__kit_failed(kit, code, "close");
    muster_store_free(kit->store);
    kit->store = NULL;
    kit->open = false;
    return code;
}

int muster__kit_reopen(struct muster__kit *kit)
{
    if ((kit->def->flags & MUSTER_TESTING_FORGETS) != 0)
        return muster__kit_compare(kit);
    int code = muster__kit_close(kit);
    if (code == 0)
        code = muster__kit_open(kit);
    return code != 0 ? code : muster__kit_compare(kit);
}

static int learn(void *data, const struct muster_record *record)
{
    struct muster__kit *kit = data;
    if (record->driver == NULL || record->name == NULL)
        return muster__kit_fail(kit, MUSTER_EFAILED, "load told of a record without a driver or a name");
    return append(kit, &kit->model, record);
}

int muster__kit_begin(struct muster__kit *kit)
{
    int code = muster__kit_open(kit);
    if (code != 0)
        return code;
    muster__error_init(&kit->error);
    code = kit->store->ops.load(kit->store->self, learn, kit, &kit->error);
    return code == 0 ? 0 : muster__kit_failed(kit, code, "load, before the check began,");
}

void muster__kit_end(struct muster__kit *kit, bool clean)
{
    char text[sizeof(kit->text)];
    memcpy(text, kit->text, sizeof(text));
    for (size_t i = 0; i < kit->model.count; i++)
        kit->model.entries[i].is.flags = MUSTER_RECORD_REMOVED;
    if (clean && kit->open && kit->model.count > 0) {
        const struct muster_record **pointers = muster__alloc(&kit->memory, kit->model.count, sizeof(*pointers));
        for (size_t i = 0; pointers != NULL && i < kit->model.count; i++)
            pointers[i] = &kit->model.entries[i].is;
        muster__error_init(&kit->error);
        if (pointers != NULL)
            kit->store->ops.commit(kit->store->self, pointers, kit->model.count, &kit->error);
        muster__free(&kit->memory, pointers);
    }
    muster__kit_close(kit);
    clear(kit, &kit->model);
    clear(kit, &kit->passed);
    memcpy(kit->text, text, sizeof(text));
}

/* ---- commit */

struct muster_record muster__kit_record(const char *name, uint64_t generation)
{
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "kit";
    record.name = name;
    record.desired = MUSTER_DESIRED_ACTIVE;
    record.stage = MUSTER_STAGE_STOPPING;
    record.reason = MUSTER_REASON_HOST_SHUTDOWN;
    record.boot = "0c5d6f9a-5f5e-4b52-9ef3-0d0a1b2c3d4e";
    record.attempts = 3;
    record.generation = generation;
    record.token = "00112233445566778899aabbccddeeff";
    record.handle = "pid=42 socket=/run/a";
    record.format = MUSTER_RECORD_FORMAT;
    return record;
}

/* All that can still be reached through what was passed is wrong, but no memory is freed yet. */
static void spoil(struct muster__kit_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct muster__kit_entry *entry = &list->entries[i];
        memset(entry->block, '?', entry->bytes);
        entry->is.kind = entry->is.desired = entry->is.stage = entry->is.reason = 77;
        entry->is.attempts = entry->is.generation = entry->is.format = 77;
        entry->is.flags = 0;
    }
}

static int commit(struct muster__kit *kit, const struct muster_record *records, size_t count, int *ret_code)
{
    struct muster__kit_list passed = {0};
    const struct muster_record **pointers = muster__alloc(&kit->memory, count, sizeof(*pointers));
    int code = pointers == NULL ? muster__kit_fail(kit, MUSTER_ENOMEM, "%s", muster_code_text(MUSTER_ENOMEM)) : 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = append(kit, &passed, &records[i]);
    for (size_t i = 0; i < count && code == 0; i++)
        pointers[i] = &passed.entries[i].is;
    if (code == 0) {
        muster__error_init(&kit->error);
        *ret_code = kit->store->ops.commit(kit->store->self, pointers, count, &kit->error);
    }
    spoil(&passed);
    clear(kit, &kit->passed);
    kit->passed = passed;
    muster__free(&kit->memory, pointers);
    return code;
}

int muster__kit_commit(struct muster__kit *kit, const struct muster_record *records, size_t count)
{
    int answer = 0;
    int code = commit(kit, records, count, &answer);
    if (code == 0 && answer != 0)
        code = muster__kit_failed(kit, answer, "commit");
    return code != 0 ? code : muster__kit_expect(kit, records, count);
}

int muster__kit_refuse(struct muster__kit *kit, const struct muster_record *records, size_t count, bool must_refuse)
{
    int answer = 0;
    int code = commit(kit, records, count, &answer);
    if (code == 0 && answer == 0 && must_refuse)
        code = muster__kit_fail(kit, MUSTER_EFAILED, "commit took a record without a driver or a name");
    else if (code == 0 && answer == 0)
        code = muster__kit_expect(kit, records, count);
    else if (code == 0 && answer != MUSTER_EINVAL)
        code = muster__kit_fail(kit, MUSTER_EFAILED, "commit refused an unfit record with %s, not with MUSTER_EINVAL: %s",
                                muster_code_name(answer), kit->error.text);
    else if (code == 0 && kit->error.text[0] == '\0')
        code = muster__kit_failed(kit, answer, "commit");
    return code != 0 ? code : muster__kit_compare(kit);
}

/* ---- load */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The first member that differs; NULL: none. Of a quarantined record only the key and that flag count. */
static const char *difference(const struct muster_record *a, const struct muster_record *b)
{
    if (((a->flags ^ b->flags) & MUSTER_RECORD_QUARANTINED) != 0)
        return "flags";
    if ((a->flags & MUSTER_RECORD_QUARANTINED) != 0)
        return NULL;
    const struct {
        const char *name;
        bool same;
    } members[] = {
        {"flags", a->flags == b->flags},
        {"desired", a->desired == b->desired},
        {"stage", a->stage == b->stage},
        {"reason", a->reason == b->reason},
        {"boot", same_text(a->boot, b->boot)},
        {"attempts", a->attempts == b->attempts},
        {"generation", a->generation == b->generation},
        {"token", same_text(a->token, b->token)},
        {"handle", same_text(a->handle, b->handle)},
        {"format", a->format == b->format},
        {"extra", same_text(a->extra, b->extra)},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (!members[i].same)
            return members[i].name;
    return NULL;
}

static int found(struct muster__kit *kit, const struct muster_record *record, const char *what)
{
    kit->found = muster__kit_fail(kit, MUSTER_EFAILED, "load: the record '%.120s' of driver '%.60s', kind %ju: %s",
                                  record->name, record->driver, (uintmax_t)record->kind, what);
    return 0;
}

/* Always 0: what it finds is told at the end, so that nothing depends on how load takes a failure. */
static int compare(void *data, const struct muster_record *record)
{
    struct muster__kit *kit = data;
    char text[64];
    if (kit->found != 0)
        return 0;
    if (record->driver == NULL || record->name == NULL || record->size < sizeof(*record)) {
        kit->found = muster__kit_fail(kit, MUSTER_EFAILED, "load: a record without a size, a driver or a name");
        return 0;
    }
    size_t at = find(&kit->model, record);
    if (at == kit->model.count)
        return found(kit, record, "it was never committed, or was removed");
    if (kit->model.entries[at].seen)
        return found(kit, record, "it is there twice");
    kit->model.entries[at].seen = true;
    const char *member = difference(&kit->model.entries[at].is, record);
    if (member == NULL)
        return 0;
    snprintf(text, sizeof(text), "its %s isn't what was committed last", member);
    return found(kit, record, text);
}

int muster__kit_load(struct muster__kit *kit)
{
    for (size_t i = 0; i < kit->model.count; i++)
        kit->model.entries[i].seen = false;
    kit->found = 0;
    muster__error_init(&kit->error);
    int code = kit->store->ops.load(kit->store->self, compare, kit, &kit->error);
    if (code != 0)
        return code;
    if (kit->found == 0 && kit->error.code != 0)
        kit->found = muster__kit_fail(kit, MUSTER_EFAILED, "load says that records were lost: %s", kit->error.text);
    for (size_t i = 0; i < kit->model.count && kit->found == 0; i++)
        if (!kit->model.entries[i].seen)
            found(kit, &kit->model.entries[i].is, "it is missing");
    return 0;
}

int muster__kit_compare(struct muster__kit *kit)
{
    int code = muster__kit_load(kit);
    return code != 0 ? muster__kit_failed(kit, code, "load") : kit->found;
}

/* ---- another process */

struct answer {
    int code;
    char text[MUSTER__ERROR_TEXT];
};

static void answer_and_die(struct muster__kit *kit, int (*run)(struct muster__kit *kit), int fd)
{
    struct answer answer = {0};
    kit->text[0] = '\0';
    answer.code = run(kit);
    memcpy(answer.text, kit->text, sizeof(answer.text));
    ssize_t ignored = write(fd, &answer, sizeof(answer));
    (void)ignored;
    for (;;)
        raise(SIGKILL);
}

int muster__kit_in_child(struct muster__kit *kit, int (*run)(struct muster__kit *kit))
{
    struct answer answer;
    int fds[2];
    if (pipe(fds) != 0)
        return muster__kit_fail(kit, MUSTER_EIO, "pipe: %s", muster_code_text(-errno));
    pid_t child = fork();
    if (child == 0)
        answer_and_die(kit, run, fds[1]);
    int failed = errno;
    close(fds[1]);
    ssize_t got = -1;
    while (child > 0 && (got = read(fds[0], &answer, sizeof(answer))) < 0 && errno == EINTR)
        continue;
    close(fds[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (child < 0)
        return muster__kit_fail(kit, MUSTER_EIO, "fork: %s", muster_code_text(-failed));
    if (got != (ssize_t)sizeof(answer))
        return muster__kit_fail(kit, MUSTER_EFAILED, "the process died inside the store");
    memcpy(kit->text, answer.text, sizeof(answer.text));
    return answer.code;
}

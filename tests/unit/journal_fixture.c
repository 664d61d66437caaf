/* SPDX-License-Identifier: MIT */
#include "journal_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the fixture */

int journal_setup(void **state)
{
    struct journal_fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL)
        return -1;
    call_fault = (struct call_fault){0};
    MUSTER_JOURNAL_OPTIONS_INIT(&fixture->options);
    /* Thousands of syncs, and no power to lose: in memory where that can be had. */
    snprintf(fixture->top, sizeof(fixture->top), "%s/muster-journal-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(fixture->top) == NULL)
        return -1;
    snprintf(fixture->directory, sizeof(fixture->directory), "%s/state", fixture->top);
    *state = fixture;
    return 0;
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static void forget_loaded(struct journal_fixture *fixture)
{
    for (size_t i = 0; i < fixture->count; i++) {
        struct loaded *loaded = &fixture->loaded[i];
        free(loaded->driver);
        free(loaded->name);
        free(loaded->boot);
        free(loaded->token);
        free(loaded->handle);
        free(loaded->extra);
    }
    fixture->count = 0;
}

int journal_teardown(void **state)
{
    struct journal_fixture *fixture = *state;
    char command[160];
    call_fault = (struct call_fault){0};
    forget_loaded(fixture);
    muster_store_free(fixture->store);
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->top);
    int result = system(command);
    free(fixture);
    return result;
}

int journal_open(struct journal_fixture *fixture)
{
    muster__error_init(&fixture->error);
    int code = muster__journal_new(fixture->directory, &fixture->options, &failing_calls, &fixture->store);
    if (code != 0)
        return muster_error_set(&fixture->error, code, 0, "new");
    code = muster__store_open(fixture->store, &fixture->error);
    if (code != 0)
        journal_die(fixture);
    return code;
}

static int take(void *data, const struct muster_record *record)
{
    struct journal_fixture *fixture = data;
    assert_true(fixture->count < LOADED_MAX);
    struct loaded *loaded = &fixture->loaded[fixture->count++];
    loaded->is = *record;
    loaded->is.driver = loaded->driver = copy(record->driver);
    loaded->is.name = loaded->name = copy(record->name);
    loaded->is.boot = loaded->boot = copy(record->boot);
    loaded->is.token = loaded->token = copy(record->token);
    loaded->is.handle = loaded->handle = copy(record->handle);
    loaded->is.extra = loaded->extra = copy(record->extra);
    return 0;
}

int journal_load(struct journal_fixture *fixture)
{
    forget_loaded(fixture);
    return muster__store_load(fixture->store, take, fixture, &fixture->error);
}

void journal_die(struct journal_fixture *fixture)
{
    muster_store_free(fixture->store);
    fixture->store = NULL;
}

void journal_close(struct journal_fixture *fixture)
{
    struct muster_error error;
    assert_int_equal(muster__store_close(fixture->store, &error), 0);
    journal_die(fixture);
}

void journal_must_open(struct journal_fixture *fixture)
{
    if (journal_open(fixture) != 0 || journal_load(fixture) != 0)
        fail_msg("%s", fixture->error.text);
}

void journal_reopen(struct journal_fixture *fixture)
{
    journal_close(fixture);
    journal_must_open(fixture);
}

static int put(struct journal_fixture *fixture, const char *name, uint64_t generation, const char *handle)
{
    struct muster_record record;
    const struct muster_record *records = &record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "guest";
    record.name = name;
    record.flags = generation == 0 ? MUSTER_RECORD_REMOVED : 0;
    record.desired = MUSTER_DESIRED_ACTIVE;
    record.stage = MUSTER_STAGE_ACTIVE;
    record.boot = "boot-1";
    record.token = "00112233445566778899aabbccddeeff";
    record.handle = handle;
    record.generation = generation;
    record.format = MUSTER_RECORD_FORMAT;
    return muster__store_commit(fixture->store, &records, 1, &fixture->error);
}

int journal_put(struct journal_fixture *fixture, const char *name, uint64_t generation)
{
    return put(fixture, name, generation, "pid 42");
}

int journal_put_handle(struct journal_fixture *fixture, const char *name, const char *handle)
{
    return put(fixture, name, 1, handle);
}

const struct muster_record *journal_find(const struct journal_fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->count; i++)
        if (strcmp(fixture->loaded[i].name, name) == 0)
            return &fixture->loaded[i].is;
    return NULL;
}

/* ---- files */

static void file_path(const struct journal_fixture *fixture, const char *file, char path[256])
{
    snprintf(path, 256, "%s/%s", fixture->directory, file);
}

char *journal_get_file(const struct journal_fixture *fixture, const char *file, size_t *ret_size)
{
    char path[256];
    struct stat stat;
    file_path(fixture, file, path);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    assert_int_equal(fstat(fileno(stream), &stat), 0);
    char *bytes = calloc(1, (size_t)stat.st_size + 1);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, (size_t)stat.st_size, stream);
    fclose(stream);
    return bytes;
}

void journal_set_file(const struct journal_fixture *fixture, const char *file, const char *bytes, size_t size)
{
    char path[256];
    file_path(fixture, file, path);
    unlink(path);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(fchmod(fileno(stream), 0600), 0);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

size_t journal_count_files(const struct journal_fixture *fixture, const char *prefix)
{
    size_t count = 0;
    DIR *directory = opendir(fixture->directory);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(directory);
    return count;
}

void journal_remove_files(const struct journal_fixture *fixture, const char *prefix)
{
    char path[256];
    DIR *directory = opendir(fixture->directory);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        snprintf(path, sizeof(path), "%.90s/%.100s", fixture->directory, entry->d_name);
        assert_int_equal(unlink(path), 0);
    }
    closedir(directory);
}

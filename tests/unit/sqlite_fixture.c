/* SPDX-License-Identifier: MIT */
#include "sqlite_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a file system that fails when it is told to ------------------------------------------------ */

struct fault_of_files fault;

/* Databases and logs have different methods; those that can fail are the same. */
static const sqlite3_io_methods *real_methods;
static sqlite3_io_methods database_methods;
static sqlite3_io_methods log_methods;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

static bool fails(int call)
{
    if (fault.n == 0 || (int)fault.call != call)
        return false;
    fault.count++;
    bool now = fault.count == fault.n || (fault.forever && fault.count > fault.n);
    fault.fired = fault.fired || now;
    return now;
}

void set_fault(int call, int result)
{
    memset(&fault, 0, sizeof(fault));
    fault.call = call == WRITE ? WRITE : SYNC;
    fault.n = 1;
    fault.result = result;
    fault.forever = true;
}

static int failing_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    return fails(WRITE) ? fault.result : real_methods->xWrite(file, bytes, count, offset);
}

static int failing_sync(sqlite3_file *file, int flags)
{
    return fails(SYNC) ? fault.result : real_methods->xSync(file, flags);
}

static int failing_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)self;
    int result = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (result != SQLITE_OK || file->pMethods == NULL)
        return result;
    sqlite3_io_methods *methods = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? &database_methods : &log_methods;
    real_methods = file->pMethods;
    *methods = *real_methods;
    methods->xWrite = failing_write;
    methods->xSync = failing_sync;
    file->pMethods = methods;
    return SQLITE_OK;
}

/* It says how long it wants to wait, and counts that alone. */
static int no_sleep(sqlite3_vfs *self, int microseconds)
{
    (void)self;
    return microseconds;
}

int set_up_vfs(void **state)
{
    (void)state;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "failing";
    vfs.xOpen = failing_open;
    vfs.xSleep = no_sleep;
    return sqlite3_vfs_register(&vfs, 1);
}

/* ---- the fixture -------------------------------------------------------------------------------- */

int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL)
        return -1;
    memset(&fault, 0, sizeof(fault));
    snprintf(fixture->directory, sizeof(fixture->directory), "%s/muster-sqlite-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(fixture->directory) == NULL)
        return -1;
    snprintf(fixture->file, sizeof(fixture->file), "%s/records", fixture->directory);
    *state = fixture;
    return 0;
}

int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[96];
    memset(&fault, 0, sizeof(fault));
    muster_store_free(fixture->store);
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->directory);
    int result = system(command);
    free(fixture);
    return result;
}

int try_open(struct fixture *fixture)
{
    assert_int_equal(muster_store_sqlite_new(fixture->file, NULL, &fixture->store), 0);
    int code = muster__store_open(fixture->store, &fixture->error);
    if (code != 0) {
        muster_store_free(fixture->store);
        fixture->store = NULL;
    }
    return code;
}

void must_open(struct fixture *fixture)
{
    if (try_open(fixture) != 0)
        fail_msg("%s", fixture->error.text);
}

void must_close(struct fixture *fixture)
{
    if (muster__store_close(fixture->store, &fixture->error) != 0)
        fail_msg("%s", fixture->error.text);
    muster_store_free(fixture->store);
    fixture->store = NULL;
}

void says(const struct fixture *fixture, const char *text)
{
    if (strstr(fixture->error.text, text) == NULL)
        fail_msg("\"%s\" doesn't say \"%s\"", fixture->error.text, text);
}

void refused(struct fixture *fixture, int code, const char *text)
{
    assert_string_equal(muster_code_name(try_open(fixture)), muster_code_name(code));
    says(fixture, text);
    says(fixture, fixture->file);
}

struct muster_record record_of(const char *name, uint64_t generation)
{
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "guest";
    record.name = name;
    record.stage = MUSTER_STAGE_ACTIVE;
    record.generation = generation;
    record.flags = generation == 0 ? MUSTER_RECORD_REMOVED : 0;
    return record;
}

/* a and b are changed, c comes; generation 0 removes them. */
int put_three(struct fixture *fixture, uint64_t generation)
{
    const struct muster_record records[] = {
        record_of("a", generation),
        record_of("b", generation),
        record_of("c", generation),
    };
    const struct muster_record *pointers[] = {&records[0], &records[1], &records[2]};
    return muster__store_commit(fixture->store, pointers, 3, &fixture->error);
}

int see(void *data, const struct muster_record *record)
{
    struct fixture *fixture = data;
    char text[64];
    fixture->count++;
    fixture->quarantined += (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    snprintf(text, sizeof(text), "%s%d ", record->name, (int)record->generation);
    strncat(fixture->names, text, sizeof(fixture->names) - strlen(fixture->names) - 1);
    return 0;
}

const char *loaded(struct fixture *fixture)
{
    fixture->count = fixture->quarantined = 0;
    fixture->names[0] = '\0';
    if (muster__store_load(fixture->store, see, fixture, &fixture->error) != 0)
        fail_msg("%s", fixture->error.text);
    return fixture->names;
}

void make_three(struct fixture *fixture)
{
    must_open(fixture);
    assert_int_equal(put_three(fixture, 1), 0);
    must_close(fixture);
}

/* What anybody may do with the file. */
sqlite3 *connection(const struct fixture *fixture)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture->file, &db), SQLITE_OK);
    return db;
}

void run_sql(const struct fixture *fixture, const char *sql)
{
    sqlite3 *db = connection(fixture);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* SPDX-License-Identifier: MIT */
/* The conformance kit's checks of failures, on the stores whose calls go through a table. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing_sqlite.h"
#include "store/conformance.h"
#include "store/journal.h"
#include "store/sqlite.h"
#include "support/failing_calls.h"

struct place {
    char directory[64];
    char path[80];
    int (*make)(const char *path, struct muster_store **ret_store);
    /* To sqlite a lock or shared memory that fails is somebody who has it: these don't fail. */
    bool is_sqlite;
    /* The call that fails next. */
    enum call call;
    unsigned n;
    unsigned faults;
};

static int make(void *data, struct muster_store **ret_store)
{
    const struct place *place = data;
    return place->make(place->path, ret_store);
}

static void report(void *data, const char *check, int code, const char *text)
{
    (void)data;
    if (code != 0)
        print_message("    %s: %s: %s\n", check, muster_code_name(code), text);
}

/* The first call of the first kind, the second, ..., the first of the second kind: not the kit's order, but each of them. */
static int fault(void *data, uint64_t count)
{
    struct place *place = data;
    bool fired = call_fault.at.fired > 0;
    call_fault = (struct call_fault){0};
    if (count != 0) {
        call_fault = (struct call_fault){.call = place->call, .at = {.n = ++place->n}, .sys_errno = EIO};
        return 0;
    }
    place->faults += fired;
    if (!fired) {
        do
            place->call = (enum call)((place->call + 1) % CALLS);
        while (place->is_sqlite && (place->call == CALL_LOCK || place->call == CALL_MMAP));
        place->n = 0;
    }
    return fired || place->call != CALL_OPENAT;
}

static unsigned passes(int (*new_store)(const char *path, struct muster_store **ret_store), bool is_sqlite)
{
    struct place place = {.make = new_store, .is_sqlite = is_sqlite};
    struct muster_testing_store_def def;
    char command[96];
    MUSTER_TESTING_STORE_DEF_INIT(&def);
    def.make = make;
    def.report = report;
    def.fault = fault;
    def.data = &place;
    snprintf(place.directory, sizeof(place.directory), "%s/muster-conformance-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(place.directory));
    snprintf(place.path, sizeof(place.path), "%s/store", place.directory);
    for (const struct muster__kit_check *check = muster__kit_fault_checks; check->name != NULL; check++)
        assert_string_equal(muster_code_name(muster__testing_store(&def, check->name)), "MUSTER_OK");
    snprintf(command, sizeof(command), "rm -rf '%s'", place.directory);
    assert_int_equal(system(command), 0);
    print_message("    %u faults\n", place.faults);
    return place.faults;
}

static int new_journal(const char *path, struct muster_store **ret_store)
{
    return muster__journal_new(path, NULL, &failing_calls, ret_store);
}

static int new_sqlite(const char *path, struct muster_store **ret_store)
{
    return muster__sqlite_new(path, NULL, &failing_calls, ret_store);
}

static void the_journal_passes(void **state)
{
    (void)state;
    assert_true(passes(new_journal, false) > 30);
}

static void the_sqlite_store_passes(void **state)
{
    (void)state;
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    failing_sqlite_set_up();
    assert_true(passes(new_sqlite, true) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journal_passes),
        cmocka_unit_test(the_sqlite_store_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

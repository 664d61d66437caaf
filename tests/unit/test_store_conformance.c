/* SPDX-License-Identifier: MIT */
/* Every store here passes the kit that third parties' stores are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <muster/testing.h>

#include "failing_custom_store.h"
#include "support/failing_memory.h"

struct place {
    char directory[64];
    char path[80];
    const struct subject *subject;
    unsigned checks;
    unsigned skipped;
};

/* A store, and how something is made to fail under it. */
struct subject {
    int (*make)(const char *path, struct muster_store **ret_store);
    int (*fault)(uint64_t count);
    uintptr_t flags;
};

static int make(void *data, struct muster_store **ret_store)
{
    struct place *place = data;
    return place->subject->make(place->path, ret_store);
}

static int fail_subject(void *data, uint64_t count)
{
    const struct place *place = data;
    return place->subject->fault(count);
}

static void report(void *data, const char *check, int code, const char *text)
{
    struct place *place = data;
    place->checks++;
    place->skipped += code == MUSTER_ESKIPPED;
    if (code != 0)
        print_message("    %s: %s: %s\n", check, muster_code_name(code), text);
}

static void make_place(struct place *place)
{
    snprintf(place->directory, sizeof(place->directory), "%s/muster-conformance-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof(place->path), "%s/store", place->directory);
}

static void remove_place(const struct place *place)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf '%s'", place->directory);
    assert_int_equal(system(command), 0);
}

static struct failing_memory memory;

static int fail_memory(uint64_t count)
{
    bool failed = memory.fired;
    memory.countdown = (size_t)count;
    memory.fired = false;
    return failed;
}

static int new_memory(const char *path, struct muster_store **ret_store)
{
    struct muster_allocator allocator = failing_allocator(&memory);
    (void)path;
    return muster_store_memory_new(&allocator, ret_store);
}

static int new_journal(const char *path, struct muster_store **ret_store)
{
    return muster_store_journal_new(path, NULL, ret_store);
}

static int new_sqlite(const char *path, struct muster_store **ret_store)
{
    return muster_store_sqlite_new(path, NULL, ret_store);
}

static struct place passes(const struct subject *subject)
{
    struct place place = {.subject = subject};
    struct muster_testing_store_def def;
    MUSTER_TESTING_STORE_DEF_INIT(&def);
    def.make = make;
    def.report = report;
    def.data = &place;
    def.flags = subject->flags;
    def.fault = subject->fault == NULL ? NULL : fail_subject;
    make_place(&place);
    int code = muster_testing_store(&def);
    remove_place(&place);
    assert_string_equal(muster_code_name(code), "MUSTER_OK");
    assert_int_equal(place.checks, 35);
    return place;
}

static int built(int (*new_store)(const char *path, struct muster_store **ret_store))
{
    struct muster_store *store = NULL;
    int code = new_store("/nowhere", &store);
    muster_store_free(store);
    return code != MUSTER_ENOTSUP;
}

static void the_memory_store_passes(void **state)
{
    static const struct subject subject = {new_memory, fail_memory, MUSTER_TESTING_FORGETS};
    (void)state;
    /* Reopen, unused, killed, two opens, two processes, failing open and close; verify and compact, twice. */
    assert_int_equal(passes(&subject).skipped, 7 + 4);
    assert_int_equal(memory.live, 0);
}

static void the_journal_passes(void **state)
{
    static const struct subject subject = {new_journal, NULL, 0};
    (void)state;
    assert_int_equal(passes(&subject).skipped, 6);
}

static void the_sqlite_store_passes(void **state)
{
    static const struct subject subject = {new_sqlite, NULL, 0};
    (void)state;
    assert_int_equal(passes(&subject).skipped, 6);
}

static void the_example_s_store_passes(void **state)
{
    static const struct subject subject = {file_store_new, fail_call, 0};
    (void)state;
    /* It has neither verify nor compact. */
    assert_int_equal(passes(&subject).skipped, 4);
}

static void the_kit_refuses_a_bad_definition(void **state)
{
    (void)state;
    struct muster_testing_store_def def;
    MUSTER_TESTING_STORE_DEF_INIT(&def);
    assert_int_equal(muster_testing_store(NULL), MUSTER_EINVAL);
    assert_int_equal(muster_testing_store(&def), MUSTER_EINVAL);
    def.make = make;
    def.size = 8;
    assert_int_equal(muster_testing_store(&def), MUSTER_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_memory_store_passes),
        cmocka_unit_test(the_example_s_store_passes),
        cmocka_unit_test(the_kit_refuses_a_bad_definition),
    };
    const struct CMUnitTest journal_tests[] = {cmocka_unit_test(the_journal_passes)};
    const struct CMUnitTest sqlite_tests[] = {cmocka_unit_test(the_sqlite_store_passes)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (built(new_journal))
        failed += cmocka_run_group_tests(journal_tests, NULL, NULL);
    if (built(new_sqlite))
        failed += cmocka_run_group_tests(sqlite_tests, NULL, NULL);
    return failed;
}

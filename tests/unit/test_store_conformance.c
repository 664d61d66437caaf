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

#define CUSTOM_STORE_NO_MAIN
#include "../../examples/custom_store.c"

struct place {
    char directory[64];
    char path[80];
    int (*make)(const char *path, struct muster_store **ret_store);
    unsigned checks;
    unsigned skipped;
};

static int make(void *data, struct muster_store **ret_store)
{
    struct place *place = data;
    return place->make(place->path, ret_store);
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

static int new_memory(const char *path, struct muster_store **ret_store)
{
    (void)path;
    return muster_store_memory_new(NULL, ret_store);
}

static int new_journal(const char *path, struct muster_store **ret_store)
{
    return muster_store_journal_new(path, NULL, ret_store);
}

static int new_sqlite(const char *path, struct muster_store **ret_store)
{
    return muster_store_sqlite_new(path, NULL, ret_store);
}

static struct place passes(int (*new_store)(const char *path, struct muster_store **ret_store), uintptr_t flags)
{
    struct place place = {.make = new_store};
    struct muster_testing_store_def def;
    MUSTER_TESTING_STORE_DEF_INIT(&def);
    def.make = make;
    def.report = report;
    def.data = &place;
    def.flags = flags;
    make_place(&place);
    int code = muster_testing_store(&def);
    remove_place(&place);
    assert_string_equal(muster_code_name(code), "MUSTER_OK");
    assert_int_equal(place.checks, 29);
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
    (void)state;
    assert_int_equal(passes(new_memory, MUSTER_TESTING_FORGETS).skipped, 7);
}

static void the_journal_passes(void **state)
{
    (void)state;
    if (!built(new_journal))
        skip();
    assert_int_equal(passes(new_journal, 0).skipped, 0);
}

static void the_sqlite_store_passes(void **state)
{
    (void)state;
    if (!built(new_sqlite))
        skip();
    assert_int_equal(passes(new_sqlite, 0).skipped, 0);
}

static void the_example_s_store_passes(void **state)
{
    (void)state;
    assert_int_equal(passes(file_store_new, 0).skipped, 2);
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
        cmocka_unit_test(the_journal_passes),
        cmocka_unit_test(the_sqlite_store_passes),
        cmocka_unit_test(the_example_s_store_passes),
        cmocka_unit_test(the_kit_refuses_a_bad_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

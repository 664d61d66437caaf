/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"
#include "support/failing_memory.h"

struct seen {
    size_t count;
    uint64_t sum;
    char names[256];
};

static int see(void *data, const struct muster_record *record)
{
    struct seen *seen = data;
    seen->count++;
    seen->sum += record->generation;
    strcat(strcat(seen->names, record->name), " ");
    return 0;
}

static struct seen load(struct muster_store *store)
{
    struct seen seen = {0};
    struct muster_error error;
    assert_int_equal(muster__store_load(store, see, &seen, &error), 0);
    return seen;
}

/* Three records: a changes, b goes, c comes. */
static int commit_three(struct muster_store *store)
{
    struct muster_record records[3];
    const struct muster_record *pointers[3];
    struct muster_error error;
    for (unsigned i = 0; i < 3; i++) {
        MUSTER_RECORD_INIT(&records[i]);
        records[i].driver = "pool";
        records[i].name = (const char *[]){"a", "b", "c"}[i];
        records[i].flags = i == 1 ? MUSTER_RECORD_REMOVED : 0;
        records[i].generation = 10;
        pointers[i] = &records[i];
    }
    return muster__store_commit(store, pointers, 3, &error);
}

static int put(struct muster_store *store, const char *name, uint64_t generation)
{
    struct muster_record record;
    const struct muster_record *pointer = &record;
    struct muster_error error;
    MUSTER_RECORD_INIT(&record);
    record.driver = "pool";
    record.name = name;
    record.generation = generation;
    return muster__store_commit(store, &pointer, 1, &error);
}

static void keeps_changes_and_forgets(void **state)
{
    (void)state;
    struct muster_store *store;
    assert_int_equal(muster_store_memory_new(NULL, &store), 0);
    assert_int_equal(put(store, "a", 1), 0);
    assert_int_equal(put(store, "b", 2), 0);
    assert_string_equal(load(store).names, "a b ");
    assert_int_equal(commit_three(store), 0);
    struct seen seen = load(store);
    assert_string_equal(seen.names, "a c ");
    assert_int_equal(seen.sum, 20);
    muster_store_free(store);
}

static void refuses_a_key_twice_and_changes_nothing(void **state)
{
    (void)state;
    struct muster_store *store;
    struct muster_error error;
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "pool";
    record.name = "a";
    const struct muster_record *twice[] = {&record, &record};
    assert_int_equal(muster_store_memory_new(NULL, &store), 0);
    assert_int_equal(muster__store_commit(store, twice, 2, &error), MUSTER_EINVAL);
    assert_int_equal(load(store).count, 0);
    record.name = NULL;
    assert_int_equal(muster__store_commit(store, twice, 1, &error), MUSTER_EINVAL);
    muster_store_free(store);
}

static int refuse(void *data, const struct muster_record *record)
{
    (void)data;
    (void)record;
    return MUSTER_ECANCELED;
}

static void a_load_ends_with_the_callback_s_code(void **state)
{
    (void)state;
    struct muster_store *store;
    struct muster_error error;
    assert_int_equal(muster_store_memory_new(NULL, &store), 0);
    assert_int_equal(put(store, "a", 1), 0);
    assert_int_equal(muster__store_load(store, refuse, NULL, &error), MUSTER_ECANCELED);
    muster_store_free(store);
}

static void a_batch_without_memory_changes_nothing(void **state)
{
    (void)state;
    struct failing_memory memory = {0};
    struct muster_allocator allocator = failing_allocator(&memory);
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct muster_store *store;
        memory = (struct failing_memory){0};
        assert_int_equal(muster_store_memory_new(&allocator, &store), 0);
        assert_int_equal(put(store, "a", 1), 0);
        assert_int_equal(put(store, "b", 2), 0);
        memory.countdown = n;
        int code = commit_three(store);
        fired = memory.fired;
        memory.countdown = 0;
        assert_int_equal(code, fired ? MUSTER_ENOMEM : 0);
        assert_string_equal(load(store).names, fired ? "a b " : "a c ");
        assert_int_equal(commit_three(store), 0);
        assert_string_equal(load(store).names, "a c ");
        muster_store_free(store);
        assert_int_equal(memory.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_changes_and_forgets),
        cmocka_unit_test(refuses_a_key_twice_and_changes_nothing),
        cmocka_unit_test(a_load_ends_with_the_callback_s_code),
        cmocka_unit_test(a_batch_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

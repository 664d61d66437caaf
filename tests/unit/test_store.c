/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"

/* A store that does as it is told. */
struct told {
    int code;
    const char *text;
    int sys_errno;
    unsigned destroyed;
};

static int answer(void *self, struct muster_error *error)
{
    struct told *told = self;
    if (told->text != NULL)
        muster_error_set(error, told->code, told->sys_errno, "%s", told->text);
    return told->code;
}

static int answer_load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    (void)cb;
    (void)data;
    return answer(self, error);
}

static int answer_commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    (void)records;
    (void)count;
    return answer(self, error);
}

static void destroy(void *self)
{
    struct told *told = self;
    told->destroyed++;
}

static struct muster_store_ops told_ops(void)
{
    struct muster_store_ops ops = {.size = sizeof(ops),
                                   .name = "told",
                                   .destroy = destroy,
                                   .open = answer,
                                   .load = answer_load,
                                   .commit = answer_commit,
                                   .close = answer};
    return ops;
}

static void refuses_a_bad_definition(void **state)
{
    (void)state;
    struct told told = {0};
    struct muster_store *store = NULL;
    struct muster_store_ops ops = told_ops();
    assert_int_equal(muster_store_new(NULL, &told, &store), MUSTER_EINVAL);
    assert_int_equal(muster_store_new(&ops, &told, NULL), MUSTER_EINVAL);
    ops.size = offsetof(struct muster_store_ops, open_read_only) - 1;
    assert_int_equal(muster_store_new(&ops, &told, &store), MUSTER_EINVAL);
    for (unsigned missing = 0; missing < 6; missing++) {
        ops = told_ops();
        ops.name = missing == 0 ? NULL : ops.name;
        ops.destroy = missing == 1 ? NULL : ops.destroy;
        ops.open = missing == 2 ? NULL : ops.open;
        ops.load = missing == 3 ? NULL : ops.load;
        ops.commit = missing == 4 ? NULL : ops.commit;
        ops.close = missing == 5 ? NULL : ops.close;
        assert_int_equal(muster_store_new(&ops, &told, &store), MUSTER_EINVAL);
    }
    assert_null(store);
    assert_int_equal(told.destroyed, 0);
}

static void refuses_a_longer_definition_with_something_set(void **state)
{
    (void)state;
    struct told told = {0};
    struct muster_store *store = NULL;
    struct {
        struct muster_store_ops ops;
        void *unknown;
    } longer = {.ops = told_ops()};
    longer.ops.size = sizeof(longer);
    assert_int_equal(muster_store_new(&longer.ops, &told, &store), 0);
    muster_store_free(store);
    assert_int_equal(told.destroyed, 1);
    longer.unknown = &told;
    assert_int_equal(muster_store_new(&longer.ops, &told, &store), MUSTER_EINVAL);
}

static void says_whose_error_it_is(void **state)
{
    (void)state;
    struct told told = {.code = MUSTER_EIO, .text = "write x", .sys_errno = ENOSPC};
    struct muster_store *store;
    struct muster_error error;
    const struct muster_store_ops ops = told_ops();
    assert_int_equal(muster_store_new(&ops, &told, &store), 0);
    assert_int_equal(muster__store_open(store, &error), MUSTER_EIO);
    assert_string_equal(error.text, "told: write x: No space left on device");
    assert_int_equal(error.sys_errno, ENOSPC);
    told = (struct told){.code = MUSTER_EAGAIN};
    assert_int_equal(muster__store_commit(store, NULL, 0, &error), MUSTER_EAGAIN);
    assert_string_equal(error.text, "told: nothing was applied, try again");
    assert_int_equal(error.code, MUSTER_EAGAIN);
    told = (struct told){0};
    assert_int_equal(muster__store_close(store, &error), 0);
    assert_int_equal(error.code, 0);
    assert_string_equal(error.text, "");
    assert_int_equal(muster__store_verify(store, &error), MUSTER_ENOTSUP);
    muster_store_free(store);
    assert_int_equal(told.destroyed, 1);
}

static int ignore(void *data, const struct muster_record *record)
{
    (void)data;
    (void)record;
    return 0;
}

static void without_a_context_it_is_used_in_order(void **state)
{
    (void)state;
    struct told told = {0};
    struct muster_store *store;
    const struct muster_store_ops ops = told_ops();
    assert_int_equal(muster_store_new(&ops, &told, &store), 0);
    assert_int_equal(muster_store_load(store, ignore, NULL), MUSTER_ESTATE);
    assert_string_equal(muster_error_text(muster_store_get_error(store)), "told: load: the store isn't open");
    assert_int_equal(muster_store_commit(store, NULL, 0), MUSTER_ESTATE);
    assert_int_equal(muster_store_verify(store), MUSTER_ESTATE);
    assert_int_equal(muster_store_compact(store), MUSTER_ESTATE);
    assert_int_equal(muster_store_close(store), MUSTER_ESTATE);
    assert_int_equal(muster_store_open(store, 2), MUSTER_EINVAL);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), MUSTER_ENOTSUP);
    assert_int_equal(muster_store_open(store, 0), 0);
    assert_int_equal(muster_error_code(muster_store_get_error(store)), 0);
    assert_int_equal(muster_store_open(store, 0), MUSTER_ESTATE);
    assert_int_equal(muster_store_load(store, ignore, NULL), 0);
    assert_int_equal(muster_store_load(store, NULL, NULL), MUSTER_EINVAL);
    assert_int_equal(muster_store_commit(store, NULL, 1), MUSTER_EINVAL);
    assert_int_equal(muster_store_verify(store), MUSTER_ENOTSUP);
    told.code = MUSTER_EIO;
    assert_int_equal(muster_store_close(store), MUSTER_EIO);
    told.code = 0;
    assert_int_equal(muster_store_close(store), MUSTER_ESTATE);
    assert_int_equal(muster_store_open(NULL, 0), MUSTER_EINVAL);
    assert_null(muster_store_get_error(NULL));
    muster_store_free(store);
    assert_int_equal(told.destroyed, 1);
}

static int commit_named(struct muster_store *store, uintptr_t kind, uintptr_t flags, const char *driver, const char *name)
{
    const struct muster_record good = {.size = sizeof(good), .driver = "guest", .name = "web/1"};
    const struct muster_record record = {.size = sizeof(record), .kind = kind, .flags = flags, .driver = driver, .name = name};
    const struct muster_record *records[] = {&good, &record};
    return muster_store_commit(store, records, 2);
}

static void without_a_context_it_takes_names_that_a_context_takes(void **state)
{
    (void)state;
    struct told told = {0};
    struct muster_store *store;
    const struct muster_store_ops ops = told_ops();
    char name[257];
    memset(name, 'n', 256);
    name[256] = '\0';
    assert_int_equal(muster_store_new(&ops, &told, &store), 0);
    assert_int_equal(muster_store_open(store, 0), 0);
    for (uintptr_t kind = MUSTER_RECORD_RESOURCE; kind <= MUSTER_RECORD_HISTORY; kind++) {
        assert_int_equal(commit_named(store, kind, 0, "guest", name), MUSTER_EINVAL);
        assert_memory_equal(muster_error_text(muster_store_get_error(store)), "told: commit: 'guest/nnn", 24);
        assert_int_equal(commit_named(store, kind, 0, "guest", ""), MUSTER_EINVAL);
        assert_int_equal(commit_named(store, kind, 0, "guest", "web\n"), MUSTER_EINVAL);
        assert_int_equal(commit_named(store, kind, 0, "guest", NULL), MUSTER_EINVAL);
        assert_int_equal(commit_named(store, kind, 0, "gu/est", "web"), MUSTER_EINVAL);
        assert_int_equal(commit_named(store, kind, 0, NULL, "web"), MUSTER_EINVAL);
        assert_int_equal(commit_named(store, kind, 0, "guest", name + 1), 0);
    }
    /* What is there can be removed, and another version's kinds have names of its own. */
    assert_int_equal(commit_named(store, MUSTER_RECORD_RESOURCE, MUSTER_RECORD_REMOVED, "guest", name), 0);
    assert_int_equal(commit_named(store, MUSTER_RECORD_HISTORY + 1, 0, "gu/est", name), 0);
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

static int open_read_only(void *self, struct muster_error *error)
{
    (void)self;
    (void)error;
    return 0;
}

static void read_only_changes_nothing(void **state)
{
    (void)state;
    struct told told = {0};
    struct muster_store *store;
    struct muster_store_ops ops = told_ops();
    ops.open_read_only = open_read_only;
    assert_int_equal(muster_store_new(&ops, &told, &store), 0);
    assert_int_equal(muster_store_open(store, MUSTER_STORE_READ_ONLY), 0);
    assert_int_equal(muster_store_load(store, ignore, NULL), 0);
    assert_int_equal(muster_store_commit(store, NULL, 0), MUSTER_ESTATE);
    assert_string_equal(muster_error_text(muster_store_get_error(store)), "told: commit: the store is open to read only");
    assert_int_equal(muster_store_compact(store), MUSTER_ESTATE);
    assert_int_equal(muster_store_close(store), 0);
    assert_int_equal(muster_store_open(store, 0), 0);
    assert_int_equal(muster_store_commit(store, NULL, 0), 0);
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

/* The callback of a load tries all that would change what is being walked. */
static int try_all(void *data, const struct muster_record *record)
{
    struct muster_store *store = data;
    const struct muster_record *const records[] = {record};
    assert_int_equal(muster_store_open(store, 0), MUSTER_ESTATE);
    assert_int_equal(muster_store_load(store, ignore, NULL), MUSTER_ESTATE);
    assert_int_equal(muster_store_commit(store, records, 1), MUSTER_ESTATE);
    assert_int_equal(muster_store_verify(store), MUSTER_ESTATE);
    assert_int_equal(muster_store_compact(store), MUSTER_ESTATE);
    assert_int_equal(muster_store_close(store), MUSTER_ESTATE);
    return strcmp(record->name, "b") == 0 ? 7 : 0;
}

static void a_load_is_not_disturbed_by_its_callback(void **state)
{
    (void)state;
    struct muster_store *store;
    struct muster_record a, b;
    const struct muster_record *const records[] = {&a, &b};
    MUSTER_RECORD_INIT(&a);
    a.driver = "guest";
    b = a;
    a.name = "a";
    b.name = "b";
    assert_int_equal(muster_store_memory_new(NULL, &store), 0);
    assert_int_equal(muster_store_open(store, 0), 0);
    assert_int_equal(muster_store_commit(store, records, 1), 0);
    assert_int_equal(muster_store_load(store, try_all, store), 0);
    assert_int_equal(muster_error_code(muster_store_get_error(store)), 0);
    assert_int_equal(muster_store_commit(store, records, 2), 0);
    assert_int_equal(muster_store_load(store, try_all, store), 7);
    assert_int_equal(muster_store_commit(store, records, 2), 0);
    assert_int_equal(muster_store_close(store), 0);
    muster_store_free(store);
}

static void a_positive_return_is_no_success(void **state)
{
    (void)state;
    struct told told = {.code = 1};
    struct muster_store *store;
    struct muster_error error;
    const struct muster_store_ops ops = told_ops();
    assert_int_equal(muster_store_new(&ops, &told, &store), 0);
    assert_int_equal(muster__store_commit(store, NULL, 0, &error), MUSTER_EINDETERMINATE);
    assert_int_equal(muster__store_open(store, &error), MUSTER_EFAILED);
    assert_int_equal(muster__store_close(store, &error), MUSTER_EFAILED);
    muster_store_free(store);
}

static void a_record_begins_empty(void **state)
{
    (void)state;
    struct muster_record record;
    memset(&record, 0xff, sizeof(record));
    MUSTER_RECORD_INIT(&record);
    const struct muster_record empty = {.size = sizeof(record)};
    assert_memory_equal(&record, &empty, sizeof(record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_bad_definition),
        cmocka_unit_test(refuses_a_longer_definition_with_something_set),
        cmocka_unit_test(says_whose_error_it_is),
        cmocka_unit_test(without_a_context_it_is_used_in_order),
        cmocka_unit_test(without_a_context_it_takes_names_that_a_context_takes),
        cmocka_unit_test(read_only_changes_nothing),
        cmocka_unit_test(a_load_is_not_disturbed_by_its_callback),
        cmocka_unit_test(a_positive_return_is_no_success),
        cmocka_unit_test(a_record_begins_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <muster/context.h>

#include "base/blocks.h"
#include "base/memory.h"
#include "support/failing_memory.h"

static void malloc_is_the_default(void **state)
{
    struct muster__memory memory;
    (void)state;
    assert_int_equal(muster__memory_init(&memory, NULL), 0);
    char *text = muster__strdup(&memory, "text");
    assert_string_equal(text, "text");
    text = muster__realloc(&memory, text, 100, 1);
    assert_string_equal(text, "text");
    muster__free(&memory, text);
    muster__free(&memory, NULL);
}

static void an_incomplete_allocator_is_refused(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory;
    (void)state;
    struct muster_allocator allocator = failing_allocator(&failing);
    assert_int_equal(muster__memory_init(&memory, &allocator), 0);
    allocator.size--;
    assert_int_equal(muster__memory_init(&memory, &allocator), MUSTER_EINVAL);
    for (int missing = 0; missing < 3; missing++) {
        allocator = failing_allocator(&failing);
        if (missing == 0)
            allocator.alloc = NULL;
        else if (missing == 1)
            allocator.realloc = NULL;
        else
            allocator.free = NULL;
        assert_int_equal(muster__memory_init(&memory, &allocator), MUSTER_EINVAL);
    }
}

static void what_is_allocated_is_zero(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    (void)state;
    unsigned char *block = muster__alloc(&memory, 100, 3);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(block[i], 0);
    muster__free(&memory, block);
    void *nothing = muster__alloc(&memory, 0, 8);
    assert_non_null(nothing);
    muster__free(&memory, nothing);
    assert_int_equal(failing.live, 0);
}

static void sizes_that_overflow_are_refused(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    (void)state;
    assert_null(muster__alloc(&memory, SIZE_MAX / 2, 3));
    assert_null(muster__realloc(&memory, NULL, SIZE_MAX / 4 + 1, 4));
}

static void an_array_doubles_or_stays(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    void *array = NULL;
    size_t capacity = 0;
    (void)state;
    for (size_t count = 0; count < 100; count++) {
        assert_int_equal(muster__grow(&memory, &array, count, &capacity, sizeof(size_t)), 0);
        ((size_t *)array)[count] = count;
    }
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(((size_t *)array)[i], i);
    void *before = array;
    failing.countdown = 1;
    assert_int_equal(muster__grow(&memory, &array, capacity, &capacity, sizeof(size_t)), MUSTER_ENOMEM);
    assert_ptr_equal(array, before);
    assert_int_equal(capacity, 128);
    muster__free(&memory, array);
    failing.countdown = 1;
    assert_null(muster__strdup(&memory, "x"));
    assert_int_equal(failing.live, 0);
}

static void what_is_kept_stays_where_it_is(void **state)
{
    (void)state;
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__blocks blocks = {NULL};
    const char *texts[300];
    for (size_t i = 0; i < 300; i++) {
        char text[16] = "0123456789";
        text[i % 10] = '\0';
        texts[i] = muster__blocks_keep_text(&blocks, &memory, text);
        assert_non_null(texts[i]);
        assert_int_equal((uintptr_t)texts[i] % sizeof(void *), 0);
    }
    char *large = muster__blocks_keep(&blocks, &memory, 1000000);
    assert_non_null(large);
    memset(large, 'x', 1000000);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(strlen(texts[i]), i % 10);
    assert_in_range(failing.live, 2, 8);
    assert_null(muster__blocks_keep(&blocks, &memory, SIZE_MAX));
    assert_null(muster__blocks_keep(&blocks, &memory, SIZE_MAX - 2 * sizeof(void *)));
    failing.countdown = 1;
    assert_null(muster__blocks_keep(&blocks, &memory, 2000000));
    assert_non_null(muster__blocks_keep(&blocks, &memory, 1));
    muster__blocks_fini(&blocks, &memory);
    assert_int_equal(failing.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malloc_is_the_default),     cmocka_unit_test(an_incomplete_allocator_is_refused),
        cmocka_unit_test(what_is_allocated_is_zero), cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(an_array_doubles_or_stays), cmocka_unit_test(what_is_kept_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

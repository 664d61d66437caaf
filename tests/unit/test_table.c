/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>

#include <muster/error.h>

#include "base/table.h"
#include "support/failing_memory.h"

#define ELEMENTS 500

struct element {
    struct muster__table_node node;
    char key[16];
    bool present;
};

static uint32_t random_state = 99;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

static size_t count_walked(const struct muster__table *table)
{
    size_t cursor = 0, walked = 0;
    for (struct muster__table_node *node; (node = muster__table_next(table, &cursor)) != NULL; walked++)
        assert_true(((struct element *)node)->present);
    return walked;
}

/* Random additions and removals beside a plain list. */
static void what_was_added_and_not_removed_is_found(void **state)
{
    static struct element elements[ELEMENTS];
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__table table;
    size_t present = 0;
    (void)state;
    muster__table_init(&table, &memory);
    assert_null(muster__table_find(&table, "nothing"));
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        snprintf(elements[i].key, sizeof(elements[i].key), "%u", i);
        elements[i].node.key = elements[i].key;
    }
    for (uint32_t step = 0; step < 5000; step++) {
        struct element *element = &elements[random_below(ELEMENTS)];
        if (element->present)
            muster__table_remove(&table, &element->node);
        else
            assert_int_equal(muster__table_add(&table, &element->node), 0);
        present += element->present ? (size_t)-1 : 1;
        element->present = !element->present;
        assert_int_equal(table.count, present);
        if (step % 50 != 0)
            continue;
        assert_int_equal(count_walked(&table), present);
        for (uint32_t i = 0; i < ELEMENTS; i++)
            assert_ptr_equal(muster__table_find(&table, elements[i].key),
                             elements[i].present ? &elements[i].node : NULL);
    }
    muster__table_fini(&table);
    assert_int_equal(failing.live, 0);
}

static void an_addition_without_memory_changes_nothing(void **state)
{
    static struct element elements[20];
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__table table;
    (void)state;
    muster__table_init(&table, &memory);
    for (uint32_t i = 0; i < 20; i++) {
        snprintf(elements[i].key, sizeof(elements[i].key), "%u", i);
        elements[i].node.key = elements[i].key;
        elements[i].present = true;
        failing.countdown = 1;
        if (muster__table_add(&table, &elements[i].node) != 0) {
            assert_int_equal(table.count, i);
            assert_null(muster__table_find(&table, elements[i].key));
            assert_int_equal(muster__table_add(&table, &elements[i].node), 0);
        }
    }
    assert_true(failing.fired);
    assert_int_equal(count_walked(&table), 20);
    muster__table_fini(&table);
}

/* Then so many additions take no memory, and cannot fail. */
static void room_that_was_reserved_is_there(void **state)
{
    static struct element elements[ELEMENTS];
    (void)state;
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        snprintf(elements[i].key, sizeof(elements[i].key), "%u", i);
        elements[i].node.key = elements[i].key;
    }
    for (uint32_t count = 1; count <= ELEMENTS; count++) {
        struct failing_memory failing = {0};
        struct muster__memory memory = failing_memory(&failing);
        struct muster__table table;
        muster__table_init(&table, &memory);
        assert_int_equal(muster__table_add(&table, &elements[0].node), 0);
        failing.countdown = 1;
        if (muster__table_reserve(&table, count) != 0)
            assert_int_equal(muster__table_reserve(&table, count), 0);
        failing = (struct failing_memory){.live = failing.live, .countdown = 1};
        for (uint32_t i = 1; i < count; i++)
            assert_int_equal(muster__table_add(&table, &elements[i].node), 0);
        assert_false(failing.fired);
        for (uint32_t i = 0; i < count; i++)
            assert_ptr_equal(muster__table_find(&table, elements[i].key), &elements[i].node);
        muster__table_fini(&table);
    }
}

static void hashes_depend_on_bytes_and_length_alone(void **state)
{
    (void)state;
    const char text[] = "abcdefghijabcdefghij";
    for (size_t length = 0; length <= 10; length++)
        assert_true(muster__hash(text, length) == muster__hash(text + 10, length));
    for (size_t length = 0; length < 20; length++)
        assert_true(muster__hash(text, length) != muster__hash(text, length + 1));
    assert_true(muster__hash("\0", 1) != muster__hash("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_and_not_removed_is_found),
        cmocka_unit_test(an_addition_without_memory_changes_nothing),
        cmocka_unit_test(room_that_was_reserved_is_there),
        cmocka_unit_test(hashes_depend_on_bytes_and_length_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

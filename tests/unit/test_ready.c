/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <muster/error.h>

#include "base/ready.h"
#include "support/failing_memory.h"

#define CAPACITY 70000

static uint32_t random_state = 4711;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

static uint32_t smallest(const unsigned char *members)
{
    const unsigned char *first = memchr(members, 1, CAPACITY);
    return first == NULL ? UINT32_MAX : (uint32_t)(first - members);
}

/* Random additions and removals beside a plain set; few members, so that words become empty and full again. */
static void the_first_is_always_the_smallest(void **state)
{
    static unsigned char members[CAPACITY];
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__ready ready;
    (void)state;
    muster__ready_init(&ready, &memory);
    assert_int_equal(muster__ready_resize(&ready, CAPACITY), 0);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t first = UINT32_MAX;
        uint32_t number = random_below(i % 7 == 0 ? CAPACITY : 200);
        bool add = random_below(5) < 2;
        if (!add && random_below(2) == 0 && smallest(members) != UINT32_MAX)
            number = smallest(members);
        members[number] = add;
        if (add)
            muster__ready_add(&ready, number);
        else
            muster__ready_remove(&ready, number);
        assert_int_equal(muster__ready_first(&ready, &first), smallest(members) != UINT32_MAX);
        assert_int_equal(first, smallest(members));
    }
    muster__ready_fini(&ready);
    assert_int_equal(failing.live, 0);
}

static void every_capacity_takes_its_last_number(void **state)
{
    static const uint32_t capacities[] = {1, 2, 63, 64, 65, 4095, 4096, 4097, 262144, 262145};
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__ready ready;
    (void)state;
    muster__ready_init(&ready, &memory);
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
        uint32_t first = 0;
        assert_int_equal(muster__ready_resize(&ready, capacities[i]), 0);
        assert_false(muster__ready_first(&ready, &first));
        muster__ready_add(&ready, capacities[i] - 1);
        assert_true(muster__ready_first(&ready, &first));
        assert_int_equal(first, capacities[i] - 1);
        muster__ready_remove(&ready, capacities[i] - 1);
        assert_false(muster__ready_first(&ready, &first));
    }
    muster__ready_fini(&ready);
    assert_int_equal(failing.live, 0);
}

static void one_that_has_no_room_has_no_first(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__ready ready;
    uint32_t first;
    (void)state;
    muster__ready_init(&ready, &memory);
    assert_false(muster__ready_first(&ready, &first));
    assert_int_equal(muster__ready_resize(&ready, 0), 0);
    assert_false(muster__ready_first(&ready, &first));
    muster__ready_fini(&ready);
}

static void a_resize_out_of_memory_changes_nothing(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__ready ready;
    uint32_t first;
    (void)state;
    muster__ready_init(&ready, &memory);
    assert_int_equal(muster__ready_resize(&ready, 100), 0);
    muster__ready_add(&ready, 99);
    for (failing.countdown = 1;; failing.countdown++) {
        size_t nth = failing.countdown;
        failing.fired = false;
        if (muster__ready_resize(&ready, 5000) == 0)
            break;
        assert_true(failing.fired);
        assert_true(muster__ready_first(&ready, &first));
        assert_int_equal(first, 99);
        failing.countdown = nth;
    }
    assert_false(muster__ready_first(&ready, &first));
    muster__ready_fini(&ready);
    assert_int_equal(failing.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_smallest),
        cmocka_unit_test(every_capacity_takes_its_last_number),
        cmocka_unit_test(one_that_has_no_room_has_no_first),
        cmocka_unit_test(a_resize_out_of_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

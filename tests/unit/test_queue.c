/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <muster/error.h>

#include "base/queue.h"
#include "support/failing_memory.h"

#define NUMBERS 500

static uint32_t random_state = 99;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

/* Beside a plain array that is moved up; the room grows on the way, with numbers in it. */
static void numbers_come_out_in_the_order_of_their_coming(void **state)
{
    uint32_t model[NUMBERS], count = 0, pops = 0, again = 0;
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__queue queue;
    (void)state;
    muster__queue_init(&queue, &memory);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t room = 1 + i / 40;
        assert_int_equal(muster__queue_reserve(&queue, room), 0);
        if (random_below(2) == 0) {
            uint32_t number = random_below(room);
            bool there = false;
            for (uint32_t k = 0; k < count; k++)
                there = there || model[k] == number;
            again += there;
            muster__queue_push(&queue, number);
            if (!there)
                model[count++] = number;
        } else if (count > 0) {
            assert_int_equal(muster__queue_pop(&queue), model[0]);
            memmove(model, model + 1, --count * sizeof(*model));
            pops++;
        }
        assert_int_equal(muster__queue_empty(&queue), count == 0);
    }
    muster__queue_fini(&queue);
    assert_int_equal(failing.live, 0);
    print_message("%u numbers came out in order, %u were there already\n", pops, again);
    assert_true(pops > 5000 && again > 100);
}

static void no_memory_changes_nothing(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__queue queue;
    (void)state;
    muster__queue_init(&queue, &memory);
    assert_int_equal(muster__queue_reserve(&queue, 3), 0);
    muster__queue_push(&queue, 2);
    for (size_t nth = 1; nth <= 2; nth++) {
        failing.countdown = nth;
        assert_int_equal(muster__queue_reserve(&queue, 1000), MUSTER_ENOMEM);
    }
    failing.countdown = 0;
    assert_int_equal(muster__queue_pop(&queue), 2);
    assert_true(muster__queue_empty(&queue));
    muster__queue_fini(&queue);
    assert_int_equal(failing.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_out_in_the_order_of_their_coming),
        cmocka_unit_test(no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

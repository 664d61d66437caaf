/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <muster/error.h>

#include "base/heap.h"
#include "support/failing_memory.h"

#define NODES 300

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

/* Random pushes, moves and removals beside a plain search for the smallest. */
static void the_first_is_always_the_smallest(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__heap heap;
    struct muster__heap_node nodes[NODES] = {{0}};
    (void)state;
    muster__heap_init(&heap, &memory);
    assert_null(muster__heap_first(&heap));
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(muster__heap_reserve(&heap), 0);
    for (uint32_t step = 0; step < 20000; step++) {
        struct muster__heap_node *node = &nodes[random_below(NODES)];
        if (random_below(3) == 0)
            muster__heap_remove(&heap, node);
        else
            muster__heap_push(&heap, node, random_below(20), (uint64_t)(node - nodes));
        const struct muster__heap_node *first = NULL;
        for (size_t i = 0; i < NODES; i++)
            if (nodes[i].place != 0 && (first == NULL || nodes[i].key < first->key ||
                                        (nodes[i].key == first->key && nodes[i].tie < first->tie)))
                first = &nodes[i];
        assert_ptr_equal(muster__heap_first(&heap), first);
    }
    muster__heap_fini(&heap);
    assert_int_equal(failing.live, 0);
}

static int by_key_and_tie(const void *a, const void *b)
{
    const struct muster__heap_node *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->tie < y->tie ? -1 : x->tie > y->tie;
}

static void taking_all_sorts(void **state)
{
    struct muster__memory memory;
    struct muster__heap heap;
    struct muster__heap_node nodes[NODES] = {{0}}, sorted[NODES];
    (void)state;
    assert_int_equal(muster__memory_init(&memory, NULL), 0);
    muster__heap_init(&heap, &memory);
    for (uint32_t i = 0; i < NODES; i++) {
        assert_int_equal(muster__heap_reserve(&heap), 0);
        muster__heap_push(&heap, &nodes[i], random_below(50), i);
        sorted[i] = nodes[i];
    }
    qsort(sorted, NODES, sizeof(sorted[0]), by_key_and_tie);
    for (size_t i = 0; i < NODES; i++) {
        struct muster__heap_node *first = muster__heap_first(&heap);
        assert_int_equal(first->tie, sorted[i].tie);
        muster__heap_remove(&heap, first);
        assert_int_equal(first->place, 0);
    }
    assert_null(muster__heap_first(&heap));
    muster__heap_fini(&heap);
}

static void room_that_is_given_back_is_used_again(void **state)
{
    struct failing_memory failing = {0};
    struct muster__memory memory = failing_memory(&failing);
    struct muster__heap heap;
    (void)state;
    muster__heap_init(&heap, &memory);
    failing.countdown = 1;
    assert_int_equal(muster__heap_reserve(&heap), MUSTER_ENOMEM);
    assert_int_equal(muster__heap_reserve(&heap), 0);
    muster__heap_unreserve(&heap);
    failing.countdown = 1;
    assert_int_equal(muster__heap_reserve(&heap), 0);
    muster__heap_fini(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_smallest),
        cmocka_unit_test(taking_all_sorts),
        cmocka_unit_test(room_that_is_given_back_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

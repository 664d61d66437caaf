/* SPDX-License-Identifier: MIT */
/* The reconcile table over its whole domain, against a second, independent statement of the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../support/rules_oracle.h"

/* How many values each member of a situation has; the order is that of `situation_of()`. */
static const unsigned domain[] = {MUSTER__KEPTS, 2, MUSTER__ANSWERS, MUSTER__BOOTS, 4, 2, 2, 2, 2, 2};
#define MEMBERS (sizeof(domain) / sizeof(domain[0]))

static unsigned domain_size(void)
{
    unsigned size = 1;
    for (size_t i = 0; i < MEMBERS; i++)
        size *= domain[i];
    return size;
}

static struct muster__situation situation_of(unsigned number)
{
    unsigned digit[MEMBERS];
    for (size_t i = 0; i < MEMBERS; i++) {
        digit[i] = number % domain[i];
        number /= domain[i];
    }
    return (struct muster__situation){
        .kept = (enum muster__kept)digit[0],
        .desired_active = digit[1] != 0,
        .answer = (enum muster__answer)digit[2],
        .boot = (enum muster__boot)digit[3],
        .policy = (enum muster_policy)digit[4],
        .is_volatile = digit[5] != 0,
        .restart_on_loss = digit[6] != 0,
        .adopt_unmanaged = digit[7] != 0,
        .marked = digit[8] != 0,
        .attempts_remain = digit[9] != 0,
    };
}

static void print_situation(const struct muster__situation *s)
{
    print_error("kept %d desired %d answer %d boot %d policy %d volatile %d loss %d adopt %d mark %d attempts %d\n",
                s->kept, s->desired_active, s->answer, s->boot, s->policy, s->is_volatile, s->restart_on_loss,
                s->adopt_unmanaged, s->marked, s->attempts_remain);
}

static void print_decision(const char *who, const struct muster__decision *d)
{
    print_error("  %s: verdict %d rewrite %d reason %d cause %d unrecorded %d lost %d\n", who, d->verdict, d->rewrite,
                d->reason, d->cause, d->unrecorded, d->lost);
}

static void the_table_says_what_the_design_says(void **state)
{
    (void)state;
    unsigned differences = 0;
    for (unsigned i = 0; i < domain_size(); i++) {
        struct muster__situation situation = situation_of(i);
        struct muster__decision table = muster__decide(&situation);
        struct muster__decision prose = oracle_decide(&situation);
        if (oracle_same(&table, &prose))
            continue;
        if (++differences > 20)
            continue;
        print_situation(&situation);
        print_decision("table", &table);
        print_decision("prose", &prose);
    }
    assert_int_equal(differences, 0);
}

/* Three sentences of the design that hold over the whole table, whoever wrote it. */
static void what_lives_is_never_started_and_what_is_unknown_never_touched(void **state)
{
    (void)state;
    for (unsigned i = 0; i < domain_size(); i++) {
        struct muster__situation s = situation_of(i);
        struct muster__decision d = muster__decide(&s);
        bool starts = d.verdict == MUSTER__START_NOW || d.verdict == MUSTER__START_LATER;
        bool unsure = s.answer == MUSTER__ANSWER_UNAVAILABLE || s.answer == MUSTER__ANSWER_ERROR ||
                      s.boot == MUSTER__BOOT_UNKNOWN || s.kept == MUSTER__KEPT_QUARANTINED;
        assert_false(starts && s.answer == MUSTER__ANSWER_ACTIVE);
        assert_false(starts && unsure);
        assert_false(d.verdict == MUSTER__FINISH_STOP && s.kept != MUSTER__KEPT_STOPPING_USER);
    }
}

/* Once the mark of this boot is there, a restart of the daemon starts nothing by policy, whatever it is. */
static void in_the_same_boot_a_marked_resource_is_never_autostarted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < domain_size(); i++) {
        struct muster__situation s = situation_of(i);
        struct muster__decision d = muster__decide(&s);
        bool autostarts = (d.verdict == MUSTER__START_NOW || d.verdict == MUSTER__START_LATER) &&
                          d.cause == MUSTER_CAUSE_AUTOSTART;
        if (s.boot == MUSTER__BOOT_SAME && s.kept != MUSTER__KEPT_NONE && s.marked)
            assert_false(autostarts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_says_what_the_design_says),
        cmocka_unit_test(what_lives_is_never_started_and_what_is_unknown_never_touched),
        cmocka_unit_test(in_the_same_boot_a_marked_resource_is_never_autostarted),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What a resource depends on: waiting, degraded, never started, and why. */
#include "engine_fixture.h"

#include "engine/internal.h"

/* Pools, and guests that come after them. */
static struct fixture *host(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .needs = NAMES("pool"), USUAL);
    DRIVER(f, .name = "pool", USUAL);
    return f;
}

static void a_start_waits_for_what_it_needs(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "pool", .name = "disk", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART, .needs = NAMES("pool/disk"));
    answer(f, "pool/disk start", MUSTER_PENDING);
    struct ending *up = bring_up(f);
    assert_false(is_out(f, "guest/web start"));
    assert_state(f, "guest/web", "inactive, waiting");
    finish(f, "pool/disk start", MUSTER_OK);
    assert_state(f, "guest/web", "active");
    assert_ended(up, 0);
}

static void a_live_one_is_adopted_degraded_until_what_it_needs_recovers(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "active, degraded");
    assert_string_equal(why(f, "guest/web"), "guest 'web': degraded: needs pool/disk, which is inactive");
    assert_true(saw(f, "degraded guest/web"));
    assert_ended(start(f, "pool/disk", 0), 0);
    assert_state(f, "guest/web", "active");
    assert_string_equal(why(f, "guest/web"), "");
    assert_true(saw(f, "degraded guest/web"));
}

static void after_waits_for_the_end_whatever_it_is(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "pool", .name = "disk", .policy = MUSTER_AUTOSTART);
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART, .after = NAMES("pool/disk"));
    answer(f, "pool/disk start", MUSTER_PENDING);
    bring_up(f);
    assert_state(f, "guest/web", "inactive, waiting");
    finish(f, "pool/disk start", -5);
    assert_state(f, "guest/web", "active");
}

static void an_adoption_waits_until_what_it_needs_has_settled(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "pool/disk probe", MUSTER_PENDING);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
    bring_up(f);
    assert_state(f, "guest/web", "active, waiting");
    finish(f, "pool/disk probe", -5);
    assert_state(f, "guest/web", "active, degraded");
}

/* The live guest is adopted and degraded, for the reason `reason`; once stopped, it doesn't start again. */
static void assert_bad(struct fixture *f, const char *reason)
{
    assert_state(f, "guest/web", "active, degraded");
    assert_text(why(f, "guest/web"), reason);
    assert_ended(stop(f, "guest/web", 0), 0);
    struct ending *started = start(f, "guest/web", 0);
    assert_ended(started, MUSTER_EDEPENDENCY);
    assert_text(started->text, reason);
    assert_ended(start(f, "guest/web", MUSTER_START_DEPENDENCIES), MUSTER_EDEPENDENCY);
    assert_state(f, "guest/web", "inactive, degraded");
    assert_text(why(f, "guest/web"), reason);
}

static void live_guest(struct fixture *f, const char *const *needs)
{
    RESOURCE(f, "guest", .name = "web", .needs = needs);
    RECORD(f, "guest/web", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/web probe", MUSTER_ACTIVE);
}

static void a_resource_of_an_unknown_driver_is_a_bad_dependency(void **state)
{
    struct fixture *f = host(state);
    live_guest(f, NAMES("tape/drive"));
    assert_ended(bring_up(f), 0);
    assert_bad(f, "needs tape/drive, and there is no driver 'tape'");
}

static void an_unknown_resource_is_a_bad_dependency_until_it_comes(void **state)
{
    struct fixture *f = host(state);
    live_guest(f, NAMES("pool/disk"));
    assert_ended(bring_up(f), 0);
    assert_bad(f, "needs pool/disk, which does not exist");
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "disk"), 0);
    assert_ended(start(f, "pool/disk", 0), 0);
    assert_ended(start(f, "guest/web", 0), 0);
}

/* It isn't running, and nobody has asked for it: it says why it can't be started all the same. */
static void an_inactive_one_with_a_bad_dependency_says_so_until_it_comes(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, degraded");
    assert_string_equal(why(f, "guest/web"), "guest 'web': degraded: needs pool/disk, which does not exist");
    assert_true(saw(f, "degraded guest/web"));
    assert_int_equal(ADD_RESOURCE(f, "pool", .name = "disk"), 0);
    assert_state(f, "guest/web", "inactive");
    assert_string_equal(why(f, "guest/web"), "");
    const char *const tape[] = {"tape/drive", NULL};
    assert_int_equal(set_needs(f, "guest/web", tape, NULL), 0);
    assert_state(f, "guest/web", "inactive, degraded");
    assert_text(why(f, "guest/web"), "needs tape/drive, and there is no driver 'tape'");
}

static void a_driver_that_comes_later_is_a_bad_dependency(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", USUAL);
    DRIVER(f, .name = "pool", USUAL);
    RESOURCE(f, "pool", .name = "disk");
    live_guest(f, NAMES("pool/disk"));
    assert_ended(bring_up(f), 0);
    assert_bad(f, "driver 'guest' isn't ordered after driver 'pool'");
}

static void a_cycle_among_own_resources_is_a_bad_dependency(void **state)
{
    struct fixture *f = host(state);
    live_guest(f, NAMES("guest/db"));
    RESOURCE(f, "guest", .name = "db", .needs = NAMES("guest/cache"));
    RESOURCE(f, "guest", .name = "cache", .needs = NAMES("guest/web"));
    RESOURCE(f, "guest", .name = "user", .needs = NAMES("guest/web"));
    assert_ended(bring_up(f), 0);
    assert_bad(f, "needs guest/db, which in the end needs this one");
}

/* Two that run and need each other. */
static void assert_circle_of(struct fixture *f, const char *call)
{
    DRIVER(f, .name = "guest", .reconcile = called, .autostart = called, USUAL);
    f->outcomes[MUSTER_PHASE_PROBE] = MUSTER_ACTIVE;
    answer(f, call, MUSTER_PENDING);
    struct ending *up = bring_up(f);
    OP_ADDS(f, call, .name = "web", .flags = MUSTER_ADOPT_UNMANAGED, .needs = NAMES("guest/db"));
    OP_ADDS(f, call, .name = "db", .flags = MUSTER_ADOPT_UNMANAGED, .needs = NAMES("guest/web"));
    finish(f, call, MUSTER_OK);
    assert_ended(up, 0);
    assert_state(f, "guest/web", "active, degraded");
    assert_text(why(f, "guest/web"), "needs guest/db, which in the end needs this one");
    assert_state(f, "guest/db", "active, degraded");
}

static void a_cycle_that_reconcile_adds_is_a_bad_dependency(void **state)
{
    assert_circle_of(*state, "guest reconcile");
}

static void a_cycle_that_autostart_adds_is_a_bad_dependency(void **state)
{
    assert_circle_of(*state, "guest autostart");
}

static void a_cycle_that_a_late_restore_closes_is_a_bad_dependency(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .restore = called, USUAL);
    live_guest(f, NAMES("guest/db"));
    RECORD(f, "guest/db", .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
    answer(f, "guest/db restore", MUSTER_PENDING);
    answer(f, "guest/db probe", MUSTER_ACTIVE);
    struct ending *up = bring_up(f);
    pass(f, 1000);
    assert_ended(up, 0);
    OP_ADDS(f, "guest/db restore", .name = "db", .needs = NAMES("guest/web"));
    finish(f, "guest/db restore", MUSTER_OK);
    assert_state(f, "guest/db", "active, degraded");
    assert_text(why(f, "guest/web"), "in the end needs this one");
}

/* Two circles that share what they go through: which edge is looked at last doesn't matter. */
static void every_edge_of_circles_that_meet_is_bad(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "db", .needs = NAMES("guest/proxy"));
    RESOURCE(f, "guest", .name = "cache", .needs = NAMES("guest/db"));
    RESOURCE(f, "guest", .name = "web", .policy = MUSTER_AUTOSTART, .after = NAMES("guest/cache"));
    RESOURCE(f, "guest", .name = "proxy", .needs = NAMES("guest/cache", "guest/web"));
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "inactive, waiting");
    assert_text(why(f, "guest/web"), "needs guest/cache, which in the end needs this one");
}

/* web, db and cache run, and each needs the next. */
static struct fixture *live_circle(void **state)
{
    struct fixture *f = host(state);
    static const char *const names[] = {"guest/web", "guest/db", "guest/cache"};
    static const char *const live[] = {"guest/web probe", "guest/db probe", "guest/cache probe"};
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("guest/db"));
    RESOURCE(f, "guest", .name = "db", .needs = NAMES("guest/cache"));
    RESOURCE(f, "guest", .name = "cache", .needs = NAMES("guest/web"));
    for (size_t i = 0; i < 3; i++) {
        RECORD(f, names[i], .desired = MUSTER_DESIRED_ACTIVE, .stage = MUSTER_STAGE_ACTIVE);
        answer(f, live[i], MUSTER_ACTIVE);
    }
    assert_ended(bring_up(f), 0);
    for (size_t i = 0; i < 3; i++)
        assert_state(f, names[i], "active, degraded");
    return f;
}

static void all_on_a_circle_recover_when_it_is_opened(void **state)
{
    struct fixture *f = live_circle(state);
    assert_int_equal(set_needs(f, "guest/web", NULL, NULL), 0);
    assert_state(f, "guest/web", "active");
    assert_state(f, "guest/db", "active");
    assert_state(f, "guest/cache", "active");
}

static void a_circle_is_opened_by_the_removal_of_one_on_it(void **state)
{
    struct fixture *f = live_circle(state);
    assert_int_equal(remove_resource(f, "guest/cache"), 0);
    assert_state(f, "guest/web", "active");
    assert_state(f, "guest/db", "active, degraded");
    assert_text(why(f, "guest/db"), "needs guest/cache, which does not exist");
}

static void what_needs_itself_is_a_cycle(void **state)
{
    struct fixture *f = host(state);
    live_guest(f, NAMES("guest/web"));
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "active, degraded");
    assert_text(why(f, "guest/web"), "in the end needs this one");
}

static void two_ways_to_one_end_are_no_cycle(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "top", .needs = NAMES("guest/left", "guest/right"));
    RESOURCE(f, "guest", .name = "left", .needs = NAMES("guest/bottom"));
    RESOURCE(f, "guest", .name = "right", .needs = NAMES("guest/bottom"));
    RESOURCE(f, "guest", .name = "bottom");
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/top", MUSTER_START_DEPENDENCIES), 0);
    assert_text(f->calls, "guest/bottom start");
    assert_state(f, "guest/left", "active");
    assert_state(f, "guest/top", "active");
}

static void the_resource_of_a_failed_driver_says_why(void **state)
{
    struct fixture *f = *state;
    DRIVER(f, .name = "guest", .wants = NAMES("pool"), USUAL);
    DRIVER(f, .name = "pool", USUAL);
    live_guest(f, NAMES("pool/disk"));
    answer(f, "pool initialize", -5);
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "active, degraded");
    assert_text(why(f, "guest/web"), "needs pool/disk: driver 'pool': initialize: Input/output error");
}

static void set_needs_replaces_what_was_declared(void **state)
{
    struct fixture *f = host(state);
    live_guest(f, NAMES("pool/gone"));
    RESOURCE(f, "pool", .name = "disk");
    assert_ended(bring_up(f), 0);
    assert_state(f, "guest/web", "active, degraded");
    assert_int_equal(set_needs(f, "guest/web", NULL, NULL), 0);
    assert_state(f, "guest/web", "active");
    assert_int_equal(set_needs(f, "guest/web", NAMES("pool/disk"), NAMES("pool/other")), 0);
    assert_state(f, "guest/web", "active, degraded");
    assert_ended(stop(f, "pool/disk", 0), MUSTER_EDEPENDENCY);
}

static void set_needs_refuses_what_is_no_name_and_changes_nothing(void **state)
{
    static const char *const bad[] = {"disk", "/disk", "pool/", "pool/a\n"};
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    assert_ended(bring_up(f), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(set_needs(f, "guest/web", NAMES(bad[i]), NULL), MUSTER_EINVAL);
        assert_int_equal(set_needs(f, "guest/web", NULL, NAMES(bad[i])), MUSTER_EINVAL);
    }
    assert_text(muster_error_text(muster__engine_error(f->engine)), "it takes driver/name");
    assert_ended(start(f, "guest/web", 0), MUSTER_EDEPENDENCY);
}

static void set_needs_may_close_and_open_a_cycle(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("guest/db"));
    RESOURCE(f, "guest", .name = "db");
    assert_ended(bring_up(f), 0);
    assert_int_equal(set_needs(f, "guest/db", NAMES("guest/web"), NULL), 0);
    struct ending *closed = start(f, "guest/web", MUSTER_START_DEPENDENCIES);
    assert_ended(closed, MUSTER_EDEPENDENCY);
    assert_text(closed->text, "in the end needs this one");
    assert_int_equal(set_needs(f, "guest/db", NULL, NULL), 0);
    assert_ended(start(f, "guest/web", MUSTER_START_DEPENDENCIES), 0);
}

static void set_needs_out_of_memory_leaves_the_circle(void **state)
{
    static const char *const names[] = {"guest/web", "guest/db", "guest/cache"};
    struct fixture *f = live_circle(state);
    size_t refused = 0;
    while (f->failing.countdown = refused + 1, set_needs(f, "guest/web", NAMES("guest/new"), NULL) == MUSTER_ENOMEM) {
        refused++;
        for (size_t i = 0; i < 3; i++)
            assert_true(find(f, names[i])->edge_count == 1 && find(f, names[i])->edges[0].cyclic);
    }
    f->failing.countdown = 0;
    assert_true(refused > 2);
    assert_false(find(f, "guest/db")->edges[0].cyclic);
}

/* Else it would take ever longer to add to a driver that has many. */
static void what_is_new_looks_only_at_what_it_leads_to(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "guest", .name = "other", .needs = NAMES("guest/db"));
    RESOURCE(f, "guest", .name = "db", .needs = NAMES("guest/web"));
    assert_ended(bring_up(f), 0);
    const struct muster_resource *other = find(f, "guest/other");
    struct muster_resource before = *other;
    assert_int_equal(ADD_RESOURCE(f, "guest", .name = "cache"), 0);
    assert_int_equal(ADD_RESOURCE(f, "guest", .name = "web", .needs = NAMES("guest/cache")), 0);
    assert_int_equal(set_needs(f, "guest/db", NAMES("guest/cache"), NULL), 0);
    assert_int_equal(other->walk, before.walk);
    assert_int_equal(other->mark, before.mark);
}

#define RANDOM_RESOURCES 7

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* An edge that is marked isn't what a search in all of the driver's resources finds. */
static size_t count_wrong(struct muster_driver *driver)
{
    bool marked[RANDOM_RESOURCES][2];
    struct muster__list *head = &driver->rest->roster->resources;
    size_t place = 0, wrong = 0;
    for (struct muster__list *link = head->next; link != head; link = link->next, place++)
        for (size_t i = 0; i < muster__resource_of_link(link)->edge_count; i++)
            marked[place][i] = muster__resource_of_link(link)->edges[i].cyclic;
    assert_int_equal(muster__edges_check(driver), 0);
    place = 0;
    for (struct muster__list *link = head->next; link != head; link = link->next, place++)
        for (size_t i = 0; i < muster__resource_of_link(link)->edge_count; i++)
            wrong += marked[place][i] != muster__resource_of_link(link)->edges[i].cyclic;
    return wrong;
}

static void circles_are_found_whatever_comes_and_goes(void **state)
{
    static const char *const paths[RANDOM_RESOURCES] = {"guest/a", "guest/b", "guest/c", "guest/d",
                                                        "guest/e", "guest/f", "guest/g"};
    struct fixture *f = host(state);
    unsigned seed = 1;
    size_t circles = 0;
    assert_ended(bring_up(f), 0);
    for (int round = 0; round < 3000; round++) {
        size_t at = next_random(&seed) % RANDOM_RESOURCES;
        const char *one = paths[next_random(&seed) % RANDOM_RESOURCES];
        const char *other = paths[next_random(&seed) % RANDOM_RESOURCES];
        const struct muster_resource *there = muster__engine_find_resource(f->engine, paths[at]);
        if (there == NULL)
            assert_int_equal(ADD_RESOURCE(f, "guest", .name = paths[at] + 6, .needs = NAMES(one), .after = NAMES(other)), 0);
        else if (next_random(&seed) % 2 == 0)
            assert_int_equal(remove_resource(f, paths[at]), 0);
        else
            assert_int_equal(set_needs(f, paths[at], NAMES(one), next_random(&seed) % 2 == 0 ? NAMES(other) : NULL), 0);
        there = muster__engine_find_resource(f->engine, paths[at]);
        circles += there != NULL && there->edges[0].cyclic;
        assert_int_equal(count_wrong(find_driver(f, "guest")), 0);
        f->calls[0] = f->commits[0] = f->seen[0] = '\0';
    }
    assert_true(circles > 100);
}

static void what_is_removed_degrades_its_dependents(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/disk"));
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "guest/web", MUSTER_START_DEPENDENCIES), 0);
    assert_int_equal(remove_resource(f, "pool/disk"), 0);
    assert_state(f, "guest/web", "active, degraded");
    assert_int_equal(stored(f, "pool/disk")->stage, MUSTER_STAGE_ACTIVE); /* kept: it may run */
}

static int note_name(const char *name, int is_need, void *data)
{
    strcat(data, is_need ? "needs " : "after ");
    strcat(data, name);
    strcat(data, ";");
    return strcmp(name, "pool/b") == 0 ? 7 : 0;
}

static void dependencies_are_listed_until_the_callback_has_enough(void **state)
{
    struct fixture *f = host(state);
    char list[200] = "";
    RESOURCE(f, "guest", .name = "web", .needs = NAMES("pool/a"), .after = NAMES("pool/b", "pool/c"));
    assert_ended(bring_up(f), 0);
    assert_int_equal(muster_resource_foreach_dependency(find(f, "guest/web"), note_name, list), 7);
    assert_string_equal(list, "needs pool/a;after pool/b;");
}

static void what_comes_after_something_does_not_keep_it_from_being_stopped(void **state)
{
    struct fixture *f = host(state);
    RESOURCE(f, "pool", .name = "disk");
    RESOURCE(f, "guest", .name = "web", .after = NAMES("pool/disk"));
    assert_ended(bring_up(f), 0);
    assert_ended(start(f, "pool/disk", 0), 0);
    assert_ended(start(f, "guest/web", 0), 0);
    assert_ended(stop(f, "pool/disk", 0), 0);
    assert_state(f, "guest/web", "active");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        engine_test(a_start_waits_for_what_it_needs),
        engine_test(a_live_one_is_adopted_degraded_until_what_it_needs_recovers),
        engine_test(after_waits_for_the_end_whatever_it_is),
        engine_test(an_adoption_waits_until_what_it_needs_has_settled),
        engine_test(a_resource_of_an_unknown_driver_is_a_bad_dependency),
        engine_test(an_unknown_resource_is_a_bad_dependency_until_it_comes),
        engine_test(an_inactive_one_with_a_bad_dependency_says_so_until_it_comes),
        engine_test(a_driver_that_comes_later_is_a_bad_dependency),
        engine_test(a_cycle_among_own_resources_is_a_bad_dependency),
        engine_test(a_cycle_that_reconcile_adds_is_a_bad_dependency),
        engine_test(a_cycle_that_autostart_adds_is_a_bad_dependency),
        engine_test(a_cycle_that_a_late_restore_closes_is_a_bad_dependency),
        engine_test(every_edge_of_circles_that_meet_is_bad),
        engine_test(all_on_a_circle_recover_when_it_is_opened),
        engine_test(a_circle_is_opened_by_the_removal_of_one_on_it),
        engine_test(what_needs_itself_is_a_cycle),
        engine_test(two_ways_to_one_end_are_no_cycle),
        engine_test(the_resource_of_a_failed_driver_says_why),
        engine_test(set_needs_replaces_what_was_declared),
        engine_test(set_needs_refuses_what_is_no_name_and_changes_nothing),
        engine_test(set_needs_may_close_and_open_a_cycle),
        engine_test(set_needs_out_of_memory_leaves_the_circle),
        engine_test(what_is_new_looks_only_at_what_it_leads_to),
        engine_test(circles_are_found_whatever_comes_and_goes),
        engine_test(what_is_removed_degrades_its_dependents),
        engine_test(dependencies_are_listed_until_the_callback_has_enough),
        engine_test(what_comes_after_something_does_not_keep_it_from_being_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

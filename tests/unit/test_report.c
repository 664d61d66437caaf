/* SPDX-License-Identifier: MIT */
/* Reports made by hand: who waited for whom; and what becomes of one where memory is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/name.h"
#include "report/report.h"
#include "support/failing_memory.h"

static struct muster__memory plain(void)
{
    struct muster__memory memory;
    assert_int_equal(muster__memory_init(&memory, NULL), 0);
    return memory;
}

static uint32_t add_driver(struct muster_report *report, const char *name, int64_t tier)
{
    return muster__report_add_subject(
        report, &(struct muster_report_subject){.driver = name, .state = MUSTER_DRIVER_UP}, tier);
}

static uint32_t add_resource(struct muster_report *report, const char *driver, const char *name)
{
    return muster__report_add_subject(
        report, &(struct muster_report_subject){.driver = driver, .resource = name, .stage = MUSTER_STAGE_ACTIVE}, 0);
}

static void add_need(struct muster_report *report, uint32_t subject, uint32_t need)
{
    muster__report_set_needs(report, subject, &need, 1);
}

static void add_op(struct muster_report *report, uint32_t subject, enum muster_phase phase, uint64_t begin, uint64_t end)
{
    bool late = phase == MUSTER_PHASE_START || phase == MUSTER_PHASE_AUTOSTART;
    muster__report_add_op(report, &(struct muster_report_op){.subject = subject,
                                                             .phase = phase,
                                                             .cause = late ? MUSTER_CAUSE_AUTOSTART : MUSTER_CAUSE_RESTORE,
                                                             .begin_ms = begin,
                                                             .end_ms = end});
}

static struct muster_report *new_report(const struct muster__memory *memory)
{
    struct muster_report *report = NULL;
    assert_int_equal(muster__report_new(memory, &report), 0);
    return report;
}

/* A driver without an op of its own passes on what it waited for. */
static void a_driver_without_callbacks_passes_on(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    uint32_t first = add_driver(report, "first", 0), empty = add_driver(report, "empty", 0), last = add_driver(report, "last", 0);
    add_need(report, empty, first);
    add_need(report, last, empty);
    add_op(report, first, MUSTER_PHASE_INITIALIZE, 0, 50);
    add_op(report, last, MUSTER_PHASE_INITIALIZE, 50, 60);
    assert_int_equal(muster__report_finish(report), 0);
    const struct muster_report_op *op = muster_report_get_op(report, 1);
    assert_int_equal(op->after, 0);
    assert_int_equal(op->wait, MUSTER_REPORT_WAIT_DEPENDENCY);
    assert_int_equal(op->ready_ms, 50);
    assert_int_equal(op->wanted_ms, 0);
    assert_true((op->flags & MUSTER_REPORT_CRITICAL) != 0);
    muster_report_free(report);
}

static void a_higher_tier_waits_for_the_lower(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    uint32_t low = add_driver(report, "low", 0), high = add_driver(report, "high", 1);
    uint32_t disk = add_resource(report, "low", "disk");
    add_op(report, low, MUSTER_PHASE_INITIALIZE, 0, 10);
    add_op(report, disk, MUSTER_PHASE_PROBE, 10, 90);
    add_op(report, high, MUSTER_PHASE_INITIALIZE, 90, 95);
    assert_int_equal(muster__report_finish(report), 0);
    assert_int_equal(muster_report_get_op(report, 2)->after, 1);
    assert_int_equal(muster_report_get_op(report, 1)->after, 0);
    muster_report_free(report);
}

/* Of two that it needs, the one that was last. */
static void the_last_dependency_counts(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    uint32_t pool = add_driver(report, "pool", 0), guest = add_driver(report, "guest", 0);
    add_need(report, guest, pool);
    uint32_t fast = add_resource(report, "pool", "fast"), slow = add_resource(report, "pool", "slow");
    uint32_t web = add_resource(report, "guest", "web");
    muster__report_set_needs(report, web, (const uint32_t[]){slow, fast}, 2);
    add_op(report, pool, MUSTER_PHASE_INITIALIZE, 0, 1);
    add_op(report, guest, MUSTER_PHASE_INITIALIZE, 1, 2);
    add_op(report, web, MUSTER_PHASE_PROBE, 2, 3);
    add_op(report, fast, MUSTER_PHASE_START, 3, 20);
    add_op(report, slow, MUSTER_PHASE_START, 3, 400);
    add_op(report, web, MUSTER_PHASE_START, 400, 410);
    assert_int_equal(muster__report_finish(report), 0);
    const struct muster_report_op *op = muster_report_get_op(report, 5);
    assert_int_equal(op->after, 4);
    assert_int_equal(op->wait, MUSTER_REPORT_WAIT_DEPENDENCY);
    assert_int_equal(op->begin_ms - op->wanted_ms, 397);
    muster_report_free(report);
}

/* A worker called the one that was asked for first after the other. */
static void ops_stand_in_the_order_of_their_calls(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    uint32_t slow = add_driver(report, "slow", 0), quick = add_driver(report, "quick", 0), last = add_driver(report, "last", 0);
    muster__report_set_needs(report, last, (const uint32_t[]){slow, quick}, 2);
    add_op(report, slow, MUSTER_PHASE_INITIALIZE, 20, 50);
    add_op(report, quick, MUSTER_PHASE_INITIALIZE, 5, 10);
    add_op(report, last, MUSTER_PHASE_INITIALIZE, 50, 60);
    assert_int_equal(muster__report_finish(report), 0);
    assert_int_equal(muster_report_get_op(report, 0)->subject, quick);
    assert_int_equal(muster_report_get_op(report, 1)->subject, slow);
    assert_int_equal(muster_report_get_op(report, 2)->after, 1);
    muster_report_free(report);
}

static void ops_in_falling_order_are_turned_round(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    uint32_t driver = add_driver(report, "driver", 0), next = add_driver(report, "next", 0);
    add_need(report, next, driver);
    for (uint64_t i = 0; i < 100; i++)
        add_op(report, driver, MUSTER_PHASE_INITIALIZE, 99 - i, 99 - i);
    add_op(report, next, MUSTER_PHASE_INITIALIZE, 50, 60);
    assert_int_equal(muster__report_finish(report), 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(muster_report_get_op(report, i > 50 ? i + 1 : i)->begin_ms, i);
    assert_int_equal(muster_report_get_op(report, 51)->subject, next);
    assert_int_equal(muster_report_get_op(report, 51)->after, 50);
    muster_report_free(report);
}

struct text {
    char *bytes;
    size_t used;
};

static int take(void *data, const char *bytes, size_t count)
{
    struct text *text = data;
    char *grown = realloc(text->bytes, text->used + count + 1);
    assert_non_null(grown);
    memcpy(grown + text->used, bytes, count);
    grown[text->used + count] = '\0';
    *text = (struct text){.bytes = grown, .used = text->used + count};
    return 0;
}

/* The caller frees it. */
static struct text written(const struct muster_report *report, enum muster_report_format format)
{
    struct text text = {.bytes = NULL};
    struct muster_report_options options;
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = format;
    options.other = report;
    assert_int_equal(muster_report_write(report, &options, take, &text), 0);
    return text;
}

/* Of so many drivers, each of which failed for the one before it, its code the less the further out. */
static struct muster_error *new_chain(const struct muster__memory *memory, int count)
{
    struct muster_error *error = NULL;
    for (int i = 1; i <= count; i++) {
        struct muster_error *outer = muster__error_new(memory, -i, NULL, "driver %d", i);
        outer->cause = error;
        error = outer;
    }
    return error;
}

static void assert_longest_chain(const struct muster_error *error)
{
    int length = 0;
    for (; error->cause != NULL; error = error->cause)
        assert_int_equal(error->code, -100 + length++);
    assert_int_equal(length, MUSTER__REPORT_CAUSES - 1);
    assert_int_equal(error->code, -1);
    assert_string_equal(error->text, "driver 1");
}

/* The outermost ones, and the innermost, which says what was wrong. */
static void a_long_chain_of_errors_comes_back_from_json(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory), *read = NULL;
    struct muster_error *chain = new_chain(&memory, 100);
    const struct muster_report_subject is = {.driver = "last", .error = muster__report_error(report, chain)};
    char message[200] = "";
    muster__error_unref(chain);
    muster__report_add_subject(report, &is, 0);
    assert_int_equal(muster__report_finish(report), 0);
    assert_longest_chain(muster_report_get_subject(report, 0)->error);
    struct text json = written(report, MUSTER_REPORT_JSON);
    assert_int_equal(muster_report_read(json.bytes, json.used, &read, message, sizeof(message)), 0);
    assert_string_equal(message, "");
    assert_longest_chain(muster_report_get_subject(read, 0)->error);
    free(json.bytes);
    muster_report_free(read);
    muster_report_free(report);
}

/* Inactive, and its condition `condition`, with an error of that code unless it is 0. */
static uint32_t add_trouble(struct muster_report *report, const struct muster__memory *memory, const char *name,
                            enum muster_condition condition, int code)
{
    struct muster_error *error = code == 0 ? NULL : muster__error_new(memory, code, NULL, "the error of %s", name);
    const struct muster_report_subject is = {
        .driver = "guest", .resource = name, .condition = condition, .error = muster__report_error(report, error)};
    muster__error_unref(error);
    return muster__report_add_subject(report, &is, 0);
}

/* app needs web, and web and db need each other: what is said of `name`, or of all. */
static void assert_circle(enum muster_condition condition, int code, enum muster_report_format format, const char *name,
                          const char *said)
{
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    add_driver(report, "guest", 0);
    uint32_t web = add_trouble(report, &memory, "web", condition, code);
    uint32_t db = add_trouble(report, &memory, "db", condition, code);
    uint32_t app = add_trouble(report, &memory, "app", MUSTER_CONDITION_WAITING, code == 0 ? 0 : MUSTER_EDEPENDENCY);
    for (const char *other = "abcd"; *other != '\0'; other++)
        add_resource(report, "guest", other);
    add_need(report, web, db);
    add_need(report, db, web);
    add_need(report, app, web);
    assert_int_equal(muster__report_finish(report), 0);
    struct muster_report_options options;
    struct text text = {.bytes = NULL};
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = format;
    options.name = name;
    assert_int_equal(muster_report_write(report, &options, take, &text), 0);
    assert_string_equal(text.bytes, said);
    free(text.bytes);
    muster_report_free(report);
}

static void each_of_a_cycle_is_to_blame(void **state)
{
    (void)state;
    assert_circle(MUSTER_CONDITION_WAITING, MUSTER_ECYCLE, MUSTER_REPORT_WHY, "guest/web",
                  "guest/web was not started.\n"
                  "It says: the error of web.\n"
                  "What to do: take one of the needs out, so that nothing waits for itself.\n");
    assert_circle(MUSTER_CONDITION_WAITING, MUSTER_ECYCLE, MUSTER_REPORT_WHY, "guest/app",
                  "guest/app was not started.\n"
                  "It depends on guest/web and can't go on without it.\n"
                  "guest/web was not started.\n"
                  "It says: the error of web.\n"
                  "What to do: take one of the needs out, so that nothing waits for itself.\n");
    assert_circle(MUSTER_CONDITION_WAITING, MUSTER_ECYCLE, MUSTER_REPORT_CHAIN, NULL,
                  "When it began is after the \"@\", how long it took after the \"+\".\n"
                  "\n\nBeside it:\n"
                  "guest/web not started: the error of web\n"
                  "guest/db not started: the error of db\n");
}

/* It would be held with what it needs, too. */
static void what_is_held_is_to_blame_itself(void **state)
{
    (void)state;
    assert_circle(MUSTER_CONDITION_HELD, MUSTER_EUNKNOWN, MUSTER_REPORT_WHY, "guest/web",
                  "guest/web is held: its state isn't known, and nothing is started.\n"
                  "It says: the error of web.\n"
                  "What to do: see why its driver can't tell; once it can, retry it.\n");
}

/* While a bring-up is under way, nobody has been told yet that it is one. */
static void a_circle_is_gone_through_once(void **state)
{
    (void)state;
    assert_circle(MUSTER_CONDITION_WAITING, 0, MUSTER_REPORT_WHY, "guest/app",
                  "guest/app waits.\n"
                  "It depends on guest/web and waits for it.\n"
                  "guest/web waits.\n"
                  "It depends on guest/db and waits for it.\n"
                  "guest/db waits.\n"
                  "It depends on guest/web and waits for it.\n");
    assert_circle(MUSTER_CONDITION_WAITING, 0, MUSTER_REPORT_CHAIN, "guest/app",
                  "When it began is after the \"@\", how long it took after the \"+\".\n\n"
                  "guest/app waiting\n"
                  "└─guest/web waiting\n"
                  "  └─guest/db waiting\n");
}

/* A driver of 100 bytes and a resource of 254, of which each character has two. */
static struct muster_report *with_long_names(const struct muster__memory *memory)
{
    struct muster_report *report = new_report(memory);
    char driver[101] = "", resource[255] = "";
    memset(driver, 'd', sizeof(driver) - 1);
    for (size_t i = 0; i + 2 < sizeof(resource); i += 2)
        memcpy(resource + i, "\xc3\xa9", 3);
    add_driver(report, driver, 0);
    struct muster_error *error = muster__error_new(memory, MUSTER_EFAILED, NULL, "%s '%s': no such disk", driver, resource);
    muster__report_add_subject(report,
                               &(struct muster_report_subject){.driver = driver,
                                                               .resource = resource,
                                                               .condition = MUSTER_CONDITION_FAILED,
                                                               .error = error},
                               0);
    add_op(report, 0, MUSTER_PHASE_INITIALIZE, 0, 1);
    add_op(report, 1, MUSTER_PHASE_PROBE, 1, 2);
    muster__report_add_op(report, &(struct muster_report_op){.subject = 1,
                                                             .phase = MUSTER_PHASE_START,
                                                             .cause = MUSTER_CAUSE_AUTOSTART,
                                                             .begin_ms = 50,
                                                             .end_ms = 60,
                                                             .outcome = MUSTER_EFAILED,
                                                             .error = muster__report_error(report, error)});
    report->summary.end_ms = 60;
    assert_int_equal(muster__report_finish(report), 0);
    return report;
}

static void a_picture_cuts_no_character(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = with_long_names(&memory);
    struct text picture = written(report, MUSTER_REPORT_SVG);
    assert_true(muster__utf8_valid(picture.bytes, picture.used));
    assert_non_null(strstr(picture.bytes, "\"failed\",\"no such disk\","));
    free(picture.bytes);
    muster_report_free(report);
}

/* U+FFFE and U+FFFF are valid UTF-8, and no XML. */
static void a_picture_has_only_what_xml_may_have(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    struct muster_error *error =
        muster__error_new(&memory, MUSTER_EFAILED, NULL, "a\xef\xbf\xbe" "b\xef\xbf\xbf" "c\xef\xbf\xbd");
    add_driver(report, "x\xef\xbf\xbf", 0);
    muster__report_add_subject(report,
                               &(struct muster_report_subject){.driver = "x\xef\xbf\xbf",
                                                               .resource = "r",
                                                               .condition = MUSTER_CONDITION_FAILED,
                                                               .error = error},
                               0);
    add_op(report, 0, MUSTER_PHASE_INITIALIZE, 0, 1);
    muster__report_add_op(report, &(struct muster_report_op){.subject = 1,
                                                             .phase = MUSTER_PHASE_START,
                                                             .cause = MUSTER_CAUSE_AUTOSTART,
                                                             .begin_ms = 5,
                                                             .end_ms = 10,
                                                             .outcome = MUSTER_EFAILED,
                                                             .error = muster__report_error(report, error)});
    report->summary.end_ms = 10;
    assert_int_equal(muster__report_finish(report), 0);
    struct text picture = written(report, MUSTER_REPORT_SVG);
    assert_null(strstr(picture.bytes, "\xef\xbf\xbe"));
    assert_null(strstr(picture.bytes, "\xef\xbf\xbf"));
    assert_non_null(strstr(picture.bytes, "x\xef\xbf\xbd"));
    assert_non_null(strstr(picture.bytes, "a\\ufffeb\\uffffc\xef\xbf\xbd"));
    free(picture.bytes);
    muster_report_free(report);
}

/* The error names the resource, and so does what the op waited for. */
static void a_line_has_all_of_long_names(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = with_long_names(&memory);
    struct text text = written(report, MUSTER_REPORT_TEXT);
    char end[600];
    const struct muster_report_op *op = muster_report_get_op(report, 2);
    assert_int_not_equal(op->after, MUSTER_REPORT_NONE);
    snprintf(end, sizeof(end), "no such disk; waited for its turn, after %s\n", muster_report_get_subject(report, 1)->name);
    assert_true(muster__utf8_valid(text.bytes, text.used));
    assert_non_null(strstr(text.bytes, end));
    free(text.bytes);
    muster_report_free(report);
}

/* A report that was made after 4 ms, of an op and a commit that are out; a commit before that has ended, NULL: none. */
static int read_all(int op_begin, const char *end_of_one_before, int commit_begin, char message[200])
{
    char json[600];
    char before[80] = "";
    struct muster_report *report = NULL;
    if (end_of_one_before != NULL)
        snprintf(before, sizeof(before), "{\"begin\":1,\"end\":%s,\"records\":1,\"code\":0},", end_of_one_before);
    int bytes = snprintf(json, sizeof(json),
                         "{\"muster-report\":1,\"kind\":\"bring-up\",\"code\":0,\"wall_ms\":0,\"end\":null,\"now\":4,\"lost\":0,"
                         "\"subjects\":[{\"driver\":\"pool\",\"tier\":0,\"state\":\"initializing\",\"needs\":[]}],"
                         "\"ops\":[{\"of\":\"pool\",\"phase\":\"initialize\",\"cause\":\"user\",\"begin\":%d,\"end\":null,"
                         "\"outcome\":0}],\"commits\":[%s{\"begin\":%d,\"end\":null,\"records\":1,\"code\":0}]}",
                         op_begin, before, commit_begin);
    int code = muster_report_read(json, (size_t)bytes, &report, message, 200);
    muster_report_free(report);
    return code;
}

static int read_with(int op_begin, int commit_begin, char message[200])
{
    return read_all(op_begin, NULL, commit_begin, message);
}

static void commits_come_one_after_the_other(void **state)
{
    (void)state;
    char message[200] = "";
    assert_int_equal(read_all(4, "3", 3, message), 0);
    assert_string_equal(message, "");
    assert_int_equal(read_all(4, "3", 2, message), MUSTER_EINVAL);
    assert_string_equal(message, "a commit begins before the end of the one before it");
    assert_int_equal(read_all(4, "null", 4, message), MUSTER_EINVAL);
}

static void what_begins_after_the_report_is_refused(void **state)
{
    (void)state;
    char message[200] = "";
    assert_int_equal(read_with(4, 4, message), 0);
    assert_string_equal(message, "");
    assert_int_equal(read_with(5, 4, message), MUSTER_EINVAL);
    assert_string_equal(message, "an op of 'pool' ends before it begins");
    assert_int_equal(read_with(4, 5, message), MUSTER_EINVAL);
    assert_string_equal(message, "a commit ends before it begins");
}

/* By their names, not by whatever sorting does with them. */
static void those_that_changed_alike_come_by_name(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *before = new_report(&memory), *after = new_report(&memory);
    static const char *const names[] = {"mail", "web", "disk", "pool"};
    struct muster_report_options options;
    struct text text = {.bytes = NULL};
    for (size_t i = 0; i < 4; i++)
        add_driver(before, names[i], 0);
    assert_int_equal(muster__report_finish(before), 0);
    assert_int_equal(muster__report_finish(after), 0);
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = MUSTER_REPORT_DIFF;
    options.other = after;
    assert_int_equal(muster_report_write(before, &options, take, &text), 0);
    const char *last = text.bytes;
    static const char *const sorted[] = {"  disk (gone)\n", "  mail (gone)\n", "  pool (gone)\n", "  web (gone)\n"};
    for (size_t i = 0; i < 4; i++) {
        last = strstr(last, sorted[i]);
        assert_non_null(last);
    }
    free(text.bytes);
    muster_report_free(before);
    muster_report_free(after);
}

static void no_report_has_nothing(void **state)
{
    (void)state;
    assert_null(muster_report_get_summary(NULL));
    assert_null(muster_report_get_subject(NULL, 0));
    assert_null(muster_report_get_op(NULL, 0));
    assert_null(muster_report_get_commit(NULL, 0));
}

static int count(void *data, const char *text, size_t bytes)
{
    (void)text;
    *(size_t *)data += bytes;
    return 0;
}

static int stop_at_once(void *data, const char *text, size_t bytes)
{
    (void)data;
    (void)text;
    (void)bytes;
    return -7;
}

static void what_the_callback_says_is_returned(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    add_driver(report, "pool", 0);
    assert_int_equal(muster__report_finish(report), 0);
    assert_int_equal(muster_report_write(report, NULL, stop_at_once, NULL), -7);
    muster_report_free(report);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    struct muster__memory memory = plain();
    struct muster_report *report = new_report(&memory);
    struct muster_report_options options;
    size_t bytes = 0;
    MUSTER_REPORT_OPTIONS_INIT(&options);
    add_driver(report, "pool", 0);
    assert_int_equal(muster__report_finish(report), 0);
    options.format = MUSTER_REPORT_WHY;
    assert_int_equal(muster_report_write(report, &options, count, &bytes), MUSTER_EINVAL);
    options.name = "nobody";
    assert_int_equal(muster_report_write(report, &options, count, &bytes), MUSTER_ENOENT);
    options.format = MUSTER_REPORT_DIFF;
    assert_int_equal(muster_report_write(report, &options, count, &bytes), MUSTER_EINVAL);
    struct muster_report *of_another_kind = new_report(&memory);
    of_another_kind->summary.kind = MUSTER_REPORT_SHUTDOWN;
    options.other = of_another_kind;
    assert_int_equal(muster_report_write(report, &options, count, &bytes), MUSTER_EINVAL);
    muster_report_free(of_another_kind);
    options.format = MUSTER_REPORT_DIFF + 1;
    assert_int_equal(muster_report_write(report, &options, count, &bytes), MUSTER_EINVAL);
    options.format = MUSTER_REPORT_TEXT;
    options.flags = 2;
    assert_int_equal(muster_report_write(report, &options, count, &bytes), MUSTER_EINVAL);
    assert_int_equal(bytes, 0);
    muster_report_free(report);
}

/* 0, or MUSTER_ENOMEM of whatever was short. */
static int make_and_write(const struct muster__memory *memory)
{
    struct muster_report *report;
    struct muster_error *error = muster__error_new(memory, MUSTER_EFAILED, NULL, "made to fail");
    size_t bytes = 0;
    int code = muster__report_new(memory, &report);
    if (code != 0) {
        muster__error_unref(error);
        return code;
    }
    add_driver(report, "pool", 0);
    uint32_t disk = muster__report_add_subject(report,
                                               &(struct muster_report_subject){.driver = "pool",
                                                                               .resource = "disk",
                                                                               .condition = MUSTER_CONDITION_FAILED,
                                                                               .error = muster__report_error(report, error)},
                                               0);
    if (disk != MUSTER__NO_SUBJECT) {
        add_need(report, disk, 0);
        add_op(report, disk, MUSTER_PHASE_PROBE, 1, 5);
        add_op(report, 0, MUSTER_PHASE_INITIALIZE, 0, 1); /* called before it: they are sorted */
    }
    muster__report_add_commit(report, &(struct muster_report_commit){.end_ms = 1, .records = 1});
    code = muster__report_finish(report);
    struct muster_report_options options = {.size = sizeof(options)};
    for (; code == 0 && options.format <= MUSTER_REPORT_CHAIN; options.format++)
        code = muster_report_write(report, &options, count, &bytes);
    muster_report_free(report);
    muster__error_unref(error);
    return code;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        struct failing_memory failing = {.countdown = n};
        struct muster__memory memory = failing_memory(&failing);
        int code = make_and_write(&memory);
        assert_int_equal(failing.live, 0);
        if (!failing.fired) {
            assert_int_equal(code, 0);
            break;
        }
        assert_true(code == MUSTER_ENOMEM || code == 0); /* an error's text may stand in */
        failures += code != 0;
    }
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_driver_without_callbacks_passes_on), cmocka_unit_test(a_higher_tier_waits_for_the_lower),
        cmocka_unit_test(the_last_dependency_counts),           cmocka_unit_test(ops_stand_in_the_order_of_their_calls),
        cmocka_unit_test(ops_in_falling_order_are_turned_round), cmocka_unit_test(what_the_callback_says_is_returned),
        cmocka_unit_test(wrong_options_are_refused),            cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(a_picture_cuts_no_character),          cmocka_unit_test(a_line_has_all_of_long_names),
        cmocka_unit_test(those_that_changed_alike_come_by_name), cmocka_unit_test(no_report_has_nothing),
        cmocka_unit_test(each_of_a_cycle_is_to_blame),          cmocka_unit_test(what_is_held_is_to_blame_itself),
        cmocka_unit_test(a_circle_is_gone_through_once),        cmocka_unit_test(a_picture_has_only_what_xml_may_have),
    };
    /* Without jansson nothing is read. */
    const struct CMUnitTest reading_tests[] = {
        cmocka_unit_test(a_long_chain_of_errors_comes_back_from_json),
        cmocka_unit_test(what_begins_after_the_report_is_refused),
        cmocka_unit_test(commits_come_one_after_the_other),
    };
    char message[200];
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + (read_with(4, 4, message) == MUSTER_ENOTSUP ? 0 : cmocka_run_group_tests(reading_tests, NULL, NULL));
}

/* SPDX-License-Identifier: MIT */
/* The conformance kit catches stores that are wrong: the example's store, each time with one thing broken. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing_custom_store.h"

#include "base/error.h"
#include "store/conformance.h"
#include "store/store.h"

/* ---- a store around a sound one ------------------------------------------------------------------ */

struct broken;

/* What is wrong. NULL: nothing. */
struct defect {
    const char *name;
    /* The check that must find it. */
    const char *check;
    /* On its way to the sound store a record, a copy, may be changed. False: it is dropped. */
    bool (*keep)(struct broken *broken, struct muster_record *record);
    int (*open)(struct broken *broken, int code, struct muster_error *error);
    int (*load)(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error);
    int (*commit)(struct broken *broken, const struct muster_record *const *records, size_t count, struct muster_error *error);
    int (*verify)(struct broken *broken, struct muster_error *error);
    int (*compact)(struct broken *broken, struct muster_error *error);
    int (*close)(struct broken *broken, int code, struct muster_error *error);
    bool wipes_on_close;
    bool wipes_unused;
};

struct place {
    const struct defect *defect;
    char directory[64];
    char path[80];
    pid_t owner;
    unsigned failed;
    char text[512];
};

struct broken {
    const struct defect *defect;
    struct place *place;
    struct muster_store *inner;
    bool opened;
    /* For defects that remember something. */
    unsigned calls;
    uint64_t newest[256];
    const struct muster_record *const *late;
    struct muster_record late_record;
    char text[1024 * 1024 + 2];
};

static int inner_commit(struct broken *broken, const struct muster_record *const *records, size_t count,
                        struct muster_error *error)
{
    return broken->inner->ops.commit(broken->inner->self, records, count, error);
}

static int inner_load(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    return broken->inner->ops.load(broken->inner->self, cb, data, error);
}

static int broken_open(void *self, struct muster_error *error)
{
    struct broken *broken = self;
    int code = broken->inner->ops.open(broken->inner->self, error);
    if (broken->defect->open)
        code = broken->defect->open(broken, code, error);
    broken->opened = code == 0;
    return code;
}

static int broken_load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct broken *broken = self;
    return broken->defect->load ? broken->defect->load(broken, cb, data, error) : inner_load(broken, cb, data, error);
}

static int commit_kept(struct broken *broken, const struct muster_record *const *records, size_t count,
                       struct muster_error *error)
{
    struct muster_record *copies = calloc(count, sizeof(*copies));
    const struct muster_record **pointers = calloc(count, sizeof(*pointers));
    size_t kept = 0;
    assert_true(copies != NULL && pointers != NULL);
    for (size_t i = 0; i < count; i++) {
        copies[kept] = *records[i];
        pointers[kept] = &copies[kept];
        kept += broken->defect->keep(broken, &copies[kept]);
    }
    int code = kept == 0 ? 0 : inner_commit(broken, pointers, kept, error);
    free(pointers);
    free(copies);
    return code;
}

static int broken_commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct broken *broken = self;
    if (broken->defect->commit)
        return broken->defect->commit(broken, records, count, error);
    return broken->defect->keep ? commit_kept(broken, records, count, error) : inner_commit(broken, records, count, error);
}

static int broken_close(void *self, struct muster_error *error)
{
    struct broken *broken = self;
    int code = broken->inner->ops.close(broken->inner->self, error);
    if (broken->defect->wipes_on_close)
        unlink(broken->place->path);
    return broken->defect->close ? broken->defect->close(broken, code, error) : code;
}

static int broken_verify(void *self, struct muster_error *error)
{
    struct broken *broken = self;
    return broken->defect->verify ? broken->defect->verify(broken, error) : 0;
}

static int broken_compact(void *self, struct muster_error *error)
{
    struct broken *broken = self;
    return broken->defect->compact ? broken->defect->compact(broken, error) : 0;
}

static void broken_destroy(void *self)
{
    struct broken *broken = self;
    muster_store_free(broken->inner);
    if (broken->defect->wipes_unused && !broken->opened)
        unlink(broken->place->path);
    free(broken);
}

static int make(void *data, struct muster_store **ret_store)
{
    const struct muster_store_ops ops = {
        .size = sizeof(ops),
        .name = "broken",
        .destroy = broken_destroy,
        .open = broken_open,
        .load = broken_load,
        .commit = broken_commit,
        .close = broken_close,
        .verify = broken_verify,
        .compact = broken_compact,
    };
    struct place *place = data;
    struct broken *broken = calloc(1, sizeof(*broken));
    assert_non_null(broken);
    broken->defect = place->defect;
    broken->place = place;
    assert_int_equal(file_store_new(place->path, &broken->inner), 0);
    return muster_store_new(&ops, broken, ret_store);
}

/* ---- defects of records -------------------------------------------------------------------------- */

static bool drops_removals(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    return (record->flags & MUSTER_RECORD_REMOVED) == 0;
}

static bool forgets_extra(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->extra = NULL;
    return true;
}

/* A changed copy of the text; it lives until the next. */
static char *copy_of(struct broken *broken, const char *text, size_t most)
{
    snprintf(broken->text, sizeof(broken->text), "%.*s", (int)most, text);
    return broken->text;
}

static bool truncates_handles(struct broken *broken, struct muster_record *record)
{
    if (record->handle != NULL && strlen(record->handle) > 65535)
        record->handle = copy_of(broken, record->handle, 65535);
    return true;
}

static bool has_no_null(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->handle = record->handle == NULL ? "" : record->handle;
    return true;
}

static bool has_no_empty_text(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->token = record->token != NULL && record->token[0] == '\0' ? NULL : record->token;
    return true;
}

static bool forgets_marks(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->flags &= ~(uintptr_t)MUSTER_RECORD_MARK;
    return true;
}

static bool forgets_quarantine(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->flags &= ~(uintptr_t)MUSTER_RECORD_QUARANTINED;
    return true;
}

static bool has_32_bits(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->generation &= UINT32_MAX;
    return true;
}

static bool has_doubles(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    if (record->attempts == ((uint64_t)1 << 53) + 1)
        record->attempts--;
    return true;
}

static bool knows_four_stages(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->stage &= 3;
    return true;
}

static bool has_one_kind(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    record->kind = 0;
    return true;
}

static bool drops_unknown_kinds(struct broken *broken, struct muster_record *record)
{
    (void)broken;
    return record->kind <= MUSTER_RECORD_HISTORY;
}

static bool joins_keys(struct broken *broken, struct muster_record *record)
{
    snprintf(broken->text, sizeof(broken->text), "%s%s", record->driver, record->name);
    record->driver = "x";
    record->name = broken->text;
    return true;
}

static bool lowers_names(struct broken *broken, struct muster_record *record)
{
    char *name = copy_of(broken, record->name, sizeof(broken->text) - 1);
    record->name = name;
    for (; *name != '\0'; name++)
        *name = (char)((unsigned char)*name < 0x80 ? tolower(*name) : *name);
    return true;
}

static bool trims_names(struct broken *broken, struct muster_record *record)
{
    char *name = copy_of(broken, record->name, sizeof(broken->text) - 1);
    for (size_t end = strlen(name); end > 1 && name[end - 1] == ' '; end--)
        name[end - 1] = '\0';
    record->name = name;
    return true;
}

static bool cuts_names(struct broken *broken, struct muster_record *record)
{
    record->name = strlen(record->name) == 255 ? copy_of(broken, record->name, 254) : record->name;
    return true;
}

static bool has_three_byte_utf8(struct broken *broken, struct muster_record *record)
{
    char *name = copy_of(broken, record->name, sizeof(broken->text) - 1);
    record->name = name;
    for (; *name != '\0'; name++)
        *name = (unsigned char)*name >= 0xf0 ? '?' : *name;
    return true;
}

static bool has_one_line(struct broken *broken, struct muster_record *record)
{
    if (record->handle == NULL || strchr(record->handle, '\n') == NULL)
        return true;
    char *handle = copy_of(broken, record->handle, sizeof(broken->text) - 1);
    *strchr(handle, '\n') = ' ';
    record->handle = handle;
    return true;
}

static int note_key(void *data, const struct muster_record *record)
{
    struct muster_record *wanted = data;
    return record->kind == wanted->kind && strcmp(record->name, wanted->name) == 0 ? 1 : 0;
}

static bool never_overwrites(struct broken *broken, struct muster_record *record)
{
    struct muster_error error = {0};
    return (record->flags & MUSTER_RECORD_REMOVED) != 0 || inner_load(broken, note_key, record, &error) == 0;
}

/* As one that sorts what it writes by generation, rather than by when it came. */
static bool reorders(struct broken *broken, struct muster_record *record)
{
    uint64_t *newest = &broken->newest[(unsigned char)record->name[0]];
    if (record->generation < *newest)
        return false;
    *newest = record->generation;
    return true;
}

/* ---- defects of commit --------------------------------------------------------------------------- */

static int one_by_one(struct broken *broken, const struct muster_record *const *records, size_t count,
                      struct muster_error *error)
{
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = inner_commit(broken, &records[i], 1, error);
    return code;
}

static int at_most_64(struct broken *broken, const struct muster_record *const *records, size_t count,
                      struct muster_error *error)
{
    return inner_commit(broken, records, count < 64 ? count : 64, error);
}

static int takes_anything(struct broken *broken, const struct muster_record *const *records, size_t count,
                          struct muster_error *error)
{
    int code = inner_commit(broken, records, count, error);
    return code == MUSTER_EINVAL ? 0 : code;
}

static int fails_without_text(struct broken *broken, const struct muster_record *const *records, size_t count,
                              struct muster_error *error)
{
    int code = inner_commit(broken, records, count, error);
    muster__error_init(error);
    return code;
}

static int fails_with_eio(struct broken *broken, const struct muster_record *const *records, size_t count,
                          struct muster_error *error)
{
    int code = inner_commit(broken, records, count, error);
    return code == 0 ? 0 : muster_error_set(error, MUSTER_EIO, 0, "it didn't work");
}

static int refuses_after_it_wrote(struct broken *broken, const struct muster_record *const *records, size_t count,
                                  struct muster_error *error)
{
    size_t fit = 0;
    while (fit < count && records[fit]->handle != NULL && (unsigned char)records[fit]->handle[0] < 0x80)
        fit++;
    int code = fit == 0 ? 0 : inner_commit(broken, records, fit, error);
    return fit == count ? code : muster_error_set(error, MUSTER_EINVAL, 0, "it isn't UTF-8");
}

/* It holds on to what it was given. */
static int keeps_pointers(struct broken *broken, const struct muster_record *const *records, size_t count,
                          struct muster_error *error)
{
    int code = inner_commit(broken, records, count, error);
    broken->late_record = *records[count - 1];
    broken->late = records;
    return code;
}

static int load_late(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    const struct muster_record *late = &broken->late_record;
    int code = broken->late == NULL ? 0 : inner_commit(broken, &late, 1, error);
    broken->late = NULL;
    return code != 0 ? code : inner_load(broken, cb, data, error);
}

/* As one that hasn't written when it acknowledges: what dies with its process is lost. */
static int writes_later(struct broken *broken, const struct muster_record *const *records, size_t count,
                        struct muster_error *error)
{
    return getpid() == broken->place->owner ? inner_commit(broken, records, count, error) : 0;
}

/* ---- defects of load ----------------------------------------------------------------------------- */

struct passing {
    muster_load_cb cb;
    void *data;
    unsigned count;
    int code;
};

static int pass_twice(void *data, const struct muster_record *record)
{
    struct passing *passing = data;
    int code = passing->cb(passing->data, record);
    return code != 0 ? code : passing->cb(passing->data, record);
}

static int loads_twice(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct passing passing = {cb, data, 0, 0};
    return inner_load(broken, pass_twice, &passing, error);
}

static int pass_100(void *data, const struct muster_record *record)
{
    struct passing *passing = data;
    return passing->count++ < 100 ? passing->cb(passing->data, record) : 0;
}

static int loads_100(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct passing passing = {cb, data, 0, 0};
    return inner_load(broken, pass_100, &passing, error);
}

static int pass_all(void *data, const struct muster_record *record)
{
    struct passing *passing = data;
    int code = passing->cb(passing->data, record);
    passing->code = passing->code != 0 ? passing->code : code;
    return 0;
}

static int ignores_the_end(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct passing passing = {cb, data, 0, 0};
    return inner_load(broken, pass_all, &passing, error);
}

static int goes_on(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct passing passing = {cb, data, 0, 0};
    int code = inner_load(broken, pass_all, &passing, error);
    return code != 0 ? code : passing.code;
}

static int loads_a_few_times(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    return broken->calls++ < 2 ? inner_load(broken, cb, data, error) : 0;
}

/* ---- defects of the place ------------------------------------------------------------------------ */

static int has_no_lock(struct broken *broken, int code, struct muster_error *error)
{
    (void)broken;
    (void)error;
    return code == MUSTER_EBUSY ? 0 : code;
}

static int is_busy_with_eio(struct broken *broken, int code, struct muster_error *error)
{
    (void)broken;
    return code == MUSTER_EBUSY ? muster_error_set(error, MUSTER_EIO, 0, "it is locked") : code;
}

static int is_busy_without_text(struct broken *broken, int code, struct muster_error *error)
{
    (void)broken;
    muster__error_init(error);
    return code;
}

static int locks_in_its_process(struct broken *broken, int code, struct muster_error *error)
{
    (void)error;
    return code == MUSTER_EBUSY && getpid() != broken->place->owner ? 0 : code;
}

static int complains(struct broken *broken, struct muster_error *error)
{
    (void)broken;
    return muster_error_set(error, MUSTER_ECORRUPT, 0, "something is wrong");
}

static int writes(struct broken *broken, struct muster_error *error)
{
    struct muster_record record = muster__kit_record("stray", 1);
    const struct muster_record *pointer = &record;
    return inner_commit(broken, &pointer, 1, error);
}

static int loses(struct broken *broken, struct muster_error *error)
{
    (void)error;
    return truncate(broken->place->path, 0);
}

/* ---- defects that show when something fails ------------------------------------------------------- */

static int leaves_nothing_behind(struct broken *broken, int code, struct muster_error *error)
{
    (void)error;
    if (code != 0)
        unlink(broken->place->path);
    return code;
}

static int says_busy(struct broken *broken, int code, struct muster_error *error)
{
    (void)broken;
    return code == 0 ? 0 : muster_error_set(error, MUSTER_EBUSY, 0, "it could not be opened");
}

static int loads_what_it_can(struct broken *broken, muster_load_cb cb, void *data, struct muster_error *error)
{
    int code = inner_load(broken, cb, data, error);
    return code == MUSTER_EIO || code == MUSTER_ENOMEM ? 0 : code;
}

static int is_always_sure(struct broken *broken, const struct muster_record *const *records, size_t count,
                          struct muster_error *error)
{
    int code = inner_commit(broken, records, count, error);
    return code == MUSTER_EINDETERMINATE ? (error->code = MUSTER_EIO) : code;
}

static int acknowledges_all(struct broken *broken, const struct muster_record *const *records, size_t count,
                            struct muster_error *error)
{
    int code = inner_commit(broken, records, count, error);
    return code == MUSTER_ENOMEM ? 0 : code;
}

static int fails_for_ever(struct broken *broken, const struct muster_record *const *records, size_t count,
                          struct muster_error *error)
{
    int code = broken->calls != 0 ? muster_error_set(error, MUSTER_EIO, 0, "it failed once")
                                  : inner_commit(broken, records, count, error);
    broken->calls = code == MUSTER_EIO;
    return code;
}

static int keeps_the_lock(struct broken *broken, int code, struct muster_error *error)
{
    (void)error;
    if (code == 0)
        return 0;
    int fd = open(broken->place->path, O_RDWR | O_CLOEXEC);
    flock(fd, LOCK_EX | LOCK_NB);
    return code;
}

/* Without its own failures there would be nothing to see. */
static int may_fail(void)
{
    return call_fails(EIO) ? -1 : 0;
}

static int verify_writes_when_it_fails(struct broken *broken, struct muster_error *error)
{
    if (may_fail() == 0)
        return 0;
    writes(broken, error);
    return muster_error_set(error, MUSTER_EIO, EIO, "read");
}

static int compact_loses_when_it_fails(struct broken *broken, struct muster_error *error)
{
    if (may_fail() == 0)
        return 0;
    loses(broken, error);
    return muster_error_set(error, MUSTER_EIO, EIO, "write");
}

/* ---- the test ------------------------------------------------------------------------------------ */

static const struct defect defects[] = {
    {.name = "drops removals", .check = "remove", .keep = drops_removals},
    {.name = "forgets extra", .check = "extra", .keep = forgets_extra},
    {.name = "truncates handles", .check = "long handles", .keep = truncates_handles},
    {.name = "has no NULL", .check = "least record", .keep = has_no_null},
    {.name = "has no empty text", .check = "least record", .keep = has_no_empty_text},
    {.name = "forgets marks", .check = "flags", .keep = forgets_marks},
    {.name = "forgets quarantine", .check = "quarantined", .keep = forgets_quarantine},
    {.name = "has numbers of 32 bits", .check = "numbers", .keep = has_32_bits},
    {.name = "has doubles for numbers", .check = "numbers", .keep = has_doubles},
    {.name = "knows four stages", .check = "numbers", .keep = knows_four_stages},
    {.name = "has one kind", .check = "keys", .keep = has_one_kind},
    {.name = "joins driver and name", .check = "keys", .keep = joins_keys},
    {.name = "drops unknown kinds", .check = "unknown kinds", .keep = drops_unknown_kinds},
    {.name = "lowers names", .check = "names", .keep = lowers_names},
    {.name = "trims names", .check = "names", .keep = trims_names},
    {.name = "cuts names at 254 bytes", .check = "names", .keep = cuts_names},
    {.name = "has UTF-8 of three bytes", .check = "names", .keep = has_three_byte_utf8},
    {.name = "has handles of one line", .check = "texts", .keep = has_one_line},
    {.name = "never overwrites", .check = "overwrite", .keep = never_overwrites},
    {.name = "reorders commits", .check = "order", .keep = reorders},
    {.name = "applies a part of a batch", .check = "refused batch", .commit = one_by_one},
    {.name = "takes 64 records of a batch", .check = "many records", .commit = at_most_64},
    {.name = "takes anything", .check = "refused batch", .commit = takes_anything},
    {.name = "fails without a text", .check = "refused batch", .commit = fails_without_text},
    {.name = "fails with another code", .check = "refused batch", .commit = fails_with_eio},
    {.name = "refuses after it wrote", .check = "unfit records", .commit = refuses_after_it_wrote},
    {.name = "keeps pointers", .check = "copies", .commit = keeps_pointers, .load = load_late},
    {.name = "writes later", .check = "killed", .commit = writes_later},
    {.name = "loads a record twice", .check = "one record", .load = loads_twice},
    {.name = "loads 100 records", .check = "many records", .load = loads_100},
    {.name = "ignores the end of a load", .check = "load ended", .load = ignores_the_end},
    {.name = "goes on after the end of a load", .check = "load ended", .load = goes_on},
    {.name = "loads a few times", .check = "load again", .load = loads_a_few_times},
    {.name = "has no lock", .check = "two opens", .open = has_no_lock},
    {.name = "is busy with EIO", .check = "two opens", .open = is_busy_with_eio},
    {.name = "is busy without a text", .check = "two opens", .open = is_busy_without_text},
    {.name = "locks in its process alone", .check = "two processes", .open = locks_in_its_process},
    {.name = "forgets on close", .check = "reopen", .wipes_on_close = true},
    {.name = "wipes when it is unused", .check = "unused", .wipes_unused = true},
    {.name = "complains of what is sound", .check = "verify", .verify = complains},
    {.name = "writes in verify", .check = "verify", .verify = writes},
    {.name = "loses in compact", .check = "compact", .compact = loses},
    {.name = "forgets when it can't be opened", .check = "failing open", .open = leaves_nothing_behind},
    {.name = "says busy when it can't be opened", .check = "failing open", .open = says_busy},
    {.name = "loads what it can", .check = "failing load", .load = loads_what_it_can},
    {.name = "is always sure", .check = "failing commit", .commit = is_always_sure},
    {.name = "acknowledges what it had no memory for", .check = "failing commit", .commit = acknowledges_all},
    {.name = "fails for ever", .check = "failing commit", .commit = fails_for_ever},
    {.name = "keeps the lock when close fails", .check = "failing close", .close = keeps_the_lock},
    {.name = "writes in a verify that fails", .check = "failing verify", .verify = verify_writes_when_it_fails},
    {.name = "loses in a compact that fails", .check = "failing compact", .compact = compact_loses_when_it_fails},
};

static int fault(void *data, uint64_t count)
{
    (void)data;
    return fail_call(count);
}

static void report(void *data, const char *check, int code, const char *text)
{
    struct place *place = data;
    if (code == 0 || code == MUSTER_ESKIPPED)
        return;
    place->failed++;
    snprintf(place->text, sizeof(place->text), "%s: %s", check, text);
}

static int run_kit(struct place *place, const struct defect *defect, const char *only)
{
    struct muster_testing_store_def def;
    char command[96];
    MUSTER_TESTING_STORE_DEF_INIT(&def);
    def.make = make;
    def.report = report;
    def.data = place;
    def.fault = fault;
    *place = (struct place){.defect = defect, .owner = getpid()};
    snprintf(place->directory, sizeof(place->directory), "%s/muster-broken-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof(place->path), "%s/store", place->directory);
    int code = muster__testing_store(&def, only);
    snprintf(command, sizeof(command), "rm -rf '%s'", place->directory);
    assert_int_equal(system(command), 0);
    return code;
}

static void each_defect_is_caught(void **state)
{
    (void)state;
    size_t missed = 0;
    for (size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
        struct place place;
        int code = run_kit(&place, &defects[i], defects[i].check);
        bool caught = code != 0 && place.failed == 1 && place.text[0] != '\0';
        print_message("    %s: %s\n", defects[i].name, caught ? place.text : "MISSED");
        missed += !caught;
    }
    assert_int_equal(missed, 0);
}

static void every_check_catches_something(void **state)
{
    static const struct muster__kit_check *const parts[] = {
        muster__kit_record_checks,
        muster__kit_call_checks,
        muster__kit_place_checks,
        muster__kit_fault_checks,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (const struct muster__kit_check *check = parts[i]; check->name != NULL; check++) {
            /* What is there before the first check; and the batch that the others are made of. */
            bool caught = strcmp(check->name, "empty") == 0 || strcmp(check->name, "whole batch") == 0;
            for (size_t j = 0; j < sizeof(defects) / sizeof(defects[0]) && !caught; j++)
                caught = strcmp(check->name, defects[j].check) == 0;
            if (!caught)
                fail_msg("no defect for the check '%s'", check->name);
        }
}

static void without_a_defect_all_is_well(void **state)
{
    static const struct defect none = {0};
    struct place place;
    (void)state;
    int code = run_kit(&place, &none, NULL);
    if (code != 0)
        fail_msg("%s", place.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_defect_is_caught),
        cmocka_unit_test(every_check_catches_something),
        cmocka_unit_test(without_a_defect_all_is_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

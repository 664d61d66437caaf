/* SPDX-License-Identifier: MIT */
/* The sqlite store on what may stand where its database belongs: other files, other databases, and its own, damaged. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostile.h"

#define NOBODY 65534
#define RECORDS 40

static void run_sql(const char *sql)
{
    sqlite3 *db;
    char *text = NULL;
    hostile_expect(sqlite3_open(hostile_path("records"), &db) == SQLITE_OK, "it can't be opened");
    hostile_expect(sqlite3_exec(db, sql, NULL, NULL, &text) == SQLITE_OK, "%s", text == NULL ? "" : text);
    sqlite3_close(db);
}

/* ---- a good one */

/* No record of it is larger than a page. */
static bool small;

static void commit(struct muster_store *store, unsigned number, uint64_t generation)
{
    static char handle[10000];
    char name[16];
    struct muster_record record;
    const struct muster_record *records = &record;
    MUSTER_RECORD_INIT(&record);
    snprintf(name, sizeof(name), "r%u", number);
    memset(handle, 'h', sizeof(handle));
    handle[number % 5 == 0 && !small ? 9999 : (small ? 300 : 0) + 30 * (number % 7)] = '\0';
    record.driver = "guest";
    record.name = name;
    record.flags = generation == 0 ? MUSTER_RECORD_REMOVED : 0;
    record.desired = MUSTER_DESIRED_ACTIVE;
    record.attempts = number * 70000;
    record.generation = generation;
    record.handle = number % 3 == 0 ? NULL : handle;
    record.format = MUSTER_RECORD_FORMAT;
    hostile_expect(muster_store_commit(store, &records, 1) == 0, "commit: %s",
                   muster_error_text(muster_store_get_error(store)));
}

/* Of many pages, some of which are free again; with guest/good. */
static void make_state(struct hostile_result *ret_result)
{
    hostile_clean();
    hostile_must(mkdir(hostile_directory(), 0700));
    struct muster_store *store = hostile_store();
    hostile_expect(muster_store_open(store, 0) == 0, "%s", muster_error_text(muster_store_get_error(store)));
    for (unsigned i = 0; i < RECORDS; i++)
        commit(store, i, 300 * (i + 1));
    for (unsigned i = 0; i < RECORDS; i += 8)
        commit(store, i, 0);
    hostile_expect(hostile_commit(store, "good", 1) == 0, "there is no state to begin with");
    hostile_load(store, ret_result);
    hostile_expect(muster_store_close(store) == 0, "close fails");
    muster_store_free(store);
}

static void opens_as_ever(const struct hostile_result *before)
{
    struct hostile_result result;
    hostile_open(&result);
    hostile_expect(result.code == 0 && result.lost == 0, "%d: %s", result.code, result.text);
    hostile_keep(hostile_same(before, &result), "the records are others");
    hostile_goes_on(&result);
}

/* ---- in its place */

static void in_its_place(void)
{
    struct hostile_result before;
    for (size_t i = 0; i < HOSTILE_STRANGERS; i++) {
        hostile_file("the database is %s", hostile_strangers[i].what);
        make_state(&before);
        hostile_must(rename(hostile_path("records"), hostile_path("kept")));
        hostile_strangers[i].make(hostile_path("records"));
        hostile_refused(MUSTER_EINVAL, "/records isn't a regular file");
        hostile_must(remove(hostile_path("records")));
        hostile_must(rename(hostile_path("kept"), hostile_path("records")));
        opens_as_ever(&before);
        hostile_file("the lock is %s", hostile_strangers[i].what);
        make_state(&before);
        hostile_must(remove(hostile_path("records-lock")));
        hostile_strangers[i].make(hostile_path("records-lock"));
        hostile_refused(MUSTER_EINVAL, "/records-lock isn't a file of this user");
        hostile_must(remove(hostile_path("records-lock")));
        opens_as_ever(&before);
    }
}

/* sqlite's own files beside it: whatever it says of them, the database is as it was when they are gone. */
static void beside_it(void)
{
    static const char *const files[] = {"records-wal", "records-shm"};
    struct hostile_result before, result;
    for (size_t i = 0; i < 2 * HOSTILE_STRANGERS; i++) {
        make_state(&before);
        hostile_file("%s is %s", files[i % 2], hostile_strangers[i / 2].what);
        hostile_strangers[i / 2].make(hostile_path(files[i % 2]));
        hostile_open(&result);
        hostile_expect(result.code == 0 || result.code == MUSTER_EIO || result.code == MUSTER_ENOTSUP, "%d: %s", result.code,
                       result.text);
        hostile_keep(result.code != 0 || hostile_same(&before, &result), "the records are others");
        hostile_expect(remove(hostile_path(files[i % 2])) == 0 || errno == ENOENT, "it can't be removed");
        opens_as_ever(&before);
    }
}

static void links_and_modes(void)
{
    struct hostile_result before;
    make_state(&before);
    hostile_file("a hard link of the database");
    hostile_must(link(hostile_path("records"), hostile_path("other")));
    hostile_refused(MUSTER_EINVAL, "more than one link");
    hostile_must(unlink(hostile_path("other")));
    static const mode_t modes[] = {0622, 0660, 0606, 0777};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        hostile_file("the database has mode %04o", modes[i]);
        hostile_must(chmod(hostile_path("records"), modes[i]));
        hostile_refused(MUSTER_EINVAL, "chmod 0600");
    }
    hostile_must(chmod(hostile_path("records"), 0600));
    opens_as_ever(&before);
}

static void users(void)
{
    struct hostile_result before;
    if (geteuid() != 0)
        hostile_skip("SKIPPED: only root can try the files of other users");
    make_state(&before);
    hostile_file("the database belongs to somebody else");
    hostile_must(chown(hostile_path("records"), NOBODY, NOBODY));
    hostile_refused(MUSTER_EINVAL, "belongs to user");
    hostile_must(chown(hostile_path("records"), 0, 0));
    hostile_file("the lock belongs to somebody else");
    hostile_must(chown(hostile_path("records-lock"), NOBODY, NOBODY));
    hostile_refused(MUSTER_EINVAL, "isn't a file of this user");
    hostile_must(chmod(hostile_top(), 0711));
    hostile_must(chown(hostile_directory(), NOBODY, NOBODY));
    hostile_must(chown(hostile_path("records"), NOBODY, NOBODY));
    hostile_must(setgid(NOBODY));
    hostile_must(setuid(NOBODY));
    static const char *const files[] = {"records", "records-lock"};
    for (size_t i = 0; i < 2; i++) {
        hostile_file("no permission for %s", files[i]);
        hostile_must(chmod(hostile_path(files[i]), 0));
        hostile_refused(MUSTER_EIO, "/records");
        hostile_must(chmod(hostile_path(files[i]), 0600));
    }
    hostile_file("the database can't be written");
    hostile_must(chmod(hostile_path("records"), 0400));
    hostile_refused(MUSTER_EIO, "/records");
    hostile_must(chmod(hostile_path("records"), 0600));
    opens_as_ever(&before);
}

/* ---- other content */

static void other_files(void)
{
    struct hostile_result result, none = {0};
    char garbage[20000];
    hostile_file("garbage");
    memset(garbage, 'x', sizeof(garbage));
    hostile_clean();
    hostile_put("records", garbage, sizeof(garbage));
    hostile_refused(MUSTER_ECORRUPT, "/records");
    hostile_file("the beginning of a database, and garbage");
    memcpy(garbage, "SQLite format 3", 16);
    hostile_put("records", garbage, sizeof(garbage));
    hostile_refused(MUSTER_ECORRUPT, "/records");
    hostile_file("NULs");
    memset(garbage, 0, sizeof(garbage));
    hostile_put("records", garbage, sizeof(garbage));
    hostile_refused(MUSTER_ECORRUPT, "/records");
    hostile_file("an empty file");
    hostile_clean();
    hostile_put("records", "", 0);
    hostile_open(&result);
    hostile_expect(result.code == 0 && result.lost == 0 && hostile_same(&none, &result), "%d: %s", result.code, result.text);
    hostile_goes_on(&result);
}

static void refused_database(int code, const char *text, const char *sql)
{
    hostile_file("%s", sql);
    hostile_clean();
    hostile_must(mkdir(hostile_directory(), 0700));
    hostile_put("records", "", 0);
    run_sql(sql);
    hostile_refused(code, text);
}

#define OURS "PRAGMA application_id = 1836282994; PRAGMA user_version = 1;"

static void other_databases(void)
{
    struct hostile_result before;
    refused_database(MUSTER_EINVAL, "another program's", "CREATE TABLE t (x)");
    refused_database(MUSTER_EINVAL, "another program's", "CREATE TABLE records (kind, driver, name)");
    refused_database(MUSTER_EINVAL, "another program's", "PRAGMA application_id = 7");
    refused_database(MUSTER_EINVAL, "another program's", "PRAGMA user_version = 1");
    refused_database(MUSTER_EINVAL, "another program's", "PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    refused_database(MUSTER_ECORRUPT, "no such table: records", OURS);
    refused_database(MUSTER_ECORRUPT, "has no column named", OURS "CREATE TABLE records (kind, driver, name)");
    refused_database(MUSTER_ECORRUPT, "records", OURS "CREATE VIEW records AS SELECT 1 AS kind");
    static const struct {
        int version, code;
        const char *text;
    } versions[] = {{2, MUSTER_ENOTSUP, "format 2"}, {2147483647, MUSTER_ENOTSUP, "format 2147483647"},
                    {0, MUSTER_ECORRUPT, "format 0"}, {-1, MUSTER_ECORRUPT, "format -1"}};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        char sql[64];
        hostile_file("user_version is %d", versions[i].version);
        make_state(&before);
        snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", versions[i].version);
        run_sql(sql);
        hostile_refused(versions[i].code, versions[i].text);
        run_sql("PRAGMA user_version = 1");
        opens_as_ever(&before);
    }
}

/* ---- rows that no muster wrote; guest/good stays as it is */

static void check_row(const char *sql, size_t quarantined, const char *text)
{
    struct hostile_result before, result;
    size_t count = 0;
    make_state(&before);
    hostile_file("%s", sql);
    run_sql("PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'records'");
    run_sql(sql);
    hostile_open(&result);
    hostile_expect(result.code == 0 && result.lost == MUSTER_ECORRUPT && strstr(result.text, text) != NULL, "%d: %s",
                   result.code, result.text);
    for (size_t i = 0; i < result.count; i++)
        count += result.records[i].quarantined;
    hostile_expect(count == quarantined, "%zu records are quarantined", count);
    for (size_t i = 0; i < before.count; i++) {
        const struct hostile_record *found = hostile_find(&result, before.records[i].name);
        if (strcmp(before.records[i].name, "r1") != 0)
            hostile_keep(found != NULL && found->hash == before.records[i].hash, "%s is another", before.records[i].name);
        else
            hostile_keep(found == NULL || found->quarantined, "r1 is believed");
    }
}

static void rows(void)
{
    static const char *const values[] = {
        "desired = 'x'", "stage = NULL", "reason = 1.5",     "attempts = 'x'", "generation = x'00'", "flags = 'x'",
        "flags = 2",     "handle = x'00'", "handle = 'a' || char(0) || 'b'", "boot = x'ff'",      "token = CAST(x'ff' AS TEXT)",
        "format = NULL",
    };
    static const char *const keys[] = {
        "name = NULL", "driver = NULL", "kind = NULL", "kind = 'x'", "name = x'00'", "name = 'a' || char(0)",
        "driver = CAST(x'c328' AS TEXT)",
    };
    char sql[128];
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(sql, sizeof(sql), "UPDATE records SET %s WHERE name = 'r1'", values[i]);
        check_row(sql, 1, "1 records are quarantined, and 0 have no key");
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        snprintf(sql, sizeof(sql), "UPDATE records SET %s WHERE name = 'r1'", keys[i]);
        check_row(sql, 0, "0 records are quarantined, and 1 have no key");
    }
}

/* ---- its own, damaged */

/* What is there is what was, or quarantined; and where nothing is said, all of it is. */
static void check_damaged(const struct hostile_result *before)
{
    struct hostile_result result;
    hostile_open(&result);
    if (result.code != 0) {
        hostile_expect(result.code == MUSTER_ECORRUPT, "%d: %s", result.code, result.text);
        hostile_expect(strstr(result.text, "/records") != NULL, "%s", result.text);
        return;
    }
    hostile_keep(result.lost != 0 || hostile_same(before, &result), "records are lost or others, and nothing is reported");
    for (size_t i = 0; i < result.count; i++) {
        const struct hostile_record *found = hostile_find(before, result.records[i].name);
        hostile_keep(result.records[i].quarantined || (found != NULL && found->hash == result.records[i].hash),
                     "%s is believed, and was never so", result.records[i].name);
    }
}

static char *get_state(struct hostile_result *ret_before, size_t *ret_size)
{
    make_state(ret_before);
    char *bytes = hostile_get("records", ret_size);
    hostile_expect(hostile_count("records-wal") == 0 && *ret_size >= 4 * 4096, "there is no whole database: %zu", *ret_size);
    return bytes;
}

/* A file of one byte is empty for sqlite. */
static void cut_off(void)
{
    struct hostile_result before;
    size_t size;
    char *bytes = get_state(&before, &size);
    for (size_t cut = 2; cut < size; cut += cut < size - 4096 ? 257 : 1) {
        hostile_file("cut off at byte %zu of %zu", cut, size);
        hostile_clean();
        hostile_put("records", bytes, cut);
        check_damaged(&before);
    }
    free(bytes);
}

static void small_one_cut_off(void)
{
    small = true;
    cut_off();
}

static void without_pages(void)
{
    struct hostile_result before;
    size_t size;
    char *bytes = get_state(&before, &size);
    char *damaged = malloc(size);
    for (size_t page = 0; page < size / 4096; page++)
        for (unsigned way = 0; way < 3; way++) {
            static const char *const ways[] = {"NULs", "0xff", "the page before"};
            hostile_file("page %zu holds %s", page + 1, ways[way]);
            memcpy(damaged, bytes, size);
            if (way < 2)
                memset(damaged + page * 4096, way == 0 ? 0 : 0xff, 4096);
            else if (page > 0)
                memcpy(damaged + page * 4096, bytes + (page - 1) * 4096, 4096);
            hostile_clean();
            hostile_put("records", damaged, size);
            check_damaged(&before);
        }
    free(damaged);
    free(bytes);
}

/* A log that isn't one, or was cut off, or stands beside another database of ours. */
static void logs(void)
{
    struct hostile_result before, result;
    size_t size, log_size;
    char garbage[8192];
    char *bytes = get_state(&before, &size);
    memset(garbage, 'w', sizeof(garbage));
    hostile_file("a log of garbage");
    hostile_put("records-wal", garbage, sizeof(garbage));
    opens_as_ever(&before);
    hostile_file("a marks file of garbage");
    make_state(&before);
    hostile_put("records-shm", garbage, sizeof(garbage));
    opens_as_ever(&before);
    hostile_clean();
    hostile_must(mkdir(hostile_directory(), 0700));
    struct muster_store *store = hostile_store();
    hostile_expect(muster_store_open(store, 0) == 0 && hostile_commit(store, "other", 7) == 0, "there is no other database");
    char *log = hostile_get("records-wal", &log_size);
    hostile_expect(log != NULL && log_size > 4096, "it has no log");
    muster_store_close(store);
    muster_store_free(store);
    for (size_t cut = 0; cut <= log_size; cut += cut + 500 < log_size || cut == log_size ? 500 : log_size - cut) {
        hostile_file("%zu bytes of another database's log", cut);
        hostile_clean();
        hostile_put("records", bytes, size);
        hostile_put("records-wal", log, cut);
        hostile_open(&result);
        hostile_expect(result.code == 0 || result.code == MUSTER_ECORRUPT, "%d: %s", result.code, result.text);
    }
    free(log);
    free(bytes);
}

int main(void)
{
    static const struct hostile_group groups[] = {
        {"in its place", in_its_place, 0},
        {"beside it", beside_it, 0},
        {"links and modes", links_and_modes, 0},
        {"users", users, 0},
        {"other files", other_files, 0},
        {"other databases", other_databases, 0},
        {"rows", rows, 0},
        {"cut off", cut_off, 0},
        {"a small one cut off", small_one_cut_off, 0},
        {"without pages", without_pages, 0},
        {"logs", logs, 0},
        {NULL, NULL, 0},
    };
    hostile_sqlite = true;
    return hostile_main(groups);
}

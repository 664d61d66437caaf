/* SPDX-License-Identifier: MIT */
#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/journal.h"
#include "store/store.h"

#define SKIPPED 77
#define SHOWN_MAX 20
/* Seconds on the clock, for a group that waits and takes none of the processor's time. */
#define BLOCKED 900

/* Shared with the child: what it was at when it died, too. */
static struct tally {
    uint64_t files;
    uint64_t lost;
    uint64_t wrong;
    char at[256];
} *tally;

/* ---- groups */

void hostile_file(const char *format, ...)
{
    va_list args;
    tally->files++;
    va_start(args, format);
    vsnprintf(tally->at, sizeof(tally->at), format, args);
    va_end(args);
}

static void __attribute__((format(printf, 2, 0))) complain(uint64_t *count, const char *format, va_list args)
{
    if (++*count > SHOWN_MAX)
        return;
    printf("  %s: ", tally->at);
    vprintf(format, args);
    printf("\n");
}

bool hostile_expect(bool so, const char *format, ...)
{
    va_list args;
    if (so)
        return true;
    va_start(args, format);
    complain(&tally->wrong, format, args);
    va_end(args);
    return false;
}

void hostile_keep(bool kept, const char *format, ...)
{
    va_list args;
    if (kept)
        return;
    va_start(args, format);
    complain(&tally->lost, format, args);
    va_end(args);
}

void hostile_skip(const char *reason)
{
    printf("%s\n", reason);
    fflush(stdout);
    _exit(SKIPPED);
}

static char top[64];

const char *hostile_top(void)
{
    return top;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat;
    (void)type;
    (void)place;
    return remove(path);
}

static int run_group(const struct hostile_group *group)
{
    int status;
    fflush(stdout);
    snprintf(top, sizeof(top), "%s/muster-hostile-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(top) == NULL)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        struct itimerval most = {.it_value.tv_sec = group->seconds == 0 ? 120 : group->seconds};
        setitimer(ITIMER_PROF, &most, NULL);
        alarm(BLOCKED);
        group->run();
        fflush(stdout);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    bool hangs = WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGPROF);
    if (WIFSIGNALED(status))
        printf("  %s: %s\n", tally->at, hangs ? "it hangs" : strsignal(WTERMSIG(status)));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int hostile_main(const struct hostile_group *groups)
{
    size_t crashed = 0, skipped = 0, count = 0;
    const char *skipped_name = "";
    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED)
        return 1;
    for (; groups[count].name != NULL; count++) {
        uint64_t before = tally->files;
        int code = run_group(&groups[count]);
        if (code == SKIPPED)
            skipped_name = groups[count].name;
        skipped += code == SKIPPED;
        bool idle = code == 0 && tally->files == before;
        hostile_expect(!idle, "%s: nothing was tried", groups[count].name);
        crashed += code != 0 && code != SKIPPED;
        printf("%s: %s, %ju files\n", groups[count].name, code == SKIPPED ? "skipped" : code == 0 ? "done" : "crashed",
               (uintmax_t)(tally->files - before));
    }
    if (tally->wrong > 0)
        printf("%ju outcomes are not as documented\n", (uintmax_t)tally->wrong);
    printf("hostile: %ju files: %zu crashed, %ju lost\n", (uintmax_t)tally->files, crashed, (uintmax_t)tally->lost);
    if (crashed > 0 || tally->lost > 0 || tally->wrong > 0)
        return 1;
    if (skipped > 0)
        printf("SKIPPED: %zu of %zu groups, %s among them: see what they say above\n", skipped, count, skipped_name);
    return skipped > 0 ? SKIPPED : 0;
}

/* ---- the state directory */

const char *hostile_directory(void)
{
    static char path[80];
    snprintf(path, sizeof(path), "%s/state", top);
    return path;
}

const char *hostile_path(const char *file)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", hostile_directory(), file);
    return path;
}

static void must(bool done, const char *what)
{
    if (done)
        return;
    printf("  %s: %s: %s\n", tally->at, what, strerror(errno));
    fflush(stdout);
    abort();
}

void hostile_put(const char *file, const char *bytes, size_t size)
{
    const char *path = hostile_path(file);
    must(mkdir(hostile_directory(), 0700) == 0 || errno == EEXIST, "mkdir");
    must(unlink(path) == 0 || errno == ENOENT, "unlink");
    FILE *stream = fopen(path, "we");
    must(stream != NULL && fchmod(fileno(stream), 0600) == 0, path);
    must(fwrite(bytes, 1, size, stream) == size, path);
    must(fclose(stream) == 0, path);
}

char *hostile_get(const char *file, size_t *ret_size)
{
    struct stat stat;
    FILE *stream = fopen(hostile_path(file), "re");
    if (stream == NULL)
        return NULL;
    must(fstat(fileno(stream), &stat) == 0, file);
    char *bytes = calloc(1, (size_t)stat.st_size + 1);
    must(bytes != NULL, file);
    *ret_size = fread(bytes, 1, (size_t)stat.st_size, stream);
    fclose(stream);
    return bytes;
}

void hostile_clean(void)
{
    nftw(hostile_directory(), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

size_t hostile_count(const char *prefix)
{
    size_t count = 0;
    DIR *directory = opendir(hostile_directory());
    must(directory != NULL, "opendir");
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* ---- what a daemon sees */

struct muster_journal_options hostile_options = {.size = sizeof(hostile_options)};
const struct muster__journal_calls *hostile_calls = &muster__journal_system;
bool hostile_sqlite;

/* Space that is written ahead: thousands of files, which need not be large. */
#define STEP 4096

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * 0x100000001b3;
    return hash;
}

static uint64_t hash_record(const struct muster_record *record)
{
    const char *texts[] = {record->driver, record->name, record->boot, record->token, record->handle, record->extra};
    uint64_t numbers[] = {record->kind,     record->flags,      record->desired, record->stage, record->reason,
                          record->attempts, record->generation, record->format};
    uint64_t hash = hash_bytes(0xcbf29ce484222325, numbers, sizeof(numbers));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        hash = texts[i] == NULL ? hash_bytes(hash, "\1", 1) : hash_bytes(hash, texts[i], strlen(texts[i]) + 1);
    return hash;
}

static int take(void *data, const struct muster_record *record)
{
    struct hostile_result *result = data;
    must(result->count < HOSTILE_RECORDS, "too many records");
    struct hostile_record *taken = &result->records[result->count++];
    bool usual = strcmp(record->driver, "guest") == 0;
    snprintf(taken->name, sizeof(taken->name), "%s%.8s%s%.12s", record->kind == MUSTER_RECORD_RESOURCE ? "" : "history-",
             usual ? "" : record->driver, usual ? "" : "/", record->name);
    taken->quarantined = (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    taken->generation = record->generation;
    taken->hash = hash_record(record);
    return 0;
}

struct muster_store *hostile_store(void)
{
    struct muster_store *store;
    if (hostile_sqlite) {
        must(muster_store_sqlite_new(hostile_path("records"), NULL, &store) == 0, "new");
        return store;
    }
    must(muster__journal_new(hostile_directory(), &hostile_options, hostile_calls, &store) == 0, "new");
    ((struct muster__journal *)store->self)->step = STEP;
    return store;
}

void hostile_load(struct muster_store *store, struct hostile_result *ret_result)
{
    *ret_result = (struct hostile_result){0};
    ret_result->code = muster_store_load(store, take, ret_result);
    const struct muster_error *error = muster_store_get_error(store);
    ret_result->lost = muster_error_code(error);
    snprintf(ret_result->text, sizeof(ret_result->text), "%s", muster_error_text(error));
}

void hostile_open(struct hostile_result *ret_result)
{
    struct muster_store *store = hostile_store();
    *ret_result = (struct hostile_result){.code = muster_store_open(store, 0)};
    if (ret_result->code == 0)
        hostile_load(store, ret_result);
    else
        snprintf(ret_result->text, sizeof(ret_result->text), "%s", muster_error_text(muster_store_get_error(store)));
    if (ret_result->code == 0)
        hostile_expect(muster_store_close(store) == 0, "close: %s", muster_error_text(muster_store_get_error(store)));
    muster_store_free(store);
}

const struct hostile_record *hostile_find(const struct hostile_result *result, const char *name)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(result->records[i].name, name) == 0)
            return &result->records[i];
    return NULL;
}

bool hostile_same(const struct hostile_result *one, const struct hostile_result *other)
{
    bool same = one->count == other->count;
    for (size_t i = 0; same && i < one->count; i++) {
        const struct hostile_record *found = hostile_find(other, one->records[i].name);
        same = found != NULL && found->hash == one->records[i].hash;
    }
    return same;
}

int hostile_commit(struct muster_store *store, const char *name, uint64_t generation)
{
    struct muster_record record;
    const struct muster_record *records = &record;
    MUSTER_RECORD_INIT(&record);
    record.driver = "guest";
    record.name = name;
    record.flags = generation == 0 ? MUSTER_RECORD_REMOVED : 0;
    record.desired = MUSTER_DESIRED_ACTIVE;
    record.stage = MUSTER_STAGE_ACTIVE;
    record.handle = "pid 42";
    record.generation = generation;
    record.format = MUSTER_RECORD_FORMAT;
    return muster_store_commit(store, &records, 1);
}

void hostile_refused(int code, const char *text)
{
    struct hostile_result result;
    const char *file = hostile_sqlite ? "records" : "journal", *aside = hostile_sqlite ? "records-" : "lock";
    size_t before = hostile_count(""), size_before = 0, size_after = 0;
    struct stat stat;
    bool regular = lstat(hostile_path(file), &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size < 1 << 20;
    char *bytes = regular ? hostile_get(file, &size_before) : NULL;
    hostile_open(&result);
    hostile_expect(result.code == code, "open gives %d (%s), not %d", result.code, result.text, code);
    hostile_expect(strstr(result.text, text) != NULL, "\"%s\" doesn't say \"%s\"", result.text, text);
    char *after = regular ? hostile_get(file, &size_after) : NULL;
    hostile_expect(size_before == size_after && (bytes == NULL || memcmp(bytes, after, size_after) == 0), "it was changed");
    /* But for the lock, and what sqlite lays beside the database. */
    hostile_expect(hostile_count("") - hostile_count(aside) <= before, "a file was made");
    free(bytes);
    free(after);
}

void hostile_goes_on(const struct hostile_result *before)
{
    struct hostile_result result;
    struct muster_store *store = hostile_store();
    if (!hostile_expect(muster_store_open(store, 0) == 0, "%s", muster_error_text(muster_store_get_error(store)))) {
        muster_store_free(store);
        return;
    }
    hostile_load(store, &result);
    hostile_expect(result.lost == 0, "the second open reports: %s", result.text);
    hostile_keep(hostile_same(before, &result), "the second open has other records");
    hostile_expect(muster_store_verify(store) == 0, "verify: %s", muster_error_text(muster_store_get_error(store)));
    hostile_expect(hostile_commit(store, "new", 99) == 0, "commit: %s", muster_error_text(muster_store_get_error(store)));
    hostile_expect(muster_store_close(store) == 0, "close fails");
    muster_store_free(store);
    hostile_open(&result);
    const struct hostile_record *found = hostile_find(&result, "new");
    hostile_keep(found != NULL && found->generation == 99, "what was committed after it is gone");
}

/* SPDX-License-Identifier: MIT */
/*
 * A store of one's own: a text file to which each commit appends "begin", a line a record, and "commit". What lies between
 * counts only when all three are there, so a batch is all or nothing. (It never shrinks, has no checksums, and after a sync
 * that failed believes what it reads back, which may never reach the disk: the journal does all three better.)
 * main() shows it in use: one context starts a pool; a second one, as if the daemon had been restarted, finds it
 * recorded and restores it.
 *
 *     custom_store [FILE]
 */
#include <errno.h>
#include <fcntl.h>
#include <muster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- the store -------------------------------------------------------------------------------- */

enum { NUMBERS = 8, TEXTS = 6 };

/* A record as the file has it: a line of eight numbers and six texts. */
struct line {
    unsigned long long numbers[NUMBERS]; /* kind flags desired stage reason attempts generation format */
    char *texts[TEXTS];                  /* driver name boot token handle extra */
};

struct lines {
    struct line *at;
    size_t count;
};

struct file_store {
    char *path;
    int fd;
};

static void free_line(struct line *line)
{
    for (size_t i = 0; i < TEXTS; i++)
        free(line->texts[i]);
}

static void clear(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free_line(&lines->at[i]);
    free(lines->at);
    *lines = (struct lines){NULL, 0};
}

static void record_from_line(struct muster_record *record, const struct line *line)
{
    MUSTER_RECORD_INIT(record);
    record->kind = (uintptr_t)line->numbers[0];
    record->flags = (uintptr_t)line->numbers[1];
    record->desired = (uintptr_t)line->numbers[2];
    record->stage = (uintptr_t)line->numbers[3];
    record->reason = (uintptr_t)line->numbers[4];
    record->attempts = line->numbers[5];
    record->generation = line->numbers[6];
    record->format = line->numbers[7];
    record->driver = line->texts[0];
    record->name = line->texts[1];
    record->boot = line->texts[2];
    record->token = line->texts[3];
    record->handle = line->texts[4];
    record->extra = line->texts[5];
}

/* A text is "=" and its bytes, with '%', spaces and control characters as %XX; NULL is "-". */
static void write_text(FILE *file, const char *text)
{
    fputs(text == NULL ? " -" : " =", file);
    for (; text != NULL && *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == '%' || *text == 0x7f)
            fprintf(file, "%%%02X", (unsigned char)*text);
        else
            fputc(*text, file);
}

static int hex(char digit)
{
    const char *digits = "0123456789ABCDEF";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    return found == NULL ? -1 : (int)(found - digits);
}

/* 0, MUSTER_ECORRUPT or MUSTER_ENOMEM. */
static int read_text(const char *word, char **ret_text)
{
    if (strcmp(word, "-") == 0)
        return 0;
    if (*word++ != '=')
        return MUSTER_ECORRUPT;
    char *text = malloc(strlen(word) + 1);
    char *to = text;
    if (text == NULL)
        return MUSTER_ENOMEM;
    for (; *word != '\0'; word++) {
        int high = *word == '%' ? hex(word[1]) : 0;
        int low = *word == '%' && high >= 0 ? hex(word[2]) : 0;
        if (high < 0 || low < 0) {
            free(text);
            return MUSTER_ECORRUPT;
        }
        *to++ = (char)(*word == '%' ? high * 16 + low : *word);
        word += *word == '%' ? 2 : 0;
    }
    *to = '\0';
    *ret_text = text;
    return 0;
}

static void write_record(FILE *file, const struct muster_record *record)
{
    fprintf(file, "%ju %ju %ju %ju %ju %ju %ju %ju", (uintmax_t)record->kind, (uintmax_t)record->flags,
            (uintmax_t)record->desired, (uintmax_t)record->stage, (uintmax_t)record->reason, (uintmax_t)record->attempts,
            (uintmax_t)record->generation, (uintmax_t)record->format);
    write_text(file, record->driver);
    write_text(file, record->name);
    write_text(file, record->boot);
    write_text(file, record->token);
    write_text(file, record->handle);
    write_text(file, record->extra);
    fputc('\n', file);
}

static int parse_line(char *from, struct line *line)
{
    char *rest = NULL;
    char *word = strtok_r(from, " \n", &rest);
    for (size_t i = 0; i < NUMBERS + TEXTS; i++, word = strtok_r(NULL, " \n", &rest)) {
        char *end = word;
        if (word == NULL)
            return MUSTER_ECORRUPT;
        int code = i < NUMBERS ? 0 : read_text(word, &line->texts[i - NUMBERS]);
        if (i < NUMBERS)
            line->numbers[i] = strtoull(word, &end, 10);
        if (code != 0 || (i < NUMBERS && (end == word || *end != '\0')))
            return code != 0 ? code : MUSTER_ECORRUPT;
    }
    return word == NULL && line->texts[0] != NULL && line->texts[1] != NULL ? 0 : MUSTER_ECORRUPT;
}

/* A record's kind, driver and name are its key. */
static int is_same(const struct line *a, const struct line *b)
{
    return a->numbers[0] == b->numbers[0] && strcmp(a->texts[0], b->texts[0]) == 0 && strcmp(a->texts[1], b->texts[1]) == 0;
}

static int append(struct lines *lines, const struct line *line)
{
    struct line *grown = realloc(lines->at, (lines->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return MUSTER_ENOMEM;
    lines->at = grown;
    grown[lines->count++] = *line;
    return 0;
}

/* Put a line of a batch that counts over the one of the same key. The line is moved. */
static int put(struct lines *lines, struct line *line)
{
    size_t at = 0;
    int code = 0;
    while (at < lines->count && !is_same(&lines->at[at], line))
        at++;
    if (at < lines->count) {
        free_line(&lines->at[at]);
        lines->at[at] = lines->at[--lines->count];
    }
    if ((line->numbers[1] & MUSTER_RECORD_REMOVED) != 0)
        free_line(line);
    else
        code = append(lines, line);
    if (code == 0)
        *line = (struct line){{0}, {0}};
    return code;
}

static int put_batch(struct lines *live, struct lines *batch)
{
    int code = 0;
    for (size_t i = 0; i < batch->count && code == 0; i++)
        code = put(live, &batch->at[i]);
    clear(batch);
    return code;
}

static int read_lines(FILE *file, struct lines *live)
{
    struct lines batch = {NULL, 0};
    char *text = NULL;
    size_t bytes = 0;
    int code = 0;
    int damage = 0;
    while (code == 0 && getline(&text, &bytes, file) > 0) {
        struct line line = {{0}, {0}};
        if (strcmp(text, "begin\n") == 0) {
            clear(&batch);
            damage = 0;
        } else if (strcmp(text, "commit\n") == 0) {
            code = damage != 0 ? damage : put_batch(live, &batch);
        } else if (strcmp(text, "\n") != 0) {
            int parsed = parse_line(text, &line);
            damage = damage != 0 ? damage : parsed;
            code = parsed == 0 ? append(&batch, &line) : 0;
            if (parsed != 0 || code != 0)
                free_line(&line);
        }
    }
    clear(&batch);
    free(text);
    return code == 0 && !feof(file) ? MUSTER_EIO : code;
}

static int store_open(void *self, struct muster_error *error)
{
    struct file_store *store = self;
    store->fd = open(store->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (store->fd < 0)
        return muster_error_set(error, MUSTER_EIO, errno, "open %s", store->path);
    if (flock(store->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int failed = errno;
    close(store->fd);
    store->fd = -1;
    return muster_error_set(error, failed == EWOULDBLOCK ? MUSTER_EBUSY : MUSTER_EIO, failed, "lock %s", store->path);
}

static int store_load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct file_store *store = self;
    struct lines live = {NULL, 0};
    FILE *file = fopen(store->path, "re");
    if (file == NULL)
        return muster_error_set(error, MUSTER_EIO, errno, "open %s", store->path);
    int code = read_lines(file, &live);
    fclose(file);
    if (code != 0)
        muster_error_set(error, code, 0, "read %s: %s", store->path, muster_code_text(code));
    for (size_t i = 0; i < live.count && code == 0; i++) {
        struct muster_record record;
        record_from_line(&record, &live.at[i]);
        code = cb(data, &record);
    }
    clear(&live);
    return code;
}

static int store_commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct file_store *store = self;
    char *text = NULL;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (records[i]->driver == NULL || records[i]->name == NULL)
            return muster_error_set(error, MUSTER_EINVAL, 0, "commit: a record without a driver or a name");
    FILE *file = open_memstream(&text, &bytes);
    if (file == NULL)
        return muster_error_set(error, MUSTER_ENOMEM, errno, "commit");
    fputs("\nbegin\n", file); /* the first newline ends what a crash may have left */
    for (size_t i = 0; i < count; i++)
        write_record(file, records[i]);
    fputs("commit\n", file);
    int failed = fclose(file) != 0;
    int code = 0;
    if (failed)
        code = muster_error_set(error, MUSTER_ENOMEM, errno, "commit");
    else if (write(store->fd, text, bytes) != (ssize_t)bytes)
        code = muster_error_set(error, MUSTER_EIO, errno, "write %s", store->path);
    else if (fdatasync(store->fd) != 0)
        code = muster_error_set(error, MUSTER_EINDETERMINATE, errno, "sync %s", store->path);
    free(text);
    return code;
}

static int store_close(void *self, struct muster_error *error)
{
    struct file_store *store = self;
    int code = close(store->fd) == 0 ? 0 : muster_error_set(error, MUSTER_EIO, errno, "close %s", store->path);
    store->fd = -1;
    return code;
}

static void store_destroy(void *self)
{
    struct file_store *store = self;
    if (store->fd >= 0)
        close(store->fd);
    free(store->path);
    free(store);
}

/* A child that doesn't call exec: the lock lasts as long as somebody has the file open. */
static void store_after_fork(void *self)
{
    const struct file_store *store = self;
    if (store->fd >= 0)
        close(store->fd);
}

static int file_store_new(const char *path, struct muster_store **ret_store)
{
    struct muster_store_ops ops = {
        .size = sizeof(ops),
        .name = "file",
        .destroy = store_destroy,
        .after_fork = store_after_fork,
        .open = store_open,
        .load = store_load,
        .commit = store_commit,
        .close = store_close,
    };
    struct file_store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return MUSTER_ENOMEM;
    store->fd = -1;
    store->path = strdup(path);
    int code = store->path == NULL ? MUSTER_ENOMEM : muster_store_new(&ops, store, ret_store);
    if (code != 0)
        store_destroy(store);
    return code;
}

#ifndef CUSTOM_STORE_NO_MAIN /* the tests run the store alone through <muster/testing.h> */

/* ---- a host that uses it ---------------------------------------------------------------------- */

static int initialize(struct muster_op *op)
{
    struct muster_resource_def pool;
    MUSTER_RESOURCE_DEF_INIT(&pool);
    pool.name = "pool 0%";
    pool.flags = MUSTER_VOLATILE;
    return muster_op_add_resource(op, &pool);
}

static int start(struct muster_op *op)
{
    printf("  start '%s', cause %s\n", muster_op_resource_name(op), muster_cause_name(muster_op_cause(op)));
    return muster_op_set_handle(op, "socket=/run/pool 0");
}

static void started(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)data;
    printf("  started: %s\n", code == 0 ? "ok" : muster_error_text(error));
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static void up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    int *was_active = data;
    struct muster_resource *pool = muster_resource_find(context, "storage/pool 0%");
    struct muster_resource_status status;
    (void)code;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    printf("  up: %s\n", error == NULL ? "ok" : muster_error_text(error));
    if (pool == NULL || muster_resource_state(pool, &status) != 0) {
        muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
        return;
    }
    *was_active = status.stage == MUSTER_STAGE_ACTIVE;
    muster_resource_start(pool, NULL, started, NULL);
}

/* One life of a daemon. Was the pool active when it had come up? */
static int live(const char *path, int *ret_active)
{
    struct muster_options options;
    struct muster_driver_def storage;
    struct muster *context;
    MUSTER_OPTIONS_INIT(&options);
    MUSTER_DRIVER_DEF_INIT(&storage);
    storage.name = "storage";
    storage.initialize = initialize;
    storage.start = start;
    int code = file_store_new(path, &options.store);
    if (code != 0)
        return code;
    code = muster_new(&options, &context);
    if (code != 0) {
        muster_store_free(options.store);
        return code;
    }
    if ((code = muster_add_driver(context, &storage, NULL, NULL)) == 0 &&
        (code = muster_bring_up(context, up, ret_active)) == 0)
        code = muster_run(context);
    muster_free(context);
    return code;
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/custom_store.XXXXXX";
    const char *path = argc > 1 ? argv[1] : made;
    int first = 0;
    int second = 0;
    int fd = argc > 1 ? 0 : mkstemp(made);
    if (fd < 0)
        return perror("custom_store: mkstemp"), 1;
    printf("the first life of the daemon\n");
    int code = live(path, &first);
    printf("the second\n");
    if (code == 0)
        code = live(path, &second);
    printf("the pool was %s when the second had come up\n", second ? "active" : "NOT active");
    if (code != 0)
        fprintf(stderr, "custom_store: %s\n", muster_code_text(code));
    if (argc <= 1) {
        close(fd);
        unlink(made);
    }
    return code != 0 || !second;
}

#endif

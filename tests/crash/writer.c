/* SPDX-License-Identifier: MIT */
/*
 * usage: writer write SCENARIO STORE
 *        writer recover SCENARIO STORE OUTCOMES
 *        writer check SCENARIO STORE OUTCOMES
 *        writer list
 *
 * STORE is journal:DIRECTORY or sqlite:FILE. OUTCOMES has a letter for each step (model.h).
 *
 * `write` walks through a scenario and tells of each step, a line each: `begin N`, `end N y` (n: it was refused, ?:
 * it can't be told), `end N y` or `end N n` again once that is known; `go` when crashes may begin. `recover` opens
 * what a crash has left, tells `saw y` or `saw n` of the step that is in doubt, and puts one record more. `check`
 * does the same, closes, opens again, and says what is wrong: exit 1.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database.h"
#include "model.h"

/* Not more: a daemon that is started again would have given up, too. */
#define TRIES 3

struct run {
    const struct scenario *scenario;
    const char *path;
    bool journal;
    struct muster_store *store;
    /* A letter a step, as far as it is known. */
    char outcomes[STEPS_MAX + EXTRA_STEPS + 1];
    struct model without, with;
};

static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

/* One write call: who traces us must find it whole. */
static void tell(const char *what, unsigned index, char outcome)
{
    char line[64];
    int length = snprintf(line, sizeof(line), "%s %u %c\n", what, index, outcome);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(2);
}

static const char *problem(const struct run *run)
{
    return muster_error_text(muster_store_get_error(run->store));
}

/* ---- the store */

static void new_store(struct run *run)
{
    struct muster_journal_options options;
    MUSTER_JOURNAL_OPTIONS_INIT(&options);
    options.compact_size = (uint64_t)64 * 1024;
    int code = run->journal ? muster_store_journal_new(run->path, &options, &run->store)
                            : muster_store_sqlite_new(run->path, NULL, &run->store);
    if (code != 0)
        die("new %s: %s", run->path, muster_code_text(code));
}

static int open_store(struct run *run)
{
    int code = -1;
    for (int i = 0; i < TRIES && code != 0; i++)
        code = muster_store_open(run->store, 0);
    return code;
}

static int take(void *data, const struct muster_record *record)
{
    struct run *run = data;
    model_take(&run->without, record);
    model_take(&run->with, record);
    return 0;
}

static void load(struct run *run)
{
    int code = -1;
    for (int i = 0; i < TRIES && code != 0; i++) {
        model_begin(&run->without);
        model_begin(&run->with);
        code = muster_store_load(run->store, take, run);
    }
    if (code != 0)
        die("load: %s", problem(run));
    model_end(&run->without);
    model_end(&run->with);
}

/* What is there, and whether it has the step that is in doubt: 'y' or 'n', which then goes into the outcomes. */
static char look(struct run *run, const char *when)
{
    model_init(&run->without, run->scenario, run->outcomes, false);
    model_init(&run->with, run->scenario, run->outcomes, true);
    load(run);
    bool without = run->without.wrong[0] == '\0';
    if (!without && run->with.wrong[0] != '\0') {
        bool doubt = strchr(run->outcomes, '?') != NULL;
        die("%s: %s%s%s", when, run->without.wrong, doubt ? "; or, with the last step: " : "", doubt ? run->with.wrong : "");
    }
    for (char *outcome = run->outcomes; *outcome != '\0'; outcome++)
        *outcome = *outcome == '?' ? (without ? 'n' : 'y') : *outcome;
    return without ? 'n' : 'y';
}

static int put(struct run *run, unsigned index)
{
    const struct step *step = scenario_step(run->scenario, index);
    struct made_record *made = calloc(step->count, sizeof(*made));
    const struct muster_record **records = calloc(step->count, sizeof(*records));
    if (made == NULL || records == NULL)
        abort();
    for (unsigned i = 0; i < step->count; i++) {
        record_make(&made[i], step, index, i);
        records[i] = &made[i].is;
    }
    if (!run->journal)
        database_limit_log(run->store, run->scenario->pages);
    int code = muster_store_commit(run->store, records, step->count);
    for (unsigned i = 0; i < step->count; i++)
        record_fini(&made[i]);
    free(made);
    free(records);
    return code;
}

/* ---- a journal that is closed */

static char *get_journal(const struct run *run, FILE **ret_file, size_t *ret_size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/journal", run->path);
    *ret_file = fopen(path, "r+");
    if (*ret_file == NULL || fseek(*ret_file, 0, SEEK_END) != 0)
        abort();
    *ret_size = (size_t)ftell(*ret_file);
    rewind(*ret_file);
    char *bytes = calloc(1, *ret_size + 1);
    if (bytes == NULL || fread(bytes, 1, *ret_size, *ret_file) != *ret_size)
        abort();
    return bytes;
}

/* The first half of the last line once more, behind it. */
static void tear(const struct run *run)
{
    FILE *file;
    size_t size;
    char *bytes = get_journal(run, &file, &size);
    size_t end = size;
    while (bytes[end - 1] == '\n')
        end--;
    size_t start = end;
    while (bytes[start - 1] != '\n')
        start--;
    size_t half = (end - start) / 2;
    if (fseek(file, (long)end + 1, SEEK_SET) != 0 || fwrite(bytes + start, 1, half, file) != half || fclose(file) != 0)
        abort();
    free(bytes);
}

/* One letter of the handle of PREFIX-0, which stays good JSON. */
static void damage(const struct run *run, const char *prefix)
{
    FILE *file;
    size_t size;
    char text[64];
    char *bytes = get_journal(run, &file, &size);
    snprintf(text, sizeof(text), "\"name\":\"%s-0\"", prefix);
    char *name = strstr(bytes, text);
    char *handle = name == NULL ? NULL : strstr(name, "\"handle\":\"");
    if (handle == NULL)
        abort();
    handle += strlen("\"handle\":\"") + 40;
    *handle = *handle == 'z' ? 'a' : 'z';
    if (fseek(file, handle - bytes, SEEK_SET) != 0 || fputc(*handle, file) == EOF || fclose(file) != 0)
        abort();
    free(bytes);
}

/* ---- the scenario */

static void go(const struct run *run)
{
    char parent[4096];
    snprintf(parent, sizeof(parent), "%s", run->path);
    *strrchr(parent, '/') = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) != 0)
        die("syncfs %s", parent);
    close(fd);
    tell("go", 0, 'y');
}

static int take_step(struct run *run, unsigned index)
{
    const struct step *step = scenario_step(run->scenario, index);
    switch (step->type) {
    case STEP_OPEN:
        return open_store(run);
    case STEP_CLOSE:
        muster_store_close(run->store);
        return 0;
    case STEP_PUT:
    case STEP_REMOVE:
        return put(run, index);
    case STEP_COMPACT:
        muster_store_compact(run->store);
        return 0;
    case STEP_TEAR:
        tear(run);
        return 0;
    case STEP_DAMAGE:
        damage(run, step->prefix);
        return 0;
    case STEP_GO:
        go(run);
        return 0;
    case STEP_END:
        break;
    }
    return -1;
}

static void write_scenario(struct run *run)
{
    for (unsigned index = 0; index < scenario_count(run->scenario); index++) {
        bool opens = run->scenario->steps[index].type == STEP_OPEN;
        tell("begin", index, '?');
        int code = take_step(run, index);
        run->outcomes[index] = code == 0 ? 'y' : code == MUSTER_EINDETERMINATE ? '?' : 'n';
        tell("end", index, run->outcomes[index]);
        if (opens && code != 0)
            die("open: %s", problem(run));
        if (opens)
            look(run, "after the open");
        else if (code == MUSTER_EINDETERMINATE)
            tell("end", index, look(run, "after an indeterminate commit"));
    }
}

/* Open what a crash has left, and put one record more. */
static void open_again(struct run *run, const char *when, bool clean)
{
    if (open_store(run) != 0)
        die("%s: open: %s", when, problem(run));
    char seen = look(run, when);
    int lost = muster_error_code(muster_store_get_error(run->store));
    if (lost != 0 && clean)
        die("%s: load: %s", when, problem(run));
    tell("saw", 0, seen);
}

static void put_more(struct run *run, unsigned extra)
{
    unsigned index = scenario_count(run->scenario) + extra;
    tell("begin", index, '?');
    int code = put(run, index);
    if (code != 0)
        die("a further commit: %s", problem(run));
    tell("end", index, 'y');
    run->outcomes[index] = 'y';
}

static bool is_damaged(const struct scenario *scenario)
{
    for (const struct step *step = scenario->steps; step->type != STEP_END; step++)
        if (step->type == STEP_DAMAGE)
            return true;
    return false;
}

/* Nothing is synced before: what it finds may be in the page cache alone. */
static void recover(struct run *run)
{
    tell("go", 0, 'y');
    open_again(run, "at the recovery", !is_damaged(run->scenario));
    put_more(run, 0);
    if (muster_store_close(run->store) != 0)
        die("close: %s", problem(run));
}

/* Beside a daemon, before anything is mended. There may be no store yet. */
static void read_beside(struct run *run)
{
    char before[sizeof(run->outcomes)];
    if (!run->journal || muster_store_open(run->store, MUSTER_STORE_READ_ONLY) != 0)
        return;
    memcpy(before, run->outcomes, sizeof(before));
    look(run, "read only");
    memcpy(run->outcomes, before, sizeof(before));
    muster_store_close(run->store);
}

static void check(struct run *run)
{
    read_beside(run);
    open_again(run, "after the crash", !is_damaged(run->scenario));
    if (muster_store_verify(run->store) != 0)
        die("verify: %s", problem(run));
    put_more(run, 1);
    if (muster_store_close(run->store) != 0)
        die("close: %s", problem(run));
    open_again(run, "opened again", true);
    if (muster_store_verify(run->store) != 0)
        die("verify, opened again: %s", problem(run));
    if (muster_store_close(run->store) != 0)
        die("close: %s", problem(run));
}

static int list(void)
{
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        printf("%s %s %s %u\n", scenario->name, scenario->journal ? "journal" : "-", scenario->sqlite ? "sqlite" : "-",
               scenario_count(scenario));
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: writer write|recover|check SCENARIO journal:DIRECTORY|sqlite:FILE [OUTCOMES]\n"
                    "       writer list\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct run run;
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    if (argc < 4 || (run.scenario = scenario_find(argv[2])) == NULL)
        return usage();
    run.journal = strncmp(argv[3], "journal:/", 9) == 0;
    if (!run.journal && strncmp(argv[3], "sqlite:/", 8) != 0)
        return usage();
    run.path = strchr(argv[3], ':') + 1;
    unsigned steps = scenario_count(run.scenario) + EXTRA_STEPS;
    memset(run.outcomes, 'n', steps);
    if (argc > 4)
        memcpy(run.outcomes, argv[4], strlen(argv[4]) < steps ? strlen(argv[4]) : steps);
    database_set_up((unsigned char)argv[1][0]);
    new_store(&run);
    if (strcmp(argv[1], "write") == 0 && argc == 4)
        write_scenario(&run);
    else if (strcmp(argv[1], "recover") == 0 && argc == 5)
        recover(&run);
    else if (strcmp(argv[1], "check") == 0 && argc == 5)
        check(&run);
    else
        return usage();
    muster_store_free(run.store);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* muster store show, verify: they only read. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "store.h"

/* ---- a table */

enum { NAME, DESIRED, STAGE, REASON, ATTEMPTS, NOTES, COLUMNS };

/* The handle stands behind the columns, in what room is left. */
struct row {
    char *cells[COLUMNS];
    char *handle;
};

struct table {
    struct row *rows;
    size_t count, capacity;
};

/* In characters, not bytes. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static char *copy(const char *text)
{
    return tool_harmless(strdup(text));
}

static char *name_cell(const struct muster_record *record)
{
    char room[24];
    char *name;
    const char *kind = tool_word(TOOL_KIND, record->kind, room);
    bool plain = record->kind == MUSTER_RECORD_RESOURCE;
    int length = asprintf(&name, "%s%s%s/%s", plain ? "" : kind, plain ? "" : ":", record->driver, record->name);
    return length < 0 ? NULL : tool_harmless(name);
}

static void fill_row(struct row *row, const struct muster_record *record)
{
    char room[24];
    bool content = (record->flags & MUSTER_RECORD_QUARANTINED) == 0 && record->kind == MUSTER_RECORD_RESOURCE;
    bool down = record->stage == MUSTER_STAGE_INACTIVE || record->stage == MUSTER_STAGE_STOPPING;
    row->cells[NAME] = name_cell(record);
    row->cells[DESIRED] = copy(content ? tool_word(TOOL_DESIRED, record->desired, room) : "-");
    row->cells[STAGE] = copy(content ? tool_word(TOOL_STAGE, record->stage, room) : "-");
    row->cells[REASON] = copy(content && down ? tool_word(TOOL_REASON, record->reason, room) : "-");
    snprintf(room, sizeof(room), "%" PRIu64, record->attempts);
    row->cells[ATTEMPTS] = copy(content ? room : "-");
    row->cells[NOTES] = copy((record->flags & MUSTER_RECORD_QUARANTINED) != 0 ? "quarantined"
                             : (record->flags & MUSTER_RECORD_MARK) != 0      ? "mark"
                                                                              : "-");
    row->handle = copy(record->handle == NULL ? "-" : record->handle);
}

static bool whole(const struct row *row)
{
    for (int i = 0; i < COLUMNS; i++)
        if (row->cells[i] == NULL)
            return false;
    return row->handle != NULL;
}

/* Durations are muster's own affair, unless they were lost: then somebody may want to forget them. */
static bool is_shown(const struct muster_record *record)
{
    return record->kind != MUSTER_RECORD_HISTORY || (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
}

static int add_row(void *data, const struct muster_record *record)
{
    struct table *table = data;
    if (!is_shown(record))
        return 0;
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
        struct row *grown = reallocarray(table->rows, table->capacity, sizeof(*grown));
        if (grown == NULL)
            return tool_problem("muster store", "out of memory");
        table->rows = grown;
    }
    struct row *row = &table->rows[table->count++];
    fill_row(row, record);
    return whole(row) ? 0 : tool_problem("muster store", "out of memory");
}

static void free_table(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        for (int j = 0; j < COLUMNS; j++)
            free(table->rows[i].cells[j]);
        free(table->rows[i].handle);
    }
    free(table->rows);
}

static int compare(const void *a, const void *b)
{
    const struct row *one = a;
    const struct row *other = b;
    return strcmp(one->cells[NAME], other->cells[NAME]);
}

/* Characters in a line; off a terminal there is no end, but a handle of a megabyte helps nobody. */
static int line_width(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 160;
}

/* At most `room` characters, with dots where some are missing. */
static void print_cut(const char *text, int room)
{
    bool cut = width_of(text) > room;
    const char *end = text;
    for (int left = cut ? room - 3 : room; *end != '\0'; end++) {
        if (((unsigned char)*end & 0xc0) != 0x80 && left-- == 0)
            break;
    }
    printf("%.*s%s\n", (int)(end - text), text, cut ? "..." : "");
}

#define HANDLE_LEAST 8

/* How a table is to be set: 0 hides a column. */
struct layout {
    int widths[COLUMNS];
    /* What is left for the handle. */
    int room;
};

/* Where not all fits, what is wanted least goes first. */
static void fit(struct layout *layout)
{
    static const int unwanted[] = {ATTEMPTS, REASON, DESIRED};
    layout->room = line_width();
    for (int i = 0; i < COLUMNS; i++)
        layout->room -= layout->widths[i] + 2;
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]) && layout->room < -2; i++) {
        layout->room += layout->widths[unwanted[i]] + 2;
        layout->widths[unwanted[i]] = 0;
    }
}

static void print_row(const struct row *row, const struct layout *layout)
{
    bool handle = layout->room >= HANDLE_LEAST;
    for (int i = 0; i < COLUMNS; i++) {
        if (layout->widths[i] == 0)
            continue;
        bool last = i == NOTES && !handle;
        int padding = layout->widths[i] - width_of(row->cells[i]);
        printf("%*s%s%*s%s", i == ATTEMPTS ? padding : 0, "", row->cells[i], i == ATTEMPTS || last ? 0 : padding, "",
               last ? "\n" : "  ");
    }
    if (handle)
        print_cut(row->handle, layout->room);
}

static void print_table(struct table *table)
{
    static char *const titles[] = {"NAME", "DESIRED", "STAGE", "REASON", "ATTEMPTS", "NOTES"};
    static char handle[] = "HANDLE";
    struct row head = {.handle = handle};
    struct layout layout;
    int *widths = layout.widths;
    for (int i = 0; i < COLUMNS; i++) {
        head.cells[i] = titles[i];
        widths[i] = width_of(titles[i]);
        for (size_t j = 0; j < table->count; j++) {
            int width = width_of(table->rows[j].cells[i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    if (table->count > 0)
        qsort(table->rows, table->count, sizeof(table->rows[0]), compare);
    fit(&layout);
    print_row(&head, &layout);
    for (size_t i = 0; i < table->count; i++)
        print_row(&table->rows[i], &layout);
}

int tool_store_show(const struct tool_store_call *call)
{
    struct muster_store *store;
    struct table table = {0};
    bool lost = false;
    int code = tool_store_open(call->path, TOOL_STORE_READ, &store);
    if (code != TOOL_FINE)
        return code;
    if (call->json)
        return tool_store_close(store, tool_store_print_json(store));
    code = tool_store_load(store, add_row, &table, &lost);
    if (code == TOOL_FINE)
        print_table(&table);
    free_table(&table);
    return tool_store_close(store, lost ? TOOL_PROBLEM : code);
}

/* ---- verify */

struct count {
    const char *path;
    size_t records, durations, quarantined; /* records: those that show has */
};

static int check_record(void *data, const struct muster_record *record)
{
    struct count *count = data;
    *(is_shown(record) ? &count->records : &count->durations) += 1;
    if ((record->flags & MUSTER_RECORD_QUARANTINED) == 0)
        return 0;
    char *name = name_cell(record);
    count->quarantined++;
    tool_problem(count->path, "record %s is quarantined: resolve or forget it", name == NULL ? "" : name);
    free(name);
    return 0;
}

static int verify(struct muster_store *store, const char *path)
{
    struct count count = {.path = path};
    bool sound = muster_store_verify(store) == 0;
    if (!sound) {
        const struct muster_error *error = muster_store_get_error(store);
        for (; error != NULL; error = muster_error_next(error))
            tool_problem(path, "%s", muster_error_text(error));
    }
    if (muster_store_load(store, check_record, &count) != 0)
        return sound ? tool_store_failed(store) : TOOL_PROBLEM;
    if (!sound || count.quarantined > 0)
        return TOOL_PROBLEM;
    printf("%s: %zu record%s", path, count.records, count.records == 1 ? "" : "s");
    if (count.durations > 0)
        printf(", %zu of durations", count.durations);
    puts(", all fine");
    return TOOL_FINE;
}

int tool_store_verify(const struct tool_store_call *call)
{
    struct muster_store *store;
    int code = tool_store_open(call->path, TOOL_STORE_READ, &store);
    return code != TOOL_FINE ? code : tool_store_close(store, verify(store, call->path));
}

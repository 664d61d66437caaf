/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/journal_json.h"

/* A walk over the bytes of a file. */
struct scan {
    struct muster__journal *journal;
    struct muster__live *live;
    const char *bytes;
    size_t size;
    struct muster__journal_header header;
    bool header_lost;
    /* The sequence number that comes next; 0: the header is lost, any will do. */
    uint64_t next;
    /* The last line that is whole: its start, and where the next one goes. */
    size_t last;
    size_t end;
    /* What isn't a whole line, since the last one that was: a torn tail, if nothing whole follows. */
    size_t bad;
    size_t bad_end;
    bool has_bad;
    /* The end of the line that is looked at, and what was looked at in vain for one that begins in another's midst. */
    size_t newline;
    uint64_t tried;
    /* What was found. */
    bool corrupt;
    bool torn;
    /* A whole line stands behind one of a later number. */
    bool disorder;
    uint64_t lines_lost;
    uint64_t lines_unnamed;
    /* For people, one by one, where `notes` are wanted. */
    bool notes;
    struct muster_error *noted;
    size_t noted_count;
    /* The line that is looked at, and what is known of where lines are. */
    size_t at;
    size_t counted;
    size_t counted_lines;
};

#define LINE_START "{\"seq\":"

/* ---- what is wrong, for people */

#define NOTES_MAX 100

/* Of a byte, from 1. */
static size_t line_number(struct scan *scan, size_t at)
{
    if (at < scan->counted)
        scan->counted = scan->counted_lines = 0;
    for (; scan->counted < at; scan->counted++)
        scan->counted_lines += scan->bytes[scan->counted] == '\n';
    return scan->counted_lines + 1;
}

static void note(struct scan *scan, size_t at, const char *text)
{
    if (!scan->notes || scan->noted_count++ >= NOTES_MAX)
        return;
    const struct muster__memory *memory = &scan->journal->memory;
    if (at >= scan->size)
        muster__error_append(&scan->noted, muster__error_new(memory, MUSTER_ECORRUPT, NULL, "at the end: %s", text));
    else
        muster__error_append(&scan->noted, muster__error_new(memory, MUSTER_ECORRUPT, NULL, "line %zu: %s",
                                                             line_number(scan, at), text));
}

static void note_bad_line(struct scan *scan, size_t at)
{
    char text[128];
    struct muster__journal_line line;
    if (!muster__journal_get_line(scan->bytes + at, scan->size - at, &scan->header.id, &line))
        snprintf(text, sizeof(text), "damaged: its checksum or its form is wrong");
    else if (line.seq < scan->next)
        snprintf(text, sizeof(text), "batch %ju is there twice, or out of order", (uintmax_t)line.seq);
    else
        snprintf(text, sizeof(text), "batch %ju holds what isn't a record", (uintmax_t)line.seq);
    note(scan, at, text);
}

static void note_missing(struct scan *scan, uint64_t next)
{
    char text[128];
    if (next - scan->next == 1)
        snprintf(text, sizeof(text), "before this, batch %ju is missing", (uintmax_t)scan->next);
    else
        snprintf(text, sizeof(text), "before this, batches %ju to %ju are missing", (uintmax_t)scan->next,
                 (uintmax_t)next - 1);
    note(scan, scan->at, text);
}

static void forget_notes(struct scan *scan)
{
    muster__error_unref(scan->noted);
    scan->noted = NULL;
    scan->noted_count = 0;
}

/* ---- damaged lines */

static int quarantine_keys(struct scan *scan, const struct muster__batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct muster__change change;
        int code = muster__live_stage(scan->live, &batch->pointers[i], 1, &change);
        if (code != 0)
            return code;
        muster__live_apply(scan->live, &change);
    }
    return 0;
}

/* One damaged line. Were it and its keys unharmed, it counts as found. */
static int resolve_line(struct scan *scan, const char *text, size_t length, uint64_t seq)
{
    struct muster__batch batch;
    int code = muster__journal_decode_keys(&scan->journal->memory, text, length, &batch);
    if (code == MUSTER_ECORRUPT)
        return 0;
    if (code != 0)
        return code;
    if (scan->next != 0 && (seq == 0 || scan->next < seq) && muster__journal_keys_sure(&batch, &scan->header.id, scan->next)) {
        scan->next++;
        scan->lines_lost++;
    }
    code = quarantine_keys(scan, &batch);
    muster__batch_fini(&scan->journal->memory, &batch);
    return code;
}

/*
 * The sequence goes on with line `seq` (0: it ends here), and lines before it are damaged or gone. Of those
 * the keys are quarantined, as far as they can be read. Where that isn't sure for each missing line, every
 * record may be an old version of what such a line said: all are quarantined that no later line writes again.
 * The lines that were written with the file can't make others old: each has a key of its own.
 */
static int resolve(struct scan *scan, uint64_t seq)
{
    bool missing = scan->next == 0 || seq == 0 || scan->next < seq;
    scan->corrupt = true;
    for (size_t at = scan->bad; scan->has_bad && at < scan->bad_end;) {
        const char *newline = memchr(scan->bytes + at, '\n', scan->bad_end - at);
        size_t length = newline == NULL ? scan->bad_end - at : (size_t)(newline - (scan->bytes + at));
        if (length > 0 && scan->notes)
            note_bad_line(scan, at);
        int code = length == 0 || !missing ? 0 : resolve_line(scan, scan->bytes + at, length, seq);
        if (code != 0)
            return code;
        at += length + 1;
    }
    scan->has_bad = false;
    if (scan->next == 0 || scan->next >= seq)
        return 0;
    note_missing(scan, seq);
    scan->lines_lost += seq - scan->next;
    scan->lines_unnamed += seq - scan->next;
    if (seq - 1 > scan->header.whole)
        muster__live_quarantine(scan->live);
    return 0;
}

/* ---- whole lines */

static int take_batch(struct scan *scan, const struct muster__journal_line *line, struct muster__batch *batch)
{
    struct muster__change change;
    int code = 0;
    scan->at = (size_t)(line->payload - scan->bytes);
    if (scan->has_bad || line->seq != scan->next)
        code = resolve(scan, line->seq);
    if (code == 0)
        code = muster__live_stage(scan->live, batch->pointers, batch->count, &change);
    if (code != 0)
        return code;
    for (size_t i = 0; i < change.count; i++)
        if (change.entries[i] != NULL)
            change.entries[i]->staged->bytes = line->bytes / change.count;
    muster__live_apply(scan->live, &change);
    scan->next = line->seq + 1;
    return 0;
}

/* MUSTER_ECORRUPT: what stands here isn't a line that can follow. */
static int take_line(struct scan *scan, size_t at)
{
    struct muster__journal_line line;
    struct muster__batch batch;
    if (!muster__journal_get_line(scan->bytes + at, scan->newline - at, &scan->header.id, &line) || line.seq == 0 ||
        line.seq > MUSTER__JOURNAL_SEQ_MAX)
        return MUSTER_ECORRUPT;
    scan->disorder = scan->disorder || line.seq < scan->next;
    if (line.seq < scan->next)
        return MUSTER_ECORRUPT;
    int code = muster__journal_decode(&scan->journal->memory, &line, scan->journal->max_depth, &batch);
    if (code != 0)
        return code;
    code = take_batch(scan, &line, &batch);
    muster__batch_fini(&scan->journal->memory, &batch);
    if (code != 0)
        return code == MUSTER_EINVAL ? MUSTER_ECORRUPT : code;
    scan->last = at;
    scan->end = at + line.bytes;
    if (scan->end < scan->size && scan->bytes[scan->end] != '\n') {
        scan->corrupt = true;
        note(scan, at, "something stands behind the batch");
    }
    scan->end++;
    return 0;
}

/* How many times the size of the file is looked at for lines that begin in the midst of another, before that is given up. */
#define TRIES_MAX 16

/* Where a line may begin, behind one that was damaged: perhaps its newline was, too. */
static size_t next_start(struct scan *scan, size_t at)
{
    const char *from = scan->bytes + at + 1;
    size_t left = scan->newline > at ? scan->newline - at - 1 : 0;
    const char *start = memmem(from, left, LINE_START, strlen(LINE_START));
    if (start == NULL || scan->tried / TRIES_MAX > scan->size)
        return scan->newline < scan->size ? scan->newline + 1 : scan->size;
    at = (size_t)(start - scan->bytes);
    scan->tried += scan->newline - at;
    return at;
}

static void find_newline(struct scan *scan, size_t at)
{
    if (at < scan->newline)
        return;
    const char *newline = memchr(scan->bytes + at, '\n', scan->size - at);
    scan->newline = newline == NULL ? scan->size : (size_t)(newline - scan->bytes);
}

/* Of the next byte that isn't a newline. The space that was written ahead is most of many a file. */
static size_t skip_blank(const struct scan *scan, size_t at)
{
    static const char blank[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
    while (at + sizeof(blank) - 1 <= scan->size && memcmp(scan->bytes + at, blank, sizeof(blank) - 1) == 0)
        at += sizeof(blank) - 1;
    while (at < scan->size && scan->bytes[at] == '\n')
        at++;
    return at;
}

static int take_lines(struct scan *scan, size_t at)
{
    while ((at = skip_blank(scan, at)) < scan->size) {
        find_newline(scan, at);
        int code = take_line(scan, at);
        if (code != 0 && code != MUSTER_ECORRUPT)
            return code;
        if (code == 0) {
            at = scan->end;
            continue;
        }
        scan->bad = scan->has_bad ? scan->bad : at;
        scan->has_bad = true;
        scan->bad_end = at = next_start(scan, at);
    }
    return 0;
}

/* ---- the file */

static int take_header(struct scan *scan, size_t *ret_at, struct muster_error *error)
{
    uint64_t format = 0;
    size_t length;
    int code = muster__journal_get_header(scan->bytes, scan->size, &scan->header, &format, &length);
    if (code == MUSTER_ENOTSUP)
        return muster_error_set(error, code, 0,
                                "%s/%s has format %ju, and this muster knows format %d: use the muster that wrote it",
                                scan->journal->directory, MUSTER__JOURNAL_FILE, (uintmax_t)format, MUSTER__JOURNAL_FORMAT);
    scan->header_lost = scan->corrupt = code != 0;
    if (code != 0)
        note(scan, 0, "the header is damaged");
    scan->next = scan->header.first;
    scan->end = *ret_at = code == 0 ? length + 1 : 0;
    return 0;
}

/* Lines behind the last whole one that were written to their end and are damaged: those were acknowledged. */
static int resolve_tail(struct scan *scan)
{
    uint64_t seq = scan->next;
    size_t at = scan->end;
    bool found = false;
    for (size_t length; at < scan->size && muster__journal_line_complete(scan->bytes + at, scan->size - at, &length);
         at += length + 1) {
        struct muster__journal_line line;
        bool again = muster__journal_get_line(scan->bytes + at, scan->size - at, &scan->header.id, &line) && line.seq < seq;
        seq += again ? 0 : 1;
        found = true;
    }
    if (!found)
        return 0;
    scan->bad_end = at < scan->size ? at : scan->size;
    int code = resolve(scan, seq);
    scan->next = seq;
    return code;
}

/* Lines that were written with the file are never torn, so those that are missing at its end are lost. */
static int finish(struct scan *scan)
{
    int code = 0;
    bool lost = scan->header_lost || scan->next <= scan->header.whole;
    scan->at = scan->size;
    if (!lost && scan->has_bad)
        code = resolve_tail(scan);
    if (lost)
        code = resolve(scan, scan->header_lost ? 0 : scan->header.whole + 1);
    scan->torn = scan->has_bad;
    if (scan->next == 0)
        scan->next = 1;
    if (!scan->header_lost && scan->next <= scan->header.whole)
        scan->next = scan->header.whole + 1;
    return code;
}

/* Each line counts where its number is expected, wherever it stands. */
static int scan_in_order(struct scan *scan, size_t header)
{
    struct muster__buffer ordered = {.memory = &scan->journal->memory};
    struct scan again = {.journal = scan->journal, .live = scan->live, .header = scan->header, .corrupt = true};
    int code = muster__journal_order(&scan->header.id, header, scan->bytes, scan->size, &ordered);
    if (code == 0) {
        muster__live_clear(scan->live);
        again.bytes = ordered.bytes;
        again.size = ordered.used;
        again.next = again.header.first;
        again.end = header;
        code = take_lines(&again, header);
    }
    if (code == 0)
        code = finish(&again);
    muster__buffer_fini(&ordered);
    scan->corrupt = true;
    scan->torn = false;
    scan->next = again.next;
    scan->lines_lost = again.lines_lost;
    scan->lines_unnamed = again.lines_unnamed;
    return code;
}

static int run_scan(struct scan *scan, struct muster_error *error)
{
    size_t at = 0;
    int code = take_header(scan, &at, error);
    if (code != 0)
        return code;
    code = take_lines(scan, at);
    if (code == 0)
        code = finish(scan);
    if (code == 0 && scan->disorder && !scan->header_lost)
        code = scan_in_order(scan, at);
    if (code == MUSTER_ENOMEM)
        return muster__journal_failed(scan->journal, error, ENOMEM, "read", MUSTER__JOURNAL_FILE);
    if (code != 0)
        return muster_error_set(error, code, 0, "read %s/%s: %s", scan->journal->directory, MUSTER__JOURNAL_FILE,
                                muster_code_text(code));
    return 0;
}

static int count_quarantined(void *data, const struct muster_record *record)
{
    size_t *count = data;
    *count += (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    return 0;
}

/* What a corrupt file has cost, for people. */
static void describe(const struct scan *scan, struct muster_error *error, const char *kept)
{
    size_t quarantined = 0;
    muster__live_foreach(scan->live, count_quarantined, &quarantined);
    muster_error_set(error, MUSTER_ECORRUPT, 0,
                     "%s/%s %s corrupt: %s%ju batches lost, %ju of them without a trace of what they named, "
                     "%zu records are quarantined%s%s",
                     scan->journal->directory, MUSTER__JOURNAL_FILE, kept == NULL ? "is" : "was",
                     scan->header_lost ? "header lost, " : "",
                     (uintmax_t)scan->lines_lost, (uintmax_t)scan->lines_unnamed, quarantined,
                     kept == NULL ? "" : ", the damaged file is kept as ", kept == NULL ? "" : kept);
}

/* Keep the evidence, under a name that nothing has. */
static int keep_damaged(const struct scan *scan, char name[64], struct muster_error *error)
{
    int code = MUSTER_EEXIST;
    for (unsigned i = 0; i < 10000 && code == MUSTER_EEXIST; i++) {
        snprintf(name, 64, "quarantine-%ju-%u", (uintmax_t)scan->next - 1, i);
        code = muster__journal_keep_copy(scan->journal, name, scan->bytes, scan->size, error);
    }
    if (code == MUSTER_EEXIST)
        return muster_error_set(error, MUSTER_EIO, 0, "create %s/%s: there are too many", scan->journal->directory, name);
    return code;
}

/* Of the first line in a fresh file: numbers come to an end, and may begin again where the id is another. */
static uint64_t fresh_start(const struct scan *scan)
{
    return scan->next > MUSTER__JOURNAL_SEQ_MAX / 2 ? 1 : scan->next;
}

/* The damaged file goes aside, and a fresh one with what is left takes its place. */
static int repair(struct scan *scan, struct muster_error *error)
{
    struct muster__journal *journal = scan->journal;
    char name[64];
    int code = keep_damaged(scan, name, error);
    if (code != 0)
        return code;
    describe(scan, &journal->lost, name);
    journal->next = fresh_start(scan);
    code = muster__journal_replace(journal, error);
    if (code != 0 && code != MUSTER_EINDETERMINATE)
        journal->calls->unlinkat(journal->directory_fd, name, 0);
    return code;
}

/*
 * A daemon that died may have left its last line in the page cache alone, and even a failed sync behind it:
 * so that line is written once more, with newlines over a torn tail, and made durable.
 */
static int settle(struct scan *scan, struct muster_error *error)
{
    struct muster__journal *journal = scan->journal;
    uint64_t blank_end = scan->torn ? scan->bad_end : scan->end;
    size_t last = scan->end - scan->last - 1;
    journal->id = scan->header.id;
    journal->next = fresh_start(scan);
    if (journal->next != scan->next)
        return muster__journal_replace(journal, error);
    journal->end = scan->end;
    journal->size = scan->size > scan->end ? scan->size : scan->end;
    if ((scan->last != 0 && muster__journal_write_all(journal, journal->fd, scan->bytes + scan->last, last, scan->last) != 0) ||
        muster__journal_write_blank(journal, journal->fd, scan->end - 1, blank_end) != 0)
        muster__journal_failed(journal, error, errno, "write", MUSTER__JOURNAL_FILE);
    else if (journal->calls->fdatasync(journal->fd) != 0)
        muster__journal_failed(journal, error, errno, "fdatasync", MUSTER__JOURNAL_FILE);
    else if (journal->calls->fsync(journal->directory_fd) != 0)
        muster__journal_failed(journal, error, errno, "fsync", "");
    else
        return 0;
    journal->poisoned = true;
    return muster__journal_replace(journal, error);
}

static int scan_file(struct muster__journal *journal, struct scan *scan, int fd, struct muster_error *error)
{
    char *bytes;
    int code = muster__journal_read_all(journal, fd, &bytes, &scan->size, error);
    if (code != 0)
        return code;
    scan->journal = journal;
    scan->bytes = bytes;
    code = run_scan(scan, error);
    if (code != 0) {
        muster__free(&journal->memory, bytes);
        scan->bytes = NULL;
    }
    return code;
}

int muster__journal_read(struct muster__journal *journal, struct muster_error *error)
{
    struct scan scan = {.live = &journal->live};
    int code;
    muster__error_init(&journal->lost);
    journal->fd = muster__journal_open_file(journal, MUSTER__JOURNAL_FILE, &code, error);
    if (code != 0)
        return code;
    if (journal->fd < 0) {
        journal->next = 1;
        code = muster__journal_sync_parent(journal, error);
        return code != 0 ? code : muster__journal_replace(journal, error);
    }
    code = scan_file(journal, &scan, journal->fd, error);
    if (code != 0)
        return code;
    code = scan.corrupt ? repair(&scan, error) : settle(&scan, error);
    muster__free(&journal->memory, scan.bytes);
    return code;
}

/* ---- without changing anything */

/* How often, at most. */
#define LOOKS 8

static int look_once(struct muster__journal *journal, struct scan *scan, struct muster_error *error)
{
    int code;
    int fd = muster__journal_open_file(journal, MUSTER__JOURNAL_FILE, &code, error);
    if (fd < 0)
        return code != 0 ? code : muster__journal_failed(journal, error, ENOENT, "open", MUSTER__JOURNAL_FILE);
    code = scan_file(journal, scan, fd, error);
    journal->calls->close(fd);
    return code;
}

/*
 * While we read a daemon may write, so that an earlier line is seen half and a later one whole. What looks wrong
 * is looked at again, until the file is found twice the same. scan->bytes is the caller's to free, also on failure.
 */
static int look(struct muster__journal *journal, struct scan *scan, struct muster_error *error)
{
    const struct scan empty = {.journal = journal, .live = scan->live, .notes = scan->notes};
    for (int looks = 1;; looks++) {
        struct scan again = empty;
        forget_notes(scan);
        muster__live_clear(scan->live);
        int code = look_once(journal, &again, error);
        bool same = code == 0 && scan->bytes != NULL && again.bytes != NULL && again.size == scan->size &&
                    memcmp(again.bytes, scan->bytes, scan->size) == 0;
        muster__free(&journal->memory, scan->bytes);
        if (code != 0) {
            forget_notes(&again);
            *scan = empty;
            return code;
        }
        *scan = again;
        if (same || looks == LOOKS || !(scan->corrupt || scan->torn))
            return 0;
    }
}

int muster__journal_read_only(struct muster__journal *journal, struct muster_error *error)
{
    struct scan scan = {.live = &journal->live};
    muster__error_init(&journal->lost);
    int code = look(journal, &scan, error);
    if (code == 0 && scan.corrupt)
        describe(&scan, &journal->lost, NULL);
    muster__free(&journal->memory, scan.bytes);
    return code;
}

int muster__journal_verify(struct muster__journal *journal, struct muster_error *error)
{
    struct muster__live live;
    struct scan scan = {.live = &live, .notes = true};
    muster__live_init(&live, &journal->memory);
    int code = look(journal, &scan, error);
    if (code == 0 && scan.corrupt) {
        describe(&scan, error, NULL);
        error->next = scan.noted;
        code = MUSTER_ECORRUPT;
    } else if (code == 0 && scan.torn && !(journal->read_only && muster__journal_is_held(journal))) {
        code = muster_error_set(error, MUSTER_ECORRUPT, 0, "%s/%s has a torn tail at byte %zu, in line %zu", journal->directory,
                                MUSTER__JOURNAL_FILE, scan.end, line_number(&scan, scan.end));
    }
    muster__free(&journal->memory, scan.bytes);
    muster__live_clear(&live);
    return code;
}

/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store/crc32c.h"

/* What is encoded, summed and written at once: it stays in the processor's cache. */
#define CHUNK ((size_t)128 * 1024)
#define ROOM ((size_t)MUSTER__JOURNAL_FRAME_ROOM)
/*
 * A chunk ends where one of these does in the file, so that none is ever written in part: what a power failure leaves out is
 * whole sectors, by which a torn tail is told from damage.
 */
#define BLOCK ((size_t)4096)
/* So much is written before the disk is told to begin with it. */
#define EARLY (4 * CHUNK)

/*
 * A batch on its way into the file. In the journal's buffer there is room for the frame, then the first chunk, which stays there
 * until all else is in the file, then the chunk that grows.
 */
struct line {
    struct muster__journal *journal;
    const struct muster_record *const *records;
    size_t count;
    /* How long the frame is; guessed before the second chunk is written, whose place depends on it. 0: not yet. */
    size_t frame;
    /* Where the first chunk ends in the buffer, or the room for the frame where the first is the one that grows. */
    size_t held;
    /* So many bytes behind the first chunk are in the file. */
    size_t written;
    /* And of so many the disk has been told. */
    size_t early;
    /* Over the payload, without the chunk that grows. */
    uint32_t crc;
};

int muster__journal_refused(const struct muster__journal *journal, int code, struct muster_error *error)
{
    if (code == MUSTER_ENOMEM)
        return muster__journal_failed(journal, error, ENOMEM, "commit to", MUSTER__JOURNAL_FILE);
    return muster_error_set(error, code, 0,
                            "commit: a record without a key, not in UTF-8, too long, too deep, or with unknown flags");
}

/* ---- the chunks */

/* Of the line, with its newline, once all is encoded. */
static size_t line_length(const struct line *line)
{
    return line->frame + (line->journal->buffer.used - ROOM) + line->written + 1;
}

/* Before `payload` bytes. Returns its length. */
static size_t write_frame(const struct line *line, size_t payload, char frame[MUSTER__JOURNAL_FRAME_ROOM])
{
    return muster__journal_write_frame(frame, line->journal->next, payload, line->crc);
}

static int too_large(const struct muster__journal *journal, struct muster_error *error)
{
    return muster__journal_failed(journal, error, EFBIG, "max_size is reached: write", MUSTER__JOURNAL_FILE);
}

/* Where byte `behind` of those behind the first chunk goes. */
static uint64_t position(const struct line *line, size_t behind)
{
    return line->journal->end + line->frame + (line->held - ROOM) + behind;
}

/* The disk is busy while the rest is encoded, and the sync that comes finds less to do. Where this can't be had it does all. */
static int begin_early(struct line *line, struct muster_error *error)
{
    const struct muster__journal *journal = line->journal;
    const unsigned flags = SYNC_FILE_RANGE_WRITE;
    off_t from = (off_t)position(line, line->early);
    off_t count = (off_t)(line->written - line->early);
    line->early = line->written;
    if (journal->calls->sync_file_range(journal->fd, from, count, flags) == 0 || errno == ENOSYS || errno == EPERM)
        return 0;
    return muster__journal_failed(journal, error, errno, "sync_file_range", MUSTER__JOURNAL_FILE);
}

/* Write the chunk that grows, but for its last `rest` bytes: the next begins with them. Without a sync the file is done with. */
static int write_chunk(struct line *line, size_t rest, struct muster_error *error)
{
    struct muster__journal *journal = line->journal;
    struct muster__buffer *buffer = &journal->buffer;
    uint64_t at = position(line, line->written);
    size_t count = buffer->used - line->held - rest;
    if (at + count > journal->max_size)
        return too_large(journal, error);
    journal->poisoned = true;
    if (muster__journal_write_all(journal, journal->fd, buffer->bytes + line->held, count, at) != 0)
        return muster__journal_failed(journal, error, errno, "write", MUSTER__JOURNAL_FILE);
    line->written += count;
    memmove(buffer->bytes + line->held, buffer->bytes + line->held + count, rest);
    buffer->used = line->held + rest;
    return line->written - line->early < EARLY ? 0 : begin_early(line, error);
}

/* Sum up the chunk that grows, but for `but` bytes at its end. */
static void sum(struct line *line, size_t but)
{
    const struct muster__buffer *buffer = &line->journal->buffer;
    line->crc = muster__crc32c(line->crc, buffer->bytes + line->held, buffer->used - line->held - but);
}

/* It is full, after `done` records. From the first chunk it is guessed how long all will be. */
static int end_chunk(struct line *line, size_t done, struct muster_error *error)
{
    char frame[MUSTER__JOURNAL_FRAME_ROOM];
    size_t used = line->journal->buffer.used;
    if (line->frame == 0)
        line->frame = write_frame(line, (used - ROOM) / done * line->count, frame);
    size_t rest = (size_t)(position(line, line->written + used - line->held) % BLOCK);
    sum(line, rest);
    if (line->held > ROOM)
        return write_chunk(line, rest, error);
    line->held = used - rest;
    return 0;
}

/*
 * What can't be encoded is left in the buffer's code. No chunk ends with the last record: with what closes the line that is
 * written in any case, and covers what a wrong guess has put further on.
 */
static int encode(struct line *line, struct muster_error *error)
{
    struct muster__journal *journal = line->journal;
    struct muster__buffer *buffer = &journal->buffer;
    muster__buffer_reset(buffer);
    buffer->used = muster__buffer_room(buffer, ROOM) == NULL ? 0 : ROOM;
    line->held = buffer->used;
    line->written = line->early = 0;
    line->crc = muster__journal_payload_begins(&journal->id, journal->next);
    for (size_t i = 0; i < line->count && buffer->code == 0; i++) {
        const uint64_t place[2] = {i, line->count};
        muster__journal_put_record(buffer, &journal->id, journal->next, place, line->records[i]);
        bool full = buffer->code == 0 && i + 1 < line->count && buffer->used - line->held >= CHUNK;
        int code = full ? end_chunk(line, i + 1, error) : 0;
        if (code != 0)
            return code;
    }
    muster__buffer_puts(buffer, "]}");
    if (buffer->code != 0)
        return muster__journal_refused(journal, buffer->code, error);
    sum(line, 1);
    return 0;
}

/* ---- the line */

/*
 * Write space ahead, up to where the line ends or beyond: a commit must not change the size of the file. Only from the line's
 * newline on: what comes before is written, too, and the sync that makes it durable does the same for the space.
 */
static int grow(struct muster__journal *journal, size_t count, struct muster_error *error)
{
    uint64_t end = journal->end + count;
    if (end <= journal->size)
        return 0;
    if (end > journal->max_size)
        return too_large(journal, error);
    uint64_t size = (end / journal->step + 1) * journal->step;
    size = size < journal->max_size ? size : journal->max_size;
    if (muster__journal_write_blank(journal, journal->fd, end - 1, size) != 0)
        return muster__journal_failed(journal, error, errno, "write space ahead in", MUSTER__JOURNAL_FILE);
    journal->size = size;
    return 0;
}

static int sync_file(const struct muster__journal *journal, struct muster_error *error)
{
    if (journal->calls->fdatasync(journal->fd) == 0)
        return 0;
    return muster__journal_failed(journal, error, errno, "fdatasync", MUSTER__JOURNAL_FILE);
}

/*
 * Encode all, and write what is behind the first chunk. Where the frame's length was guessed wrong once more, to another place;
 * that is synced then: a sector must never hold what was there before if the first chunk is in the file.
 */
static int write_behind(struct line *line, struct muster_error *error)
{
    char frame[MUSTER__JOURNAL_FRAME_ROOM];
    int code = encode(line, error);
    if (code != 0)
        return code;
    size_t guessed = line->frame;
    line->frame = write_frame(line, line->written + line->journal->buffer.used - ROOM - 1, frame);
    if (line->written == 0)
        return grow(line->journal, line_length(line), error);
    bool again = line->frame != guessed;
    code = again ? encode(line, error) : 0;
    if (code == 0)
        code = grow(line->journal, line_length(line), error);
    if (code == 0)
        code = write_chunk(line, 0, error);
    return code == 0 && again ? sync_file(line->journal, error) : code;
}

/*
 * The line isn't whole without its frame, so this is written last. The newline behind it is there before it: what was written
 * in part must not be whole for want of a newline alone.
 */
static int write_first(const struct line *line, struct muster_error *error)
{
    const struct muster__journal *journal = line->journal;
    char frame[MUSTER__JOURNAL_FRAME_ROOM];
    char *begin = journal->buffer.bytes + ROOM - line->frame;
    write_frame(line, line->written + journal->buffer.used - ROOM - 1, frame);
    memcpy(begin, frame, line->frame);
    if (muster__journal_write_all(journal, journal->fd, begin, line->frame + journal->buffer.used - ROOM, journal->end) != 0)
        return muster__journal_failed(journal, error, errno, "write", MUSTER__JOURNAL_FILE);
    return 0;
}

int muster__journal_append(struct muster__journal *journal, const struct muster_record *const *records, size_t count,
                           bool *ret_whole, struct muster_error *error)
{
    struct line line = {.journal = journal, .records = records, .count = count};
    *ret_whole = false;
    int code = write_behind(&line, error);
    if (code == 0)
        code = write_first(&line, error);
    if (code != 0)
        return code;
    *ret_whole = true;
    code = sync_file(journal, error);
    if (code != 0)
        return code;
    journal->end += line_length(&line);
    journal->next++;
    journal->poisoned = false;
    return 0;
}

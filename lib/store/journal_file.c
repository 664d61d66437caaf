/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- opening and reading */

int muster__journal_check_file(const struct muster__journal *journal, int fd, const char *file,
                               struct muster_error *error)
{
    struct stat stat;
    if (journal->calls->fstat(fd, &stat) != 0)
        return muster__journal_failed(journal, error, errno, "stat", file);
    const char *wrong = NULL;
    if (!S_ISREG(stat.st_mode))
        wrong = "isn't a regular file: move it away";
    else if (journal->read_only)
        return 0;
    else if (stat.st_nlink != 1)
        wrong = "has more than one link, or none: copy it, and put the copy in its place";
    else if (stat.st_uid != geteuid())
        wrong = "belongs to another user: chown it";
    else if ((stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        wrong = "can be written by others: chmod 0600 it";
    if (wrong == NULL)
        return 0;
    return muster_error_set(error, MUSTER_EINVAL, 0, "%s/%s %s", journal->directory, file, wrong);
}

int muster__journal_open_file(const struct muster__journal *journal, const char *file, int *ret_code,
                              struct muster_error *error)
{
    int access = journal->read_only ? O_RDONLY : O_RDWR;
    int fd = journal->calls->openat(journal->directory_fd, file, access | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
    *ret_code = 0;
    if (fd >= 0)
        *ret_code = muster__journal_check_file(journal, fd, file, error);
    else if (errno == ELOOP)
        *ret_code = muster_error_set(error, MUSTER_EINVAL, ELOOP, "%s/%s is a symbolic link: put a file in its place",
                                     journal->directory, file);
    else if (errno == EISDIR)
        *ret_code = muster_error_set(error, MUSTER_EINVAL, EISDIR, "%s/%s isn't a regular file: move it away",
                                     journal->directory, file);
    else if (errno != ENOENT)
        *ret_code = muster__journal_failed(journal, error, errno, "open", file);
    if (*ret_code == 0 || fd < 0)
        return fd;
    journal->calls->close(fd);
    return -1;
}

/* All of it, or -1 and errno: a file that says it is longer than what it gives can't be read. */
static int read_bytes(const struct muster__journal *journal, int fd, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = journal->calls->pread(fd, bytes + done, size - done, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return -1;
        }
        done += (size_t)got;
    }
    return 0;
}

int muster__journal_read_all(const struct muster__journal *journal, int fd, char **ret_bytes, size_t *ret_size,
                             struct muster_error *error)
{
    struct stat stat;
    if (journal->calls->fstat(fd, &stat) != 0)
        return muster__journal_failed(journal, error, errno, "stat", MUSTER__JOURNAL_FILE);
    if ((uint64_t)stat.st_size > journal->max_size)
        return muster_error_set(error, MUSTER_EIO, EFBIG, "read %s/%s: %ju bytes, and max_size is %ju", journal->directory,
                                MUSTER__JOURNAL_FILE, (uintmax_t)stat.st_size, (uintmax_t)journal->max_size);
    char *bytes = journal->memory.alloc(journal->memory.data, (size_t)stat.st_size + 1);
    if (bytes == NULL)
        return muster__journal_failed(journal, error, ENOMEM, "read", MUSTER__JOURNAL_FILE);
    if (read_bytes(journal, fd, bytes, (size_t)stat.st_size) != 0) {
        int sys_errno = errno;
        muster__free(&journal->memory, bytes);
        return muster__journal_failed(journal, error, sys_errno, "read", MUSTER__JOURNAL_FILE);
    }
    *ret_bytes = bytes;
    *ret_size = (size_t)stat.st_size;
    return 0;
}

/* ---- writing */

int muster__journal_write_all(const struct muster__journal *journal, int fd, const char *bytes, size_t count,
                              uint64_t offset)
{
    while (count > 0) {
        ssize_t done = journal->calls->pwrite(fd, bytes, count, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = done == 0 ? EIO : errno;
            return -1;
        }
        bytes += done;
        count -= (size_t)done;
        offset += (uint64_t)done;
    }
    return 0;
}

int muster__journal_write_blank(const struct muster__journal *journal, int fd, uint64_t offset, uint64_t end)
{
    char blank[8192];
    memset(blank, '\n', sizeof(blank));
    while (offset < end) {
        size_t count = end - offset < sizeof(blank) ? (size_t)(end - offset) : sizeof(blank);
        if (muster__journal_write_all(journal, fd, blank, count, offset) != 0)
            return -1;
        offset += count;
    }
    return 0;
}

/* Close a file that was written: that may fail, too. -1 and errno. */
static int close_written(const struct muster__journal *journal, int fd)
{
    return journal->calls->close(fd) != 0 && errno != EINTR ? -1 : 0;
}

/* -1 and errno. */
static int create(const struct muster__journal *journal, const char *file)
{
    return journal->calls->openat(journal->directory_fd, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int muster__journal_keep_copy(const struct muster__journal *journal, const char *file, const char *bytes, size_t size,
                              struct muster_error *error)
{
    int fd = create(journal, file);
    if (fd < 0 && errno == EEXIST)
        return MUSTER_EEXIST;
    if (fd < 0)
        return muster__journal_failed(journal, error, errno, "create", file);
    int code = 0;
    if (muster__journal_write_all(journal, fd, bytes, size, 0) != 0)
        code = muster__journal_failed(journal, error, errno, "write", file);
    else if (journal->calls->fsync(fd) != 0)
        code = muster__journal_failed(journal, error, errno, "fsync", file);
    if (close_written(journal, fd) != 0 && code == 0)
        code = muster__journal_failed(journal, error, errno, "close", file);
    if (code != 0)
        journal->calls->unlinkat(journal->directory_fd, file, 0);
    return code;
}

/* ---- a fresh file */

/* The file that is to take the journal's place. */
struct fresh {
    struct muster__journal *journal;
    int fd;
    struct muster__journal_header header;
    uint64_t next;
    uint64_t end;
    uint64_t size;
};

/* What is written at once. */
#define CHUNK ((size_t)256 * 1024)

static int flush(struct fresh *fresh, struct muster_error *error)
{
    struct muster__journal *journal = fresh->journal;
    struct muster__buffer *buffer = &journal->buffer;
    if (buffer->code == MUSTER_ENOMEM)
        return muster__journal_failed(journal, error, ENOMEM, "write", MUSTER__JOURNAL_TEMPORARY);
    if (buffer->code != 0)
        return muster_error_set(error, buffer->code, 0, "write %s/%s: %s", journal->directory, MUSTER__JOURNAL_TEMPORARY,
                                muster_code_text(buffer->code));
    if (fresh->end + buffer->used > journal->max_size)
        return muster__journal_failed(journal, error, EFBIG, "max_size is reached: write", MUSTER__JOURNAL_FILE);
    if (muster__journal_write_all(journal, fresh->fd, buffer->bytes, buffer->used, fresh->end) != 0)
        return muster__journal_failed(journal, error, errno, "write", MUSTER__JOURNAL_TEMPORARY);
    fresh->end += buffer->used;
    muster__buffer_reset(buffer);
    return 0;
}

static uint64_t count_live(const struct muster__live *live)
{
    uint64_t count = 0;
    for (const struct muster__list *link = live->entries.next; link != &live->entries; link = link->next)
        count += muster__live_coming(muster__container(link, struct muster__live_entry, link)) != NULL;
    return count;
}

/* One line a record: damage to one must not take others with it. */
static int write_live(struct fresh *fresh, struct muster_error *error)
{
    struct muster__journal *journal = fresh->journal;
    struct muster__buffer *buffer = &journal->buffer;
    for (struct muster__list *link = journal->live.entries.next; link != &journal->live.entries; link = link->next) {
        struct muster__live_entry *entry = muster__container(link, struct muster__live_entry, link);
        struct muster__version *version = muster__live_coming(entry);
        if (version == NULL)
            continue;
        const struct muster_record *record = &version->is;
        size_t before = buffer->used;
        muster__journal_put_line(buffer, &fresh->header.id, fresh->next++, &record, 1);
        muster__live_weigh(&journal->live, entry, version, buffer->used - before);
        int code = buffer->used < CHUNK && buffer->code == 0 ? 0 : flush(fresh, error);
        if (code != 0)
            return code;
    }
    return 0;
}

static int write_fresh(struct fresh *fresh, struct muster_error *error)
{
    struct muster__journal *journal = fresh->journal;
    muster__buffer_reset(&journal->buffer);
    muster__journal_put_header(&journal->buffer, &fresh->header);
    int code = write_live(fresh, error);
    if (code == 0)
        code = flush(fresh, error);
    if (code != 0)
        return code;
    uint64_t size = (fresh->end / MUSTER__JOURNAL_STEP + 1) * MUSTER__JOURNAL_STEP;
    fresh->size = size < journal->max_size ? size : journal->max_size;
    if (muster__journal_write_blank(journal, fresh->fd, fresh->end, fresh->size) != 0)
        return muster__journal_failed(journal, error, errno, "write", MUSTER__JOURNAL_TEMPORARY);
    if (journal->calls->fsync(fresh->fd) != 0)
        return muster__journal_failed(journal, error, errno, "fsync", MUSTER__JOURNAL_TEMPORARY);
    return 0;
}

static int random_id(const struct muster__journal *journal, struct muster__journal_id *ret_id, struct muster_error *error)
{
    ssize_t got;
    do
        got = journal->calls->getrandom(ret_id->bytes, sizeof(ret_id->bytes), 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(ret_id->bytes))
        return muster__journal_failed(journal, error, got < 0 ? errno : EIO, "random numbers for", MUSTER__JOURNAL_FILE);
    return 0;
}

/* The temporary, whole, durable and closed; or removed again. */
static int make_fresh(struct fresh *fresh, struct muster_error *error)
{
    struct muster__journal *journal = fresh->journal;
    int code = random_id(journal, &fresh->header.id, error);
    if (code != 0)
        return code;
    fresh->header.first = journal->next;
    fresh->header.whole = journal->next + count_live(&journal->live) - 1;
    fresh->next = journal->next;
    fresh->fd = create(journal, MUSTER__JOURNAL_TEMPORARY);
    if (fresh->fd < 0 && errno == EEXIST && journal->calls->unlinkat(journal->directory_fd, MUSTER__JOURNAL_TEMPORARY, 0) == 0)
        fresh->fd = create(journal, MUSTER__JOURNAL_TEMPORARY);
    if (fresh->fd < 0)
        return muster__journal_failed(journal, error, errno, "create", MUSTER__JOURNAL_TEMPORARY);
    code = write_fresh(fresh, error);
    if (close_written(journal, fresh->fd) != 0 && code == 0)
        code = muster__journal_failed(journal, error, errno, "close", MUSTER__JOURNAL_TEMPORARY);
    if (code != 0)
        journal->calls->unlinkat(journal->directory_fd, MUSTER__JOURNAL_TEMPORARY, 0);
    return code;
}

/* Where the temporary can be removed it had not taken the place of the journal, whatever the rename said. */
static int rename_failed(const struct muster__journal *journal, int sys_errno, struct muster_error *error)
{
    bool still_there = journal->calls->unlinkat(journal->directory_fd, MUSTER__JOURNAL_TEMPORARY, 0) == 0;
    muster__journal_failed(journal, error, sys_errno, "rename", MUSTER__JOURNAL_TEMPORARY);
    if (still_there)
        return muster_error_code(error);
    error->code = MUSTER_EINDETERMINATE;
    return MUSTER_EINDETERMINATE;
}

/* From here on the fresh file is the journal. */
static void use_fresh(struct muster__journal *journal, const struct fresh *fresh)
{
    int code;
    if (journal->fd >= 0)
        journal->calls->close(journal->fd);
    journal->fd = muster__journal_open_file(journal, MUSTER__JOURNAL_FILE, &code, NULL);
    journal->id = fresh->header.id;
    journal->next = fresh->next;
    journal->end = fresh->end;
    journal->size = fresh->size;
    journal->poisoned = journal->fd < 0;
    journal->indeterminate = false;
    journal->compact_at = 0;
}

int muster__journal_replace(struct muster__journal *journal, struct muster_error *error)
{
    struct fresh fresh = {.journal = journal};
    int code = make_fresh(&fresh, error);
    muster__buffer_reset(&journal->buffer);
    if (code != 0)
        return code;
    if (journal->calls->renameat(journal->directory_fd, MUSTER__JOURNAL_TEMPORARY, journal->directory_fd,
                                 MUSTER__JOURNAL_FILE) != 0)
        code = rename_failed(journal, errno, error);
    else if (journal->calls->fsync(journal->directory_fd) != 0) {
        muster__journal_failed(journal, error, errno, "fsync", "");
        code = MUSTER_EINDETERMINATE;
        error->code = code;
    }
    if (code == 0)
        use_fresh(journal, &fresh);
    else if (code == MUSTER_EINDETERMINATE)
        journal->poisoned = true;
    return code;
}

/* SPDX-License-Identifier: MIT */
/*
 * The journal: its state, shared by its files. The format and the rules of recovery are in journal.md.
 *
 *     journal.c            the store's callbacks, and what a commit does
 *     journal_append.c     a batch behind the last one, in chunks
 *     journal_directory.c  the state directory and its lock
 *     journal_file.c       reading, writing and replacing the file
 *     journal_read.c       what a file says: torn tail, corruption, quarantine
 *     journal_order.c      lines that are out of order, in order
 *     journal_line.c       the frame of a line, and the header
 *     journal_encode.c     records to JSON
 *     journal_decode.c     JSON to records
 */
#ifndef MUSTER__JOURNAL_H
#define MUSTER__JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <muster/store.h>

#include "base/error.h"
#include "store/journal_calls.h"
#include "store/journal_line.h"
#include "store/live.h"

#define MUSTER__JOURNAL_FILE "journal"
#define MUSTER__JOURNAL_TEMPORARY "journal.new"

/* Space is written ahead in steps of this many bytes. */
#define MUSTER__JOURNAL_STEP ((uint64_t)256 * 1024)

struct muster__journal {
    struct muster__memory memory;
    const struct muster__journal_calls *calls;
    char *directory;
    uint64_t max_size;
    uint64_t compact_size;
    size_t max_depth;
    /* MUSTER__JOURNAL_STEP; a test may have less of it. */
    uint64_t step;

    /* No lock is held, and nothing is changed. */
    bool read_only;
    /* -1: not open. */
    int directory_fd;
    int lock_fd;
    int fd;

    struct muster__journal_id id;
    /* The sequence number of the next line. */
    uint64_t next;
    /* Where it goes, and where the space that was written ahead ends. */
    uint64_t end;
    uint64_t size;
    /*
     * A write or a sync on `fd` failed or is still to come, or the file isn't what it should be: write a fresh one
     * before anything else.
     */
    bool poisoned;
    /* The last commit may be in the file or not: what is in memory is not yet the truth. */
    bool indeterminate;
    /* Don't compact before the file has grown to this. */
    uint64_t compact_at;

    /* The acknowledged records. */
    struct muster__live live;
    struct muster__buffer buffer;
    /* What reading the file has lost; code 0: nothing. */
    struct muster_error lost;
};

/* muster_store_journal_new() with system calls of one's own, which must outlive the store. */
int muster__journal_new(const char *directory, const struct muster_journal_options *options,
                        const struct muster__journal_calls *calls, struct muster_store **ret_store);

/*
 * Fill `error`: "write /var/lib/x/journal: No space left on device". Returns MUSTER_EIO, or MUSTER_ENOMEM for
 * that errno.
 */
int muster__journal_failed(const struct muster__journal *journal, struct muster_error *error, int sys_errno,
                           const char *operation, const char *file);

/* ---- journal_append.c */

/* Say that a batch can't be kept: MUSTER_EINVAL, or MUSTER_ENOMEM. Returns the code. */
int muster__journal_refused(const struct muster__journal *journal, int code, struct muster_error *error);
/*
 * Write a line with these records behind the last one, and sync it. *ret_whole: it failed when all of the line was in the file
 * already. Where the batch can't be kept the buffer's code says so; the journal is poisoned then if some of it was written.
 */
int muster__journal_append(struct muster__journal *journal, const struct muster_record *const *records, size_t count,
                           bool *ret_whole, struct muster_error *error);

/* ---- journal_directory.c */

/* Open the directory, made if missing, and take the lock. On failure nothing stays open. */
int muster__journal_lock(struct muster__journal *journal, struct muster_error *error);
/*
 * Make the directory durable in its parent: before it has a journal, since whoever made it may have died before that. Where the
 * parent may not be read, whoever made it had to see to it.
 */
int muster__journal_sync_parent(const struct muster__journal *journal, struct muster_error *error);
/* Open the directory, which must be there, and take no lock. On failure nothing stays open. */
int muster__journal_enter(struct muster__journal *journal, struct muster_error *error);
/* Does a daemon have it, as far as can be told? For who has no lock. */
bool muster__journal_is_held(const struct muster__journal *journal);
/* Give the lock back, also when children have inherited it. */
int muster__journal_unlock(struct muster__journal *journal, struct muster_error *error);
/* Close whatever is open and change nothing on disk. */
void muster__journal_close_all(struct muster__journal *journal);

/* ---- journal_file.c */

/*
 * Is an open file regular, with one link, ours, and written by nobody else? To be read only it need be regular.
 * MUSTER_EINVAL: it isn't.
 */
int muster__journal_check_file(const struct muster__journal *journal, int fd, const char *file,
                               struct muster_error *error);
/* Fill `error` for an open that failed. MUSTER_EINVAL: what is there is no file; MUSTER_EIO, MUSTER_ENOMEM. */
int muster__journal_not_opened(const struct muster__journal *journal, struct muster_error *error, int sys_errno,
                               const char *file);
/* Open and check a file of the directory. -1 with *ret_code 0: there is none. */
int muster__journal_open_file(const struct muster__journal *journal, const char *file, int *ret_code,
                              struct muster_error *error);
/* The whole file in *ret_bytes (the caller frees it), which is a line longer than *ret_size. */
int muster__journal_read_all(const struct muster__journal *journal, int fd, char **ret_bytes, size_t *ret_size,
                             struct muster_error *error);
/* All of it, or -1 and errno. */
int muster__journal_write_all(const struct muster__journal *journal, int fd, const char *bytes, size_t count,
                              uint64_t offset);
/* Write newlines, until `end`. -1 and errno. */
int muster__journal_write_blank(const struct muster__journal *journal, int fd, uint64_t offset, uint64_t end);
/* A new file that must not be there yet, with these bytes, durable. *ret_exists: there was one. */
int muster__journal_keep_copy(const struct muster__journal *journal, const char *file, const char *bytes, size_t size,
                              struct muster_error *error);

/*
 * Put a fresh file in the journal's place, with the live records and what is staged. MUSTER_EINDETERMINATE:
 * it can't be told whether it has taken the place of the old one. Any other failure: it has not.
 */
int muster__journal_replace(struct muster__journal *journal, struct muster_error *error);

/* ---- journal_order.c */

/*
 * Append a file of these bytes to `ordered`, with its whole lines in the order of their numbers and each once, and what isn't
 * whole behind the line that it stood behind. `header`: where the first line's newline ends. MUSTER_ENOMEM.
 */
int muster__journal_order(const struct muster__journal_id *id, size_t header, const char *bytes, size_t size,
                          struct muster__buffer *ordered);

/* ---- journal_read.c */

/* Read the file, or make one; repair it if it needs that. */
int muster__journal_read(struct muster__journal *journal, struct muster_error *error);
/* Read it and change nothing, beside a daemon that may be writing to it. */
int muster__journal_read_only(struct muster__journal *journal, struct muster_error *error);
/* Read it and change nothing: MUSTER_ECORRUPT says what is wrong, with a sibling for each problem. */
int muster__journal_verify(struct muster__journal *journal, struct muster_error *error);

#endif

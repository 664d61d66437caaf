/* SPDX-License-Identifier: MIT */
/*
 * The limit: nothing but the bytes. A file with space that was written ahead; a batch is packed, checksummed and written
 * in pieces that stay in the processor's cache, with its length and its CRC32C at its end, and synced once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"
#include "store/crc32c.h"

#define AHEAD ((size_t)1024 * 1024)
#define PIECE ((size_t)256 * 1024)

struct limit {
    char path[4096];
    int fd;
    off_t end;
    uint32_t crc;
    size_t used;
    char piece[PIECE + STORE_PACKED_MAX];
};

/* What ends a batch. */
struct frame {
    uint64_t length;
    uint32_t crc;
};

static int failed(const char *operation)
{
    return store_failed("limit", operation, strerror(errno));
}

static int write_all(int fd, const char *bytes, size_t count, off_t offset)
{
    for (ssize_t done; count > 0; bytes += done, count -= (size_t)done, offset += done)
        if ((done = pwrite(fd, bytes, count, offset)) <= 0)
            return failed("write");
    return 0;
}

static int make(const char *directory, void **ret_self)
{
    struct limit *limit = calloc(1, sizeof(*limit));
    if (limit == NULL)
        return failed("make");
    snprintf(limit->path, sizeof(limit->path), "%s/log", directory);
    limit->fd = -1;
    *ret_self = limit;
    return 0;
}

static int write_ahead(struct limit *limit)
{
    memset(limit->piece, '\n', PIECE);
    for (size_t at = 0; at < AHEAD; at += PIECE)
        if (write_all(limit->fd, limit->piece, PIECE, (off_t)at) != 0)
            return -1;
    return fsync(limit->fd) == 0 ? 0 : failed("fsync");
}

static int open_log(void *self)
{
    struct limit *limit = self;
    limit->fd = open(limit->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (limit->fd < 0)
        return failed("open");
    return limit->end != 0 ? 0 : write_ahead(limit);
}

static int flush(struct limit *limit)
{
    if (write_all(limit->fd, limit->piece, limit->used, limit->end) != 0)
        return -1;
    limit->end += (off_t)limit->used;
    limit->used = 0;
    return 0;
}

static void put_frame(struct limit *limit, off_t start, size_t summed)
{
    limit->crc = muster__crc32c(limit->crc, limit->piece + summed, limit->used - summed);
    struct frame frame = {(uint64_t)(limit->end + (off_t)limit->used - start), limit->crc};
    memcpy(limit->piece + limit->used, &frame, sizeof(frame));
    limit->used += sizeof(frame);
}

static int commit(void *self, const struct muster_record *const *records, size_t count)
{
    struct limit *limit = self;
    off_t start = limit->end;
    limit->crc = 0;
    limit->used = 0;
    for (size_t i = 0; i < count; i++) {
        limit->used += store_pack(records[i], limit->piece + limit->used);
        if (limit->used < PIECE)
            continue;
        limit->crc = muster__crc32c(limit->crc, limit->piece, limit->used);
        if (flush(limit) != 0)
            return -1;
    }
    put_frame(limit, start, 0);
    if (flush(limit) != 0)
        return -1;
    return fdatasync(limit->fd) == 0 ? 0 : failed("fdatasync");
}

/* Read the bytes and sum them, in pieces. Their content is told, but not made into records: that isn't the bytes' cost. */
static int load(void *self, struct store_tally *tally)
{
    struct limit *limit = self;
    uint32_t crc = 0;
    ssize_t got;
    for (off_t at = 0; at < limit->end; at += got) {
        if ((got = pread(limit->fd, limit->piece, PIECE, at)) <= 0)
            return failed("read");
        crc = muster__crc32c(crc, limit->piece, (size_t)got);
    }
    (void)tally;
    limit->crc = crc;
    return 0;
}

static int close_log(void *self)
{
    struct limit *limit = self;
    int code = close(limit->fd);
    limit->fd = -1;
    return code == 0 ? 0 : failed("close");
}

const struct store_subject store_limit = {
    .name = "limit",
    .about = "hand-written: packed records, CRC32C, pwrite, fdatasync, in space that was written ahead; load: read + CRC32C",
    .make = make,
    .open = open_log,
    .commit = commit,
    .load = load,
    .close = close_log,
    .free = free,
};

/* SPDX-License-Identifier: MIT */
/* A file for each record, replaced as a whole: a temporary, fsync, rename, fsync of the directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

struct peer {
    char path[4096];
    int directory;
};

static int failed(const char *operation)
{
    return store_failed("rename", operation, strerror(errno));
}

static int make(const char *directory, void **ret_self)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return failed("make");
    snprintf(peer->path, sizeof(peer->path), "%s", directory);
    peer->directory = -1;
    *ret_self = peer;
    return 0;
}

static int open_directory(void *self)
{
    struct peer *peer = self;
    peer->directory = open(peer->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return peer->directory >= 0 ? 0 : failed("open");
}

static int write_temporary(const struct peer *peer, const struct muster_record *record)
{
    char bytes[STORE_PACKED_MAX];
    size_t count = store_pack(record, bytes);
    int fd = openat(peer->directory, "temporary", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed("create");
    int code = write(fd, bytes, count) == (ssize_t)count ? 0 : failed("write");
    if (code == 0 && fsync(fd) != 0)
        code = failed("fsync");
    return close(fd) == 0 ? code : failed("close");
}

static int commit(void *self, const struct muster_record *const *records, size_t count)
{
    const struct peer *peer = self;
    char name[512];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%u-%s-%s", (unsigned)records[i]->kind, records[i]->driver, records[i]->name);
        if (write_temporary(peer, records[i]) != 0)
            return -1;
        if (renameat(peer->directory, "temporary", peer->directory, name) != 0)
            return failed("rename");
        if (fsync(peer->directory) != 0)
            return failed("fsync of the directory");
    }
    return 0;
}

static int load_file(const struct peer *peer, const char *name, struct store_tally *tally)
{
    struct muster_record record;
    char bytes[STORE_PACKED_MAX];
    int fd = openat(peer->directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed("open");
    int code = read(fd, bytes, sizeof(bytes)) > 0 ? 0 : failed("read");
    close(fd);
    if (code == 0) {
        store_unpack(bytes, &record);
        store_tally_add(tally, &record);
    }
    return code;
}

static int load(void *self, struct store_tally *tally)
{
    const struct peer *peer = self;
    DIR *files = opendir(peer->path);
    int code = 0;
    if (files == NULL)
        return failed("load");
    for (struct dirent *file; code == 0 && (file = readdir(files)) != NULL;)
        if (file->d_name[0] != '.')
            code = load_file(peer, file->d_name, tally);
    closedir(files);
    return code;
}

static int close_directory(void *self)
{
    struct peer *peer = self;
    close(peer->directory);
    peer->directory = -1;
    return 0;
}

const struct store_subject store_rename = {
    .name = "rename",
    .about = "a file for each record: temporary, fsync, rename, fsync of the directory; batches of 64 at most, it takes too long",
    .most = 64,
    .make = make,
    .open = open_directory,
    .commit = commit,
    .load = load,
    .close = close_directory,
    .free = free,
};

/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where the arguments are; NONE: there is none such. */
#define NONE 6

struct known {
    long number;
    const char *name;
    enum call_kind kind;
    /* The descriptor: of the file, or of the directory that the path begins at. */
    unsigned fd;
    unsigned path;
    /* Of an open: it counts if it may make or cut the file. */
    unsigned flags;
};

static const struct known known[] = {
    {SYS_pwrite64, "pwrite", CALL_WRITE, 0, NONE, NONE},
    {SYS_write, "write", CALL_WRITE, 0, NONE, NONE},
    {SYS_writev, "writev", CALL_FD, 0, NONE, NONE},
    {SYS_pwritev, "pwritev", CALL_FD, 0, NONE, NONE},
    {SYS_ftruncate, "ftruncate", CALL_FD, 0, NONE, NONE},
    {SYS_fallocate, "fallocate", CALL_FD, 0, NONE, NONE},
    {SYS_fchmod, "fchmod", CALL_FD, 0, NONE, NONE},
    {SYS_fchown, "fchown", CALL_FD, 0, NONE, NONE},
    {SYS_fsync, "fsync", CALL_SYNC, 0, NONE, NONE},
    {SYS_fdatasync, "fdatasync", CALL_SYNC, 0, NONE, NONE},
    {SYS_openat, "openat", CALL_PATH, 0, 1, 2},
    {SYS_mkdirat, "mkdirat", CALL_PATH, 0, 1, NONE},
    {SYS_unlinkat, "unlinkat", CALL_PATH, 0, 1, NONE},
    {SYS_renameat2, "renameat2", CALL_PATH, 0, 1, NONE},
    {SYS_linkat, "linkat", CALL_PATH, 2, 3, NONE},
    {SYS_truncate, "truncate", CALL_PATH, NONE, 0, NONE},
#ifdef SYS_renameat
    {SYS_renameat, "renameat", CALL_PATH, 0, 1, NONE},
#endif
#ifdef SYS_open
    {SYS_open, "open", CALL_PATH, NONE, 0, 1},
    {SYS_mkdir, "mkdir", CALL_PATH, NONE, 0, NONE},
    {SYS_unlink, "unlink", CALL_PATH, NONE, 0, NONE},
    {SYS_rename, "rename", CALL_PATH, NONE, 0, NONE},
    {SYS_link, "link", CALL_PATH, NONE, 1, NONE},
#endif
};

bool call_peek(pid_t pid, uint64_t address, void *bytes, size_t size)
{
    struct iovec local = {bytes, size};
    struct iovec remote = {(void *)(uintptr_t)address, size};
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static void peek_text(pid_t pid, uint64_t address, char *text, size_t room)
{
    size_t length = 0;
    while (length + 1 < room && call_peek(pid, address + length, text + length, 1) && text[length] != '\0')
        length++;
    text[length] = '\0';
}

int call_open_fd(pid_t pid, int fd, int flags)
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
    return open(link, flags | O_CLOEXEC);
}

/* The path of a descriptor, or of its working directory. */
static void fd_path(pid_t pid, int fd, char *path, size_t room)
{
    char link[64];
    snprintf(link, sizeof(link), fd == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t length = readlink(link, path, room - 1);
    path[length < 0 ? 0 : length] = '\0';
}

/* Where write() goes. */
static uint64_t fd_offset(pid_t pid, int fd)
{
    char name[64];
    unsigned long long offset = 0;
    snprintf(name, sizeof(name), "/proc/%d/fdinfo/%d", (int)pid, fd);
    FILE *file = fopen(name, "r");
    if (file == NULL || fscanf(file, "pos: %llu", &offset) != 1)
        offset = 0;
    if (file != NULL)
        fclose(file);
    return offset;
}

static void get_path(struct call *call, pid_t pid, const struct known *what, const uint64_t arguments[6])
{
    char name[2048];
    peek_text(pid, arguments[what->path], name, sizeof(name));
    if (name[0] == '/') {
        snprintf(call->path, sizeof(call->path), "%s", name);
        return;
    }
    fd_path(pid, what->fd == NONE ? AT_FDCWD : (int)arguments[what->fd], call->path, sizeof(call->path) / 2);
    size_t length = strlen(call->path);
    snprintf(call->path + length, sizeof(call->path) - length, "/%s", name);
}

static bool below(const char *path, const char *mount)
{
    size_t length = strlen(mount);
    return strncmp(path, mount, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

void call_get(struct call *call, pid_t pid, const char *mount, uint64_t number, const uint64_t arguments[6])
{
    const struct known *what = NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && what == NULL; i++)
        what = known[i].number == (long)number ? &known[i] : NULL;
    call->kind = CALL_OTHER;
    if (what == NULL || (what->flags != NONE && (arguments[what->flags] & (O_CREAT | O_TRUNC)) == 0))
        return;
    call->name = what->name;
    call->offset = call->size = 0;
    call->fd = (int)arguments[0];
    if (what->kind == CALL_PATH)
        get_path(call, pid, what, arguments);
    else
        fd_path(pid, call->fd, call->path, sizeof(call->path));
    if (!below(call->path, mount))
        return;
    call->kind = what->kind;
    if (what->kind != CALL_WRITE)
        return;
    call->address = arguments[1];
    call->size = arguments[2];
    call->offset = what->number == SYS_pwrite64 ? arguments[3] : fd_offset(pid, call->fd);
}

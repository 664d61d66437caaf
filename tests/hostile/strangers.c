/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "hostile.h"

void hostile_must(int result)
{
    if (result == 0)
        return;
    hostile_expect(false, "%s", strerror(errno));
    abort();
}

static void make_directory(const char *path)
{
    hostile_must(mkdir(path, 0700));
}

static void make_fifo(const char *path)
{
    hostile_must(mkfifo(path, 0600));
}

static void make_link(const char *path)
{
    hostile_must(symlink("kept", path));
}

static void make_loop(const char *path)
{
    hostile_must(symlink(strrchr(path, '/') + 1, path));
}

static void make_dangling(const char *path)
{
    hostile_must(symlink("nothing", path));
}

static void make_socket(const char *path)
{
    hostile_must(mknod(path, S_IFSOCK | 0600, 0));
}

/* /dev/null, which only root can make. */
static void make_device(const char *path)
{
    if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) != 0)
        make_fifo(path);
}

const struct hostile_stranger hostile_strangers[HOSTILE_STRANGERS] = {
    {"a directory", make_directory},
    {"a FIFO", make_fifo},
    {"a symbolic link to a good file", make_link},
    {"a symbolic link to itself", make_loop},
    {"a symbolic link to nothing", make_dangling},
    {"a socket", make_socket},
    {"a device", make_device},
};

/* SPDX-License-Identifier: MIT */
#include "directory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int bench_directory_new(const struct bench *bench, char path[BENCH_DIRECTORY])
{
    const char *parent = bench->directory != NULL ? bench->directory : getenv("TMPDIR");
    int length = snprintf(path, BENCH_DIRECTORY, "%s/muster-bench-XXXXXX", parent != NULL ? parent : "/var/tmp");
    if (length > 0 && length < BENCH_DIRECTORY && mkdtemp(path) != NULL)
        return 0;
    perror("bench: no directory to work in: set --directory or TMPDIR");
    return -1;
}

void bench_directory_remove(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        unlinkat(dirfd(directory), entry->d_name, 0); /* "." and ".." stay */
    closedir(directory);
    rmdir(path);
}

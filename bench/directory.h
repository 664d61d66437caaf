/* SPDX-License-Identifier: MIT */
#ifndef BENCH_DIRECTORY_H
#define BENCH_DIRECTORY_H

#define BENCH_DIRECTORY 256

#include "bench.h"

/* Make an empty directory in that of --directory, or $TMPDIR, or /var/tmp, which is on a disk. 0, or -1 with a message. */
int bench_directory_new(const struct bench *bench, char path[BENCH_DIRECTORY]);
/* With the files in it. */
void bench_directory_remove(const char *path);

#endif

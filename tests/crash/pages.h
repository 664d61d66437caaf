/* SPDX-License-Identifier: MIT */
/*
 * What a failed sync leaves behind. Linux marks the pages clean that it could not write: they are in the page cache,
 * the disk has what was there before, and no later sync writes them, unless the program does again. A test whose
 * syncs don't really fail has to remember that: the pages that were written since the last good sync, with what the
 * disk has.
 */
#ifndef TESTS_CRASH_PAGES_H
#define TESTS_CRASH_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096

/* `fd` is the file, open for reading; it is about to be written there. */
void pages_written(int fd, uint64_t offset, uint64_t size);
/* It was synced: what was written is on the disk. */
void pages_synced(int fd);
/* Its sync failed: what was written is lost, though it can be read. */
void pages_lost(int fd);

/* The lost ones as a file: for each the inode, its generation and the offset (8 bytes each, of this machine), then what the
 * disk has. -1: errno. */
int pages_save(const char *path);
int pages_load(const char *path);

#endif

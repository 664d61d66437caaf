/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct page {
    uint64_t inode, offset;
    unsigned char disk[PAGE_BYTES];
};

struct known_page {
    struct page is;
    bool lost;
};

static struct known_page *pages;
static size_t count, room;

static uint64_t inode_of(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 ? stat.st_ino : 0;
}

static struct known_page *find(uint64_t inode, uint64_t offset)
{
    for (size_t i = 0; i < count; i++)
        if (pages[i].is.inode == inode && pages[i].is.offset == offset)
            return &pages[i];
    return NULL;
}

static struct known_page *add(void)
{
    if (count == room) {
        room = room == 0 ? 64 : 2 * room;
        pages = realloc(pages, room * sizeof(*pages));
        if (pages == NULL)
            abort();
    }
    struct known_page *page = &pages[count++];
    memset(page, 0, sizeof(*page));
    return page;
}

void pages_written(int fd, uint64_t offset, uint64_t size)
{
    uint64_t inode = inode_of(fd);
    for (uint64_t at = offset / PAGE_BYTES * PAGE_BYTES; at < offset + size; at += PAGE_BYTES) {
        struct known_page *page = find(inode, at);
        if (page != NULL) {
            page->lost = false;
            continue;
        }
        page = add();
        page->is.inode = inode;
        page->is.offset = at;
        if (pread(fd, page->is.disk, PAGE_BYTES, (off_t)at) < 0)
            abort();
    }
}

void pages_synced(int fd)
{
    uint64_t inode = inode_of(fd);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (pages[i].is.inode != inode || pages[i].lost)
            pages[kept++] = pages[i];
    count = kept;
}

void pages_lost(int fd)
{
    uint64_t inode = inode_of(fd);
    for (size_t i = 0; i < count; i++)
        pages[i].lost = pages[i].lost || pages[i].is.inode == inode;
}

void pages_forget(void)
{
    count = 0;
}

int pages_save(const char *path)
{
    FILE *file = fopen(path, "w");
    bool good = file != NULL;
    for (size_t i = 0; i < count && good; i++)
        good = !pages[i].lost || fwrite(&pages[i].is, sizeof(pages[i].is), 1, file) == 1;
    if (file != NULL)
        good = fclose(file) == 0 && good;
    return good ? 0 : -1;
}

int pages_load(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return errno == ENOENT ? 0 : -1;
    struct page page;
    while (fread(&page, sizeof(page), 1, file) == 1) {
        struct known_page *known = add();
        known->is = page;
        known->lost = true;
    }
    return fclose(file);
}

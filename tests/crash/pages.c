/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Inodes are used again, with another generation. */
struct page {
    uint64_t inode, generation, offset;
    unsigned char disk[PAGE_BYTES];
};

struct known_page {
    struct page is;
    bool lost;
};

static struct known_page *pages;
static size_t count, room;

/* The page of the file at that offset, with nothing in it. */
static struct page page_of(int fd, uint64_t offset)
{
    struct stat stat;
    int generation = 0;
    if (fstat(fd, &stat) != 0 || ioctl(fd, FS_IOC_GETVERSION, &generation) != 0)
        abort();
    return (struct page){.inode = stat.st_ino, .generation = (unsigned)generation, .offset = offset};
}

static bool same_file(const struct page *a, const struct page *b)
{
    return a->inode == b->inode && a->generation == b->generation;
}

static struct known_page *find(const struct page *page)
{
    for (size_t i = 0; i < count; i++)
        if (same_file(&pages[i].is, page) && pages[i].is.offset == page->offset)
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
    struct page page = page_of(fd, offset / PAGE_BYTES * PAGE_BYTES);
    for (; page.offset < offset + size; page.offset += PAGE_BYTES) {
        struct known_page *known = find(&page);
        if (known != NULL) {
            known->lost = false;
            continue;
        }
        known = add();
        known->is = page;
        if (pread(fd, known->is.disk, PAGE_BYTES, (off_t)page.offset) < 0)
            abort();
    }
}

void pages_synced(int fd)
{
    struct page page = page_of(fd, 0);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!same_file(&pages[i].is, &page) || pages[i].lost)
            pages[kept++] = pages[i];
    count = kept;
}

void pages_lost(int fd)
{
    struct page page = page_of(fd, 0);
    for (size_t i = 0; i < count; i++)
        pages[i].lost = pages[i].lost || same_file(&pages[i].is, &page);
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

/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The test's own calls must not fail. */
static void must(bool well, const char *what, const char *path)
{
    if (well)
        return;
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    abort();
}

static void take_file(struct image *image, int directory, const char *name)
{
    struct stat stat;
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && fstat(fd, &stat) == 0 && image->count < IMAGE_FILES, "take", name);
    struct image_file *file = &image->files[image->count++];
    snprintf(file->name, sizeof(file->name), "%.63s", name);
    file->size = (size_t)stat.st_size;
    file->bytes = malloc(file->size + 1);
    must(file->bytes != NULL && read(fd, file->bytes, file->size) == (ssize_t)file->size, "read", name);
    close(fd);
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct image_file *)one)->name, ((const struct image_file *)other)->name);
}

void image_take(struct image *image, const char *directory)
{
    *image = (struct image){0};
    DIR *stream = opendir(directory);
    image->absent = stream == NULL;
    for (const struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
        if (entry->d_name[0] != '.')
            take_file(image, dirfd(stream), entry->d_name);
    if (stream != NULL)
        closedir(stream);
    qsort(image->files, image->count, sizeof(image->files[0]), by_name);
}

static void empty(const char *directory)
{
    DIR *stream = opendir(directory);
    for (const struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
        if (entry->d_name[0] != '.')
            must(unlinkat(dirfd(stream), entry->d_name, 0) == 0, "remove", entry->d_name);
    if (stream != NULL)
        closedir(stream);
}

void image_remove(const char *directory)
{
    empty(directory);
    must(rmdir(directory) == 0 || errno == ENOENT, "remove", directory);
}

void image_put(const struct image *image, const char *directory)
{
    char path[256];
    if (image->absent) {
        image_remove(directory);
        return;
    }
    empty(directory);
    must(mkdir(directory, 0700) == 0 || errno == EEXIST, "make", directory);
    for (size_t i = 0; i < image->count; i++) {
        const struct image_file *file = &image->files[i];
        snprintf(path, sizeof(path), "%s/%s", directory, file->name);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        must(fd >= 0 && write(fd, file->bytes, file->size) == (ssize_t)file->size, "write", path);
        close(fd);
    }
}

bool image_equal(const struct image *one, const struct image *other)
{
    if (one->absent != other->absent || one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        const struct image_file *a = &one->files[i];
        const struct image_file *b = &other->files[i];
        if (strcmp(a->name, b->name) != 0 || a->size != b->size || memcmp(a->bytes, b->bytes, a->size) != 0)
            return false;
    }
    return true;
}

struct image_file *image_find(struct image *image, const char *name)
{
    for (size_t i = 0; i < image->count; i++)
        if (strcmp(image->files[i].name, name) == 0)
            return &image->files[i];
    return NULL;
}

void image_free(struct image *image)
{
    for (size_t i = 0; i < image->count; i++)
        free(image->files[i].bytes);
    *image = (struct image){0};
}

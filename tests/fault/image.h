/* SPDX-License-Identifier: MIT */
/* What a directory holds, in memory: so that each try begins with the same. */
#ifndef TESTS_FAULT_IMAGE_H
#define TESTS_FAULT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#define IMAGE_FILES 8

struct image_file {
    char name[64];
    char *bytes;
    size_t size;
};

/* Of regular files. `absent`: there is no directory. */
struct image {
    bool absent;
    size_t count;
    struct image_file files[IMAGE_FILES];
};

void image_take(struct image *image, const char *directory);
/* The directory holds this, and nothing else. */
void image_put(const struct image *image, const char *directory);
/* Remove the directory. */
void image_remove(const char *directory);
bool image_equal(const struct image *one, const struct image *other);
/* NULL if there is none. */
struct image_file *image_find(struct image *image, const char *name);
void image_free(struct image *image);

#endif

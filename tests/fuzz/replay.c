/* SPDX-License-Identifier: MIT */
/* Call a target with each file that is named, or is in a directory that is named. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t replayed;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat stat;
    if (file == NULL || fstat(fileno(file), &stat) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)stat.st_size;
    /* Exactly as large, so that a sanitizer sees what reads too far. */
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    bool got = bytes != NULL && fread(bytes, 1, size, file) == size;
    fclose(file);
    fprintf(stderr, "%s\n", path);
    if (got)
        LLVMFuzzerTestOneInput(bytes, size);
    replayed += got;
    free(bytes);
    return got ? 0 : 1;
}

static int replay(const char *path)
{
    struct dirent **entries;
    struct stat stat_buffer;
    if (stat(path, &stat_buffer) != 0 || !S_ISDIR(stat_buffer.st_mode))
        return replay_file(path);
    int failed = 0, count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char below[4096];
        snprintf(below, sizeof(below), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            failed += replay_file(below);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed += replay(argv[i]);
    fprintf(stderr, "%zu inputs replayed, %d could not be read\n", replayed, failed);
    return failed > 0 || replayed == 0;
}

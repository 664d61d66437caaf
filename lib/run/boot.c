/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "run/context.h"

void muster__boot_id(char *text)
{
    text[0] = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return;
    if (fgets(text, MUSTER__BOOT_ID_MAX + 1, file) == NULL)
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    fclose(file);
}

int muster__random_seed(uint64_t seed[2])
{
    char *at = (char *)seed;
    size_t left = 2 * sizeof(seed[0]);
    while (left > 0) {
        ssize_t got = getrandom(at, left, 0);
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0) {
            at += got;
            left -= (size_t)got;
        }
    }
    return 0;
}

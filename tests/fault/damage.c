/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <stdlib.h>
#include <string.h>

static char *find_last(const struct image_file *file, const char *text)
{
    char *found = NULL;
    size_t length = strlen(text);
    for (char *at = file->bytes; (at = memmem(at, file->size - (size_t)(at - file->bytes), text, length)) != NULL; at++)
        found = at;
    if (found == NULL)
        abort();
    return found;
}

void damage_tear(struct image *image, struct model *model)
{
    struct image_file *journal = image_find(image, "journal");
    char *last = find_last(journal, "{\"seq\":");
    char *end = memchr(last, '\n', journal->size - (size_t)(last - journal->bytes));
    memset(last + (end - last) / 2, '\n', (size_t)(end - last) - (size_t)(end - last) / 2);
    model->acknowledged = --model->possible;
}

struct image_file damage_rotten;

void damage_rot(struct image *image, struct model *model)
{
    struct image_file *journal = image_find(image, "journal");
    char *found = strstr(find_last(journal, "\"name\":\"damaged\""), "boot-1");
    found[0] ^= 1;
    model->damaged = true;
    free(damage_rotten.bytes);
    damage_rotten.size = journal->size;
    damage_rotten.bytes = malloc(journal->size);
    if (damage_rotten.bytes == NULL)
        abort();
    memcpy(damage_rotten.bytes, journal->bytes, journal->size);
}

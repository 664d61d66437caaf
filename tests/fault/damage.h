/* SPDX-License-Identifier: MIT */
/* What happens to a journal while no daemon has it. */
#ifndef TESTS_FAULT_DAMAGE_H
#define TESTS_FAULT_DAMAGE_H

#include "host.h"
#include "image.h"

/* The last batch, of x and y, is there half: it was never acknowledged. */
void damage_tear(struct image *image, struct model *model);
/* A bit in the newest version of "damaged" has changed. */
void damage_rot(struct image *image, struct model *model);
/* The file that damage_rot() has made last, which must be kept. */
extern struct image_file damage_rotten;

#endif

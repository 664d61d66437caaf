/* SPDX-License-Identifier: MIT */
/*
 * The whole operating system of a guest: one sector that increments a counter on the second disk each
 * few ticks, of which there are 16 a second. Sector 0 of that disk is then
 *
 *     0   counter, 32 bits, little-endian
 *     16  the guest's name, 32 bytes, padded with NUL
 */
#ifndef VIRTHOST_BOOT_SECTOR_H
#define VIRTHOST_BOOT_SECTOR_H

#include <stdint.h>

/* The BIOS can't read a disk of less than a cylinder. */
#define BOOT_IMAGE_BYTES (1024 * 1024)
#define BOOT_NAME_BYTES 32

/*
 * Write the image that the guest boots from: it counts every `ticks` (at least 1), and after `beats` it powers
 * itself off, 0: never. 0 or a negative errno.
 */
int boot_sector_write(const char *path, const char *name, uint32_t beats, uint16_t ticks);

#endif

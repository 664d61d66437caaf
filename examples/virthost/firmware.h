/* SPDX-License-Identifier: MIT */
/*
 * The whole software of a guest: a firmware that increments a counter on the guest's disk each few ticks, of
 * which there are 16 a second. Sector 0 of that disk is then
 *
 *     0   counter, 32 bits, little-endian
 *     16  the guest's name, 32 bytes, padded with NUL
 *
 * Without a BIOS and a boot disk, a guest costs QEMU little more than its own start.
 */
#ifndef VIRTHOST_FIRMWARE_H
#define VIRTHOST_FIRMWARE_H

#include <stdint.h>

/* QEMU maps a multiple of this below 1 MiB. */
#define FIRMWARE_BYTES (64 * 1024)
#define FIRMWARE_NAME_BYTES 32

/*
 * Write it: it counts every `ticks` (at least 1), and after `beats` it powers itself off, 0: never. 0 or a
 * negative errno.
 */
int firmware_write(const char *path, const char *name, uint32_t beats, uint16_t ticks);

#endif

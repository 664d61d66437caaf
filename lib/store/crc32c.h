/* SPDX-License-Identifier: MIT */
/* The CRC of iSCSI (RFC 3720, B.4): Castagnoli's polynomial. */
#ifndef MUSTER__CRC32C_H
#define MUSTER__CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Go on from `crc`, which is 0 at the start. */
uint32_t muster__crc32c(uint32_t crc, const void *bytes, size_t length);

/* The same without the processor's instruction. */
uint32_t muster__crc32c_portable(uint32_t crc, const void *bytes, size_t length);

#endif

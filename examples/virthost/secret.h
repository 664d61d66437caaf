/* SPDX-License-Identifier: MIT */
/* Secrets: a pre-shared key, in a file that others may read while it is active. */
#ifndef VIRTHOST_SECRET_H
#define VIRTHOST_SECRET_H

#include "virthost.h"

/*
 * Where the key of `resource` ("secret/ceph") is: a directory with keys.psk, as QEMU wants it. Returns its
 * user; NULL: there is no such secret.
 */
const char *secret_locate(const struct virthost *host, const char *resource,
                          char directory[VIRTHOST_PATH_BYTES]);

#endif

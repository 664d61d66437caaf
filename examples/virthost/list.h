/* SPDX-License-Identifier: MIT */
/* What virthostctl shows, as JSON. */
#ifndef VIRTHOST_LIST_H
#define VIRTHOST_LIST_H

#include <jansson.h>

struct virthost;

/* An array with an object for each resource, and for each record that no resource has claimed. */
json_t *list_resources(struct virthost *host);

/* The context and the drivers. */
json_t *list_status(struct virthost *host);

#endif

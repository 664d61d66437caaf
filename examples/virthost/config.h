/* SPDX-License-Identifier: MIT */
/*
 * The config directory: one JSON file for each resource.
 *
 *     DIR/secrets/X.json    {"name", "user", "psk"}
 *     DIR/networks/X.json   {"name"}
 *     DIR/pools/X.json      {"name", "type": "dir", "path"}
 *                           {"name", "type": "mount", "source", "path"}
 *                           {"name", "type": "nbd", "socket", "export", "secret"}
 *                           {"name", "type": "export", "path", "size"}
 *     DIR/guests/X.json     {"name", "pool", "slot", "network", "memory", "beats", "ticks"}
 *
 * and in all of them "policy": "manual" (the default), "autostart", "unless-stopped" or "last-state".
 */
#ifndef VIRTHOST_CONFIG_H
#define VIRTHOST_CONFIG_H

#include <jansson.h>

#include <muster/resource.h>

/*
 * Returns {driver: {name: item}}, where each item has been checked and has all its members that have a
 * default; NULL: out of memory. What is wrong is added to `problems` ("FILE: member 'memory': ..."), and the
 * item left out.
 */
json_t *config_load(const char *directory, json_t *problems);

/* Check one guest that comes from elsewhere; `origin` is for the messages. NULL: see `problems`. */
json_t *config_guest(json_t *guest, const char *origin, json_t *problems);

/* ---- of a checked item ---------------------------------------------------------------------------- */

/* NULL if the item hasn't that member. */
const char *config_string(const json_t *item, const char *member);
/* 0 if the item hasn't that member. */
json_int_t config_integer(const json_t *item, const char *member);
enum muster_policy config_policy(const json_t *item);

#endif

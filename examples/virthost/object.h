/* SPDX-License-Identifier: MIT */
/* What all of virthost's resources have in common: an item of the config that is a resource of muster. */
#ifndef VIRTHOST_OBJECT_H
#define VIRTHOST_OBJECT_H

#include "config.h"
#include "virthost.h"

/* One driver, and what its resources are. */
struct object_kind {
    /* Also the name of muster's driver. */
    const char *driver;
    /* sizeof of its struct, which begins with a struct object. */
    size_t size;
    /* enum muster_resource_flags. */
    uintptr_t flags;
    /* Fill in dependencies and callbacks; the rest is done. */
    void (*define)(struct muster_driver_def *def);
    /* Close what the object still has. May be NULL. */
    void (*fini)(struct object *object);
    /* A record that no resource has claimed: is it of one that is gone for good? May be NULL. */
    bool (*is_over)(const struct virthost *host, const struct muster_record *record);
    /* Its process, 0: none. May be NULL. */
    pid_t (*pid)(const struct object *object);
};

struct object {
    struct virthost *host;
    const struct object_kind *kind;
    struct object *next;
    char *name;
    /* What its next start uses. */
    json_t *config;
    struct muster_resource *resource;
    /* No file defines it: it is removed when it is inactive. */
    bool transient;
    /* The last of its states in the timeline. */
    char shown[48];
    /* ... but not yet: who has made it is about to start it. */
    bool pinned;
};

/* The drivers, in the order of registration. */
extern const struct object_kind *const object_kinds[];
extern const struct object_kind secret_kind, network_kind, dir_kind, mount_kind, nbd_kind, export_kind, guest_kind;

/* Register all drivers. */
int object_add_drivers(struct virthost *host);

/* The initialize of a driver: all items of its config. */
int object_initialize(struct muster_op *op);

/* For restore, inside `op`: an object that no file defines. */
int object_add_transient(struct muster_op *op, json_t *config);

/* At run time. `ret_object` is pinned. */
int object_create(struct virthost *host, const struct object_kind *kind, json_t *config,
                  struct object **ret_object);

/* Remove the transient ones that are inactive, after this. */
void object_sweep_soon(struct virthost *host);

/* "guest/web1"; NULL: there is none. */
struct object *object_find(const struct virthost *host, const char *driver, const char *name);
struct object *object_of_op(const struct muster_op *op);
struct object *object_of_resource(const struct muster_resource *resource);

#endif

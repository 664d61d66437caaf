/* SPDX-License-Identifier: MIT */
/*
 * Pools that are a mount: a directory, bound to where the guests' disks are looked for. The kernel tells whether it is there;
 * one that was active and has been unmounted meanwhile is mounted again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "object.h"

/* 1, 0, or a negative errno: -EOPNOTSUPP if the kernel doesn't tell what is mounted. */
static int is_mounted(const char *path)
{
    struct statx status;
    if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_TYPE, &status) != 0)
        return errno == ENOENT ? 0 : -errno;
    if ((status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0)
        return -EOPNOTSUPP;
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int probe_mount(struct muster_op *op)
{
    const char *path = config_string(object_of_op(op)->config, "path");
    int mounted = is_mounted(path);
    if (mounted < 0)
        return muster_op_fail(op, MUSTER_EFAILED, "cannot tell what is mounted on %s: %s", path, strerror(-mounted));
    return mounted ? MUSTER_ACTIVE : MUSTER_INACTIVE;
}

/* One call of the kernel: a daemon that is killed has mounted it or not. */
static int start_mount(struct muster_op *op)
{
    const json_t *config = object_of_op(op)->config;
    const char *source = config_string(config, "source"), *path = config_string(config, "path");
    if (mount(source, path, NULL, MS_BIND, NULL) == 0)
        return MUSTER_OK;
    return muster_op_fail(op, errno == ENOENT ? MUSTER_EUNAVAILABLE : MUSTER_EFAILED, "mount %s on %s: %s", source,
                          path, strerror(errno));
}

static int stop_mount(struct muster_op *op)
{
    const char *path = config_string(object_of_op(op)->config, "path");
    if (is_mounted(path) == 0 || umount2(path, UMOUNT_NOFOLLOW) == 0)
        return MUSTER_OK;
    return muster_op_fail(op, MUSTER_EFAILED, "unmount %s: %s", path, strerror(errno));
}

static void define_mount(struct muster_driver_def *def)
{
    static const char *const storage[] = {"storage", NULL};
    def->provides = storage;
    def->probe = probe_mount;
    def->start = start_mount;
    def->stop = stop_mount;
}

const struct object_kind mount_kind = {
    .driver = "mount",
    .size = sizeof(struct object),
    .flags = MUSTER_RESTART_ON_LOSS,
    .define = define_mount,
};

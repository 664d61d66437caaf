/* SPDX-License-Identifier: MIT */
/*
 * Pools that are a directory. Nothing outside the daemon tells an active one from an inactive one: there is
 * no probe, and the record decides.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "object.h"

static int start_dir(struct muster_op *op)
{
    const char *path = config_string(object_of_op(op)->config, "path");
    if (access(path, R_OK | W_OK | X_OK) != 0)
        return muster_op_fail(op, MUSTER_EUNAVAILABLE, "%s: %s", path, strerror(errno));
    return MUSTER_OK;
}

static int stop_dir(struct muster_op *op)
{
    (void)op;
    return MUSTER_OK;
}

static void define_dir(struct muster_driver_def *def)
{
    static const char *const storage[] = {"storage", NULL};
    def->provides = storage;
    def->start = start_dir;
    def->stop = stop_dir;
}

const struct object_kind dir_kind = {
    .driver = "dir",
    .size = sizeof(struct object),
    .define = define_dir,
};

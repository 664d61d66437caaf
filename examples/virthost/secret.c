/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"

struct secret {
    struct object object;
    bool defined;
};

static struct secret *secret_of(struct muster_op *op)
{
    return (struct secret *)object_of_op(op);
}

const char *secret_locate(const struct virthost *host, const char *resource,
                          char directory[VIRTHOST_PATH_BYTES])
{
    const char *name = strchr(resource, '/') + 1;
    const struct object *object = object_find(host, secret_kind.driver, name);
    if (object == NULL || virthost_run_path(host, "secret", name, "", directory) != 0)
        return NULL;
    return config_string(object->config, "user");
}

static int key_path(const struct secret *secret, const char *file, char path[VIRTHOST_PATH_BYTES])
{
    const struct object *object = &secret->object;
    return virthost_run_path(object->host, "secret", object->name, file, path);
}

static int write_key(const json_t *config, const char *path)
{
    char text[256];
    int length =
        snprintf(text, sizeof(text), "%s:%s\n", config_string(config, "user"), config_string(config, "psk"));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code = fd < 0 || write(fd, text, (size_t)length) != length ? -errno : 0;
    if (fd >= 0)
        close(fd);
    explicit_bzero(text, sizeof(text));
    return code;
}

static int probe_secret(struct muster_op *op)
{
    return secret_of(op)->defined ? MUSTER_ACTIVE : MUSTER_INACTIVE;
}

static int start_secret(struct muster_op *op)
{
    struct secret *secret = secret_of(op);
    char path[VIRTHOST_PATH_BYTES];
    int code = key_path(secret, "", path);
    if (code == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
        code = -errno;
    if (code == 0)
        code = key_path(secret, "/keys.psk", path);
    if (code == 0)
        code = write_key(secret->object.config, path);
    if (code != 0)
        return muster_op_fail(op, code, "cannot write %s: %s", path, strerror(-code));
    secret->defined = true;
    return MUSTER_OK;
}

static int stop_secret(struct muster_op *op)
{
    struct secret *secret = secret_of(op);
    char path[VIRTHOST_PATH_BYTES];
    if (key_path(secret, "/keys.psk", path) == 0)
        unlink(path);
    if (key_path(secret, "", path) == 0)
        rmdir(path);
    secret->defined = false;
    return MUSTER_OK;
}

static void define_secret(struct muster_driver_def *def)
{
    def->probe = probe_secret;
    def->start = start_secret;
    def->stop = stop_secret;
}

const struct object_kind secret_kind = {
    .driver = "secret",
    .size = sizeof(struct secret),
    .flags = MUSTER_VOLATILE,
    .define = define_secret,
};

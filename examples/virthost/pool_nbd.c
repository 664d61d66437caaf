/* SPDX-License-Identifier: MIT */
/*
 * Pools that are a connection inside the daemon to an NBD server that somebody else runs: as an RBD pool,
 * they are gone with the daemon, and nothing outside tells that they were active.
 */
#include "nbd_link.h"
#include "object.h"
#include "secret.h"

#include <stdio.h>

struct nbd_pool {
    struct object object;
    struct nbd_link *link;
    /* The start that waits for the handshake. */
    struct muster_op *op;
};

static struct nbd_pool *pool_of(const struct muster_op *op)
{
    return (struct nbd_pool *)object_of_op(op);
}

static int probe_nbd(struct muster_op *op)
{
    return pool_of(op)->link != NULL ? MUSTER_ACTIVE : MUSTER_INACTIVE;
}

static void hang_up(struct nbd_pool *pool)
{
    nbd_link_free(pool->link);
    pool->link = NULL;
}

static void on_link(void *data, const char *error)
{
    struct nbd_pool *pool = data;
    struct muster_op *op = pool->op;
    pool->op = NULL;
    if (error != NULL)
        hang_up(pool);
    if (op == NULL)
        muster_resource_changed(pool->object.resource, MUSTER_CHANGED_LOST);
    else if (error != NULL)
        muster_op_fail(op, MUSTER_EUNAVAILABLE, "%s: %s", config_string(pool->object.config, "socket"),
                       error);
    else
        muster_op_finish(op, MUSTER_OK);
}

static int start_nbd(struct muster_op *op)
{
    struct nbd_pool *pool = pool_of(op);
    const json_t *config = pool->object.config;
    struct nbd_link_target target = {
        .socket = config_string(config, "socket"),
        .export_name = config_string(config, "export"),
        .cb = on_link,
        .data = pool,
    };
    const char *secret = config_string(config, "secret");
    char directory[VIRTHOST_PATH_BYTES], file[640], error[256];
    if (secret != NULL) {
        target.user = secret_locate(pool->object.host, secret, directory);
        if (target.user == NULL)
            return muster_op_fail(op, MUSTER_ENOENT, "%s: not defined", secret);
        snprintf(file, sizeof(file), "%s/keys.psk", directory);
        target.psk_file = file;
    }
    hang_up(pool);
    pool->link = nbd_link_new(&pool->object.host->loop, &target, error, sizeof(error));
    if (pool->link == NULL)
        return muster_op_fail(op, MUSTER_EUNAVAILABLE, "%s: %s", target.socket, error);
    pool->op = op;
    return MUSTER_PENDING;
}

static void cancel_nbd(struct muster_op *op)
{
    struct nbd_pool *pool = muster_op_resource_data(op);
    if (pool == NULL || pool->op != op)
        return;
    pool->op = NULL;
    hang_up(pool);
    muster_op_fail(op, MUSTER_ECANCELED, "%s: the server has not answered",
                   config_string(pool->object.config, "socket"));
}

static int stop_nbd(struct muster_op *op)
{
    hang_up(pool_of(op));
    return MUSTER_OK;
}

static int shutdown_nbd(struct muster_op *op)
{
    struct virthost *host = muster_op_driver_data(op);
    for (struct object *object = host->objects; object != NULL; object = object->next)
        if (object->kind == &nbd_kind)
            hang_up((struct nbd_pool *)object);
    return MUSTER_OK;
}

static void define_nbd(struct muster_driver_def *def)
{
    static const char *const storage[] = {"storage", NULL};
    static const char *const secret[] = {"secret", NULL};
    def->provides = storage;
    def->needs = secret;
    def->op_timeout_ms = 10000;
    def->probe = probe_nbd;
    def->start = start_nbd;
    def->stop = stop_nbd;
    def->cancel = cancel_nbd;
    def->shutdown = shutdown_nbd;
}

static void fini_nbd(struct object *object)
{
    hang_up((struct nbd_pool *)object);
}

const struct object_kind nbd_kind = {
    .driver = "nbd",
    .size = sizeof(struct nbd_pool),
    /* The server comes back: so does the pool. */
    .flags = MUSTER_VOLATILE | MUSTER_RESTART_ON_LOSS,
    .define = define_nbd,
    .fini = fini_nbd,
};

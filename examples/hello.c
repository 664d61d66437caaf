/* SPDX-License-Identifier: MIT */
/* Three drivers, one resource. Run it twice with a directory: what the first run started is active again in the second. */
#include <muster.h>
#include <stdio.h>

static int initialize(struct muster_op *op)
{
    printf("%s: initialize\n", muster_driver_name(muster_op_driver(op)));
    if (muster_op_driver_data(op) == NULL)
        return MUSTER_OK;
    struct muster_resource_def pool;
    MUSTER_RESOURCE_DEF_INIT(&pool);
    pool.name = muster_op_driver_data(op);
    pool.flags = MUSTER_VOLATILE; /* it lives inside this process */
    return muster_op_add_resource(op, &pool);
}

static int start(struct muster_op *op)
{
    printf("storage: start %s, cause %s\n", muster_op_resource_name(op), muster_cause_name(muster_op_cause(op)));
    return MUSTER_OK;
}

static void started(struct muster *context, void *data, int code, const struct muster_error *error)
{
    printf("%s: %s\n", (const char *)data, code == 0 ? "active, and recorded" : muster_error_text(error));
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static void up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct muster_resource *pool = muster_resource_find(context, data);
    (void)code;
    printf("up: %s\n", error == NULL ? "ok" : muster_error_text(error));
    if (pool != NULL)
        muster_resource_start(pool, NULL, started, data);
}

static int add(struct muster *context, const char *name, const char *needs, const char *pool)
{
    const char *list[] = {needs, NULL};
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    def.name = name;
    def.needs = list;
    def.initialize = initialize;
    def.start = start;
    return muster_add_driver(context, &def, (void *)pool, NULL);
}

int main(int argc, char **argv)
{
    struct muster_options options;
    struct muster *context;
    MUSTER_OPTIONS_INIT(&options);
    int code = argc > 1 ? muster_store_journal_new(argv[1], NULL, &options.store) : muster_store_memory_new(NULL, &options.store);
    if (code != 0 || (code = muster_new(&options, &context)) != 0)
        return fprintf(stderr, "hello: %s\n", muster_code_text(code)), 1;
    add(context, "guest", "storage", NULL); /* in any order: muster sorts them */
    add(context, "storage", "secret", "pool0");
    add(context, "secret", NULL, NULL);
    if ((code = muster_bring_up(context, up, "storage/pool0")) == 0)
        code = muster_run(context);
    if (code != 0)
        fprintf(stderr, "hello: %s\n", muster_error_text(muster_get_error(context)));
    muster_free(context);
    return code != 0;
}

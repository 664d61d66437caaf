/* SPDX-License-Identifier: MIT */
/*
 * A host on GLib: a GSource over muster_fd(), muster_timeout() and muster_process(). The driver's initialize waits for a
 * timeout of the host's main loop, and finishes its op from there.
 */
#include <glib.h>
#include <muster.h>

struct muster_source {
    GSource source;
    struct muster *context;
    gpointer tag; /* of the descriptor */
};

static gboolean prepare(GSource *source, gint *timeout)
{
    *timeout = muster_timeout(((struct muster_source *)source)->context);
    return *timeout == 0;
}

static gboolean check(GSource *source)
{
    struct muster_source *self = (struct muster_source *)source;
    return g_source_query_unix_fd(source, self->tag) != 0 || muster_timeout(self->context) == 0;
}

/* The callback, if there is one, hears that the context is down. */
static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct muster *context = ((struct muster_source *)source)->context;
    int code = muster_process(context);
    if (code != 0)
        g_warning("muster: %s", muster_code_text(code));
    if (code == 0 && muster_state(context) != MUSTER_STATE_DOWN)
        return G_SOURCE_CONTINUE;
    return callback != NULL ? callback(data) : G_SOURCE_REMOVE;
}

/* The source must be destroyed before the context is freed. */
static GSource *muster_source_new(struct muster *context)
{
    static GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};
    GSource *source = g_source_new(&functions, sizeof(struct muster_source));
    struct muster_source *self = (struct muster_source *)source;
    self->context = context;
    self->tag = g_source_add_unix_fd(source, muster_fd(context), G_IO_IN);
    g_source_set_name(source, "muster");
    return source;
}

/* ---- the host --------------------------------------------------------------------------------- */

static gboolean on_timeout(gpointer op)
{
    g_print("device: a timeout of the main loop has fired\n");
    muster_op_finish(op, MUSTER_OK);
    return G_SOURCE_REMOVE;
}

/* Begins something that takes its time, and doesn't wait for it. */
static int initialize(struct muster_op *op)
{
    g_print("device: initialize\n");
    g_timeout_add(20, on_timeout, op);
    return MUSTER_PENDING;
}

static void on_up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    g_print("up: %s\n", error == NULL ? "ok" : muster_error_text(error));
    *(int *)data = code;
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static gboolean on_down(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

int main(void)
{
    struct muster *context;
    struct muster_driver_def device;
    MUSTER_DRIVER_DEF_INIT(&device);
    device.name = "device";
    device.flags = MUSTER_ESSENTIAL;
    device.initialize = initialize;
    int result = MUSTER_ECANCELED, code = muster_new(NULL, &context);
    if (code != 0) {
        g_printerr("glib_host: %s\n", muster_code_text(code));
        return 1;
    }
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GSource *source = muster_source_new(context);
    g_source_set_callback(source, on_down, loop, NULL);
    g_source_attach(source, NULL);
    if ((code = muster_add_driver(context, &device, NULL, NULL)) == 0 &&
        (code = muster_bring_up(context, on_up, &result)) == 0)
        g_main_loop_run(loop);
    if (code != 0)
        g_printerr("glib_host: %s\n", muster_error_text(muster_get_error(context)));
    g_source_destroy(source);
    g_source_unref(source);
    muster_free(context);
    g_main_loop_unref(loop);
    return result != 0;
}

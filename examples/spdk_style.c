/* SPDX-License-Identifier: MIT */
/*
 * A host that polls, as SPDK's reactors do: one thread goes round its pollers and never sleeps. muster is one of the
 * pollers. What takes time is submitted to a device, which completes it on a thread of its own: muster_op_finish() may be
 * called there, and what follows is called in the reactor's next rounds.
 */
#include <muster.h>
#include <pthread.h>
#include <stdio.h>

/* ---- a device: requests go in, completions come on its thread ----------------------------------- */

#define DEPTH 8

struct device {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wakeup;
    struct muster_op *queue[DEPTH];
    int count;
    int ending;
};

static void *complete(void *data)
{
    struct device *device = data;
    pthread_mutex_lock(&device->lock);
    while (!device->ending || device->count > 0) {
        if (device->count == 0) {
            pthread_cond_wait(&device->wakeup, &device->lock);
            continue;
        }
        struct muster_op *op = device->queue[--device->count];
        pthread_mutex_unlock(&device->lock);
        muster_op_finish(op, MUSTER_OK);
        pthread_mutex_lock(&device->lock);
    }
    pthread_mutex_unlock(&device->lock);
    return NULL;
}

static int submit(struct muster_op *op)
{
    struct device *device = muster_op_driver_data(op);
    const char *name = muster_op_resource_name(op);
    printf("%s%s%s: submitted\n", muster_phase_name(muster_op_phase(op)), name != NULL ? " " : "", name != NULL ? name : "");
    pthread_mutex_lock(&device->lock);
    int is_full = device->count == DEPTH;
    if (!is_full)
        device->queue[device->count++] = op;
    pthread_cond_signal(&device->wakeup);
    pthread_mutex_unlock(&device->lock);
    return is_full ? MUSTER_UNAVAILABLE : MUSTER_PENDING;
}

static void end(struct device *device)
{
    pthread_mutex_lock(&device->lock);
    device->ending = 1;
    pthread_cond_signal(&device->wakeup);
    pthread_mutex_unlock(&device->lock);
    pthread_join(device->thread, NULL);
}

/* ---- a reactor: pollers, round and round -------------------------------------------------------- */

struct poller {
    void (*poll)(void *data);
    void *data;
};

struct reactor {
    struct poller pollers[4];
    int count;
    int running;
};

static void reactor_run(struct reactor *reactor)
{
    for (reactor->running = 1; reactor->running;)
        for (int i = 0; i < reactor->count; i++)
            reactor->pollers[i].poll(reactor->pollers[i].data);
}

/* ---- the host ----------------------------------------------------------------------------------- */

struct host {
    struct reactor reactor;
    struct device device;
    struct muster *context;
    int code;
};

/* Nothing blocks in here, and muster_fd() isn't needed: whoever comes by again and again needs no wakeup. */
static void poll_muster(void *data)
{
    struct host *host = data;
    int code = muster_process(host->context);
    if (code != 0 || muster_state(host->context) == MUSTER_STATE_DOWN)
        host->reactor.running = 0;
    if (code != 0)
        host->code = code;
}

static int initialize(struct muster_op *op)
{
    struct muster_resource_def bdev;
    MUSTER_RESOURCE_DEF_INIT(&bdev);
    bdev.name = "nvme0";
    bdev.policy = MUSTER_AUTOSTART;
    bdev.flags = MUSTER_VOLATILE;
    int code = muster_op_add_resource(op, &bdev);
    return code != 0 ? code : submit(op);
}

static void on_up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct host *host = data;
    struct muster_resource *bdev = muster_resource_find(context, "bdev/nvme0");
    struct muster_resource_status status;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    printf("up: %s\n", error == NULL ? "ok" : muster_error_text(error));
    host->code = code != 0 ? code : muster_error_code(error);
    if (bdev != NULL && muster_resource_state(bdev, &status) == 0)
        printf("bdev/nvme0: %s\n", muster_stage_name(status.stage));
    if (status.stage != MUSTER_STAGE_ACTIVE && host->code == 0)
        host->code = MUSTER_EFAILED;
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static int bring_up(struct host *host)
{
    struct muster_driver_def bdev;
    MUSTER_DRIVER_DEF_INIT(&bdev);
    bdev.name = "bdev";
    bdev.initialize = initialize;
    bdev.start = submit;
    int code = muster_add_driver(host->context, &bdev, &host->device, NULL);
    return code != 0 ? code : muster_bring_up(host->context, on_up, host);
}

int main(void)
{
    struct host host = {.device = {.lock = PTHREAD_MUTEX_INITIALIZER, .wakeup = PTHREAD_COND_INITIALIZER}};
    int code = muster_new(NULL, &host.context);
    if (code != 0 || pthread_create(&host.device.thread, NULL, complete, &host.device) != 0) {
        fprintf(stderr, "spdk_style: it can't begin\n");
        muster_free(host.context);
        return 1;
    }
    host.reactor.pollers[host.reactor.count++] = (struct poller){poll_muster, &host};
    code = bring_up(&host);
    if (code == 0)
        reactor_run(&host.reactor);
    if (code != 0 || host.code != 0)
        fprintf(stderr, "spdk_style: %s\n", muster_code_text(code != 0 ? code : host.code));
    end(&host.device);
    muster_free(host.context);
    return code != 0 || host.code != 0;
}

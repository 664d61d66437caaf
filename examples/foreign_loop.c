/* SPDX-License-Identifier: MIT */
/*
 * A host with a loop of its own, here epoll. It watches muster_fd(), waits no longer than muster_timeout(), and calls
 * muster_process(). The driver's initialize waits for a timer of the host's loop, and finishes its op from there.
 */
#include <muster.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct host {
    int epoll;
    int timer;
    struct muster *context;
    struct muster_op *op; /* waits for the timer */
};

static void watch(struct host *host, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(host->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("foreign_loop: epoll_ctl");
        exit(1);
    }
}

/* Begins something that takes its time, and doesn't wait for it. */
static int initialize(struct muster_op *op)
{
    struct host *host = muster_op_driver_data(op);
    struct itimerspec soon = {.it_value = {.tv_nsec = 20 * 1000 * 1000}};
    printf("device: initialize\n");
    if (timerfd_settime(host->timer, 0, &soon, NULL) != 0)
        return muster_op_fail(op, MUSTER_EIO, "the timer can't be set");
    host->op = op;
    return MUSTER_PENDING;
}

static void on_timer(struct host *host)
{
    uint64_t expirations;
    if (read(host->timer, &expirations, sizeof(expirations)) != (ssize_t)sizeof(expirations) || host->op == NULL)
        return;
    printf("device: the timer of the host's own loop has fired\n");
    muster_op_finish(host->op, MUSTER_OK);
    host->op = NULL;
}

static void up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)data;
    (void)code;
    printf("up: %s\n", error == NULL ? "ok" : muster_error_text(error));
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static int run_loop(struct host *host)
{
    while (muster_state(host->context) != MUSTER_STATE_DOWN) {
        struct epoll_event events[8];
        int count = epoll_wait(host->epoll, events, 8, muster_timeout(host->context));
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == host->timer)
                on_timer(host);
        int code = muster_process(host->context); /* cheap if there is nothing to do */
        if (code != 0)
            return code;
    }
    return 0;
}

int main(void)
{
    struct host host = {.epoll = epoll_create1(EPOLL_CLOEXEC), .timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)};
    struct muster_driver_def device;
    MUSTER_DRIVER_DEF_INIT(&device);
    device.name = "device";
    device.initialize = initialize;

    int code = muster_new(NULL, &host.context);
    if (code != 0 || host.epoll < 0 || host.timer < 0) {
        fprintf(stderr, "foreign_loop: %s\n", muster_code_text(code));
        return 1;
    }
    watch(&host, muster_fd(host.context));
    watch(&host, host.timer);
    if ((code = muster_add_driver(host.context, &device, &host, NULL)) == 0 &&
        (code = muster_bring_up(host.context, up, NULL)) == 0)
        code = run_loop(&host);
    if (code != 0)
        fprintf(stderr, "foreign_loop: %s\n", muster_error_text(muster_get_error(host.context)));
    muster_free(host.context);
    close(host.timer);
    close(host.epoll);
    return code != 0;
}

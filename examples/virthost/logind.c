/* SPDX-License-Identifier: MIT */
#include "logind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "timeline.h"
#include "virthost.h"

#define SERVICE "org.freedesktop.login1"
#define PLACE "/org/freedesktop/login1"
#define MANAGER "org.freedesktop.login1.Manager"

struct logind {
    struct virthost *host;
    sd_bus *bus;
    uv_poll_t poll;
    /* What delays the machine's end while it is open; -1: there is none. */
    int lock;
};

static void on_bus(uv_poll_t *poll, int status, int events);

static void watch(struct logind *logind)
{
    int events = sd_bus_get_events(logind->bus);
    int wanted = (events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0);
    if (events > 0)
        uv_poll_start(&logind->poll, wanted, on_bus);
    else
        uv_poll_stop(&logind->poll);
}

static void unlock(struct logind *logind)
{
    if (logind->lock >= 0)
        close(logind->lock);
    logind->lock = -1;
}

static void on_bus(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct logind *logind = poll->data;
    int code = status;
    while (code >= 0 && (code = sd_bus_process(logind->bus, NULL)) > 0)
        ;
    if (code < 0) {
        timeline_say(logind->host->timeline, "logind: the bus is gone: %s", uv_strerror(code));
        uv_poll_stop(poll);
        unlock(logind);
        return;
    }
    watch(logind);
}

static int on_lock(sd_bus_message *message, void *data, sd_bus_error *error)
{
    (void)error;
    struct logind *logind = data;
    int lock = -1;
    if (sd_bus_message_is_method_error(message, NULL))
        timeline_say(logind->host->timeline, "logind: no lock: %s", sd_bus_message_get_error(message)->message);
    else if (sd_bus_message_read(message, "h", &lock) >= 0)
        logind->lock = fcntl(lock, F_DUPFD_CLOEXEC, 3);
    if (logind->lock >= 0)
        timeline_say(logind->host->timeline, "logind: it waits for this daemon before the machine goes down");
    return 0;
}

static int on_prepare(sd_bus_message *message, void *data, sd_bus_error *error)
{
    (void)error;
    struct logind *logind = data;
    int begins = 0;
    if (sd_bus_message_read(message, "b", &begins) >= 0 && begins) {
        timeline_say(logind->host->timeline, "logind: the machine goes down");
        muster_request_shutdown(logind->host->context, MUSTER_HOST_SHUTDOWN);
    }
    return 0;
}

static int subscribe(struct logind *logind)
{
    int code = sd_bus_match_signal_async(logind->bus, NULL, SERVICE, PLACE, MANAGER, "PrepareForShutdown", on_prepare,
                                         NULL, logind);
    if (code < 0)
        return code;
    return sd_bus_call_method_async(logind->bus, NULL, SERVICE, PLACE, MANAGER, "Inhibit", on_lock, logind, "ssss",
                                    "shutdown", "virthost", "its guests are being stopped", "delay");
}

int logind_open(struct virthost *host)
{
    struct logind *logind = calloc(1, sizeof(*logind));
    if (logind == NULL)
        return -ENOMEM;
    logind->host = host;
    logind->lock = -1;
    int code = sd_bus_open_system(&logind->bus);
    if (code >= 0)
        code = subscribe(logind);
    if (code >= 0)
        code = uv_poll_init(&host->loop, &logind->poll, sd_bus_get_fd(logind->bus));
    if (code < 0) {
        sd_bus_unref(logind->bus);
        free(logind);
        return code;
    }
    logind->poll.data = logind;
    host->logind = logind;
    watch(logind);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct logind *logind = handle->data;
    sd_bus_close_unref(logind->bus);
    unlock(logind);
    free(logind);
}

void logind_close(struct virthost *host)
{
    if (host->logind == NULL)
        return;
    uv_close((uv_handle_t *)&host->logind->poll, on_closed);
    host->logind = NULL;
}

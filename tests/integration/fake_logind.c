/* SPDX-License-Identifier: MIT */
/*
 * logind, as far as a daemon has to do with it, on the bus of DBUS_SYSTEM_BUS_ADDRESS. It says "ready", "locked" when somebody
 * has taken the lock, and "released" when that is closed. A line on standard input: the machine goes down.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

static int lock = -1;

static void say(const char *text)
{
    puts(text);
    fflush(stdout);
}

static int inhibit(sd_bus_message *message, void *data, sd_bus_error *error)
{
    (void)data;
    const char *what, *who, *why, *mode;
    int ends[2];
    if (sd_bus_message_read(message, "ssss", &what, &who, &why, &mode) < 0 || pipe(ends) != 0)
        return sd_bus_error_set_errno(error, EINVAL);
    lock = ends[0];
    int code = sd_bus_reply_method_return(message, "h", ends[1]);
    close(ends[1]);
    printf("locked: %s, %s\n", what, mode);
    fflush(stdout);
    return code;
}

static const sd_bus_vtable table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Inhibit", "ssss", "h", inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("PrepareForShutdown", "b", 0),
    SD_BUS_VTABLE_END,
};

static int serve(sd_bus *bus)
{
    for (;;) {
        while (sd_bus_process(bus, NULL) > 0)
            ;
        /* (Without a bus there is the lock still.) */
        int fd = sd_bus_is_open(bus) > 0 ? sd_bus_get_fd(bus) : -1;
        struct pollfd fds[] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}, {lock, POLLIN, 0}};
        if (poll(fds, 3, -1) < 0)
            return 1;
        char byte;
        if (fds[1].revents != 0) {
            if (read(STDIN_FILENO, &byte, 1) <= 0)
                return 0;
            sd_bus_emit_signal(bus, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForShutdown", "b",
                               true);
        }
        if (fds[2].revents != 0 && read(lock, &byte, 1) == 0) {
            close(lock);
            lock = -1;
            say("released");
        }
    }
}

int main(void)
{
    sd_bus *bus;
    if (sd_bus_open_system(&bus) < 0 ||
        sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", table, NULL) < 0 ||
        sd_bus_request_name(bus, "org.freedesktop.login1", 0) < 0)
        return 1;
    say("ready");
    int code = serve(bus);
    sd_bus_flush_close_unref(bus);
    return code;
}

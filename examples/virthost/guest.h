/* SPDX-License-Identifier: MIT */
/* QEMU guests: what guest.c and guest_command.c share. */
#ifndef VIRTHOST_GUEST_H
#define VIRTHOST_GUEST_H

#include "object.h"

/* Files of a guest, in STATE/run. */
struct guest_paths {
    /* QEMU inherits it, locked, from the fork on. */
    char lock[VIRTHOST_PATH_BYTES];
    char log[VIRTHOST_PATH_BYTES];
    char firmware[VIRTHOST_PATH_BYTES];
    /* Ours, and one for others that want to look on. */
    char qmp[VIRTHOST_PATH_BYTES];
    char observer[VIRTHOST_PATH_BYTES];
};

/* The command line of one guest. */
struct guest_command {
    const char *argv[48];
    size_t count;
    /* What argv points to. */
    char *texts[48];
    size_t texts_count;
    /* Why it could not be made. */
    char error[600];
};

/*
 * Make its files and its command line. `token` becomes its UUID. 0, or a negative code and command->error. In
 * both cases guest_command_fini().
 */
int guest_command_init(struct guest_command *command, const struct object *guest,
                       const struct guest_paths *paths, const char *token);
void guest_command_fini(struct guest_command *command);

/* The argument by which a guest's QEMU is found; for free(). */
char *guest_command_monitor(const char *path);

/* What a running QEMU says of itself, from its command line: its config, or NULL. */
json_t *guest_command_config(pid_t pid);

/* "0123..." as 8-4-4-4-12. */
void guest_command_uuid(const char *token, char uuid[37]);

#endif

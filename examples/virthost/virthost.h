/* SPDX-License-Identifier: MIT */
/*
 * virthost: a small hypervisor daemon on libuv and muster.
 *
 *     main.c      options, signals, bring-up, the way down
 *     config.c    the JSON files of the config directory
 *     object.c    a muster resource for each of them; reload; transient ones
 *     secret.c network.c pool_dir.c pool_mount.c pool_nbd.c pool_export.c guest.c
 *                 one driver each
 *     control.c   the control socket, and list.c what it tells
 *     timeline.c  what muster's observer hears: the log; log.c prints it
 *     progress.c  how far the bring-up is, and its report
 *     notify.c    what the service manager is told; logind.c: the machine goes down
 *     process.c qmp.c nbd_link.c command.c delay.c firmware.c
 *                 what the drivers are made of; none of them knows muster
 */
#ifndef VIRTHOST_H
#define VIRTHOST_H

#include <stdbool.h>

#include <jansson.h>
#include <uv.h>

#include <muster.h>
#include <muster/uv.h>

struct control;
struct logind;
struct object;
struct timeline;

struct virthost_options {
    const char *config;
    const char *state;
    const char *socket;
    /* The network namespace of the bridges; NULL: made from the state directory. */
    const char *netns;
    /* The bring-up's report goes there; NULL: nowhere. */
    const char *report;
    /* For tests: pretend that the machine has been started again. */
    const char *boot_id;
    /* "text" or "json"; NULL: text. */
    const char *log;
    bool logind;
    bool check;
};

struct virthost {
    uv_loop_t loop;
    struct muster *context;
    /* Absolute. Sockets, locks, logs and keys are in `run` below it, the journal is in it. */
    char state[512];
    char netns[64];
    const char *config_directory;
    /* What config_load() made; never NULL while the daemon runs. */
    json_t *config;
    /* What was wrong with it: an array of texts. */
    json_t *problems;
    struct object *objects;
    struct timeline *timeline;
    struct control *control;
    /* NULL: nobody has asked for it, or it isn't there. */
    struct logind *logind;
    /* The last one that was reached: "initialized", "reconciled", "settled" or "none". */
    const char *milestone;
    /* Objects that no file defines are gone once they are inactive: somebody has to look. */
    struct delay *sweep;
    /* The context is going or gone: nothing is begun any more. */
    bool ending;
};

#define VIRTHOST_PATH_BYTES 512

/* STATE/run/`kind`-`name``suffix`. 0 or -ENAMETOOLONG. */
int virthost_run_path(const struct virthost *host, const char *kind, const char *name, const char *suffix,
                      char path[VIRTHOST_PATH_BYTES]);

/* As SIGHUP. 0, or an error with its texts in host->problems. */
int virthost_reload(struct virthost *host, muster_done_cb done, void *data);

#endif

/* SPDX-License-Identifier: MIT */
/* The command line of a guest, which is also where one that nobody has recorded yet can be read from. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware.h"
#include "guest.h"
#include "process.h"
#include "secret.h"

#define SLOT_BYTES (1024 * 1024)
#define CONFIG_PREFIX "name=opt/virthost/config,string="

/* ---- arguments ------------------------------------------------------------------------------------ */

static void __attribute__((format(printf, 2, 3))) add(struct guest_command *command, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    command->texts[command->texts_count++] = text;
    command->argv[command->count++] = text;
}

static void add_all(struct guest_command *command, const char *const *arguments)
{
    for (; *arguments != NULL; arguments++)
        command->argv[command->count++] = *arguments;
}

/* In QEMU's options a comma ends a value: it is doubled. For free(). */
static char *escape(const char *text)
{
    char *escaped = calloc(2, strlen(text) + 1);
    for (char *to = escaped; to != NULL && *text != '\0'; text++) {
        *to++ = *text;
        if (*text == ',')
            *to++ = ',';
    }
    return escaped;
}

static void unescape(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        *to++ = *text;
        if (text[0] == ',' && text[1] == ',')
            text++;
    }
    *to = '\0';
}

static void add_escaped(struct guest_command *command, const char *before, const char *text,
                        const char *after)
{
    char *escaped = escape(text);
    add(command, "%s%s%s", before, escaped == NULL ? "" : escaped, after);
    free(escaped);
}

char *guest_command_monitor(const char *path)
{
    char *escaped = escape(path), *monitor = NULL;
    if (escaped == NULL || asprintf(&monitor, "unix:%s,server=on,wait=off", escaped) < 0)
        monitor = NULL;
    free(escaped);
    return monitor;
}

void guest_command_uuid(const char *token, char uuid[37])
{
    snprintf(uuid, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", token, token + 8, token + 12, token + 16, token + 20);
}

/* ---- disks ---------------------------------------------------------------------------------------- */

static int add_file_disk(struct guest_command *command, const struct object *pool, const char *guest)
{
    char path[VIRTHOST_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s.img", config_string(pool->config, "path"), guest);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int code = lseek(fd, 0, SEEK_END) < SLOT_BYTES && ftruncate(fd, SLOT_BYTES) != 0 ? -errno : 0;
    close(fd);
    add_escaped(command, "driver=raw,node-name=disk,file.driver=file,file.filename=", path, "");
    return code;
}

static int add_nbd_disk(struct guest_command *command, const struct object *pool, const struct object *guest)
{
    char path[VIRTHOST_PATH_BYTES];
    const char *tls = "", *secret = config_string(pool->config, "secret");
    const char *export_name = config_string(pool->config, "export");
    if (secret != NULL) {
        char directory[VIRTHOST_PATH_BYTES];
        const char *user = secret_locate(pool->host, secret, directory);
        if (user == NULL)
            return -ENOENT;
        command->count--;
        command->argv[command->count++] = "-object";
        char before[128];
        snprintf(before, sizeof(before), "tls-creds-psk,id=tls,endpoint=client,username=%s,dir=", user);
        add_escaped(command, before, directory, "");
        command->argv[command->count++] = "-blockdev";
        tls = ",file.tls-creds=tls";
    }
    if (pool->kind == &export_kind)
        virthost_run_path(pool->host, "export", pool->name, ".sock", path);
    else
        snprintf(path, sizeof(path), "%s", config_string(pool->config, "socket"));
    char *socket = escape(path), *name = escape(export_name == NULL ? "" : export_name);
    if (socket != NULL && name != NULL)
        add(command,
            "driver=raw,node-name=disk,offset=%lld,size=%d,file.driver=nbd,file.server.type=unix,"
            "file.server.path=%s,file.export=%s,file.reconnect-delay=30%s",
            (long long)config_integer(guest->config, "slot") * SLOT_BYTES, SLOT_BYTES, socket, name, tls);
    int code = socket == NULL || name == NULL ? -ENOMEM : 0;
    free(socket);
    free(name);
    return code;
}

static int add_disk(struct guest_command *command, const struct object *guest)
{
    const char *name = config_string(guest->config, "pool");
    if (name == NULL)
        return 0;
    char driver[16];
    snprintf(driver, sizeof(driver), "%.*s", (int)strcspn(name, "/"), name);
    const struct object *pool = object_find(guest->host, driver, strchr(name, '/') + 1);
    if (pool == NULL) {
        snprintf(command->error, sizeof(command->error), "%s: not defined", name);
        return MUSTER_ENOENT;
    }
    static const char *const device[] = {"-device", "ide-hd,bus=ide.0,drive=disk,werror=stop,rerror=stop",
                                         NULL};
    command->argv[command->count++] = "-blockdev";
    bool in_directory = pool->kind == &dir_kind || pool->kind == &mount_kind;
    int code =
        in_directory ? add_file_disk(command, pool, guest->name) : add_nbd_disk(command, pool, guest);
    if (code != 0)
        snprintf(command->error, sizeof(command->error), "%s: %s", name, strerror(-code));
    add_all(command, device);
    return code;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void add_machine(struct guest_command *command, const struct object *guest, const char *token)
{
    /* The firmware takes interrupts from the old controller, without an APIC. */
    static const char *const machine[] = {
        "-nodefaults", "-no-user-config", "-display",     "none", "-nic",         "none",
        "-machine",    "pc,accel=tcg",    "-cpu",         "qemu64,-apic", NULL};
    char uuid[37];
    guest_command_uuid(token, uuid);
    add(command, "qemu-system-x86_64");
    command->argv[command->count++] = "-name";
    add(command, "%s", guest->name);
    command->argv[command->count++] = "-uuid";
    add(command, "%s", uuid);
    add_all(command, machine);
    command->argv[command->count++] = "-m";
    add(command, "%d", (int)config_integer(guest->config, "memory"));
}

static void add_config(struct guest_command *command, const json_t *config)
{
    char *text = json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS);
    command->argv[command->count++] = "-fw_cfg";
    add_escaped(command, CONFIG_PREFIX, text == NULL ? "" : text, "");
    free(text);
}

static void add_monitor(struct guest_command *command, const char *path)
{
    command->argv[command->count++] = "-qmp";
    char *monitor = guest_command_monitor(path);
    command->texts[command->texts_count++] = monitor;
    command->argv[command->count++] = monitor;
}

int guest_command_init(struct guest_command *command, const struct object *guest,
                       const struct guest_paths *paths, const char *token)
{
    memset(command, 0, sizeof(*command));
    int code = firmware_write(paths->firmware, guest->name, (uint32_t)config_integer(guest->config, "beats"),
                              (uint16_t)config_integer(guest->config, "ticks"));
    if (code != 0) {
        snprintf(command->error, sizeof(command->error), "%s: %s", paths->firmware, strerror(-code));
        return code;
    }
    add_machine(command, guest, token);
    add_monitor(command, paths->qmp);
    add_monitor(command, paths->observer);
    add_config(command, guest->config);
    command->argv[command->count++] = "-bios";
    add(command, "%s", paths->firmware);
    code = add_disk(command, guest);
    for (size_t i = 0; i < command->texts_count && code == 0; i++)
        if (command->texts[i] == NULL) {
            snprintf(command->error, sizeof(command->error), "out of memory");
            code = MUSTER_ENOMEM;
        }
    return code;
}

void guest_command_fini(struct guest_command *command)
{
    for (size_t i = 0; i < command->texts_count; i++)
        free(command->texts[i]);
}

json_t *guest_command_config(pid_t pid)
{
    char *text = process_option(pid, "-fw_cfg", CONFIG_PREFIX);
    if (text == NULL)
        return NULL;
    unescape(text);
    json_t *config = json_loads(text, 0, NULL);
    free(text);
    return config;
}

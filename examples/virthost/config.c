/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (64 * 1024)

/* ---- what an item may have ------------------------------------------------------------------------ */

enum member_type {
    END = 0,
    NAME,     /* min and max: its length */
    RESOURCE, /* "secret/ceph" */
    STRING,   /* min and max: its length */
    PATH,     /* absolute */
    HEX,      /* min and max: its length */
    INTEGER,
    POLICY
};

struct member {
    const char *name;
    enum member_type type;
    bool required;
    json_int_t min;
    json_int_t max;
    /* RESOURCE: drivers that it may be of, separated by spaces. */
    const char *drivers;
    /* What stands for a missing one; NULL: nothing. */
    const char *fallback;
};

#define POLICY_MEMBER(fallback) {"policy", POLICY, false, 0, 0, NULL, fallback}

static const struct member secret_members[] = {
    {"name", NAME, true, 1, 32, NULL, NULL},
    {"user", NAME, true, 1, 32, NULL, NULL},
    {"psk", HEX, true, 32, 128, NULL, NULL},
    POLICY_MEMBER("\"autostart\""),
    {0},
};

static const struct member network_members[] = {
    {"name", NAME, true, 1, 15, NULL, NULL},
    POLICY_MEMBER("\"manual\""),
    {0},
};

static const struct member dir_members[] = {
    {"name", NAME, true, 1, 32, NULL, NULL},
    {"type", STRING, true, 1, 16, NULL, NULL},
    {"path", PATH, true, 1, 400, NULL, NULL},
    POLICY_MEMBER("\"manual\""),
    {0},
};

static const struct member mount_members[] = {
    {"name", NAME, true, 1, 32, NULL, NULL},
    {"type", STRING, true, 1, 16, NULL, NULL},
    {"source", PATH, true, 1, 400, NULL, NULL},
    {"path", PATH, true, 1, 400, NULL, NULL},
    POLICY_MEMBER("\"manual\""),
    {0},
};

static const struct member nbd_members[] = {
    {"name", NAME, true, 1, 32, NULL, NULL},
    {"type", STRING, true, 1, 16, NULL, NULL},
    {"socket", PATH, true, 1, 107, NULL, NULL},
    {"export", STRING, false, 0, 255, NULL, "\"\""},
    {"secret", RESOURCE, false, 0, 0, "secret", NULL},
    POLICY_MEMBER("\"manual\""),
    {0},
};

static const struct member export_members[] = {
    {"name", NAME, true, 1, 32, NULL, NULL},
    {"type", STRING, true, 1, 16, NULL, NULL},
    {"path", PATH, true, 1, 400, NULL, NULL},
    {"size", INTEGER, false, 1024 * 1024, (json_int_t)1 << 40, NULL, "16777216"},
    POLICY_MEMBER("\"manual\""),
    {0},
};

static const struct member guest_members[] = {
    {"name", NAME, true, 1, 32, NULL, NULL},
    {"pool", RESOURCE, false, 0, 0, "dir mount nbd export", NULL},
    {"slot", INTEGER, false, 0, 4095, NULL, "0"},
    {"network", RESOURCE, false, 0, 0, "network", NULL},
    {"memory", INTEGER, false, 4, 4096, NULL, "8"},
    {"beats", INTEGER, false, 0, 1000000, NULL, "0"},
    {"ticks", INTEGER, false, 1, 65535, NULL, "1"},
    POLICY_MEMBER("\"manual\""),
    {0},
};

struct kind {
    const char *directory;
    const char *driver;
    /* Files of one directory may be of several kinds, told apart by "type"; NULL: there is one. */
    const char *type;
    const struct member *members;
};

static const struct kind kinds[] = {
    {"secrets", "secret", NULL, secret_members},   {"networks", "network", NULL, network_members},
    {"pools", "dir", "dir", dir_members},          {"pools", "mount", "mount", mount_members},
    {"pools", "nbd", "nbd", nbd_members},          {"pools", "export", "export", export_members},
    {"guests", "guest", NULL, guest_members},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---- problems ------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3))) add_problem(json_t *problems, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_t *problem = json_string(text);
    for (char *at = text; problem == NULL && *at != '\0'; at++)
        *at = (unsigned char)*at < 0x80 ? *at : '?';
    json_array_append_new(problems, problem != NULL ? problem : json_string(text));
}

/* ---- one member ----------------------------------------------------------------------------------- */

static bool is_name(const char *text, json_int_t min, json_int_t max)
{
    size_t length = strlen(text);
    if ((json_int_t)length < min || (json_int_t)length > max || !isalnum((unsigned char)text[0]))
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL)
            return false;
    return true;
}

static bool is_resource(const char *text, const char *drivers)
{
    const char *slash = strchr(text, '/');
    if (slash == NULL || !is_name(slash + 1, 1, 32))
        return false;
    size_t length = (size_t)(slash - text);
    for (const char *at = drivers; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == length && strncmp(at, text, length) == 0)
            return true;
    return false;
}

static bool is_hex(const char *text, json_int_t min, json_int_t max)
{
    json_int_t length = (json_int_t)strlen(text);
    return length >= min && length <= max && length % 2 == 0 &&
           strspn(text, "0123456789abcdefABCDEF") == (size_t)length;
}

static bool is_policy(const char *text)
{
    for (int policy = MUSTER_MANUAL; policy <= MUSTER_LAST_STATE; policy++)
        if (strcmp(text, muster_policy_name((enum muster_policy)policy)) == 0)
            return true;
    return false;
}

/* Says what it should have been; NULL: it is right. A value is never repeated: it may be secret. */
static const char *check_member(const struct member *member, const json_t *value, char *text, size_t bytes)
{
    const char *string = json_string_value(value);
    json_int_t number = json_integer_value(value);
    json_int_t length = string == NULL ? 0 : (json_int_t)strlen(string);
    int min = (int)member->min, max = (int)member->max;
    bool right = false;
    switch (member->type) {
    case NAME:
        right = string != NULL && is_name(string, min, max);
        snprintf(text, bytes,
                 "expected %d to %d letters, digits, '.', '_' or '-', the first a letter or digit", min, max);
        break;
    case RESOURCE:
        right = string != NULL && is_resource(string, member->drivers);
        snprintf(text, bytes, "expected DRIVER/NAME with a driver of: %s", member->drivers);
        break;
    case STRING:
        right = string != NULL && length >= min && length <= max;
        snprintf(text, bytes, "expected a string of %d to %d bytes", min, max);
        break;
    case PATH:
        right = string != NULL && string[0] == '/' && length <= max;
        snprintf(text, bytes, "expected an absolute path of at most %d bytes", max);
        break;
    case HEX:
        right = string != NULL && is_hex(string, min, max);
        snprintf(text, bytes, "expected %d to %d hexadecimal digits, an even number of them", min, max);
        break;
    case INTEGER:
        right = json_is_integer(value) && number >= member->min && number <= member->max;
        snprintf(text, bytes, "expected an integer from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT,
                 member->min, member->max);
        break;
    case POLICY:
        right = string != NULL && is_policy(string);
        snprintf(text, bytes, "expected manual, autostart, unless-stopped or last-state");
        break;
    case END:
        break;
    }
    return right ? NULL : text;
}

/* ---- one item ------------------------------------------------------------------------------------- */

static const struct member *find_member(const struct member *members, const char *name)
{
    for (; members->type != END; members++)
        if (strcmp(members->name, name) == 0)
            return members;
    return NULL;
}

/* Checks and completes. Returns how many problems there were. */
static int check_item(const struct member *members, json_t *item, const char *origin, json_t *problems)
{
    int found = 0;
    const char *name;
    json_t *value;
    char text[160];
    json_object_foreach(item, name, value) {
        const struct member *member = find_member(members, name);
        const char *problem = member == NULL ? "unknown" : check_member(member, value, text, sizeof(text));
        if (problem == NULL)
            continue;
        add_problem(problems, "%s: member '%s': %s", origin, name, problem);
        found++;
    }
    for (const struct member *member = members; member->type != END; member++) {
        if (json_object_get(item, member->name) != NULL)
            continue;
        if (member->fallback != NULL) {
            json_object_set_new(item, member->name, json_loads(member->fallback, JSON_DECODE_ANY, NULL));
        } else if (member->required) {
            add_problem(problems, "%s: member '%s' is missing", origin, member->name);
            found++;
        }
    }
    return found;
}

static const struct kind *kind_of(const char *directory, const json_t *item, const char *origin,
                                  json_t *problems)
{
    const char *type = json_string_value(json_object_get(item, "type"));
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].directory, directory) == 0 &&
            (kinds[i].type == NULL || (type != NULL && strcmp(type, kinds[i].type) == 0)))
            return &kinds[i];
    add_problem(problems, "%s: member 'type': expected dir, mount, nbd or export", origin);
    return NULL;
}

json_t *config_guest(json_t *guest, const char *origin, json_t *problems)
{
    if (!json_is_object(guest)) {
        add_problem(problems, "%s: expected an object", origin);
        return NULL;
    }
    return check_item(guest_members, guest, origin, problems) == 0 ? guest : NULL;
}

/* ---- files ---------------------------------------------------------------------------------------- */

static json_t *load_file(const char *path, json_t *problems)
{
    /* A fifo would block. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        add_problem(problems, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    json_t *item = NULL;
    json_error_t error;
    if (!S_ISREG(status.st_mode))
        add_problem(problems, "%s: not a regular file", path);
    else if (status.st_size > FILE_BYTES_MAX)
        add_problem(problems, "%s: larger than %d bytes", path, FILE_BYTES_MAX);
    else if ((item = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error)) == NULL)
        add_problem(problems, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    close(fd);
    if (item != NULL && !json_is_object(item)) {
        add_problem(problems, "%s: expected an object", path);
        json_decref(item);
        item = NULL;
    }
    return item;
}

static void add_file(json_t *config, const char *directory, const char *path, json_t *problems)
{
    json_t *item = load_file(path, problems);
    if (item == NULL)
        return;
    const struct kind *kind = kind_of(directory, item, path, problems);
    if (kind != NULL && check_item(kind->members, item, path, problems) == 0) {
        json_t *items = json_object_get(config, kind->driver);
        const char *name = config_string(item, "name");
        if (json_object_get(items, name) != NULL)
            add_problem(problems, "%s: there is another %s with the name '%s'", path, kind->driver, name);
        else
            json_object_set(items, name, item);
    }
    json_decref(item);
}

static int is_config_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void load_directory(json_t *config, const char *root, const char *directory, json_t *problems)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", root, directory);
    struct dirent **entries;
    int count = scandir(path, &entries, is_config_file, alphasort);
    if (count < 0) {
        if (errno != ENOENT)
            add_problem(problems, "%s: %s", path, strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        char file[4096 + 256];
        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        add_file(config, directory, file, problems);
        free(entries[i]);
    }
    free(entries);
}

/* Two guests on one disk destroy it: the second one is left out. */
static void check_slots(json_t *guests, json_t *problems)
{
    json_t *taken = json_object();
    const char *name;
    json_t *guest;
    void *next;
    json_object_foreach_safe(guests, next, name, guest) {
        const char *pool = config_string(guest, "pool");
        if (pool == NULL || strncmp(pool, "dir/", 4) == 0 || strncmp(pool, "mount/", 6) == 0)
            continue;
        char slot[128];
        snprintf(slot, sizeof(slot), "%s slot %d", pool, (int)config_integer(guest, "slot"));
        const char *other = json_string_value(json_object_get(taken, slot));
        if (other != NULL) {
            add_problem(problems, "guest '%s': %s is taken by guest '%s'", name, slot, other);
            json_object_del(guests, name);
        } else {
            json_object_set_new(taken, slot, json_string(name));
        }
    }
    json_decref(taken);
}

json_t *config_load(const char *directory, json_t *problems)
{
    json_t *config = json_object();
    if (config == NULL)
        return NULL;
    for (size_t i = 0; i < KINDS; i++)
        json_object_set_new(config, kinds[i].driver, json_object());
    DIR *root = opendir(directory);
    if (root == NULL) {
        add_problem(problems, "%s: %s", directory, strerror(errno));
        return config;
    }
    closedir(root);
    for (size_t i = 0; i < KINDS; i++)
        if (i == 0 || strcmp(kinds[i].directory, kinds[i - 1].directory) != 0)
            load_directory(config, directory, kinds[i].directory, problems);
    check_slots(json_object_get(config, "guest"), problems);
    return config;
}

/* ---- of a checked item ---------------------------------------------------------------------------- */

const char *config_string(const json_t *item, const char *member)
{
    return json_string_value(json_object_get(item, member));
}

json_int_t config_integer(const json_t *item, const char *member)
{
    return json_integer_value(json_object_get(item, member));
}

enum muster_policy config_policy(const json_t *item)
{
    const char *text = config_string(item, "policy");
    int policy = MUSTER_MANUAL;
    while (text != NULL && policy < MUSTER_LAST_STATE &&
           strcmp(text, muster_policy_name((enum muster_policy)policy)) != 0)
        policy++;
    return (enum muster_policy)policy;
}

/* SPDX-License-Identifier: MIT */
/* The first byte of the input says in which directory a config file is, the rest is the file. */
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "fuzz.h"

static const char *const directories[] = {"secrets", "networks", "pools", "guests"};
static char top[64];

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat;
    (void)type;
    (void)place;
    return remove(path);
}

static void clean_up(void)
{
    nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void set_up(void)
{
    char path[128];
    snprintf(top, sizeof(top), "%s/muster-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(top) != NULL && atexit(clean_up) == 0);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", top, directories[i]);
        must(mkdir(path, 0700) == 0);
    }
}

/* Each item that was taken has its name, and a policy. */
static void check_items(const json_t *config)
{
    const char *driver, *name;
    json_t *items, *item;
    json_object_foreach((json_t *)(uintptr_t)config, driver, items) {
        must(driver[0] != '\0');
        json_object_foreach(items, name, item) {
            must(strcmp(config_string(item, "name"), name) == 0);
            must(config_policy(item) >= MUSTER_MANUAL && config_policy(item) <= MUSTER_LAST_STATE);
            must(config_integer(item, "memory") <= 4096);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[128];
    if (top[0] == '\0')
        set_up();
    if (size == 0)
        return 0;
    snprintf(path, sizeof(path), "%s/%s/x.json", top, directories[data[0] % 4]);
    FILE *file = fopen(path, "we");
    must(file != NULL && fwrite(data + 1, 1, size - 1, file) == size - 1 && fclose(file) == 0);
    json_t *problems = json_array();
    json_t *config = config_load(top, problems);
    must(config != NULL);
    check_items(config);
    json_decref(config);
    json_decref(problems);
    must(unlink(path) == 0);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A journal's whole life, with a table that keeps a list of the calls: for test_calls_strace.py, which compares it with what
 * strace saw between the marks. `log_calls DIRECTORY [unlogged]`: the list lacks each fdatasync.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "damage.h"
#include "host.h"
#include "image.h"
#include "store/journal.h"
#include "support/failing_calls.h"

struct logged {
    enum call call;
    int fd;
    char path[128];
};

static struct logged calls[8192];
static size_t count;

static void keep(enum call call, int fd, const char *path)
{
    if (count == sizeof(calls) / sizeof(calls[0]))
        abort();
    calls[count].call = call;
    calls[count].fd = fd;
    snprintf(calls[count++].path, sizeof(calls[0].path), "%s", path == NULL ? "" : path);
}

static struct muster__journal_calls table;

static int make(const struct host *host, struct muster_store **ret_store)
{
    struct muster_journal_options options;
    MUSTER_JOURNAL_OPTIONS_INIT(&options);
    options.compact_size = host->compact_size;
    return muster__journal_new(host->directory, &options, &table, ret_store);
}

/* What is refused here is part of the life. */
static void check_error(const struct host *host, int code)
{
    if (code != MUSTER_EBUSY)
        bad("step %c: %s", host->step, host->error.text);
}

/* The marks stand for themselves in what strace sees. */
static void run(const char *directory, struct model *model, const char *steps, uint64_t compact_size)
{
    static const struct subject subject = {make, check_error};
    struct host host = {.subject = &subject, .directory = directory, .compact_size = compact_size, .model = model};
    access("/muster-begin", F_OK);
    host_run(&host, steps);
    access("/muster-end", F_OK);
}

static void change(const char *directory, struct model *model, void (*damage)(struct image *image, struct model *model))
{
    struct image image;
    image_take(&image, directory);
    damage(&image, model);
    image_put(&image, directory);
    image_free(&image);
}

static void live(const char *directory)
{
    struct model model = {0};
    struct muster_store *other = NULL;
    run(directory, &model, "olpx", 0);
    run(directory, &model, "olpkdPLcpvDpx", 0);
    change(directory, &model, damage_rot);
    run(directory, &model, "olppx", 0);
    run(directory, &model, "rlvx", 0);
    run(directory, &model, "olppppx", 4096);
    change(directory, &model, damage_tear);
    run(directory, &model, "olx", 0);
    if (muster_store_journal_new(directory, NULL, &other) != 0 || muster_store_open(other, 0) != 0)
        abort();
    run(directory, &model, "o", 0);
    muster_store_close(other);
    muster_store_free(other);
}

int main(int argc, char **argv)
{
    unsigned kinds[CALLS] = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: %s DIRECTORY [unlogged]\n", argv[0]);
        return 2;
    }
    table = failing_calls;
    if (argc > 2)
        table.fdatasync = muster__journal_system.fdatasync;
    /* Both ask for random numbers when they are first used. */
    json_object_seed(1);
    json_decref(json_string("first"));
    call_observer = keep;
    live(argv[1]);
    call_observer = NULL;
    for (size_t i = 0; i < count; i++) {
        kinds[calls[i].call]++;
        if (calls[i].path[0] != '\0')
            printf("%s %s\n", call_names[calls[i].call], calls[i].path);
        else
            printf("%s %d\n", call_names[calls[i].call], calls[i].fd);
    }
    for (enum call call = 0; call < CALLS; call++)
        fprintf(stderr, "%s %u\n", call_names[call], kinds[call]);
    free(damage_rotten.bytes);
    image_remove(argv[1]);
    return bad_count > 0;
}

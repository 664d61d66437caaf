/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <muster.h>

#include "bench.h"

struct daemon {
    struct muster *context;
    struct muster_store *journal;
    uint32_t resources;
    enum daemon_ways way;
    struct muster_op **ops; /* that are out: first to last */
    uint32_t first;
    uint32_t last;
    uint64_t begin;
    struct daemon_life *life; /* shared with the parent */
};

/* ---- what is synced: these stand before libc's, for libmuster, too ------------------------------------- */

static struct daemon_life *counted; /* NULL: in the parent */
static size_t written;              /* since the last sync */
static size_t synced;               /* with the first one of a commit */

static void note_sync(void)
{
    synced = synced == 0 ? written : synced;
    written = 0;
}

int fdatasync(int fd)
{
    if (counted != NULL)
        counted->fdatasyncs++;
    note_sync();
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    if (counted != NULL)
        counted->fsyncs++;
    note_sync();
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    ssize_t done = syscall(SYS_pwrite64, fd, bytes, count, offset);
    bool blank = count > 0 && ((const char *)bytes)[0] == '\n'; /* space ahead */
    written += done > 0 && !blank ? (size_t)done : 0;
    return done;
}

/* ---- a store that counts what the journal is given ------------------------------------------------------- */

static void destroy(void *self)
{
    muster_store_free(((struct daemon *)self)->journal);
}

static int tell(const struct daemon *daemon, int code, struct muster_error *error)
{
    if (code != 0)
        muster_error_set(error, code, 0, "%s", muster_error_text(muster_store_get_error(daemon->journal)));
    return code;
}

static int open_store(void *self, struct muster_error *error)
{
    struct daemon *daemon = self;
    return tell(daemon, muster_store_open(daemon->journal, 0), error);
}

static int load(void *self, muster_load_cb cb, void *data, struct muster_error *error)
{
    struct daemon *daemon = self;
    return tell(daemon, muster_store_load(daemon->journal, cb, data), error);
}

static int commit(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error)
{
    struct daemon *daemon = self;
    struct daemon_life *life = daemon->life;
    uint64_t begin = bench_now_ns();
    written = synced = 0;
    int code = muster_store_commit(daemon->journal, records, count);
    life->commit_ns += bench_now_ns() - begin;
    if (life->commits < DAEMON_COMMITS)
        life->bytes[life->commits] = synced;
    life->commits++;
    return tell(daemon, code, error);
}

static int close_store(void *self, struct muster_error *error)
{
    struct daemon *daemon = self;
    return tell(daemon, muster_store_close(daemon->journal), error);
}

/* ---- drivers --------------------------------------------------------------------------------------------- */

static int add(struct muster_op *op, const char *kind, uint32_t number, const char *needs)
{
    char name[32];
    const char *list[] = {needs, NULL};
    struct muster_resource_def def;
    MUSTER_RESOURCE_DEF_INIT(&def);
    snprintf(name, sizeof(name), "%s-%05u", kind, (unsigned)number);
    def.name = name;
    def.needs = needs == NULL ? NULL : list;
    def.policy = MUSTER_AUTOSTART;
    def.flags = MUSTER_VOLATILE;
    return muster_op_add_resource(op, &def);
}

static int initialize_pools(struct muster_op *op)
{
    struct daemon *daemon = muster_op_driver_data(op);
    int code = 0;
    daemon->life->load_ns = bench_now_ns() - daemon->begin;
    for (uint32_t i = 0; i < DAEMON_POOLS && code == 0; i++)
        code = add(op, "pool", i, NULL);
    return code;
}

static int initialize_guests(struct muster_op *op)
{
    struct daemon *daemon = muster_op_driver_data(op);
    int code = 0;
    for (uint32_t i = DAEMON_POOLS; i < daemon->resources && code == 0; i++) {
        char needs[32];
        snprintf(needs, sizeof(needs), "storage/pool-%05u", (unsigned)(i % DAEMON_POOLS));
        code = add(op, "guest", i, needs);
    }
    return code;
}

static void finish_one(struct muster *context, void *data)
{
    struct daemon *daemon = data;
    muster_op_finish(daemon->ops[daemon->first++], MUSTER_OK);
    if (daemon->first < daemon->last)
        muster_post(context, finish_one, daemon);
}

/* As a driver does that spawns something: what is there now isn't what was recorded. */
static int start(struct muster_op *op)
{
    struct daemon *daemon = muster_op_driver_data(op);
    char handle[64];
    if (++daemon->life->starts == daemon->resources / 2 && daemon->way == DAEMON_KILLED)
        raise(SIGKILL);
    snprintf(handle, sizeof(handle), "{\"pid\":%u,\"start\":%d}", (unsigned)daemon->life->starts, (int)getpid());
    int code = muster_op_set_handle(op, handle);
    if (code != 0 || daemon->way != DAEMON_IN_TURN)
        return code;
    daemon->ops[daemon->last++] = op;
    if (daemon->last == daemon->first + 1)
        muster_post(daemon->context, finish_one, daemon);
    return MUSTER_PENDING;
}

static void up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct daemon *daemon = data;
    daemon->life->ns = bench_now_ns() - daemon->begin;
    if (code == 0)
        code = muster_error_code(error);
    if (code != 0)
        fprintf(stderr, "bringup: %s\n", muster_error_text(error));
    daemon->life->code = code;
    muster_shutdown(context, MUSTER_DAEMON_RESTART, NULL, NULL);
}

static int add_driver(struct daemon *daemon, const char *name, const char *needs, int (*initialize)(struct muster_op *op))
{
    const char *list[] = {needs, NULL};
    struct muster_driver_def def;
    MUSTER_DRIVER_DEF_INIT(&def);
    def.name = name;
    def.needs = needs == NULL ? NULL : list;
    def.initialize = initialize;
    def.start = start;
    return muster_add_driver(daemon->context, &def, daemon, NULL);
}

/* ---- a life ---------------------------------------------------------------------------------------------- */

static int make(struct daemon *daemon, const char *directory)
{
    const struct muster_store_ops ops = {.size = sizeof(ops),
                                         .name = "counting",
                                         .destroy = destroy,
                                         .open = open_store,
                                         .load = load,
                                         .commit = commit,
                                         .close = close_store};
    struct muster_options options;
    MUSTER_OPTIONS_INIT(&options);
    options.boot_id = "bench";
    int code = muster_store_journal_new(directory, NULL, &daemon->journal);
    if (code == 0)
        code = muster_store_new(&ops, daemon, &options.store);
    if (code == 0)
        code = muster_new(&options, &daemon->context);
    if (code == 0)
        code = add_driver(daemon, "storage", NULL, initialize_pools);
    return code == 0 ? add_driver(daemon, "guest", "storage", initialize_guests) : code;
}

/* In the child. */
static int live(struct daemon *daemon, const char *directory)
{
    struct rusage usage;
    counted = daemon->life;
    daemon->ops = calloc(daemon->resources, sizeof(struct muster_op *));
    int code = daemon->ops == NULL ? MUSTER_ENOMEM : make(daemon, directory);
    daemon->begin = bench_now_ns();
    if (code == 0)
        code = muster_bring_up(daemon->context, up, daemon);
    if (code == 0)
        code = muster_run(daemon->context);
    if (code != 0)
        fprintf(stderr, "bringup: %s\n", muster_code_text(code));
    getrusage(RUSAGE_SELF, &usage);
    daemon->life->peak_kb = (size_t)usage.ru_maxrss;
    muster_free(daemon->context);
    free(daemon->ops);
    return code != 0 || daemon->life->code != 0 || daemon->life->starts != daemon->resources;
}

int daemon_live(const char *directory, uint32_t resources, enum daemon_ways way, struct daemon_life *ret_life)
{
    int status = 0;
    struct daemon_life *life = mmap(NULL, sizeof(*life), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (life == MAP_FAILED)
        return -1;
    life->code = MUSTER_EFAILED;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct daemon daemon = {.resources = resources, .way = way, .life = life};
        _exit(live(&daemon, directory));
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    bool killed = child > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    bool good = child > 0 && (way == DAEMON_KILLED ? killed : WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (!good)
        fprintf(stderr, "bringup: the daemon's life went wrong (status 0x%x, %u starts)\n", (unsigned)status,
                (unsigned)life->starts);
    *ret_life = *life;
    munmap(life, sizeof(*life));
    return good ? 0 : -1;
}

/* SPDX-License-Identifier: MIT */
#include "arms.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRIVERS_MAX 16
#define PHASES (MUSTER_PHASE_STOP + 1)

typedef int (*callback)(struct muster_op *op);

struct arm {
    const char *name;
    /* One tier each, and no dependency: strictly one after another. NULL: as declared. */
    const char *const *order;
    bool guests_depend;
    bool start_unready;
};

static const char *const storage_last[] = {"secret", "network", "guest", "dir", "mount", "nbd", "export", NULL};
static const char *const reversed[] = {"guest", "export", "nbd", "mount", "dir", "network", "secret", NULL};

static const struct arm arms[] = {
    {.name = "a", .guests_depend = true},
    {.name = "b"},
    {.name = "c", .order = storage_last},
    {.name = "d", .order = reversed},
    {.name = "e", .guests_depend = true, .start_unready = true},
};

static const struct arm *arm;
static long boundaries, die_at;

struct callbacks {
    char driver[32];
    callback of[PHASES];
    void (*cancel)(struct muster_op *op);
};
static struct callbacks originals[DRIVERS_MAX];

int arms_init(void)
{
    const char *name = getenv("VIRTHOST_ARM"), *number = getenv("VIRTHOST_DIE_AT");
    for (size_t i = 0; i < sizeof(arms) / sizeof(arms[0]); i++)
        if (name != NULL && strcmp(name, arms[i].name) == 0)
            arm = &arms[i];
    if (arm == NULL) {
        fprintf(stderr, "virthost: VIRTHOST_ARM is none of a to e\n");
        return 2;
    }
    die_at = number == NULL ? 0 : strtol(number, NULL, 10);
    return 0;
}

/* ---- boundaries ----------------------------------------------------------------------------------- */

static void boundary(void)
{
    if (++boundaries == die_at)
        kill(getpid(), SIGKILL);
}

static const struct callbacks *originals_of(const struct muster_op *op)
{
    const struct callbacks *driver = originals;
    while (strcmp(driver->driver, muster_driver_name(muster_op_driver(op))) != 0)
        driver++;
    return driver;
}

static int call(struct muster_op *op)
{
    callback original = originals_of(op)->of[muster_op_phase(op)];
    boundary();
    int outcome = original(op);
    boundary();
    return outcome;
}

static void call_cancel(struct muster_op *op)
{
    void (*original)(struct muster_op *) = originals_of(op)->cancel;
    boundary();
    original(op);
    boundary();
}

static void wrap(struct callbacks *driver, enum muster_phase phase, callback *member)
{
    driver->of[phase] = *member;
    if (*member != NULL)
        *member = call;
}

static void wrap_callbacks(struct muster_driver_def *def)
{
    struct callbacks *driver = originals;
    while (driver->driver[0] != '\0')
        driver++;
    snprintf(driver->driver, sizeof(driver->driver), "%s", def->name);
    wrap(driver, MUSTER_PHASE_INITIALIZE, &def->initialize);
    wrap(driver, MUSTER_PHASE_RESTORE, &def->restore);
    wrap(driver, MUSTER_PHASE_RECONCILE, &def->reconcile);
    wrap(driver, MUSTER_PHASE_AUTOSTART, &def->autostart);
    wrap(driver, MUSTER_PHASE_RELOAD, &def->reload);
    wrap(driver, MUSTER_PHASE_SHUTDOWN, &def->shutdown);
    wrap(driver, MUSTER_PHASE_PROBE, &def->probe);
    wrap(driver, MUSTER_PHASE_ADOPT, &def->adopt);
    wrap(driver, MUSTER_PHASE_START, &def->start);
    wrap(driver, MUSTER_PHASE_STOP, &def->stop);
    driver->cancel = def->cancel;
    if (def->cancel != NULL)
        def->cancel = call_cancel;
}

static void on_observation(struct muster *context, void *data, const struct muster_observation *seen)
{
    (void)context;
    (void)data;
    (void)seen;
    boundary();
}

int arms_observe(struct muster *context)
{
    return muster_observe(context, on_observation, NULL);
}

/* ---- the arms ------------------------------------------------------------------------------------- */

bool arms_depend(const char *driver)
{
    return arm->order == NULL && (arm->guests_depend || strcmp(driver, "guest") != 0);
}

void arms_change_driver(struct muster_driver_def *def)
{
    if (!arms_depend(def->name)) {
        def->needs = NULL;
        def->wants = NULL;
    }
    for (intptr_t i = 0; arm->order != NULL && arm->order[i] != NULL; i++)
        if (strcmp(arm->order[i], def->name) == 0)
            def->tier = i;
    wrap_callbacks(def);
}

bool arms_start_unready(void)
{
    return arm->start_unready;
}

static bool is_active(const struct object *pool)
{
    if (pool->kind == &nbd_kind)
        return nbd_pool_is_ready(pool);
    char name[128];
    snprintf(name, sizeof(name), "%s/%s", pool->kind->driver, pool->name);
    struct muster_resource_status status;
    MUSTER_RESOURCE_STATUS_INIT(&status);
    const struct muster_resource *resource = muster_resource_find(pool->host->context, name);
    return resource != NULL && muster_resource_state(resource, &status) == 0 &&
           status.stage == MUSTER_STAGE_ACTIVE;
}

bool arms_kill(const struct object *guest)
{
    const char *name = config_string(guest->config, "pool");
    if (name == NULL)
        return false;
    char driver[16];
    snprintf(driver, sizeof(driver), "%.*s", (int)strcspn(name, "/"), name);
    const struct object *pool = object_find(guest->host, driver, strchr(name, '/') + 1);
    bool kills = pool == NULL || !is_active(pool);
    if (kills)
        fprintf(stderr, "experiment: guest %s is killed: %s is not active\n", guest->name, name);
    return kills;
}

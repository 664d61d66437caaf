/* SPDX-License-Identifier: MIT */
/**
 * Resources: the things a driver manages that are active or not: pools, guests, networks, secrets.
 *
 * Dependencies gate starting, never survival: a live resource is adopted even if what it depends on
 * has failed; it is then degraded, until they recover.
 *
 * All functions here are for the loop thread.
 */
#ifndef MUSTER_RESOURCE_H
#define MUSTER_RESOURCE_H

#include <stddef.h>
#include <stdint.h>

#include <muster/driver.h>
#include <muster/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What becomes of a resource that isn't running after a restart of the machine, and of one that was never started. */
enum muster_policy {
    /** Only a user starts it. */
    MUSTER_MANUAL = 0,
    /** Started once a boot, whatever it was before. */
    MUSTER_AUTOSTART = 1,
    /** Started in a new boot unless a user had stopped it. */
    MUSTER_UNLESS_STOPPED = 2,
    /** Started in a new boot if it was to be active in the last one. */
    MUSTER_LAST_STATE = 3
};

/** Flags of a resource. */
enum muster_resource_flags {
    /** It lives inside the daemon: a restart of the daemon ends it, so one recorded active is started again. */
    MUSTER_VOLATILE = 1,
    /** Start it again when it was lost (it ended by itself, not by a user's or its own wish). */
    MUSTER_RESTART_ON_LOSS = 2,
    /** If it runs and has no record, adopt it instead of reporting it as unmanaged. */
    MUSTER_ADOPT_UNMANAGED = 4
};

/** A resource's definition. muster copies it, with its strings and lists. Lists end with NULL. */
struct muster_resource_def {
    /** sizeof(struct muster_resource_def). */
    size_t size;
    /** Unique in its driver: 1 to 255 bytes of UTF-8 without control characters. */
    const char *name;
    /**
     * Resources ("storage/pool0") that must be active before it is started: of its own driver, or of drivers
     * that its driver is ordered after. One that declares neither `needs` nor `after` waits for
     * the drivers that its driver depends on to have reconciled.
     */
    const char *const *needs;
    /** Resources that must have settled before it is started. */
    const char *const *after;
    /** For the driver's callbacks. */
    void *data;
    /** Called once when muster lets go of the resource, also when the add fails. NULL: nothing to do. */
    void (*release)(void *data);
    /** enum muster_policy. Default MUSTER_MANUAL. */
    uintptr_t policy;
    /**
     * Among the driver's resources that could be called next, the higher comes first; then the one with the longest path of
     * work behind it (see MUSTER_FIRST_COME in muster/context.h); then the order of adding. Default 0.
     */
    intptr_t priority;
    /** enum muster_resource_flags. */
    uintptr_t flags;
};

/** Zero `def` and set its size. Use the macro. */
MUSTER_API void muster_resource_def_init(struct muster_resource_def *def, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_RESOURCE_DEF_INIT(def) muster_resource_def_init((def), sizeof(struct muster_resource_def))

/** Where a resource stands; also in its record. */
enum muster_stage {
    MUSTER_STAGE_INACTIVE = 0,
    MUSTER_STAGE_STARTING = 1,
    MUSTER_STAGE_ACTIVE = 2,
    MUSTER_STAGE_STOPPING = 3
};

/** What was last asked for. */
enum muster_desired { MUSTER_DESIRED_INACTIVE = 0, MUSTER_DESIRED_ACTIVE = 1 };

/** Why the stage is what it is. */
enum muster_reason {
    MUSTER_REASON_USER = 0,
    /** It ended by its own wish: a guest that powered itself off. */
    MUSTER_REASON_SELF = 1,
    MUSTER_REASON_HOST_SHUTDOWN = 2,
    /** It ended without anybody's wish. */
    MUSTER_REASON_LOSS = 3,
    MUSTER_REASON_FAILURE = 4
};

/** What keeps a resource from being simply active or inactive. */
enum muster_condition {
    /** Nothing: the stage says it all. */
    MUSTER_CONDITION_NONE = 0,
    /** Nobody has asked the driver yet, or it is being asked. */
    MUSTER_CONDITION_PROBING = 1,
    /** It waits for dependencies, for the barrier or for its turn. */
    MUSTER_CONDITION_WAITING = 2,
    /** Its state isn't known, or must not be changed without the host's decision. */
    MUSTER_CONDITION_HELD = 3,
    /** Not available now; it is tried again. */
    MUSTER_CONDITION_DEFERRED = 4,
    /** The last start failed. */
    MUSTER_CONDITION_FAILED = 5
};

/** A snapshot of a resource. Strings are valid until the next call that does more than read. */
struct muster_resource_status {
    /** sizeof(struct muster_resource_status), set by the caller. */
    size_t size;
    /** What was last asked for. */
    enum muster_desired desired;
    /** Where it stands. */
    enum muster_stage stage;
    /** Why the stage is what it is. */
    enum muster_reason reason;
    /** What keeps it from being simply active or inactive. */
    enum muster_condition condition;
    /** Its policy now. */
    enum muster_policy policy;
    /** It is active, and something that it depends on isn't; or inactive, and a bad dependency keeps it from being started. */
    int degraded;
    /** It runs, and there is no record of it: muster leaves it alone until a user starts (adopts) or stops it. */
    int unmanaged;
    /** What stands in memory is durable in the store. 1 without a store. */
    int durable;
    /** enum muster_resource_flags. */
    uintptr_t flags;
    /** Starts that failed or were cut off since the last success. */
    uintptr_t attempts;
    /** The handle that the driver set, or NULL. */
    const char *handle;
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_resource_status_init(struct muster_resource_status *status, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_RESOURCE_STATUS_INIT(status) muster_resource_status_init((status), sizeof(struct muster_resource_status))

/**
 * Add a resource to a driver that is up, or is on its way up. (Inside a callback of the driver, muster_op_add_resource()
 * does it together with the op.) It is probed and accounted for, and never started by this: an inactive one is marked, so
 * that the next restart starts nothing new.
 * A bad dependency doesn't refuse the add (a live guest must be adopted): the resource is degraded, never started, and says why.
 * On failure the definition's release is called, and *ret_resource isn't touched. `ret_resource` may be NULL.
 * MUSTER_EINVAL: the definition; so is a dependency that isn't DRIVER/NAME. MUSTER_EEXIST: the driver has one of that name.
 */
MUSTER_API int muster_resource_add(struct muster_driver *driver, const struct muster_resource_def *def,
                                   struct muster_resource **ret_resource);

/**
 * Remove a resource: muster forgets one that is inactive, with its record; nothing is stopped. The record of one that
 * isn't known inactive is kept, unclaimed. Resources that depend on it become degraded.
 * Observers may still hear of what came before; until its release is called, `resource` can be read, and whatever is asked of it
 * fails with MUSTER_ESTATE.
 * MUSTER_EBUSY: an op on it is out, or a request on it is under way. MUSTER_ENOMEM: it is on a cycle, and what is left of that
 * could not be found.
 */
MUSTER_API int muster_resource_remove(struct muster_resource *resource);

/** "storage/pool0": the resource of that name, or NULL. */
MUSTER_API struct muster_resource *muster_resource_find(struct muster *context, const char *name);
/** Its name within its driver. Valid until its release is called. */
MUSTER_API const char *muster_resource_name(const struct muster_resource *resource);
/** The driver that it belongs to. */
MUSTER_API struct muster_driver *muster_resource_driver(const struct muster_resource *resource);
/** The data of its definition. */
MUSTER_API void *muster_resource_data(const struct muster_resource *resource);
/** Fill `ret_status`, whose size the caller has set. MUSTER_EINVAL: its size. */
MUSTER_API int muster_resource_state(const struct muster_resource *resource, struct muster_resource_status *ret_status);
/**
 * Why it failed, waits, is held, deferred or degraded; NULL if none of these.
 * Valid until the next call that does more than read.
 */
MUSTER_API const struct muster_error *muster_resource_get_error(const struct muster_resource *resource);
/** The handle that the driver set, or NULL. Valid until the next call that does more than read. */
MUSTER_API const char *muster_resource_handle(const struct muster_resource *resource);

/** "active", "host-shutdown", "deferred", "unless-stopped", ... Never NULL. */
MUSTER_API const char *muster_stage_name(enum muster_stage stage);
/** "active" or "inactive". Never NULL. */
MUSTER_API const char *muster_desired_name(enum muster_desired desired);
/** "user", "self", "host-shutdown", ... Never NULL. */
MUSTER_API const char *muster_reason_name(enum muster_reason reason);
/** "none", "waiting", "deferred", ... Never NULL. */
MUSTER_API const char *muster_condition_name(enum muster_condition condition);
/** "manual", "unless-stopped", ... Never NULL. */
MUSTER_API const char *muster_policy_name(enum muster_policy policy);

/** What muster_resource_foreach() calls. */
typedef int (*muster_resource_cb)(struct muster_resource *resource, void *data);
/**
 * Call `cb` for each resource of the driver, in the order they were added. A non-zero return ends the walk and
 * is returned. `cb` must not add or remove resources.
 */
MUSTER_API int muster_resource_foreach(struct muster_driver *driver, muster_resource_cb cb, void *data);

/** What muster_resource_foreach_dependency() calls. */
typedef int (*muster_dependency_cb)(const char *name, int is_need, void *data);
/** Call `cb` with each name that the resource depends on ("storage/pool0"); `is_need` is 1 for `needs`, 0 for `after`. */
MUSTER_API int muster_resource_foreach_dependency(const struct muster_resource *resource, muster_dependency_cb cb,
                                                  void *data);

/** The end of a request, a bring-up, a milestone, a shutdown. `error` is NULL or valid during the call. */
typedef void (*muster_done_cb)(struct muster *context, void *data, int code, const struct muster_error *error);

/** Flags of a request. */
enum muster_request_flags {
    /** start: start what it needs, too. */
    MUSTER_START_DEPENDENCIES = 1,
    /** stop: stop what depends on it, first. */
    MUSTER_STOP_CASCADE = 2
};

/** How a request is to be carried out. NULL stands for all defaults. */
struct muster_request_options {
    /** sizeof(struct muster_request_options). */
    size_t size;
    /** enum muster_request_flags. */
    uintptr_t flags;
    /** For the driver: muster_op_request(). The caller keeps it alive until the request is done. */
    void *request;
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_request_options_init(struct muster_request_options *options, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_REQUEST_OPTIONS_INIT(options)                                                        \
    muster_request_options_init((options), sizeof(struct muster_request_options))

/**
 * Start a resource; one that runs unmanaged is adopted. `cb` (may be NULL) hears the end: when the resource is
 * recorded active, or why not. Before the barrier the request queues.
 * Ends with: MUSTER_EUNKNOWN: no probe has answered; MUSTER_EDEPENDENCY: what it needs isn't active, with the names, or
 * nothing that it waits for goes on any more, a deadlock; the store's code: the intent could not be recorded, nothing was
 * started; the driver's code; MUSTER_ETIMEDOUT; MUSTER_ECANCELED: a stop or the shutdown came first.
 * Fails with MUSTER_ESTATE when the context is going down or no bring-up has begun, MUSTER_ENOMEM.
 */
MUSTER_API int muster_resource_start(struct muster_resource *resource, const struct muster_request_options *options,
                                     muster_done_cb cb, void *data);

/**
 * Stop a resource. It is recorded inactive by the user, with this boot, also when nothing ran; the driver's stop is
 * called unless this run has shown the resource inactive.
 * Ends with: MUSTER_EDEPENDENCY: others that aren't known inactive need it, with their names, and
 * MUSTER_STOP_CASCADE isn't set; MUSTER_EBUSY: an op on it is past its deadline and unfinished (it was asked to end early); the
 * driver's code: it is recorded active again; else as muster_resource_start().
 */
MUSTER_API int muster_resource_stop(struct muster_resource *resource, const struct muster_request_options *options,
                                    muster_done_cb cb, void *data);

/** What has happened to a resource by itself. */
enum muster_change {
    /**
     * It became active. A user's stop that has begun is not undone by it; said while the stop is out, it has the resource
     * probed when that has ended.
     */
    MUSTER_CHANGED_ACTIVE = 0,
    /** It ended by its own wish: recorded inactive (self). */
    MUSTER_CHANGED_INACTIVE = 1,
    /** It ended without anybody's wish: recorded inactive (loss), its desired stays. */
    MUSTER_CHANGED_LOST = 2,
    /** Nobody can tell: probe it. */
    MUSTER_CHANGED_UNKNOWN = 3
};

/**
 * A driver reports what happened to a resource by itself. While an op on the resource is out, it counts when
 * that op has ended. From the begin of a shutdown it alters no record. From another thread, use muster_post().
 */
MUSTER_API int muster_resource_changed(struct muster_resource *resource, enum muster_change change);

/**
 * Decide a held, deferred, failed or waiting resource again now, with a fresh probe, and with attempts counted from zero.
 * MUSTER_ESTATE: it is none of these. MUSTER_EBUSY: an op on it is out.
 */
MUSTER_API int muster_resource_retry(struct muster_resource *resource);

/**
 * Replace what the resource declares with `needs` and `after`. Lists as in the definition. MUSTER_EINVAL as there;
 * MUSTER_ENOMEM. Neither changes anything.
 */
MUSTER_API int muster_resource_set_needs(struct muster_resource *resource, const char *const *needs,
                                         const char *const *after);
/**
 * Change the policy. Once the driver's autostart is over it starts nothing: an inactive one is marked for this boot, and one of
 * which that isn't known yet (it is deferred) when it is. Autostart that is still due goes by the new policy. The mark is written
 * to the store after the call; muster_resource_status.durable tells when it is there, and a reload ends after that.
 */
MUSTER_API int muster_resource_set_policy(struct muster_resource *resource, enum muster_policy policy);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_RESOURCE_H */

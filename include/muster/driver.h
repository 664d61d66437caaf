/* SPDX-License-Identifier: MIT */
/**
 * Drivers and ops: for who implements a driver.
 *
 * A driver is a subsystem that the host registers with muster_add_driver(): a definition (names,
 * dependencies, callbacks) and the host's `void *data`. muster calls its callbacks in an order that
 * the dependencies allow, independent drivers' at the same time.
 *
 * Every call into a driver is an op. The callback gets the op and either returns its outcome, or
 * returns MUSTER_PENDING and passes the outcome to muster_op_finish() later, from any thread. An op
 * completes exactly once; a second completion is reported to the observers and changes nothing.
 */
#ifndef MUSTER_DRIVER_H
#define MUSTER_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster;
struct muster_driver;
struct muster_op;
struct muster_record;
struct muster_resource;
struct muster_resource_def;

/**
 * What a callback returns or passes to muster_op_finish(). A negative value is a failure: a code of
 * muster/error.h or a negative errno.
 */
enum muster_outcome {
    /** Done. From a probe it answers nothing: the resource is held as unknown. It is MUSTER_OK of muster/error.h. */
    /** The callback will call muster_op_finish() later, or has done so. Not an outcome of muster_op_finish(). */
    MUSTER_PENDING = 1,
    /** initialize: not usable on this machine. Those that need the driver are blocked; with MUSTER_ESSENTIAL it is fatal. */
    MUSTER_SKIP = 2,
    /** Not now: muster tries again with a growing pause, and then runs what this has blocked. */
    MUSTER_UNAVAILABLE = 3,
    /** probe: it is running now (never: it could run). */
    MUSTER_ACTIVE = 4,
    /** probe: it isn't running. */
    MUSTER_INACTIVE = 5,
    /** probe: something is there that isn't ours, such as another process with the recorded pid. */
    MUSTER_FOREIGN = 6
};

/** The callback that an op is a call of. */
enum muster_phase {
    MUSTER_PHASE_INITIALIZE = 0,
    MUSTER_PHASE_RESTORE = 1,
    MUSTER_PHASE_RECONCILE = 2,
    MUSTER_PHASE_AUTOSTART = 3,
    MUSTER_PHASE_RELOAD = 4,
    MUSTER_PHASE_SHUTDOWN = 5,
    MUSTER_PHASE_PROBE = 6,
    MUSTER_PHASE_ADOPT = 7,
    MUSTER_PHASE_START = 8,
    MUSTER_PHASE_STOP = 9
};

/** Why an op was called. */
enum muster_cause {
    /** A user's request: muster_resource_start(), _stop(), _retry(), muster_reload(), muster_shutdown(). */
    MUSTER_CAUSE_USER = 0,
    /** The bring-up, and what the record asks for. */
    MUSTER_CAUSE_RESTORE = 1,
    /** The policy, after the barrier. */
    MUSTER_CAUSE_AUTOSTART = 2,
    /** muster_shutdown() with MUSTER_HOST_SHUTDOWN. */
    MUSTER_CAUSE_HOST_SHUTDOWN = 3,
    /** An essential driver failed. */
    MUSTER_CAUSE_ROLLBACK = 4,
    /** Another resource's start or stop asked for it. */
    MUSTER_CAUSE_CASCADE = 5
};

/** Flags of a driver. */
enum muster_driver_flags {
    /** Its failure fails the bring-up, which is then rolled back. */
    MUSTER_ESSENTIAL = 1
};

/** One bit a callback for muster_driver_def.threaded: MUSTER_THREADED(START) | MUSTER_THREADED(STOP). */
#define MUSTER_THREADED(phase) ((uintptr_t)1 << MUSTER_PHASE_##phase)

/** For op_timeout_ms: no deadline. */
#define MUSTER_NO_TIMEOUT UINTPTR_MAX

/**
 * A driver's definition. muster copies it, with its strings and lists. Lists end with NULL; NULL is
 * an empty list. Names are 1 to 255 bytes of UTF-8 without control characters; a driver's name and a
 * capability have no '/'.
 */
struct muster_driver_def {
    /** sizeof(struct muster_driver_def). */
    size_t size;
    /** Unique in the context. Also a capability that the driver provides. */
    const char *name;
    /** Drivers of a higher tier come after all drivers of the lower ones. Default 0. */
    intptr_t tier;
    /**
     * Among drivers that could run next, the higher runs first; then the one with the longest path of work behind it (see
     * MUSTER_FIRST_COME in muster/context.h); then the order of registration. Default 0.
     */
    intptr_t priority;

    /** Capabilities that must exist. Ordered after their providers; blocked if none of them is up. */
    const char *const *needs;
    /** Ordered after their providers if there are any; their failure is tolerated. */
    const char *const *wants;
    /** Order only: this driver after the named ones, if they exist. */
    const char *const *after;
    /** Order only: this driver before the named ones, if they exist. */
    const char *const *before;
    /** Further capabilities that this driver provides. Several drivers may provide one. */
    const char *const *provides;

    /** enum muster_driver_flags. */
    uintptr_t flags;
    /**
     * MUSTER_THREADED() bits: these callbacks run on muster's workers, all others on the loop thread. Workers block all signals,
     * and what a callback forks there inherits that: between fork and exec it must set its mask, or it can't be ended by SIGTERM.
     */
    uintptr_t threaded;

    /** A deadline for each op, counted from its call. 0: muster_options.op_timeout_ms. MUSTER_NO_TIMEOUT: none. */
    uintptr_t op_timeout_ms;
    /** How many probes may be out at once. 0: no limit. */
    uintptr_t max_probes;
    /** How many starts may be out at once. 0: no limit. One that had to wait for its turn is probed again in it, not before. */
    uintptr_t max_starts;
    /** The least time from one start to the next, in ms. Default 0. */
    uintptr_t start_interval_ms;

    /** Load all configs: add the resources with muster_op_add_resource(). NULL: nothing to do. */
    int (*initialize)(struct muster_op *op);
    /**
     * A record that no resource has claimed after initialize, see muster_op_record(): add its resource
     * (a transient guest), or return MUSTER_OK without: the record is kept, unclaimed. NULL: keep all.
     */
    int (*restore)(struct muster_op *op);
    /** The driver's own detection, before its resources are probed. NULL: nothing to do. */
    int (*reconcile)(struct muster_op *op);
    /** After the barrier, before the driver's resources are started by policy. NULL: nothing to do. */
    int (*autostart)(struct muster_op *op);
    /** Read the configs again: add and remove resources. NULL: nothing to do. */
    int (*reload)(struct muster_op *op);
    /** Let go of everything; what is active stays so. No op of the driver is out, and none comes after. NULL: nothing to do. */
    int (*shutdown)(struct muster_op *op);
    /**
     * An op that is out should end early. It still has to be finished. May be called more than once, on the loop thread, and not
     * after that thread has finished the op. If another thread finishes it, cancel may come at the same time, or just after. The
     * op and its resource are valid in it even then; but what the driver keeps for the op, and that thread lets go of, needs a
     * lock of the driver's own. NULL: muster_op_cancelled() alone says so.
     */
    void (*cancel)(struct muster_op *op);

    /** Is the resource running now? MUSTER_ACTIVE, INACTIVE, FOREIGN, UNAVAILABLE. NULL: the record decides. */
    int (*probe)(struct muster_op *op);
    /** Take over a resource that runs already: reconnect to it. NULL: nothing to do. */
    int (*adopt)(struct muster_op *op);
    /**
     * Start the resource. What it spawns must be findable by muster_op_token(), or by the resource's name, from
     * the moment it exists: the daemon may die before the handle is durable.
     */
    int (*start)(struct muster_op *op);
    /** Stop the resource. Must succeed if it isn't running. muster_op_handle() is NULL if the last probe answered FOREIGN. */
    int (*stop)(struct muster_op *op);
};

/** Zero `def` and set its size. Use the macro. */
MUSTER_API void muster_driver_def_init(struct muster_driver_def *def, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_DRIVER_DEF_INIT(def) muster_driver_def_init((def), sizeof(struct muster_driver_def))

/** Where a driver stands. */
enum muster_driver_state {
    /** Registered, or waiting for those it depends on. */
    MUSTER_DRIVER_WAITING = 0,
    /** initialize or restore is out. */
    MUSTER_DRIVER_INITIALIZING = 1,
    /** initialize is done; it waits for those it depends on to have reconciled. */
    MUSTER_DRIVER_INITIALIZED = 2,
    /** reconcile is out, or its resources are being accounted for. */
    MUSTER_DRIVER_RECONCILING = 3,
    /** All its resources are accounted for; it waits for the barrier. */
    MUSTER_DRIVER_RECONCILED = 4,
    /** autostart is out, or its resources are being started. */
    MUSTER_DRIVER_AUTOSTARTING = 5,
    MUSTER_DRIVER_UP = 6,
    /** It said MUSTER_SKIP. */
    MUSTER_DRIVER_SKIPPED = 7,
    MUSTER_DRIVER_FAILED = 8,
    /** One that it needs isn't up: see muster_driver_get_error(). */
    MUSTER_DRIVER_BLOCKED = 9,
    /** It said MUSTER_UNAVAILABLE, and is tried again. */
    MUSTER_DRIVER_DEFERRED = 10,
    MUSTER_DRIVER_SHUTTING_DOWN = 11,
    MUSTER_DRIVER_DOWN = 12
};

/** The driver of that name, or NULL. */
MUSTER_API struct muster_driver *muster_driver_find(struct muster *context, const char *name);
/** Its name. Valid as long as the driver. */
MUSTER_API const char *muster_driver_name(const struct muster_driver *driver);
/** What was passed to muster_add_driver(). */
MUSTER_API void *muster_driver_data(const struct muster_driver *driver);
/** Where it stands. */
MUSTER_API enum muster_driver_state muster_driver_state(const struct muster_driver *driver);
/** "up", "blocked", ... Never NULL. */
MUSTER_API const char *muster_driver_state_name(enum muster_driver_state state);
/** Why it failed, is blocked, skipped or deferred; NULL if none of these. Valid until the next call that does more than read. */
MUSTER_API const struct muster_error *muster_driver_get_error(const struct muster_driver *driver);

/** What muster_driver_foreach() calls. */
typedef int (*muster_driver_cb)(struct muster_driver *driver, void *data);
/**
 * Call `cb` for each driver in the order of the plan (of registration before there is one). A non-zero return
 * ends the walk and is returned.
 */
MUSTER_API int muster_driver_foreach(struct muster *context, muster_driver_cb cb, void *data);

/**
 * The driver's world has changed (a device came): if it is deferred, run it now.
 * A driver in any other state isn't touched. Returns 0.
 */
MUSTER_API int muster_driver_changed(struct muster_driver *driver);
/**
 * Run a failed, skipped or deferred driver again now; what it has blocked follows.
 * MUSTER_ESTATE: it is none of these, or no bring-up has run. MUSTER_EBUSY: its last op has timed out and is still unfinished.
 */
MUSTER_API int muster_driver_retry(struct muster_driver *driver);

/* ---- ops: any thread, from the callback until the op is finished ---------------------------- */

/**
 * Finish an op with an outcome. Effects that were buffered apply now, together. Never allocates.
 * Any thread. A second call is reported to the observers and returns MUSTER_EINVAL, changing nothing.
 */
MUSTER_API int muster_op_finish(struct muster_op *op, int outcome);

/**
 * Finish an op as failed, with a message (cut at 255 bytes). `code` is negative; MUSTER_EUNAVAILABLE and, from
 * initialize, MUSTER_ESKIPPED mean MUSTER_UNAVAILABLE and MUSTER_SKIP, with the message as their reason. Never allocates.
 * Returns MUSTER_PENDING, so that a callback can end with `return muster_op_fail(...)`.
 */
MUSTER_API int muster_op_fail(struct muster_op *op, int code, const char *format, ...) MUSTER_PRINTF(3, 4);

/** Move the op's deadline to `ms` from now. The driver is making progress. */
MUSTER_API int muster_op_extend(struct muster_op *op, uint64_t ms);

/** 1 if the op should end early, else 0. */
MUSTER_API int muster_op_cancelled(const struct muster_op *op);

/** Which callback this is a call of. */
MUSTER_API enum muster_phase muster_op_phase(const struct muster_op *op);
/** Why it was called. */
MUSTER_API enum muster_cause muster_op_cause(const struct muster_op *op);
/** The context. */
MUSTER_API struct muster *muster_op_context(const struct muster_op *op);
/** The driver whose callback it is. */
MUSTER_API struct muster_driver *muster_op_driver(const struct muster_op *op);
/** The data of muster_add_driver(). */
MUSTER_API void *muster_op_driver_data(const struct muster_op *op);
/** The resource, or NULL if the op is one of the driver as a whole. Its functions are for the loop thread alone. */
MUSTER_API struct muster_resource *muster_op_resource(const struct muster_op *op);
/** The resource's name within its driver, or NULL. */
MUSTER_API const char *muster_op_resource_name(const struct muster_op *op);
/** The data of the resource's definition, or NULL. */
MUSTER_API void *muster_op_resource_data(const struct muster_op *op);
/** What the user passed with the request (muster_request_options.request), or NULL. */
MUSTER_API void *muster_op_request(const struct muster_op *op);
/** restore: the record that nobody has claimed; else the resource's record or NULL. Valid until the op is finished. */
MUSTER_API const struct muster_record *muster_op_record(const struct muster_op *op);
/**
 * The handle that the driver set when the resource was last started or adopted, or NULL. A probe gets
 * no handle of another boot; a stop gets none if the last probe answered FOREIGN.
 */
MUSTER_API const char *muster_op_handle(const struct muster_op *op);
/** Set the handle: text that the driver alone understands (pid and start time, a socket), at most 1 MiB of UTF-8. NULL: none. */
MUSTER_API int muster_op_set_handle(struct muster_op *op, const char *handle);
/**
 * start: what this start is known by, 32 hexadecimal digits. probe, adopt, stop, restore: that of the last
 * start whose intent was recorded, or NULL. So it is in a start that restores what lives inside the daemon (it is VOLATILE, or
 * has no probe), which needs no intent: NULL if it was never started in this boot, but adopted, or its record resolved.
 */
MUSTER_API const char *muster_op_token(const struct muster_op *op);

/**
 * initialize, restore, reconcile, reload: add a resource to the driver, when the op is finished with MUSTER_OK.
 * If it isn't, the definition's release is called and nothing is added.
 * MUSTER_EINVAL: the definition; so is a dependency that isn't DRIVER/NAME. If the op ends with that code, its error says what is
 * wrong. MUSTER_EEXIST: added twice by this op (release is called then, too).
 */
MUSTER_API int muster_op_add_resource(struct muster_op *op, const struct muster_resource_def *def);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_DRIVER_H */

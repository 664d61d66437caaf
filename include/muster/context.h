/* SPDX-License-Identifier: MIT */
/**
 * The context: one `struct muster`. A process may have several; each has its own loop thread.
 *
 * A host's own loop drives it with three calls, as with sd-bus:
 *
 *     poll muster_fd() for reading, for at most muster_timeout() ms; then call muster_process().
 *
 * muster_uv_attach() (muster/uv.h) does that on a libuv loop; muster_run() is for hosts without a loop.
 */
#ifndef MUSTER_CONTEXT_H
#define MUSTER_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <muster/driver.h>
#include <muster/error.h>
#include <muster/resource.h>
#include <muster/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where memory comes from. All three are called from several threads. realloc and free as in C. */
struct muster_allocator {
    /** sizeof(struct muster_allocator). */
    size_t size;
    /** For all three. */
    void *data;
    /** As malloc(). */
    void *(*alloc)(void *data, size_t bytes);
    /** As realloc(). */
    void *(*realloc)(void *data, void *old, size_t bytes);
    /** As free(). */
    void (*free)(void *data, void *old);
};

/** Where THREADED callbacks run, instead of muster's own workers. */
struct muster_executor {
    /** sizeof(struct muster_executor). */
    size_t size;
    /** For submit. */
    void *data;
    /** Run `work(arg)` soon on another thread, which outlives what the callback spawns. Returns 0, or negative if it can't. */
    int (*submit)(void *data, void (*work)(void *arg), void *arg);
};

/** Flags of muster_options.flags. */
enum muster_options_flags {
    /**
     * A tier is fully up, autostart included, before the next one initializes; the barrier is then one per tier.
     * It gives up the wide roll call: what a lower tier autostarts may take what a survivor of a higher tier
     * holds. Without it (the default) tiers order initialize alone, and nothing is started before all drivers
     * have reconciled; but a driver of a higher tier then initializes while the lower one's autostarted
     * resources aren't up yet.
     */
    MUSTER_COMPLETE_TIERS = 1,
    /**
     * Keep no durations, and call what is ready in the order of the plan. Without it (the default), what could be called next
     * goes by the priority, then by the longest path of work that waits for it, so that the whole takes the least time where
     * not all can be out at once (max_ops, and the limits of drivers); then by registration. Among a driver's resources that
     * is always so; among drivers, if max_ops is set, if one of them has THREADED callbacks, or if durations are known at the
     * bring-up. Else no driver has to wait for another's op unless it depends on it, and they go in the order of the plan.
     *
     * How long each driver's phases and each resource's start have taken is kept in the store, in records of
     * MUSTER_RECORD_HISTORY, as a smoothed mean of those that succeeded; without, every op counts as one. The same history
     * gives the same order. See muster/store.h for what is kept, and when.
     */
    MUSTER_FIRST_COME = 2
};

/** Options of a context. */
struct muster_options {
    /** sizeof(struct muster_options). */
    size_t size;
    /** Where records live; the context owns it after a successful muster_new(). NULL: no records, order alone. */
    struct muster_store *store;
    /** NULL: malloc. Copied. */
    const struct muster_allocator *allocator;
    /** NULL: muster's own workers. Copied. */
    const struct muster_executor *executor;
    /** What tells one run of the machine from another. NULL: the kernel's (/proc/sys/kernel/random/boot_id). "": unknown. */
    const char *boot_id;
    /** enum muster_options_flags. */
    uintptr_t flags;
    /** How many ops may be out at once. 0: no limit. */
    uintptr_t max_ops;
    /**
     * How many workers for THREADED callbacks. Default 16. One whose callback is past its deadline doesn't count until it
     * returns: up to as many more take their place. While all are past it, what would wait for one ends as MUSTER_UNAVAILABLE.
     */
    uintptr_t max_workers;
    /** The deadline of an op whose driver sets none, in ms. Default 60,000. */
    uintptr_t op_timeout_ms;
    /**
     * The deadline of one call of the store, in ms. Past it a commit is MUSTER_EINDETERMINATE, and a load, the open before it
     * included, has failed with MUSTER_ETIMEDOUT: as from any store that can't be read, what runs is adopted and nothing is
     * started, until the next bring-up. A close has the budget of the shutdown. Default 60,000.
     */
    uintptr_t store_timeout_ms;
    /** The budget of a shutdown or a rollback, in ms. Default 90,000, as systemd's TimeoutStopSec. */
    uintptr_t shutdown_timeout_ms;
    /** What said UNAVAILABLE is tried again after this, doubled each time, in ms. Default 1,000. */
    uintptr_t retry_min_ms;
    /** ... up to this, in ms. Default 60,000. */
    uintptr_t retry_max_ms;
    /** How often a start that was cut off or failed is tried by restarts of the daemon. Default 3. */
    uintptr_t max_attempts;
    /**
     * For tests: run drivers that could run next in an order shuffled by this, to find dependencies that nobody
     * declared. 0: off.
     */
    uint64_t shuffle_seed;
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_options_init(struct muster_options *options, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_OPTIONS_INIT(options) muster_options_init((options), sizeof(struct muster_options))

/**
 * Make a context. `options` may be NULL. Nothing is opened and no thread is started.
 * MUSTER_EINVAL: the options; MUSTER_ENOMEM; a negative errno for the file descriptor.
 */
MUSTER_API int muster_new(const struct muster_options *options, struct muster **ret_context);

/**
 * Free a context, its store and its workers; requests that are under way end with no callback. Resources' data are released.
 * It waits for callbacks that workers are still in after they finished their op, and for the store's calls that are under way,
 * these for at most muster_options.store_timeout_ms: after that, the store's thread closes and destroys the store when it can.
 * MUSTER_EBUSY: ops are out (muster_get_error() names them) or the call comes from a callback, and nothing is
 * freed. NULL is accepted.
 */
MUSTER_API int muster_free(struct muster *context);

/**
 * Give a context up although ops are out: its store is closed, no callback comes any more, and the last op's finish frees it.
 * (The store as by muster_free(). Resources' data are released by the last op's finish, on its thread; at once if no op is out.)
 * The context must not be used again; the ops may be. Not from inside a callback: MUSTER_EBUSY.
 */
MUSTER_API int muster_abandon(struct muster *context);

/**
 * In a child after fork: close the files that the child has inherited from the context and its store. Nothing is freed: what
 * another thread was changing when the parent forked is left alone. The only call that a child may make. Of a sqlite store the
 * database stays open, with its log: to close it would drop the parent's locks. All files are closed by an exec.
 */
MUSTER_API int muster_after_fork(struct muster *context);

/* ---- the loop --------------------------------------------------------------------------------- */

/** Readable when muster_process() has something to do. The same for the life of the context. */
MUSTER_API int muster_fd(const struct muster *context);
/** After how many ms muster_process() has something to do: 0 now, -1 never by itself. Ask again after each muster_process(). */
MUSTER_API int muster_timeout(const struct muster *context);
/** Do what is to be done. Never blocks; the only place where callbacks run. Not from inside a callback: MUSTER_EBUSY. */
MUSTER_API int muster_process(struct muster *context);
/**
 * For hosts without a loop: poll and process until the context is down. Returns 0, or what the bring-up or the
 * shutdown ended with.
 */
MUSTER_API int muster_run(struct muster *context);

/** For who binds muster to a loop (muster/uv.h does): one pointer that the context keeps. Initially NULL. */
MUSTER_API int muster_set_loop_data(struct muster *context, void *data);
/** What muster_set_loop_data() was given. */
MUSTER_API void *muster_loop_data(const struct muster *context);

/** What muster_post() calls. */
typedef void (*muster_post_cb)(struct muster *context, void *data);
/** Any thread: call `cb` on the loop thread, from muster_process(). In the order of the posts. */
MUSTER_API int muster_post(struct muster *context, muster_post_cb cb, void *data);

/* ---- bring-up --------------------------------------------------------------------------------- */

/**
 * Register a driver. `def` is copied. `data` is for its callbacks. `ret_driver` may be NULL.
 * What the definition says of other drivers is checked by muster_check() and muster_bring_up().
 * MUSTER_EINVAL: the definition (muster_get_error() says what). MUSTER_ESTATE: the context is going down.
 */
MUSTER_API int muster_add_driver(struct muster *context, const struct muster_driver_def *def, void *data,
                                 struct muster_driver **ret_driver);

/**
 * Check the drivers without calling any: unknown needs, duplicate names, dependencies on oneself, cycles.
 * Returns 0 or the first problem's code; muster_get_error() has them all, by muster_error_next().
 */
MUSTER_API int muster_check(struct muster *context);

/**
 * Bring up all drivers that aren't: check, load the records, initialize, reconcile, autostart. `cb` (may be
 * NULL) hears the end, once, when everything has settled. Its code is 0 also when drivers that aren't essential
 * have failed, or the store couldn't be opened or read: then nothing is started, and what runs is adopted. Its
 * error has all of that, by muster_error_next(); NULL: nothing went wrong. Negative: an essential driver failed and
 * all were taken down again, the store is another daemon's, or a shutdown came first; the context is down then, and has let go
 * of all resources.
 * Fails as muster_check() does, before any callback. MUSTER_ESTATE: a bring-up or a shutdown is under way.
 * Called again, it brings up the drivers that were added since; what is up may not come to depend on them. If that fails the
 * check, the drivers that were added since the last check that succeeded are given up, and their handles are invalid.
 */
MUSTER_API int muster_bring_up(struct muster *context, muster_done_cb cb, void *data);

/** Points of a bring-up. */
enum muster_milestone {
    /** Every driver has initialized, or won't now. */
    MUSTER_INITIALIZED = 0,
    /** The roll call is over: all that was running is accounted for. The time to tell the service manager "ready". */
    MUSTER_RECONCILED = 1,
    /** Autostart is over, too. */
    MUSTER_SETTLED = 2
};

/** Call `cb` once when the milestone is reached, or soon if it has been. MUSTER_ECANCELED in `cb`: it won't be. */
MUSTER_API int muster_when(struct muster *context, enum muster_milestone milestone, muster_done_cb cb, void *data);

/**
 * Call the drivers' reload in order. It adds and removes resources, and starts nothing that was stopped.
 * `cb` (may be NULL) hears the end: when the callbacks have ended, each resource that was added is probed and accounted for (one
 * whose probe doesn't answer: as far as it can be), and what the store has to know of it and of changed policies is durable. So
 * a daemon that dies after that finds it so. Its error has what failed on the way, as siblings.
 * MUSTER_ESTATE: not up, or a reload is under way.
 */
MUSTER_API int muster_reload(struct muster *context, muster_done_cb cb, void *data);

/** The two ways down. */
enum muster_shutdown_kind {
    /** The daemon ends, the machine goes on: resources are left as they are. */
    MUSTER_DAEMON_RESTART = 0,
    /** The machine ends: resources are stopped, dependents first; what was desired stays so for the next boot. */
    MUSTER_HOST_SHUTDOWN = 1
};

/**
 * Take everything down: requests that have not begun end with MUSTER_ECANCELED, ops are cancelled and awaited, records that the
 * store has put off with MUSTER_EAGAIN are written (what it has refused is tried once more), drivers are shut down in reverse of
 * the order actually used, the store is closed, all within muster_options.shutdown_timeout_ms. What is past its deadline isn't
 * awaited, and a driver with such an op isn't shut down. From its begin muster_resource_changed() alters no record. `cb` (may be
 * NULL): 0, or MUSTER_ETIMEDOUT with the ops (or the store) that are still out.
 * MUSTER_ESTATE: one is under way. A bring-up that is under way ends with MUSTER_ECANCELED.
 */
MUSTER_API int muster_shutdown(struct muster *context, enum muster_shutdown_kind kind, muster_done_cb cb, void *data);

/**
 * From a signal handler or any thread: as muster_shutdown() without a callback, at the next muster_process().
 * Async-signal-safe.
 */
MUSTER_API void muster_request_shutdown(struct muster *context, enum muster_shutdown_kind kind);

/** Where a context stands. */
enum muster_context_state {
    MUSTER_STATE_NEW = 0,
    MUSTER_STATE_BRINGING_UP = 1,
    MUSTER_STATE_UP = 2,
    MUSTER_STATE_ROLLING_BACK = 3,
    MUSTER_STATE_SHUTTING_DOWN = 4,
    MUSTER_STATE_DOWN = 5
};

/** Where the context stands. */
MUSTER_API enum muster_context_state muster_state(const struct muster *context);
/** "bringing up", ... Never NULL. */
MUSTER_API const char *muster_state_name(enum muster_context_state state);

/** What an exit of the process would lose now. */
enum muster_holds_flags {
    /** VOLATILE resources are active. (A restart brings them back; until then they are gone.) */
    MUSTER_HOLDS_VOLATILE = 1,
    /** Ops are out. */
    MUSTER_HOLDS_OPS = 2,
    /** Records aren't durable yet. */
    MUSTER_HOLDS_RECORDS = 4
};
/** enum muster_holds_flags; 0: nothing. */
MUSTER_API unsigned muster_holds(const struct muster *context);

/**
 * What the last failing call on the context, the store or the bring-up had to say; NULL if nothing. Valid until
 * the next call that can fail.
 */
MUSTER_API const struct muster_error *muster_get_error(const struct muster *context);

/* ---- records -------------------------------------------------------------------------------- */

/** What muster_record_foreach() calls; `record` is valid during the call. */
typedef int (*muster_record_cb)(const struct muster_record *record, int is_claimed, void *data);
/**
 * Call `cb` for each record, claimed by a resource or not, by driver and name: as they were when the walk began, whatever
 * `cb` does to them. A non-zero return ends the walk and is returned.
 */
MUSTER_API int muster_record_foreach(struct muster *context, muster_record_cb cb, void *data);

/**
 * Forget an unclaimed record ("guest/web1"). Nothing is stopped. MUSTER_ENOENT; MUSTER_EBUSY: a resource has claimed it;
 * MUSTER_ESTATE, as with the two below: the context is going down, or is down.
 * `cb` (may be NULL), with the two below, too, hears when that is durable, or the store's code: then it is as it was (but if
 * a resource has taken the record, or its old name, meanwhile, it isn't undone: it is written when the store takes it);
 * MUSTER_ECANCELED: another of these has changed the record again before it was durable, or the context went down.
 */
MUSTER_API int muster_record_forget(struct muster *context, const char *name, muster_done_cb cb, void *data);
/** Give an unclaimed record another name: a config was renamed. MUSTER_ENOENT, MUSTER_EBUSY, MUSTER_EEXIST. */
MUSTER_API int muster_record_move(struct muster *context, const char *name, const char *new_name, muster_done_cb cb,
                                  void *data);
/**
 * Say what a quarantined record should have said. A resource that it holds up is decided again. MUSTER_ENOENT;
 * MUSTER_ESTATE: it isn't quarantined.
 */
MUSTER_API int muster_record_resolve(struct muster *context, const char *name, enum muster_desired desired,
                                     muster_done_cb cb, void *data);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_CONTEXT_H */

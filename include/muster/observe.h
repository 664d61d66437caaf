/* SPDX-License-Identifier: MIT */
/** Observers: a callback of the host that is told of every change. muster itself never prints and never logs. */
#ifndef MUSTER_OBSERVE_H
#define MUSTER_OBSERVE_H

#include <stddef.h>
#include <stdint.h>

#include <muster/driver.h>
#include <muster/error.h>
#include <muster/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What has changed; each says which members of the observation it fills. */
enum muster_observation_type {
    /** A driver's state changed: `driver`, `from`, `to` (enum muster_driver_state). */
    MUSTER_OBSERVE_DRIVER = 0,
    /** A resource's stage or condition changed: `resource`, `from`, `to` (enum muster_stage), `condition`. */
    MUSTER_OBSERVE_RESOURCE = 1,
    /** An op is called: `phase`, `cause`, `deadline_ms`. */
    MUSTER_OBSERVE_OP_BEGIN = 2,
    /** An op ended: `phase`, `cause`, `code` (its outcome), `error`. */
    MUSTER_OBSERVE_OP_END = 3,
    /** An op is past its deadline. */
    MUSTER_OBSERVE_OP_TIMEOUT = 4,
    /** An op that had timed out was finished after all: `code`. */
    MUSTER_OBSERVE_OP_LATE = 5,
    /** An op was finished a second time; nothing was changed. */
    MUSTER_OBSERVE_OP_TWICE = 6,
    /** A resource runs and has no record of being active: it is unmanaged, or was adopted with a warning. `error` says which. */
    MUSTER_OBSERVE_UNRECORDED = 7,
    /** A resource that was active is gone. */
    MUSTER_OBSERVE_LOSS = 8,
    /** A record that no resource has claimed: `name`. */
    MUSTER_OBSERVE_UNCLAIMED = 9,
    /** The store failed, or found corruption: `code`, `error`. */
    MUSTER_OBSERVE_STORE = 10,
    /** A milestone was reached: `to` (enum muster_milestone). */
    MUSTER_OBSERVE_MILESTONE = 11,
    /** The context's state changed: `from`, `to` (enum muster_context_state). */
    MUSTER_OBSERVE_STATE = 12,
    /** Memory was short: observations before this one are missing. */
    MUSTER_OBSERVE_LOST = 13,
    /** A resource is degraded, or no longer: `to` 1 or 0, `error`. */
    MUSTER_OBSERVE_DEGRADED = 14,
    /** A batch of records was committed: `to`, how many. */
    MUSTER_OBSERVE_COMMIT = 15,
    /** A driver has moved the deadline of an op with muster_op_extend(): `phase`, `cause`, `deadline_ms`. */
    MUSTER_OBSERVE_OP_EXTENDED = 16
};

/** One change. Valid during the callback; grows at its end. */
struct muster_observation {
    /** sizeof(struct muster_observation) of the library. */
    size_t size;
    /** Which of these it is. */
    enum muster_observation_type type;
    /** On the clock of muster_process() (CLOCK_MONOTONIC), in ms. */
    uint64_t time_ms;
    /** NULL where the type has none. */
    struct muster_driver *driver;
    /** NULL where the type has none. It may have been removed since: see muster_resource_remove(). */
    struct muster_resource *resource;
    /** Of the op. */
    enum muster_phase phase;
    /** Of the op. */
    enum muster_cause cause;
    /** The state before. */
    int from;
    /** The state now, or what the type says. */
    int to;
    /** Of the resource. */
    enum muster_condition condition;
    /** 0, a negative code or an outcome. */
    int code;
    /** What is behind it, or NULL. */
    const struct muster_error *error;
    /** MUSTER_OBSERVE_UNCLAIMED: "guest/web1"; else NULL. */
    const char *name;
    /** Of the op, on the clock of `time_ms`; UINT64_MAX: it has none. A service manager can be told how long to wait. */
    uint64_t deadline_ms;
};

/** What muster_observe() calls. */
typedef void (*muster_observe_cb)(struct muster *context, void *data, const struct muster_observation *observation);

/**
 * Add an observer, for the life of the context. It hears of everything after this call, in order, on the loop
 * thread, from muster_process().
 */
MUSTER_API int muster_observe(struct muster *context, muster_observe_cb cb, void *data);

/** "driver", "op begin", ... Never NULL. */
MUSTER_API const char *muster_observation_name(enum muster_observation_type type);
/** "initialize", "probe", ... Never NULL. */
MUSTER_API const char *muster_phase_name(enum muster_phase phase);
/** "user", "host-shutdown", ... Never NULL. */
MUSTER_API const char *muster_cause_name(enum muster_cause cause);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_OBSERVE_H */

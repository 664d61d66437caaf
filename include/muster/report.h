/* SPDX-License-Identifier: MIT */
/**
 * Reports: what happened in a bring-up, a reload or a shutdown, with times, and why.
 *
 * A report is a snapshot with its own strings: it stays as it is whatever the context does, may outlive it, and may be
 * read by several threads at once. It is made of what is running, too. One that was written as JSON can be read back.
 *
 * Times are in milliseconds from the begin of what the report is about. While nobody observes the context and no driver has a
 * start_interval_ms, the clock is read once a tick of the kernel's (1 to 10 ms): what takes less may seem to take no time.
 */
#ifndef MUSTER_REPORT_H
#define MUSTER_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include <muster/context.h>
#include <muster/driver.h>
#include <muster/error.h>
#include <muster/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_report;

/** A time that hasn't come: it isn't finished, or was never reached. */
#define MUSTER_REPORT_NEVER UINT64_MAX
/** No index. */
#define MUSTER_REPORT_NONE SIZE_MAX

/** What a report is about. */
enum muster_report_kind {
    /** The last muster_bring_up(), with its rollback if there was one. */
    MUSTER_REPORT_BRING_UP = 0,
    /** The last muster_reload(). */
    MUSTER_REPORT_RELOAD = 1,
    /** The last muster_shutdown(). */
    MUSTER_REPORT_SHUTDOWN = 2
};

/**
 * Make a report. What muster has called is in it from the begin to the end, and after that up to 4,096 retries and what
 * they let go on, until the next bring-up, reload or shutdown begins. Drivers and resources are in it as they stand now.
 * The caller frees it. It takes time and memory about in proportion to the drivers, resources and ops. What is kept for it
 * until then: 16 bytes an op, 24 more for one of a resource and one that failed, 16 a commit, 16 for each dependency of a
 * resource that went away, the errors of ops, and the names of what went away.
 * MUSTER_ENOENT: there was none of that kind; MUSTER_EINVAL; MUSTER_ENOMEM.
 */
MUSTER_API int muster_get_report(struct muster *context, enum muster_report_kind kind,
                                 struct muster_report **ret_report);

/**
 * Read what muster_report_write() has written as MUSTER_REPORT_JSON: `bytes` of it at `json`. What is wrong with it goes to
 * `message`, which has `room` bytes and may be NULL. Needs no context. MUSTER_EINVAL: it isn't a report; MUSTER_ENOTSUP:
 * muster was built without jansson; MUSTER_ENOMEM.
 */
MUSTER_API int muster_report_read(const char *json, size_t bytes, struct muster_report **ret_report, char *message,
                                  size_t room);

/** NULL is accepted. */
MUSTER_API void muster_report_free(struct muster_report *report);

/* ---- to walk it ------------------------------------------------------------------------------------- */

/** What a report is about, as a whole. */
struct muster_report_summary {
    /** sizeof(struct muster_report_summary) of the library, as with the structs below. They grow at their end. */
    size_t size;
    /** What it is of. */
    enum muster_report_kind kind;
    /** What it ended with: 0, or the code of the first problem. */
    int code;
    /** When it began, on the wall clock, in ms since 1970, as told by the clock when the report was made. */
    uint64_t wall_ms;
    /** How long it took; MUSTER_REPORT_NEVER while it is running. */
    uint64_t end_ms;
    /** When the report was made. */
    uint64_t now_ms;
    /** Of a bring-up, by enum muster_milestone; MUSTER_REPORT_NEVER: not reached. */
    uint64_t milestones[3];
    /** Ops that are missing, since memory was short or too many came late. */
    uint64_t lost;
};

/** Flags of muster_report_subject.flags. */
enum muster_report_subject_flags {
    /** A resource that is active while something that it depends on isn't. */
    MUSTER_REPORT_DEGRADED = 1,
    /** A resource that is gone: it was removed, nobody has claimed its record, or the context is down. */
    MUSTER_REPORT_GONE = 2
};

/** A driver or a resource, as it stood when the report was made. */
struct muster_report_subject {
    /** sizeof(struct muster_report_subject) of the library. */
    size_t size;
    /** The name of the driver. */
    const char *driver;
    /** Its name within its driver; NULL: this is the driver. */
    const char *resource;
    /** "storage/pool0", or the driver's name. */
    const char *name;
    /** Of a driver. */
    enum muster_driver_state state;
    /** Of a resource. */
    enum muster_stage stage;
    /** What keeps a resource from being simply active or inactive. */
    enum muster_condition condition;
    /** enum muster_report_subject_flags. */
    uintptr_t flags;
    /** The subjects that it depends on: drivers that a driver comes after, resources that a resource declares. */
    const uint32_t *needs;
    /** How many. */
    size_t needs_count;
    /** Why it failed, was skipped, is blocked, held, deferred, degraded or not started; NULL if none of these. */
    const struct muster_error *error;
};

/** For what an op waited longest, of the time from wanted_ms to begin_ms. */
enum muster_report_wait {
    MUSTER_REPORT_WAIT_NONE = 0,
    /** For what its driver or its resource depends on: the op `after` was the last of that. */
    MUSTER_REPORT_WAIT_DEPENDENCY = 1,
    /** For the barrier: the op `after` was the last before it. */
    MUSTER_REPORT_WAIT_BARRIER = 2,
    /** For its turn: a limit on ops, probes or starts. */
    MUSTER_REPORT_WAIT_TURN = 3,
    /** For its intent to be in the store. */
    MUSTER_REPORT_WAIT_COMMIT = 4,
    /** For another try, after it had failed or wasn't available: the op `after` was the last try. */
    MUSTER_REPORT_WAIT_RETRY = 5
};

/** Flags of muster_report_op.flags. */
enum muster_report_op_flags {
    /** It was past its deadline. */
    MUSTER_REPORT_TIMED_OUT = 1,
    /** It is on the critical path: had it been shorter, all would have been over earlier. */
    MUSTER_REPORT_CRITICAL = 2
};

/** One op. */
struct muster_report_op {
    /** sizeof(struct muster_report_op) of the library. */
    size_t size;
    /** Index of its resource, or of its driver if it was one of the driver as a whole. */
    uint32_t subject;
    /** Which callback it was a call of. */
    enum muster_phase phase;
    /** Why it was called. */
    enum muster_cause cause;
    /** When what comes before it of the same driver or resource was over. */
    uint64_t wanted_ms;
    /** When it could run: all that it depends on had settled. */
    uint64_t ready_ms;
    /** When it was called. */
    uint64_t begin_ms;
    /** When it ended; MUSTER_REPORT_NEVER: it is out. */
    uint64_t end_ms;
    /** For what it waited longest. */
    enum muster_report_wait wait;
    /** Index of the op whose end let it run; MUSTER_REPORT_NONE: none. */
    size_t after;
    /** enum muster_outcome, or a negative code. */
    int outcome;
    /** enum muster_report_op_flags. */
    uintptr_t flags;
    /** Why it failed, was skipped or isn't available; NULL if none of these. */
    const struct muster_error *error;
};

/** A batch of records that went to the store. */
struct muster_report_commit {
    /** sizeof(struct muster_report_commit) of the library. */
    size_t size;
    /** When it went to the store. */
    uint64_t begin_ms;
    /** MUSTER_REPORT_NEVER: it is out. */
    uint64_t end_ms;
    /** How many records. */
    uint64_t records;
    /** 0, or why it failed. */
    int code;
};

/** What these return is the report's, and valid until muster_report_free(). NULL past the last, and of NULL. */
MUSTER_API const struct muster_report_summary *muster_report_get_summary(const struct muster_report *report);
/** Drivers in the order of the plan, then resources. */
MUSTER_API const struct muster_report_subject *muster_report_get_subject(const struct muster_report *report,
                                                                         size_t index);
/** In the order in which they were called. */
MUSTER_API const struct muster_report_op *muster_report_get_op(const struct muster_report *report, size_t index);
/** In the order in which they went. */
MUSTER_API const struct muster_report_commit *muster_report_get_commit(const struct muster_report *report, size_t index);

/** "bring-up", "reload", "shutdown". Never NULL. */
MUSTER_API const char *muster_report_kind_name(enum muster_report_kind kind);
/** "dependency", "barrier", "turn", "commit", "retry", "none". Never NULL. */
MUSTER_API const char *muster_report_wait_name(enum muster_report_wait wait);

/* ---- while it runs ---------------------------------------------------------------------------------- */

/** How far a bring-up or a shutdown is: drivers and resources, each counted once. */
struct muster_progress_counts {
    /** sizeof(struct muster_progress_counts), set by the caller. */
    size_t size;
    /** Where they are to be: a driver that is up (or down, on the way down), a resource that has settled. */
    uint64_t done;
    /** With an op out that isn't past its deadline. */
    uint64_t running;
    /** For others, for the barrier, for their turn. */
    uint64_t waiting;
    /** Failed, skipped, blocked, held, deferred, degraded or not started. */
    uint64_t failed;
    /**
     * How much longer it takes, by the longest path of what is still to be done and the durations in the store, in ms; 0 if all
     * is over, MUSTER_REPORT_NEVER on the way down, or if no durations are known. (Limits on ops may make it longer, what has
     * got faster shorter.)
     */
    uint64_t estimate_ms;
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_progress_counts_init(struct muster_progress_counts *counts, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_PROGRESS_COUNTS_INIT(counts) muster_progress_counts_init((counts), sizeof(struct muster_progress_counts))

/** Fill `ret_counts`, whose size the caller has set. It looks at each driver and resource. MUSTER_EINVAL: its size. */
MUSTER_API int muster_progress(const struct muster *context, struct muster_progress_counts *ret_counts);

/* ---- to write it ------------------------------------------------------------------------------------ */

/** How a report is written. */
enum muster_report_format {
    /** As MUSTER_REPORT_TIME, then every op and every commit, a line each. */
    MUSTER_REPORT_TEXT = 0,
    /** All of it, for muster_report_read() and for jq. */
    MUSTER_REPORT_JSON = 1,
    /** A picture: one file that needs nothing else, for any browser. */
    MUSTER_REPORT_SVG = 2,
    /** Chrome's trace event format, for Perfetto and chrome://tracing. */
    MUSTER_REPORT_TRACE = 3,
    /** What depends on what, for Graphviz. */
    MUSTER_REPORT_DOT = 4,
    /** How long it took, and each milestone of a bring-up. */
    MUSTER_REPORT_TIME = 5,
    /** What took longest, running and waiting apart. */
    MUSTER_REPORT_BLAME = 6,
    /** Who waited for whom until the end, or until `name` was where it is. */
    MUSTER_REPORT_CHAIN = 7,
    /** Why `name` waits, failed, is degraded or was not started, in sentences, and what to do. */
    MUSTER_REPORT_WHY = 8,
    /** What got slower and faster from this report to `other`. */
    MUSTER_REPORT_DIFF = 9
};

/** Flags of muster_report_options.flags. */
enum muster_report_write_flags {
    /** Colours and bars, for a terminal. */
    MUSTER_REPORT_TERMINAL = 1
};

/** How a report is to be written. */
struct muster_report_options {
    /** sizeof(struct muster_report_options). */
    size_t size;
    /** enum muster_report_format. Default text. */
    uintptr_t format;
    /** "storage/pool0", or a driver's name. CHAIN: may be NULL. WHY: must not. */
    const char *name;
    /** DIFF: the later one, of the same kind. */
    const struct muster_report *other;
    /** How many columns there are: TEXT cuts names and results to fit, BLAME names and bars, CHAIN indents less. 0: no limit. */
    uintptr_t width;
    /** enum muster_report_write_flags. */
    uintptr_t flags;
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_report_options_init(struct muster_report_options *options, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_REPORT_OPTIONS_INIT(options) muster_report_options_init((options), sizeof(struct muster_report_options))

/** Take `bytes` of text. Non-zero ends the writing, and is returned by muster_report_write(). */
typedef int (*muster_report_write_cb)(void *data, const char *text, size_t bytes);

/**
 * Write a report, in pieces of some kilobytes. MUSTER_EINVAL: the options; MUSTER_ENOENT: nothing is called `name`
 * (nothing is written then); MUSTER_ENOMEM.
 */
MUSTER_API int muster_report_write(const struct muster_report *report, const struct muster_report_options *options,
                                   muster_report_write_cb write, void *data);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_REPORT_H */

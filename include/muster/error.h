/* SPDX-License-Identifier: MIT */
/**
 * Codes and errors.
 *
 * Every function returns 0 or a negative code. A driver's callback may also return a negative errno
 * (-EIO): codes of muster lie below -10000, so the two never meet.
 *
 * The message belongs to the object that failed (a driver, a resource, the context, a plan, a store)
 * and wraps outward, so that the outermost text tells all:
 *
 *     guest 'web1': start: storage 'rbd0': secret 'ceph': not defined
 *
 * muster_error_cause() walks that chain inward; muster_error_next() walks its siblings, where one
 * call found several problems.
 */
#ifndef MUSTER_ERROR_H
#define MUSTER_ERROR_H

#include <stddef.h>

#include <muster/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Each code: X(name, value, text). */
#define MUSTER_ERROR_MAP(X)                                                                        \
    X(EINVAL, -10001, "invalid argument")                                                          \
    X(ENOMEM, -10002, "out of memory")                                                             \
    X(EEXIST, -10003, "exists already")                                                            \
    X(ENOENT, -10004, "does not exist")                                                            \
    X(ECYCLE, -10005, "dependency cycle")                                                          \
    X(EDEPENDENCY, -10006, "a dependency is not up")                                               \
    X(ESTATE, -10007, "not possible in this state")                                                \
    X(EBUSY, -10008, "busy")                                                                       \
    X(ETIMEDOUT, -10009, "timed out, state unknown")                                               \
    X(ECANCELED, -10010, "cancelled")                                                              \
    X(EFAILED, -10011, "failed")                                                                   \
    X(ESKIPPED, -10012, "not usable on this machine")                                              \
    X(EUNAVAILABLE, -10013, "not available yet")                                                   \
    X(EUNKNOWN, -10014, "state unknown")                                                           \
    X(EIO, -10015, "input or output failed")                                                       \
    X(ECORRUPT, -10016, "corrupt")                                                                 \
    X(ENOTSUP, -10017, "not supported")                                                            \
    X(EAGAIN, -10018, "nothing was applied, try again")                                            \
    X(EINDETERMINATE, -10019, "it can't be told whether it was applied")                           \
    X(EFENCED, -10020, "the lock on the store is lost")                                            \
    X(ECHILD, -10021, "called in a child after fork")

/** The codes. Values never change; new ones are added at the end. */
enum muster_code {
#define MUSTER_ERROR_ENUM(name, value, text) MUSTER_##name = (value),
    MUSTER_ERROR_MAP(MUSTER_ERROR_ENUM)
#undef MUSTER_ERROR_ENUM
        MUSTER_OK = 0
};

/** One error. Read it with the functions below; only a store's author writes one. */
struct muster_error;

/** "MUSTER_EINVAL" for a code of muster, "EIO" for a negative errno, "MUSTER_OK" for 0. Never NULL. Any thread. */
MUSTER_API const char *muster_code_name(int code);

/** "invalid argument" for a code of muster, strerror's text for a negative errno. Never NULL. Any thread. */
MUSTER_API const char *muster_code_text(int code);

/** The code; 0 for NULL. */
MUSTER_API int muster_error_code(const struct muster_error *error);

/** The whole message, outermost first, on one line, cut at 511 bytes, in UTF-8: a byte that isn't becomes "?". "" for NULL. */
MUSTER_API const char *muster_error_text(const struct muster_error *error);

/** The errno that the operating system gave, or 0. */
MUSTER_API int muster_error_errno(const struct muster_error *error);

/** What this error was caused by, or NULL at the innermost. */
MUSTER_API const struct muster_error *muster_error_cause(const struct muster_error *error);

/** The next of several problems that one call found, or NULL at the last. */
MUSTER_API const struct muster_error *muster_error_next(const struct muster_error *error);

/**
 * Fill the error that muster handed to a store's callback. `sys_errno` is the errno behind it, or 0;
 * its text is appended (": No space left on device"). Never allocates. Returns `code`, so that a
 * callback can end with `return muster_error_set(...)`. NULL is accepted and ignored.
 */
MUSTER_API int muster_error_set(struct muster_error *error, int code, int sys_errno, const char *format,
                                ...) MUSTER_PRINTF(4, 5);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_ERROR_H */

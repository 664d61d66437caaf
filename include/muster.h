/* SPDX-License-Identifier: MIT */
/**
 * muster: bring a daemon's drivers up in order, and restore what was active.
 *
 * This header includes all that a host needs. By audience:
 *
 *   a host              muster/context.h muster/observe.h (and muster/uv.h, on its own, for libuv)
 *   a driver            muster/driver.h muster/resource.h
 *   a store             muster/store.h (and muster/testing.h, on its own, for its tests)
 *   a tool              muster/plan.h muster/report.h
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 *  - It is called on the loop thread: the one thread that calls muster_process(), or that runs the
 *    libuv loop. The muster_op_*() functions, muster_post() and muster_request_shutdown() may be
 *    called from any thread.
 *  - It returns 0, or a negative code of muster/error.h; on failure no output is touched.
 *  - A call that fails never calls its callback. One that succeeds calls it exactly once, on the loop
 *    thread, from muster_process(), never from inside the call that asked for it.
 *  - Strings that go in are copied. Strings and errors that come out belong to muster. A name stays valid
 *    as long as what it names. All else does until the next call that isn't one to read alone, be it
 *    muster_process(), muster_resource_changed() or muster_driver_retry(), or as the function says; what a
 *    callback has asked for, at most until it returns.
 *  - Misuse returns MUSTER_EINVAL. A function that returns a member of a driver, a resource or an op (its name, its data, its
 *    state) takes no NULL.
 *  - In a child after fork all that would do something, or takes the context, returns MUSTER_ECHILD.
 *  - Times are in milliseconds, sizes in bytes.
 *
 * Public structs start with their own size and grow at their end alone. Fill one with its macro
 * (MUSTER_DRIVER_DEF_INIT(&def)), or with designated initialisers and `.size = sizeof(...)`; what is
 * zero has its documented default.
 */
#ifndef MUSTER_H
#define MUSTER_H

#include <muster/context.h>
#include <muster/driver.h>
#include <muster/error.h>
#include <muster/observe.h>
#include <muster/plan.h>
#include <muster/report.h>
#include <muster/resource.h>
#include <muster/store.h>
#include <muster/version.h>

#endif /* MUSTER_H */

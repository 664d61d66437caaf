/* SPDX-License-Identifier: MIT */
/**
 * A context on a libuv loop. In a library of its own, libmuster-uv (muster-uv.pc), so that muster needs no libuv.
 */
#ifndef MUSTER_UV_H
#define MUSTER_UV_H

#include <uv.h>

#include <muster/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Drive `context` by `loop`, which the host owns and runs; the loop's thread is then the loop thread. The
 * handles that this adds keep the loop alive until muster_uv_detach(). MUSTER_EBUSY: attached already. A
 * negative errno from libuv.
 */
MUSTER_API int muster_uv_attach(struct muster *context, uv_loop_t *loop);

/** What muster_uv_detach() calls. */
typedef void (*muster_uv_detached_cb)(void *data);
/**
 * Take `context` off its loop. When `cb` (may be NULL) is called, from the loop, the handles are closed, and
 * uv_loop_close() finds none of muster's. May be called from inside a callback. The context isn't freed: call
 * this before muster_free(), and let the loop run until `cb`. MUSTER_EINVAL: not attached.
 */
MUSTER_API int muster_uv_detach(struct muster *context, muster_uv_detached_cb cb, void *data);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_UV_H */

/* SPDX-License-Identifier: MIT */
/*
 * What the experiment changes in virthost; arms.patch has the calls. VIRTHOST_ARM in the environment is one of a to e,
 * VIRTHOST_DIE_AT the number of a boundary: the beginning or the end of a callback, or something that muster's observer hears.
 */
#ifndef EXPERIMENT_ARMS_H
#define EXPERIMENT_ARMS_H

#include "object.h"

/* Read the environment. 0, or 2 with a message: there is no such arm. */
int arms_init(void);

/* Give a driver the dependencies and the tier that it has in this arm, and make each of its callbacks a boundary. */
void arms_change_driver(struct muster_driver_def *def);

/* Do the resources of that driver depend on others, as their config says? */
bool arms_depend(const char *driver);

/* Does the start of a pool return before its server has answered? */
bool arms_start_unready(void);

/* Is the guest to be killed, since its pool isn't active now? */
bool arms_kill(const struct object *guest);

/* End the process with SIGKILL at the boundary. 0, or a negative code. */
int arms_observe(struct muster *context);

/* In pool_nbd.c: the daemon has the pool's connection, and its handshake is done. */
bool nbd_pool_is_ready(const struct object *pool);

#endif

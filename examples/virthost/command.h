/* SPDX-License-Identifier: MIT */
/* Run a short command and collect what it prints. */
#ifndef VIRTHOST_COMMAND_H
#define VIRTHOST_COMMAND_H

#include <uv.h>

struct command;

/*
 * `status` is the exit status, 128 + a signal, or a negative errno if it could not be started; `output` is
 * what it wrote to its standard output, the callback's until it returns. The command is gone afterwards.
 */
typedef void (*command_cb)(void *data, int status, const char *output);

/* 0, and `cb` is called once; or a negative errno, and it isn't. */
int command_run(uv_loop_t *loop, const char *const *argv, command_cb cb, void *data,
                struct command **ret_command);

/* Kill it; `cb` is still called. */
void command_kill(struct command *command);

#endif

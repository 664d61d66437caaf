/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX 4096

struct command {
    uv_process_t process;
    uv_pipe_t pipe;
    command_cb cb;
    void *data;
    int status;
    /* What has still to end: the process, its output. */
    int open;
    size_t used;
    char output[OUTPUT_MAX];
};

static void on_closed(uv_handle_t *handle)
{
    struct command *command = handle->data;
    if (--command->open > 0)
        return;
    command->output[command->used] = '\0';
    if (command->cb != NULL)
        command->cb(command->data, command->status, command->output);
    free(command);
}

static void on_command_exit(uv_process_t *process, int64_t status, int term_signal)
{
    struct command *command = process->data;
    command->status = term_signal != 0 ? 128 + term_signal : (int)status;
    uv_close((uv_handle_t *)process, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    static char surplus[512];
    struct command *command = handle->data;
    size_t room = OUTPUT_MAX - 1 - command->used;
    *buffer = room > 0 ? uv_buf_init(command->output + command->used, (unsigned int)room)
                       : uv_buf_init(surplus, sizeof(surplus));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct command *command = stream->data;
    if (got < 0)
        uv_close((uv_handle_t *)stream, on_closed);
    else if (buffer->base == command->output + command->used)
        command->used += (size_t)got;
}

int command_run(uv_loop_t *loop, const char *const *argv, command_cb cb, void *data,
                struct command **ret_command)
{
    struct command *command = calloc(1, sizeof(*command));
    if (command == NULL)
        return -ENOMEM;
    command->process.data = command;
    command->pipe.data = command;
    command->open = 2;
    uv_pipe_init(loop, &command->pipe, 0);
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&command->pipe},
        {.flags = UV_IGNORE},
    };
    uv_process_options_t options = {
        .exit_cb = on_command_exit,
        .file = argv[0],
        .args = (char **)(uintptr_t)argv,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 3,
    };
    int code = uv_spawn(loop, &command->process, &options);
    if (code != 0) {
        uv_close((uv_handle_t *)&command->process, on_closed);
        uv_close((uv_handle_t *)&command->pipe, on_closed);
        return code;
    }
    command->cb = cb;
    command->data = data;
    uv_read_start((uv_stream_t *)&command->pipe, on_alloc, on_read);
    *ret_command = command;
    return 0;
}

void command_kill(struct command *command)
{
    uv_process_kill(&command->process, SIGKILL);
}

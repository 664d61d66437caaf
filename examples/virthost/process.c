/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- /proc -------------------------------------------------------------------------------------- */

/* The whole of /proc/PID/`file`, for free(). */
static char *read_proc(pid_t pid, const char *file, size_t *ret_bytes)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = NULL;
    size_t used = 0, size = 0;
    for (;;) {
        if (used + 1 >= size) {
            char *larger = realloc(text, size += 4096);
            if (larger == NULL)
                break;
            text = larger;
        }
        ssize_t got = read(fd, text + used, size - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            close(fd);
            text[used] = '\0';
            *ret_bytes = used;
            return text;
        }
        used += (size_t)got;
    }
    close(fd);
    free(text);
    return NULL;
}

uint64_t process_start_time(pid_t pid)
{
    size_t bytes;
    char *stat = read_proc(pid, "stat", &bytes);
    if (stat == NULL)
        return 0;
    char state = 'X';
    unsigned long long start = 0;
    const char *rest = strrchr(stat, ')');
    if (rest == NULL ||
        sscanf(rest, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &state, &start) != 2 ||
        state == 'Z' || state == 'X')
        start = 0;
    free(stat);
    return start;
}

/* Walk the arguments: `previous` is NULL at first. */
static const char *next_argument(const char *cmdline, size_t bytes, const char *previous)
{
    const char *next = previous == NULL ? cmdline : previous + strlen(previous) + 1;
    return next < cmdline + bytes ? next : NULL;
}

int process_has_argument(pid_t pid, const char *argument)
{
    size_t bytes;
    char *cmdline = read_proc(pid, "cmdline", &bytes);
    if (cmdline == NULL)
        return 0;
    const char *at = NULL;
    while ((at = next_argument(cmdline, bytes, at)) != NULL && strcmp(at, argument) != 0)
        ;
    free(cmdline);
    return at != NULL;
}

char *process_option(pid_t pid, const char *option, const char *prefix)
{
    size_t bytes;
    char *cmdline = read_proc(pid, "cmdline", &bytes);
    if (cmdline == NULL)
        return NULL;
    char *value = NULL;
    for (const char *at = NULL, *before = ""; value == NULL; before = at) {
        at = next_argument(cmdline, bytes, at);
        if (at == NULL)
            break;
        if (strcmp(before, option) == 0 && strncmp(at, prefix, strlen(prefix)) == 0)
            value = strdup(at + strlen(prefix));
    }
    free(cmdline);
    return value;
}

pid_t process_find(const char *argument)
{
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return 0;
    pid_t found = 0;
    struct dirent *entry;
    while (found == 0 && (entry = readdir(proc)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (process_has_argument(pid, argument) && process_start_time(pid) != 0)
            found = pid;
    }
    closedir(proc);
    return found;
}

/* ---- locks -------------------------------------------------------------------------------------- */

static int open_lock(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    return fd < 0 ? -errno : fd;
}

int process_lock(const char *path)
{
    int fd = open_lock(path, O_CREAT);
    if (fd < 0)
        return fd;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return fd;
    int code = errno == EACCES ? -EAGAIN : -errno;
    close(fd);
    return code;
}

int process_lock_is_held(const char *path)
{
    int fd = open_lock(path, 0);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result = fcntl(fd, F_OFD_GETLK, &lock) == 0 ? lock.l_type != F_UNLCK : -errno;
    close(fd);
    return result;
}

/* ---- watching ----------------------------------------------------------------------------------- */

struct process {
    uv_poll_t poll;
    int pidfd;
    process_ended_cb cb;
    void *data;
};

static void on_ended(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct process *process = poll->data;
    uv_poll_stop(poll);
    process->cb(process->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;
    close(process->pidfd);
    free(process);
}

int process_watch(uv_loop_t *loop, struct process_id id, process_ended_cb cb, void *data,
                  struct process **ret_process)
{
    struct process *process = calloc(1, sizeof(*process));
    if (process == NULL)
        return -ENOMEM;
    process->pidfd = (int)syscall(SYS_pidfd_open, id.pid, 0);
    int code = -errno;
    if (process->pidfd < 0)
        goto fail_open;
    /* The descriptor is bound to a process; only now does comparing the start time tell which. */
    code = -ESRCH;
    if (id.start_time == 0 || process_start_time(id.pid) != id.start_time)
        goto fail_poll;
    code = uv_poll_init(loop, &process->poll, process->pidfd);
    if (code != 0)
        goto fail_poll;
    process->poll.data = process;
    process->cb = cb;
    process->data = data;
    uv_poll_start(&process->poll, UV_READABLE, on_ended);
    *ret_process = process;
    return 0;

fail_poll:
    close(process->pidfd);
fail_open:
    free(process);
    return code;
}

void process_signal(struct process *process, int signal_number)
{
    syscall(SYS_pidfd_send_signal, process->pidfd, signal_number, NULL, 0);
}

void process_unwatch(struct process *process)
{
    if (process != NULL)
        uv_close((uv_handle_t *)&process->poll, on_poll_closed);
}

/* ---- spawning ----------------------------------------------------------------------------------- */

struct child {
    uv_process_t process;
    process_exit_cb exited;
    void *data;
};

static void on_child_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_child_exit(uv_process_t *process, int64_t status, int term_signal)
{
    struct child *child = process->data;
    uv_close((uv_handle_t *)process, on_child_closed);
    if (child->exited != NULL)
        child->exited(child->data, term_signal != 0 ? 128 + term_signal : (int)status);
}

int process_spawn(uv_loop_t *loop, const struct process_spawn *spawn)
{
    int log = open(spawn->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log < 0)
        return -errno;
    struct child *child = calloc(1, sizeof(*child));
    if (child == NULL) {
        close(log);
        return -ENOMEM;
    }
    child->exited = spawn->exited;
    child->data = spawn->data;
    child->process.data = child;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = log},
        {.flags = UV_INHERIT_FD, .data.fd = log},
        {.flags = spawn->lock < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = spawn->lock},
    };
    uv_process_options_t options = {
        .exit_cb = on_child_exit,
        .file = spawn->argv[0],
        .args = (char **)(uintptr_t)spawn->argv,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 4,
    };
    int code = uv_spawn(loop, &child->process, &options);
    close(log);
    if (code != 0) {
        uv_close((uv_handle_t *)&child->process, on_child_closed);
        return code;
    }
    /* A guest that runs is no reason for the loop to. */
    uv_unref((uv_handle_t *)&child->process);
    return child->process.pid;
}

static void disown(uv_handle_t *handle, void *data)
{
    (void)data;
    if (handle->type == UV_PROCESS && ((uv_process_t *)handle)->exit_cb == on_child_exit &&
        !uv_is_closing(handle))
        uv_close(handle, on_child_closed);
}

void process_disown(uv_loop_t *loop)
{
    uv_walk(loop, disown, NULL);
}

void process_last_words(const char *log, char *text, size_t bytes)
{
    char tail[512] = "";
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        off_t end = lseek(fd, 0, SEEK_END);
        off_t from = end > (off_t)sizeof(tail) - 1 ? end - (off_t)sizeof(tail) + 1 : 0;
        ssize_t got = pread(fd, tail, sizeof(tail) - 1, from);
        tail[got > 0 ? got : 0] = '\0';
        close(fd);
    }
    size_t length = strlen(tail);
    while (length > 0 && isspace((unsigned char)tail[length - 1]))
        tail[--length] = '\0';
    const char *line = strrchr(tail, '\n');
    line = line == NULL ? tail : line + 1;
    snprintf(text, bytes, "%s", *line == '\0' ? "no message" : line);
}

/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "peers.h"

extern char **environ;

/* "dependency dependent" a line; a name twice is a driver without an edge. */
static int write_pairs(const struct bench_graph *graph, int fd)
{
    FILE *file = fdopen(fd, "w");
    if (file == NULL)
        return -1;
    for (uint32_t id = 0; id < graph->count; id++) {
        fprintf(file, "%s %s\n", graph->names[id], graph->names[id]);
        for (const char *const *need = graph->needs[id]; *need != NULL; need++)
            fprintf(file, "%s %s\n", *need, graph->names[id]);
    }
    return fclose(file) == 0 ? 0 : -1;
}

static uint64_t time_process(char *path)
{
    char *arguments[] = {(char *)"tsort", path, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    uint64_t begin = bench_now_ns();
    if (posix_spawnp(&pid, "tsort", &actions, NULL, arguments, environ) == 0)
        waitpid(pid, &status, 0);
    uint64_t took = bench_now_ns() - begin;
    posix_spawn_file_actions_destroy(&actions);
    return status == 0 ? took : 0;
}

uint64_t bench_peer_tsort(const struct bench_graph *graph, bool *order_good)
{
    char path[] = "/tmp/muster-bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return 0;
    uint64_t took = write_pairs(graph, fd) == 0 ? time_process(path) : 0;
    unlink(path);
    if (order_good != NULL)
        *order_good = took != 0; /* it exits with 1 where there is a cycle */
    return took;
}

/* SPDX-License-Identifier: MIT */
/* A daemon that is brought up in a process of its own: 10 pools, and guests that need one each; its ops do nothing. */
#ifndef BENCH_DAEMON_H
#define BENCH_DAEMON_H

#include <stddef.h>
#include <stdint.h>

#define DAEMON_POOLS 10
/* How many commits are told one by one. */
#define DAEMON_COMMITS 32768

/* What one life has seen, from muster_bring_up() to the end of the bring-up. */
struct daemon_life {
    int code;
    uint64_t ns;
    /* Of that: until the records were there, and in the store's commits. */
    uint64_t load_ns;
    uint64_t commit_ns;
    uint32_t starts;
    /* Each commit's bytes in the file. */
    uint32_t commits;
    size_t bytes[DAEMON_COMMITS];
    /* All that the process has synced, open and space ahead included. */
    uint32_t fdatasyncs;
    uint32_t fsyncs;
    /* The most memory that the process ever had. */
    size_t peak_kb;
};

enum daemon_ways {
    /* A start ends within its call. */
    DAEMON_AT_ONCE,
    /* Starts end one after the other, each in a turn of the loop. */
    DAEMON_IN_TURN,
    /* As at once; the process kills itself when half of the starts have been called, and only `starts` counts. */
    DAEMON_KILLED
};

/*
 * A life in a child process, with a journal in `directory`, to a shutdown as for a restart. 0, or -1 with a message.
 */
int daemon_live(const char *directory, uint32_t resources, enum daemon_ways way, struct daemon_life *ret_life);

#endif

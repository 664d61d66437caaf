/* SPDX-License-Identifier: MIT */
/*
 * The calls of a store to the system, each of which fails, does half its work, or ends the process when it is told to. One
 * fault at a time, for the whole process.
 */
#ifndef TESTS_FAILING_CALLS_H
#define TESTS_FAILING_CALLS_H

#include "store/journal_calls.h"
#include "support/fault.h"

enum call {
    CALL_OPENAT,
    CALL_MKDIR,
    CALL_FSTAT,
    CALL_PREAD,
    CALL_PWRITE,
    CALL_FTRUNCATE,
    CALL_FDATASYNC,
    CALL_FSYNC,
    CALL_RENAMEAT,
    CALL_UNLINKAT,
    CALL_CLOSE,
    CALL_LOCK,
    CALL_GETRANDOM,
    CALL_FSTATAT,
    CALL_SYNC_FILE_RANGE,
    /* Of sqlite alone. */
    CALL_MMAP,
    CALLS
};

enum call_effect {
    /* -1 and errno; nothing is done. (A descriptor is closed, whatever close says.) */
    CALL_FAILS,
    /* And so do all after it, of every kind: the disk is gone. */
    CALL_FAILS_WITH_ALL,
    /* Of a read or write `part` is done, and that is what it says. 0 bytes are possible, too. */
    CALL_IS_CUT,
    /* The same, and the next one fails. */
    CALL_IS_CUT_AND_FAILS,
    /* `part` is done, and it says -1 and errno. */
    CALL_IS_TORN,
    /* The process ends: before it, after it, with half of a write done. */
    CALL_DIES_BEFORE,
    CALL_DIES_AFTER,
    CALL_DIES_HALFWAY
};

enum call_part { PART_NONE, PART_BYTE, PART_HALF, PART_ALMOST };

struct call_fault {
    enum call call;
    /* Which of that kind. */
    struct fault at;
    enum call_effect effect;
    enum call_part part;
    /* A write is cut where a block of so many bytes ends in the file, as a system does it; 0: anywhere. */
    size_t block;
    int sys_errno;
    /* The file that the first that failed was about: "journal", "lock", "parent" for ".." or what ends in a slash. */
    char file[32];
    /* What call_step said then. */
    char step;
    unsigned count[CALLS];
};

/* The exit code of a process that was ended. */
#define CALL_DIED 42

extern struct call_fault call_fault;
/* What is done just now, for who cares. */
extern char call_step;
/* Random numbers are always the same. */
extern bool call_random_is_fixed;
/* Told of each call before it is made: of the path that it names, or of the descriptor (-1: of neither). May be NULL. */
extern void (*call_observer)(enum call call, int fd, const char *path);
extern const struct muster__journal_calls failing_calls;
extern const char *const call_names[CALLS];

/* For stand-ins elsewhere: is this the call that fails? If so errno is set. It may not return. */
bool call_fails(enum call call, int fd, const char *path);
/* To be called when the call was made, with its result, which it returns. It may not return. */
int call_done(enum call call, int result);

#endif

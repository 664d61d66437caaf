/* SPDX-License-Identifier: MIT */
/* What the subcommands of `muster` share. */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include <stddef.h>

/* Exit codes. */
enum {
    TOOL_FINE = 0,
    TOOL_PROBLEM = 1, /* the input has one, or it couldn't be read, or the output not be written */
    TOOL_USAGE = 2
};

/* argv[0] is "muster plan". Each returns the exit code. */
int tool_plan(int argc, char **argv);
int tool_report(int argc, char **argv);
int tool_store(int argc, char **argv);

/* Whichever of the standard files is closed becomes one that can't be used: no other file takes its place. */
void tool_hold_standard_files(void);

/* What comes from a file mustn't steer the terminal: without control characters, in place. NULL is accepted. Returns `text`. */
char *tool_harmless(char *text);

/* One line on standard error, `subject: text`, without control characters. Returns TOOL_PROBLEM. */
int tool_problem(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Where help is; on standard error. Returns TOOL_USAGE. */
int tool_misused(const char *command);

/* All that was printed has arrived, or TOOL_PROBLEM with a message. Otherwise `code`. */
int tool_finish(int code);

/* What a file is called in messages. */
const char *tool_file_name(const char *path);

/*
 * All of a file, "-" is standard input; at most `most` bytes. NULL after a message, else the caller frees it.
 */
char *tool_read_file(const char *path, size_t most, size_t *ret_bytes);

#endif

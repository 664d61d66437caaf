/* SPDX-License-Identifier: MIT */
/* The `muster` command: finds the subcommand. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <muster/version.h>

#include "command.h"

static const struct {
    const char *name;
    const char *title; /* argv[0] of the subcommand, for getopt's messages */
    const char *arguments;
    const char *about;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"plan", "muster plan", "FILE", "validate a plan and print the order of its drivers", tool_plan},
    {"report", "muster report", "[VIEW] FILE", "what happened in a bring-up, and why", tool_report},
    {"store", "muster store", "ACTION PATH", "show, check, copy and mend the records of a daemon", tool_store},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    fputs("usage: muster COMMAND [OPTION]... ARGUMENT...\n\n", stdout);
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-6s %-11s  %s\n", commands[i].name, commands[i].arguments, commands[i].about);
    fputs("\n  -h, --help     print this, or after a command its options\n"
          "  -V, --version  print the version\n\n"
          "Exit codes: 0 fine, 1 the input has a problem, 2 wrong usage.\n",
          stdout);
}

static int run_command(int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        char title[32];
        if (strcmp(argv[0], commands[i].name) != 0)
            continue;
        snprintf(title, sizeof(title), "%s", commands[i].title);
        argv[0] = title;
        optind = 0;
        return tool_finish(commands[i].run(argc, argv));
    }
    tool_problem("muster", "there is no command '%s'", argv[0]);
    return tool_misused("muster");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
    tool_hold_standard_files();
    switch (getopt_long(argc, argv, "+hV", options, NULL)) {
    case 'h':
        print_help();
        return tool_finish(TOOL_FINE);
    case 'V':
        printf("muster %s\n", muster_version());
        return tool_finish(TOOL_FINE);
    case -1:
        break;
    default:
        return tool_misused("muster");
    }
    if (optind == argc) {
        tool_problem("muster", "a command is missing");
        return tool_misused("muster");
    }
    return run_command(argc - optind, argv + optind);
}

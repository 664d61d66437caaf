/* SPDX-License-Identifier: MIT */
/* muster store ACTION PATH ... */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "store.h"

static const struct action {
    const char *name;
    const char *title;
    const char *words;
    int least, most; /* words, the path included */
    const char *about;
    int (*run)(const struct tool_store_call *call);
} actions[] = {
    {"show", "muster store show", "PATH", 1, 1, "print the records as a table", tool_store_show},
    {"verify", "muster store verify", "PATH", 1, 1, "check all that is recorded, and say what is wrong", tool_store_verify},
    {"export", "muster store export", "PATH", 1, 1, "print all records as JSON, for import", tool_store_export},
    {"import", "muster store import", "PATH [FILE]", 1, 2, "read them from FILE or standard input", tool_store_import},
    {"compact", "muster store compact", "PATH", 1, 1, "give space back", tool_store_compact},
    {"forget", "muster store forget", "PATH DRIVER/NAME", 2, 2, "remove a record", tool_store_forget},
    {"resolve", "muster store resolve", "PATH DRIVER/NAME active|inactive", 3, 3,
     "say what a quarantined record should have said", tool_store_resolve},
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static void print_help(void)
{
    fputs("usage: muster store ACTION [OPTION]... PATH [WORD]...\n\n", stdout);
    for (size_t i = 0; i < ACTIONS; i++)
        printf("  %-7s %-33s %s\n", actions[i].name, actions[i].words, actions[i].about);
    fputs("\nPATH is journal:DIRECTORY, sqlite:FILE, or either without the prefix if it is there.\n"
          "show and verify work beside the daemon that has the store; the others want it stopped.\n\n"
          "  -j, --json   show: print JSON, as export does\n"
          "  -m, --merge  import: into a store that has records; those of the same name are replaced\n"
          "  -h, --help   print this\n\n"
          "Exit codes: 0 fine, 1 the store or the input has a problem, 2 wrong usage.\n",
          stdout);
}

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < ACTIONS; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

static int misused(const char *title, const char *text)
{
    tool_problem(title, "%s", text);
    return tool_misused("muster store");
}

static int run(const struct action *action, struct tool_store_call *call, int count, char **words)
{
    if (count < action->least || count > action->most) {
        tool_problem(action->title, "%s; it takes %s", count == 0              ? "a path is missing"
                                                       : count < action->least ? "a word is missing"
                                                                               : "there are too many words",
                     action->words);
        return tool_misused("muster store");
    }
    call->path = words[0];
    for (int i = 1; i < count; i++)
        call->words[i - 1] = words[i];
    return action->run(call);
}

int tool_store(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"merge", no_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct tool_store_call call = {0};
    for (int option; (option = getopt_long(argc, argv, "jmh", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return TOOL_FINE;
        }
        if (option == '?')
            return tool_misused(argv[0]);
        call.json = call.json || option == 'j';
        call.merge = call.merge || option == 'm';
    }
    if (optind == argc)
        return misused(argv[0], "an action is missing");
    const struct action *action = find_action(argv[optind]);
    if (action == NULL) {
        tool_problem(argv[0], "there is no action '%s'", argv[optind]);
        return tool_misused(argv[0]);
    }
    if (call.json && action->run != tool_store_show)
        return misused(action->title, "only show has --json");
    if (call.merge && action->run != tool_store_import)
        return misused(action->title, "only import has --merge");
    return run(action, &call, argc - optind - 1, argv + optind + 1);
}

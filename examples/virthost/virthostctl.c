/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include <muster/version.h>

#include "standard_files.h"
#include "virthostctl.h"

static void print_usage(FILE *file)
{
    fprintf(file,
            "usage: virthostctl --socket PATH COMMAND\n"
            "\n"
            "  list [--json]                 all resources: what was asked for, how they stand, and why\n"
            "  status [--json]               the daemon and its drivers\n"
            "  timeline [--json]             what has happened since the daemon was started\n"
            "  watch                         how far it is, until all has settled; on a terminal a live table\n"
            "  report [VIEW] [ARGUMENT]      what the bring-up did: every op, or time, blame, critical-chain [R], why R,\n"
            "                                diff FILE (against an earlier report); --format text|json|svg|trace|dot;\n"
            "                                --kind bring-up|reload|shutdown: of the last one\n"
            "  start R [--dependencies]      start a resource; also what it needs\n"
            "  stop R [--cascade]            stop a resource; before it what needs it\n"
            "  retry R | DRIVER              decide a failed, held or deferred resource or driver again now\n"
            "  create FILE                   start a transient guest: nothing but the record remembers it\n"
            "  reload                        read the config again; starts nothing that was stopped\n"
            "  shutdown [--host]             end the daemon; with --host stop everything before\n"
            "\n"
            "R is DRIVER/NAME, as list shows it. --help and --version print that and exit.\n"
            "Exit status: 0 fine, 1 a problem, 2 wrong usage.\n");
}

int complain(const char *format, ...)
{
    fprintf(stderr, "virthostctl: ");
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return EXIT_PROBLEM;
}

const char *text_of(const json_t *item, const char *member)
{
    const char *text = json_string_value(json_object_get(item, member));
    return text == NULL ? "" : text;
}

/* ---- the socket ----------------------------------------------------------------------------------- */

static int connect_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        complain("%s: too long for a socket", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    complain("%s: %s: is virthost running?", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_line(int fd, const json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    if (text == NULL)
        return false;
    size_t length = strlen(text), sent = 0;
    text[length] = '\n';
    while (sent <= length) {
        ssize_t wrote = send(fd, text + sent, length + 1 - sent, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EINTR)
            break;
        sent += wrote < 0 ? 0 : (size_t)wrote;
    }
    free(text);
    return sent > length;
}

/* One reply, however long; NULL: the daemon hung up. With `until_end` it has hung up in any case. */
static json_t *receive_line(int fd, bool until_end)
{
    FILE *file = fdopen(fd, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t length = file == NULL ? -1 : getline(&line, &size, file);
    json_t *reply = length > 0 ? json_loadb(line, (size_t)length, 0, NULL) : NULL;
    free(line);
    while (until_end && file != NULL && fgetc(file) != EOF)
        continue;
    if (file != NULL)
        fclose(file);
    return reply;
}

json_t *ask(const char *path, const json_t *message, bool until_end)
{
    int fd = connect_socket(path);
    if (fd < 0)
        return NULL;
    json_t *reply = send_line(fd, message) ? receive_line(fd, until_end) : NULL;
    if (json_is_true(json_object_get(reply, "ok")))
        return reply;
    if (reply == NULL)
        complain("virthost has ended before it answered: look at list when it runs again");
    else
        complain("%s", *text_of(reply, "error") == '\0' ? "virthost is out of memory" : text_of(reply, "error"));
    json_decref(reply);
    return NULL;
}

/* ---- what is shown -------------------------------------------------------------------------------- */

static void print_resource(const json_t *item)
{
    char name[80], state[64], pid[24] = "-";
    const char *condition = text_of(item, "condition");
    bool plain = strcmp(condition, "none") == 0 || *condition == '\0';
    snprintf(name, sizeof(name), "%s/%s", text_of(item, "driver"), text_of(item, "name"));
    snprintf(state, sizeof(state), "%s%s%s%s", text_of(item, "state"), plain ? "" : ", ",
             plain ? "" : condition, json_is_true(json_object_get(item, "degraded")) ? ", degraded" : "");
    if (json_object_get(item, "pid") != NULL)
        snprintf(pid, sizeof(pid), "%lld", (long long)json_integer_value(json_object_get(item, "pid")));
    printf("%-20s %-14s %-9s %-18s %-8s", name, text_of(item, "policy"), text_of(item, "desired"), state,
           pid);
    size_t index;
    json_t *dependency;
    json_array_foreach(json_object_get(item, "dependencies"), index, dependency)
        printf(" %s", json_string_value(dependency));
    printf("\n");
    if (*text_of(item, "error") != '\0')
        printf("    %s\n", text_of(item, "error"));
}

static void print_list(const json_t *reply, bool as_json)
{
    json_t *resources = json_object_get(reply, "resources");
    if (as_json) {
        json_dumpf(resources, stdout, JSON_INDENT(2));
        printf("\n");
        return;
    }
    printf("%-20s %-14s %-9s %-18s %-8s %s\n", "RESOURCE", "POLICY", "DESIRED", "STATE", "PID", "NEEDS");
    size_t index;
    json_t *item;
    json_array_foreach(resources, index, item)
        print_resource(item);
}

static void print_status(const json_t *reply, bool as_json)
{
    json_t *status = json_object_get(reply, "status");
    if (as_json) {
        json_dumpf(status, stdout, JSON_INDENT(2));
        printf("\n");
        return;
    }
    printf("virthost: %s, pid %lld, bring-up: %s\n", text_of(status, "state"),
           (long long)json_integer_value(json_object_get(status, "pid")), text_of(status, "milestone"));
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(status, "drivers"), index, item)
        printf("%-10s %-14s %s\n", text_of(item, "name"), text_of(item, "state"), text_of(item, "error"));
    json_array_foreach(json_object_get(status, "problems"), index, item)
        printf("%s\n", json_string_value(item));
}

static void print_timeline(const json_t *reply, bool as_json)
{
    size_t index;
    json_t *line;
    if (as_json) {
        json_dumpf(json_object_get(reply, "lines"), stdout, JSON_INDENT(2));
        printf("\n");
        return;
    }
    json_array_foreach(json_object_get(reply, "lines"), index, line)
        printf("%6lld ms  %-18s %s\n", (long long)json_integer_value(json_object_get(line, "ms")),
               text_of(line, "subject"), text_of(line, "text"));
}

/* ---- commands ------------------------------------------------------------------------------------- */

enum { SOCKET, FORMAT, KIND, JSON, CASCADE, DEPENDENCIES, HOST, HELP, VERSION };

static const struct option known[] = {
    {"socket", required_argument, NULL, SOCKET}, {"json", no_argument, NULL, JSON},
    {"format", required_argument, NULL, FORMAT}, {"kind", required_argument, NULL, KIND},
    {"cascade", no_argument, NULL, CASCADE},     {"dependencies", no_argument, NULL, DEPENDENCIES},
    {"host", no_argument, NULL, HOST},           {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},     {NULL, 0, NULL, 0},
};

#define BIT(option) (1U << (option))

static const struct command {
    const char *name;
    /* The member that its argument becomes; NULL: it has none. */
    const char *argument;
    void (*print)(const json_t *reply, bool as_json);
    /* The bits of its options, besides --socket. */
    unsigned options;
} commands[] = {
    {"list", NULL, print_list, BIT(JSON)},
    {"status", NULL, print_status, BIT(JSON)},
    {"timeline", NULL, print_timeline, BIT(JSON)},
    {"start", "resource", NULL, BIT(DEPENDENCIES)},
    {"stop", "resource", NULL, BIT(CASCADE)},
    {"retry", "resource", NULL, 0},
    {"create", "guest", NULL, 0},
    {"reload", NULL, NULL, 0},
    {"shutdown", NULL, NULL, BIT(HOST)},
    {"report", NULL, NULL, BIT(FORMAT) | BIT(KIND)},
    {"watch", NULL, NULL, 0},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Those that were given are in `ret_given`, as bits. */
static int parse_options(int argc, char **argv, struct options *options, unsigned *ret_given)
{
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        *ret_given |= option < HELP ? BIT(option) : 0;
        switch (option) {
        case SOCKET:
            options->socket = optarg;
            break;
        case FORMAT:
            options->format = optarg;
            break;
        case KIND:
            options->kind = optarg;
            break;
        case JSON:
            options->json = true;
            break;
        case CASCADE:
            options->cascade = true;
            break;
        case DEPENDENCIES:
            options->dependencies = true;
            break;
        case HOST:
            options->host = true;
            break;
        case HELP:
            print_usage(stdout);
            return EXIT_SUCCESS;
        case VERSION:
            printf("virthostctl (muster %s)\n", MUSTER_VERSION);
            return EXIT_SUCCESS;
        default:
            complain("try --help");
            return EXIT_USAGE;
        }
    }
    return -1;
}

/* The name of one that was given and isn't the command's; NULL: there is none. */
static const char *alien_option(const struct command *command, unsigned given)
{
    unsigned alien = given & ~(command->options | BIT(SOCKET));
    for (const struct option *option = known; option->name != NULL; option++)
        if ((alien & BIT(option->val)) != 0)
            return option->name;
    return NULL;
}

/* NULL: it can't be made, and why has been said. */
static json_t *make_message(const struct command *command, const char *argument,
                            const struct options *options)
{
    json_t *message = json_pack("{s:s, s:b, s:b, s:b}", "command", command->name, "cascade", options->cascade,
                                "dependencies", options->dependencies, "host", options->host);
    if (message == NULL || argument == NULL)
        return message;
    json_t *value;
    json_error_t error;
    if (strcmp(command->argument, "guest") == 0)
        value = json_load_file(argument, JSON_REJECT_DUPLICATES, &error);
    else
        value = json_string(argument);
    if (value == NULL) {
        complain("%s:%d:%d: %s", argument, error.line, error.column, error.text);
        json_decref(message);
        return NULL;
    }
    json_object_set_new(message, command->argument, value);
    return message;
}

static int carry_out(const struct command *command, const char *argument, const struct options *options)
{
    json_t *message = make_message(command, argument, options);
    json_t *reply = message == NULL ? NULL : ask(options->socket, message, strcmp(command->name, "shutdown") == 0);
    if (reply != NULL && command->print != NULL)
        command->print(reply, options->json);
    int code = reply != NULL ? EXIT_SUCCESS : EXIT_PROBLEM;
    json_decref(message);
    json_decref(reply);
    return code;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    unsigned given = 0;
    standard_files_hold();
    int code = parse_options(argc, argv, &options, &given);
    if (code >= 0)
        return code;
    const struct command *command = optind < argc ? find_command(argv[optind]) : NULL;
    int arguments = argc - optind - 1;
    bool reports = command != NULL && strcmp(command->name, "report") == 0;
    const char *alien = command == NULL ? NULL : alien_option(command, given);
    if (optind == argc)
        complain("a command is missing; try --help");
    else if (command == NULL)
        complain("there is no command '%s'; try --help", argv[optind]);
    else if (alien != NULL)
        complain("%s has no --%s; try --help", command->name, alien);
    else if (!reports && arguments != (command->argument != NULL))
        complain("%s: %s; try --help", command->name,
                 command->argument == NULL ? "it has no argument" : "it has one argument");
    else if (options.socket == NULL)
        complain("--socket PATH is missing; try --help");
    else if (reports)
        return ctl_report(&options, argv + optind + 1, arguments);
    else if (strcmp(command->name, "watch") == 0)
        return ctl_watch(&options);
    else
        return carry_out(command, arguments > 0 ? argv[optind + 1] : NULL, &options);
    return EXIT_USAGE;
}

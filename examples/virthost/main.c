/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "delay.h"
#include "log.h"
#include "logind.h"
#include "notify.h"
#include "object.h"
#include "process.h"
#include "progress.h"
#include "standard_files.h"
#include "timeline.h"

#define EXIT_PROBLEM 1
#define EXIT_USAGE 2

struct daemon {
    struct virthost host;
    uv_signal_t signals[3];
    int code;
    const char *report;
    struct delay *last;
    struct notify *notify;
};

/* ---- options -------------------------------------------------------------------------------------- */

static void print_usage(FILE *file)
{
    fprintf(
        file,
        "usage: virthost --config DIR --state DIR --socket PATH\n"
        "\n"
        "Runs the networks, storage pools and QEMU guests that the JSON files in the config directory define.\n"
        "What was active before is active again when it has come up, and guests survive its end.\n"
        "\n"
        "  --config DIR     secrets/*.json networks/*.json pools/*.json guests/*.json\n"
        "  --state DIR      the journal, and run/ with sockets and logs; made if its parent exists\n"
        "  --socket PATH    where virthostctl finds it\n"
        "  --netns NAME     the network namespace of the bridges (default: one for each state directory)\n"
        "  --report FILE    write there, as JSON, what the bring-up did, when it has ended (see muster report)\n"
        "  --log FORMAT     text (the default) or json, one object a line, on standard error\n"
        "  --logind         when logind says that the machine goes down, stop everything before\n"
        "  --check          read the config, print what is wrong with it, and exit\n"
        "  --boot-id ID     for tests: pretend that the machine has booted with that id\n"
        "  --help, --version\n"
        "\n"
        "SIGTERM and SIGINT end it and leave everything running; SIGHUP reads the config again. A service manager\n"
        "is told when it is ready and what it does.\n"
        "Exit status: 0 fine, 1 a problem, 2 wrong usage.\n");
}

/* NULL: nothing is missing, and nothing is too much. */
static const char *missing_option(const struct virthost_options *options, int arguments)
{
    if (arguments > 0)
        return "there are no arguments, only options";
    if (options->config == NULL)
        return "--config DIR is missing";
    if (options->state == NULL && !options->check)
        return "--state DIR is missing";
    if (options->socket == NULL && !options->check)
        return "--socket PATH is missing";
    if (options->netns != NULL && strlen(options->netns) > 60)
        return "--netns: at most 60 bytes";
    if (options->log != NULL && strcmp(options->log, "text") != 0 && strcmp(options->log, "json") != 0)
        return "--log: text or json";
    return NULL;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct virthost_options *options)
{
    enum { CONFIG = 1000, STATE, SOCKET, NETNS, REPORT, BOOT_ID, LOG, LOGIND, CHECK, HELP, VERSION };
    static const struct option known[] = {
        {"config", required_argument, NULL, CONFIG},
        {"state", required_argument, NULL, STATE},
        {"socket", required_argument, NULL, SOCKET},
        {"netns", required_argument, NULL, NETNS},
        {"report", required_argument, NULL, REPORT},
        {"boot-id", required_argument, NULL, BOOT_ID},
        {"log", required_argument, NULL, LOG},
        {"logind", no_argument, NULL, LOGIND},
        {"check", no_argument, NULL, CHECK},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case CONFIG:
            options->config = optarg;
            break;
        case STATE:
            options->state = optarg;
            break;
        case SOCKET:
            options->socket = optarg;
            break;
        case NETNS:
            options->netns = optarg;
            break;
        case REPORT:
            options->report = optarg;
            break;
        case BOOT_ID:
            options->boot_id = optarg;
            break;
        case LOG:
            options->log = optarg;
            break;
        case LOGIND:
            options->logind = true;
            break;
        case CHECK:
            options->check = true;
            break;
        case HELP:
            print_usage(stdout);
            return EXIT_SUCCESS;
        case VERSION:
            printf("virthost (muster %s)\n", MUSTER_VERSION);
            return EXIT_SUCCESS;
        default:
            fprintf(stderr, "virthost: try --help\n");
            return EXIT_USAGE;
        }
    }
    const char *problem = missing_option(options, argc - optind);
    if (problem == NULL)
        return -1;
    fprintf(stderr, "virthost: %s; try --help\n", problem);
    return EXIT_USAGE;
}

/* ---- config and state ----------------------------------------------------------------------------- */

static void print_problems(const json_t *problems)
{
    size_t index;
    json_t *problem;
    json_array_foreach(problems, index, problem)
        log_problem("%s", json_string_value(problem));
}

static int load_config(struct virthost *host, const struct virthost_options *options)
{
    host->config_directory = options->config;
    host->problems = json_array();
    host->config = host->problems == NULL ? NULL : config_load(options->config, host->problems);
    if (host->config == NULL) {
        log_problem("out of memory");
        return EXIT_PROBLEM;
    }
    print_problems(host->problems);
    if (access(options->config, R_OK | X_OK) != 0)
        return EXIT_PROBLEM;
    if (options->check)
        return json_array_size(host->problems) == 0 ? EXIT_SUCCESS : EXIT_PROBLEM;
    return -1;
}

/* One for each state directory: FNV-1a of its path. */
static void name_netns(struct virthost *host, const char *wanted)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *at = host->state; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    if (wanted != NULL)
        snprintf(host->netns, sizeof(host->netns), "%s", wanted);
    else
        snprintf(host->netns, sizeof(host->netns), "virthost-%08x", (unsigned)(hash ^ hash >> 32));
}

static int make_directory(const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    log_problem("%s: %s", path, strerror(errno));
    return EXIT_PROBLEM;
}

static int make_state(struct virthost *host, const struct virthost_options *options)
{
    if (make_directory(options->state) != 0)
        return EXIT_PROBLEM;
    char *absolute = realpath(options->state, NULL);
    int code = absolute == NULL ? errno : strlen(absolute) >= 400 ? ENAMETOOLONG : 0;
    if (code != 0) {
        log_problem("%s: %s", options->state, strerror(code));
        free(absolute);
        return EXIT_PROBLEM;
    }
    snprintf(host->state, sizeof(host->state), "%s", absolute);
    free(absolute);
    char run[520];
    snprintf(run, sizeof(run), "%s/run", host->state);
    name_netns(host, options->netns);
    return make_directory(run);
}

int virthost_run_path(const struct virthost *host, const char *kind, const char *name, const char *suffix,
                      char path[VIRTHOST_PATH_BYTES])
{
    int length = snprintf(path, VIRTHOST_PATH_BYTES, "%s/run/%s-%s%s", host->state, kind, name, suffix);
    return length < VIRTHOST_PATH_BYTES ? 0 : -ENAMETOOLONG;
}

int virthost_reload(struct virthost *host, muster_done_cb done, void *data)
{
    json_t *problems = json_array();
    json_t *config = problems == NULL ? NULL : config_load(host->config_directory, problems);
    if (config == NULL) {
        json_decref(problems);
        return MUSTER_ENOMEM;
    }
    json_decref(host->problems);
    host->problems = problems;
    print_problems(problems);
    int code = json_array_size(problems) > 0 ? MUSTER_EINVAL : muster_reload(host->context, done, data);
    if (code == 0) {
        json_t *old = host->config;
        host->config = config;
        config = old;
    }
    json_decref(config);
    return code;
}

/* ---- signals -------------------------------------------------------------------------------------- */

static void on_reloaded(struct muster *context, void *data, int code, const struct muster_error *error)
{
    (void)context;
    (void)code;
    (void)error;
    struct daemon *daemon = data;
    if (!daemon->host.ending)
        notify_reloaded(daemon->notify);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct daemon *daemon = handle->data;
    struct virthost *host = &daemon->host;
    if (signal_number != SIGHUP) {
        muster_request_shutdown(host->context, MUSTER_DAEMON_RESTART);
        return;
    }
    int code = virthost_reload(host, on_reloaded, daemon);
    if (code == 0)
        notify_reloading(daemon->notify);
    timeline_say(host->timeline, "reload: %s", code == 0 ? "begins" : muster_code_text(code));
}

static void open_signals(struct daemon *daemon)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&daemon->host.loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
    }
}

/* ---- up and down ---------------------------------------------------------------------------------- */

static void on_detached(void *data)
{
    struct daemon *daemon = data;
    int code = muster_free(daemon->host.context);
    if (code != 0)
        muster_abandon(daemon->host.context);
    daemon->host.context = NULL;
}

static void begin_end(void *data)
{
    struct daemon *daemon = data;
    if (daemon->host.ending)
        return;
    daemon->host.ending = true;
    control_close(&daemon->host);
    logind_close(&daemon->host);
    notify_end(daemon->notify);
    delay_free(daemon->last);
    delay_free(daemon->host.sweep);
    daemon->host.sweep = NULL;
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
    muster_uv_detach(daemon->host.context, on_detached, daemon);
}

static void write_report(const struct daemon *daemon)
{
    int code = daemon->report == NULL ? 0 : progress_write_report(&daemon->host, daemon->report);
    if (code != 0)
        timeline_say(daemon->host.timeline, "%s: %s", daemon->report, muster_code_text(code));
}

static void on_up(struct muster *context, void *data, int code, const struct muster_error *error)
{
    struct daemon *daemon = data;
    write_report(daemon);
    for (; error != NULL; error = muster_error_next(error))
        timeline_say(daemon->host.timeline, "%s", muster_error_text(error));
    if (code < 0 && code != MUSTER_ECANCELED) {
        daemon->code = EXIT_PROBLEM;
        if (muster_state(context) == MUSTER_STATE_DOWN || muster_state(context) == MUSTER_STATE_NEW)
            begin_end(daemon);
    }
}

static void on_observation(struct muster *context, void *data, const struct muster_observation *seen)
{
    static const char *const names[] = {"initialized", "reconciled", "settled"};
    (void)context;
    struct daemon *daemon = data;
    if (seen->type == MUSTER_OBSERVE_MILESTONE && seen->to >= 0 && seen->to <= MUSTER_SETTLED)
        daemon->host.milestone = names[seen->to];
    /* Who has asked for it is answered in this turn of the loop, and hung up on in the next. */
    if (seen->type == MUSTER_OBSERVE_STATE && seen->to == MUSTER_STATE_DOWN && daemon->last == NULL)
        daemon->last = delay_new(&daemon->host.loop, 0, begin_end, daemon);
}

static int make_context(struct virthost *host, const struct virthost_options *given)
{
    struct muster_options options;
    MUSTER_OPTIONS_INIT(&options);
    options.boot_id = given->boot_id;
    int code = muster_store_journal_new(host->state, NULL, &options.store);
    if (code != 0)
        return code;
    code = muster_new(&options, &host->context);
    if (code != 0)
        muster_store_free(options.store);
    return code;
}

static int explain(const struct virthost *host, const char *what, int code)
{
    const struct muster_error *error = host->context == NULL ? NULL : muster_get_error(host->context);
    log_problem("%s: %s", what, error != NULL ? muster_error_text(error) : muster_code_text(code));
    for (error = muster_error_next(error); error != NULL; error = muster_error_next(error))
        log_problem("%s", muster_error_text(error));
    return EXIT_PROBLEM;
}

static int bring_up(struct daemon *daemon, const struct virthost_options *options)
{
    struct virthost *host = &daemon->host;
    int code = make_context(host, options);
    if (code != 0)
        return explain(host, "cannot make a context", code);
    host->timeline = timeline_new(host);
    daemon->notify = notify_new(host);
    code = host->timeline == NULL || daemon->notify == NULL ? MUSTER_ENOMEM : 0;
    if (code == 0)
        code = muster_observe(host->context, on_observation, daemon);
    if (code == 0)
        code = object_add_drivers(host);
    if (code != 0)
        return explain(host, "cannot add the drivers", code);
    code = control_open(host, options->socket);
    if (code != 0) {
        log_problem("%s: %s", options->socket,
                    code == -EADDRINUSE ? "another virthost answers there" : strerror(-code));
        return EXIT_PROBLEM;
    }
    code = muster_uv_attach(host->context, &host->loop);
    if (code != 0)
        return explain(host, "cannot attach to the loop", code);
    open_signals(daemon);
    if (options->logind && (code = logind_open(host)) != 0)
        timeline_say(host->timeline, "logind: %s", strerror(-code));
    code = muster_bring_up(host->context, on_up, daemon);
    if (code == 0)
        return 0;
    explain(host, "cannot come up", code);
    daemon->code = EXIT_PROBLEM;
    begin_end(daemon);
    return 0;
}

static int run(struct daemon *daemon, const struct virthost_options *options)
{
    struct virthost *host = &daemon->host;
    int code = make_state(host, options);
    if (code != 0)
        return code;
    uv_loop_init(&host->loop);
    code = bring_up(daemon, options);
    if (code != 0) {
        control_close(host);
        muster_free(host->context);
    }
    uv_run(&host->loop, UV_RUN_DEFAULT);
    process_disown(&host->loop);
    uv_run(&host->loop, UV_RUN_DEFAULT);
    notify_free(daemon->notify);
    timeline_free(host->timeline);
    if (uv_loop_close(&host->loop) != 0) {
        log_problem("handles are left on the loop");
        return EXIT_PROBLEM;
    }
    return code != 0 ? code : daemon->code;
}

int main(int argc, char **argv)
{
    struct virthost_options options = {0};
    struct daemon daemon = {.host.milestone = "none"};
    standard_files_hold();
    int code = parse_options(argc, argv, &options);
    if (code >= 0)
        return code;
    signal(SIGPIPE, SIG_IGN);
    daemon.report = options.report;
    if (options.log != NULL && strcmp(options.log, "json") == 0)
        log_use_json();
    code = load_config(&daemon.host, &options);
    if (code < 0)
        code = run(&daemon, &options);
    json_decref(daemon.host.config);
    json_decref(daemon.host.problems);
    return code;
}

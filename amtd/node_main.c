#include "amtd/node_main.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/daemon.h"
#include "amtd/node/join.h"
#include "amtd/state_dir.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/xalloc.h"

static const char usage_text[] =
    "usage: amtd node join [--config FILE] [--state-dir DIR] [--configuration take|leave] TOKEN\n"
    "\n"
    "Makes the amtd of this machine a node of the server that gave the token ('amtcli node invite NAME' "
    "there).\n"
    "TOKEN '-' is read from standard input. An amtd that runs already is asked to do it.\n"
    "\n"
    "  --configuration HOW  whether the consoles' configuration comes from that server (default: take, from "
    "the\n"
    "                       first server, when this amtd has no consoles of its own)\n"
    "\n"
    "exit status: 0 joined, 1 not, 2 wrong usage\n";

struct arguments {
    const char *config, *state_dir, *configuration, *token;
};

static int usage_mistake(void)
{
    fputs("amtd node: try 'amtd node join --help'\n", stderr);
    return 2;
}

/* -1 to go on, else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"state-dir", required_argument, NULL, 's'},
                                            {"configuration", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage_text, stdout);
            return 0;
        }
        if (option == '?')
            return usage_mistake();
        *(option == 'c' ? &a->config : option == 's' ? &a->state_dir : &a->configuration) = optarg;
    }
    if (argc - optind != 2 || strcmp(argv[optind], "join") != 0 ||
        (a->configuration && strcmp(a->configuration, "take") != 0 && strcmp(a->configuration, "leave") != 0))
        return usage_mistake();
    a->token = argv[optind + 1];
    return -1;
}

static int read_config(const struct arguments *a, struct config *config)
{
    struct err err = ERR_INIT;
    const char *path;
    int status = config_open(config, a->config, &path);

    if (a->state_dir)
        xreplace(&config->state_dir, a->state_dir);
    if (status == 0 && (config_finish(config, &err) != 0 || state_dir_make(config->state_dir, &err) != 0)) {
        fprintf(stderr, "amtd: %s\n", err.text);
        status = -1;
    }
    return status;
}

/* The amtd that runs on this state directory does it. */
static int ask_daemon(const struct config *config, const struct arguments *a)
{
    const char *argv[] = {"amtcli", "node", "join", a->token, "--configuration", a->configuration, NULL};

    if (!a->configuration)
        argv[4] = NULL;
    setenv("AMTD_SOCKET", config->socket, 1);
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, "amtd: it runs already; amtcli, which would ask it to join, cannot be run: %s\n",
            strerror(errno));
    return 1;
}

struct outcome {
    struct daemon *daemon;
    int code;
};

static void joined(void *arg, const struct peer *server, const struct err *failure)
{
    struct outcome *outcome = arg;

    outcome->code = failure ? 1 : 0;
    if (failure)
        fprintf(stderr, "amtd: %s\nhint: %s\n", failure->text, err_hint(failure));
    else
        printf("joined %s\n", server->name);
    daemon_stop(outcome->daemon);
}

/* A whole amtd for the moment, that opens no consoles, listens to nobody, and ends. */
static int join(struct config *config, const struct arguments *a)
{
    bool configures = a->configuration ? strcmp(a->configuration, "take") == 0 : config->console_count == 0;
    struct outcome outcome = {.code = 1};
    struct secret *token = NULL;
    struct err err = ERR_INIT;

    signal(SIGPIPE, SIG_IGN);
    secret_process_init();
    log_open("amtd", LOG_LEVEL_WARN, NULL);
    config_forget_consoles(config);
    config->only_joins = true;
    xreplace(&config->listen, NULL);
    outcome.daemon = daemon_start(config, &err);
    if (!outcome.daemon && err.cause == CAUSE_STATE_DIR_LOCKED)
        return ask_daemon(config, a);
    if (outcome.daemon)
        token =
            strcmp(a->token, "-") == 0 ? secret_from_file("-", &err) : secret_new(a->token, strlen(a->token));
    if (token) {
        join_server(outcome.daemon, secret_str(token), configures, joined, &outcome);
        secret_free(token);
    } else {
        fprintf(stderr, "amtd: %s\nhint: %s\n", err.text, err_hint(&err));
    }
    if (outcome.daemon && !token)
        daemon_stop(outcome.daemon);
    if (outcome.daemon)
        daemon_run(outcome.daemon);
    return outcome.code;
}

int node_main(int argc, char **argv)
{
    struct arguments a = {0};
    struct config config;
    int code;

    config_init(&config);
    code = read_arguments(argc, argv, &a);
    if (code < 0)
        code = read_config(&a, &config) == 0 ? join(&config, &a) : 1;
    config_clear(&config);
    return code;
}

/* amtd: arguments, and what happens before there is a daemon. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "amtd/daemon.h"
#include "amtd/import.h"
#include "amtd/node_main.h"
#include "amtd/state_dir.h"
#include "base/log.h"
#include "base/process.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "base/xml.h"

static const char usage_text[] =
    "usage: amtd [--config FILE] [--state-dir DIR] [--socket PATH] [--log-level LEVEL] [--foreground]\n"
    "       amtd --check [--config FILE]\n"
    "       amtd import CONSERVER.CF\n"
    "       amtd node join TOKEN\n"
    "\n"
    "The daemon behind amtcli: keeps the fleet and carries out operations on it.\n"
    "\n"
    "  --config FILE     configuration (default /etc/amtd/amtd.yaml when it is there)\n"
    "  --state-dir DIR   database, key and socket (default $AMTD_STATE_DIR, /var/lib/amtd for root,\n"
    "                    else ~/.local/state/amtd)\n"
    "  --socket PATH     where clients connect (default $AMTD_SOCKET, else DIR/amtd.sock)\n"
    "  --log-level LEVEL error, warn, info or debug\n"
    "  --foreground      stay in the foreground and log to stderr\n"
    "  --private         end after ten minutes without clients and runs\n"
    "  --check           check the configuration, print every mistake, and exit\n"
    "  --version, --help\n"
    "\n"
    "examples:\n"
    "  amtd                                      start as the system's daemon\n"
    "  amtd --state-dir ./try --foreground       a second one, to try things\n"
    "  amtd --check --config /etc/amtd/amtd.yaml before a restart\n"
    "\n"
    "exit status: 0 ended well, 1 could not start or configuration has mistakes, 2 wrong usage\n";

struct arguments {
    const char *config;
    const char *state_dir;
    const char *socket;
    const char *log_level;
    bool foreground;
    bool check;
    bool is_private;
};

enum {
    ARG_CONFIG = 1,
    ARG_STATE,
    ARG_SOCKET,
    ARG_LEVEL,
    ARG_FOREGROUND,
    ARG_CHECK,
    ARG_PRIVATE,
    ARG_VERSION,
    ARG_HELP
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, ARG_CONFIG},
    {"state-dir", required_argument, NULL, ARG_STATE},
    {"socket", required_argument, NULL, ARG_SOCKET},
    {"log-level", required_argument, NULL, ARG_LEVEL},
    {"foreground", no_argument, NULL, ARG_FOREGROUND},
    {"check", no_argument, NULL, ARG_CHECK},
    {"private", no_argument, NULL, ARG_PRIVATE},
    {"version", no_argument, NULL, ARG_VERSION},
    {"help", no_argument, NULL, ARG_HELP},
    {NULL, 0, NULL, 0},
};

/* Returns -1 to go on, else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case ARG_CONFIG:
            a->config = optarg;
            break;
        case ARG_STATE:
            a->state_dir = optarg;
            break;
        case ARG_SOCKET:
            a->socket = optarg;
            break;
        case ARG_LEVEL:
            a->log_level = optarg;
            break;
        case ARG_FOREGROUND:
            a->foreground = true;
            break;
        case ARG_CHECK:
            a->check = true;
            break;
        case ARG_PRIVATE:
            a->is_private = true;
            break;
        case ARG_VERSION:
            puts("amtd " AMTD_VERSION);
            return 0;
        case ARG_HELP:
            fputs(usage_text, stdout);
            return 0;
        default:
            fputs("try 'amtd --help'\n", stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "amtd: unexpected argument '%s'; try 'amtd --help'\n", argv[optind]);
        return 2;
    }
    return -1;
}

static int set_level(struct config *config, const char *name)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(levels[i], name) == 0) {
            config->log_level = i;
            return 0;
        }
    }
    fprintf(stderr, "amtd: --log-level: expected error, warn, info or debug, got '%s'\n", name);
    return -1;
}

static int read_config(const struct arguments *a, struct config *config)
{
    struct err err = ERR_INIT;
    const char *path;
    int status = config_open(config, a->config, &path);

    if (a->state_dir)
        xreplace(&config->state_dir, a->state_dir);
    if (a->socket)
        xreplace(&config->socket, a->socket);
    config->is_private = a->is_private;
    if (a->log_level && set_level(config, a->log_level) != 0)
        return 2;
    if (status == 0 && config_finish(config, &err) != 0) {
        fprintf(stderr, "amtd: %s\n", err.text);
        status = -1;
    }
    if (a->check && status == 0)
        printf("%s: no mistakes\n", path ? path : "no configuration file");
    return status == 0 ? -1 : 1;
}

/* --- into the background --- */

/* The parent waits until the child is ready or has said why not, so that a failed start is seen by whoever
 * started it. Returns the descriptor to tell the parent with; does not return in the parent. */
static int go_background(void)
{
    int ends[2];
    char ready = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        fprintf(stderr, "amtd: %s\n", strerror(errno));
        exit(1);
    }
    if (pid > 0) {
        close(ends[1]);
        exit(read(ends[0], &ready, 1) == 1 ? 0 : 1);
    }
    close(ends[0]);
    setsid();
    if (chdir("/") != 0)
        fprintf(stderr, "amtd: %s\n", strerror(errno));
    return ends[1];
}

static void detach(int parent)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(null);
    }
    if (write(parent, "r", 1) < 0)
        log_warn(NULL, "whoever started amtd is gone");
    close(parent);
}

/* Tells the service manager that clients may come (sd_notify's protocol: one datagram). */
static void notify_ready(void)
{
    static const char text[] = "READY=1";
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (!path || strlen(path) >= sizeof(address.sun_path))
        return;
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, text, sizeof(text) - 1, 0, (const struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
        log_warn(NULL, "the service manager was not told: %s", strerror(errno));
    close(fd);
}

static int serve(const struct arguments *a, struct config *config)
{
    struct err err = ERR_INIT;
    struct daemon *daemon;
    int parent = -1;

    char **paths[] = {&config->state_dir,       &config->socket,  &config->key_file, &config->log_file,
                      &config->tls_certificate, &config->tls_key, &config->tls_ca};

    config->cwd = getcwd(NULL, 0); /* a path given relative stays right after the way into the background */
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        config_absolute(config, paths[i]);
    if (state_dir_make(config->state_dir, &err) != 0) {
        fprintf(stderr, "amtd: %s\nhint: %s\n", err.text, err_hint(&err));
        return 1;
    }
    if (!a->foreground && !config->log_file)
        config->log_file = xasprintf("%s/amtd.log", config->state_dir);
    if (!a->foreground)
        parent = go_background();
    signal(SIGPIPE, SIG_IGN);
    secret_process_init();
    if (log_open("amtd", (enum log_level)config->log_level, config->log_file) != 0) {
        fprintf(stderr, "amtd: %s: %s\n", config->log_file, strerror(errno));
        return 1;
    }
    daemon = daemon_start(config, &err);
    if (!daemon) {
        fprintf(stderr, "amtd: %s\nhint: %s\n", err.text, err_hint(&err));
        return 1;
    }
    log_info(NULL, "amtd " AMTD_VERSION " ready, state %s, socket %s", config->state_dir, config->socket);
    if (parent >= 0)
        detach(parent);
    notify_ready();
    return daemon_run(daemon);
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    struct config config;
    int code;

    process_open_standard_fds();
    if (argc > 1 && strcmp(argv[1], "import") == 0)
        return import_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "node") == 0)
        return node_main(argc - 1, argv + 1);
    xml_library_init(); /* a job of a reaction may name filter files */
    config_init(&config);
    code = read_arguments(argc, argv, &a);
    if (code < 0)
        code = read_config(&a, &config);
    if (code < 0)
        code = a.check ? 0 : serve(&a, &config);
    config_clear(&config);
    return code;
}

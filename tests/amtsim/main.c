#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/secret.h"
#include "base/xml.h"
#include "tests/amtsim/conn.h"
#include "tests/amtsim/control.h"
#include "tests/amtsim/ctl.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/kerberos.h"
#include "tests/amtsim/listener.h"
#include "tests/amtsim/options.h"
#include "tests/amtsim/redir_settings.h"
#include "tests/amtsim/rmcp.h"
#include "tests/amtsim/scenario.h"
#include "tests/amtsim/tls.h"

#define SWEEP_MS 1000

enum { EXIT_BAD_USE = 2, EXIT_SYSTEM = 1 };

struct program {
    struct options options;
    uv_loop_t loop;
    struct fleet *fleet;
    struct listener *listener;
    struct control *control;
    struct rmcp *rmcp;
    uv_signal_t stop[2];
    uv_timer_t sweep;
};

static void on_sweep(uv_timer_t *timer)
{
    struct program *p = timer->data;
    conn_sweep(p->fleet);
}

static void close_walk(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (handle->type == UV_SIGNAL && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Everything closes its handles; the loop then ends by itself. */
static void stop(struct program *p)
{
    control_free(p->control);
    p->control = NULL;
    listener_free(p->listener);
    p->listener = NULL;
    if (p->fleet != NULL)
        p->fleet->listener = NULL;
    rmcp_free(p->rmcp);
    p->rmcp = NULL;
    if (p->fleet != NULL)
        conn_reset_all(p->fleet, NULL);
    uv_walk(&p->loop, close_walk, NULL);
    if (!uv_is_closing((uv_handle_t *)&p->sweep))
        uv_close((uv_handle_t *)&p->sweep, NULL);
    fleet_free(p->fleet);
    p->fleet = NULL;
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct program *p = signal->data;
    (void)number;
    if (p->fleet != NULL)
        stop(p);
}

/* A descriptor per connection, and thousands of devices. */
static void raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGPIPE, SIG_IGN);
}

static bool any_tls(const struct fleet *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->devices[i].tls != DEVICE_TLS_NONE)
            return true;
    }
    return false;
}

/* A device that refuses connections, or has closed its redirection ports. */
static bool any_refused(const struct fleet *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (fault_pending(&f->devices[i], FAULT_REFUSED) != NULL || !redir_listens(&f->devices[i]))
            return true;
    }
    return false;
}

/* Every mistake of the file is shown. */
static int apply_scenario(struct program *p, struct err *err)
{
    struct buf report = buf_init(1 << 20);
    int r = scenario_apply(p->fleet, p->options.scenario, &report, err);
    fputs(buf_str(&report), stderr);
    buf_free(&report);
    return r;
}

static int start(struct program *p, struct err *err)
{
    struct options *o = &p->options;
    p->fleet = fleet_new(o, &p->loop, clock_system(), err);
    if (p->fleet == NULL)
        return -1;
    if (o->scenario != NULL && apply_scenario(p, err) != 0)
        return -1;
    if ((any_tls(p->fleet) || o->tls_dir != NULL) && (p->fleet->tls = tls_store_new(o->tls_dir, err)) == NULL)
        return -1;
    if (o->kerberos_sids != NULL && (p->fleet->kerberos = kerberos_new(o->kerberos_sids, err)) == NULL)
        return -1;
    if (fleet_start_machines(p->fleet, err) != 0)
        return -1;
    p->listener = listener_new(p->fleet, any_refused(p->fleet), err);
    if (p->listener == NULL)
        return -1;
    p->fleet->listener = p->listener;
    if (o->rmcp_port != 0 && (p->rmcp = rmcp_new(p->fleet, err)) == NULL)
        return -1;
    if (o->control != NULL && (p->control = control_new(p->fleet, p->listener, o->control, err)) == NULL)
        return -1;
    return 0;
}

static void ready(const struct program *p)
{
    char first[16], last[16], ports[32];
    const struct fleet *f = p->fleet;
    device_address(&f->devices[0], first);
    device_address(&f->devices[f->count - 1], last);
    if (p->options.generation->tls_only && p->options.tls == DEVICE_TLS_NONE)
        log_warn(NULL, "firmware %u has TLS ports only; serving it plain because --tls is none",
                 p->options.generation->number);
    fprintf(stderr, "amtsim: ready: %zu devices at %s-%s, ports %s\n", f->count, first, last,
            listener_ports(p->listener, ports));
}

static int run(struct program *p)
{
    struct err err = ERR_INIT;
    int status = 0;
    uv_loop_init(&p->loop);
    static const int numbers[] = {SIGTERM, SIGINT};
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&p->loop, &p->stop[i]);
        p->stop[i].data = p;
        uv_signal_start(&p->stop[i], on_signal, numbers[i]);
    }
    uv_timer_init(&p->loop, &p->sweep);
    p->sweep.data = p;
    uv_timer_start(&p->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (start(p, &err) == 0) {
        ready(p);
    } else {
        fprintf(stderr, "amtsim: %s\n", err.text);
        status = err.cause == CAUSE_INVALID_ARGUMENT ? EXIT_BAD_USE : EXIT_SYSTEM;
        stop(p);
    }
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    return status;
}

int main(int argc, char **argv)
{
    static struct program program;
    struct err err = ERR_INIT;
    process_open_standard_fds();
    if (argc >= 2 && strcmp(argv[1], "ctl") == 0)
        return ctl_main(argc - 1, argv + 1);
    secret_process_init();
    int bad = options_parse(&program.options, argc, argv, &err);
    int status = 0;
    if (bad) {
        fprintf(stderr, "amtsim: %s\n", err.text);
        status = EXIT_BAD_USE;
    } else if (program.options.help) {
        fputs(options_help(), stdout);
    } else if (program.options.version) {
        puts("amtsim " AMTD_VERSION);
    } else {
        log_open("amtsim", program.options.log_level, NULL);
        raise_limits();
        xml_library_init();
        status = run(&program);
    }
    options_clear(&program.options);
    return status;
}

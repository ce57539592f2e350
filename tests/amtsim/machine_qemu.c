#include "tests/amtsim/machine_qemu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "tests/amtsim/nbd_drive.h"
#include "tests/amtsim/qemu_cd.h"
#include "tests/amtsim/qemu_vm.h"

#define MEMORY_MIB     192
#define CYCLE_MS       1500
#define START_LIMIT_MS 30000
#define END_LIMIT_MS   10000
#define LOOK_LIMIT_MS  10000
#define NOTES_BYTES    ((off_t)65536)
#define SWAP_BYTES     ((off_t)128 << 20) /* sparse */
#define LINE_KEPT      64

enum phase {
    PHASE_STOPPED,  /* no process -> LOOKING, STARTING */
    PHASE_PAUSED,   /* no process, between off and on of a cycle -> LOOKING, STARTING, STOPPED */
    PHASE_LOOKING,  /* no process; is there a medium in the redirected drive? -> STARTING, STOPPED */
    PHASE_STARTING, /* a process whose QMP has not answered -> RUNNING, ENDING, or gone */
    PHASE_RUNNING,  /* -> ENDING, or gone */
    PHASE_ENDING,   /* killed, or the guest has switched itself off; `ending` says which -> gone */
};

/* Why a process ends. Unexpected unless we or the guest said so before. */
enum ending { ENDING_UNEXPECTED, ENDING_OFF, ENDING_CYCLE, ENDING_RESET, ENDING_HIBERNATE, ENDING_COUNT };

/* A line that comes in pieces; of a longer one the beginning. */
struct line {
    char text[LINE_KEPT + 1];
    size_t len;
};

struct machine_qemu {
    struct machine machine; /* first */
    struct qemu_vm_config vm_config;
    char *image_dir;
    char *program;
    char *name;
    char *cd;
    char *mac;
    struct machine_boot boot; /* settings of this boot */
    uint64_t cycle_ms;
    enum phase phase;
    enum ending ending;
    struct qemu_vm *vm; /* in STARTING, RUNNING, ENDING */
    uv_timer_t timer;   /* PAUSED: end of the pause; STARTING, ENDING: it does not come to an end */
    bool suspending_to_disk;
    bool agent_ready;
    struct nbd_drive *redirected; /* the redirected CD */
    struct qemu_cd *cd_slot;      /* whether its medium is in the running PC's drive */
    bool console_held;            /* nobody takes what the guest says on its first serial port */
    struct line agent_line;
    struct line firmware_line;
};

static struct machine_qemu *qemu_of(struct machine *machine)
{
    return (struct machine_qemu *)machine;
}

static void set_state(struct machine_qemu *q, enum machine_state state)
{
    struct machine *m = &q->machine;

    if (m->state == state)
        return;
    m->state = state;
    /* What the guest does with its modem lines, QEMU does not tell. */
    m->lines = (struct machine_lines){
        .owned = state == MACHINE_ON, .rts = state == MACHINE_ON, .dtr = state == MACHINE_ON};
    m->events.state(m->events.arg, state);
}

static void report_trouble(struct machine_qemu *q, const struct err *err)
{
    log_warn(q->name, "%s", err->text);
    q->machine.events.trouble(q->machine.events.arg, err);
}

/* --- start and end of the process --- */

static void start(struct machine_qemu *q);
static void launch(struct machine_qemu *q);

static void on_timer(uv_timer_t *timer)
{
    struct machine_qemu *q = timer->data;

    if (q->phase == PHASE_PAUSED)
        start(q);
    else if (q->phase == PHASE_LOOKING)
        launch(q);
    else if (q->vm != NULL)
        qemu_vm_kill(q->vm); /* while starting: reported as any other unexpected end */
}

static void cut_power(struct machine_qemu *q, enum ending ending)
{
    q->phase = PHASE_ENDING;
    q->ending = ending;
    qemu_vm_kill(q->vm);
}

/* What follows the end of the process. */
static const struct {
    enum machine_state state;
    enum phase phase;
} after[ENDING_COUNT] = {
    [ENDING_UNEXPECTED] = {MACHINE_OFF, PHASE_STOPPED},
    [ENDING_OFF] = {MACHINE_OFF, PHASE_STOPPED},
    [ENDING_CYCLE] = {MACHINE_OFF, PHASE_PAUSED},
    [ENDING_RESET] = {MACHINE_ON, PHASE_STARTING},
    [ENDING_HIBERNATE] = {MACHINE_HIBERNATE, PHASE_STOPPED},
};

static void vm_gone(void *arg, const char *how)
{
    struct machine_qemu *q = arg;
    enum ending ending = q->ending;
    struct err err = ERR_INIT;

    log_info(q->name, "qemu has ended: %s", how);
    uv_timer_stop(&q->timer);
    q->vm = NULL;
    qemu_cd_vm(q->cd_slot, NULL);
    q->agent_ready = false;
    q->phase = after[ending].phase;
    if (q->phase == PHASE_PAUSED)
        uv_timer_start(&q->timer, on_timer, q->cycle_ms, 0);
    set_state(q, after[ending].state);
    if (ending == ENDING_UNEXPECTED) {
        err_set(&err, CAUSE_SYSTEM, "the virtual PC ended by itself: %s", how);
        report_trouble(q, &err);
    } else if (q->phase == PHASE_STARTING) {
        start(q);
    }
}

/* QMP refused what it never refuses. */
static void on_reply(void *arg, const json_t *result, const struct err *err)
{
    (void)result;
    if (err != NULL)
        report_trouble(arg, err);
}

static void on_continued(void *arg, const json_t *result, const struct err *err)
{
    struct machine_qemu *q = arg;
    struct machine *m = &q->machine;

    (void)result;
    if (q->phase != PHASE_STARTING)
        return;
    uv_timer_stop(&q->timer);
    if (err != NULL) {
        report_trouble(q, err);
        cut_power(q, ENDING_OFF);
        return;
    }
    q->phase = PHASE_RUNNING;
    m->boot_count++;
    qemu_cd_want(q->cd_slot, nbd_drive_medium(q->redirected), NULL, NULL); /* if it has changed meanwhile */
    set_state(q, MACHINE_ON);
    m->events.booted(m->events.arg, m->boot_count);
}

static void go(void *arg)
{
    struct machine_qemu *q = arg;

    if (q->phase == PHASE_STARTING)
        qemu_vm_execute(q->vm, "cont", NULL, on_continued, q, NULL);
}

/* The firmware finds the redirected CD in its drive. */
static void vm_ready(void *arg)
{
    struct machine_qemu *q = arg;

    if (q->phase != PHASE_STARTING)
        return;
    qemu_cd_vm(q->cd_slot, q->vm);
    qemu_cd_want(q->cd_slot, nbd_drive_medium(q->redirected), go, q);
}

static void vm_event(void *arg, const char *name, const json_t *data);
static void vm_port(void *arg, enum qemu_port port, const void *p, size_t n);

static void launch(struct machine_qemu *q)
{
    const struct qemu_vm_events events = {q, vm_ready, vm_event, vm_port, vm_gone};
    struct err err = ERR_INIT;

    q->ending = ENDING_UNEXPECTED;
    q->suspending_to_disk = false;
    q->agent_ready = false;
    q->agent_line.len = 0;
    q->firmware_line.len = 0;
    q->vm_config.args.redirected_cd = nbd_drive_medium(q->redirected);
    q->vm = qemu_vm_start(&q->vm_config, &q->boot, &events, &err);
    if (q->vm == NULL) {
        q->phase = PHASE_STOPPED;
        set_state(q, MACHINE_OFF);
        report_trouble(q, &err);
        return;
    }
    log_info(q->name, "qemu has started: pid %d", qemu_vm_pid(q->vm));
    if (q->console_held)
        qemu_vm_flow(q->vm, QEMU_CONSOLE, false);
    q->phase = PHASE_STARTING;
    uv_timer_start(&q->timer, on_timer, START_LIMIT_MS, 0);
}

/* A boot from the redirected CD waits until it is known whether there is one. */
static void start(struct machine_qemu *q)
{
    memset(&q->boot, 0, sizeof q->boot);
    q->machine.events.settings(q->machine.events.arg, &q->boot);
    if (q->boot.use_ider && nbd_drive_looks(q->redirected)) {
        q->phase = PHASE_LOOKING;
        uv_timer_start(&q->timer, on_timer, LOOK_LIMIT_MS, 0);
    } else {
        launch(q);
    }
}

/* --- what the guest does by itself --- */

static void guest_shut_down(struct machine_qemu *q, const json_t *data)
{
    const char *reason = json_string_value(json_object_get(data, "reason"));
    static const struct {
        const char *reason;
        enum ending ending;
    } reasons[] = {
        {"guest-shutdown", ENDING_OFF},
        {"guest-reset", ENDING_RESET},
    };

    if (q->phase != PHASE_RUNNING || reason == NULL)
        return;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reason, reasons[i].reason) == 0) {
            q->ending = q->suspending_to_disk ? ENDING_HIBERNATE : reasons[i].ending;
            q->phase = PHASE_ENDING;
            uv_timer_start(&q->timer, on_timer, END_LIMIT_MS, 0);
        }
    }
}

static void guest_suspended(struct machine_qemu *q, const json_t *data)
{
    (void)data;
    q->agent_ready = false;
    set_state(q, MACHINE_SLEEP);
}

static void guest_woke(struct machine_qemu *q, const json_t *data)
{
    (void)data;
    set_state(q, MACHINE_ON);
}

/* The system is on disk; the shutdown that follows is no ordinary one. */
static void guest_suspends_to_disk(struct machine_qemu *q, const json_t *data)
{
    (void)data;
    q->suspending_to_disk = true;
}

static void vm_event(void *arg, const char *name, const json_t *data)
{
    static const struct {
        const char *name;
        void (*handle)(struct machine_qemu *q, const json_t *data);
    } events[] = {
        {"SHUTDOWN", guest_shut_down},
        {"SUSPEND", guest_suspended},
        {"WAKEUP", guest_woke},
        {"SUSPEND_DISK", guest_suspends_to_disk},
    };
    struct machine_qemu *q = arg;

    log_debug(q->name, "qemu event %s", name);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (strcmp(name, events[i].name) == 0)
            events[i].handle(q, data);
}

/* The agent says "ready" when it can obey; nothing else it says matters. */
static void agent_says(struct machine_qemu *q, const char *line)
{
    if (strcmp(line, "ready") == 0)
        q->agent_ready = true;
}

/* Who asked for the setup is taken there; who asked for a pause has to press the key himself. */
static void firmware_says(struct machine_qemu *q, const char *line)
{
    if (strcmp(line, "Press ESC for boot menu.") == 0 && q->boot.bios_setup)
        qemu_vm_execute(q->vm, "send-key",
                        json_pack("{s:[{s:s, s:s}]}", "keys", "type", "qcode", "data", "esc"), on_reply, q,
                        NULL);
}

static void take_lines(struct machine_qemu *q, struct line *line, const char *p, size_t n,
                       void (*says)(struct machine_qemu *q, const char *line))
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n') {
            line->text[line->len] = '\0';
            says(q, line->text);
            line->len = 0;
        } else if (p[i] != '\r' && line->len < LINE_KEPT) {
            line->text[line->len++] = p[i];
        }
    }
}

static void vm_port(void *arg, enum qemu_port port, const void *p, size_t n)
{
    struct machine_qemu *q = arg;
    const struct machine_events *events = &q->machine.events;

    if (port == QEMU_AGENT)
        take_lines(q, &q->agent_line, p, n, agent_says);
    else if (port == QEMU_FIRMWARE)
        take_lines(q, &q->firmware_line, p, n, firmware_says);
    else if (events->console != NULL)
        events->console(events->arg, p, n);
}

/* --- commands: what each does in each state; NULL is refused --- */

static void do_start(struct machine_qemu *q)
{
    start(q);
}

static void do_wake(struct machine_qemu *q)
{
    qemu_vm_execute(q->vm, "system_wakeup", NULL, on_reply, q, NULL);
}

static void do_off(struct machine_qemu *q)
{
    cut_power(q, ENDING_OFF);
}

/* A hibernated machine has no power to cut, only a system on its disk that must not wake again. */
static void do_forget(struct machine_qemu *q)
{
    if (ftruncate(q->vm_config.swap_fd, 0) == 0 && ftruncate(q->vm_config.swap_fd, SWAP_BYTES) == 0)
        set_state(q, MACHINE_OFF);
}

static void do_cycle(struct machine_qemu *q)
{
    cut_power(q, ENDING_CYCLE);
}

static void do_reset(struct machine_qemu *q)
{
    cut_power(q, ENDING_RESET);
}

static void do_nmi(struct machine_qemu *q)
{
    qemu_vm_execute(q->vm, "inject-nmi", NULL, on_reply, q, NULL);
}

static void do_power_button(struct machine_qemu *q)
{
    qemu_vm_execute(q->vm, "system_powerdown", NULL, on_reply, q, NULL);
}

static void ask_agent(struct machine_qemu *q, const char *line)
{
    qemu_vm_write(q->vm, QEMU_AGENT, line, strlen(line));
}

static void do_ask_restart(struct machine_qemu *q)
{
    ask_agent(q, "reboot\n");
}

static void do_ask_sleep(struct machine_qemu *q)
{
    ask_agent(q, "sleep\n");
}

static void do_ask_hibernate(struct machine_qemu *q)
{
    ask_agent(q, "hibernate\n");
}

typedef void command_fn(struct machine_qemu *q);

static const struct {
    command_fn *in[4]; /* by machine_state: off, on, sleep, hibernate */
    bool needs_agent;
} commands[] = {
    [MACHINE_POWER_ON] = {{do_start, NULL, do_wake, do_start}, false},
    [MACHINE_POWER_OFF] = {{NULL, do_off, do_off, do_forget}, false},
    [MACHINE_POWER_CYCLE] = {{NULL, do_cycle, do_cycle, NULL}, false},
    [MACHINE_RESET] = {{NULL, do_reset, do_reset, NULL}, false},
    [MACHINE_NMI] = {{NULL, do_nmi, NULL, NULL}, false},
    [MACHINE_ASK_SHUTDOWN] = {{NULL, do_power_button, NULL, NULL}, true},
    [MACHINE_ASK_RESTART] = {{NULL, do_ask_restart, NULL, NULL}, true},
    [MACHINE_ASK_SLEEP] = {{NULL, do_ask_sleep, NULL, NULL}, true},
    [MACHINE_ASK_HIBERNATE] = {{NULL, do_ask_hibernate, NULL, NULL}, true},
};

/* Power can be cut in the middle of any change. */
static void off_in_change(struct machine_qemu *q)
{
    if (q->phase != PHASE_PAUSED && q->phase != PHASE_LOOKING) {
        cut_power(q, ENDING_OFF);
        return;
    }
    uv_timer_stop(&q->timer);
    q->phase = PHASE_STOPPED;
    set_state(q, MACHINE_OFF);
}

static int qemu_command(struct machine *machine, enum machine_command command)
{
    struct machine_qemu *q = qemu_of(machine);
    command_fn *run = commands[command].in[machine->state];

    if (q->phase != PHASE_STOPPED && q->phase != PHASE_RUNNING) {
        if (command != MACHINE_POWER_OFF)
            return -1;
        off_in_change(q);
        return 0;
    }
    if (run == NULL || (commands[command].needs_agent && !q->agent_ready))
        return -1;
    run(q);
    return 0;
}

static size_t qemu_console_write(struct machine *machine, const void *p, size_t n)
{
    struct machine_qemu *q = qemu_of(machine);

    return q->vm != NULL ? qemu_vm_write(q->vm, QEMU_CONSOLE, p, n) : n;
}

static void qemu_console_flow(struct machine *machine, bool go)
{
    struct machine_qemu *q = qemu_of(machine);

    q->console_held = !go;
    if (q->vm != NULL)
        qemu_vm_flow(q->vm, QEMU_CONSOLE, go);
}

static void qemu_drives(struct machine *machine, unsigned present)
{
    nbd_drive_present(qemu_of(machine)->redirected, (present & 1u << DRIVE_CD) != 0);
}

/* Before the processor runs, the medium goes in when the process is ready. */
static void medium_changed(void *arg, bool medium)
{
    struct machine_qemu *q = arg;

    if (q->phase == PHASE_LOOKING) {
        uv_timer_stop(&q->timer);
        launch(q);
    } else if (q->phase == PHASE_RUNNING) {
        qemu_cd_want(q->cd_slot, medium, NULL, NULL);
    }
}

static int drive_peer(void *arg)
{
    return machine_qemu_pid(arg);
}

static bool qemu_has_agent(const struct machine *machine)
{
    const struct machine_qemu *q = (const struct machine_qemu *)machine;

    return q->phase == PHASE_RUNNING && machine->state == MACHINE_ON && q->agent_ready;
}

int machine_qemu_pid(const struct machine *machine)
{
    const struct machine_qemu *q = (const struct machine_qemu *)machine;

    return q->vm != NULL ? qemu_vm_pid(q->vm) : 0;
}

/* --- birth and death --- */

static void qemu_free(struct machine_qemu *q)
{
    if (q->vm_config.notes_fd >= 0)
        close(q->vm_config.notes_fd);
    if (q->vm_config.swap_fd >= 0)
        close(q->vm_config.swap_fd);
    qemu_cd_free(q->cd_slot);
    nbd_drive_free(q->redirected);
    free(q->image_dir);
    free(q->program);
    free(q->name);
    free(q->cd);
    free(q->mac);
    free(q);
}

static void on_timer_closed(uv_handle_t *handle)
{
    qemu_free(handle->data);
}

static void qemu_destroy(struct machine *machine)
{
    struct machine_qemu *q = qemu_of(machine);

    nbd_drive_present(q->redirected, false);
    qemu_vm_abandon(q->vm);
    uv_close((uv_handle_t *)&q->timer, on_timer_closed);
}

static const struct machine_ops ops = {
    .kind = "qemu",
    .command = qemu_command,
    .console_write = qemu_console_write,
    .console_flow = qemu_console_flow,
    .drives = qemu_drives,
    .has_agent = qemu_has_agent,
    .destroy = qemu_destroy,
};

/* A disk in memory: gone with us, whatever happens. */
static int make_disk(const char *name, off_t size, struct err *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    if (fd >= 0 && ftruncate(fd, size) == 0)
        return fd;
    err_set_errno(err, CAUSE_SYSTEM, errno, "cannot make disk %s of a virtual PC", name);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int make_redirected(struct machine_qemu *q, struct err *err)
{
    const struct nbd_drive_config config = {
        .loop = q->vm_config.loop,
        .name = q->name,
        .events = &q->machine.events,
        .drive = DRIVE_CD,
        .arg = q,
        .changed = medium_changed,
        .peer = drive_peer,
    };

    q->redirected = nbd_drive_new(&config, err);
    if (q->redirected == NULL)
        return -1;
    q->cd_slot = qemu_cd_new(nbd_drive_socket(q->redirected), q->name);
    return 0;
}

static int check_image(const char *image_dir, struct err *err)
{
    static const char *const parts[] = {"vmlinuz", "initrd", "rescue.iso"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char *path = xasprintf("%s/%s", image_dir, parts[i]);
        int rc = access(path, R_OK);

        if (rc != 0)
            err_set(err, CAUSE_NOT_FOUND, "cannot read %s (%s); make it with: tests/amtsim/guest/build %s",
                    path, strerror(errno), image_dir);
        free(path);
        if (rc != 0)
            return -1;
    }
    return 0;
}

struct machine *machine_qemu_new(const struct machine_qemu_config *config,
                                 const struct machine_events *events, struct err *err)
{
    struct machine_qemu *q;

    if (check_image(config->image_dir, err) != 0)
        return NULL;
    q = xcalloc(1, sizeof *q);
    q->machine.ops = &ops;
    q->machine.events = *events;
    q->image_dir = xstrdup(config->image_dir);
    q->program = xstrdup(config->program != NULL ? config->program : "qemu-system-x86_64");
    q->name = xstrdup(config->name);
    q->cd = xstrdup(config->cd);
    q->mac = xstrdup(config->mac);
    q->cycle_ms = config->cycle_ms != 0 ? config->cycle_ms : CYCLE_MS;
    q->vm_config.loop = config->loop;
    q->vm_config.args = (struct qemu_args_config){
        .program = q->program,
        .image_dir = q->image_dir,
        .name = q->name,
        .cd = q->cd,
        .mac = q->mac,
        .memory_mib = config->memory_mib != 0 ? config->memory_mib : MEMORY_MIB,
    };
    q->vm_config.cable_fd = config->mac != NULL ? config->cable_fd : -1;
    q->vm_config.notes_fd = make_disk("notes", NOTES_BYTES, err);
    q->vm_config.swap_fd = q->vm_config.notes_fd >= 0 ? make_disk("swap", SWAP_BYTES, err) : -1;
    if (q->vm_config.swap_fd < 0 || make_redirected(q, err) != 0) {
        qemu_free(q);
        return NULL;
    }
    uv_timer_init(config->loop, &q->timer);
    q->timer.data = q;
    return &q->machine;
}

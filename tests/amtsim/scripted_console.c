#include "tests/amtsim/scripted_console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/drive_io.h"
#include "tests/amtsim/scripted_screen.h"
#include "tests/amtsim/scripted_shell.h"
#include "tests/amtsim/scripted_text.h"

#define TICK_MS   20 /* how often a slow port speaks */
#define OUT_MAX   ((size_t)4 << 20)
#define POUR_MAX  ((size_t)65536)
#define POST_MS   1000u
#define MENU_MS   2000u
#define KERNEL_MS 1000u /* about; it ends when it has been said */
#define BOOT_READ 64u   /* blocks the BIOS and loader read from a redirected drive */

enum phase {
    PHASE_OFF,
    PHASE_POST,   /* BIOS -> SETUP, MEDIUM, MENU */
    PHASE_SETUP,  /* -> MENU */
    PHASE_MEDIUM, /* a redirected drive is read -> KERNEL, MENU */
    PHASE_MENU,   /* boot loader -> KERNEL */
    PHASE_KERNEL, /* -> SHELL */
    PHASE_SHELL,
};

struct scripted_console {
    uv_timer_t timer; /* first: freed when both handles are closed */
    uv_idle_t pouring;
    unsigned open; /* handles */
    struct machine *machine;
    uint32_t rate;
    char *name;
    enum phase phase;
    struct machine_boot boot;
    const char *root;
    uint64_t boot_ms;
    struct buf out;      /* still to be said */
    uint64_t said_ms;    /* when something was said last, or began to wait */
    bool held;           /* nobody takes it */
    uint64_t phase_ms;   /* when the phase ends by itself; 0: not */
    scripted_fill *fill; /* said behind `out` */
    void *fill_arg;
    uint64_t break_ms; /* end of the BREAK; 0: none */
    uint64_t busy_ms;  /* until then nothing is read */
    struct scripted_screen screen;
    struct scripted_shell *shell; /* in SHELL */
    struct drive_io *drive;       /* in MEDIUM */
};

static uint64_t now_of(const struct scripted_console *c)
{
    return uv_now(c->timer.loop);
}

/* --- saying --- */

static void on_timer(uv_timer_t *timer);
static void on_idle(uv_idle_t *idle);

static void schedule(struct scripted_console *c)
{
    uint64_t now = now_of(c), at = UINT64_MAX;
    if (c->held || c->fill == NULL)
        uv_idle_stop(&c->pouring);
    else
        uv_idle_start(&c->pouring, on_idle);
    if (!c->held && c->out.len > 0)
        at = c->rate > 0 ? c->said_ms + TICK_MS : now;
    if (c->phase_ms != 0 && c->phase_ms < at)
        at = c->phase_ms;
    if (c->break_ms != 0 && c->break_ms < at)
        at = c->break_ms;
    uv_timer_stop(&c->timer);
    if (at != UINT64_MAX)
        uv_timer_start(&c->timer, on_timer, at > now ? at - now : 0, 0);
}

static void emit(struct scripted_console *c, const void *p, size_t n)
{
    const struct machine_events *e = &c->machine->events;
    if (n > 0 && e->console != NULL)
        e->console(e->arg, p, n);
}

/* What the rate allows since last time. */
static void speak(struct scripted_console *c)
{
    uint64_t waited = now_of(c) - c->said_ms;
    size_t n = c->out.len;
    if (waited > 2 * (uint64_t)TICK_MS)
        waited = 2 * (uint64_t)TICK_MS;
    if (c->held)
        return;
    if (c->rate > 0 && n > c->rate * waited / 1000)
        n = (size_t)(c->rate * waited / 1000);
    if (n > 0 || c->out.len == 0)
        c->said_ms = now_of(c);
    emit(c, c->out.p, n);
    buf_consume(&c->out, n);
}

/* Once a turn of the loop, so that others have theirs. */
static void on_idle(uv_idle_t *idle)
{
    struct scripted_console *c = idle->data;
    static uint8_t chunk[POUR_MAX]; /* one thread, used up at once */
    if (c->held || c->fill == NULL || c->out.len > 0)
        return;
    size_t n = c->fill(c->fill_arg, chunk, sizeof(chunk));
    if (n == 0)
        c->fill = NULL;
    emit(c, chunk, n);
    schedule(c);
}

void scripted_console_add(struct scripted_console *c, const void *p, size_t n)
{
    if (c->out.len == 0 && n > 0)
        c->said_ms = now_of(c);
    buf_add(&c->out, p, n);
    schedule(c);
}

void scripted_console_say(struct scripted_console *c, const char *text)
{
    scripted_console_add(c, text, strlen(text));
}

void scripted_console_pour(struct scripted_console *c, scripted_fill *fill, void *arg)
{
    c->fill = fill;
    c->fill_arg = arg;
    schedule(c);
}

/* Something was appended to `out` directly. */
static void added(struct scripted_console *c, size_t before)
{
    if (before == 0)
        c->said_ms = now_of(c);
    schedule(c);
}

/* --- lines --- */

static void set_lines(struct scripted_console *c, bool owned, bool brk)
{
    struct machine *m = c->machine;
    m->lines = (struct machine_lines){.owned = owned, .rts = owned, .dtr = owned, .brk = brk};
    if (m->events.lines != NULL)
        m->events.lines(m->events.arg);
}

void scripted_console_break(struct scripted_console *c, uint32_t ms)
{
    c->break_ms = now_of(c) + ms;
    set_lines(c, true, true);
    schedule(c);
}

void scripted_console_busy(struct scripted_console *c, uint32_t ms)
{
    c->busy_ms = now_of(c) + ms;
}

/* --- phases --- */

static void enter(struct scripted_console *c, enum phase phase);

/* Leaves what belongs to a phase. */
static void leave(struct scripted_console *c)
{
    struct scripted_shell *shell = c->shell;
    c->shell = NULL;
    scripted_shell_free(shell);
    drive_io_free(c->drive);
    c->drive = NULL;
    c->phase_ms = 0;
    c->fill = NULL;
    c->break_ms = 0;
    c->busy_ms = 0;
}

static void bios_says(struct scripted_console *c, const char *text)
{
    if (c->boot.use_sol)
        scripted_console_say(c, text);
}

static void enter_off(struct scripted_console *c)
{
    buf_reset(&c->out);
}

static void enter_post(struct scripted_console *c)
{
    size_t before = c->out.len;
    set_lines(c, c->boot.use_sol, false);
    if (c->boot.use_sol)
        scripted_text_bios(&c->out, c->name, c->machine->boot_count);
    c->phase_ms = now_of(c) + POST_MS;
    added(c, before);
}

static void enter_setup(struct scripted_console *c)
{
    static const char *const entries[] = {"Main", "Boot order", "Security", "Exit", NULL};
    size_t before = c->out.len;
    if (c->boot.use_sol)
        scripted_screen_show(&c->screen, "amtsim BIOS setup", entries,
                             "Arrow keys move, Enter on Exit or F10 leaves.", &c->out);
    added(c, before);
}

static void enter_menu(struct scripted_console *c)
{
    static const char *const entries[] = {"Debian GNU/Linux", "Debian GNU/Linux, single-user mode", NULL};
    size_t before = c->out.len;
    c->root = "disk";
    set_lines(c, true, false);
    scripted_screen_show(&c->screen, "Boot menu", entries,
                         "Arrow keys move, Enter boots; in a moment the first.", &c->out);
    c->phase_ms = now_of(c) + MENU_MS;
    added(c, before);
}

static void on_drive_data(void *arg, const uint8_t *p, size_t n)
{
    (void)arg;
    (void)p;
    (void)n;
}

static void on_drive_done(void *arg, enum drive_result result)
{
    struct scripted_console *c = arg;
    char text[96];
    uint32_t blocks = drive_io_blocks(c->drive);
    if (result != DRIVE_OK) {
        bios_says(c, "no medium in the redirected drive: booting the disk\r\n");
        enter(c, PHASE_MENU);
    } else if (c->root != NULL) { /* the boot sectors are in */
        enter(c, PHASE_KERNEL);
    } else {
        c->root = c->boot.ider_device == DRIVE_CD ? "cd" : "floppy";
        snprintf(text, sizeof(text), "booting the redirected %s: %u blocks of %u bytes\r\n", c->root, blocks,
                 drive_io_block_size(c->drive));
        bios_says(c, text);
        drive_io_read(c->drive, 0, blocks < BOOT_READ ? blocks : BOOT_READ);
    }
}

static void enter_medium(struct scripted_console *c)
{
    struct drive_io_events events = {c, on_drive_data, on_drive_done};
    c->root = NULL;
    c->drive =
        drive_io_new(&c->machine->events, c->boot.ider_device == DRIVE_CD ? DRIVE_CD : DRIVE_FLOPPY, &events);
    drive_io_open(c->drive);
}

void scripted_console_kernel_log(struct scripted_console *c)
{
    size_t before = c->out.len;
    scripted_text_kernel(&c->out, c->name, c->machine->boot_count, c->root);
    added(c, before);
}

static void enter_kernel(struct scripted_console *c)
{
    set_lines(c, true, false);
    scripted_console_say(c, "\x1b[2J\x1b[1;1H");
    scripted_console_kernel_log(c);
}

static void enter_shell(struct scripted_console *c)
{
    set_lines(c, true, false);
    c->shell = scripted_shell_new(c);
}

static void enter(struct scripted_console *c, enum phase phase)
{
    static void (*const phases[])(struct scripted_console * c) = {
        [PHASE_OFF] = enter_off,       [PHASE_POST] = enter_post, [PHASE_SETUP] = enter_setup,
        [PHASE_MEDIUM] = enter_medium, [PHASE_MENU] = enter_menu, [PHASE_KERNEL] = enter_kernel,
        [PHASE_SHELL] = enter_shell,
    };
    leave(c);
    c->phase = phase;
    phases[phase](c);
}

static enum phase after_post(const struct scripted_console *c)
{
    if (c->boot.bios_setup)
        return PHASE_SETUP;
    return c->boot.use_ider ? PHASE_MEDIUM : PHASE_MENU;
}

/* A phase whose time is over, when all of it has been said. */
static void advance(struct scripted_console *c)
{
    if (c->phase == PHASE_KERNEL && c->out.len == 0) {
        enter(c, PHASE_SHELL);
        scripted_shell_prompt(c->shell);
    } else if (c->phase_ms != 0 && now_of(c) >= c->phase_ms) {
        c->phase_ms = 0;
        if (c->phase == PHASE_POST && c->boot.source[0] != '\0' && strcmp(c->boot.source, "disk") != 0)
            bios_says(c, "nothing to boot there: booting the disk\r\n");
        enter(c, c->phase == PHASE_POST ? after_post(c) : PHASE_KERNEL);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct scripted_console *c = (struct scripted_console *)timer;
    speak(c);
    if (c->break_ms != 0 && now_of(c) >= c->break_ms) {
        c->break_ms = 0;
        set_lines(c, true, false);
    }
    advance(c);
    schedule(c);
}

void scripted_console_boot(struct scripted_console *c, const struct machine_boot *boot, uint64_t ago_ms)
{
    c->boot = *boot;
    c->boot_ms = now_of(c) - (ago_ms < now_of(c) ? ago_ms : now_of(c));
    c->root = "disk";
    buf_reset(&c->out);
    if (ago_ms < POST_MS)
        enter(c, PHASE_POST);
    else if (after_post(c) != PHASE_MENU || ago_ms < POST_MS + MENU_MS)
        enter(c, after_post(c));
    else
        enter(c, ago_ms < POST_MS + MENU_MS + KERNEL_MS ? PHASE_KERNEL : PHASE_SHELL);
}

void scripted_console_off(struct scripted_console *c)
{
    if (c != NULL)
        enter(c, PHASE_OFF);
}

/* --- hearing --- */

static void key(struct scripted_console *c, char byte)
{
    size_t before = c->out.len;
    c->phase_ms = 0; /* somebody is there: the menu waits */
    enum screen_event event = scripted_screen_key(&c->screen, byte, &c->out);
    added(c, before);
    if (event == SCREEN_STAYS)
        return;
    if (c->phase == PHASE_MENU)
        enter(c, PHASE_KERNEL);
    else if (event == SCREEN_SAVED || c->screen.entries[c->screen.selected + 1] == NULL)
        enter(c, PHASE_MENU);
}

size_t scripted_console_write(struct scripted_console *c, const void *p, size_t n)
{
    const char *bytes = p;
    if (c->phase == PHASE_OFF)
        return n; /* nobody is there */
    if (c->phase == PHASE_POST || c->phase == PHASE_MEDIUM || now_of(c) < c->busy_ms)
        return 0; /* nobody reads the port */
    for (size_t i = 0; i < n; i++) {
        if (c->phase == PHASE_SHELL)
            scripted_shell_type(c->shell, bytes + i, 1);
        else if (c->phase == PHASE_MENU || (c->phase == PHASE_SETUP && c->boot.use_sol))
            key(c, bytes[i]);
    }
    if (c->rate == 0)
        speak(c);
    return n;
}

void scripted_console_flow(struct scripted_console *c, bool go)
{
    c->held = !go;
    if (go)
        c->said_ms = now_of(c);
    schedule(c);
}

void scripted_console_drives(struct scripted_console *c, unsigned present)
{
    if (c->phase == PHASE_SHELL && present != 0)
        scripted_console_say(c, "\r\n[redirected drives have come]\r\n");
    else if (c->phase == PHASE_SHELL)
        scripted_console_say(c, "\r\n[redirected drives have gone]\r\n");
}

/* --- for what speaks there --- */

struct machine *scripted_console_machine(const struct scripted_console *c)
{
    return c->machine;
}

uv_loop_t *scripted_console_loop(const struct scripted_console *c)
{
    return c->timer.loop;
}

const char *scripted_console_name(const struct scripted_console *c)
{
    return c->name;
}

const char *scripted_console_root(const struct scripted_console *c)
{
    return c->root != NULL ? c->root : "disk";
}

uint64_t scripted_console_up_ms(const struct scripted_console *c)
{
    return now_of(c) - c->boot_ms;
}

/* --- birth and death --- */

struct scripted_console *scripted_console_new(uv_loop_t *loop, struct machine *machine, uint32_t rate,
                                              const char *name)
{
    struct scripted_console *c = xcalloc(1, sizeof(*c));
    c->machine = machine;
    c->rate = rate;
    c->name = xstrdup(name);
    c->out = buf_init(OUT_MAX);
    uv_timer_init(loop, &c->timer);
    uv_unref((uv_handle_t *)&c->timer);
    uv_idle_init(loop, &c->pouring);
    c->pouring.data = c;
    c->open = 2;
    return c;
}

static void on_closed(uv_handle_t *handle)
{
    struct scripted_console *c = handle->data;
    if (--c->open > 0)
        return;
    buf_free(&c->out);
    free(c->name);
    free(c);
}

void scripted_console_free(struct scripted_console *c)
{
    if (c == NULL)
        return;
    leave(c);
    c->timer.data = c;
    uv_close((uv_handle_t *)&c->timer, on_closed);
    uv_close((uv_handle_t *)&c->pouring, on_closed);
}

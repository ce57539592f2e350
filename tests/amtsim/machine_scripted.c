#include "tests/amtsim/machine_scripted.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/scripted_console.h"

#define STEPS_MAX 2

struct machine_scripted {
    struct machine machine; /* first */
    uv_timer_t timer;
    uint64_t random;
    int64_t min_ms, max_ms;
    enum machine_state steps[STEPS_MAX]; /* states still to come */
    uint8_t step_count;
    bool boots;               /* the last step ends in a boot */
    struct machine_boot boot; /* settings of the boot it is in */
    uint64_t boot_ms;         /* when that began; 0: long ago */
    uint32_t rate;
    char *name;
    bool held;                        /* the console is not to speak */
    struct scripted_console *console; /* NULL: nobody has listened yet */
};

/* What a command leads to: the states in between and at the end. */
static const struct {
    uint8_t count;
    enum machine_state steps[STEPS_MAX];
    bool boots;
} commands[] = {
    [MACHINE_POWER_ON] = {1, {MACHINE_ON}, true},
    [MACHINE_POWER_OFF] = {1, {MACHINE_OFF}, false},
    [MACHINE_POWER_CYCLE] = {2, {MACHINE_OFF, MACHINE_ON}, true},
    [MACHINE_RESET] = {1, {MACHINE_ON}, true},
    [MACHINE_NMI] = {0, {MACHINE_ON}, false},
    [MACHINE_ASK_SHUTDOWN] = {1, {MACHINE_OFF}, false},
    [MACHINE_ASK_RESTART] = {1, {MACHINE_ON}, true},
    [MACHINE_ASK_SLEEP] = {1, {MACHINE_SLEEP}, false},
    [MACHINE_ASK_HIBERNATE] = {1, {MACHINE_HIBERNATE}, false},
};

/* splitmix64: enough for waiting times, and the same for the same seed. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void on_timer(uv_timer_t *timer);

static void wait_for_step(struct machine_scripted *s)
{
    uint64_t span = (uint64_t)(s->max_ms - s->min_ms) + 1;
    uv_timer_start(&s->timer, on_timer, (uint64_t)s->min_ms + random_next(&s->random) % span, 0);
}

/* The console, from now on in being. */
static struct scripted_console *console_of(struct machine_scripted *s)
{
    if (s->console != NULL)
        return s->console;
    s->console = scripted_console_new(s->timer.loop, &s->machine, s->rate, s->name);
    scripted_console_flow(s->console, !s->held);
    if (s->machine.state == MACHINE_ON)
        scripted_console_boot(s->console, &s->boot, uv_now(s->timer.loop) - s->boot_ms);
    return s->console;
}

static void enter(struct machine_scripted *s, enum machine_state state)
{
    bool on = state == MACHINE_ON;
    s->machine.state = state;
    s->machine.lines = (struct machine_lines){.owned = on, .rts = on, .dtr = on};
    if (!on)
        scripted_console_off(s->console);
}

/* POST begins. A boot that stops in the setup or reads a redirected drive needs its console for that. */
static void boot(struct machine_scripted *s)
{
    struct machine *m = &s->machine;
    m->boot_count++;
    s->boot_ms = uv_now(s->timer.loop);
    s->boot = (struct machine_boot){0};
    if (m->events.settings != NULL)
        m->events.settings(m->events.arg, &s->boot);
    m->events.booted(m->events.arg, m->boot_count);
    if (s->console != NULL)
        scripted_console_boot(s->console, &s->boot, 0);
    else if (s->boot.bios_setup || s->boot.use_ider)
        console_of(s);
}

/* What a step to a new state, or a boot in the same, brings. */
static void arrive(struct machine_scripted *s, enum machine_state state, bool boots)
{
    enum machine_state before = s->machine.state;
    enter(s, state);
    if (state != before)
        s->machine.events.state(s->machine.events.arg, state);
    if (state == MACHINE_ON && boots)
        boot(s);
    else if (state == MACHINE_ON && before != MACHINE_ON && s->console != NULL)
        scripted_console_boot(s->console, &s->boot, uv_now(s->timer.loop) - s->boot_ms);
}

static void on_timer(uv_timer_t *timer)
{
    struct machine_scripted *s = timer->data;
    enum machine_state state = s->steps[0];
    s->steps[0] = s->steps[1];
    s->step_count--;
    arrive(s, state, s->boots);
    if (s->step_count > 0)
        wait_for_step(s);
}

static int scripted_command(struct machine *m, enum machine_command command)
{
    struct machine_scripted *s = (struct machine_scripted *)m;
    if (s->step_count > 0)
        return -1;
    s->step_count = commands[command].count;
    memcpy(s->steps, commands[command].steps, sizeof(s->steps));
    /* waking from sleep is no boot */
    s->boots = commands[command].boots && !(command == MACHINE_POWER_ON && m->state == MACHINE_SLEEP);
    if (s->step_count > 0)
        wait_for_step(s);
    return 0;
}

static size_t scripted_write(struct machine *m, const void *p, size_t n)
{
    return scripted_console_write(console_of((struct machine_scripted *)m), p, n);
}

static void scripted_flow(struct machine *m, bool go)
{
    struct machine_scripted *s = (struct machine_scripted *)m;
    s->held = !go;
    if (s->console != NULL)
        scripted_console_flow(s->console, go);
}

static void scripted_listen(struct machine *m, bool listen)
{
    if (listen)
        console_of((struct machine_scripted *)m);
}

static void scripted_drives(struct machine *m, unsigned present)
{
    struct machine_scripted *s = (struct machine_scripted *)m;
    if (s->console != NULL)
        scripted_console_drives(s->console, present);
}

static bool scripted_has_agent(const struct machine *m)
{
    return m->state == MACHINE_ON;
}

static void on_closed(uv_handle_t *handle)
{
    struct machine_scripted *s = handle->data;
    free(s->name);
    free(s);
}

static void scripted_destroy(struct machine *m)
{
    struct machine_scripted *s = (struct machine_scripted *)m;
    scripted_console_free(s->console);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

static const struct machine_ops scripted_ops = {
    .kind = "scripted",
    .command = scripted_command,
    .console_write = scripted_write,
    .console_flow = scripted_flow,
    .console_listen = scripted_listen,
    .drives = scripted_drives,
    .has_agent = scripted_has_agent,
    .destroy = scripted_destroy,
};

struct machine *machine_scripted_new(uv_loop_t *loop, const struct machine_scripted_options *options,
                                     const struct machine_events *events)
{
    struct machine_scripted *s = xcalloc(1, sizeof(*s));
    s->machine.ops = &scripted_ops;
    s->machine.events = *events;
    enter(s, options->state);
    s->machine.boot_count = options->state == MACHINE_OFF ? 0 : 1;
    s->random = options->seed;
    s->rate = options->rate;
    s->name = xstrdup(options->name);
    s->min_ms = options->min_ms;
    s->max_ms = options->max_ms;
    uv_timer_init(loop, &s->timer);
    uv_unref((uv_handle_t *)&s->timer);
    s->timer.data = s;
    return &s->machine;
}

bool machine_scripted_force(struct machine *m, enum machine_state state)
{
    struct machine_scripted *s = (struct machine_scripted *)m;
    enum machine_state before = m->state;
    if (m->ops != &scripted_ops)
        return false;
    uv_timer_stop(&s->timer);
    s->step_count = 0;
    arrive(s, state, before == MACHINE_OFF || before == MACHINE_HIBERNATE);
    return true;
}

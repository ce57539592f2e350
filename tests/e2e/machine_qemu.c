/* The virtual PC behind a simulated device, with a real guest: machine_qemu IMAGE_DIR.
 *
 * What the machine reports is checked against what the guest itself says on its serial port: its boot
 * counter, the kernel's boot id, the kernel log. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/buf.h"
#include "base/process.h"
#include "base/xalloc.h"
#include "tests/amtsim/machine_qemu.h"

#define PATIENCE_MS 60000 /* a boot takes two seconds on an idle machine */
#define STATES_MAX  32

static const char *image_dir;

struct pc {
    uv_loop_t loop;
    uv_timer_t watchdog;
    struct machine *machine;
    struct buf console;                    /* everything since the beginning */
    size_t read;                           /* up to here it has been looked at */
    enum machine_state states[STATES_MAX]; /* as reported */
    size_t state_count;
    struct machine_boot next; /* settings for the next boot */
    uint32_t booted;          /* last count reported */
    struct err trouble;
    char boot_id[40]; /* the guest's, of the last boot looked at */
};

/* --- the machine's events --- */

static void on_state(void *arg, enum machine_state state)
{
    struct pc *pc = arg;

    assert_true(pc->state_count < STATES_MAX);
    pc->states[pc->state_count++] = state;
}

static void on_settings(void *arg, struct machine_boot *boot)
{
    struct pc *pc = arg;

    *boot = pc->next;
}

static void on_booted(void *arg, uint32_t boot_count)
{
    struct pc *pc = arg;

    pc->booted = boot_count;
    memset(&pc->next, 0, sizeof pc->next);
}

static void on_trouble(void *arg, const struct err *err)
{
    struct pc *pc = arg;

    pc->trouble = *err;
}

static void on_console(void *arg, const void *p, size_t n)
{
    struct pc *pc = arg;

    buf_add(&pc->console, p, n);
    assert_true(buf_ok(&pc->console));
}

static struct machine *new_machine(struct pc *pc, const char *program)
{
    char *cd = xasprintf("%s/rescue.iso", image_dir);
    const struct machine_qemu_config config = {
        .loop = &pc->loop,
        .image_dir = image_dir,
        .program = program,
        .cd = cd,
        .name = "amtsim-test",
        .cycle_ms = 200,
    };
    const struct machine_events events = {
        .arg = pc,
        .state = on_state,
        .settings = on_settings,
        .booted = on_booted,
        .trouble = on_trouble,
        .console = on_console,
    };
    struct err err = ERR_INIT;
    struct machine *machine = machine_qemu_new(&config, &events, &err);

    free(cd);
    if (machine == NULL)
        fail_msg("%s", err.text);
    return machine;
}

static struct pc *pc_new(const char *program)
{
    struct pc *pc = calloc(1, sizeof *pc);

    assert_non_null(pc);
    assert_int_equal(uv_loop_init(&pc->loop), 0);
    assert_int_equal(uv_timer_init(&pc->loop, &pc->watchdog), 0);
    pc->console = buf_init(16 << 20);
    pc->machine = new_machine(pc, program);
    return pc;
}

static void pc_free(struct pc *pc)
{
    pc->machine->ops->destroy(pc->machine);
    uv_close((uv_handle_t *)&pc->watchdog, NULL);
    uv_run(&pc->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&pc->loop), 0);
    buf_free(&pc->console);
    free(pc);
}

/* --- waiting for what must come --- */

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until the condition holds. */
static void wait_until(struct pc *pc, bool (*holds)(struct pc *pc, const void *arg), const void *arg,
                       const char *what)
{
    uv_timer_start(&pc->watchdog, on_watchdog, PATIENCE_MS, 0);
    while (!holds(pc, arg)) {
        if (!uv_is_active((uv_handle_t *)&pc->watchdog))
            fail_msg("no %s; trouble: %s; console ends with:\n%s", what, pc->trouble.text,
                     buf_str(&pc->console) + (pc->console.len > 2000 ? pc->console.len - 2000 : 0));
        uv_run(&pc->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&pc->watchdog);
}

/* Finds the text behind what has been read, and moves behind it. */
static bool console_has(struct pc *pc, const void *arg)
{
    const char *text = arg;
    const char *at = memmem(buf_str(&pc->console) + pc->read, pc->console.len - pc->read, text, strlen(text));

    if (at == NULL)
        return false;
    pc->read = (size_t)(at - buf_str(&pc->console)) + strlen(text);
    return true;
}

static void expect(struct pc *pc, const char *text)
{
    wait_until(pc, console_has, text, text);
}

static bool state_is(struct pc *pc, const void *arg)
{
    return pc->machine->state == *(const enum machine_state *)arg;
}

static void expect_state(struct pc *pc, enum machine_state state)
{
    wait_until(pc, state_is, &state, "change of the power state");
}

static bool agent_is_there(struct pc *pc, const void *arg)
{
    (void)arg;
    return pc->machine->ops->has_agent(pc->machine);
}

static bool line_is_whole(struct pc *pc, const void *arg)
{
    (void)arg;
    return memchr(buf_str(&pc->console) + pc->read, '\n', pc->console.len - pc->read) != NULL;
}

/* The guest comes up, and by its own counter this is boot number n; so by the machine's. */
static void expect_boot(struct pc *pc, unsigned n)
{
    char line[64];

    snprintf(line, sizeof line, "amtsim-guest: amtsim guest boot %u id ", n);
    expect(pc, line);
    wait_until(pc, line_is_whole, NULL, "end of line");
    snprintf(pc->boot_id, sizeof pc->boot_id, "%.36s", buf_str(&pc->console) + pc->read);
    expect(pc, "ready, single-user shell");
    wait_until(pc, agent_is_there, NULL, "agent");
    assert_int_equal(pc->booted, n);
    assert_int_equal(pc->machine->boot_count, n);
    assert_int_equal(pc->machine->state, MACHINE_ON);
    assert_string_equal(pc->trouble.text, "");
}

static void command(struct pc *pc, enum machine_command command)
{
    assert_int_equal(pc->machine->ops->command(pc->machine, command), 0);
}

static void command_boot(struct pc *pc, enum machine_command how, const struct machine_boot *boot)
{
    pc->next = *boot;
    command(pc, how);
}

static void refused(struct pc *pc, enum machine_command command)
{
    assert_int_equal(pc->machine->ops->command(pc->machine, command), -1);
}

static void type(struct pc *pc, const char *line)
{
    pc->machine->ops->console_write(pc->machine, line, strlen(line));
}

/* --- tests; each begins with a machine that is off and has never booted --- */

static int setup(void **state)
{
    *state = pc_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    pc_free(*state);
    return 0;
}

static void powers_on_cycles_and_resets(void **state)
{
    static const enum machine_state expected[] = {MACHINE_ON, MACHINE_OFF, MACHINE_ON, MACHINE_OFF};
    struct pc *pc = *state;

    assert_int_equal(pc->machine->state, MACHINE_OFF);
    command(pc, MACHINE_POWER_ON);
    refused(pc, MACHINE_POWER_ON); /* it is being done */
    expect(pc, "Linux version");
    expect_boot(pc, 1);

    command(pc, MACHINE_POWER_CYCLE);
    expect_boot(pc, 2);
    command(pc, MACHINE_RESET);
    expect_boot(pc, 3);
    command(pc, MACHINE_NMI);
    expect(pc, "NMI received for unknown reason");
    command(pc, MACHINE_POWER_OFF);
    expect_state(pc, MACHINE_OFF);

    /* The reset was none of power. */
    assert_int_equal(pc->state_count, 4);
    assert_memory_equal(pc->states, expected, sizeof expected);
    assert_int_equal(machine_qemu_pid(pc->machine), 0);
}

static void the_guest_obeys_and_decides(void **state)
{
    struct pc *pc = *state;

    command(pc, MACHINE_POWER_ON);
    refused(pc, MACHINE_ASK_RESTART); /* no agent yet */
    expect_boot(pc, 1);
    command(pc, MACHINE_ASK_RESTART);
    expect(pc, "reboot asked for by agent");
    expect(pc, "reboot: Restarting system");
    expect_boot(pc, 2);
    assert_int_equal(pc->state_count, 1); /* on all the time */

    type(pc, "reboot -f\n");
    expect(pc, "reboot: Restarting system");
    expect_boot(pc, 3);

    command(pc, MACHINE_ASK_SHUTDOWN);
    expect(pc, "shutdown asked for by power button");
    expect(pc, "reboot: Power down");
    expect_state(pc, MACHINE_OFF);

    command(pc, MACHINE_POWER_ON);
    expect_boot(pc, 4);
    type(pc, "poweroff -f\n");
    expect(pc, "reboot: Power down");
    expect_state(pc, MACHINE_OFF);
    assert_string_equal(pc->trouble.text, "");
}

static void sleeps_and_hibernates(void **state)
{
    struct pc *pc = *state;
    char question[128];

    command(pc, MACHINE_POWER_ON);
    expect_boot(pc, 1);
    command(pc, MACHINE_ASK_SLEEP);
    expect_state(pc, MACHINE_SLEEP);
    assert_false(pc->machine->ops->has_agent(pc->machine));
    refused(pc, MACHINE_NMI);
    command(pc, MACHINE_POWER_ON);
    expect_state(pc, MACHINE_ON);
    expect(pc, "awake again after sleep");
    wait_until(pc, agent_is_there, NULL, "agent");

    command(pc, MACHINE_ASK_HIBERNATE);
    expect_state(pc, MACHINE_HIBERNATE);
    assert_int_equal(machine_qemu_pid(pc->machine), 0);
    refused(pc, MACHINE_RESET);
    command(pc, MACHINE_POWER_ON);
    expect(pc, "awake again after hibernate");
    expect_state(pc, MACHINE_ON);
    /* POST ran twice, but it is still the system of the first boot. */
    assert_int_equal(pc->booted, 2);
    snprintf(question, sizeof question, "grep -c %s /proc/sys/kernel/random/boot_id; cat /run/boot\n",
             pc->boot_id);
    type(pc, question);
    expect(pc, "\r\n1\r\n1\r\n");

    /* Asleep with reset and off: it does not wake, it boots. */
    wait_until(pc, agent_is_there, NULL, "agent");
    command(pc, MACHINE_ASK_SLEEP);
    expect_state(pc, MACHINE_SLEEP);
    command(pc, MACHINE_RESET);
    expect(pc, "amtsim-guest: amtsim guest boot 2 id ");
    wait_until(pc, agent_is_there, NULL, "agent");
    command(pc, MACHINE_ASK_HIBERNATE);
    expect_state(pc, MACHINE_HIBERNATE);
    command(pc, MACHINE_POWER_OFF);
    assert_int_equal(pc->machine->state, MACHINE_OFF);
    command(pc, MACHINE_POWER_ON);
    expect(pc, "amtsim-guest: amtsim guest boot 3 id ");
}

static void power_can_be_cut_at_any_time(void **state)
{
    struct pc *pc = *state;

    command(pc, MACHINE_POWER_ON);
    command(pc, MACHINE_POWER_OFF); /* before QMP has answered */
    command(pc, MACHINE_POWER_OFF); /* and again: not refused while it is being done */
    while (machine_qemu_pid(pc->machine) != 0)
        uv_run(&pc->loop, UV_RUN_ONCE);
    refused(pc, MACHINE_POWER_OFF);
    assert_int_equal(pc->state_count, 0);
    assert_int_equal(pc->booted, 0);

    command(pc, MACHINE_POWER_ON);
    expect_state(pc, MACHINE_ON);
    command(pc, MACHINE_POWER_CYCLE);
    expect_state(pc, MACHINE_OFF);
    command(pc, MACHINE_POWER_OFF); /* in the pause */
    refused(pc, MACHINE_POWER_OFF);
    refused(pc, MACHINE_RESET);
    assert_int_equal(machine_qemu_pid(pc->machine), 0);
    command(pc, MACHINE_POWER_ON);
    expect_state(pc, MACHINE_ON);
    /* teardown finds it running */
}

static void a_dead_qemu_is_trouble(void **state)
{
    struct pc *pc = *state;

    command(pc, MACHINE_POWER_ON);
    expect(pc, "Linux version");
    assert_int_equal(kill(machine_qemu_pid(pc->machine), SIGKILL), 0);
    expect_state(pc, MACHINE_OFF);
    assert_int_equal(pc->trouble.cause, CAUSE_SYSTEM);
    assert_non_null(strstr(pc->trouble.text, "killed by signal 9"));

    /* It can be switched on again. */
    pc->trouble.text[0] = '\0';
    command(pc, MACHINE_POWER_ON);
    expect(pc, "amtsim-guest: amtsim guest boot 1 id ");
}

static bool console_lacks(const struct pc *pc, size_t from, const char *text)
{
    return memmem(buf_str(&pc->console) + from, pc->console.len - from, text, strlen(text)) == NULL;
}

/* Boot settings are obeyed once; what the restarted guest boots is the disk again. */
static void boots_what_it_is_told(void **state)
{
    static const struct machine_boot cd = {.source = "cd", .use_sol = true};
    static const struct machine_boot second_cd = {.source = "cd", .media_index = 2, .use_sol = true};
    static const struct machine_boot pxe = {.source = "pxe", .use_sol = true};
    static const struct machine_boot menu = {.bios_setup = true, .use_sol = true};
    static const struct machine_boot safe = {.source = "disk", .safe_mode = true};
    struct pc *pc = *state;
    size_t from;

    command_boot(pc, MACHINE_POWER_ON, &cd);
    expect(pc, "SeaBIOS (version");
    expect(pc, "Booting from DVD/CD");
    expect(pc, "ISOLINUX");
    expect(pc, "amtsim-guest: amtsim rescue boot 1 id ");
    expect(pc, "CD mounted on /mnt");
    wait_until(pc, agent_is_there, NULL, "agent");

    from = pc->console.len;
    command(pc, MACHINE_ASK_RESTART);
    expect_boot(pc, 2);
    assert_true(console_lacks(pc, from, "SeaBIOS")); /* nobody asked for the firmware's words */
    pc->next = safe;
    type(pc, "reboot -f\n"); /* whoever causes the boot */
    expect(pc, "Command line: ");
    expect(pc, " single");
    expect_boot(pc, 3);

    command_boot(pc, MACHINE_RESET, &menu);
    expect(pc, "Select boot device:");
    command_boot(pc, MACHINE_RESET, &pxe);
    expect(pc, "No bootable device.");
    command_boot(pc, MACHINE_POWER_CYCLE, &second_cd);
    expect(pc, "No bootable device.");
    command(pc, MACHINE_RESET);
    expect(pc, "amtsim-guest: amtsim guest boot 4 id ");
    assert_int_equal(pc->booted, 7);
}

static bool has_trouble(struct pc *pc, const void *arg)
{
    (void)arg;
    return pc->trouble.text[0] != '\0';
}

static void a_missing_qemu_is_trouble(void **state)
{
    struct pc *pc = pc_new("no-such-qemu");

    (void)state;
    command(pc, MACHINE_POWER_ON);
    wait_until(pc, has_trouble, NULL, "trouble");
    assert_non_null(strstr(pc->trouble.text, "no-such-qemu"));
    assert_int_equal(pc->machine->state, MACHINE_OFF);
    pc_free(pc);
}

static void two_machines_share_nothing(void **state)
{
    struct pc *pc = *state;
    struct pc *other = pc_new(NULL);

    command(pc, MACHINE_POWER_ON);
    expect_boot(pc, 1);
    command(other, MACHINE_POWER_ON);
    expect_boot(other, 1);
    command(other, MACHINE_RESET);
    expect_boot(other, 2);
    pc_free(other);
    command(pc, MACHINE_RESET);
    expect_boot(pc, 2);
}

/* The child's half of the next test: tells the pid of its QEMU, then does nothing. */
static void live_until_killed(int fd)
{
    struct pc *pc = pc_new(NULL);
    int pid;

    pc->machine->ops->command(pc->machine, MACHINE_POWER_ON);
    expect_state(pc, MACHINE_ON);
    pid = machine_qemu_pid(pc->machine);
    if (write(fd, &pid, sizeof pid) != sizeof pid)
        _exit(1);
    for (;;)
        pause();
}

static void no_qemu_outlives_us(void **state)
{
    int fds[2], status;
    pid_t child, qemu;

    (void)state;
    /* Orphans come to us, so that the end of one can be waited for. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live_until_killed(fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &qemu, sizeof qemu), sizeof qemu);
    close(fds[0]);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(waitpid(qemu, &status, 0), qemu);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_qemu_outlives_us),
        cmocka_unit_test(a_missing_qemu_is_trouble),
        cmocka_unit_test_setup_teardown(power_can_be_cut_at_any_time, setup, teardown),
        cmocka_unit_test_setup_teardown(powers_on_cycles_and_resets, setup, teardown),
        cmocka_unit_test_setup_teardown(the_guest_obeys_and_decides, setup, teardown),
        cmocka_unit_test_setup_teardown(sleeps_and_hibernates, setup, teardown),
        cmocka_unit_test_setup_teardown(boots_what_it_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dead_qemu_is_trouble, setup, teardown),
        cmocka_unit_test_setup_teardown(two_machines_share_nothing, setup, teardown),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: machine_qemu IMAGE_DIR\n");
        return 2;
    }
    image_dir = argv[1];
    process_open_standard_fds();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

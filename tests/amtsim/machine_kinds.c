#include "tests/amtsim/machine_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "tests/amtsim/boot.h"
#include "tests/amtsim/cable.h"
#include "tests/amtsim/console.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/machine_qemu.h"
#include "tests/amtsim/machine_scripted.h"
#include "tests/amtsim/power.h"
#include "tests/amtsim/redir_session.h"

static void on_trouble(void *arg, const struct err *err)
{
    const struct device *d = arg;
    char address[16];
    log_warn(device_address(d, address), "machine: %s", err->text);
}

static void on_console(void *arg, const void *p, size_t n)
{
    struct device *d = arg;
    console_take(&d->console, p, n);
    redir_console(d, p, n);
}

static void on_state(void *arg, enum machine_state state)
{
    power_on_state(arg, state);
    redir_machine_changed(arg);
}

static void on_lines(void *arg)
{
    redir_machine_changed(arg);
}

static bool on_drive(void *arg, const struct drive_request *request)
{
    return redir_drive(arg, request);
}

/* The reset comes first: redirected drives that wait for it are there when the boot looks for them. */
static void on_settings(void *arg, struct machine_boot *boot)
{
    boot_for_machine(arg, boot);
    redir_machine_reset(arg);
}

static struct machine_events events_of(struct device *d)
{
    return (struct machine_events){
        .arg = d,
        .state = on_state,
        .settings = on_settings,
        .booted = power_on_booted,
        .trouble = on_trouble,
        .console = on_console,
        .lines = on_lines,
        .drive = on_drive,
    };
}

static struct machine *start_scripted(struct device *d, const struct machine_events *events, struct err *err)
{
    const struct options *o = d->fleet->options;
    char name[DEVICE_NAME_MAX];
    struct machine_scripted_options options = {
        .rate = o->console_rate,
        .name = device_host_name(d, name),
        .min_ms = o->power_min_ms,
        .max_ms = o->power_max_ms,
        .seed = o->seed * 1000003u + d->index,
        .state = d->initial_state,
    };
    (void)err;
    return machine_scripted_new(d->fleet->loop, &options, events);
}

static struct machine *start_qemu(struct device *d, const struct machine_events *events, struct err *err)
{
    if (d->initial_state != MACHINE_ON && d->initial_state != MACHINE_OFF) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "a virtual PC begins on or off, not in %s",
                power_state_word(d->initial_state));
        return NULL;
    }
    char name[32], mac[18];
    if (d->tap != NULL && (d->cable = cable_new(d, d->tap, err)) == NULL)
        return NULL;
    const char *dir = d->fleet->options->image_dir != NULL ? d->fleet->options->image_dir : AMTSIM_GUEST_DIR;
    char *cd = xasprintf("%s/rescue.iso", dir);
    snprintf(name, sizeof(name), "amtsim-%u", d->index + 1);
    struct machine_qemu_config config = {
        .loop = d->fleet->loop,
        .image_dir = dir,
        .cd = cd,
        .name = name,
    };
    device_mac(d, mac);
    for (char *p = mac; *p != '\0'; p++)
        *p = *p == '-' ? ':' : *p;
    if (d->cable != NULL) {
        config.mac = mac;
        config.cable_fd = cable_pc_end(d->cable);
    }
    struct machine *m = machine_qemu_new(&config, events, err);
    free(cd);
    if (m == NULL || d->initial_state == MACHINE_OFF || m->ops->command(m, MACHINE_POWER_ON) == 0)
        return m;
    m->ops->destroy(m);
    err_set(err, CAUSE_SYSTEM, "the virtual PC does not start");
    return NULL;
}

/* Adding a kind: one row. start returns NULL and err when the machine cannot be had. */
static const struct {
    const char *name;
    struct machine *(*start)(struct device *d, const struct machine_events *events, struct err *err);
} kinds[] = {
    {"scripted", start_scripted},
    {"qemu", start_qemu},
};

const char *machine_kind_name(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].name;
    }
    return NULL;
}

bool machine_kind_known(const char *name)
{
    return machine_kind_name(name) != NULL;
}

const char *machine_kind_list(void)
{
    return "scripted or qemu";
}

int machine_kind_start(struct device *d, struct err *err)
{
    struct machine_events events = events_of(d);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, d->machine_kind) == 0) {
            d->machine = kinds[i].start(d, &events, err);
            return d->machine != NULL ? 0 : -1;
        }
    }
    return err_set(err, CAUSE_INVALID_ARGUMENT, "there is no machine '%s': %s", d->machine_kind,
                   machine_kind_list());
}

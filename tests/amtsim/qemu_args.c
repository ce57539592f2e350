#include "tests/amtsim/qemu_args.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define ARGS_MAX 96

/* The firmware's menu waits for a key as long as this, which is the longest it can. */
#define MENU_WAIT_MS 65535

/* What is the same at every boot. An i440FX, because Debian's cloud kernel has drivers for its IDE controller
 * and none for AHCI; NVMe, because that driver is built in. TCG, because a /dev/kvm that can be opened does
 * not always run, and a boot takes two seconds without it. Every boot is a new process: a reset by the guest
 * ends it. -S: the processor waits until QMP is ready, so that no event is missed. */
/* clang-format off */
static const char *const fixed[] = {
    "-nodefaults",
    "-no-user-config",
    "-S",
    "-action", "reboot=shutdown",
    "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny",
    "-accel", "tcg",
    "-cpu", "qemu64,+rdrand",
    "-smp", "1",
    "-display", "none",
    "-vga", "none",
    "-chardev", "socket,id=qmp,fd=3",
    "-mon", "chardev=qmp,mode=control",
    "-chardev", "socket,id=console,fd=4",
    "-serial", "chardev:console",
    "-chardev", "socket,id=agent,fd=5",
    "-serial", "chardev:agent",
    "-chardev", "socket,id=firmware,fd=6",
    "-device", "isa-debugcon,iobase=0x402,chardev=firmware",
    "-add-fd", "fd=7,set=1",
    "-blockdev", "driver=file,node-name=notes,filename=/dev/fdset/1",
    "-add-fd", "fd=8,set=2",
    "-blockdev", "driver=file,node-name=swap,filename=/dev/fdset/2",
};
/* clang-format on */

struct args {
    char **argv;
    size_t n;
};

/* One option and its value, which is taken over. */
static void add(struct args *a, const char *option, char *value)
{
    a->argv[a->n++] = xstrdup(option);
    a->argv[a->n++] = value;
}

static void add_words(struct args *a, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a->argv[a->n++] = xstrdup(words[i]);
}

enum qemu_medium qemu_medium(const struct machine_boot *boot, bool redirected_cd)
{
    static const struct {
        const char *source;
        enum qemu_medium medium;
    } media[] = {
        {"", QEMU_DISK},
        {"disk", QEMU_DISK},
        {"cd", QEMU_CD},
    };

    if (boot->use_ider && boot->ider_device == DRIVE_CD && redirected_cd)
        return QEMU_REDIRECTED_CD;
    /* There is one drive of each kind; numbers begin with 1, 0 is whichever. */
    if (boot->media_index > 1)
        return QEMU_NOTHING;
    for (size_t i = 0; i < sizeof media / sizeof media[0]; i++)
        if (strcmp(boot->source, media[i].source) == 0)
            return media[i].medium;
    return QEMU_NOTHING;
}

/* libuv lets no code of ours run in the child: it becomes setpriv, which asks for the signal at our death,
 * then a shell, which sees whether we died before that, then QEMU. */
static void add_program(struct args *a, const struct qemu_args_config *config)
{
    static const char *const words[] = {"setpriv", "--pdeathsig", "KILL", "sh"};

    add_words(a, words, sizeof words / sizeof words[0]);
    add(a, "-c", xstrdup("[ $PPID = \"$1\" ] && shift && exec \"$@\""));
    add(a, "amtsim", xasprintf("%d", config->parent));
    a->argv[a->n++] = xstrdup(config->program);
}

/* The firmware boots only what has a place in its order. A disk without boot sector, first and last in it, is
 * how it finds nothing: with an empty order it would try everything. */
static void add_disk(struct args *a, bool boot)
{
    add(a, "-device", xasprintf("nvme,id=nvme,serial=amtsim%s", boot ? ",bootindex=0" : ""));
    add(a, "-device", xstrdup("nvme-ns,drive=notes,nsid=1"));
    add(a, "-device", xstrdup("nvme-ns,drive=swap,nsid=2"));
}

/* Which of the two CD drives the guest finds first. The redirected one has no medium until QMP puts it in. */
static void add_cd_drives(struct args *a, const char *image, enum qemu_medium medium)
{
    bool redirected = medium == QEMU_REDIRECTED_CD;

    if (image != NULL)
        add(a, "-blockdev",
            xasprintf("driver=raw,node-name=cd,read-only=on,file.driver=file,file.filename=%s", image));
    add(a, "-device",
        xasprintf("ide-cd,id=cd-drive,bus=ide.1,unit=%d%s%s", redirected, image != NULL ? ",drive=cd" : "",
                  medium == QEMU_CD ? ",bootindex=0" : ""));
    add(a, "-device",
        xasprintf("ide-cd,id=" QEMU_REDIRECTED_DEVICE ",bus=ide.1,unit=%d%s", !redirected,
                  redirected ? ",bootindex=0" : ""));
}

static void add_network(struct args *a, const char *mac)
{
    add(a, "-netdev", xstrdup("dgram,id=cable,local.type=fd,local.str=9"));
    add(a, "-device", xasprintf("virtio-net-pci,netdev=cable,mac=%s,romfile=", mac));
}

/* no_timer_check: a kernel that looks whether its timer ticks takes an emulated processor which waits for its
 * turn for a broken board. */
static void add_kernel(struct args *a, const char *image_dir, bool safe_mode)
{
    add(a, "-kernel", xasprintf("%s/vmlinuz", image_dir));
    add(a, "-initrd", xasprintf("%s/initrd", image_dir));
    add(a, "-append",
        xasprintf("console=ttyS0,115200 no_console_suspend no_timer_check mitigations=off%s",
                  safe_mode ? " single" : ""));
}

char **qemu_args_new(const struct qemu_args_config *config, const struct machine_boot *boot)
{
    struct args a = {xcalloc(ARGS_MAX, sizeof(char *)), 0};
    enum qemu_medium medium = qemu_medium(boot, config->redirected_cd);

    add_program(&a, config);
    add(&a, "-name", xstrdup(config->name));
    add(&a, "-m", xasprintf("%u", config->memory_mib));
    add_words(&a, fixed, sizeof fixed / sizeof fixed[0]);
    /* Without a graphics adapter the firmware speaks on the serial port. */
    add(&a, "-machine", xasprintf("pc,graphics=%s", boot->use_sol ? "off" : "on"));
    /* The menu stands for the firmware's setup; strict: nothing but what has been chosen. */
    if (boot->bios_setup || boot->bios_pause)
        add(&a, "-boot", xasprintf("menu=on,splash-time=%d", MENU_WAIT_MS));
    else
        add(&a, "-boot", xstrdup("strict=on"));
    add_disk(&a, medium == QEMU_NOTHING);
    add_cd_drives(&a, config->cd, medium);
    if (config->mac != NULL)
        add_network(&a, config->mac);
    if (medium == QEMU_DISK)
        add_kernel(&a, config->image_dir, boot->safe_mode);
    return a.argv;
}

void qemu_args_free(char **argv)
{
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    free(argv);
}

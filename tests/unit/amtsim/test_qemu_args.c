#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "tests/amtsim/qemu_args.h"

/* The command line of a boot as one text, a blank before and after each word. */
static char *line_of(const char *cd, const struct machine_boot *boot)
{
    const struct qemu_args_config config = {
        .program = "qemu", .image_dir = "/image", .name = "pc-1", .cd = cd, .memory_mib = 192, .parent = 77};
    char **argv = qemu_args_new(&config, boot);
    struct buf b = buf_init(1 << 16);

    buf_putc(&b, ' ');
    for (size_t i = 0; argv[i] != NULL; i++)
        buf_printf(&b, "%s ", argv[i]);
    qemu_args_free(argv);
    assert_true(buf_ok(&b));
    return buf_take(&b);
}

static void check(const struct machine_boot *boot, const char *cd, const char *const *has,
                  const char *const *lacks)
{
    char *line = line_of(cd, boot);

    for (size_t i = 0; has[i] != NULL; i++)
        if (strstr(line, has[i]) == NULL)
            fail_msg("no '%s' in %s", has[i], line);
    for (size_t i = 0; lacks[i] != NULL; i++)
        if (strstr(line, lacks[i]) != NULL)
            fail_msg("'%s' in %s", lacks[i], line);
    free(line);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void no_settings_boot_the_disk(void **state)
{
    (void)state;
    check(&(struct machine_boot){0}, NULL,
          LIST(" setpriv --pdeathsig KILL sh -c ", " amtsim 77 qemu -name pc-1 -m 192 ",
               " -machine pc,graphics=on ", " -boot strict=on ",
               " -kernel /image/vmlinuz -initrd /image/initrd -append console=ttyS0",
               " -device ide-cd,id=cd-drive,bus=ide.1,unit=0 ",
               " -device ide-cd,id=redirected-drive,bus=ide.1,unit=1 "),
          LIST("bootindex", " single", "node-name=cd", "-netdev"));
}

static void a_cable_where_there_is_a_mac(void **state)
{
    const struct qemu_args_config config = {.program = "qemu",
                                            .image_dir = "/image",
                                            .name = "pc-1",
                                            .mac = "02:16:00:00:00:00",
                                            .memory_mib = 192,
                                            .parent = 77};
    char **argv = qemu_args_new(&config, &(struct machine_boot){0});
    unsigned found = 0;

    (void)state;
    for (size_t i = 0; argv[i] != NULL; i++)
        found += strcmp(argv[i], "dgram,id=cable,local.type=fd,local.str=9") == 0 ||
                 strcmp(argv[i], "virtio-net-pci,netdev=cable,mac=02:16:00:00:00:00,romfile=") == 0;
    qemu_args_free(argv);
    assert_int_equal(found, 2);
}

static void settings_choose(void **state)
{
    (void)state;
    check(&(struct machine_boot){.source = "cd", .use_sol = true}, "/a.iso",
          LIST("file.filename=/a.iso ", ",drive=cd,bootindex=0 ", " -machine pc,graphics=off "),
          LIST("-kernel"));
    check(&(struct machine_boot){.source = "disk", .media_index = 1, .safe_mode = true}, "/a.iso",
          LIST(" -kernel ", " single ", ",drive=cd "), LIST("bootindex"));
    check(&(struct machine_boot){.source = "pxe"}, "/a.iso",
          LIST(" -boot strict=on ", "nvme,id=nvme,serial=amtsim,bootindex=0 ", ",drive=cd "),
          LIST("-kernel", "drive=cd,bootindex"));
    check(&(struct machine_boot){.bios_setup = true}, NULL, LIST(" -boot menu=on,splash-time=65535 "),
          LIST("strict"));
    check(&(struct machine_boot){.bios_pause = true}, NULL, LIST(" -boot menu=on,splash-time=65535 "),
          LIST("strict"));
}

static void a_source_names_a_medium(void **state)
{
    static const struct {
        struct machine_boot boot;
        enum qemu_medium medium;
    } cases[] = {
        {{.source = ""}, QEMU_DISK},
        {{.source = "disk"}, QEMU_DISK},
        {{.source = "disk", .media_index = 1}, QEMU_DISK},
        {{.source = "disk", .media_index = 2}, QEMU_NOTHING},
        {{.source = "cd"}, QEMU_CD},
        {{.source = "pxe"}, QEMU_NOTHING},
        {{.source = "diagnostics"}, QEMU_NOTHING},
        {{.use_ider = true, .ider_device = DRIVE_CD}, QEMU_DISK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(qemu_medium(&cases[i].boot, false), cases[i].medium);
    assert_int_equal(qemu_medium(&(struct machine_boot){.use_ider = true, .ider_device = DRIVE_CD}, true),
                     QEMU_REDIRECTED_CD);
    assert_int_equal(qemu_medium(&(struct machine_boot){.use_ider = true, .ider_device = DRIVE_FLOPPY}, true),
                     QEMU_DISK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_settings_boot_the_disk),
        cmocka_unit_test(a_cable_where_there_is_a_mac),
        cmocka_unit_test(settings_choose),
        cmocka_unit_test(a_source_names_a_medium),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/amtsim/scripted_text.h"

#include <string.h>

void scripted_text_bios(struct buf *out, const char *name, uint32_t boot)
{
    /* double lines of code page 437: corners C9 BB C8 BC, horizontal CD, vertical BA */
    char line[61];
    memset(line, '\xCD', 60);
    line[60] = '\0';
    buf_puts(out, "\x1b[2J\x1b[1;1H\x1b[0;37;44m");
    buf_printf(out, "\xC9%s\xBB\r\n", line);
    buf_printf(out, "\xBA %-58s \xBA\r\n", "amtsim BIOS 1.0");
    buf_printf(out, "\xBA %-58s \xBA\r\n", name);
    buf_printf(out, "\xC8%s\xBC\x1b[0m\r\n", line);
    buf_printf(out, "POST of boot %u: memory 8192 MiB, one disk, serial redirection 115200 8N1\r\n", boot);
}

static const char *const kernel_lines[] = {
    "Linux version 6.1.0-amtsim (amtsim@example) #1 SMP PREEMPT_DYNAMIC",
    "Command line: BOOT_IMAGE=/boot/vmlinuz root=LABEL=system console=ttyS0,115200 single",
    "BIOS-provided physical RAM map:",
    "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable",
    "BIOS-e820: [mem 0x0000000000100000-0x00000001ffffffff] usable",
    "tsc: Detected 2400.000 MHz processor",
    "Memory: 8123456K/8388608K available",
    "smpboot: CPU0: simulated (family: 0x6, model: 0x8c)",
    "devtmpfs: initialized",
    "clocksource: jiffies: mask: 0xffffffff max_cycles: 0xffffffff",
    "NET: Registered PF_INET protocol family",
    "PCI: Using configuration type 1 for base access",
    "serial8250: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A",
    "printk: console [ttyS0] enabled",
    "mei_me 0000:00:16.0: enabling device",
    "ata1: SATA max UDMA/133 irq 27",
    "sd 0:0:0:0: [sda] 976773168 512-byte logical blocks",
    "usb 1-1: new high-speed USB device number 2",
    "EXT4-fs (sda1): mounted filesystem with ordered data mode",
    "systemd[1]: Starting in single-user mode",
};

void scripted_text_kernel(struct buf *out, const char *name, uint32_t boot, const char *root)
{
    unsigned us = 0;
    for (size_t i = 0; i < sizeof(kernel_lines) / sizeof(kernel_lines[0]); i++) {
        buf_printf(out, "[%5u.%06u] %s\r\n", us / 1000000, us % 1000000, kernel_lines[i]);
        us += 61803;
    }
    buf_printf(out, "\r\n%s, boot %u, single-user mode, system from %s\r\n", name, boot, root);
}

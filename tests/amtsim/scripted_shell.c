#include "tests/amtsim/scripted_shell.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/drive_io.h"
#include "tests/amtsim/scripted_cdb.h"
#include "tests/amtsim/scripted_flood.h"

#define LINE_MAX_BYTES 1024
#define PROMPT         "root@%s:/# "

struct scripted_shell {
    struct scripted_console *console;
    char line[LINE_MAX_BYTES + 1];
    size_t len;
    bool cr; /* the last byte was one: an LF behind it belongs to it */
    struct scripted_flood flood;
    bool flooding;
    struct scripted_cdb *cdb; /* a command to a redirected drive under way */
    /* a command that reads all of one */
    struct drive_io *drive;
    EVP_MD_CTX *md;
    uint64_t drive_start_ms;
    uint32_t limit; /* blocks; 0: all */
};

static void say(struct scripted_shell *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct scripted_shell *s, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES + 256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    scripted_console_say(s->console, text);
}

void scripted_shell_prompt(struct scripted_shell *s)
{
    say(s, PROMPT, scripted_console_name(s->console));
}

/* --- commands: each says what it has to say; the prompt follows when it returns true --- */

static bool do_help(struct scripted_shell *s, const char *rest);

static bool do_echo(struct scripted_shell *s, const char *rest)
{
    say(s, "%s\r\n", rest);
    return true;
}

static bool do_hostname(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    say(s, "%s\r\n", scripted_console_name(s->console));
    return true;
}

static bool do_uname(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    say(s, "Linux %s 6.1.0-amtsim x86_64\r\n", scripted_console_name(s->console));
    return true;
}

static bool do_uptime(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    say(s, "up %llu s, boot %u\r\n", (unsigned long long)(scripted_console_up_ms(s->console) / 1000),
        scripted_console_machine(s->console)->boot_count);
    return true;
}

static bool do_root(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    say(s, "system from %s\r\n", scripted_console_root(s->console));
    return true;
}

static bool do_dmesg(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    scripted_console_kernel_log(s->console);
    return true;
}

static size_t fill_flood(void *arg, uint8_t *out, size_t n)
{
    struct scripted_shell *s = arg;
    size_t filled = scripted_flood_fill(&s->flood, out, n);
    if (filled == 0) {
        s->flooding = false;
        scripted_shell_prompt(s);
    }
    return filled;
}

static bool do_flood(struct scripted_shell *s, const char *rest)
{
    uint64_t bytes = 100000000;
    if (rest[0] != '\0' && !text_u64(rest, 1, 1000000000000u, &bytes)) {
        say(s, "flood: expected a number of bytes\r\n");
        return true;
    }
    scripted_flood_init(&s->flood, bytes);
    s->flooding = true;
    scripted_console_pour(s->console, fill_flood, s);
    return false;
}

static bool milliseconds(struct scripted_shell *s, const char *rest, uint64_t fallback, uint64_t *ms)
{
    *ms = fallback;
    if (rest[0] == '\0' || text_u64(rest, 1, 600000, ms))
        return true;
    say(s, "expected milliseconds from 1 to 600000\r\n");
    return false;
}

static bool do_busy(struct scripted_shell *s, const char *rest)
{
    uint64_t ms;
    if (milliseconds(s, rest, 1000, &ms))
        scripted_console_busy(s->console, (uint32_t)ms);
    return true;
}

static bool do_break(struct scripted_shell *s, const char *rest)
{
    uint64_t ms;
    if (milliseconds(s, rest, 250, &ms))
        scripted_console_break(s->console, (uint32_t)ms);
    return true;
}

static bool ask_machine(struct scripted_shell *s, enum machine_command command, const char *what)
{
    struct machine *m = scripted_console_machine(s->console);
    if (m->ops->command(m, command) != 0) {
        say(s, "not now\r\n");
        return true;
    }
    say(s, "The system is going down for %s.\r\n", what);
    return false;
}

static bool do_reboot(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    return ask_machine(s, MACHINE_ASK_RESTART, "reboot");
}

static bool do_poweroff(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    return ask_machine(s, MACHINE_ASK_SHUTDOWN, "power-off");
}

/* --- reading a redirected drive --- */

static void drive_over(struct scripted_shell *s)
{
    drive_io_free(s->drive);
    EVP_MD_CTX_free(s->md);
    s->drive = NULL;
    s->md = NULL;
    scripted_shell_prompt(s);
}

static void on_drive_data(void *arg, const uint8_t *p, size_t n)
{
    struct scripted_shell *s = arg;
    EVP_DigestUpdate(s->md, p, n);
}

static void on_read(struct scripted_shell *s, uint64_t bytes)
{
    uint8_t sum[32];
    char hex[65];
    uint64_t ms = uv_now(scripted_console_loop(s->console)) - s->drive_start_ms;
    EVP_DigestFinal_ex(s->md, sum, NULL);
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    say(s, "%s  %llu bytes in %llu ms, %llu KiB/s\r\n", hex, (unsigned long long)bytes,
        (unsigned long long)ms, (unsigned long long)(bytes * 1000 / 1024 / (ms > 0 ? ms : 1)));
    drive_over(s);
}

static void on_drive_done(void *arg, enum drive_result result)
{
    static const char *const words[] = {[DRIVE_NO_MEDIUM] = "no medium",
                                        [DRIVE_FAILED] = "input/output error",
                                        [DRIVE_GONE] = "no such device"};
    struct scripted_shell *s = arg;
    uint32_t all = drive_io_blocks(s->drive), blocks = s->limit > 0 && s->limit < all ? s->limit : all;
    if (result != DRIVE_OK) {
        say(s, "sha256sum: %s\r\n", words[result]);
        drive_over(s);
    } else if (s->md == NULL) { /* opened */
        s->md = EVP_MD_CTX_new();
        EVP_DigestInit_ex(s->md, EVP_sha256(), NULL);
        s->drive_start_ms = uv_now(scripted_console_loop(s->console));
        drive_io_read(s->drive, 0, blocks);
    } else {
        on_read(s, (uint64_t)blocks * drive_io_block_size(s->drive));
    }
}

static bool do_sha256sum(struct scripted_shell *s, const char *rest)
{
    struct drive_io_events events = {s, on_drive_data, on_drive_done};
    const char *number = strchr(rest, ' ');
    uint64_t limit = 0;
    bool cd = strncmp(rest, "cd", 2) == 0, floppy = strncmp(rest, "floppy", 6) == 0;
    if ((!cd && !floppy) || (number != NULL && !text_u64(number + 1, 1, UINT32_MAX, &limit))) {
        say(s, "usage: sha256sum cd|floppy [BLOCKS]\r\n");
        return true;
    }
    s->limit = (uint32_t)limit;
    s->drive =
        drive_io_new(&scripted_console_machine(s->console)->events, cd ? DRIVE_CD : DRIVE_FLOPPY, &events);
    drive_io_open(s->drive);
    return false;
}

static void on_cdb(void *arg, const struct buf *text)
{
    struct scripted_shell *s = arg;
    s->cdb = NULL;
    scripted_console_add(s->console, text->p, text->len);
    scripted_shell_prompt(s);
}

static bool do_cdb(struct scripted_shell *s, const char *rest)
{
    const char *why;
    s->cdb = scripted_cdb_new(&scripted_console_machine(s->console)->events, rest, on_cdb, s, &why);
    if (s->cdb == NULL)
        say(s, "cdb: %s\r\n", why);
    return s->cdb == NULL;
}

static const struct {
    const char *name;
    bool (*run)(struct scripted_shell *s, const char *rest);
    const char *help;
} commands[] = {
    {"help", do_help, "this list"},
    {"echo", do_echo, "says its arguments"},
    {"hostname", do_hostname, "the machine's name"},
    {"uname", do_uname, "the system"},
    {"uptime", do_uptime, "since when, and which boot"},
    {"root", do_root, "where the system was booted from"},
    {"dmesg", do_dmesg, "the kernel log once more"},
    {"flood", do_flood, "BYTES of numbered lines (100000000), as fast as they are taken"},
    {"busy", do_busy, "MS: does not read its serial port for so long (1000)"},
    {"break", do_break, "MS: BREAK on the line (250)"},
    {"sha256sum", do_sha256sum, "cd|floppy [BLOCKS]: reads a redirected drive"},
    {"cdb", do_cdb, "cd|floppy BYTES: an ATAPI command to a redirected drive, in hexadecimal"},
    {"reboot", do_reboot, "restarts"},
    {"poweroff", do_poweroff, "switches off"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool do_help(struct scripted_shell *s, const char *rest)
{
    (void)rest;
    for (size_t i = 0; i < COMMANDS; i++)
        say(s, "%-10s %s\r\n", commands[i].name, commands[i].help);
    return true;
}

static void run_line(struct scripted_shell *s)
{
    char *name = s->line + strspn(s->line, " ");
    size_t n = strcspn(name, " ");
    const char *rest = name + n + strspn(name + n, " ");
    bool prompt = true;
    if (n > 0) {
        size_t i = 0;
        while (i < COMMANDS && (strlen(commands[i].name) != n || strncmp(commands[i].name, name, n) != 0))
            i++;
        if (i < COMMANDS)
            prompt = commands[i].run(s, rest);
        else
            say(s, "%.*s: not found\r\n", (int)n, name);
    }
    if (prompt)
        scripted_shell_prompt(s);
}

/* --- line editing --- */

static void erase(struct scripted_shell *s)
{
    if (s->len == 0)
        return;
    while (s->len > 0 && ((unsigned char)s->line[s->len - 1] & 0xC0) == 0x80)
        s->len--; /* the rest of a UTF-8 character */
    s->len -= s->len > 0;
    scripted_console_say(s->console, "\b \b");
}

static void enter(struct scripted_shell *s)
{
    s->line[s->len] = '\0';
    s->len = 0;
    scripted_console_say(s->console, "\r\n");
    run_line(s);
}

static void interrupt(struct scripted_shell *s)
{
    s->len = 0;
    scripted_console_say(s->console, "^C\r\n");
    if (s->flooding)
        scripted_console_pour(s->console, NULL, NULL);
    s->flooding = false;
    scripted_cdb_free(s->cdb);
    s->cdb = NULL;
    if (s->drive != NULL)
        drive_over(s);
    else
        scripted_shell_prompt(s);
}

static void type_byte(struct scripted_shell *s, char c)
{
    bool running = s->flooding || s->drive != NULL || s->cdb != NULL, behind_cr = s->cr && c == '\n';
    s->cr = c == '\r';
    if (c == 3)
        interrupt(s);
    else if (running || behind_cr)
        return; /* nobody reads a terminal while a command runs */
    else if (c == '\r' || c == '\n')
        enter(s);
    else if (c == 8 || c == 127)
        erase(s);
    else if ((unsigned char)c >= ' ' && s->len < LINE_MAX_BYTES) {
        s->line[s->len++] = c;
        scripted_console_add(s->console, &c, 1);
    }
}

void scripted_shell_type(struct scripted_shell *s, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        type_byte(s, p[i]);
}

/* --- birth and death --- */

struct scripted_shell *scripted_shell_new(struct scripted_console *console)
{
    struct scripted_shell *s = xcalloc(1, sizeof(*s));
    s->console = console;
    return s;
}

void scripted_shell_free(struct scripted_shell *s)
{
    if (s == NULL)
        return;
    if (s->flooding)
        scripted_console_pour(s->console, NULL, NULL);
    scripted_cdb_free(s->cdb);
    drive_io_free(s->drive);
    EVP_MD_CTX_free(s->md);
    free(s);
}

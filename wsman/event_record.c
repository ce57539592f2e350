#include "wsman/event_record.h"

#include <string.h>

#define VALID 0xAA /* d0: the data are of this form */
#define ANY   (-1)

enum decode event_record_read(const void *p, size_t n, struct event_record *e)
{
    struct rd r = rd_init(p, n);

    e->time = rd_le32(&r);
    e->device = rd_u8(&r);
    e->sensor = rd_u8(&r);
    e->type = rd_u8(&r);
    e->offset = rd_u8(&r);
    e->source = rd_u8(&r);
    e->severity = rd_u8(&r);
    e->number = rd_u8(&r);
    e->entity = rd_u8(&r);
    e->instance = rd_u8(&r);
    rd_copy(&r, e->data, sizeof(e->data));
    return rd_end(&r) ? DECODE_DONE : DECODE_BAD;
}

bool event_record_has_time(const struct event_record *e)
{
    return e->time != 0 && e->time != UINT32_MAX;
}

const char *event_record_severity(const struct event_record *e)
{
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {
        {1, "monitor"},      {2, "information"}, {4, "ok"},
        {8, "non-critical"}, {16, "critical"},   {32, "non-recoverable"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == e->severity)
            return names[i].name;
    return "unspecified";
}

const char *event_record_entity(const struct event_record *e)
{
    static const char *const names[] = {
        "unspecified",
        "other",
        "unknown",
        "processor",
        "disk",
        "peripheral",
        "system management module",
        "system board",
        "memory module",
        "processor module",
        "power supply",
        "add-in card",
        "front panel",
        "back panel",
        "power system board",
        "drive backplane",
        "internal expansion",
        "other system board",
        "processor board",
        "power unit",
        "power module",
        "power management board",
        "chassis back panel",
        "chassis",
        "sub-chassis",
        "other chassis board",
        "disk bay",
        "peripheral bay",
        "device bay",
        "fan",
        "cooling unit",
        "cable",
        "memory device",
        "system management software",
        "BIOS",
        "ME",
        "system bus",
        "group",
        "ME network interface",
        "external environment",
        "battery",
        "processing blade",
        "connectivity switch",
        "processor and memory module",
        "I/O module",
        "processor and I/O module",
        "management controller firmware",
        "IPMI channel",
        "PCI bus",
        "PCI Express bus",
        "SCSI bus",
        "SATA or SAS bus",
        "front side bus",
    };

    return e->entity < sizeof(names) / sizeof(names[0]) ? names[e->entity] : "unknown";
}

/* --- sentences --- */

/* The first row that fits says it. A list of words is chosen from by the byte of data at `by`. */
struct sentence {
    int sensor, offset, d0, d1, d2;
    const char *text; /* before the word */
    int by;           /* place of the byte; ANY: none */
    const char *const *words;
    size_t count;
};

static const char *const firmware_errors[] = {
    "unspecified",          "no memory installed",      "no usable memory",        "disk failure",
    "system board failure", "diskette failure",         "disk controller failure", "keyboard failure",
    "no boot media",        "video controller failure", "no video device",         "BIOS ROM corrupt",
    "CPU voltage mismatch", "CPU speed mismatch",
};
static const char *const firmware_progress[] = {
    "unspecified",
    "memory initialisation",
    "disk initialisation",
    "secondary processors",
    "user authentication",
    "entering setup",
    "USB initialisation",
    "PCI initialisation",
    "option ROM initialisation",
    "video initialisation",
    "cache initialisation",
    "SMBus initialisation",
    "keyboard controller",
    "embedded controller",
    "docking station attached",
    "docking station enabled",
    "docking station ejected",
    "docking station disabled",
    "calling the OS wake vector",
    "OS boot started",
    "system board initialisation",
    "21",
    "floppy initialisation",
    "keyboard test",
    "pointing device test",
    "primary processor",
};
static const char *const recovery_errors[] = {
    "0",
    "no network",
    "name resolution failed",
    "connection failed",
    "no local application",
    "TLS failed",
    "login refused",
    "bad image",
    "file not found",
};
static const char *const recovery_progress[] = {
    "parameters received", "boot option added", "name resolved",      "connected",
    "image downloaded",    "boot attempted",    "boot services left",
};
static const char *const erase_errors[] = {"0", "SSD", "TPM not supported", "counter at its maximum"};
static const char *const erase_progress[] = {"0",     "started for a part", "done for a part",
                                             "begun", "parameters cleared", "finished"};
static const char *const redirection[] = {"Serial-over-LAN session opened", "Serial-over-LAN session closed",
                                          "IDE redirection session opened", "IDE redirection session closed"};

#define WORDS(table) (table), sizeof(table) / sizeof((table)[0])
#define NO_WORDS     ANY, NULL, 0

static const struct sentence sentences[] = {
    {5, 0, ANY, ANY, ANY, "case intrusion", NO_WORDS},
    {15, ANY, 0xEB, ANY, ANY, "firmware sent invalid data", NO_WORDS},
    {15, 3, VALID, 0x30, ANY, "one-click recovery failed: ", 2, WORDS(recovery_errors)},
    {15, 3, VALID, 0x40, ANY, "platform erase failed: ", 2, WORDS(erase_errors)},
    {15, 5, VALID, 0x30, ANY, "one-click recovery: ", 2, WORDS(recovery_progress)},
    {15, 5, VALID, 0x40, ANY, "platform erase: ", 2, WORDS(erase_progress)},
    {15, 0, ANY, ANY, ANY, "firmware error: ", 1, WORDS(firmware_errors)},
    {15, ANY, ANY, 19, ANY, "OS boot started", NO_WORDS},
    {15, ANY, ANY, ANY, ANY, "firmware progress: ", 1, WORDS(firmware_progress)},
    {30, ANY, ANY, ANY, ANY, "no bootable media", NO_WORDS},
    {32, ANY, ANY, ANY, ANY, "OS lock-up or power interrupt", NO_WORDS},
    {35, ANY, 0x40, ANY, ANY, "BIOS POST watchdog time-out", NO_WORDS},
    {35, ANY, ANY, ANY, ANY, "system boot failure", NO_WORDS},
    {37, ANY, ANY, ANY, ANY, "firmware started: a processor runs", NO_WORDS},
    {192, 0, VALID, 0x30, ANY, "", 2, WORDS(redirection)},
    {192, ANY, ANY, ANY, 0, "security policy: sending stopped", NO_WORDS},
    {192, ANY, ANY, ANY, 2, "security policy: receiving stopped", NO_WORDS},
    {193, ANY, VALID, 0x30, 0, "the user asked for a remote connection", NO_WORDS},
    {193, ANY, VALID, 0x20, 3, "access control: posture error", NO_WORDS},
    {193, ANY, VALID, 0x20, 4, "access control: hardware asset error", NO_WORDS},
};

static bool fits(int want, int is)
{
    return want == ANY || want == is;
}

static void put_hex(const struct event_record *e, struct buf *out)
{
    for (size_t i = 0; i < EVENT_RECORD_DATA; i++)
        buf_printf(out, "%s%02x", i > 0 ? " " : "", e->data[i]);
}

static void put_watchdog(const struct event_record *e, struct buf *out)
{
    static const struct {
        uint8_t number;
        const char *name;
    } states[] = {{1, "not started"}, {2, "stopped"}, {4, "running"}, {8, "expired"}, {16, "suspended"}};
    const uint8_t *d = e->data;
    const char *state = "an unknown state";

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (states[i].number == d[7])
            state = states[i].name;
    buf_printf(out, "agent watchdog %02x%02x%02x%02x-%02x%02x-... changed to %s", d[4], d[3], d[2], d[1],
               d[6], d[5], state);
}

static void put_filter(const struct event_record *e, struct buf *out)
{
    static const struct {
        uint32_t handle;
        const char *name;
    } names[] = {{0xFFFFFFFD, "everything that is received"},
                 {0xFFFFFFFC, "everything that is sent"},
                 {0xFFFFFFFA, "a sender's address that is not its own"}};
    struct rd r = rd_init(e->data + 1, 4);
    uint32_t handle = rd_be32(&r);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].handle == handle) {
            buf_printf(out, "System Defense: the rule for %s matched", names[i].name);
            return;
        }
    }
    buf_printf(out, "System Defense: filter %u matched", handle);
}

static bool put_special(const struct event_record *e, struct buf *out)
{
    unsigned n = e->data[1] + 256u * e->data[2];

    if (e->sensor == 6)
        buf_printf(out, "authentication failed %u %s", n, n == 1 ? "time" : "times");
    else if (e->sensor == 18 && e->data[0] == VALID)
        put_watchdog(e, out);
    else if (e->sensor == 36)
        put_filter(e, out);
    else
        return false;
    return true;
}

bool event_record_sentence(const struct event_record *e, struct buf *out)
{
    if (put_special(e, out))
        return true;
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        const struct sentence *s = &sentences[i];

        if (!fits(s->sensor, e->sensor) || !fits(s->offset, e->offset) || !fits(s->d0, e->data[0]) ||
            !fits(s->d1, e->data[1]) || !fits(s->d2, e->data[2]))
            continue;
        buf_puts(out, s->text);
        if (s->words && e->data[s->by] < s->count)
            buf_puts(out, s->words[e->data[s->by]]);
        else if (s->words)
            buf_printf(out, "%u", e->data[s->by]);
        return true;
    }
    return false;
}

void event_record_text(const struct event_record *e, struct buf *out)
{
    if (event_record_sentence(e, out))
        return;
    buf_printf(out, "event of sensor type %u, offset %u, data ", e->sensor, e->offset);
    put_hex(e, out);
}

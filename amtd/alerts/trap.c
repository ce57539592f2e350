#include "amtd/alerts/trap.h"

#include <stdio.h>
#include <string.h>

#include "wsman/event_record.h"

#define TAG_INTEGER  0x02
#define TAG_OCTETS   0x04
#define TAG_OID      0x06
#define TAG_SEQUENCE 0x30
#define TAG_ADDRESS  0x40
#define TAG_TICKS    0x43
#define TAG_TRAP     0xa4

#define PET_LENGTH     46        /* octets of the variable before what manufacturers add */
#define PET_EPOCH      883612800 /* 1998-01-01 in seconds since 1970 */
#define GENERIC_OWN    6         /* enterpriseSpecific */
#define LENGTH_OCTETS  4
#define INTEGER_OCTETS 5
#define INTEL          343 /* of the numbers of the IANA */

/* 1.3.6.1.4.1.3183.1.1, and .1 below it */
static const uint8_t pet_enterprise[] = {0x2b, 6, 1, 4, 1, 0x98, 0x6f, 1, 1};
static const uint8_t pet_variable[] = {0x2b, 6, 1, 4, 1, 0x98, 0x6f, 1, 1, 1};

/* --- BER --- */

/* The contents of the next element, which must have this tag. */
static struct rd element(struct rd *r, uint8_t tag)
{
    size_t n;
    uint8_t first;

    if (rd_u8(r) != tag)
        r->bad = true;
    first = rd_u8(r);
    n = first;
    if (first & 0x80) {
        if ((first & 0x7f) == 0 || (first & 0x7f) > LENGTH_OCTETS)
            r->bad = true;
        n = 0;
        for (unsigned i = first & 0x7f; i > 0 && !r->bad; i--)
            n = n << 8 | rd_u8(r);
    }
    return rd_sub(r, n);
}

/* An INTEGER that is not negative. */
static uint32_t number(struct rd *r, uint8_t tag)
{
    struct rd in = element(r, tag);
    uint64_t value = 0;

    if (!rd_ok(&in) || in.n == 0 || in.n > INTEGER_OCTETS)
        r->bad = true;
    while (!r->bad && in.n > 0)
        value = value << 8 | rd_u8(&in);
    if (value > UINT32_MAX)
        r->bad = true;
    return (uint32_t)value;
}

static bool is(struct rd in, const uint8_t *p, size_t n)
{
    return rd_ok(&in) && in.n == n && memcmp(in.p, p, n) == 0;
}

/* --- the trap --- */

static enum severity severity_of(uint8_t code)
{
    if (code >= 16)
        return SEVERITY_CRITICAL;
    return code == 8 ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* The variable: GUID, sequence, time, and what saw it. */
static int read_pet(struct trap *trap, struct rd r, struct err *err)
{
    uint32_t at;
    int offset_minutes;

    if (!rd_ok(&r) || r.n < PET_LENGTH)
        return err_set(err, CAUSE_BAD_ANSWER, "trap: the variable has %zu octets, expected at least %d",
                       rd_ok(&r) ? r.n : 0, PET_LENGTH);
    rd_copy(&r, trap->guid, sizeof(trap->guid));
    trap->sequence = rd_be16(&r);
    at = rd_be32(&r);
    offset_minutes = (int16_t)rd_be16(&r);
    if (at > 0) /* local time; an offset of -1 says that nobody knows it */
        trap->at_s = (int64_t)at + PET_EPOCH - (offset_minutes == -1 ? 0 : offset_minutes * 60);
    rd_skip(&r, 2); /* trap source, event source */
    trap->severity_code = rd_u8(&r);
    rd_skip(&r, 1); /* sensor device */
    trap->sensor = rd_u8(&r);
    trap->entity = rd_u8(&r);
    trap->entity_instance = rd_u8(&r);
    rd_copy(&r, trap->data, sizeof(trap->data));
    rd_skip(&r, 1); /* language */
    trap->manufacturer = rd_be32(&r);
    trap->severity = severity_of(trap->severity_code);
    return 0;
}

static int read_variables(struct trap *trap, struct rd *pdu, struct err *err)
{
    struct rd list = element(pdu, TAG_SEQUENCE);
    struct rd pair = element(&list, TAG_SEQUENCE);
    struct rd name = element(&pair, TAG_OID);

    if (!is(name, pet_variable, sizeof(pet_variable)))
        return err_set(err, CAUSE_BAD_ANSWER, "trap: expected the variable of a platform event");
    return read_pet(trap, element(&pair, TAG_OCTETS), err);
}

int trap_read(struct trap *trap, const void *p, size_t n, struct err *err)
{
    struct rd datagram = rd_init(p, n), message, pdu, agent;
    uint32_t version, generic, specific;
    uint8_t address[4];

    memset(trap, 0, sizeof(*trap));
    message = element(&datagram, TAG_SEQUENCE);
    version = number(&message, TAG_INTEGER);
    element(&message, TAG_OCTETS); /* the community: whoever knows it can send anything */
    pdu = element(&message, TAG_TRAP);
    if (!rd_ok(&message) || !rd_ok(&pdu) || version != 0)
        return err_set(err, CAUSE_BAD_ANSWER, "trap: expected an SNMPv1 trap");
    if (!is(element(&pdu, TAG_OID), pet_enterprise, sizeof(pet_enterprise)))
        return err_set(err, CAUSE_BAD_ANSWER, "trap: expected one of a platform (1.3.6.1.4.1.3183.1.1)");
    agent = element(&pdu, TAG_ADDRESS);
    rd_copy(&agent, address, sizeof(address));
    generic = number(&pdu, TAG_INTEGER);
    specific = number(&pdu, TAG_INTEGER);
    number(&pdu, TAG_TICKS);
    if (!rd_ok(&pdu) || !rd_end(&agent) || generic != GENERIC_OWN)
        return err_set(err, CAUSE_BAD_ANSWER,
                       "trap: expected an address, generic trap 6 and a specific trap");
    snprintf(trap->agent, sizeof(trap->agent), "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
    trap->sensor_type = (uint8_t)(specific >> 16);
    trap->event_type = (uint8_t)(specific >> 8);
    trap->offset = (uint8_t)specific;
    return read_variables(trap, &pdu, err);
}

/* --- meaning --- */

/* Sensor types of PET 1.0, which are those of IPMI. */
static const char *const sensors[] = {
    [1] = "temperature",
    [2] = "voltage",
    [3] = "current",
    [4] = "fan",
    [5] = "chassis intrusion",
    [6] = "security violation",
    [7] = "processor",
    [8] = "power supply",
    [9] = "power unit",
    [10] = "cooling device",
    [12] = "memory",
    [13] = "drive",
    [15] = "BIOS progress",
    [16] = "event logging",
    [17] = "watchdog of AMT",
    [18] = "system event",
    [19] = "critical interrupt",
    [20] = "button",
    [30] = "boot error",
    [31] = "operating system boot",
    [32] = "operating system stop",
    [35] = "watchdog",
    [36] = "platform alert",
    [37] = "presence of a part",
    [41] = "battery",
    [42] = "session",
};

static const char *sensor_name(uint8_t type)
{
    return type < sizeof(sensors) / sizeof(sensors[0]) ? sensors[type] : NULL;
}

/* Firmware of AMT sends what it writes into its event log. */
static bool say_record(const struct trap *trap, struct buf *out)
{
    struct event_record record = {.sensor = trap->sensor_type,
                                  .type = trap->event_type,
                                  .offset = trap->offset & 0x0f,
                                  .severity = trap->severity_code,
                                  .number = trap->sensor,
                                  .entity = trap->entity,
                                  .instance = trap->entity_instance};

    memcpy(record.data, trap->data, sizeof(record.data));
    return trap->manufacturer == INTEL && event_record_sentence(&record, out);
}

void trap_say(const struct trap *trap, struct buf *out)
{
    const char *name = sensor_name(trap->sensor_type);
    bool over = trap->offset & 0x80; /* the bit that says so (PET 1.0, event offset) */

    if (!say_record(trap, out)) {
        if (name)
            buf_puts(out, name);
        else
            buf_printf(out, "sensor of type %u", trap->sensor_type);
        buf_printf(out, ": event %u of type %u", trap->offset & 0x0f, trap->event_type);
    }
    if (over)
        buf_puts(out, " is over");
}

static void format(const uint8_t g[16], const uint8_t order[16], char out[37])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[g[order[i]] >> 4];
        *p++ = digits[g[order[i]] & 15];
    }
    *p = '\0';
}

void trap_guids(const struct trap *trap, char sent[37], char swapped[37])
{
    static const uint8_t straight[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t smbios[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    format(trap->guid, straight, sent);
    format(trap->guid, smbios, swapped);
}

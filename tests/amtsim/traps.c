#include "tests/amtsim/traps.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "tests/amtsim/event_log.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"

#define DATAGRAM_MAX 512
#define PET_EPOCH    883612800 /* 1998-01-01 in seconds since 1970 */
#define INTEL        343
#define ASF          0x68 /* the kind of what sends and of what saw it */

struct traps {
    struct trap_sink sinks[TRAP_SINKS_MAX];
    size_t count;
    uint32_t last_handle;
    uint16_t sequence;
};

/* --- who is told --- */

bool trap_sink_add(struct device *d, struct trap_sink *sink)
{
    if (d->traps == NULL)
        d->traps = xcalloc(1, sizeof(*d->traps));
    if (d->traps->count == TRAP_SINKS_MAX)
        return false;
    sink->handle = ++d->traps->last_handle;
    d->traps->sinks[d->traps->count++] = *sink;
    return true;
}

const struct trap_sink *trap_sink_at(const struct device *d, size_t i)
{
    return d->traps != NULL && i < d->traps->count ? &d->traps->sinks[i] : NULL;
}

const struct trap_sink *trap_sink_find(const struct device *d, uint32_t handle)
{
    const struct trap_sink *sink;
    for (size_t i = 0; (sink = trap_sink_at(d, i)) != NULL; i++) {
        if (sink->handle == handle)
            return sink;
    }
    return NULL;
}

bool trap_sink_remove(struct device *d, uint32_t handle)
{
    const struct trap_sink *sink = trap_sink_find(d, handle);
    if (sink == NULL)
        return false;
    size_t i = (size_t)(sink - d->traps->sinks);
    memmove(&d->traps->sinks[i], &d->traps->sinks[i + 1], (d->traps->count - i - 1) * sizeof(*sink));
    d->traps->count--;
    return true;
}

void trap_sinks_free(struct device *d)
{
    free(d->traps);
    d->traps = NULL;
}

/* --- the datagram: SNMPv1 in BER (RFC 1157, 4.1.6), written from the inside out --- */

static const uint8_t pet_enterprise[] = {0x2b, 6, 1, 4, 1, 0x98, 0x6f, 1, 1};
static const uint8_t pet_variable[] = {0x2b, 6, 1, 4, 1, 0x98, 0x6f, 1, 1, 1};

enum {
    TAG_INTEGER = 2,
    TAG_OCTETS = 4,
    TAG_OID = 6,
    TAG_SEQUENCE = 0x30,
    TAG_ADDRESS = 0x40,
    TAG_TICKS = 0x43,
    TAG_TRAP = 0xa4
};

static void put(struct buf *out, uint8_t tag, const void *p, size_t n)
{
    wr_u8(out, tag);
    if (n >= 0x80)
        wr_u8(out, n >= 0x100 ? 0x82 : 0x81);
    if (n >= 0x100)
        wr_u8(out, (uint8_t)(n >> 8));
    wr_u8(out, (uint8_t)n);
    wr_bytes(out, p, n);
}

/* Puts what `out` holds from `from` on into an element of its own. */
static void wrap(struct buf *out, size_t from, uint8_t tag)
{
    struct buf inner = buf_init(DATAGRAM_MAX);
    buf_add(&inner, (const uint8_t *)out->p + from, out->len - from);
    out->len = from;
    put(out, tag, inner.p, inner.len);
    buf_free(&inner);
}

static void put_number(struct buf *out, uint8_t tag, uint32_t value)
{
    const uint8_t bytes[] = {0, (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    size_t skip = 0;
    while (skip < 4 && bytes[skip] == 0 && bytes[skip + 1] < 0x80)
        skip++;
    put(out, tag, bytes + skip, sizeof(bytes) - skip);
}

/* The variable: PET 1.0. */
static void put_event(struct buf *out, struct device *d, const uint8_t *record)
{
    uint8_t uuid[16];
    device_uuid(d, uuid);
    wr_bytes(out, uuid, sizeof(uuid));
    wr_be16(out, ++d->traps->sequence);
    wr_be32(out, (uint32_t)(device_wall_ms(d) / 1000 - PET_EPOCH));
    wr_be16(out, 0); /* minutes from UTC */
    wr_u8(out, ASF);
    wr_u8(out, ASF);
    wr_u8(out, record[9]);         /* severity */
    wr_u8(out, record[4]);         /* device */
    wr_bytes(out, record + 10, 3); /* sensor number, entity, its instance */
    wr_bytes(out, record + 13, 8); /* data */
    wr_u8(out, 0);                 /* language */
    wr_be32(out, INTEL);
    wr_be16(out, 0);  /* system */
    wr_u8(out, 0xC1); /* no fields of the manufacturer */
}

static void write_trap(struct buf *out, struct device *d, const struct trap_sink *sink, const uint8_t *record)
{
    const uint32_t address = htonl(d->fleet->options->address + d->index);
    size_t message = out->len;
    put_number(out, TAG_INTEGER, 0);
    put(out, TAG_OCTETS, sink->community, strlen(sink->community));
    size_t pdu = out->len;
    put(out, TAG_OID, pet_enterprise, sizeof(pet_enterprise));
    put(out, TAG_ADDRESS, &address, sizeof(address));
    put_number(out, TAG_INTEGER, 6);
    put_number(out, TAG_INTEGER, (uint32_t)record[5] << 16 | (uint32_t)record[6] << 8 | record[7]);
    put_number(out, TAG_TICKS, (uint32_t)(device_mono_ms(d) / 10));
    size_t list = out->len;
    put(out, TAG_OID, pet_variable, sizeof(pet_variable));
    size_t value = out->len;
    put_event(out, d, record);
    wrap(out, value, TAG_OCTETS);
    wrap(out, list, TAG_SEQUENCE);
    wrap(out, list, TAG_SEQUENCE);
    wrap(out, pdu, TAG_TRAP);
    wrap(out, message, TAG_SEQUENCE);
}

/* --- on its way --- */

static bool deliver(const struct device *d, const struct trap_sink *sink, const struct buf *datagram)
{
    const struct options *o = d->fleet->options;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(o->address + d->index)};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(sink->address), .sin_port = htons(o->trap_port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool sent = bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0 &&
                sendto(fd, datagram->p, datagram->len, 0, (struct sockaddr *)&to, sizeof(to)) ==
                    (ssize_t)datagram->len;
    close(fd);
    return sent;
}

void trap_send(struct device *d, const uint8_t *record)
{
    const struct trap_sink *sink;
    for (size_t i = 0; (sink = trap_sink_at(d, i)) != NULL; i++) {
        struct buf datagram = buf_init(DATAGRAM_MAX);
        write_trap(&datagram, d, sink, record);
        record_count(d, deliver(d, sink, &datagram) ? RECORD_ALERTS_SENT : RECORD_ALERTS_LOST);
        buf_free(&datagram);
    }
}

/* --- by order --- */

static int byte_of(const json_t *o, const char *name, uint8_t fallback, uint8_t *out, struct err *err)
{
    const json_t *v = json_object_get(o, name);
    json_int_t n = v != NULL ? json_integer_value(v) : fallback;
    if ((v != NULL && !json_is_integer(v)) || n < 0 || n > UINT8_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "alert: %s: expected 0 to 255", name);
    *out = (uint8_t)n;
    return 0;
}

int trap_set(struct device *d, const json_t *o, struct err *err)
{
    static const struct {
        const char *name;
        uint8_t at, fallback;
    } bytes[] = {{"sensor", 5, 0},    {"type", 6, 0x6F},  {"offset", 7, 0},   {"severity", 9, 16},
                 {"number", 10, 255}, {"entity", 11, 38}, {"instance", 12, 0}};
    const json_t *data = json_object_get(o, "data");
    uint8_t record[EVENT_LOG_RECORD] = {[4] = 0xFF, [8] = ASF};
    if (!json_is_object(o) || json_array_size(data) > 8)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "alert: expected an object, with at most 8 numbers of data");
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        if (byte_of(o, bytes[i].name, bytes[i].fallback, &record[bytes[i].at], err) != 0)
            return -1;
    }
    for (size_t i = 0; i < json_array_size(data); i++)
        record[13 + i] = (uint8_t)json_integer_value(json_array_get(data, i));
    trap_send(d, record);
    return 0;
}

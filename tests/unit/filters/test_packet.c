#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filters/packet.h"

#define MACS "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01"
#define IPV4(version, total, flags, protocol)                                                                \
    version "\x00" total "\x12\x34" flags "\x40" protocol "\x00\x00\x0a\x00\x00\x07\x0a\x01\x01\x09"
#define PORTS "\xc8\x23\x01\xbd"
#define TCP   PORTS "\x00\x00\x00\x01\x00\x00\x00\x02\x50\x12\x01\x00\x00\x00\x00\x00"
#define IPV6(length, next)                                                                                   \
    "\x60\x00\x00\x00" length next "\x40\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"    \
    "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
#define ROW(name, frame, text)                                                                               \
    {                                                                                                        \
        name, frame, sizeof(frame) - 1, text                                                                 \
    }

static const struct {
    const char *name, *frame;
    size_t n;
    const char *text; /* NULL: no frame at all */
} rows[] = {
    ROW("short", "\xff\xff", NULL),
    ROW("arp", MACS "\x08\x06", "arp"),
    ROW("length instead of a type", MACS "\x00\x20", "802.3 frame"),
    ROW("tcp", MACS "\x08\x00" IPV4("\x45", "\x00\x28", "\x00\x00", "\x06") TCP,
        "tcp 10.0.0.7:51235 > 10.1.1.9:445 flags syn ack"),
    ROW("vlan", MACS "\x81\x00\x00\x05\x08\x00" IPV4("\x45", "\x00\x28", "\x00\x00", "\x06") TCP,
        "tcp 10.0.0.7:51235 > 10.1.1.9:445 flags syn ack"),
    ROW("two tags", MACS "\x88\xa8\x00\x05\x81\x00\x00\x05\x08\x06", "arp"),
    ROW("five tags",
        MACS "\x81\x00\x00\x05\x81\x00\x00\x05\x81\x00\x00\x05\x81\x00\x00\x05\x81\x00\x00\x05\x08\x06",
        "EtherType 0x8100"),
    ROW("a tag cut off", MACS "\x81\x00\x00", "802.3 frame"),
    ROW("udp with options",
        MACS "\x08\x00" IPV4("\x46", "\x00\x20", "\x00\x00", "\x11") "\x01\x01\x01\x01" PORTS,
        "udp 10.0.0.7:51235 > 10.1.1.9:445"),
    ROW("first fragment", MACS "\x08\x00" IPV4("\x45", "\x00\x28", "\x20\x00", "\x11") PORTS,
        "udp 10.0.0.7:51235 > 10.1.1.9:445"),
    ROW("later fragment", MACS "\x08\x00" IPV4("\x45", "\x00\x28", "\x20\x01", "\x11") PORTS,
        "udp 10.0.0.7 > 10.1.1.9"),
    ROW("tcp cut behind the ports", MACS "\x08\x00" IPV4("\x45", "\x00\x28", "\x00\x00", "\x06") PORTS,
        "tcp 10.0.0.7:51235 > 10.1.1.9:445"),
    ROW("ports behind the packet's end", MACS "\x08\x00" IPV4("\x45", "\x00\x14", "\x00\x00", "\x06") TCP,
        "tcp 10.0.0.7 > 10.1.1.9"),
    ROW("no length given", MACS "\x08\x00" IPV4("\x45", "\x00\x00", "\x00\x00", "\x11") PORTS,
        "udp 10.0.0.7:51235 > 10.1.1.9:445"),
    ROW("header too short", MACS "\x08\x00" IPV4("\x44", "\x00\x28", "\x00\x00", "\x06") TCP, "ipv4"),
    ROW("another version", MACS "\x08\x00" IPV4("\x55", "\x00\x28", "\x00\x00", "\x06") TCP, "ipv4"),
    ROW("options cut off", MACS "\x08\x00" IPV4("\x4f", "\x00\x28", "\x00\x00", "\x06"), "ipv4"),
    ROW("header cut off", MACS "\x08\x00\x45\x00", "ipv4"),
    ROW("icmp",
        MACS "\x08\x00" IPV4("\x45", "\x00\x1c", "\x00\x00", "\x01") "\x08\x00\x00\x00\x00\x00\x00\x00",
        "icmp 10.0.0.7 > 10.1.1.9"),
    ROW("ipv6 tcp", MACS "\x86\xdd" IPV6("\x00\x14", "\x06") TCP,
        "tcp [fe80::1]:51235 > [fe80::2]:445 flags syn ack"),
    ROW("extensions",
        MACS "\x86\xdd" IPV6("\x00\x1c", "\x00") "\x3c\x00\x00\x00\x00\x00\x00\x00"
                                                 "\x11\x00\x00\x00\x00\x00\x00\x00" PORTS,
        "udp [fe80::1]:51235 > [fe80::2]:445"),
    ROW("ipv6 first fragment",
        MACS "\x86\xdd" IPV6("\x00\x0c", "\x2c") "\x11\x00\x00\x01\x00\x00\x00\x00" PORTS,
        "udp [fe80::1]:51235 > [fe80::2]:445"),
    ROW("ipv6 later fragment",
        MACS "\x86\xdd" IPV6("\x00\x0c", "\x2c") "\x11\x00\x00\x09\x00\x00\x00\x00" PORTS,
        "udp fe80::1 > fe80::2"),
    ROW("an extension cut off",
        MACS "\x86\xdd" IPV6("\x00\x08", "\x00") "\x11\x01\x00\x00\x00\x00\x00\x00" PORTS,
        "udp fe80::1 > fe80::2"),
    ROW("neighbour discovery", MACS "\x86\xdd" IPV6("\x00\x08", "\x3a") "\x87\x00\x00\x00\x00\x00\x00\x00",
        "icmpv6 fe80::1 > fe80::2"),
    ROW("ipv6 header cut off", MACS "\x86\xdd\x60\x00", "ipv6"),
};

static void frames_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* on the heap and of the exact size, so that a byte too many is seen */
        uint8_t *frame = malloc(rows[i].n ? rows[i].n : 1);
        struct packet packet;
        struct buf text = buf_init(1000);

        memcpy(frame, rows[i].frame, rows[i].n);
        if (packet_decode(&packet, frame, rows[i].n) != (rows[i].text != NULL))
            fail_msg("%s: %s", rows[i].name, rows[i].text ? "refused" : "taken");
        packet_text(&packet, &text);
        if (rows[i].text && strcmp(buf_str(&text), rows[i].text) != 0)
            fail_msg("%s: '%s', not '%s'", rows[i].name, buf_str(&text), rows[i].text);
        buf_free(&text);
        free(frame);
    }
}

static void packets_without_a_link_are_read(void **state)
{
    static const uint8_t four[] = IPV4("\x45", "\x00\x28", "\x00\x00", "\x06") TCP;
    static const uint8_t six[] = IPV6("\x00\x14", "\x06") TCP;
    struct packet packet;

    (void)state;
    assert_true(packet_decode_ip(&packet, four, sizeof(four) - 1));
    assert_int_equal(packet.version, 4);
    assert_true(packet_decode_ip(&packet, six, sizeof(six) - 1));
    assert_int_equal(packet.version, 6);
    assert_false(packet_decode_ip(&packet, (const uint8_t *)"\x50", 1));
    assert_false(packet_decode_ip(&packet, four, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read),
        cmocka_unit_test(packets_without_a_link_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

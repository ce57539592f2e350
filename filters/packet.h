/* Frames from outside as what rules look at. Bounds-checked: any bytes may be given.
 *
 * VLAN tags (802.1Q, 802.1ad; at most PACKET_TAGS_MAX) are skipped. IPv4 options and IPv6 extension headers
 * are skipped to the transport header; fragments but the first have no ports. An IP packet whose header is
 * broken or cut off keeps its EtherType and nothing else. */
#ifndef FILTERS_PACKET_H
#define FILTERS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filters/net.h"

#define PACKET_TAGS_MAX       4
#define PACKET_EXTENSIONS_MAX 16

struct packet {
    net_number source, destination; /* when version is not 0 */
    uint16_t ethertype;             /* 0: a frame with a length instead (802.3) */
    uint8_t version;                /* 4 or 6: the IP header is whole; else 0 */
    uint8_t protocol;               /* IPv6: behind the extension headers */
    bool has_ports, has_flags;      /* TCP or UDP; TCP */
    uint8_t tcp_flags;              /* enum sd_tcp_flag */
    uint16_t source_port, destination_port;
};

/* An Ethernet frame without its checksum; n may be less than was on the wire. False: not even an Ethernet
 * header. */
bool packet_decode(struct packet *out, const uint8_t *frame, size_t n);
/* An IP packet without a link header, of either version. False: neither version. */
bool packet_decode_ip(struct packet *out, const uint8_t *p, size_t n);
/* What follows a header that told the EtherType. */
void packet_decode_payload(struct packet *out, uint16_t ethertype, const uint8_t *p, size_t n);

/* Appends "tcp 10.0.0.7:51234 > 10.1.1.9:445", the form that flow_parse reads. */
void packet_text(const struct packet *packet, struct buf *out);

#endif

/* Captures of packets (pcap, pcapng) as the packets of one host: read by libpcap, decoded, each with its
 * direction.
 *
 * Which way a packet went is not in a capture. Where the host's addresses are given, its hardware address is
 * learned from them; else the host is the one that takes part in most of the first packets, and of several
 * such the one with the fewest IP addresses (a router has many). Link types: Ethernet, Linux cooked (which
 * knows the direction), raw IP. */
#ifndef FILTERS_CAPTURE_H
#define FILTERS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "filters/packet.h"
#include "wsman/system_defense_objects.h"

struct capture;

struct captured {
    struct packet packet;
    bool ours; /* false: between others, or not to be read; direction means nothing then */
    enum sd_direction direction;
    int64_t time_ms; /* since 1970 */
    uint32_t bytes;  /* on the wire */
};

/* own: the host's addresses; empty: guessed. "-" is not a path: the file is read twice. NULL and err
 * (invalid-argument) for what libpcap cannot read. Free with capture_close. */
struct capture *capture_open(const char *path, const struct nets *own, struct err *err);
void capture_close(struct capture *capture); /* NULL is fine */

/* The next packet: 1, 0 at the end, -1 and err when the file is broken from here on. */
int capture_next(struct capture *capture, struct captured *out, struct err *err);

/* From now on capture_write can add the packet that was read last to a new capture at `path`. */
int capture_write_to(struct capture *capture, const char *path, struct err *err);
void capture_write(struct capture *capture);
/* Writes what is left; -1 when something could not be written. */
int capture_write_end(struct capture *capture, struct err *err);

/* Appends who the host is taken for: "02:00:00:00:00:01", "10.0.0.7", "as the capture says". */
void capture_host(const struct capture *capture, struct buf *out);
bool capture_host_guessed(const struct capture *capture);

#endif

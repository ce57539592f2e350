/* The words of a filter file's attributes: addresses, ports, protocols, EtherTypes, TCP flags.
 *
 * Every reader takes the whole text or fails with invalid-argument and what was expected. With names NULL
 * only the form is checked: "@name" and host names pass and add nothing. */
#ifndef FILTERS_WORDS_H
#define FILTERS_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "filters/names.h"
#include "filters/net.h"

/* A list, separated by blanks or commas, of: any, @name, address, address/prefix, address/mask, first-last,
 * host name. `any` must stand alone. */
int words_addresses(const char *text, struct names *names, bool *any, struct nets *out, struct err *err);
/* A list of: any, port, first-last, @name. `any` must stand alone and leaves the list empty. */
int words_ports(const char *text, struct names *names, struct ranges *out, struct err *err);
/* any (-1), a name (tcp, udp, icmp, icmpv6, igmp, gre, esp, ah), or 0 to 255. */
int words_protocol(const char *text, int *out, struct err *err);
/* A name (ipv4, ipv6, arp, eapol, lldp), 1536 to 65535, or 0x0600 to 0xffff. */
int words_ethertype(const char *text, uint16_t *out, struct err *err);
/* "syn !ack": set, and clear. fin, syn, rst, psh, ack, urg. */
int words_tcp_flags(const char *text, uint8_t *on, uint8_t *off, struct err *err);
int words_yesno(const char *text, bool *out, struct err *err);

/* "tcp", "protocol 132"; "arp", "EtherType 0x88e5". */
void protocol_text(int protocol, struct buf *out);
/* "tcp", "132": as words_protocol reads it. */
void protocol_word(int protocol, struct buf *out);
void ethertype_text(uint16_t ethertype, struct buf *out);
void tcp_flags_text(uint8_t on, uint8_t off, struct buf *out);

/* Calls fn with every "@name" in the text; stops when it returns non-zero and returns that. */
int words_each_name(const char *text, int (*fn)(void *arg, const char *name), void *arg);

#endif

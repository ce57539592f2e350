/* The telnet protocol as a client of a terminal server: RFC 854 (protocol), 855 and 1143 (options), 856
 * (binary), 857 (echo), 858 (no go-ahead), 2217 (serial port). A core without I/O: bytes from the peer go in,
 * data comes out by callback, and what has to be sent collects in a buffer. */
#ifndef AMTD_CONSOLE_TELNET_H
#define AMTD_CONSOLE_TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct telnet;

/* How the serial port behind the peer is to be set (RFC 2217). */
struct telnet_port {
    bool wanted;    /* else the option is refused */
    uint32_t speed; /* 0: leave it */
    int bits, stop; /* 5 to 8; 1 or 2 */
    int parity;     /* enum serial_parity */
    int flow;       /* enum serial_flow */
};

struct telnet_events {
    void *arg;
    void (*data)(void *arg, const uint8_t *p, size_t n); /* borrowed */
    /* Modem lines of the port (enum source_signal), as RFC 2217 tells them. */
    void (*signals)(void *arg, unsigned known, unsigned on);
};

/* Begins by asking for what it wants. */
struct telnet *telnet_new(const struct telnet_port *port, const struct telnet_events *events);
void telnet_free(struct telnet *telnet); /* NULL is fine */

/* Any bytes are taken; there are no errors in telnet. */
void telnet_feed(struct telnet *telnet, const uint8_t *p, size_t n);
/* Prepares data for sending: as many bytes as there is room for. */
size_t telnet_write(struct telnet *telnet, const uint8_t *p, size_t n);
/* Begins (on) or ends a break. False: the peer can only send one of its own length, and was told to. */
bool telnet_break(struct telnet *telnet, bool on);

/* What is to be sent, borrowed; telnet_sent says how much was taken. */
const uint8_t *telnet_output(const struct telnet *telnet, size_t *n);
void telnet_sent(struct telnet *telnet, size_t n);

#endif

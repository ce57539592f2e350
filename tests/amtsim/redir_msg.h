/* Messages of the redirection protocol as the device sees them: where one ends, and what stands in it.
 *
 * There is no length field over all: the size follows from the first byte. Device role only, written from the
 * reference (redirection.md, sections 1 to 3); the client's own code lives elsewhere and shares nothing with
 * it. Numbers are little-endian. No state, no I/O. */
#ifndef AMTSIM_REDIR_MSG_H
#define AMTSIM_REDIR_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum redir_code {
    REDIR_START = 0x10,
    REDIR_START_REPLY = 0x11,
    REDIR_END = 0x12,
    REDIR_LOGIN = 0x13,
    REDIR_LOGIN_REPLY = 0x14,
    SOL_OPEN = 0x20,
    SOL_OPEN_REPLY = 0x21,
    SOL_CLOSE = 0x22,
    SOL_CLOSE_REPLY = 0x23,
    SOL_PING = 0x24,
    SOL_PONG = 0x25,
    SOL_CONTROLS_TO_HOST = 0x27,
    SOL_TO_HOST = 0x28,
    SOL_CONTROLS = 0x29,
    SOL_FROM_HOST = 0x2A,
    SOL_HEARTBEAT = 0x2B,
    IDER_OPEN = 0x40,
    IDER_OPEN_REPLY = 0x41,
    IDER_CLOSE = 0x42,
    IDER_CLOSE_REPLY = 0x43,
    IDER_PING = 0x44,
    IDER_PONG = 0x45,
    IDER_RESET = 0x46,
    IDER_RESET_REPLY = 0x47,
    IDER_FEATURES = 0x48,
    IDER_FEATURES_REPLY = 0x49,
    IDER_ERROR = 0x4A,
    IDER_HEARTBEAT = 0x4B,
    IDER_COMMAND = 0x50,
    IDER_STATUS = 0x51,
    IDER_WANT_DATA = 0x52,
    IDER_DATA_FROM_HOST = 0x53,
    IDER_DATA_TO_HOST = 0x54,
};

#define REDIR_LOGIN_DATA_MAX 2048  /* 0x13, all types but Kerberos */
#define REDIR_TOKEN_MAX      16384 /* 0x13, a Kerberos token */
#define IDER_DATA_MAX        8192  /* of one 0x54: the read buffer that 0x41 announces */
#define SOL_RECEIVE_BUFFER   256   /* bytes for the host that wait in its port */
#define REDIR_MESSAGE_MAX    (10 + 65535)

/* One message of a client. Borrowed from the bytes it was read from. */
struct redir_msg {
    uint8_t code;
    size_t size;         /* of the whole message */
    struct view whole;   /* all of it */
    struct view payload; /* what its length field counts; empty when it has none */
};

/* Finds the end of the message at p. DECODE_BAD: a code no client sends, or a length beyond its bound. */
enum decode redir_msg_decode(struct redir_msg *m, const void *p, size_t n);

/* How many zero bytes may follow that belong to it: some clients send a value with 0x48 where there need be
 * none. (3.1) No code is zero. */
unsigned redir_msg_filler(const struct redir_msg *m);

/* 0x10: the session type's four letters. */
void redir_start_read(const struct redir_msg *m, char type[5]);

enum { LOGIN_QUERY = 0, LOGIN_BASIC = 1, LOGIN_KERBEROS = 2, LOGIN_DIGEST_OLD = 3, LOGIN_DIGEST = 4 };

#define REDIR_FIELD_MAX 256

/* 0x13, text fields NUL-terminated. Which are there depends on the type: user and password for type 1, all
 * but the password for 3 (without qop) and 4. */
struct redir_login {
    uint8_t type;
    char user[REDIR_FIELD_MAX], password[REDIR_FIELD_MAX];
    char realm[REDIR_FIELD_MAX], nonce[REDIR_FIELD_MAX], uri[REDIR_FIELD_MAX], cnonce[REDIR_FIELD_MAX];
    char nc[REDIR_FIELD_MAX], response[REDIR_FIELD_MAX], qop[REDIR_FIELD_MAX];
};

/* False: the fields do not fill the data exactly, or hold a NUL. Holds a password: wipe it after use. */
bool redir_login_read(const struct redir_msg *m, struct redir_login *login);

/* 0x20; times in milliseconds. (2.1) */
struct sol_settings {
    uint16_t buffer;           /* MaxTransmitBuffer, bytes */
    uint16_t buffer_timeout;   /* 0: send only when full */
    uint16_t overflow_timeout; /* 0: wait for ever */
    uint16_t rx_timeout;
    uint16_t flush_timeout; /* 0: never */
    uint16_t heartbeat;     /* 0: none */
};
void sol_settings_read(const struct redir_msg *m, struct sol_settings *s);

/* 0x40. (3.1) */
struct ider_settings {
    uint16_t rx_timeout, tx_timeout, heartbeat; /* ms */
    uint32_t version;
};
void ider_settings_read(const struct redir_msg *m, struct ider_settings *s);

/* 0x48: sub-code, and the value of sub-code 3. */
void ider_features_read(const struct redir_msg *m, uint8_t *sub, uint32_t *value);

/* 0x51, and what ends a command in 0x54. */
struct ider_end {
    bool cd;
    bool last; /* the command is over */
    uint8_t mask, error, reason, status;
    uint8_t sense, asc, ascq;
};
void ider_status_read(const struct redir_msg *m, struct ider_end *end);
/* 0x54; the data is the payload. */
void ider_data_read(const struct redir_msg *m, struct ider_end *end);
/* 0x52: how many bytes the client wants from the host, and for which drive. */
void ider_want_read(const struct redir_msg *m, uint16_t *want, bool *cd);

/* --- what the device sends: each appends one whole message --- */

void redir_put_start_reply(struct buf *b, uint8_t status, uint8_t firmware_major, uint8_t firmware_minor);
void redir_put_login_reply(struct buf *b, uint8_t status, uint8_t type, const void *data, size_t n);
/* Messages of a head and a sequence number: 0x23, 0x25, 0x2B, 0x43, 0x44, 0x45, 0x4B. */
void redir_put_short(struct buf *b, uint8_t code, uint32_t seq);
void sol_put_open_reply(struct buf *b, uint8_t status, uint32_t seq);

#define SOL_RTS               0x01
#define SOL_DTR               0x02
#define SOL_BREAK             0x04
#define SOL_STATUS_OVERFLOW   0x01
#define SOL_STATUS_LOOPBACK   0x02
#define SOL_STATUS_POWERED    0x04
#define SOL_STATUS_RX_FLUSHED 0x08
void sol_put_controls(struct buf *b, uint32_t seq, uint8_t control, uint8_t status);
void sol_put_data(struct buf *b, uint32_t seq, const void *p, uint16_t n);

void ider_put_open_reply(struct buf *b, uint8_t status, uint32_t seq, uint8_t firmware_major,
                         uint8_t firmware_minor);
void ider_put_features_reply(struct buf *b, uint32_t seq, uint8_t sub, uint32_t value);
void ider_put_reset(struct buf *b, uint32_t seq, uint8_t mask);

struct ider_command {
    bool cd;
    bool dma;
    uint16_t byte_limit; /* of a PIO part; informative */
    uint8_t cdb[12];
};
void ider_put_command(struct buf *b, uint32_t seq, const struct ider_command *command);
/* 0x53, n at most IDER_DATA_MAX. */
void ider_put_data(struct buf *b, uint32_t seq, const void *p, uint16_t n);

#endif

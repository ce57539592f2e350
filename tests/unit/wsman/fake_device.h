/* A scripted HTTP(S) device on loopback, for tests of the transport.
 *
 * It checks logins by itself (its own parsing, its own hashing) and misbehaves as told. One thread accepts,
 * one serves each connection. */
#ifndef TESTS_FAKE_DEVICE_H
#define TESTS_FAKE_DEVICE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_REALM    "Digest:34BF4B5A0561F95248F58509A406E046"
#define FAKE_USER     "admin"
#define FAKE_PASSWORD "P@ssw0rd1"
#define FAKE_SERVER   "Intel(R) Active Management Technology 15.0.23.1706"
#define FAKE_CONTENT  "<a:Envelope>answer</a:Envelope>"

/* Where it hangs up. */
enum fake_close {
    FAKE_CLOSE_NEVER,
    FAKE_CLOSE_ACCEPTED,    /* before reading anything */
    FAKE_CLOSE_REQUEST,     /* after reading a request that it would have answered */
    FAKE_CLOSE_STATUS_LINE, /* in the middle of the status line */
    FAKE_CLOSE_HEADERS,     /* in the middle of the headers */
    FAKE_CLOSE_BODY,        /* in the middle of the body */
    FAKE_CLOSE_ANSWER,      /* after a whole answer */
};

enum fake_body {
    FAKE_BODY_LENGTH,  /* Content-Length */
    FAKE_BODY_CHUNKED, /* four digits with leading zeros, small chunks */
    FAKE_BODY_BAD_CHUNK,
    FAKE_BODY_UNTIL_CLOSE,
    FAKE_BODY_ENDLESS,         /* no length, never ends */
    FAKE_BODY_ENDLESS_CHUNKED, /* chunks without end */
    FAKE_BODY_HUGE_LENGTH,     /* announces 1 GiB */
    FAKE_BODY_STALLED,         /* half of it, then silence */
    FAKE_BODY_NONE_YET,        /* reads the request, then silence */
    FAKE_BODY_ENDLESS_HEADERS,
    FAKE_BODY_ENDLESS_LINE, /* one header line that never ends */
};

struct fake_script {
    int status;              /* 0: 200 */
    const char *content;     /* NULL: FAKE_CONTENT */
    const char *server;      /* NULL: FAKE_SERVER */
    const char *raw_at_once; /* sent to whoever connects, then closed */
    bool no_handshake;       /* TLS: accepts the connection and says nothing */
    bool new_hello_breaks;   /* TLS: answers a hello above TLS 1.0 with the alert bad_record_mac */
    const char *raw;         /* sent instead of any answer, then closed */
    enum fake_body body;
    enum fake_close close;
    bool reset;          /* closes with RST */
    bool open;           /* wants no login */
    bool refuse;         /* every login is wrong */
    bool keep_401;       /* a 401 does not close the connection, as firmware does */
    bool always_stale;   /* says stale="true" every time */
    unsigned nonce_uses; /* a nonce is good for so many requests; 0: for ever */
    const char *realm;   /* NULL: FAKE_REALM */
    const char
        *challenge;   /* header lines with %1$s realm, %2$s nonce, %3$s stale; NULL: as firmware sends it */
    const char *page; /* body of a 401; NULL: as firmware sends it */
    const char *password; /* NULL: FAKE_PASSWORD */
};

struct fake_seen {
    unsigned connections;
    unsigned handshakes;   /* TLS, completed */
    unsigned requests;     /* read whole, whatever the answer */
    unsigned unauthorized; /* 401 sent */
    unsigned stale_uses;   /* requests with a nonce it does not (or no longer) know */
    unsigned wrong_logins; /* a known nonce and a wrong response */
    unsigned served;       /* other answers than 401 */
    unsigned bad_counters; /* nc did not rise */
    unsigned last_nc;
    char method[16], uri[128], host[128], content_type[128], authorization[2048], body[4096], qop[16];
    bool expect, accept, cookie, user_agent;
    char sni[128];
};

struct fake_device;

/* Listens on address ("127.0.0.1") at a port of the system's choice. ctx: TLS with it, NULL: plain. */
struct fake_device *fake_device_start(const char *address, SSL_CTX *ctx);
void fake_device_stop(struct fake_device *device);
uint16_t fake_device_port(const struct fake_device *device);
/* Takes effect for requests read from now on; strings must stay. */
void fake_device_set(struct fake_device *device, const struct fake_script *script);
/* TLS settings for connections accepted from now on. */
void fake_device_set_tls(struct fake_device *device, SSL_CTX *ctx);
struct fake_seen fake_device_seen(struct fake_device *device);
/* Closes all connections now, and answers the next requests with a new nonce. */
void fake_device_hang_up(struct fake_device *device);
void fake_device_forget_nonce(struct fake_device *device);

#endif

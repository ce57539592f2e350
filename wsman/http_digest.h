/* HTTP digest authentication as AMT does it: reading challenges, answering them. No I/O, no clock, no
 * randomness.
 *
 * RFC 2617 with MD5, qop auth or auth-int, and the older form without qop (RFC 2069). A nonce is good for any
 * number of requests with a rising counter, over all connections, until the device calls it stale.
 * (reference wsman.md, section 1.3) */
#ifndef WSMAN_HTTP_DIGEST_H
#define WSMAN_HTTP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

#define HTTP_REALM_MAX  128 /* bytes; AMT's has 39 */
#define HTTP_NONCE_MAX  256 /* bytes of nonce and of opaque; AMT's nonce has 32 */
#define HTTP_CNONCE_LEN 16  /* hex digits */

/* Schemes offered by an answer. */
enum {
    HTTP_SCHEME_DIGEST = 1,
    HTTP_SCHEME_NEGOTIATE = 2,
    HTTP_SCHEME_OTHER = 4,
};

enum { HTTP_QOP_AUTH = 1, HTTP_QOP_AUTH_INT = 2 };

/* What the WWW-Authenticate headers of one answer say. Zero it, then feed every header. */
struct http_challenge {
    unsigned schemes;    /* HTTP_SCHEME_ bits of everything offered */
    bool answerable;     /* a digest challenge that http_digest_accept takes; the fields below are its */
    const char *why_not; /* static: why a digest challenge seen is not answerable; NULL when none was seen */
    bool stale;
    bool names_algorithm; /* said algorithm=MD5: the answer repeats it */
    bool has_opaque;
    unsigned qop; /* HTTP_QOP_ bits; 0: the form without qop */
    char realm[HTTP_REALM_MAX + 1];
    char nonce[HTTP_NONCE_MAX + 1];
    char opaque[HTTP_NONCE_MAX + 1];
    struct view token; /* base64 behind Negotiate; borrowed from the header; empty when none */
};

/* Reads the value of one WWW-Authenticate header (any number of challenges in it, names in any case, values
 * quoted or not, unknown parameters skipped). Of several digest challenges the first answerable one counts.
 * Bytes that make no sense end the reading of this header; what was read before stays. */
void http_challenge_read(struct http_challenge *challenge, const void *value, size_t n);

/* True for a realm of AMT: "Digest:" and 32 hex digits. */
bool http_realm_is_amt(const char *realm);

/* MD5, fetched once per transport. Nearly all requests ask for the same: its hash is remembered. */
struct http_md5 {
    void *md;        /* EVP_MD */
    void *ctx;       /* EVP_MD_CTX */
    struct buf text; /* what is being hashed */
    char asked[64];  /* "POST:/wsman", of the last request; "" before */
    char ha2[33];    /* MD5 of that */
};
int http_md5_init(struct http_md5 *md5,
                  struct err *err); /* -1 (system) when OpenSSL has no MD5, as in FIPS mode */
void http_md5_clear(struct http_md5 *md5);

/* MD5(user:realm:password), which is all that a device ever learns of a password: as good as the password.
 * 0, or -1 with err (system). */
int http_digest_ha1(const char *user, const char *realm, const struct secret *password, uint8_t out[16],
                    struct err *err);

/* The login of one session. */
struct http_digest {
    char *user;
    struct secret *password;
    char *realm;  /* of the last challenge accepted; NULL before */
    char *nonce;  /* NULL while there is none to use */
    char *opaque; /* NULL: the challenge had none */
    bool names_algorithm;
    unsigned qop;                     /* the one HTTP_QOP_ bit in use, or 0 */
    uint32_t nc;                      /* requests made with the nonce */
    char cnonce[HTTP_CNONCE_LEN + 1]; /* our half of the nonce: a counter that rises needs no new one */
    char ha1[33];                     /* MD5(user:realm:password): as good as the password; "" before */
};

/* Copies user and password; NULL user: this session has no login. */
void http_digest_init(struct http_digest *digest, const char *user, const struct secret *password);
void http_digest_clear(struct http_digest *digest); /* wipes */

/* Takes an answerable challenge over: its nonce is used from now on, with the counter from 1. auth is
 * preferred to auth-int. cnonce: HTTP_CNONCE_LEN random hex digits. Returns 0, or -1 with err (system) when
 * hashing fails. */
int http_digest_accept(struct http_digest *digest, struct http_md5 *md5,
                       const struct http_challenge *challenge, const char *cnonce, struct err *err);
/* Gives the nonce up: the next request goes without Authorization. */
void http_digest_forget(struct http_digest *digest);
bool http_digest_ready(const struct http_digest *digest);

/* Appends the value of an Authorization header for this request, counting it. Returns 0, or -1 with err
 * (system). */
int http_digest_answer(struct http_digest *digest, struct http_md5 *md5, const char *method, const char *uri,
                       struct view body, struct buf *out, struct err *err);

#endif

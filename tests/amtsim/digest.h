/* HTTP digest as AMT does it. (RFC 2617; reference wsman.md, 1.3)
 *
 * Nonces are not stored: a nonce is its own proof (time and number, keyed by the fleet's secret, the device
 * and the device's login epoch), 24 bytes whose base64 holds neither '=' nor ','. */
#ifndef AMTSIM_DIGEST_H
#define AMTSIM_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "tests/amtsim/device.h"

#define DIGEST_NONCE_LEN 32 /* base64 characters */
#define DIGEST_FIELD_MAX 128

/* The fields of an Authorization header; copies, NUL-terminated. */
struct digest_fields {
    char user[DIGEST_FIELD_MAX];
    char realm[DIGEST_FIELD_MAX];
    char nonce[DIGEST_FIELD_MAX];
    char uri[DIGEST_FIELD_MAX];
    char response[DIGEST_FIELD_MAX];
    char qop[DIGEST_FIELD_MAX];
    char nc[DIGEST_FIELD_MAX];
    char cnonce[DIGEST_FIELD_MAX];
};

/* Parses `Digest name="value", name=value ...`. False: another scheme, or not well-formed. */
bool digest_parse(struct digest_fields *f, struct view header);

enum digest_result {
    DIGEST_OK,
    DIGEST_NONE,   /* no Authorization of ours: a first challenge */
    DIGEST_STALE,  /* right in form, but the nonce is not good (any more) */
    DIGEST_WRONG,  /* user, password or computation */
    DIGEST_LOCKED, /* not even looked at */
};

/* Judges an Authorization header for this request, counting failures and locking the account. With DIGEST_OK
 * *realms (users.h) is what the account may do. */
enum digest_result digest_check(struct device *device, struct view authorization, struct view method,
                                struct view target, struct view body, uint32_t *realms);

/* Appends the WWW-Authenticate header line with a new nonce. */
void digest_challenge(struct device *device, bool stale, struct buf *out);

/* True for a nonce of this device that is still good. */
bool digest_nonce_good(const struct device *device, const char *nonce);

/* What every kind of login shares: an account that is locked (counted and recorded when it is), a wrong user
 * or password (which may lock), a login that passed outside HTTP. */
bool digest_locked(struct device *device);
void digest_failed(struct device *device);
void digest_passed(struct device *device);

/* n bytes as 2 * n lower-case hex digits and NUL. */
void digest_hex(const uint8_t *p, size_t n, char *out);
/* MD5 of the parts joined by ':' as 32 lower-case hex digits and NUL. */
struct fleet;
void digest_md5_hex(struct fleet *fleet, const char *const *parts, size_t count, char out[33]);
void digest_md5(struct fleet *fleet, const void *p, size_t n, uint8_t out[16]);

#endif

#include "tests/amtsim/digest.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/users.h"

void digest_hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

void digest_md5_hex(struct fleet *fleet, const char *const *parts, size_t count, char out[33])
{
    uint8_t sum[16];
    EVP_DigestInit_ex2(fleet->md, fleet->md5, NULL);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            EVP_DigestUpdate(fleet->md, ":", 1);
        EVP_DigestUpdate(fleet->md, parts[i], strlen(parts[i]));
    }
    EVP_DigestFinal_ex(fleet->md, sum, NULL);
    digest_hex(sum, sizeof(sum), out);
}

void digest_md5(struct fleet *fleet, const void *p, size_t n, uint8_t out[16])
{
    EVP_DigestInit_ex2(fleet->md, fleet->md5, NULL);
    EVP_DigestUpdate(fleet->md, p, n);
    EVP_DigestFinal_ex(fleet->md, out, NULL);
}

/* --- nonces --- */

/* Twelve bytes that prove the first twelve are ours, for this device, at this login epoch. A keyed MD5 is
 * enough here: the simulator's nonces protect nothing but themselves from bad test programs. */
static void nonce_proof(const struct device *device, const uint8_t head[12], uint8_t out[12])
{
    struct fleet *fleet = device->fleet;
    uint8_t sum[16];
    uint32_t who[3] = {device->index, device->login.epoch, device->login.realm_epoch};
    EVP_DigestInit_ex2(fleet->md, fleet->md5, NULL);
    EVP_DigestUpdate(fleet->md, fleet->nonce_key, sizeof(fleet->nonce_key));
    EVP_DigestUpdate(fleet->md, who, sizeof(who));
    EVP_DigestUpdate(fleet->md, head, 12);
    EVP_DigestFinal_ex(fleet->md, sum, NULL);
    memcpy(out, sum, 12);
}

#define NONCE_COUNT_BITS 20

static void nonce_new(struct device *device, char out[DIGEST_NONCE_LEN + 1])
{
    struct fleet *fleet = device->fleet;
    uint64_t stamp = (uint64_t)device_mono_ms(device) << NONCE_COUNT_BITS |
                     (fleet->nonce_count++ & ((1u << NONCE_COUNT_BITS) - 1));
    uint8_t raw[24] = {0};
    for (unsigned i = 0; i < 8; i++)
        raw[i] = (uint8_t)(stamp >> (8 * i));
    nonce_proof(device, raw, raw + 12);
    EVP_EncodeBlock((unsigned char *)out, raw, sizeof(raw));
}

/* The first 8 bytes of a nonce that is good, 0 otherwise. */
static uint64_t nonce_stamp(const struct device *device, const char *nonce)
{
    uint8_t raw[25], proof[12];
    if (strlen(nonce) != DIGEST_NONCE_LEN || strpbrk(nonce, "= \t\r\n") != NULL ||
        EVP_DecodeBlock(raw, (const unsigned char *)nonce, DIGEST_NONCE_LEN) != 24)
        return 0;
    nonce_proof(device, raw, proof);
    if (CRYPTO_memcmp(proof, raw + 12, sizeof(proof)) != 0)
        return 0;
    struct rd in = rd_init(raw, 8);
    uint64_t stamp = rd_le64(&in);
    int64_t age = device_mono_ms(device) - (int64_t)(stamp >> NONCE_COUNT_BITS);
    return age <= device->fleet->options->nonce_ms ? stamp : 0;
}

bool digest_nonce_good(const struct device *device, const char *nonce)
{
    return nonce_stamp(device, nonce) != 0;
}

void digest_challenge(struct device *device, bool stale, struct buf *out)
{
    char realm[DEVICE_REALM_MAX], nonce[DIGEST_NONCE_LEN + 1];
    nonce_new(device, nonce);
    buf_printf(out, "WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\",stale=\"%s\",qop=\"%s\"\r\n",
               device_challenge_realm(device, realm), nonce, stale ? "true" : "false",
               device->generation->qop);
}

/* --- the header --- */

static struct view skip_blanks(struct view v)
{
    while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == ',' || v.p[0] == '\t'))
        v = (struct view){v.p + 1, v.n - 1};
    return v;
}

static char *field(struct digest_fields *f, struct view name)
{
    const struct {
        const char *name;
        char *to;
    } table[] = {
        {"username", f->user},     {"realm", f->realm}, {"nonce", f->nonce}, {"uri", f->uri},
        {"response", f->response}, {"qop", f->qop},     {"nc", f->nc},       {"cnonce", f->cnonce},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (name.n == strlen(table[i].name) && strncasecmp((const char *)name.p, table[i].name, name.n) == 0)
            return table[i].to;
    }
    return NULL;
}

/* One value, quoted or not; *v moves behind it. Quoting is never checked: clients differ. */
static bool take_value(struct view *v, char *out)
{
    size_t n = 0;
    bool quoted = v->n > 0 && v->p[0] == '"';
    size_t i = quoted ? 1 : 0;
    for (; i < v->n && (quoted ? v->p[i] != '"' : v->p[i] != ',' && v->p[i] != ' '); i++) {
        if (quoted && v->p[i] == '\\' && i + 1 < v->n)
            i++;
        if (n + 1 >= DIGEST_FIELD_MAX || v->p[i] == '\0')
            return false;
        if (out != NULL)
            out[n] = (char)v->p[i];
        n++;
    }
    if (quoted && i++ >= v->n)
        return false;
    if (out != NULL)
        out[n] = '\0';
    *v = (struct view){v->p + i, v->n - i};
    return true;
}

bool digest_parse(struct digest_fields *f, struct view header)
{
    memset(f, 0, sizeof(*f));
    if (header.n < 7 || strncasecmp((const char *)header.p, "Digest ", 7) != 0)
        return false;
    struct view v = skip_blanks((struct view){header.p + 7, header.n - 7});
    while (v.n > 0) {
        const uint8_t *eq = memchr(v.p, '=', v.n);
        if (eq == NULL)
            return false;
        struct view name = {v.p, (size_t)(eq - v.p)};
        v = (struct view){eq + 1, v.n - name.n - 1};
        if (!take_value(&v, field(f, name)))
            return false;
        v = skip_blanks(v);
    }
    return f->user[0] != '\0' && f->nonce[0] != '\0';
}

/* --- judgement --- */

static bool qop_offered(const struct device *device, const char *qop)
{
    return strcmp(qop, "auth") == 0 ||
           (strcmp(qop, "auth-int") == 0 && strstr(device->generation->qop, "auth-int") != NULL);
}

static bool is_hex(const char *s, size_t n)
{
    size_t i = 0;
    while (isxdigit((unsigned char)s[i]))
        i++;
    return i == n && s[i] == '\0';
}

/* The response this request should have carried. The comparison is of all 32 digits: a shortened response
 * never passes (CVE-2017-5689). */
static bool response_right(struct device *device, const struct digest_fields *f, struct view method,
                           struct view body)
{
    struct fleet *fleet = device->fleet;
    uint8_t ha1_raw[16], sum[16];
    char ha1[33], ha2[33], hbody[33], want[33], verb[16];
    if (!device_ha1(device, f->user, f->realm, ha1_raw) || method.n >= sizeof(verb) ||
        !is_hex(f->response, 32))
        return false;
    digest_hex(ha1_raw, sizeof(ha1_raw), ha1);
    memcpy(verb, method.p, method.n);
    verb[method.n] = '\0';
    const char *a2[] = {verb, f->uri, hbody};
    bool with_body = strcmp(f->qop, "auth-int") == 0;
    if (with_body) {
        digest_md5(fleet, body.p, body.n, sum);
        digest_hex(sum, sizeof(sum), hbody);
    }
    digest_md5_hex(fleet, a2, with_body ? 3 : 2, ha2);
    const char *all[] = {ha1, f->nonce, f->nc, f->cnonce, f->qop, ha2};
    digest_md5_hex(fleet, all, 6, want);
    for (char *p = (char *)f->response; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return CRYPTO_memcmp(want, f->response, 32) == 0;
}

void digest_failed(struct device *device)
{
    const struct options *o = device->fleet->options;
    record_count(device, RECORD_LOGINS_WRONG);
    record_event(device, RECORD_LOGIN, 0, 1);
    if (o->lock_count > 0 && ++device->login.fails >= o->lock_count) {
        device->login.fails = 0;
        device->login.locked_until_ms = device_mono_ms(device) + o->lock_ms;
        record_event(device, RECORD_LOCK, (uint32_t)(o->lock_ms / 1000), 0);
    }
}

bool digest_locked(struct device *device)
{
    if (device_mono_ms(device) >= device->login.locked_until_ms &&
        fault_strike(device, FAULT_LOCKED, NULL, NULL) == NULL)
        return false;
    record_count(device, RECORD_LOGINS_LOCKED);
    record_event(device, RECORD_LOGIN, 0, 2);
    return true;
}

void digest_passed(struct device *device)
{
    record_count(device, RECORD_LOGINS_OK);
    record_event(device, RECORD_LOGIN, 0, 0);
    device->login.fails = 0;
}

static void right(struct device *device, const struct digest_fields *f, uint64_t stamp)
{
    struct device_login *login = &device->login;
    uint32_t nc = 0;
    sscanf(f->nc, "%8x", &nc);
    record_count(device, RECORD_LOGINS_OK);
    login->fails = 0;
    if (login->last_nonce == stamp && nc <= login->last_nc) {
        record_count(device, RECORD_NC_REUSED);
        return;
    }
    if (login->last_nonce != stamp)
        record_event(device, RECORD_LOGIN, 0, 0);
    login->last_nonce = stamp;
    login->last_nc = nc;
}

enum digest_result digest_check(struct device *device, struct view authorization, struct view method,
                                struct view target, struct view body, uint32_t *realms)
{
    struct digest_fields f;
    char realm[DEVICE_REALM_MAX];
    if (authorization.n == 0 || !digest_parse(&f, authorization))
        return DIGEST_NONE;
    if (digest_locked(device))
        return DIGEST_LOCKED;
    uint64_t stamp = nonce_stamp(device, f.nonce);
    if (stamp == 0) {
        record_count(device, RECORD_NONCES_STALE);
        return DIGEST_STALE;
    }
    if (strcmp(f.realm, device_challenge_realm(device, realm)) != 0 || !view_eq(target, f.uri) ||
        !qop_offered(device, f.qop) || !is_hex(f.nc, 8) || f.cnonce[0] == '\0' ||
        !response_right(device, &f, method, body)) {
        digest_failed(device);
        return DIGEST_WRONG;
    }
    right(device, &f, stamp);
    *realms = users_realms(device, f.user);
    return DIGEST_OK;
}

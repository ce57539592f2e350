#include "wsman/http_digest.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

/* --- reading challenges --- */

#define NAME_MAX_LEN  32
#define VALUE_MAX_LEN 1024

static int peek(const struct rd *r)
{
    return r->n ? *r->p : -1;
}

static bool is_token(int c)
{
    return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static bool is_token68(int c)
{
    return c > ' ' && c < 0x7f && (isalnum(c) || strchr("-._~+/", c));
}

/* Unquoted values are not always tokens: a nonce may bring its '=' and '/' along. */
static bool is_bare(int c)
{
    return c > ' ' && c < 0x7f && c != ',' && c != '"';
}

static void skip_blanks(struct rd *r)
{
    while (peek(r) == ' ' || peek(r) == '\t')
        rd_skip(r, 1);
}

static struct view take_while(struct rd *r, bool (*is)(int c))
{
    struct rd ahead = *r;

    while (ahead.n && is(peek(&ahead)))
        rd_skip(&ahead, 1);
    return rd_bytes(r, r->n - ahead.n);
}

/* A value, quoted or bare. False when a quoted one does not end, or it is longer than max. */
static bool take_value(struct rd *r, char *out, size_t max)
{
    size_t n = 0;

    if (peek(r) != '"') {
        struct view v = take_while(r, is_bare);
        if (v.n > max)
            return false;
        if (v.n)
            memcpy(out, v.p, v.n);
        out[v.n] = '\0';
        return true;
    }
    rd_skip(r, 1);
    while (r->n) {
        uint8_t c = rd_u8(r);
        if (c == '"') {
            out[n] = '\0';
            return true;
        }
        if (c == '\\')
            c = rd_u8(r);
        if (n == max || c < ' ' || c == 0x7f)
            return false;
        out[n++] = (char)c;
    }
    return false;
}

/* The parameters of one digest challenge as they come. */
struct params {
    bool realm_seen, nonce_seen, opaque_seen, algorithm_seen, qop_seen;
    bool broken;
    bool algorithm_known;
    bool stale;
    unsigned qop;
    char realm[VALUE_MAX_LEN + 1];
    char nonce[VALUE_MAX_LEN + 1];
    char opaque[VALUE_MAX_LEN + 1];
};

static void set_text(char *out, const char *value, bool *seen)
{
    memcpy(out, value, strlen(value) + 1); /* both have room for VALUE_MAX_LEN */
    *seen = true;
}

static void set_realm(struct params *p, const char *value)
{
    set_text(p->realm, value, &p->realm_seen);
}

static void set_nonce(struct params *p, const char *value)
{
    set_text(p->nonce, value, &p->nonce_seen);
}

static void set_opaque(struct params *p, const char *value)
{
    set_text(p->opaque, value, &p->opaque_seen);
}

static void set_stale(struct params *p, const char *value)
{
    p->stale = strcasecmp(value, "true") == 0;
}

static void set_algorithm(struct params *p, const char *value)
{
    p->algorithm_seen = true;
    p->algorithm_known = strcasecmp(value, "MD5") == 0;
}

static void set_qop(struct params *p, const char *value)
{
    static const char separators[] = ", \t";

    p->qop_seen = true;
    for (value += strspn(value, separators); *value; value += strspn(value, separators)) {
        size_t n = strcspn(value, separators);
        if (n == 4 && strncasecmp(value, "auth", n) == 0)
            p->qop |= HTTP_QOP_AUTH;
        if (n == 8 && strncasecmp(value, "auth-int", n) == 0)
            p->qop |= HTTP_QOP_AUTH_INT;
        value += n;
    }
}

static const struct {
    const char *name;
    void (*set)(struct params *p, const char *value);
} param_table[] = {
    {"realm", set_realm}, {"nonce", set_nonce},         {"opaque", set_opaque},
    {"stale", set_stale}, {"algorithm", set_algorithm}, {"qop", set_qop},
};

static bool name_is(struct view name, const char *text)
{
    return name.n == strlen(text) && strncasecmp((const char *)name.p, text, name.n) == 0;
}

static void set_param(struct params *p, struct view name, const char *value)
{
    for (size_t i = 0; i < sizeof(param_table) / sizeof(param_table[0]); i++)
        if (name_is(name, param_table[i].name))
            param_table[i].set(p, value);
}

static const char *why_not_answerable(const struct params *p)
{
    if (p->broken || strlen(p->realm) > HTTP_REALM_MAX || strlen(p->nonce) > HTTP_NONCE_MAX ||
        strlen(p->opaque) > HTTP_NONCE_MAX)
        return "a digest challenge that is cut off or too long";
    if (!p->realm_seen || !p->nonce_seen || !p->nonce[0])
        return "a digest challenge without realm or nonce";
    if (p->algorithm_seen && !p->algorithm_known)
        return "digest with another algorithm than MD5";
    if (p->qop_seen && !p->qop)
        return "digest with an unknown qop";
    return NULL;
}

/* One digest challenge has been read to its end. */
static void finish_digest(struct http_challenge *challenge, const struct params *p)
{
    const char *why_not = why_not_answerable(p);

    if (challenge->answerable)
        return;
    if (why_not) {
        challenge->why_not = why_not;
        return;
    }
    challenge->answerable = true;
    challenge->stale = p->stale;
    challenge->qop = p->qop;
    challenge->names_algorithm = p->algorithm_seen;
    challenge->has_opaque = p->opaque_seen;
    memcpy(challenge->realm, p->realm, strlen(p->realm) + 1); /* lengths were checked above */
    memcpy(challenge->nonce, p->nonce, strlen(p->nonce) + 1);
    memcpy(challenge->opaque, p->opaque, strlen(p->opaque) + 1);
}

/* Base64 right behind a scheme's name, as Negotiate has it: only when nothing but a comma follows. */
static struct view take_token68(struct rd *r)
{
    struct rd ahead = *r;
    struct view run = take_while(&ahead, is_token68);
    size_t n = run.n;

    while (peek(&ahead) == '=') {
        rd_skip(&ahead, 1);
        n++;
    }
    struct rd behind = ahead;
    skip_blanks(&behind);
    if (!run.n || (peek(&behind) != ',' && peek(&behind) != -1))
        return (struct view){NULL, 0};
    *r = ahead;
    return (struct view){run.p, n};
}

/* The scheme whose name was just read. Its bit. */
static unsigned begin_scheme(struct http_challenge *challenge, struct view name, struct rd *r)
{
    unsigned bit = name_is(name, "Digest")      ? HTTP_SCHEME_DIGEST
                   : name_is(name, "Negotiate") ? HTTP_SCHEME_NEGOTIATE
                                                : HTTP_SCHEME_OTHER;
    struct view token = take_token68(r);

    challenge->schemes |= bit;
    if (bit == HTTP_SCHEME_NEGOTIATE && token.n)
        challenge->token = token;
    return bit;
}

void http_challenge_read(struct http_challenge *challenge, const void *value, size_t n)
{
    struct rd r = rd_init(value, n);
    struct params params = {0};
    unsigned scheme = 0;
    char text[VALUE_MAX_LEN + 1];

    for (;;) {
        while (peek(&r) == ' ' || peek(&r) == '\t' || peek(&r) == ',')
            rd_skip(&r, 1);
        struct view name = take_while(&r, is_token);
        if (!name.n)
            break;
        struct rd ahead = r;
        skip_blanks(&ahead);
        if (peek(&ahead) != '=') {
            if (scheme == HTTP_SCHEME_DIGEST)
                finish_digest(challenge, &params);
            params = (struct params){0};
            r = ahead;
            scheme = begin_scheme(challenge, name, &r);
            continue;
        }
        rd_skip(&ahead, 1);
        skip_blanks(&ahead);
        r = ahead;
        if (!take_value(&r, text, VALUE_MAX_LEN)) {
            params.broken = true;
            break;
        }
        set_param(&params, name, text);
    }
    if (scheme == HTTP_SCHEME_DIGEST)
        finish_digest(challenge, &params);
}

bool http_realm_is_amt(const char *realm)
{
    static const char prefix[] = "Digest:";

    if (strncmp(realm, prefix, strlen(prefix)) != 0)
        return false;
    realm += strlen(prefix);
    return strlen(realm) == 32 && strspn(realm, "0123456789abcdefABCDEF") == 32;
}

/* --- hashing --- */

int http_md5_init(struct http_md5 *md5, struct err *err)
{
    *md5 = (struct http_md5){.md = EVP_MD_fetch(NULL, "MD5", NULL),
                             .ctx = EVP_MD_CTX_new(),
                             .text = buf_init_secret(SIZE_MAX / 4)}; /* lengths were checked before */
    if (md5->md && md5->ctx)
        return 0;
    http_md5_clear(md5);
    return err_set(err, CAUSE_SYSTEM, "OpenSSL offers no MD5, which HTTP digest needs");
}

void http_md5_clear(struct http_md5 *md5)
{
    EVP_MD_free(md5->md);
    EVP_MD_CTX_free(md5->ctx);
    buf_free(&md5->text);
    *md5 = (struct http_md5){0};
}

static struct view text_view(const char *s)
{
    return (struct view){(const uint8_t *)s, strlen(s)};
}

/* MD5 of the parts joined by colons, in one piece: OpenSSL takes about as long for any. */
static int md5_sum(struct http_md5 *md5, const struct view *parts, size_t count,
                   unsigned char sum[EVP_MAX_MD_SIZE], struct err *err)
{
    bool ok;

    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_putc(&md5->text, ':');
        buf_add(&md5->text, parts[i].p, parts[i].n);
    }
    ok = EVP_DigestInit_ex2(md5->ctx, md5->md, NULL) &&
         EVP_DigestUpdate(md5->ctx, buf_str(&md5->text), md5->text.len) &&
         EVP_DigestFinal_ex(md5->ctx, sum, NULL);
    buf_reset(&md5->text);
    if (!ok)
        return err_set(err, CAUSE_SYSTEM, "OpenSSL cannot compute an MD5");
    return 0;
}

/* The same as 32 lower-case hex digits. */
static int md5_hex(struct http_md5 *md5, const struct view *parts, size_t count, char out[33],
                   struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE] = {0};

    if (md5_sum(md5, parts, count, sum, err) != 0)
        return -1;
    for (size_t i = 0; i < 16; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[32] = '\0';
    secret_wipe(sum, sizeof(sum));
    return 0;
}

static struct view secret_view(const struct secret *s)
{
    return (struct view){(const uint8_t *)secret_str(s), secret_len(s)};
}

int http_digest_ha1(const char *user, const char *realm, const struct secret *password, uint8_t out[16],
                    struct err *err)
{
    struct view a1[] = {text_view(user), text_view(realm), secret_view(password)};
    unsigned char sum[EVP_MAX_MD_SIZE] = {0};
    struct http_md5 md5;
    int status;

    if (http_md5_init(&md5, err) != 0)
        return -1;
    status = md5_sum(&md5, a1, 3, sum, err);
    memcpy(out, sum, 16);
    secret_wipe(sum, sizeof(sum));
    http_md5_clear(&md5);
    return status;
}

/* --- answering --- */

void http_digest_init(struct http_digest *digest, const char *user, const struct secret *password)
{
    *digest = (struct http_digest){0};
    digest->user = xstrdup(user);
    digest->password = secret_share(password);
}

void http_digest_clear(struct http_digest *digest)
{
    http_digest_forget(digest);
    free(digest->user);
    free(digest->realm);
    secret_free(digest->password);
    secret_wipe(digest->ha1, sizeof(digest->ha1));
    *digest = (struct http_digest){0};
}

int http_digest_accept(struct http_digest *digest, struct http_md5 *md5,
                       const struct http_challenge *challenge, const char *cnonce, struct err *err)
{
    if (!digest->ha1[0] || !digest->realm || strcmp(digest->realm, challenge->realm) != 0) {
        struct view a1[] = {text_view(digest->user), text_view(challenge->realm),
                            secret_view(digest->password)};
        if (md5_hex(md5, a1, 3, digest->ha1, err) < 0)
            return -1;
        xreplace(&digest->realm, challenge->realm);
    }
    xreplace(&digest->nonce, challenge->nonce);
    xreplace(&digest->opaque, challenge->has_opaque ? challenge->opaque : NULL);
    digest->qop = challenge->qop & HTTP_QOP_AUTH ? HTTP_QOP_AUTH : challenge->qop;
    digest->names_algorithm = challenge->names_algorithm;
    digest->nc = 0;
    snprintf(digest->cnonce, sizeof(digest->cnonce), "%s", cnonce);
    return 0;
}

void http_digest_forget(struct http_digest *digest)
{
    xreplace(&digest->nonce, NULL);
    xreplace(&digest->opaque, NULL);
}

bool http_digest_ready(const struct http_digest *digest)
{
    return digest->nonce != NULL;
}

/* A quoted-string of RFC 2616. */
static void put_quoted(struct buf *out, const char *name, const char *value)
{
    const char *from = value;

    buf_puts(out, name);
    buf_puts(out, "=\"");
    for (; *value; value++) {
        if (*value != '"' && *value != '\\')
            continue;
        buf_add(out, from, (size_t)(value - from));
        buf_putc(out, '\\');
        from = value;
    }
    buf_add(out, from, (size_t)(value - from));
    buf_putc(out, '"');
}

static void put_counter(char out[9], uint32_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 7; i >= 0; i--, n >>= 4)
        out[i] = digits[n & 15];
    out[8] = '\0';
}

static const char *const qop_names[] = {[HTTP_QOP_AUTH] = "auth", [HTTP_QOP_AUTH_INT] = "auth-int"};

/* What is asked for, hashed. */
static int hash_request(struct http_md5 *md5, const char *method, const char *uri, char ha2[33],
                        struct err *err)
{
    struct view a2[] = {text_view(method), text_view(uri)};
    size_t n = a2[0].n;
    bool fits = n + 1 + a2[1].n < sizeof(md5->asked);

    if (!fits || strncmp(md5->asked, method, n) != 0 || md5->asked[n] != ':' ||
        strcmp(md5->asked + n + 1, uri) != 0) {
        md5->asked[0] = '\0';
        if (md5_hex(md5, a2, 2, md5->ha2, err) < 0)
            return -1;
        if (fits)
            snprintf(md5->asked, sizeof(md5->asked), "%s:%s", method, uri);
    }
    memcpy(ha2, md5->ha2, sizeof(md5->ha2));
    return 0;
}

/* The same, and what is sent with it. */
static int hash_whole(struct http_md5 *md5, const char *method, const char *uri, struct view body,
                      char ha2[33], struct err *err)
{
    char entity[33];

    if (md5_hex(md5, &body, 1, entity, err) < 0)
        return -1;
    struct view a2[] = {text_view(method), text_view(uri), text_view(entity)};
    return md5_hex(md5, a2, 3, ha2, err);
}

/* The response, and nc beside it. */
static int respond(const struct http_digest *digest, struct http_md5 *md5, const char *ha2, const char *nc,
                   char response[33], struct err *err)
{
    if (!digest->qop) {
        struct view parts[] = {text_view(digest->ha1), text_view(digest->nonce), text_view(ha2)};
        return md5_hex(md5, parts, 3, response, err);
    }
    struct view parts[] = {text_view(digest->ha1),    text_view(digest->nonce),          text_view(nc),
                           text_view(digest->cnonce), text_view(qop_names[digest->qop]), text_view(ha2)};
    return md5_hex(md5, parts, 6, response, err);
}

int http_digest_answer(struct http_digest *digest, struct http_md5 *md5, const char *method, const char *uri,
                       struct view body, struct buf *out, struct err *err)
{
    char ha2[33], response[33], nc[9];
    int status = digest->qop == HTTP_QOP_AUTH_INT ? hash_whole(md5, method, uri, body, ha2, err)
                                                  : hash_request(md5, method, uri, ha2, err);

    put_counter(nc, ++digest->nc);
    if (status < 0 || respond(digest, md5, ha2, nc, response, err) < 0)
        return -1;

    buf_puts(out, "Digest ");
    put_quoted(out, "username", digest->user);
    put_quoted(out, ",realm", digest->realm);
    put_quoted(out, ",nonce", digest->nonce);
    put_quoted(out, ",uri", uri);
    put_quoted(out, ",response", response);
    if (digest->names_algorithm)
        buf_puts(out, ",algorithm=MD5");
    if (digest->opaque)
        put_quoted(out, ",opaque", digest->opaque);
    if (digest->qop) {
        buf_puts(out, ",qop=");
        buf_puts(out, qop_names[digest->qop]);
        buf_puts(out, ",nc=");
        buf_puts(out, nc);
        put_quoted(out, ",cnonce", digest->cnonce);
    }
    return 0;
}

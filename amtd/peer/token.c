#include "amtd/peer/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/text.h"

#define PREFIX     "amtd1-"
#define CHECK      4 /* bytes of a digest behind it: a mistake in copying is told as that */
#define TOKEN_MAX  1024
#define PROOF_TEXT "amtd join 1"

static const char *const kinds[PEER_KINDS] = {"node", "client", "server"};

const char *peer_kind_name(enum peer_kind kind)
{
    return kinds[kind];
}

int token_init(struct token *token, struct err *err)
{
    memset(token, 0, sizeof(*token));
    if (RAND_bytes(token->id, sizeof(token->id)) == 1 &&
        RAND_priv_bytes(token->secret, sizeof(token->secret)) == 1)
        return 0;
    return err_set(err, CAUSE_SYSTEM, "no random numbers for a token");
}

void token_wipe(struct token *token)
{
    secret_wipe(token, sizeof(*token));
}

static void check_of(const void *p, size_t n, uint8_t check[CHECK])
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL);
    memcpy(check, digest, CHECK);
}

/* base64url without padding (RFC 4648, section 5) is base64 with two other letters. */
static void swap_letters(uint8_t *p, size_t n, const char *from, const char *to)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++)
            if (p[i] == (uint8_t)from[k]) {
                p[i] = (uint8_t)to[k];
                break;
            }
}

void token_write(struct buf *out, const struct token *token)
{
    struct buf bytes = buf_init_secret(TOKEN_MAX), text = buf_init_secret(2 * TOKEN_MAX);
    uint8_t check[CHECK];

    wr_u8(&bytes, (uint8_t)token->kind);
    wr_be64(&bytes, (uint64_t)token->expires_ms);
    wr_bytes(&bytes, token->pin, sizeof(token->pin));
    wr_bytes(&bytes, token->id, sizeof(token->id));
    wr_bytes(&bytes, token->secret, sizeof(token->secret));
    wr_be16(&bytes, token->port);
    wr_str8(&bytes, token->host, strlen(token->host));
    check_of(bytes.p, bytes.len, check);
    wr_bytes(&bytes, check, sizeof(check));
    text_base64(&text, bytes.p, bytes.len);
    swap_letters(text.p, text.len, "+/", "-_");
    buf_puts(out, PREFIX);
    buf_add(out, text.p, strcspn(buf_str(&text), "="));
    buf_free(&bytes);
    buf_free(&text);
}

static bool decode(struct token *token, const struct buf *bytes)
{
    struct rd r = rd_init(bytes->p, bytes->len);
    uint8_t check[CHECK], said[CHECK], kind = rd_u8(&r);
    struct view host;
    char *read_host = NULL;
    uint16_t port;

    token->kind = (enum peer_kind)kind;
    token->expires_ms = (int64_t)rd_be64(&r);
    rd_copy(&r, token->pin, sizeof(token->pin));
    rd_copy(&r, token->id, sizeof(token->id));
    rd_copy(&r, token->secret, sizeof(token->secret));
    token->port = rd_be16(&r);
    host = rd_str8(&r);
    rd_copy(&r, said, sizeof(said));
    if (!rd_end(&r) || kind > PEER_CLIENT || token->port == 0 || token->expires_ms < 0 || host.n == 0)
        return false;
    check_of(bytes->p, bytes->len - CHECK, check);
    if (memcmp(check, said, CHECK) != 0)
        return false;
    memcpy(token->host, host.p, host.n);
    token->host[host.n] = '\0';
    if (strlen(token->host) != host.n || token->host[0] == '[' ||
        !peer_address_read(token->host, &read_host, &port))
        return false;
    kind = strcmp(read_host, token->host) == 0;
    free(read_host);
    return kind;
}

int token_read(struct token *token, const char *text, struct err *err)
{
    struct buf bytes = buf_init_secret(TOKEN_MAX), letters = buf_init_secret(2 * TOKEN_MAX);
    size_t n;
    bool ok = false;

    memset(token, 0, sizeof(*token));
    text += strspn(text, " \t\r\n");
    n = strcspn(text, " \t\r\n");
    if (strncmp(text, PREFIX, strlen(PREFIX)) == 0 && text[n + strspn(text + n, " \t\r\n")] == '\0') {
        buf_add(&letters, text + strlen(PREFIX), n - strlen(PREFIX));
        swap_letters(letters.p, letters.len, "-_", "+/");
        while (letters.len % 4 != 0 && buf_ok(&letters))
            buf_putc(&letters, '=');
        ok = buf_ok(&letters) && text_base64_decode(&bytes, buf_str(&letters), letters.len) &&
             buf_ok(&bytes) && decode(token, &bytes);
    }
    buf_free(&bytes);
    buf_free(&letters);
    if (ok)
        return 0;
    token_wipe(token);
    return err_set(err, CAUSE_INVALID_ARGUMENT, "this is no token, or not all of it was copied");
}

void token_proof(const uint8_t secret[TOKEN_SECRET], const uint8_t server[PEER_PIN],
                 const uint8_t joiner[PEER_PIN], uint8_t proof[TOKEN_PROOF])
{
    uint8_t said[sizeof(PROOF_TEXT) + 2 * PEER_PIN];

    memcpy(said, PROOF_TEXT, sizeof(PROOF_TEXT)); /* with its NUL */
    memcpy(said + sizeof(PROOF_TEXT), server, PEER_PIN);
    memcpy(said + sizeof(PROOF_TEXT) + PEER_PIN, joiner, PEER_PIN);
    HMAC(EVP_sha256(), secret, TOKEN_SECRET, said, sizeof(said), proof, NULL);
}

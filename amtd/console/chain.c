#include "amtd/console/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

static const char *const kinds[CHAIN_KINDS] = {"segment", "expired", "open"};

void chain_digest(const void *p, size_t n, uint8_t digest[CHAIN_DIGEST])
{
    EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL);
}

/* --- writing --- */

static void set_digest(json_t *json, const char *name, const uint8_t digest[CHAIN_DIGEST])
{
    struct buf hex = buf_init((size_t)2 * CHAIN_DIGEST);

    text_hex(&hex, digest, CHAIN_DIGEST, false);
    json_object_set_new(json, name, json_string(buf_str(&hex)));
    buf_free(&hex);
}

int chain_write(struct buf *out, struct chain_record *record, const struct node_key *key, struct err *err)
{
    uint8_t signature[NODE_SIGNATURE_LEN];
    char at[CLOCK_TEXT_MAX];
    char *body;
    json_t *json;
    int status;

    snprintf(record->key, sizeof(record->key), "%s", node_key_id(key));
    json = json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "kind", kinds[record->kind], "console",
                     record->console, "first", (json_int_t)record->first, "end", (json_int_t)record->end,
                     "at", clock_text_ms(record->at_ms, at), "key", record->key);
    if (record->kind != CHAIN_EXPIRED) {
        set_digest(json, "sha256", record->sha256);
        set_digest(json, "journal", record->journal);
        json_object_set_new(json, "journal_end", json_integer((json_int_t)record->journal_end));
    }
    if (record->kind == CHAIN_SEGMENT)
        set_digest(json, "index", record->index);
    set_digest(json, "previous", record->previous);
    body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    status = node_key_sign(key, body, strlen(body), signature, err);
    if (status == 0) {
        buf_puts(out, body);
        buf_putc(out, ' ');
        text_base64(out, signature, sizeof(signature));
        buf_putc(out, '\n');
    }
    free(body);
    return status;
}

/* --- reading --- */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

static bool get_digest(const json_t *json, const char *name, uint8_t digest[CHAIN_DIGEST])
{
    const char *hex = json_string_value(json_object_get(json, name));

    if (!hex || strlen(hex) != (size_t)2 * CHAIN_DIGEST)
        return false;
    for (size_t i = 0; i < CHAIN_DIGEST; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool get_number(const json_t *json, const char *name, uint64_t *out)
{
    const json_t *value = json_object_get(json, name);

    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool get_text(const json_t *json, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool get_kind(const json_t *json, enum chain_kind *kind)
{
    const char *text = json_string_value(json_object_get(json, "kind"));

    for (int i = 0; text && i < CHAIN_KINDS; i++) {
        if (strcmp(kinds[i], text) == 0) {
            *kind = (enum chain_kind)i;
            return true;
        }
    }
    return false;
}

static bool get_record(const json_t *json, struct chain_record *r)
{
    const char *at = json_string_value(json_object_get(json, "at"));

    if (!get_kind(json, &r->kind) || !get_text(json, "console", r->console, sizeof(r->console)) ||
        !get_number(json, "first", &r->first) || !get_number(json, "end", &r->end) || r->end < r->first ||
        !at || !clock_from_text(at, &r->at_ms) || !get_text(json, "key", r->key, sizeof(r->key)) ||
        !get_digest(json, "previous", r->previous))
        return false;
    if (r->kind != CHAIN_EXPIRED &&
        (!get_digest(json, "sha256", r->sha256) || !get_digest(json, "journal", r->journal) ||
         !get_number(json, "journal_end", &r->journal_end)))
        return false;
    return r->kind != CHAIN_SEGMENT || get_digest(json, "index", r->index);
}

int chain_read(const char *line, size_t n, struct chain_record *record, struct view *body,
               uint8_t signature[NODE_SIGNATURE_LEN], struct err *err)
{
    const char *blank = memrchr(line, ' ', n);
    struct buf decoded = buf_init(NODE_SIGNATURE_LEN);
    json_t *json;
    bool ok;

    memset(record, 0, sizeof(*record));
    if (!blank || n > CHAIN_LINE_MAX)
        return err_set(err, CAUSE_BAD_ANSWER, "chain: a line without signature");
    *body = (struct view){(const uint8_t *)line, (size_t)(blank - line)};
    ok = text_base64_decode(&decoded, blank + 1, n - body->n - 1) && decoded.len == NODE_SIGNATURE_LEN;
    if (ok)
        memcpy(signature, decoded.p, NODE_SIGNATURE_LEN);
    buf_free(&decoded);
    if (!ok)
        return err_set(err, CAUSE_BAD_ANSWER, "chain: a line with a broken signature");
    json = json_loadb(line, body->n, JSON_REJECT_DUPLICATES, NULL);
    ok = json && get_record(json, record);
    json_decref(json);
    return ok ? 0 : err_set(err, CAUSE_BAD_ANSWER, "chain: a line that is no record");
}

int chain_last_line(const char *path, struct buf *line, struct err *err)
{
    char tail[2 * CHAIN_LINE_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    ssize_t n = -1;
    const char *end, *begin;

    buf_reset(line);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (fstat(fd, &st) == 0)
        n = pread(fd, tail, sizeof(tail),
                  st.st_size > (off_t)sizeof(tail) ? st.st_size - (off_t)sizeof(tail) : 0);
    if (n < 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
        close(fd);
        return -1;
    }
    close(fd);
    end = memrchr(tail, '\n', (size_t)n);
    if (!end)
        return 0;
    begin = memrchr(tail, '\n', (size_t)(end - tail));
    begin = begin ? begin + 1 : tail;
    buf_add(line, begin, (size_t)(end - begin));
    return 0;
}

/* --- hashing --- */

static int read_block(int fd, uint64_t at, uint8_t *p, size_t n, struct err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, p + done, n - done, (off_t)(at + done));

        if (got == 0)
            return err_set(err, CAUSE_SYSTEM, "the segment ends at byte %" PRIu64 ", which is too early",
                           at + done);
        if (got < 0 && errno != EINTR)
            return err_set_errno(err, CAUSE_SYSTEM, errno, "the segment, at byte %" PRIu64, at + done);
        if (got > 0)
            done += (size_t)got;
    }
    return 0;
}

int chain_hash(int fd, uint64_t size, struct buf *digests, uint8_t sum[CHAIN_DIGEST], struct err *err)
{
    uint64_t whole = size / CHAIN_BLOCK;
    size_t rest = (size_t)(size % CHAIN_BLOCK);
    uint8_t *block = xmalloc(CHAIN_BLOCK), digest[CHAIN_DIGEST];
    EVP_MD_CTX *all = EVP_MD_CTX_new();
    int status = 0;

    if (digests->len > whole * CHAIN_DIGEST) /* more than there can be: not to be trusted */
        digests->len = 0;
    for (uint64_t i = digests->len / CHAIN_DIGEST; status == 0 && i < whole; i++) {
        status = read_block(fd, i * CHAIN_BLOCK, block, CHAIN_BLOCK, err);
        if (status == 0) {
            chain_digest(block, CHAIN_BLOCK, digest);
            buf_add(digests, digest, sizeof(digest));
        }
    }
    EVP_DigestInit_ex(all, EVP_sha256(), NULL);
    EVP_DigestUpdate(all, digests->p, digests->len);
    if (status == 0 && rest > 0) {
        status = read_block(fd, whole * CHAIN_BLOCK, block, rest, err);
        if (status == 0) {
            chain_digest(block, rest, digest);
            EVP_DigestUpdate(all, digest, sizeof(digest));
        }
    }
    EVP_DigestFinal_ex(all, sum, NULL);
    EVP_MD_CTX_free(all);
    free(block);
    return status;
}

int chain_hash_file(const char *path, const uint64_t *limit, uint8_t sum[CHAIN_DIGEST], uint64_t *size,
                    struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    EVP_MD_CTX *all;
    uint8_t block[8192];
    struct stat st;
    int status = 0;

    *size = 0;
    if (fd < 0 && errno != ENOENT)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (fd >= 0 && fstat(fd, &st) == 0)
        *size = (uint64_t)st.st_size;
    if (limit && *size < *limit)
        status = err_set(err, CAUSE_BAD_ANSWER, "%s has %llu bytes, fewer than %llu", path,
                         (unsigned long long)*size, (unsigned long long)*limit);
    else if (limit)
        *size = *limit;
    all = EVP_MD_CTX_new();
    EVP_DigestInit_ex(all, EVP_sha256(), NULL);
    for (uint64_t at = 0; status == 0 && at < *size;) {
        size_t n = *size - at < sizeof(block) ? (size_t)(*size - at) : sizeof(block);

        status = read_block(fd, at, block, n, err);
        EVP_DigestUpdate(all, block, status == 0 ? n : 0);
        at += n;
    }
    EVP_DigestFinal_ex(all, sum, NULL);
    EVP_MD_CTX_free(all);
    if (fd >= 0)
        close(fd);
    return status;
}

#include "amtd/console/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/console/blocks.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

const char chain_foreign[] = "was written by another version of amtd, with another hash";

static const char *const kinds[CHAIN_KINDS] = {"segment", "expired", "open"};

/* --- writing --- */

static void set_digest(json_t *json, const char *name, const uint8_t digest[HASH_LEN])
{
    struct buf hex = buf_init((size_t)2 * HASH_LEN);

    text_hex(&hex, digest, HASH_LEN, false);
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
    json = json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:s}", "kind", kinds[record->kind], "console",
                     record->console, "first", (json_int_t)record->first, "end", (json_int_t)record->end,
                     "at", clock_text_ms(record->at_ms, at), "key", record->key, "hash", HASH_NAME);
    if (record->kind != CHAIN_EXPIRED) {
        set_digest(json, "bytes", record->bytes);
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

static bool get_digest(const json_t *json, const char *name, uint8_t digest[HASH_LEN])
{
    const char *hex = json_string_value(json_object_get(json, name));

    if (!hex || strlen(hex) != (size_t)2 * HASH_LEN)
        return false;
    for (size_t i = 0; i < HASH_LEN; i++) {
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

/* Records of the first versions of amtd do not say which hash they are made with. */
static bool get_hash(const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "hash"));

    return name && strcmp(name, HASH_NAME) == 0;
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
        (!get_digest(json, "bytes", r->bytes) || !get_digest(json, "journal", r->journal) ||
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
    ok = false;
    json = json_loadb(line, body->n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json) && !get_hash(json))
        err_set(err, CAUSE_UNSUPPORTED, "chain: a line that %s", chain_foreign);
    else if (!json || !get_record(json, record))
        err_set(err, CAUSE_BAD_ANSWER, "chain: a line that is no record");
    else
        ok = true;
    json_decref(json);
    return ok ? 0 : -1;
}

const char *chain_check(const char *line, size_t n, const char *console, const struct node_key *key,
                        struct chain_record *record)
{
    uint8_t signature[NODE_SIGNATURE_LEN] = {0};
    struct err err = ERR_INIT;
    struct view body = {0};
    int status = chain_read(line, n, record, &body, signature, &err);
    bool foreign = status != 0 && err.cause == CAUSE_UNSUPPORTED;

    if (status != 0 && !foreign)
        return "is no record";
    if (!foreign && strcmp(record->key, node_key_id(key)) != 0)
        return "is signed with another key";
    if (!node_key_verify(key, body.p, body.n, signature, sizeof(signature)))
        return "was changed: its signature does not fit";
    if (foreign)
        return chain_foreign;
    return strcmp(record->console, console) == 0 ? NULL : "is of another console";
}

int chain_refuse(const char *file, struct err *err)
{
    return err_set(err, CAUSE_UNSUPPORTED,
                   "%s: a line of it %s; this amtd proves only what is hashed with " HASH_NAME, file,
                   chain_foreign);
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

/* --- side files --- */

int chain_hash_file(const char *path, const uint64_t *limit, uint8_t sum[HASH_LEN], uint64_t *size,
                    struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct hash *all;
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
    all = hash_new();
    for (uint64_t at = 0; status == 0 && at < *size;) {
        size_t n = *size - at < sizeof(block) ? (size_t)(*size - at) : sizeof(block);

        status = blocks_read(fd, at, block, n, err);
        hash_add(all, block, status == 0 ? n : 0);
        at += n;
    }
    hash_end(all, sum);
    hash_free(all);
    if (fd >= 0)
        close(fd);
    return status;
}

#include "amtd/store/activity_chain.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

#define TEXT_MAX ((size_t)4 << 20)

_Static_assert(ACTIVITY_HASH == 256 / 8 && ACTIVITY_SIGNATURE == NODE_SIGNATURE_LEN,
               "SHA-256, signed with the key of a node");

/* Names of users and files are bytes; what is no UTF-8 is written as a log would write it. */
static void put_text(json_t *json, const char *name, const char *text)
{
    json_t *value;
    struct buf printable;

    if (!text) {
        json_object_set_new(json, name, json_null());
        return;
    }
    value = json_string(text);
    if (!value) {
        printable = buf_init(TEXT_MAX);
        text_printable(&printable, text, strlen(text));
        value = json_string(buf_str(&printable));
        buf_free(&printable);
    }
    json_object_set_new(json, name, value);
}

static void put_hex(json_t *json, const char *name, const uint8_t *p, size_t n)
{
    struct buf hex = buf_init(2 * n);

    text_hex(&hex, p, n, false);
    json_object_set_new(json, name, json_string(buf_str(&hex)));
    buf_free(&hex);
}

static json_t *body_json(const struct activity *a)
{
    json_t *json = json_object();
    char at[CLOCK_TEXT_MAX];

    json_object_set_new(json, "id", json_integer(a->id));
    json_object_set_new(json, "at", json_string(clock_text_ms(a->at_ms, at)));
    put_text(json, "who", a->who);
    put_text(json, "by", a->by);
    put_text(json, "what", a->what);
    put_text(json, "target", a->target);
    put_text(json, "hosts", a->hosts);
    put_text(json, "result", a->result);
    put_text(json, "detail", a->detail);
    json_object_set_new(json, "run", a->run > 0 ? json_integer(a->run) : json_null());
    put_text(json, "key", a->key);
    put_hex(json, "previous", a->previous, ACTIVITY_HASH);
    return json;
}

json_t *activity_json(const struct activity *a)
{
    json_t *json = body_json(a);

    if (a->sealed) {
        put_hex(json, "hash", a->hash, ACTIVITY_HASH);
        put_hex(json, "signature", a->signature, ACTIVITY_SIGNATURE);
    }
    return json;
}

static void hash_of(const struct activity *a, uint8_t hash[ACTIVITY_HASH])
{
    json_t *json = body_json(a);
    char *body = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

    EVP_Digest(body, strlen(body), hash, NULL, EVP_sha256(), NULL);
    free(body);
    json_decref(json);
}

int activity_seal(struct activity *a, const uint8_t previous[ACTIVITY_HASH], const struct node_key *key,
                  struct err *err)
{
    memcpy(a->previous, previous, ACTIVITY_HASH);
    xreplace(&a->key, node_key_id(key));
    hash_of(a, a->hash);
    a->sealed = true;
    return node_key_sign(key, a->hash, ACTIVITY_HASH, a->signature, err);
}

/* Other words than those of a row, so that the signature of a row cannot stand for an end. */
static int head_text(const struct activity_head *head, char text[ACTIVITY_HASH * 2 + 64])
{
    struct buf hex = buf_init((size_t)ACTIVITY_HASH * 2);
    int n;

    text_hex(&hex, head->hash, ACTIVITY_HASH, false);
    n = snprintf(text, ACTIVITY_HASH * 2 + 64, "activity ends with %" PRId64 " %s", head->id, buf_str(&hex));
    buf_free(&hex);
    return n;
}

int activity_head_seal(struct activity_head *head, const struct node_key *key, struct err *err)
{
    char text[ACTIVITY_HASH * 2 + 64];
    int n = head_text(head, text);

    return node_key_sign(key, text, (size_t)n, head->signature, err);
}

static char *anchor_text(const struct activity_anchor *anchor)
{
    struct buf hex = buf_init((size_t)ACTIVITY_HASH * 2);
    char *text;

    text_hex(&hex, anchor->hash, ACTIVITY_HASH, false);
    text = xasprintf("activity begins after %" PRId64 " %s: %" PRId64 " rows from %" PRId64 " to %" PRId64,
                     anchor->id, buf_str(&hex), anchor->count, anchor->from_ms, anchor->to_ms);
    buf_free(&hex);
    return text;
}

int activity_anchor_seal(struct activity_anchor *anchor, const struct node_key *key, struct err *err)
{
    char *text = anchor_text(anchor);
    int status = node_key_sign(key, text, strlen(text), anchor->signature, err);

    free(text);
    return status;
}

const char *activity_walk_begin(struct activity_walk *walk, const struct activity_anchor *anchor)
{
    char *text;
    bool ours;

    if (anchor->id == 0)
        return NULL;
    walk->last_id = anchor->id;
    memcpy(walk->last_hash, anchor->hash, ACTIVITY_HASH);
    text = anchor_text(anchor);
    ours = node_key_verify(walk->key, text, strlen(text), anchor->signature, ACTIVITY_SIGNATURE);
    free(text);
    return ours ? NULL : "what was cut off at the beginning has a signature that is not this node's";
}

/* signature: look at it, too. */
static const char *walk_row(struct activity_walk *walk, const struct activity *a, bool signature)
{
    bool follows = memcmp(a->previous, walk->last_hash, ACTIVITY_HASH) == 0;
    bool known = a->key && strcmp(a->key, node_key_id(walk->key)) == 0;
    uint8_t hash[ACTIVITY_HASH];

    walk->rows++;
    if (!a->sealed) /* the others know nothing of it */
        return "has no signature: amtd did not write it";
    walk->last_id = a->id;
    memcpy(walk->last_hash, a->hash, ACTIVITY_HASH); /* what follows is judged by itself */
    hash_of(a, hash);
    if (memcmp(hash, a->hash, ACTIVITY_HASH) != 0)
        return "was changed";
    if (!known)
        return "is signed by another key than this node's";
    if (signature && !node_key_verify(walk->key, a->hash, ACTIVITY_HASH, a->signature, ACTIVITY_SIGNATURE))
        return "has a signature that is not this node's";
    if (!follows)
        return "does not follow the one before it: rows were removed or moved";
    return NULL;
}

const char *activity_walk_row(struct activity_walk *walk, const struct activity *a)
{
    return walk_row(walk, a, true);
}

bool activity_walk_rows(struct activity_walk *walk, const struct activity *rows, size_t count)
{
    struct activity_walk ahead = *walk;

    for (size_t i = 0; i < count; i++)
        if (walk_row(&ahead, &rows[i], i + 1 == count))
            return false;
    *walk = ahead;
    return true;
}

const char *activity_walk_end(const struct activity_walk *walk, const struct activity_head *head)
{
    char text[ACTIVITY_HASH * 2 + 64];
    int n;

    if (!head)
        return walk->rows > 0 ? "the end of the log is not signed" : NULL;
    n = head_text(head, text);
    if (!node_key_verify(walk->key, text, (size_t)n, head->signature, ACTIVITY_SIGNATURE))
        return "the end of the log has a signature that is not this node's";
    if (head->id != walk->last_id || memcmp(head->hash, walk->last_hash, ACTIVITY_HASH) != 0)
        return "the end of the log is not the one that was signed: rows were removed or added there";
    return NULL;
}

/* Whose the certificates, keys and roots are that a device has, and so what the sequence may do to them. */
#include "amtd/fleet/task_certificate_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/peer/authority.h"
#include "base/clock.h"
#include "base/xalloc.h"

char *certificate_pin(const void *der, size_t n)
{
    struct leaf leaf;
    char *pin = leaf_read(&leaf, der, n, NULL) == 0 ? xstrdup(leaf.pin) : NULL;

    leaf_clear(&leaf);
    return pin;
}

bool certificate_same(const char *a, const char *b)
{
    return a && b && a[0] && strcmp(a, b) == 0;
}

bool certificate_is_ours(const struct certificate_work *w, const void *der, size_t n, size_t *which)
{
    for (*which = 0; *which < w->authority_count; (*which)++)
        if (authority_signed(&w->authorities[*which], der, n))
            return true;
    return false;
}

static bool is_fit(const struct certificate_work *w, const struct leaf *leaf, size_t authority)
{
    int64_t now = clock_wall(clock_system());
    int64_t within = w->args->within_ms > 0 ? w->args->within_ms : CERTIFICATE_WITHIN_MS;

    if (certificate_same(leaf->pin, w->next))
        return leaf->until_ms > now; /* of an attempt that was broken off, and is finished now */
    return authority == 0 && !w->args->force && leaf->from_ms <= now && leaf->until_ms - now > within;
}

static enum certificate_kind judge(void *arg, const void *der, size_t n, struct buf *key)
{
    const struct certificate_work *w = arg;
    enum certificate_kind kind = CERTIFICATE_FOREIGN;
    struct leaf leaf;
    size_t authority;

    if (leaf_read(&leaf, der, n, NULL) == 0) {
        buf_add(key, leaf.key.p, leaf.key.len);
        if (certificate_is_ours(w, der, n, &authority))
            kind = is_fit(w, &leaf, authority) &&
                           leaf_carries(der, n, w->names + (leaf_name_fits(w->names[0]) ? 0 : 1))
                       ? CERTIFICATE_FIT
                       : CERTIFICATE_FORMER;
    }
    leaf_clear(&leaf);
    return kind;
}

static enum certificate_root_kind judge_root(void *arg, const void *der, size_t n)
{
    const struct certificate_work *w = arg;

    for (size_t i = 0; i < w->authority_count; i++)
        if (w->authorities[i].len == n && memcmp(w->authorities[i].p, der, n) == 0)
            return w->root_kinds[i];
    return CERTIFICATE_ROOT_STAYS;
}

static char *hash_of(const void *p, size_t n)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    struct buf text = buf_init(2 * EVP_MAX_MD_SIZE);
    unsigned len = 0;

    EVP_Digest(p, n, sum, &len, EVP_sha256(), NULL);
    for (unsigned i = 0; i < len; i++)
        buf_printf(&text, "%02x", sum[i]);
    return buf_take(&text);
}

/* It belongs to a certificate that amtd gave the host before. */
static bool is_former(const struct certificate_work *w, const void *key, size_t n)
{
    for (size_t i = 0; i < w->former_count; i++)
        if (w->former[i].len == n && memcmp(w->former[i].p, key, n) == 0)
            return true;
    return false;
}

/* Left behind by a former certificate, or made since the attempt that was broken off: those that were there
 * before are noted. */
static bool owns_key(void *arg, const void *key, size_t n)
{
    const struct certificate_work *w = arg;
    const json_t *keys = json_object_get(w->before, "keys"), *item;
    char *hash;
    bool noted = false;
    size_t i;

    if (is_former(w, key, n))
        return true;
    if (!json_is_array(keys))
        return false;
    hash = hash_of(key, n);
    json_array_foreach((json_t *)keys, i, item) noted |= certificate_same(json_string_value(item), hash);
    free(hash);
    return !noted;
}

static bool replaced(void *arg, const void *der, size_t n)
{
    const struct certificate_work *w = arg;
    char *pin = certificate_pin(der, n);
    bool was = certificate_same(pin, w->replaces) ||
               certificate_same(pin, json_string_value(json_object_get(w->before, "replaces")));

    free(pin);
    return was;
}

static int request(void *arg, const void *key, size_t n, struct buf *out, struct err *err)
{
    const struct certificate_work *w = arg;

    return authority_request(w->names, key, n, out, err);
}

/* --- what the sequence is told --- */

enum certificate_action certificate_work_action(const struct certificate_work *w)
{
    static const enum certificate_action actions[] = {[CERTIFICATE_DO_ISSUE] = CERTIFICATE_INSTALL,
                                                      [CERTIFICATE_DO_RENEW] = CERTIFICATE_INSTALL,
                                                      [CERTIFICATE_DO_CHECK] = CERTIFICATE_LOOK,
                                                      [CERTIFICATE_DO_REMOVE] = CERTIFICATE_REMOVE};

    return w->args->action == CERTIFICATE_DO_RENEW && !w->known ? CERTIFICATE_LOOK : actions[w->args->action];
}

struct certificate_request certificate_work_request(struct certificate_work *w)
{
    return (struct certificate_request){
        .action = certificate_work_action(w),
        .mutual = (enum certificate_switch)w->args->mutual,
        .plain = (enum certificate_switch)w->args->plain,
        .push_key = w->args->push_key,
        .unfinished = w->next != NULL,
        .mutual_was = json_is_true(json_object_get(w->before, "mutual")),
        .add_roots = w->secured_alerts,
        .roots = w->roots,
        .root_count = w->root_count,
        .clock = clock_system(),
        .arg = w,
        .judge = judge,
        .owns_key = owns_key,
        .replaced = replaced,
        .judge_root = judge_root,
        .request = request,
    };
}

/* --- for who comes after a broken-off attempt --- */

void *certificate_work_journal(const void *work)
{
    struct certificate_work *w = (struct certificate_work *)work;
    const struct certificate_object *bound = certificate_bound(&w->seq);
    json_t *keys = json_array(), *json;
    char *text;

    if (certificate_work_action(w) != CERTIFICATE_INSTALL) {
        json_decref(keys);
        return NULL;
    }
    for (size_t i = 0; i < w->seq.keys.count; i++) {
        char *hash = hash_of(w->seq.keys.items[i].der.p, w->seq.keys.items[i].der.len);

        json_array_append_new(keys, json_string(hash));
        free(hash);
    }
    if (bound && !w->replaces)
        w->replaces = certificate_pin(bound->der.p, bound->der.len);
    json = json_pack("{s:o, s:s*, s:b}", "keys", keys, "replaces", w->replaces, "mutual",
                     (int)certificate_mutual(&w->seq));
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

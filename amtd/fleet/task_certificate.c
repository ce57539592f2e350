/* certificate: the certificate of a device's TLS, given by amtd's own CA. */
#include <jansson.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/certificate_proof.h"
#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/certificates.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/device_certificate.h"
#include "wsman/http.h"

#define CERTIFICATE_BUDGET_MS 300000
#define CHECK_BUDGET_MS       60000
#define DAY_MS                ((int64_t)24 * 3600 * 1000)
#define DAYS                  365
#define DAYS_MAX              1825
#define WITHIN_MS             (30 * DAY_MS)
#define EARLY_MS              DAY_MS /* valid from before now: clocks differ */
#define AUTHORITIES_MAX       8      /* those renewed last */
#define FORMER_MAX            8
#define NAMES_MAX             4

enum action { ACTION_ISSUE, ACTION_RENEW, ACTION_CHECK, ACTION_REMOVE };
static const char *const action_names[] = {"issue", "renew", "check", "remove", NULL};
static const char *const switch_names[] = {"keep", "on", "off", NULL}; /* as enum certificate_switch */

struct certificate_args {
    int action, mutual, plain;
    bool push_key, force;
    uint32_t days;     /* 0: DAYS */
    int64_t within_ms; /* 0: WITHIN_MS */
};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct certificate_args, action), true, .names = action_names},
    {"mutual", TASK_ARG_NAME, offsetof(struct certificate_args, mutual), .names = switch_names},
    {"plain", TASK_ARG_NAME, offsetof(struct certificate_args, plain), .names = switch_names},
    {"push_key", TASK_ARG_BOOL, offsetof(struct certificate_args, push_key)},
    {"force", TASK_ARG_BOOL, offsetof(struct certificate_args, force)},
    {"days", TASK_ARG_U32, offsetof(struct certificate_args, days), .min = 1, .max = DAYS_MAX},
    {"within_ms", TASK_ARG_MS, offsetof(struct certificate_args, within_ms), .min = 1000,
     .max = DAYS_MAX * DAY_MS},
    {NULL},
};

/* What is done away from the loop; it outlives a work that ends before it. */
struct errand {
    struct certificate_work *work; /* NULL: nobody waits for it any more */
    int64_t host_id, run_id;
    uint32_t days;
    char *names[NAMES_MAX + 1];
    struct buf public_key, request, private_key, leaf;
    struct err failure;
    uv_work_t thread;
};

struct certificate_work {
    struct certificate_seq seq; /* first */
    const struct certificate_args *args;
    const struct host *host;
    const char *names[NAMES_MAX + 1];
    struct buf authorities[AUTHORITIES_MAX];                /* newest first: the first one signs */
    enum certificate_root_kind root_kinds[AUTHORITIES_MAX]; /* of theirs, in a device */
    size_t authority_count;
    struct certificate_root roots[AUTHORITIES_MAX];
    size_t root_count;
    struct buf former[FORMER_MAX]; /* keys of certificates given up */
    size_t former_count;
    char *proven, *next; /* pins; NULL none */
    json_t *before;      /* of an attempt that was broken off; NULL none */
    char *replaces;      /* pin of the certificate that TLS had at first; NULL none */
    bool known, secured_alerts;
    struct task_pause pause;
    struct certificate_proof *proof;
    struct errand *errand;
};

/* --- arguments --- */

static int certificate_parse(void *args, const json_t *json, struct err *err)
{
    const struct certificate_args *ca = args;
    bool makes;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    makes = ca->action == ACTION_ISSUE || ca->action == ACTION_RENEW;
    if (!makes && (ca->mutual || ca->plain || ca->push_key || ca->force || ca->days))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' takes none of mutual, plain, push_key, force, days",
                       action_names[ca->action]);
    return 0;
}

static bool certificate_changes(const void *args)
{
    return ((const struct certificate_args *)args)->action != ACTION_CHECK;
}

static int64_t certificate_budget(const void *args)
{
    return certificate_changes(args) ? CERTIFICATE_BUDGET_MS : CHECK_BUDGET_MS;
}

static void certificate_would(const void *args, const struct host *host, struct buf *out)
{
    static const char *const texts[] = {
        [ACTION_ISSUE] = "would give it a certificate of amtd's CA, if it has none that is good",
        [ACTION_RENEW] = "would renew its certificate, if that is due",
        [ACTION_CHECK] = "would look at its certificate",
        [ACTION_REMOVE] = "would switch TLS off and remove its certificate",
    };

    (void)host;
    buf_puts(out, texts[((const struct certificate_args *)args)->action]);
}

/* --- judging --- */

static char *pin_of(const void *der, size_t n)
{
    struct leaf leaf;
    char *pin = leaf_read(&leaf, der, n, NULL) == 0 ? xstrdup(leaf.pin) : NULL;

    leaf_clear(&leaf);
    return pin;
}

static bool same(const char *a, const char *b)
{
    return a && b && a[0] && strcmp(a, b) == 0;
}

/* Those that were given by this CA, whether it signs still or not. */
static bool is_ours(const struct certificate_work *w, const void *der, size_t n, size_t *which)
{
    for (*which = 0; *which < w->authority_count; (*which)++)
        if (authority_signed(&w->authorities[*which], der, n))
            return true;
    return false;
}

static bool is_fit(const struct certificate_work *w, const struct leaf *leaf, size_t authority)
{
    int64_t now = clock_wall(clock_system());
    int64_t within = w->args->within_ms > 0 ? w->args->within_ms : WITHIN_MS;

    if (same(leaf->pin, w->next))
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
        if (is_ours(w, der, n, &authority))
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
    json_array_foreach((json_t *)keys, i, item) noted |= same(json_string_value(item), hash);
    free(hash);
    return !noted;
}

static bool replaced(void *arg, const void *der, size_t n)
{
    const struct certificate_work *w = arg;
    char *pin = pin_of(der, n);
    bool was = same(pin, w->replaces) || same(pin, json_string_value(json_object_get(w->before, "replaces")));

    free(pin);
    return was;
}

static int request(void *arg, const void *key, size_t n, struct buf *out, struct err *err)
{
    const struct certificate_work *w = arg;

    return authority_request(w->names, key, n, out, err);
}

/* --- beginning --- */

static void add_name(struct certificate_work *w, const char *name)
{
    size_t count = 0;

    if (!name || !name[0])
        return;
    for (; w->names[count]; count++)
        if (strcmp(w->names[count], name) == 0)
            return;
    if (count < NAMES_MAX && (count == 0 || leaf_name_fits(name)))
        w->names[count] = name;
}

static void certificate_init(void *work, const void *args, const struct host *host,
                             const struct quirks *quirks)
{
    struct certificate_work *w = work;

    (void)quirks;
    w->args = args;
    w->host = host;
    add_name(w, host->name);
    add_name(w, host->address);
    add_name(w, pairs_get(&host->facts, "amt.name"));
}

/* amtd shows devices a certificate of this CA: by a profile, or where alerts are received. */
static bool is_shown(const json_t *known, const struct buf *ca)
{
    const json_t *newest = json_array_get(json_object_get(known, "authorities"), 0), *file;
    int64_t age_ms = clock_wall(clock_system()) - json_integer_value(json_object_get(newest, "since"));
    size_t i;

    json_array_foreach((json_t *)json_object_get(known, "clients"), i, file)
    {
        if (authority_signed_in_file(json_string_value(file), ca))
            return true;
    }
    return json_is_true(json_object_get(known, "secured_alerts")) && age_ms < AUTHORITY_OWN_DAYS * DAY_MS;
}

/* What the root of the i-th CA (the newest is the first) is in a device. */
static enum certificate_root_kind root_kind(const json_t *known, const struct buf *ca, size_t i)
{
    return i == 0                ? CERTIFICATE_ROOT_STAYS
           : is_shown(known, ca) ? CERTIFICATE_ROOT_NEEDED
                                 : CERTIFICATE_ROOT_FORMER;
}

static void take_authorities(struct certificate_work *w, const json_t *json)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)json_object_get(json, "authorities"), i, item)
    {
        const char *text = json_string_value(json_object_get(item, "der"));
        struct buf *der = &w->authorities[w->authority_count];

        if (!text || w->authority_count == AUTHORITIES_MAX)
            continue;
        *der = buf_init(AUTHORITY_DER_MAX);
        if (!text_base64_decode(der, text, strlen(text)))
            continue;
        w->authority_count++;
        w->root_kinds[w->authority_count - 1] = root_kind(json, &w->authorities[w->authority_count - 1], i);
        if (w->root_kinds[w->authority_count - 1] != CERTIFICATE_ROOT_FORMER)
            w->roots[w->root_count++] = (struct certificate_root){der->p, der->len};
    }
}

static void take_former(struct certificate_work *w, const json_t *json)
{
    struct buf der = buf_init(AUTHORITY_DER_MAX);
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)json_object_get(json, "former"), i, item)
    {
        const char *text = json_string_value(item);
        struct leaf leaf;

        buf_reset(&der);
        if (!text || w->former_count == FORMER_MAX || !text_base64_decode(&der, text, strlen(text)))
            continue;
        if (leaf_read(&leaf, der.p, der.len, NULL) == 0) {
            w->former[w->former_count++] = leaf.key;
            leaf.key = buf_init(0);
        }
        leaf_clear(&leaf);
    }
    buf_free(&der);
}

static void certificate_know(void *work, const char *known)
{
    struct certificate_work *w = work;
    json_t *json = known ? json_loads(known, 0, NULL) : NULL;
    const char *before = json_string_value(json_object_get(json, "before"));

    take_authorities(w, json);
    take_former(w, json);
    xreplace(&w->proven, json_string_value(json_object_get(json, "proven")));
    xreplace(&w->next, json_string_value(json_object_get(json, "next")));
    w->before = before ? json_loads(before, 0, NULL) : NULL;
    w->known = w->proven || w->next;
    w->secured_alerts = json_is_true(json_object_get(json, "secured_alerts"));
    json_decref(json);
}

static int refuse_login(const struct certificate_work *w, const struct profile *profile, struct err *err)
{
    const struct certificate_args *ca = w->args;
    bool tls = profile->tls != PROFILE_TLS_NONE;

    if (ca->action == ACTION_REMOVE && tls)
        return err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "profile '%s' talks over TLS, which is to be switched off: order it with one that does "
            "not (--profile), after the ports without TLS were opened (certificate issue --plain on)",
            profile->name);
    if (ca->plain == CERTIFICATE_OFF && !tls)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "profile '%s' talks without TLS: amtd would not reach the device any more; give it a "
                       "profile with TLS first",
                       profile->name);
    if (ca->mutual == CERTIFICATE_ON && !profile->client_cert_file)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "profile '%s' has no client certificate: amtd would not reach the device any more",
                       profile->name);
    if ((ca->action == ACTION_ISSUE || ca->action == ACTION_RENEW) && profile->tls == PROFILE_TLS_CA &&
        (!profile->ca_file || w->authority_count == 0 ||
         !authority_in_file(profile->ca_file, &w->authorities[0])))
        return err_set(err, CAUSE_TLS_UNTRUSTED,
                       "profile '%s' does not trust amtd's CA: add what 'amtcli certificate ca export' shows "
                       "to %s",
                       profile->name, profile->ca_file ? profile->ca_file : "a CA file of its own");
    return 0;
}

static enum certificate_action seq_action(const struct certificate_work *w)
{
    static const enum certificate_action actions[] = {[ACTION_ISSUE] = CERTIFICATE_INSTALL,
                                                      [ACTION_RENEW] = CERTIFICATE_INSTALL,
                                                      [ACTION_CHECK] = CERTIFICATE_LOOK,
                                                      [ACTION_REMOVE] = CERTIFICATE_REMOVE};

    return w->args->action == ACTION_RENEW && !w->known ? CERTIFICATE_LOOK : actions[w->args->action];
}

static int certificate_login(void *work, const struct login *login, struct err *err)
{
    struct certificate_work *w = work;
    struct certificate_request r = {
        .action = seq_action(w),
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

    if (refuse_login(w, login->profile, err) != 0)
        return -1;
    certificate_seq_clear(&w->seq);
    certificate_seq_init(&w->seq, &r);
    return 0;
}

/* --- what the sequence holds on for --- */

static void errand_free(struct errand *e)
{
    for (size_t i = 0; i < NAMES_MAX; i++)
        free(e->names[i]);
    buf_free(&e->public_key);
    buf_free(&e->request);
    buf_free(&e->private_key);
    buf_free(&e->leaf);
    free(e);
}

static struct errand *errand_new(struct certificate_work *w)
{
    struct errand *e = xcalloc(1, sizeof(*e));

    e->work = w;
    e->host_id = w->host->id;
    e->run_id = w->pause.operation->run_id;
    e->days = w->args->days > 0 ? w->args->days : DAYS;
    for (size_t i = 0; w->names[i]; i++)
        e->names[i] = xstrdup(w->names[i]);
    e->public_key = buf_init(AUTHORITY_DER_MAX);
    e->request = buf_init(AUTHORITY_DER_MAX);
    e->private_key = buf_init_secret(AUTHORITY_DER_MAX);
    e->leaf = buf_init(AUTHORITY_DER_MAX);
    w->errand = e;
    return e;
}

/* Back from an errand: what it brought is the sequence's. */
static void errand_over(struct errand *e)
{
    struct certificate_work *w = e->work;
    struct task_pause pause;

    if (!w) {
        errand_free(e);
        return;
    }
    pause = w->pause;
    w->errand = NULL;
    w->seq.failure = e->failure;
    if (e->private_key.len > 0) {
        buf_add(&w->seq.private_key, e->private_key.p, e->private_key.len);
        buf_add(&w->seq.public_key, e->public_key.p, e->public_key.len);
    }
    if (e->leaf.len > 0) {
        char *pin = pin_of(e->leaf.p, e->leaf.len);

        buf_add(&w->seq.leaf, e->leaf.p, e->leaf.len);
        if (http_session_expect(pause.session, pin, &w->seq.failure) == 0)
            xreplace(&w->next, pin);
        free(pin);
    }
    errand_free(e);
    pause.go_on(pause.arg);
}

static void make_key(uv_work_t *thread)
{
    struct errand *e = thread->data;

    authority_key(&e->private_key, &e->public_key, &e->failure);
}

static void key_made(uv_work_t *thread, int status)
{
    (void)status;
    errand_over(thread->data);
}

/* The leaf is written down before the device can have it. */
static int issue(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;
    int64_t now = clock_wall(clock_system());
    const struct leaf_order order = {.names = (const char *const *)e->names,
                                     .from_ms = now - EARLY_MS,
                                     .until_ms = now + e->days * DAY_MS,
                                     .public_key = &e->public_key,
                                     .request = &e->request};

    buf_reset(&e->leaf);
    return tx_certificate_issue(tx, e->host_id, &order, e->run_id, now, &e->leaf, err);
}

static void issued(void *data, const struct err *failure)
{
    struct errand *e = data;

    if (failure) {
        buf_reset(&e->leaf);
        e->failure = *failure;
    }
    errand_over(e);
}

static void proof_over(void *arg, const struct err *failure)
{
    struct certificate_work *w = arg;
    struct task_pause pause = w->pause;

    w->proof = NULL;
    w->seq.proved = failure == NULL;
    if (failure)
        w->seq.failure = *failure;
    pause.go_on(pause.arg);
}

static void start_errand(struct certificate_work *w)
{
    struct errand *e = errand_new(w);

    if (w->seq.wants == CERTIFICATE_WANTS_KEY) {
        e->thread.data = e;
        uv_queue_work(w->pause.loop, &e->thread, make_key, key_made);
        return;
    }
    buf_add(&e->public_key, w->seq.public_key.p, w->seq.public_key.len);
    buf_add(&e->request, w->seq.signed_request.p, w->seq.signed_request.len);
    store_submit(w->pause.store, issue, issued, e);
}

static void certificate_pause(void *work, const struct task_pause *pause)
{
    struct certificate_work *w = work;
    char *pin;

    w->pause = *pause;
    if (w->seq.wants != CERTIFICATE_WANTS_PROOF) {
        start_errand(w);
        return;
    }
    pin = pin_of(w->seq.leaf.p, w->seq.leaf.len);
    http_session_expect(pause->session, pin, NULL);
    w->proof = certificate_proof_start(pause, pin, proof_over, w);
    free(pin);
}

/* --- what came of it --- */

static void put_when(json_t *json, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    json_object_set_new(json, name, ms > 0 ? json_string(clock_text(ms, text)) : json_null());
}

static json_t *describe_held(const struct certificate_work *w, const struct certificate_object *c,
                             const struct certificate_object *bound)
{
    struct leaf leaf;
    json_t *json;
    size_t which;

    if (leaf_read(&leaf, c->der.p, c->der.len, NULL) != 0)
        return json_pack("{s:b, s:n}", "root", (int)c->root, "subject");
    json = json_pack("{s:b, s:s, s:s, s:s, s:b, s:s}", "root", (int)c->root, "subject", leaf.subject,
                     "issuer", leaf.issuer, "sha256", leaf.pin, "ours",
                     (int)is_ours(w, c->der.p, c->der.len, &which), "used",
                     c == bound     ? "tls"
                     : c->elsewhere ? "elsewhere"
                                    : "");
    put_when(json, "until", leaf.until_ms);
    leaf_clear(&leaf);
    return json;
}

/* All that the device has, those of others, too: who looks wants to know what fills it. */
static json_t *describe_all(const struct certificate_work *w, const struct certificate_object *bound)
{
    json_t *held = json_array();

    for (size_t i = 0; i < w->seq.certificates.count; i++)
        json_array_append_new(held, describe_held(w, &w->seq.certificates.items[i], bound));
    return held;
}

static json_t *describe(const struct certificate_work *w, const struct certificate_object *bound,
                        const char **state)
{
    const struct certificate_setting *remote = certificate_remote(&w->seq);
    json_t *json =
        json_pack("{s:b, s:b, s:b, s:i, s:i}", "tls", remote && remote->enabled, "mutual",
                  remote && remote->mutual, "plain", !remote || !remote->enabled || remote->accept_plain,
                  "certificates", (int)w->seq.certificates.count, "keys", (int)w->seq.keys.count);
    if (certificate_old_roots(&w->seq) > 0)
        json_object_set_new(json, "old_roots", json_integer((json_int_t)certificate_old_roots(&w->seq)));
    struct leaf leaf = {{0}};

    if (w->args->action == ACTION_CHECK)
        json_object_set_new(json, "held", describe_all(w, bound));
    *state = "none";
    if (bound && leaf_read(&leaf, bound->der.p, bound->der.len, NULL) == 0) {
        bool unfinished = w->next && !same(leaf.pin, w->proven);

        *state = bound->kind == CERTIFICATE_FOREIGN              ? "foreign"
                 : bound->kind == CERTIFICATE_FORMER             ? "due"
                 : unfinished && w->args->action == ACTION_CHECK ? "unfinished"
                                                                 : "good";
        json_object_set_new(json, "subject", json_string(leaf.subject));
        json_object_set_new(json, "issuer", json_string(leaf.issuer));
        json_object_set_new(json, "names", json_string(leaf.names));
        json_object_set_new(json, "sha256", json_string(leaf.pin));
        put_when(json, "from", leaf.from_ms);
        put_when(json, "until", leaf.until_ms);
    }
    if (remote && !remote->enabled)
        *state = "off";
    json_object_set_new(json, "state", json_string(*state));
    leaf_clear(&leaf);
    return json;
}

static const char *remark_of(const struct certificate_work *w, const char *state)
{
    if (w->args->action == ACTION_CHECK)
        return strcmp(state, "good") == 0         ? "of amtd's CA, and good"
               : strcmp(state, "due") == 0        ? "of amtd's CA, and due to be renewed"
               : strcmp(state, "foreign") == 0    ? "not of amtd's CA"
               : strcmp(state, "unfinished") == 0 ? "a renewal was broken off: renew it again"
                                                  : "TLS is off";
    if (w->args->action == ACTION_REMOVE)
        return w->seq.changed ? "TLS is off, and the certificate removed" : "TLS was off";
    if (seq_action(w) == CERTIFICATE_LOOK)
        return "it has no certificate of amtd's: nothing to renew";
    if (w->seq.changed)
        return certificate_old_roots(&w->seq) > 0
                   ? "the new certificate is in use, and proved; an old root stays until it is not needed"
                   : "the new certificate is in use, and proved";
    return w->seq.removed > 0 ? "its certificate is good; what was left of former ones is removed"
                              : "its certificate is good: left alone";
}

static void certificate_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct certificate_work *w = work;
    const struct certificate_object *bound = certificate_bound(&w->seq);
    char *pin, roots[24];
    const char *state;

    if (w->seq.setting_count == 0)
        return;
    finding->detail = describe(w, bound, &state);
    pairs_set(&finding->facts, "tls.certificate", state);
    snprintf(roots, sizeof(roots), "%zu", certificate_old_roots(&w->seq));
    if (certificate_old_roots(&w->seq) > 0 || pairs_get(&w->host->facts, "tls.old-roots"))
        pairs_set(&finding->facts, "tls.old-roots", roots);
    if (!failure)
        finding->remark = remark_of(w, state);
    if (w->seq.clock_was_set)
        pairs_set(&finding->facts, "clock.off", "0");
    if (w->seq.proved && bound) {
        pin = pin_of(bound->der.p, bound->der.len);
        finding->kept = pin ? xasprintf("+%s", pin) : NULL;
        free(pin);
    } else if (!failure && w->args->action == ACTION_REMOVE) {
        finding->kept = xstrdup("-");
    }
}

static void certificate_drop(void *work)
{
    struct certificate_work *w = work;

    certificate_proof_cancel(w->proof);
    if (w->errand)
        w->errand->work = NULL;
    certificate_seq_clear(&w->seq);
    for (size_t i = 0; i < w->authority_count; i++)
        buf_free(&w->authorities[i]);
    for (size_t i = 0; i < w->former_count; i++)
        buf_free(&w->former[i]);
    json_decref(w->before);
    free(w->proven);
    free(w->next);
    free(w->replaces);
}

/* --- in the store --- */

static int admit_run(struct tx *tx, const void *args, const struct hosts *hosts, struct err *err)
{
    (void)hosts;
    return ((const struct certificate_args *)args)->action == ACTION_ISSUE
               ? tx_authority_need(tx, clock_wall(clock_system()), err)
               : 0;
}

static int admit(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                 char **known, struct err *err)
{
    (void)args;
    (void)run;
    return tx_certificate_known(tx, host->id, known, err);
}

/* Which keys were there, what TLS had, and whether it is to be mutual: who finishes a broken-off attempt
 * tells by it what is its own. */
static void *certificate_journal(const void *work)
{
    struct certificate_work *w = (struct certificate_work *)work;
    const struct certificate_object *bound = certificate_bound(&w->seq);
    json_t *keys = json_array(), *json;
    char *text;

    if (seq_action(w) != CERTIFICATE_INSTALL) {
        json_decref(keys);
        return NULL;
    }
    for (size_t i = 0; i < w->seq.keys.count; i++) {
        char *hash = hash_of(w->seq.keys.items[i].der.p, w->seq.keys.items[i].der.len);

        json_array_append_new(keys, json_string(hash));
        free(hash);
    }
    if (bound && !w->replaces)
        w->replaces = pin_of(bound->der.p, bound->der.len);
    json = json_pack("{s:o, s:s*, s:b}", "keys", keys, "replaces", w->replaces, "mutual",
                     (int)certificate_mutual(&w->seq));
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static int note(struct tx *tx, const struct operation *operation, const void *journal, struct err *err)
{
    return tx_certificate_begin(tx, operation->host_id, journal, operation->run_id,
                                clock_wall(clock_system()), err);
}

static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    (void)args;
    (void)run;
    if (!kept)
        return 0;
    return kept[0] == '+' ? tx_certificate_settle(tx, operation->host_id, kept + 1, operation->ended_ms, err)
                          : tx_certificate_give_up(tx, operation->host_id, operation->ended_ms, err);
}

static const struct task_keeping certificate_keeping = {
    .admit_run = admit_run,
    .admit = admit,
    .know = certificate_know,
    .journal = certificate_journal,
    .note = note,
    .forget = free,
    .settle = settle,
};

const struct task task_certificate = {
    .name = "certificate",
    .args_size = sizeof(struct certificate_args),
    .work_size = sizeof(struct certificate_work),
    .parse = certificate_parse,
    .changes = certificate_changes,
    .careful = certificate_changes,
    .budget_ms = certificate_budget,
    .init = certificate_init,
    .login = certificate_login,
    .pause = certificate_pause,
    .find = certificate_find,
    .drop = certificate_drop,
    .would = certificate_would,
    .administers = true,
    .keeping = &certificate_keeping,
};

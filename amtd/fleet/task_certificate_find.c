/* What came of it: the device's certificate as JSON, facts and a remark. */
#include "amtd/fleet/task_certificate_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/peer/authority.h"
#include "base/clock.h"
#include "base/xalloc.h"

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
                     (int)certificate_is_ours(w, c->der.p, c->der.len, &which), "used",
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

    if (w->args->action == CERTIFICATE_DO_CHECK)
        json_object_set_new(json, "held", describe_all(w, bound));
    *state = "none";
    if (bound && leaf_read(&leaf, bound->der.p, bound->der.len, NULL) == 0) {
        bool unfinished = w->next && !certificate_same(leaf.pin, w->proven);

        *state = bound->kind == CERTIFICATE_FOREIGN                      ? "foreign"
                 : bound->kind == CERTIFICATE_FORMER                     ? "due"
                 : unfinished && w->args->action == CERTIFICATE_DO_CHECK ? "unfinished"
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
    if (w->args->action == CERTIFICATE_DO_CHECK)
        return strcmp(state, "good") == 0         ? "of amtd's CA, and good"
               : strcmp(state, "due") == 0        ? "of amtd's CA, and due to be renewed"
               : strcmp(state, "foreign") == 0    ? "not of amtd's CA"
               : strcmp(state, "unfinished") == 0 ? "a renewal was broken off: renew it again"
                                                  : "TLS is off";
    if (w->args->action == CERTIFICATE_DO_REMOVE)
        return w->seq.changed ? "TLS is off, and the certificate removed" : "TLS was off";
    if (certificate_work_action(w) == CERTIFICATE_LOOK)
        return "it has no certificate of amtd's: nothing to renew";
    if (w->seq.changed)
        return certificate_old_roots(&w->seq) > 0
                   ? "the new certificate is in use, and proved; an old root stays until it is not needed"
                   : "the new certificate is in use, and proved";
    return w->seq.removed > 0 ? "its certificate is good; what was left of former ones is removed"
                              : "its certificate is good: left alone";
}

void certificate_work_find(const void *work, const struct err *failure, struct finding *finding)
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
        pin = certificate_pin(bound->der.p, bound->der.len);
        finding->kept = pin ? xasprintf("+%s", pin) : NULL;
        free(pin);
    } else if (!failure && w->args->action == CERTIFICATE_DO_REMOVE) {
        finding->kept = xstrdup("-");
    }
}

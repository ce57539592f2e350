/* Where the sequence goes next, by what the device has: no exchange, only looking and deciding. */
#include <stdio.h>
#include <string.h>

#include "wsman/device_certificate_internal.h"

struct certificate_object *certificate_find(struct certificate_objects *all, const char *id)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].id, id) == 0)
            return &all->items[i];
    return NULL;
}

static struct certificate_object *key_of(struct certificate_seq *cs, const struct certificate_object *c)
{
    for (size_t i = 0; i < cs->keys.count; i++) {
        struct certificate_object *key = &cs->keys.items[i];

        if (c->key.len > 0 && c->key.len == key->der.len && memcmp(c->key.p, key->der.p, c->key.len) == 0)
            return key;
    }
    return NULL;
}

static bool has_certificate(struct certificate_seq *cs, const struct certificate_object *key)
{
    for (size_t i = 0; i < cs->certificates.count; i++)
        if (key_of(cs, &cs->certificates.items[i]) == key)
            return true;
    return false;
}

const struct certificate_object *certificate_bound(const struct certificate_seq *cs)
{
    return cs->bound[0] ? certificate_find((struct certificate_objects *)&cs->certificates, cs->bound) : NULL;
}

const struct certificate_setting *certificate_remote(const struct certificate_seq *cs)
{
    for (size_t i = 0; i < cs->setting_count; i++)
        if (strstr(cs->settings[i].id, "802.3"))
            return &cs->settings[i];
    return NULL;
}

struct certificate_object *certificate_fit(struct certificate_seq *cs)
{
    struct certificate_object *bound = cs->bound[0] ? certificate_find(&cs->certificates, cs->bound) : NULL;

    if (bound && bound->kind == CERTIFICATE_FIT)
        return bound;
    for (size_t i = 0; i < cs->certificates.count; i++) {
        struct certificate_object *c = &cs->certificates.items[i];

        if (c->kind == CERTIFICATE_FIT && !c->root && key_of(cs, c))
            return c;
    }
    return NULL;
}

bool certificate_switched(enum certificate_switch how, bool now)
{
    return how == CERTIFICATE_KEEP ? now : how == CERTIFICATE_ON;
}

struct certificate_setting certificate_wanted(const struct certificate_seq *cs,
                                              const struct certificate_setting *now)
{
    const struct certificate_request *r = &cs->request;
    struct certificate_setting s = *now;

    s.enabled = r->action == CERTIFICATE_INSTALL;
    if (!s.enabled || now != certificate_remote(cs))
        return s;
    s.mutual = !cs->opened && certificate_wants_mutual(cs, now);
    s.accept_plain =
        !now->no_plain && certificate_switched(r->plain, now->enabled ? now->accept_plain : true);
    return s;
}

static bool setting_differs(const struct certificate_seq *cs, const struct certificate_setting *now)
{
    struct certificate_setting s = certificate_wanted(cs, now);

    return !now->spoilt &&
           (s.enabled != now->enabled || s.mutual != now->mutual || s.accept_plain != now->accept_plain);
}

bool certificate_next_setting(struct certificate_seq *cs)
{
    for (cs->at = 0; cs->at < cs->setting_count; cs->at++)
        if (setting_differs(cs, &cs->settings[cs->at]))
            return true;
    return false;
}

/* A key of an earlier sequence, which did not come to its certificate. */
static bool take_spare_key(struct certificate_seq *cs)
{
    for (size_t i = 0; i < cs->keys.count; i++) {
        const struct certificate_object *key = &cs->keys.items[i];

        if (has_certificate(cs, key) || !cs->request.owns_key(cs->request.arg, key->der.p, key->der.len))
            continue;
        buf_reset(&cs->public_key);
        buf_add(&cs->public_key, key->der.p, key->der.len);
        snprintf(cs->key_id, sizeof(cs->key_id), "%s", key->id);
        cs->have_key = true;
        return true;
    }
    return false;
}

/* What is not needed any more gets its mark: certificates that were replaced, and their keys. */
static void mark_leftovers(struct certificate_seq *cs, const struct certificate_object *keep)
{
    for (size_t i = 0; i < cs->certificates.count; i++) {
        struct certificate_object *c = &cs->certificates.items[i];
        struct certificate_object *key = key_of(cs, c);
        bool was_ours =
            c->kind != CERTIFICATE_FOREIGN || cs->request.replaced(cs->request.arg, c->der.p, c->der.len);

        if (c == keep || c->root || c->read_only || c->elsewhere || !was_ours)
            continue;
        c->leftover = true;
        if (key && (!keep || key != key_of(cs, keep)))
            key->leftover = true;
    }
    for (size_t i = 0; i < cs->keys.count; i++) {
        struct certificate_object *key = &cs->keys.items[i];

        if (!has_certificate(cs, key) && cs->request.owns_key(cs->request.arg, key->der.p, key->der.len))
            key->leftover = true;
    }
    cs->cleaned = true;
}

static bool next_leftover(struct certificate_seq *cs, struct certificate_objects *all)
{
    for (cs->at = 0; cs->at < all->count; cs->at++)
        if (all->items[cs->at].leftover)
            return true;
    return false;
}

static int decide_cleaning(struct certificate_seq *cs, const struct certificate_object *keep)
{
    if (!cs->cleaned)
        mark_leftovers(cs, keep);
    if (next_leftover(cs, &cs->certificates))
        return CERTIFICATE_STEP_DROP_CERTIFICATE;
    if (next_leftover(cs, &cs->keys))
        return CERTIFICATE_STEP_DROP_KEY;
    return SEQ_DONE;
}

static int decide_install(struct certificate_seq *cs)
{
    struct certificate_object *leaf = certificate_fit(cs);
    int step;

    if (!cs->clock_known)
        return CERTIFICATE_STEP_CLOCK;
    if (!leaf && cs->leaf.len > 0)
        return CERTIFICATE_STEP_ADD;
    if (!leaf && !cs->have_key && !take_spare_key(cs))
        return cs->pushing ? CERTIFICATE_STEP_ADD_KEY : CERTIFICATE_STEP_GENERATE;
    if (!leaf)
        return CERTIFICATE_STEP_REQUEST;
    if ((step = certificate_decide_roots(cs)) != SEQ_DONE)
        return step;
    if (strcmp(cs->bound, leaf->id) != 0)
        return CERTIFICATE_STEP_BIND;
    if (certificate_next_setting(cs))
        return CERTIFICATE_STEP_PUT;
    if (cs->commit_due && !cs->committed)
        return CERTIFICATE_STEP_COMMIT;
    if (!cs->proved) {
        buf_reset(&cs->leaf);
        buf_add(&cs->leaf, leaf->der.p, leaf->der.len);
        return CERTIFICATE_STEP_PROVE;
    }
    return decide_cleaning(cs, leaf);
}

static int decide_removal(struct certificate_seq *cs)
{
    int step;

    if (certificate_next_setting(cs))
        return CERTIFICATE_STEP_PUT;
    if (cs->commit_due && !cs->committed)
        return CERTIFICATE_STEP_COMMIT;
    if (cs->bound[0])
        return CERTIFICATE_STEP_UNBIND;
    cs->may_drop = true;
    step = certificate_decide_roots(cs);
    return step != SEQ_DONE ? step : decide_cleaning(cs, NULL);
}

int certificate_decide(struct certificate_seq *cs, struct err *err)
{
    const struct certificate_setting *remote = certificate_remote(cs);
    int step;

    if (cs->request.action == CERTIFICATE_LOOK)
        return SEQ_DONE;
    if (!remote) {
        err_set(err, CAUSE_UNSUPPORTED, "the device has no settings of TLS");
        return SEQ_FAIL;
    }
    if (cs->request.action == CERTIFICATE_REMOVE && remote->no_plain) {
        err_set(err, CAUSE_UNSUPPORTED, "this firmware has no ports without TLS");
        return SEQ_FAIL;
    }
    step = cs->request.action == CERTIFICATE_INSTALL ? decide_install(cs) : decide_removal(cs);
    if (step != SEQ_DONE || cs->no_root.cause == CAUSE_NONE)
        return step;
    *err = cs->no_root;
    return SEQ_FAIL;
}

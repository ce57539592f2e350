/* What amtd knows of its CAs and of a host's certificates before it looks at the device: from the store. */
#include "amtd/fleet/task_certificate_internal.h"

#include <string.h>

#include "amtd/store/certificates.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

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

void certificate_work_know(void *work, const char *known)
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

#include "wsman/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/names.h"
#include "wsman/request_internal.h"

#define TREE_DEPTH_MAX 8 /* embedded instances within a property */

static const char *const verbs[] = {
    [WSMAN_IDENTIFY] = "Identify",
    [WSMAN_GET] = "Get",
    [WSMAN_PUT] = "Put",
    [WSMAN_CREATE] = "Create",
    [WSMAN_DELETE] = "Delete",
    [WSMAN_ENUMERATE] = "Enumerate",
    [WSMAN_INVOKE] = "Invoke",
    [WSMAN_SUBSCRIBE] = "Subscribe",
    [WSMAN_UNSUBSCRIBE] = "Unsubscribe",
};

struct wsman_request *wsman_request_new(enum wsman_verb verb, const char *class_name, const char *method)
{
    const char *first = class_name ? class_name : "", *second = method ? method : "";
    size_t first_size = strlen(first) + 1, second_size = strlen(second) + 1;
    size_t name_size = strlen(verbs[verb]) + first_size + second_size;
    struct wsman_request *rq = xcalloc(1, sizeof(*rq) + first_size + second_size + name_size);
    char *name = rq->texts + first_size + second_size;

    rq->verb = verb;
    rq->class_name = memcpy(rq->texts, first, first_size);
    rq->method = memcpy(rq->texts + first_size, second, second_size);
    rq->name = name;
    if (verb != WSMAN_INVOKE)
        name = stpcpy(name, verbs[verb]);
    if (verb != WSMAN_INVOKE && first[0])
        *name++ = ' ';
    name = stpcpy(name, first);
    if (verb == WSMAN_INVOKE)
        stpcpy(stpcpy(name, "."), second);
    return rq;
}

static void parts_free(struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].kind == PART_SECRET)
            secret_wipe(parts[i].value, strlen(parts[i].value));
        parts_free(parts[i].parts, parts[i].count);
        free(parts[i].name);
        free(parts[i].value);
        free(parts[i].ns);
    }
    free(parts);
}

void wsman_request_free(struct wsman_request *rq)
{
    if (!rq)
        return;
    parts_free(rq->selectors, rq->selector_count);
    parts_free(rq->parts, rq->count);
    if (rq->delivery.password)
        secret_wipe((char *)rq->delivery.password, strlen(rq->delivery.password));
    free((char *)rq->delivery.password);
    free((char *)rq->delivery.user);
    free((char *)rq->delivery.url);
    free((char *)rq->delivery.arg);
    free(rq);
}

enum wsman_verb wsman_request_verb(const struct wsman_request *rq)
{
    return rq->verb;
}

const char *wsman_request_class(const struct wsman_request *rq)
{
    return rq->class_name;
}

const char *wsman_request_method(const struct wsman_request *rq)
{
    return rq->method;
}

const char *wsman_request_name(const struct wsman_request *rq)
{
    return rq->name;
}

/* --- parts --- */

static struct part *append(struct part **parts, size_t *count, enum part_kind kind, const char *name,
                           const char *value)
{
    struct part *part;

    *parts = xreallocarray(*parts, *count + 1, sizeof(**parts));
    part = &(*parts)[(*count)++];
    memset(part, 0, sizeof(*part));
    part->kind = kind;
    part->name = xstrdup(name);
    part->value = xstrdup(value);
    return part;
}

static void append_epr(struct part **parts, size_t *count, const char *name, const char *class_name,
                       const struct wsman_selector *selectors)
{
    struct part *part = append(parts, count, PART_EPR, name, class_name);

    for (; selectors && selectors->name; selectors++)
        append(&part->parts, &part->count, PART_TEXT, selectors->name, selectors->value);
}

void wsman_select(struct wsman_request *rq, const char *name, const char *value)
{
    append(&rq->selectors, &rq->selector_count, PART_TEXT, name, value);
}

void wsman_select_epr(struct wsman_request *rq, const char *name, const char *class_name,
                      const struct wsman_selector *selectors)
{
    append_epr(&rq->selectors, &rq->selector_count, name, class_name, selectors);
}

void wsman_add_str(struct wsman_request *rq, const char *name, const char *value)
{
    append(&rq->parts, &rq->count, PART_TEXT, name, value);
}

void wsman_add_secret(struct wsman_request *rq, const char *name, const char *value)
{
    append(&rq->parts, &rq->count, PART_SECRET, name, value);
}

void wsman_add_u32(struct wsman_request *rq, const char *name, uint32_t value)
{
    char text[12];

    snprintf(text, sizeof(text), "%u", value);
    wsman_add_str(rq, name, text);
}

void wsman_add_bool(struct wsman_request *rq, const char *name, bool value)
{
    wsman_add_str(rq, name, value ? "true" : "false");
}

void wsman_add_base64(struct wsman_request *rq, const char *name, const void *p, size_t n)
{
    struct buf text = buf_init(WSMAN_ENVELOPE_MAX);

    text_base64(&text, p, n);
    wsman_add_str(rq, name, buf_str(&text));
    buf_free(&text);
}

void wsman_add_datetime(struct wsman_request *rq, const char *name, const char *value)
{
    append(&rq->parts, &rq->count, PART_DATETIME, name, value);
}

void wsman_add_epr(struct wsman_request *rq, const char *name, const char *class_name,
                   const struct wsman_selector *selectors)
{
    append_epr(&rq->parts, &rq->count, name, class_name, selectors);
}

/* --- read-modify-write --- */

static bool is_in(const char *name, const char *const list[])
{
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static void copy_epr(struct part *part, struct xml_doc *doc, struct xml_el parameters)
{
    struct xml_el uri = xml_child(parameters, NS_WSMAN, "ResourceURI");
    struct xml_el el = xml_child(xml_child(parameters, NS_WSMAN, "SelectorSet"), NS_WSMAN, "Selector");
    const char *text = xml_text(doc, uri);
    const char *slash = strrchr(text, '/');

    part->kind = PART_EPR;
    xreplace(&part->value, slash ? slash + 1 : text);
    for (; el.node; el = xml_next(el, NS_WSMAN, "Selector")) {
        const char *name = xml_attr(doc, el, "Name");

        append(&part->parts, &part->count, PART_TEXT, name ? name : "", xml_text(doc, el));
    }
}

/* One property as it was read: text, a wrapped time, a reference, or an embedded instance. */
static void copy_property(struct part **parts, size_t *count, struct xml_doc *doc, struct xml_el el,
                          int depth)
{
    struct part *part = append(parts, count, PART_TEXT, xml_name(el), xml_text(doc, el));
    struct xml_el inner = xml_child(el, NULL, NULL);

    if (!inner.node || depth == 0)
        return;
    if (xml_is(inner, NS_COMMON, NULL)) {
        part->kind = xml_is(inner, NS_COMMON, "Interval") ? PART_INTERVAL : PART_DATETIME;
        xreplace(&part->value, xml_text(doc, inner));
    } else if (xml_child(el, NS_ADDRESSING, "ReferenceParameters").node) {
        copy_epr(part, doc, xml_child(el, NS_ADDRESSING, "ReferenceParameters"));
    } else {
        part->kind = PART_TREE;
        part->ns = strcmp(xml_ns(inner), xml_ns(el)) != 0 ? xstrdup(xml_ns(inner)) : NULL;
        for (; inner.node; inner = xml_next(inner, NULL, NULL))
            copy_property(&part->parts, &part->count, doc, inner, depth - 1);
    }
}

void wsman_add_instance(struct wsman_request *rq, struct xml_doc *doc, struct xml_el instance,
                        const char *const drop[])
{
    struct xml_el el = xml_child(instance, NULL, NULL);

    for (; el.node; el = xml_next(el, NULL, NULL))
        if (!is_in(xml_name(el), drop))
            copy_property(&rq->parts, &rq->count, doc, el, TREE_DEPTH_MAX);
}

static struct part *find(const struct wsman_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->count; i++)
        if (strcmp(rq->parts[i].name, name) == 0)
            return &rq->parts[i];
    return NULL;
}

bool wsman_has(const struct wsman_request *rq, const char *name)
{
    return find(rq, name) != NULL;
}

bool wsman_replace_str(struct wsman_request *rq, const char *name, const char *value)
{
    struct part *part = find(rq, name);

    if (!part)
        return false;
    parts_free(part->parts, part->count);
    part->parts = NULL;
    part->count = 0;
    part->kind = PART_TEXT;
    xreplace(&part->value, value);
    return true;
}

bool wsman_replace_bool(struct wsman_request *rq, const char *name, bool value)
{
    return wsman_replace_str(rq, name, value ? "true" : "false");
}

bool wsman_replace_u32(struct wsman_request *rq, const char *name, uint32_t value)
{
    char text[12];

    snprintf(text, sizeof(text), "%u", value);
    return wsman_replace_str(rq, name, text);
}

void wsman_set_delivery(struct wsman_request *rq, const struct wsman_delivery *delivery)
{
    rq->delivery.ack = delivery->ack;
    rq->delivery.url = xstrdup(delivery->url);
    rq->delivery.arg = xstrdup(delivery->arg);
    rq->delivery.user = xstrdup(delivery->user);
    rq->delivery.password = xstrdup(delivery->password);
}

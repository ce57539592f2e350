#include "wsman/value.h"

#include <string.h>

#include "base/text.h"
#include "wsman/names.h"

const char *wsman_obj_class(struct wsman_obj obj)
{
    return xml_name(obj.el);
}

bool wsman_obj_is(struct wsman_obj obj, const char *class_name)
{
    return obj.el.node && strcmp(xml_name(obj.el), class_name) == 0;
}

/* A property stands in the namespace of its class, which is also that of the instance. */
static struct xml_el property(struct wsman_obj obj, const char *name)
{
    return xml_child(obj.el, xml_ns(obj.el), name);
}

static struct xml_el property_at(struct wsman_obj obj, const char *name, size_t i)
{
    struct xml_el el = property(obj, name);

    while (el.node && i-- > 0)
        el = xml_next(el, xml_ns(obj.el), name);
    return el;
}

const char *wsman_str(struct wsman_obj obj, const char *name)
{
    struct xml_el el = property(obj, name);

    return el.node ? xml_text(obj.doc, el) : NULL;
}

const char *wsman_str_at(struct wsman_obj obj, const char *name, size_t i)
{
    struct xml_el el = property_at(obj, name, i);

    return el.node ? xml_text(obj.doc, el) : NULL;
}

bool wsman_u64(struct wsman_obj obj, const char *name, uint64_t *out)
{
    return text_u64(wsman_str(obj, name), 0, UINT64_MAX, out);
}

bool wsman_u32(struct wsman_obj obj, const char *name, uint32_t *out)
{
    uint64_t value;

    if (!text_u64(wsman_str(obj, name), 0, UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool wsman_bool(struct wsman_obj obj, const char *name, bool *out)
{
    const char *text = wsman_str(obj, name);

    if (!text)
        return false;
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
        *out = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
        *out = false;
    else
        return false;
    return true;
}

bool wsman_base64(struct wsman_obj obj, const char *name, struct buf *out)
{
    const char *text = wsman_str(obj, name);

    return text && text_base64_decode(out, text, strlen(text));
}

const char *wsman_datetime(struct wsman_obj obj, const char *name)
{
    struct xml_el el = xml_child(property(obj, name), NS_COMMON, NULL);

    return el.node ? xml_text(obj.doc, el) : NULL;
}

size_t wsman_u32_array(struct wsman_obj obj, const char *name, uint32_t *out, size_t max)
{
    size_t count = 0;

    for (struct xml_el el = property(obj, name); el.node && count < max;
         el = xml_next(el, xml_ns(obj.el), name)) {
        uint64_t value;

        if (text_u64(xml_text(obj.doc, el), 0, UINT32_MAX, &value))
            out[count++] = (uint32_t)value;
    }
    return count;
}

/* --- endpoint references --- */

static struct xml_el parameters(struct wsman_obj obj, const char *name)
{
    return xml_child(property(obj, name), NS_ADDRESSING, "ReferenceParameters");
}

const char *wsman_epr_class(struct wsman_obj obj, const char *name)
{
    struct xml_el uri = xml_child(parameters(obj, name), NS_WSMAN, "ResourceURI");
    const char *text = uri.node ? xml_text(obj.doc, uri) : NULL;
    const char *slash = text ? strrchr(text, '/') : NULL;

    return slash ? slash + 1 : text;
}

const char *wsman_epr_selector(struct wsman_obj obj, const char *name, const char *selector)
{
    struct xml_el set = xml_child(parameters(obj, name), NS_WSMAN, "SelectorSet");
    struct xml_el el = xml_child(set, NS_WSMAN, "Selector");

    for (; el.node; el = xml_next(el, NS_WSMAN, "Selector")) {
        const char *attr = xml_attr(obj.doc, el, "Name");

        if (attr && strcmp(attr, selector) == 0)
            return xml_text(obj.doc, el);
    }
    return NULL;
}

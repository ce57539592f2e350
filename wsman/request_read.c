/* What a request was given, for those that put it in other words. */
#include <string.h>

#include "base/text.h"
#include "wsman/request_internal.h"

static const struct part *find(const struct part *parts, size_t count, const char *name, size_t at)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].name, name) == 0 && at-- == 0)
            return &parts[i];
    return NULL;
}

static const char *text_of(const struct part *part)
{
    return part && part->kind != PART_EPR && part->kind != PART_TREE ? part->value : NULL;
}

static const char *inner(const struct part *part, const char *selector)
{
    return part && part->kind == PART_EPR ? text_of(find(part->parts, part->count, selector, 0)) : NULL;
}

const char *wsman_request_text(const struct wsman_request *rq, const char *name, size_t i)
{
    return text_of(find(rq->parts, rq->count, name, i));
}

bool wsman_request_u32(const struct wsman_request *rq, const char *name, uint32_t *out)
{
    uint64_t value;

    if (!text_u64(wsman_request_text(rq, name, 0), 0, UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool wsman_request_bool(const struct wsman_request *rq, const char *name, bool *out)
{
    const char *text = wsman_request_text(rq, name, 0);

    if (!text)
        return false;
    *out = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return true;
}

const char *wsman_request_selector(const struct wsman_request *rq, const char *name)
{
    return text_of(find(rq->selectors, rq->selector_count, name, 0));
}

const char *wsman_request_reference(const struct wsman_request *rq, const char *name, const char *selector)
{
    return inner(find(rq->parts, rq->count, name, 0), selector);
}

const char *wsman_request_selected(const struct wsman_request *rq, const char *name, const char *selector)
{
    return inner(find(rq->selectors, rq->selector_count, name, 0), selector);
}

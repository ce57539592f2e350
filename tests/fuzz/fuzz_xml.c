#include <stdint.h>

#include "base/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct xml_doc *doc, struct xml_el el)
{
    for (; el.node; el = xml_next(el, NULL, NULL)) {
        (void)xml_text(doc, el);
        (void)xml_attr(doc, el, "Name");
        (void)xml_ns(el);
        walk(doc, xml_child(el, NULL, NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct xml_doc *doc = xml_parse(data, size, 65536, "input", &err);

    if (doc)
        walk(doc, xml_root(doc));
    xml_free(doc);
    return 0;
}

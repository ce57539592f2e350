/* XML from outside, hardened: no network, no DTD, no entities beyond the five of XML 1.0, capped in size and
 * depth.
 *
 * A document is parsed whole (libxml2) and read through borrowed element views; everything a view returns
 * lives as long as its document. Names match by namespace and local name, never by prefix. Not thread-safe
 * per document. */
#ifndef BASE_XML_H
#define BASE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define XML_DEPTH_MAX      64
#define XML_NAMESPACES_MAX 256 /* declared in an element and those around it; AMT's answers have ten */
#define XML_ATTRIBUTES_MAX 256 /* of an element, declarations included; in documents above 8 KiB */

struct xml_doc;
struct xml_el { /* a borrowed element; {NULL} is 'none', which every function accepts */
    const void *node;
};

/* Once per program, from the main thread, before any other use. */
void xml_library_init(void);

/* Parses n bytes, at most max. NULL and err (too-large, or bad-answer with line, column and the parser's
 * words; a DTD is an error of its own). `what` names the source in the error. Free with xml_free. */
struct xml_doc *xml_parse(const void *p, size_t n, size_t max, const char *what, struct err *err);
void xml_free(struct xml_doc *doc);

struct xml_el xml_root(const struct xml_doc *doc);
bool xml_is(struct xml_el el, const char *ns, const char *name); /* ns NULL: any namespace */
const char *xml_name(struct xml_el el);                          /* local name, "" for none */
const char *xml_ns(struct xml_el el);                            /* namespace URI, "" for none */
int xml_line(struct xml_el el);
/* First child element of that name; ns or name NULL match any. */
struct xml_el xml_child(struct xml_el el, const char *ns, const char *name);
/* Next sibling element of that name. */
struct xml_el xml_next(struct xml_el el, const char *ns, const char *name);
/* Text of the element (all its text nodes joined), "" when empty or none. Kept by the document. */
const char *xml_text(struct xml_doc *doc, struct xml_el el);
/* An attribute's value by local name in any namespace, or NULL. Kept by the document. */
const char *xml_attr(struct xml_doc *doc, struct xml_el el, const char *name);
/* One attribute after the other, in the order written: begin with {NULL}; false behind the last. The strings
 * are kept by the document. */
struct xml_attribute {
    const void *node;
    const char *name, *ns, *value; /* local name; namespace URI or "" */
};
bool xml_attr_next(struct xml_doc *doc, struct xml_el el, struct xml_attribute *at);
/* The comments that stand directly before the element, joined by line ends; "" for none. Kept by the
 * document. */
const char *xml_remark(struct xml_doc *doc, struct xml_el el);

/* Appends text with & < > " ' escaped; bytes that XML 1.0 cannot carry become U+FFFD. */
void xml_escape(struct buf *out, const char *s);

#endif

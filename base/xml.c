#include "base/xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

/* Text that had to be put together lives as long as the document. */
struct kept {
    struct kept *next;
    xmlChar *text;
};

struct xml_doc {
    xmlDocPtr doc;
    struct kept *kept;
};

/* What the parser's call-backs share through ctxt->_private. */
struct watch {
    int depth;
    bool too_deep;
    bool dtd;
    startElementNsSAX2Func start;
    endElementNsSAX2Func end;
};

void xml_library_init(void)
{
    xmlInitParser();
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ns_count,
                     const xmlChar **namespaces, int attributes, int defaulted, const xmlChar **values)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct watch *watch = ctxt->_private;

    if (++watch->depth > XML_DEPTH_MAX) {
        watch->too_deep = true;
        xmlStopParser(ctxt);
        return;
    }
    watch->start(ctx, name, prefix, uri, ns_count, namespaces, attributes, defaulted, values);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct watch *watch = ctxt->_private;

    watch->depth--;
    watch->end(ctx, name, prefix, uri);
}

/* No document type at all: with it go entities, defaulted attributes and everything fetched. */
static void on_dtd(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct watch *watch = ctxt->_private;

    (void)name;
    (void)external;
    (void)system;
    watch->dtd = true;
    xmlStopParser(ctxt);
}

/* The parser's words are read from the context afterwards; nothing is printed. */
static void on_error(void *ctx, xmlErrorPtr error)
{
    (void)ctx;
    (void)error;
}

static void explain(const struct watch *watch, const xmlError *error, const char *what, struct err *err)
{
    int n = error && error->message ? (int)strcspn(error->message, "\n") : 0;

    if (watch->dtd)
        err_set(err, CAUSE_BAD_ANSWER, "%s: XML with a document type is refused", what);
    else if (watch->too_deep)
        err_set(err, CAUSE_TOO_LARGE, "%s: XML nested deeper than %d elements", what, XML_DEPTH_MAX);
    else if (n > 0)
        err_set(err, CAUSE_BAD_ANSWER, "%s: XML, line %d, column %d: %.*s", what, error->line, error->int2, n,
                error->message);
    else
        err_set(err, CAUSE_BAD_ANSWER, "%s: no XML", what);
}

struct xml_doc *xml_parse(const void *p, size_t n, size_t max, const char *what, struct err *err)
{
    struct watch watch = {0};
    xmlParserCtxtPtr ctxt;
    struct xml_doc *doc = NULL;
    xmlDocPtr tree;

    if (n > max || n > INT32_MAX) {
        err_set(err, CAUSE_TOO_LARGE, "%s: %zu bytes of XML, at most %zu are read", what, n, max);
        return NULL;
    }
    ctxt = xmlNewParserCtxt();
    if (!ctxt) {
        err_set(err, CAUSE_SYSTEM, "no memory for XML");
        return NULL;
    }
    watch.start = ctxt->sax->startElementNs;
    watch.end = ctxt->sax->endElementNs;
    ctxt->sax->startElementNs = on_start;
    ctxt->sax->endElementNs = on_end;
    ctxt->sax->internalSubset = on_dtd;
    ctxt->sax->serror = on_error;
    ctxt->_private = &watch;
    tree = xmlCtxtReadMemory(ctxt, p, (int)n, NULL, NULL,
                             XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
    if (tree && ctxt->wellFormed && !watch.dtd && !watch.too_deep && xmlDocGetRootElement(tree)) {
        doc = xcalloc(1, sizeof(*doc));
        doc->doc = tree;
    } else {
        explain(&watch, xmlCtxtGetLastError(ctxt), what, err);
        xmlFreeDoc(tree);
    }
    xmlFreeParserCtxt(ctxt);
    return doc;
}

void xml_free(struct xml_doc *doc)
{
    struct kept *kept, *next;

    if (!doc)
        return;
    for (kept = doc->kept; kept; kept = next) {
        next = kept->next;
        xmlFree(kept->text);
        free(kept);
    }
    xmlFreeDoc(doc->doc);
    free(doc);
}

/* --- views --- */

static const xmlNode *node_of(struct xml_el el)
{
    return el.node;
}

struct xml_el xml_root(const struct xml_doc *doc)
{
    struct xml_el el = {doc ? xmlDocGetRootElement(doc->doc) : NULL};

    return el;
}

const char *xml_name(struct xml_el el)
{
    return el.node ? (const char *)node_of(el)->name : "";
}

const char *xml_ns(struct xml_el el)
{
    return el.node && node_of(el)->ns ? (const char *)node_of(el)->ns->href : "";
}

int xml_line(struct xml_el el)
{
    return el.node ? (int)xmlGetLineNo(node_of(el)) : 0;
}

bool xml_is(struct xml_el el, const char *ns, const char *name)
{
    return el.node && (!name || strcmp(xml_name(el), name) == 0) && (!ns || strcmp(xml_ns(el), ns) == 0);
}

static struct xml_el first_from(const xmlNode *node, const char *ns, const char *name)
{
    struct xml_el el = {NULL};

    for (; node; node = node->next) {
        struct xml_el candidate = {node};

        if (node->type == XML_ELEMENT_NODE && xml_is(candidate, ns, name))
            return candidate;
    }
    return el;
}

struct xml_el xml_child(struct xml_el el, const char *ns, const char *name)
{
    return first_from(el.node ? node_of(el)->children : NULL, ns, name);
}

struct xml_el xml_next(struct xml_el el, const char *ns, const char *name)
{
    return first_from(el.node ? node_of(el)->next : NULL, ns, name);
}

static const char *keep(struct xml_doc *doc, xmlChar *text)
{
    struct kept *kept = xcalloc(1, sizeof(*kept));

    kept->text = text;
    kept->next = doc->kept;
    doc->kept = kept;
    return text ? (const char *)text : "";
}

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

const char *xml_text(struct xml_doc *doc, struct xml_el el)
{
    const xmlNode *child = el.node ? node_of(el)->children : NULL;
    struct buf joined = buf_init(SIZE_MAX / 4);
    xmlChar *text;

    if (!child)
        return "";
    if (!child->next && is_text(child))
        return child->content ? (const char *)child->content : "";
    for (; child; child = child->next)
        if (is_text(child) && child->content)
            buf_puts(&joined, (const char *)child->content);
    text = xmlStrdup((const xmlChar *)buf_str(&joined));
    buf_free(&joined);
    return keep(doc, text);
}

static const char *attr_value(struct xml_doc *doc, const xmlAttr *attr)
{
    if (!attr->children)
        return "";
    if (!attr->children->next && is_text(attr->children))
        return (const char *)attr->children->content;
    return keep(doc, xmlNodeListGetString(doc->doc, attr->children, 1));
}

const char *xml_attr(struct xml_doc *doc, struct xml_el el, const char *name)
{
    const xmlAttr *attr = el.node ? node_of(el)->properties : NULL;

    for (; attr; attr = attr->next)
        if (strcmp((const char *)attr->name, name) == 0)
            return attr_value(doc, attr);
    return NULL;
}

bool xml_attr_next(struct xml_doc *doc, struct xml_el el, struct xml_attribute *at)
{
    const xmlAttr *attr = at->node;

    attr = attr ? attr->next : el.node ? node_of(el)->properties : NULL;
    *at = (struct xml_attribute){attr};
    if (!attr)
        return false;
    at->name = (const char *)attr->name;
    at->ns = attr->ns ? (const char *)attr->ns->href : "";
    at->value = attr_value(doc, attr);
    return true;
}

const char *xml_remark(struct xml_doc *doc, struct xml_el el)
{
    const xmlNode *first = NULL, *node = el.node ? node_of(el)->prev : NULL;
    struct buf joined = buf_init(SIZE_MAX / 4);
    xmlChar *text;

    for (; node && node->type != XML_ELEMENT_NODE; node = node->prev)
        if (node->type == XML_COMMENT_NODE)
            first = node;
    if (!first)
        return "";
    for (node = first; node != el.node; node = node->next) {
        if (node->type != XML_COMMENT_NODE || !node->content)
            continue;
        if (joined.len > 0)
            buf_putc(&joined, '\n');
        buf_puts(&joined, (const char *)node->content);
    }
    text = xmlStrdup((const xmlChar *)buf_str(&joined));
    buf_free(&joined);
    return keep(doc, text);
}

/* --- writing --- */

void xml_escape(struct buf *out, const char *s)
{
    size_t n = strlen(s);
    bool whole = text_is_utf8(s, n);

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        switch (c) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        case '\'':
            buf_puts(out, "&apos;");
            break;
        default:
            if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x80 && !whole))
                buf_puts(out, "\xef\xbf\xbd");
            else
                buf_putc(out, (char)c);
        }
    }
}

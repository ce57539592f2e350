#include "base/xml.h"

#include <assert.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "base/xml_guard.h"

/* libxml2's own tree costs an allocation for every name, text and attribute, and as much again to free. The
 * parser's events go into a tree of ours instead, in a few blocks that are freed together. */

#define TREE_LIKELY ((size_t)4000)
#define BLOCK_USUAL ((size_t)16000) /* an answer of AMT and its tree, with room to spare */
#ifndef XML_SPARE_MOST              /* 0 where what is used after its end is to be found */
#define XML_SPARE_MOST 64           /* blocks */
#endif
#define NAMES_KEPT 2000 /* in the dictionary of a parser */
/* NOENT is about the five entities of XML itself, in attributes: on_dtd leaves no others. */
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOENT)

struct block {
    struct block *older;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

struct piece { /* of an element's text, between two children; or a comment */
    struct piece *next;
    size_t n;
    char bytes[]; /* ends with a NUL that n does not count */
};

struct attribute {
    struct attribute *next;
    const char *name; /* of the dictionary, or the end of a name there, as all names */
    const char *ns;   /* NULL: none */
    const char *value;
};

struct node {
    const char *name;
    const char *ns; /* NULL: none */
    struct node *next;
    struct node *child;
    struct piece *text;
    struct piece *remark; /* the comments directly before it */
    struct attribute *attributes;
    int line;
};

struct xml_doc {
    struct node *root;
    struct block *blocks; /* the newest first */
    xmlDictPtr dict;      /* holds the names */
};

struct open_element {
    struct node *node; /* NULL: the document */
    struct node *last_child;
    struct piece *last_piece;
    struct piece *remark, *last_remark; /* comments since the last child */
    size_t declared;                    /* namespaces, before it */
};

struct declaration {    /* of a namespace */
    const char *prefix; /* "" for the default one; of the dictionary */
    size_t prefix_length;
    const char *uri; /* "": taken back */
};

/* What the parser's call-backs share through ctxt->_private. */
struct build {
    struct xml_doc *doc;
    struct open_element open[XML_DEPTH_MAX + 1]; /* of which the first is the document */
    int depth;
    struct declaration declarations[XML_NAMESPACES_MAX]; /* in scope, the newest last */
    size_t declared;
    bool too_deep, too_many;
    bool dtd;
};

static void on_library_error(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
}

/* A few errors have no parser to belong to, those of converting bytes for one: they would be printed. */
void xml_library_init(void)
{
    xmlInitParser();
    xmlSetStructuredErrorFunc(NULL, on_library_error);
    xmlThrDefSetStructuredErrorFunc(NULL, on_library_error);
}

/* --- memory of a document --- */

static void *room_in(struct block *block, size_t n, size_t align)
{
    size_t at = (block->used + align - 1) / align * align;

    if (at > block->size || n > block->size - at)
        return NULL;
    block->used = at + n;
    return block->bytes + at;
}

/* Blocks of documents that have ended, of all threads: documents are often read by one and ended by another,
 * which malloc is slow at. */
static struct {
    pthread_mutex_t lock;
    struct block *blocks;
    size_t count;
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct block *take_spare(void)
{
    struct block *block;

    pthread_mutex_lock(&spare.lock);
    block = spare.blocks;
    if (block) {
        spare.blocks = block->older;
        spare.count--;
    }
    pthread_mutex_unlock(&spare.lock);
    return block;
}

static bool keep_spare(struct block *block)
{
    bool kept;

    pthread_mutex_lock(&spare.lock);
    kept = spare.count + 1 <= XML_SPARE_MOST;
    if (kept) {
        block->older = spare.blocks;
        spare.blocks = block;
        spare.count++;
    }
    pthread_mutex_unlock(&spare.lock);
    return kept;
}

/* size: at least. */
static struct block *block_new(struct block *older, size_t size)
{
    struct block *block = size <= BLOCK_USUAL ? take_spare() : NULL;

    if (size < BLOCK_USUAL)
        size = BLOCK_USUAL;
    if (!block)
        block = xmalloc(sizeof(*block) + size);
    *block = (struct block){.older = older, .size = size};
    return block;
}

static void block_free(struct block *block)
{
    if (block->size != BLOCK_USUAL || !keep_spare(block))
        free(block);
}

static void *take(struct xml_doc *doc, size_t n, size_t align)
{
    void *p = room_in(doc->blocks, n, align);

    if (p)
        return p;
    size_t size = doc->blocks->size * 2;
    doc->blocks = block_new(doc->blocks, size < n ? n : size);
    return room_in(doc->blocks, n, align);
}

static char *keep_text(struct xml_doc *doc, const void *p, size_t n)
{
    char *text = take(doc, n + 1, 1);

    memcpy(text, p, n);
    text[n] = '\0';
    return text;
}

/* Longer by n bytes, if nothing was kept since: the parser hands texts over in parts. */
static bool grow_piece(struct xml_doc *doc, struct piece *piece, const void *p, size_t n)
{
    struct block *block = doc->blocks;
    char *end = piece->bytes + piece->n + 1;

    if (end != block->bytes + block->used || n > block->size - block->used)
        return false;
    block->used += n;
    memcpy(end - 1, p, n);
    piece->n += n;
    piece->bytes[piece->n] = '\0';
    return true;
}

void xml_free(struct xml_doc *doc)
{
    if (!doc)
        return;
    xmlDictFree(doc->dict);
    for (struct block *block = doc->blocks, *older; block; block = older) {
        older = block->older;
        block_free(block); /* the oldest holds doc itself */
    }
}

/* --- namespaces --- */

/* libxml2 would parse each URI that is declared, for a warning, with every answer anew: declarations come as
 * the attributes they are, and which name is whose is settled here. */

struct name { /* as it stands in the document, in two */
    const char *prefix;
    size_t prefix_length; /* 0: none */
    const char *local;
};

/* A name begins with a letter; what else may follow a colon makes no local name. */
static bool begins_name(const char *text)
{
    unsigned char c = (unsigned char)*text;

    if (c < 0x80)
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return xmlValidateName((const xmlChar *)text, 0) == 0;
}

static struct name split_name(const xmlChar *text)
{
    const char *name = (const char *)text;
    const char *colon = strchr(name, ':');

    if (!colon || colon == name || !begins_name(colon + 1))
        return (struct name){name, 0, name};
    return (struct name){name, (size_t)(colon - name), colon + 1};
}

static bool has_prefix(const struct name *name, const char *prefix, size_t n)
{
    return name->prefix_length == n &&
           (n == 0 || (name->prefix[0] == prefix[0] && memcmp(name->prefix, prefix, n) == 0));
}

/* NULL: none. */
static const char *find_namespace(const struct build *build, const struct name *name)
{
    for (size_t i = build->declared; i-- > 0;)
        if (has_prefix(name, build->declarations[i].prefix, build->declarations[i].prefix_length))
            return build->declarations[i].uri[0] ? build->declarations[i].uri : NULL;
    return has_prefix(name, "xml", 3) ? (const char *)XML_XML_NAMESPACE : NULL; /* which nobody declares */
}

/* The prefix that an attribute declares, "" for the default namespace. NULL: it declares none. */
static const char *declared_prefix(const xmlChar *attribute)
{
    const char *name = (const char *)attribute;

    if (name[0] != 'x' || strncmp(name, "xmlns", 5) != 0)
        return NULL;
    if (name[5] == '\0')
        return "";
    return name[5] == ':' && begins_name(name + 6) ? name + 6 : NULL;
}

/* The two namespaces that XML itself has are not to be declared, and only the default one can be taken back.
 * What breaks these rules declares nothing. */
static void declare(struct build *build, const char *prefix, const char *uri)
{
    if (strcmp(prefix, "xml") == 0 || strcmp(prefix, "xmlns") == 0 ||
        strcmp(uri, (const char *)XML_XML_NAMESPACE) == 0 ||
        strcmp(uri, "http://www.w3.org/2000/xmlns/") == 0 || (prefix[0] && !uri[0]))
        return;
    if (build->declared == XML_NAMESPACES_MAX) {
        build->too_many = true;
        return;
    }
    build->declarations[build->declared++] =
        (struct declaration){prefix, strlen(prefix), keep_text(build->doc, uri, strlen(uri))};
}

/* --- what the parser calls --- */

/* A prefix that was never declared stays part of the name, so that nobody takes it for another. */
static const char *name_of(const struct name *name, const char *ns)
{
    return name->prefix_length > 0 && !ns ? name->prefix : name->local;
}

static void keep_attributes(struct build *build, struct node *node, const xmlChar **values)
{
    struct attribute **end = &node->attributes;

    for (; values && values[0]; values += 2) { /* name, value */
        if (declared_prefix(values[0]))
            continue;
        const struct name name = split_name(values[0]);
        struct attribute *attribute = take(build->doc, sizeof(*attribute), _Alignof(struct attribute));
        attribute->next = NULL;
        attribute->ns = name.prefix_length > 0 ? find_namespace(build, &name) : NULL;
        attribute->name = name_of(&name, attribute->ns);
        attribute->value = keep_text(build->doc, values[1], strlen((const char *)values[1]));
        *end = attribute;
        end = &attribute->next;
    }
}

static void keep_declarations(struct build *build, const xmlChar **values)
{
    for (; values && values[0]; values += 2) {
        const char *prefix = declared_prefix(values[0]);

        if (prefix)
            declare(build, prefix, (const char *)values[1]);
    }
}

static void on_start(void *ctx, const xmlChar *text, const xmlChar **values)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct build *build = ctxt->_private;
    struct open_element *above = &build->open[build->depth];
    const struct name name = split_name(text);
    size_t declared = build->declared;

    keep_declarations(build, values);
    build->too_deep |= build->depth == XML_DEPTH_MAX;
    if (build->too_deep || build->too_many) {
        xmlStopParser(ctxt);
        return;
    }
    struct node *node = take(build->doc, sizeof(*node), _Alignof(struct node));
    *node =
        (struct node){.ns = find_namespace(build, &name), .remark = above->remark, .line = ctxt->input->line};
    node->name = name_of(&name, node->ns);
    keep_attributes(build, node, values);
    if (above->last_child)
        above->last_child->next = node;
    else if (above->node)
        above->node->child = node;
    else
        build->doc->root = node;
    above->last_child = node;
    above->remark = above->last_remark = NULL;
    build->open[++build->depth] = (struct open_element){.node = node, .declared = declared};
}

static void on_end(void *ctx, const xmlChar *name)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct build *build = ctxt->_private;

    (void)name;
    assert(build->depth > 0);
    build->declared = build->open[build->depth--].declared;
}

static void add_piece(struct xml_doc *doc, struct piece **first, struct piece **last, const void *p, size_t n)
{
    struct piece *piece = take(doc, sizeof(*piece) + n + 1, _Alignof(struct piece));

    piece->next = NULL;
    piece->n = n;
    memcpy(piece->bytes, p, n);
    piece->bytes[n] = '\0';
    if (*last)
        (*last)->next = piece;
    else
        *first = piece;
    *last = piece;
}

static void on_text(void *ctx, const xmlChar *text, int n)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct build *build = ctxt->_private;
    struct open_element *open = &build->open[build->depth];

    if (!open->node || n <= 0)
        return;
    if (!open->last_piece || !grow_piece(build->doc, open->last_piece, text, (size_t)n))
        add_piece(build->doc, &open->node->text, &open->last_piece, text, (size_t)n);
}

static void on_comment(void *ctx, const xmlChar *text)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct build *build = ctxt->_private;
    struct open_element *open = &build->open[build->depth];

    add_piece(build->doc, &open->remark, &open->last_remark, text, strlen((const char *)text));
}

/* No document type at all: with it go entities, defaulted attributes and everything fetched. */
static void on_dtd(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct build *build = ctxt->_private;

    (void)name;
    (void)external;
    (void)system;
    build->dtd = true;
    xmlStopParser(ctxt);
}

/* The parser's words are read from the context afterwards; nothing is printed. */
static void on_error(void *ctx, const char *format, ...)
{
    (void)ctx;
    (void)format;
}

/* --- parsing --- */

static void explain(const struct build *build, const xmlError *error, const char *what, struct err *err)
{
    int n = error && error->message ? (int)strcspn(error->message, "\n") : 0;

    if (build->dtd)
        err_set(err, CAUSE_BAD_ANSWER, "%s: XML with a document type is refused", what);
    else if (build->too_deep)
        err_set(err, CAUSE_TOO_LARGE, "%s: XML nested deeper than %d elements", what, XML_DEPTH_MAX);
    else if (build->too_many)
        err_set(err, CAUSE_TOO_LARGE, "%s: XML with more than %d namespaces", what, XML_NAMESPACES_MAX);
    else if (n > 0)
        err_set(err, CAUSE_BAD_ANSWER, "%s: XML, line %d, column %d: %.*s", what, error->line, error->int2, n,
                error->message);
    else
        err_set(err, CAUSE_BAD_ANSWER, "%s: no XML", what);
}

static xmlParserCtxtPtr parser_new(void)
{
    xmlParserCtxtPtr ctxt = xmlNewParserCtxt();

    if (!ctxt)
        return NULL;
    *ctxt->sax = (xmlSAXHandler){
        .initialized = 1, /* without libxml2's namespaces */
        .internalSubset = on_dtd,
        .startElement = on_start,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .comment = on_comment,
        .warning = on_error,
        .error = on_error,
        .fatalError = on_error,
    };
    return ctxt;
}

/* A parser and its dictionary cost as much as a short document, and AMT's answers are short and all alike: a
 * thread keeps its own from one document to the next. */
static pthread_key_t kept_key;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;
static bool can_keep;

static void free_parser(void *ctxt)
{
    xmlFreeParserCtxt(ctxt);
}

static void make_key(void)
{
    can_keep = pthread_key_create(&kept_key, free_parser) == 0;
}

static xmlParserCtxtPtr parser_take(void)
{
    xmlParserCtxtPtr ctxt;

    pthread_once(&kept_once, make_key);
    ctxt = can_keep ? pthread_getspecific(kept_key) : NULL;
    if (!ctxt)
        return parser_new();
    pthread_setspecific(kept_key, NULL);
    return ctxt;
}

/* Strange names stay in the dictionary: one that has grown by them is not kept. */
static void parser_give_back(xmlParserCtxtPtr ctxt)
{
    bool worth_it = can_keep && xmlDictSize(ctxt->dict) <= NAMES_KEPT;

    xmlCtxtReset(ctxt); /* lets go of the text */
    ctxt->_private = NULL;
    if (!worth_it || pthread_setspecific(kept_key, ctxt) != 0)
        xmlFreeParserCtxt(ctxt);
}

static void build_clear(struct build *build)
{
    xml_free(build->doc);
    build->doc = NULL;
}

/* room: bytes that will be needed besides those of the tree. */
static bool build_begin(struct build *build, xmlParserCtxtPtr ctxt, size_t room)
{
    struct block *block = block_new(NULL, sizeof(*build->doc) + TREE_LIKELY + room);

    build->doc = room_in(block, sizeof(*build->doc), _Alignof(struct xml_doc));
    *build->doc = (struct xml_doc){.blocks = block};
    build->open[0] = (struct open_element){0};
    build->depth = 0;
    build->declared = 0;
    build->too_deep = build->too_many = build->dtd = false;
    build->doc->dict = ctxt->dict;
    return xmlDictReference(ctxt->dict) == 0;
}

static bool is_built(const struct build *build, const xmlParserCtxt *ctxt)
{
    return ctxt->wellFormed && !build->dtd && !build->too_deep && !build->too_many && build->doc->root;
}

/* UTF-8 in one piece, as nearly all of it is, needs none of the parser's buffers, which it would look into at
 * every turn near the end. Whatever this cannot read is left to parse_any, which also says why. */
static bool parse_text(xmlParserCtxtPtr ctxt, struct build *build, const void *p, size_t n)
{
    xmlParserInputPtr input;

    if (memchr(p, 0, n))
        return false;
    if (build_begin(build, ctxt, n + 1) &&
        (input = xmlNewStringInputStream(ctxt, (xmlChar *)keep_text(build->doc, p, n))) &&
        inputPush(ctxt, input) >= 0 && xmlCtxtUseOptions(ctxt, PARSE_OPTIONS) == 0)
        xmlParseDocument(ctxt);
    if (is_built(build, ctxt))
        return true;
    xmlCtxtReset(ctxt); /* lets go of the text */
    build_clear(build);
    return false;
}

static bool parse_any(xmlParserCtxtPtr ctxt, struct build *build, const void *p, size_t n)
{
    if (build_begin(build, ctxt, 0))
        xmlFreeDoc(xmlCtxtReadMemory(ctxt, p, (int)n, NULL, NULL, PARSE_OPTIONS));
    return is_built(build, ctxt);
}

struct xml_doc *xml_parse(const void *p, size_t n, size_t max, const char *what, struct err *err)
{
    struct build build;

    build.doc = NULL;
    if (n > max || n > INT32_MAX) {
        err_set(err, CAUSE_TOO_LARGE, "%s: %zu bytes of XML, at most %zu are read", what, n, max);
        return NULL;
    }
    if (xml_guard(p, n, what, err) != 0)
        return NULL;
    if (n == 0)
        p = ""; /* an empty buffer has no bytes to point at */
    xmlParserCtxtPtr ctxt = parser_take();
    if (!ctxt) {
        err_set(err, CAUSE_SYSTEM, "no memory for XML");
        return NULL;
    }
    ctxt->_private = &build;
    if (!parse_text(ctxt, &build, p, n) && !parse_any(ctxt, &build, p, n)) {
        explain(&build, xmlCtxtGetLastError(ctxt), what, err);
        build_clear(&build);
    }
    parser_give_back(ctxt);
    return build.doc;
}

/* --- views --- */

static const struct node *node_of(struct xml_el el)
{
    return el.node;
}

struct xml_el xml_root(const struct xml_doc *doc)
{
    return (struct xml_el){doc ? doc->root : NULL};
}

const char *xml_name(struct xml_el el)
{
    return el.node ? node_of(el)->name : "";
}

const char *xml_ns(struct xml_el el)
{
    return el.node && node_of(el)->ns ? node_of(el)->ns : "";
}

int xml_line(struct xml_el el)
{
    return el.node ? node_of(el)->line : 0;
}

bool xml_is(struct xml_el el, const char *ns, const char *name)
{
    return el.node && (!name || strcmp(xml_name(el), name) == 0) && (!ns || strcmp(xml_ns(el), ns) == 0);
}

static struct xml_el first_from(const struct node *node, const char *ns, const char *name)
{
    for (; node; node = node->next)
        if (xml_is((struct xml_el){node}, ns, name))
            return (struct xml_el){node};
    return (struct xml_el){NULL};
}

struct xml_el xml_child(struct xml_el el, const char *ns, const char *name)
{
    return first_from(el.node ? node_of(el)->child : NULL, ns, name);
}

struct xml_el xml_next(struct xml_el el, const char *ns, const char *name)
{
    return first_from(el.node ? node_of(el)->next : NULL, ns, name);
}

static const char *join(struct xml_doc *doc, const struct piece *first, const char *separator)
{
    size_t gap = strlen(separator), n = 0;

    if (!first)
        return "";
    if (!first->next)
        return first->bytes;
    for (const struct piece *piece = first; piece; piece = piece->next)
        n += piece->n + (piece->next ? gap : 0);
    char *joined = take(doc, n + 1, 1);
    char *at = joined;
    for (const struct piece *piece = first; piece; piece = piece->next) {
        memcpy(at, piece->bytes, piece->n);
        at += piece->n;
        memcpy(at, separator, piece->next ? gap : 0);
        at += piece->next ? gap : 0;
    }
    *at = '\0';
    return joined;
}

const char *xml_text(struct xml_doc *doc, struct xml_el el)
{
    return join(doc, el.node ? node_of(el)->text : NULL, "");
}

const char *xml_remark(struct xml_doc *doc, struct xml_el el)
{
    return join(doc, el.node ? node_of(el)->remark : NULL, "\n");
}

const char *xml_attr(struct xml_doc *doc, struct xml_el el, const char *name)
{
    const struct attribute *attribute = el.node ? node_of(el)->attributes : NULL;

    (void)doc;
    for (; attribute; attribute = attribute->next)
        if (strcmp(attribute->name, name) == 0)
            return attribute->value;
    return NULL;
}

bool xml_attr_next(struct xml_doc *doc, struct xml_el el, struct xml_attribute *at)
{
    const struct attribute *attribute = at->node;

    (void)doc;
    attribute = attribute ? attribute->next : el.node ? node_of(el)->attributes : NULL;
    *at = (struct xml_attribute){attribute};
    if (!attribute)
        return false;
    at->name = attribute->name;
    at->ns = attribute->ns ? attribute->ns : "";
    at->value = attribute->value;
    return true;
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
